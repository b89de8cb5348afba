"""What a run would do from its first change on: which requests, with what in them, and which of them for certain."""

from typing import Any

from tests.workflow.documents import document, inputs, parameter, step, workflow
from workflow.programs.program_making import Program, build_program
from workflow.programs.state import State
from workflow.requests.events import ResponseArrived, RunStarted, SendRequest
from workflow.running.preconditions import is_first_change, watched
from workflow.running.preview import RunPreview, foreseen

FIND = step("find", "get", "/vms", outputs={"id": "$response.body#/0/uuid"})


def made(*steps: Any, others: tuple[Any, ...] = ()) -> Program:
    return build_program(document(workflow(FIND, *steps, inputs=inputs("vm")), *others))


def at_first_change(program: Program, body: Any = ({"uuid": "u-1"},)) -> RunPreview:
    state, command = watched(program, State.initial(), RunStarted({"vm": "web"}))
    while not is_first_change(state, command):
        assert isinstance(command, SendRequest)
        state, command = watched(program, state, ResponseArrived(command.step_id, 200, {}, list(body)))
    assert isinstance(command, SendRequest)
    return foreseen(program, state, command)


def change(name: str, owner: str = "find", output: str = "id", **more: Any) -> Any:
    return step(
        name, "post", "/vms/{id}", parameters=[parameter("id", "path", f"$steps.{owner}.outputs.{output}")], **more
    )


def test_a_later_change_that_hangs_on_what_was_read_is_known_in_full() -> None:
    seen = at_first_change(made(change("stop", outputs={"job": "$response.body#/job"}), change("start")))
    assert [each.step_id for each in seen.changes] == ["stop", "start"]
    start = seen.changes[1]
    assert start.request is not None
    assert (start.request.path, start.unknown, start.is_certain) == ("/vms/u-1", {}, True)


def test_what_only_a_reply_to_a_change_gives_is_marked() -> None:
    stop = change("stop", outputs={"job": "$response.body#/job"})
    seen = at_first_change(made(stop, change("close", "stop", "job")))
    close = seen.changes[1]
    assert close.request is not None
    ((mark, what),) = close.unknown.items()
    assert what == "job of stop"
    assert close.request.path == f"/vms/{mark}"


def test_a_request_of_which_too_little_is_known_has_only_its_template() -> None:
    stop = change("stop", outputs={"job": "$response.body#/job"})
    inner = step("close", "post", "/vms/{id}", parameters=[parameter("id", "path", "$steps.stop.outputs.job#/a/b")])
    seen = at_first_change(made(stop, inner))
    assert seen.changes[1].request is None
    assert seen.changes[1].path_template == "/vms/{id}"


def test_a_change_that_a_branch_leads_around_is_not_certain_and_the_one_behind_it_is() -> None:
    skip = {"name": "skip", "type": "goto", "stepId": "start", "criteria": [{"condition": "$statusCode == 204"}]}
    seen = at_first_change(made(change("stop", onSuccess=[skip]), change("tidy"), change("start")))
    assert [(each.step_id, each.is_certain) for each in seen.changes] == [
        ("stop", True), ("tidy", False), ("start", True),
    ]  # fmt: skip


def test_steps_that_cannot_come_any_more_are_not_told() -> None:
    over = {"name": "over", "type": "end"}
    seen = at_first_change(made(change("stop", onSuccess=[over]), change("never"), step("read", "get", "/vms")))
    assert ([each.step_id for each in seen.changes], seen.then) == (["stop"], ())


def test_reads_that_follow_are_told_in_words() -> None:
    wait = step("wait", "get", "/jobs/{id}", parameters=[parameter("id", "path", "$steps.stop.outputs.job")])
    stop = change("stop", outputs={"job": "$response.body#/job"})
    seen = at_first_change(made(stop, {**wait, "description": "Wait for the job."}, step("look", "get", "/vms")))
    assert seen.then == ("Wait for the job", "GET /vms")


def test_changes_inside_a_workflow_that_is_called_later_are_told() -> None:
    called = {
        "stepId": "call",
        "workflowId": "inner",
        "parameters": [{"name": "id", "value": "$steps.find.outputs.id"}],
    }
    inner = workflow(step("wipe", "delete", "/disks"), workflow_id="inner", inputs=inputs(id={}))
    seen = at_first_change(made(change("stop"), called, others=(inner,)))
    assert [each.step_id for each in seen.changes] == ["stop", "call/wipe"]


def test_what_a_step_does_not_look_at_makes_no_difference_and_what_it_looks_at_does() -> None:
    def seen_with(**more: Any) -> Any:
        program = made(change("stop"))
        state, command = watched(program, State.initial(), RunStarted({"vm": "web"}))
        assert isinstance(command, SendRequest)
        body = [{"uuid": "u-1", **more}]
        return watched(program, state, ResponseArrived(command.step_id, 200, {}, body))[0].seen

    assert seen_with(clock=1) == seen_with(clock=2)
    assert seen_with() != seen_with(uuid="u-2")
