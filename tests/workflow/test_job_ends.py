"""How a run ends whose job ended well: what the device warns of is told, and what waits for a restart is pending."""

from typing import Any

import pytest

from tests.workflow.dialogue import Dialogue, ended, ok
from tests.workflow.documents import program, step
from workflow.requests.events import Cancelled, DeadlinePassed, ResponseArrived
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


def test_a_job_that_nobody_waits_for_to_its_end_may_have_been_done_and_not_done() -> None:
    def waiting() -> Dialogue:
        wait = {"x-switchgear": {"role": "wait"}}
        waits = step("wait", "get", "/jobs/7", successCriteria=ok("$response.body#/state == 'done'"), **wait)
        run = Dialogue(program(step("change", "post", "/vms/1/backup"), waits, step("tell")))
        run.answer("change", 202)
        return run

    for event, outcome in ((Cancelled(False), "cancelled"), (DeadlinePassed(), "unknown")):
        end = ended(waiting().say(event), outcome, "cancelled" if outcome == "cancelled" else "deadline")
        assert (end.done, end.failure.done, end.failure.may_be_done) == (("change",), (), ("change",))
    run = waiting()
    run.answer("wait", 200, {"state": "done"})
    assert ended(run.say(Cancelled(False)), "cancelled", "cancelled").failure.done == ("change",)


def test_an_order_whose_answer_names_nothing_was_done_to_nothing_and_a_success_when_that_is_taken_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = {"contentType": "application/json", "payload": {"ids": ["t-1"]}}
    clear = program(step("change", "post", "/tasks/clear", requestBody=body, **{"x-switchgear": {"effect": "act"}}))
    end = ended(Dialogue(clear).answer("change", 200, {"tasks": [], "total": 0}), "failed", "fits_nothing")
    assert (end.failure.done, end.failure.not_done, end.failure.may_be_done) == ((), ("change",), ())
    ended(Dialogue(clear).answer("change", 200, {"tasks": ["t-1"], "total": 1}), "succeeded")
    sweep = program(step("change", "post", "/tasks/sweep", **{"x-switchgear": {"effect": "act"}}))
    ended(Dialogue(sweep).answer("change", 200, {"tasks": []}), "succeeded")
    monkeypatch.setattr(fates, "names_nothing", lambda _body: False)
    ended(Dialogue(clear).answer("change", 200, {"tasks": [], "total": 0}), "succeeded")


@pytest.mark.parametrize("effect", ["update", "create"])
def test_a_change_of_several_whose_report_or_page_is_empty_was_done_to_nothing_and_a_thing_may_be_empty(
    effect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"contentType": "application/json", "payload": {"racks": [{"name": "r-1"}, {"name": "r-2"}]}}
    change = program(step("change", "patch", "/racks", requestBody=body, **{"x-switchgear": {"effect": effect}}))
    report, page = {"create": {"success": [], "errors": []}, "update": None}, {"racks": [], "total": 0}
    for answer in (report, page):
        ended(Dialogue(change).answer("change", 200, answer), "failed", "fits_nothing")
    ended(Dialogue(change).answer("change", 200, {"racks": []}), "succeeded")
    some = {"create": {"success": ["r-2"], "errors": []}, "update": None}
    end = ended(Dialogue(change).answer("change", 200, some), "partial", "partly_refused")
    assert "2 things were asked for at once, and the answer lists as done all but r-1" in end.failure.message
    assert (end.failure.done, end.failure.may_be_done) == (("change",), ())
    for each in ("tells_apart", "is_empty_page"):
        monkeypatch.setattr(fates, each, lambda _body: False)
    ended(Dialogue(change).answer("change", 200, report), "succeeded")
    ended(Dialogue(change).answer("change", 200, page), "succeeded")
