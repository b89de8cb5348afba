"""Path templates: their segments, parameters and owners. Pure text, no knowledge of operations.

A template is `/a/{id}/b`; a segment in braces is a parameter. Segments that only group (`Actions`, `Oem`) belong to
no resource: what follows them is owned by what stands before them.
"""

import re

_PARAMETER = re.compile(r"^\{([^{}]+)\}$")
GROUPING = frozenset({"actions", "action", "oem"})


def path_of(key: str) -> str:
    """The path of an operation's key: `GET /boxes` is at /boxes."""
    return key.partition(" ")[2]


def segments(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part)


def parameter_of(segment: str) -> str:
    """The name in braces, "" for a literal segment."""
    found = _PARAMETER.match(segment)
    return found.group(1) if found else ""


def ends_in_parameter(path: str) -> bool:
    return path.rstrip("/").endswith("}")


def parent(path: str) -> str:
    """`/a/{id}/b` → `/a/{id}`; "" above the first segment."""
    return path.rstrip("/").rpartition("/")[0]


def last_word(path: str) -> str:
    """The last literal segment: the noun of a collection, the verb of an action."""
    return next((part for part in reversed(segments(path)) if not parameter_of(part)), "")


def prefixes(path: str) -> tuple[str, ...]:
    """All proper prefixes, longest first."""
    found = []
    path = parent(path)
    while path:
        found.append(path)
        path = parent(path)
    return tuple(found)


def item_prefixes(path: str) -> tuple[tuple[str, str], ...]:
    """(prefix up to and with a parameter, the parameter's name), outermost first; of equal names the innermost."""
    found, so_far = [], ""
    for part in segments(path):
        so_far += "/" + part
        name = parameter_of(part)
        if name:
            found.append((so_far, name))
    last = {name: prefix for prefix, name in found}
    return tuple((prefix, name) for prefix, name in found if last[name] == prefix)
