"""Addresses that end in a format: `/groups/{id}.json` is the group at `/groups/{id}`, written as JSON.

Where that is a habit of a description, its operations are told by the address alone, so that what belongs together
stands together and is named without it; what is sent keeps it (`Operation.ending`). An address that is also described
without it keeps its own. Called by `load`.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from compiler.ir.model import Operation
from workflow.documents.path_queries import parted

_FORMATS = (".json", ".xml")
_ANY = re.compile(r"\{[^{}]*\}")
_HABIT = 3  # addresses: of fewer each may be a file of that name


def without_formats(operations: Iterable[Operation]) -> tuple[Operation, ...]:
    """The operations, with the format that their addresses end in beside these."""
    operations = tuple(operations)
    paths = {operation.path for operation in operations}
    counted = Counter(_ending(path) for path in paths)
    plain = {_shape(path) for path in paths}
    shorter = Counter(_shape(_cut(path)) for path in paths if _ending(path))
    told = (
        replace(one, path=_cut(one.path), ending=_ending(one.path))
        if (ending := _ending(one.path))
        and counted[ending] >= _HABIT
        and _shape(_cut(one.path)) not in plain
        and shorter[_shape(_cut(one.path))] == 1
        else one
        for one in operations
    )
    return tuple(sorted(told, key=lambda one: (one.path, one.method)))


def _ending(path: str) -> str:
    address, query = parted(path)
    name = address.rpartition("/")[2]
    return "" if query else next((each for each in _FORMATS if name.endswith(each) and name != each), "")


def _cut(path: str) -> str:
    return path.removesuffix(_ending(path))


def _shape(path: str) -> str:
    return _ANY.sub("{}", path)
