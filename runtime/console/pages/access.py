"""Who may what: tokens and users, made, ended, disabled and let in again by whoever may.

The secret of a new token stands on the page that answers, once, and nowhere else.
"""

from typing import Any

from starlette.responses import Response

from runtime.console.desk import Desk, see
from runtime.console.inside import Refusal, at

Json = Any


async def show(desk: Desk) -> Response:
    return await _shown(desk)


async def act(desk: Desk) -> Response:
    action, name = desk.form.get("action"), desk.form.get("name").strip()
    if action == "create token":
        return await _shown(desk, await _made(desk, name))
    ways = {"revoke": ("DELETE", at("tokens", name)), "disable": ("POST", at("users", name, "disable"))}
    ways["enable"] = ("POST", at("users", name, "enable"))
    if action not in ways:
        raise Refusal(422, "bad request", "The form does not say what is to be done.", "choose one of its buttons")
    await desk.api.ask(*ways[action])
    return see("/console/access")


async def _made(desk: Desk, name: str) -> Json:
    scope = {kind: _listed(desk.form.get(kind)) for kind in ("apis", "risks", "workflows", "targets")}
    days = desk.form.get("days")
    body: Json = {"name": name, "role": desk.form.get("role"), "scope": {k: v for k, v in scope.items() if v}}
    body |= {"days": int(days)} if days.isdecimal() and len(days) < 6 else {}
    return (await desk.api.ask("POST", "/tokens", body=body)).json


async def _shown(desk: Desk, made: Json = None) -> Response:
    tokens, users = await desk.api.get("/tokens"), await desk.api.get("/users")
    return desk.page("access.html", tokens=tokens[::-1], users=users["users"], faults=users["faults"], made=made)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
