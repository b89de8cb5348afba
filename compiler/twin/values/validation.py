"""Whether a value fits a schema, as a request or as a reply: the twin's judgement of everything it is sent.

Follows JSON Schema 2020-12 (`validators` compiles), and OpenAPI 3.1 for what `readOnly` and `writeOnly` mean: a
read-only member is not required in a request, a write-only one not in a reply. Validators are shared, since one twin
model serves hundreds of proofs. Never decides what is answered: it finds, `machine.py` refuses.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import partial
from typing import Any

from compiler.ir.model import EMPTY, Schema
from compiler.ir.schemas import SharedSchemas
from compiler.twin.values.validators import DATA_KEYWORDS, PREFIX, Judge, Validators, tied, whole
from workflow.errors import ExpressionError
from workflow.json.patterns import compile_pattern
from workflow.json.pointers import escape

Json = Any
_MOST_JUDGES = 10_000  # kept by object; a compile of some hundred operations asks for some thousand
_PARTS = ("allOf", "anyOf", "oneOf")
_MAX_PARTS = 24  # alternatives of alternatives deeper than this are not looked into: cycles of bare references end here


class SchemaView(StrEnum):
    """From which side a schema is read. `PATCH`: a request in which any member may be left out."""

    REQUEST = "request"
    PATCH = "patch"
    RESPONSE = "response"


class Validation:
    """Validators for the schemas of one Api, made when first asked for."""

    def __init__(self, shared: Mapping[str, Schema], schemas: SharedSchemas) -> None:
        self._shared = shared
        self._schemas = schemas
        self._judges: dict[tuple[int, SchemaView], tuple[Schema, Judge]] = {}
        self._components: dict[tuple[str, SchemaView], Any] = {}
        groups = tied(shared)
        sides = (SchemaView.REQUEST, SchemaView.RESPONSE)
        self._sides = {side: Validators(groups, partial(self._component, view=side)) for side in sides}

    def fault(self, schema: Schema, value: Json, view: SchemaView) -> str:
        """In words, with a pointer, the first thing about `value` that does not fit; "" when it fits."""
        return self._judge(schema, view).fault(value)

    def fits(self, schema: Schema, value: Json, view: SchemaView) -> bool:
        return self._judge(schema, view).is_valid(value)

    def _judge(self, schema: Schema, view: SchemaView) -> Judge:
        """Kept by content in `Validators`; here by the very object, which is asked for again and again."""
        known = self._judges.get((id(schema), view))
        if known is None:
            if len(self._judges) >= _MOST_JUDGES:
                self._judges.clear()
            known = (schema, self._sides[_deeper(view)].judge(self._root(schema, view)))
            self._judges[(id(schema), view)] = known  # the schema is kept, so its id stays its own
        return known[1]

    def self_contained(self, schema: Schema, view: SchemaView, most_bytes: int | None = None) -> Any:
        """`schema` as seen from `view`, together with every shared schema that it reaches (see `validators.whole`)."""
        return whole(self._root(schema, view), partial(self._component, view=_deeper(view)), most_bytes)

    def _root(self, schema: Schema, view: SchemaView) -> Any:
        root = self._seen(schema, _deeper(view))
        return self._without_required(root) if view is SchemaView.PATCH else root

    def _component(self, name: str, view: SchemaView) -> Any:
        if (name, view) not in self._components:
            self._components[name, view] = self._seen(self._shared.get(name, EMPTY), view)
        return self._components[name, view]

    def _seen(self, schema: Any, view: SchemaView) -> Any:
        """`schema` with members that this side does not carry not required; itself where that changes nothing."""
        if isinstance(schema, (list, tuple)):
            parts = [self._seen(part, view) for part in schema]
            return parts if any(new is not old for new, old in zip(parts, schema, strict=True)) else schema
        if not isinstance(schema, Mapping):
            return schema
        changed = {
            k: new for k, v in schema.items() if k not in DATA_KEYWORDS and (new := self._seen(v, view)) is not v
        }
        required = schema.get("required")
        if isinstance(required, list):
            members = self._schemas.members(schema)
            carried = [name for name in required if not self.is_hidden(members.get(name), view)]
            if len(carried) < len(required):
                changed["required"] = carried
        return {**schema, **changed} if changed or not isinstance(schema, dict) else schema

    def _without_required(self, schema: Any) -> Any:
        for _ in range(_MAX_PARTS):
            if not isinstance(schema, Mapping) or "$ref" not in schema:
                break
            schema = self._component(schema["$ref"].removeprefix(PREFIX), SchemaView.REQUEST)
        if not isinstance(schema, Mapping):
            return schema
        loose = {key: value for key, value in schema.items() if key != "required"}
        for keyword in _PARTS:
            if keyword in loose:
                loose[keyword] = [self._without_required(part) for part in loose[keyword]]
        return loose

    def is_hidden(self, member: Schema | None, view: SchemaView) -> bool:
        return self.is_write_only(member) if view is SchemaView.RESPONSE else self.is_read_only(member)

    def is_read_only(self, member: Schema | None) -> bool:
        return self._is_marked(member, "readOnly")

    def is_write_only(self, member: Schema | None) -> bool:
        return self._is_marked(member, "writeOnly")

    def _is_marked(self, member: Schema | None, mark: str) -> bool:
        if member is None:
            return False
        return member.get(mark) is True or self._schemas.resolve(member).get(mark) is True

    def unknown_members(self, schema: Schema, value: Json, at: str = "") -> Iterator[str]:
        """Pointers to the members of `value` that no part of `schema` describes."""
        if isinstance(value, list):
            element = self._schemas.element(schema)
            for number, item in enumerate(value if element is not None else ()):
                yield from self.unknown_members(element or EMPTY, item, f"{at}/{number}")
        elif isinstance(value, dict):
            known = self.described(schema)
            for name, item in value.items():
                pointer = f"{at}/{escape(name)}"
                if name in known:
                    yield from self.unknown_members(known[name], item, pointer)
                elif known and not self._is_open(schema, name):
                    yield pointer

    def read_only_members(self, schema: Schema, value: Json, at: str = "") -> Iterator[str]:
        """Pointers to the members of `value` that a caller cannot set."""
        if isinstance(value, list):
            for number, item in enumerate(value):
                yield from self.read_only_members(self._schemas.element(schema) or EMPTY, item, f"{at}/{number}")
        elif isinstance(value, dict):
            known = self.described(schema)
            for name, item in value.items():
                if self.is_read_only(known.get(name)):
                    yield f"{at}/{escape(name)}"
                elif name in known:
                    yield from self.read_only_members(known[name], item, f"{at}/{escape(name)}")

    def described(self, schema: Schema | None) -> Mapping[str, Schema]:
        """The members that any part of `schema` describes, alternatives included."""
        found: dict[str, Schema] = {}
        for part in self._parts(schema, 0):
            found |= self._schemas.members(part)
        return found

    def has_room(self, schema: Schema, path: Sequence[str]) -> bool:
        """False where no part describes the member at `path` and one forbids what is not described."""
        for name in path:
            known = self.described(schema)
            if name not in known:
                is_closed = any(part.get("additionalProperties") is False for part in self._parts(schema, 0))
                return not is_closed or self._is_open(schema, name)
            schema = known[name]
        return True

    def _is_open(self, schema: Schema, name: str) -> bool:
        for part in self._parts(schema, 0):
            if part.get("additionalProperties") not in (None, False):
                return True
            patterns = part.get("patternProperties")
            if isinstance(patterns, Mapping) and any(_matches(pattern, name) for pattern in patterns):
                return True
        return False

    def _parts(self, schema: Any, depth: int) -> Iterator[Schema]:
        """`schema` and all that it is put together from, references followed."""
        if not isinstance(schema, Mapping) or depth > _MAX_PARTS:
            return
        reference = schema.get("$ref")
        if isinstance(reference, str):
            yield from self._parts(self._shared.get(reference.removeprefix(PREFIX)), depth + 1)
        yield schema
        for keyword in _PARTS:
            for part in schema.get(keyword, ()):
                yield from self._parts(part, depth + 1)


def _deeper(view: SchemaView) -> SchemaView:
    """Below the top a change of some members is a request like any other."""
    return SchemaView.REQUEST if view is SchemaView.PATCH else view


def _matches(pattern: str, name: str) -> bool:
    try:
        return compile_pattern(pattern).is_found_in(name)
    except ExpressionError:
        return False
