"""What is in doubt, or under way, is not begun a second time: by whomever, through whatever door, in whatever process.

An agent that tries again after a lost answer makes no second effect (THREATS G2). The device of `shop` hangs up at a
change, having carried it out or not, and cannot be read until it is back.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

from governance.errors import TransitionError
from governance.runs.open_runs import RunFinding
from governance.runs.schedules import Schedule
from governance.storage import schema
from runtime.background.scheduling import Scheduler
from runtime.call_options import CallOptions
from runtime.caller import Caller
from runtime.calls.confirmation import Confirmation
from runtime.calls.selection import Selection, run_on
from runtime.engines.looking import LookResult
from runtime.errors import SameEffect
from runtime.secrets import Vault
from runtime.service import ServiceOptions, open_service
from tests.forks import program
from tests.runtime import shop as shops
from tests.waiting import until

ME, YOU, BOSS = Caller("me", "operator"), Caller("you", "operator"), Caller("boss", "approver")
WORKFLOWS = tuple(shops.STEPS)
KINDS = tuple(shops.CALLS)
NOBODY = Confirmation(classes=frozenset())


@pytest.fixture
async def shop(recorder: Any, tools: Any) -> Any:
    """The device; `shop.script` is its behaviour."""
    return await recorder(shops.Shop(tools.answer))


async def stocked(house: Any, shop: Any, tools: Any) -> Any:
    """The house with the shop as its one target, and everything approved."""
    await house.target(shop.url)
    for name in WORKFLOWS:
        revision = await house._submit(tools.content_of(shops.document(name)))
        await house.service.revisions.decide(
            revision.id, "approve", actor="test", role="admin", reason="", digest=revision.digest
        )
    await house.service.live.reload()
    return house


@pytest.fixture
async def there(house: Any, shop: Any, tools: Any) -> Any:
    return await stocked(house, shop, tools)


async def call(house: Any, name: str, inputs: Any, caller: Caller = ME, **more: Any) -> Any:
    entry = house.service.live.now.entries[f"toy_{name.replace('-', '_')}_vm"]
    return await house.service.calls.call(entry, inputs, None, caller, **more)


async def doubtful(house: Any, shop: Any, name: str, inputs: Any, *, is_done: bool = True, **more: Any) -> Any:
    """A run whose change was heard, and carried out or not; the device is back by now."""
    shop.script.loses, shop.script.carries_out = True, is_done
    ended = await call(house, name, inputs, **more)
    assert ended.outcome == "unknown"
    shop.script.comes_back()
    return ended


async def refused(asking: Any) -> SameEffect:
    with pytest.raises(SameEffect) as told:
        await asking
    return told.value


@pytest.mark.parametrize("name", KINDS)
async def test_what_is_in_doubt_is_not_begun_again_by_whomever_with_a_key_or_without(
    there: Any, shop: Any, name: str
) -> None:
    first, again, other = shops.CALLS[name]
    run = await doubtful(there, shop, name, first, is_done=name != "drop")
    shop.script.carries_out = False
    sent = len([heard for heard in shop.heard if heard.method != "GET"])
    for caller in (ME, YOU, BOSS):
        for key in ("", f"key-{caller.name}"):
            told = await refused(call(there, name, again, caller, key=key))
            assert told.code == "same_effect_in_doubt"
            assert (run.run_id in told.message) is (caller is not YOU)
    assert sent == len([heard for heard in shop.heard if heard.method != "GET"])
    assert (await call(there, name, other)).run_id != run.run_id, "another thing is another effect"


async def test_whoever_may_not_see_the_run_in_doubt_learns_that_there_is_one_and_no_more(there: Any, shop: Any) -> None:
    run = await doubtful(there, shop, "stop", {"vm": "web-01"})
    told = await refused(call(there, "stop", {"vm": "web-01"}, YOU))
    said = json.dumps([told.message, told.remedy, told.more])
    assert run.run_id not in said
    assert "u-1" not in said
    assert "approver" in told.remedy
    seen = await refused(call(there, "stop", {"vm": "web-01"}, BOSS))
    assert seen.more == {"code": "same_effect_in_doubt", "run_id": run.run_id, "look": "GET /vms"}


@pytest.mark.parametrize("has_happened", [True, False])
async def test_a_person_who_has_looked_frees_the_effect(there: Any, shop: Any, has_happened: bool) -> None:
    run = await doubtful(there, shop, "stop", {"vm": "web-01"})
    await there.service.open_runs.resolve(run.run_id, RunFinding(has_happened, goes_on=False), actor="ann")
    assert (await call(there, "stop", {"vm": "web-01"}, YOU)).outcome == "succeeded"


@pytest.mark.slow
async def test_a_run_that_is_gone_on_with_keeps_its_effect_until_its_end(there: Any, shop: Any) -> None:
    run = await doubtful(there, shop, "stop", {"vm": "web-01"})
    await there.service.open_runs.resolve(run.run_id, RunFinding(True, goes_on=True), actor="ann")
    assert (await refused(call(there, "stop", {"vm": "web-01"}))).code == "same_effect_under_way"

    async def has_ended() -> bool:
        await there.service.engine.recover()
        return (await there.service.runs.get(run.run_id)).outcome is not None

    await until(has_ended)
    assert (await call(there, "stop", {"vm": "web-01"})).outcome == "succeeded"


async def test_what_is_under_way_is_not_begun_again_and_then_it_may_be(there: Any, shop: Any) -> None:
    shop.script.waits = asyncio.Event()
    running = asyncio.create_task(call(there, "set", {"vm": "web-01", "size": "1"}))
    await shop.has_heard(2)
    told = await refused(call(there, "set", {"vm": "web-01", "size": "2"}))
    assert told.code == "same_effect_under_way"
    assert (await call(there, "set", {"vm": "web-01"}, options=CallOptions(is_plan=True))).outcome == "planned"
    shop.script.waits.set()
    assert (await running).outcome == "succeeded"
    assert (await call(there, "set", {"vm": "web-01", "size": "2"})).outcome == "succeeded"
    assert shop.script.changes == ["PUT u-1"] * 2


async def test_of_many_at_the_same_moment_one_runs_and_the_others_are_told(there: Any, shop: Any) -> None:
    shop.script.waits = asyncio.Event()
    calls = [asyncio.create_task(call(there, "stop", {"vm": "web-01"})) for _ in range(12)]
    await shop.has_heard(2)
    await until(lambda: sum(not call.done() for call in calls) == 1)
    shop.script.waits.set()
    ends = await asyncio.gather(*calls, return_exceptions=True)
    assert sorted(type(end).__name__ for end in ends) == ["Ended"] + ["SameEffect"] * 11
    assert shop.script.changes == ["POST u-1/stop"]


async def test_another_spelling_of_the_same_thing_is_found_out_before_it_is_sent(there: Any, shop: Any) -> None:
    await doubtful(there, shop, "stop", {"vm": "web-01"})
    assert (await refused(call(there, "stop", {"vm": "u-1"}))).code == "same_effect_in_doubt"
    await doubtful(there, shop, "stop", {"vm": "u-2"})
    ended = await call(there, "stop", {"vm": "db-01"}, YOU)
    assert (ended.outcome, ended.failure.code) == ("failed", "refused")
    assert "another run has the same effect on the same thing" in ended.failure.message
    assert shop.script.changes == ["POST u-1/stop", "POST u-2/stop"]


async def test_another_workflow_is_another_effect_though_it_is_on_the_same_thing(there: Any, shop: Any) -> None:
    await doubtful(there, shop, "stop", {"vm": "web-01"})
    assert (await call(there, "set", {"vm": "web-01"})).outcome == "succeeded"


async def test_a_plan_is_made_and_says_what_is_in_the_way_of_it(there: Any, shop: Any) -> None:
    run = await doubtful(there, shop, "stop", {"vm": "web-01"})
    planned = await call(there, "stop", {"vm": "web-01"}, options=CallOptions(is_plan=True))
    assert planned.outputs["in_the_way"]["run_id"] == run.run_id
    told = await refused(call(there, "stop", {"vm": "web-01"}, options=CallOptions(plan_id=planned.outputs["plan_id"])))
    assert told.code == "same_effect_in_doubt"
    await there.service.open_runs.resolve(run.run_id, RunFinding(False, goes_on=False), actor="ann")
    ended = await call(there, "stop", {"vm": "web-01"}, options=CallOptions(plan_id=planned.outputs["plan_id"]))
    assert ended.outcome == "succeeded", "the plan was not used up by the refusal"


async def test_the_key_of_the_run_in_doubt_still_stands_for_that_run(there: Any, shop: Any) -> None:
    run = await doubtful(there, shop, "stop", {"vm": "web-01"}, key="k")
    again = await call(there, "stop", {"vm": "web-01"}, key="k")
    assert (again.run_id, again.outcome) == (run.run_id, "unknown")


# The look


async def test_what_was_deleted_and_is_gone_is_told_to_have_been_done_and_is_not_sent_again(
    there: Any, shop: Any
) -> None:
    run = await doubtful(there, shop, "drop", {"vm": "web-01"})
    assert (await refused(call(there, "drop", {"vm": "web-01"}))).code == "same_effect_was_done"
    stored = await there.service.runs.get(run.run_id)
    assert (stored.outcome, stored.resolution["has_happened"]) == ("succeeded", True)
    assert shop.script.changes == ["DELETE u-1"]


@pytest.mark.parametrize("is_settled", [True, False])
async def test_what_is_not_so_is_believed_when_it_cannot_come_any_more(there: Any, shop: Any, is_settled: bool) -> None:
    there.service.calls.same_effects.looker.settled_s = 0.0 if is_settled else 60.0
    await doubtful(there, shop, "make", {"name": "new"}, is_done=False)
    if is_settled:
        assert (await call(there, "make", {"name": "new"})).outcome == "succeeded"
    else:
        assert (await refused(call(there, "make", {"name": "new"}))).code == "same_effect_in_doubt"
    assert shop.script.changes == ["POST "] * is_settled


@pytest.mark.parametrize(("name", "code"), [("make", "same_effect_in_doubt"), ("make-once", "same_effect_was_done")])
async def test_a_new_thing_that_is_there_was_made_by_the_run_if_the_run_had_missed_it_before(
    there: Any, shop: Any, name: str, code: str
) -> None:
    await doubtful(there, shop, name, {"name": "new"})
    assert (await refused(call(there, name, {"name": "new"}))).code == code
    assert list(shop.script.names.values()).count("new") == 1


async def test_what_stands_at_the_old_address_says_nothing_of_a_thing_that_was_to_move(there: Any, shop: Any) -> None:
    looker = there.service.calls.same_effects.looker
    looker.settled_s = 0.0
    run = await doubtful(there, shop, "move", {"vm": "web-01", "size": "u-9"})
    shop.script.names["u-1"] = "another"

    async def seen() -> LookResult | None:
        found = await looker.resolved(run.run_id, actor="ann")
        return None if "is not asked for" in found.why else found  # for as long as the breaker is open

    found = await until(seen, "the device to be asked again")
    assert (found.verdict, "an address of its own" in found.why) == ("open", True)
    assert shop.script.changes == ["PATCH u-1"]


async def test_a_device_that_stays_away_leaves_the_doubt_as_it_is(there: Any, shop: Any) -> None:
    run = await doubtful(there, shop, "drop", {"vm": "web-01"})
    shop.script.is_away = True
    with pytest.raises(TransitionError, match="stays in doubt"):
        await there.service.calls.same_effects.look(run.run_id, ME)
    assert (await there.service.runs.get(run.run_id)).outcome == "unknown"


async def test_a_look_sends_reads_alone_and_they_stand_under_the_run_in_the_name_of_who_looks(
    there: Any, shop: Any
) -> None:
    run = await doubtful(there, shop, "drop", {"vm": "web-01"})
    heard = len(shop.heard)
    await there.service.calls.same_effects.look(run.run_id, BOSS)
    assert {each.method for each in shop.heard[heard:]} == {"GET"}
    rows = await there.service.audit.find(subject=f"run:{run.run_id}", limit=100)
    looks = [row for row in rows if row.action == "request.sending" and row.detail["detail"]["purpose"] == "look"]
    assert [row.actor for row in looks] == ["boss"]


# The doors


async def over_mcp(url: str, name: str, inputs: Any) -> tuple[str, str]:
    async with Client(StreamableHttpTransport(f"{url}/mcp"), mode="2026-07-28") as client:
        answer = await client.call_tool(f"toy_{name}_vm", inputs, raise_on_error=False)
    assert answer.is_error
    return answer.meta["switchgear"]["code"], answer.content[0].text


async def over_rest(url: str, name: str, inputs: Any) -> tuple[str, str]:
    async with httpx.AsyncClient(base_url=url) as client:
        answer = await client.post(f"/workflows/toy_{name}_vm/run", json={"inputs": inputs})
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    return answer.json()["code"], f"{answer.json()['detail']} {answer.json()['remedy']}"


@pytest.mark.parametrize("door", [over_rest, over_mcp])
@pytest.mark.parametrize("name", ["make", "set", "stop"])
async def test_an_agent_that_tries_again_makes_no_second_effect_and_is_told_how_to_go_on(
    there: Any, shop: Any, tools: Any, name: str, door: Any
) -> None:
    run = await doubtful(there, shop, name, shops.CALLS[name][0])
    async with tools.running(there.service) as server:
        code, text = await door(server.url, name, shops.CALLS[name][1])
    assert code == "same_effect_in_doubt"
    assert f"runs resolve {run.run_id}" in text
    assert len(shop.script.changes) == 1


async def switchgear(*words: str) -> tuple[int, str, str]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(program(), *words, stdout=pipe, stderr=pipe)
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


@pytest.mark.slow
async def test_the_command_line_refuses_looks_and_resolves(there: Any, shop: Any) -> None:
    run = await doubtful(there, shop, "drop", {"vm": "web-01"})
    shop.script.is_away = True
    code, _, err = await switchgear("call", "toy-drop-vm", "vm=web-01", "--db", there.url)
    assert (code, f"runs resolve {run.run_id}" in err) == (1, True), err
    assert (await switchgear("runs", "resolve", run.run_id, "--look", "--go-on", "--db", there.url))[0] == 2
    shop.script.comes_back()
    code, out, err = await switchgear("runs", "resolve", run.run_id, "--look", "--json", "--db", there.url)
    assert (code, json.loads(out)["outcome"]) == (0, "succeeded"), err


async def test_over_rest_a_look_resolves_and_nothing_else_is_said_with_it(there: Any, shop: Any, tools: Any) -> None:
    run = await doubtful(there, shop, "drop", {"vm": "web-01"})
    async with tools.running(there.service) as server, httpx.AsyncClient(base_url=server.url) as client:
        path = f"/runs/{run.run_id}/resolve"
        both, neither = [await client.post(path, json=body) for body in ({"look": True, "has_happened": True}, {})]
        looked = await client.post(path, json={"look": True})
    assert (both.status_code, neither.status_code, looked.status_code) == (422, 422, 200)
    assert looked.json()["outcome"] == "succeeded"


async def test_a_moment_of_a_schedule_whose_effect_is_in_doubt_is_skipped_with_the_reason(
    there: Any, shop: Any
) -> None:
    await doubtful(there, shop, "stop", {"vm": "web-01"})
    now = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
    moments = [now]
    scheduler = Scheduler(replace(there.service.scheduler._around), lambda: moments[-1])
    hourly = Schedule("hourly", "toy-stop-vm", "0 * * * *", "UTC", "", "", inputs={"vm": "web-01"})
    await scheduler.add(hourly, Caller("cli:me", "operator"))
    moments.append(now + timedelta(minutes=30, seconds=1))
    await scheduler.look()
    await scheduler.settle()
    last = (await there.service.schedules.get("hourly")).last
    assert (last["outcome"], "in doubt" in last["why"]) == ("skipped", True)
    assert shop.script.changes == ["POST u-1/stop"]


async def test_on_labels_each_target_is_an_effect_of_its_own(there: Any, shop: Any, tools: Any) -> None:
    await there.target(shop.url, "twin", labels=(("site", "edge"),))
    await there.service.live.reload()
    shop.script.loses = True
    entry = there.service.live.now.entries["toy_stop_vm"]
    assert (await there.service.calls.call(entry, {"vm": "web-01"}, "lab", ME)).outcome == "unknown"
    shop.script.comes_back()
    (result,) = await run_on(
        there.service.calls, entry, {"vm": "web-01"}, Selection({"site": "edge"}), ME, CallOptions(is_confirmed=True)
    )
    assert result.ended is not None
    assert result.ended.outcome == "succeeded"


# Other processes


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'both.db'}"
        return
    address = str(request.getfixturevalue("postgres_server").new_database())
    await asyncio.to_thread(schema.upgrade, address)
    yield address


async def test_it_holds_between_replicas_and_after_a_restart(url: str, shop: Any, tools: Any) -> None:
    async with open_service(url, Vault({}), ServiceOptions(confirmation=NOBODY)) as service:
        here = await stocked(await tools.furnished(url, service), shop, tools)
        async with open_service(url, Vault({}), ServiceOptions(confirmation=NOBODY)) as other:
            replica = tools.House(url, other)
            shop.script.waits = asyncio.Event()
            running = asyncio.create_task(call(here, "stop", {"vm": "db-01"}))
            await shop.has_heard(2)
            await other.live.reload()
            assert (await refused(call(replica, "stop", {"vm": "db-01"}, YOU))).code == "same_effect_under_way"
            shop.script.waits.set()
            assert (await running).outcome == "succeeded"
            await doubtful(here, shop, "stop", {"vm": "web-01"})
            assert (await refused(call(replica, "stop", {"vm": "web-01"}))).code == "same_effect_in_doubt"
    async with open_service(url, Vault({}), ServiceOptions(confirmation=NOBODY)) as service:
        again = tools.House(url, service)
        assert (await refused(call(again, "stop", {"vm": "web-01"}))).code == "same_effect_in_doubt"
    assert shop.script.changes == ["POST u-2/stop", "POST u-1/stop"]
