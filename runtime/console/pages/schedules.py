"""Schedules: what runs by itself, when next, what came of the last time; added, paused, resumed and removed from here.

Whose they are and who sees them the API says, and whether whoever adds one may run what it says.
Here never lives a moment (`runtime.background.scheduling`).
"""

from typing import Any

from starlette.responses import Response

from runtime.console import wishes
from runtime.console.desk import Desk, see
from runtime.console.inside import at

Json = Any
PER_PAGE = 75


async def listed(desk: Desk) -> Response:
    """`workflow` in the address stands in the form already."""
    cut = desk.cut(await desk.api.get("/schedules"), PER_PAGE)
    return desk.page("schedules.html", cut=cut, workflow=desk.asked("workflow"))


async def act(desk: Desk) -> Response:
    name, action = desk.form.get("name").strip(), desk.form.get("action")
    if action == "add":
        await desk.api.ask("POST", "/schedules", body=_wish(desk, name))
    elif action == "remove":
        await desk.api.ask("DELETE", at("schedules", name))
    elif action in ("pause", "resume"):
        await desk.api.ask("POST", at("schedules", name, action))
    else:
        raise wishes.nothing_said()
    return see("/console/schedules")


def _wish(desk: Desk, name: str) -> dict[str, Json]:
    """Raises ApiRefusal."""
    told = wishes.texts(desk.form, ("workflow", "target", "cron", "zone"))
    labels, inputs = wishes.pairs(desk.form.get("labels")), wishes.inputs(desk.form.get("inputs"))
    return {"name": name, **told, "labels": labels, "inputs": inputs}
