"""What holds between the inputs of a body: one of these, all of those or none, this only with that.

A body's own schema says it of members (anyOf, oneOf, dependentRequired, not, if, minProperties); here it is said of the
inputs that fill them, as JSON Schemas that a call is judged by before anything is sent, and in a sentence for whoever
calls. What the flow itself puts into the body is there; what is not offered can never be, so an alternative that needs
it falls away. Called by `bodies` when the template is made. JSON Schema 2020-12; never looks at values.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compiler.ir.model import Schema
from compiler.ir.schemas import SharedSchemas
from compiler.passes.flows.inputs.inlining import Room, are_apart, inline

_DEPTH = 4  # conditions inside of conditions
_MOST_TOLD = 6  # alternatives of one sentence
_MOST_SENTENCES = 2
_INPUT = "$inputs."
Condition = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Conditions:
    """Conditions on the inputs that fill `template`. `several`: members of which alternatives say different things."""

    schemas: SharedSchemas
    template: Mapping[str, Any]
    members: Mapping[str, Schema]
    room: Room

    def of(self, schema: Schema) -> Iterator[Condition]:
        """What the object's schema says, with what is said of the objects that were opened inside of it."""
        flat = self.schemas.flat(schema)
        yield from self._joined(flat, 0)
        if flat.get("minProperties") and not self.schemas.required(schema):
            yield from self._at_least(flat["minProperties"])
        for name, inner in self.template.items():
            if isinstance(inner, Mapping) and name in self.members:
                below = self.members[name]
                yield from Conditions(self.schemas, inner, self.schemas.offered(below)[0], self.room).of(below)

    def _joined(self, flat: Schema, depth: int) -> Iterator[Condition]:
        if depth > _DEPTH:
            return
        for word in ("anyOf", "oneOf"):
            options = [option for option in flat.get(word) or () if isinstance(option, Mapping)]
            if options and self.schemas.newest(options) is None:
                yield from self._choice(word, options, depth)
        for part in flat.get("allOf", ()):
            yield from self._joined(self.schemas.flat(part), depth + 1)
        needs = flat.get("dependentRequired")
        for name, others in (needs or {}).items() if isinstance(needs, Mapping) else ():
            yield from self._needing(name, others)
        yield from self._excluded(flat.get("not"), depth)
        yield from self._depending(flat, depth)

    def _at_least(self, count: int) -> Iterator[Condition]:
        """An object that must not be empty, all of whose members may be left out."""
        names = [self._input(name) for name in self.template]
        if count == 1 and names and all(names):
            yield {"anyOf": [{"required": [name]} for name in names]}

    def _choice(self, word: str, options: Sequence[Schema], depth: int) -> Iterator[Condition]:
        said = [self._said(self.schemas.flat(option), depth + 1) for option in options]
        kept = [one for number, one in enumerate(said) if one is not None and one not in said[:number]]
        if not kept or {} in kept:
            return
        if len(kept) == 1:
            yield kept[0]
        else:
            is_exact = word == "oneOf" and None not in said and are_apart(kept)
            yield {"oneOf" if is_exact else "anyOf": kept}

    def _needing(self, name: str, others: Any) -> Iterator[Condition]:
        own, needed = self._input(name), [self._input(other) for other in others if other in self.template]
        if own and (needed := [other for other in needed if other]):
            yield {"dependentRequired": {own: needed}}

    def _excluded(self, excluded: Any, depth: int) -> Iterator[Condition]:
        said = self._said(self.schemas.flat(excluded), depth + 1) if isinstance(excluded, Mapping) else None
        if said and said.keys() <= {"required", "anyOf"} and _is_about_presence(said):
            yield {"not": said}

    def _depending(self, flat: Schema, depth: int) -> Iterator[Condition]:
        """`if` with what follows, and what one member says of the others (dependentSchemas)."""
        parts = {word: flat[word] for word in ("if", "then", "else") if isinstance(flat.get(word), Mapping)}
        said = {word: self._said(self.schemas.flat(part), depth + 1) for word, part in parts.items()}
        if said.get("if") and (said.get("then") or said.get("else")):
            yield {word: one for word, one in said.items() if one}
        dependent = flat.get("dependentSchemas")
        for name, part in dependent.items() if isinstance(dependent, Mapping) else ():
            own, one = self._input(name), self._said(self.schemas.flat(part), depth + 1)
            if own and one:
                yield {"if": {"required": [own]}, "then": one}

    def _said(self, flat: Schema, depth: int) -> Condition | None:
        """An alternative in terms of inputs: {} where it always holds, None where it never can."""
        required: list[str] = []
        for name in flat.get("required", ()):
            if name not in self.template:
                return None
            required += [own] if (own := self._input(name)) else []
        made: Condition = {"required": required} if required else {}
        if properties := dict(self._values(flat)):
            made["properties"] = properties
        joined = list(self._joined(flat, depth))
        return {**made, "allOf": joined} if len(joined) > 1 else {**made, **(joined[0] if joined else {})}

    def _values(self, flat: Schema) -> Iterator[tuple[str, Any]]:
        """What the alternative says of its own members, where that differs, and which others it forbids."""
        own = self.schemas.members(flat)
        for name, member in own.items():
            given = self._input(name)
            is_told = "enum" in member or "const" in member or "anyOf" in self.members.get(name, {})
            if given and is_told and (said := inline(self.schemas, member, 1, self.room)):
                said.pop("default", None)
                yield given, said
        if flat.get("additionalProperties") is False:
            forbidden = (self._input(name) for name in self.template if name not in own)
            yield from ((name, False) for name in forbidden if name)

    def _input(self, member: str) -> str:
        """The input that fills a member, "" where something else does."""
        value = self.template.get(member)
        return value.removeprefix(_INPUT) if isinstance(value, str) and value.startswith(_INPUT) else ""


def _is_about_presence(said: Condition) -> bool:
    """Whether a condition asks for nothing but that some inputs are there."""
    options = said.get("anyOf", ())
    return bool(said.get("required") or options) and all(option.keys() == {"required"} for option in options)


def inputs_in(condition: Any) -> Iterator[str]:
    """The inputs that a condition speaks of."""
    if isinstance(condition, Mapping):
        yield from condition.get("required", ())
        yield from condition.get("properties", {})
        for name, others in condition.get("dependentRequired", {}).items():
            yield from (name, *others)
        for word in ("anyOf", "oneOf", "allOf"):
            for part in condition.get(word, ()):
                yield from inputs_in(part)
        for word in ("not", "if", "then", "else"):
            yield from inputs_in(condition.get(word))


def in_all(condition: Condition) -> frozenset[str]:
    """The inputs that each alternative of a choice needs."""
    needed = [
        frozenset(option.get("required", ())) for option in condition.get("oneOf") or condition.get("anyOf") or ()
    ]
    return frozenset.intersection(*needed) if needed else frozenset()


def in_words(conditions: Sequence[Condition]) -> str:
    """The conditions as sentences, as far as a few words can say them; "" for what they cannot."""
    told = dict.fromkeys(sentence for condition in conditions if (sentence := _sentence(condition)))
    return " ".join(list(told)[:_MOST_SENTENCES])


def _sentence(condition: Condition) -> str:
    if "dependentRequired" in condition:
        return " ".join(f"{name} only together with {_and(o)}." for name, o in condition["dependentRequired"].items())
    if "not" in condition:
        parts = [condition["not"], *condition["not"].get("anyOf", ())]
        return " ".join(f"Not {_and(part['required'])} together." for part in parts if part.get("required"))
    options = condition.get("oneOf") or condition.get("anyOf")
    if not options:
        return ""
    if all(option.get("required") and not _chosen(option) for option in options):
        always = in_all(condition)
        named = dict.fromkeys(_and([n for n in option["required"] if n not in always]) for option in options)
        which = [text for text in named if text]
        count = "exactly" if "oneOf" in condition else "at least"
        is_said = len(which) > 1 and len(which) == len(named)
        return f"Needs {count} one of: {'; '.join(which[:_MOST_TOLD])}{_more(which)}." if is_said else ""
    told = [f"{_chosen(option)} {_and(others)}" for option in options if (others := _beside(option))]
    return f"Needs with {'; with '.join(told[:_MOST_TOLD])}{_more(told)}." if told else ""


def _more(options: Sequence[Any]) -> str:
    return " …" if len(options) > _MOST_TOLD else ""


def _chosen(option: Condition) -> str:
    """`type=cat`: by which value an alternative is chosen."""
    required = option.get("required", ())
    for name, said in option.get("properties", {}).items():
        values = (said.get("enum") or [said.get("const")]) if isinstance(said, Mapping) else []
        if name in required and len(values) == 1 and values[0] is not None:
            return f"{name}={values[0]}"
    return ""


def _beside(option: Condition) -> list[str]:
    """What is needed besides the value that chooses the alternative."""
    chosen = _chosen(option)
    return [n for n in option.get("required", ()) if n != chosen.partition("=")[0]] if chosen else []


def _and(names: Sequence[str]) -> str:
    return " and ".join(names)
