"""Targets: which devices there are, how it stands with each, its labels and limits, and a test of it step by step.

Labels in the address choose among them, as they do for a call on many. Credentials are references, shown to admins,
who add, change and remove targets here; whoever changes one names the one that they have seen.
Here never lives a connection: what is told of one is told by the driver, over the API.
"""

from typing import Any

from starlette.responses import Response

from runtime.console import wishes
from runtime.console.desk import Desk, see
from runtime.console.forms import ConsoleForm
from runtime.console.inside import at

Json = Any
REFERENCES = ("username_ref", "password_ref", "token_ref")
LIMITS = ("connections", "requests_per_s", "total_timeout_s", "max_body_bytes")
PER_PAGE = 75
MODES = ("live", "twin", "prism")
RESPONSES = ("", "report", "refuse", "off")


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
    known = (await desk.api.get("/workflows/counts"))["api"]
    return desk.page(
        "targets.html",
        cut=desk.cut(kept, PER_PAGE),
        states=states,
        asked=asked,
        apis=apis,
        labels=labels,
        known=known,
        **_choices(),
    )


async def add(desk: Desk) -> Response:
    name = desk.form.get("name").strip()
    await desk.api.ask("POST", "/targets", body={"name": name, **_wish(desk.form)})
    return see(at("console", "targets", name))


async def show(desk: Desk) -> Response:
    """With what came of its last test, whoever asked for it."""
    name = desk.request.path_params["name"]
    answer = await desk.api.page(at("targets", name))
    states = [each for each in await desk.api.get("/devices") if each["target"] == name]
    runs = await desk.api.page("/runs", {"target": name, "limit": 15})
    return desk.page(
        "target.html", told=answer.json, seen=answer.headers.get("etag", ""), state=states[0] if states else None,
        tested=await desk.api.find(at("targets", name, "test")), runs=runs.json, total=runs.total, **_choices(),
    )  # fmt: skip


async def act(desk: Desk) -> Response:
    """Asks the device, step by step; or makes the target what the form says; or forgets it."""
    name, action = desk.request.path_params["name"], desk.form.get("action", "test")
    seen = {"if-match": desk.form.get("seen")}
    if action == "test":
        await desk.api.ask("POST", at("targets", name, "test"))
        return see(at("console", "targets", name))
    if action == "change":
        await desk.api.ask("PUT", at("targets", name), body=_wish(desk.form), headers=seen)
        return see(at("console", "targets", name))
    if action == "remove":
        await desk.api.ask("DELETE", at("targets", name), headers=seen)
        return see("/console/targets")
    raise wishes.nothing_said()


def _choices() -> dict[str, Json]:
    return {"modes": MODES, "responses": RESPONSES, "limits": LIMITS, "references": REFERENCES}


def _wish(form: ConsoleForm) -> dict[str, Json]:
    """The whole target but its name. Raises ApiRefusal."""
    told = wishes.texts(form, ("api", "base_url", "mode", "tls", "responses", *REFERENCES))
    limits, labels = wishes.numbers(form, LIMITS), wishes.pairs(form.get("labels"))
    return {**told, "limits": limits, "labels": labels, "is_default": form.get("is_default") == "yes"}
