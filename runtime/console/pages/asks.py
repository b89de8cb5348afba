"""Calls that wait for a person: who asks for what on which device, with the exact requests; let through or refused.

What is let through is the plan that is shown, byte for byte: other arguments, another caller, a device that has changed
are another plan. The API says who may answer. Here never lives a rule.
"""

from starlette.responses import Response

from runtime.console.desk import Desk, see
from runtime.console.inside import at
from runtime.console.wishes import nothing_said

PER_PAGE = 75
WAYS = {"let through": "let-through", "refuse": "refuse"}


async def listed(desk: Desk) -> Response:
    asked = desk.filters(("state",))
    return desk.page("asks.html", cut=desk.cut(await desk.api.get("/asks", asked), PER_PAGE), asked=asked)


async def show(desk: Desk) -> Response:
    told = await desk.api.get(at("asks", desk.request.path_params["ask"]))
    return desk.page("ask.html", told=told, plan=told["plan"] or {})


async def answer(desk: Desk) -> Response:
    name, way = desk.request.path_params["ask"], WAYS.get(desk.form.get("action"))
    if way is None:
        raise nothing_said()
    await desk.api.ask("POST", at("asks", name, way), body={"reason": desk.form.get("reason")})
    return see(at("console", "asks", name))
