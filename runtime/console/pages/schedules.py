"""Schedules: what runs by itself, when next, what came of the last time; paused, resumed and removed from here.

Whose they are and who sees them the API says. They are added by the command line or REST, which check their inputs.
Here never lives a moment (`runtime.scheduling`).
"""

from starlette.responses import Response

from runtime.console.desk import Desk, see
from runtime.console.inside import Refusal, at


async def listed(desk: Desk) -> Response:
    return desk.page("schedules.html", rows=await desk.api.get("/schedules"))


async def act(desk: Desk) -> Response:
    name, action = desk.form.get("name"), desk.form.get("action")
    if action == "remove":
        await desk.api.ask("DELETE", at("schedules", name))
    elif action in ("pause", "resume"):
        await desk.api.ask("POST", at("schedules", name, action))
    else:
        raise Refusal(422, "bad request", "The form does not say what is to be done.", "choose one of its buttons")
    return see("/console/schedules")
