"""The port between the one who wants a workflow run and whatever runs it.

An order says all that a run needs; an engine drives the interpreter with it to its end, keeps a record of every
request before it is sent, and closes what a former process left open. Runs are numbered by whoever orders them, so
that an engine which resumes after a crash finds its own. Here never lives how (`direct`; a durable engine is to come).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from runtime.driver import Endpoint
from workflow.events import Failure, Outcome
from workflow.plan import Plan

Json = Any


@dataclass(frozen=True, slots=True)
class Order:
    """`inputs` are complete and valid. `secret_names`: members whose values are never recorded."""

    run_id: str
    revision_id: str
    digest: str
    plan: Plan
    endpoint: Endpoint
    caller: str
    inputs: Mapping[str, Json]
    secret_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    run_id: str
    outcome: Outcome
    outputs: Mapping[str, Json] = field(default_factory=dict)
    failure: Failure | None = None
    note: str = ""


class Engine(Protocol):
    async def run(self, order: Order) -> Ended:
        """Runs to the end; what is answered holds no secret.

        If the awaiting task is cancelled, the run ends as soon as is safe, and is recorded.

        Raises GovernanceError when nothing was sent because nothing can be recorded, or what is ordered is not
        approved at this moment.
        """

    async def settle(self) -> None:
        """Returns when the ends of all runs that have answered can be looked up."""

    async def recover(self) -> tuple[str, ...]:
        """Closes the runs that a former process left open, and answers their ids."""

    async def close(self) -> None:
        """Ends the runs under way and returns when they are recorded."""
