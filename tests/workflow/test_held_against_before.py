"""What a thing shows is held against what it showed before: after a vague refusal, and where it was to be emptied."""

from typing import Any

import pytest

from tests.workflow.dialogue import Dialogue, end, ended, ok, sent
from tests.workflow.documents import inputs, program, step
from workflow.programs.program import Program
from workflow.replies.pictures import picture_of, told_otherwise
from workflow.requests.events import EndRun, RequestFailed, StartTimer, TimerFired
from workflow.running.compared import is_vague

BEFORE = {"name": "a", "server": "/user/a/", "roles": ["x", "y"], "last_activity": "10:00", "ready": True}
GONE = {"role": "gone", "expects": [{"place": "", "text": "it is gone"}], "decides": True}


def deleting(path: str = "/users/{name}", read: str = "/users/{name}", **change: Any) -> Program:
    here = [{"name": "name", "in": "path", "value": "$inputs.name"}]
    return program(
        step("look", "get", read, parameters=here if "{" in read else [], successCriteria=ok()),
        step("change", "delete", path, parameters=here, **change),
        step(
            "gone",
            "get",
            "/users/{name}",
            parameters=here,
            successCriteria=ok("$statusCode == 404"),
            **{"x-switchgear": GONE},
        ),
        inputs=inputs("name"),
    )


def refused(made: Program, status: int = 400, before: Any = BEFORE) -> tuple[Dialogue, Any]:
    run = Dialogue(made, name="a")
    run.answer("look", 200, before)
    return run, run.answer("change", status, {"message": "it is in the process of stopping"})


def test_what_a_refused_change_left_otherwise_is_told_and_never_that_nothing_was_changed() -> None:
    run, command = refused(deleting())
    sent(command, "look")
    after = {**BEFORE, "server": None, "pending": "stop", "ready": False, "last_activity": "10:01"}
    told = ended(run.answer("look", 200, after), "partial", "changed_though_refused")
    assert (told.failure.done, told.failure.may_be_done) == ((), ("change",))
    assert "server is not there (was: /user/a/)" in told.failure.message
    assert {each["place"] for each in told.differences} == {"/server", "/pending", "/ready"}


def test_a_refused_change_that_left_all_as_it_was_has_changed_nothing() -> None:
    run, command = refused(deleting())
    sent(command, "look")
    after = {**BEFORE, "roles": ["y", "x"], "last_activity": "10:01"}
    told = ended(run.answer("look", 200, after), "failed", "unexpected_status")
    assert (told.failure.may_be_done, told.failure.not_done, told.failure.status) == ((), ("change",), 400)


def test_what_is_gone_after_a_refused_deletion_was_deleted() -> None:
    run, command = refused(deleting())
    sent(command, "look")
    sent(run.answer("look", 404), "gone")
    assert ended(run.answer("gone", 404), "succeeded").done == ("change",)


@pytest.mark.parametrize("lost", [RequestFailed("look", "unreachable", "no"), None])
def test_what_cannot_be_read_after_a_refusal_is_not_known(lost: RequestFailed | None) -> None:
    run, _ = refused(deleting())
    told = run.say(lost) if lost else run.answer("look", 503)
    assert ended(told, "unknown", "unexpected_status").failure.may_be_done == ("change",)


@pytest.mark.parametrize("status", [401, 403, 404, 405, 412, 415, 422, 423, 429])
def test_a_status_that_says_that_nothing_was_taken_needs_no_second_read(status: int) -> None:
    assert not is_vague(status)
    _, command = refused(deleting(), status, {})
    assert command.outcome in ("failed", "unknown")


@pytest.mark.parametrize("status", [400, 420, 499])
def test_a_status_that_nobody_knows_says_no_more_than_400(status: int) -> None:
    assert is_vague(status)


def test_a_list_is_not_compared_and_what_the_document_says_of_a_refusal_goes_before() -> None:
    run, command = refused(deleting(read="/users"), before=[BEFORE])
    sent(command, "gone")  # which is all that can be asked: whether it is there still
    ended(run.answer("gone", 200, BEFORE), "failed", "unexpected_status")
    told = [end("busy", "$statusCode == 400", code="wrong_state")]
    _, command = refused(deleting(onFailure=told))
    ended(command, "failed", "wrong_state")


def test_what_is_around_the_thing_tells_too() -> None:
    run, command = refused(deleting(path="/users/{name}/server"))
    sent(command, "look")
    ended(run.answer("look", 200, {**BEFORE, "server": None}), "partial", "changed_though_refused")


def test_a_picture_holds_no_secret_nothing_that_moves_alone_and_no_long_text() -> None:
    shown = {"api_token": "t", "uptime": 3, "note": "x" * 500, "state": "on", "empty": None, "in": {"a": 1}}
    picture = picture_of(shown)
    assert set(picture) == {"/note", "/state", "/in/a"}
    assert len(str(picture["/note"])) < 100
    assert [each.place for each in told_otherwise(picture, {**shown, "uptime": 4, "state": "off"})] == ["/state"]
    assert picture_of({"estimated_start": 2.5, "start_time_delta": 8.9, "lateness": 1, "timeout": 2.5}) == {
        "/timeout": 2.5
    }


def emptying(method: str = "patch", second: str = "/boxes") -> Program:
    asked = [{"place": "/config", "asked": "$inputs.config", "found": "$response.body#/box/config"}]
    told = {"role": "read_back", "expects": asked, "decides": True}
    return program(
        step("look", "get", "/boxes", successCriteria=ok()),
        step(
            "change",
            method,
            "/boxes",
            requestBody={"contentType": "application/json", "payload": {"config": "$inputs.config"}},
        ),
        step("back", "get", second, successCriteria=ok(), **{"x-switchgear": told}),
        inputs={"type": "object", "properties": {"config": {"type": "object"}}},
    )


def emptied(made: Program, before: Any, after: Any) -> Any:
    run = Dialogue(made, config={})
    run.answer("look", 200, {"box": {"config": before}})
    run.answer("change", 200)
    return run.answer("back", 200, {"box": {"config": after}})


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize("after", [{"a": "1", "b": "2"}, {"a": "1", "b": "2", "own": "x"}])
def test_a_map_that_was_to_be_emptied_and_has_all_in_it_still_was_not_taken(method: str, after: Any) -> None:
    told = ended(emptied(emptying(method), {"a": "1", "b": "2"}, after), "failed", "not_taken")
    assert [(each["place"], each["asked"], each["found"]) for each in told.differences] == [("/config", {}, after)]


@pytest.mark.parametrize(
    ("before", "after"), [({"a": "1"}, {"own": "x"}), ({"a": "1"}, {"a": "2"}), ({}, {"own": "x"}), ({}, {})]
)
def test_a_map_of_which_something_was_taken_out_may_have_been_emptied(before: Any, after: Any) -> None:
    assert not ended(emptied(emptying(), before, after), "succeeded").differences


def test_of_another_read_nothing_follows_for_what_was_sent_empty() -> None:
    assert not ended(emptied(emptying(second="/boxes/now"), {"a": "1"}, {"a": "1"}), "succeeded").differences


@pytest.mark.parametrize(("method", "effect"), [("patch", "update"), ("patch", "act"), ("put", "update")])
def test_a_partial_update_of_nothing_is_not_sent(method: str, effect: str) -> None:
    body = {"contentType": "application/json", "payload": {"mem": "$inputs.mem", "note": "$inputs.note"}}
    made = program(
        step("change", method, "/vm", requestBody=body, **{"x-switchgear": {"effect": effect}}),
        inputs={"type": "object", "properties": {"mem": {"type": "string"}, "note": {"type": "string"}}},
    )
    if (method, effect) == ("patch", "update"):
        told = ended(Dialogue(made).first, "failed", "nothing_given")
        assert (told.failure.not_done, "mem, note" in told.failure.message) == (("change",), True)
        sent(Dialogue(made, note="").first, "change")
    else:
        sent(Dialogue(made).first, "change")


@pytest.mark.parametrize(("after", "outcome"), [(BEFORE, "failed"), ({**BEFORE, "server": None}, "partial")])
def test_what_a_failed_change_left_otherwise_is_told_too(after: Any, outcome: str) -> None:
    """A server answered 500 to a deletion, and had stopped the thing on its way."""
    run, command = refused(deleting(), 500)
    while not isinstance(command, EndRun):
        say_again = isinstance(command, StartTimer)
        command = run.say(TimerFired("gone")) if say_again else run.answer("gone", 200, after)
    told = ended(command, outcome, "not_carried_out" if outcome == "failed" else "changed_though_refused")
    assert told.failure.may_be_done == (() if outcome == "failed" else ("change",))


def test_a_whole_body_that_is_given_empty_is_sent_as_it_is() -> None:
    body = {"contentType": "application/json", "payload": "$inputs.body"}
    made = program(
        step("change", "patch", "/vm", requestBody=body, **{"x-switchgear": {"effect": "update"}}),
        inputs={"type": "object", "properties": {"body": {"type": "object"}}},
    )
    assert sent(Dialogue(made, body={}).first, "change").body == {}
