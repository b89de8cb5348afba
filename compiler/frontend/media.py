"""Which media type of several the compiler takes: JSON where there is one, whatever order the author wrote them in.

Here lives the choice and nothing else. Called by both readers of operations. JSON keys have no order, so that "the
first" would change with the writer's tool; the list below has one.
"""

import re
from collections.abc import Iterable

_JSON = re.compile(r"application/([a-z0-9.+-]+\+)?json\s*(;.*)?\Z", re.IGNORECASE)
_ANY = re.compile(r"(\*|application)/\*\s*(;.*)?\Z")
_RANKS = (
    re.compile(r"application/json\Z", re.IGNORECASE),
    re.compile(r"application/json\s*;", re.IGNORECASE),
    re.compile(
        r"application/merge-patch\+json", re.IGNORECASE
    ),  # RFC 7396: the members that change, as callers know them
    re.compile(r"application/(?!json-patch|[a-z-]*json-seq)([a-z0-9.+-]+\+)?json\s*(;.*)?\Z", re.IGNORECASE),
    _JSON,
    _ANY,  # JSON as well
    re.compile(r"multipart/form-data", re.IGNORECASE),
    re.compile(r"application/x-www-form-urlencoded", re.IGNORECASE),
    re.compile(r"application/octet-stream", re.IGNORECASE),
    re.compile(r"multipart/", re.IGNORECASE),
    re.compile(r"text/", re.IGNORECASE),
)


def choose_media_type(names: Iterable[str]) -> str:
    """The best of `names`, "" of none."""
    return min(names, key=lambda name: (_rank(name), name), default="")


def sent_as(media_type: str, has_binary_schema: bool) -> str:
    """The media type under which something is sent: where any is taken, JSON, and bytes for a file."""
    if not _ANY.match(media_type.strip()):
        return media_type
    return "application/octet-stream" if has_binary_schema else "application/json"


def is_json(name: str) -> bool:
    return _JSON.match(name.strip()) is not None


def _rank(name: str) -> int:
    return next((number for number, rank in enumerate(_RANKS) if rank.match(name.strip())), len(_RANKS))
