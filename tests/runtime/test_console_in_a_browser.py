"""The approver's day in a real browser: the distribution's Chromium, driven from outside, against a real server.

Everything that pages do by themselves is here, and what only a browser knows: what it makes of the policy for scripts,
of a page without scripts, of 380 pixels, of the dark, of a keyboard; and what axe-core finds. Pictures are kept in a
folder that is named at the end (`tests/browser.py`). Playwright.
"""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from governance.approval.policies import PolicyStore
from governance.approval.policy import policy_of
from governance.people.scopes import WHOLE
from governance.transitions import Role, may
from tests.browser import Person, browser
from tests.needs import AXE, CHROMIUM, ROOT

pytestmark = [pytest.mark.long, CHROMIUM.mark, pytest.mark.filterwarnings("ignore::ResourceWarning")]
WORDS = "seven blue lanterns"
NAMES: dict[str, Role] = {"vic": "viewer", "oli": "operator", "ann": "approver", "root": "admin"}
EVERY_PAGE = (
    "/", "/console/queue", "/console/workflows", "/console/runs", "/console/targets", "/console/targets/lab",
    "/console/catalog", "/console/catalog?role=viewer&risk=read&q=stop", "/console/asks", "/console/decide?all=yes",
    "/console/schedules", "/console/library", "/console/statistics", "/console/audit", "/console/policy",
    "/console/access", "/console/events", "/console/bundles", "/console/sites", "/console/fleet?workflow=none",
    "/console/settings", "/console/workflows/toy-stop-vm",
    "/console/workflows/toy-stop-vm/try",
)  # fmt: skip


@pytest.fixture
async def chromium() -> AsyncIterator[Any]:
    async with browser() as opened:
        yield opened


@pytest.fixture
async def people(lab: Any, tools: Any, chromium: Any) -> AsyncIterator[Any]:
    """Opens the console for a user with a role."""
    for name, role in NAMES.items():
        await lab.service.users.add(name, role, password=WORDS, scope=WHOLE, actor="boss")
    async with tools.running(lab.service) as run:
        contexts: list[Any] = []

        async def person(name: str = "", **more: Any) -> Person:
            context = await chromium.new_context(**more)
            contexts.append(context)
            made = Person(await context.new_page(), run.url)
            if name:
                await made.log_in(name, WORDS)
            return made

        yield person
        for context in contexts:
            await context.close()


async def test_the_approvers_whole_day_takes_under_three_minutes_and_no_address_but_the_first(
    lab: Any, people: Any, device: Any
) -> None:
    """Log in, filter, read, approve three with a reason, see the agents' list change, watch, resolve an unknown."""
    for copy, name in enumerate(("find", "stop", "list"), 1):
        await lab.submit(name, copy)

    async def hang_up(writer: Any) -> bool:
        device.script.machines[0]["state"] = "off"
        writer.close()
        return False

    ann = await people("ann")
    page = ann.page
    await ann.choose("select[name=risk]", "disrupt")
    await ann.press("button:has-text('Filter')")
    assert await page.locator("tbody tr").count() == 1
    await ann.press("a:has-text('Stop a machine')")
    await page.wait_for_selector("text=What it sends, step by step")
    assert "POST /vms/{id}/stop" in await page.inner_text("main")
    await ann.picture("workflow")
    await ann.press("nav >> text=Queue")
    await ann.tick("[data-all]")
    assert await page.inner_text("[data-count]") == "3 chosen"
    await ann.picture("queue")
    await ann.press("text=Look at what is chosen")
    await ann.picture("decide")
    await ann.write("#reason", "tested in the lab")
    await ann.press("button:has-text('Approve')")
    await page.wait_for_selector("text=3 of 3 done")
    assert len(lab.service.live.now.entries) == 5
    await ann.press("nav >> text=Catalog")
    assert "toy_list_vms_3" in await page.inner_text("main"), "the agents' list has changed"
    await ann.press("a:has-text('toy_stop_vm_2')")
    await ann.press("text=Try it")
    await ann.write("input[name='in.uuid']", "u-1")
    await ann.press("button:has-text('Plan it')")
    await page.wait_for_selector("text=The plan: nothing was changed yet")
    await ann.picture("plan")
    device.script.before_stop = hang_up
    await ann.press("text=Apply this plan")
    await page.wait_for_selector("text=What became of it")
    await ann.picture("doubt")
    await ann.press("nav >> text=Runs")
    await ann.press("tbody a.mono >> nth=0")
    await ann.write("#note", "it is off: looked at the rack")
    await ann.press("button:has-text('It had been done')")
    await page.wait_for_selector("text=Found out")
    await ann.picture("found-out")
    assert ann.complaints == []
    print(f"the approver's day: {ann.looks} pages, {ann.clicks} clicks, {ann.typed} signs, {ann.takes_s:.0f} s")
    assert ann.takes_s < 180


async def test_a_run_in_doubt_is_looked_into_and_one_under_way_moves_by_itself(
    lab: Any, people: Any, device: Any, tools: Any
) -> None:
    ann = await people("ann")
    page = ann.page

    async def hang_up(writer: Any) -> bool:
        device.script.machines[0]["state"] = "off"
        writer.close()
        return False

    device.script.before_stop = hang_up
    await ann.to("/console/workflows/toy-stop-vm/try")
    await page.fill("input[name='in.uuid']", "u-1")
    await page.click("button:has-text('Plan it')")
    await page.click("text=Apply this plan")
    await page.wait_for_selector("text=What became of it")
    await ann.picture("doubt")
    await page.fill("#note", "looked at the rack: it is off")
    await page.click("button:has-text('It had been done')")
    await page.wait_for_selector("text=Found out")
    device.script.before_stop, device.script.job_state = None, "running"
    device.script.machines[0]["state"] = "on"
    await ann.to("/console/workflows/toy-stop-vm/try")
    await page.fill("input[name='in.uuid']", "u-2")
    await page.click("button:has-text('Plan it')")
    await page.wait_for_selector("text=Apply this plan")
    other = await ann.page.context.new_page()
    watching = Person(other, ann.url)
    await watching.to("/console/runs?outcome=under+way")
    assert "none" in await other.inner_text("tbody")
    await page.click("text=Apply this plan", no_wait_after=True)
    await other.wait_for_selector("tbody a.mono")
    device.script.job_state = "done"
    await other.wait_for_selector("td:has-text('none')")
    assert watching.complaints == []


async def test_a_call_that_asks_is_let_through_and_goes(lab: Any, people: Any, device: Any) -> None:
    await PolicyStore(lab.service.database).apply(policy_of({"ask": [{"classes": ["disrupt"]}]}), actor="boss")
    root, ann = await people("root"), await people("ann")
    page = root.page
    await ann.to("/console/asks?state=waiting")
    await root.to("/console/workflows/toy-stop-vm/try")
    await page.fill("input[name='in.uuid']", "u-1")
    await page.click("button[name=ask]")
    await page.wait_for_selector("text=waits for a person")
    await ann.page.wait_for_selector("a:has-text('toy-stop-vm')")
    await ann.page.click("a:has-text('toy-stop-vm')")
    assert "/api/vms/u-1/stop" in await ann.page.inner_text("main")
    await ann.picture("ask")
    await ann.page.click("button:has-text('Let it through')")
    await ann.page.wait_for_selector("text=1 of 1 have let it through")
    assert [heard for heard in device.heard if heard.method == "POST"] == []
    await page.fill("input[name='in.uuid']", "u-1")
    await page.click("button[name=ask]")
    await page.wait_for_selector("text=What was sent and answered")
    assert "succeeded" in await page.inner_text("dl.facts")


async def test_decisions_are_made_without_javascript(lab: Any, people: Any) -> None:
    pending = await lab.submit("list")
    ann = await people("ann", java_script_enabled=False)
    page = ann.page
    assert not await page.is_visible("[data-all]")
    await page.check("input[name=chosen]")
    await page.click("text=Look at what is chosen")
    await page.fill("#reason", "it reads too much")
    await page.click("button:has-text('Reject')")
    assert "1 of 1 done" in await page.inner_text("main")
    assert (await lab.service.revisions.get(pending.id)).state == "rejected"


async def test_with_a_keyboard_alone_somebody_logs_in_chooses_and_approves(lab: Any, people: Any) -> None:
    pending = await lab.submit("list")
    ann = await people()
    page = ann.page
    await ann.to("/console/queue")
    await page.wait_for_selector("#name:focus")  # a browser gives it with the first picture, which may be late
    await page.keyboard.type("ann")
    await page.keyboard.press("Tab")
    await page.keyboard.type(WORDS)
    await page.keyboard.press("Enter")
    await page.wait_for_selector("text=What waits for a decision")
    await tab_to(page, f"input[value='{pending.id}']")
    await page.keyboard.press("Space")
    await tab_to(page, "button:has-text('Look at what is chosen')")
    await page.keyboard.press("Enter")
    await tab_to(page, "#reason")
    await page.keyboard.type("by keyboard")
    await tab_to(page, "button:has-text('Approve')")
    outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "it is seen where one is"
    await page.keyboard.press("Enter")
    await page.wait_for_selector("text=1 of 1 done")
    assert (await lab.service.revisions.get(pending.id)).reason == "by keyboard"


async def tab_to(page: Any, selector: str) -> None:
    await page.wait_for_selector(selector)
    for _ in range(80):
        await page.keyboard.press("Tab")
        if await page.locator(selector).first.evaluate("each => each === document.activeElement"):
            return
    raise AssertionError(f"{selector} is not reached by the keyboard")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [380, 1280])
async def test_every_page_fits_and_axe_finds_nothing_serious(lab: Any, people: Any, scheme: str, width: int) -> None:
    AXE.or_skip()
    await lab.submit("list")
    axe = (ROOT / ".tools/node_modules/axe-core/axe.min.js").read_text()
    root = await people("root", color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True)
    grave = []
    for path in EVERY_PAGE:
        await root.to(path)
        wide = await root.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, (path, "is scrolled sideways")
        await root.page.evaluate(axe)
        found = await root.page.evaluate("axe.run().then(told => told.violations)")
        grave += [
            (path, each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")
        ]
        await root.picture(f"{re.sub('[^a-z]+', '-', path.strip('/')) or 'start'}-{scheme}-{width}")
    assert grave == []


async def test_the_browser_itself_runs_nothing_that_a_page_did_not_come_with(people: Any) -> None:
    root = await people("root")
    foul = "<img src=x onerror='window.ran=1'><b style='color:red' id=b>x</b>"
    await root.page.evaluate("foul => document.body.insertAdjacentHTML('beforeend', foul)", foul)
    script = "const s = document.createElement('script'); s.textContent = 'window.ran=1'; document.body.append(s)"
    await root.page.evaluate(script)
    assert await root.page.evaluate("window.ran") is None
    assert await root.page.evaluate("getComputedStyle(document.getElementById('b')).color") != "rgb(255, 0, 0)"
    assert any("Content Security Policy" in each for each in root.complaints)


# What each role is offered to press on a page, beside what everybody is; and what the lowest role for a form is.
PRESSED = {
    "/console/queue": {}, "/console/workflows/PENDING": {"Approve": "approver", "Reject": "approver"},
    "/console/workflows/toy-stop-vm": {
        "Try it": "operator", "Retire": "approver", "Take out of use for now": "approver",
    },
    "/console/targets": {"Add it": "admin"}, "/console/targets/lab": {"Test it": "operator", "Remove it": "admin"},
    "/console/schedules": {"Add it": "operator"}, "/console/policy": {"Put it in force": "admin"},
    "/console/bundles": {"Import it": "admin", "Make it": "admin"}, "/console/sites": {"Invite it": "admin"},
}  # fmt: skip
SENT: tuple[tuple[str, dict[str, str], Role], ...] = (
    ("/console/workflows/PENDING", {"action": "reject", "reason": "", "digest": "x"}, "approver"),
    ("/console/decide", {"action": "approve"}, "viewer"),  # of nothing, by nobody: each is asked of the API by itself
    ("/console/workflows/toy-find-vm/try", {"in.vm": "web-01", "target": "lab"}, "operator"),
    ("/console/runs/none", {"action": "cancel"}, "operator"),
    ("/console/asks/none", {"action": "let through"}, "approver"),
    ("/console/targets", {"name": "x", "api": "toy", "base_url": "10.0.0.5"}, "admin"),
    ("/console/targets/lab", {"action": "remove", "seen": "x"}, "admin"),
    ("/console/schedules", {"action": "pause", "name": "none"}, "operator"),
    ("/console/audit", {}, "approver"),
    ("/console/policy", {"action": "preview", "policy": "a: ["}, "viewer"),
    ("/console/access", {"action": "revoke", "name": "none"}, "admin"),
    ("/console/events", {"action": "remove", "name": "none"}, "admin"),
    ("/console/library", {"action": "remove", "kind": "specs", "name": "x.yaml"}, "admin"),
    ("/console/bundles", {"action": "export", "name": "X", "version": "1"}, "admin"),
    ("/console/sites", {"action": "forget", "name": "none"}, "admin"),
    ("/console/fleet", {"action": "do", "workflow": "none"}, "operator"),
)
CLOSED: dict[Role, set[str]] = {
    "viewer": {"Statistics", "Audit", "Access", "Events", "Settings"},
    "operator": {"Statistics", "Audit", "Access", "Events", "Settings"},
    "approver": {"Access", "Events", "Settings"},
    "admin": set(),
}
FORM = """([path, fields]) => fetch(path, {method: 'POST', body: new URLSearchParams({...fields,
    csrf: document.querySelector('[name=csrf]').value}), redirect: 'manual'}).then(answer => answer.status)"""


@pytest.mark.parametrize("name", NAMES)
async def test_each_role_is_offered_what_it_may_do_and_can_do_nothing_else(lab: Any, people: Any, name: str) -> None:
    role, pending = NAMES[name], await lab.submit("list")
    one = await people(name)
    page = one.page
    offered = set(await page.locator("header nav a").all_inner_texts())
    whole = {"Queue", "Runs", "Targets", "Sites", "Bundles", "Policy", "Schedules", *CLOSED["viewer"]}
    assert offered & whole == whole - CLOSED[role]
    for path, pressed in PRESSED.items():
        await one.to(path.replace("PENDING", pending.id))
        shown = set(await page.locator("main button, main a.button").all_text_contents())
        wanted = {text for text, lowest in pressed.items() if may(role, lowest)}
        assert shown & set(pressed) == wanted, (path, shown)
    await one.picture(f"role-{role}")
    for path, fields, lowest in SENT:
        status = await page.evaluate(FORM, [path.replace("PENDING", pending.id), fields])
        assert (status == 403) is not may(role, lowest), (path, role, status)
    assert (await lab.service.revisions.get(pending.id)).state == "pending"
