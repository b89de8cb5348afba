"""A read that a hub forwards to a site against the same read at the site itself: `python -m bench.sites`.

With `--postgresql URL`, an empty database, also by a hub of two processes there: by the one to which the site comes,
and by the other.

Both are real servers on loopback, asked over REST by one client, interleaved, on the same upstream. What a forwarded
read costs besides is the hub's own path of a call, a dispatch that is signed and checked, and two messages. The figure
that is watched is the ratio of the 95th percentiles.
"""

import asyncio
import contextlib
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from bench.call import API, SPEC, WISH, free_port, rounds, start
from bench.figures import spread, tell, write
from bench.installation import Installation, installation
from demo.children import CommandFailedError
from demo.choice import granted

SITE = "bench"
WARM_UP, ROUNDS = 30, 300
PATIENCE_S = 30.0


def furnished(site: Installation) -> str:
    """The read at the site, approved and with a target; its tool's name."""
    port = free_port()
    start(site.children, "upstream", "bench.upstream", str(port))
    workflow = granted(WISH, site.compile(SPEC))
    site.approve([workflow])
    site.add_target(API, f"http://127.0.0.1:{port}")
    name: str = workflow["tool"]["name"]
    return name


def joined(hub: Installation, site: Installation, tool: str, *, has_two: bool) -> dict[str, str]:
    """Starts the servers, with the read approved at the hub; their addresses by what is told of them."""
    doors = {"by the hub": hub.serve().url}
    if has_two:
        doors = {
            "by another process of the hub": doors["by the hub"],
            "by the process it comes to": hub.serve("two").url,
        }
    invited = hub.children.run("site", "invite", SITE)["invitation"]
    site.children.run("site", "join", invited, "--hub", list(doors.values())[-1], "--file", "hub.json")
    at_site = site.serve().url
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        waiting = hub.children.run("workflows", "list", "--state", "pending")["workflows"]
        if waiting:
            hub.children.run("workflows", "approve", f"site_{SITE}_{tool}@1")
            return {"at the site": at_site, **doors}
        time.sleep(0.2)
    raise CommandFailedError(f"the site did not come: {site.children.log('runtime')}")


async def measure(doors: dict[str, str], hub: str, site: str, tool: str, where: str) -> list[dict[str, Any]]:
    async with contextlib.AsyncExitStack() as stack:
        calls = {}
        for told, url in doors.items():
            is_direct = told == "at the site"
            headers = {"authorization": f"Bearer {site if is_direct else hub}"}
            client = await stack.enter_async_context(httpx.AsyncClient(base_url=url, headers=headers, trust_env=False))
            calls[told] = partial(read, client, tool if is_direct else f"site_{SITE}_{tool}")
        for each in calls.values():
            await settled(each)
        taken = await rounds(calls, WARM_UP, ROUNDS)
    found = {told: spread(seconds) for told, seconds in taken.items()}
    base = found["at the site"]
    return [
        {
            "read": f"{told}{where}",
            **row,
            "ratio_p50": round(row["p50_ms"] / base["p50_ms"], 2),
            "ratio_p95": round(row["p95_ms"] / base["p95_ms"], 2),
        }
        for told, row in found.items()
    ]


async def read(asked: httpx.AsyncClient, name: str) -> None:
    answer = await asked.post(f"/workflows/{name}/run", json={"inputs": {}})
    if answer.status_code != 200:
        raise CommandFailedError(f"{name}: {answer.text[:500]}")


async def settled(asking: Callable[[], Awaitable[None]]) -> None:
    """Returns when the read is served: the catalog follows the decision."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            return await asking()
        except CommandFailedError:
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.2)


def measured(database: str, where: str) -> list[dict[str, Any]]:
    """With a hub of one process on a file, or of two on `database`."""
    with installation() as site, installation(database=database) as hub:
        for made, name, file in ((hub, "SWITCHGEAR_HUB_KEY", "hub.key"), (site, "SWITCHGEAR_HUB", "hub.json")):
            made.set(name, str(Path(made.children.folder) / file))
        tool = furnished(site)
        doors = joined(hub, site, tool, has_two=bool(database))
        return asyncio.run(measure(doors, hub.token, site.token, tool, where))


def main() -> None:
    rows = measured("", "")
    if "--postgresql" in sys.argv:
        rows += measured(sys.argv[sys.argv.index("--postgresql") + 1], ", two on PostgreSQL")
    note = f"{WISH.goal} at a site and by its hub, {ROUNDS} calls each, interleaved"
    tell(note, rows)
    if "--write" in sys.argv:
        write("bench.sites", note, rows)


if __name__ == "__main__":
    main()
