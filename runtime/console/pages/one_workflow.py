"""One revision with all that decides about it on one page: effect, inputs, requests, guards, reasons, proof, changes.

Transcripts of the proof and the document itself are a page further. What the visitor's role may not see of the history
(the audit) is left out, not refused. Decisions from here are `deciding.decide_one`.
"""

from typing import Any

from starlette.responses import Response

from runtime.console import reading
from runtime.console.desk import Desk
from runtime.console.forms import fields_of
from runtime.console.inside import ApiRefusal, at
from runtime.console.rendering import HEADERS

Json = Any
MOST_RUNS, MOST_REVISIONS, MOST_EVENTS = 10, 20, 40


async def show(desk: Desk) -> Response:
    told = await _told(desk)
    workflow_id = told["workflow_id"]
    about = {"workflow": workflow_id}
    runs = await desk.api.page("/runs", {**about, "limit": MOST_RUNS})
    others = await desk.api.page("/workflows", {**about, "limit": MOST_REVISIONS})
    history = await desk.api.find("/audit", {"subject": f"revision:{told['id']}", "limit": MOST_EVENTS})
    drawn = await desk.api.find(at("workflows", told["id"], "graph"), {"form": "text"})
    return desk.page(
        "workflow.html",
        told=told,
        drawn=drawn,
        steps=reading.steps_shown(told),
        success=reading.success_of(told),
        inputs=fields_of(reading.inputs_schema(told), reading.examples_of(told)),
        proof=reading.runs_of_proof(told),
        sides=reading.sides_of(told["difference"] or {}),
        runs=runs.json,
        runs_total=runs.total,
        others=[each for each in reversed(others.json) if each["id"] != told["id"]],
        history=history or [],
    )


async def transcript(desk: Desk) -> Response:
    """One run of the proof: what was asked and answered, in order."""
    told, number = await _told(desk), desk.request.path_params["number"]
    found = next((each for each in reading.runs_of_proof(told) if str(each["number"]) == number), None)
    if found is None:
        raise ApiRefusal(404, "not found", "The proof of this revision has no such run.")
    return desk.page("transcript.html", told=told, run=found)


async def document(desk: Desk) -> Response:
    """What was submitted, as it is: the identity of the revision is over this."""
    told = await _told(desk)
    return desk.page("document.html", told=told)


async def graph(desk: Desk) -> Response:
    """The steps as a picture, which a page shows as an image: nothing in it could run."""
    drawn = await desk.api.page(at("workflows", desk.request.path_params["ref"], "graph"))
    headers = {**HEADERS, "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
    return Response(drawn.body, media_type="image/svg+xml", headers=headers)


async def _told(desk: Desk) -> Json:
    return await desk.api.get(at("workflows", desk.request.path_params["ref"]))
