"""Path templates: their segments, parameters and owners. Pure text, no knowledge of operations.

A template is `/a/{id}/b`; a segment in braces is a parameter. A segment may hold text and parameters as well
(`image{n}`, `{id}:stop`, `range(from={a},to={b})`): it is a word that takes values, no item of a collection. A slash at
the end changes nothing. Segments that only group (`Actions`, `Oem`) belong to no resource: what follows them is owned
by what stands before them.
"""

import re

_PARAMETER = re.compile(r"^\{([^{}]*)\}$")
_NAMES = re.compile(r"\{([^{}]+)\}")
_WORD = re.compile(r"[^\W\d_][\w.-]*")
_ITEM_AND_WORD = re.compile(r"\{[^{}]+\}[:.!][^{}]+")  # `{id}:stop`, `{id}.json`: the item, and what is asked of it
_FOR_ALL = frozenset({"json", "list", "all", "index"})
_FOR_ONE = frozenset({"json", "describe", "inspect"})
_ENDINGS = frozenset(
    {"txt", "log", "csv", "json", "xml", "yaml", "html", "pdf", "tgz", "gz", "zip", "tar", "gpg", "pem"}
)
GROUPING = frozenset({"actions", "action", "oem"})
CREATING = "create"  # `/volumes/create`, in place of a POST to the list


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
    return _PARAMETER.match(path.rstrip("/").rpartition("/")[2]) is not None


def parent(path: str) -> str:
    """`/a/{id}/b` → `/a/{id}`; "" above the first segment."""
    return path.rstrip("/").rpartition("/")[0]


def last_word(path: str) -> str:
    """The last literal segment: the noun of a collection, the verb of an action."""
    return next((word for part in reversed(segments(path)) if (word := words_in(part))), "")


def without_ending(segment: str) -> str:
    """`audit` of `audit.txt`: what it is, whatever kind of file it comes as; else what stands behind the last dot."""
    name, _, ending = segment.rpartition(".")
    return name if name and ending.lower() in _ENDINGS else ending


def is_pass_through(path: str) -> bool:
    """`/pods/{name}/proxy/{path}`: what is sent there is for somebody behind it, and nothing of the API's own."""
    return last_word(path).lower() == "proxy" and bool(parameter_of(path.partition("/proxy")[0].rpartition("/")[2]))


def stands_for_list(path: str) -> bool:
    """`/containers/json`, `/users/list`: the list itself under a word that says nothing of what is in it."""
    parts = segments(path)
    return len(parts) > 1 and parts[-1].lower() in _FOR_ALL and "{" not in parts[-2]


def stands_for_item(path: str) -> bool:
    """`/containers/{id}/json`: the thing itself under a word that says nothing of it."""
    parts = segments(path)
    return len(parts) > 1 and parts[-1].lower() in _FOR_ONE and bool(parameter_of(parts[-2]))


def words_in(segment: str) -> str:
    """The text of a segment without its parameters, "" where that says nothing: `image{n}` is `image`, `{a}-{b}` "."""
    if "{" not in segment:
        return segment
    found = _WORD.search(_NAMES.sub(" ", segment))
    return found.group().rstrip("-._") if found else ""


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
        names = _NAMES.findall(part)
        if _ITEM_AND_WORD.fullmatch(part):
            found.append((f"{so_far}/{{{names[0]}}}", names[0]))
        else:
            found += [(f"{so_far}/{part}", name) for name in names]
        so_far += "/" + part
    last = {name: prefix for prefix, name in found}
    return tuple((prefix, name) for prefix, name in found if last[name] == prefix)
