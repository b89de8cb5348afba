"""One workflow on many targets: those with the labels, a few at a time, a result for each."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from runtime.call_options import PLAIN, CallOptions
from runtime.caller import Caller
from runtime.calls.selection import Selection, run_on
from runtime.errors import BadInput, UnknownTarget

ME = Caller("me", "operator")
EDGE = {"site": "edge"}


class Row:
    """Devices that answer a list after a moment, and how many of them were asked at the same time."""

    def __init__(self, tools: Any) -> None:
        self.tools, self.now, self.most, self.asked, self.broken = tools, 0, 0, 0, False

    async def __call__(self, _heard: Any, writer: Any) -> None:
        self.now, self.asked = self.now + 1, self.asked + 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.05)
        self.now -= 1
        body = json.dumps([{"uuid": "u-1", "name": "web-01", "state": "on"}]).encode()
        writer.write(self.tools.answer(404 if self.broken else 200, body, content_type="application/json"))


@pytest.fixture
async def row(house: Any, recorder: Any, tools: Any) -> Row:
    """Six devices at the edge and one elsewhere."""
    made = Row(tools)
    for number in range(7):
        device = await recorder(made)
        labels = (("site", "edge" if number < 6 else "home"),)
        await house.target(device.url, f"device-{number}", labels=labels)
    for name in ("find", "stop"):
        await house.approve(name)
    await house.service.live.reload()
    return made


async def run(house: Any, selection: Selection, options: CallOptions = PLAIN, **inputs: Any) -> Any:
    entry = house.service.live.now.find("toy-find-vm")
    return await run_on(house.service.calls, entry, inputs or {"vm": "web-01"}, selection, ME, options)


async def test_all_that_have_the_label_are_run_on_and_no_more_at_a_time_than_told(house: Any, row: Row) -> None:
    results = await run(house, Selection(EDGE, parallel=2))
    assert [result.target for result in results] == [f"device-{number}" for number in range(6)]
    assert {result.ended.outcome for result in results} == {"succeeded"}
    assert (row.most, row.asked) == (2, 6)
    await house.service.engine.settle()
    assert sorted(each.target for each in await house.service.runs.find()) == [each.target for each in results]


async def test_after_a_failure_no_further_run_is_begun_if_so_told(house: Any, row: Row) -> None:
    row.broken = True
    results = await run(house, Selection(EDGE, parallel=1, stops=True))
    told = [result.to_json()["outcome"] for result in results]
    assert told == ["failed", *["not begun"] * 5]
    assert row.asked == 1
    results = await run(house, Selection(EDGE, parallel=3))
    assert [result.ended.outcome for result in results] == ["failed"] * 6


async def test_no_target_with_the_label_is_an_error_and_so_is_one_plan_for_many(house: Any, row: Row) -> None:
    with pytest.raises(UnknownTarget, match="site=moon"):
        await run(house, Selection({"site": "moon"}))
    with pytest.raises(BadInput, match="one target"):
        await run(house, Selection(EDGE), CallOptions(plan_id="x"))
    assert row.asked == 0


async def test_bad_inputs_are_told_for_each_target_and_nothing_is_sent(house: Any, row: Row) -> None:
    results = await run(house, Selection(EDGE), nonsense=1)
    assert all(result.ended is None and "nonsense" in result.why for result in results)
    assert row.asked == 0


async def test_over_rest_each_target_has_its_result(house: Any, row: Row, tools: Any) -> None:
    body = {"inputs": {"vm": "web-01"}, "labels": EDGE, "parallel": 6}
    async with (
        tools.running(house.service) as server,
        httpx.AsyncClient(base_url=server.url, trust_env=False) as opened,
    ):
        answer = await opened.post("/workflows/toy-find-vm/run-selection", json=body)
        planned = await opened.post(
            "/workflows/toy-stop-vm/run-selection", json={**body, "inputs": {"uuid": "u-1"}, "plan": True}
        )
    assert (answer.status_code, answer.json()["succeeded"]) == (200, 6)
    assert answer.json()["results"][0]["outputs"] == {"uuid": "u-1", "state": "on"}
    assert {result["outcome"] for result in planned.json()["results"]} == {"planned"}
    assert row.asked == 6
