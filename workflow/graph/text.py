"""A workflow as lines of text, for a terminal and for whoever cannot see the picture: 80 columns, each step in order.

Called by `drawing`. Pure.
"""

from collections.abc import Iterator
from textwrap import wrap

from workflow.graph.flow import Box, FlowChart

WIDTH = 80


def as_text(flows: tuple[FlowChart, ...]) -> str:
    """The workflows one below the other; ends without a line feed."""
    return "\n\n".join("\n".join(_flow(flow)) for flow in flows)


def _flow(flow: FlowChart) -> Iterator[str]:
    yield from _wrapped(flow.heading, "")
    yield from _wrapped(flow.start, "")
    for box in flow.boxes:
        yield from _box(box)
    yield from _wrapped(f"■ {flow.end}", "")


def _box(box: Box) -> Iterator[str]:
    yield from ("  │", "  ▼")
    yield from _wrapped(box.heading, "")
    yield from _wrapped(box.operation, "  │ ")
    yield from _wrapped(box.description, "  │ ")
    for word, lines in (("sends", box.sends), ("holds", box.holds), ("note", box.notes)):
        for line in lines:
            yield from _wrapped(f"{word:5} {line}", "  │ ", 6)
    for each in box.exits:
        yield from _wrapped(each.line, "  ├─ ", 2)
        yield from _wrapped(each.condition, "  │    ", 2)
    if not box.falls_through:
        yield "  ×  no way on to the next step but those"


def _wrapped(text: str, margin: str, indent: int = 0) -> list[str]:
    after = margin.replace("├─", "│ ") + " " * indent
    return wrap(text, WIDTH, initial_indent=margin, subsequent_indent=after, break_on_hyphens=False)
