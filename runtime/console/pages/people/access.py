"""Who may what: tokens and users, made, changed, ended, disabled and let in again by whoever may.

The secret of a new token stands on the page that answers, once, and nowhere else; a password goes to the API and
stands on no page. Here never lives a right.
"""

from typing import Any

from starlette.responses import Response

from runtime.console import wishes
from runtime.console.desk import Desk, see
from runtime.console.inside import at

Json = Any
PER_PAGE = 40


async def show(desk: Desk) -> Response:
    return await _shown(desk)


async def act(desk: Desk) -> Response:
    action, name = desk.form.get("action"), desk.form.get("name").strip()
    if action == "create token":
        return await _shown(desk, await _made(desk, name))
    if action == "add user":
        await desk.api.ask("POST", "/users", body=_user(desk, name))
        return see("/console/access")
    if action == "change user":
        await _changed(desk, name)
        return see("/console/access")
    ways = {"revoke": ("DELETE", at("tokens", name)), "disable": ("POST", at("users", name, "disable"))}
    ways["enable"] = ("POST", at("users", name, "enable"))
    if action not in ways:
        raise wishes.nothing_said()
    await desk.api.ask(*ways[action])
    return see("/console/access")


async def _changed(desk: Desk, name: str) -> None:
    """Another role, another password, or both: what was left as it was is not sent."""
    role, was, password = (desk.form.get(each) for each in ("role", "was", "password"))
    if role != was:
        await desk.api.ask("PATCH", at("users", name), body={"role": role})
    if password:
        await desk.api.ask("POST", at("users", name, "password"), body={"password": password})


async def _made(desk: Desk, name: str) -> Json:
    body = {"name": name, "role": desk.form.get("role"), "scope": wishes.scope(desk.form)}
    return (await desk.api.ask("POST", "/tokens", body={**body, **wishes.numbers(desk.form, ("days",))})).json


def _user(desk: Desk, name: str) -> Json:
    """A password is taken as it was typed, with the spaces around it."""
    told = {"name": name, "role": desk.form.get("role"), "scope": wishes.scope(desk.form)}
    return {**told, "also": wishes.listed(desk.form.get("also")), "password": desk.form.get("password") or None}


async def _shown(desk: Desk, made: Json = None) -> Response:
    tokens, users = await desk.api.get("/tokens"), await desk.api.get("/users")
    shown: dict[str, Any] = {
        "tokens": desk.cut(tokens[::-1], PER_PAGE),
        "users": desk.cut(users["users"], PER_PAGE, "users"),
    }
    return desk.page("access.html", faults=users["faults"], made=made, **shown)
