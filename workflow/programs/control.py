"""The order in which a workflow's steps can run, seen from outside: edges, endless loops, unreachable steps.

Pure graph work over a `WorkflowProgram`: which step can follow which, and which gotos close a loop that nothing bounds.
What has been made on every path to a step is in `dominators`; judgement and wording are in `checks` and `uses`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from workflow.programs.program import ProgramAction, ProgramStep, WorkflowProgram


@dataclass(frozen=True, slots=True)
class Edge:
    """From a step to one that can follow it. `after_success`: the first one's outputs are there.

    `action` is None for the next step in order. `is_detour`: the run comes back to try the first step again.
    """

    source: int
    target: int
    after_success: bool
    action: ProgramAction | None = None
    is_detour: bool = False


def edges(program: WorkflowProgram) -> tuple[Edge, ...]:
    """All edges, by source. A retry of the step itself is none: its limit bounds it."""
    return tuple(edge for number, step in enumerate(program.steps) for edge in _edges_of(program, number, step))


def _edges_of(program: WorkflowProgram, number: int, step: ProgramStep) -> Iterator[Edge]:
    for action in possible(step.on_success):
        if action.type == "goto" and action.step is not None:
            yield Edge(number, action.step, True, action)
    is_decided = any(not action.criteria and action.limit is None for action in step.on_success)
    if not is_decided and number + 1 < len(program.steps):
        yield Edge(number, number + 1, True)
    for action in possible(step.on_failure):
        if action.step is not None and action.step != number and action.type != "end":
            yield Edge(number, action.step, False, action, is_detour=action.type == "retry")


def possible(actions: Iterable[ProgramAction]) -> Iterator[ProgramAction]:
    """The actions that can be reached: those up to the first end or goto without criteria and limit."""
    for action in actions:
        yield action
        if not action.criteria and action.limit is None and action.type != "retry":
            return


def endless_gotos(program: WorkflowProgram) -> tuple[ProgramAction, ...]:
    """The gotos that lead back, without a limit, to a step from which they can be reached again."""
    unlimited = [edge for edge in edges(program) if edge.action is None or edge.action.limit is None]
    graph = _graph(edge for edge in unlimited if not edge.is_detour)
    found = [
        edge.action
        for edge in unlimited
        if edge.action is not None and edge.target <= edge.source and not edge.is_detour
        if edge.source in reachable(graph, edge.target)
    ]
    return tuple(found)


def reachable(graph: Mapping[int, set[int]], start: int) -> set[int]:
    """`start` and all that can be reached from it."""
    found = {start}
    stack = [start]
    while stack:
        for target in graph.get(stack.pop(), ()):
            if target not in found:
                found.add(target)
                stack.append(target)
    return found


def unreachable_steps(program: WorkflowProgram) -> tuple[ProgramStep, ...]:
    found = reachable(_graph(edges(program)), 0)
    return tuple(step for number, step in enumerate(program.steps) if number not in found)


def _graph(some: Iterable[Edge]) -> dict[int, set[int]]:
    graph: dict[int, set[int]] = {}
    for edge in some:
        graph.setdefault(edge.source, set()).add(edge.target)
    return graph
