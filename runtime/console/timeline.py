"""The requests of a run in the order in which they were sent, each with what became of it, and the waits between.

Two sources say it: the records that were written before and after each request, and the journal, which has what was in
them, masked. A record goes with the next request of the journal that is of its step and method; those that have none (a
login, a repeated read) stand alone. Pure. Called by the page of a run.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

Json = Any
# Of a page of 100 kB; each entry has half a kilobyte of its own.
MOST_BYTES, MOST_TEXT, MOST_ENTRIES = 16_000, 4_000, 40
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


def shortened(entries: Sequence[dict[str, Json]]) -> list[dict[str, Json]]:
    """The same as a page holds it: texts in the place of values, of many entries the first and the last.

    `kind` is `more` where some are left out, with their `count`.
    """
    shown, left = list(entries), MOST_BYTES
    if len(shown) > MOST_ENTRIES:
        half = MOST_ENTRIES // 2
        shown = [*shown[:half], {"kind": "more", "count": len(shown) - 2 * half}, *shown[-half:]]
    found = []
    for each in shown:
        sent, answered = each.get("sent") or {}, each.get("answered") or {}
        texts = {"sent_text": _text(sent, left) if sent.get("body") or sent.get("query") else ""}
        left -= len(texts["sent_text"].encode())
        texts["answer_text"] = _text(answered["body"], left) if answered.get("body") else ""
        left -= len(texts["answer_text"].encode())
        found.append({**each, **texts})
    return found


def _text(value: Json, left: int) -> str:
    """As much of it as a page has room for."""
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode()
    most = min(MOST_TEXT, max(left, 0))
    return text if len(text) <= most else f"{text[:most]}… (cut: the journal has the whole)"


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
