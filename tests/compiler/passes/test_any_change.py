"""Where any change may be answered by a job: each waits for one that was started. What is stored; what is allowed."""

from pathlib import Path
from typing import Any

import pytest

from compiler import pipeline
from compiler.arazzo import document_of
from compiler.compiled import Compiled
from compiler.ir.model import Api, Flow, FlowStep, Role
from compiler.passes.flows import changes
from compiler.pipeline import CompileRequest
from compiler.verification import compile_spec
from tests.workflow.dialogue import Dialogue
from workflow.programs.program_making import Program, build_program

ACCEPTED = "'202': {description: accepted}"
LOCATED = "'202': {description: accepted, headers: {Location: {schema: {type: string}}}}"
DONE = "'204': {description: done}"


def described(*replies: str) -> str:
    """A rack whose boxes can be updated, blinked, flashed and deleted, with the replies of these in this order."""
    update, blink, flash, delete = replies
    return f"""\
openapi: 3.1.0
info: {{title: Rack, version: '1'}}
paths:
  /boxes:
    get: {{responses: {{'200': {{description: ok, content: {{application/json: {{schema: {{type: array, items: &box {{$ref: '#/components/schemas/Box'}}}}}}}}}}}}}}
  /boxes/{{boxId}}:
    get: {{responses: {{'200': {{description: ok, content: {{application/json: {{schema: *box}}}}}}}}}}
    patch:
      requestBody: {{required: true, content: {{application/json: {{schema: *box}}}}}}
      responses: {{{update}}}
    delete: {{responses: {{{delete}}}}}
  /boxes/{{boxId}}/settings:
    get: {{responses: {{'200': {{description: ok, content: {{application/json: {{schema: *box}}}}}}}}}}
    patch:
      requestBody: {{required: true, content: {{application/json: {{schema: *box}}}}}}
      responses: {{'204': {{description: done}}}}
  /boxes/{{boxId}}/restart: {{post: {{responses: {{'204': {{description: done}}}}}}}}
  /boxes/{{boxId}}/blink: {{post: {{responses: {{{blink}}}}}}}
  /boxes/{{boxId}}/flash: {{post: {{responses: {{{flash}}}}}}}
  /jobs:
    post:
      requestBody: {{required: true, content: {{application/json: {{schema: {{type: object, properties: {{target: {{type: string}}}}}}}}}}}}
      responses: {{'201': {{description: made, headers: {{Location: {{schema: {{type: string}}}}}}}}}}
  /jobs/{{jobId}}:
    get: {{responses: {{'200': {{description: ok, content: {{application/json: {{schema: {{type: object, properties: {{state: {{type: string, enum: [Scheduled, Running, Completed, Failed]}}}}}}}}}}}}}}}}
components:
  schemas:
    Box:
      type: object
      properties: {{id: {{type: string, readOnly: true}}, name: {{type: string}}, mode: {{type: string, enum: [fast, slow]}}}}
"""  # noqa: E501


JOBS = """\
jobs:
  - handle: {within: header, at: Location, transform: last_path_segment}
    statuses: [202]
    any_change: true
    poll: GET /jobs/{jobId}
    parameter: jobId
    state: /state
    waiting: [Scheduled, Running]
    succeeded: [Completed]
    failed: [Failed]
"""
PENDING = """\
pending_settings:
  - pattern: /settings$
    job_operation: POST /jobs
    job_body: {target: '{address}'}
    applied_by: POST /boxes/{boxId}/restart
"""
ALLOWED = "allowed_values: '{member}Values'\nconditional: {methods: [PATCH]}\n"


def planned(folder: Path, description: str, profile: str) -> Api:
    (folder / "api.yaml").write_text(description)
    (folder / "profile.yaml").write_text(f"api: rack\n{profile}")
    return pipeline.dump(CompileRequest(folder / "api.yaml"), "flows")


def compiled(folder: Path, description: str, profile: str) -> Compiled:
    (folder / "api.yaml").write_text(description)
    (folder / "profile.yaml").write_text(f"api: rack\n{profile}")
    return compile_spec(CompileRequest(folder / "api.yaml"))[0]


def waiting(api: Api) -> set[str]:
    return {flow.id for flow in api.flows if any(step.role.value == "wait" for step in flow.steps)}


EACH = {"rack_update_box", "rack_delete_box", "rack_blink_box", "rack_flash_box", "rack_restart_box"}


@pytest.mark.parametrize(
    ("replies", "are_all"),
    [
        ((f"{ACCEPTED}, {DONE}",) * 4, True),  # most say that they may
        ((f"{LOCATED}, {DONE}",) * 3 + (DONE,), True),
        ((f"{ACCEPTED}, {DONE}",) * 2 + (DONE,) * 2, False),
    ],
)
def test_without_a_profile_the_descriptions_habit_tells(replies: Any, are_all: bool, tmp_path: Path) -> None:
    found = waiting(planned(tmp_path, described(*replies), ""))
    assert (found >= EACH) == are_all
    assert ("rack_restart_box" in found) == are_all


def test_a_profile_says_that_any_change_may_and_what_was_answered_at_once_is_over(tmp_path: Path) -> None:
    made = compiled(tmp_path, described(*(DONE,) * 4), JOBS)
    assert waiting(made.api) >= EACH
    flow = next(one for one in made.workflows if one.flow.id == "rack_update_box")
    ways = {
        run["case"]: [each["step"] for each in run["transcript"]] for run in flow.proof["runs"] if "transcript" in run
    }
    assert "wait" not in ways["usual"] and "wait" in ways["with a job"]


def test_stored_settings_end_as_pending_and_name_what_applies_them(tmp_path: Path) -> None:
    made = compiled(tmp_path, described(*(DONE,) * 4), JOBS + PENDING)
    flow = next(
        one
        for one in made.workflows
        if one.flow.goal.endswith("/settings")
        and one.flow.intent == "update"
        and not one.flow.id.startswith("rack_apply")
    )
    ends = {each["name"]: each["x-switchgear"] for each in flow.flow.steps[-1].branches}
    applies = next(one.flow.id for one in made.workflows if one.flow.id.startswith("rack_apply"))
    assert {name: (end["outcome"], end["next"]) for name, end in ends.items()} == {
        "job_waits": ("pending", "rack_restart_box"),
        "waits": ("pending", applies),
    }
    assert flow.proof["runs"][0]["outcome"] == "pending"


LATER = """\
pending_settings:
  - pattern: ^PATCH /boxes/[^/]+$
    members: [mode]
    applied_by: POST /boxes/{boxId}/restart
  - pattern: /blink$
    applied_by: POST /boxes/{boxId}/restart
"""


def test_what_is_used_after_a_restart_alone_ends_as_pending_unless_a_job_saw_to_it(tmp_path: Path) -> None:
    made = {each.flow.id: each for each in compiled(tmp_path, described(*(DONE,) * 4), JOBS + LATER).workflows}
    blink = {run["case"]: run["outcome"] for run in made["rack_blink_box"].proof["runs"]}
    assert (blink["usual"], blink["with a job"]) == ("pending", "succeeded")
    told = next(
        b["x-switchgear"] for b in step_of(made["rack_blink_box"].flow, "change").branches if b["name"] == "over"
    )
    assert told["next"] == "rack_restart_box"
    (end,) = step_of(made["rack_update_box"].flow, "read_back").branches
    conditions = [each["condition"] for each in end["criteria"]]
    assert conditions == ["$steps.change.outputs.status != 202", "$inputs.mode != null"]
    assert end["x-switchgear"]["outcome"] == "pending"


CREATION = f"""\
  /boxes:
    post:
      requestBody: {{required: true, content: {{application/json: {{schema: {{$ref: '#/components/schemas/Box'}}}}}}}}
      responses: {{{LOCATED}, '201': {{description: made, headers: {{Location: {{schema: {{type: string}}}}}}}}}}
"""


def test_a_creation_that_a_job_makes_gives_out_no_id_but_the_new_things_own(tmp_path: Path) -> None:
    made = compiled(tmp_path, described(*(DONE,) * 4).replace("  /boxes:\n", CREATION), JOBS)
    flow = next(each for each in made.workflows if each.flow.id == "rack_create_box")
    runs = {run["case"]: run for run in flow.proof["runs"]}
    assert runs["usual"]["outputs"]["id"] == runs["usual"]["outputs"]["item"]["id"]
    assert runs["with a job"]["outcome"] == "succeeded" and "id" not in runs["with a job"].get("outputs", {})
    end = step_of(flow.flow, "wait").branches[0]
    assert "find it among the boxes" in end["x-switchgear"]["message"]
    assert [each.get("shown", True) for each in step_of(flow.flow, "wait").expects] == [True, False]


BELOW_A_MANAGER = """\
  /managers:
    get: {responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: &manager {type: object, properties: {id: {type: string}}}}}}}}}
  /managers/{managerId}:
    get: {responses: {'200': {description: ok, content: {application/json: {schema: *manager}}}}}
  /managers/{managerId}/jobs/{jobId}:
    get: {responses: {'200': {description: ok, content: {application/json: {schema: {type: object, properties: {state: {type: string, enum: [Scheduled, Running, Completed, Failed]}}}}}}}}
components:
"""  # noqa: E501


def test_what_a_job_stands_below_is_looked_up_when_there_is_a_job_and_is_no_input(tmp_path: Path) -> None:
    jobs = JOBS.replace("poll: GET /jobs/{jobId}", "poll: GET /managers/{managerId}/jobs/{jobId}")
    jobs += "    other_views: ['GET /jobs/{jobId}']\nsole_members: [/managers]\n"
    made = compiled(tmp_path, described(*(DONE,) * 4).replace("components:\n", BELOW_A_MANAGER, 1), jobs)
    one = next(each for each in made.workflows if each.flow.id == "rack_blink_box")
    assert [given.name for given in one.flow.inputs] == ["box"]
    assert {run["case"]: run["outcome"] for run in one.proof["runs"]}["with a job"] == "succeeded"
    asked = {"one": [{"id": "m"}], "two": [{"id": "m"}, {"id": "n"}], "none": [], "no list": {"error": "busy"}}
    assert made.profile is not None
    program = build_program(document_of(made.api, one.flow, made.profile))
    for managers, following in (("one", "wait"), ("two", "wait_elsewhere"), ("none", "wait_elsewhere")):
        assert after_the_managers(program, 200, asked[managers]) == following
    assert after_the_managers(program, 200, asked["no list"]) == "wait_elsewhere"
    assert after_the_managers(program, 503, None) == "wait_elsewhere"


def test_a_creation_whose_job_stands_below_something_is_over_when_the_job_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = JOBS.replace("poll: GET /jobs/{jobId}", "poll: GET /managers/{managerId}/jobs/{jobId}")
    jobs += "    other_views: ['GET /jobs/{jobId}']\nsole_members: [/managers]\n"
    text = described(*(DONE,) * 4).replace("components:\n", BELOW_A_MANAGER, 1).replace("  /boxes:\n", CREATION)
    made = compiled(tmp_path, text, jobs)
    one = next(each for each in made.workflows if each.flow.id == "rack_create_box")
    ends = {step.id: {branch["name"] for branch in step.branches} for step in one.flow.steps if step.role is Role.WAIT}
    assert ends["find_manager"] == set()
    assert "made_by_a_job" in ends["wait"] & ends["wait_elsewhere"]
    with_a_job = next(run for run in one.proof["runs"] if run["case"] == "with a job")
    assert [each["step"] for each in with_a_job["transcript"]][-1] == "wait"

    monkeypatch.setattr(changes, "is_asked", lambda step: step.role is Role.WAIT)
    early = compiled(tmp_path, text, jobs)
    told = next(each.message for each in early.diagnostics if each.pointer == "rack_create_box")
    assert "with a job: it is over before the job is" in told


def after_the_managers(program: Program, status: int, managers: Any) -> str:
    """Which step a run goes on with, once the managers were asked for because there is a job."""
    run = Dialogue(program, box="b")
    run.answer("find_box", 200, [{"id": "b", "name": "b"}])
    command = run.answer("change", 202, None, location="/jobs/7")
    assert command.step_id == "find_manager"
    return str(run.answer("find_manager", status, managers).step_id)


STATE_BELOW = """\
  /boxes/{boxId}/power:
    get: {responses: {'200': {description: ok, content: {application/json: {schema: {type: object, properties: {state: {type: string, enum: ['on', 'off']}}}}}}}}
components:
"""  # noqa: E501
STATES = """\
states:
  - resource: power
    field: /state
    initial: 'on'
    transitions: [{operation: 'POST /boxes/{boxId}/blink', from_states: ['on'], to: 'off'}]
"""


def test_a_state_that_stands_below_the_thing_is_checked_before_and_reached_after(tmp_path: Path) -> None:
    text = described(*(DONE,) * 4).replace("components:\n", STATE_BELOW, 1)
    made = {each.flow.id: each for each in compiled(tmp_path, text, STATES).workflows}
    before, after = (step_of(made["rack_blink_box"].flow, name) for name in ("check_state", "read_back"))
    assert before.operation == after.operation == "GET /boxes/{boxId}/power"
    assert {"condition": "$response.body#/state == 'off'"} in after.success
    assert {run["case"]: run["outcome"] for run in made["rack_blink_box"].proof["runs"]}["usual"] == "succeeded"


def step_of(flow: Flow, name: str) -> FlowStep:
    return next(step for step in flow.steps if step.id == name)


def test_an_update_is_held_against_the_values_that_the_thing_allows(tmp_path: Path) -> None:
    made = compiled(tmp_path, described(*(DONE,) * 4), ALLOWED)
    one = next(each for each in made.workflows if each.flow.id == "rack_update_box")
    assert step_of(one.flow, "read_version").allows["beside"] == "{member}Values"
    ends = {run["case"]: (run["outcome"], run["code"]) for run in one.proof["runs"] if run.get("failure_path")}
    assert ends["value not allowed"] == ("failed", "not_allowed")
