"""One workflow on many targets: a plan or a result for each, and the plans that were chosen carried out.

A plan is for one target, so that what was shown of each is what is done on each; after one that failed no further is
begun, where that was asked for. Called by the page on which a workflow is tried, and by that of the sites.
Here never lives a choice among targets: the API says which have the labels.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from runtime.console import wishes
from runtime.console.desk import Desk
from runtime.console.inside import ApiRefusal, at

Json = Any
# Of a run that made a plan: what it was given.
InputsOf = Callable[[str], Awaitable[Json]]
# A page of 100 kB has a plan of each; for more there are narrower labels.
MOST, AT_ONCE, MOST_AT_ONCE = 50, 4, 64
GOES_ON = ("succeeded", "running", "waiting")


async def begin(desk: Desk, told: Json, inputs: Json) -> Response:
    """Plans it on all targets that have the labels of the form; what only reads is run."""
    labels = wishes.pairs(desk.form.get("labels"))
    body = {"inputs": inputs, "labels": labels, "plan": told["risk"] != "read", **how_of(desk)}
    answer = (await desk.api.ask("POST", at("workflows", told["workflow_id"], "run-selection"), body=body)).json
    results = [{**each, "where": each["target"], "ref": told["workflow_id"]} for each in answer["results"]]
    return shown(desk, told["workflow_id"], results, inputs)


async def apply(desk: Desk, told: Json, inputs: Json) -> Response:
    """Carries out the plans that were chosen, each with the inputs that all of them were made with."""

    async def of_all(_: str) -> Json:
        return inputs

    return shown(desk, told["workflow_id"], await carried_out(desk, of_all), inputs)


def how_of(desk: Desk) -> dict[str, Json]:
    """How many at a time, and whether one that fails is the last. Raises ApiRefusal."""
    at_once = wishes.numbers(desk.form, ("parallel",)).get("parallel", AT_ONCE)
    return {"parallel": at_once, "stop_on_failure": desk.form.get("stop") == "yes"}


def shown(desk: Desk, workflow: str, results: Sequence[Json], inputs: Json, left_out: Sequence[Json] = ()) -> Response:
    """The page of results. Each has `where` and `outcome`; with a `plan` and a `ref` it can be carried out there."""
    can_apply = any(each.get("plan") and each["plan"].get("plan_id") for each in results)
    good = sum(each["outcome"] in ("succeeded", "planned") for each in results)
    return desk.page(
        "selection.html", workflow=workflow, results=results[:MOST], total=len(results), good=good, how=how_of(desk),
        can_apply=can_apply, given=wishes.written(inputs), left_out=left_out,
    )  # fmt: skip


async def carried_out(desk: Desk, inputs_of: InputsOf) -> list[dict[str, Json]]:
    """What came of each plan that the form names (`item`: workflow, target, plan and run), in its order."""
    how = how_of(desk)
    places = asyncio.Semaphore(max(1, min(int(how["parallel"]), MOST_AT_ONCE)))
    carrying = _Carrying(desk, inputs_of, how["stop_on_failure"], places)
    items = [each.split(" ") for each in desk.form.all("item")[:MOST]]
    return list(await asyncio.gather(*(carrying.on(*each) for each in items if len(each) == 4)))


@dataclass(slots=True)
class _Carrying:
    desk: Desk
    inputs_of: InputsOf
    stops: bool
    places: asyncio.Semaphore
    has_failed: bool = False

    async def on(self, ref: str, target: str, plan_id: str, run_id: str) -> dict[str, Json]:
        async with self.places:
            if self.stops and self.has_failed:
                return {"where": target, "outcome": "not begun", "told": "another one failed before"}
            result = await self._one(ref, {"target": target, "plan_id": plan_id}, run_id)
            self.has_failed = self.has_failed or result["outcome"] not in GOES_ON
            return {"where": target, **result}

    async def _one(self, ref: str, body: dict[str, Json], run_id: str) -> dict[str, Json]:
        try:
            body["inputs"] = await self.inputs_of(run_id)
            answer = (await self.desk.api.ask("POST", at("workflows", ref, "run"), body=body)).json
        except ApiRefusal as refusal:
            return _refused(refusal)
        return {"outcome": answer["outcome"], "run_id": answer["run_id"], "told": answer.get("note", "")}


def _refused(refusal: ApiRefusal) -> dict[str, Json]:
    outcome = "waiting" if refusal.title == "waiting" else str(refusal.more.get("outcome", "refused"))
    named = {name: refusal.more.get(name) for name in ("run_id", "plan_id")}
    return {"outcome": outcome, "told": refusal.detail, "remedy": refusal.remedy, **named}
