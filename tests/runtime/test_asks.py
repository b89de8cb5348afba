"""Calls that wait for a person: whoever makes them, by whatever door, nothing changes before somebody lets it through.

And then it is what was shown, once, for its caller, on a device that is as it was.
"""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from sqlalchemy import text

from governance.approval.policies import PolicyStore
from governance.approval.policy import policy_of
from governance.commands.asks import asks_group
from governance.errors import PlanError
from governance.events.endpoints import Endpoint
from governance.people.scopes import AccessScope
from runtime.app import build
from runtime.call_options import PLAIN, CallOptions
from runtime.caller import Caller
from runtime.errors import Waiting
from runtime.signatures import sign

ME, YOU = Caller("me", "operator"), Caller("you", "operator")
STOP = {"uuid": "u-1"}
KEY = b"a key of thirty-two bytes, no less"


@pytest.fixture
async def asking(lab: Any) -> Any:
    await put_in_force(lab, {"classes": ["disrupt"]})
    return lab


async def put_in_force(lab: Any, *rules: dict[str, Any]) -> None:
    policy = policy_of({"ask": list(rules), "self_approval": True})
    await PolicyStore(lab.service.database).apply(policy, actor="boss")


async def call(
    lab: Any, caller: Caller = ME, options: CallOptions = PLAIN, name: str = "toy_stop_vm", **inputs: Any
) -> Any:
    entry = lab.service.live.now.find(name)
    return await lab.service.calls.call(entry, inputs or STOP, None, caller, options)


async def waits(lab: Any, *more: Any, **inputs: Any) -> Waiting:
    with pytest.raises(Waiting) as raised:
        await call(lab, *more, **inputs)
    return raised.value


def changes(device: Any) -> list[str]:
    return [heard.target.decode() for heard in device.heard if heard.method == "POST"]


async def let(lab: Any, waiting: Waiting, by: str = "ann", **more: Any) -> Any:
    return await lab.service.asks.answer(waiting.more["plan_id"], "let through", actor=by, role="approver", **more)


async def test_nothing_is_changed_before_a_person_lets_it_through_and_then_the_same_call_goes(
    asking: Any, device: Any
) -> None:
    first = await waits(asking)
    assert (first.more["outcome"], first.more["people"]) == ("waiting", 1)
    again = await waits(asking)
    assert again.more["plan_id"] == first.more["plan_id"], "who asks again waits on the same"
    assert changes(device) == []
    shown = (await asking.service.runs.get(first.more["run_id"])).outputs
    assert shown["changes"][0]["address"].endswith("/api/vms/u-1/stop")
    await let(asking, first)
    ended = await call(asking)
    assert ended.outcome == "succeeded"
    assert changes(device) == ["/api/vms/u-1/stop"]
    actions = [row.action for row in await asking.service.audit.find(subject=f"ask:{first.more['plan_id']}")]
    assert actions == ["ask.made", "ask.let_through"]
    assert (await waits(asking)).more["plan_id"] != first.more["plan_id"], "it is used once"
    assert (await asking.service.asks.get(first.more["plan_id"])).state == "used"


async def test_other_arguments_another_caller_and_a_second_use_are_refused_told_and_audited(
    asking: Any, device: Any
) -> None:
    waiting = await waits(asking)
    plan = CallOptions(plan_id=waiting.more["plan_id"])
    await let(asking, waiting)
    with pytest.raises(PlanError, match="other inputs"):
        await call(asking, ME, plan, uuid="u-2")
    with pytest.raises(PlanError, match=r"no plan .* of yours"):
        await call(asking, YOU, plan)
    assert (await waits(asking, YOU)).more["plan_id"] != waiting.more["plan_id"]
    assert (await call(asking, ME, plan)).outcome == "succeeded"
    with pytest.raises(PlanError, match="used already"):
        await call(asking, ME, plan)
    refused = [row.detail["reason"] for row in await asking.service.audit.find(action="plan.refused")]
    assert [text.partition(",")[0] for text in refused] == ["it was made for other inputs", "it was used already"]
    assert changes(device) == ["/api/vms/u-1/stop"]


async def test_a_device_that_has_changed_since_is_not_touched(lab: Any, device: Any) -> None:
    await lab.approve("retire")
    await lab.service.live.reload()
    await put_in_force(lab, {"workflows": ["toy-retire*"]})
    waiting = await waits(lab, name="toy_retire_vm", vm="web-01")
    await let(lab, waiting)
    device.script.machines[0]["state"] = "idle"
    ended = await call(lab, name="toy_retire_vm", vm="web-01")
    assert (ended.outcome, ended.failure.code) == ("failed", "plan_changed")
    assert changes(device) == []


async def test_no_confirmation_of_the_callers_own_and_no_plan_from_before_goes_round_it(lab: Any, device: Any) -> None:
    planned = await call(lab, ME, CallOptions(is_plan=True))
    await put_in_force(lab, {"targets": ["lab"]})
    with pytest.raises(PlanError, match="waits for nobody"):
        await call(lab, ME, CallOptions(plan_id=planned.outputs["plan_id"]))
    await waits(lab, ME, CallOptions(is_confirmed=True))
    assert (await call(lab, ME, CallOptions(is_plan=True))).outcome == "planned", "looking is free"
    assert changes(device) == []


async def test_what_reads_and_what_no_rule_fits_asks_nobody(lab: Any) -> None:
    for rule in ({"labels": {"site": "edge"}}, {"workflows": ["toy-retire*"]}, {"classes": ["destroy"]}):
        await put_in_force(lab, rule)
        assert (await call(lab)).outcome == "succeeded", rule
    await put_in_force(lab, {})
    assert (await call(lab, name="toy_find_vm", vm="web-01")).outcome == "succeeded"
    await waits(lab)


async def test_never_the_caller_under_any_name_nobody_twice_and_as_many_as_it_takes(lab: Any) -> None:
    await put_in_force(lab, {"people": 2}, {"people": 1})
    await lab.service.users.add("mia", "approver", password=None, also=("me",), actor="boss")
    waiting = await waits(lab)
    for name, what in (("me", "may not let it through"), ("mia", "may not let it through")):
        with pytest.raises(Exception, match=what):
            await let(lab, waiting, name)
    with pytest.raises(Exception, match="may not let calls through"):
        await lab.service.asks.answer(waiting.more["plan_id"], "let through", actor="bob", role="operator")
    await let(lab, waiting, "ann")
    with pytest.raises(Exception, match="ann has let it through already"):
        await let(lab, waiting, "cli:ann")
    assert (await waits(lab)).more["votes"] == 1
    await let(lab, waiting, "bob")
    assert (await call(lab)).outcome == "succeeded"


async def test_who_refuses_says_why_and_the_caller_is_told(asking: Any, device: Any) -> None:
    waiting = await waits(asking)
    with pytest.raises(Exception, match="needs a reason"):
        await asking.service.asks.answer(waiting.more["plan_id"], "refuse", actor="ann", role="approver")
    await asking.service.asks.answer(
        waiting.more["plan_id"], "refuse", actor="ann", role="approver", reason="backup is running"
    )
    told = await waits(asking)
    assert "ann has refused this call: backup is running" in told.message
    with pytest.raises(Exception, match="it is refused"):
        await let(asking, waiting, "bob")
    assert changes(device) == []


async def test_it_ends_by_itself(asking: Any, device: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = await waits(asking)
    await let(asking, waiting)
    database = asking.service.database
    monkeypatch.setattr(database, "now", lambda: "2999-01-01T00:00:00.000000Z")
    assert (await asking.service.asks.get(waiting.more["plan_id"])).state == "ended"
    with pytest.raises(PlanError, match="expired"):
        await call(asking, ME, CallOptions(plan_id=waiting.more["plan_id"]))
    assert changes(device) == []


@pytest.fixture
async def api(asking: Any) -> AsyncIterator[Any]:
    """Asks the API as somebody."""
    transport = httpx.ASGITransport(build(asking.service).asgi)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        tokens: dict[str, str] = {}

        async def ask(
            who: str, role: str, method: str, path: str, body: Any = None, scope: Any = None
        ) -> httpx.Response:
            if who not in tokens:
                made = await asking.service.principals.create_token(who, role, scope=scope or AccessScope())
                tokens[who] = made[1]
            headers = {"authorization": f"Bearer {tokens[who]}"}
            return await client.request(method, path, json=body, headers=headers)

        yield ask


async def test_over_rest_the_agent_is_told_waiting_with_the_run_and_an_approver_sees_the_requests(api: Any) -> None:
    body = {"inputs": STOP}
    asked = await api("me", "operator", "POST", "/workflows/toy-stop-vm/run", body)
    told = asked.json()
    assert (asked.status_code, told["title"], told["outcome"]) == (428, "waiting", "waiting")
    path = f"/asks/{told['plan_id']}"
    assert (await api("me", "operator", "GET", path)).json()["state"] == "waiting"
    assert (await api("you", "operator", "GET", path)).status_code == 404
    assert (await api("you", "operator", "GET", "/asks")).json() == []
    far = AccessScope(targets=("other",))
    for method, rest in (("GET", ""), ("POST", "/let-through")):
        there = await api("far", "approver", method, path + rest, {} if rest else None, far)
        assert there.status_code == 404, "out of scope is not there"
    seen = (await api("ann", "approver", "GET", path)).json()
    assert seen["plan"]["changes"][0]["method"] == "POST"
    assert (await api("me", "operator", "POST", f"{path}/let-through", {})).status_code == 403
    assert (await api("ann", "approver", "POST", f"{path}/refuse", {})).status_code == 422
    done = await api("ann", "approver", "POST", f"{path}/let-through", {"reason": "seen"})
    assert (done.json()["state"], done.json()["votes"]) == ("let through", ["ann"])
    ran = await api("me", "operator", "POST", "/workflows/toy-stop-vm/run", body)
    assert ran.json()["outcome"] == "succeeded"
    assert [each["state"] for each in (await api("ann", "approver", "GET", "/asks")).json()] == ["used"]


async def test_a_signed_message_lets_through_and_refuses(asking: Any, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("whsec_" + base64.b64encode(KEY).decode())
    await asking.service.webhooks.add("desk", f"file:{tmp_path / 'secret'}", actor="boss")
    waiting = await waits(asking)
    transport = httpx.ASGITransport(build(asking.service).asgi)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:

        async def send(kind: str, plan: str, number: int) -> httpx.Response:
            body = json.dumps({"type": kind, "data": {"plan": plan, "by": "ann", "reason": "seen"}}).encode()
            at = str(int(time.time()))
            signed = {"webhook-id": f"m{number}", "webhook-timestamp": at}
            headers = {**signed, "webhook-signature": sign(KEY, f"m{number}", at, body)}
            return await client.post("/webhooks/desk", content=body, headers=headers)

        answer = await send("call.let_through", waiting.more["plan_id"], 1)
        assert (answer.status_code, answer.json()["state"], answer.json()["by"]) == (200, "let through", "webhook:desk")
        assert (await send("call.refuse", waiting.more["plan_id"], 2)).status_code == 409
        assert (await send("call.let_through", "none", 3)).status_code == 404
    assert (await call(asking)).outcome == "succeeded"


async def test_on_a_command_line_it_is_listed_shown_and_answered(asking: Any) -> None:
    waiting = await waits(asking)

    def run(*words: str) -> Any:
        return json.loads(CliRunner().invoke(asks_group, [*words, "--db", asking.url, "--json"]).output)

    listed = await asyncio.to_thread(run, "list")
    assert [each["id"] for each in listed["asks"]] == [waiting.more["plan_id"]]
    shown = await asyncio.to_thread(run, "show", waiting.more["plan_id"])
    assert shown["plan"]["changes"][0]["method"] == "POST"
    done = await asyncio.to_thread(run, "let-through", waiting.more["plan_id"])
    assert (done["state"], done["by"].partition(":")[0]) == ("let through", "cli")


async def test_an_audit_row_that_was_changed_lets_nothing_through(asking: Any, device: Any) -> None:
    waiting = await waits(asking)

    def forge(connection: Any) -> None:
        connection.execute(text("DROP TRIGGER audit_unchanged"))
        connection.execute(text("UPDATE audit SET action = 'ask.let_through' WHERE action = 'ask.made'"))

    await asking.service.database.write(forge)
    with pytest.raises(Exception, match="was changed"):
        await asking.service.asks.get(waiting.more["plan_id"])
    assert changes(device) == []


async def test_who_is_told_of_events_is_told_of_calls_that_wait(asking: Any) -> None:
    await asking.service.endpoints.add(Endpoint("chat", "http://127.0.0.1:9/x", "env:X"), actor="boss", allow_http=True)
    waiting = await waits(asking)
    await let(asking, waiting)
    rows = await asking.service.audit.find(action="event.queued")
    assert [row.detail["kind"] for row in rows][-2:] == ["call.waiting", "call.let_through"]
