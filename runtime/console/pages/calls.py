"""Trying a workflow: a form out of its input schema, first the plan, then, with the plan's id, the change itself.

A workflow that only reads is run at once, since there is nothing to plan. What is shown of a plan and of a result is
what the API answers; so is every refusal, with the inputs still in the form. A form for several is not made here.
"""

from typing import Any

import orjson
from starlette.responses import Response

from runtime.console import reading
from runtime.console.desk import Desk, see
from runtime.console.forms import fields_of, inputs_of
from runtime.console.inside import ApiRefusal, at

Json = Any
MOST_INPUTS = 200_000


async def show(desk: Desk) -> Response:
    """The form; `inputs` in the address, as JSON, fills it, as does a `run` that is to be made again."""
    if desk.asked("run"):
        run = await desk.api.get(at("runs", desk.asked("run")))
        return await _form(desk, run["inputs"] or {}, run["target"])
    return await _form(desk, _json(desk.asked("inputs")), desk.asked("target"))


async def run(desk: Desk) -> Response:
    told = await _told(desk)
    plan_id, target = desk.form.get("plan_id"), desk.form.get("target")
    inputs = _json(desk.form.get("inputs")) if plan_id else inputs_of(desk.form, reading.inputs_schema(told))
    body: Json = {"inputs": inputs, "target": target or None}
    if plan_id:
        body |= {"plan_id": plan_id}
    elif not desk.form.get("ask"):  # made at once it is let through, or waits, where the policy has it ask
        body |= {"plan": told["risk"] != "read"}
    try:
        answer = (await desk.api.ask("POST", at("workflows", told["workflow_id"], "run"), body=body)).json
    except ApiRefusal as refusal:
        run_id = refusal.more.get("run_id")
        if run_id and not refusal.more.get("plan") and refusal.title != "waiting":
            return see(at("console", "runs", str(run_id)))
        return await _form(desk, inputs, target, refusal=refusal, plan=refusal.more.get("plan"))
    if answer["outcome"] == "planned":
        return await _form(desk, inputs, target, plan=answer["plan"], run_id=answer["run_id"])
    return see(at("console", "runs", answer["run_id"]))


async def _form(
    desk: Desk, inputs: Json, target: str, *, refusal: ApiRefusal | None = None, plan: Json = None, run_id: str = ""
) -> Response:
    told = await _told(desk)
    targets = await desk.api.get("/targets", {"api": told["api"]})
    policy = await desk.api.find("/policy")
    asks = bool(told["risk"] != "read" and policy and policy["policy"].get("ask"))
    waiting = refusal.more.get("plan_id", "") if refusal and refusal.title == "waiting" else ""
    fields = fields_of(reading.inputs_schema(told), reading.examples_of(told), inputs)
    return desk.page(
        "try.html", refusal.status if refusal else 200, told=told, fields=fields, targets=targets, target=target,
        refusal=refusal, plan=plan, run_id=run_id, given=orjson.dumps(inputs).decode(),
        asks=asks, waiting=waiting,
    )  # fmt: skip


async def _told(desk: Desk) -> Json:
    """The revision that is in use, or that is named."""
    return await desk.api.get(at("workflows", desk.request.path_params["ref"]))


def _json(text: str) -> dict[str, Json]:
    """Inputs out of a text; what is none is no input."""
    try:
        value = orjson.loads(text[:MOST_INPUTS]) if text else {}
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
