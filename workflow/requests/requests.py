"""Requests made from a step's parameters and payload, so that no value can leave its place.

Here live filling of path templates, serialisation by style (OpenAPI 3.1, "Parameter Object") and the refusal of what
cannot be sent safely: a path value becomes exactly one segment, percent-encoded (RFC 3986, 3.3), and is neither empty
nor a dot segment; nothing with control characters goes into a path or a header. Pure; the driver sends.
Called by `interpreter`; `plan` prepares the parts.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from jsonpath import JSONPath

from workflow.documents.document import Json
from workflow.documents.scope import Scope, Sent
from workflow.documents.templates import text_of
from workflow.documents.values import Missing, Value
from workflow.json.pointers import NOTHING, Parts, replaced, without
from workflow.requests.events import Pairs
from workflow.requests.multipart import PartKind
from workflow.requests.renamed import at_name, other_name

_NOT_IN_PATHS = re.compile(r"[\x00-\x1f\x7f]")
_NOT_IN_HEADERS = re.compile(r"[^\t\x20-\x7e]")  # RFC 9110, 5.5, without the obsolete octets beyond ASCII
_COOKIE_OCTETS = "!#$&'()*+-./:<=>?@[]^_`{|}~"  # RFC 6265, 4.1.1, without the percent sign
_SEPARATORS = {"form": ",", "simple": ",", "spaceDelimited": " ", "pipeDelimited": "|"}
# By location, the default first. `json`: the value travels as JSON text (OpenAPI's `content` instead of `schema`).
STYLES: Mapping[str, tuple[str, ...]] = {
    "path": ("simple", "label", "matrix", "json"),
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject", "json"),
    "header": ("simple", "json"),
    "cookie": ("form", "json"),
    "querystring": ("form",),
}


class Unsendable(Exception):
    """A value that must not be sent. `code` and `message` are those of the failure."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class BoundParameter:
    """A parameter and where its value goes. `explode`: OpenAPI's; the default of the style is already in it."""

    name: str
    location: str
    value: Value
    style: str
    explode: bool


@dataclass(frozen=True, slots=True)
class BoundReplacement:
    """A value to be set in the payload: where `pointer` leads, or wherever `query` finds something."""

    pointer: Parts
    query: JSONPath | None
    value: Value


@dataclass(frozen=True, slots=True)
class BoundPart:
    """How a part of a multipart body is written, and under which name a file is sent (None: the part's own)."""

    name: str
    media_type: str
    file_name: Value | None = None


@dataclass(frozen=True, slots=True)
class BoundRequest:
    """All that a request is made of. `path`: literal text and names in turn, beginning with text.

    `address`: where the device says that this is to be sent; it must be where it was approved to be sent. With
    `renamed` it may have another name there (`workflow.requests.renamed`): what is said of that one where `address` is
    not said. `fixed`: the query that the path itself has, sent first. `moved`: what the last name in the path stands
    for once the thing is called otherwise; `placed`: what other parameters do once it is taken to another place.
    `omits`: what of the payload is not sent.
    """

    method: str
    path: tuple[str, ...]
    parameters: tuple[BoundParameter, ...]
    payload: Value | None
    replacements: tuple[BoundReplacement, ...]
    content_type: str
    address: Value | None = None
    parts: tuple[BoundPart, ...] = ()
    renamed: Value | None = None
    fixed: Pairs = ()
    moved: Value | None = None
    placed: tuple[tuple[str, Value], ...] = ()
    omits: tuple[Parts, ...] = ()

    def at_new_address(self, scope: Scope) -> "BoundRequest":
        """The same request at the address that the thing has after it was called otherwise, or taken elsewhere."""
        return replace(self, parameters=tuple(self._moved(each, scope) for each in self.parameters))

    def is_moved(self, scope: Scope) -> bool:
        """Whether the thing was to be called otherwise or taken elsewhere, so that it may have another address."""
        return any(
            each.value.evaluate(scope) != moved.value.evaluate(scope)
            for each in self.parameters
            if (moved := self._moved(each, scope)) is not each
        )

    def _moved(self, parameter: BoundParameter, scope: Scope) -> BoundParameter:
        """The parameter as it is after the move; itself where none was asked for."""
        is_last = parameter.location == "path" and parameter.name == self.path[-2]
        told = self.moved if is_last else None
        if told is None and parameter.location in ("path", "query"):
            told = dict(self.placed).get(parameter.name)
        is_told = told is not None and told.evaluate(scope) not in (NOTHING, None, "")
        return replace(parameter, value=told) if told is not None and is_told else parameter


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it will be sent, and as expressions see it. `renamed`: its last segment, if the device chose it."""

    path: str
    query: Pairs
    headers: Pairs
    body: Json | None
    sent: Sent
    parts: tuple[PartKind, ...] = ()
    renamed: str = ""


def split_template(path: str) -> tuple[str, ...]:
    """A path template as literal text and parameter names in turn: `/a/{b}` is `("/a/", "b", "")`."""
    return tuple(re.split(r"\{([^{}]+)\}", path))


def build_request(bound: BoundRequest, scope: Scope, base_path: str = "") -> Request:
    """The request with all values in `scope` put in. Raises Unsendable for values that must not be sent."""
    values: dict[str, dict[str, Json]] = {"path": {}, "query": {}, "header": {}, "cookie": {}, "querystring": {}}
    values["query"] |= bound.fixed
    query: list[tuple[str, str]] = [*bound.fixed]
    headers: list[tuple[str, str]] = []
    cookies: list[str] = []
    for parameter in bound.parameters:
        value = _value(parameter, scope)
        if value is NOTHING or value is None:
            continue
        values[parameter.location][parameter.name] = value
        if parameter.location == "query":
            query += _unicode(_query_pairs(parameter, value), parameter.name)
        elif parameter.location == "querystring":
            query += parse_qsl(text_of(value), keep_blank_values=True)
        elif parameter.location == "header":
            headers.append(_header(parameter, value))
        elif parameter.location == "cookie":
            cookies.append(f"{parameter.name}={quote(_joined(parameter, value), safe=_COOKIE_OCTETS)}")
    if cookies:
        headers.append(("cookie", "; ".join(cookies)))
    path = _filled_path(bound, values["path"])
    renamed = _name_at_device(bound, scope, base_path + path)
    path = at_name(path, renamed)
    body = _body(bound, scope)
    header = {name.lower(): value for name, value in values["header"].items()}
    sent = Sent(bound.method, base_path + path, values["path"], values["query"], header, body)
    parts = tuple(_part(each, scope) for each in bound.parts)
    return Request(path, tuple(query), tuple(headers), body, sent, parts, renamed)


def arguments_of(arguments: tuple[tuple[str, Value], ...], scope: Scope) -> dict[str, Json]:
    """The inputs for a workflow. Raises Unsendable if a value that a step should have made is not there."""
    try:
        found = {name: value.evaluate(scope) for name, value in arguments}
    except Missing as missing:
        raise Unsendable("missing_value", f"{missing.text} is needed and not there") from missing
    return {name: value for name, value in found.items() if value is not NOTHING}


def _value(parameter: BoundParameter, scope: Scope) -> Json:
    """NOTHING for what is left out. A header that an earlier step did not yield (a version tag, say) is, too."""
    try:
        return parameter.value.evaluate(scope)
    except Missing as missing:
        if parameter.location in ("header", "cookie"):
            return NOTHING
        raise Unsendable("missing_value", f"{parameter.name} needs {missing.text}, which is not there") from missing


def _name_at_device(bound: BoundRequest, scope: Scope, approved: str) -> str:
    """The other name that the device has for this, "" where it names the approved address, or says nothing.

    Raises Unsendable for any other address: what the device names is compared, and never sent to as it stands.
    """
    told = next((text for each in (bound.address, bound.renamed) if (text := _told(each, scope)) is not None), None)
    if told is None or unquote(urlsplit(told).path).rstrip("/") == unquote(approved).rstrip("/"):
        return ""
    name = other_name(told, approved) if bound.renamed is not None else ""
    if not name:
        message = f"the device has this at {told}, and {approved} was approved"
        remedy = "compile the description of this firmware again and have it approved"
        raise Unsendable("not_offered", f"{message}; {remedy}")
    return name


def _told(address: Value | None, scope: Scope) -> str | None:
    """The address as text, None where the device does not say it; of several names with one address that one."""
    try:
        told = NOTHING if address is None else address.evaluate(scope)
    except Missing:
        return None
    if isinstance(told, list) and told and all(each == told[0] for each in told):
        told = told[0]
    return None if told is NOTHING or told is None else text_of(told)


def _filled_path(bound: BoundRequest, values: Mapping[str, Json]) -> str:
    pieces = list(bound.path)
    for number in range(1, len(pieces), 2):
        name = pieces[number]
        if name not in values:
            raise Unsendable("missing_value", f"the path needs {name}, and no value was given")
        parameter = next(each for each in bound.parameters if each.location == "path" and each.name == name)
        pieces[number] = _segment(parameter, values[name])
    return "".join(pieces)


def _segment(parameter: BoundParameter, value: Json) -> str:
    """The value in its place: plain, as a label (`.a.b`) or as matrix parameters (`;name=a`), after RFC 6570, 3.2."""
    name, style = parameter.name, parameter.style
    mark, between = {"label": (".", "."), "matrix": (";", ";")}.get(style, ("", ","))
    is_matrix_list = style == "matrix" and parameter.explode and isinstance(value, list)
    texts = [_encoded(name, each) for each in _simple(parameter, value)]
    if parameter.explode and isinstance(value, Mapping) and mark:
        texts = [f"{_encoded(name, key)}={_encoded(name, text_of(member))}" for key, member in value.items()]
        text = mark + between.join(texts) if texts else ""
    elif is_matrix_list:
        text = "".join(f";{_encoded(name, name)}={each}" for each in texts)
    elif style == "matrix":
        text = f";{_encoded(name, name)}={','.join(texts)}" if any(texts) else ""
    else:
        text = (mark if any(texts) else "") + (between if parameter.explode else ",").join(texts)
    if text in ("", ".", ".."):
        raise Unsendable("unsafe_value", f"{name} is {text!r}, which is no name in a path; give another value")
    return text


def _encoded(name: str, text: str) -> str:
    if _NOT_IN_PATHS.search(text):
        raise Unsendable("unsafe_value", f"{name} has control characters, which no path may have; remove them")
    try:
        return quote(text, safe="")
    except UnicodeEncodeError as error:
        raise Unsendable("unsafe_value", f"{name} is no Unicode text; correct it") from error


def _header(parameter: BoundParameter, value: Json) -> tuple[str, str]:
    text = _joined(parameter, value)
    if _NOT_IN_HEADERS.search(text):
        message = f"{parameter.name} has characters that no header may have (only printable ASCII); remove them"
        raise Unsendable("unsafe_value", message)
    return parameter.name.lower(), text


def _joined(parameter: BoundParameter, value: Json) -> str:
    text = ",".join(_simple(parameter, value))
    return _unicode([(text, "")], parameter.name)[0][0]


def _simple(parameter: BoundParameter, value: Json) -> list[str]:
    """The texts of a value in OpenAPI's style `simple`, to be joined by commas."""
    if parameter.style == "json":
        return [json.dumps(value, ensure_ascii=False, separators=(",", ":"))]
    if isinstance(value, list):
        return [text_of(item) for item in value]
    if isinstance(value, Mapping) and parameter.explode and parameter.style == "simple":
        return [f"{name}={text_of(member)}" for name, member in value.items()]
    if isinstance(value, Mapping):
        return [text for name, member in value.items() for text in (name, text_of(member))]
    return [text_of(value)]


def _query_pairs(parameter: BoundParameter, value: Json) -> list[tuple[str, str]]:
    name = parameter.name
    if parameter.style == "json":
        return [(name, _simple(parameter, value)[0])]
    if isinstance(value, Mapping) and parameter.style == "deepObject":
        return [(f"{name}[{key}]", text_of(member)) for key, member in value.items()]
    if isinstance(value, Mapping) and parameter.explode:
        return [(key, text_of(member)) for key, member in value.items()]
    if isinstance(value, list) and parameter.explode:
        return [(name, text_of(item)) for item in value]
    texts = _simple(parameter, value)
    return [(name, _SEPARATORS.get(parameter.style, ",").join(texts))] if texts else []


def _unicode(pairs: list[tuple[str, str]], name: str) -> list[tuple[str, str]]:
    try:
        "".join(part for pair in pairs for part in pair).encode()
    except UnicodeEncodeError as error:
        raise Unsendable("unsafe_value", f"{name} is no Unicode text; correct it") from error
    return pairs


def _body(bound: BoundRequest, scope: Scope) -> Json | None:
    try:
        body = None if bound.payload is None else bound.payload.evaluate(scope)
        body = None if body is NOTHING else body
        for place in bound.omits:
            body = without(body, place)
        for replacement in bound.replacements:
            value = replacement.value.evaluate(scope)
            if value is not NOTHING:
                body = _replace(body, replacement, value)
    except Missing as missing:
        raise Unsendable("missing_value", f"the body needs {missing.text}, which is not there") from missing
    return body


def _part(bound: BoundPart, scope: Scope) -> PartKind:
    try:
        name = NOTHING if bound.file_name is None else bound.file_name.evaluate(scope)
    except Missing as missing:
        raise Unsendable(
            "missing_value", f"the part {bound.name} needs {missing.text}, which is not there"
        ) from missing
    return PartKind(bound.name, bound.media_type, "" if name is NOTHING or name is None else text_of(name))


def _replace(body: Json, replacement: BoundReplacement, value: Json) -> Json:
    places = [replacement.pointer]
    if replacement.query is not None:
        found = replacement.query.finditer(body) if isinstance(body, dict | list) else ()
        places = [tuple(str(part) for part in match.parts) for match in found]
    for place in places:
        body = replaced({} if body is None else body, place, value)
        if body is NOTHING:
            raise Unsendable("missing_value", f"the body has no place /{'/'.join(place)} for a replacement")
    return body
