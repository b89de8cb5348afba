"""From a caller's wish to a run: which workflow, on which target, with which inputs, and may it be.

Everything that MCP, the REST API and `switchgear call` have in common, so that none of them can be laxer. Inputs are
checked against the workflow's full schema before anything is sent; the engine confirms, when it opens the run, that
what is about to be executed is what is approved at this moment. Outputs are held against the schema that the client
was promised. Here never lives a protocol, a status code or a text for clients.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson

from governance.errors import (
    ConflictError,
    DigestError,
    GovernanceError,
    NotFoundError,
    RefusedError,
    SameEffectError,
    TamperedError,
)
from governance.registry.targets import Target
from governance.storage.identifiers import new_id
from governance.transitions import may
from runtime.call_options import PLAIN, CallOptions
from runtime.caller import Caller
from runtime.calls.asking import Asking, lasts
from runtime.calls.planning import Plans
from runtime.calls.same_effect import SameEffects
from runtime.calls.texts_for_objects import texts_for_objects
from runtime.catalog.entries import Entry
from runtime.engines.engine import Ended, Engine, Order, Told
from runtime.errors import BadInput, CallerError, NotApproved, SameEffect
from runtime.large_values import Unjudged, first_fault, written_if_large
from runtime.observing import observed
from runtime.secrets import Vault
from workflow.errors import InputError
from workflow.programs.inputs import unfit, validate_inputs
from workflow.requests.events import Failure

if TYPE_CHECKING:
    from governance.approval.policy import AskRule

log = logging.getLogger("switchgear.runs")
Json = Any
# What a run's record takes, where the whole is kept; what a model is shown of it is much less (`cutting`).
MAX_OUTPUT_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Calls:
    engine: Engine
    vault: Vault
    plans: Plans
    asking: Asking
    same_effects: SameEffects
    reload: Callable[[], Awaitable[object]]
    """Loads the catalog again, where a call has found that it is not true any more."""

    async def call(
        self,
        entry: Entry,
        inputs: Mapping[str, Json],
        target: str | None,
        caller: Caller,
        options: CallOptions = PLAIN,
        *,
        key: str = "",
        told: Told | None = None,
        run_id: str = "",
    ) -> Ended:
        """Runs the workflow and answers how it ended, a failed step included. See `Order.key`, `Engine.run`.

        `run_id`: under which it is begun; empty: a new one.

        It ends as `planned` where a plan was wanted, or where the workflow asks first and no plan was confirmed. What
        changes nothing has no plan: it is run. What is under way, or in doubt, is not begun a second time.

        Raises CallerError (role, target, inputs), SameEffect, Waiting (for a person to let it through),
        NotApproved (it is not, or no longer, what is approved),
        PlanError (the plan cannot be used), TargetError (the target is not usable as it is set up), GovernanceError
        (nothing can be recorded, or the key stands for another run), Interrupted (the server stops).
        """
        with observed.call(entry, target, caller.name) as seen:
            return seen.ended(await self._called(entry, inputs, target, caller, options, key, told, run_id))

    async def _called(
        self, entry: Entry, inputs: Mapping[str, Json], target: str | None, caller: Caller, options: CallOptions,
        key: str, told: Told | None, run_id: str,
    ) -> Ended:  # fmt: skip
        if not may(caller.role, "operator"):
            raise CallerError(f"the role {caller.role} may not run workflows", "ask somebody with the role operator")
        chosen = entry.target(target)
        await self._judge_if_large(entry, inputs)
        order = self._order(entry, inputs, chosen, caller, key, run_id)
        if not await self.plans.is_under_way(order):
            rule = None if options.is_plan else await self.asking.rule(entry, chosen)
            if rule is not None:
                plan_id = await self.asking.plan_let_through(order, chosen, options.plan_id)
                if not plan_id:
                    return await self._made_to_wait(entry, order, chosen, caller, told, rule)
                options = CallOptions(plan_id=plan_id)
            if self.plans.is_wanted(options, entry.risk, caller.name):
                ended = await self._run(entry, replace(order, is_plan=True, key=""), told)
                if ended.outcome != "planned":
                    return ended
                return await self.plans.kept(order, chosen, ended, await self.same_effects.told(order, caller))
            await self._make_way(order, caller)
            if options.plan_id:
                order = await self.plans.held(order, chosen, options.plan_id)
        try:
            ended = await self._run(entry, order, told)
        except SameEffectError as error:
            raise await self.same_effects.after_race(error, caller) from error
        await self.plans.closed(order, ended)
        return ended

    async def _made_to_wait(
        self, entry: Entry, order: Order, target: Target, caller: Caller, told: Told | None, rule: "AskRule"
    ) -> Ended:
        """Plans the call and has it wait for a person. Raises Waiting, unless it ends without a change to be made."""
        ended = await self._run(entry, replace(order, is_plan=True, key=""), told)
        if ended.outcome != "planned":
            return ended
        in_the_way = await self.same_effects.told(order, caller)
        kept = await self.plans.kept(order, target, ended, in_the_way, lasts=lasts(rule))
        raise await self.asking.wait(entry, order, kept, rule)

    async def _make_way(self, order: Order, caller: Caller) -> None:
        """Raises SameEffect if another run is in the way; the one that the order's own key stands for is not."""
        try:
            await self.same_effects.make_way(order, caller)
        except SameEffect:
            if not await self.plans.is_under_way(order):
                raise

    async def _run(self, entry: Entry, order: Order, told: Told | None) -> Ended:
        try:
            with observed.run(order) as seen:
                ended = seen.ended(await self.engine.run(order, told))
        except ConflictError:
            raise
        except (RefusedError, DigestError, TamperedError, NotFoundError) as error:
            if not isinstance(error, RefusedError):
                await self._noticed()
            message = f"{entry.workflow_id} was not run: {error.message}"
            raise NotApproved(message, "list the tools again; if it is missing, ask an approver") from error
        return await self._checked(entry, ended)

    async def _noticed(self) -> None:
        """What was loaded is not what is stored: the tool goes, and the mismatch is told (`watcher`)."""
        try:
            await self.reload()
        except GovernanceError as error:
            log.error("the catalog cannot be loaded again: %s", error.message)

    def complete(self, entry: Entry, inputs: Mapping[str, Json]) -> Mapping[str, Json]:
        """`inputs` with the defaults of those that are left out. Raises BadInput."""
        try:
            return validate_inputs(entry.program, inputs)
        except InputError as error:
            raise self._bad_input(error) from error

    async def _judge_if_large(self, entry: Entry, inputs: Mapping[str, Json]) -> None:
        """Has large inputs judged where nobody waits for them. Raises BadInput."""
        schema = entry.program.main.inputs
        if written_if_large(schema.root, inputs) is None:
            return
        try:
            completed = schema.completed(inputs)
            fault = await first_fault(schema.root, orjson.dumps(completed))
            if fault is not None:
                raise unfit(fault.what, fault.at)
        except InputError as error:
            raise self._bad_input(error) from error
        except Unjudged as error:
            raise BadInput(error.message, "", error.remedy) from error
        schema.vouch(completed)

    def _bad_input(self, error: InputError) -> BadInput:
        return BadInput(self.vault.redact(error.message), error.pointer, "correct this input; nothing was sent")

    def _order(
        self, entry: Entry, inputs: Mapping[str, Json], target: Target, caller: Caller, key: str, run_id: str
    ) -> Order:
        complete = self.complete(entry, inputs)
        return Order(
            run_id=run_id or new_id(),
            revision_id=entry.revision_id,
            digest=entry.digest,
            program=entry.program,
            endpoint=entry.prepared.endpoint(target, entry.profile),
            caller=caller.name,
            inputs=complete,
            secret_names=entry.profile.secrets,
            key=key,
            workflow=f"{entry.workflow_id}@{entry.number}",
            operations=entry.prepared.content.operations,
            role=caller.role,
        )

    async def _checked(self, entry: Entry, ended: Ended) -> Ended:
        """`ended`, where a success whose outputs are not what was promised becomes a failure that says so."""
        fault = await _fault(entry, dict(ended.outputs)) if ended.is_good else ""
        if not fault:
            return ended
        promised = entry.prepared.content.tool.get("outputSchema")
        told = texts_for_objects(promised, ended) if entry.program.is_read_only else None
        if told is not None and not (told.is_good and await _fault(entry, dict(told.outputs))):
            return told
        log.error("run %s of %s: %s", ended.run_id, entry.workflow_id, fault)
        done = tuple(step.step_id for step in entry.program.steps if not step.is_safe)
        was = "everything was carried out" if done else "everything was read"
        remedy = f"{was}; see run {ended.run_id}, and tell whoever compiled the workflow"
        return replace(
            ended, outcome="failed", outputs={}, failure=Failure("", "bad_outputs", fault, None, done, (), remedy)
        )


async def _fault(entry: Entry, outputs: Json) -> str:
    size = len(orjson.dumps(outputs))
    if size > MAX_OUTPUT_BYTES:
        return f"the outputs have {size} bytes, more than {MAX_OUTPUT_BYTES}"
    return "" if await _are_promised(entry, outputs) else "the outputs are not what the tool's output schema promises"


async def _are_promised(entry: Entry, outputs: Json) -> bool:
    schema = entry.prepared.output_schema
    written = written_if_large(schema, outputs)
    if written is None:
        return entry.prepared.accepts_outputs(outputs)
    try:
        return await first_fault(schema, written) is None
    except Unjudged:
        return False
