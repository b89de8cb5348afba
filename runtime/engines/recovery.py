"""What became of the requests of a run whose process is gone, as far as the record tells.

A request is on record before it leaves, and what became of it a little later. Without the latter it may have been
carried out. `fate_before` answers for the one request that a run was about to make, when it is taken up; `verdict`
for a run that nobody can carry on. Nothing is ever sent from here. Called by `durable_run` and `supervisor`.
"""

from collections.abc import Callable

from governance.runs.runs import Run, StepRecord
from workflow.requests.events import Doubt, Failure, Outcome, RequestFailed, SendRequest

Judge = Callable[[Run, str], tuple[Outcome, Failure]]
STOPPED = "the server stopped while it was under way"


def fate_before(run: Run, turn: int, command: SendRequest, refused: tuple[int, ...]) -> RequestFailed | None:
    """What is to be said of `command`, the request of `turn`; None: it may be sent.

    It may when it is a read, or nothing of it left, or the answer (`refused`: the session has expired) says that it was
    not carried out. Of what may be repeated the fate is open all the same: a read decides first (`interpreter`).
    """
    if command.is_safe:
        return None
    records = [step.record for step in run.steps]
    sent = [each for each in records if each.phase == "sending" and _is_of(each, turn)]
    if not sent:
        return None
    end = next((each for each in records if each.seq == sent[-1].seq and each.phase != "sending"), None)
    if end is not None and (end.status in refused or (end.detail or {}).get("reason") in ("not_sent", "refused")):
        return None
    return RequestFailed(command.step_id, "unknown_fate", STOPPED)


def _is_of(record: StepRecord, turn: int) -> bool:
    detail = record.detail or {}
    return detail.get("turn") == turn and detail.get("purpose") == "step"


def verdict(run: Run, why: str, end: str = "the server stopped") -> tuple[Outcome, Failure]:
    """What is to be said of a run that has no end and is not carried on; `why` not. `end`: what broke it off."""
    records = [step.record for step in run.steps]
    settled = {record.seq for record in records if record.phase != "sending"}
    lost = [record for record in records if record.phase == "sending" and record.seq not in settled]
    done = tuple(dict.fromkeys(record.step_id for record in records if _took_effect(record, records)))
    in_doubt = [record for record in lost if (record.detail or {}).get("changes")]
    if in_doubt:
        last = in_doubt[-1]
        request = f"{last.method} {last.path}"
        message = f"{request} was under way when {end}, and may have been carried out; {why}"
        remedy = "look at the device before asking again: nothing was sent a second time"
        doubt = Doubt(request, "it may have been carried out")
        return "unknown", Failure(last.step_id, "interrupted", message, None, done, (), remedy, doubt)
    step_id = records[-1].step_id if records else ""
    not_done = tuple(record.step_id for record in lost)
    message = f"{end} before the run had ended; nothing is in doubt; {why}"
    return "failed", Failure(step_id, "interrupted", message, None, done, not_done, "ask again if it is still wanted")


def verdict_unremembered(run: Run, why: str) -> tuple[Outcome, Failure]:
    """What is to be said of a run whose checkpoint could not be written: what was sent is on record all the same."""
    return verdict(run, why, "it was broken off here")


def verdict_elsewhere(run: Run, why: str) -> tuple[Outcome, Failure]:
    """What is to be said of a run that was copied while it was open: nothing here tells how it ended."""
    records = [step.record for step in run.steps]
    done = tuple(dict.fromkeys(record.step_id for record in records if _took_effect(record, records)))
    step_id = records[-1].step_id if records else ""
    doubt = Doubt("what came after that", "it may have been carried out by the other installation")
    remedy = "look at the device and at the run there before asking again: nothing was sent from here"
    return "unknown", Failure(step_id, "interrupted", why, None, done, (), remedy, doubt)


def _took_effect(record: StepRecord, records: list[StepRecord]) -> bool:
    is_good = record.phase == "answered" and record.status is not None and 200 <= record.status < 300
    begun = next((other for other in records if other.seq == record.seq and other.phase == "sending"), None)
    return is_good and begun is not None and begun.step_id != "session" and bool((begun.detail or {}).get("changes"))
