"""What the language must know of an API: the facts of its operations, handed in by whoever has read the description.

Here lives no reading of OpenAPI; the compiler makes these values from its IR, an importer from wherever it can.
Schemas are JSON Schema 2020-12 and may hold `{"$ref": "#/components/schemas/NAME"}`, to be found in
`OperationIndex.schemas`. Read by `checks` and `plan`; a compiled document runs without them.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Schema = Mapping[str, Any]
METHODS = ("GET", "HEAD", "OPTIONS", "QUERY", "POST", "PUT", "PATCH", "DELETE")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "QUERY")
_FURTHER_METHOD = re.compile(r"[A-Z][A-Z0-9_-]{1,30}")
_NEVER_SENT = frozenset(("CONNECT", "TRACE"))  # they speak to what lies in between, or echo credentials


def is_method(name: str) -> bool:
    """Whether a step may send a request of this method: a usual one, or another in capitals (OpenAPI 3.2)."""
    return _FURTHER_METHOD.fullmatch(name) is not None and name not in _NEVER_SENT


@dataclass(frozen=True, slots=True)
class ParameterFacts:
    """`location`: path, query, header or cookie. `style` empty and `explode` None: OpenAPI's default for it."""

    name: str
    location: str
    is_required: bool
    schema: Schema = field(default_factory=dict)
    style: str = ""
    explode: bool | None = None


@dataclass(frozen=True, slots=True)
class OperationFacts:
    """`response_schemas` is keyed by status as declared (`200`, `2XX`, `default`). `digest` covers all it refers to."""

    method: str
    path: str
    operation_id: str = ""
    parameters: tuple[ParameterFacts, ...] = ()
    body_required: bool = False
    body_schema: Schema | None = None
    response_schemas: Mapping[str, Schema] = field(default_factory=dict)
    digest: str = ""

    @property
    def key(self) -> str:
        """`METHOD /path/template`: unique in an index."""
        return f"{self.method} {self.path}"

    @property
    def success_schema(self) -> Schema | None:
        """The schema of the first declared success that has one, `default` last."""
        good = sorted(status for status in self.response_schemas if status[:1] == "2")
        chosen = next(iter(good), "default")
        return self.response_schemas.get(chosen)


class OperationIndex:
    """The operations of one API, found by key or by operationId. Ids that occur twice find nothing."""

    __slots__ = ("_by_id", "_by_key", "schemas")

    def __init__(self, operations: Iterable[OperationFacts], schemas: Mapping[str, Schema] | None = None) -> None:
        self._by_key = {operation.key: operation for operation in operations}
        self.schemas: Mapping[str, Schema] = schemas or {}
        self._by_id: dict[str, OperationFacts | None] = {}
        for operation in self._by_key.values():
            if operation.operation_id:
                is_new = operation.operation_id not in self._by_id
                self._by_id[operation.operation_id] = operation if is_new else None

    def by_key(self, key: str) -> OperationFacts | None:
        return self._by_key.get(key)

    def by_id(self, operation_id: str) -> OperationFacts | None:
        return self._by_id.get(operation_id)

    def resolve(self, schema: Schema) -> Schema:
        """`schema`, or the shared one that its `$ref` names; references to nothing or in a circle give `{}`."""
        seen: set[str] = set()
        while isinstance(schema, Mapping) and "$ref" in schema:
            name = str(schema["$ref"]).rpartition("/")[2]
            if name in seen:
                return {}
            seen.add(name)
            schema = self.schemas.get(name, {})
        return schema
