"""What a former process left behind: runs without an end, closed at start-up with what is known of them.

A request that may change something and whose answer is not on record may have been carried out: the run is unknown,
and says what to look at. Otherwise nothing more happened than what stands there, and the run has failed. Nothing is
ever sent from here. Runs of a process that is still at work on the same machine are left to it.
"""

import logging
import os
import socket

from sqlalchemy import select

from governance.errors import ConflictError
from governance.models import RunRow
from governance.runs import Outcome, Run, StepRecord
from runtime.engines.journal import PROCESS, Books
from workflow.events import Failure, to_json

log = logging.getLogger("switchgear.runs")


async def close_open_runs(books: Books) -> tuple[str, ...]:
    """The ids of the runs that were closed."""
    closed = []
    for run_id in await _open_runs(books):
        run = await books.runs.get(run_id)
        if _is_in_other_hands(run):
            continue
        outcome, failure = verdict(run)
        try:
            await books.runs.finish(run.id, outcome, None, to_json(failure))
        except ConflictError:
            continue  # its own process was faster
        log.warning("run %s was left open by a former process and is now %s: %s", run.id, outcome, failure.message)
        closed.append(run.id)
    return tuple(closed)


async def _open_runs(books: Books) -> tuple[str, ...]:
    query = select(RunRow.id).where(RunRow.outcome.is_(None)).order_by(RunRow.id)
    return tuple(await books.database.read(lambda c: list(c.execute(query).scalars())))


def verdict(run: Run) -> tuple[Outcome, Failure]:
    """What is to be said of a run that has no end."""
    records = [step.record for step in run.steps]
    settled = {record.seq for record in records if record.phase != "sending"}
    lost = [record for record in records if record.phase == "sending" and record.seq not in settled]
    done = tuple(dict.fromkeys(record.step_id for record in records if _took_effect(record, records)))
    in_doubt = [record for record in lost if (record.detail or {}).get("changes")]
    if in_doubt:
        last = in_doubt[-1]
        message = f"the server stopped while {last.method} {last.path} was under way; it may have been carried out"
        remedy = "look at the device before asking again: nothing was sent a second time"
        return "unknown", Failure(last.step_id, "interrupted", message, None, done, (), remedy)
    step_id = records[-1].step_id if records else ""
    not_done = tuple(record.step_id for record in lost)
    message = "the server stopped before the run had ended; nothing is in doubt, what is not done was not begun"
    return "failed", Failure(step_id, "interrupted", message, None, done, not_done, "ask again if it is still wanted")


def _took_effect(record: StepRecord, records: list[StepRecord]) -> bool:
    is_good = record.phase == "answered" and record.status is not None and 200 <= record.status < 300
    begun = next((other for other in records if other.seq == record.seq and other.phase == "sending"), None)
    return is_good and begun is not None and begun.step_id != "session" and bool((begun.detail or {}).get("changes"))


def _is_in_other_hands(run: Run) -> bool:
    """Whether the process that wrote the run's last record lives on this machine, and is not this one."""
    writers = [step.record.detail["process"] for step in run.steps if step.record.phase == "sending"]
    if not writers or writers[-1] == PROCESS:
        return False
    host, _, pid = str(writers[-1]).rpartition("/")
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
