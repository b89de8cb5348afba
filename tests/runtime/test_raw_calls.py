"""Single operations for experts: off, a right of its own, GETs alone, and from there on a call like any other."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

from governance.approval.policies import PolicyStore
from governance.approval.policy import Policy
from governance.errors import ForbiddenError, InvalidError, NotFoundError
from governance.people.scopes import WHOLE, AccessScope
from governance.registry.knowledge import KnowledgeStore
from governance.runs.open_runs import RunFinding
from runtime.call_options import CallOptions
from runtime.caller import Caller
from runtime.catalog.listing import FOR_EXPERTS, Budget
from runtime.errors import BadInput, NotApproved, Unservable
from runtime.raw_calls import inputs_of
from runtime.secrets import Vault
from runtime.service import ServiceOptions, open_service
from tests.waiting import until
from workflow.raw_calls import workflow_of

GET, ONE, STOP, LOGIN = "GET /vms", "GET /vms/{id}", "POST /vms/{id}/stop", "POST /login"
EXPERT = Caller("expert", "operator")


def card(operation: str, risk: str, **call: Any) -> dict[str, Any]:
    """What the compiler writes of an operation."""
    told = {"digest": f"sha256:{len(operation):064d}", "base_path": "/api", "effect": "act", "idempotent": False}
    whole = {**told, "safe": risk == "read", "parameters": {}, **call}
    about = {"operation": operation, "does": "Does it", "thing": "machine", "risk": risk, "why": "it says so"}
    return {**about, "takes": [], "tells": [], "workflows": [], "left_out": "no need", "call": whole}


ID = {"id": {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}}
SHARED = {"Note": {"type": "string", "maxLength": 5}}
BODY = {
    "media_type": "application/json",
    "schema": {"type": "object", "properties": {"note": {"$ref": "#/components/inputs/Note"}}},
}
CARDS = [
    card(GET, "read", effect="read"),
    card(ONE, "read", effect="read", parameters=ID),
    card("GET /vms/{id}/reboot", "disrupt", parameters=ID),
    card(STOP, "disrupt", parameters=ID, body=BODY, shared=SHARED),
    {**{name: value for name, value in card(LOGIN, "change").items() if name != "call"}, "not_callable": "it logs in"},
]


async def allow(house: Any, *names: str) -> None:
    await PolicyStore(house.service.database).apply(Policy(self_approval=True, call_api=names), actor="test")


@pytest.fixture
async def known(lab: Any) -> Any:
    await KnowledgeStore(lab.service.database).put("toy", CARDS)
    await allow(lab, "expert")
    return lab


async def approve(house: Any, operation: str) -> Any:
    made = await house.service.raw.submit(operation, None, Caller("ann", "approver"))
    assert made.state == "pending"
    return await house.service.revisions.decide(
        made.id, "approve", actor="ann", role="approver", reason="", digest=made.digest
    )


async def call(house: Any, operation: str, body: Any = None, options: CallOptions = CallOptions(), **given: Any) -> Any:  # noqa: B008  a value
    entry = await house.service.raw.entry(operation, None, EXPERT)
    return await house.service.calls.call(entry, inputs_of(entry, given, body), None, EXPERT, options)


async def test_until_the_policy_names_somebody_nobody_calls_anything(lab: Any, device: Any) -> None:
    await KnowledgeStore(lab.service.database).put("toy", CARDS)
    for caller in (EXPERT, Caller("root", "admin"), Caller("local", "admin")):
        with pytest.raises(ForbiddenError):
            await lab.service.raw.entry(GET, None, caller)
    assert device.heard == []


async def test_who_is_not_named_may_not_whatever_their_role_and_a_name_that_is_taken_out_may_no_more(
    known: Any, device: Any
) -> None:
    with pytest.raises(ForbiddenError):
        await known.service.raw.entry(GET, None, Caller("root", "admin"))
    assert (await call(known, GET)).is_good
    await allow(known)
    with pytest.raises(ForbiddenError):
        await call(known, GET)
    assert len(device.heard) == 1


async def test_a_get_that_reads_is_called_at_once_and_stands_in_the_record(known: Any, device: Any) -> None:
    ended = await call(known, GET)
    assert ended.outputs["status"] == 200
    assert ended.outputs["reply"][0]["name"] == "web-01"
    assert (await call(known, ONE, id="u-1")).outputs["reply"]["uuid"] == "u-1"
    assert [heard.line.split()[1] for heard in device.heard] == [b"/api/vms", b"/api/vms/u-1"]
    run = await known.service.runs.get(ended.run_id)
    revision = await known.service.revisions.get(run.revision_id)
    assert (run.caller, revision.workflow_id) == ("expert", workflow_of("toy", GET))
    assert (revision.decided_by, revision.created_by) == ("policy", "expert")


@pytest.mark.parametrize("operation", [STOP, "GET /vms/{id}/reboot"])
async def test_what_does_more_than_read_is_refused_until_an_approver_has_allowed_it(
    known: Any, device: Any, operation: str
) -> None:
    with pytest.raises(NotApproved, match="not approved to be called alone"):
        await call(known, operation, id="u-1")
    waiting = await known.service.raw.submit(operation, None, Caller("ann", "approver"))
    with pytest.raises(NotApproved):
        await call(known, operation, id="u-1")
    assert waiting.state == "pending"
    assert device.heard == []


async def test_what_an_approver_allowed_is_planned_first_sent_as_planned_and_unknown_is_not_repeated(
    known: Any, device: Any
) -> None:
    await approve(known, STOP)
    planned = await call(known, STOP, {"note": "x"}, CallOptions(is_plan=True), id="u-1")
    assert planned.outcome == "planned"
    assert device.heard == []
    ended = await call(known, STOP, {"note": "x"}, CallOptions(plan_id=planned.outputs["plan_id"]), id="u-1")
    assert (ended.outcome, ended.outputs["reply"]) == ("pending", {"task": "t-1"})  # 202, and nobody waits for it
    (heard,) = device.heard
    assert (heard.line.split()[:2], json.loads(heard.body)) == ([b"POST", b"/api/vms/u-1/stop"], {"note": "x"})


async def test_an_answer_that_does_not_come_is_unknown_and_the_same_is_not_begun_again(known: Any, device: Any) -> None:
    from runtime.errors import SameEffect

    async def hang_up(writer: Any) -> bool:
        writer.close()
        return False

    device.script.before_stop = hang_up
    await approve(known, STOP)
    assert (await call(known, STOP, id="u-1")).outcome == "unknown"
    with pytest.raises(SameEffect):
        await call(known, STOP, id="u-1")
    assert len(device.heard) == 1


async def test_the_same_request_of_a_workflow_is_not_sent_while_one_sent_alone_is_in_doubt(
    known: Any, device: Any
) -> None:
    async def hang_up(writer: Any) -> bool:
        writer.close()
        return False

    device.script.before_stop = hang_up
    await approve(known, STOP)
    alone = await call(known, STOP, id="u-1")
    device.script.before_stop = None

    async def stopped(uuid: str) -> Any:
        entry = known.service.live.now.find("toy_stop_vm")
        return await known.service.calls.call(entry, {"uuid": uuid}, None, Caller("ann", "operator"))

    ended = await stopped("u-1")
    assert (alone.outcome, ended.outcome, ended.failure.code) == ("unknown", "failed", "refused")
    assert "in doubt and has to be resolved first" in ended.failure.message
    assert len([each for each in device.heard if each.method == "POST"]) == 1
    assert (await stopped("u-2")).is_good, "another thing is not concerned"
    finding = RunFinding(has_happened=False, goes_on=False)
    await known.service.open_runs.resolve(alone.run_id, finding, actor="ann")
    assert (await stopped("u-1")).outcome == "succeeded"


async def test_replies_of_what_no_workflow_uses_are_held_against_the_description(known: Any) -> None:
    promised = {"200": {"type": "array", "items": {"type": "object", "required": ["serial"]}}}
    await KnowledgeStore(known.service.database).put("toy", [card(GET, "read", effect="read", replies=promised)])
    ended = await call(known, GET)
    assert (ended.outcome, ended.misfits > 0) == ("succeeded", True)


IMAGES = "POST /images"
PARTS = {
    "media_type": "multipart/form-data",
    "schema": {"type": "object", "properties": {"file": {"type": "string"}, "note": {"type": "string"}}},
    "parts": {"file": "application/octet-stream", "note": ""},
}


@pytest.mark.slow
async def test_a_multipart_body_is_given_part_by_part_and_written_as_the_description_says(
    known: Any, device: Any
) -> None:
    await KnowledgeStore(known.service.database).put("toy", [card(IMAGES, "change", body=PARTS)])
    await approve(known, IMAGES)
    with pytest.raises(BadInput, match="no part size"):
        await call(known, IMAGES, {"file": "AAEC", "size": 3})
    await call(known, IMAGES, {"file": "AAEC"})
    (heard,) = device.heard
    assert heard.field("content-type").startswith("multipart/form-data; boundary=")
    assert b'name="file"; filename="file"' in heard.body
    assert b"\r\n\r\n\x00\x01\x02\r\n" in heard.body
    assert b"note" not in heard.body


BAD: list[tuple[str, dict[str, Any], Any]] = [
    (ONE, {}, None),
    (ONE, {"id": ""}, None),
    (ONE, {"id": "u-1", "more": 1}, None),
    (ONE, {"id": "u-1"}, {"note": "x"}),
    (STOP, {"id": "u-1"}, {"note": "longer than five"}),
    (STOP, {"id": "u-1", "$expand": "*", "expand": "x"}, {}),
    (STOP, {"id": "u-1"}, {"_method": "DELETE"}),
]


async def test_what_the_description_does_not_take_is_refused_and_nothing_is_sent(known: Any, device: Any) -> None:
    await approve(known, STOP)
    for operation, given, body in BAD:
        with pytest.raises(BadInput):
            await call(known, operation, body, **given)
    assert device.heard == []


async def test_a_parameter_is_given_by_its_own_name_whatever_signs_that_has(known: Any, device: Any) -> None:
    odd = {"expand": {"name": "X.$expand", "in": "header", "schema": {"type": "string"}}}
    await KnowledgeStore(known.service.database).put("toy", [card(GET, "read", effect="read", parameters=odd)])
    for name in ("X.$expand", "expand"):
        assert (await call(known, GET, **{name: "all"})).is_good
    assert [heard.field("x.$expand") for heard in device.heard] == ["all", "all"]


async def test_a_login_and_what_is_not_there_are_not_called(known: Any) -> None:
    with pytest.raises(Unservable, match="it logs in"):
        await known.service.raw.submit(LOGIN, None, Caller("ann", "approver"))
    for operation in ("GET /nothing", "nonsense", "GET /vms?x=1"):
        with pytest.raises(NotFoundError):
            await known.service.raw.entry(operation, None, EXPERT)


OUT_OF_REACH = [
    AccessScope(apis=("other",)),
    AccessScope(risks=("change",)),
    AccessScope(workflows=("toy-*",)),
    AccessScope(targets=("none",)),
]


async def test_what_is_out_of_the_callers_scope_is_not_there(known: Any, device: Any) -> None:
    from runtime.errors import CallerError

    for scope in OUT_OF_REACH:
        caller = Caller("expert", "operator", scope)
        with pytest.raises((NotFoundError, CallerError)):
            entry = await known.service.raw.entry(GET, None, caller)
            await known.service.calls.call(entry, {}, None, caller)
    assert device.heard == []


@pytest.mark.slow
async def test_of_an_operation_that_two_apis_have_one_is_named(known: Any) -> None:
    await KnowledgeStore(known.service.database).put("other", CARDS[:1])
    with pytest.raises(BadInput, match="several"):
        await known.service.raw.entry(GET, None, EXPERT)
    assert (await known.service.raw.entry(GET, "toy", EXPERT)).api == "toy"


async def test_a_single_operation_is_in_no_catalog_and_is_reached_by_no_other_door(known: Any) -> None:
    await call(known, GET)
    await known.service.live.reload()
    assert known.service.live.now.entries.keys() == {"toy_find_vm", "toy_stop_vm"}
    assert known.service.live.now.refusals == ()


async def test_what_a_person_took_away_does_not_come_back_by_itself(known: Any, device: Any) -> None:
    await call(known, GET)
    revision = await known.service.revisions.get(workflow_of("toy", GET))
    await known.service.revisions.decide(
        revision.id, "retire", actor="ann", role="approver", reason="too much", digest=revision.digest
    )
    with pytest.raises(NotApproved, match="retired by ann"):
        await call(known, GET)
    assert len(device.heard) == 1


async def test_a_get_that_is_described_anew_is_called_as_it_is_described_now(known: Any, device: Any) -> None:
    await call(known, GET)
    anew = card(GET, "read", effect="read", parameters={"q": {"name": "X-Q", "in": "header", "schema": {}}})
    await KnowledgeStore(known.service.database).put("toy", [anew])
    assert (await call(known, GET, q="a b")).is_good
    assert device.heard[-1].field("x-q") == "a b"


async def test_one_that_is_described_as_graver_now_is_not_called_without_an_approver(known: Any) -> None:
    await call(known, GET)
    await KnowledgeStore(known.service.database).put("toy", [card("GET /vms", "destroy")])
    with pytest.raises(NotApproved):
        await call(known, GET)
    await approve(known, GET)
    assert (await known.service.raw.entry(GET, None, EXPERT)).risk == "destroy"


async def test_the_tool_is_listed_as_soon_as_somebody_is_named_and_no_longer_than_they_are(
    lab: Any, tools: Any
) -> None:
    await KnowledgeStore(lab.service.database).put("toy", CARDS)
    headers = {"authorization": f"Bearer {await lab.token('operator', 'expert')}"}
    heard = asyncio.Event()

    async def on_message(message: Any) -> None:
        if "list_changed" in str(getattr(message, "method", "")):
            heard.set()

    async with tools.running(lab.service) as run:
        transport = StreamableHttpTransport(run.mcp, headers=headers)
        async with Client(transport, mode="legacy", message_handler=on_message) as client:

            async def lists() -> bool:
                return "call_api" in {tool.name for tool in await client.list_tools()}

            assert not await lists()
            await allow(lab, "expert")
            await until(lists, "the tool to be listed")
            await until(heard.is_set, "the client to be told")
            await allow(lab)

            async def lists_no_more() -> bool:
                return not await lists()

            await until(lists_no_more, "the tool to go")


@pytest.fixture
async def expert_server(known: Any, tools: Any) -> AsyncIterator[Any]:
    """A server where somebody is named, with a token of that name and one of another."""
    async with open_service(known.url, Vault({}), ServiceOptions(budget=Budget())) as service:
        known.service = service
        run_of = {name: await known.token("operator", name) for name in ("expert", "other")}
        async with tools.running(service) as run:
            yield run, {name: {"authorization": f"Bearer {secret}"} for name, secret in run_of.items()}


async def test_over_mcp_the_tool_is_listed_to_whom_it_is_for_and_refused_to_others(
    expert_server: Any, device: Any
) -> None:
    run, headers = expert_server
    async with Client(StreamableHttpTransport(run.mcp, headers=headers["other"])) as other:
        assert "call_api" not in {tool.name for tool in await other.list_tools()}
        refused = await other.call_tool("call_api", {"operation": GET}, raise_on_error=False)
    async with Client(StreamableHttpTransport(run.mcp, headers=headers["expert"])) as expert:
        listed = {tool.name for tool in await expert.list_tools()}
        read = await expert.call_tool("call_api", {"operation": GET, "where": {"name": "web-01"}, "select": "state"})
    assert refused.is_error
    assert "may not call single operations" in refused.content[0].text
    assert {"call_api", "search_api", "describe_operation"} <= listed
    own = run.application.provider._own
    more = [
        each.to_mcp_tool().model_dump_json(by_alias=True, exclude_none=True) for each in (*own.knowing, *own.expert)
    ]
    assert len(more) == FOR_EXPERTS[0], "which is taken from what workflows may cost"
    assert sum(-(-len(each) // 4) for each in more) <= FOR_EXPERTS[1]
    assert read.structured_content["reply"] == [{"state": "on"}]
    assert len(device.heard) == 1


async def test_over_rest_the_same_is_answered_and_described_to_whom_it_is_for(expert_server: Any) -> None:
    run, headers = expert_server
    async with httpx.AsyncClient(base_url=run.url, trust_env=False) as asking:
        told = await asking.post("/tools/call_api", json={"operation": GET}, headers=headers["expert"])
        refused = await asking.post("/tools/call_api", json={"operation": GET}, headers=headers["other"])
        changing = await asking.post("/tools/call_api", json={"operation": STOP}, headers=headers["expert"])
        documents = {
            name: (await asking.get("/openapi.json", headers=each)).json()["paths"] for name, each in headers.items()
        }
    assert told.json()["outputs"]["status"] == 200
    assert (refused.status_code, changing.status_code) == (403, 409)
    assert "/tools/call_api" in documents["expert"]
    assert "/tools/call_api" not in documents["other"]


async def test_the_policy_says_the_same_as_before_there_were_such_calls() -> None:
    assert "call_api" not in Policy().to_json()
    assert Policy(call_api=("a",)).digest != Policy().digest
    with pytest.raises(InvalidError):
        from governance.approval.policy import policy_of

        policy_of({"call_api": [""]})
    assert WHOLE.admits("toy", "read", workflow_of("toy", GET))
