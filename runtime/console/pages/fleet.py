"""Having sites do something: which can and why the others cannot, a plan or a result for each, by choice, not by name.

The choice stands in the address, so that it can be sent to a colleague; what it comes to is asked of the API each time.
On as many as are wanted, or on all; what asks first is planned and carried out as it was shown (`selection`).
Here never lives a choice among sites (`runtime.sites.fleet`).
"""

from typing import Any

from starlette.responses import Response

from runtime.console import wishes
from runtime.console.desk import Desk
from runtime.console.inside import at
from runtime.console.pages import selection

Json = Any
CHOICE = ("workflow", "sites", "labels", "target_labels", "prefer")
MOST_NAMES = 300


async def show(desk: Desk) -> Response:
    """Which sites can do the `workflow` of the address, by their own name for it, the best first."""
    asked = desk.filters(CHOICE)
    found = None
    if asked["workflow"]:
        found = (await desk.api.ask("POST", "/tools/select_sites", body=_choice(asked))).json
    sites = await desk.api.get("/sites")
    names = sorted({name for each in sites for name in each["workflows"]})
    return desk.page("fleet.html", asked=asked, found=found, names=names[:MOST_NAMES], total=len(sites))


async def act(desk: Desk) -> Response:
    """Plans or does it, on all or on `count`; or carries out the plans that were chosen."""
    form = desk.form
    if form.get("action") == "apply these":
        return selection.shown(desk, "Sites", await selection.carried_out(desk, _given(desk)), {})
    if form.get("action") not in ("plan", "do"):
        raise wishes.nothing_said()
    asked = {name: form.get(name).strip() for name in CHOICE}
    choice, inputs = _choice(asked), wishes.inputs(form.get("inputs"))
    body = {**choice, "inputs": inputs, **selection.how_of(desk), "plan": form.get("action") == "plan"}
    count = wishes.numbers(form, ("count",))
    way = "/tools/satisfy" if count else "/tools/dispatch"
    refs = await _refs(desk, choice)
    answer = (await desk.api.ask("POST", way, body={**body, **count})).json
    results = [{**each, "where": each["site"], "ref": refs.get(each["site"], "")} for each in answer["results"]]
    return selection.shown(desk, asked["workflow"], results, inputs, answer["left_out"])


async def _refs(desk: Desk, choice: Json) -> dict[str, str]:
    """What the workflow of each site is called here."""
    found = (await desk.api.ask("POST", "/tools/select_sites", body=choice)).json
    return {each["site"]: each["workflow"] for each in found["sites"]}


def _given(desk: Desk) -> selection.InputsOf:
    """A site's device is among the inputs, so each plan goes with those of the run that made it."""

    async def of_run(run_id: str) -> Json:
        return (await desk.api.get(at("runs", run_id)))["inputs"] or {}

    return of_run


def _choice(asked: Any) -> dict[str, Json]:
    """As the API takes it. Raises ApiRefusal."""
    return {
        "workflow": asked["workflow"],
        "sites": wishes.listed(asked["sites"]),
        "labels": wishes.pairs(asked["labels"]),
        "target_labels": wishes.pairs(asked["target_labels"]),
        "prefer": wishes.listed(asked["prefer"]),
    }
