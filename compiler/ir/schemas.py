"""Reading the schemas of an Api: following references, merging, choosing among alternatives.

Pure look-ups over `Api.schemas`, memoised per instance because the same component is asked for by hundreds of
operations. Nothing here changes or generates a schema. Used by passes, backend and twin.
Follows JSON Schema 2020-12 as far as OpenAPI 3.1 descriptions use it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from compiler.ir.model import EMPTY, Schema
from workflow.json.pointers import escape

_PREFIX = "#/components/schemas/"
_PLAIN_KINDS = frozenset(("type", "enum", "items"))  # by which what `allOf` joins need not be an object
_LEADS_ON = frozenset(("$ref", "anyOf", "oneOf"))
_CHOICES = ("anyOf", "oneOf")
_SEVERAL = 2  # of a single member's name it is no sign that another member has it too
_MAX_HOPS = 32  # longer chains of references than this have not been seen; cycles of bare references end here


class SharedSchemas:
    """A view of the shared schemas, keyed by component name."""

    def __init__(self, shared: Mapping[str, Schema]) -> None:
        self._shared = shared
        self._members: dict[int, Mapping[str, Schema]] = {}
        self._alive: list[Schema] = []  # keeps the keys of `_members` (ids) from being reused
        self._flat: dict[int, tuple[Schema, dict[str, Any]]] = {}

    def resolve(self, schema: Schema | None) -> Schema:
        """The schema behind `$ref`s; an empty one where the chain is cyclic or leads nowhere."""
        if schema and _LEADS_ON.isdisjoint(schema):
            return schema
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

    def holder(self, sent: Schema | None, shown: Schema | None) -> str:
        """Pointer to the only member of `shown` that has all members of `sent`, and is none of them: `/spec`."""
        names = frozenset(self.members(sent))
        held = self.members(shown).items() if len(names) >= _SEVERAL else ()
        holders = [name for name, member in held if name not in names and names <= self.members(member).keys()]
        return f"/{escape(holders[0])}" if len(holders) == 1 else ""

    def required(self, schema: Schema | None) -> tuple[str, ...]:
        """The names of the required members, those of all `allOf` parts included."""
        found = self.resolve(schema)
        names = list(found.get("required", ()))
        for part in found.get("allOf", ()):
            names += [n for n in self.required(part) if n not in names]
        return tuple(n for n in names if isinstance(n, str))

    def flat(self, schema: Schema | None) -> Mapping[str, Any]:
        """`schema` with its references followed and its `allOf` parts merged into one; alternatives stay.

        What cannot be merged (two choices, say) stays under `allOf`.
        """
        schema = schema if schema is not None else EMPTY
        return self._merge(schema, 0)

    def choice(self, found: Schema) -> tuple[str, tuple[Schema, ...], bool]:
        """Of a flat schema: by which word it chooses ("" for none), among what, and whether null is one of them."""
        word = next((w for w in ("oneOf", "anyOf") if isinstance(found.get(w), (list, tuple)) and found[w]), "")
        options = [option for option in found.get(word, ()) if isinstance(option, Mapping)]
        named = tuple(option for option in options if self._shallow(option).get("type") != "null")
        return word, named, len(named) < len(options)

    def may_be_null(self, schema: Schema | None) -> bool:
        """Whether the schema says that null may stand there."""
        found = self.flat(schema)
        kinds = found.get("type")
        return "null" in kinds if isinstance(kinds, list | tuple) else self.choice(found)[2]

    def newest(self, options: Sequence[Schema]) -> Schema | None:
        """The alternative that stands for all: versions of one thing, each with nothing that the last has not.

        None where they are different things, or say otherwise what is required.
        """
        members = [self._members_of(self.flat(option), 0) for option in options]
        best = max(range(len(options)), key=lambda number: (len(members[number]), number))
        are_objects = all(self.kind(option) == "object" for option in options)
        demanded = {frozenset(self.flat(option).get("required", ())) for option in options}
        are_less = all(own.keys() <= members[best].keys() for own in members)
        return options[best] if are_objects and are_less and members[best] and len(demanded) == 1 else None

    def offered(self, schema: Schema | None) -> tuple[Mapping[str, Schema], tuple[str, ...]]:
        """What a caller may give of an object: its members with those of all alternatives beside them, and which of
        them every alternative requires. Versions of one thing (a bare `anyOf`) are read as the one of most members.
        """
        found = self._shallow(schema)
        named = [one for word in ("oneOf", "anyOf") for one in found.get(word, ()) if isinstance(one, Mapping)]
        named = [option for option in named if self._shallow(option).get("type") != "null"]
        if named and not found.get("oneOf") and "properties" not in found and self.newest(named) is not None:
            named = []
        if not named:
            return self._with_required(self.members(schema), self.required(schema))
        own = {key: value for key, value in found.items() if key not in ("anyOf", "oneOf")}
        members = dict(self.members(own))
        for name, said in _said_of_members(self._members_of(self.flat(option), 0) for option in named).items():
            members.setdefault(name, said[0] if len(said) == 1 else self._one_of_these(said))
        common = set.intersection(*(set(self.required(option)) for option in named))
        return self._with_required(members, tuple(dict.fromkeys((*self.required(own), *sorted(common)))))

    def _with_required(
        self, members: Mapping[str, Schema], required: tuple[str, ...]
    ) -> tuple[Mapping[str, Schema], tuple[str, ...]]:
        """With what is required and nowhere described, as a value of any kind: without it nothing would be taken."""
        untold = [name for name in required if name not in members] if members else []
        return ({**members, **{name: {} for name in untold}} if untold else members), required

    def _one_of_these(self, said: Sequence[Schema]) -> Schema:
        """What several alternatives say of a member; values of one enumeration, where each names some."""
        values = [self.values(one) for one in said]
        if all(values) and len({self.kind(one) for one in said}) == 1:
            return {**self.flat(said[0]), "enum": [*dict.fromkeys(value for some in values for value in some)]}
        return {"anyOf": list(said)}

    def element(self, schema: Schema | None) -> Schema | None:
        """The schema of an array's elements, None for anything that is not an array."""
        found = self.resolve(schema)
        items = found.get("items")
        if items is None and found.get("allOf") and self.kind(found) == "array":  # with a text of its own
            items = self.flat(found).get("items")
        return items if self.kind(found) == "array" and isinstance(items, Mapping) else None

    def is_read_only(self, member: Schema) -> bool:
        """Whether it is marked as only shown, where it is used or where it is described."""
        return bool(member.get("readOnly") or self.resolve(member).get("readOnly"))

    def kind(self, schema: Schema | None) -> str:
        """`object`, `array`, `string`, `integer`, `number`, `boolean`, or "" where the schema does not say."""
        found = self.resolve(schema)
        kind = found.get("type")
        if kind.__class__ is str and kind:
            return str(kind)
        if isinstance(kind, (list, tuple)):
            kind = next((k for k in kind if k != "null"), "")
        if isinstance(kind, str) and kind:
            return kind
        if "properties" in found:
            return "object"
        if found.get("allOf"):  # a name with a text of its own is written so as well
            merged = self.flat(found)
            return self.kind(merged) if merged.keys() & _PLAIN_KINDS else "object"
        return "array" if "items" in found else ""

    def values(self, schema: Schema | None) -> tuple[Any, ...]:
        """The values of an enumeration without null, empty where there is none."""
        found = self.resolve(schema)
        found = self.flat(found) if "allOf" in found else found
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

    def _merge(self, schema: Any, hops: int) -> dict[str, Any]:
        if not isinstance(schema, Mapping) or hops > _MAX_HOPS:
            return {}
        known = self._flat.get(id(schema))
        if known is not None:
            return known[1]
        merged: dict[str, Any] = {}
        if isinstance(schema.get("$ref"), str):
            merged = self._merge(self._shared.get(schema["$ref"].removeprefix(_PREFIX)), hops + 1)
        for part in schema.get("allOf", ()):
            merged = joined(merged, self._merge(part, hops + 1))
        merged = joined(merged, {k: v for k, v in schema.items() if k not in ("$ref", "allOf")})
        self._flat[id(schema)] = (schema, merged)  # with the schema, so that its id stays its own
        return merged

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
        if all({"required"} <= self._shallow(option).keys() <= _DEMANDING for option in options):
            return schema  # they only say that one or the other is to be given
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


_DEMANDING = frozenset({"required", "title", "description"})


def joined(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Both schemas at once: members and demands united, the tighter bound kept, the second's word elsewhere."""
    both = {**first, **second}
    for keyword in ("properties", "patternProperties"):
        if keyword in first and keyword in second:
            both[keyword] = {**first[keyword], **second[keyword]}
    if "required" in first and "required" in second:
        both["required"] = [*first["required"], *(n for n in second["required"] if n not in first["required"])]
    if first.get("enum") and second.get("enum"):
        both["enum"] = [value for value in first["enum"] if value in second["enum"]]
    for keyword in ("minimum", "minLength", "minItems"):
        if keyword in first and keyword in second:
            both[keyword] = max(first[keyword], second[keyword])
    for keyword in ("maximum", "maxLength", "maxItems"):
        if keyword in first and keyword in second:
            both[keyword] = min(first[keyword], second[keyword])
    twice = [{word: second[word]} for word in _CHOICES if word in first and word in second]
    if twice:
        both |= {word: first[word] for part in twice for word in part}
        both["allOf"] = [*first.get("allOf", ()), *second.get("allOf", ()), *twice]
    return both


def _said_of_members(alternatives: Iterable[Mapping[str, Schema]]) -> dict[str, list[Schema]]:
    """Each member with what the alternatives say of it, the same only once."""
    said: dict[str, list[Schema]] = {}
    for members in alternatives:
        for name, member in members.items():
            told = said.setdefault(name, [])
            if member not in told:
                told.append(member)
    return said
