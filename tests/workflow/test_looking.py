"""After a change whose fate is open: the read that decides, what is sent again, and what is never said."""

from typing import Any

import pytest

from tests.workflow.dialogue import Dialogue, end, ended, ok, sent
from tests.workflow.documents import inputs, program, step
from workflow.programs.program import Program
from workflow.requests.events import EndRun, Event, FateFound, RequestFailed, ResponseArrived, StartTimer, TimerFired
from workflow.running.looking import LOOKS, leaves_open

MEM = {"place": "/mem", "asked": "$inputs.mem", "found": "$response.body#/mem"}
BOTH = {"expects": [MEM, {"place": "/cpu", "asked": "$inputs.cpu", "found": "$response.body#/cpu"}]}
OPEN = [
    RequestFailed("change", "unknown_fate", "lost"),
    RequestFailed("change", "bad_reply", "no JSON"),
    ResponseArrived("change", 500),
    ResponseArrived("change", 502),
    ResponseArrived("change", 503),
    ResponseArrived("change", 408),
]


def changing(*, is_idempotent: bool = False, **ours: Any) -> Program:
    told = {"role": "read_back", "expects": [MEM], "decides": True, **ours}
    return program(
        step("change", "post", "/vm", **{"x-switchgear": {"idempotent": is_idempotent}}),
        step("look", "get", "/vm", successCriteria=ok(), **{"x-switchgear": told}),
        inputs=inputs("mem"),
    )


def looked(made: Program, event: Event, mem: str, times: int = LOOKS) -> tuple[Dialogue, Any]:
    run = Dialogue(made, mem="2")
    sent(run.say(event), "look")
    command = run.answer("look", 200, {"mem": mem})
    for number in range(2, times + 1):
        assert isinstance(command, StartTimer)
        sent(run.say(TimerFired("look")), "look", number)
        command = run.answer("look", 200, {"mem": mem})
    return run, command


@pytest.mark.parametrize("event", OPEN)
def test_a_change_that_shows_was_made_whatever_became_of_its_answer(event: Event) -> None:
    run, command = looked(changing(), event, "2", times=1)
    sent(command, "look")  # on from behind the change: it is read back as always
    end = ended(run.answer("look", 200, {"mem": "2"}), "succeeded")
    assert end.done == ("change",)


@pytest.mark.parametrize("event", OPEN)
def test_nothing_is_said_to_be_undone_after_an_answer_that_leaves_it_open(event: Event) -> None:
    blind = program(step("change", "post", "/vm"), inputs=inputs("mem"))
    end = Dialogue(blind, mem="2").say(event)
    assert isinstance(end, EndRun) and end.outcome == "unknown" and end.failure is not None
    assert (end.failure.done, end.failure.may_be_done, end.failure.not_done) == ((), ("change",), ())


def test_an_answered_change_that_does_not_show_was_not_made() -> None:
    _, command = looked(changing(), ResponseArrived("change", 500), "1")
    end = ended(command, "failed", "not_carried_out")
    assert (end.failure.may_be_done, end.failure.not_done, end.failure.status) == ((), ("change",), 500)


def test_a_change_of_which_a_part_shows_may_have_been_made_whatever_was_answered() -> None:
    """A device stored the first value, failed at the second, and answered 500."""
    made = program(
        step("change", "post", "/vm"),
        step(
            "look",
            "get",
            "/vm",
            successCriteria=ok(),
            **{"x-switchgear": {"role": "read_back", "decides": True} | BOTH},
        ),
        inputs=inputs("mem", "cpu"),
    )
    run = Dialogue(made, mem="2", cpu="4")
    sent(run.answer("change", 500), "look")
    command: Any = run.answer("look", 200, {"mem": "2", "cpu": "1"})
    while isinstance(command, StartTimer):
        run.say(TimerFired("look"))
        command = run.answer("look", 200, {"mem": "2", "cpu": "1"})
    end = ended(command, "unknown", "unexpected_status")
    assert (end.failure.may_be_done, end.failure.not_done) == (("change",), ())
    assert "shows a part of it, and not the rest" in end.failure.message


def test_an_unanswered_change_that_does_not_show_may_still_be_under_way() -> None:
    _, command = looked(changing(), RequestFailed("change", "unknown_fate"), "1")
    assert ended(command, "unknown", "unknown_fate").failure.may_be_done == ("change",)


def test_what_only_sets_what_it_says_is_sent_once_more_after_a_look_in_vain() -> None:
    run, command = looked(changing(is_idempotent=True), ResponseArrived("change", 502), "1")
    sent(command, "change", 2)
    sent(run.answer("change", 502), "look")


@pytest.mark.parametrize(
    ("by_job", "status", "outcome"),
    [
        (True, 500, "failed"),
        (True, 502, "unknown"),
        (True, 504, "unknown"),
        (False, 502, "failed"),
        (False, 504, "unknown"),
    ],
)
def test_what_a_device_may_be_at_behind_a_gateway_is_not_said_to_be_undone(
    by_job: bool, status: int, outcome: str
) -> None:
    waits = [step("wait", "get", "/job", **{"x-switchgear": {"role": "wait"}})] if by_job else []
    made = program(
        step("change", "post", "/vm"),
        *waits,
        step("look", "get", "/vm", **{"x-switchgear": {"role": "read_back", "expects": [MEM], "decides": True}}),
        inputs=inputs("mem"),
    )
    _, command = looked(made, ResponseArrived("change", status), "1")
    failure = ended(command, outcome, "unexpected_status" if outcome == "unknown" else "not_carried_out").failure
    assert failure.may_be_done == (("change",) if outcome == "unknown" else ())


def test_a_device_that_cannot_be_read_either_leaves_it_unknown() -> None:
    run = Dialogue(changing(), mem="2")
    sent(run.answer("change", 500), "look")
    command: Any = run.answer("look", 503)
    while isinstance(command, StartTimer):
        run.say(TimerFired("look"))
        command = run.say(RequestFailed("look", "not_sent", "down"))
    assert "cannot be read" in ended(command, "unknown", "unexpected_status").failure.message


def test_a_refusal_leaves_nothing_open_and_is_not_looked_for() -> None:
    for status in (400, 401, 403, 404, 405, 409, 422, 429, 501):
        end = ended(Dialogue(changing(), mem="2").answer("change", status), "failed", "unexpected_status")
        assert (end.failure.may_be_done, end.failure.not_done) == ((), ("change",))
        assert not leaves_open(status)


def test_what_a_person_finds_out_ends_a_look() -> None:
    run = Dialogue(changing(), mem="2")
    sent(run.answer("change", 500), "look")
    sent(run.say(FateFound("look", has_happened=True)), "look")
    ended(run.answer("look", 200, {"mem": "2"}), "succeeded")


def making(role: str, *, decides: bool) -> Program:
    """A change whose answer tells the id by which the next step asks; the last one asks without it."""
    needs = {"parameters": [{"name": "id", "in": "path", "value": "$steps.change.outputs.id"}]}
    return program(
        step("change", "post", "/vm", outputs={"id": "$response.body#/id"}),
        step("next", "get" if role != "change" else "post", "/vm/{id}", **needs, **{"x-switchgear": {"role": role}}),
        step("look", "get", "/vm", successCriteria=ok(), **{"x-switchgear": {"expects": [MEM], "decides": decides}}),
        inputs=inputs("mem"),
    )


@pytest.mark.parametrize("role", ["wait", "read_back", "change"])
def test_a_good_answer_without_what_goes_on_from_it_leaves_the_change_open(role: str) -> None:
    run = Dialogue(making(role, decides=False), mem="2")
    end = ended(run.answer("change", 200, "<html>"), "unknown", "no_handle")
    assert (end.failure.done, end.failure.may_be_done) == ((), ("change",))
    assert end.failure.doubt.request == "POST /vm"


LISTS_ITSELF = ("racks", "/racks", "racks/", "https://pdu.example/api/racks", "/api/racks?new=1")


@pytest.mark.parametrize("location", ["", *LISTS_ITSELF])
def test_what_was_made_is_made_though_its_answer_names_no_id_of_it(location: str) -> None:
    """201 says that something was made; the address of the list that it was sent to is none of the new thing."""
    needs = {"parameters": [{"name": "id", "in": "path", "value": "$steps.change.outputs.id"}]}
    taken = {"effect": "create", "role": "change", "transforms": {"id": "last_path_segment"}}
    made = program(
        step("change", "post", "/api/racks", outputs={"id": "$response.header.Location"}, **{"x-switchgear": taken}),
        step("back", "get", "/api/racks/{id}", **needs, **{"x-switchgear": {"role": "read_back"}}),
        outputs={"id": "$steps.change.outputs.id"},
    )
    told = Dialogue(made)
    end = ended(told.answer("change", 201, {}, **({"location": location} if location else {})), "succeeded")
    assert (end.outputs, end.verified) == ({}, "none")
    assert "does not say by which id it is read" in end.verified_why
    named = Dialogue(made)
    sent(named.answer("change", 201, {}, location="/api/racks/racks"), "back")
    ended(Dialogue(made).answer("change", 200, {}), "unknown", "no_handle")


def test_what_a_later_read_shows_without_the_handle_was_made() -> None:
    run = Dialogue(making("wait", decides=True), mem="2")
    sent(run.answer("change", 200, {}), "look")
    sent(run.answer("look", 200, {"mem": "2"}), "look")
    assert ended(run.answer("look", 200, {"mem": "2"}), "succeeded").done == ("change",)


def test_what_cannot_be_asked_for_after_the_look_either_is_no_circle() -> None:
    run = Dialogue(making("read_back", decides=True), mem="2")
    sent(run.answer("change", 200, {}), "look")
    ended(run.answer("look", 200, {"mem": "2"}), "unknown", "no_handle")


def test_a_missing_value_before_any_change_is_a_failure() -> None:
    needs = {"parameters": [{"name": "id", "in": "path", "value": "$steps.find.outputs.id"}]}
    made = program(
        step("find", "get", "/vm", outputs={"id": "$response.body#/id"}), step("change", "post", "/vm/{id}", **needs)
    )
    end = ended(Dialogue(made).answer("find", 200, {}), "failed", "missing_value")
    assert end.failure.not_done == ("change",)


def test_a_deletion_whose_answer_leaves_it_open_is_not_undone_by_a_sight_that_may_be_its_end() -> None:
    """A thing that is shown as expired may have been so before, or be what the deletion made of it."""
    kept = end("kept", "$response.body#/state == 'expired'", outcome="unknown", code="not_seen")
    gone = {"role": "gone", "decides": True, "expects": [{"place": "", "text": "the lease is gone"}]}
    made = program(
        step("change", "delete", "/lease", **{"x-switchgear": {"effect": "delete"}}),
        step(
            "look",
            "get",
            "/lease",
            successCriteria=ok("$statusCode == 404"),
            onFailure=[kept],
            **{"x-switchgear": gone},
        ),
    )
    for state, outcome, code in (("expired", "unknown", "unexpected_status"), ("active", "failed", "not_carried_out")):
        run = Dialogue(made)
        sent(run.answer("change", 500), "look")
        command: Any = run.answer("look", 200, {"state": state})
        while isinstance(command, StartTimer):
            run.say(TimerFired("look"))
            command = run.answer("look", 200, {"state": state})
        ended(command, outcome, code)


def test_a_change_that_says_that_it_was_so_already_has_succeeded_and_done_nothing() -> None:
    already = end("so_already", "$statusCode == 304", outcome="succeeded", message="It was so already.")
    made = program(step("change", "post", "/start", onFailure=[already]))
    command = ended(Dialogue(made).answer("change", 304), "succeeded")
    assert (command.done, command.note) == ((), "It was so already.")
