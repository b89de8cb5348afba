"""Compiled validators: each shared schema is compiled once, whatever refers to it and however often.

jsonschema-rs compiles everything that a schema reaches, so that a validator of each of N schemas that refer to one
another takes memory that grows with N². Here schemas that are tied by references, in whatever direction, are one
validator together, which is asked by name; a schema without a name calls them where it refers to them. What has no
name is kept by its content, and let go of when it has not been used for long.
Called by `validation`, once for requests and once for replies. Here never lives what `readOnly` means.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from workflow.documents.schemas import as_json
from workflow.json.patterns import LINEAR
from workflow.json.pointers import escape

Json = Any
PREFIX = "#/components/schemas/"
DATA_KEYWORDS = frozenset({"example", "examples", "default", "const", "enum"})
_CALL = "x-switchgear-shared"
_MOST_KEPT = 1_000  # of schemas without a name: those of the flows that are proved next to one another
_MOST_TOLD = 300
_LOOKS_ACROSS = (b'"unevaluatedProperties"', b'"unevaluatedItems"')


@dataclass(frozen=True, slots=True)
class Judge:
    """Says whether a value fits. `name`: which of the schemas of a shared validator is meant; "" for the only one."""

    validator: jsonschema_rs.Draft202012Validator
    name: str = ""

    def is_valid(self, value: Json) -> bool:
        return bool(self.validator.is_valid({self.name: value} if self.name else value))

    def fault(self, value: Json) -> str:
        """In words, with a pointer, the first thing that does not fit; "" when it fits."""
        try:
            self.validator.validate({self.name: value} if self.name else value)
        except jsonschema_rs.ValidationError as error:
            at = "".join(f"/{escape(str(part))}" for part in error.instance_path[1 if self.name else 0 :])
            if error.kind.name == _CALL:  # said by another judge, with the rest of the pointer
                return f"{at}{error.message}" if at or error.message.startswith("/") else error.message
            return f"{at or 'the value'}: {error.message[:_MOST_TOLD]}"
        return ""


class Validators:
    """Judges for one side of an API. `component`: a shared schema as this side carries it."""

    def __init__(self, groups: Mapping[str, tuple[str, ...]], component: Callable[[str], Any]) -> None:
        self._groups = groups
        self._component = component
        self._shared: dict[str, jsonschema_rs.Draft202012Validator | None] = {}
        self._kept: OrderedDict[bytes, Judge] = OrderedDict()
        self._call = _calling(self._named)

    def judge(self, schema: Any) -> Judge:
        """The judge of `schema`, which is as this side carries it."""
        name = _is_bare(schema)
        return self._named(name) if name else self._without_name(schema)

    def _named(self, name: str) -> Judge:
        group = self._groups.get(name)
        if group is None:
            return _ANYTHING
        if group[0] not in self._shared:
            self._shared[group[0]] = self._together(group)
        validator = self._shared[group[0]]
        return self._without_name(self._component(name)) if validator is None else Judge(validator, name)

    def _together(self, group: tuple[str, ...]) -> jsonschema_rs.Draft202012Validator | None:
        """One validator of all; None where one of them cannot be compiled, and each has to be tried alone."""
        schemas = {name: self._component(name) for name in group}
        entries = {name: {"$ref": PREFIX + escape(name)} for name in group}
        return _compiled({"properties": entries, "components": {"schemas": schemas}}, {})

    def _without_name(self, schema: Any) -> Judge:
        key = as_json(schema, is_sorted=True)
        judge = self._kept.pop(key, None)
        if judge is None:
            judge = self._made(schema, key)
            if len(self._kept) >= _MOST_KEPT:
                self._kept.popitem(last=False)
        self._kept[key] = judge
        return judge

    def _made(self, schema: Any, written: bytes) -> Judge:
        if any(keyword in written for keyword in _LOOKS_ACROSS):
            made = _compiled(whole(schema, self._component), {})  # what was looked at does not pass through a call
        else:
            made = _compiled(_with_calls(schema), {_CALL: self._call})
        return _ANYTHING if made is None else Judge(made)


def _calling(named: Callable[[str], Judge]) -> type:
    """The keyword by which a schema without a name has a shared one asked."""

    class Call:
        def __init__(self, _schema: Json, value: str, _path: Json) -> None:
            self._name = value

        def validate(self, instance: Json) -> None:
            fault = named(self._name).fault(instance)
            if fault:
                raise ValueError(fault)

    return Call


def _compiled(schema: Any, keywords: dict[str, type]) -> jsonschema_rs.Draft202012Validator | None:
    """None for a keyword with a value of the wrong kind: the front end has said so, and nobody can judge by it."""
    try:
        return jsonschema_rs.Draft202012Validator(
            schema, validate_formats=True, ignore_unknown_formats=True, pattern_options=LINEAR, keywords=keywords
        )
    except ValueError:
        return None


_ANYTHING = Judge(jsonschema_rs.Draft202012Validator(True))


def _is_bare(schema: Any) -> str:
    """The name of a schema that is a reference and nothing else, "" for any other."""
    if isinstance(schema, Mapping) and len(schema) == 1 and isinstance(schema.get("$ref"), str):
        return str(schema["$ref"]).removeprefix(PREFIX)
    return ""


def _with_calls(schema: Any) -> Any:
    if isinstance(schema, (list, tuple)):
        return [_with_calls(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    name = schema.get("$ref")
    made = {key: value if key in DATA_KEYWORDS else _with_calls(value) for key, value in schema.items()}
    if isinstance(name, str):
        del made["$ref"]
        made[_CALL] = name.removeprefix(PREFIX)
    return made


def whole(schema: Any, component: Callable[[str], Any], most_bytes: int | None = None) -> Any:
    """`schema` together with every shared schema that it reaches, the nearest first.

    Beyond `most_bytes` of JSON any value is taken: those that one schema reaches can be all that there are.
    """
    components: dict[str, Any] = {}
    waiting = deque(references(schema))
    spent = 0
    while waiting:
        name = waiting.popleft()
        if name in components:
            continue
        found = component(name)
        spent += 0 if most_bytes is None else len(as_json(found))
        components[name] = {} if most_bytes is not None and spent > most_bytes else found
        waiting += references(components[name])
    return {**schema, "components": {"schemas": components}} if isinstance(schema, Mapping) else schema


def references(schema: Any) -> Iterator[str]:
    """The names of the shared schemas that `schema` refers to itself."""
    waiting = [schema]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            name = one.get("$ref")
            if isinstance(name, str):
                yield name.removeprefix(PREFIX)
            waiting += [value for key, value in one.items() if key not in DATA_KEYWORDS]
        elif isinstance(one, (list, tuple)):
            waiting += one


def tied(shared: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Name → the names of all shared schemas that it is tied to by references, in whatever direction, in order."""
    leader = {name: name for name in shared}

    def first(name: str) -> str:
        while leader[name] != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    for name in shared:
        for other in references(shared[name]):
            if other in leader:
                leader[first(other)] = first(name)
    members: dict[str, list[str]] = {}
    for name in shared:
        members.setdefault(first(name), []).append(name)
    return {name: tuple(group) for group in members.values() for name in group}
