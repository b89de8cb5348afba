"""Replies that are not as the approved description promises: reported, refused or let be."""

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client

from governance.registry.responses import ResponseStore
from runtime.caller import Caller
from runtime.calls.confirmation import Confirmation
from runtime.secrets import Vault
from runtime.service import ServiceOptions, open_service
from tests.waiting import PATIENCE_S

ME = Caller("me", "operator")
DIGEST = "sha256:0"  # of every operation of the toy API
MACHINE = {
    "type": "object",
    "required": ["uuid", "cpus"],
    "properties": {"uuid": {"type": "string"}, "name": {"type": "string"}, "state": {"enum": ["RUNNING", "SHUTOFF"]}},
}
LIST = {
    "type": "array",
    "items": {"$ref": "#/components/schemas/Machine"},
    "components": {"schemas": {"Machine": MACHINE}},
}
OPEN_LIST = {"type": "array", "items": {"type": "object", "required": ["uuid"]}}
STARTED = {"type": "object", "required": ["job"]}


@pytest.fixture
async def lab(request: Any, tmp_path: Path, device: Any, tools: Any) -> AsyncIterator[Any]:
    """A house under the policy of the test's parameter."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'switchgear.db'}"
    asks_nobody, vault = Confirmation(classes=frozenset()), Vault({"WORD": "s3cret-word"})
    async with open_service(url, vault, ServiceOptions(confirmation=asks_nobody, responses=request.param)) as service:
        house = await tools.furnished(url, service)
        await house.target(device.url)
        await house.approve("find")
        await house.approve("stop")
        await service.live.reload()
        yield house


def under(policy: str) -> Any:
    return pytest.mark.parametrize("lab", [policy], indirect=True)


async def promise(house: Any, **schemas: Any) -> None:
    found = {status.removeprefix("s"): schema for status, schema in schemas.items()}
    await ResponseStore(house.service.database).put({DIGEST: found})


async def call(house: Any, tool: str, **inputs: Any) -> Any:
    return await house.service.calls.call(house.service.live.now.entries[tool], inputs, None, ME)


async def answers_of(house: Any, run_id: str) -> list[Any]:
    """What is on record of each answer."""
    await house.service.engine.settle()
    run = await house.service.runs.get(run_id)
    return [step.record.detail for step in run.steps if step.record.phase == "answered"]


@under("report")
async def test_what_does_not_fit_is_reported_once_a_rule_and_the_run_goes_on(lab: Any) -> None:
    await promise(lab, s200=LIST)
    ended = await call(lab, "toy_find_vm", vm="web-01")
    assert (ended.outcome, ended.outputs["uuid"]) == ("succeeded", "u-1")
    (detail,) = await answers_of(lab, ended.run_id)
    told = {(each["at"], each["what"]) for each in detail["misfits"]}
    assert told == {
        ("/0", '"cpus" is a required property'),
        ("/0/state", 'the value is not one of "RUNNING" or "SHUTOFF"'),
    }
    assert {each["operation"] for each in detail["misfits"]} == {"GET /vms"}
    assert ended.misfits == 2


@under("report")
async def test_members_that_the_description_does_not_know_are_fine_unless_it_forbids_them(lab: Any) -> None:
    await promise(lab, s200=OPEN_LIST)
    ended = await call(lab, "toy_find_vm", vm="web-01")
    assert (ended.misfits, await answers_of(lab, ended.run_id)) == (0, [None])


@under("report")
async def test_what_is_found_names_the_place_and_the_rule_and_never_the_value(lab: Any, device: Any) -> None:
    device.script.machines = [
        {"uuid": "u-1", "name": "web-01", "state": "hidden-value", "s3cret-word": "x", "line\nbreak": "y" * 500}
    ]
    lab.service.vault.resolve("env:WORD")  # as a login does
    forbidding = {**MACHINE, "additionalProperties": False}
    await promise(lab, s200={"type": "array", "items": forbidding})
    ended = await call(lab, "toy_find_vm", vm="web-01")
    stored = json.dumps(await answers_of(lab, ended.run_id))
    assert ended.misfits == 3 and "/0/state" in stored
    assert not any(word in stored for word in ("hidden-value", "s3cret-word", "yyyy", "\\n"))


@under("report")
async def test_a_reply_with_many_faults_has_a_bounded_record(lab: Any, device: Any) -> None:
    device.script.machines = [{"uuid": "u-1", "name": "web-01", "state": "on", **{f"m{n}": "" for n in range(50)}}]
    numbers = {f"m{n}": {"type": "integer", "minimum": n} for n in range(50)}
    await promise(lab, s200={"type": "array", "items": {"properties": numbers}})
    assert (await call(lab, "toy_find_vm", vm="web-01")).misfits == 10


@under("report")
async def test_a_client_is_told_how_many_places_did_not_fit(lab: Any, tools: Any) -> None:
    await promise(lab, s200=LIST)
    async with tools.running(lab.service) as run, Client(run.mcp) as client:
        result = await client.call_tool("toy_find_vm", {"vm": "web-01"})
    assert result.meta is not None and result.meta["switchgear"]["misfits"] == 2


@under("refuse")
async def test_where_it_is_refused_a_read_fails_before_its_value_is_used(lab: Any) -> None:
    await promise(lab, s200=LIST)
    ended = await call(lab, "toy_find_vm", vm="web-01")
    assert (ended.outcome, ended.failure.code, ended.outputs, ended.failure.done) == ("failed", "bad_reply", {}, ())
    assert "2 places" in ended.failure.message and ended.misfits == 2


@under("refuse")
async def test_where_it_is_refused_a_change_is_told_as_in_doubt_and_not_sent_again(lab: Any, device: Any) -> None:
    await promise(lab, s202=STARTED)
    ended = await call(lab, "toy_stop_vm", uuid="u-1")
    assert (ended.outcome, ended.failure.code, ended.failure.done) == ("unknown", "bad_reply", ())
    assert len(ended.failure.may_be_done) == 1 and "whether it was carried out is not known" in ended.failure.message
    assert [heard.method for heard in device.heard] == ["POST"]
    (detail,) = await answers_of(lab, ended.run_id)
    assert [each["what"] for each in detail["misfits"]] == ['"job" is a required property']


@under("refuse")
async def test_a_class_of_statuses_holds_where_the_status_itself_is_not_described(lab: Any) -> None:
    await promise(lab, s2XX=STARTED, s201={})
    assert (await call(lab, "toy_stop_vm", uuid="u-1")).failure.code == "bad_reply"


@under("refuse")
async def test_a_reply_as_described_is_used(lab: Any) -> None:
    await promise(lab, s200=OPEN_LIST)
    assert (await call(lab, "toy_find_vm", vm="web-01")).outcome == "succeeded"


@under("refuse")
async def test_where_no_schema_is_known_or_none_of_use_nothing_is_checked(lab: Any) -> None:
    assert (await call(lab, "toy_find_vm", vm="web-01")).outcome == "succeeded"
    await promise(lab, s202={"type": "no such type"})
    assert (await call(lab, "toy_stop_vm", uuid="u-1")).outcome == "succeeded"


@under("off")
async def test_where_it_is_off_nothing_leaves_a_trace(lab: Any) -> None:
    await promise(lab, s200=LIST)
    ended = await call(lab, "toy_find_vm", vm="web-01")
    assert (ended.outcome, ended.misfits, await answers_of(lab, ended.run_id)) == ("succeeded", 0, [None])


@pytest.mark.slow
@under("report")
async def test_a_durable_run_that_is_looked_up_again_has_the_same_count(lab: Any) -> None:
    await promise(lab, s202=STARTED)
    entry = lab.service.live.now.entries["toy_stop_vm"]
    first = await lab.service.calls.call(entry, {"uuid": "u-1"}, None, ME, key="k-1")
    again = await lab.service.calls.call(entry, {"uuid": "u-1"}, None, ME, key="k-1")
    assert (first.run_id, first.misfits, again.misfits) == (again.run_id, 1, 1)


@pytest.mark.slow
@under("report")
async def test_a_list_of_thousands_that_are_all_wrong_costs_little_and_is_told_by_its_first(
    lab: Any, device: Any
) -> None:
    device.script.machines = [{"uuid": "u-1", "name": "web-01", "state": "on"}] + [{"state": n} for n in range(20_000)]
    lacks = {"type": "object", "required": [f"m{n}" for n in range(9)]}
    await promise(lab, s200={"type": "array", "items": lacks})
    tracemalloc.start()
    ended = await call(lab, "toy_find_vm", vm="web-01")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    (detail,) = await answers_of(lab, ended.run_id)
    assert (ended.outcome, ended.misfits) == ("succeeded", 9)
    assert {each["at"] for each in detail["misfits"]} == {"/0"}
    assert most < 64 * 2**20


@under("report")
async def test_a_fault_far_down_in_a_long_list_is_found_at_its_place(lab: Any, device: Any) -> None:
    device.script.machines = [{"uuid": "u-1", "name": "web-01", "state": "on"}] * 2_000 + [{"name": "x", "state": "on"}]
    await promise(lab, s200={**OPEN_LIST, "minItems": 500})
    ended = await call(lab, "toy_find_vm", vm="x")
    (detail,) = await answers_of(lab, ended.run_id)
    assert [(each["at"], each["what"]) for each in detail["misfits"]] == [("/2000", '"uuid" is a required property')]


@under("refuse")
async def test_what_is_nested_too_deep_to_be_checked_is_said_and_is_no_fault_of_ours(lab: Any, device: Any) -> None:
    deep: Any = {}
    for _ in range(400):
        deep = {"a": deep}
    device.script.machines = [{"uuid": "u-1", "name": "web-01", "state": deep}]
    await promise(lab, s200={"type": "array", "items": {"properties": {"state": {"type": "integer"}}}})
    ended = await call(lab, "toy_find_vm", vm="web-01")
    (detail,) = await answers_of(lab, ended.run_id)
    assert [each["what"].partition(":")[0] for each in detail["misfits"]] == ["not checked"]
    assert (ended.outcome, ended.failure.code) == ("failed", "bad_reply")


@under("refuse")
async def test_nothing_is_fetched_for_a_schema(lab: Any, device: Any) -> None:
    await promise(lab, s200={"$ref": f"{device.url}/schema.json"})
    assert (await call(lab, "toy_find_vm", vm="web-01")).outcome == "succeeded"
    assert [heard.target for heard in device.heard] == [b"/api/vms"]


@under("report")
@pytest.mark.parametrize(("pattern", "misfits"), [("^(a+)+$", 1), (r"^(a+)+\1$", 0), ("(?=.*c$)^(a|b)+$", 0)])
async def test_a_pattern_of_the_description_does_not_hang_on_what_the_device_says(
    pattern: str, misfits: int, lab: Any, device: Any
) -> None:
    device.script.machines = [{"uuid": "a" * 40_000 + "b", "name": "web-01", "state": "on"}]
    await promise(lab, s200={"type": "array", "items": {"properties": {"uuid": {"pattern": pattern}}}})
    async with asyncio.timeout(PATIENCE_S):
        assert (await call(lab, "toy_find_vm", vm="web-01")).misfits == misfits


@under("report")
async def test_a_large_reply_is_judged_elsewhere_and_told_alike(lab: Any, device: Any) -> None:
    machines = [{"uuid": f"u-{n}", "name": "web-01" if n == 0 else "x" * 500, "state": "on"} for n in range(1_000)]
    device.script.machines = machines
    await promise(lab, s200=LIST)
    ended = await call(lab, "toy_find_vm", vm="web-01")
    assert ended.outcome == "succeeded"
    (detail,) = await answers_of(lab, ended.run_id)
    assert ("/0", '"cpus" is a required property') in {(each["at"], each["what"]) for each in detail["misfits"]}


@under("report")
async def test_schemas_that_come_later_are_seen_without_a_restart(lab: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("runtime.engines.conformance.UNKNOWN_FOR_S", 0.0)
    assert (await call(lab, "toy_find_vm", vm="web-01")).misfits == 0
    await promise(lab, s200=LIST)
    assert (await call(lab, "toy_find_vm", vm="web-01")).misfits == 2


@under("refuse")
async def test_a_run_that_was_refused_is_replayed_as_it_went(lab: Any, tools: Any) -> None:
    await promise(lab, s202=STARTED)
    ended = await call(lab, "toy_stop_vm", uuid="u-1")
    replayed = await lab.service.journals.replay(ended.run_id)
    assert (replayed.turns, replayed.differences) == (2, ())


@under("report")
async def test_what_a_target_says_counts_instead_of_the_setting(lab: Any, device: Any) -> None:
    await promise(lab, s200=LIST)
    await lab.target(device.url, "strict", responses="refuse")
    await lab.target(device.url, "let-be", responses="off")
    await lab.service.live.reload()
    entry = lab.service.live.now.entries["toy_find_vm"]
    ends = [await lab.service.calls.call(entry, {"vm": "web-01"}, name, ME) for name in ("lab", "strict", "let-be")]
    assert [(each.outcome, each.misfits) for each in ends] == [("succeeded", 2), ("failed", 2), ("succeeded", 0)]
