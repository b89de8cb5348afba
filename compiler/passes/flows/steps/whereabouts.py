"""What says in a query where a thing is (`project`, `namespace`, `path`) is said to every step that can be asked it.

`DELETE /profiles/{name}?project=lab` deletes another thing than the one that `GET /profiles/{name}` shows. A parameter
of the goal or of a change that a caller gives goes to all other steps whose operations declare one of its name; how
an answer is to look (`fields`), which part of a list it is (`limit`) and how a deed is done (`force`) stay where they
are. Called by the builder when all steps are known.
"""

from collections.abc import Sequence
from dataclasses import replace

from compiler.ir.model import FlowStep, Operation
from compiler.passes.flows.context import Context
from compiler.passes.names import words

_HOW = frozenset(
    words.split(
        "field fields select expand include exclude embed embedded filter filters format pretty view depth detail "
        "details full verbose limit offset page size per cursor marker start end skip top count total sort order by "
        "orderby q query search dry run recursive recursion force timeout wait async watch validate cascade purge "
        "reason revision etag version if match fresh cache refresh max min since until from to tail follow"
    )
)


def says_where(parameter: str) -> bool:
    """Whether a parameter of a query may say where a thing is, going by its name."""
    return _HOW.isdisjoint(words.split(parameter))


def told_where(context: Context, steps: Sequence[FlowStep], goal: Operation) -> list[FlowStep]:
    """The steps, each with what the others are told of where the thing is."""
    given = {
        name: value
        for step in steps
        if step.operation == goal.key or not context.operations[step.operation].is_safe
        for name, location, value in step.parameters
        if location == "query" and str(value).startswith("$inputs.") and says_where(name)
    }
    return [_with(context, step, given) for step in steps] if given else list(steps)


def _with(context: Context, step: FlowStep, given: dict[str, object]) -> FlowStep:
    bound = {name for name, location, _ in step.parameters if location == "query"}
    declared = [p.name for p in context.operations[step.operation].parameters if p.location == "query"]
    missing = tuple((name, "query", given[name]) for name in declared if name in given and name not in bound)
    return replace(step, parameters=(*step.parameters, *missing)) if missing else step
