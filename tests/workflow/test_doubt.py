"""What a run that ends as unknown says of the request in doubt, and how it goes on once somebody has looked."""

from typing import Any

import pytest

from tests.workflow.dialogue import Dialogue, ended, ok, sent
from tests.workflow.documents import inputs, parameter, program, step
from workflow.errors import EventError
from workflow.programs.state import State
from workflow.requests.events import (
    Cancelled,
    DeadlinePassed,
    Doubt,
    EndRun,
    FateFound,
    RequestFailed,
    StartTimer,
    TimerFired,
    event_from_json,
    failure_from_json,
    to_json,
)

LOST = RequestFailed("create", "unknown_fate")


def ours(role: str, **more: Any) -> dict[str, Any]:
    return {"x-switchgear": {"role": role, **more}}


CREATE = program(
    step("check", "get", "/pools/{id}", parameters=[parameter("id", "path", "$inputs.pool")], **ours("check")),
    step(
        "create",
        "post",
        "/vms",
        requestBody={"payload": {"name": "$inputs.name"}},
        outputs={"job": "$response.body#/job"},
        **ours("change", effect="create"),
    ),
    step(
        "wait",
        "get",
        "/jobs/{id}",
        parameters=[parameter("id", "path", "$steps.create.outputs.job")],
        successCriteria=ok("$response.body#/state == 'done'"),
        **ours("wait"),
    ),
    step(
        "read_back",
        "get",
        "/vms",
        parameters=[parameter("name", "query", "$inputs.name")],
        outputs={"vm": "$response.body#/0"},
        **ours("read_back"),
    ),
    inputs=inputs("name", "pool"),
    outputs={"vm": "$steps.read_back.outputs.vm"},
)


def at_the_change() -> Dialogue:
    run = Dialogue(CREATE, name="web 01", pool="p-1")
    sent(run.first, "check")
    sent(run.answer("check", 200, {}), "create")
    return run


def test_the_doubt_names_the_request_what_it_may_have_done_and_the_read_that_would_tell() -> None:
    failure = ended(at_the_change().say(LOST), "unknown", "unknown_fate").failure
    assert failure.doubt == Doubt("POST /vms", "the thing may have been created", "GET /vms?name=web+01")


def test_without_a_later_read_that_can_be_made_an_earlier_one_is_named() -> None:
    made = program(*_without_read_back(), inputs=inputs("pool"))
    run = Dialogue(made, pool="p-1")
    run.answer("check", 200, {})
    assert ended(run.say(LOST), "unknown", "unknown_fate").failure.doubt.look == "GET /pools/p-1"


def _without_read_back() -> tuple[dict[str, Any], ...]:
    check = step("check", "get", "/pools/{id}", parameters=[parameter("id", "path", "$inputs.pool")], **ours("check"))
    create = step("create", "post", "/vms", outputs={"job": "$response.body#/job"}, **ours("change"))
    wait = step("wait", "get", "/j/{id}", parameters=[parameter("id", "path", "$steps.create.outputs.job")])
    return check, create, wait | ours("wait")


def test_the_list_of_what_stands_above_a_job_tells_nothing_of_the_thing() -> None:
    check, create, wait = _without_read_back()
    pages = {"by": "reply", "members": "/Members", "most": 100, "id": "/@odata.id"}
    above = step("find_manager", "get", "/managers", outputs={"id": "$response.body#/Members/0/Id"})
    made = program(check, create, above | ours("wait", pages=pages), wait, inputs=inputs("pool"))
    run = Dialogue(made, pool="p-1")
    run.answer("check", 200, {})
    assert ended(run.say(LOST), "unknown", "unknown_fate").failure.doubt.look == "GET /pools/p-1"


def test_a_plan_that_only_changes_names_no_read() -> None:
    run = Dialogue(program(step("create", "post", "/vms/{id}/x", parameters=[parameter("id", "path", "u")])))
    assert ended(run.say(LOST), "unknown", "unknown_fate").failure.doubt.look == ""


def test_failures_of_other_ends_have_no_doubt() -> None:
    assert (
        ended(at_the_change().say(RequestFailed("create", "not_sent")), "failed", "unreachable").failure.doubt is None
    )


def test_a_failure_with_its_doubt_comes_back_from_json() -> None:
    failure = ended(at_the_change().say(LOST), "unknown", "unknown_fate").failure
    assert failure_from_json(to_json(failure)) == failure


def test_what_had_happened_is_done_and_the_run_goes_on_behind_the_wait_whose_handle_is_lost() -> None:
    run = at_the_change()
    sent(run.say(FateFound("create", has_happened=True)), "read_back")
    command = ended(run.answer("read_back", 200, [{"name": "web 01"}]), "succeeded")
    assert command.outputs == {"vm": {"name": "web 01"}}
    assert run.state.done == ("create",)


def test_what_had_not_happened_is_sent_as_another_attempt() -> None:
    run = at_the_change()
    again = sent(run.say(FateFound("create", has_happened=False)), "create", attempt=2)
    assert again.body == {"name": "web 01"}
    sent(run.answer("create", 202, {"job": "j"}), "wait")


def test_a_wait_whose_handle_was_known_before_is_not_left_out() -> None:
    made = program(
        step("create", "post", "/vms", **ours("change")),
        step("wait", "get", "/vms/{id}", parameters=[parameter("id", "path", "$inputs.id")], **ours("wait")),
        inputs=inputs("id"),
    )
    sent(Dialogue(made, id="u").say(FateFound("create", has_happened=True)), "wait")


def test_a_last_step_that_had_happened_ends_the_run() -> None:
    ended(Dialogue(program(step("create", "post", "/vms"))).say(FateFound("create", has_happened=True)), "succeeded")


def test_a_fate_is_found_only_of_the_request_that_is_waited_for() -> None:
    with pytest.raises(EventError):
        at_the_change().say(FateFound("check", has_happened=True))


@pytest.mark.parametrize(
    ("event", "outcome", "code"),
    [
        (Cancelled(is_sent=False), "cancelled", "cancelled"),
        (Cancelled(), "unknown", "unknown_fate"),
        (DeadlinePassed(is_sent=False), "failed", "deadline"),
        (DeadlinePassed(), "unknown", "unknown_fate"),
    ],
)
def test_a_stop_before_the_request_left_leaves_no_doubt(event: Any, outcome: str, code: str) -> None:
    command = ended(at_the_change().say(event_from_json(to_json(event))), outcome, code)
    failure, is_open = command.failure, outcome == "unknown"
    assert failure.done == ()
    assert (failure.may_be_done, failure.not_done) == ((("create",), ()) if is_open else ((), ("create",)))


def test_the_state_before_a_doubt_can_be_stored_and_gone_on_from() -> None:
    run = at_the_change()
    run.state = State.from_json(run.state.to_json())
    sent(run.say(FateFound("create", has_happened=True)), "read_back")


MAPPED = program(
    step("change", "patch", "/vm", requestBody={"payload": {"map": "$inputs.map"}}, **ours("change", effect="update")),
    step(
        "look",
        "get",
        "/vm",
        **ours(
            "read_back",
            decides=True,
            expects=[{"place": "/map", "asked": "$inputs.map", "found": "$response.body#/map"}],
        ),
    ),
    inputs={"type": "object", "properties": {"map": {"type": "object"}}},
)


def looked(asked: Any, shown: Any) -> Any:
    """The end of a change of the map whose answer was lost."""
    return ended_by_looks(Dialogue(MAPPED, map=asked), {"map": shown})


def ended_by_looks(run: Dialogue, shown: Any) -> Any:
    """The end of a change whose answer was lost, as often looked at as the run wants."""
    command = run.say(RequestFailed("change", "unknown_fate"))
    while not isinstance(command, EndRun):
        if isinstance(command, StartTimer):
            command = run.say(TimerFired(command.step_id))
        elif command.step_id == "change":
            command = run.say(RequestFailed("change", "unknown_fate"))
        else:
            command = run.answer(command.step_id, 200, shown)
    return command


@pytest.mark.parametrize("shown", [{}, {"root": {}}, {"root": {"type": "none"}}])
def test_nothing_where_nothing_was_asked_for_and_an_empty_object_settle_no_doubt(shown: Any) -> None:
    assert looked({"root": {}}, shown).outcome == "unknown"
    assert looked({"nonsense": ""}, {"other": "x"}).outcome == "unknown"


def test_a_value_that_is_there_settles_it() -> None:
    assert looked({"a": "1", "b": ""}, {"a": "1"}).outcome == "succeeded"


def test_that_the_thing_that_was_found_has_its_name_is_no_sign_of_an_update() -> None:
    named = {"place": "/name", "asked": "$inputs.name", "found": "$response.body#/name"}
    size = {"place": "/size", "asked": "$inputs.size", "found": "$response.body#/size"}
    body = {"payload": {"size": "$inputs.size"}}
    made = program(
        step("change", "patch", "/vm", requestBody=body, **ours("change", effect="update")),
        step("look", "get", "/vm", **ours("read_back", decides=True, expects=[named, size])),
        inputs={"type": "object", "properties": {"name": {"type": "string"}, "size": {"type": "object"}}},
    )
    run = Dialogue(made, name="web", size={"x": {}})
    assert ended_by_looks(run, {"name": "web", "size": {"x": {"kind": "none"}}}).outcome == "unknown"
