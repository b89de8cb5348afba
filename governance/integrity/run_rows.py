"""Runs, their requests, journals and effects held against the audit: the bulk of the rows, so a page at a time.

A run that has ended long ago is forgotten with an audit row that says until when; one that is missing otherwise was
taken away. Here never lives how one run is compared (`governance.audit.run_verification`).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.engine import Row

from governance.audit.log import is_intact
from governance.audit.run_verification import CANCEL_ASKED, compare, print_of_journal
from governance.audit.verification import is_about, told_about
from governance.errors import TamperedError
from governance.runs.open_runs import FORGOTTEN
from governance.storage.identifiers import from_text
from governance.storage.models import AuditEntry, RunEffectRow, RunJournalRow, RunRow, RunStepRow, table_of

PAGE = 200
_RUN = table_of(RunRow)
_STEP = table_of(RunStepRow)
_JOURNAL = table_of(RunJournalRow)
_EFFECT = table_of(RunEffectRow)
_AUDIT = table_of(AuditEntry)


def runs(connection: Connection) -> Iterator[str]:
    """Rows of runs and of their requests and journals."""
    last = ""
    while page := connection.execute(select(_RUN).where(_RUN.c.id > last).order_by(_RUN.c.id).limit(PAGE)).all():
        last = page[-1].id
        yield from _of(connection, page)
    yield from _missing(connection)


def _of(connection: Connection, page: Sequence[Row[Any]]) -> Iterator[str]:
    ids = [row.id for row in page]
    steps: dict[str, list[Row[Any]]] = defaultdict(list)
    journals: dict[str, list[Row[Any]]] = defaultdict(list)
    told: dict[str, list[Row[Any]]] = defaultdict(list)
    for step in connection.execute(select(_STEP).where(_STEP.c.run_id.in_(ids))):
        steps[step.run_id].append(step)
    for journal in connection.execute(select(_JOURNAL).where(_JOURNAL.c.run_id.in_(ids)).order_by(_JOURNAL.c.part)):
        journals[journal.run_id].append(journal)
    about = _AUDIT.c.subject.in_([f"run:{one}" for one in ids])
    for entry in connection.execute(select(_AUDIT).where(about).order_by(_AUDIT.c.seq)):
        told[entry.subject[4:]].append(entry)
    for row in page:
        fault = _fault(row, steps[row.id], journals[row.id], told[row.id])
        if fault:
            yield f"the run {row.id} is not as the audit says: {fault}"


def _fault(row: Row[Any], steps: Sequence[Row[Any]], journals: Sequence[Row[Any]], told: Sequence[Row[Any]]) -> str:
    try:
        fault = compare(row, steps, told) or _wished(row, told)
        ends = [from_text(each.detail) for each in told if each.action == "run.finished" and is_intact(each._asdict())]
    except (TamperedError, TypeError, KeyError) as error:
        return f"it cannot be read: {error}"
    if any("ended" not in each for each in ends):  # of before journals were told
        return fault
    wanted = [each["journal"] for each in ends if "journal" in each]
    is_same = [print_of_journal(each.body, each.part) for each in journals] == wanted
    return fault if is_same else f"{fault}; its journal was changed".removeprefix("; ")


def _wished(row: Row[Any], told: Sequence[Row[Any]]) -> str:
    wishes = {each.actor for each in told if each.action == CANCEL_ASKED}
    return "" if row.cancel_by is None or row.cancel_by in wishes else "who asked for its end was changed"


def _missing(connection: Connection) -> Iterator[str]:
    """Runs that the audit knows, that are not there, and that were not old enough to be forgotten."""
    forgotten = [from_text(each.detail)["before"] for each in connection.execute(_about(FORGOTTEN))]
    before = max(forgotten, default="")
    begun, run_id = _AUDIT.c.action == "run.started", func.substr(_AUDIT.c.subject, 5)
    gone = select(_AUDIT.c.subject, _AUDIT.c.at).where(is_about("run"), begun, run_id.not_in(select(_RUN.c.id)))
    for subject, started_at in connection.execute(gone.order_by(_AUDIT.c.seq)).all():
        ended = _AUDIT.c.action.in_(("run.finished", "run.resolved"))
        last = connection.execute(_about(subject).where(ended).order_by(_AUDIT.c.seq.desc()).limit(1)).first()
        if (started_at if last is None else last.at) >= before:
            yield f"the run {subject[4:]} was taken away"


def _about(subject: str) -> Any:
    return select(_AUDIT).where(_AUDIT.c.subject == subject)


def effects(connection: Connection) -> Iterator[str]:
    told = {one[7:]: said["run"] for one, said in told_about(connection, "effect").items() if said and said["has"]}
    stored = {row.effect: row.run_id for row in connection.execute(select(_EFFECT))}
    for effect in sorted({*told, *stored}):
        if told.get(effect) != stored.get(effect):
            yield f"the effect {effect} is not as the audit says"
