"""How the commands of this room print: JSON, aligned columns or lines, all on standard output.

What is printed may hold text of vendors and callers; characters that steer a terminal are shown as escapes. Notes to
people go to standard error. Here never lives a database, nor the rendering of errors (`switchgear.main`).
"""

import json
from collections.abc import Mapping, Sequence

import click

from governance.identifiers import Json


def as_json(data: Json) -> None:
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))


def table(rows: Sequence[Mapping[str, Json]], columns: Sequence[str]) -> None:
    """The named members of each row in aligned columns under their names."""
    lines = [[plain(row[column]) for column in columns] for row in rows]
    widths = [max(map(len, cells)) for cells in zip(columns, *lines, strict=True)]
    for cells in ([name.upper() for name in columns], *lines):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())


def held(
    name: str, rows: Sequence[Mapping[str, Json]], columns: Sequence[str], faults: Sequence[str], *, as_json: bool
) -> int:
    """Rows that were held against the audit, and what is wrong with some; answers the exit code."""
    if as_json:
        click.echo(json.dumps({name: rows, "faults": faults}, indent=2, ensure_ascii=False))
    else:
        table(rows, columns)
        for fault in faults:
            note(f"refused: {fault}")
    return 1 if faults else 0


def fields(data: Mapping[str, Json]) -> None:
    """One member a line, names aligned; empty ones are left out."""
    width = max(map(len, data))
    for name, value in data.items():
        if value not in (None, ""):
            click.echo(f"{name.ljust(width)}  {plain(value)}")


def note(text: str) -> None:
    """Something for people, which is no data."""
    click.echo(plain(text), err=True)


def plain(value: Json) -> str:
    """The value as one line of printable characters."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list, tuple)) else str(value)
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
