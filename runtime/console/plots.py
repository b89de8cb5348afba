"""Small plots: bars with their names and figures, as values that a template draws as SVG.

Geometry alone: what is drawn is text and rectangles, whose colours are the style sheet's. A figure stands beside each
bar, so that nothing is told by length or colour alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 320


@dataclass(frozen=True, slots=True)
class Bar:
    """`length` in the units of a drawing that is `WIDTH` wide."""

    name: str
    value: float
    length: float


def bars(figures: Sequence[tuple[str, float]]) -> list[Bar]:
    """One bar a figure, in their order, the longest as wide as the drawing."""
    most = max((value for _, value in figures), default=0) or 1
    return [Bar(name, value, round(value / most * WIDTH, 1)) for name, value in figures]
