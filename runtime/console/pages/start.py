"""The first page: what there is, what waits, what goes wrong; and, as long as something is missing, what to do next.

The next steps are commands as they are typed, in order, each with what tells that it is done. Figures come from the
API in the visitor's rights: a viewer of one API sees the counts of that API.
"""

from typing import Any

from starlette.responses import Response

from runtime.console.desk import Desk
from runtime.console.inside import ApiRefusal

Json = Any


async def show(desk: Desk) -> Response:
    counts = await desk.api.get("/workflows/counts", {})
    targets = await desk.api.page("/targets", {"limit": 1000})
    runs = await desk.api.page("/runs", {"limit": 8})
    unknown = await desk.api.page("/runs", {"outcome": "unknown", "limit": 5})
    open_now = await desk.api.page("/runs", {"outcome": "under way", "limit": 5})
    return desk.page(
        "start.html", counts=counts, targets=targets.json, runs=runs.json, runs_total=runs.total, unknown=unknown.json,
        unknown_total=unknown.total, open_runs=open_now.json, open_total=open_now.total, ready=await _ready(desk),
        asks=await desk.api.get("/asks", {"state": "waiting"}), steps=_steps(counts, targets.json, runs.total, desk),
    )  # fmt: skip


async def _ready(desk: Desk) -> Json:
    try:
        return await desk.api.get("/ready")
    except ApiRefusal as refusal:  # not ready, which is an answer
        return {"status": "not ready", "trouble": refusal.more.get("trouble", ""), **refusal.more}


def _steps(counts: Json, targets: Json, runs: int, desk: Desk) -> list[dict[str, Json]]:
    """What a new installation takes, in order; empty when all of it is done."""
    states, api = counts["state"], next(iter(counts["api"]), "API")
    base = f"{desk.request.url.scheme}://{desk.request.headers.get('host', '')}"
    steps = [
        ("Make the first token, so that the server asks who you are", desk.visitor.via != "this machine",
         "switchgear init"),
        ("Compile an API: its workflows are then pending", bool(states),
         "switchgear compile openapi.yaml      # or the name of one that is shipped: switchgear compile --help"),
        ("Say which device they act on; its account is a reference", bool(targets),
         f"switchgear targets add lab --api {api} --url https://10.0.0.5 \\\n"
         "    --username-ref env:LAB_USER --password-ref env:LAB_PASSWORD"),
        ("Approve what agents may do", bool(states.get("approved")), f"{base}/console/queue"),
        ("Connect an MCP client with a token of its own", runs > 0,
         "switchgear tokens create my-agent --role operator\nswitchgear client-config claude"),
    ]  # fmt: skip
    told = [{"text": text, "is_done": is_done, "command": command} for text, is_done, command in steps]
    return [] if all(each["is_done"] for each in told) else told
