"""What a picture of a workflow shows, as values: a box for each step, and the exits of each.

Made by `boxes`, drawn by `text`, `svg` and `mermaid`. Texts are on one line each, visible and cut to a length; how a
form escapes them is the form's business. Here never lives a layout, nor anything about documents.
"""

from dataclasses import dataclass
from typing import Literal

from workflow.visible import visible

Kind = Literal["goes_on", "again", "ends"]
MARKS: dict[Kind, str] = {"goes_on": "→", "again": "↻", "ends": "■"}
"""Before the words, never instead of them."""


@dataclass(frozen=True, slots=True)
class Exit:
    """One way out of a step. `when`: "" for in any other case. `to`: the number of the step that it leads to.

    `outcome`: how a run ends by it; "" where it goes on.
    """

    kind: Kind
    text: str
    when: str = ""
    to: int | None = None
    outcome: str = ""

    @property
    def line(self) -> str:
        return f"{MARKS[self.kind]} {self.text}"

    @property
    def condition(self) -> str:
        """When it is taken, for a line of its own; empty for in any other case."""
        return f"if {self.when}" if self.when else ""


@dataclass(frozen=True, slots=True)
class Box:
    """One step. `number` counts from 1. `holds` is what "succeeded" means here. `falls_through`: a step that succeeded
    may lead to the next in line.
    """

    number: int
    name: str
    risk: str
    operation: str
    description: str
    sends: tuple[str, ...]
    holds: tuple[str, ...]
    notes: tuple[str, ...]
    exits: tuple[Exit, ...]
    falls_through: bool

    @property
    def heading(self) -> str:
        return f"Step {self.number}: {self.name}" + (f" ({self.risk})" if self.risk else "")


@dataclass(frozen=True, slots=True)
class FlowChart:
    """One workflow. `inputs` and `gives` are names; an input that must be given ends in `*`."""

    name: str
    title: str
    risk: str
    inputs: tuple[str, ...]
    gives: tuple[str, ...]
    boxes: tuple[Box, ...]

    @property
    def heading(self) -> str:
        title = f": {self.title}" if self.title not in ("", self.name) else ""
        return f"{self.name}{title}" + (f" ({self.risk})" if self.risk else "")

    @property
    def start(self) -> str:
        return "inputs: " + (", ".join(self.inputs) or "none")

    @property
    def end(self) -> str:
        return "the end: succeeded" + (f", gives {', '.join(self.gives)}" if self.gives else "")


def on_one_line(text: str, most: int) -> str:
    """`text` without what cannot be seen, its lines joined, cut to `most` characters."""
    told = " ".join(visible(text, 4 * most).split())
    return told if len(told) <= most else f"{told[: most - 1]}…"
