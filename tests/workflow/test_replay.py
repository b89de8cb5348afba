"""Any run, whatever happens in it, survives storing its state after every event and gives the same commands again."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.samples import examples
from tests.workflow.documents import document, inputs, parameter, step, workflow
from workflow.programs.program_making import build_program
from workflow.programs.state import State
from workflow.requests.events import (
    Cancelled,
    Command,
    DeadlinePassed,
    EndRun,
    Event,
    RequestFailed,
    ResponseArrived,
    RunStarted,
    SendRequest,
    StartTimer,
    TimerFired,
    command_from_json,
    event_from_json,
    to_json,
)
from workflow.running.interpreter import advance

RETRY = {
    "name": "again",
    "type": "retry",
    "retryLimit": 2,
    "retryAfter": 1,
    "criteria": [{"condition": "$statusCode >= 500"}],
}
LOGIN = {
    "name": "login",
    "type": "retry",
    "retryLimit": 1,
    "workflowId": "login",
    "criteria": [{"condition": "$statusCode == 401"}],
}
BACK = {"name": "back", "type": "goto", "stepId": "find", "x-switchgear": {"limit": 2}}
LOOKUP = {"context": "$response.body", "selector": "$[?@.name == '{$inputs.vm}'].uuid", "type": "jsonpath"}
PLAN = build_program(
    document(
        workflow(
            step("find", "get", "/vms", outputs={"id": LOOKUP}, onFailure=[RETRY, LOGIN]),
            step(
                "change",
                "post",
                "/vms/{id}",
                parameters=[parameter("id", "path", "$steps.find.outputs.id")],
                requestBody={"payload": {"size": "$inputs.size", "name": "{$inputs.vm}!"}},
                outputs={"job": "$response.body#/0", "sent": "$request.body#/name"},
                onSuccess=[{**BACK, "criteria": [{"condition": "$statusCode == 202"}]}],
                onFailure=[RETRY],
            ),
            {
                "stepId": "call",
                "workflowId": "wait",
                "parameters": [{"name": "job", "value": "$steps.change.outputs.job"}],
                "onFailure": [{"name": "undo", "type": "goto", "stepId": "undo"}],
            },
            step("undo", "delete", "/vms/{id}", parameters=[parameter("id", "path", "$steps.find.outputs.id")]),
            inputs=inputs("vm", size={"type": "integer", "default": 1}),
            outputs={"id": "$steps.find.outputs.id", "state": "$workflows.wait.outputs.state"},
        ),
        workflow(
            step(
                "poll",
                "get",
                "/jobs/{job}",
                parameters=[parameter("job", "path", "$inputs.job")],
                timeout=4000,
                outputs={"state": "$response.body"},
                onFailure=[RETRY, {**LOGIN, "retryAfter": 2}],
            ),
            workflow_id="wait",
            inputs=inputs(job={}),
            outputs={"state": "$steps.poll.outputs.state"},
        ),
        workflow(step("auth", "post", "/login"), workflow_id="login"),
    )
)
STATUSES = st.sampled_from([200, 200, 200, 202, 401, 404, 500, 503])
BODIES = st.sampled_from(
    [None, [], ["7"], {"a": 1}, "text", [{"name": "web", "uuid": "u-1"}], [{"name": "web", "uuid": ".."}]]
)
HEADERS = st.sampled_from([{}, {"retry-after": "3"}, {"location": "/x/1"}])


def next_event(draw: Any, command: Command) -> Event:
    """Something that can follow a command, rarely something unpleasant."""
    if draw(st.integers(0, 30)) == 0:
        return draw(st.sampled_from([Cancelled(), DeadlinePassed()]))
    if isinstance(command, StartTimer):
        return TimerFired(command.step_id)
    assert isinstance(command, SendRequest)
    if draw(st.integers(0, 9)) == 0:
        return RequestFailed(command.step_id, draw(st.sampled_from(["not_sent", "unknown_fate", "refused"])), "no")
    return ResponseArrived(command.step_id, draw(STATUSES), draw(HEADERS), draw(BODIES))


@settings(max_examples=examples(500), deadline=None)
@given(st.data())
def test_a_run_replayed_from_its_journal_gives_the_same_commands_and_states(data: st.DataObject) -> None:
    events: list[Event] = [RunStarted({"vm": "web"})]
    commands: list[tuple[Command, ...]] = []
    state = State.initial()
    while True:
        state, made = advance(PLAN, state, events[-1])
        commands.append(made)
        assert len(made) == 1
        if isinstance(made[0], EndRun):
            break
        assert len(events) < 200, "every loop of this plan is bounded"
        events.append(next_event(data.draw, made[0]))

    again = State.initial()
    for event, expected in zip(events, commands, strict=True):
        stored = json.loads(json.dumps(again.to_json()))
        assert State.from_json(stored) == again
        recorded = event_from_json(json.loads(json.dumps(to_json(event))))
        assert recorded == event
        again, made = advance(PLAN, State.from_json(stored), recorded)
        assert made == expected
        assert tuple(command_from_json(json.loads(json.dumps(to_json(each)))) for each in made) == expected
    assert again == state
    assert state.is_over


@settings(max_examples=examples(300), deadline=None)
@given(st.data())
def test_a_change_is_sent_once_for_each_answer_and_never_after_an_unknown_fate(data: st.DataObject) -> None:
    state = State.initial()
    event: Event = RunStarted({"vm": "web"})
    is_unknown = False
    while True:
        state, (command,) = advance(PLAN, state, event)
        if isinstance(command, EndRun):
            assert (command.outcome == "unknown") is is_unknown
            return
        assert not is_unknown
        event = next_event(data.draw, command)
        is_change = isinstance(command, SendRequest) and not command.is_idempotent
        is_lost = isinstance(event, Cancelled | DeadlinePassed)
        is_lost = is_lost or (isinstance(event, RequestFailed) and event.reason in ("unknown_fate", "bad_reply"))
        is_lost = is_lost or (isinstance(event, ResponseArrived) and event.status >= 500)
        is_unknown = is_change and is_lost
