"""Things in an envelope that says how it went, things that are kept after their deletion, words that end a job."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from compiler import pipeline
from compiler.compiled import Compiled
from compiler.ir.model import Api
from compiler.pipeline import CompileRequest
from compiler.verification import compile_spec

ERRORS = {"type": "array", "items": {"type": "object", "properties": {"message": {"type": "string"}}}}


def spec(folder: Path, around: dict[str, Any] | None, **members: Any) -> CompileRequest:
    """VLANs that are made, changed and deleted; `around`: what stands beside each one in a reply."""
    own = {"id": {"type": "integer", "readOnly": True}, "name": {"type": "string"}, "vid": {"type": "integer"}}
    vlan = {"type": "object", "required": ["id", "name"], "properties": {**own, **members}}
    sent = {"type": "object", "required": ["name"], "properties": {n: own[n] for n in ("name", "vid")}}

    def shown(one: Any) -> Any:
        held = one if around is None else {"type": "object", "properties": {"data": one, **around}}
        return {"200": {"description": "ok", "content": {"application/json": {"schema": held}}}}

    body = {"required": True, "content": {"application/json": {"schema": sent}}}
    which = [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}]
    item = {
        "parameters": which,
        "get": {"responses": shown(vlan)},
        "put": {"requestBody": body, "responses": shown(vlan)},
        "delete": {"responses": {"204": {"description": "done"}}},
    }
    listed = {"get": {"responses": shown({"type": "array", "items": vlan})}}
    made = {"post": {"requestBody": body, "responses": shown(vlan)}}
    paths = {"/vlans": {**listed, **made}, "/vlans/{id}": item}
    (folder / "api.yaml").write_text(
        yaml.safe_dump({"openapi": "3.1.0", "info": {"title": "net", "version": "1"}, "paths": paths})
    )
    return CompileRequest(folder / "api.yaml")


def understood(request: CompileRequest) -> Api:
    return pipeline.dump(request, "flows")


@pytest.mark.parametrize(
    ("around", "at"),
    [
        ({"success": {"type": "boolean"}, "errors": ERRORS}, "/data"),
        ({"code": {"type": "integer"}, "msg": {"type": "string"}}, "/data"),
        ({"permissions": {"type": "object"}}, ""),  # says of the thing, not of how it went
        ({"message": {"type": "string"}}, ""),
        (None, ""),
    ],
)
def test_what_stands_beside_words_on_how_it_went_is_the_thing(around: Any, at: str, tmp_path: Path) -> None:
    (vlan,) = understood(spec(tmp_path, around)).resources
    assert vlan.item_at == at


def test_a_thing_in_an_envelope_is_read_back_and_gone_when_the_envelope_is_empty(tmp_path: Path) -> None:
    around = {"success": {"type": "boolean"}, "errors": ERRORS}
    compiled: Compiled = compile_spec(spec(tmp_path, around))[0]
    by_intent = {each.flow.intent: each for each in compiled.workflows}
    for intent in ("create", "update"):
        back = by_intent[intent].flow.steps[-1]
        assert {"/name", "/vid"} <= {each["place"] for each in back.expects if "data" in str(each["found"])}
    gone = by_intent["delete"].flow.steps[-1].success[0]["condition"]
    assert "($statusCode == 200) && ($response.body#/data == null)" in gone


STATES = {"type": "string", "enum": ["ACTIVE", "DELETING", "SOFT_DELETED", "DELETED"]}


@pytest.mark.parametrize(
    ("members", "sign"),
    [
        ({"status": STATES}, "$response.body#/status == 'SOFT_DELETED' || $response.body#/status == 'DELETED'"),
        ({"is_deleted": {"type": "boolean"}}, "$response.body#/is_deleted == true"),
        ({"status": {"type": "string"}}, ""),
        ({"mode": STATES}, ""),
    ],
)
def test_what_is_kept_after_its_deletion_and_says_so_is_gone(members: Any, sign: str, tmp_path: Path) -> None:
    flow = next(each for each in understood(spec(tmp_path, None, **members)).flows if each.intent == "delete")
    gone = flow.steps[-1].success[0]["condition"]
    assert (sign in gone) if sign else gone == "$statusCode == 404 || $statusCode == 410"


def test_words_that_mean_an_end_everywhere_end_a_job_whose_description_has_others(tmp_path: Path) -> None:
    shown: dict[str, Any] = {"type": "object", "properties": {"jobId": {"type": "string"}}}
    states = {"type": "string", "enum": ["queued", "aborted", "succeeded", "failed"]}
    job = {"type": "object", "properties": {**shown["properties"], "status": states}}
    made = {"202": {"description": "taken", "content": {"application/json": {"schema": shown}}}}
    seen = {"200": {"description": "ok", "content": {"application/json": {"schema": job}}}}
    which = [{"name": "jobId", "in": "path", "required": True, "schema": {"type": "string"}}]
    paths = {
        "/backups": {"post": {"responses": made}},
        "/jobs/{jobId}": {"parameters": which, "get": {"responses": seen}},
    }
    text = yaml.safe_dump({"openapi": "3.1.0", "info": {"title": "lab", "version": "1"}, "paths": paths})
    (tmp_path / "api.yaml").write_text(text)
    flow = next(
        each for each in understood(CompileRequest(tmp_path / "api.yaml")).flows if each.goal.startswith("POST")
    )
    wait = next(step for step in flow.steps if step.role.value == "wait")
    place = "$response.body#/status"
    assert f"{place} == 'succeeded' || {place} == 'completed'" in wait.success[1]["condition"]
    failed = next(each for each in wait.failures if each["name"] == "job_failed")["criteria"][0]["condition"]
    assert f"{place} == 'rejected'" in failed and failed.count("'aborted'") == 1


def test_a_change_whose_description_has_304_ends_well_where_it_was_so_already(tmp_path: Path) -> None:
    request = spec(tmp_path, None)
    text = yaml.safe_load(request.spec.read_text())
    answers = {"204": {"description": "started"}, "304": {"description": "already started"}}
    item = text["paths"]["/vlans/{id}"]
    text["paths"]["/vlans/{id}/start"] = {"parameters": item["parameters"], "post": {"responses": answers}}
    request.spec.write_text(yaml.safe_dump(text))
    flow = next(each for each in understood(request).flows if each.intent == "act")
    step = next(each for each in flow.steps if each.role.value == "change")
    (already,) = [each for each in step.failures if each["name"] == "so_already"]
    assert already["criteria"][0]["condition"] == "$statusCode == 304"
    assert already["x-switchgear"]["outcome"] == "succeeded"
