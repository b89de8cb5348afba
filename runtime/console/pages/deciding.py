"""Decisions: several at once with their requests listed together, or one from its own page; each with its digest.

A form names what was looked at by id and digest, so that what was submitted since is decided by nobody who has not
seen it. A few are shown with all that each sends, many with their operations in a line each. Each goes to the API by
itself: of twenty some may be refused, and the answer says of each what became of it.
"""

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from runtime.console.desk import Desk, see
from runtime.console.inside import ApiRefusal, at
from runtime.console.pages.queue import query_of
from runtime.console.reading import steps_shown
from runtime.console.wishes import nothing_said

Json = Any
# On one page of 100 kB: with all that each sends, and in a line each.
MOST_WHOLE, MOST = 8, 100
ACTIONS = ("approve", "reject", "retire", "disable", "enable")
PAST = {"approve": "approved", "reject": "rejected", "retire": "retired"}


async def show(desk: Desk) -> Response:
    """What was chosen by `chosen`, or by the queue's filters with `all`, with what each would send."""
    chosen = desk.request.query_params.getlist("chosen")
    if desk.asked("all") or len(chosen) > MOST_WHOLE:
        return await _in_short(desk, chosen)
    if not chosen:
        return see("/console/queue")
    shown, lost = [], []
    for ref in chosen:
        try:
            told = await desk.api.get(at("workflows", ref))
        except ApiRefusal as refusal:
            lost.append({"ref": ref, "why": refusal.detail})
            continue
        shown.append({"told": told, "steps": steps_shown(told)})
    return desk.page("decide.html", shown=shown, lost=lost)


async def _in_short(desk: Desk, chosen: Sequence[str]) -> Response:
    wanted: dict[str, Json] = {"id": ",".join(chosen[:MOST])} if chosen else {**query_of(desk)}
    found = await desk.api.page("/workflows/pending", {**wanted, "requests": "true", "limit": MOST})
    gone = {*chosen[:MOST]} - {each["id"] for each in found.json}
    more = max(len(chosen), found.total) - len(found.json) - len(gone)
    return desk.page("decide_many.html", rows=found.json, more=more, gone=sorted(gone))


async def decide(desk: Desk) -> Response:
    """Raises ApiRefusal for a form that asks for nothing that can be done."""
    action, reason = _action(desk, ("approve", "reject")), desk.form.get("reason").strip()
    ends = []
    for item in desk.form.all("item")[:MOST]:
        ref, _, rest = item.partition(" ")
        digest, _, name = rest.partition(" ")
        ends.append({"ref": ref, "name": name or ref, **await _done(desk, action, ref, digest, reason)})
    return desk.page("decided.html", ends=ends, action=action, reason=reason)


async def decide_one(desk: Desk) -> Response:
    """From the page of one workflow, back to it."""
    ref, reason = desk.request.path_params["ref"], desk.form.get("reason").strip()
    action = _action(desk, ACTIONS)
    if action in ("disable", "enable"):
        body = {"reason": reason} if action == "disable" else None
        await desk.api.ask("POST", at("workflows", ref, action), body=body)
    else:
        body = {"digest": desk.form.get("digest"), "reason": reason}
        await desk.api.ask("POST", at("workflows", ref, action), body=body)
    return see(at("console", "workflows", ref))


def _action(desk: Desk, known: tuple[str, ...]) -> str:
    action = desk.form.get("action")
    if action not in known:
        raise nothing_said()
    return action


async def _done(desk: Desk, action: str, ref: str, digest: str, reason: str) -> dict[str, Json]:
    """What became of one of them."""
    try:
        body = {"digest": digest, "reason": reason}
        answer = await desk.api.ask("POST", at("workflows", ref, action), body=body)
    except ApiRefusal as refusal:
        return {"is_done": False, "told": refusal.detail, "remedy": refusal.remedy}
    after = answer.json
    if after["state"] == "pending":
        told = f"your vote counts: {after['votes_counted']} of {after['votes_needed']}"
        return {"is_done": True, "told": told, "remedy": ""}
    return {"is_done": True, "told": PAST[action], "remedy": ""}
