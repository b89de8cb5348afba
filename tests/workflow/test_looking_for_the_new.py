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
def test_after_an_answer_nobody_knows_of_what_is_not_listed_by_that_name(there: Any) -> None:
    """A device may write the name in another form, a hardware address say, or list it late."""
    run = Dialogue(creating(), name="db")
    run.answer("look", 200, vms(*there))
    command = run.answer("change", 500)
    over = ended(until_it_ends(run, command, (200, vms(*there))), "unknown", "unexpected_status")
    assert over.failure is not None
    assert "GET /vms does not tell" in over.failure.message
    assert (over.failure.may_be_done, over.failure.not_done) == (("change",), ())


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


@pytest.mark.parametrize(("status", "told"), [(403, {}), (200, {"x_list_incomplete": "the first 100"})])
def test_without_a_whole_sight_of_what_was_there_before_nobody_can_tell_what_is_new(status: int, told: Any) -> None:
    run = Dialogue(creating(), name="db")
    sent(run.answer("look", status, [], **told), "change")
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


def deleting(**ours: Any) -> Program:
    told = {"role": "gone", "expects": [{"place": "", "text": "it is gone"}], "decides": True}
    return program(
        step("change", "delete", "/vm", **{"x-switchgear": {"effect": "delete", **ours}}),
        step("check_gone", "get", "/vm", successCriteria=ok("$statusCode == 404"), **{"x-switchgear": told}),
    )


@pytest.mark.parametrize("status", [400, 409])
def test_what_is_gone_after_a_deletion_that_was_refused_was_deleted(status: int) -> None:
    run = Dialogue(deleting())
    sent(run.answer("change", status, {"message": "no such folder"}), "check_gone")
    sent(run.answer("check_gone", 404), "check_gone")
    over = ended(run.answer("check_gone", 404), "succeeded")
    assert (over.done, over.verified) == (("change",), "all")
    assert over.note == f"DELETE /vm was answered with {status}, and it is gone all the same."


@pytest.mark.parametrize("answer", [200, 403, 500])
def test_a_refused_deletion_of_what_is_there_stays_a_refusal_after_one_look(answer: int) -> None:
    run = Dialogue(deleting())
    run.answer("change", 409, {"message": "it is locked"})
    over = ended(run.answer("check_gone", answer, {}), "failed", "unexpected_status")
    assert over.failure is not None
    assert (over.failure.status, over.failure.done, over.failure.may_be_done) == (409, (), ())


def test_only_what_may_be_met_on_the_way_of_a_deletion_is_looked_at_once() -> None:
    for made, status in ((deleting(), 403), (deleting(), 422), (deleting(effect="act"), 409)):
        assert ended(Dialogue(made).answer("change", status), "failed", "unexpected_status")
