"""The pages of a hub with sites in a real browser: chosen, planned and applied by clicks, wide and narrow, light, dark.

Beside `tests/runtime/test_console_in_a_browser.py`, which has a device and no site. Playwright, axe-core.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from runtime.credentials import TOKEN_COOKIE
from tests.browser import Person, browser
from tests.needs import AXE, CHROMIUM, ROOT
from tests.runtime.sites.houses import SET, Hub

pytestmark = [pytest.mark.long, CHROMIUM.mark, pytest.mark.filterwarnings("ignore::ResourceWarning")]
Look = Callable[[str], Awaitable[None]]


async def is_gone_through(person: Person, look: Look) -> None:
    page = person.page
    await person.to("/console/sites")
    await look("sites")
    await person.press("a:has-text('oslo')")
    await look("site")
    await person.press(f"a:text-is('{SET}')")
    await page.wait_for_selector("text=1 can, the best first")
    await look("fleet")
    await person.write("#inputs", '{"room": "hall", "level": 7}')
    await person.press("button:has-text('Plan it')")
    await page.wait_for_selector("text=planned on 1 of 1")
    await look("selection")
    await person.press("button:has-text('Apply these plans')")
    await page.wait_for_selector("text=done on 1 of 1")
    await look("applied")
    await person.press("nav >> text=Sites")
    await person.press("summary:has-text('Invite a site')")
    await person.write("input[type=text][name=name]", "bern")
    await person.press("button:has-text('Invite it')")
    await page.wait_for_selector("text=shown this once")
    await look("invited")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (380, "dark")])
async def test_a_hub_is_used_by_clicks_and_every_page_of_it_fits(three: Hub, width: int, scheme: str) -> None:
    AXE.or_skip()
    axe = (ROOT / ".tools/node_modules/axe-core/axe.min.js").read_text()
    grave: list[Any] = []
    async with browser() as opened:
        size = {"width": width, "height": 900}
        context = await opened.new_context(viewport=size, color_scheme=scheme, bypass_csp=True)
        await context.add_cookies([{"name": TOKEN_COOKIE, "value": three.secret, "url": three.run.url}])
        person = Person(await context.new_page(), three.run.url)

        async def look(name: str) -> None:
            page = person.page
            wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, (name, "is scrolled sideways")
            await page.evaluate(axe)
            found = await page.evaluate("axe.run().then(told => told.violations)")
            bad = [each for each in found if each["impact"] in ("serious", "critical")]
            grave.extend((name, each["id"], each["nodes"][0]["html"]) for each in bad)
            await person.picture(f"hub-{name}-{width}")

        await is_gone_through(person, look)
        await context.close()
    assert (grave, person.complaints) == ([], [])
    assert three.sites[0].works.works.levels["hall"] == 7
