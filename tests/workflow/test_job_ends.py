"""How a run ends whose job ended well: what the device warns of is told, and what waits for a restart is pending."""

from typing import Any

import pytest

from tests.workflow.dialogue import Dialogue, ended, ok
from tests.workflow.documents import program, step
from workflow.requests.events import ResponseArrived
from workflow.running import fates

WARNED = {"state": "done", "warnings": ["disk 2 was not quiesced"]}
STAGED = {"state": "done", "message": "Staged. A restart is required."}


def end_of(job: dict[str, Any], *said: str) -> Any:
    wait = {"x-switchgear": {"role": "wait"}}
    waits = step("wait", "get", "/jobs/7", successCriteria=ok("$response.body#/state == 'done'"), **wait)
    run = Dialogue(program(step("change", "post", "/vms/1/backup"), waits))
    run.answer("change", 202)
    return run.say(ResponseArrived("wait", 200, {}, job, said))


def test_what_a_job_warns_of_is_told_with_its_success_and_kept_quiet_when_that_is_taken_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    end = ended(end_of(WARNED, "disk 2 was not quiesced"), "succeeded")
    assert end.note == "The device warns: “disk 2 was not quiesced”."
    assert end.done == ("change",)
    monkeypatch.setattr(fates, "warnings_of", lambda _job: ())
    assert ended(end_of(WARNED, "disk 2 was not quiesced"), "succeeded").note == ""


def test_what_waits_for_a_restart_is_pending_and_a_success_when_that_is_taken_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "in force after a restart" in ended(end_of(STAGED, STAGED["message"]), "pending").note
    monkeypatch.setattr(fates, "waits_for_restart", lambda _job: False)
    ended(end_of(STAGED, STAGED["message"]), "succeeded")


def test_what_is_only_accepted_is_pending_and_a_success_when_that_is_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    start = program(step("change", "post", "/vms/1/start"))
    end = ended(Dialogue(start).answer("change", 202), "pending")
    assert "goes on; nothing here says how it ends" in end.note
    assert end.done == ("change",)
    ended(Dialogue(start).answer("change", 204), "succeeded")
    monkeypatch.setattr(fates, "_ACCEPTED", 0)
    ended(Dialogue(start).answer("change", 202), "succeeded")


def test_what_was_accepted_and_is_waited_for_or_seen_is_no_longer_pending() -> None:
    ended(end_of({"state": "done"}), "succeeded")
    ours = {"role": "read_back", "expects": [{"place": "/on", "asked": True, "found": "$response.body#/on"}]}
    run = Dialogue(
        program(step("change", "post", "/vms/1/start"), step("look", "get", "/vms/1", **{"x-switchgear": ours}))
    )
    run.answer("change", 202)
    ended(run.answer("look", 200, {"on": True}), "succeeded")
