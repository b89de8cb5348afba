"""Runs in doubt and their resolution; runs that are cancelled, asked for again, followed."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

from governance.errors import ConflictError, InvalidError, TransitionError
from governance.runs.open_runs import RunFinding
from runtime.caller import Caller
from runtime.driver.breaker import Breaker
from tests.waiting import until

ME = Caller("me", "operator")
STOP = "POST /api/vms/u-1/stop"


async def call(house: Any, **more: Any) -> Any:
    entry = house.service.live.now.entries["toy_stop_vm"]
    return await house.service.calls.call(entry, {"uuid": "u-1", **more.pop("inputs", {})}, None, ME, **more)


def heard_by(device: Any) -> list[str]:
    return [heard.line.decode().rsplit(" ", 1)[0] for heard in device.heard]


async def hang_up(writer: asyncio.StreamWriter) -> bool:
    writer.close()
    return False


@pytest.fixture
async def doubtful(lab: Any, device: Any) -> Any:
    """A run whose change was heard and not answered."""
    device.script.before_stop = hang_up
    ended = await call(lab)
    assert ended.outcome == "unknown"
    device.script.before_stop = None
    return ended


async def ended_as(house: Any, run_id: str) -> Any:
    """The run once it has ended, with somebody looking after open ones."""

    async def ended() -> Any:
        await house.service.engine.recover()
        run = await house.service.runs.get(run_id)
        return run if run.outcome is not None else None

    return await until(ended, "the end of the run")


async def test_an_unknown_run_says_what_may_have_happened_and_the_read_that_would_tell(doubtful: Any) -> None:
    doubt = doubtful.failure.doubt
    assert (doubt.request, doubt.look) == ("POST /vms/u-1/stop", "GET /vms/u-1")
    assert "may have been carried out" in doubt.may


async def test_what_had_happened_is_not_sent_again_and_the_run_goes_on_behind_it(
    lab: Any, device: Any, doubtful: Any
) -> None:
    device.script.machines[0]["state"] = "off"
    await lab.service.open_runs.resolve(doubtful.run_id, RunFinding(True, True, "seen in its own console"), actor="ann")
    run = await ended_as(lab, doubtful.run_id)
    assert (run.outcome, run.outputs) == ("succeeded", {"state": "off"})
    assert heard_by(device) == [STOP, "GET /api/vms/u-1"]
    assert run.resolution["note"] == "seen in its own console"
    rows = await lab.service.audit.find(subject=f"run:{run.id}", limit=100)
    assert [row.action for row in rows if row.action.startswith("run.")] == [
        "run.started", "run.finished", "run.resolved", "run.finished",
    ]  # fmt: skip


async def test_what_had_not_happened_is_sent_once_more_because_somebody_said_so(
    lab: Any, device: Any, doubtful: Any
) -> None:
    await lab.service.open_runs.resolve(doubtful.run_id, RunFinding(False, True), actor="ann")
    run = await ended_as(lab, doubtful.run_id)
    assert run.outcome == "succeeded"
    assert heard_by(device).count(STOP) == 2


async def test_a_run_can_be_in_doubt_again_and_be_resolved_again(lab: Any, device: Any, doubtful: Any) -> None:
    device.script.before_stop = hang_up
    await lab.service.open_runs.resolve(doubtful.run_id, RunFinding(False, True), actor="ann")
    assert (await ended_as(lab, doubtful.run_id)).outcome == "unknown"
    await lab.service.open_runs.resolve(doubtful.run_id, RunFinding(True, True), actor="ann")
    assert (await ended_as(lab, doubtful.run_id)).outcome == "succeeded"
    assert heard_by(device).count(STOP) == 2


async def test_a_resolved_run_that_does_not_go_on_has_failed_and_says_what_is_done(
    lab: Any, device: Any, doubtful: Any
) -> None:
    await lab.service.open_runs.resolve(doubtful.run_id, RunFinding(True, False), actor="ann")
    run = await lab.service.runs.get(doubtful.run_id)
    assert (run.outcome, run.failure["code"], run.failure["done"]) == ("failed", "resolved", ["change"])
    assert "ann" in run.failure["message"]
    with pytest.raises(TransitionError):
        await lab.service.open_runs.resolve(doubtful.run_id, RunFinding(True, True), actor="ann")
    assert heard_by(device) == [STOP]


async def test_a_run_that_needs_a_secret_again_does_not_send_the_mask(lab: Any, device: Any) -> None:
    device.script.before_stop = hang_up
    ended = await call(lab, inputs={"password": "c4nary-word"})
    await lab.service.open_runs.resolve(ended.run_id, RunFinding(False, True), actor="ann")
    run = await ended_as(lab, ended.run_id)
    assert (run.outcome, run.failure["code"]) == ("failed", "refused")
    assert "secret" in run.failure["message"]
    assert heard_by(device) == [STOP]


async def test_no_secret_stands_in_any_file_of_the_databases(lab: Any, device: Any, tmp_path: Any) -> None:
    await call(lab, inputs={"password": "c4nary-word"})
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name.startswith("switchgear-runs.db") for path in files)
    assert [path.name for path in files if b"c4nary-word" in path.read_bytes()] == []


async def test_a_run_cancelled_from_elsewhere_stops_between_two_requests(lab: Any, device: Any) -> None:
    device.script.job_state = "running"
    task = asyncio.create_task(call(lab))
    await device.has_heard(2)
    (run,) = await lab.service.runs.find()
    await lab.service.open_runs.ask_cancel(run.id, actor="ann")
    ended = await task
    assert (ended.outcome, ended.failure.may_be_done) == ("cancelled", ("change",))
    assert (await lab.service.runs.get(run.id)).cancel_by == "ann"
    with pytest.raises(TransitionError):
        await lab.service.open_runs.ask_cancel(run.id, actor="ann")


async def test_the_same_key_is_the_same_run_and_has_no_second_effect(lab: Any, device: Any) -> None:
    first, second = await call(lab, key="k-1"), await call(lab, key="k-1")
    assert first == second
    at_once = await asyncio.gather(*(call(lab, key="k-2") for _ in range(3)))
    assert len({ended.run_id for ended in at_once}) == 1
    assert heard_by(device).count(STOP) == 2


async def test_a_key_stands_for_one_wish_of_one_caller(lab: Any, device: Any) -> None:
    first = await call(lab, key="k")
    with pytest.raises(ConflictError, match="another run"):
        await call(lab, key="k", inputs={"note": "other"})
    entry = lab.service.live.now.entries["toy_stop_vm"]
    other = await lab.service.calls.call(entry, {"uuid": "u-1"}, None, Caller("you", "operator"), key="k")
    assert other.run_id != first.run_id


async def test_a_run_with_a_key_goes_on_when_its_caller_goes_away(lab: Any, device: Any) -> None:
    device.script.job_state = "running"
    task = asyncio.create_task(call(lab, key="k"))
    await device.has_heard(2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    device.script.job_state = "done"
    assert (await call(lab, key="k")).outcome == "succeeded"
    assert heard_by(device).count(STOP) == 1


@pytest.mark.slow
@pytest.mark.parametrize("has_key", [True, False])
async def test_whenever_a_caller_goes_away_the_run_ends_and_asking_again_has_no_second_effect(
    lab: Any, device: Any, has_key: bool
) -> None:
    names = [f"v-{number}" for number in range(20)]
    device.script.machines += [{"uuid": name, "name": name, "state": "on"} for name in names]
    await call(lab)  # what durable runs need is made ready by the first one
    for number, name in enumerate(names):
        wish = {"inputs": {"uuid": name}, "key": name if has_key else ""}
        task = asyncio.create_task(call(lab, **wish))
        await asyncio.sleep(number * 0.004)
        task.cancel()
        await asyncio.wait((task,))
        if has_key:
            assert (await call(lab, **wish)).outcome == "succeeded"
    for run in await lab.service.runs.find(limit=100):
        assert (await ended_as(lab, run.id)).outcome in ("succeeded", "cancelled")
    changes = [line for line in heard_by(device) if line.startswith("POST")]
    assert len(changes) == len(set(changes))
    assert has_key is (len(changes) == len(names) + 1)


async def test_progress_tells_each_step(lab: Any, device: Any) -> None:
    told: list[Any] = []
    await call(lab, told=told.append)
    assert [(each.step_id, each.number, each.steps) for each in told] == [
        ("change", 1, 3), ("wait", 2, 3), ("wait", 2, 3), ("wait", 2, 3), ("read_back", 3, 3),
    ]  # fmt: skip


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_an_mcp_client_hears_of_progress(lab: Any, device: Any, server: Any, mode: Any) -> None:
    heard: list[tuple[float, float | None, str | None]] = []

    async def listen(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))

    async def takes_its_time(_writer: object) -> bool:
        await asyncio.sleep(0.3)
        return True

    device.script.before_stop = takes_its_time
    async with Client(StreamableHttpTransport(server.mcp), mode=mode) as client:
        await client.call_tool("toy_stop_vm", {"uuid": "u-1"}, progress_handler=listen)
    assert heard
    assert heard == sorted(heard)
    assert {total for _, total, _ in heard} == {3}
    assert any("POST /vms/{id}/stop" in str(message) for _, _, message in heard)


async def test_an_mcp_client_that_asks_again_under_its_key_gets_the_same_run(
    lab: Any, device: Any, server: Any
) -> None:
    meta = {"switchgear/idempotency-key": "k"}
    async with Client(StreamableHttpTransport(server.mcp), mode="2026-07-28") as client:
        answers = [await client.call_tool("toy_stop_vm", {"uuid": "u-1"}, meta=meta) for _ in range(2)]
    assert len({answer.meta["switchgear"]["run"] for answer in answers}) == 1
    assert heard_by(device).count(STOP) == 1


async def test_a_key_that_is_none_is_refused_over_mcp_and_nothing_is_sent(lab: Any, device: Any, server: Any) -> None:
    async with Client(StreamableHttpTransport(server.mcp), mode="2026-07-28") as client:
        for key in ("k" * 201, "\0", ["k"], 5):
            meta = {"switchgear/idempotency-key": key}
            answer = await client.call_tool("toy_stop_vm", {"uuid": "u-1"}, meta=meta, raise_on_error=False)
            assert answer.is_error
            assert "up to 200 characters" in answer.content[0].text  # type: ignore[union-attr]
    assert heard_by(device).count(STOP) == 0


async def test_over_http_a_key_is_a_header_and_another_wish_under_it_a_conflict(
    lab: Any, device: Any, server: Any
) -> None:
    path, body = "/workflows/toy_stop_vm/run", {"inputs": {"uuid": "u-1"}}
    async with httpx.AsyncClient(base_url=server.url, headers={"idempotency-key": "k"}) as client:
        first, second = await client.post(path, json=body), await client.post(path, json=body)
        third = await client.post(path, json={"inputs": {"uuid": "u-2"}})
    assert first.json() == second.json()
    assert (first.status_code, third.status_code) == (200, 409)
    assert heard_by(device).count(STOP) == 1


@pytest.mark.slow
async def test_over_http_runs_are_resolved_and_cancelled(lab: Any, device: Any, server: Any, doubtful: Any) -> None:
    async with httpx.AsyncClient(base_url=server.url) as client:
        wrong = await client.post(f"/runs/{doubtful.run_id}/cancel")
        right = await client.post(f"/runs/{doubtful.run_id}/resolve", json={"has_happened": True, "goes_on": True})

        async def ended() -> Any:
            told = (await client.get(f"/runs/{doubtful.run_id}")).json()
            return told if told["outcome"] is not None else None

        shown = await until(ended)
        missing = await client.post("/runs/none/resolve", json={"has_happened": True})
    assert (wrong.status_code, right.status_code, missing.status_code) == (409, 200, 404)
    assert shown["outcome"] == "succeeded"


async def test_a_run_that_nobody_can_carry_on_is_not_gone_on_with(lab: Any, device: Any) -> None:
    entry = lab.service.live.now.entries["toy_stop_vm"]
    await lab.service.runs.create("r", entry.revision_id, entry.digest, "lab", "me", {})
    await lab.service.runs.finish("r", "unknown", None, json.loads('{"step_id": "change"}'))
    with pytest.raises(InvalidError, match="cannot go on"):
        await lab.service.open_runs.resolve("r", RunFinding(True, True), actor="ann")


@pytest.mark.parametrize("name", ["toy_find_vm", "toy_stop_vm"])
async def test_a_key_whose_run_never_left_is_free_again(
    lab: Any, device: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = {"vm": "web-01"} if name == "toy_find_vm" else {"uuid": "u-1"}

    async def asked() -> Any:
        entry = lab.service.live.now.find(name)
        return await lab.service.calls.call(entry, inputs, None, Caller("ann", "admin"), key="once")

    with monkeypatch.context() as patched:
        patched.setattr(Breaker, "rests_for", lambda _self, _now: 60.0)
        refused = await asked()
    assert (refused.outcome, device.heard) == ("failed", [])
    ended = await asked()
    assert (ended.outcome, ended.run_id != refused.run_id) == ("succeeded", True)
    assert (await asked()).run_id == ended.run_id, "and then it stands for that run"
    assert await lab.service.open_runs.fault_of(refused.run_id) == ""
    assert (await lab.service.audit.verify()).ok
