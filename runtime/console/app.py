"""The console as one ASGI application: its routes, its files, and whose visit each request is.

It stands behind the gate like the API, is asked for `/` and what is below `/console`, and asks that same gate for all
that it shows. What went wrong is a page too. Here never lives a page (`pages`) or what is shown of one (`templates`).
ASGI 3.
"""

import secrets
from functools import cache

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from runtime.console import rendering
from runtime.console.desk import VISITOR, route
from runtime.console.pages import (
    asks,
    audit,
    bundles,
    calls,
    catalog,
    deciding,
    events,
    fleet,
    library,
    one_run,
    one_workflow,
    policy,
    queue,
    runs,
    schedules,
    settings,
    sites,
    start,
    statistics,
    targets,
)
from runtime.console.pages.people import access, login, me
from runtime.console.visitor import visitor_of

# As long as browsers keep anything: its address changes with it.
FOR_GOOD = "public, max-age=31536000, immutable"


class Console:
    """`gate`: what answers the API."""

    def __init__(self, gate: ASGIApp) -> None:
        self._secret = secrets.token_urlsafe(32)
        self._app = Starlette(routes=[*_routes()], exception_handlers={HTTPException: _failed})
        self._app.state.gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[VISITOR] = visitor_of(scope, self._secret)
        await self._app(scope, receive, send)


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """Ways that name something stand before those that take any name."""
    return (
        Route("/console/static/{digest}/{name}", _static),
        Route("/console/login", login.show, methods=["GET"]),
        Route("/console/login", login.log_in, methods=["POST"]),
        route("/console/logout", start.show, login.log_out),
        route("/", start.show),
        route("/console", start.show),
        route("/console/queue", queue.pending),
        route("/console/workflows", queue.revisions),
        route("/console/decide", deciding.show, deciding.decide),
        route("/console/workflows/{ref}", one_workflow.show, deciding.decide_one),
        route("/console/workflows/{ref}/proof/{number}", one_workflow.transcript),
        route("/console/workflows/{ref}/document", one_workflow.document),
        route("/console/workflows/{ref}/graph", one_workflow.graph),
        route("/console/workflows/{ref}/try", calls.show, calls.run),
        route("/console/runs", runs.listed),
        route("/console/runs/{run_id}", one_run.show, one_run.act),
        route("/console/runs/{run_id}/result", one_run.result),
        route("/console/asks", asks.listed),
        route("/console/asks/{ask}", asks.show, asks.answer),
        route("/console/targets", targets.listed, targets.add),
        route("/console/targets/{name}", targets.show, targets.act),
        route("/console/sites", sites.listed, sites.act),
        route("/console/sites/{name}", sites.show),
        route("/console/fleet", fleet.show, fleet.act),
        route("/console/catalog", catalog.show),
        route("/console/schedules", schedules.listed, schedules.act),
        route("/console/statistics", statistics.show),
        route("/console/audit", audit.listed, audit.verify),
        route("/console/audit/export", audit.export),
        route("/console/policy", policy.show, policy.act),
        route("/console/access", access.show, access.act),
        route("/console/events", events.show, events.act),
        route("/console/library", library.show, library.act),
        route("/console/me", me.show, me.change),
        route("/console/bundles", bundles.show, bundles.act),
        route("/console/settings", settings.show),
    )


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    kind = rendering.STATIC.get(name)
    if kind is None:
        raise HTTPException(404)
    headers = {"cache-control": FOR_GOOD, "x-content-type-options": "nosniff"}
    return Response(rendering.static_file(name), media_type=kind, headers=headers)


async def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    known = request.scope.get(VISITOR) is not None
    words = {404: "There is no such page.", 405: "This page is not asked so."}
    told = words.get(error.status_code, "That could not be done.")
    return rendering.page("lost.html", error.status_code, told=told, code=error.status_code, known=known)
