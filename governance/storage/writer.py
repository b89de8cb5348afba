"""The one writer of a process: a thread that commits units of work, those that wait together in one transaction.

SQLite takes one writer at a time and makes it wait for the disk at each commit; PostgreSQL's writers queue at the
head of the audit chain. So writes are handed to this thread, and whatever has queued up meanwhile shares the next
commit: under load the disk is waited for once for many audit rows, and not at all where nothing in the batch has to
outlive a power cut. A unit of work is a function of a connection; it must be repeatable, since a batch in which one
fails is rolled back and tried again one by one.
A hand-over to a thread and back costs more than a small commit that does not wait for the disk: where nobody writes at
this moment, such a one is made in the caller's thread (`try_now`), and by this one wherever that is not so.
Here never lives SQL. `governance.storage.database` is the only caller.
"""

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from governance.errors import UnavailableError

T = TypeVar("T")
Work = Callable[[Connection], T]


class Prepare(Protocol):
    def __call__(self, connection: Connection, *, is_lasting: bool, is_patient: bool) -> None: ...


MAX_BATCH = 64
"""Enough to amortise a slow disk's flush; small enough that a batch that fails is not costly to repeat."""


class _Job:
    __slots__ = ("future", "is_lasting", "result", "work")

    def __init__(self, work: Work[Any], *, is_lasting: bool) -> None:
        self.work = work
        self.is_lasting = is_lasting
        self.future: Future[Any] = Future()
        self.result: Any = None


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    result: T


class _Caught:
    """Keeps the error that leaves the block, for whoever waits for the result, and lets the thread live on."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    def __enter__(self) -> "_Caught":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> bool:
        if isinstance(error, Exception):
            self.error = error
            return True
        return False


class Writer:
    """`prepare` is called before every transaction and says whether its commit waits for the disk, and whether it waits
    for other writers; `begin` is called first in it and takes the lock that makes writers of all processes queue.
    """

    def __init__(self, engine: Engine, prepare: Prepare, begin: Callable[[Connection], None]) -> None:
        self._engine = engine
        self._prepare = prepare
        self._begin = begin
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._gate = threading.Lock()
        self._turn = threading.Lock()
        self._is_open = True
        self._thread = threading.Thread(target=self._serve, name="switchgear-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Work[T], *, is_lasting: bool = True) -> "Future[T]":
        """The result of `work`, available once it is committed. Raises UnavailableError after `close`."""
        job = _Job(work, is_lasting=is_lasting)
        with self._gate:
            if not self._is_open:
                raise UnavailableError("the database is closed")
            self._queue.put(job)
        return job.future

    def try_now(self, work: Work[T]) -> "Done[T] | None":
        """The result of `work`, committed in this thread, and safe from the end of this process; without waiting.

        None where somebody else writes, or the database does not take it: then nothing of it is stored, and `submit` is
        the way. Raises what `work` raises.
        """
        if not self._turn.acquire(blocking=False):
            return None
        try:
            job = _Job(work, is_lasting=False)
            if not self._is_open or not self._queue.empty():
                return None
            error = self._commit([job], is_patient=False)
        finally:
            self._turn.release()
        if isinstance(error, SQLAlchemyError | sqlite3.Error):
            return None
        if error is not None:
            raise error
        return Done(job.result)

    def close(self) -> None:
        """Returns when everything submitted before is committed or has failed."""
        with self._gate:
            self._is_open = False
            self._queue.put(None)
        self._thread.join()

    def _serve(self) -> None:
        is_open = True
        while is_open:
            batch, is_open = self._next_batch()
            jobs = [job for job in batch if job.future.set_running_or_notify_cancel()]
            if jobs:
                with self._turn:
                    self._settle(jobs)

    def _next_batch(self) -> tuple[list[_Job], bool]:
        first = self._queue.get()
        batch: list[_Job] = []
        job = first
        while job is not None:
            batch.append(job)
            if len(batch) == MAX_BATCH:
                return batch, True
            try:
                job = self._queue.get_nowait()
            except Empty:
                return batch, True
        return batch, False

    def _settle(self, jobs: list[_Job]) -> None:
        error = self._commit(jobs)
        if error is not None and len(jobs) > 1 and not isinstance(error, OperationalError | sqlite3.OperationalError):
            for job in jobs:
                self._settle([job])
            return
        for job in jobs:
            if error is None:
                job.future.set_result(job.result)
            else:
                job.future.set_exception(error)

    def _commit(self, jobs: list[_Job], *, is_patient: bool = True) -> Exception | None:
        with _Caught() as caught, self._engine.connect() as connection:
            self._prepare(connection, is_lasting=any(job.is_lasting for job in jobs), is_patient=is_patient)
            with connection.begin():
                self._begin(connection)
                for job in jobs:
                    job.result = job.work(connection)
        return caught.error
