"""The approver's day as it is begun by `./demo.sh --keep`, in a real browser, by whoever has read nothing before.

What is typed is what the demonstration prints at its end: one address and one token. From there on everything is found
on the pages. Meanwhile the world goes on: an agent calls, and a device's reply is lost. What the day takes a person is
counted by the keystroke-level model (`tests/browser.py`), so that no clock judges. Playwright.
"""

import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo.line import Line, between
from tests.browser import Person, browser
from tests.needs import CHROMIUM
from tests.waiting import PATIENCE_S

pytestmark = [pytest.mark.long, CHROMIUM.mark, pytest.mark.filterwarnings("ignore::ResourceWarning")]
PRINTED = {
    "console": re.compile(r"^\s+console\s+(http://\S+)/", re.M),
    "admin": re.compile(r"^\s+administrator's token\s+(swg_\S+)", re.M),
    "agent": re.compile(r"^\s+agent's token\s+(swg_\S+)", re.M),
}
SNAPSHOT, DEVICE = "hypercore_create_snapshot", "hypercore"


@dataclass
class World:
    """What goes on beside the approver: an agent with its token, and a device whose replies can get lost."""

    printed: dict[str, str]
    line: Line
    usual: str

    async def ask(self, who: str, method: str, path: str, body: Any = None) -> Any:
        headers = {"authorization": f"Bearer {self.printed[who]}"}
        async with httpx.AsyncClient(base_url=self.printed["console"], headers=headers, trust_env=False) as client:
            return (await client.request(method, path, json=body, timeout=PATIENCE_S)).json()

    async def make_a_snapshot(self, label: str, target: str) -> None:
        inputs = {"vm": "web-01", "label": label}
        await self.ask("agent", "POST", f"/workflows/{SNAPSHOT}/run", {"inputs": inputs, "target": target})


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What the demonstration prints, when everything stays up."""
    place = tmp_path_factory.mktemp("demo") / "printed"
    command = [sys.executable, "-m", "switchgear.main", "demo", "--keep"]
    with (
        place.open("wb") as output,
        subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True
        ) as process,
    ):
        try:
            yield _told(place, process)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE_S)


def _told(place: Path, process: "subprocess.Popen[bytes]") -> dict[str, str]:
    while process.poll() is None:
        found = {name: each.search(place.read_text()) for name, each in PRINTED.items()}
        if all(found.values()):
            return {name: each[1] for name, each in found.items() if each}
        time.sleep(0.5)
    raise AssertionError(place.read_text())


@asynccontextmanager
async def world(printed: dict[str, str]) -> AsyncIterator[World]:
    """The demonstration's hypercore once more, as `rack-9`, behind a line on which a reply can get lost."""
    headers = {"authorization": f"Bearer {printed['admin']}"}
    async with httpx.AsyncClient(base_url=printed["console"], headers=headers, trust_env=False) as client:
        (twin,) = (await client.get("/targets", params={"api": DEVICE})).json()
        with between(twin["base_url"]) as line:
            account = {"username_ref": "env:DEMO_USERNAME", "password_ref": "env:DEMO_PASSWORD"}
            added = {"name": "rack-9", "api": DEVICE, "mode": "twin", "base_url": line.url, **account}
            assert (await client.post("/targets", json=added)).status_code == 201
            yield World(printed, line, twin["name"])


async def look_until_it_tells(ann: Person) -> None:
    """Devices are late: the page says that it may still come, and is asked once more."""
    for _ in range(20):
        await ann.press("button:has-text('Make the reads that tell')")
        await ann.page.wait_for_selector(':text("Found out"), [role=alert]')
        if await ann.page.locator("text=Found out").count():
            return
        assert "look" in await ann.page.inner_text("[role=alert]")
        await ann.page.wait_for_timeout(3_000)
    raise AssertionError(await ann.page.inner_text("main"))


async def test_the_approvers_day_from_the_demonstration_takes_under_three_minutes(printed: dict[str, str]) -> None:
    async with world(printed) as around, browser() as opened:
        context = await opened.new_context()
        ann = Person(await context.new_page(), printed["console"])
        page = ann.page
        with ann.step("log in, with the address and the token that were printed"):
            await ann.to("/")
            await ann.paste("#token", printed["admin"])
            await ann.press("button:has-text('Go in')")
            await page.wait_for_selector("text=wait for a decision")
        with ann.step("find what waits of snapshots"):
            await ann.press("a.tile:has-text('wait for a decision')")
            await ann.write("input[name=q]", "snapshot")
            await ann.press("button:has-text('Filter')")
            await page.wait_for_selector("a:has-text('all') >> visible=true")
        with ann.step("read the gravest of them"):
            await ann.press("tr:has(.risk-destroy) a >> nth=0")
            for words in ("What it sends, step by step", "What it was proved against", "0 of 1"):
                await page.wait_for_selector(f"text={words}")
            await ann.study("Why it is destroy")
            await ann.picture("day-workflow")
            await page.go_back()
        with ann.step("approve three together with a reason"):
            for number in range(3):
                await ann.tick(f"tbody input[name=chosen] >> nth={number}")
            await ann.press("button:has-text('Look at what is chosen')")
            await ann.study("to decide on")
            await ann.picture("day-decide")
            await ann.write("#reason", "tried in the lab")
            await ann.press("button:has-text('Approve')")
            await page.wait_for_selector("text=3 of 3 done")
            names = [(await each.inner_text()).partition("@")[0] for each in await page.locator("td a.mono").all()]
        with ann.step("see that the agents' list has changed"):
            await ann.press("nav >> text=Catalog")
            await page.wait_for_selector("text=The catalog as")
            shown = await page.inner_text("main")
            searched = await page.locator("details li a").all_text_contents()
            assert all(name in shown or name in searched for name in names), (names, shown)
        with ann.step("watch a run of an agent"):
            await ann.press("nav >> text=Runs")
            last = await page.locator("tbody a.mono").first.inner_text()
            await around.make_a_snapshot("before the night", around.usual)
            await page.wait_for_function(
                "last => document.querySelector('tbody a.mono').innerText !== last", arg=last, timeout=30_000
            )
            await ann.press("tbody a.mono >> nth=0")
            await page.wait_for_selector("dl.facts .is-succeeded")
        with ann.step("find out what became of a run in doubt"):
            around.line.lose_next("POST", "/VirDomainSnapshot")
            await around.make_a_snapshot("before the move", "rack-9")
            await ann.press("a.brand")
            await ann.press("h2:has-text('In doubt') ~ div a.mono >> nth=0")
            await ann.study("The read that tells")
            await ann.picture("day-doubt")
            await look_until_it_tells(ann)
            await ann.picture("day-found-out")
        await context.close()
    print(ann.told())
    assert [each for each in ann.complaints if "409" not in each] == [], "but that a look did not tell yet"
    assert ann.takes_s < 180
