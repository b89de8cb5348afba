"""Parameters as values: what a request's query, headers, cookies and path segments say, read by style.

The counterpart of how `workflow.requests.requests` writes them, after OpenAPI 3.1, "Parameter Object", and RFC 6570;
written apart from it, so that one mistake does not hide in both. Used by `checks` and `routes`. Refuses nothing.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from compiler.ir.model import EMPTY, ApiParameter, Schema
from compiler.ir.schemas import SharedSchemas
from compiler.twin.requests.messages import TwinRequest
from compiler.twin.values.pointers import MISSING

Json = Any
Pairs = Sequence[tuple[str, str]]
_TRUTHS = {"true": True, "false": False}
_SEPARATORS = {"spaceDelimited": " ", "pipeDelimited": "|"}


@dataclass(frozen=True, slots=True)
class DeclaredParameters:
    """An operation's parameters, taken apart once: hundreds of filters are declared of which a request has two.

    `filters`: those of which only the query's own name tells whether they are there, by name, with their places.
    `others`: those that have to be looked at, whatever the query has.
    """

    filters: Mapping[str, tuple[int, ApiParameter]]
    others: tuple[tuple[int, ApiParameter], ...]

    @staticmethod
    def of(schemas: SharedSchemas, parameters: Iterable[ApiParameter]) -> "DeclaredParameters":
        filters: dict[str, tuple[int, ApiParameter]] = {}
        others: list[tuple[int, ApiParameter]] = []
        for place in enumerate(parameters):
            one = place[1]
            is_plain = one.location == "query" and not one.is_required and one.name not in filters
            if is_plain and schemas.kind(one.schema) != "object":
                filters[one.name] = place
            else:
                others.append(place)
        return DeclaredParameters(filters, tuple(others))

    def asked(self, sent: Iterable[str]) -> list[ApiParameter]:
        """What a request with these names in its query has to be held against, in the description's order."""
        found = [*self.others, *(self.filters[name] for name in sent if name in self.filters)]
        return [parameter for _, parameter in sorted(found, key=lambda place: place[0])]


def query_value(schemas: SharedSchemas, parameter: ApiParameter, query: Pairs) -> Json:
    """The value of a query parameter, MISSING where the request does not give it."""
    members = schemas.members(parameter.schema)
    if schemas.kind(parameter.schema) == "object" and parameter.style != "json":
        return _object_of(schemas, parameter, members, query)
    texts = [value for name, value in query if name == parameter.name]
    return _value(schemas, parameter, texts) if texts else MISSING


def query_names(schemas: SharedSchemas, parameter: ApiParameter, query: Pairs) -> Iterator[str]:
    """The names in the query that belong to the parameter."""
    is_object = schemas.kind(parameter.schema) == "object" and parameter.style != "json"
    inner = schemas.members(parameter.schema) if is_object and parameter.explode else EMPTY
    for name, _ in query:
        is_deep = is_object and parameter.style == "deepObject" and name.startswith(f"{parameter.name}[")
        if name == parameter.name or is_deep or (parameter.style == "form" and name in inner):
            yield name


def header_value(schemas: SharedSchemas, parameter: ApiParameter, request: TwinRequest) -> Json:
    """The value of a header parameter, MISSING where it is not sent."""
    text = request.header(parameter.name.lower())
    return MISSING if text is None else _simple(schemas, parameter, text)


def cookie_value(schemas: SharedSchemas, parameter: ApiParameter, request: TwinRequest) -> Json:
    """The value of a cookie, MISSING where none of its name is sent (RFC 6265, 4.2.1)."""
    for pair in (request.header("cookie") or "").split(";"):
        name, _, text = pair.strip().partition("=")
        if name == parameter.name:
            return _simple(schemas, parameter, unquote(text))
    return MISSING


def segment_pattern(parameter: ApiParameter | None) -> str:
    """What stands for a path parameter in its segment: the value in a group, behind what its style puts before it."""
    if parameter is not None and parameter.style == "label":
        return r"\.(.+)"
    if parameter is not None and parameter.style == "matrix":
        return f";(?:{re.escape(parameter.name)}=)?(.+)"  # the members of an object have names of their own
    return "(.+)"


def segment_text(parameter: ApiParameter, value: Json) -> str:
    """What `segment_pattern` finds of a list or an object that is written in a segment."""
    named = {"label": ".", "matrix": ";"}.get(parameter.style, ",") if parameter.explode else ","
    if isinstance(value, Mapping):
        pairs = [(name, _text(part)) for name, part in value.items()]
        return named.join(f"{n}={t}" for n, t in pairs) if parameter.explode else ",".join(",".join(p) for p in pairs)
    if not isinstance(value, list):
        return _text(value)
    is_named = parameter.explode and parameter.style == "matrix"
    return (f";{parameter.name}=" if is_named else named).join(map(_text, value))


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _value(schemas: SharedSchemas, parameter: ApiParameter, texts: list[str]) -> Json:
    if parameter.style != "json" and schemas.kind(parameter.schema) == "array" and parameter.explode:
        element = schemas.element(parameter.schema) or EMPTY
        return [typed(schemas, element, text) for text in texts]
    return _simple(schemas, parameter, texts[-1])


def _simple(schemas: SharedSchemas, parameter: ApiParameter, text: str) -> Json:
    kind = schemas.kind(parameter.schema)
    if parameter.style == "json":
        try:
            return json.loads(text)
        except ValueError:
            return text
    separator = _SEPARATORS.get(parameter.style, ",")
    if kind == "array":
        element = schemas.element(parameter.schema) or EMPTY
        return [typed(schemas, element, each) for each in text.split(separator)]
    if kind == "object":
        parts = text.split(separator)
        by_turns = zip(parts[::2], parts[1::2], strict=False)
        pairs = [(p.partition("=")[0], p.partition("=")[2]) for p in parts] if parameter.explode else list(by_turns)
        members = schemas.members(parameter.schema)
        return {name: typed(schemas, members.get(name, EMPTY), value) for name, value in pairs}
    return typed(schemas, parameter.schema, text)


def _object_of(schemas: SharedSchemas, parameter: ApiParameter, members: Mapping[str, Schema], query: Pairs) -> Json:
    if parameter.style == "deepObject":
        start = len(parameter.name) + 1
        pairs = [(n[start:-1], v) for n, v in query if n.startswith(f"{parameter.name}[") and n.endswith("]")]
    elif parameter.explode:
        pairs = [(name, value) for name, value in query if name in members]
    else:
        texts = [value for name, value in query if name == parameter.name]
        return _simple(schemas, parameter, texts[-1]) if texts else MISSING
    return {name: typed(schemas, members.get(name, EMPTY), value) for name, value in pairs} if pairs else MISSING


def typed(schemas: SharedSchemas, schema: Schema, text: str) -> Json:
    """Text as the kind of value that the schema asks for; as it is where it cannot be read so."""
    kind = schemas.kind(schema)
    if kind == "boolean":
        return _TRUTHS.get(text, text)
    if kind in ("integer", "number"):
        try:
            return int(text) if kind == "integer" else float(text)
        except ValueError:
            return text
    if kind in ("array", "object"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text
