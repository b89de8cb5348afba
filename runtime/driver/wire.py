"""What goes onto the wire, byte for byte, and the checks that it is the approved step and nothing else.

The interpreter filled the template; here the outcome is compared with the template once more, so that no input can
turn a step into another request (THREATS.md C1): same method, same host, same segments, no hidden header.
Pure: bytes and values, no sockets. Called by `driver` for every request, logins included. RFC 9110, 9112, 3986.
"""

import base64
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import orjson

from runtime.errors import BadReply, Refused
from workflow.documents.operations import is_method
from workflow.documents.path_queries import fixed_query, parted
from workflow.profiles.profile_speech import Protocol
from workflow.requests.events import SendRequest
from workflow.requests.form_bodies import form_encoded
from workflow.requests.multipart import Unwritable, encoded, is_multipart, is_textual
from workflow.requests.renamed import at_name, is_other_name
from workflow.requests.reserved import why_reserved

Json = Any
# pchar of RFC 3986 without `;`: some servers cut a segment there, so it must come percent-encoded.
SEGMENT = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,=:@]|%[0-9A-Fa-f]{2})*")
TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`|~]+")
FIELD_VALUE = re.compile(r"[\x21-\x7e\x80-\xff](?:[\x20-\x7e\x80-\xff\t]*[\x21-\x7e\x80-\xff])?|")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# A megabyte of `[{},{},` is 60 of objects; a body of 16 MB and its values stay below 64 MB together.
MAX_PARSED_BYTES = 32 * 1024 * 1024


# An MCP server is called by its name alone.
_OWN_PORTS = {"http": 80, "https": 443, "mcp": 0}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a target is. `prefix` comes before every path; it has no slash at its end.

    `root` is the part of it that belongs to the target, not to the API: behind a gateway, who is below another one is
    another device.
    """

    scheme: str
    host: str
    port: int
    prefix: str
    root: str = ""

    @property
    def authority(self) -> str:
        """As it stands in the Host field: an IPv6 address in brackets, no port where it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _OWN_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.authority}"


@dataclass(frozen=True, slots=True)
class WireRequest:
    method: str
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class WireReply:
    """Header names in lower case; `body` as `read_body` gives it."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: Json

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name.lower()), None)

    def joined_headers(self) -> dict[str, str]:
        """The fields by name; several of one name in one, as RFC 9110, 5.3 has it."""
        joined: dict[str, str] = {}
        for name, value in self.headers:
            joined[name] = f"{joined[name]}, {value}" if name in joined else value
        return joined


def address_of(base_url: str, base_path: str, *, adds_base_path: bool = True) -> Address:
    """The address that `base_url` means. Raises Refused when it is not an http(s) address of one host.

    A path in `base_url`, be it only `/`, is taken as it is; without one the API's `base_path` is appended, unless
    the server that plays the device drops it (`adds_base_path`).
    """
    remedy = "correct the target's address: https://host[:port][/path]"
    try:
        parts = urlsplit(base_url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError) as error:
        raise Refused(f"the target's address {base_url!r} is not one", remedy) from error
    if not parts.hostname or parts.username or parts.query or parts.fragment or not parts.hostname.isascii():
        raise Refused(f"the target's address {base_url!r} is more or less than scheme, host, port and path", remedy)
    prefix = parts.path if parts.path or not adds_base_path else base_path
    checked_path(prefix.rstrip("/") or "/", prefix.rstrip("/") or "/")
    return Address(parts.scheme, parts.hostname, port, prefix.rstrip("/"), parts.path.rstrip("/"))


def wire_request(
    command: SendRequest,
    address: Address,
    credentials: tuple[tuple[str, str], ...] = (),
    media_type: str = "application/json",
) -> WireRequest:
    """The bytes for `command`. Raises Refused when they would not be the step that was approved."""
    if not is_method(command.method):
        raise Refused(f"{command.method!r} is no method that we send")
    path = checked_path(command.path, _template_of(command))
    target = f"{address.prefix}{path}"
    check_fixed_query(command)
    if command.query:
        for name, _ in command.query:
            checked_name("query", name)
        # Sub-delimiters stay readable: some devices compare query strings without decoding them.
        target += "?" + "&".join(f"{quote(k, safe='$@:/')}={quote(v, safe='$@:/*(),=')}" for k, v in command.query)
    body, content_type = _content(command)
    fields = [("host", address.authority), ("accept", f"{media_type}, */*;q=0.1"), ("accept-encoding", "identity")]
    # Only whoever wrote the parts knows what stands between them: no header of a step says otherwise.
    is_framed = is_multipart(content_type)
    given = [pair for pair in command.headers if not (is_framed and pair[0].lower() == "content-type")]
    fields += [checked_field(name, value) for name, value in given]
    if body or command.method in {"POST", "PUT", "PATCH"}:
        fields.append(("content-length", str(len(body))))
    if body and not any(name == "content-type" for name, _ in fields):
        fields.append(checked_field("content-type", content_type or "application/json"))
    return WireRequest(command.method, target.encode("ascii"), _encoded(_with(fields, credentials)), body)


def _template_of(command: SendRequest) -> str:
    """The approved template; under another name where the device has the action so, and that is one of it."""
    template, _ = parted(command.path_template)
    is_other = is_other_name(command.renamed, template.rpartition("/")[2])
    return at_name(template, command.renamed) if is_other else template


def check_fixed_query(command: SendRequest) -> None:
    """Raises Refused for a request that does not ask, once and as approved, what the query in its path asks."""
    fixed = fixed_query(command.path_template)
    names = {name for name, _ in fixed}
    if fixed and tuple(pair for pair in command.query if pair[0] in names) != fixed:
        message = f"the query of the request is not that of the approved {command.path_template!r}"
        raise Refused(message, "take parameters of these names out of the workflow")


def with_headers(command: SendRequest, protocol: Protocol) -> SendRequest:
    """`command` with the headers that every request has; what a step sets itself stays as it is."""
    more = protocol.missing_from(command.headers)
    return replace(command, headers=(*more, *command.headers)) if more else command


def with_fields(wire: WireRequest, more: tuple[tuple[str, str], ...]) -> WireRequest:
    """`wire` with header fields that no step and no credential is about."""
    return replace(wire, headers=(*wire.headers, *_encoded(more))) if more else wire


def _with(fields: list[tuple[str, str]], credentials: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """`fields` and `credentials`; what we know wins over what a step says, and cookies stand in one field."""
    ours = dict(credentials)
    cookies = [value for name, value in fields if name == "cookie"]
    if cookies:
        ours["cookie"] = "; ".join([*cookies, *([ours["cookie"]] if "cookie" in ours else [])])
    return [(name, value) for name, value in fields if name not in ours] + list(ours.items())


def checked_path(path: str, template: str) -> str:
    """`path`, if it is `template` with every `{name}` filled by a part of one segment. Raises Refused otherwise."""
    if not _shape(template).fullmatch(path):
        raise Refused(
            f"the path {path!r} is not the approved {template!r}", "check the inputs that are part of the path"
        )
    marks = _matrix_marks(template)
    for segment in path.split("/"):
        plain = unquote(segment, errors="replace")
        if not SEGMENT.fullmatch(marks.sub("", segment) if marks else segment) or CONTROL.search(plain):
            raise Refused(
                f"the path {path!r} holds characters that no path may", "check the inputs that are part of it"
            )
        if any(part in {".", ".."} for part in re.split(r"[/\\]", plain)):
            raise Refused(f"the path {path!r} would lead elsewhere", "check the inputs that are part of the path")
    return path


@lru_cache(maxsize=4096)
def _shape(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{[^{}/]+\}", template)
    return re.compile("[^/]+".join(re.escape(part) for part in parts))


@lru_cache(maxsize=4096)
def _matrix_marks(template: str) -> re.Pattern[str] | None:
    """What the style `matrix` puts before a value: `;name=`, of the template's names alone; None without names."""
    names = re.findall(r"\{([^{}/]+)\}", template)
    return re.compile("|".join(f";{re.escape(quote(name, safe=''))}=" for name in names)) if names else None


def checked_field(name: str, value: str) -> tuple[str, str]:
    """A header field that a step may set. Raises Refused for line breaks, for what is ours, and for no-names."""
    if not TOKEN.fullmatch(name):
        raise Refused(f"a step may not set the header {name!r}", "take it out of the workflow")
    if name.lower() == "cookie":
        for each in value.split(";"):
            checked_name("cookie", each.partition("=")[0])
    else:
        checked_name("header", name)
    if not FIELD_VALUE.fullmatch(value):
        raise Refused(f"the header {name} has a value that no header may have", "check the inputs that are part of it")
    return name.lower(), value


def checked_name(place: str, name: str) -> None:
    """Raises Refused for a name that changes what is asked, by whom or where to (THREATS.md F7)."""
    why = why_reserved(place, name)
    if why:
        raise Refused(f"a step may not set the {place} {name!r}: {why}", "take it out of the workflow")


def _encoded(fields: Iterable[tuple[str, str]]) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name.encode("ascii"), value.encode("latin-1")) for name, value in fields)


def _content(command: SendRequest) -> tuple[bytes, str]:
    """The body and its media type; for a multipart one that with the boundary. Raises Refused."""
    if command.body is None or not is_multipart(command.content_type):
        return encode_body(command.body, command.content_type), command.content_type
    try:
        return encoded(command.body, command.parts, command.content_type)
    except Unwritable as error:
        raise Refused(str(error), "check the inputs that are part of the body") from error


def encode_body(body: Json, content_type: str) -> bytes:
    """`body` in its media type; nothing for None. A string is text for a textual type and base64 for any other.

    Raises Refused for media types that we cannot write, and for what is not base64.
    """
    if body is None:
        return b""
    kind = (content_type or "application/json").partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        return orjson.dumps(body)
    if kind == "application/x-www-form-urlencoded" and isinstance(body, dict):
        return form_encoded(body)
    if isinstance(body, str) and not kind.startswith("multipart/"):
        return body.encode() if is_textual(kind) else _decoded_file(body, kind)
    raise Refused(f"a body of type {kind} cannot be written from these values", "let the workflow send JSON or text")


def _decoded_file(body: str, kind: str) -> bytes:
    try:
        return base64.b64decode(body, validate=True)
    except ValueError as error:  # binascii's own among them
        raise Refused(f"a file of type {kind} is given in base64, and this is not: {error}") from error


def read_body(status: int, content_type: str, body: bytes | bytearray) -> Json:
    """`body` as JSON; as text where it neither is JSON nor says so; None where there is none.

    Raises BadReply for the body of a success that says it is JSON and is not, or would unfold to too much. Of any other
    answer the status counts: what cannot be read there is None.
    """
    if body.startswith(_BYTE_ORDER_MARK):  # which a reader may ignore (RFC 8259, 8.1)
        body = body[len(_BYTE_ORDER_MARK) :]
    if not body:
        return None
    said = content_type.partition(";")[0].strip()  # told as it is: in small letters no secret would be found in it
    kind = said.lower()
    is_json = kind == "application/json" or kind.endswith("+json")
    try:
        return _loaded(body, is_json)
    except ValueError as error:
        if not 200 <= status < 300:
            return None
        remedy = "see what answers at the target's address; a device that does so is faulty"
        raise BadReply(f"the reply is {said or 'of no type'}, and cannot be read: {error}", remedy) from error


def _loaded(body: bytes | bytearray, is_json: bool) -> Json:
    """Raises ValueError (orjson's own among them)."""
    text = len(body) * (1 if body.isascii() and b"\\u" not in body else 4)
    # What marks of JSON may stand for: an object, a list, a value between commas.
    values = 200 * body.count(b"{") + 64 * body.count(b"[") + 60 * body.count(b",")
    if text + (values if is_json else 0) > MAX_PARSED_BYTES:
        raise ValueError(f"it takes more than {MAX_PARSED_BYTES} bytes of memory")
    try:
        return orjson.loads(body) if text + values <= MAX_PARSED_BYTES else body.decode("utf-8", errors="replace")
    except orjson.JSONDecodeError:
        if is_json:
            raise
        return body.decode("utf-8", errors="replace")


class Inflater:
    """Takes a body in pieces and gives it whole, never holding more than `limit` bytes. Raises BadReply beyond that."""

    def __init__(self, encoding: str, limit: int) -> None:
        kinds = {"": None, "identity": None, "gzip": 31, "x-gzip": 31, "deflate": 15}
        if encoding.lower() not in kinds:
            raise BadReply(f"the reply is compressed with {encoding!r}, which was not asked for")
        bits = kinds[encoding.lower()]
        self._inflate = zlib.decompressobj(bits) if bits else None
        self._limit = limit
        self._body = bytearray()

    def feed(self, piece: bytes) -> None:
        room = self._limit - len(self._body) + 1
        try:
            self._body += self._inflate.decompress(piece, room) if self._inflate else piece[:room]
        except zlib.error as error:
            raise BadReply(f"the reply is not what its Content-Encoding says: {error}") from error
        if len(self._body) > self._limit:
            raise BadReply(f"the reply is larger than {self._limit} bytes", "raise max_body_bytes in the limits")
        if self._inflate and self._inflate.unused_data:
            raise BadReply("the reply goes on behind the end of what is compressed")

    def whole(self) -> bytearray:
        """All of it. Raises BadReply where what is compressed has no end."""
        if self._inflate and self._body and not self._inflate.eof:
            raise BadReply("the compressed reply is cut off")
        return self._body
