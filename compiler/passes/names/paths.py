"""Path templates: their segments, parameters and owners. Pure text, no knowledge of operations.

A template is `/a/{id}/b`; a segment in braces is a parameter. A segment may hold text and parameters as well
(`image{n}`, `{id}:stop`, `range(from={a},to={b})`): it is a word that takes values, no item of a collection. A slash at
the end changes nothing. Segments that only group (`Actions`, `Oem`) belong to no resource: what follows them is owned
by what stands before them. A query or a fragment in the key (`/vms/{id}?action=start`) is one segment more, of the
words that it says.
"""

import re

from workflow.documents.path_queries import address_of, asked_query, fixed_query, fragment_pairs, parted

_PARAMETER = re.compile(r"^\{([^{}]*)\}$")
_NAMES = re.compile(r"\{([^{}]+)\}")
_ANY = re.compile(r"\{[^{}]*\}")
_WORD = re.compile(r"[^\W\d_][\w.-]*")
_ITEM_AND_WORD = re.compile(r"\{[^{}]+\}[:.!][^{}]+")  # `{id}:stop`, `{id}.json`: the item, and what is asked of it
_FOR_ALL = frozenset({"json", "list", "all", "index"})
_FOR_ONE = frozenset({"json", "describe", "inspect"})
_ENDINGS = frozenset(
    {"txt", "log", "csv", "json", "xml", "yaml", "html", "pdf", "tgz", "gz", "zip", "tar", "gpg", "pem"}
)
STATES = frozenset({"status", "state"})
GROUPING = frozenset({"actions", "action", "oem", "lifecycle"})
# Parameters whose value is what is done, and whose own name says nothing.
_ASKING = frozenset({"action", "op", "operation", "cmd", "command", "do", "act", "verb", "method", "target", "func"})
_READING = frozenset({"list", "get", "read", "show", "query", "describe"})
_BETWEEN_WORDS = re.compile(r"[-_]|(?<=[a-z0-9])(?=[A-Z])")
_VERSIONS = frozenset({"version", "v"})
_NO_NAMES = frozenset({"id", "uuid", "guid", "token", "secret", "key", "number"})
_SWITCHES = frozenset({"", "true", "false", "yes", "no", "on", "off"})


def path_of(key: str) -> str:
    """The path of an operation's key: `GET /boxes` is at /boxes."""
    return key.partition(" ")[2]


def segments(path: str) -> tuple[str, ...]:
    address, query = parted(path)
    return tuple(part for part in (*address.split("/"), query and words_of_query(path)) if part)


def words_of_query(path: str) -> str:
    """What the query and the fragment in a path say: `start` of `?action=start`, `clone-vmw-task` of two of them."""
    told = [*fixed_query(path), *fragment_pairs(path)]
    return "-".join([*(filter(None, (_said(*pair) for pair in told))), *(f"by-{n}" for n, _ in asked_query(path))])


def noun_of_query(path: str) -> str:
    """`small-things` of `/things?type=small`, `label` of `/things/{id}?label`, `tags` of `/tags?action=list`."""
    above = last_word(address_of(path))
    name, value = next((pair for pair in fixed_query(path) if _kind(*pair) in ("deed", "value")), ("", ""))
    if _kind(name, value) == "value":
        return f"{name}-{value}-{above}" if value.isdigit() else f"{value}-{above}"
    first, *rest = _BETWEEN_WORDS.split(_said(name, value))
    return ("-".join(rest) or above) if value and first.lower() in _READING else words_of_query(path)


def _said(name: str, value: str) -> str:
    """A value says what is done; of a switch the name does, and what is a value only says it with its name."""
    told = {"deed": value.rpartition(".")[2] or value, "switch": name, "value": f"{name}-{value}"}
    return told.get(_kind(name, value), "")


def _kind(name: str, value: str) -> str:
    plain = name.strip("~_-$").replace("-", "_").lower().rpartition("_")[2]
    if value.lower() in _SWITCHES:
        return "switch"
    if plain in _VERSIONS:
        return "version"
    return "deed" if plain in _ASKING and not value.isdigit() else "value"


def parameter_of(segment: str) -> str:
    """The name in braces, "" for a literal segment."""
    found = _PARAMETER.match(segment)
    return found.group(1) if found else ""


def last_parameter(path: str) -> str:
    """The name in the braces at the path's end; "" where it ends in a literal segment, or has none (`/`)."""
    return next((parameter_of(last) for last in segments(path)[-1:]), "")


def shape(path: str) -> str:
    """The path with all parameters' names and a slash at its end taken out: paths of one shape are one address."""
    return _ANY.sub("{}", path).rstrip("/") or "/"


def stem(path: str) -> str:
    """`/vm` of `/vm.boot`: what a word behind a dot is about; "" where the last segment is no such word."""
    above, _, last = path.rstrip("/").rpartition("/")
    name, _, word = last.rpartition(".")
    return f"{above}/{name}" if name and word and not set("{?#") & set(last) else ""


def ends_in_parameter(path: str) -> bool:
    return _PARAMETER.match(path.rstrip("/").rpartition("/")[2]) is not None


def parent(path: str) -> str:
    """`/a/{id}/b` → `/a/{id}`, `/a/{id}?b` likewise; "" above the first segment."""
    address, query = parted(path)
    return address.rstrip("/") if query else path.rstrip("/").rpartition("/")[0]


def is_below(path: str, above: str) -> bool:
    """Whether a path goes on where another one ends: with a segment more, or with a query."""
    return path.startswith((f"{above}/", f"{above}?", f"{above}#"))


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


def shows_state(path: str) -> bool:
    """`/vms/{id}/state`: how the thing above it stands, under a word that says nothing else."""
    parts = segments(path)
    return len(parts) > 1 and parts[-1].lower() in STATES and bool(parameter_of(parts[-2]))


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


def is_by_another_key(path: str, read: str) -> bool:
    """Whether of two addresses of one thing one has it by its name, the other by what is no name: then what is given
    to the one is not what the other asks by (`DELETE /keys/{token}` beside `GET /keys/{name}`).
    """
    given, asked = _NAMES.findall(path), _NAMES.findall(read)
    if not asked or len(given) < len(asked):
        return False
    last = {_BETWEEN_WORDS.split(each[len(asked) - 1])[-1].lower() for each in (given, asked)}
    return "name" in last and not last.isdisjoint(_NO_NAMES)


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
