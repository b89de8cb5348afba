"""A plan shows what would be sent and sends nothing that changes something; what asks first is held to its plan."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fastmcp import Client
from fastmcp.client.elicitation import ElicitResult
from fastmcp.client.transports import StreamableHttpTransport
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.errors import PlanError
from governance.settings import Settings
from runtime.call_options import PLAIN, CallOptions
from runtime.caller import Caller
from runtime.calls.confirmation import Confirmation
from runtime.secrets import Vault
from runtime.service import ServiceOptions, open_service
from workflow.profiles.profile import Profile

ME, YOU = Caller("me", "operator"), Caller("you", "operator")
ERAS = pytest.mark.parametrize("era", ["legacy", "2026-07-28"])
PLAN = CallOptions(is_plan=True)
TOOL = "toy_retire_vm"


@pytest.fixture
async def yard(house: Any, device: Any) -> AsyncIterator[Any]:
    """A house that asks, as the settings do by default, with the toy device and the workflow that retires a machine."""
    await house.target(device.url)
    for name in ("retire", "list"):
        await house.approve(name)
    async with open_service(house.url, Vault({"WORD": "s3cret-word"})) as service:
        yield replace(house, service=service)


async def call(yard: Any, options: CallOptions = PLAIN, caller: Caller = ME, **inputs: Any) -> Any:
    entry = yard.service.live.now.find(TOOL)
    return await yard.service.calls.call(entry, inputs or {"vm": "web-01"}, None, caller, options)


def changes_heard(device: Any) -> list[Any]:
    return [heard for heard in device.heard if heard.method not in ("GET", "HEAD", "OPTIONS")]


async def told_of_plans(yard: Any) -> list[tuple[str, str]]:
    rows = await yard.service.audit.find(limit=1000)
    return [(row.action, row.detail.get("reason", "")) for row in rows if row.action.startswith("plan.")]


async def test_a_plan_shows_each_change_byte_for_byte_as_it_is_then_sent(yard: Any, device: Any) -> None:
    inputs = {"vm": "web-01", "note": "it's old & slow"}
    planned = await call(yard, PLAN, **inputs)
    assert planned.outcome == "planned"
    assert changes_heard(device) == []
    ended = await call(yard, CallOptions(plan_id=planned.outputs["plan_id"]), **inputs)
    assert ended.outcome == "succeeded"
    stop, tidy = changes_heard(device)
    shown_stop, shown_tidy = planned.outputs["changes"]
    address = urlsplit(shown_stop["address"])
    assert shown_stop["method"] == stop.method
    assert f"{address.path}?{address.query}".encode() == stop.target
    assert shown_stop["body"] == json.loads(stop.body)
    assert shown_stop["headers"].items() <= dict(stop.fields).items()
    assert shown_tidy["method"] == tidy.method == "DELETE"
    assert shown_tidy["not_yet_known"] == ["task of stop"]
    assert shown_tidy["address"].endswith("/api/tasks/{not yet known: task of stop}")
    assert shown_tidy["body"] == {"task": "{not yet known: task of stop}"}
    assert planned.outputs["then"] == ["Wait for the task", "Read the machine back"]


async def test_what_the_plan_rests_on_is_shown(yard: Any) -> None:
    planned = await call(yard, PLAN)
    assert planned.outputs["found"] == [{"step": "find", "things": [{"name": "web-01", "state": "on", "uuid": "u-1"}]}]


async def test_no_secret_stands_in_a_plan_or_in_what_is_kept_of_it(yard: Any, device: Any) -> None:
    word = "c4nary/ word"
    planned = await call(yard, PLAN, vm="web-01", password=word)
    run = await yard.service.runs.get(planned.run_id)
    rows = await yard.service.audit.find(limit=1000)
    everything = repr((planned, run, rows))
    for spelled in (word, "c4nary%2F%20word", "c4nary/%20word"):
        assert spelled not in everything
    ended = await call(yard, CallOptions(plan_id=planned.outputs["plan_id"]), vm="web-01", password=word)
    assert ended.outcome == "succeeded"
    assert json.loads(changes_heard(device)[0].body)["password"] == word


async def test_an_input_cannot_pass_itself_off_as_not_yet_known(yard: Any) -> None:
    planned = await call(yard, PLAN, vm="web-01", note="{not yet known: task of stop}")
    (stop, _tidy) = planned.outputs["changes"]
    assert "not_yet_known" not in stop


async def test_a_plan_of_what_changes_nothing_is_the_reading_itself(yard: Any) -> None:
    entry = yard.service.live.now.find("toy_list_vms")
    ended = await yard.service.calls.call(entry, {}, None, ME, PLAN)
    assert (ended.outcome, len(ended.outputs["vms"])) == ("succeeded", 3)


async def test_a_plan_that_does_not_come_to_a_change_says_why(yard: Any) -> None:
    ended = await call(yard, PLAN, vm="nobody")
    assert (ended.outcome, ended.failure.step_id, ended.failure.done) == ("failed", "find", ())


BODIES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["web-01", "on", "idle", "u-1", "..", "", "done"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "state", "uuid"]), inner),
    max_leaves=8,
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([200, 200, 200, 202, 404, 500]), BODIES, st.sampled_from(["web-01", "on", "x"]))
async def test_whatever_the_device_answers_a_plan_sends_only_what_is_safe(
    yard: Any, device: Any, tools: Any, status: int, body: Any, vm: str
) -> None:
    good = [{"name": "web-01", "state": "on", "uuid": "u-1"}]
    for reply in (body, [*good, body], good):

        async def script(_heard: Any, writer: asyncio.StreamWriter, reply: Any = reply) -> None:
            writer.write(tools.answer(status, json.dumps(reply).encode(), content_type="application/json"))

        device.script = script
        ended = await call(yard, PLAN, vm=vm)
        assert ended.outcome in ("planned", "failed")
    assert changes_heard(device) == []


# What asks first


async def test_what_destroys_is_not_done_without_a_plan_and_with_it_once(yard: Any, device: Any) -> None:
    planned = await call(yard)
    assert planned.outcome == "planned"
    assert changes_heard(device) == []
    yes = CallOptions(plan_id=planned.outputs["plan_id"])
    assert (await call(yard, yes)).outcome == "succeeded"
    before = len(device.heard)
    with pytest.raises(PlanError, match="used already"):
        await call(yard, yes)
    assert len(device.heard) == before
    assert await told_of_plans(yard) == [
        ("plan.made", ""), ("plan.confirmed", ""), ("plan.applied", ""),
        ("plan.refused", "it was used already, and a plan is used once"),
    ]  # fmt: skip


async def test_of_two_who_confirm_at_once_one_is_carried_out(yard: Any, device: Any) -> None:
    planned = await call(yard)
    yes = CallOptions(plan_id=planned.outputs["plan_id"])
    ends = await asyncio.gather(*(call(yard, yes) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(end, PlanError) for end in ends) == 4
    assert len([heard for heard in changes_heard(device) if heard.method == "POST"]) == 1


async def test_a_plan_of_another_caller_is_no_plan_and_of_none_neither(yard: Any, device: Any) -> None:
    planned = await call(yard)
    before = len(device.heard)
    said = []
    for plan_id in (planned.outputs["plan_id"], planned.outputs["plan_id"][:-1] + "x"):
        with pytest.raises(PlanError) as caught:
            await call(yard, CallOptions(plan_id=plan_id), YOU)
        said.append(caught.value.message.replace(plan_id, "ID"))
    assert said[0] == said[1]
    assert len(device.heard) == before


async def test_a_plan_is_for_its_inputs_its_target_and_its_workflow(yard: Any, device: Any) -> None:
    planned = await call(yard)
    yes = CallOptions(plan_id=planned.outputs["plan_id"])
    before = len(device.heard)
    with pytest.raises(PlanError, match="other inputs"):
        await call(yard, yes, vm="web-01", note="more")
    with pytest.raises(PlanError, match="another workflow"):
        await yard.service.calls.call(yard.service.live.now.find("toy_list_vms"), {}, None, ME, yes)
    await yard.service.targets.remove("lab")
    await yard.target(device.url, tls="ca:/elsewhere")
    await yard.service.live.reload()
    with pytest.raises(PlanError, match="the target lab as it was set up then"):
        await call(yard, yes)
    assert len(device.heard) == before


async def test_a_plan_is_for_the_revision_that_it_was_made_with(yard: Any, device: Any, tools: Any) -> None:
    planned = await call(yard)
    content = tools.toy_content("retire")
    content.document["workflows"][0]["steps"][1]["description"] = "Stop it."
    revisions = yard.service.revisions
    changed = await revisions.submit(
        "toy", "toy-retire-vm", content, intent="act", risk="destroy", resource="vms", is_core=True, rank=1.0,
        proof=None, actor="test",
    )  # fmt: skip
    new = changed.revision
    await revisions.decide(new.id, "approve", actor="test", role="admin", reason="", digest=new.digest)
    await yard.service.live.reload()
    with pytest.raises(PlanError, match="another revision"):
        await call(yard, CallOptions(plan_id=planned.outputs["plan_id"]))
    assert changes_heard(device) == []


async def test_a_plan_is_carried_out_under_the_profile_that_it_was_made_with(yard: Any, device: Any) -> None:
    planned = await call(yard)
    entry = yard.service.live.now.find(TOOL)
    profile = Profile(**{**entry.profile.model_dump(), "secrets": ["password", "key"]})
    await yard.service.apis.put_api(
        "toy", "Toy", "2", "sha256:" + "1" * 64, profile.model_dump(mode="json"), profile.digest
    )
    await yard.service.live.reload()
    await call(yard, CallOptions(plan_id=planned.outputs["plan_id"]))
    assert yard.service.live.now.find(TOOL).profile == entry.profile != profile
    assert len(changes_heard(device)) == 2, "it was stopped and taken out of service"


async def test_a_plan_expires(house: Any, device: Any) -> None:
    await house.target(device.url)
    await house.approve("retire")
    async with open_service(
        house.url, options=ServiceOptions(confirmation=Confirmation(lasts=timedelta(0)))
    ) as service:
        yard = replace(house, service=service)
        planned = await call(yard)
        with pytest.raises(PlanError, match="expired"):
            await call(yard, CallOptions(plan_id=planned.outputs["plan_id"]))
    assert changes_heard(device) == []


async def test_when_what_was_read_has_changed_nothing_is_changed(yard: Any, device: Any) -> None:
    planned = await call(yard)
    device.script.machines[0]["state"] = "idle"  # the workflow would still do it; the plan was made for another state
    ended = await call(yard, CallOptions(plan_id=planned.outputs["plan_id"]))
    assert (ended.outcome, ended.failure.code, ended.failure.done) == ("failed", "plan_changed", ())
    assert ended.failure.not_done == ("stop", "tidy")
    assert changes_heard(device) == []
    assert (await told_of_plans(yard))[-1] == ("plan.refused", "what was read has changed")


async def test_what_the_workflow_does_not_look_at_may_change(yard: Any, device: Any) -> None:
    planned = await call(yard)
    device.script.machines[0]["uptime"] = "12"
    device.script.machines[2]["state"] = "on"
    assert (await call(yard, CallOptions(plan_id=planned.outputs["plan_id"]))).outcome == "succeeded"


async def test_another_thing_of_the_same_name_voids_the_plan(yard: Any, device: Any) -> None:
    planned = await call(yard)
    device.script.machines[0]["uuid"] = "u-9"
    ended = await call(yard, CallOptions(plan_id=planned.outputs["plan_id"]))
    assert ended.failure.code == "plan_changed"
    assert changes_heard(device) == []


async def test_classes_and_callers_can_be_exempt(house: Any, device: Any) -> None:
    await house.target(device.url)
    await house.approve("retire")
    for told in ({"SWITCHGEAR_CONFIRM": "disrupt"}, {"SWITCHGEAR_CONFIRM_EXEMPT": "ci, me"}):
        async with open_service(
            house.url, options=ServiceOptions(confirmation=Confirmation.of(Settings.read(told)))
        ) as service:
            device.script.machines[0]["state"] = "on"
            assert (await call(replace(house, service=service))).outcome == "succeeded"


# At the surfaces


@pytest.fixture
async def server(yard: Any, tools: Any) -> AsyncIterator[Any]:
    async with tools.running(yard.service) as run:
        yield run


def client(url: str, era: str, **more: Any) -> Client[Any]:
    return Client(StreamableHttpTransport(url), mode=era, **more)  # type: ignore[arg-type]


@pytest.mark.slow
@ERAS
async def test_a_client_that_cannot_ask_its_user_gets_the_plan_and_calls_again(
    server: Any, device: Any, era: str
) -> None:
    async with client(server.mcp, era) as opened:
        tools = {tool.name: tool for tool in await opened.list_tools()}
        assert {"plan", "plan_id"} <= tools[TOOL].input_schema["properties"].keys()
        assert "plan" not in tools["toy_list_vms"].input_schema["properties"]
        wanted = await opened.call_tool(TOOL, {"vm": "web-01", "plan": True})
        assert not wanted.is_error
        assert "Nothing was changed" in wanted.content[0].text
        refused = await opened.call_tool(TOOL, {"vm": "web-01"}, raise_on_error=False)
        assert refused.is_error
        assert refused.content[0].text.startswith("NOT DONE")
        assert changes_heard(device) == []
        plan_id = refused.structured_content["plan"]["plan_id"]
        done = await opened.call_tool(TOOL, {"vm": "web-01", "plan_id": plan_id})
    assert done.structured_content == {"state": "off"}


@ERAS
@pytest.mark.parametrize(
    ("answer", "is_done"),
    [
        (ElicitResult(action="accept", content={"confirm": True}), True),
        (ElicitResult(action="accept", content={"confirm": False}), False),
        (ElicitResult(action="decline"), False),
        (ElicitResult(action="cancel"), False),
    ],
)
async def test_the_person_at_the_client_is_asked_and_only_a_yes_is_one(
    server: Any, device: Any, era: str, answer: Any, is_done: bool
) -> None:
    asked: list[str] = []

    async def at_the_desk(message: str, _kind: Any, _params: Any, _context: Any) -> Any:
        asked.append(message)
        assert changes_heard(device) == []
        return answer

    async with client(server.mcp, era, elicitation_handler=at_the_desk) as opened:
        result = await opened.call_tool(TOOL, {"vm": "web-01"}, raise_on_error=False)
    (message,) = asked
    assert "/api/vms/u-1/stop" in message
    assert result.is_error is not is_done
    assert bool(changes_heard(device)) is is_done
    if not is_done:
        assert "nothing was changed" in result.content[0].text


@ERAS
async def test_a_workflow_with_an_input_called_plan_keeps_it(house: Any, device: Any, tools: Any, era: str) -> None:
    await house.target(device.url)
    text = (
        json.dumps(tools.toy_content("retire").document)
        .replace('"note"', '"plan"')
        .replace("inputs.note", "inputs.plan")
    )
    content = tools.content_of(json.loads(text))
    revisions = house.service.revisions
    made = await revisions.submit(
        "toy", "toy-retire-vm", content, intent="act", risk="destroy", resource="vms", is_core=True, rank=1.0,
        proof=None, actor="test",
    )  # fmt: skip
    new = made.revision
    await revisions.decide(new.id, "approve", actor="test", role="admin", reason="", digest=new.digest)
    await house.service.live.reload()
    async with tools.running(house.service) as run, client(run.mcp, era) as opened:
        *_, tool = await opened.list_tools()
        assert "switchgear_plan" in tool.input_schema["properties"]
        shown = await opened.call_tool(TOOL, {"vm": "web-01", "plan": "to go", "switchgear_plan": True})
        assert changes_heard(device) == []
        await opened.call_tool(TOOL, {"vm": "web-01", "plan": "to go"})
    assert shown.structured_content["plan"]["changes"][0]["body"]["plan"] == "to go"
    assert json.loads(changes_heard(device)[0].body)["plan"] == "to go"


async def test_over_rest_a_plan_is_asked_for_confirmed_and_refused(server: Any, device: Any) -> None:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as opened:

        async def run(**more: Any) -> httpx.Response:
            return await opened.post("/workflows/toy-retire-vm/run", json={"inputs": {"vm": "web-01"}, **more})

        wanted = await run(plan=True)
        assert (wanted.status_code, wanted.json()["outcome"]) == (200, "planned")
        unasked = await run()
        assert (unasked.status_code, unasked.json()["title"]) == (428, "confirmation needed")
        assert changes_heard(device) == []
        plan_id = unasked.json()["plan"]["plan_id"]
        assert (await run(plan_id=plan_id)).json()["outputs"] == {"state": "off"}
        again = await run(plan_id=plan_id)
        assert (again.status_code, again.json()["title"]) == (409, "plan refused")


@pytest.mark.slow
async def test_a_client_of_run_workflow_plans_and_confirms_alike(house: Any, device: Any, tools: Any) -> None:
    await house.target(device.url)
    await house.approve("retire", is_core=False)
    for number in range(30):  # more than are listed, so that there are tools that search
        await house.approve("list", number)
    async with open_service(house.url) as service, tools.running(service) as run, client(run.mcp, "legacy") as opened:
        told = await opened.call_tool("describe_workflow", {"name": TOOL})
        assert {"plan", "plan_id", "vm"} <= told.structured_content["inputs"]["properties"].keys()
        wish = {"name": TOOL, "arguments": {"vm": "web-01"}}
        shown = await opened.call_tool("run_workflow", wish, raise_on_error=False)
        assert shown.is_error
        wish["arguments"] = {"vm": "web-01", "plan_id": shown.structured_content["plan"]["plan_id"]}
        done = await opened.call_tool("run_workflow", wish)
    assert done.structured_content == {"state": "off"}
