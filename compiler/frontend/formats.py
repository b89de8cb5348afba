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
    endings = {operation.path: _ending(operation.path) for operation in operations}
    counted = Counter(endings.values())
    cut = {path: path.removesuffix(ending) for path, ending in endings.items() if ending}
    described = Counter(map(_shape, (*endings, *cut.values())))

    def told(operation: Operation) -> Operation:
        path = operation.path
        if path not in cut or counted[endings[path]] < _HABIT or described[_shape(cut[path])] > 1:
            return operation
        return replace(operation, path=cut[path], ending=endings[path])

    return tuple(sorted(map(told, operations), key=lambda one: (one.path, one.method)))


def _ending(path: str) -> str:
    address, query = parted(path)
    name = address.rpartition("/")[2]
    return "" if query else next((each for each in _FORMATS if name.endswith(each) and name != each), "")


def _shape(path: str) -> str:
    return _ANY.sub("{}", path)
