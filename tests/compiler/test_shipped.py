"""The shipped descriptions, compiled: every operation is accounted for, every workflow proved, every class right."""

import re
from typing import Any

import pytest

from compiler.compiled import Compiled, CompiledWorkflow
from compiler.report import as_json, coverage
from workflow.budget import MOST_TOKENS, MOST_TOOLS, RESERVED_TOKENS, RESERVED_TOOLS, tokens_of
from workflow.reader import read_document
from workflow.revision import RevisionContent
from workflow.tool import tool_definition

NAME = re.compile(r"^[a-z][a-z0-9_]{1,63}$")


@pytest.fixture(scope="session", params=["hypercore", "idrac"])
def compiled(request: pytest.FixtureRequest) -> Compiled:
    made: Compiled = request.getfixturevalue(request.param)
    return made


def by_id(compiled: Compiled, flow_id: str) -> CompiledWorkflow:
    return next(one for one in compiled.workflows if one.flow.id == flow_id)


def test_no_workflow_of_the_shipped_descriptions_fails_its_proof(compiled: Compiled) -> None:
    assert [d.message for d in compiled.diagnostics if d.code == "workflow-not-proved"] == []
    assert all(one.proof["verified"] for one in compiled.workflows)


def test_every_operation_is_in_a_workflow_or_left_out_with_a_reason(compiled: Compiled) -> None:
    told = coverage(compiled)
    assert told["operations"] == told["in_workflows"] + len(told["left_out"])
    assert [entry for entry in told["left_out"] if entry["why"] in ("", "no workflow needs it")] == []


def test_the_report_has_the_members_that_others_rely_on(compiled: Compiled) -> None:
    told = as_json(compiled)
    assert set(told) == {"api", "spec", "workflows", "coverage", "diagnostics"}
    assert set(told["spec"]) == {"title", "version", "digest", "operations"}
    for one in told["workflows"]:
        assert {"id", "intent", "risk", "core", "verified", "steps", "links", "tool"} <= set(one)
        assert all(set(step) == {"method", "path"} for step in one["steps"])
        assert all(0 <= link["from"] < link["to"] < len(one["steps"]) for link in one["links"])


def test_names_and_texts_are_what_a_client_can_take(compiled: Compiled) -> None:
    for one in compiled.workflows:
        assert NAME.match(one.flow.id)
        assert len(one.flow.description.split()) <= 60
        assert one.flow.description.isprintable()


def test_the_default_catalog_keeps_to_its_budget_and_holds_the_pins_that_fit(compiled: Compiled) -> None:
    chosen = [one for one in compiled.workflows if one.flow.is_core]
    assert 10 <= len(chosen) <= MOST_TOOLS - RESERVED_TOOLS
    assert sum(tokens_of(one.tool, one.document) for one in chosen) <= MOST_TOKENS - RESERVED_TOKENS
    out = [one.flow.rank for one in compiled.workflows if not one.flow.is_core]
    assert max(out) <= max(one.flow.rank for one in chosen)


def test_the_tool_follows_from_the_document(compiled: Compiled) -> None:
    for one in compiled.workflows:
        assert tool_definition(read_document(one.document, one.flow.id)).to_json() == one.tool


def test_a_workflow_that_only_reads_says_so_and_no_other_does(compiled: Compiled) -> None:
    effects = {o.key: o for o in compiled.api.operations}
    for one in compiled.workflows:
        harmless = all(effects[step.operation].risk == "read" for step in one.flow.steps)
        assert (one.flow.risk == "read") == harmless, one.flow.id
        assert one.tool["annotations"]["readOnlyHint"] == harmless


def test_the_class_of_a_workflow_is_never_below_that_of_a_step(compiled: Compiled) -> None:
    """Except where the step's body is narrowed to a value that the profile puts into a lower class."""
    order = ["read", "change", "disrupt", "destroy"]
    effects = {o.key: o for o in compiled.api.operations}
    rules = [rule for rule in (compiled.profile.risks if compiled.profile else ()) if rule.when]
    words = {o.key for o in compiled.api.operations if "enum" in str(o.body.schema if o.body else "")}
    narrowed = {
        k for k in effects for r in rules if r.operation == k or (r.pattern and re.search(r.pattern, k))
    } | words
    for one in compiled.workflows:
        for step in one.flow.steps:
            risk = effects[step.operation].risk
            if risk is not None and step.operation not in narrowed and step.role != "read_back":
                assert order.index(one.flow.risk) >= order.index(risk), (one.flow.id, step.operation)


def test_starting_and_stopping_are_different_workflows_of_different_classes(hypercore: Compiled) -> None:
    start, stop = by_id(hypercore, "hypercore_start_vm"), by_id(hypercore, "hypercore_power_off_vm")
    assert (start.flow.risk, stop.flow.risk) == ("change", "disrupt")
    assert "actionType" not in start.tool["inputSchema"]["properties"]
    assert stop.tool["inputSchema"]["properties"]["actionType"]["enum"] == ["SHUTDOWN", "STOP"]


def test_what_erases_destroys_whatever_the_method_says(idrac: Compiled) -> None:
    destroyed = {one.flow.goal for one in idrac.workflows if one.flow.risk == "destroy"}
    for word in ("ResetConfig", "SystemErase", "SecureErase", "ResetToDefaults", "DeleteJobQueue", "Volume.Initialize"):
        assert any(word in goal for goal in destroyed), word
        harmless = [o for o in idrac.workflows if word in o.flow.goal and o.flow.risk != "destroy"]
        assert harmless == []


def test_the_identity_covers_everything_that_is_approved(hypercore: Compiled) -> None:
    one = by_id(hypercore, "hypercore_start_vm")
    content = hypercore.content_of(one)
    for changed in changed_contents(content):
        assert changed.digest != content.digest


def changed_contents(content: RevisionContent) -> list[RevisionContent]:
    data: dict[str, Any] = content.to_json()
    return [
        RevisionContent({**data["document"], "info": {"title": "x", "version": "1"}}, data["tool"], data["operations"]),
        RevisionContent(data["document"], {**data["tool"], "description": "x"}, data["operations"], data["profile"]),
        RevisionContent(data["document"], data["tool"], {**data["operations"], "GET /x": "y"}, data["profile"]),
        RevisionContent(data["document"], data["tool"], data["operations"], "sha256:other"),
    ]


def test_what_is_uploaded_into_a_list_names_the_version_of_the_list_and_is_proved_refused_when_it_changed(
    idrac: Compiled,
) -> None:
    (upload,) = (one for one in idrac.workflows if one.flow.id == "idrac_create_firmware")
    read, change, _ = upload.flow.steps
    assert read.operation == "GET /redfish/v1/UpdateService/FirmwareInventory"
    assert ("If-Match", "header", f"$steps.{read.id}.outputs.version") in change.parameters
    assert [given.name for given in upload.flow.inputs] == ["file", "file_name"]
    assert "changed in between" in str(upload.proof)
