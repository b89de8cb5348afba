"""Who is told of events by signed messages, what could not be told, and whose messages decide.

Secrets are references: what stands there is found on the server. docs/EVENTS.md, docs/WEBHOOKS.md.
Here never lives a message.
"""

from typing import Any

from starlette.responses import Response

from runtime.console import wishes
from runtime.console.desk import Desk, see
from runtime.console.inside import at

Json = Any


async def show(desk: Desk) -> Response:
    endpoints = await desk.api.get("/events/endpoints")
    dead = await desk.api.find("/events/dead") or []
    senders = await desk.api.get("/webhooks")
    return desk.page(
        "events.html",
        endpoints=endpoints,
        dead=dead,
        senders=senders["senders"],
        faults=senders["faults"],
    )


async def act(desk: Desk) -> Response:
    name, action = desk.form.get("name").strip(), desk.form.get("action")
    ways: dict[str, tuple[str, str]] = {
        "enable": ("POST", at("events", "endpoints", name, "enable")),
        "remove": ("DELETE", at("events", "endpoints", name)),
        "resend": ("POST", at("events", "dead", name, "resend")),
        "remove sender": ("DELETE", at("webhooks", name)),
    }
    if action == "add endpoint":
        await desk.api.ask("POST", "/events/endpoints", body=_endpoint(desk, name))
    elif action == "add sender":
        body = {"name": name, **wishes.texts(desk.form, ("secret_ref",)), "scope": wishes.scope(desk.form)}
        await desk.api.ask("POST", "/webhooks", body=body)
    elif action in ways:
        await desk.api.ask(*ways[action])
    else:
        raise wishes.nothing_said()
    return see("/console/events")


def _endpoint(desk: Desk, name: str) -> dict[str, Json]:
    told = wishes.texts(desk.form, ("url", "secret_ref", "tls"))
    named = {kind: wishes.listed(desk.form.get(kind)) for kind in ("kinds", "apis")}
    return {"name": name, **told, **named, "allow_http": desk.form.get("allow_http") == "yes"}
