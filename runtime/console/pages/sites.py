"""A hub's sites: which there are, how it stands with each and what it has; invited, kept out, let in again, forgotten.

An invitation stands on the page that answers, once, with what is typed at the site. What sites are made to do is
`fleet`. Here never lives a connection: what is told of a site is told by the hub, over the API. docs/SITES.md.
"""

from typing import Any

from starlette.responses import Response

from runtime.console import wishes
from runtime.console.desk import Desk, see
from runtime.console.inside import at

Json = Any
HERE = "/console/sites"
PER_PAGE, MOST_WORKFLOWS, MOST_NAMES = 75, 150, 400


async def listed(desk: Desk) -> Response:
    """`label` (NAME=VALUE) in the address chooses among them."""
    return await _listed(desk)


async def act(desk: Desk) -> Response:
    """Invites a site, or does one of the things that can be done with one that is there."""
    name, action = desk.form.get("name").strip(), desk.form.get("action")
    if action == "invite":
        labels, minutes = wishes.pairs(desk.form.get("labels")), wishes.numbers(desk.form, ("minutes",))
        invited = (await desk.api.ask("POST", "/sites", body={"name": name, "labels": labels, **minutes})).json
        return await _listed(desk, invited)
    ways = {"forget": ("DELETE", at("servers", name)), "let in": ("POST", at("servers", name, "enable"))}
    ways["keep out"] = ("POST", at("servers", name, "disable"))
    if action not in ways:
        raise wishes.nothing_said()
    await desk.api.ask(*ways[action])
    return see(HERE)


async def show(desk: Desk) -> Response:
    """One site: the workflows that it has, by its own names, and how they stand here."""
    told = await desk.api.get(at("sites", desk.request.path_params["name"]))
    here = await desk.api.page("/workflows", {"api": f"site-{told['name']}", "limit": MOST_WORKFLOWS})
    shown = [each for each in here.json if each["state"] in ("pending", "approved")]
    runs = await desk.api.page("/runs", {"target": told["name"], "limit": 15})
    return desk.page(
        "site.html", told=told, shown=shown, runs=runs.json, total=runs.total, names=told["workflows"][:MOST_NAMES]
    )


async def _listed(desk: Desk, invited: Json = None) -> Response:
    rows, label = await desk.api.get("/sites"), desk.asked("label")
    name, _, value = label.partition("=")
    kept = [each for each in rows if not label or (name in each["labels"] and value in ("", each["labels"][name]))]
    is_in = {each["name"]: each["is_enabled"] for each in await desk.api.get("/servers")}
    labels = sorted({f"{key}={text}" for each in rows for key, text in each["labels"].items()})
    base = f"{desk.request.url.scheme}://{desk.request.headers.get('host', '')}"
    return desk.page(
        "sites.html", cut=desk.cut(kept, PER_PAGE), asked=desk.filters(("label",)), labels=labels, is_in=is_in,
        invited=invited, base=base, well=sum(each["is_well"] for each in rows), all=len(rows),
    )  # fmt: skip
