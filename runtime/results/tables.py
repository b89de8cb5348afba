"""The list in a read's outputs, as a table: where it is, its fields, and the choice among its items.

A table is the longest list of objects among the outputs or one level below (what an API wraps its lists in). Texts are
compared without regard to case, a number written as a text counts as one, and of dates the text decides, as ISO 8601
has it. Pure. Called by `shaping`. Here never lives what people read of it (`brief`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runtime.errors import BadInput
from runtime.results.view import Filter, Newest, value_at
from workflow.json.pointers import NOTHING, child

Json = Any
Row = Mapping[str, Json]
MOST_NAMED = 40  # fields that are told where one is not there
# Words by which a field says when, the best first.
TIMES = ("created", "creation", "timestamp", "date", "time", "modified", "updated", "started", "start")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Table:
    """`place`: the names that lead to it in the outputs."""

    place: tuple[str, ...]
    rows: Sequence[Row]

    @property
    def pointer(self) -> str:
        pointer = ""
        for name in self.place:
            pointer = child(pointer, name)
        return pointer


def table_of(outputs: Mapping[str, Json]) -> Table | None:
    """The table in `outputs`; None where there is no list of objects."""
    return max(_tables(outputs), key=lambda table: len(table.rows), default=None)


def _tables(outputs: Mapping[str, Json]) -> Iterator[Table]:
    for name, value in outputs.items():
        if _are_rows(value):
            yield Table((name,), value)
        elif isinstance(value, Mapping) and (inner := _wrapped(value)):
            yield Table((name, inner), value[inner])


def _wrapped(value: Mapping[str, Json]) -> str:
    """The member that an envelope is about: its one list, with nothing but plain members beside; empty in a thing."""
    deep = [name for name, each in value.items() if isinstance(each, Mapping | list) and each and name[0:1] != "@"]
    return deep[0] if len(deep) == 1 and _are_rows(value[deep[0]]) else ""


def _are_rows(value: Json) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, Mapping) for each in value)


def exchanged(outputs: Mapping[str, Json], place: Sequence[str], rows: Sequence[Json]) -> dict[str, Json]:
    """`outputs` with `rows` in the place of a table."""
    name, *rest = place
    return {**outputs, name: exchanged(outputs[name], rest, rows) if rest else list(rows)}


def words_of(field: str) -> list[str]:
    """The words of a field's name, in lower case: `numVCPU` → num, vcpu."""
    return [word.lower() for word in _WORD.findall(field)]


def fields_of(rows: Iterable[Row]) -> list[str]:
    """The names of all members of the items, in the order in which they come."""
    return list(dict.fromkeys(name for row in rows for name in row))


def check_fields(rows: Sequence[Row], fields: Iterable[str], at: str) -> None:
    """Raises BadInput for a field that no item has; of no items nothing is known."""
    for field in fields:
        if rows and all(value_at(row, field) is NOTHING for row in rows):
            known = fields_of(rows)
            named = ", ".join(known[:MOST_NAMED]) + (", …" if len(known) > MOST_NAMED else "")
            raise BadInput(f"no item has a field {field}", at, f"take some of {named}; /a/0/b reaches into one")


def chosen(rows: Sequence[Row], conditions: Sequence[Filter]) -> list[Row]:
    """The items for which all conditions hold. Raises BadInput."""
    check_fields(rows, (each.field for each in conditions), "/where")
    return [row for row in rows if all(_holds(each, value_at(row, each.field)) for each in conditions)]


def _holds(condition: Filter, found: Json) -> bool:
    if found is NOTHING:
        return False
    if condition.operator == "equals":
        return _same(found, condition.value)
    if condition.operator == "contains":
        parts = found if isinstance(found, list) else [found]
        return any(isinstance(part, str) and _text(condition.value) in part.casefold() for part in parts)
    return _is_beyond(condition, found)


def _same(found: Json, value: Json) -> bool:
    if isinstance(found, Mapping | list):
        return False
    a, b = _number(found), _number(value)
    return a == b if a is not None and b is not None else _text(found) == _text(value)


def _is_beyond(condition: Filter, found: Json) -> bool:
    a, b = _number(found), _number(condition.value)
    if a is not None and b is not None:
        return a > b if condition.operator == "greater" else a < b
    if not isinstance(found, str) or not isinstance(condition.value, str):
        return False
    return found > condition.value if condition.operator == "greater" else found < condition.value


def _text(value: Json) -> str:
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return str(value).casefold()


def _number(value: Json) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    return float(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else None


def newest(rows: Sequence[Row], wanted: Newest) -> list[Row]:
    """The last so many, the newest first; items that do not say when come last. Raises BadInput."""
    if not rows:
        return []
    by = wanted.by or _time_field(rows)
    check_fields(rows, [by], "/where/newest")

    def when(row: Row) -> tuple[bool, float, str]:
        found = value_at(row, by)
        number = _number(found)
        return found is not NOTHING and found is not None, number or 0.0, "" if number is not None else _text(found)

    return sorted(rows, key=when, reverse=True)[: wanted.count]


def _time_field(rows: Sequence[Row]) -> str:
    """The field that says when an item came to be, by its name. Raises BadInput."""
    fields = [name for name in fields_of(rows) if not isinstance(rows[0].get(name), Mapping | list)]
    for time in TIMES:
        for field in fields:
            if time in words_of(field):
                return field
    known = ", ".join(fields[:MOST_NAMED])
    raise BadInput("no field says when an item was made", "/where/newest", f"give count and by, one of {known}")
