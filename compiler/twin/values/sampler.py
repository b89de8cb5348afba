"""Values that fit a schema: the initial state where there are no examples, and bodies with which the proof tries.

Deterministic: the same schema, name and number give the same value. What the description itself offers comes first
(example, default, const, first of an enumeration). Recursion ends at the first repeated component or `_MAX_DEPTH`.
Never looks at state: foreign keys and identities are put in by `seeds.py`. JSON Schema 2020-12, OpenAPI 3.1 marks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid5

from compiler.ir.model import EMPTY, Schema
from compiler.ir.schemas import SharedSchemas, joined
from compiler.twin.values.patterns import string_for
from compiler.twin.values.validation import SchemaView, Validation
from workflow.errors import ExpressionError
from workflow.json.patterns import compile_pattern
from workflow.replies.answers import names_of_failed

Json = Any
NAMESPACE = UUID("6f1d3c52-7d0e-5c0b-9c0e-2f4b6a8d1e37")  # any fixed one: ids must not differ between runs
_MAX_DEPTH = 6  # vendors' items are seldom deeper; every further level multiplies the size
_MAX_COMPONENTS = 1  # shared schemas inside shared schemas; descriptions of databases refer to each other in circles
_MOST_MADE = 20_000  # values in one sample: requests of people have some dozen, and lists of lists would multiply
_MOST_TEXT = 100_000  # characters of one text
_SAYS_IT_WORKED = frozenset(("success", "successful", "succeeded", "ok", "issuccess", "is_success", "status"))
_SAYS_IT_FAILED = frozenset(("error", "errors"))
_ABSENT = object()
_FORMATS = {
    "date-time": "2026-01-0{n}T08:00:00Z",
    "date": "2026-01-0{n}",
    "time": "08:00:0{n}Z",
    "duration": "PT{n}S",
    "email": "user{n}@example.test",
    "idn-email": "user{n}@example.test",
    "hostname": "host{n}.example.test",
    "idn-hostname": "host{n}.example.test",
    "ipv4": "192.0.2.{n}",
    "ipv6": "2001:db8::{n}",
    "uri": "https://example.test/{n}",
    "url": "https://example.test/{n}",
    "iri": "https://example.test/{n}",
    "uri-reference": "/example/{n}",
    "iri-reference": "/example/{n}",
    "uri-template": "/example/{{id}}",
    "json-pointer": "/example/{n}",
    "relative-json-pointer": "{n}",
    "regex": "^a{n}$",
    "byte": "c3dpdGNo",
    "binary": "data",
    "password": "Sample-Passw0rd-{n}",
}


@dataclass(frozen=True, slots=True)
class Want:
    """`number` tells several samples of one schema apart (from 1). `is_full`: optional members as well.

    `takes_offers`: examples and defaults of the description come first; they are not always right. `is_well`: a reply
    that tells of no error.
    """

    view: SchemaView
    number: int = 1
    is_full: bool = True
    takes_offers: bool = True
    is_well: bool = True


class Sampler:
    """Samples for the schemas of one Api."""

    def __init__(self, schemas: SharedSchemas, validation: Validation) -> None:
        self._schemas = schemas
        self._validation = validation
        self._left = _MOST_MADE

    def value(self, schema: Schema | None, want: Want, name: str = "value") -> Json:
        """A value that fits as far as one can be made; None where the schema allows nothing that is understood."""
        self._left = _MOST_MADE
        made = self._make(schema if schema is not None else EMPTY, want, name, ())
        return None if made is _ABSENT else made

    def fitting(self, schema: Schema, want: Want, name: str = "value") -> Json:
        """A value that has been checked to fit: the wanted one, one without what the description offers, the smallest,
        the fullest. Where none of them fits, the wanted one all the same.
        """
        plain = replace(want, takes_offers=False)
        least, full_again = replace(plain, is_full=False), replace(plain, is_full=True)
        tries = dict.fromkeys((want, plain, least, full_again, replace(full_again, is_well=False)))
        full = self.value(schema, want, name)
        for one in tries:
            made = full if one is want else self.value(schema, one, name)
            if self._validation.fits(schema, made, want.view):
                return made
        return full

    def flat(self, schema: Schema) -> Mapping[str, Any]:
        """See `Schemas.flat`."""
        return self._schemas.flat(schema)

    def _make(self, schema: Schema, want: Want, name: str, above: tuple[str, ...]) -> Json:
        component = self._schemas.component(schema)
        self._left -= 1
        if (component and component in above) or len(above) > _MAX_DEPTH or self._left <= 0:
            return self._least(schema)
        above = (*above, component)
        flat = self.flat(schema)
        for keyword in ("oneOf", "anyOf"):
            if flat.get(keyword):
                return self._one_of(flat, keyword, want, name, above)
        offered = self._offered(schema, flat, want)
        return self._by_kind(flat, want, name, above) if offered is _ABSENT else offered

    def _least(self, schema: Schema) -> Json:
        """Where recursion ends: the smallest value, or nothing at all."""
        flat = self.flat(schema)
        kind = _kind(flat)
        if kind == "array" and not flat.get("minItems"):
            return []
        if "null" in _kinds(flat):
            return None
        return {} if kind == "object" and not flat.get("required") else _ABSENT

    def _one_of(self, flat: Mapping[str, Any], keyword: str, want: Want, name: str, above: tuple[str, ...]) -> Json:
        """The first alternative, null last, that can be made and fits as the keyword demands."""
        rest = {key: value for key, value in flat.items() if key != keyword}
        options = sorted(flat[keyword], key=lambda o: isinstance(o, Mapping) and o.get("type") == "null")
        whole = {**rest, keyword: flat[keyword]}
        made = _ABSENT
        for option in options:
            component = self._schemas.component(option) if isinstance(option, Mapping) else ""
            if not isinstance(option, Mapping) or (component and component in above):
                continue
            candidate = self._make(joined(rest, self.flat(option)), want, name, (*above, component))
            if candidate is _ABSENT:
                continue
            if len(options) == 1 or self._validation.fits(whole, candidate, want.view):
                return candidate
            made = candidate if made is _ABSENT else made
        return made

    def _offered(self, schema: Schema, flat: Mapping[str, Any], want: Want) -> Json:
        """What the description itself gives as a value."""
        if "const" in flat:
            return flat["const"]
        for source in (schema, flat) if want.takes_offers else ():
            if source.get("examples"):
                offers = source["examples"]
                offers = list(offers.values()) if isinstance(offers, Mapping) else list(offers)
                fitting = [offer for offer in offers if _is_plausible(flat, offer)]
                if fitting:
                    return fitting[(want.number - 1) % len(fitting)]
            if "example" in source and _is_plausible(flat, source["example"]):
                return source["example"]
        if flat.get("enum"):
            return next((value for value in flat["enum"] if value is not None), None)
        default = flat.get("default") if want.takes_offers else None
        return default if default is not None and _is_plausible(flat, default) else _ABSENT

    def _by_kind(self, flat: Mapping[str, Any], want: Want, name: str, above: tuple[str, ...]) -> Json:
        kind = _kind(flat)
        if kind == "object":
            return self._object(flat, want, above)
        if kind == "array":
            return self._array(flat, want, name, above)
        if kind == "string":
            return _string(flat, want, name)
        if kind in ("integer", "number"):
            return _number(flat, kind, want)
        if kind == "boolean":  # what a good reply says of itself is so
            return want.view is SchemaView.RESPONSE and name.lower() in _SAYS_IT_WORKED
        return None if kind == "null" or "null" in _kinds(flat) else _any(name, want)

    def _object(self, flat: Mapping[str, Any], want: Want, above: tuple[str, ...]) -> Json:
        made: dict[str, Json] = {}
        required = [n for n in flat.get("required", ()) if isinstance(n, str)]
        members = flat.get("properties", EMPTY)
        is_well = want.is_well and want.view is SchemaView.RESPONSE
        told = self._told_as_failed(members) if is_well else frozenset()
        for name, member in members.items():
            if not isinstance(member, Mapping) or self._validation.is_hidden(member, want.view):
                continue
            if name in told:
                made |= {name: self._nothing_in(member)} if name in required else {}
            elif name in required or (want.is_full and self._is_wanted(member, want, above)):
                value = self._make(member, want, name, above)
                if value is not _ABSENT:
                    made[name] = value
                elif name in required:
                    return _ABSENT
        for name in required:
            if name not in made and name not in members:
                made[name] = _any(name, want)
        return self._padded(flat, made, want, above)

    def _told_as_failed(self, members: Mapping[str, Any]) -> frozenset[str]:
        """The members in which a reply tells errors, and those in which a report lists what was not done."""
        errors = {name for name in members if name.lower() in _SAYS_IT_FAILED}
        lists = (name for name in names_of_failed(members) if isinstance(members[name], Mapping))
        return frozenset(errors).union(name for name in lists if _kind(self.flat(members[name])) == "array")

    def _nothing_in(self, member: Schema, depth: int = 0) -> Json:
        """What stands where an error would be told, when there is none."""
        flat = self.flat(member)
        if "null" in _kinds(flat):
            return None
        if _kind(flat) == "object" and depth < _MAX_DEPTH:
            parts = flat.get("properties", EMPTY)
            return {name: self._nothing_in(parts.get(name, EMPTY), depth + 1) for name in flat.get("required", ())}
        return [] if _kind(flat) == "array" else ""

    def _is_wanted(self, member: Schema, want: Want, above: tuple[str, ...]) -> bool:
        if self._schemas.component(member) and _is_deep(above):
            return _kind(self.flat(member)) not in ("object", "array")
        return want.view is SchemaView.RESPONSE or not self.flat(member).get("deprecated")

    def _padded(self, flat: Mapping[str, Any], made: dict[str, Json], want: Want, above: tuple[str, ...]) -> Json:
        """With further members where `minProperties` asks for more: optional ones first, then without a name."""
        least = flat.get("minProperties", 0)
        least = min(least, self._left) if isinstance(least, int) else 0
        extra = flat.get("additionalProperties")
        for name, member in flat.get("properties", EMPTY).items() if len(made) < least else ():
            if len(made) < least and name not in made and not self._validation.is_hidden(member, want.view):
                value = self._make(member, want, name, above)
                made |= {} if value is _ABSENT else {name: value}
        for number in range(len(made), least):
            schema = extra if isinstance(extra, Mapping) else EMPTY
            made[f"key{number + 1}"] = self._make(schema, want, "value", above)
        return made

    def _array(self, flat: Mapping[str, Any], want: Want, name: str, above: tuple[str, ...]) -> Json:
        least = flat.get("minItems", 0)
        prefix = flat.get("prefixItems", ())
        items = flat.get("items", EMPTY)
        is_deep = isinstance(items, Mapping) and bool(self._schemas.component(items)) and _is_deep(above)
        wanted = max(least, len(prefix), 1 if want.is_full and flat.get("maxItems") != 0 else 0)
        want = replace(want, is_full=False) if is_deep else want  # an empty list would say that there is nothing
        made: list[Json] = []
        for number in range(min(wanted, self._left)):
            schema = prefix[number] if number < len(prefix) else items
            step = replace(want, number=want.number + number)
            value = self._make(schema if isinstance(schema, Mapping) else EMPTY, step, name, above)
            if value is _ABSENT:
                return _ABSENT if number < least else made
            if not (flat.get("uniqueItems") and value in made):
                made.append(value)
        return made


def _is_deep(above: tuple[str, ...]) -> bool:
    return sum(map(bool, above)) > _MAX_COMPONENTS


_KINDS = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}


def _is_plausible(flat: Mapping[str, Any], value: Json) -> bool:
    """Whether a value that the description offers is of the kind, among the values and in the range it asks for."""
    kinds = [kind for kind in _kinds(flat) if kind in _KINDS]
    is_null = value is None and "null" in _kinds(flat)
    if kinds and not is_null and not any(isinstance(value, _KINDS[kind]) for kind in kinds):  # type: ignore[arg-type]
        return False
    if isinstance(value, bool) and kinds and "boolean" not in kinds:
        return False
    if flat.get("enum") and value not in flat["enum"]:
        return False
    low, high = flat.get("minimum"), flat.get("maximum")
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return not is_number or ((low is None or value >= low) and (high is None or value <= high))


def _kinds(flat: Mapping[str, Any]) -> tuple[str, ...]:
    kind = flat.get("type")
    return tuple(kind) if isinstance(kind, (list, tuple)) else (kind,) if isinstance(kind, str) else ()


def _kind(flat: Mapping[str, Any]) -> str:
    named = next((kind for kind in _kinds(flat) if kind != "null"), "")
    if named:
        return named
    if "properties" in flat or "additionalProperties" in flat or "required" in flat:
        return "object"
    if "items" in flat or "prefixItems" in flat:
        return "array"
    if any(key in flat for key in ("pattern", "minLength", "maxLength", "format")):
        return "string"
    if any(key in flat for key in ("minimum", "maximum", "multipleOf")):
        return "number"
    return "null" if "null" in _kinds(flat) else ""


def _any(name: str, want: Want) -> Json:
    return f"{name}-{want.number}"


def _string(flat: Mapping[str, Any], want: Want, name: str) -> str:
    low, high = flat.get("minLength", 0), flat.get("maxLength")
    pattern, form = flat.get("pattern"), flat.get("format", "")
    if flat.get("contentEncoding") == "base64":
        form = "byte"
    if form == "uuid" or (not form and not pattern and high is None and name.lower().endswith("uuid")):
        return str(uuid5(NAMESPACE, f"{name}/{want.number}"))
    if form in _FORMATS:
        made = _FORMATS[form].format(n=(want.number - 1) % 9 + 1)
        return _sized(made, low, high) if form == "password" else made
    plain = f"{name.lower()}-{want.number}"
    if isinstance(pattern, str) and string_for(pattern) is not None and not _is_matched(pattern, plain):
        return string_for(pattern, low, want.number) or string_for(pattern, 0, want.number) or ""
    return _sized(plain, low, high)


def _is_matched(pattern: str, text: str) -> bool:
    try:
        return compile_pattern(pattern).is_found_in(text)
    except ExpressionError:
        return False


def _sized(text: str, low: int, high: int | None) -> str:
    text = text + "x" * (min(low, _MOST_TEXT) - len(text))
    return text if high is None or len(text) <= high else text[len(text) - high :].lstrip("-") or "x" * min(high, 1)


def _number(flat: Mapping[str, Any], kind: str, want: Want) -> Json:
    step = flat.get("multipleOf", 1)
    low, high = flat.get("minimum"), flat.get("maximum")
    under, over = flat.get("exclusiveMinimum"), flat.get("exclusiveMaximum")
    if isinstance(under, (int, float)):
        low = under + step
    if isinstance(over, (int, float)):
        high = over - step
    value = want.number * step
    if low is not None and value < low:
        value = -(-low // step) * step
    if high is not None and value > high:
        value = high // step * step
    if kind == "number" and low is not None and value < low:  # less than a step of room
        value = ((under if under is not None else low) + (over if over is not None else flat.get("maximum", low))) / 2
    return int(value) if kind == "integer" else value
