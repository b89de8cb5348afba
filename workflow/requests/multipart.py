"""Multipart bodies (RFC 7578, RFC 2046): an object's members written as parts, each of its own media type. Those of
`mixed` and `related` bodies say their names as those of `form-data` do, which readers that want none pass over.

Here live the encoding and what may stand in a part's head, so that no input can add a header, a part or an end: names
and media types are checked, the boundary occurs in no part. Equal values give equal bytes, so a run can be replayed.
Pure; used by `runtime.driver.wire` for devices and by `compiler.proofs.proof` for the twin, whose parser is another's.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count

from workflow.documents.document import Json
from workflow.documents.templates import text_of

FORM_DATA = "multipart/form-data"
KINDS = (FORM_DATA, "multipart/mixed", "multipart/related")  # what is written here
JSON = "application/json"
MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+\-]{1,127}/[A-Za-z0-9!#$&^_.+\-]{1,127}")  # RFC 6838, 4.2
FILE_NAME = r'^[^\x00-\x1f\x7f"/\\]+$'  # for input schemas; `encoded` asks for more
MAX_BYTES = 64 * 1024 * 1024  # a controller's image; its base64 is in memory beside it and in the run's record
_LONGEST_NAME = 255  # bytes: what file systems take
_CLOSES_A_NAME = re.compile(r'["\\]')


class Unwritable(Exception):
    """Values that cannot be written as parts; says which and what to do."""


@dataclass(frozen=True, slots=True)
class PartKind:
    """How a member is written: as JSON, as text, or, for any other media type, as the file its base64 stands for."""

    name: str
    media_type: str
    file_name: str = ""

    @property
    def is_json(self) -> bool:
        return self.media_type == JSON or self.media_type.endswith("+json")

    @property
    def is_file(self) -> bool:
        return bool(self.media_type) and not self.is_json and not self.media_type.startswith("text/")


def is_multipart(content_type: str) -> bool:
    return kind_of(content_type) in KINDS


def kind_of(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def is_textual(media_type: str) -> bool:
    """Whether a body of this type, which is not JSON, is given and read as text; any other is a file, in base64."""
    kind = media_type.partition(";")[0].strip().lower()
    return kind.startswith("text/") or kind.endswith(("xml", "yaml", "json-seq", "ndjson", "jsonl", "graphql"))


def encoded(body: Json, kinds: tuple[PartKind, ...], content_type: str = FORM_DATA) -> tuple[bytes, str]:
    """The bytes of `body` and its Content-Type, one of `KINDS`, with the boundary. Members that `kinds` does not name
    are plain text, objects JSON; a list is as many parts of one name. Raises Unwritable.
    """
    if not isinstance(body, Mapping):
        raise Unwritable("a multipart body is an object with a member for each part")
    known = {kind.name: kind for kind in kinds}
    parts = [part for name, value in body.items() for part in _parts(name, value, known.get(name))]
    if sum(len(head) + len(content) for head, content in parts) > MAX_BYTES:
        raise Unwritable(f"the parts are more than {MAX_BYTES} bytes together; send a smaller file")
    boundary = _boundary(parts)
    pieces = [b"--%b\r\n%b\r\n\r\n%b\r\n" % (boundary, head, content) for head, content in parts]
    return b"".join([*pieces, b"--%b--\r\n" % boundary]), f"{kind_of(content_type)}; boundary={boundary.decode()}"


def _parts(name: str, value: Json, kind: PartKind | None) -> Iterator[tuple[bytes, bytes]]:
    for each in value if isinstance(value, list) else [value]:
        chosen = kind or PartKind(name, JSON if isinstance(each, Mapping | list) else "")
        yield _head(name, chosen), _content(name, each, chosen)


def _head(name: str, kind: PartKind) -> bytes:
    head = f'Content-Disposition: form-data; name="{checked_name(name)}"'
    if kind.is_file:
        head += f'; filename="{checked_file_name(kind.file_name or name)}"'
    if kind.media_type:
        if not MEDIA_TYPE.fullmatch(kind.media_type):
            raise Unwritable(f"{kind.media_type!r} is no media type of a part; correct the workflow")
        head += f"\r\nContent-Type: {kind.media_type}"
    return head.encode()


def checked_name(name: str) -> str:
    """A name that stays within its quotes, whoever reads it. Raises Unwritable for any other."""
    if not name or not name.isprintable() or _CLOSES_A_NAME.search(name) or len(name.encode()) > _LONGEST_NAME:
        remedy = "use printable characters without quotes and backslashes"
        raise Unwritable(f"{name[:80]!r} is no name for a part or a file; {remedy}")
    return name


def checked_file_name(name: str) -> str:
    """A file's name without a folder, since some devices would follow it. Raises Unwritable."""
    if "/" in name or name in (".", ".."):
        raise Unwritable(f"{name[:80]!r} is no file name; give it without a folder")
    return checked_name(name)


def _content(name: str, value: Json, kind: PartKind) -> bytes:
    if kind.is_json:
        return json.dumps(value, separators=(",", ":")).encode()
    try:
        return base64.b64decode(text_of(value), validate=True) if kind.is_file else text_of(value).encode()
    except UnicodeEncodeError as error:
        raise Unwritable(f"{name} is no Unicode text; correct it") from error
    except ValueError as error:  # binascii's own among them
        raise Unwritable(f"the file {name} is given in base64, and this is not: {error}") from error


def _boundary(parts: list[tuple[bytes, bytes]]) -> bytes:
    """Made from the content, so that it is the same for the same; another as long as it occurs in any part."""
    digest = hashlib.sha256()
    for head, content in parts:
        digest.update(b"%d %d " % (len(head), len(content)) + head)
        digest.update(content)
    for number in count():
        made = b"part-" + hashlib.sha256(b"%b %d" % (digest.digest(), number)).hexdigest()[:40].encode()
        if not any(made in content or made in head for head, content in parts):
            return made
    raise AssertionError("a finite body does not hold all boundaries")
