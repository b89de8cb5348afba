"""Behaviours in proofs: each is met, and a workflow whose handling of it is taken out is told by what it says then."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from compiler.arazzo import document_of
from compiler.compiled import Compiled
from compiler.ir.model import Flow, FlowStep, Role
from compiler.pipeline import CompileRequest
from compiler.proofs import behaviour_runs, proof
from compiler.proofs.failure_paths import FailurePath
from compiler.proofs.proving import Prover, Ran
from compiler.twin import Twin
from compiler.twin.behaviours.library import LIBRARY
from compiler.verification import compile_spec
from tests.shipped import APIS, shipped
from workflow.programs.program_making import Program, build_program
from workflow.replies import comparing, pages
from workflow.requests import requests
from workflow.requests.events import Failure
from workflow.running import ending, fates, interpreter, turn

BY_NAME = {behaviour.name: behaviour for behaviour in LIBRARY}
Edit = Callable[[Flow], Flow]
Out = Callable[[pytest.MonkeyPatch], Edit]


def played(compiled: Compiled, flow: Flow, name: str, monkeypatch: pytest.MonkeyPatch) -> FailurePath | None:
    """How the flow's run on a device that behaves so ended, None where that changes nothing for it."""
    monkeypatch.setattr(behaviour_runs, "LIBRARY", (BY_NAME[name],))
    assert compiled.profile is not None
    made = Prover(compiled.api, compiled.profile).prove(flow, document_of(compiled.api, flow, compiled.profile))
    return next((path for path in made.paths if path.told), None)


@cache
def prover_of(api: str) -> Prover:
    compiled = shipped(api)
    assert compiled.profile is not None
    return Prover(compiled.api, compiled.profile)


@cache
def usual_runs(api: str, number: int) -> tuple[Program, tuple[Ran, ...]]:
    """The plan of a flow and its runs on a device that behaves, on which its behaviours are played."""
    compiled, prover = shipped(api), prover_of(api)
    flow, ran = compiled.workflows[number].flow, list[Ran]()
    program = build_program(document_of(compiled.api, flow, compiled.profile))
    for case, tempo in prover._runs(flow, ran):
        ran.append(prover._run(flow, program, case, tempo))
    return program, tuple(ran)


def played_usual(api: str, number: int, name: str, monkeypatch: pytest.MonkeyPatch) -> FailurePath | None:
    """As `played`, of a flow as it is: its usual runs are made once, and no paths that have nothing to do with it."""
    monkeypatch.setattr(behaviour_runs, "LIBRARY", (BY_NAME[name],))
    compiled = shipped(api)
    assert compiled.profile is not None
    runs = behaviour_runs.BehaviourRuns(compiled.api, compiled.profile)
    return next(runs.runs(compiled.workflows[number].flow, *usual_runs(api, number)), None)


def with_steps(change: Callable[[FlowStep], FlowStep]) -> Edit:
    return lambda flow: replace(flow, steps=tuple(change(step) for step in flow.steps))


def document(change: Callable[[FlowStep], FlowStep]) -> Out:
    """The handling stands in the document: it is taken out of its steps."""
    return lambda _: with_steps(change)


def code(module: Any, name: str, instead: Any) -> Out:
    """The handling stands in the code: something else is done in its place."""

    def take_out(monkeypatch: pytest.MonkeyPatch) -> Edit:
        monkeypatch.setattr(module, name, instead)
        return lambda flow: flow

    return take_out


def blind(step: FlowStep) -> FlowStep:
    """What is read back is taken for what was asked for, whatever it is."""
    if step.role not in (Role.READ_BACK, Role.GONE):
        return step
    seen = ({"place": "", "text": "something is there"},)
    return replace(step, success=({"condition": "$statusCode < 600"},), failures=(), outputs={}, expects=seen)


def hasty(step: FlowStep) -> FlowStep:
    """What is read back is read once."""
    return replace(step, failures=()) if step.role in (Role.READ_BACK, Role.GONE) else step


def credulous(step: FlowStep) -> FlowStep:
    """Any answer of a wait is a good end."""
    return replace(step, success=({"condition": "$statusCode < 600"},), failures=()) if step.role is Role.WAIT else step


def without(*names: str) -> Callable[[FlowStep], FlowStep]:
    """Waits without the failure actions of these names."""

    def change(step: FlowStep) -> FlowStep:
        kept = tuple(action for action in step.failures if action["name"] not in names)
        return replace(step, failures=kept) if step.role is Role.WAIT else step

    return change


def state_alone(step: FlowStep) -> FlowStep:
    """A job's end is judged by its state and by nothing else."""
    bare = without("ended_badly")(step)
    return replace(bare, success=bare.success[:2]) if step.role is Role.WAIT else step


def any_handle(step: FlowStep) -> FlowStep:
    """202 without a handle is like any other answer."""
    return replace(step, branches=tuple(b for b in step.branches if b["name"] != "which_job"))


def addresses(step: FlowStep) -> FlowStep:
    """What a header leads to is taken as it stands there."""
    return replace(step, transforms={})


def unversioned(step: FlowStep) -> FlowStep:
    return replace(step, version={})


def first_of_several(step: FlowStep) -> FlowStep:
    """Of several things of a name one is taken."""
    kept = tuple(a for a in step.failures if a.get("x-switchgear", {}).get("code") != "ambiguous")
    return replace(step, success=step.success[:1], failures=kept) if step.role is Role.LOOKUP else step


def unoffered(step: FlowStep) -> FlowStep:
    codes = ("not_offered", "not_allowed")
    kept = tuple(a for a in step.failures if a.get("x-switchgear", {}).get("code") not in codes)
    return replace(step, address="", failures=kept, success=step.success[:1] if kept != step.failures else step.success)


def one_name(step: FlowStep) -> FlowStep:
    """An action has the name that was described."""
    return replace(step, renamed="")


def denying(course: ending.Course, failure: Failure, _outcome: str) -> Failure:
    """Nothing was done, says every failure."""
    return replace(failure, not_done=tuple(step.step_id for step in course.program.steps if not step.is_safe))


def first_session(twin: Twin, _sent: dict[int, Any] = {}) -> Any:  # noqa: B006 - one for all calls is the point
    """No new login: the credentials of the first one are used on and on."""
    return _sent.setdefault(id(twin), twin._sessions.grant(twin.now()))


NO_DOUBT = code(ending, "_complete", denying)


def BELIEVES(monkeypatch: pytest.MonkeyPatch) -> Edit:
    """Nothing of what a read shows is held against what was asked for, after a good answer and in doubt alike."""
    for module in (interpreter, fates):
        monkeypatch.setattr(module, "looked_at", lambda _expects, _scope: ())
    return lambda flow: flow


LITERAL = code(comparing, "_is_other_form", lambda _asked, _found, _rule: False)
ONE_TRY = code(proof, "TRIES", 1)
ANY_LIST = code(pages, "_page", lambda pages, reply, number: getattr(reply, "none", []))

OUT: dict[str, Out] = {
    "ignored change": BELIEVES,
    "ignored creation": document(blind),
    "ignored deletion": document(blind),
    "ignored action": document(blind),
    "partial change": BELIEVES,
    "creation with another value": BELIEVES,
    "action with another value": BELIEVES,
    "answered with what was there": BELIEVES,
    "a part for the whole": code(turn, "besides", lambda *_: ()),
    "another thing": code(interpreter, "told_other", lambda *_: ""),
    "refused with a reason": code(proof, "device_words", lambda *_: ()),
    "another letter case": LITERAL,
    "trailing dot": LITERAL,
    "numbers as text": LITERAL,
    "truth values as text": LITERAL,
    "another order": code(comparing, "_lists", lambda one, other, _rule: "same" if one == other else "differs"),
    "500 after the fact": NO_DOUBT,
    "502 after the fact": NO_DOUBT,
    "dropped after the fact": NO_DOUBT,
    "unreadable after the fact": NO_DOUBT,
    "500 and not made": BELIEVES,
    "dropped and not made": BELIEVES,
    "second change not made": NO_DOUBT,
    "202 without a handle": document(any_handle),
    "absolute Location": document(addresses),
    "relative Location": document(addresses),
    "ids as numbers": code(requests, "text_of", lambda value: value if isinstance(value, str) else repr([value])),
    "slow job": document(without("still_running")),
    "critical job": document(state_alone),
    "done, told as failed": NO_DOUBT,
    "job that stands still": document(credulous),
    "job that waits for a restart": document(without("waits")),
    "job not there at first": document(without("not_there_yet", "job_forgotten")),
    "away while polled": document(without("away")),
    "flapping while polled": document(without("away")),
    "job forgotten": document(credulous),
    "job shown as nothing": document(credulous),
    "job elsewhere": document(credulous),
    "listed late": document(hasty),
    "lingers": document(hasty),
    "old value at first": document(hasty),
    "first read fails": document(hasty),
    "too many requests": ONE_TRY,
    "dropped read": ONE_TRY,
    "lost session": code(Twin, "authorization", first_session),
    "weak tag": document(unversioned),
    "suffixed tag": document(unversioned),
    "tag in the body": document(unversioned),
    "moved tag": document(unversioned),
    "action moved": document(unoffered),
    "action renamed": document(one_name),
    "error with 200": ANY_LIST,
    "nothing with 200": ANY_LIST,
    "page with 200": ANY_LIST,
    "namesake": document(first_of_several),
}
# Neither shipped description has lists of more than one page in its examples.
IN_PAGES = ("next page is this one", "next page missing", "older key of the next page")
# These have descriptions of their own below.
ALONE = ("another MAC form", "failed state", "answers missing", "renamed, and elsewhere")
MOST = 12  # flows that are tried for one behaviour


@pytest.mark.parametrize("name", OUT)
def test_what_is_told_of_a_behaviour_is_true_and_another_thing_when_the_handling_is_taken_out(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []
    for api in APIS:
        compiled = shipped(api)
        for number, one in enumerate(compiled.workflows):
            with monkeypatch.context() as patch:
                edited = OUT[name](patch)(one.flow)
            if edited is not one.flow and edited == one.flow:
                continue  # it has nothing that could be taken out
            with monkeypatch.context() as patch:
                usual = played_usual(api, number, name, patch)
            if usual is None or len(tried) >= MOST:
                continue
            assert usual.fault == "", one.flow.id
            with monkeypatch.context() as patch:
                careless = played(compiled, OUT[name](patch)(one.flow), name, patch)
            tried.append((one.flow.id, careless))
            if careless is None or (careless.outcome, careless.code, careless.fault) != (usual.outcome, usual.code, ""):
                return
    pytest.fail(f"nothing is noticed: {tried}")


def test_of_every_behaviour_the_handling_is_taken_out_somewhere() -> None:
    """Those that the driver alone meets: `tests/runtime/test_driver_behaviours.py`."""
    by_driver = {each.name for each in LIBRARY if each.by_driver}
    assert {*OUT, *IN_PAGES, *ALONE} | by_driver == BY_NAME.keys()
    assert len(BY_NAME) >= 30


@pytest.mark.slow
def test_over_all_flows_every_behaviour_that_applies_is_played(hypercore: Compiled, idrac: Compiled) -> None:
    told = Counter(
        run["case"] for c in (hypercore, idrac) for w in c.workflows for run in w.proof["runs"] if "told" in run
    )
    missing = {b.name for b in LIBRARY if not b.by_driver} - told.keys()
    assert missing <= {*ALONE, *IN_PAGES}


def test_an_approver_reads_one_line_of_each(hypercore: Compiled) -> None:
    lines = [run["told"] for w in hypercore.workflows for run in w.proof["runs"] if "told" in run]
    assert lines
    assert all("\n" not in line for line in lines)
    assert "refused with a reason: failed, as it must" in lines


def test_a_workflow_that_believes_whatever_it_reads_back_is_not_verified(
    hypercore: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = next(one.flow for one in hypercore.workflows if one.flow.id == "hypercore_create_vm")
    path = played(hypercore, with_steps(blind)(flow), "ignored creation", monkeypatch)
    assert path is not None
    assert path.fault == "ended succeeded, and the device is not as it says"


def compiled_of(paths: Any, folder: Path, **told: Any) -> Compiled:
    spec, profile = folder / "api.yaml", folder / "told.yaml"
    spec.write_text(yaml.safe_dump({"openapi": "3.1.0", "info": {"title": "shop", "version": "1"}, "paths": paths}))
    profile.write_text(yaml.safe_dump({"api": "shop", **told}))
    return compile_spec(CompileRequest(spec, profile))[0]


def answered(schema: Any) -> Any:
    return {"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}}


@pytest.fixture
def cards(tmp_path: Path) -> Compiled:
    """Network cards whose hardware address can be set."""
    address = {"type": "string", "pattern": "^[0-9a-f]{2}(:[0-9a-f]{2}){5}$"}
    card = {"type": "object", "properties": {"id": {"type": "string"}, "name": {"type": "string"}, "mac": address}}
    shown, listed = answered(card), answered({"type": "array", "items": card})
    changed = {"content": {"application/json": {"schema": {"type": "object", "properties": {"mac": address}}}}}
    which = {"name": "cardId", "in": "path", "required": True, "schema": {"type": "string"}}
    item = {"get": {"responses": shown}, "patch": {"requestBody": changed, "responses": shown}, "parameters": [which]}
    return compiled_of({"/cards": {"get": {"responses": listed}}, "/cards/{cardId}": item}, tmp_path)


@pytest.fixture
def users(tmp_path: Path) -> Compiled:
    """Users, each at the address that its name makes."""
    user = {"type": "object", "properties": {"name": {"type": "string"}}}
    which = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
    name = {"content": {"application/json": {"schema": {**user, "required": ["name"]}}}}
    rename = {"summary": "Rename a user", "requestBody": name, "responses": {"204": {"description": "done"}}}
    item = {"get": {"responses": answered(user)}, "post": rename, "parameters": [which]}
    users = {"get": {"responses": answered({"type": "array", "items": user})}}
    return compiled_of({"/users": users, "/users/{name}": item}, tmp_path)


def succeeds(compiled: Compiled, flow: Flow, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        usual = played(compiled, flow, name, patch)
    assert usual is not None
    assert (usual.outcome, usual.fault) == ("succeeded", "")


def test_what_is_called_otherwise_is_found_where_it_is_then_and_not_when_the_handling_is_taken_out(
    users: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = next(one.flow for one in users.workflows if one.flow.intent == "act")
    succeeds(users, flow, "renamed, and elsewhere", monkeypatch)
    monkeypatch.setattr(turn.Turn, "look_elsewhere", lambda *_: None)
    careless = played(users, flow, "renamed, and elsewhere", monkeypatch)
    assert getattr(careless, "outcome", "") == "unknown"


def test_another_form_of_a_hardware_address_is_the_same_one_and_not_when_the_handling_is_taken_out(
    cards: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = next(one.flow for one in cards.workflows if one.flow.intent == "update")
    succeeds(cards, flow, "another MAC form", monkeypatch)
    LITERAL(monkeypatch)
    careless = played(cards, flow, "another MAC form", monkeypatch)
    assert getattr(careless, "fault", "") != ""


@pytest.fixture
def shop(tmp_path: Path) -> Compiled:
    """A list in pages that says how many things there are."""
    thing = {"type": "object", "properties": {"Id": {"type": "string"}, "Name": {"type": "string"}}}
    members = {
        "Members": {"type": "array", "items": thing},
        "Members@odata.count": {"type": "integer"},
        "Members@odata.nextLink": {"type": "string"},
    }
    listed = answered({"type": "object", "properties": members})
    return compiled_of({"/things": {"get": {"responses": listed}}}, tmp_path)


@pytest.mark.parametrize("name", IN_PAGES)
def test_a_list_of_which_not_all_comes_is_told_so_and_not_when_the_handling_is_taken_out(
    name: str, shop: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = next(one.flow for one in shop.workflows if one.flow.intent == "find")
    with monkeypatch.context() as patch:
        usual = played(shop, flow, name, patch)
    assert usual is not None
    assert usual.fault == ""
    monkeypatch.setattr(pages, "shortfall_of", lambda *_, **__: None)
    monkeypatch.setattr(pages, "next_link", lambda *_, **__: None)
    careless = played(shop, flow, name, monkeypatch)
    assert careless is None or careless.fault == "ended succeeded, and not with what there is"


def realm(which: str, member: str, folder: Path) -> Compiled:
    """Clients whose update has to repeat in its body which one the path is about."""
    members = {name: {"type": "string"} for name in ("id", "name", "origin") if member == "id" or name != "id"}
    client = {"type": "object", "required": [member], "properties": {**members, "enabled": {"type": "boolean"}}}
    body = {"content": {"application/json": {"schema": client}}}
    listed = {"content": {"application/json": {"schema": {"type": "array", "items": client}}}}
    path = {"name": which, "in": "path", "required": True, "schema": {"type": "string"}}
    item = {
        "parameters": [path],
        "get": {"responses": {"200": {"description": "ok", **body}}},
        "put": {"requestBody": body, "responses": {"204": {"description": "ok"}}},
    }
    clients = {"get": {"responses": {"200": {"description": "ok", **listed}}}}
    return compiled_of({"/clients": clients, f"/clients/{{{which}}}": item}, folder)


def test_an_id_that_an_update_repeats_in_its_body_is_that_of_the_path_and_no_part_that_was_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = realm("id", "id", tmp_path)
    update = next(one for one in compiled.workflows if one.flow.intent == "update")
    assert "id" not in {given.name for given in update.flow.inputs}
    put = next(step for step in update.flow.steps if step.operation.startswith("PUT"))
    assert (put.payload or dict(put.replacements))["id" if put.payload else "/id"] == put.parameters[0][2]
    ignored = played(compiled, update.flow, "ignored change", monkeypatch)
    assert ignored is not None
    assert (ignored.outcome, ignored.code, ignored.fault) == ("failed", "not_taken", "")


def test_a_name_that_an_update_repeats_in_its_body_can_be_another_and_is_the_same_in_the_proof(tmp_path: Path) -> None:
    compiled = realm("client-name", "name", tmp_path)
    update = next(one for one in compiled.workflows if one.flow.intent == "update")
    usual = update.proof["runs"][0]["inputs"]
    assert usual["client"] == usual["name"]


STATES: dict[str, Any] = {
    "resource": "machines", "field": "/state", "initial": "on", "settles_s": 5, "failed": ["broken"],
    "transitions": [
        {"operation": "POST /machines/{machineId}/restart", "from_states": ["on"], "to": "on", "changes": "/starts"},
        {"operation": "POST /machines/{machineId}/stop", "from_states": ["on"], "to": "off"},
    ],
}  # fmt: skip


def yard(folder: Path, rule: dict[str, Any]) -> Compiled:
    """Machines that are restarted and stopped, and count their starts."""
    state = {"type": "string", "enum": ["on", "off", "broken"], "readOnly": True}
    members = {"id": {"type": "string"}, "name": {"type": "string"}, "state": state, "starts": {"type": "integer"}}
    machine = {"type": "object", "properties": members}
    shown = {"content": {"application/json": {"schema": machine}}}
    listed = {"content": {"application/json": {"schema": {"type": "array", "items": machine}}}}
    path = {"name": "machineId", "in": "path", "required": True, "schema": {"type": "string"}}
    act = {"parameters": [path], "post": {"responses": {"204": {"description": "ok"}}}}
    paths = {
        "/machines": {"get": {"responses": {"200": {"description": "ok", **listed}}}},
        "/machines/{machineId}": {"parameters": [path], "get": {"responses": {"200": {"description": "ok", **shown}}}},
        "/machines/{machineId}/restart": act,
        "/machines/{machineId}/stop": act,
    }
    return compiled_of(paths, folder, states=[rule])


def of_goal(compiled: Compiled, ending: str) -> Flow:
    return next(one.flow for one in compiled.workflows if one.flow.goal.endswith(ending))


def test_a_restart_is_seen_by_what_changes_with_it_and_by_nothing_when_that_is_taken_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = yard(tmp_path, STATES)
    ignored = played(told, of_goal(told, "/restart"), "ignored action", monkeypatch)
    assert ignored is not None
    assert (ignored.outcome, ignored.code, ignored.fault) == ("failed", "not_reached", "")
    blind = yard(tmp_path, {**STATES, "transitions": [{**each, "changes": None} for each in STATES["transitions"]]})
    assert played(blind, of_goal(blind, "/restart"), "ignored action", monkeypatch) is None  # nothing shows it


def test_a_state_that_means_failure_ends_the_wait_and_is_told_and_is_waited_on_when_that_is_taken_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = yard(tmp_path, STATES)
    flow = of_goal(compiled, "/stop")
    usual = played(compiled, flow, "failed state", monkeypatch)
    assert usual is not None
    assert (usual.outcome, usual.code, usual.fault) == ("failed", "not_reached", "")

    def patient(step: FlowStep) -> FlowStep:
        return replace(step, failures=tuple(each for each in step.failures if each["name"] != "ended_badly"))

    careless = played(compiled, with_steps(patient)(flow), "failed state", monkeypatch)
    assert careless is not None
    assert careless.requests > usual.requests


@pytest.mark.slow
def test_a_read_that_shows_the_first_change_does_not_decide_whether_the_second_was_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compiled = shipped("idrac")
    flow = next(one.flow for one in compiled.workflows if one.flow.id == "idrac_boot_once_and_restart")
    with monkeypatch.context() as patch:
        usual = played(compiled, flow, "second change not made", patch)
    assert usual is not None
    assert (usual.outcome, usual.fault) == ("unknown", "")

    def hasty_judge(step: FlowStep) -> FlowStep:
        return replace(step, decides=True) if step.role is Role.READ_BACK else step

    careless = played(compiled, with_steps(hasty_judge)(flow), "second change not made", monkeypatch)
    assert careless is not None
    assert careless.fault.startswith("ended succeeded")
