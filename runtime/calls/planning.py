"""Plans between the caller and the engines: made by a run that only looks, kept, confirmed once, held to by a run.

A workflow that asks (`confirmation`) and is called without a plan is planned instead of run. Called by `calls` alone,
so that MCP, REST and the command line cannot differ. What is shown of a plan is made in `engines.planning`; what is
kept of it, in `governance.runs.plans`; how a caller wants it, in `options`.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from governance.registry.targets import Target
from governance.runs.open_runs import OpenRuns
from governance.runs.plans import Bound, PlanStore
from governance.storage.identifiers import new_id
from runtime.call_options import CallOptions
from runtime.calls.confirmation import Confirmation
from runtime.engines.engine import Ended, Order
from runtime.engines.planning import digest_of_changes

Json = Any


@dataclass(frozen=True, slots=True)
class Plans:
    store: PlanStore
    open_runs: OpenRuns
    confirmation: Confirmation

    async def is_under_way(self, order: Order) -> bool:
        """Whether the order's key stands for a run already, which needs no plan any more. Raises ConflictError."""
        asked = (order.caller, order.key, order.revision_id, order.endpoint.name, dict(order.inputs))
        return bool(order.key) and await self.open_runs.same_asked(*asked) is not None

    def is_wanted(self, options: CallOptions, risk: str, caller: str) -> bool:
        """Whether the call is to end in a plan."""
        if options.is_plan:
            return True
        return not options.plan_id and not options.is_confirmed and self.confirmation.is_needed(risk, caller)

    async def kept(
        self, order: Order, target: Target, ended: Ended, in_the_way: Json = None, *, lasts: timedelta | None = None
    ) -> Ended:
        """`ended`, with the id under which its plan can be confirmed and until when, and what is in the way of that.

        `lasts`: how long, where that is not as for all plans.

        Raises GovernanceError.
        """
        plan_id, shown = new_id(), dict(ended.outputs)
        lasts = lasts or self.confirmation.lasts
        expires_at = await self.store.add(
            plan_id, ended.run_id, bound_of(order, target), shown["basis"], digest_of_changes(shown), lasts=lasts
        )
        about = {"workflow": order.program.workflow_id, "target": target.name}
        about |= {"in_the_way": in_the_way} if in_the_way else {}
        return replace(ended, outputs={"plan_id": plan_id, "expires_at": expires_at, **about, **shown})

    async def held(self, order: Order, target: Target, plan_id: str) -> Order:
        """`order`, held to the plan, which is used up by this. Raises PlanError."""
        confirmed = await self.store.confirm(plan_id, bound_of(order, target), order.run_id)
        return replace(order, confirmed=confirmed)

    async def closed(self, order: Order, ended: Ended) -> None:
        """Notes what became of the plan that the run was held to."""
        if order.confirmed is None:
            return
        is_applied = ended.failure is None or ended.failure.code != "plan_changed"
        await self.store.close(order.confirmed.plan_id, is_applied=is_applied, run_id=order.run_id, actor=order.caller)


def bound_of(order: Order, target: Target) -> Bound:
    """What a plan of this order is bound to."""
    where = {"base_url": target.base_url, "mode": target.mode, "tls": target.tls}
    return Bound(order.revision_id, order.digest, target.name, where, dict(order.inputs), order.caller)
