"""How the commands of this room print: JSON, aligned columns or lines, all on standard output.

What is printed may hold text of vendors and callers; characters that steer a terminal are shown as escapes. What does
not fit beside one another in a terminal's width (80 columns where there is none) stands one below the other; nothing is
cut. Notes to people go to standard error. Here never lives a database, nor the rendering of errors
(`switchgear.main`).
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from textwrap import wrap

import click

from governance.storage.identifiers import Json


def as_json(data: Json) -> None:
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))


def json_line(data: Json) -> None:
    """One of several, each on a line of its own."""
    click.echo(json.dumps(data, ensure_ascii=False))


def table(rows: Sequence[Mapping[str, Json]], columns: Sequence[str]) -> None:
    """The named members of each row in aligned columns under their names, where they fit.

    Else the first member of each row has a line of its own, and the others stand below it: in columns, or, where these
    do not fit either, one a line.
    """
    lines = [[plain(row[column]) for column in columns] for row in rows]
    names = [name.upper() for name in columns]
    if _is_narrow([names, *lines], 0):
        _aligned([names, *lines])
    elif _is_narrow([names[1:], *(cells[1:] for cells in lines)], 2):
        _two_lines(names, lines)
    else:
        for number, cells in enumerate(lines):
            click.echo(("\n" if number else "") + cells[0])
            fields(dict(zip(columns[1:], cells[1:], strict=True)), indent=2)


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


def fields(data: Mapping[str, Json], indent: int = 0) -> None:
    """One member a line, names aligned; empty ones are left out, long ones go on below themselves."""
    width = max(map(len, data)) + 2
    for name, value in data.items():
        if value not in (None, ""):
            click.echo(hung(plain(value), " " * indent + name.ljust(width), indent + width))


def hung(text: str, before: str, indent: int) -> str:
    """`text` behind `before`, broken at the width of the terminal; a word that is too long for that stands below."""
    room = terminal_width() - indent
    if before.strip() and max(map(len, text.split()), default=0) > room:
        start = " " * (len(before) - len(before.lstrip()) + 2)
        return f"{before.rstrip()}\n{hung(text, start, len(start))}"
    lines = wrap(
        text, terminal_width(), initial_indent=before, subsequent_indent=" " * indent, break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip
    return "\n".join(lines) or before.rstrip()


def terminal_width() -> int:
    """Columns of the terminal, or what COLUMNS says; 80 where nobody says."""
    return max(40, shutil.get_terminal_size().columns)


def _is_narrow(lines: Sequence[Sequence[str]], indent: int) -> bool:
    return indent + sum(_widths(lines)) + 2 * (len(lines[0]) - 1) <= terminal_width()


def _widths(lines: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, cells)) for cells in zip(*lines, strict=True)]


def _aligned(lines: Sequence[Sequence[str]]) -> None:
    widths = _widths(lines)
    for cells in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())


def _two_lines(names: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    widths = _widths([names[1:], *(cells[1:] for cells in lines)])
    for first, *others in (names, *lines):
        told = "  ".join(cell.ljust(width) for cell, width in zip(others, widths, strict=True)).rstrip()
        click.echo(f"{first}\n  {told}")


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
