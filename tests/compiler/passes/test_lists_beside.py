"""Things whose list stands beside them (`/leases`, `/lease/{leaseId}`), or that are made at an address of its own.

And things that are kept, out of force, when they are deleted.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from compiler import pipeline
from compiler.ir.model import Api, Flow
from compiler.pipeline import CompileRequest
from compiler.verification import compile_spec

STATES = {"type": "object", "properties": {"state": {"type": "string", "enum": ["active", "expired"]}}}
GONE = {"api": "net", "gone": [{"signs": [{"at": "/status/state", "values": ["expired"]}]}]}


def answer(schema: Any) -> Any:
    return {"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}}


def spec(folder: Path, listed: str = "Lease", profile: Any = None) -> CompileRequest:
    """Leases; `listed`: the schema of what the list shows."""
    sent = {"host": {"type": "string"}, "minutes": {"type": "integer"}}
    lease = {"type": "object", "properties": {"id": {"type": "string"}, "status": STATES, **sent}}
    new = {"type": "object", "required": ["host", "minutes"], "properties": sent}
    which = [{"name": "leaseId", "in": "path", "required": True, "schema": {"type": "string"}}]
    paths = {
        "/leases": {
            "get": {"responses": answer({"type": "array", "items": {"$ref": f"#/components/schemas/{listed}"}})},
            "post": {
                "requestBody": {"required": True, "content": {"application/json": {"schema": new}}},
                "responses": answer({"type": "object", "properties": {"leaseId": {"type": "string"}}}),
            },
        },
        "/lease/{leaseId}": {
            "parameters": which,
            "get": {"responses": answer({"$ref": "#/components/schemas/Lease"})},
            "delete": {"responses": {"200": {"description": "done"}}},
        },
    }
    schemas = {"Lease": lease, "Line": {"type": "object", "properties": {"text": {"type": "string"}}}}
    text = {"openapi": "3.1.0", "info": {"title": "net", "version": "1"}, "paths": paths}
    (folder / "api.yaml").write_text(yaml.safe_dump({**text, "components": {"schemas": schemas}}))
    if profile is None:
        return CompileRequest(folder / "api.yaml")
    (folder / "profile.yaml").write_text(yaml.safe_dump(profile))
    return CompileRequest(folder / "api.yaml", folder / "profile.yaml")


def understood(request: CompileRequest) -> Api:
    return pipeline.dump(request, "flows")


def flow_of(api: Api, intent: str) -> Flow:
    return next(each for each in api.flows if each.intent == intent)


def test_a_list_under_the_plural_beside_them_is_the_list_of_the_things(tmp_path: Path) -> None:
    api = understood(spec(tmp_path))
    (lease,) = api.resources
    assert (lease.name, lease.collection, lease.item) == ("lease", "/leases", "/lease/{leaseId}")
    assert (lease.list, lease.create, lease.read) == ("GET /leases", "POST /leases", "GET /lease/{leaseId}")
    assert {each.id for each in api.flows} >= {"net_create_lease", "net_describe_lease", "net_delete_lease"}


def test_a_list_of_something_else_under_the_plural_is_none_of_theirs(tmp_path: Path) -> None:
    assert {each.item for each in understood(spec(tmp_path, "Line")).resources} == {"", "/lease/{leaseId}"}


def test_what_was_made_there_is_read_back_by_the_id_that_is_called_as_in_its_address(tmp_path: Path) -> None:
    compiled = compile_spec(spec(tmp_path))[0]
    made = next(each for each in compiled.workflows if each.flow.intent == "create")
    assert made.is_verified
    *_, change, back = made.flow.steps
    assert change.outputs["created"] == "$response.body#/leaseId"
    assert {"/host", "/minutes"} <= {each["place"] for each in back.expects}


@pytest.mark.parametrize("profile", [None, GONE])
def test_a_deletion_after_which_a_thing_is_out_of_force_is_not_said_to_have_failed(
    profile: Any, tmp_path: Path
) -> None:
    """Without a word on it nobody knows; a profile says that it is gone so, and what was so before is not deleted."""
    flow = flow_of(understood(spec(tmp_path, profile=profile)), "delete")
    gone = flow.steps[-1]
    kept = [each for each in gone.failures if each["name"] == "kept"]
    looks = [each for each in flow.steps if each.id == "look"]
    if profile is None:
        assert kept[0]["x-switchgear"]["outcome"] == "unknown"
        assert "$response.body#/status/state == 'expired'" in kept[0]["criteria"][0]["condition"]
        assert not looks
    else:
        assert not kept
        assert "$response.body#/status/state == 'expired'" in gone.success[0]["condition"]
        assert looks[0].failures[0]["x-switchgear"]["code"] == "not_found"


def test_what_creates_under_its_own_word_is_the_creation_of_the_things_there_and_read_back(tmp_path: Path) -> None:
    request = spec(tmp_path)
    text = yaml.safe_load(request.spec.read_text())
    paths = text["paths"]
    paths["/leases/create"] = {"post": paths["/leases"].pop("post")}
    paths["/leases/{leaseId}"] = paths.pop("/lease/{leaseId}")
    request.spec.write_text(yaml.safe_dump(text))
    compiled = compile_spec(request)[0]
    (lease,) = compiled.api.resources
    assert (lease.create, lease.list) == ("POST /leases/create", "GET /leases")
    made = next(each for each in compiled.workflows if each.flow.id == "net_create_lease")
    assert made.is_verified
    assert {"/host", "/minutes"} <= {each["place"] for each in made.flow.steps[-1].expects}
