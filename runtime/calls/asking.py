"""Calls that the policy has a person let through: planned, kept waiting, and let go on when they were answered.

Between a caller's wish and the engine, in `calls` alone, so that MCP, REST, schedules and the command line cannot
differ; no setting and no confirmation of the caller's own goes round it. Whoever asks again with the same call is told
how it stands, and once it was let through that call is held to the plan that was seen. Here never lives an answer
(`governance.runs.asks`).
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from governance.errors import NotFoundError, PlanError
from governance.registry.targets import Target
from governance.runs.asks import Ask, AskStore
from governance.storage.identifiers import Json
from runtime.calls.planning import bound_of
from runtime.catalog.entries import Entry
from runtime.engines.engine import Ended, Order
from runtime.errors import Waiting

if TYPE_CHECKING:
    from governance.approval.policy import AskRule

AGAIN = "call again with the same arguments once it was let through; get_run with the run's id says how it stands"


@dataclass(frozen=True, slots=True)
class Asking:
    store: AskStore

    async def rule(self, entry: Entry, target: Target) -> "AskRule | None":
        """What the policy wants of the call; None where nobody is asked."""
        if entry.risk == "read":  # asked for each call: what reads alone never asks
            return None
        return await self.store.rule(entry.risk, entry.workflow_id, target.name, target.labels)

    async def plan_let_through(self, order: Order, target: Target, plan_id: str) -> str:
        """The plan by which the call may go on, or "" where none was made for it yet.

        `plan_id`: the one that the caller names, if they name one. Raises Waiting, PlanError.
        """
        ask = await self._named(plan_id, order.caller) if plan_id else await self.store.same(bound_of(order, target))
        if ask is None:
            return ""
        if ask.state in ("waiting", "refused"):
            raise told(ask)
        return ask.id

    async def _named(self, plan_id: str, caller: str) -> Ask:
        try:
            ask = await self.store.get(plan_id)
        except NotFoundError as error:
            message = "a person has to let this call through, and this plan waits for nobody"
            raise PlanError(message, "call again without a plan") from error
        if ask.caller != caller:
            raise PlanError(f"there is no plan {plan_id} of yours", "call again without a plan")
        return ask

    async def wait(self, entry: Entry, order: Order, ended: Ended, rule: "AskRule") -> Waiting:
        """Has the call wait with the plan that was made of it; what is to be raised for it."""
        ask = Ask(
            id=str(ended.outputs["plan_id"]), run_id=ended.run_id, revision_id=entry.revision_id,
            workflow_id=entry.workflow_id, number=entry.number, digest=entry.digest, api=entry.api, risk=entry.risk,
            target=order.endpoint.name, caller=order.caller, people=rule.people, made_at="",
            expires_at=str(ended.outputs["expires_at"]),
        )  # fmt: skip
        return told(await self.store.make(ask))


def lasts(rule: "AskRule") -> timedelta:
    return timedelta(minutes=rule.minutes)


async def taken_up(store: AskStore, run_id: str) -> str:
    """The run that tells how a call ended which had to ask: the one that carried it out, or `run_id` of any other run.

    Raises Waiting, which says how it stands, where nothing carried it out.
    """
    found = await store.of_run(run_id)
    if found is None:
        return run_id
    ask, applied_by = found
    if applied_by:
        return applied_by
    raise told(ask)


def told(ask: Ask) -> Waiting:
    """How it stands, for the caller."""
    more: dict[str, Json] = {
        "outcome": "waiting" if ask.state == "waiting" else "refused",
        "plan_id": ask.id,
        "run_id": ask.run_id,
        "expires_at": ask.expires_at,
    }
    more |= {"people": ask.people, "votes": len(ask.votes), "state": ask.state}
    if ask.state == "let through":
        more["outcome"] = "waiting"  # for its caller
        message = f"NOT DONE YET: {' and '.join(ask.votes)} let this call through, until {ask.expires_at}"
        return Waiting(message, "call again with the same arguments: that carries it out, once", more)
    if ask.state == "refused":
        message = f"NOT DONE: {ask.by} has refused this call: {ask.reason}"
        return Waiting(message, "ask whoever refused it; the same call is answered so until its plan ends", more)
    if ask.state == "ended":
        message = f"NOT DONE: nobody let this call through until {ask.expires_at}"
        return Waiting(message, "call again with the same arguments, and it waits anew", more)
    wanted = "a person" if ask.people == 1 else f"{ask.people} people"
    message = f"NOT DONE: this call waits for {wanted} to let it through, until {ask.expires_at}"
    return Waiting(message, AGAIN, more)
