"""The record of one run as it happens: the witness of its requests, kept in governance's tables.

Before a request leaves, its row and its audit row are on the disk, together with what became of the request before
it: that record is the fence, since it is refused when the run is in other hands. What became of a request waits for the
next record, so that a request costs one commit; a durable run keeps it in its checkpoint meanwhile. Everything is
redacted here, by the names that the profile calls secret and by the values that this process knows. Called by the
engines and, as the witness, by the driver.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from governance.approval.revisions import RevisionStore
from governance.audit.log import AuditLog
from governance.errors import GovernanceError
from governance.runs.open_runs import OpenRuns, print_of
from governance.runs.runs import IdempotencyKey, Run, RunStore, StepRecord
from governance.storage.database import Database
from runtime.driver.witness import Answered, Sending
from runtime.engines.conformance import Misfit, ResponseConformance
from runtime.engines.engine import Ended, Order
from runtime.engines.recording import Recording, under
from runtime.observing import observed, traces
from runtime.secrets import MASK, Vault
from workflow.requests.events import Doubt, Failure, to_json

log = logging.getLogger("switchgear.runs")
Json = Any


class RunRecords:
    """What every journal writes into. `revisions` is shared with the catalog, which knows what is whole already.

    `replies`: what a device's answers are held against.
    """

    def __init__(
        self, database: Database, revisions: RevisionStore, vault: Vault, replies: ResponseConformance
    ) -> None:
        self.database = database
        self.runs = RunStore(database)
        self.open_runs = OpenRuns(database)
        self.revisions = revisions
        self.audit = AuditLog(database)
        self.vault = vault
        self.replies = replies


class Journal:
    """`executor`: this process, in whose hands the run is. `turn` is written beside each request, for `fate_before`.

    `part`: how often the run was gone on with; each part has a `recording`, written with its end. `is_lasting`: its
    records outlive a power cut, too; what changes nothing can do without.
    """

    def __init__(self, books: RunRecords, order: Order, executor: str, *, is_lasting: bool = True) -> None:
        self._books = books
        self._order = order
        self._executor = executor
        self._is_lasting = is_lasting
        self._is_open = False
        self._requests = 0
        self._numbers: dict[int, int] = {}
        self._unwritten: list[StepRecord] = []
        self._misfits = 0
        # What the run takes for itself with its next record, see `governance.runs.effects`.
        self.effects: tuple[str, ...] = order.effects()
        self.respects: tuple[str, ...] = ()
        self.turn = 0
        self.part = 0
        # What the caller gave as a secret is one wherever this run's device repeats it.
        self._given = Vault({})
        for text in under(order.inputs, frozenset(name.lower() for name in order.secret_names)):
            self._given.remember(text)
        self.recording = Recording(order, books.vault)
        # An engine goes on in a task of its own; what is seen of the run belongs to whoever asked for it.
        self.place = traces.here()
        self._begun = time.monotonic()

    @property
    def has_sent(self) -> bool:
        """Whether a request may have left under this run."""
        return self._requests > 0

    @property
    def is_open(self) -> bool:
        """Whether the run is on record."""
        return self._is_open

    @property
    def unwritten(self) -> tuple[StepRecord, ...]:
        """What became of requests and is not in the tables yet."""
        return tuple(self._unwritten)

    async def open(self, first: StepRecord | None = None, *, is_durable: bool = False) -> None:
        """The run's own row, with its first request. What is to be run must be approved at this moment."""
        order, asked = self._order, None
        if order.key:
            proof = print_of(order.run_id, order.revision_id, order.endpoint.name, dict(order.inputs))
            asked = IdempotencyKey(order.key, proof)
        await self._books.runs.create(
            order.run_id,
            order.revision_id,
            order.digest,
            order.endpoint.name,
            order.caller,
            self.clean(order.inputs),
            executor=self._executor,
            is_durable=is_durable,
            asked=asked,
            effects=self.effects,
            first=first,
            guard=self._books.revisions.guard(order.revision_id, order.digest),
            is_lasting=self._is_lasting,
        )
        self._is_open = True

    def take_over(self, run: Run, unwritten: Iterable[StepRecord]) -> None:
        """Goes on where another process stopped writing; `unwritten` is what its last checkpoint held."""
        stored = {(step.record.seq, step.record.phase) for step in run.steps}
        self._unwritten = [record for record in unwritten if (record.seq, record.phase) not in stored]
        self._misfits = misfits_in((*(step.record for step in run.steps), *self._unwritten))
        self._requests = max((step.record.seq for step in run.steps), default=0)
        self._is_open = True

    async def sending(self, note: Sending) -> None:
        """Returns when the request is on record. Raises GovernanceError; then it must not be sent.

        A record that has begun is completed when the waiting task is cancelled; the request then counts as not sent.
        """
        recording = asyncio.create_task(self._recorded(note))
        try:
            await asyncio.shield(recording)
        except asyncio.CancelledError:
            await asyncio.wait((recording,))
            if recording.exception() is None:
                await self.answered(Answered(note, None, "not_sent", 0.0))
            raise

    async def _recorded(self, note: Sending) -> None:
        record = self._record(self._requests + 1, note, "sending", detail=self._detail(note))
        if self._is_open:
            records = (*self._unwritten, record)
            await self._books.runs.record_steps(
                self._order.run_id,
                records,
                actor=self._order.caller,
                executor=self._executor,
                effects=() if note.is_safe else self.effects,
                respects=() if note.is_safe else self.respects,
                is_lasting=self._is_lasting,
            )
        else:
            await self.open(record)
        self._unwritten.clear()
        self._requests += 1
        self._numbers[id(note)] = self._requests

    async def answered(self, note: Answered) -> None:
        """Keeps what came of a request for the next record."""
        record = self._record(
            self._numbers.pop(id(note.sending)),
            note.sending,
            "failed" if note.status is None else "answered",
            status=note.status,
            duration_ms=round(note.duration_ms, 3),
            detail={"reason": note.reason} if note.reason else None,
        )
        self._unwritten.append(record)
        observed.request_line(self._order, note)

    def found(self, misfits: Sequence[Misfit]) -> None:
        """Adds to the answer that came last what about it is not as described."""
        last, told = self._unwritten[-1], self.clean([each.to_json() for each in misfits])
        self._unwritten[-1] = replace(last, detail={**(last.detail or {}), "misfits": told})
        self._misfits += len(misfits)

    async def reach(self, seal: str) -> None:
        """Has the audit say which checkpoint the run came to, with what became of its last request where that is open.

        Where the database does not take it, it is said with the next record; a process that dies before closes the run.
        """
        if self._unwritten:
            last = self._unwritten[-1]
            self._unwritten[-1] = replace(last, detail={**(last.detail or {}), "reached": seal})
            await self.flush()
            return
        with contextlib.suppress(GovernanceError):
            await self._books.open_runs.note_reached(self._order.run_id, seal, actor=self._order.caller)

    async def flush(self) -> None:
        """Writes what became of requests, whoever has the run now: it is true all the same. Gives up in silence."""
        if not (self._is_open and self._unwritten):
            return
        try:
            await self._books.runs.record_steps(
                self._order.run_id, self._unwritten, actor=self._order.caller, is_lasting=self._is_lasting
            )
        except GovernanceError as error:
            log.error("run %s: an answer is not recorded yet: %s", self._order.run_id, error.message)
            return
        self._unwritten.clear()

    def cleaned(self, ended: Ended) -> Ended:
        """`ended` without secrets, fit to be recorded and to be handed to the caller."""
        failure = ended.failure and self._clean_failure(ended.failure)
        cleaned = replace(
            ended,
            outputs=self.clean(ended.outputs),
            failure=failure,
            note=self.clean(ended.note),
            verified_why=self._cleaned_why(ended),
            differences=tuple(self._cleaned_difference(each) for each in ended.differences),
            misfits=self._misfits,
        )
        with traces.within(self.place):
            observed.run_ended(self._order, cleaned, time.monotonic() - self._begun)
        return cleaned

    def _cleaned_why(self, ended: Ended) -> str:
        """Where something is otherwise it quotes the device, which may have sent secrets."""
        why: str = self.clean(ended.verified_why)
        return str(self.recording.heard_secrets().redact(why)) if ended.differences else why

    def _cleaned_difference(self, told: Mapping[str, Json]) -> Mapping[str, Json]:
        """All values masked where their place is that of a secret."""
        name = str(told["place"]).rpartition("/")[2]
        values = {member: value for member, value in told.items() if member != "place"}
        masked = self.clean({name: [*values.values()]})[name]
        shown = masked if isinstance(masked, list) else [MASK] * len(values)
        return {"place": told["place"], **dict(zip(values, shown, strict=True))}

    def _clean_failure(self, failure: Failure) -> Failure:
        """`failure` without what is secret, and without what the device sent under a secret name."""
        heard = self.recording.heard_secrets()

        def redact(value: Json) -> Json:
            return heard.redact(self.clean(value))

        doubt = failure.doubt and Doubt(*(redact(getattr(failure.doubt, name)) for name in Doubt.__slots__))
        words = {name: redact(getattr(failure, name)) for name in ("message", "remedy")}
        return replace(failure, **words, said=tuple(map(redact, failure.said)), doubt=doubt)

    async def finish(self, ended: Ended, resume: Json = None) -> None:
        """Closes the run; `ended` is cleaned. Raises GovernanceError: the run is then still open."""
        if not self._is_open:
            await self.open(None)
        await self._books.runs.finish(
            self._order.run_id,
            ended.outcome,
            dict(ended.outputs),
            to_json(ended.failure) if ended.failure else None,
            verdict=ended.verdict,
            last=self.unwritten,
            resume=resume,
            journal=self.recording.stored(),
            part=self.part,
            actor=self._order.caller,
            executor=self._executor,
            is_lasting=self._is_lasting,
        )
        self._unwritten.clear()

    def clean(self, value: Json) -> Json:
        """`value` with its secrets masked."""
        return self._given.redact(self._books.vault.redact(value, self._order.secret_names))

    def _record(self, seq: int, note: Sending, phase: Any, **more: Any) -> StepRecord:
        return StepRecord(seq, note.step_id, phase, note.method, self.clean(note.path), **more)

    def _detail(self, note: Sending) -> dict[str, Json]:
        told = {"purpose": note.purpose, "attempt": note.attempt, "turn": self.turn}
        return told if note.is_safe else {**told, "changes": True}


def misfits_in(records: Iterable[StepRecord]) -> int:
    """How many places of replies are on record as not as described."""
    return sum(len((record.detail or {}).get("misfits", ())) for record in records)


class AuditOnly:
    """The witness of requests that belong to no run: sessions closed when the server stops."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit

    async def sending(self, note: Sending) -> None:
        await self._audit.append("runtime", "request.sending", f"target:{note.target}", _told(note))

    async def answered(self, note: Answered) -> None:
        try:
            told = {**_told(note.sending), "status": note.status}
            await self._audit.append("runtime", "request.answered", f"target:{note.sending.target}", told)
        except GovernanceError as error:
            log.error("the end of a session is not recorded: %s", error.message)


def _told(note: Sending) -> dict[str, Json]:
    return {"step_id": note.step_id, "method": note.method, "path": note.path, "purpose": note.purpose}
