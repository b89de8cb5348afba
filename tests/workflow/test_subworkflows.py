"""Workflows that call workflows: inputs down, outputs and failures up, detours and one-way gotos."""

from collections.abc import Sequence
from typing import Any

from tests.workflow.dialogue import Dialogue, end, ended, ok, retry, sent
from tests.workflow.documents import document, inputs, parameter, program, step, workflow
from workflow.programs.program import MAX_DEPTH, Program
from workflow.programs.program_making import build_program
from workflow.requests.events import RequestFailed, StartTimer, TimerFired


def pair(sub_steps: Sequence[dict[str, Any]], **call: Any) -> Program:
    main = workflow(
        {"stepId": "call", "workflowId": "sub", "outputs": {"id": "$outputs.id"}, **call},
        step("after", "get", "/after/{id}", parameters=[parameter("id", "path", "$steps.call.outputs.id")]),
        inputs=inputs("vm"),
        outputs={"sub": "$workflows.sub.outputs.id", "given": "$workflows.sub.inputs.name"},
    )
    sub = workflow(*sub_steps, workflow_id="sub", inputs=inputs("name"), outputs={"id": "$steps.make.outputs.id"})
    return build_program(document(main, sub))


MAKE = step(
    "make",
    "post",
    "/make/{n}",
    parameters=[parameter("n", "path", "$inputs.name")],
    outputs={"id": "$response.body#/id"},
)
CALL = {"parameters": [{"name": "name", "value": "{$inputs.vm}-x"}]}


def test_a_step_may_call_another_workflow_and_use_its_outputs() -> None:
    run = Dialogue(pair([MAKE], **CALL), vm="web")
    assert sent(run.first, "call/make").path == "/make/web-x"
    assert sent(run.answer("call/make", 200, {"id": 5}), "after").path == "/after/5"
    assert ended(run.answer("after"), "succeeded").outputs == {"sub": 5, "given": "web-x"}


def test_a_failure_inside_a_called_workflow_reaches_the_run() -> None:
    failure = ended(
        Dialogue(pair([MAKE], **CALL), vm="web").answer("call/make", 400), "failed", "unexpected_status"
    ).failure
    assert failure is not None
    assert (failure.step_id, failure.not_done) == ("call/make", ("call/make",))
    command = Dialogue(pair([MAKE], **CALL), vm="web").say(RequestFailed("call/make", "unknown_fate"))
    ended(command, "unknown", "unknown_fate")


def test_the_calling_step_may_act_on_a_failure_inside() -> None:
    made = pair([MAKE], **CALL, onFailure=[retry(1, 0), end("no", "true", code="sub_failed", message="no sub")])
    run = Dialogue(made, vm="web")
    sent(run.answer("call/make", 400), "call/make")
    failure = ended(run.answer("call/make", 400), "failed", "sub_failed").failure
    assert failure is not None
    assert failure.message == "no sub"


def test_the_calling_steps_criteria_see_the_outputs_and_the_last_reply() -> None:
    made = pair([MAKE], **CALL, successCriteria=ok("$statusCode == 200 && $outputs.id > 3"))
    sent(Dialogue(made, vm="w").answer("call/make", 200, {"id": 5}), "after")
    ended(Dialogue(made, vm="w").answer("call/make", 200, {"id": 1}), "failed", "unexpected_reply")
    ended(Dialogue(made, vm="w").answer("call/make", 201, {"id": 5}), "failed", "unexpected_reply")


def test_a_called_workflow_gets_the_inputs_that_it_asks_for_or_is_not_run() -> None:
    ended(Dialogue(pair([MAKE], parameters=[]), vm="w").first, "failed", "invalid_input")
    wrong = [{"name": "name", "value": 5}]
    ended(Dialogue(pair([MAKE], parameters=wrong), vm="w").first, "failed", "invalid_input")


def test_a_goto_to_a_workflow_is_one_way() -> None:
    goto = {
        "name": "on",
        "type": "goto",
        "workflowId": "sub",
        "parameters": [{"name": "name", "value": "$steps.a.outputs.n"}],
    }
    main = workflow(step("a", "get", "/a", outputs={"n": "$response.body"}, onSuccess=[goto]), step("b", "get", "/b"))
    sub = workflow(MAKE, workflow_id="sub", inputs=inputs("name"), outputs={"id": "$steps.make.outputs.id"})
    run = Dialogue(build_program(document(main, sub)))
    assert sent(run.answer("a", 200, "nn"), "a/make").path == "/make/nn"
    assert ended(run.answer("a/make", 200, {"id": 1}), "succeeded").outputs == {"id": 1}


def test_a_retry_may_go_through_a_step_or_a_workflow_first() -> None:
    login = {"name": "login", "type": "retry", "retryLimit": 2, "criteria": ok("$statusCode == 401")}
    by_step = program(
        step("login", "get", "/login", onSuccess=[{"name": "skip", "type": "goto", "stepId": "other"}]),
        step("other", "get", "/other", onFailure=[{**login, "stepId": "login"}]),
    )
    run = Dialogue(by_step)
    sent(run.answer("login"), "other")
    sent(run.answer("other", 401), "login")
    sent(run.answer("login"), "other", 2)
    sent(run.answer("other", 401), "login")
    sent(run.answer("login"), "other", 3)
    ended(run.answer("other", 401), "failed", "retries_exhausted")

    sub = workflow(step("auth", "get", "/auth"), workflow_id="auth")
    by_workflow = build_program(
        document(workflow(step("a", "get", "/a", onFailure=[{**login, "workflowId": "auth", "retryAfter": 3}])), sub)
    )
    run = Dialogue(by_workflow)
    assert run.answer("a", 401) == StartTimer("a", 3)
    sent(run.say(TimerFired("a")), "a/auth")
    sent(run.answer("a/auth"), "a", 2)
    ended(run.answer("a"), "succeeded")
    run = Dialogue(by_workflow)
    run.answer("a", 401)
    run.say(TimerFired("a"))
    ended(run.answer("a/auth", 500), "failed", "unexpected_status")


def test_workflows_that_call_each_other_without_end_are_stopped() -> None:
    first = workflow({"stepId": "s", "workflowId": "two"}, workflow_id="one")
    second = workflow({"stepId": "s", "workflowId": "one"}, workflow_id="two")
    failure = ended(Dialogue(build_program(document(first, second))).first, "failed", "loop_limit").failure
    assert failure is not None
    assert failure.step_id.count("/") < MAX_DEPTH
