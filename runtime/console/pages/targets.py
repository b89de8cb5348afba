"""Targets: which devices there are, how it stands with each, its labels and limits, and a test of it step by step.

Labels in the address choose among them, as they do for a call on many. Credentials are references, shown to admins.
Here never lives a connection: what is told of one is told by the driver, over the API.
"""

from starlette.responses import Response

from runtime.console.desk import Desk
from runtime.console.inside import at


async def listed(desk: Desk) -> Response:
    """`api` and `label` (NAME=VALUE, or NAME) in the address choose among them."""
    rows = await desk.api.get("/targets", {"api": desk.asked("api")})
    label = desk.asked("label")
    name, _, value = label.partition("=")
    kept = [each for each in rows if not label or (name in each["labels"] and value in ("", each["labels"][name]))]
    states = {each["target"]: each for each in await desk.api.get("/devices")}
    asked = desk.filters(("api", "label"))
    apis = sorted({each["api"] for each in rows})
    labels = sorted({f"{key}={text}" for each in rows for key, text in each["labels"].items()})
    return desk.page("targets.html", rows=kept, states=states, asked=asked, apis=apis, labels=labels)


async def show(desk: Desk) -> Response:
    return await _shown(desk)


async def test(desk: Desk) -> Response:
    """Asks the device, and shows each step of that."""
    tested = await desk.api.ask("POST", at("targets", desk.request.path_params["name"], "test"))
    return await _shown(desk, tested.json)


async def _shown(desk: Desk, tested: object = None) -> Response:
    name = desk.request.path_params["name"]
    told = await desk.api.get(at("targets", name))
    states = [each for each in await desk.api.get("/devices") if each["target"] == name]
    runs = await desk.api.page("/runs", {"target": name, "limit": 15})
    return desk.page(
        "target.html", told=told, state=states[0] if states else None, tested=tested, runs=runs.json, total=runs.total
    )
