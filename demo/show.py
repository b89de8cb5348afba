"""How the demonstration speaks: numbered chapters, tables, and calls with the requests that they made.

Everything printed here was handed in by `story.py`, from what the product answered. Here is no process and no network.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

RISK_COLOURS = {"read": "green", "change": "cyan", "disrupt": "yellow", "destroy": "red"}
WIDTH = 110  # wide enough for paths, narrow enough for half a screen
MARGIN = 3
LABEL_WIDTH = 14
VALUE_CHARACTERS = 60
SHOWN_ITEMS = 4


class Show:
    """Prints to one console; counts the chapters."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.chapters = 0

    def chapter(self, title: str, text: str = "") -> None:
        self.chapters += 1
        self.console.print()
        self.console.rule(Text(f"{self.chapters}. {title}", style="bold"), align="left", style="dim")
        if text:
            self.say(text)

    def say(self, text: str) -> None:
        self._print(Text(text))

    def fact(self, name: str, value: RenderableType) -> None:
        """A line with a name before it; long values go on below themselves."""
        line = Table.grid(padding=(0, 1, 0, 0))
        line.add_column(min_width=LABEL_WIDTH, style="dim")
        line.add_column(overflow="fold")
        line.add_row(name, value)
        self._print(line)

    def command(self, *words: str) -> None:
        """A command line that is run just now."""
        self._print(Text.assemble(("$ ", "dim"), "switchgear " + " ".join(words)))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        table = Table(*columns, box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False)
        for row in rows:
            table.add_row(*(coloured(str(cell)) for cell in row))
        self._print(table)

    def call(self, title: str, tool: str, arguments: Mapping[str, Any]) -> None:
        said = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in arguments.items())
        self.console.print()
        self._print(Text(title, style="bold"))
        self.fact("agent calls", Text.assemble((tool, "bold blue"), f"({said})"))

    def requests(self, steps: Sequence[Mapping[str, Any]]) -> None:
        """One line a request; neighbours that repeat the same request are one line with their number."""
        for number, (step, times) in enumerate(folded(steps)):
            status = step.get("status") or "-"
            colour = "green" if isinstance(status, int) and status < 400 else "red"
            again = (f"  {times} times", "dim") if times > 1 else ""
            line = Text.assemble(f"{step['method']:<7}", (f"{status}  ", colour), step["path"], again)
            self.fact("" if number else "requests", line)

    def result(self, outcome: str, seconds: float, lines: Sequence[str], *, is_good: bool) -> None:
        self.fact("outcome", Text.assemble((outcome, "green" if is_good else "red"), f" after {seconds:.1f} s"))
        for number, line in enumerate(lines):
            self.fact("" if number else "answer", Text(line))

    def _print(self, what: RenderableType) -> None:
        self.console.print(Padding(what, (0, 0, 0, MARGIN), expand=False))


def coloured(text: str) -> Text:
    return Text(text, style=RISK_COLOURS.get(text, ""))


def folded(steps: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], int]]:
    """Steps in order, neighbours with the same request and status as one with a count."""
    result: list[tuple[Mapping[str, Any], int]] = []
    for step in steps:
        same = ("step_id", "method", "path", "status")
        if result and all(result[-1][0].get(key) == step.get(key) for key in same):
            result[-1] = (step, result[-1][1] + 1)
        else:
            result.append((step, 1))
    return result


def brief(outputs: Mapping[str, Any], members: Sequence[str]) -> list[str]:
    """The asked-for members of each thing among the outputs, a line each; the outputs' names where it has none."""
    things = things_in(outputs)
    told = [line for thing in things if (line := line_of(thing, members))]
    left = len(told) - SHOWN_ITEMS
    return [*told[:SHOWN_ITEMS], *([f"… and {left} more"] if left > 0 else [])] or [f"outputs: {', '.join(outputs)}"]


def things_in(outputs: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The objects among the outputs, those in lists too, in order."""
    values = [value if isinstance(value, list) else [value] for value in outputs.values()]
    return [thing for group in values for thing in group if isinstance(thing, Mapping)]


def line_of(thing: Mapping[str, Any], members: Sequence[str]) -> str:
    return ", ".join(f"{name}: {short(thing[name])}" for name in members if thing.get(name) not in (None, ""))


def short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= VALUE_CHARACTERS else text[: VALUE_CHARACTERS - 1] + "…"
