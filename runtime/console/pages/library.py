"""The library: descriptions and profiles that the compiler reads, put, replaced and removed; builds of them, with logs.

Whoever replaces or removes a file names the one that they have seen. A build is begun here and goes on by itself; what
comes of it waits in the queue. Without SWITCHGEAR_LIBRARY the page says how there is a library.
Here never lives a check of a file, nor the compiler: the API says what is wrong.
"""

from starlette.responses import Response

from runtime.console import wishes
from runtime.console.desk import Desk, see
from runtime.console.inside import at

HERE = "/console/library"
KINDS = ("specs", "profiles")
MOST_BUILDS = 20


async def show(desk: Desk) -> Response:
    files = {kind: await desk.api.find(f"/{kind}") for kind in KINDS}
    builds = await desk.api.find("/builds") or []
    kind, name = desk.asked("kind"), desk.asked("name")
    text = await desk.api.get(at(kind, name)) if kind in KINDS and name else ""
    return desk.page(
        "library.html", files=files, builds=builds[:MOST_BUILDS], kind=kind, name=name,
        text=text if isinstance(text, str) else wishes.written(text),
    )  # fmt: skip


async def act(desk: Desk) -> Response:
    """Puts or removes a file, or begins a build."""
    form, action = desk.form, desk.form.get("action")
    kind, name = form.get("kind"), form.get("name").strip()
    seen = {"if-match": form.get("seen")} if form.get("seen") else {}
    if action == "build":
        wish = {**wishes.texts(form, ("profile",)), "check": form.get("check") == "yes"}
        await desk.api.ask("POST", at("specs", name, "build"), body=wish)
    elif action == "put" and kind in KINDS:
        await desk.api.ask("PUT", at(kind, name), body=form.get("text").encode(), headers=seen)
    elif action == "remove" and kind in KINDS:
        await desk.api.ask("DELETE", at(kind, name), headers=seen)
    else:
        raise wishes.nothing_said()
    return see(HERE)
