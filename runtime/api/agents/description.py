"""The OpenAPI document for agents: each workflow that MCP lists to this caller as one typed operation, and few others.

Clients that turn operations into tools (Open WebUI, LangChain, LlamaIndex, mcpo's users) so see what MCP clients see,
by the same budget: a flat body as a tool takes it, a typed reply, an example, and search, describe, run and get_run
beside them. What operators and approvers do is in a document of its own (`description`). Schemas are OpenAPI 3.1's own,
JSON Schema 2020-12, with shared parts under `components`, where references of OpenAPI tools lead. Pure.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jsonschema_rs

from governance.people.scopes import AccessScope
from governance.registry.servers import is_of_site
from runtime.api.parts import models
from runtime.api.parts.part import problems
from runtime.catalog.entries import Entry
from runtime.catalog.snapshot import FLEET_NAMES, RESERVED_NAMES, Catalog
from runtime.catalog.watcher import LiveCatalog

Json = Any
TITLE = "Switchgear"
ABOUT = (
    "Approved workflows on infrastructure, each one operation. With plan: true one changes nothing and shows what it "
    "would send; what interrupts or destroys answers 428 with a plan, to be confirmed by its plan_id. 202: it goes on; "
    "get_run waits for its end. A large read shows what people read of it: select and where choose. "
    "search_workflows finds what is no operation of its own, run_workflow runs it."
)
SECURITY: list[dict[str, list[str]]] = [{"token": []}]
PATH = "/tools/{name}"
_DEFS = re.compile(r"^#/\$defs/")
_PLACEHOLDERS: Mapping[str, Json] = {"string": "text", "integer": 1, "number": 1, "boolean": True}


class AgentDescription:
    """`fixed`: the operations that are always there, as FastAPI describes them, with the schemas that they refer to."""

    def __init__(self, live: LiveCatalog, version: str, fixed: "FixedPart", expert: "FixedPart") -> None:
        """`expert`: those that are there besides for whoever may call single operations."""
        self._live = live
        self._version = version
        self._fixed = fixed
        self._expert = expert
        self._made: dict[str, dict[str, Json]] = {}
        self._made_for: Catalog | None = None

    def document(self, scope: AccessScope, address: str, *, is_expert: bool = False) -> dict[str, Json]:
        """The document for what somebody with `scope` sees of the catalog that is served now, at this `address`."""
        if self._made_for is not self._live.now:
            self._made, self._made_for = {}, self._live.now
        catalog = self._live.seen_by(scope)
        if catalog.version not in self._made:
            self._made[catalog.version] = self._document(catalog)
        made = self._made[catalog.version]
        if is_expert:
            paths, schemas = self._expert()
            components = {**made["components"], "schemas": {**schemas, **made["components"]["schemas"]}}
            made = {**made, "paths": {**made["paths"], **paths}, "components": components}
        return {**made, "servers": [{"url": address}]}

    def _document(self, catalog: Catalog) -> dict[str, Json]:
        fixed, schemas = self._fixed(FLEET_NAMES if any(map(is_of_site, catalog.by_api)) else ())
        paths, shared = dict(fixed), dict(schemas)
        for entry in catalog.listed:
            operation, parts = operation_of(entry)
            paths[PATH.format(name=entry.name)] = {"post": operation}
            shared |= parts
        return {
            "openapi": "3.1.0",
            "info": {"title": TITLE, "version": self._version, "description": ABOUT},
            "paths": paths,
            "components": {"schemas": shared, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        }


class FixedPart:
    """Paths and schemas of operations that are the server's own; made when first asked for."""

    def __init__(self, document: Callable[[], Mapping[str, Json]], names: Sequence[str] = RESERVED_NAMES) -> None:
        """`document`: of all routes; `names`: of the tools that the operations are."""
        self._document = document
        self._names = names

    def __call__(self, more: tuple[str, ...] = ()) -> tuple[dict[str, Json], dict[str, Json]]:
        """`more`: tools that are there for this caller besides."""
        whole = self._document()
        own = [PATH.format(name=name) for name in (*self._names, *more)]
        paths = {path: whole["paths"][path] for path in own}
        known, used = whole["components"]["schemas"], [models.ProblemOut.__name__, "RunResult"]
        _follow(paths, known, used)
        return _with_security(paths), {name: known[name] for name in sorted(set(used))}


def _follow(value: Json, known: Mapping[str, Json], used: list[str]) -> None:
    """Adds to `used` the schemas to which `value` refers."""
    if isinstance(value, list):
        for each in value:
            _follow(each, known, used)
    elif isinstance(value, Mapping):
        name = str(value.get("$ref", "")).removeprefix("#/components/schemas/")
        if name in known and name not in used:
            used.append(name)
            _follow(known[name], known, used)
        for each in value.values():
            _follow(each, known, used)


def _with_security(paths: Mapping[str, Json]) -> dict[str, Json]:
    return {
        path: {method: {**operation, "security": SECURITY} for method, operation in item.items()}
        for path, item in paths.items()
    }


def operation_of(entry: Entry) -> tuple[dict[str, Json], dict[str, Json]]:
    """How one workflow is called, and the shared schemas of its body, by their names in the document."""
    body, shared = hoisted(entry.input_schema, entry.name)
    content: dict[str, Json] = {"schema": body}
    example = example_of(entry)
    content |= {"example": example} if example is not None else {}
    reply: dict[str, Json] = {"allOf": [{"$ref": "#/components/schemas/RunResult"}]}
    if entry.output_schema is not None:
        outputs, parts = hoisted(entry.output_schema, f"{entry.name}_outputs")
        reply |= {"properties": {"outputs": outputs}}
        shared |= parts
    goes_on = {"description": "It takes longer than a call may, and goes on: see get_run."}
    operation = {
        "operationId": entry.name,
        "tags": [entry.api],
        "summary": entry.tool.get("title", entry.name),
        "description": entry.tool.get("description", ""),
        "security": SECURITY,
        "requestBody": {"required": bool(body.get("required")), "content": {"application/json": content}},
        "responses": {
            "200": {"description": "What came of it.", "content": {"application/json": {"schema": reply}}},
            "202": {**goes_on, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/RunResult"}}}},
            **{str(status): problem for status, problem in problems(404, 409, 422, 428, 502, 504).items()},
        },
    }
    return operation, shared


def hoisted(schema: Mapping[str, Json], name: str) -> tuple[dict[str, Json], dict[str, Json]]:
    """`schema` without `$defs`, and those by the names that they have among the document's components."""
    moved = _renamed({word: value for word, value in schema.items() if word != "$defs"}, name)
    parts = {f"{name}_{own}": _renamed(part, name) for own, part in schema.get("$defs", {}).items()}
    return moved, parts


def _renamed(value: Json, name: str) -> Json:
    if isinstance(value, list):
        return [_renamed(each, name) for each in value]
    if not isinstance(value, Mapping):
        return value
    ref = value.get("$ref")
    told = {key: _renamed(each, name) for key, each in value.items()}
    if isinstance(ref, str) and _DEFS.match(ref):
        told["$ref"] = _DEFS.sub(f"#/components/schemas/{name}_", ref)
    return told


def example_of(entry: Entry) -> Json:
    """Arguments that a call may have; None where none is known that fits."""
    schema = entry.input_schema
    required = schema.get("required", [])
    example = {name: _example(schema["properties"][name]) for name in required if name in schema.get("properties", {})}
    try:
        return example if jsonschema_rs.validator_for(schema).is_valid(example) else None
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError):
        return None


def _example(schema: Json) -> Json:
    if not isinstance(schema, Mapping):
        return "text"
    for word in ("examples", "enum"):
        if schema.get(word):
            return schema[word][0]
    if "default" in schema:
        return schema["default"]
    kind = schema.get("type")
    if kind == "object":
        members = schema.get("properties", {})
        return {name: _example(members[name]) for name in schema.get("required", []) if name in members}
    if kind == "array":
        return [_example(schema.get("items", {}))]
    return _PLACEHOLDERS.get(kind if isinstance(kind, str) else (kind or ["string"])[0], "text")
