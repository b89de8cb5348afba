"""API versions side by side: which operations another version of the same path stands for.

`/apis/apps/v1beta1/deployments` and `/apis/apps/v1/deployments` are one thing, told twice. Preferred is what is stable,
then what is newer; what the vendor or the profile gives up is nobody's better. An operation is spoken for only where
the better version has the same method at the same path, and where nothing that only its own version has hangs below
what it reads: else that could not be found by name any more. A description that is of one dated version sends that
date wherever an operation has to be told a version (`?api-version=2019-03-01`). Called by `effects`.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import accumulate

from compiler.ir.model import Api, ApiParameter, Diagnostic, Operation, Severity
from compiler.passes.names import words
from workflow.documents.operations import SAFE_METHODS

_VERSION = re.compile(r"v(\d+(?:[._]\d+)*)[._-]?([a-z]*)(\d*)|(\d+\.\d+)|(\d{4}-\d{2}-\d{2})(-preview)?", re.I)
_NUMBER = re.compile(r"\d{1,2}")  # a version without a `v`: only near the beginning, where things are not counted yet
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?", re.I)
_TELLS_VERSION = ("api", "version")
_OPEN = frozenset({"type", "description", "title"})  # a schema of these alone leaves the value open
_STAGES = {"": 3, "rc": 2, "beta": 1, "b": 1, "preview": 1, "p": 1, "alpha": 0, "a": 0}
_PARAMETER = re.compile(r"\{[^{}]*\}")
_NEAR = 2

Rank = tuple[int, tuple[int, ...]]


def rank(segment: str, position: int) -> Rank | None:
    """How much to be preferred a version is, where the segment is one: its stage, then its numbers."""
    if position < _NEAR and _NUMBER.fullmatch(segment):
        return 3, (int(segment),)
    found = _VERSION.fullmatch(segment)
    if found is None:
        return None
    numbers, stage, of_stage, plain, date, preview = found.groups()
    if numbers is not None:
        known = _STAGES.get(stage.lower())
        return None if known is None else (known, _numbers(f"{numbers}.{of_stage or 0}"))
    return (1 if preview else 3), _numbers(plain or date)


def is_version(segment: str) -> bool:
    """Whether the segment names a version wherever it stands."""
    return rank(segment, _NEAR) is not None


def spoken_for(operations: Iterable[Operation]) -> Mapping[str, str]:
    """By key, the key of the operation that is preferred to it. `operations`: those that may be in a workflow."""
    shapes: dict[tuple[str, str], list[tuple[Rank, Operation]]] = defaultdict(list)
    for operation in operations:
        shape, found = _shape(operation.path)
        if found is not None:
            shapes[operation.method, shape].append((found, operation))
    better: dict[str, str] = {}
    alone: list[str] = []
    for alike in shapes.values():
        best = max(alike, key=lambda one: one[0])
        behind = [operation for found, operation in alike if found < best[0]]
        better |= {operation.key: best[1].key for operation in behind}
        alone += [operation.path for found, operation in alike if found == best[0]]
    above = {prefix for path in alone for prefix in accumulate(path.split("/"), "{}/{}".format)}
    return {key: best for key, best in better.items() if not _is_needed(key, above)}


def _is_needed(key: str, above: set[str]) -> bool:
    method, _, path = key.partition(" ")
    return method in SAFE_METHODS and path in above


def _shape(path: str) -> tuple[str, Rank | None]:
    """The path without the name of its version and of its parameters, and what version it is."""
    parts = path.split("/")
    for place, part in enumerate(parts[1:-1], 1):
        found = rank(part, place - 1)
        if found is not None:
            return _PARAMETER.sub("{}", "/".join((*parts[:place], "*", *parts[place + 1 :]))), found
    return path, None


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text))


def with_dated_version(api: Api) -> tuple[Api, tuple[Diagnostic, ...]]:
    """The operations with the description's own date as the only version that they can be told, and a note on it."""
    if not _DATED.fullmatch(api.version):
        return api, ()
    told = tuple(replace(o, parameters=tuple(_dated(p, api.version) for p in o.parameters)) for o in api.operations)
    changed = [new for old, new in zip(api.operations, told, strict=True) if new.parameters != old.parameters]
    if not changed:
        return api, ()
    text = f"assumed that {len(changed)} operations are told the description's own version, {api.version}"
    note = Diagnostic("version-assumed", Severity.NOTE, changed[0].key, text, "an `enum` in an overlay says which")
    return replace(api, operations=told), (note,)


def _dated(parameter: ApiParameter, version: str) -> ApiParameter:
    said = words.split(parameter.name)[-2:]
    is_asked = parameter.is_required and parameter.location in ("query", "header") and said == _TELLS_VERSION
    is_open = parameter.schema.get("type") == "string" and parameter.schema.keys() <= _OPEN
    return replace(parameter, schema={**parameter.schema, "enum": [version]}) if is_asked and is_open else parameter
