"""Bundles: what was brought here, whether one would be taken and what it would change, bringing one, making one.

A file is sent by the form and goes to the API as it is: by which signatures and under which policy it counts, is said
there. What is made here is unsigned and is signed where the key is. docs/BUNDLES.md. Here never lives a signature.
"""

from typing import Any

from starlette.responses import Response

from runtime.console import wishes
from runtime.console.desk import Desk
from runtime.console.inside import ApiRefusal
from runtime.console.rendering import HEADERS

Json = Any
PER_PAGE = 75
WAYS = {"verify": "/bundles/verify", "import": "/bundles"}


async def show(desk: Desk) -> Response:
    return await _shown(desk)


async def act(desk: Desk) -> Response:
    """Judges or brings the file that was sent, or gives one that is made now."""
    action = desk.form.get("action")
    if action == "export":
        return await _made(desk)
    if action not in WAYS:
        raise wishes.nothing_said()
    data = desk.form.files.get("bundle", b"")
    if not data:
        raise ApiRefusal(422, "no file", "No bundle was chosen.", "choose the file that `switchgear bundle` made")
    verdict = (await desk.api.ask("POST", WAYS[action], body=data)).json
    return await _shown(desk, verdict, action)


async def _made(desk: Desk) -> Response:
    """As a file to be kept."""
    form = desk.form
    body = {**wishes.texts(form, ("name",)), **wishes.numbers(form, ("version", "days"))}
    answer = await desk.api.ask("POST", "/bundles/export", body={**body, "apis": form.all("api")})
    named = {name: answer.headers[name] for name in ("content-type", "content-disposition")}
    return Response(answer.body, headers={**HEADERS, **named})


async def _shown(desk: Desk, verdict: Json = None, action: str = "") -> Response:
    rows = await desk.api.get("/bundles")
    apis = (await desk.api.get("/workflows/counts", {"state": "approved"}))["api"]
    return desk.page("bundles.html", cut=desk.cut(rows[::-1], PER_PAGE), apis=apis, verdict=verdict, action=action)
