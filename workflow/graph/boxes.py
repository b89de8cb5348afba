"""From a document to what its picture shows: workflows in the order in which they are called, a box for each step.

Values and conditions stand as the document has them, only cut to a length, since an approver compares the two; of what
is there to be read by people, the words. Called by `drawing`. See `exits` for how a step goes on. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import orjson

from workflow.documents.calls import find_call
from workflow.documents.document import (
    ABSENT,
    Document,
    Json,
    Parameter,
    ParameterEntry,
    RequestBody,
    Selector,
    Step,
    Unread,
    Workflow,
    ours,
)
from workflow.errors import DocumentError
from workflow.graph.exits import condition, exits_of
from workflow.graph.flow import Box, FlowChart, on_one_line

MOST_SENT = 30
"""Lines of one request; whoever needs more reads the document."""
_LONGEST = 240


def flows_of(
    document: Document, risks: Mapping[str, str], conditions: Mapping[str, Sequence[str]]
) -> tuple[FlowChart, ...]:
    """The first workflow, then those it calls, each once; `risks` and `conditions` are of the first one's steps."""
    wanted, found = [document.workflows[0].workflow_id], dict[str, FlowChart]()
    while wanted:
        workflow = document.workflow(name := wanted.pop(0))
        if workflow is not None and name not in found:
            found[name] = _flow(document, workflow, {} if found else risks, {} if found else conditions)
            wanted += [step.workflow_id for step in workflow.steps if step.workflow_id]
    return tuple(found.values())


def _flow(
    document: Document, workflow: Workflow, risks: Mapping[str, str], conditions: Mapping[str, Sequence[str]]
) -> FlowChart:
    schema = workflow.inputs if isinstance(workflow.inputs, Mapping) else {}
    needed = schema.get("required", ())
    steps = enumerate(workflow.steps, 1)
    return FlowChart(
        name=_short(workflow.workflow_id),
        title=_short(workflow.summary or ""),
        risk=_short(str(ours(workflow).get("risk") or "")),
        inputs=tuple(_short(name) + "*" * (name in needed) for name in schema.get("properties", ())),
        gives=tuple(_short(name) for name in workflow.outputs),
        boxes=tuple(
            _box(document, workflow, number, step, risks.get(step.step_id, ""), conditions.get(step.step_id, ()))
            for number, step in steps
        ),
    )


def _box(document: Document, workflow: Workflow, number: int, step: Step, risk: str, conditions: Sequence[str]) -> Box:
    exits = exits_of(document, workflow, step)
    holds = (*(condition(each) for each in step.success_criteria), *conditions)
    is_always_left = any(each.kind != "again" and not each.when for each in exits.succeeded)
    return Box(
        number=number,
        name=_short(step.step_id),
        risk=_short(risk),
        operation=_short(_operation(document, step)),
        description=_short(step.description or ""),
        sends=_cut(_sends(document, workflow, step)),
        holds=tuple(map(_short, holds)),
        notes=tuple(_notes(ours(step), exits.has_retry)),
        exits=(*exits.succeeded, *exits.failed),
        falls_through=not is_always_left,
    )


def _operation(document: Document, step: Step) -> str:
    if step.workflow_id:
        return f"the workflow {step.workflow_id}"
    try:
        return find_call(document, step, None).key
    except DocumentError:  # known by its id alone, or not executed here
        return step.operation_id or step.operation_path or step.channel_path or ""


def _sends(document: Document, workflow: Workflow, step: Step) -> Iterator[str]:
    """A line for each value of the request: where it goes, its name, and what is put there."""
    inherited = () if step.workflow_id else workflow.parameters
    for each in (*inherited, *step.parameters):
        name, location, value = _parameter(document, each)
        yield f"{location} {name} = {_text(value)}".lstrip()
    if step.request_body is not None:
        yield from _body(step.request_body)


def _parameter(document: Document, entry: ParameterEntry) -> tuple[str, str, Json]:
    if isinstance(entry, Parameter):
        return entry.name, entry.location or "", entry.value
    if isinstance(entry, Unread):
        return "?", "", entry.value
    found = document.components.parameters.get(entry.reference.rpartition(".")[2])
    given = entry.value if entry.value is not ABSENT else found.value if found else None
    return (found.name, found.location or "", given) if found else (entry.reference, "", given)


def _body(body: RequestBody) -> Iterator[str]:
    if body.payload is not ABSENT:
        yield from _leaves("body", body.payload)
    for each in body.replacements:
        yield f"body {each.target} = {_text(each.value)}"


def _leaves(place: str, value: Json) -> Iterator[str]:
    """Each value inside with the names that lead to it."""
    if isinstance(value, Mapping) and value:
        for name, part in value.items():
            yield from _leaves(f"{place}.{name}", part)
    elif isinstance(value, list) and value:
        for number, part in enumerate(value):
            yield from _leaves(f"{place}[{number}]", part)
    else:
        yield f"{place} = {_text(value)}"


def _text(value: Json | Selector) -> str:
    """An expression as it stands; all else as JSON, so that a word is no expression."""
    if isinstance(value, Selector):
        return f"{value.selector} of {value.context}"
    if isinstance(value, str) and value.startswith("$"):
        return value
    return orjson.dumps(value, default=str).decode()


def _notes(own: Mapping[str, Json], has_retry: bool) -> Iterator[str]:
    """What the members of our own say of the step, in words."""
    if own.get("pages"):
        yield "reads the list to its end, page by page"
    if own.get("allows"):
        yield "goes on only where the thing allows what is going to be sent"
    if own.get("version"):
        yield "notes the version that the write after it names"
    if own.get("decides"):
        yield "tells whether the change before it was made, also where its answer was lost"
    if has_retry and own.get("stalls_after_s"):
        yield f"is given up where nothing moves for {own['stalls_after_s']:g} s"


def _cut(lines: Iterable[str]) -> tuple[str, ...]:
    found = [_short(line) for line in lines]
    more = len(found) - MOST_SENT
    return (*found[:MOST_SENT], f"… and {more} more values") if more > 0 else tuple(found)


def _short(text: str) -> str:
    return on_one_line(text, _LONGEST)
