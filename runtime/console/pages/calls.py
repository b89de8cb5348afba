"""Trying a workflow: a form out of its input schema, first the plan, then, with the plan's id, the change itself.

A workflow that only reads is run at once, since there is nothing to plan. What is shown of a plan and of a result is
what the API answers; so is every refusal, with the inputs still in the form. A run that is there is made again by one
click: what it was given is asked of the API, and planned. On all targets that have some labels: `selection`.
"""

from typing import Any

import orjson
from starlette.responses import Response

from runtime.console import reading
from runtime.console.desk import Desk, see
from runtime.console.forms import fields_of, inputs_of
from runtime.console.inside import ApiRefusal, at
from runtime.console.pages import selection
from runtime.secrets import MASK

Json = Any
MOST_INPUTS = 200_000


async def show(desk: Desk) -> Response:
    """The form; `inputs` in the address, as JSON, fills it, as does a `run` that is to be made again."""
    if desk.asked("run"):
        return await _form(desk, *await _given_to(desk, desk.asked("run")))
    return await _form(desk, read_inputs(desk.asked("inputs")), desk.asked("target"))


async def run(desk: Desk) -> Response:
    told, form = await _told(desk), desk.form
    if form.get("action") == "apply these":
        return await selection.apply(desk, told, read_inputs(form.get("inputs")))
    inputs, target = await _wanted(desk, told)
    if form.get("run") and MASK in orjson.dumps(inputs).decode():
        return await _form(desk, inputs, target, is_masked=True)
    if form.get("labels").strip():
        return await selection.begin(desk, told, inputs)
    return await _called(desk, told, inputs, target)


async def _wanted(desk: Desk, told: Json) -> tuple[Json, str]:
    """The inputs and the target: of a run that is made again, of the plan that was shown, or out of the form."""
    form = desk.form
    if form.get("run"):
        return await _given_to(desk, form.get("run"))
    if form.get("plan_id"):
        return read_inputs(form.get("inputs")), form.get("target")
    return inputs_of(form, reading.inputs_schema(told)), form.get("target")


async def _called(desk: Desk, told: Json, inputs: Json, target: str) -> Response:
    plan_id = desk.form.get("plan_id")
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
    desk: Desk, inputs: Json, target: str, *, refusal: ApiRefusal | None = None, plan: Json = None, run_id: str = "",
    is_masked: bool = False,
) -> Response:  # fmt: skip
    told = await _told(desk)
    targets = await desk.api.get("/targets", {"api": told["api"]})
    policy = await desk.api.find("/policy")
    asks = bool(told["risk"] != "read" and policy and policy["policy"].get("ask"))
    waiting = refusal.more.get("plan_id", "") if refusal and refusal.title == "waiting" else ""
    fields = fields_of(reading.inputs_schema(told), reading.examples_of(told), inputs)
    labels = sorted({f"{name}={value}" for each in targets for name, value in each["labels"].items()})
    return desk.page(
        "try.html", refusal.status if refusal else 200, told=told, fields=fields, targets=targets, target=target,
        refusal=refusal, plan=plan, run_id=run_id, given=orjson.dumps(inputs).decode(),
        asks=asks, waiting=waiting, labels=labels, is_masked=is_masked,
        chosen_labels=desk.form.get("labels") or desk.asked("labels"),
    )  # fmt: skip


async def _told(desk: Desk) -> Json:
    """The revision that is in use, or that is named."""
    return await desk.api.get(at("workflows", desk.request.path_params["ref"]))


async def _given_to(desk: Desk, run_id: str) -> tuple[Json, str]:
    """The inputs and the target of a run, as they are on record."""
    run = await desk.api.get(at("runs", run_id))
    return run["inputs"] or {}, run["target"]


def read_inputs(text: str) -> dict[str, Json]:
    """Inputs out of a text; what is none is no input."""
    try:
        value = orjson.loads(text[:MOST_INPUTS]) if text else {}
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
