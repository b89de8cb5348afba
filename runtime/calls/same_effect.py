"""What is in the way of a call: a run with the same effect that is under way, or whose fate nobody knows.

Asked before a change is begun, and when another one was faster. A doubt is looked into first (`engines.looking`): what
turns out not to have happened is out of the way, what turns out to have happened is told instead of being done twice.
Who may see the run that stands in the way (whose it is, approvers and admins) is told its id and the read that would
tell; others learn that there is one. Here never lives what counts as the same effect (`workflow.programs.equivalence`),
nor who holds it (`governance.runs.effects`). Called by `calls` and by the routes and commands that resolve runs.
"""

import json
from dataclasses import dataclass
from typing import Any

from governance.errors import NotFoundError, SameEffectError, TransitionError
from governance.runs.effects import Effects, Holder
from governance.runs.runs import Run, RunStore
from governance.transitions import may
from runtime.caller import Caller
from runtime.engines.engine import Order
from runtime.engines.looking import Looker
from runtime.errors import SameEffect
from runtime.secrets import MASK

Json = Any


@dataclass(frozen=True, slots=True)
class SameEffects:
    effects: Effects
    runs: RunStore
    looker: Looker

    async def make_way(self, order: Order, caller: Caller) -> None:
        """Returns when nothing is in the way. Raises SameEffect, GovernanceError."""
        holder = await self.effects.holder(order.effects())
        if holder is not None:
            await self._make_way_of(holder, order, caller)

    async def told(self, order: Order, caller: Caller) -> Json:
        """What is in the way of carrying out a plan, to be shown with it; None where nothing is."""
        holder = await self.effects.holder(order.effects())
        if holder is None:
            return None
        found = await self._refusal(holder, caller)
        return {**found.more, "message": found.message, "remedy": found.remedy}

    async def after_race(self, error: SameEffectError, caller: Caller) -> SameEffect:
        """What to tell a caller than whom another one was faster."""
        return await self._refusal(Holder(error.run_id, error.caller, error.is_in_doubt), caller)

    async def look(self, run_id: str, caller: Caller) -> None:
        """Looks what became of the request in doubt, and resolves the run by it. Raises TransitionError: still open."""
        seen = await self.looker.resolved(run_id, actor=caller.name)
        if seen.verdict == "open":
            remedy = "look at the device, then say --happened or --did-not-happen (REST: has_happened)"
            raise TransitionError(f"the run {run_id} stays in doubt: {seen.why}", remedy)

    async def _make_way_of(self, holder: Holder, order: Order, caller: Caller) -> None:
        if not holder.is_in_doubt:
            raise await self._refusal(holder, caller)
        try:
            seen = await self.looker.resolved(holder.run_id, actor=caller.name)
        except (TransitionError, NotFoundError):  # somebody resolved it meanwhile
            raise await self._refusal(holder, caller) from None
        if seen.verdict == "happened" and not _sets_otherwise(await self.runs.get(holder.run_id), order):
            raise _was_done(holder, _sees(caller, holder))
        if seen.verdict == "open":
            raise await self._refusal(holder, caller)

    async def _refusal(self, holder: Holder, caller: Caller) -> SameEffect:
        if not _sees(caller, holder):
            return _hidden(holder)
        return _in_doubt(await self.runs.get(holder.run_id)) if holder.is_in_doubt else _under_way(holder)


def _sets_otherwise(run: Run, order: Order) -> bool:
    """Whether the order does nothing but set values, and others than the run did.

    What is recorded without its value may be the same.
    """
    changes = [step for step in order.program.steps if not step.is_safe]
    is_setting = all(step.effect == "update" and step.is_idempotent for step in changes)
    asked, wanted = run.inputs, order.inputs
    is_other = asked.keys() != wanted.keys() or any(
        value != wanted[name] and MASK not in json.dumps(value) for name, value in asked.items()
    )
    return is_setting and is_other


def _sees(caller: Caller, holder: Holder) -> bool:
    """As in `visibility`; that the workflow and the target are in the caller's scope, their own call shows."""
    return holder.caller == caller.name or may(caller.role, "approver")


def _under_way(holder: Holder) -> SameEffect:
    message = f"the run {holder.run_id} of this workflow on the same thing is under way"
    remedy = f"wait for it (get_run, or `switchgear runs show {holder.run_id}`), and call again when it has ended"
    return SameEffect("same_effect_under_way", message, remedy, {"run_id": holder.run_id})


def _in_doubt(run: Run) -> SameEffect:
    doubt = (run.failure or {}).get("doubt") or {}
    asked, look = doubt.get("request", ""), doubt.get("look", "")
    message = f"the run {run.id} of this workflow on the same thing is in doubt"
    message += f": {asked} may have been carried out" if asked else ""
    read = f"see what {look} answers" if look else "look at the device"
    remedy = f"{read}, then say it: `switchgear runs resolve {run.id}` with --look, --happened or --did-not-happen"
    return SameEffect("same_effect_in_doubt", message, remedy, {"run_id": run.id, "look": look})


def _was_done(holder: Holder, is_seen: bool) -> SameEffect:
    which = f"the run {holder.run_id}" if is_seen else "another caller's run"
    message = f"{which} was in doubt, and a look has shown now that it did what is asked for"
    told = {"run_id": holder.run_id} if is_seen else {}
    return SameEffect("same_effect_was_done", message, "call again only if it is wanted a second time", told)


def _hidden(holder: Holder) -> SameEffect:
    if not holder.is_in_doubt:
        message = "another caller's run of this workflow on the same thing is under way"
        return SameEffect("same_effect_under_way", message, "call again when it has ended")
    message = "another caller's run of this workflow on the same thing is in doubt: it may have been carried out"
    return SameEffect("same_effect_in_doubt", message, "ask an approver or admin to resolve it, then call again")
