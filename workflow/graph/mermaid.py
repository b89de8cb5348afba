"""A workflow as a Mermaid flowchart, for whoever pastes it into a page that draws such: wikis, pull requests.

Every character of a text that Mermaid or HTML could take for its own is written as a number (`#60;`), so that a text
stays a text. Called by `drawing`. Pure.
"""

import re
from collections.abc import Iterator

from workflow.graph.flow import Box, Exit, FlowChart

_SPECIAL = re.compile(r"[^\w .,:;/=$+\-–—…“”()·*!?@§|\[\]{}→↻■']")
_CLASSES = (
    "classDef change stroke:#b8860b,stroke-width:2px",
    "classDef disrupt stroke:#d9622b,stroke-width:3px",
    "classDef destroy stroke:#c93c37,stroke-width:4px",
)
_RISKS = ("change", "disrupt", "destroy")


def as_mermaid(flows: tuple[FlowChart, ...]) -> str:
    """The chart; ends without a line feed."""
    lines = ["flowchart TD"]
    for number, flow in enumerate(flows, 1):
        lines += [f'  subgraph f{number}["{_label(flow.heading)}"]', *_flow(flow, f"f{number}"), "  end"]
    return "\n".join([*lines, *(f"  {each}" for each in _CLASSES)])


def _flow(flow: FlowChart, name: str) -> Iterator[str]:
    yield f'    {name}_start(["{_label(flow.start)}"]) --> {name}_s1'
    for box in flow.boxes:
        yield from _box(box, name, is_last=box.number == len(flow.boxes))
    yield f'    {name}_end(["{_label(flow.end)}"])'


def _box(box: Box, name: str, *, is_last: bool) -> Iterator[str]:
    here = f"{name}_s{box.number}"
    sent = [f"sends {line}" for line in box.sends]
    texts = [box.heading, box.operation, box.description, *sent, *(f"holds {line}" for line in box.holds), *box.notes]
    risk = f":::{box.risk}" if box.risk in _RISKS else ""
    yield f'    {here}["{"<br/>".join(_label(text) for text in texts if text)}"]{risk}'
    if box.falls_through:
        yield f"    {here} --> {name}_{'end' if is_last else f's{box.number + 1}'}"
    for number, each in enumerate(box.exits, 1):
        yield f"    {_exit(each, here, name, number)}"


def _exit(each: Exit, here: str, name: str, number: int) -> str:
    when = f'|"{_label(each.condition)}"|' if each.when else ""
    if each.kind == "again":
        return f'{here} -. "{_label(f"{each.line} {each.condition}".strip())}" .-> {here}'
    if each.to is not None:
        return f"{here} -->{when} {name}_s{each.to}"
    return f'{here} -.->{when} {here}_e{number}(["{_label(each.text)}"])'


def _label(text: str) -> str:
    return _SPECIAL.sub(lambda found: f"#{ord(found[0])};", text)
