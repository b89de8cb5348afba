"""Who is told of events by signed messages, what could not be told, and which bundles came here.

An endpoint is added where its secret is: on the server. Here it is put back into use or removed. docs/EVENTS.md.
Here never lives a message.
"""

from starlette.responses import Response

from runtime.console.desk import Desk, see
from runtime.console.inside import Refusal, at


async def show(desk: Desk) -> Response:
    endpoints = await desk.api.get("/events/endpoints")
    dead = await desk.api.find("/events/dead") or []
    senders, bundles = await desk.api.get("/webhooks"), await desk.api.get("/bundles")
    return desk.page(
        "events.html",
        endpoints=endpoints,
        dead=dead,
        senders=senders["senders"],
        faults=senders["faults"],
        bundles=bundles,
    )


async def act(desk: Desk) -> Response:
    name, action = desk.form.get("name"), desk.form.get("action")
    if action == "enable":
        await desk.api.ask("POST", at("events", "endpoints", name, "enable"))
    elif action == "remove":
        await desk.api.ask("DELETE", at("events", "endpoints", name))
    else:
        raise Refusal(422, "bad request", "The form does not say what is to be done.", "choose one of its buttons")
    return see("/console/events")
