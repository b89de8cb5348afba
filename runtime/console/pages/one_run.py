"""One run as a timeline of its requests: what was sent and answered (masked), waits, what the device said, differences.

The records of requests are always there; the journal adds what was in them, where it was kept. Its result is shown as
table, tree or JSON (`as` in the address), and given whole. A run under way can be cancelled, one that is unknown
resolved: by what a person found out, or by the read that would tell.
"""

from typing import Any

import orjson
from starlette.responses import Response

from runtime.console import rendering
from runtime.console.desk import Desk, see
from runtime.console.inside import ApiRefusal, at
from runtime.console.results import FORMS, fitting, shown
from runtime.console.timeline import shortened, timeline_of
from runtime.console.wishes import nothing_said

Json = Any
MOST_INPUTS = 6_000


async def show(desk: Desk) -> Response:
    return await _shown(desk)


async def _shown(desk: Desk, refusal: ApiRefusal | None = None) -> Response:
    run_id = desk.request.path_params["run_id"]
    run = await desk.api.get(at("runs", run_id))
    journal = await desk.api.find(at("runs", run_id, "journal")) if run["outcome"] else None
    turns = journal["turns"] if journal else []
    timeline = shortened(timeline_of(run["steps"], turns))
    result = shown(run["outputs"], desk.asked("as")) if run["outputs"] else None
    given = fitting(run["inputs"], MOST_INPUTS)
    told = {"run": run, "timeline": timeline, "has_journal": bool(turns), "given": given}
    status = refusal.status if refusal else 200
    return desk.page("run.html", status, **told, result=result, forms=FORMS, refusal=refusal)


async def result(desk: Desk) -> Response:
    """The whole of it, to be kept."""
    run_id = desk.request.path_params["run_id"]
    run = await desk.api.get(at("runs", run_id))
    headers = {**rendering.HEADERS, "content-disposition": 'attachment; filename="result.json"'}
    text = orjson.dumps(run["outputs"], option=orjson.OPT_INDENT_2)
    return Response(text, media_type="application/json", headers=headers)


async def act(desk: Desk) -> Response:
    """Cancels it, or says what became of the request in doubt, or has that looked for.

    What is refused is told where it was asked for: a look that did not tell can be made again from there.
    """
    try:
        await _acted(desk)
    except ApiRefusal as refusal:
        if refusal.status in (401, 403, 404):
            raise
        return await _shown(desk, refusal)
    return see(at("console", "runs", desk.request.path_params["run_id"]))


async def _acted(desk: Desk) -> None:
    """Raises ApiRefusal."""
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
        raise nothing_said()
