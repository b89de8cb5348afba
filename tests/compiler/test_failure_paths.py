"""Failure paths: each is made where it applies, and a workflow that does the wrong thing then is not verified."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from compiler.arazzo import document_of
from compiler.compiled import Compiled
from compiler.ir.model import Flow, FlowStep, Response, Role
from compiler.proofs.proof import prove
from compiler.proofs.proving import FlowProof, Prover
from compiler.reports.report import as_text
from compiler.twin import Twin, TwinRequest
from workflow.programs.program_making import build_program

FIRST, CHANGE = "session expires after the first request", "session expires after the change"


def flow_of(compiled: Compiled, flow_id: str) -> Flow:
    return next(one.flow for one in compiled.workflows if one.flow.id == flow_id)


def proof_of(compiled: Compiled, flow: Flow) -> FlowProof:
    assert compiled.profile is not None
    return Prover(compiled.api, compiled.profile).prove(flow, document_of(compiled.api, flow, compiled.profile))


def told(proof: FlowProof) -> dict[str, tuple[str, str]]:
    """The ends of the failure paths; those of behaviours, which are a sample, are tested by themselves."""
    return {path.case: (path.outcome, path.code) for path in proof.paths if not path.told}


def with_step(flow: Flow, role: Role, change: Callable[[FlowStep], FlowStep]) -> Flow:
    step = next(step for step in flow.steps if step.role is role)
    return replace(flow, steps=tuple(change(each) if each is step else each for each in flow.steps))


def without(step: FlowStep, code: str) -> FlowStep:
    kept = tuple(a for a in step.failures if a.get("x-switchgear", {}).get("code") != code)
    return replace(step, failures=kept)


def twin_of(compiled: Compiled) -> Twin:
    assert compiled.profile is not None
    return Twin(compiled.api, compiled.profile, now=lambda: 0.0)


def got(twin: Twin, path: str) -> Any:
    return twin.handle(TwinRequest("GET", path, headers=twin.authorization())).body


@pytest.mark.slow
def test_starting_a_vm_is_refused_or_fails_as_it_should_on_every_path(hypercore: Compiled) -> None:
    proof = proof_of(hypercore, flow_of(hypercore, "hypercore_start_vm"))
    assert proof.is_verified
    assert told(proof) == {
        "unknown vm": ("failed", "not_found"),
        "two of the same name: vm": ("failed", "ambiguous"),
        "wrong state": ("failed", "wrong_state"),
        "job fails": ("failed", "job_failed"),
        CHANGE: ("succeeded", ""),
    }


@pytest.mark.slow
def test_only_the_end_of_a_failure_path_is_stored(hypercore: Compiled) -> None:
    runs = proof_of(hypercore, flow_of(hypercore, "hypercore_start_vm")).to_json()["runs"]
    path = next(run for run in runs if run["case"] == "unknown vm")
    said = {"outcome": "failed", "code": "not_found", "requests": 1}
    assert path == {"case": "unknown vm", "failure_path": True, **said}
    assert "transcript" in runs[0]


@pytest.mark.slow
def test_what_somebody_else_changed_in_between_is_not_overwritten(idrac: Compiled) -> None:
    versioned = [f for f in idrac.api.flows if any("version" in step.outputs for step in f.steps)]
    told_of = {flow.id: told(proof_of(idrac, flow)) for flow in versioned}
    made = {name: paths.get("changed in between", ("none", "")) for name, paths in told_of.items()}
    assert {name for name, path in made.items() if path != ("failed", "changed_meanwhile")} == set()


@pytest.mark.slow
def test_a_version_that_moved_by_itself_is_named_anew_and_the_change_is_made_once(idrac: Compiled) -> None:
    versioned = [f for f in idrac.api.flows if any("version" in step.outputs for step in f.steps)]
    made = {flow.id: told(proof_of(idrac, flow)).get("version moved by itself") for flow in versioned}
    assert {name for name, path in made.items() if path not in (("succeeded", ""), ("pending", ""))} == set()


@pytest.mark.slow
def test_every_kind_of_path_is_made_and_none_where_it_does_not_apply(hypercore: Compiled, idrac: Compiled) -> None:
    kinds: Counter[str] = Counter()
    for compiled in (hypercore, idrac):
        for one in compiled.workflows:
            cases = {run["case"].split(":")[0] for run in one.proof["runs"] if run.get("failure_path")}
            kinds.update(cases)
            roles = {step.role for step in one.flow.steps}
            assert Role.WAIT in roles or "job fails" not in cases
            assert Role.CHANGE in roles or not cases & {CHANGE, "changed in between", "wrong state"}
    assert min(kinds[k] for k in (FIRST, CHANGE, "job fails", "two of the same name", "wrong state")) >= 10
    assert kinds["changed in between"] >= 10


def test_a_workflow_that_takes_any_thing_of_the_name_is_not_verified(hypercore: Compiled) -> None:
    flow = flow_of(hypercore, "hypercore_update_vm")
    broken = with_step(flow, Role.LOOKUP, lambda step: without(step, "ambiguous"))
    proof = proof_of(hypercore, broken)
    assert (proof.is_verified, proof.reason) == (
        False,
        "two of the same name: vm: ended failed not_found, not failed ambiguous",
    )


def test_a_workflow_that_takes_a_failed_job_for_a_good_one_is_not_verified(hypercore: Compiled) -> None:
    def accepts_all(step: FlowStep) -> FlowStep:
        going_on = tuple(a for a in step.failures if a["type"] == "retry")
        over = {"condition": "$response.body#/0/state == 'COMPLETE' || $response.body#/0/state == 'ERROR'"}
        return replace(step, failures=going_on, success=(step.success[0], over))

    broken = with_step(flow_of(hypercore, "hypercore_update_vm"), Role.WAIT, accepts_all)
    proof = proof_of(hypercore, broken)
    assert not proof.is_verified
    assert proof.reason.startswith("job fails: ")


def test_a_workflow_that_loses_what_the_device_said_is_not_verified(hypercore: Compiled) -> None:
    def mute(step: FlowStep) -> FlowStep:
        return replace(step, failures=(*(a for a in step.failures if a["type"] == "retry"),))

    broken = with_step(flow_of(hypercore, "hypercore_update_vm"), Role.WAIT, mute)
    assert proof_of(hypercore, broken).reason == "job fails: ended failed unexpected_reply, not failed job_failed"


def test_a_workflow_that_changes_something_before_it_looks_is_not_verified(hypercore: Compiled) -> None:
    flow = flow_of(hypercore, "hypercore_describe_vm")  # which waits for no job, so that only what it changes is wrong
    early = FlowStep(
        id="early",
        operation="POST /User",
        role=Role.CHANGE,
        description="Make a user.",
        payload={"username": "eve", "password": "correct-horse"},
        content_type="application/json",
    )
    proof = proof_of(hypercore, replace(flow, steps=(early, *flow.steps)))
    assert (proof.is_verified, proof.reason) == (False, "unknown vm: something was changed all the same")


def test_a_workflow_that_does_not_look_at_the_state_is_not_taken_for_one_that_does(hypercore: Compiled) -> None:
    flow = flow_of(hypercore, "hypercore_start_vm")
    lookup = next(step for step in flow.steps if step.role is Role.LOOKUP)
    blind = with_step(flow, Role.LOOKUP, lambda step: replace(step, success=step.success[:-1]))
    assert len(lookup.success) == 3
    assert proof_of(hypercore, blind).reason == "wrong state: something was changed all the same"


def test_proving_stops_at_the_first_path_that_does_not_behave(hypercore: Compiled) -> None:
    flow = flow_of(hypercore, "hypercore_update_vm")
    proof = proof_of(hypercore, with_step(flow, Role.LOOKUP, lambda step: without(step, "ambiguous")))
    assert list(told(proof)) == ["unknown vm", "two of the same name: vm"]


def test_a_part_of_a_thing_named_twice_is_refused(hypercore: Compiled) -> None:
    paths = told(proof_of(hypercore, flow_of(hypercore, "hypercore_delete_disk")))
    assert paths["two of the same name: vm"] == ("failed", "ambiguous")


def test_a_namesake_is_another_thing_with_the_same_name(hypercore: Compiled) -> None:
    twin = twin_of(hypercore)
    first = got(twin, "/VirDomain")[0]
    assert twin.incidents.add_namesake("/VirDomain", first["uuid"])
    same = [vm for vm in got(twin, "/VirDomain") if vm["name"] == first["name"]]
    assert len({vm["uuid"] for vm in same}) == len(same) == 2


@pytest.mark.parametrize("listing", ["/VirDomain", "/Nowhere", "/VirDomain/x"])
def test_nothing_gets_a_namesake_that_is_not_there(hypercore: Compiled, listing: str) -> None:
    twin = twin_of(hypercore)
    before = got(twin, "/VirDomain")
    assert not twin.incidents.add_namesake(listing, "no-such-id")
    assert got(twin, "/VirDomain") == before


def test_a_twin_beside_another_starts_where_that_one_is_and_goes_its_own_way(hypercore: Compiled) -> None:
    twin = twin_of(hypercore)
    first = got(twin, "/VirDomain")[0]
    twin.incidents.add_namesake("/VirDomain", first["uuid"])
    other = twin.beside()
    assert got(other, "/VirDomain") == got(twin, "/VirDomain")
    other.incidents.add_namesake("/VirDomain", first["uuid"])
    assert len(got(other, "/VirDomain")) == len(got(twin, "/VirDomain")) + 1
    assert [request.number for request in other.requests] == [1, 2]


def test_an_interruption_happens_once_right_after_the_reply_that_it_was_meant_for(hypercore: Compiled) -> None:
    twin, seen = twin_of(hypercore), []
    twin.interrupt(2, lambda: seen.append(len(twin.requests)))
    for _ in range(4):
        got(twin, "/VirDomain")
    assert seen == [2]


def test_the_report_says_how_many_runs_and_failure_paths_there_were(hypercore: Compiled) -> None:
    runs = [run for one in hypercore.workflows for run in one.proof["runs"]]
    failures = [run for run in runs if "transcript" not in run]
    assert f"in {len(runs)} runs, {len(failures)} of them failure paths" in as_text(hypercore).splitlines()[0]


@pytest.mark.slow
def test_a_device_that_offers_an_action_otherwise_is_refused_before_anything_is_sent(idrac: Compiled) -> None:
    flow = flow_of(idrac, "idrac_restart_server")
    paths = told(proof_of(idrac, flow))
    assert (paths["not offered"], paths["not allowed"]) == (("failed", "not_offered"), ("failed", "not_allowed"))


@pytest.mark.slow
def test_the_other_address_and_the_allowed_values_are_told(idrac: Compiled) -> None:
    path, key = "/redfish/v1/Systems/System.Embedded.1", "ComputerSystem.Reset"
    moved, narrowed = twin_of(idrac), twin_of(idrac)
    action = f"POST /redfish/v1/Systems/{{ComputerSystemId}}/Actions/{key}"
    assert moved.incidents.move_action(path, action)
    assert narrowed.incidents.narrow_action(path, action)
    program = build_program(document_of(idrac.api, flow_of(idrac, "idrac_restart_server"), idrac.profile))
    inputs = {"ResetType": "ForceRestart", "server": ""}
    at_another, not_this = (prove(program, twin, inputs).failure for twin in (moved, narrowed))
    assert at_another is not None and not_this is not None
    assert f"at {path}/moved, approved was {path}/Actions/{key}: compile" in at_another.message
    assert 'allows only ["another value"] as ResetType, not ForceRestart' in not_this.message


@pytest.mark.slow
def test_a_check_of_the_offer_that_does_not_refuse_is_found(idrac: Compiled) -> None:
    def blind(step: FlowStep) -> FlowStep:
        return replace(without(step, "not_offered"), success=step.success[:2])

    flow = flow_of(idrac, "idrac_restart_server")
    assert "not_offered" in str(next(s for s in flow.steps if s.role is Role.CHECK).failures)
    proof = proof_of(idrac, with_step(flow, Role.CHECK, blind))
    assert "not allowed" in proof.reason


@pytest.mark.slow
def test_a_device_that_says_nothing_about_its_actions_is_asked(idrac: Compiled) -> None:
    def quiet(reply: Response) -> Response:
        shown = reply.example
        is_item = isinstance(shown, dict)
        return replace(reply, example={k: v for k, v in shown.items() if k != "Actions"}) if is_item else reply

    assert idrac.profile is not None
    operations = tuple(replace(o, responses=tuple(quiet(r) for r in o.responses)) for o in idrac.api.operations)
    profile = idrac.profile.model_copy(update={"actions": ()})
    silent = Twin(replace(idrac.api, operations=operations), profile, now=lambda: 0.0)
    assert "Actions" not in got(silent, "/redfish/v1/Systems/System.Embedded.1/Bios")
    flow = flow_of(idrac, "idrac_reset_bios_to_defaults")
    assert "not_offered" in str([step.failures for step in flow.steps])
    proof = prove(build_program(document_of(idrac.api, flow, idrac.profile)), silent, {"server": ""})
    assert proof.outcome == "pending"
