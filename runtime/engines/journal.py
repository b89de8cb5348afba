"""The record of one run as it happens: the witness of its requests, kept in governance's tables.

Before a request leaves, its row and its audit row are on the disk, together with what became of the request before
it. The answer to a request that changes something is written at once; the answer to a read may wait for the next
write, so that a run of one read costs two commits. Everything is redacted here, by the names that the profile calls
secret and by the values that this process knows. Called by `direct` and, as the witness, by the driver.
"""

import logging
import os
import socket
from dataclasses import replace
from typing import Any

from governance.audit import AuditLog
from governance.database import Database
from governance.errors import GovernanceError
from governance.revisions import RevisionStore
from governance.runs import RunStore, StepRecord
from runtime.engines.engine import Ended, Order
from runtime.secrets import Vault
from runtime.witness import Answered, Sending
from workflow.events import to_json

log = logging.getLogger("switchgear.runs")
Json = Any
# Who wrote a record: recovery leaves runs alone whose process is still at work beside it.
PROCESS = f"{socket.gethostname()}/{os.getpid()}"


class Books:
    """What every journal writes into. `revisions` is shared with the catalog, which knows what is whole already."""

    def __init__(self, database: Database, revisions: RevisionStore, vault: Vault) -> None:
        self.database = database
        self.runs = RunStore(database)
        self.revisions = revisions
        self.audit = AuditLog(database)
        self.vault = vault


class Journal:
    def __init__(self, books: Books, order: Order) -> None:
        self._books = books
        self._order = order
        self._is_open = False
        self._requests = 0
        self._numbers: dict[int, int] = {}
        self._unwritten: list[StepRecord] = []

    @property
    def has_sent(self) -> bool:
        """Whether a request may have left under this run."""
        return self._requests > 0

    async def sending(self, note: Sending) -> None:
        """Returns when the request is on record. Raises GovernanceError; then it must not be sent."""
        record = self._record(self._requests + 1, note, "sending", detail=self._detail(note))
        if self._is_open:
            await self._books.runs.record_steps(
                self._order.run_id, (*self._unwritten, record), actor=self._order.caller
            )
        else:
            await self._open(record)
        self._unwritten.clear()
        self._requests += 1
        self._numbers[id(note)] = self._requests

    async def answered(self, note: Answered) -> None:
        """Keeps what came of a request; of one that changes something, at once if the database takes it."""
        sending = note.sending
        record = self._record(
            self._numbers.pop(id(sending)),
            sending,
            "failed" if note.status is None else "answered",
            status=note.status,
            duration_ms=round(note.duration_ms, 3),
            detail={"reason": note.reason} if note.reason else None,
        )
        self._unwritten.append(record)
        if sending.is_safe:
            return
        try:
            await self._books.runs.record_steps(self._order.run_id, tuple(self._unwritten), actor=self._order.caller)
        except GovernanceError as error:
            # It is written together with the next record; no further request leaves before that has worked.
            log.error("run %s: an answer is not recorded yet: %s", self._order.run_id, error.message)
            return
        self._unwritten.clear()

    def cleaned(self, ended: Ended) -> Ended:
        """`ended` without secrets, fit to be recorded and to be handed to the caller."""
        failure = ended.failure
        if failure is not None:
            redact = self._books.vault.redact
            failure = replace(failure, message=redact(failure.message), remedy=redact(failure.remedy))
        return replace(ended, outputs=self._clean(ended.outputs), failure=failure)

    async def finish(self, ended: Ended) -> None:
        """Closes the run; `ended` is cleaned. Raises GovernanceError: the run is then closed at the next start."""
        if not self._is_open:
            await self._open(None)
        order = self._order
        if len(self._unwritten) > 1:
            await self._books.runs.record_steps(order.run_id, tuple(self._unwritten[:-1]), actor=order.caller)
            del self._unwritten[:-1]
        await self._books.runs.finish(
            order.run_id,
            ended.outcome,
            dict(ended.outputs),
            to_json(ended.failure) if ended.failure else None,
            last=self._unwritten[0] if self._unwritten else None,
            actor=order.caller,
        )
        self._unwritten.clear()

    async def _open(self, first: StepRecord | None) -> None:
        """The run's own row, with its first request. What is to be run must be approved at this moment."""
        order = self._order
        guard = self._books.revisions.guard(order.revision_id, order.digest)
        inputs = self._clean(order.inputs)
        target = order.endpoint.name
        await self._books.runs.create(
            order.run_id, order.revision_id, order.digest, target, order.caller, inputs, first=first, guard=guard
        )
        self._is_open = True

    def _record(self, seq: int, note: Sending, phase: Any, **more: Any) -> StepRecord:
        return StepRecord(seq, note.step_id, phase, note.method, self._books.vault.redact(note.path), **more)

    @staticmethod
    def _detail(note: Sending) -> dict[str, Json]:
        told = {"purpose": note.purpose, "attempt": note.attempt, "process": PROCESS}
        return told if note.is_safe else {**told, "changes": True}

    def _clean(self, value: Json) -> Json:
        return self._books.vault.redact(value, self._order.secret_names)


class AuditOnly:
    """The witness of requests that belong to no run: sessions closed when the server stops."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit

    async def sending(self, note: Sending) -> None:
        await self._audit.append("runtime", "request.sending", "session", _told(note))

    async def answered(self, note: Answered) -> None:
        try:
            told = {**_told(note.sending), "status": note.status}
            await self._audit.append("runtime", "request.answered", "session", told)
        except GovernanceError as error:
            log.error("the end of a session is not recorded: %s", error.message)


def _told(note: Sending) -> dict[str, Json]:
    return {"step_id": note.step_id, "method": note.method, "path": note.path, "purpose": note.purpose}
