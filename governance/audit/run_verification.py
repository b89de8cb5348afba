"""Whether a stored run is what the audit says: asked before a run is carried on, gone on with, or answered for again.

A run's row and the records of its requests decide what is sent after a crash or a doubt. So they are held against the
audit rows about the run: how it was begun, what was recorded, how it ended, what was resolved. A row that nobody began
is no run, and an end that nobody asked for is not brought about. What a change may do that is not compared (who carries
it out) is to end it early. Called by `open_runs` and `runs`. Here never lives what is done about it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.engine import Row

from governance.audit.log import is_intact
from governance.errors import TamperedError
from governance.storage.identifiers import Json, from_text, to_text
from governance.storage.models import AuditEntry, RunRow, RunStepRow, table_of
from workflow.json.canonical import digest_of_texts

ENDED = ("outcome", "finished_at", "outputs", "failure", "verdict")
"""The columns that a run's end writes, but for where it may be gone on from."""
_RUN = table_of(RunRow)
_STEP = table_of(RunStepRow)
_AUDIT = table_of(AuditEntry)
_RECORD = ("seq", "step_id", "phase", "method", "path", "status", "duration_ms", "detail")
CANCEL_ASKED = "run.cancel_asked"
_LAST_WISH = (
    select(_AUDIT)
    .where(_AUDIT.c.subject == bindparam("about"), _AUDIT.c.action.in_((CANCEL_ASKED, "run.resolved")))
    .order_by(_AUDIT.c.seq.desc())
    .limit(1)
)
_BEGUN = ("revision_id", "digest", "target")
UNKNOWN = "the audit knows of no such run"
OVER = "that it is under way was changed"


def is_no_open_run(fault: str) -> bool:
    """Whether by the audit there is nothing to carry on or to close: no such run, or it has ended."""
    return UNKNOWN in fault or OVER in fault


def print_of_key(key: str | None, asked_print: str | None) -> str:
    """What the audit says of the key under which a run was asked for."""
    return digest_of_texts({"key": key or "", "print": asked_print or ""})


def sealed_end(ending: Mapping[str, str | None], journal: str, part: int) -> dict[str, Json]:
    """What the audit says of a run's end, beside what happened: hashes over the columns that tell it, and the journal.

    Their names come before `outcome` in the order of letters: see `search`.
    """
    told: dict[str, Json] = {"ended": digest_of_texts({name: ending.get(name) or "" for name in ENDED})}
    told |= {"journal": print_of_journal(journal, part)} if journal else {}
    return told | ({"left": print_of_text(ending["resume"])} if ending.get("resume") else {})


def print_of_journal(body: str, part: int) -> str:
    return digest_of_texts({"body": body, "part": part})


def print_of_text(text: str | None) -> str:
    return digest_of_texts({"text": text or ""})


def run_fault(connection: Connection, run_id: str) -> str:
    """What of the run is not as the audit says; empty where all is. `UNKNOWN` where it was never begun."""
    row = connection.execute(select(_RUN).where(_RUN.c.id == run_id)).first()
    about = select(_AUDIT).where(_AUDIT.c.subject == f"run:{run_id}").order_by(_AUDIT.c.seq)
    told = connection.execute(about).all()
    steps = connection.execute(select(_STEP).where(_STEP.c.run_id == run_id)).all()
    try:
        return "it is not there" if row is None else compare(row, steps, told)
    except TamperedError as error:  # a column that holds no JSON
        return error.message


def compare(row: Row[Any], steps: Sequence[Row[Any]], told: Sequence[Row[Any]]) -> str:
    """As `run_fault`, of rows that were read: the run's, its requests', and the audit's about it in their order."""
    if not all(is_intact(each._asdict()) for each in told):
        return "an audit row about it was changed"
    if not any(each.action == "run.started" for each in told):
        return UNKNOWN
    checks = (_begun(row, told), _recorded(steps, told), _ended(row, told), _resolved(row, told))
    return "; ".join(fault for fault in checks if fault)


def is_end_asked(connection: Connection, run_id: str) -> bool:
    """Whether somebody asked for the run's end, by the audit, since it was gone on with."""
    wish = connection.execute(_LAST_WISH, {"about": f"run:{run_id}"}).first()
    return wish is not None and wish.action == CANCEL_ASKED and is_intact(wish._asdict())


def _details(told: Sequence[Row[Any]], *actions: str) -> list[Json]:
    return [from_text(each.detail) for each in told if each.action in actions]


def _begun(row: Row[Any], told: Sequence[Row[Any]]) -> str:
    begun = next(each for each in told if each.action == "run.started")
    said = from_text(begun.detail)
    is_same = all(getattr(row, name) == said[name] for name in _BEGUN)
    is_same = is_same and row.caller == begun.actor and row.started_at == begun.at
    is_same = is_same and row.is_durable == said.get("durable", row.is_durable)
    if not is_same or row.inputs != to_text(said["inputs"]):
        return "how it was begun was changed"
    keys = [said["key"] for said in _details(told, "run.started", "run.sealed", "run.key_freed") if "key" in said]
    asked = print_of_key(row.asked_key, row.asked_print) if row.asked_key else None
    return "" if asked == (keys[-1] if keys else None) else "the key that it was asked for under was changed"


def _recorded(steps: Sequence[Row[Any]], told: Sequence[Row[Any]]) -> str:
    stored = sorted(to_text({**{name: getattr(one, name) for name in _RECORD}, "detail": from_text(one.detail)})
                    for one in steps)  # fmt: skip
    said = sorted(each.detail for each in told if each.action.startswith("request."))
    return "" if stored == said else "the records of its requests were changed"


def _ended(row: Row[Any], told: Sequence[Row[Any]]) -> str:
    ends = [each for each in told if each.action in ("run.finished", "run.resolved")]
    is_open = not ends or (ends[-1].action == "run.resolved" and from_text(ends[-1].detail)["goes_on"])
    if is_open != (row.outcome is None):
        return "that it has ended was changed" if is_open else OVER
    if is_open or ends[-1].action == "run.resolved":
        return ""
    said = from_text(ends[-1].detail).get("ended")
    is_same = said in (None, digest_of_texts({name: getattr(row, name) or "" for name in ENDED}))
    return "" if is_same else "how it ended was changed"


def _resolved(row: Row[Any], told: Sequence[Row[Any]]) -> str:
    resolved = _details(told, "run.resolved")
    if row.part != sum(bool(each["goes_on"]) for each in resolved):
        return "how often it was gone on with was changed"
    found = from_text(row.resolution or "null")
    if (found or {}).get("has_happened") != (resolved[-1]["has_happened"] if resolved else None):
        return "what was found out about its request in doubt was changed"
    ends = _details(told, "run.finished")
    if any("ended" not in each for each in ends):  # of before this was told
        return ""
    left = [each["left"] for each in ends if "left" in each]
    is_same = (print_of_text(row.resume) if row.resume else None) == (left[-1] if left else None)
    return "" if is_same else "where it goes on from was changed"
