"""A failure tells what was found: the state, the things that fit, the nearest names, what a wait saw last."""

import json
from typing import Any

import pytest

from tests.workflow.dialogue import Dialogue, end, ended, ok, retry, sent
from tests.workflow.documents import document, inputs, parameter, program, step, workflow
from workflow.programs.program_making import build_program
from workflow.requests.events import Cancelled, DeadlinePassed, RequestFailed, ResponseArrived, TimerFired

NAMED = "$.vms[?(@.name == '{$inputs.vm}' || @.uuid == '{$inputs.vm}')]"


def counted(query: str, comparison: str) -> dict[str, str]:
    condition = f"$.vms[?count({query}) {comparison}]"
    return {"context": "$response.body", "condition": condition, "type": "jsonpath"}


def action(name: str, code: str, *criteria: Any) -> dict[str, Any]:
    ours = {"code": code, "message": f"{name} {{$inputs.vm}}."}
    return {"name": name, "type": "end", "criteria": list(criteria), "x-switchgear": ours}


LOOKING = workflow(
    step(
        "find",
        "get",
        "/vms",
        successCriteria=[*ok(), counted("$.vms[?@.name == '{$inputs.vm}' && @.state == 'SHUTOFF']", "== 1")],
        outputs={"id": {"context": "$response.body", "selector": f"{NAMED}.uuid", "type": "jsonpath"}},
        onFailure=[
            action("several", "ambiguous", counted(NAMED, "> 1")),
            action("wrong", "wrong_state", counted(NAMED, "== 1")),
            action("none", "not_found", *ok()),
        ],
    ),
    inputs=inputs("vm"),
)
LOOKUP = build_program(document(LOOKING))
WAIT = program(
    step("change", "post", "/vms/{id}/stop", parameters=[parameter("id", "path", "$inputs.vm")]),
    step(
        "wait",
        "get",
        "/vms/{id}",
        parameters=[parameter("id", "path", "$inputs.vm")],
        successCriteria=ok("$statusCode == 200 && $response.body#/state == 'SHUTOFF'"),
        onFailure=[end("broken", "$response.body#/state == 'CRASHED'", code="job_failed"), retry(2, 1)],
    ),
    inputs=inputs("vm"),
)


def looked_up(name: str, *vms: dict[str, Any]) -> str:
    run = Dialogue(LOOKUP, vm=name)
    command = run.answer("find", 200, {"vms": list(vms)})
    assert command.failure is not None
    return str(command.failure.message)


def vm(uuid: str, name: str = "web-01", **more: Any) -> dict[str, Any]:
    return {"uuid": uuid, "name": name, "state": "RUNNING", **more}


def test_an_ambiguous_name_is_told_with_the_ids_and_what_tells_them_apart() -> None:
    told = looked_up("web-01", vm("u-1", tags="old", mem=4), vm("u-2", tags="new", mem=4), vm("u-3", "db-01"))
    assert told == "several web-01. They are: uuid u-1 (tags old); uuid u-2 (tags new)."


def test_things_with_something_around_them_are_told_as_those_without() -> None:
    """`{"vm": {…}, "owner": {…}}`: what is told is of the thing, not of what is beside it."""
    text = json.dumps(LOOKING).replace("@.", "@.vm.").replace("].uuid", "].vm.uuid")
    wrapped = build_program(document(json.loads(text)))

    def told(name: str, *vms: dict[str, Any]) -> str:
        command = Dialogue(wrapped, vm=name).answer(
            "find", 200, {"vms": [{"owner": {"uuid": "o"}, "vm": v} for v in vms]}
        )
        assert command.failure is not None
        return str(command.failure.message)

    two = told("web-01", vm("u-1", tags="old", mem=4), vm("u-2", tags="new", mem=4), vm("u-3", "db-01"))
    assert two == "several web-01. They are: uuid u-1 (tags old); uuid u-2 (tags new)."
    assert told("web-1", vm("u-1"), vm("u-2", "mail")) == "none web-1. The nearest: web-01."
    assert told("web-01", vm("u-1")) == "wrong web-01. Found: state RUNNING."


def test_of_many_that_fit_five_are_told_and_secrets_are_not_what_tells_them_apart() -> None:
    told = looked_up("web-01", *(vm(f"u-{number}", vncPassword=f"hidden{number}") for number in range(9)))
    assert told.count("uuid u-") == 5
    assert "and 4 more" in told
    assert "hidden" not in told


def test_a_refusal_by_state_names_the_state_that_was_found() -> None:
    assert looked_up("web-01", vm("u-1"), vm("u-2", "db-01")) == "wrong web-01. Found: state RUNNING."


def test_an_action_that_the_device_refuses_is_told_with_the_state_in_which_it_was_found() -> None:
    ours = {"x-switchgear": {"role": "change", "effect": "act"}}
    change = step("change", "post", "/vms/{id}/stop", parameters=[parameter("id", "path", "$inputs.vm")]) | ours
    checked = ok("$response.body#/state == 'RUNNING'")
    check = step("check", "get", "/vms/1", successCriteria=checked) | {"x-switchgear": {"role": "check"}}
    run = Dialogue(program(check, change, inputs=inputs("vm")), vm="1")
    sent(run.answer("check", 200, {"state": "RUNNING"}), "change")
    failure = ended(run.answer("change", 409, {}), "failed", "unexpected_status").failure
    assert failure.message.endswith("; seen last: state RUNNING")


@pytest.mark.parametrize(
    ("asked", "there", "told"),
    [
        ("web-1", ["db-07", "web-01", "web-02", "mail"], "The nearest: web-01, web-02."),
        ("WEB-01", ["db-07", "web-01"], "The nearest: web-01."),
        ("zzz", ["db-07", "mail"], "There is: db-07, mail."),
        ("zzz", [f"db-{number}" for number in range(20)], ""),
        ("zzz", [], ""),
    ],
)
def test_a_not_found_names_what_comes_nearest(asked: str, there: list[str], told: str) -> None:
    message = looked_up(asked, *(vm(f"u-{number}", name) for number, name in enumerate(there)))
    assert message == f"none {asked}. {told}".strip()


def test_names_of_a_device_cannot_hide_anything_in_a_failure() -> None:
    message = looked_up("web-1", vm("u-1", "web-\u202e01\n“x”"))
    assert "\n" not in message
    assert "\u202e" not in message


def waiting(state: str, *said: str) -> Dialogue:
    run = Dialogue(WAIT, vm="u-1")
    sent(run.answer("change", 200), "wait")
    run.say(ResponseArrived("wait", 200, {}, {"state": state}, said))
    return run


@pytest.mark.parametrize(
    ("event", "outcome", "code"),
    [(Cancelled(False), "cancelled", "cancelled"), (DeadlinePassed(), "failed", "deadline")],
)
def test_a_wait_that_somebody_ends_tells_what_it_saw_last(event: Any, outcome: str, code: str) -> None:
    failure = ended(waiting("RUNNING", "Guest ignores it.").say(event), outcome, code).failure
    assert failure is not None
    assert failure.message.endswith("; seen last: state RUNNING")
    assert failure.said == ("Guest ignores it.",)


def test_a_wait_that_is_given_up_tells_the_state_that_it_found() -> None:
    run = waiting("RUNNING")
    for _ in range(2):
        run.say(TimerFired("wait"))
        command = run.answer("wait", 200, {"state": "STOPPING"})
    failure = ended(command, "failed", "retries_exhausted").failure
    assert failure is not None
    assert "Found: state STOPPING." in failure.message


def test_a_wait_whose_device_goes_away_tells_what_it_saw_last() -> None:
    run = waiting("RUNNING")
    for _ in range(2):
        run.say(TimerFired("wait"))
        command = run.say(RequestFailed("wait", "not_sent", "refused"))
    failure = ended(command, "failed", "retries_exhausted").failure
    assert failure is not None
    assert failure.message.endswith("; seen last: state RUNNING")


def test_what_was_seen_before_the_wait_began_is_not_told() -> None:
    run = Dialogue(WAIT, vm="u-1")
    sent(run.answer("change", 200), "wait")
    failure = ended(run.say(Cancelled(False)), "cancelled", "cancelled").failure
    assert failure is not None
    assert "seen last" not in failure.message


def test_the_devices_sentences_of_the_reply_that_ended_it_stand_in_the_failure() -> None:
    run = Dialogue(WAIT, vm="u-1")
    failure = ended(
        run.say(ResponseArrived("change", 409, {}, None, ("Locked.",))), "failed", "unexpected_status"
    ).failure
    assert failure is not None
    assert failure.said == ("Locked.",)


def test_a_failed_jobs_sentences_are_those_of_its_end_not_of_its_course() -> None:
    run = waiting("RUNNING", "Still trying.")
    run.say(TimerFired("wait"))
    crashed = ResponseArrived("wait", 200, {}, {"state": "CRASHED"}, ("Out of disk.",))
    failure = ended(run.say(crashed), "failed", "job_failed").failure
    assert failure is not None
    assert failure.said == ("Out of disk.",)
