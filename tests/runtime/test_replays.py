"""Runs replayed from their journals, whichever engine and process; what differs, what is hidden, what is not kept."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from governance.errors import InvalidError
from governance.runs.open_runs import RunFinding
from runtime.call_options import PLAIN, CallOptions
from runtime.caller import Caller
from runtime.engines.recording import MOST_BYTES, MOST_LEVELS, weight
from runtime.secrets import Vault
from runtime.service import open_service
from switchgear.main import main
from workflow.documents.reader import read_document
from workflow.programs.program_making import build_program
from workflow.running.replay import differences

ME = Caller("me", "operator")
FIND, STOP = "toy_find_vm", "toy_stop_vm"
SECRET = "c4nary word/ä"


async def call(lab: Any, tool: str = STOP, options: CallOptions = PLAIN, **inputs: Any) -> Any:
    inputs = inputs or ({"vm": "web-01"} if tool == FIND else {"uuid": "u-1"})
    ended = await lab.service.calls.call(lab.service.live.now.entries[tool], inputs, None, ME, options)
    await lab.service.engine.settle()
    return ended


async def replayed(lab: Any, run_id: str) -> Any:
    return await lab.service.journals.replay(run_id)


async def hang_up(writer: asyncio.StreamWriter) -> bool:
    writer.close()
    return False


def edited(lab: Any, run_id: str, change: Callable[[Any], None]) -> None:
    """The stored journal, changed behind our back."""
    database = sqlite3.connect(lab.url.partition(":///")[2])
    with database:
        (body,) = database.execute("SELECT body FROM run_journals WHERE run_id = ?", (run_id,)).fetchone()
        journal = json.loads(body)
        change(journal["turns"])
        database.execute("UPDATE run_journals SET body = ? WHERE run_id = ?", (json.dumps(journal), run_id))
    database.close()


@pytest.mark.slow
@pytest.mark.parametrize(("tool", "turns"), [(FIND, 2), (STOP, 6)], ids=["direct", "durable"])
async def test_a_run_of_either_engine_replays_without_a_difference(lab: Any, tool: str, turns: int) -> None:
    ended = await call(lab, tool)
    assert ended.outcome == "succeeded"
    replay = await replayed(lab, ended.run_id)
    assert (replay.turns, replay.differences) == (turns, ())


async def test_a_failed_run_and_one_that_was_only_planned_replay_too(lab: Any, device: Any) -> None:
    runs = [await call(lab, FIND, vm="nobody"), await call(lab, STOP, CallOptions(is_plan=True))]
    assert [each.outcome for each in runs] == ["failed", "planned"]
    await device.stop()
    runs.append(await call(lab, STOP))
    await device.start()
    for ended in runs:
        assert (await replayed(lab, ended.run_id)).differences == ()


@pytest.mark.slow
async def test_a_run_taken_over_by_another_process_replays_from_its_beginning(lab: Any, device: Any) -> None:
    device.script.job_state = "running"
    asking = asyncio.create_task(call(lab, STOP, uuid="u-1", password=SECRET))
    await device.has_heard(2)
    await lab.service.engine.close()
    await asyncio.wait((asking,))
    assert asking.exception() is not None
    await lab.service.locks.close()
    device.script.job_state = "done"
    async with open_service(lab.url, Vault({})) as after:
        (left,) = await after.open_runs.look()
        await after.engine.recover()
        while (await after.runs.get(left.id)).outcome is None:  # noqa: ASYNC110  another engine ends it
            await asyncio.sleep(0.02)
        replay = await after.journals.replay(left.id)
        kinds = [turn["event"]["type"] for turn in await after.journals.get(left.id)]
    assert replay.differences == ()
    assert kinds[:2] == ["RunStarted", "ResponseArrived"]
    assert len([each for each in kinds if each == "RunStarted"]) == 1


@pytest.mark.parametrize("has_happened", [True, False])
async def test_a_run_gone_on_with_after_a_doubt_replays_in_all_its_parts(
    lab: Any, device: Any, has_happened: bool
) -> None:
    device.script.before_stop = hang_up
    ended = await call(lab)
    assert ended.outcome == "unknown"
    assert (await replayed(lab, ended.run_id)).differences == ()
    device.script.before_stop = None
    await lab.service.open_runs.resolve(ended.run_id, RunFinding(has_happened, True), actor="ann")
    while (await lab.service.runs.get(ended.run_id)).outcome is None:
        await lab.service.engine.recover()
        await asyncio.sleep(0.02)
    replay = await replayed(lab, ended.run_id)
    assert replay.differences == ()
    assert replay.turns > 3


async def test_a_journal_that_was_tampered_with_is_told_with_the_step_and_both_sides(lab: Any) -> None:
    ended = await call(lab, STOP)

    def tamper(turns: Any) -> None:
        turns[0]["command"]["path"] = "/vms/u-2/stop"

    edited(lab, ended.run_id, tamper)
    (found,) = (await replayed(lab, ended.run_id)).differences
    assert (found.number, found.step_id) == (1, "change")
    assert (found.recorded["path"], found.now["path"]) == ("/vms/u-2/stop", "/vms/u-1/stop")


async def test_a_changed_reply_and_a_cut_end_are_told(lab: Any) -> None:
    changed, cut = await call(lab, STOP), await call(lab, STOP)

    def tamper(turns: Any) -> None:
        turns[1]["event"]["body"]["task"] = "t-2"

    edited(lab, changed.run_id, tamper)
    edited(lab, cut.run_id, lambda turns: turns.pop())
    assert "/tasks/t-2" in (await replayed(lab, changed.run_id)).differences[0].now["path"]
    (found,) = (await replayed(lab, cut.run_id)).differences
    assert "ends before" in found.recorded["missing"]


async def test_an_event_that_does_not_belong_there_is_refused_and_told(lab: Any) -> None:
    ended = await call(lab, STOP)
    edited(lab, ended.run_id, lambda turns: turns[1]["event"].update(status="many"))
    (found,) = (await replayed(lab, ended.run_id)).differences
    assert (found.number, "refused" in found.now) == (2, True)


async def test_another_revision_is_told_with_the_step_and_both_sides(lab: Any, tools: Any) -> None:
    turns = await lab.service.journals.get((await call(lab, STOP)).run_id)
    document = tools.toy_content("stop").document
    document["workflows"][0]["steps"][2]["parameters"][0]["value"] = "$steps.change.outputs.task"
    (found, *_) = differences(build_program(read_document(document, "toy")), turns)
    assert found.step_id == "read_back"
    assert (found.recorded["path"], found.now["path"]) == ("/vms/u-1", "/vms/t-1")


async def test_no_secret_stands_in_a_journal_and_what_is_masked_makes_no_difference(lab: Any, device: Any) -> None:
    device.script.machines[0]["state"] = f"told {SECRET}"
    device.script.machines[0]["password"] = "the-devices-own"
    device.script.machines[0]["also"] = ["the-devices-own"]
    lab.service.vault.remember("known-to-the-vault")
    device.script.machines[1]["state"] = "known-to-the-vault"
    runs = [await call(lab, FIND), await call(lab, STOP, uuid="u-1", note=f"echo {SECRET}", password=SECRET)]
    for ended in runs:
        assert (await replayed(lab, ended.run_id)).differences == ()
        text = json.dumps(await lab.service.journals.get(ended.run_id), ensure_ascii=False)
        assert "[redacted]" in text
        for secret in ("the-devices-own", "known-to-the-vault", *((SECRET,) if ended is runs[1] else ())):
            assert secret not in text


async def test_where_what_is_masked_decides_the_course_the_journal_says_that_it_cannot_be_replayed(
    lab: Any, device: Any
) -> None:
    lab.service.vault.remember("web-01")
    ended = await call(lab, FIND, vm="u-1")
    assert ended.outcome == "succeeded"
    assert (await replayed(lab, ended.run_id)).differences == ()
    lab.service.vault.remember("done")
    ended = await call(lab, STOP)
    assert ended.outcome == "succeeded"
    with pytest.raises(InvalidError, match="what is masked in its journal decides how it goes on, at read_back"):
        await replayed(lab, ended.run_id)


@pytest.mark.parametrize("tool", [FIND, STOP], ids=["direct", "durable"])
async def test_a_journal_that_is_too_big_is_not_kept_and_says_so(lab: Any, device: Any, tool: str) -> None:
    device.script.machines[0]["note"] = "x" * MOST_BYTES
    ended = await call(lab, tool)
    assert ended.outcome == "succeeded"
    with pytest.raises(InvalidError, match="too big"):
        await replayed(lab, ended.run_id)


def test_weighing_stops_at_what_is_too_much_or_too_deep() -> None:
    deep: Any = 1
    for _ in range(MOST_LEVELS + 5_000):
        deep = [deep]
    assert weight(deep, 10**9) == 10**9 + 1
    assert weight({"a": ["bc", 1, None]}, 100) >= len('{"a":["bc",1,null]}')
    assert weight(["x"] * 1000, 10) == 11


async def test_a_journal_is_forgotten_with_its_run(lab: Any) -> None:
    ended = await call(lab)
    await lab.service.open_runs.sweep("9999-01-01")
    database = sqlite3.connect(lab.url.partition(":///")[2])
    assert database.execute("SELECT count(*) FROM run_journals").fetchone() == (0,)
    database.close()
    assert ended.outcome == "succeeded"


async def test_the_command_ends_with_1_at_a_difference_and_with_3_where_there_is_no_journal(
    lab: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = await call(lab, FIND), await call(lab, FIND)
    edited(lab, bad.run_id, lambda turns: turns[0]["command"].update(path="/elsewhere"))

    async def told(run_id: str, *more: str) -> tuple[int, str]:
        code = await asyncio.to_thread(main, ["runs", "replay", run_id, "--db", lab.url, *more])
        return code, capsys.readouterr().out

    assert await told(good.run_id) == (0, "2 turns replayed, no differences\n")
    code, out = await told(bad.run_id, "--json")
    (found,) = json.loads(out)["differences"]
    assert (code, found["step_id"], found["recorded"]["path"], found["now"]["path"]) == (
        1, "lookup", "/elsewhere", "/vms",
    )  # fmt: skip
    assert (await told("nobody"))[0] == 3


async def test_over_http_the_journal_is_its_callers_and_approvers(lab: Any, server: Any) -> None:
    ended = await call(lab, FIND)
    seen = {}
    for role, name in (("operator", "me"), ("operator", "other"), ("approver", "boss")):
        headers = {"authorization": f"Bearer {await lab.token(role, name)}"}
        async with httpx.AsyncClient(base_url=server.url, headers=headers, trust_env=False) as client:
            seen[name] = await client.get(f"/runs/{ended.run_id}/journal")
    assert {name: answer.status_code for name, answer in seen.items()} == {"me": 200, "other": 404, "boss": 200}
    assert [turn["command"]["type"] for turn in seen["me"].json()["turns"]] == ["SendRequest", "EndRun"]
