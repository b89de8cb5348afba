"""Hand-written Arazzo documents pass the same verification as compiled workflows, or are refused with their place."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from compiler.compiled import Compiled
from compiler.frontend import load_api
from compiler.imports import with_documents
from compiler.ir.model import Severity
from compiler.pipeline import CompileRequest, find_profile, understand
from compiler.submission import submit
from governance.approval.revisions import RevisionStore
from governance.storage.database import open_database
from tests.needs import VENDOR_FOLDER, vendor_files
from workflow.documents.reader import read_document
from workflow.profiles.profile import Profile
from workflow.programs.program_making import build_program

SPEC = Path(__file__).parents[2] / "specs" / "hypercore" / "openapi.yaml"
EXAMPLES = VENDOR_FOLDER / "arazzo" / "examples"
SOURCE = "{$sourceDescriptions.hc.url}#/paths/"

SNAPSHOT = {
    "workflowId": "by_hand_snapshot",
    "summary": "Snapshot a VM by hand",
    "inputs": {
        "type": "object",
        "required": ["vm", "label"],
        "properties": {"vm": {"type": "string"}, "label": {"type": "string", "examples": ["before work"]}},
    },
    "steps": [
        {
            "stepId": "find",
            "operationPath": f"{SOURCE}~1VirDomain/get",
            "successCriteria": [
                {"condition": "$[?@.name == '{$inputs.vm}']", "context": "$response.body", "type": "jsonpath"}
            ],
            "outputs": {"vm": "$response.body#/0/uuid"},
        },
        {
            "stepId": "snap",
            "operationPath": f"{SOURCE}~1VirDomainSnapshot/post",
            "requestBody": {
                "contentType": "application/json",
                "payload": {"domainUUID": "$steps.find.outputs.vm", "label": "$inputs.label"},
            },
        },
    ],
}
READS = {
    "workflowId": "by_hand_read",
    "steps": [
        {
            "stepId": "all",
            "operationPath": f"{SOURCE}~1VirDomain/get",
            "outputs": {"uuid": "$response.body#/0/uuid"},
        },
        {
            "stepId": "one",
            "operationPath": f"{SOURCE}~1VirDomain~1{{virDomainUUID}}/get",
            "parameters": [{"name": "virDomainUUID", "in": "path", "value": "$steps.all.outputs.uuid"}],
        },
    ],
}


@cache
def understood(spec: Path) -> Compiled:
    profile = find_profile(CompileRequest(spec))
    loaded = load_api(spec, profile=profile)
    return Compiled(understand(loaded.api, profile).api, profile, (), ())


def taken_up(tmp_path: Path, *workflows: dict[str, Any], version: str = "1.0.1") -> Compiled:
    sources = [{"name": "hc", "url": "openapi.yaml", "type": "openapi"}]
    data = {"arazzo": version, "info": {"title": "x", "version": "1"}, "sourceDescriptions": sources}
    file = tmp_path / "hand.json"
    file.write_text(json.dumps({**data, "workflows": list(workflows)}))
    return with_documents(understood(SPEC), [file])


@pytest.mark.parametrize("version", ["1.0.1", "1.1.0"])
def test_a_document_by_hand_is_proved_and_given_its_class(tmp_path: Path, version: str) -> None:
    compiled = taken_up(tmp_path, SNAPSHOT, READS, version=version)
    assert compiled.diagnostics == ()
    assert [(w.flow.id, w.flow.risk.value) for w in compiled.workflows] == [
        ("by_hand_read", "read"),
        ("by_hand_snapshot", "change"),
    ]
    assert all(w.is_verified and w.proof["verified"] for w in compiled.workflows)


async def test_what_is_stored_says_how_it_came_about(tmp_path: Path, migrated_url: str) -> None:
    compiled = taken_up(tmp_path, SNAPSHOT, READS)
    reads, snapshot = compiled.workflows
    asked = replace(reads, flow=replace(reads.flow, proposed={"by": "a model"}))
    await submit(replace(compiled, workflows=(asked, snapshot)), migrated_url, "compile:ann")
    assert compiled.profile is not None
    told = compiled.profile.model_dump(mode="json")
    told["overrides"]["compose"] = [{"id": snapshot.flow.id, "title": "x", "operations": ["GET /VirDomain"]}]
    profile = Profile.model_validate(told)
    await submit(replace(compiled, profile=profile, workflows=(snapshot,)), migrated_url, "compile:ann")
    async with open_database(migrated_url) as database:
        found = await RevisionStore(database).find()
    assert [(each.workflow_id, each.created_by) for each in found] == [
        ("by_hand_read", "model:ann"), ("by_hand_snapshot", "import:ann"), ("by_hand_snapshot", "profile:ann")
    ]  # fmt: skip


def test_what_is_kept_needs_no_description_to_run(tmp_path: Path) -> None:
    kept = taken_up(tmp_path, SNAPSHOT).workflows[0]
    program = build_program(read_document(dict(kept.document), "kept"))
    assert program.base_path == "/rest/v1"
    assert [step.key for step in program.main.steps] == ["GET /VirDomain", "POST /VirDomainSnapshot"]
    assert set(kept.document["x-switchgear"]["operations"]) == {"GET /VirDomain", "POST /VirDomainSnapshot"}
    assert kept.tool["annotations"]["readOnlyHint"] is False


def test_what_an_author_says_of_the_class_counts_for_nothing(tmp_path: Path) -> None:
    steps = [{**step, "x-switchgear": {"effect": "read", "idempotent": True}} for step in SNAPSHOT["steps"]]
    kept = taken_up(tmp_path, {**SNAPSHOT, "steps": steps, "x-switchgear": {"risk": "read"}}).workflows[0]
    assert kept.document["workflows"][0]["x-switchgear"]["risk"] == "change"
    assert kept.document["workflows"][0]["steps"][1]["x-switchgear"]["effect"] == "create"


def test_an_unknown_operation_is_refused_at_its_place(tmp_path: Path) -> None:
    steps = [{"stepId": "x", "operationPath": f"{SOURCE}~1Nothing/get"}]
    compiled = taken_up(tmp_path, {"workflowId": "nothing", "steps": steps})
    assert compiled.workflows == ()
    assert [(d.code, d.severity, d.pointer) for d in compiled.diagnostics] == [
        ("arazzo-refused", Severity.ERROR, "hand.json#/workflows/0/steps/0/operationPath")
    ]


def test_what_cannot_be_proved_is_not_kept_and_examples_are_asked_for(tmp_path: Path) -> None:
    inputs = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string", "examples": ["nobody"]}}}
    bound = [{"name": "virDomainUUID", "in": "path", "value": "$inputs.id"}]
    there = [{"condition": "$response.body#/0/uuid == $inputs.id"}]
    step = {**READS["steps"][1], "parameters": bound, "successCriteria": there}
    compiled = taken_up(tmp_path, {"workflowId": "lost", "inputs": inputs, "steps": [step]})
    assert compiled.workflows == ()
    assert [d.code for d in compiled.diagnostics] == ["arazzo-not-proved"]
    assert "examples" in compiled.diagnostics[0].remedy


def test_a_file_that_is_no_document_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("a: &a [*a]")
    assert [d.code for d in with_documents(understood(SPEC), [file]).diagnostics] == ["arazzo-refused"]


@pytest.mark.parametrize("name", ["FAPI-PAR", "oauth", "pet-coupons"])
def test_official_examples_are_judged_and_never_break_the_compiler(name: str) -> None:
    document, spec = EXAMPLES / f"{name}.arazzo.yaml", EXAMPLES / f"{name}.openapi.yaml"
    vendor_files("arazzo").or_skip()
    compiled = with_documents(understood(spec), [document])
    assert compiled.workflows or compiled.diagnostics
    assert all(one.is_verified for one in compiled.workflows)
