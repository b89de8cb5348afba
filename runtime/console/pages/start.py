"""The first page: what there is, what waits, what goes wrong; and, as long as something is missing, what to do next.

The next steps are in `first_steps`. Figures come from the API in the visitor's rights: a viewer of one API sees the
counts of that API.
"""

from typing import Any

from starlette.responses import Response

from runtime.console.desk import Desk
from runtime.console.first_steps import InstallationState, database_of, first_steps
from runtime.console.inside import ApiRefusal
from workflow import shipped

Json = Any


async def show(desk: Desk) -> Response:
    counts = await desk.api.get("/workflows/counts", {})
    targets = await desk.api.page("/targets", {"limit": 1000})
    runs = await desk.api.page("/runs", {"limit": 8})
    unknown = await desk.api.page("/runs", {"outcome": "unknown", "limit": 5})
    open_now = await desk.api.page("/runs", {"outcome": "under way", "limit": 5})
    steps = first_steps(_standing(desk, counts, bool(targets.json), runs.total))
    return desk.page(
        "start.html", counts=counts, targets=targets.json, runs=runs.json, runs_total=runs.total, unknown=unknown.json,
        unknown_total=unknown.total, open_runs=open_now.json, open_total=open_now.total, ready=await _ready(desk),
        asks=await desk.api.get("/asks", {"state": "waiting"}), steps=steps,
        database=database_of(await desk.api.find("/settings") or []) if steps else "",
    )  # fmt: skip


async def _ready(desk: Desk) -> Json:
    try:
        return await desk.api.get("/ready")
    except ApiRefusal as refusal:  # not ready, which is an answer
        return {"status": "not ready", "trouble": refusal.more.get("trouble", ""), **refusal.more}


def _standing(desk: Desk, counts: Json, has_target: bool, runs: int) -> InstallationState:
    return InstallationState(
        url=f"{desk.request.url.scheme}://{desk.request.headers.get('host', '')}",
        has_token=desk.visitor.via != "this machine",
        has_workflows=bool(counts["state"]),
        has_target=has_target,
        has_approved=bool(counts["state"].get("approved")),
        has_run=runs > 0,
        api=next(iter(counts["api"]), next(iter(shipped.names()), "API")),
        shipped=shipped.names(),
    )
