"""Whether a value fits a schema, as a request or as a reply: the twin's judgement of everything it is sent.

Follows JSON Schema 2020-12 through jsonschema-rs, and OpenAPI 3.1 for what `readOnly` and `writeOnly` mean: a
read-only member is not required in a request, a write-only one not in a reply. Compiled validators are kept, since
one twin model serves hundreds of proofs. Never decides what is answered: it finds, `machine.py` refuses.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

import jsonschema_rs

from compiler.ir.model import EMPTY, Schema
from compiler.ir.schemas import Schemas
from workflow.pointers import escape

Json = Any
_PREFIX = "#/components/schemas/"
_DATA_KEYWORDS = frozenset({"example", "examples", "default", "const", "enum"})
_PARTS = ("allOf", "anyOf", "oneOf")
_MAX_PARTS = 24  # alternatives of alternatives deeper than this are not looked into: cycles of bare references end here


class View(StrEnum):
    """From which side a schema is read. `PATCH`: a request in which any member may be left out."""

    REQUEST = "request"
    PATCH = "patch"
    RESPONSE = "response"


class Validation:
    """Validators for the schemas of one Api, made when first asked for."""

    def __init__(self, shared: Mapping[str, Schema], schemas: Schemas) -> None:
        self._shared = shared
        self._schemas = schemas
        self._validators: dict[tuple[int, View], tuple[Schema, jsonschema_rs.Draft202012Validator]] = {}
        self._components: dict[tuple[str, View], Any] = {}

    def fault(self, schema: Schema, value: Json, view: View) -> str:
        """In words, with a pointer, the first thing about `value` that does not fit; "" when it fits."""
        try:
            self.validator(schema, view).validate(value)
        except jsonschema_rs.ValidationError as error:
            pointer = "".join(f"/{escape(str(part))}" for part in error.instance_path)
            return f"{pointer or 'the value'}: {error.message[:300]}"
        return ""

    def fits(self, schema: Schema, value: Json, view: View) -> bool:
        return bool(self.validator(schema, view).is_valid(value))

    def validator(self, schema: Schema, view: View) -> jsonschema_rs.Draft202012Validator:
        known = self._validators.get((id(schema), view))
        if known is None:
            known = (schema, _compile(self.self_contained(schema, view)))  # the schema is kept, so its id stays its own
            self._validators[(id(schema), view)] = known
        return known[1]

    def self_contained(self, schema: Schema, view: View) -> Any:
        """`schema` as seen from `view`, together with every shared schema that it reaches."""
        deeper = View.REQUEST if view is View.PATCH else view
        components: dict[str, Any] = {}
        waiting = list(_references(schema))
        while waiting:
            name = waiting.pop()
            if name not in components:
                components[name] = self._component(name, deeper)
                waiting += _references(components[name])
        root = self._seen(schema, deeper)
        if view is View.PATCH:
            root = self._without_required(root, components)
        return {**root, "components": {"schemas": components}} if isinstance(root, dict) else root

    def _component(self, name: str, view: View) -> Any:
        if (name, view) not in self._components:
            self._components[name, view] = self._seen(self._shared.get(name, EMPTY), view)
        return self._components[name, view]

    def _seen(self, schema: Any, view: View) -> Any:
        """A copy in which members that this side does not carry are not required."""
        if isinstance(schema, (list, tuple)):
            return [self._seen(part, view) for part in schema]
        if not isinstance(schema, Mapping):
            return schema
        copy = {k: v if k in _DATA_KEYWORDS else self._seen(v, view) for k, v in schema.items()}
        if isinstance(copy.get("required"), list):
            members = self._schemas.members(schema)
            copy["required"] = [name for name in copy["required"] if not self.is_hidden(members.get(name), view)]
        return copy

    def _without_required(self, schema: Any, components: Mapping[str, Any]) -> Any:
        for _ in range(_MAX_PARTS):
            if not isinstance(schema, dict) or "$ref" not in schema:
                break
            schema = components.get(schema["$ref"].removeprefix(_PREFIX), {})
        if not isinstance(schema, dict):
            return schema
        loose = {key: value for key, value in schema.items() if key != "required"}
        for keyword in _PARTS:
            if keyword in loose:
                loose[keyword] = [self._without_required(part, components) for part in loose[keyword]]
        return loose

    def is_hidden(self, member: Schema | None, view: View) -> bool:
        return self.is_write_only(member) if view is View.RESPONSE else self.is_read_only(member)

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
            yield from self._parts(self._shared.get(reference.removeprefix(_PREFIX)), depth + 1)
        yield schema
        for keyword in _PARTS:
            for part in schema.get(keyword, ()):
                yield from self._parts(part, depth + 1)


def _compile(schema: Any) -> jsonschema_rs.Draft202012Validator:
    try:
        return jsonschema_rs.Draft202012Validator(schema, validate_formats=True, ignore_unknown_formats=True)
    except ValueError:
        # A pattern in another dialect, or a keyword with a value of the wrong kind. The front end has said so;
        # the twin cannot judge by such a schema and lets everything pass.
        return jsonschema_rs.Draft202012Validator(True)


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        name = schema.get("$ref")
        if isinstance(name, str):
            yield name.removeprefix(_PREFIX)
        for key, value in schema.items():
            if key not in _DATA_KEYWORDS:
                yield from _references(value)
    elif isinstance(schema, (list, tuple)):
        for part in schema:
            yield from _references(part)


def _matches(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:
        return False
