"""The root of an API and its versions: segments that name nothing of it (`/1.0`, `/api/v2`, `/`).

What can be read or set there is the server or the API itself, and belongs to nothing; nothing belongs to it either,
since all does. Pure over addresses and operation ids. Called by `resources`.
"""

import re
from collections.abc import Iterable

from compiler.ir.model import Operation
from compiler.passes.names import words
from compiler.passes.names.paths import segments
from compiler.passes.versions import is_version
from workflow.documents.operations import METHODS

VERSION = re.compile(r"v?\d+(\.\d+)*")
PREFIXES = frozenset({"api", "apis", "rest"})
_ANYTHING = "resource"
_ABOVE_VERB = 2  # parts of a dotted id, counted from its end
_SILENT = PREFIXES | {"root", "index", "update", "read", "set", "show", "list", "modify", "edit", "describe"}


def says_nothing(segment: str) -> bool:
    return segment.lower() in PREFIXES or is_version(segment)


def is_root(path: str) -> bool:
    return all(says_nothing(part) or VERSION.fullmatch(part) for part in segments(path))


def noun_of_ids(operations: Iterable[Operation]) -> str:
    """What the ids of all operations at one address call the thing there, "" where they share no word.

    `instances` of `redis.projects.instances.get`, `repository` of `Repository_Get` and `Repository_Delete`.
    """
    told = [operation.name for operation in operations]
    above = {name.split(".")[-_ABOVE_VERB] for name in told if name.count(".") >= _ABOVE_VERB - 1}
    if above and all("." in name for name in told):
        return above.pop() if len(above) == 1 else _ANYTHING  # several kinds, told apart by what the name begins with
    first, *others = [words.split(name) for name in told] or [()]
    shared = [word for word in first if word.isalpha() and all(word in other for other in others)]
    return "_".join(word for word in shared if word.upper() not in METHODS and word not in _SILENT)


def noun_of_root(operations: Iterable[Operation]) -> str:
    """The words that the ids of all of them share besides verbs: `server` of `server_get` and `server_put`; else the
    API.
    """
    return noun_of_ids(operations) or "API"
