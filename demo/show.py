"""How the demonstration speaks: numbered chapters, tables, and calls with the requests that they made.

Everything printed here was handed in by `story.py`, from what the product answered. Here is no process and no network.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

RISK_COLOURS = {"read": "green", "change": "cyan", "disrupt": "yellow", "destroy": "red"}
WIDTH = 110  # wide enough for paths, narrow enough for half a screen
VALUE_CHARACTERS = 90


class Show:
    """Prints to one console; counts the chapters."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.chapters = 0

    def chapter(self, title: str, *sentences: str) -> None:
        self.chapters += 1
        self.console.print()
        self.console.rule(Text(f"{self.chapters}. {title}", style="bold"), align="left", style="dim")
        for sentence in sentences:
            self.say(sentence)

    def say(self, sentence: str) -> None:
        self.console.print(Padding(Text(sentence), (0, 0, 0, 3)))

    def fact(self, name: str, value: object) -> None:
        self.console.print(Padding(Text.assemble((f"{name:<22}", "dim"), str(value)), (0, 0, 0, 3)))

    def command(self, *words: str) -> None:
        """A command line that was run just now."""
        self.console.print(Padding(Text.assemble(("$ ", "dim"), "switchgear " + " ".join(words)), (0, 0, 0, 3)))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]], title: str = "") -> None:
        table = Table(*columns, title=title or None, title_justify="left", title_style="italic", header_style="dim")
        for row in rows:
            table.add_row(*(coloured(str(cell)) for cell in row))
        self.console.print(Padding(table, (0, 0, 0, 3)))

    def call(self, title: str, tool: str, arguments: Mapping[str, Any]) -> None:
        said = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in arguments.items())
        self.console.print()
        self.console.print(Padding(Text(title, style="bold"), (0, 0, 0, 3)))
        self.console.print(
            Padding(Text.assemble(("agent calls  ", "dim"), (tool, "bold blue"), f"({said})"), (0, 0, 0, 3))
        )

    def steps(self, steps: Sequence[Mapping[str, Any]]) -> None:
        """One line a request; waits that repeat the same request are folded into one line with their number."""
        for step, times in folded(steps):
            status = step.get("status")
            colour = "green" if isinstance(status, int) and status < 400 else "red"
            again = f"  × {times}" if times > 1 else ""
            line = Text.assemble(
                ("sent         ", "dim"), f"{step['method']:<7}", f"{step['path']} ", (f"→ {status}{again}", colour)
            )
            self.console.print(Padding(line, (0, 0, 0, 3)), overflow="ellipsis", no_wrap=True)

    def result(self, outcome: str, lines: Sequence[str], *, is_good: bool) -> None:
        style = "green" if is_good else "red"
        self.console.print(Padding(Text.assemble(("outcome      ", "dim"), (outcome, style)), (0, 0, 0, 3)))
        for line in lines:
            self.console.print(Padding(Text.assemble(("             ", "dim"), line), (0, 0, 0, 3)))


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


def brief(value: Any, limit: int = 4) -> list[str]:
    """A few lines that show `value`: its first members, long values cut."""
    if isinstance(value, Mapping):
        lines = [f"{name}: {short(member)}" for name, member in list(value.items())[:limit]]
    elif isinstance(value, list):
        lines = [short(member) for member in value[:limit]]
    else:
        return [short(value)]
    left = len(value) - limit
    return [*lines, f"… and {left} more"] if left > 0 else lines


def short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= VALUE_CHARACTERS else text[: VALUE_CHARACTERS - 1] + "…"
