"""The interpreter: what a workflow does next, as a pure function of its plan, its state and one event.

(First the signature; the content follows.)
"""

from workflow.events import Command, Event
from workflow.plan import Plan
from workflow.state import State


def advance(plan: Plan, state: State, event: Event) -> tuple[State, tuple[Command, ...]]:
    raise NotImplementedError
