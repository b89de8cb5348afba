"""A result as people look at it: as tables, as a tree, as JSON; each cut to what a page holds, the whole a click away.

A table is made of every list of objects in it, wherever it stands. What was cut is said. Pure; values in, values out.
Called by the page of a run. Here never lives what a workflow shows of its outputs (`runtime.results`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

Json = Any
FORMS = ("table", "tree", "json")
# A page of 100 kB has this, its markup and its marks (a quotation mark takes six bytes), and a timeline besides.
MOST_BYTES = 20_000
# What stands around a member of a tree.
MARKUP = 60
MOST_COLUMNS, MOST_TABLES, MOST_CELL = 12, 6, 160
# Of each list, and characters of each text: the first of these by which all of it fits.
CUTS = ((200, 2000), (50, 500), (20, 200), (5, 80), (2, 40))
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class ShownTable:
    """`name`: where it stands in the result. `rows` have a cell a column; of `total` rows these are the first."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShownResult:
    """A result in one form. `is_cut`: there is more in the whole."""

    form: str
    tables: tuple[ShownTable, ...] = ()
    tree: Json = None
    text: str = ""
    is_cut: bool = False


def shown(value: Json, form: str) -> ShownResult:
    """`form`: one of `FORMS`; any other is a table where there is one in it, else a tree."""
    if form == "json":
        text = orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
        return ShownResult("json", text=text[:MOST_BYTES], is_cut=len(text) > MOST_BYTES)
    tables = tuple(_within(_tables(value, "", 0)))[:MOST_TABLES] if form != "tree" else ()
    if tables:
        is_cut = any(len(table.rows) < table.total or table.left_out for table in tables)
        return ShownResult("table", tables=tables, is_cut=is_cut)
    tree = fitting(value)
    return ShownResult("tree", tree=tree, is_cut=tree != value)


def fitting(value: Json, most_bytes: int = MOST_BYTES) -> Json:
    """The value, or as much of its lists and texts as fits."""
    part = value
    for items, characters in CUTS:
        if _weight(part) <= most_bytes:
            return part
        part = _cut(value, items, characters)
    if _weight(part) <= most_bytes:
        return part
    text = orjson.dumps(part).decode()
    return text if len(text) <= most_bytes // 2 else f"{text[: most_bytes // 2]}…"


def _weight(value: Json) -> int:
    """What it takes on a page as a tree, about."""
    if isinstance(value, Mapping):
        return sum(len(name) + MARKUP + _weight(part) for name, part in value.items())
    if isinstance(value, list | tuple):
        return sum(MARKUP + _weight(part) for part in value)
    return len(value) if isinstance(value, str) else 8


def _cut(value: Json, items: int, characters: int) -> Json:
    if isinstance(value, str):
        return value if len(value) <= characters else f"{value[:characters]}…"
    if isinstance(value, Mapping):
        return {name: _cut(part, items, characters) for name, part in value.items()}
    if isinstance(value, Sequence):
        kept = [_cut(part, items, characters) for part in value[:items]]
        return kept if len(value) <= items else [*kept, f"… and {len(value) - items} more"]
    return value


def _tables(value: Json, name: str, depth: int) -> Iterator[ShownTable]:
    if depth > _DEEPEST or isinstance(value, str):
        return
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _tables(part, f"{name} {key}".strip(), depth + 1)
    elif isinstance(value, Sequence) and value and all(isinstance(each, Mapping) for each in value):
        yield _table(name, value)


def _table(name: str, rows: Sequence[Mapping[str, Json]]) -> ShownTable:
    columns = tuple(dict.fromkeys(key for row in rows for key in row))
    named, left_out = columns[:MOST_COLUMNS], columns[MOST_COLUMNS:]
    cells = tuple(tuple(_cell(row.get(column)) for column in named) for row in rows[: CUTS[0][0]])
    return ShownTable(name, named, cells, len(rows), left_out)


def _cell(value: Json) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= MOST_CELL else f"{text[:MOST_CELL]}…"


def _within(tables: Iterator[ShownTable]) -> Iterator[ShownTable]:
    """As many rows of them as a page holds, those of the first table first."""
    left = MOST_BYTES
    for table in tables:
        kept: list[tuple[str, ...]] = []
        for row in table.rows:
            left -= sum(len(cell.encode()) + len("<td></td>") for cell in row)
            if left < 0:
                break
            kept.append(row)
        yield ShownTable(table.name, table.columns, tuple(kept), table.total, table.left_out)
