"""Proofs: real plans on a twin, on a clock that only moves when the plan waits."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from compiler.commands.mock import understood
from compiler.proofs.proof import Proof, proof_to_json, prove
from compiler.twin import Tempo, Twin
from workflow.documents.reader import read_document
from workflow.programs.program_making import build_program

SPEC = Path(__file__).parents[2] / "specs" / "hypercore" / "openapi.yaml"
SOURCE = "{$sourceDescriptions.hypercore.url}#/paths/"
WAITING = "$response.body#/0/state == 'QUEUED' || $response.body#/0/state == 'RUNNING'"


@pytest.fixture(scope="module")
def original() -> Twin:
    return Twin(*understood(SPEC, None, None), now=lambda: 0.0)


@pytest.fixture
def twin(original: Twin) -> Twin:
    return original.fresh()


def step(name: str, operation: str, **members: Any) -> dict[str, Any]:
    method, path = operation.split(" ")
    place = path.replace("~", "~0").replace("/", "~1")
    return {"stepId": name, "operationPath": f"{SOURCE}{place}/{method.lower()}", **members}


def run(twin: Twin, steps: list[dict[str, Any]], inputs: dict[str, Any] | None = None, **options: Any) -> Proof:
    given = {name: {"type": "string"} for name in inputs or {}}
    workflow = {"workflowId": "w", "inputs": {"type": "object", "properties": given}, "steps": steps}
    document = {
        "arazzo": "1.1.0",
        "info": {"title": "t", "version": "1"},
        "sourceDescriptions": [{"name": "hypercore", "url": "openapi.yaml", "type": "openapi"}],
        "workflows": [{**workflow, **options.pop("workflow", {})}],
    }
    return prove(build_program(read_document(document, "test")), twin, inputs or {}, **options)


def vm(twin: Twin, kind: str) -> str:
    sample = twin.sample("VirDomain", operation="POST /VirDomain/action", when={"/0/actionType": kind})
    assert sample is not None
    return sample.id


def start(machine: str) -> dict[str, Any]:
    return step(
        "start",
        "POST /VirDomain/action",
        requestBody={"contentType": "application/json", "payload": [{"virDomainUUID": machine, "actionType": "START"}]},
        outputs={"job": "$response.body#/taskTag"},
    )


def wait(**members: Any) -> dict[str, Any]:
    return step(
        "wait",
        "GET /TaskTag/{taskTag}",
        parameters=[{"name": "taskTag", "in": "path", "value": "$steps.start.outputs.job"}],
        successCriteria=[{"condition": "$response.body#/0/state == 'COMPLETE'"}],
        onFailure=[
            {"name": "again", "type": "retry", "retryAfter": 5, "retryLimit": 100, "criteria": [{"condition": WAITING}]}
        ],
        **members,
    )


def running(machine: str) -> dict[str, Any]:
    return step(
        "running",
        "GET /VirDomain/{virDomainUUID}",
        parameters=[{"name": "virDomainUUID", "in": "path", "value": machine}],
        successCriteria=[{"condition": "$response.body#/0/state == 'RUNNING'"}],
        outputs={"state": "$response.body#/0/state"},
    )


def create_user() -> dict[str, Any]:
    payload = {"username": "eve", "password": "$inputs.word"}
    return step("user", "POST /User", requestBody={"contentType": "application/json", "payload": payload})


def test_a_workflow_that_waits_reaches_its_outcome_without_any_time_passing(
    twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = vm(twin, "START")
    monkeypatch.delattr(time, "sleep")
    proof = run(twin, [start(machine), wait(), running(machine)])
    assert proof.outcome == "succeeded"
    assert [e.step_id for e in proof.transcript] == ["start", "wait", "wait", "wait", "running"]
    assert [e.at_s for e in proof.transcript] == [0.0, 0.0, 5.0, 10.0, 10.0]


def test_a_workflow_that_does_not_wait_is_found_out(twin: Twin) -> None:
    machine = vm(twin, "START")
    proof = run(twin, [start(machine), running(machine)])
    assert (proof.outcome, proof.is_verified) == ("failed", False)
    assert proof.failure is not None
    assert proof.failure.step_id == "running"
    assert "running" in proof.findings[-1]


def test_a_job_that_fails_fails_the_workflow(twin: Twin) -> None:
    machine = vm(twin, "START")
    twin.fail_next_job("no room")
    proof = run(twin, [start(machine), wait(), running(machine)])
    assert proof.outcome == "failed"
    assert "no room" in proof.transcript[-1].answered


def test_a_request_that_the_device_does_not_understand_is_a_finding(twin: Twin) -> None:
    wrong = step("wrong", "GET /VirDomain", parameters=[{"name": "page", "in": "query", "value": "1"}])
    proof = run(twin, [{**wrong, "successCriteria": [{"condition": "$statusCode == 400"}]}])
    assert proof.outcome == "succeeded"
    assert ["page" in finding for finding in proof.findings] == [True]
    assert proof.transcript[0].query == (("page", "1"),)


def test_a_session_that_ends_on_the_way_is_opened_again_once(original: Twin) -> None:
    twin = original.fresh(tempo=Tempo(session_s=3.0))
    machine = vm(twin, "START")
    proof = run(twin, [start(machine), wait(), running(machine)])
    assert proof.outcome == "succeeded"
    assert 503 in [seen.status for seen in twin.requests]
    assert 503 not in [exchange.status for exchange in proof.transcript]


def test_a_loop_without_an_end_is_stopped_and_said(twin: Twin) -> None:
    back = {"name": "back", "type": "goto", "stepId": "again"}
    proof = run(twin, [step("again", "GET /VirDomain", onSuccess=[back])], max_events=50)
    assert proof.outcome == "failed"
    assert "50 events" in proof.findings[-1]
    assert len(proof.transcript) <= 50


def test_the_deadline_of_the_workflow_ends_it(twin: Twin) -> None:
    machine = vm(twin, "START")
    twin = twin.fresh(tempo=Tempo(job_s=10_000.0))
    never = step(
        "never",
        "GET /VirDomain/{virDomainUUID}",
        parameters=[{"name": "virDomainUUID", "in": "path", "value": machine}],
        successCriteria=[{"condition": "$response.body#/0/state == 'CRASHED'"}],
        onFailure=[{"name": "again", "type": "retry", "retryAfter": 60, "retryLimit": 100_000}],
    )
    proof = run(twin, [never], workflow={"x-switchgear": {"deadline_s": 300}})
    assert proof.failure is not None
    assert (proof.outcome, proof.failure.code) == ("failed", "deadline")
    assert proof.transcript[-1].at_s <= 300


def test_secrets_are_masked_and_long_bodies_cut_in_the_transcript(twin: Twin) -> None:
    listing = step("list", "GET /VirDomain", outputs={"all": "$response.body"})
    proof = run(twin, [create_user(), listing], {"word": "correct-horse"})
    told = json.dumps(proof_to_json(proof), ensure_ascii=False)
    assert proof.outcome == "succeeded"
    assert "correct-horse" not in told
    assert "•••" in proof.transcript[0].sent
    assert max(len(e.answered) for e in proof.transcript) == 400


def test_credentials_never_reach_the_transcript(twin: Twin) -> None:
    proof = run(twin, [step("list", "GET /VirDomain")])
    (_, cookie), *_ = twin.authorization()
    assert cookie.partition("=")[2] not in json.dumps(proof_to_json(proof))


def test_the_same_proof_is_the_same_bytes(original: Twin) -> None:
    machine = vm(original.fresh(), "START")
    proofs = [run(original.fresh(), [start(machine), wait(), running(machine)]) for _ in range(2)]
    first, second = (json.dumps(proof_to_json(proof), sort_keys=True) for proof in proofs)
    assert first == second


def test_a_proof_says_outcome_outputs_and_every_request(twin: Twin) -> None:
    machine = vm(twin, "START")
    outputs = {"state": "$steps.running.outputs.state"}
    proof = run(twin, [start(machine), wait(), running(machine)], workflow={"outputs": outputs})
    told = proof_to_json(proof)
    assert (told["outcome"], told["outputs"], told["failure"]) == ("succeeded", {"state": "RUNNING"}, None)
    assert told["transcript"][0] | {"sent": "", "answered": ""} == {
        "step": "start",
        "attempt": 1,
        "at_s": 0.0,
        "method": "POST",
        "path": "/VirDomain/action",
        "query": [],
        "sent": "",
        "status": 200,
        "answered": "",
    }


def test_what_the_twin_says_of_a_refusal_stands_in_the_proof(twin: Twin) -> None:
    made = step(
        "make",
        "POST /VirDomain",
        requestBody={"contentType": "application/json", "payload": {"nothing": "of the kind"}},
    )
    proof = run(twin, [made])
    assert proof.failure is not None
    assert proof.failure.said == (json.loads(proof.transcript[0].answered)["error"],)
