"""The requests of a run in the order in which they were sent, each with what became of it, and the waits between.

Two sources say it: the records that were written before and after each request, and the journal, which has what was in
them, masked. A record goes with the next request of the journal that is of its step and method; those that have none (a
login, a repeated read) stand alone. Pure. Called by the page of a run.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Json = Any
SENT, ANSWERED, TIMER = "SendRequest", "ResponseArrived", "StartTimer"


def timeline_of(records: Sequence[Mapping[str, Json]], turns: Sequence[Mapping[str, Json]]) -> list[dict[str, Json]]:
    """Each an entry `request` (with `sent` and `answered` where they are known) or `wait` (with its `seconds`)."""
    left = deque(_requests(records))
    found: list[dict[str, Json]] = []
    for each in _told(turns):
        if each["kind"] == "request" and any(_goes_with(record, each) for record in left):
            while not _goes_with(left[0], each):
                found.append(left.popleft())
            each = {**left.popleft(), **each}
        if each["kind"] != "request" or "seq" in each:
            found.append(each)
    return [*found, *left]


def _goes_with(record: Mapping[str, Json], told: Mapping[str, Json]) -> bool:
    return bool((record["step"], record["method"]) == told["of"])


def _requests(records: Sequence[Mapping[str, Json]]) -> list[dict[str, Json]]:
    """One entry a request, by its number."""
    found: dict[int, dict[str, Json]] = {}
    for record in records:
        entry = found.setdefault(
            record["seq"],
            {"kind": "request", "seq": record["seq"], "step": record["step_id"], "method": record["method"],
             "path": record["path"], "at": record["at"], "status": None, "took_ms": None, "end": "sending",
             "detail": None, "sent": None, "answered": None, "reason": ""},
        )  # fmt: skip
        if record["phase"] != "sending":
            detail = record["detail"] if isinstance(record["detail"], Mapping) else {}
            entry |= {"status": record["status"], "took_ms": record["duration_ms"], "end": record["phase"]}
            entry |= {"detail": record["detail"], "reason": str(detail.get("reason", ""))}
    return [found[seq] for seq in sorted(found)]


def _told(turns: Sequence[Mapping[str, Json]]) -> Iterator[dict[str, Json]]:
    """What the journal tells: requests with their replies, and timers."""
    sent: Mapping[str, Json] | None = None
    for turn in turns:
        event, command = turn["event"], turn["command"]
        if sent is not None:
            yield _exchange(sent, _plain(event))
            sent = None
        if command.get("type") == SENT:
            sent = command
        elif command.get("type") == TIMER:
            yield {"kind": "wait", "step": command.get("step_id", ""), "seconds": command.get("seconds", 0)}
    if sent is not None:
        yield _exchange(sent, None)


def _exchange(sent: Mapping[str, Json], answered: Json) -> dict[str, Json]:
    of = (str(sent.get("step_id", "")), str(sent.get("method", "")))
    return {"kind": "request", "of": of, "sent": _plain(sent), "answered": answered}


def _plain(value: Mapping[str, Json]) -> dict[str, Json]:
    shown = ("query", "headers", "body", "content_type", "status", "reason", "type")
    return {name: value[name] for name in shown if value.get(name) not in (None, "", [], {})}
