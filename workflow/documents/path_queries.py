"""Keys of `paths` that hold a query or a fragment: `/vms/{id}/power?action=start`, `/tables#name=list`.

OpenAPI knows no such keys; vendors write them where one address is many operations. The key stays the operation's
path, and is its identity; what is sent is the address before the mark, with the query, always. A fragment is never
sent (RFC 9110, 4.2.5) and only tells operations apart. `?id={id}` names a parameter, and fixes nothing. Pure text.
Read by the compiler, by `programs`, which sends the query, and by the driver, which sees that it is sent.
"""

import re
from functools import lru_cache
from urllib.parse import parse_qsl

Pairs = tuple[tuple[str, str], ...]

_MARK = re.compile(r"[?#]")
_PLACEHOLDER = re.compile(r"\{[^{}]+\}")


def parted(path: str) -> tuple[str, str]:
    """The address, and what follows it with its mark: `/vms` and `?action=start`; "" where nothing does."""
    mark = _MARK.search(path)
    return (path[: mark.start()], path[mark.start() :]) if mark else (path, "")


def address_of(path: str) -> str:
    """What of an operation's path is the address that requests go to."""
    return parted(path)[0]


def fixed_query(path: str) -> Pairs:
    """The parameters that the query in a path gives a value, decoded, in order."""
    return tuple(pair for pair in _query(path) if not _PLACEHOLDER.fullmatch(pair[1]))


def asked_query(path: str) -> Pairs:
    """The parameters for which the query in a path has a placeholder: (name, name of the placeholder)."""
    return tuple((name, value[1:-1]) for name, value in _query(path) if _PLACEHOLDER.fullmatch(value))


def fragment_pairs(path: str) -> Pairs:
    """What the fragment in a path says, as names and values; the value is empty where there is a name alone."""
    return tuple(parse_qsl(path.partition("#")[2].replace("+", "%2B"), keep_blank_values=True))


@lru_cache(maxsize=4096)
def _query(path: str) -> Pairs:
    query = parted(path)[1].partition("#")[0].removeprefix("?")
    return tuple(parse_qsl(query, keep_blank_values=True)) if query else ()
