"""Reads that are answered well and show nothing: an error, a page for people, an empty answer. None is a sight."""

from typing import Any

import pytest

from tests.workflow.dialogue import Dialogue, ended, sent
from tests.workflow.documents import inputs, program, step
from workflow.replies.answers import is_refusal_alone
from workflow.requests.events import ResponseArrived, StartTimer, TimerFired

PAGE = "<html><title>Maintenance</title></html>"
ENVELOPE = {"success": False, "data": [], "errors": [{"message": "session expired"}]}
GONE = [{"condition": "$statusCode == 404"}]
STILL = {"code": "still_there", "message": "it is there"}
UNSEEN = {"outcome": "unknown", "code": "not_seen", "message": "it could not be seen"}


def retry(name: str, says: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "retry", "retryAfter": 1, "retryLimit": 1, "x-switchgear": says, **more}


def deleting() -> Dialogue:
    failures = [retry("still", STILL, criteria=[{"condition": "$statusCode == 200"}]), retry("unseen", UNSEEN)]
    told = {"role": "gone", "expects": [{"place": "", "text": "it is gone"}], "decides": True}
    look = step("look", "get", "/vm", successCriteria=GONE, onFailure=failures, **{"x-switchgear": told})
    run = Dialogue(program(step("change", "delete", "/vm"), look))
    run.answer("change", 204)
    return run


@pytest.mark.parametrize("body", [None, "", {}, PAGE, ENVELOPE, {"error": "database is locked"}])
def test_what_shows_nothing_is_no_sight_of_what_was_deleted(body: Any) -> None:
    run = deleting()
    assert run.answer("look", 200, body) == StartTimer("look", 1)
    sent(run.say(TimerFired("look")), "look", 2)
    end = ended(run.answer("look", 200, body), "unknown", "not_seen")
    assert end.failure.may_be_done == ("change",)


@pytest.mark.parametrize("body", [{"id": "a"}, {"status": "error", "message": "disk lost"}, {"deleted": False}])
def test_what_shows_the_thing_is_a_sight_of_it(body: Any) -> None:
    run = deleting()
    run.answer("look", 200, body)
    run.say(TimerFired("look"))
    ended(run.answer("look", 200, body), "failed", "still_there")


def listing(role: str) -> Dialogue:
    found = {"context": "$response.body", "condition": "$.data[?@.name == 'web']", "type": "jsonpath"}
    return Dialogue(program(step("find", "get", "/vms", successCriteria=[found], **{"x-switchgear": {"role": role}})))


def test_a_list_in_an_envelope_that_says_it_failed_is_none_in_which_something_is_missing() -> None:
    end = ended(
        listing("lookup").say(ResponseArrived("find", 200, {}, ENVELOPE, ("session expired",))),
        "failed",
        "nothing_shown",
    )
    assert end.failure.said == ("session expired",)


def test_a_page_for_people_is_no_thing_that_is_looked_up_and_may_be_what_a_read_is_to_give() -> None:
    ended(listing("lookup").answer("find", 200, PAGE), "failed", "nothing_shown")
    plain = Dialogue(program(step("read", "get", "/help", **{"x-switchgear": {"role": "read"}})))
    ended(plain.answer("read", 200, PAGE), "succeeded")


@pytest.mark.parametrize(
    "body", [{"success": False, "name": "nightly backup"}, {"error": None}, {"error": "x", "id": "a"}, {"error": 3}, []]
)
def test_what_a_thing_says_of_itself_is_no_refusal_of_the_read(body: Any) -> None:
    assert not is_refusal_alone(body)


def test_a_deletion_that_finds_nothing_of_what_was_there_a_moment_before_is_in_doubt() -> None:
    found = {"context": "$response.body", "selector": "$[?@.name == 'web'].id", "type": "jsonpath"}
    role = {"x-switchgear": {"role": "lookup"}}
    made = program(
        step("find", "get", "/vms", outputs={"id": found}, **role),
        step("change", "delete", "/vms/web", **{"x-switchgear": {"role": "change", "effect": "delete"}}),
    )
    run = Dialogue(made)
    run.answer("find", 200, [{"id": "1", "name": "web"}])
    end = ended(run.answer("change", 404), "unknown", "gone_meanwhile")
    assert end.failure.may_be_done == ("change",)
    plain = Dialogue(program(step("change", "delete", "/vms/web", **{"x-switchgear": {"effect": "delete"}})))
    end = ended(plain.answer("change", 404), "failed", "unexpected_status")
    assert end.failure.not_done == ("change",)


def test_what_hangs_below_a_thing_that_was_found_was_not_seen_with_it() -> None:
    found = {"context": "$response.body", "selector": "$[?@.name == 'web'].id", "type": "jsonpath"}
    which = [{"name": "id", "in": "path", "value": "$steps.find.outputs.id"}]
    find = step("find", "get", "/vms", outputs={"id": found}, **{"x-switchgear": {"role": "lookup"}})
    ours = {"x-switchgear": {"role": "change", "effect": "delete"}}
    below = step("change", "delete", "/vms/{id}/alarms", parameters=which, **ours)
    look = step("look", "get", "/vms/{id}/alarms", parameters=which, outputs={"id": "$response.body#/id"},
                **{"x-switchgear": {"role": "check"}})  # fmt: skip
    run = Dialogue(program(find, below))
    run.answer("find", 200, [{"id": "1", "name": "web"}])
    end = ended(run.answer("change", 404), "failed", "unexpected_status")
    assert (end.failure.not_done, end.failure.may_be_done) == (("change",), ())
    for steps in ((find, look, below), (find, step("change", "delete", "/vms/{id}", parameters=which, **ours))):
        run = Dialogue(program(*steps))
        run.answer("find", 200, [{"id": "1", "name": "web"}])
        if len(steps) > 2:
            run.answer("look", 200, {"id": "a-1"})
        ended(run.answer("change", 404), "unknown", "gone_meanwhile")


def test_what_is_named_below_a_thing_that_was_found_was_not_seen_with_it_either() -> None:
    found = {"context": "$response.body", "selector": "$[?@.name == 'web'].id", "type": "jsonpath"}
    rack = {"name": "id", "in": "path", "value": "$steps.find.outputs.id"}
    alarm = {"name": "alarm", "in": "path", "value": "$inputs.alarm"}
    find = step("find", "get", "/vms", outputs={"id": found}, **{"x-switchgear": {"role": "lookup"}})
    ours = {"x-switchgear": {"role": "change", "effect": "delete"}}
    made = step("change", "delete", "/vms/{id}/alarms/{alarm}", parameters=[rack, alarm], **ours)
    run = Dialogue(program(find, made, inputs=inputs("alarm")), alarm="a-1")
    run.answer("find", 200, [{"id": "1", "name": "web"}])
    end = ended(run.answer("change", 404), "failed", "unexpected_status")
    assert (end.failure.not_done, end.failure.may_be_done) == (("change",), ())
