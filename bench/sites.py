"""A read that a hub forwards to a site against the same read at the site itself: `python -m bench.sites`.

Both are real servers on loopback, asked over REST by one client, interleaved, on the same upstream. What a forwarded
read costs besides is the hub's own path of a call, a dispatch that is signed and checked, and two messages. The figure
that is watched is the ratio of the 95th percentiles.
"""

import asyncio
import sys
import time
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


def joined(hub: Installation, site: Installation, tool: str) -> tuple[str, str]:
    """Starts both servers, with the read approved at the hub; their addresses."""
    at_hub = hub.serve().url
    invited = hub.children.run("site", "invite", SITE)["invitation"]
    site.children.run("site", "join", invited, "--hub", at_hub, "--file", "hub.json")
    at_site = site.serve().url
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        waiting = hub.children.run("workflows", "list", "--state", "pending")["workflows"]
        if waiting:
            hub.children.run("workflows", "approve", f"site_{SITE}_{tool}@1")
            return at_hub, at_site
        time.sleep(0.2)
    raise CommandFailedError(f"the site did not come: {site.children.log('runtime')}")


async def measure(at_hub: str, at_site: str, hub: str, site: str, tool: str) -> list[dict[str, Any]]:
    def client(url: str, token: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=url, headers={"authorization": f"Bearer {token}"}, trust_env=False)

    async with client(at_hub, hub) as ours, client(at_site, site) as theirs:

        async def read(asked: httpx.AsyncClient, name: str) -> None:
            answer = await asked.post(f"/workflows/{name}/run", json={"inputs": {}})
            if answer.status_code != 200:
                raise CommandFailedError(f"{name}: {answer.text[:500]}")

        forwarded = f"site_{SITE}_{tool}"
        end = time.monotonic() + PATIENCE_S
        while (await ours.get(f"/workflows/{forwarded}")).status_code != 200 and time.monotonic() < end:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        await asyncio.sleep(1)  # the catalog that is served follows the decision
        calls = {"at the site": lambda: read(theirs, tool), "by the hub": lambda: read(ours, forwarded)}
        taken = await rounds(calls, WARM_UP, ROUNDS)
    told = {name: spread(seconds) for name, seconds in taken.items()}
    base = told["at the site"]
    return [
        {
            "read": name,
            **row,
            "ratio_p50": round(row["p50_ms"] / base["p50_ms"], 2),
            "ratio_p95": round(row["p95_ms"] / base["p95_ms"], 2),
        }
        for name, row in told.items()
    ]


def main() -> None:
    with installation() as site, installation() as hub:
        for made, name, file in ((hub, "SWITCHGEAR_HUB_KEY", "hub.key"), (site, "SWITCHGEAR_HUB", "hub.json")):
            made.set(name, str(Path(made.children.folder) / file))
        tool = furnished(site)
        at_hub, at_site = joined(hub, site, tool)
        rows = asyncio.run(measure(at_hub, at_site, hub.token, site.token, tool))
    note = f"{WISH.goal} at a site and by its hub, {ROUNDS} calls each, interleaved"
    tell(note, rows)
    if "--write" in sys.argv:
        write("bench.sites", note, rows)


if __name__ == "__main__":
    main()
