"""What people read of a table or of one thing when they ask for nothing: the usual fields, or what differs.

Which fields are usual is told by the words of their names, English habits and no API's own, and by their values: what
is empty everywhere says nothing. Of more items than one reads, what is alike is said once, what takes few values is
counted with the names that have it, and of the rest the range is told. Pure. Called by `shaping`, which says beside
it how many there are and how the rest is had.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from runtime.results.tables import Row, words_of
from runtime.results.view import value_at
from workflow.json.pointers import NOTHING, child

Json = Any
# A screenful of columns, and of items; further ones are asked for.
MOST_USUAL, MOST_ROWS = 8, 50
# Of so many different values one counts each; more is a range.
FEW_VALUES = 8
# Values that take longer than a line are read on their own.
LONG_BYTES = 120
# Of one thing, a member larger than this is named with its size instead of being shown.
LARGE_MEMBER_BYTES = 400
_IDS = frozenset({"id", "uuid", "guid"})
# The best first. What stands in none is no field that is usually read.
_CLASSES: tuple[frozenset[str], ...] = (
    frozenset({"name", "title", "label", "hostname"}),
    _IDS,
    frozenset({"state", "status", "health", "severity", "result", "phase", "enabled", "connected", "active", "power"}),
    frozenset({"type", "kind", "role", "version", "model", "class", "category", "mode", "progress", "percent"}),
    frozenset({"cpu", "vcpu", "cpus", "mem", "memory", "size", "capacity", "used", "free", "count", "speed", "total"}),
    frozenset({"ip", "address", "mac", "host", "node", "url", "port", "path", "location", "slot", "vlan", "reading"}),
    frozenset({"description", "message", "summary", "comment", "tags", "note", "reason"}),
    frozenset({"created", "modified", "updated", "started", "finished", "time", "date", "timestamp"}),
)
_NAME, _ID, _STATE, _TIME = 0, 1, 2, 7


def usual_fields(rows: Sequence[Row]) -> list[str]:
    """The fields that people read of such items, the best first; of several ids the first alone."""
    ranked = sorted(
        (rank, at, field)
        for at, field in enumerate(_plain_fields(rows))
        if (rank := _rank(field)) is not None and _says_something(rows, field)
    )
    ids = [field for rank, _, field in ranked if int(rank) == _ID]
    usual = [field for _, _, field in ranked if field not in ids[1:]]
    return usual[:MOST_USUAL] or [field for field in _plain_fields(rows) if _says_something(rows, field)][:MOST_USUAL]


def name_field(rows: Sequence[Row]) -> str | None:
    """The field by which people know such items: their name, or else their id."""
    return next((field for field in usual_fields(rows) if _is(field, _NAME, _ID)), None)


def _plain_fields(rows: Sequence[Row]) -> list[str]:
    """Members with plain values, and those of members that are small objects, as pointers."""
    found: dict[str, None] = {}
    for row in rows:
        for name, value in row.items():
            if isinstance(value, Mapping):
                inner = (key for key, each in value.items() if not isinstance(each, Mapping | list))
                found |= dict.fromkeys(child(child("", name), key) for key in inner)
            elif not isinstance(value, list):
                found[name] = None
    return list(found)


def _rank(field: str) -> float | None:
    """The place of a field's class, a little behind where the name says more; None where nobody usually reads it."""
    words = words_of(field)
    behind = 0.1 * (len(words) > 1) + 0.3 * field.startswith("/")
    for rank, known in enumerate(_CLASSES):
        if words and words[-1] in known:
            return rank + behind + (4.5 if rank == _NAME and behind else 0)  # another thing's name: where it is
    inside = next((rank for rank, known in enumerate(_CLASSES) if known & set(words)), _ID)
    return None if inside <= _ID else inside + 0.5 + behind


def _is(field: str, *classes: int) -> bool:
    rank = _rank(field)
    return rank is not None and int(rank) in classes


def _says_something(rows: Sequence[Row], field: str) -> bool:
    values = [value_at(row, field) for row in rows]
    return any(value is not NOTHING and value not in (None, "") for value in values) and all(
        not isinstance(value, str) or len(value.encode()) <= LONG_BYTES for value in values
    )


def selected(row: Row, fields: Sequence[str]) -> dict[str, Json]:
    """The fields of one item; what it does not have is left out."""
    found = ((field, value_at(row, field)) for field in fields)
    return {field: value for field, value in found if value is not NOTHING}


def summary(rows: Sequence[Row], most_bytes: int) -> dict[str, Json]:
    """What differs among the items, in about so many bytes."""
    fields = usual_fields(rows)
    alike: dict[str, Json] = {}
    counts: dict[str, dict[str, int]] = {}
    ranges: dict[str, dict[str, Json]] = {}
    for field in fields:
        values = _values(rows, field)
        if len(values) == 1 and len(rows) > 1:
            alike[field] = next(iter(values.values()))[0]
        elif len(values) <= FEW_VALUES:
            counts[field] = {told: count for told, (_, count) in values.items()}
        elif (span := _span(rows, field)) is not None:
            ranges[field] = span
    told = {"alike": alike, "counts": counts, "ranges": ranges}
    told = {name: part for name, part in told.items() if part}
    left = most_bytes - len(orjson.dumps(told))
    return {**told, **_names(rows, fields, [*counts], left)}


def _values(rows: Sequence[Row], field: str) -> dict[str, tuple[Json, int]]:
    """How often each value is there, by its text; what has none counts as one."""
    found: dict[str, tuple[Json, int]] = {}
    for row in rows:
        value = value_at(row, field)
        value = None if value is NOTHING else value
        told = value if isinstance(value, str) else orjson.dumps(value).decode()
        found[told] = (value, found.get(told, (None, 0))[1] + 1)
    return found


def _span(rows: Sequence[Row], field: str) -> dict[str, Json] | None:
    values = [value for row in rows if (value := value_at(row, field)) is not NOTHING and value is not None]
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if numbers and len(numbers) == len(values):
        return {"least": min(numbers), "most": max(numbers)}
    if _is(field, _TIME) and all(isinstance(value, str) for value in values):
        return {"first": min(values), "last": max(values)}
    return None


def _names(rows: Sequence[Row], fields: Sequence[str], counted: Sequence[str], most_bytes: int) -> dict[str, Json]:
    """The names of the items by what they are counted by first, the rarest value first, as far as there is room."""
    named = next((field for field in fields if _is(field, _NAME, _ID)), None)
    if named is None:
        return {}
    by = next((field for field in counted if _is(field, _STATE)), counted[0] if counted else None)
    groups: dict[str, list[Json]] = {}
    for row in rows:
        value = value_at(row, by) if by is not None else ""
        told = value if isinstance(value, str) else orjson.dumps(None if value is NOTHING else value).decode()
        groups.setdefault(told, []).append(selected(row, [named]).get(named))
    shown: dict[str, list[Json]] = {}
    for told, names in sorted(groups.items(), key=lambda group: len(group[1])):
        room = max(0, most_bytes - len(orjson.dumps(shown)))
        kept = _fitting(names, room)
        if kept:
            shown[told] = kept
    is_part = sum(map(len, shown.values())) < len(rows)
    told_by = {"names": {"of": named, **({"by": by} if by else {}), "are": shown}} if shown else {}
    return {**told_by, "names_left_out": len(rows) - sum(map(len, shown.values()))} if is_part else told_by


def _fitting(names: Sequence[Json], most_bytes: int) -> list[Json]:
    kept: list[Json] = []
    for name in names:
        most_bytes -= len(orjson.dumps(name)) + 1
        if most_bytes < 0:
            break
        kept.append(name)
    return kept


def brief_thing(thing: Mapping[str, Json]) -> tuple[dict[str, Json], dict[str, str]]:
    """The members of one thing that are no longer than one reads, and the sizes of the others by their names."""
    sizes = {name: len(orjson.dumps(value)) for name, value in thing.items()}
    shown = {name: value for name, value in thing.items() if sizes[name] <= LARGE_MEMBER_BYTES}
    left = {name: _told_size(thing[name], sizes[name]) for name in thing if name not in shown}
    return shown, left


def _told_size(value: Json, size: int) -> str:
    return f"{len(value)} items, {size} bytes" if isinstance(value, list) else f"{size} bytes"
