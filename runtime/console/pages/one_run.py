"""One run as a timeline of its requests: what was sent and answered (masked), waits, what the device said, differences.

The records of requests are always there; the journal adds what was in them, where it was kept. A run under way can be
cancelled, one that is unknown resolved: by what a person found out, or by the read that would tell.
"""

from typing import Any

from starlette.responses import Response

from runtime.console.desk import Desk, see
from runtime.console.inside import Refusal, at
from runtime.console.timeline import timeline_of

Json = Any


async def show(desk: Desk) -> Response:
    run_id = desk.request.path_params["run_id"]
    run = await desk.api.get(at("runs", run_id))
    journal = await desk.api.find(at("runs", run_id, "journal")) if run["outcome"] else None
    turns = journal["turns"] if journal else []
    return desk.page("run.html", run=run, timeline=timeline_of(run["steps"], turns), has_journal=bool(turns))


async def act(desk: Desk) -> Response:
    """Cancels it, or says what became of the request in doubt, or has that looked for."""
    run_id, action = desk.request.path_params["run_id"], desk.form.get("action")
    body: Json = None
    if action == "cancel":
        await desk.api.ask("POST", at("runs", run_id, "cancel"))
    elif action in ("look", "happened", "not happened"):
        body = {"look": True} if action == "look" else {"has_happened": action == "happened"}
        if action != "look":
            body |= {"goes_on": desk.form.get("goes_on") == "yes", "note": desk.form.get("note")}
        await desk.api.ask("POST", at("runs", run_id, "resolve"), body=body)
    else:
        raise Refusal(422, "bad request", "The form does not say what is to be done.", "choose one of its buttons")
    return see(at("console", "runs", run_id))
