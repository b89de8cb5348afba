"""The interpreter as scripted dialogues: an event in, commands out."""

import timeit
from typing import Any

import pytest

from tests.workflow.dialogue import Dialogue, end, ended, ok, retry, sent
from tests.workflow.documents import document, inputs, parameter, program, step, workflow
from workflow.errors import EventError
from workflow.programs.program_making import Program, build_program
from workflow.programs.state import State
from workflow.requests.events import (
    Cancelled,
    DeadlinePassed,
    EndRun,
    Event,
    RequestFailed,
    ResponseArrived,
    RunStarted,
    SendRequest,
    StartTimer,
    TimerFired,
)
from workflow.running.interpreter import advance

CREATE_AND_WAIT = program(
    step(
        "create",
        "post",
        "/vms",
        requestBody={"payload": {"name": "$inputs.name", "memory": "$inputs.memory"}},
        outputs={"job": "$response.body#/taskTag", "id": "$response.header.Location"},
        **{"x-switchgear": {"effect": "create", "transforms": {"id": "last_path_segment"}}},
    ),
    step(
        "wait",
        "get",
        "/jobs/{id}",
        parameters=[parameter("id", "path", "$steps.create.outputs.job")],
        successCriteria=ok("$response.body#/0/state == 'COMPLETE'"),
        onFailure=[
            {
                "name": "failed",
                "type": "end",
                "criteria": ok("$response.body#/0/state == 'ERROR'"),
                "x-switchgear": {"code": "job_failed", "message": "{$inputs.name}: {$response.body#/0/text}"},
            },
            retry(3, 1.5, "$statusCode == 200", **{"x-switchgear": {"code": "timeout"}}),
        ],
    ),
    step(
        "read",
        "get",
        "/vms/{id}",
        parameters=[parameter("id", "path", "$steps.create.outputs.id")],
        outputs={"vm": "$response.body#/0"},
    ),
    inputs=inputs("name", memory={"type": "integer", "default": 4}),
    outputs={"vm": "$steps.read.outputs.vm", "id": "$steps.create.outputs.id", "none": "$steps.wait.outputs.none"},
)


def created() -> Dialogue:
    run = Dialogue(CREATE_AND_WAIT, name="web/1")
    assert sent(run.first, "create").body == {"name": "web/1", "memory": 4}
    assert not run.first.is_safe
    command = run.answer("create", 200, {"taskTag": "7"}, location="/vms/u-1")
    assert sent(command, "wait").path == "/jobs/7"
    return run


def test_a_change_is_made_waited_for_and_read_back() -> None:
    run = created()
    assert run.answer("wait", 200, [{"state": "RUNNING"}]) == StartTimer("wait", 1.5)
    sent(run.say(TimerFired("wait")), "wait", 2)
    assert sent(run.answer("wait", 200, [{"state": "COMPLETE"}]), "read").path == "/vms/u-1"
    done = ended(run.answer("read", 200, [{"name": "web/1"}]), "succeeded")
    assert done.outputs == {"vm": {"name": "web/1"}, "id": "u-1"}
    assert run.state.is_over
    assert run.say(Cancelled()) is None


def test_a_failed_job_ends_the_run_with_the_documents_words_and_what_was_done() -> None:
    run = created()
    command = ended(run.answer("wait", 200, [{"state": "ERROR", "text": "no\nspace"}]), "failed", "job_failed")
    failure = command.failure
    assert failure is not None
    assert command.outputs == {"id": "u-1"}
    assert (failure.step_id, failure.message, failure.status) == ("wait", "web/1: no space. Found: state ERROR.", 200)
    assert (failure.done, failure.not_done) == (("create",), ())
    assert "create" in failure.remedy


def test_retries_end_at_their_limit_with_the_code_of_the_retry() -> None:
    run = created()
    for attempt in (2, 3, 4):
        assert run.answer("wait", 200, [{"state": "RUNNING"}]) == StartTimer("wait", 1.5)
        sent(run.say(TimerFired("wait")), "wait", attempt)
    failure = ended(run.answer("wait", 200, [{"state": "RUNNING"}]), "failed", "timeout").failure
    assert failure is not None
    assert "4 attempts" in failure.message


def test_a_step_without_criteria_succeeds_with_2xx_and_fails_without() -> None:
    made = program(
        step("read", "get", "/x", outputs={"a": "$response.body#/a"}), outputs={"a": "$steps.read.outputs.a"}
    )
    assert ended(Dialogue(made).answer("read", 204, {"a": 1}), "succeeded").outputs == {"a": 1}
    assert ended(Dialogue(made).answer("read", 200, {"b": 1}), "succeeded").outputs == {}
    failure = ended(Dialogue(made).answer("read", 404), "failed", "unexpected_status").failure
    assert failure is not None
    assert failure.status == 404
    assert "GET /x" in failure.message


def test_a_reply_that_is_2xx_but_not_as_expected_counts_as_done() -> None:
    made = program(
        step("change", "post", "/x", successCriteria=ok("$response.body#/state == 'up'")), step("next", "put", "/y")
    )
    failure = ended(Dialogue(made).answer("change", 200, {"state": "down"}), "failed", "unexpected_reply").failure
    assert failure is not None
    assert (failure.done, failure.not_done) == (("change",), ("next",))
    failure = ended(Dialogue(made).answer("change", 409, {"ok": False}), "failed", "unexpected_status").failure
    assert failure is not None
    assert (failure.done, failure.not_done) == ((), ("change", "next"))


@pytest.mark.parametrize(
    ("method", "ours", "outcome", "code"),
    [
        ("post", {}, "unknown", "unknown_fate"),
        ("patch", {}, "unknown", "unknown_fate"),
        ("put", {"idempotent": False}, "unknown", "unknown_fate"),
        ("put", {}, "unknown", "unknown_fate"),
        ("delete", {}, "unknown", "unknown_fate"),
        ("post", {"effect": "read"}, "failed", "unreachable"),
        ("delete", {"effect": "read", "idempotent": False}, "unknown", "unknown_fate"),
        ("get", {}, "failed", "unreachable"),
        ("get", {"effect": "act", "idempotent": False}, "unknown", "unknown_fate"),
    ],
)
def test_only_a_read_survives_an_unknown_fate_and_no_method_says_what_may_be_repeated(
    method: str, ours: dict[str, Any], outcome: str, code: str
) -> None:
    made = program(step("s", method, "/x", **{"x-switchgear": ours}))
    command = Dialogue(made).say(RequestFailed("s", "unknown_fate", "reply lost"))
    assert "reply lost" in str(ended(command, outcome, code).failure)


@pytest.mark.parametrize("event", [RequestFailed("s", "unknown_fate"), RequestFailed("s", "bad_reply"), None])
def test_what_only_sets_what_it_says_is_sent_once_more_and_then_nobody_knows(event: RequestFailed | None) -> None:
    made = program(step("s", "put", "/x", onFailure=[retry(5, 0)], **{"x-switchgear": {"idempotent": True}}))
    run = Dialogue(made)
    again = run.say(event) if event else run.answer("s", 502)
    sent(again, "s", 2)
    last = run.say(event) if event else run.answer("s", 502)
    assert ended(last, "unknown", last.failure.code).failure.may_be_done == ("s",)


def test_an_unknown_fate_is_never_retried_whatever_the_document_says() -> None:
    made = program(step("s", "post", "/x", onFailure=[retry(5, 0), {"name": "go", "type": "goto", "stepId": "s"}]))
    failure = ended(Dialogue(made).say(RequestFailed("s", "unknown_fate")), "unknown", "unknown_fate").failure
    assert failure is not None
    assert (failure.may_be_done, failure.not_done) == (("s",), ())
    assert "look at the device" in failure.remedy


def test_what_was_not_sent_may_be_retried_and_what_was_refused_may_not() -> None:
    made = program(step("s", "post", "/x", onFailure=[retry(1, 2)]))
    run = Dialogue(made)
    assert run.say(RequestFailed("s", "not_sent", "no route")) == StartTimer("s", 2)
    sent(run.say(TimerFired("s")), "s", 2)
    ended(run.say(RequestFailed("s", "not_sent", "no route")), "failed", "retries_exhausted")
    ended(Dialogue(made).say(RequestFailed("s", "refused", "the pin changed")), "failed", "refused")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "1"}, 2.0),
        ({"retry_after": "99999999999999"}, 300.0),
        ({"retry_after": "-5"}, 2.0),
        ({"retry_after": "soon"}, 2.0),
        ({"retry_after": "Wed, 21 Oct 2026 07:28:10 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 10.0),
        ({"retry_after": "Wed, 21 Oct 2026 07:28:10 GMT"}, 2.0),
        ({"retry_after": "Wed, 21 Oct 2026 07:28:10 GMT", "date": "Thu, 22 Oct 2026 07:28:00 GMT"}, 2.0),
    ],
)
def test_retry_after_raises_the_wait_up_to_a_bound(headers: dict[str, str], seconds: float) -> None:
    run = Dialogue(program(step("s", "get", "/x", onFailure=[retry(1, 2)])))
    assert run.answer("s", 503, **headers) == StartTimer("s", seconds)


def test_a_retry_without_limit_and_wait_is_made_once_and_at_once() -> None:
    run = Dialogue(program(step("s", "get", "/x", onFailure=[{"name": "again", "type": "retry"}])))
    sent(run.answer("s", 500), "s", 2)
    ended(run.answer("s", 500), "failed", "retries_exhausted")


def test_a_used_up_retry_gives_way_to_the_actions_after_it() -> None:
    actions = [retry(1, 0, "$statusCode >= 500"), end("late", "$statusCode == 503", code="busy", message="too busy")]
    run = Dialogue(program(step("s", "get", "/x", onFailure=actions)))
    sent(run.answer("s", 503), "s", 2)
    assert "too busy" in str(ended(run.answer("s", 503), "failed", "busy").failure)
    ended(Dialogue(program(step("s", "get", "/x", onFailure=actions))).answer("s", 404), "failed", "unexpected_status")


def test_a_steps_timeout_bounds_its_requests_and_its_waits() -> None:
    run = Dialogue(program(step("s", "get", "/x", timeout=5000, onFailure=[retry(100, 2)])))
    assert sent(run.first, "s").timeout_s == 5.0
    assert run.answer("s", 500) == StartTimer("s", 2)
    assert sent(run.say(TimerFired("s")), "s", 2).timeout_s == 3.0
    assert run.answer("s", 500) == StartTimer("s", 2)
    assert sent(run.say(TimerFired("s")), "s", 3).timeout_s == 1.0
    ended(run.answer("s", 500), "failed", "retries_exhausted")


def test_the_first_success_action_that_applies_decides_where_to_go() -> None:
    actions = [
        {"name": "skip", "type": "goto", "stepId": "last", "criteria": ok("$steps.first.outputs.n > 1")},
        end("stop", "$steps.first.outputs.n == 1", message="there is {$steps.first.outputs.n} already"),
    ]
    made = program(
        step("first", "get", "/x", outputs={"n": "$response.body"}, onSuccess=actions),
        step("middle", "get", "/y"),
        step("last", "get", "/z"),
    )
    sent(Dialogue(made).answer("first", 200, 2), "last")
    sent(Dialogue(made).answer("first", 200, 0), "middle")
    assert ended(Dialogue(made).answer("first", 200, 1), "succeeded").note == "there is 1 already"


def test_a_goto_with_a_limit_is_passed_over_when_it_is_used_up() -> None:
    goto = {"name": "back", "type": "goto", "stepId": "a", "x-switchgear": {"limit": 2}}
    run = Dialogue(program(step("a", "get", "/a"), step("b", "get", "/b", onSuccess=[goto])))
    for _ in range(2):
        sent(run.answer("a"), "b")
        sent(run.answer("b"), "a")
    sent(run.answer("a"), "b")
    ended(run.answer("b"), "succeeded")


def test_a_failure_may_lead_to_another_step_or_be_a_success() -> None:
    goto = {"name": "clean", "type": "goto", "stepId": "clean", "criteria": ok("$statusCode == 500")}
    gone = end("gone", "$statusCode == 404", outcome="succeeded", message="it was gone already")
    made = program(step("a", "delete", "/a", onFailure=[goto, gone]), step("clean", "get", "/c"))
    sent(Dialogue(made).answer("a", 500), "clean")
    assert ended(Dialogue(made).answer("a", 404), "succeeded").note == "it was gone already"


def test_workflow_level_actions_apply_to_steps_that_do_not_replace_them() -> None:
    own = end("teapot", "$statusCode == 418", code="own")
    made = program(
        step("a", "get", "/a", onFailure=[own]),
        step("b", "get", "/b"),
        failureActions=[
            end("teapot", "$statusCode == 418", code="shared"),
            end("gone", "$statusCode == 410", code="gone"),
        ],
    )
    ended(Dialogue(made).answer("a", 418), "failed", "own")
    ended(Dialogue(made).answer("a", 410), "failed", "gone")
    run = Dialogue(made)
    sent(run.answer("a"), "b")
    ended(run.answer("b", 418), "failed", "shared")


def test_a_steps_own_message_is_said_when_no_action_says_more() -> None:
    ours = {"message": "{$inputs.vm} could not be read ({$statusCode})"}
    made = program(step("a", "get", "/a", **{"x-switchgear": ours}), inputs=inputs("vm"))
    failure = ended(Dialogue(made, vm="web").answer("a", 500), "failed", "unexpected_status").failure
    assert failure is not None
    assert failure.message == "web could not be read (500)"


def test_references_to_components_are_followed() -> None:
    made = build_program(
        document(
            workflow(
                step(
                    "a",
                    "get",
                    "/a",
                    parameters=[{"reference": "$components.parameters.size", "value": 5}],
                    onSuccess=[{"reference": "$components.successActions.stop"}],
                    onFailure=[{"reference": "$components.failureActions.again"}],
                ),
                step("b", "get", "/b"),
            ),
            components={
                "parameters": {"size": parameter("size", "query", 1)},
                "successActions": {"stop": {"name": "stop", "type": "end"}},
                "failureActions": {"again": retry(1, 0)},
            },
        )
    )
    run = Dialogue(made)
    assert sent(run.first, "a").query == (("size", "5"),)
    sent(run.answer("a", 500), "a", 2)
    ended(run.answer("a", 200), "succeeded")


def test_parameters_of_the_workflow_go_with_every_step_unless_replaced() -> None:
    made = program(
        step("a", "get", "/a"),
        step("b", "get", "/b", parameters=[parameter("v", "query", 2)]),
        parameters=[parameter("v", "query", 1), parameter("h", "header", "x"), {"name": "only", "value": 1}],
    )
    run = Dialogue(made)
    assert (run.first.query, run.first.headers) == ((("v", "1"),), (("h", "x"),))
    assert run.answer("a").query == (("v", "2"),)


def test_a_run_with_bad_inputs_ends_before_anything_is_sent() -> None:
    made = program(step("a", "get", "/a"), inputs=inputs("vm"))
    failure = ended(Dialogue(made).first, "failed", "invalid_input").failure
    assert failure is not None
    assert "vm" in failure.message
    ended(Dialogue(made, vm="x", vn="y").first, "failed", "invalid_input")


def test_an_unsafe_value_ends_the_run_before_its_request_is_sent() -> None:
    made = program(
        step("a", "post", "/a"),
        step("b", "get", "/b/{id}", parameters=[parameter("id", "path", "$inputs.id")], onFailure=[retry(3, 0)]),
        inputs=inputs("id"),
    )
    run = Dialogue(made, id="..")
    failure = ended(run.answer("a"), "failed", "unsafe_value").failure
    assert failure is not None
    assert (failure.step_id, failure.done) == ("b", ("a",))


@pytest.mark.parametrize(
    ("event", "outcome", "code"),
    [(DeadlinePassed(), "failed", "deadline"), (Cancelled(), "cancelled", "cancelled")],
)
def test_a_run_can_be_stopped_at_any_time_and_says_what_it_did(event: Event, outcome: str, code: str) -> None:
    run = created()
    failure = ended(run.say(event), outcome, code).failure
    assert failure is not None
    assert (failure.step_id, failure.done) == ("wait", ("create",))
    run = created()
    run.answer("wait", 200, [{"state": "RUNNING"}])
    ended(run.say(event), outcome, code)
    ended(Dialogue(CREATE_AND_WAIT, name="x").say(event), "unknown", "unknown_fate")
    state, commands = advance(CREATE_AND_WAIT, State.initial(), event)
    ended(commands[0], outcome, code)
    assert state.is_over


@pytest.mark.parametrize(
    "event",
    [ResponseArrived("read", 200), TimerFired("create"), RequestFailed("wait", "not_sent"), RunStarted({})],
)
def test_an_event_that_the_run_does_not_wait_for_is_ours_to_mend(event: Event) -> None:
    run = Dialogue(CREATE_AND_WAIT, name="x")
    with pytest.raises(EventError):
        run.say(event)


def test_expressions_see_the_request_that_was_sent_even_after_the_state_was_stored() -> None:
    seen = {
        "id": "$request.path.id",
        "n": "$request.body#/n",
        "h": "$request.header.x-a",
        "url": "$url",
        "method": "$method",
    }
    bound = [parameter("id", "path", "$inputs.id"), parameter("X-A", "header", "h")]
    made = program(
        step("a", "post", "/a/{id}", parameters=bound, requestBody={"payload": {"n": "$inputs.id"}}, outputs=seen),
        inputs=inputs("id"),
        outputs={name: f"$steps.a.outputs.{name}" for name in seen},
    )
    outputs = ended(Dialogue(made, id="7").answer("a"), "succeeded").outputs
    assert outputs == {"id": "7", "n": "7", "h": "h", "url": "/a/7", "method": "POST"}


HOSTILE = [
    *("9" * 5_000, "-" + "9" * 5_000, "1e999999", "\ud800", "\x00", "$inputs.vm", "{$inputs.vm}", "'", "a" * 50_000),
    *(10**400, -1, 1e308, True, None, [], {}, [[[[]]]], {"": {"": ""}}, [None, {"name": 10**400}]),
]


@pytest.mark.parametrize("body", HOSTILE, ids=lambda value: str(value)[:10] if not isinstance(value, int) else "number")
def test_no_reply_makes_the_interpreter_raise(body: Any) -> None:
    conditions = [
        *(ok("$response.body == 1") + ok("$response.body#/name > '5'") + ok("$response.body[0].name <= 1e3")),
        {"context": "$response.body", "condition": "^{$response.body}$", "type": "regex"},
        {"context": "$response.body", "condition": "$[?@.name == '{$response.body}']", "type": "jsonpath"},
        {"context": "$response.body", "condition": "$[?match(@.name, {$response.body})]", "type": "jsonpath"},
    ]
    selectors = {
        "a": {"context": "$response.body", "selector": "/{$response.body}/0", "type": "jsonpointer"},
        "b": {"context": "$response.body", "selector": "$[{$response.body}]", "type": "jsonpath"},
        "c": {"context": "$response.body", "selector": "$..*", "type": "jsonpath"},
    }
    for criterion in conditions:
        actions = [{"name": "end", "type": "end", "x-switchgear": {"message": "{$response.body}"}}]
        made = program(
            step("a", "get", "/a", successCriteria=[criterion], outputs=selectors, onFailure=actions),
            step("b", "get", "/b/{p}", parameters=[parameter("p", "path", "$steps.a.outputs.c")]),
        )
        assert isinstance(Dialogue(made).answer("a", 200, body, retry_after=str(body)[:50]), EndRun | SendRequest)
        unconditional = program(step("a", "get", "/a", outputs=selectors), outputs={"c": "$steps.a.outputs.c"})
        ended(Dialogue(unconditional).answer("a", 200, body), "succeeded")


def test_a_one_step_read_adds_far_less_than_a_third_of_a_millisecond() -> None:
    """The best of many, since the machine may be busy: two calls of `advance`, with a path value and an output."""
    made = program(
        step(
            "a",
            "get",
            "/a/{id}",
            parameters=[parameter("id", "path", "$inputs.id")],
            outputs={"vm": "$response.body#/0"},
        ),
        inputs=inputs("id"),
        outputs={"vm": "$steps.a.outputs.vm"},
    )
    best = min(timeit.repeat(lambda: _read(made), number=10, repeat=50)) / 10
    assert best < 0.0003


def _read(made: Program) -> None:
    state, _ = advance(made, State.initial(), RunStarted({"id": "web"}))
    _, (command,) = advance(made, state, ResponseArrived("a", 200, {}, [{"name": "web"}]))
    assert isinstance(command, EndRun)


def test_a_change_whose_answer_is_of_no_use_may_have_been_made_and_is_never_tried_again() -> None:
    made = program(step("s", "put", "/a", onFailure=[retry(3, 0)]))
    failure = ended(
        Dialogue(made).say(RequestFailed("s", "bad_reply", "not as described")), "unknown", "bad_reply"
    ).failure
    assert (failure.done, failure.may_be_done, failure.not_done) == ((), ("s",), ())
    assert "cannot be used" in failure.message and "not as described" in failure.message


def test_a_read_whose_answer_is_of_no_use_fails_and_nothing_was_done() -> None:
    failure = ended(
        Dialogue(program(step("s", "get", "/a"))).say(RequestFailed("s", "bad_reply")), "failed", "bad_reply"
    ).failure
    assert failure.done == ()


def test_a_redirect_that_was_not_followed_is_named_with_where_it_leads() -> None:
    dialogue = Dialogue(program(step("s")))
    failure = ended(
        dialogue.answer("s", 302, location="https://elsewhere.example/x"), "failed", "unexpected_status"
    ).failure
    assert failure is not None
    assert "https://elsewhere.example/x" in failure.message
