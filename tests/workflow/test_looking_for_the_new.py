"""After a creation whose fate is open: what has its name now, and had it not before, was made; else nothing was."""

from typing import Any

import pytest

from tests.workflow.dialogue import Dialogue, ended, ok, sent
from tests.workflow.documents import inputs, parameter, program, step
from workflow.programs.program import Program
from workflow.requests.events import Event, RequestFailed, ResponseArrived, StartTimer, TimerFired
from workflow.running.looking import new_since

OF_NAME = "$[?@.name == '{$inputs.name}'].id"


def creating(*between: Any, **ours: Any) -> Program:
    """Lists what has the name, creates, and reads what was made by the id that the answer tells."""
    before = {"before": {"context": "$response.body", "selector": OF_NAME, "type": "jsonpath"}}
    by_id = [parameter("id", "path", "$steps.change.outputs.created")]
    return program(
        step("look", "get", "/vms", successCriteria=ok("$statusCode != null"), outputs=before),
        *between,
        step(
            "change",
            "post",
            "/vms",
            successCriteria=ok("$statusCode == 201"),
            outputs={"created": "$response.body#/id"},
            **{"x-switchgear": {"effect": "create", **ours}},
        ),
        step("read_back", "get", "/vms/{id}", successCriteria=ok(), parameters=by_id),
        inputs=inputs("name"),
        outputs={"id": "$steps.change.outputs.created"},
    )


def vms(*ids: str) -> list[dict[str, str]]:
    return [{"id": each, "name": "db"} for each in ids]


def until_it_ends(run: Dialogue, command: Any, *answers: Any) -> Any:
    """The looks one after the other, the last answer over and over."""
    left = list(answers)
    while not isinstance(command, StartTimer) or left:
        status, body = left.pop(0) if len(left) > 1 else left[0]
        command = run.answer("look", status, body)
        if not isinstance(command, StartTimer):
            return command
        sent(run.say(TimerFired("look")), "look", run.state.frames[-1].attempt)
    return command


LOST = RequestFailed("change", "unknown_fate", "lost")


@pytest.mark.parametrize("event", [ResponseArrived("change", 500), LOST])
@pytest.mark.parametrize("there", [(), ("1",), ("1", "2")])
def test_what_has_the_name_now_and_had_it_not_before_was_made_and_is_read_back(event: Event, there: Any) -> None:
    run = Dialogue(creating(), name="db")
    sent(run.answer("look", 200, vms(*there)), "change")
    sent(run.say(event), "look")
    back = sent(run.answer("look", 200, vms("9", *there)), "read_back")
    assert back.path == "/vms/9"
    over = ended(run.answer("read_back", 200, vms("9")[0]), "succeeded")
    assert (over.outputs, over.done) == ({"id": "9"}, ("change",))


@pytest.mark.parametrize("there", [(), ("1",)])
def test_after_an_answer_nothing_new_of_that_name_was_not_made(there: Any) -> None:
    run = Dialogue(creating(), name="db")
    run.answer("look", 200, vms(*there))
    command = run.answer("change", 500)
    over = ended(until_it_ends(run, command, (200, vms(*there))), "failed", "not_carried_out")
    assert over.failure is not None
    assert "GET /vms does not show it" in over.failure.message
    assert (over.failure.may_be_done, over.failure.not_done) == ((), ("change",))


@pytest.mark.parametrize(
    ("event", "answer"),
    [
        (LOST, (200, [])),  # it may still be under way
        (ResponseArrived("change", 500), (403, {"message": "no"})),
        (ResponseArrived("change", 500), (200, vms("8", "9"))),  # which of the two?
    ],
)
def test_nobody_knows_where_the_list_does_not_tell(event: Event, answer: Any) -> None:
    run = Dialogue(creating(), name="db")
    run.answer("look", 200, [])
    over = until_it_ends(run, run.say(event), answer)
    assert over.outcome == "unknown"
    assert over.failure.may_be_done == ("change",)


def test_a_list_that_is_not_whole_is_no_sight_of_what_is_not_there() -> None:
    run = Dialogue(creating(), name="db")
    run.answer("look", 200, [])
    command: Any = run.answer("change", 500)
    while not (getattr(command, "outcome", "")):
        command = run.answer("look", 200, [], x_list_incomplete="the first 100")
        command = run.say(TimerFired("look")) if isinstance(command, StartTimer) else command
    assert ended(command, "unknown", "unexpected_status")


@pytest.mark.parametrize("made", [creating(effect="act"), creating(step("other", "post", "/disks"))])
def test_only_a_creation_right_behind_its_list_is_looked_for_there(made: Program) -> None:
    run = Dialogue(made, name="db")
    command = run.answer("look", 200, [])
    command = run.answer("other", 204) if command.step_id == "other" else command
    sent(command, "change")
    assert run.answer("change", 500).outcome == "unknown"


def test_one_id_and_a_list_of_them_are_compared_alike() -> None:
    assert [new_since(None, None), new_since("1", "1"), new_since("1", ["1", "2"]), new_since(["1"], "2")] == [
        [],
        [],
        ["2"],
        ["2"],
    ]


def test_a_refusal_after_the_list_is_a_refusal() -> None:
    run = Dialogue(creating(), name="db")
    run.answer("look", 200, [])
    assert ended(run.answer("change", 409), "failed", "unexpected_status")
