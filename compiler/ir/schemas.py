"""Reading the schemas of an Api: following references, merging, choosing among alternatives.

Pure look-ups over `Api.schemas`, memoised per instance because the same component is asked for by hundreds of
operations. Nothing here changes or generates a schema. Used by passes, backend and twin.
Follows JSON Schema 2020-12 as far as OpenAPI 3.1 descriptions use it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from compiler.ir.model import EMPTY, Schema

_PREFIX = "#/components/schemas/"
_MAX_HOPS = 32  # longer chains of references than this have not been seen; cycles of bare references end here


class Schemas:
    """A view of the shared schemas, keyed by component name."""

    def __init__(self, shared: Mapping[str, Schema]) -> None:
        self._shared = shared
        self._members: dict[int, Mapping[str, Schema]] = {}
        self._alive: list[Schema] = []  # keeps the keys of `_members` (ids) from being reused

    def resolve(self, schema: Schema | None) -> Schema:
        """The schema behind `$ref`s; an empty one where the chain is cyclic or leads nowhere."""
        for _ in range(_MAX_HOPS):
            if not schema:
                return EMPTY
            name = schema.get("$ref")
            if not isinstance(name, str):
                return self._alternative(schema)
            schema = self._shared.get(name.removeprefix(_PREFIX))
        return EMPTY

    def component(self, schema: Schema | None) -> str:
        """The name of the shared schema that `schema` refers to, "" for an inline one."""
        name = (schema or EMPTY).get("$ref", "")
        return name.removeprefix(_PREFIX) if isinstance(name, str) else ""

    def members(self, schema: Schema | None) -> Mapping[str, Schema]:
        """The properties of an object, those of all `allOf` parts included, in the description's order."""
        return self._members_of(self.resolve(schema), 0)

    def required(self, schema: Schema | None) -> tuple[str, ...]:
        """The names of the required members, those of all `allOf` parts included."""
        found = self.resolve(schema)
        names = list(found.get("required", ()))
        for part in found.get("allOf", ()):
            names += [n for n in self.required(part) if n not in names]
        return tuple(n for n in names if isinstance(n, str))

    def offered(self, schema: Schema | None) -> tuple[Mapping[str, Schema], tuple[str, ...]]:
        """What a caller may give of an object: its members with those of all alternatives beside them, and which of
        them every alternative requires. Versions of one thing (a bare `anyOf`) are read as the one of most members.
        """
        found = self._shallow(schema)
        is_one = "properties" not in found and "discriminator" not in found
        options = [*found.get("oneOf", ()), *(() if is_one else found.get("anyOf", ()))]
        named = [option for option in options if isinstance(option, Mapping)]
        if not named:
            return self.members(schema), self.required(schema)
        own = {key: value for key, value in found.items() if key not in ("anyOf", "oneOf")}
        members = dict(self.members(own))
        for option in named:
            members = {**self.members(option), **members}
        common = set.intersection(*(set(self.required(option)) for option in named))
        return members, tuple(dict.fromkeys((*self.required(own), *sorted(common))))

    def element(self, schema: Schema | None) -> Schema | None:
        """The schema of an array's elements, None for anything that is not an array."""
        found = self.resolve(schema)
        items = found.get("items")
        return items if self.kind(found) == "array" and isinstance(items, Mapping) else None

    def kind(self, schema: Schema | None) -> str:
        """`object`, `array`, `string`, `integer`, `number`, `boolean`, or "" where the schema does not say."""
        found = self.resolve(schema)
        kind = found.get("type")
        if isinstance(kind, (list, tuple)):
            kind = next((k for k in kind if k != "null"), "")
        if isinstance(kind, str) and kind:
            return kind
        if "properties" in found or found.get("allOf"):
            return "object"
        return "array" if "items" in found else ""

    def values(self, schema: Schema | None) -> tuple[Any, ...]:
        """The values of an enumeration without null, empty where there is none."""
        found = self.resolve(schema)
        return tuple(v for v in found.get("enum", ()) if v is not None)

    def at(self, schema: Schema | None, pointer: str) -> Schema | None:
        """The schema at a JSON pointer into a value; `*` or a number steps into an array's elements."""
        found = schema
        for part in pointer.split("/")[1:]:
            found = self.element(found) if part == "*" or part.isdigit() else self.members(found).get(part)
            if found is None:
                return None
        return found

    def text(self, schema: Schema | None) -> str:
        """The description: that beside the reference first, then that of what it refers to."""
        own = (schema or EMPTY).get("description")
        return str(own or self.resolve(schema).get("description") or "")

    def strings(self, schema: Schema | None) -> Iterator[str]:
        """The names of the members that hold plain strings."""
        for name, member in self.members(schema).items():
            if self.kind(member) == "string":
                yield name

    def _members_of(self, found: Schema, depth: int) -> Mapping[str, Schema]:
        known = self._members.get(id(found))
        if known is not None:
            return known
        merged: dict[str, Schema] = {}
        if depth < _MAX_HOPS:
            for part in found.get("allOf", ()):
                merged |= self._members_of(self.resolve(part), depth + 1)
        own = found.get("properties")
        if isinstance(own, Mapping):
            merged |= {name: member for name, member in own.items() if isinstance(member, Mapping)}
        self._members[id(found)] = merged
        self._alive.append(found)
        return merged

    def _alternative(self, schema: Schema) -> Schema:
        """Of `anyOf` and `oneOf` the alternative with the most members, the last of several such.

        Versioned descriptions list a bare reference and then every version: the newest says the most.
        """
        options = schema.get("anyOf") or schema.get("oneOf")
        if not isinstance(options, (list, tuple)) or "properties" in schema:
            return schema
        best: Schema = schema
        most = -1
        for option in options:
            found = self._shallow(option)
            size = len(found.get("properties", ())) + (1 if found.get("type") not in (None, "null") else 0)
            if size >= most and found:
                best, most = found, size
        return best

    def _shallow(self, schema: Any) -> Schema:
        for _ in range(_MAX_HOPS):
            if not isinstance(schema, Mapping):
                return EMPTY
            name = schema.get("$ref")
            if not isinstance(name, str):
                return schema
            schema = self._shared.get(name.removeprefix(_PREFIX))
        return EMPTY
