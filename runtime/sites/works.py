"""What this installation has for its hub, and how it does what the hub hands over: by the one path of a call.

Who comes by the hub is `hub:NAME` here, with the least of the role that the hub says and the one that the site gives,
and within the scope that the site gives. The workflow has to be what the hub was told of it; then it is a call like any
other (`calls`), under the dispatch's id: a change that is asked for twice is the same run, also after a restart, and
whatever has changed meanwhile, what was begun under the id is told first. What a person here has to let through is
waited for; what the hub wants to end, ends between two requests. Called by `edge`.
"""

import asyncio
import base64
import logging
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from governance.errors import ConflictError, GovernanceError, NotFoundError, PlanError, TransitionError
from governance.registry.servers import is_of_site
from governance.storage.identifiers import new_id
from runtime.call_options import CallOptions
from runtime.caller import Caller
from runtime.calls.asking import told as told_ask
from runtime.calls.messages import told
from runtime.catalog.entries import Entry
from runtime.catalog.snapshot import Catalog
from runtime.engines.durable import stored_end
from runtime.engines.engine import Ended
from runtime.errors import Interrupted, ServingError, Waiting
from runtime.problems import message_of
from runtime.sites.contents import DEADLINE_S, pin_of_site, told_of
from runtime.sites.edge import Dispatched, Offer, Standing
from runtime.sites.membership import Membership
from runtime.sites.outgoing import BUNDLE
from workflow.json.canonical import digest
from workflow.tool import free_name

if TYPE_CHECKING:
    from runtime.service import Service

log = logging.getLogger("switchgear.sites")
Json = Any
PAUSE_S = 0.5
# A minute: a record that cannot be read for longer has to be looked at by somebody.
MOST_TRIES = 120
MOST_TARGETS = 500
# Less than a run at the hub may take, so that this site says it and not the hub's deadline.
WAITS_FOR_PEOPLE_S = DEADLINE_S - 600
NOT_BEGUN = {"outcome": "cancelled", "has_changed": False, "message": "it was cancelled, and nothing was begun."}
SAID = CallOptions(is_confirmed=True)  # whoever asked at the hub was asked there


class ServiceWorks:
    def __init__(self, service: "Service", membership: Membership) -> None:
        self._service = service
        self._me = membership
        self._made_for: Catalog | None = None
        self._offer = Offer("", ())
        self._told: dict[str, tuple[str, dict[str, Json]]] = {}

    async def offer(self) -> Offer:
        """Made once for each catalog; what goes up is what the scope of the hub holds, and no other site's."""
        seen = self._service.live.seen_by(self._me.scope)
        if seen is not self._made_for:
            entries = [each for each in seen.entries.values() if not is_of_site(each.api)]
            self._told = {each.digest + each.target_argument: self._told_of(each) for each in entries}
            told = tuple(sorted(self._told.values(), key=lambda pair: str(pair[1]["name"])))
            targets = {target.name: target for each in entries for target in each.targets}
            shown = [{"name": n, "api": t.api, "labels": dict(t.labels)} for n, t in sorted(targets.items())]
            pins = digest([[pin for pin, _ in told], shown])
            self._offer = Offer(pins, tuple(each for _, each in told), tuple(shown[:MOST_TARGETS]))
            self._made_for = seen
        return self._offer

    def _told_of(self, entry: Entry) -> tuple[str, dict[str, Json]]:
        known = self._told.get(entry.digest + entry.target_argument)
        if known is not None:
            return known
        told = told_of(entry)
        return pin_of_site(told), told

    async def carry_out(self, wanted: Dispatched, at: Standing) -> Mapping[str, Json]:
        """Raises nothing but cancellation: the site ends, and the hub asks the next process."""
        caller = Caller(f"hub:{wanted.caller}", self._me.role_of(wanted.role), self._me.scope)
        work = _Work(wanted, caller, at, asyncio.get_running_loop().time() + WAITS_FOR_PEOPLE_S)
        ending = asyncio.create_task(self._end_when_asked(work))
        try:
            return await self._answered(work)
        finally:
            ending.cancel()

    async def _answered(self, work: "_Work") -> Mapping[str, Json]:
        wanted, caller = work.wanted, work.caller
        for _ in range(MOST_TRIES):
            try:
                return await self._carried_out(work)
            except Interrupted:  # this process ends; the run goes on in the next one
                await asyncio.sleep(PAUSE_S)
            except GovernanceError as error:
                if not await self._may_be_begun(wanted, caller):
                    return _refused(error)
                log.warning("what was begun for the hub cannot be looked up yet: %s", error.message)
                await asyncio.sleep(PAUSE_S)
        return {"outcome": "unknown", "message": "what became of it cannot be read at the site."}

    async def _carried_out(self, work: "_Work") -> Mapping[str, Json]:
        wanted, caller = work.wanted, work.caller
        if wanted.workflow == BUNDLE:
            return await self._imported(wanted, caller)
        known = await self._service.open_runs.asked(caller.name, wanted.id)
        if known is not None:
            return _answer(await self._end_of(known))
        try:
            entry = self._service.live.seen_by(caller.scope).find(wanted.workflow)
            if is_of_site(entry.api) or self._told_of(entry)[0] != wanted.pin:
                raise ServingError("it is another workflow now than the hub was told.", "approve it at the hub again")
            inputs = dict(wanted.inputs)
            target = inputs.pop(free_name("target", entry.prepared.input_names), None)
            return await self._called(work, entry, inputs, target)
        except Interrupted:
            raise
        except (ServingError, PlanError) as error:
            return _refused(error)

    async def _called(
        self, work: "_Work", entry: Entry, inputs: Mapping[str, Json], target: str | None
    ) -> Mapping[str, Json]:
        """Once a person here has let it through, where one has to. Raises what `Calls.call` raises."""
        key = "" if entry.risk == "read" else work.wanted.id
        while not work.at.cancelled.is_set():
            work.run_id = new_id()
            try:
                ended = await self._service.calls.call(
                    entry, inputs, target, work.caller, SAID, key=key, run_id=work.run_id
                )
                return _answer(ended)
            except Waiting as error:
                if error.more["state"] != "waiting":
                    raise
                await self._let_through(work, error)
        return NOT_BEGUN

    async def _let_through(self, work: "_Work", waiting: Waiting) -> None:
        """Returns when a person has decided, or it is not wanted any more. Raises Waiting where nobody did in time."""
        work.at.wait(f"a person there has to let it through until {waiting.more['expires_at']}")
        try:
            while not work.at.cancelled.is_set():
                ask = await self._service.asks.get(str(waiting.more["plan_id"]))
                if ask.state == "waiting" and asyncio.get_running_loop().time() >= work.patient_until:
                    ask = replace(ask, state="ended")
                if ask.state == "ended":
                    raise told_ask(ask)
                if ask.state != "waiting":
                    return
                await asyncio.sleep(PAUSE_S)
        finally:
            work.at.wait("")

    async def _end_when_asked(self, work: "_Work") -> None:
        """Has the run end as soon as the hub wants it to, and there is one."""
        await work.at.cancelled.wait()
        while True:
            try:
                known = await self._service.open_runs.asked(work.caller.name, work.wanted.id)
                await self._service.open_runs.ask_cancel(known or work.run_id, actor=work.caller.name)
            except TransitionError:
                return
            except GovernanceError as error:
                if not isinstance(error, NotFoundError):
                    log.warning("that the hub wants a run to end cannot be written down yet: %s", error.message)
                await asyncio.sleep(PAUSE_S)
            else:
                return

    async def _imported(self, wanted: Dispatched, caller: Caller) -> Mapping[str, Json]:
        """By the keys that are trusted here and the policy here, if bundles may come this way at all."""
        from governance.bundles.importing import BundleStore

        if not self._me.takes_bundles:
            return {"outcome": "refused", "message": "this site takes no bundles from its hub."}
        data = base64.b64decode(str(wanted.inputs.get("bundle", "")))
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "sent.bundle"
            await asyncio.to_thread(file.write_bytes, data)
            try:
                verdict = await BundleStore(self._service.database).bring_in(file, actor=caller.name, role="admin")
            except GovernanceError as error:
                return _refused(error)
        await self._service.live.reload()
        about = f"{verdict.manifest.name} {verdict.manifest.version}"
        return {
            "outcome": "succeeded",
            "message": f"{about}: {'it was there already' if verdict.is_known else 'imported'}",
        }

    async def _end_of(self, run_id: str) -> Ended:
        """How a run ends that was begun before, by whichever process."""
        while True:
            run = await self._service.runs.get(run_id)
            if run.outcome is not None:
                return stored_end(run)
            await asyncio.sleep(PAUSE_S)

    async def _may_be_begun(self, wanted: Dispatched, caller: Caller) -> bool:
        """Whether there is, or may be, a run under the id."""
        try:
            return await self._service.open_runs.asked(caller.name, wanted.id) is not None
        except ConflictError:
            return True
        except GovernanceError:
            return True


@dataclass(slots=True)
class _Work:
    """A dispatch on its way. `run_id`: of the run that is begun for it; `patient_until`: of the loop's clock."""

    wanted: Dispatched
    caller: Caller
    at: Standing
    patient_until: float
    run_id: str = ""


def _refused(error: Exception) -> dict[str, Json]:
    return {"outcome": "refused", "message": message_of(error), "remedy": str(getattr(error, "remedy", ""))}


def _answer(ended: Ended) -> dict[str, Json]:
    failure = ended.failure
    return {
        "outcome": ended.outcome,
        "run_id": ended.run_id,
        "outputs": dict(ended.outputs),
        "message": "" if ended.outcome == "succeeded" else told(ended),
        "has_changed": bool(ended.done or (failure is not None and (failure.done or failure.may_be_done))),
    }
