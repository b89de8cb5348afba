"""docs/what_an_agent_sees.svg, the picture that the README opens with: `python -m bench.picture`.

What an agent gets of one API, with one tool for each operation and with Switchgear. The figures are those that
`bench/catalog.py` measured (docs/MEASUREMENTS.md), the steps those of the compiled workflow; a test draws it again and
compares. Readable on light and dark ground, without style or script.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from bench.figures import ROOT
from compiler.compiled import CompiledWorkflow
from compiler.pipeline import CompileRequest
from compiler.verification import compile_spec

PLACE = ROOT / "docs" / "what_an_agent_sees.svg"
MEASURED = ROOT / "docs" / "MEASUREMENTS.md"
SPEC = ROOT / "specs" / "hypercore" / "openapi.yaml"
WORKFLOW = "hypercore_start_vm"
NAME = "HyperCore"
WIDTH, HALF, PAD = 800, 400, 20
_ACROSS, _CELL = 25, 14
_BELOW = 70 + 6 * _CELL + 36  # the rows of tools


@dataclass(frozen=True, slots=True)
class Figures:
    """What a client is shown: how many tools, and how many tokens they take."""

    tools: int
    tokens: int

    @property
    def text(self) -> str:
        return f"{self.tools} tools, {self.tokens:,} tokens"


def measured(text: str, catalog: str) -> Figures:
    """The row of the table that `bench/catalog.py` fills. Raises ValueError where it is not there."""
    found = re.search(rf"^\| {NAME} \| {catalog}[^|]*\| ([\d,]+) \| ([\d,]+) \|$", text, re.M)
    if found is None:
        raise ValueError(f"docs/MEASUREMENTS.md has no row {NAME}, {catalog}")
    return Figures(*(int(each.replace(",", "")) for each in found.groups()))


def picture(without: Figures, with_it: Figures, one: CompiledWorkflow) -> str:
    """The SVG. `one`: the workflow whose steps are shown, which without Switchgear the agent makes itself."""
    steps = [step.operation for step in one.flow.steps]
    left = [*_panel(PAD, "One tool for each operation", without), *_left(PAD, steps)]
    right = [*_panel(PAD + HALF, "With Switchgear", with_it), *_right(PAD + HALF, one, steps)]
    height = _BELOW + 62 + 26 * len(steps)
    label = f"One API to an agent: {without.text} with one tool for each operation, {with_it.text} with Switchgear"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
            f' role="img" aria-label="{escape(label)}" font-family="system-ui, sans-serif" font-size="14">',
            f"<title>{escape(label)}</title>",
            f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#ffffff"/>',
            f'<path d="M{WIDTH // 2} 20V{height - 20}" stroke="#d0d7de"/>',
            '<g fill="#1f2328">',
            *left,
            *right,
            "</g>",
            "</svg>",
            "",
        ]
    )


def _panel(x: int, title: str, figures: Figures) -> Iterator[str]:
    yield _text(x, 34, title, "bold", 18)
    yield _text(x, 56, figures.text)
    for number in range(figures.tools):
        column, row = number % _ACROSS, number // _ACROSS
        place = f'x="{x + column * _CELL}" y="{70 + row * _CELL}" width="11" height="11" rx="2"'
        yield f'<rect {place} fill="none" stroke="#57606a"/>'


def _left(x: int, steps: Sequence[str]) -> Iterator[str]:
    yield _text(x, _BELOW, f"“Start db-01” is {len(steps)} tools to find and combine,", "bold")
    yield _text(x, _BELOW + 20, "each time anew; nobody has looked at it:")
    for number, step in enumerate(steps):
        yield _text(x + 14, _BELOW + 50 + 26 * number, f"?  {step}", face="ui-monospace, monospace")


def _right(x: int, one: CompiledWorkflow, steps: Sequence[str]) -> Iterator[str]:
    yield _text(x, _BELOW, "“Start db-01” is one call of one of them,", "bold")
    yield _text(x, _BELOW + 20, "proved on a twin, approved, run as approved:")
    for number, (step, why) in enumerate(zip(steps, (each.id for each in one.flow.steps), strict=True)):
        y = _BELOW + 50 + 26 * number
        yield f'<path d="M{x + 6} {y - 4}l3 4l6 -9" fill="none" stroke="#1a7f37" stroke-width="2"/>'
        yield _text(x + 24, y, f"{why}  {step}", face="ui-monospace, monospace")


def _text(x: int, y: int, text: str, weight: str = "normal", size: int = 14, face: str = "") -> str:
    family = f' font-family="{face}" xml:space="preserve"' if face else ""
    form = f'font-weight="{weight}" font-size="{12 if face else size}"{family}'
    return f'<text x="{x}" y="{y}" {form}>{escape(text)}</text>'


def main(place: Path = PLACE) -> None:
    text = MEASURED.read_text()
    compiled, _ = compile_spec(CompileRequest(SPEC))
    one = next(each for each in compiled.workflows if each.flow.id == WORKFLOW)
    place.write_text(picture(measured(text, "one tool an operation"), measured(text, "default catalog"), one))


if __name__ == "__main__":
    main()
