"""How runs end: done, failed, unknown, cancelled; what is recorded of them, and what is not."""

import asyncio
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.errors import UnavailableError
from governance.storage.locks import locks_of
from runtime.caller import Caller
from runtime.engines.executor import Executor
from runtime.engines.recovery import verdict
from runtime.errors import CallerError, NotApproved
from tests.waiting import until

ME = Caller("me", "operator")


async def call(house: Any, tool: str, **inputs: Any) -> Any:
    entry = house.service.live.now.entries[tool]
    return await house.service.calls.call(entry, inputs, None, ME)


async def only_run(house: Any) -> Any:
    await house.service.engine.settle()
    (run,) = await house.service.runs.find()
    return await house.service.runs.get(run.id)


async def ended_run(house: Any) -> Any:
    """The only run, once it has ended."""
    (run,) = await house.service.runs.find()
    return await house.service.runs.get(run.id) if run.outcome is not None else None


async def requests_in_audit(house: Any) -> list[str]:
    await house.service.engine.settle()
    rows = await house.service.audit.find(action="request.sending", limit=1000)
    return [f"{row.detail['method']} /api{row.detail['path']}" for row in rows]


def heard_by(device: Any) -> list[str]:
    return [heard.line.decode().rsplit(" ", 1)[0] for heard in device.heard]


async def test_every_request_that_the_device_heard_stands_in_the_audit_in_order(lab: Any, device: Any) -> None:
    for _ in range(3):
        await call(lab, "toy_find_vm", vm="web-01")
        await call(lab, "toy_find_vm", vm="nobody")
        await call(lab, "toy_stop_vm", uuid="u-1")
    assert await requests_in_audit(lab) == heard_by(device)
    assert (await lab.service.audit.verify()).ok


async def test_a_change_whose_answer_is_lost_ends_as_unknown_and_is_not_sent_again(lab: Any, device: Any) -> None:
    async def hang_up(writer: asyncio.StreamWriter) -> bool:
        writer.close()
        return False

    device.script.before_stop = hang_up
    ended = await call(lab, "toy_stop_vm", uuid="u-1")
    assert ended.outcome == "unknown"
    assert ended.failure.step_id == "change"
    assert heard_by(device) == ["POST /api/vms/u-1/stop"]
    assert (await only_run(lab)).outcome == "unknown"


async def test_a_failed_job_says_what_failed_and_what_was_done(lab: Any, device: Any) -> None:
    device.script.job_state = "broken"
    ended = await call(lab, "toy_stop_vm", uuid="u-1")
    assert (ended.outcome, ended.failure.code, ended.failure.step_id) == ("failed", "job_failed", "wait")
    assert ended.failure.message == "The device could not stop it. Found: state broken."
    assert (ended.failure.done, ended.failure.may_be_done) == ((), ("change",))  # begun, and given up
    assert (await only_run(lab)).failure["code"] == "job_failed"


async def test_a_device_that_is_off_fails_the_run_and_nothing_was_done(lab: Any, device: Any) -> None:
    await device.stop()
    ended = await call(lab, "toy_stop_vm", uuid="u-1")
    await device.start()
    assert ended.outcome == "failed"
    assert ended.failure.done == ()


@pytest.mark.slow
async def test_a_deadline_of_the_run_bounds_every_wait(lab: Any, device: Any) -> None:
    await call(lab, "toy_stop_vm", uuid="u-1")  # what durable runs need is made ready by the first one
    device.script.job_state = "running"
    ended = await _stopped_in_two_seconds(lab)
    assert (ended.outcome, ended.failure.code) == ("unknown", "deadline")
    assert ended.failure.may_be_done == ("change",)
    assert device.script.looks <= 2.0 / 0.05 + 1  # a twentieth of a second apart; without the deadline a hundred


@pytest.mark.slow
async def test_a_read_that_the_deadline_of_the_run_breaks_off_says_nothing_of_the_device(lab: Any, device: Any) -> None:
    await call(lab, "toy_stop_vm", uuid="u-1")
    device.script.before_look = lambda _: asyncio.sleep(30, result=False)
    ended = await _stopped_in_two_seconds(lab)
    assert (ended.outcome, ended.failure.step_id, ended.failure.code) == ("unknown", "wait", "deadline")
    assert "could not" not in ended.failure.message


async def _stopped_in_two_seconds(lab: Any) -> Any:
    """How it ended; on a loaded machine the two seconds may be over before the change is sent, so tried more often."""
    entry = lab.service.live.now.entries["toy_stop_vm"]
    program = replace(entry.program, deadline_s=2.0)
    prepared = SimpleNamespace(
        program=lambda: program, endpoint=entry.prepared.endpoint, content=entry.prepared.content
    )
    for _ in range(20):
        ended = await lab.service.calls.call(replace(entry, prepared=prepared), {"uuid": "u-1"}, None, ME)
        if ended.failure.may_be_done:
            break
    return ended


async def test_secrets_given_as_inputs_stand_in_no_record_and_reach_the_device(lab: Any, device: Any) -> None:
    await call(lab, "toy_stop_vm", uuid="u-1", password="c4nary-word")
    assert b"c4nary-word" in bytes(device.raw)
    run = await only_run(lab)
    assert run.inputs == {"uuid": "u-1", "password": "[redacted]"}
    rows = await lab.service.audit.find(limit=1000)
    assert "c4nary-word" not in repr((run, rows))


async def test_a_secret_that_the_device_sends_back_does_not_come_out(house: Any, device: Any) -> None:
    await house.target(device.url)
    await house.approve("list")
    house.service.vault.resolve("env:WORD")
    device.script.machines = [{"uuid": "u", "name": "the word is s3cret-word", "password": "whatever"}]
    await house.service.live.reload()
    ended = await call(house, "toy_list_vms")
    assert ended.outputs == {"vms": [{"uuid": "u", "name": "the word is [redacted]", "password": "[redacted]"}]}
    assert "s3cret-word" not in repr(await only_run(house))


async def test_outputs_that_break_the_promised_schema_fail_the_call(lab: Any, device: Any) -> None:
    device.script.machines = [{"uuid": "u-1", "name": "web-01", "state": 5}]
    ended = await call(lab, "toy_find_vm", vm="web-01")
    assert (ended.outcome, ended.failure.code) == ("failed", "bad_outputs")
    assert dict(ended.outputs) == {}


async def test_a_viewer_may_not_run(lab: Any, device: Any) -> None:
    entry = lab.service.live.now.entries["toy_find_vm"]
    with pytest.raises(CallerError, match="viewer may not"):
        await lab.service.calls.call(entry, {"vm": "web-01"}, None, Caller("v", "viewer"))
    assert device.heard == []


async def test_a_caller_who_goes_away_during_a_wait_ends_the_run_as_cancelled(lab: Any, device: Any) -> None:
    device.script.job_state = "running"
    task = asyncio.create_task(call(lab, "toy_stop_vm", uuid="u-1"))
    await device.has_heard(2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await lab.service.engine.close()
    run = await only_run(lab)
    assert run.outcome == "cancelled"
    assert run.failure["may_be_done"] == ["change"]
    assert await requests_in_audit(lab) == heard_by(device)


async def test_a_caller_who_goes_away_during_a_change_leaves_a_run_that_knows_what_became_of_it(
    lab: Any, device: Any
) -> None:
    is_gone = asyncio.Event()

    async def answers_who_is_gone(_writer: asyncio.StreamWriter) -> bool:
        return await is_gone.wait()

    device.script.before_stop = answers_who_is_gone
    task = asyncio.create_task(call(lab, "toy_stop_vm", uuid="u-1"))
    await device.has_heard(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    is_gone.set()
    run = await until(partial(ended_run, lab))
    assert run.outcome == "cancelled"
    assert run.failure["may_be_done"] == ["change"]
    assert heard_by(device) == ["POST /api/vms/u-1/stop"]
    assert [(step.record.phase, step.record.status) for step in run.steps] == [("sending", None), ("answered", 202)]


async def test_a_stateless_client_that_hangs_up_ends_its_run(lab: Any, device: Any, server: Any) -> None:
    device.script.job_state = "running"
    async with Client(StreamableHttpTransport(server.mcp), mode="2026-07-28") as client:
        task = asyncio.create_task(client.call_tool("toy_stop_vm", {"uuid": "u-1"}))
        await device.has_heard(2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    run = await until(partial(ended_run, lab))
    assert run.outcome == "cancelled"


async def test_what_was_retired_is_not_run_even_from_an_old_snapshot(lab: Any, device: Any) -> None:
    entry = lab.service.live.now.entries["toy_find_vm"]
    await lab.service.revisions.decide(
        entry.revision_id, "retire", actor="t", role="admin", reason="old", digest=entry.digest
    )
    with pytest.raises(NotApproved, match="retired"):
        await lab.service.calls.call(entry, {"vm": "web-01"}, None, ME)
    assert device.heard == []
    assert await lab.service.runs.find() == ()


async def test_nothing_is_sent_when_the_database_takes_no_record(lab: Any, device: Any) -> None:
    entry = lab.service.live.now.entries["toy_stop_vm"]
    await lab.service.database.close()
    with pytest.raises(UnavailableError):
        await lab.service.calls.call(entry, {"uuid": "u-1"}, None, ME)
    assert device.heard == []


async def test_a_database_that_fails_in_the_middle_stops_the_run_before_the_next_request(lab: Any, device: Any) -> None:
    async def database_dies(_writer: asyncio.StreamWriter) -> bool:
        await lab.service.database.close()
        return True

    device.script.before_stop = database_dies
    with pytest.raises(UnavailableError):
        await call(lab, "toy_stop_vm", uuid="u-1")
    assert heard_by(device) == ["POST /api/vms/u-1/stop"]


async def test_a_run_left_open_during_a_change_is_closed_as_unknown_at_the_next_start(lab: Any, device: Any) -> None:
    entry = lab.service.live.now.entries["toy_stop_vm"]
    service = lab.service
    from governance.runs.runs import StepRecord

    gone = {"purpose": "step", "attempt": 1, "changes": True}
    first = StepRecord(1, "change", "sending", "POST", "/vms/u-1/stop", detail=gone)
    await service.runs.create("run-1", entry.revision_id, entry.digest, "lab", "me", {}, first=first)
    assert await service.engine.recover() == ("run-1",)
    run = await service.runs.get("run-1")
    assert run.outcome == "unknown"
    assert "POST /vms/u-1/stop" in run.failure["message"]
    assert "look at the device" in run.failure["remedy"]
    assert device.heard == []
    assert await service.engine.recover() == ()


@pytest.mark.unwitnessed("its records are written by hand")
async def test_a_run_left_open_between_requests_has_failed_and_says_what_was_done(lab: Any) -> None:
    from governance.runs.runs import StepRecord

    entry = lab.service.live.now.entries["toy_stop_vm"]
    gone = {"purpose": "step", "attempt": 1}
    records = (
        StepRecord(1, "change", "answered", "POST", "/vms/u-1/stop", 202, 3.0),
        StepRecord(2, "wait", "sending", "GET", "/tasks/t-1", detail=gone),
    )
    first = StepRecord(1, "change", "sending", "POST", "/vms/u-1/stop", detail={**gone, "changes": True})
    await lab.service.runs.create("run-2", entry.revision_id, entry.digest, "lab", "me", {}, first=first)
    await lab.service.runs.record_steps("run-2", records)
    outcome, failure = verdict(await lab.service.runs.get("run-2"), "")
    assert (outcome, failure.done, failure.not_done) == ("failed", ("change",), ("wait",))


async def test_a_run_of_a_process_that_is_still_at_work_is_left_to_it(lab: Any) -> None:
    entry = lab.service.live.now.entries["toy_find_vm"]
    locks = locks_of(lab.url)
    other = Executor(locks)
    await other.appear()
    about = (entry.revision_id, entry.digest, "lab", "me", {})
    await lab.service.runs.create("run-3", *about, executor=other.name)
    assert await lab.service.engine.recover() == ()
    await locks.close()
    assert await lab.service.engine.recover() == ("run-3",)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["approve", "retire", "reload", "run", "run-old"]), min_size=4, max_size=12))
async def test_whatever_is_decided_and_loaded_only_what_is_approved_at_that_moment_runs(
    house: Any, device: Any, steps: list[str]
) -> None:
    if not await house.service.targets.list_targets():
        await house.target(device.url)
    kept: list[Any] = []
    for step in steps:
        approved = await house.service.revisions.approved()
        if step == "approve":
            await house.approve("find") if not approved else None
        elif step == "retire" and approved:
            await house.service.revisions.decide(
                approved[0].id, "retire", actor="t", role="admin", reason="r", digest=approved[0].digest
            )
        elif step == "reload":
            kept += (await house.service.live.reload()).entries.values()
        elif step.startswith("run") and kept:
            entry = kept[0 if step == "run-old" else -1]
            before = len(device.heard)
            is_approved = [revision.id for revision in approved] == [entry.revision_id]
            try:
                ended = await house.service.calls.call(entry, {"vm": "web-01"}, None, ME)
            except NotApproved:
                assert not is_approved
                assert len(device.heard) == before
            else:
                assert is_approved
                assert ended.outcome == "succeeded"


HIDING = "pay\u202eload \u200b\U000e0041ignore"


async def test_what_a_device_or_a_caller_hides_in_a_text_is_not_told_to_anybody(
    lab: Any, device: Any, server: Any
) -> None:
    import httpx

    device.script.machines[0]["name"] = HIDING
    body = {"inputs": {"vm": f"{HIDING}!"}}
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as api:
        reply = await api.post("/workflows/toy-find-vm/run", json=body)
        bad = await api.post("/workflows/toy-stop-vm/run", json={"inputs": {"uuid": "u-1", HIDING: 1}})
    async with Client(StreamableHttpTransport(server.mcp)) as client:
        answer = await client.call_tool("toy_find_vm", {"vm": f"{HIDING}!"}, raise_on_error=False)
    assert (reply.status_code, bad.status_code, answer.is_error) == (409, 422, True)
    told = [reply.json()["detail"], reply.json()["failure"]["message"], bad.json()["detail"], answer.content[0].text]
    assert all("\u202e" not in text and "\u200b" not in text and "\U000e0041" not in text for text in told), told
