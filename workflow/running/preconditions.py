"""What a run looked at before it changes anything: so that a plan can be held against the device once more.

`advance` as `interpreter` has it, with a note in the state of each reply: its status, which conditions held, and the
plain values that the step's conditions, queries and outputs name. Not the whole reply: devices put clocks and counters
into it, and a plan that these make void could never be applied. After the first request that may change something
nothing is noted any more. Pure; called by whoever drives a run. DESIGN.md, "Plan, then apply".
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from workflow.documents.conditions import Condition
from workflow.documents.criteria import CompiledCriterion, PathCondition
from workflow.documents.document import Json
from workflow.documents.expressions import Expression
from workflow.documents.queries import Query
from workflow.documents.scope import Reply, Scope
from workflow.documents.selectors import PathQuery
from workflow.documents.values import Reference, Selected
from workflow.json.pointers import NOTHING
from workflow.programs.program import Program, ProgramStep
from workflow.programs.state import State
from workflow.requests.events import Command, Event, ResponseArrived, SendRequest
from workflow.running.interpreter import advance

_MEMBER = re.compile(r"\['((?:[^'\\]|\\.)*)'\]")
_REPLY_ROOTS = ("response", "statusCode")


def watched(program: Program, state: State, event: Event) -> tuple[State, Command]:
    """The state after `event`, and the one command that follows. Raises what `advance` raises."""
    after, (command,) = advance(program, state, event)
    return replace(after, seen=_seen(program, state, event)), command


def is_first_change(state: State, command: Command) -> bool:
    """Whether `command`, which follows from `state`, is the first of the run that may change something."""
    return isinstance(command, SendRequest) and not command.is_safe and state.seen is not None


def _seen(program: Program, state: State, event: Event) -> tuple[Json, ...] | None:
    if state.seen is None or state.waiting != "response":
        return state.seen
    frame = state.frames[-1]
    step = program.workflows[frame.workflow_id].steps[frame.step]
    if not step.is_safe:
        return None
    if not isinstance(event, ResponseArrived):
        return state.seen
    reply = Reply(event.status, event.headers, event.body)
    scope = Scope(frame.inputs, frame.outputs, {}, state.results, program.sources, program.self_uri, reply)
    return (*state.seen, looked_at(step, scope))


def looked_at(step: ProgramStep, scope: Scope) -> Json:
    """What of the reply in `scope` the step depends on, in a form that is the same for the same."""
    assert scope.reply is not None
    criteria = tuple(_criteria(step))
    return {
        "step": step.step_id,
        "status": scope.reply.status,
        "holds": [criterion.holds(scope) for criterion in criteria],
        "values": {each.text: _plain(each.evaluate(scope)) for each in _expressions(step, criteria)},
        "things": [_things(query, scope, _names(step, criteria)) for query in _queries(step)],
    }


def _criteria(step: ProgramStep) -> Iterator[CompiledCriterion]:
    yield from step.success
    for action in (*step.on_success, *step.on_failure):
        yield from action.criteria


def _expressions(step: ProgramStep, criteria: tuple[CompiledCriterion, ...]) -> Iterator[Expression]:
    for criterion in criteria:
        if isinstance(criterion, Condition):
            yield from (each for each in criterion.expressions if each.root in _REPLY_ROOTS)
    for output in step.outputs:
        if isinstance(output.value, Reference) and output.value.expression.root in _REPLY_ROOTS:
            yield output.value.expression


def _queries(step: ProgramStep) -> Iterator[PathQuery]:
    """The queries on the reply's body by which the step's outputs are found."""
    for output in step.outputs:
        if isinstance(output.value, Selected) and output.value.selection.context.root == "response":
            query = output.value.selection.query
            if isinstance(query, PathQuery) and not output.value.selection.context.pointer:
                yield query


def _names(step: ProgramStep, criteria: tuple[CompiledCriterion, ...]) -> frozenset[str]:
    """The members that the step's queries name."""
    queries = [*_queries(step), *(each.query for each in criteria if isinstance(each, PathCondition))]
    texts = (str(segment) for query in queries for segment in query.query.segments)
    return frozenset(name for text in texts for name in _MEMBER.findall(text))


def _things(query: PathQuery, scope: Scope, names: frozenset[str]) -> Json:
    """Of each thing whose member `query` selects, the plain members that are called by `names`."""
    assert scope.reply is not None
    holders = PathQuery(Query(query.query.segments[:-1]), query.slots).find(scope.reply.body, scope)
    found = [] if holders is NOTHING else [each for each in holders if isinstance(each, dict)]
    return [{name: _plain(thing[name]) for name in sorted(names) if name in thing} for thing in found]


def _plain(value: Json) -> Json:
    """`value` where it is one; of an object or a list only that it is one."""
    if value is NOTHING:
        return "absent"
    return type(value).__name__ if isinstance(value, dict | list) else value
