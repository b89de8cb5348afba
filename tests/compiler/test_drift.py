"""What a newer description breaks, for its operations and for what was approved."""

import asyncio
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from compiler.changes.drift import differences
from compiler.commands.compiling import diff_command
from compiler.frontend import load_api
from governance.approval.revisions import RevisionStore
from governance.storage.database import open_database
from switchgear.main import main

ROOT = Path(__file__).parents[2]
BOX: dict[str, Any] = {"type": "object", "properties": {"name": {"type": "string"}, "size": {"type": "integer"}}}
API: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Boxes", "version": "1"},
    "paths": {
        "/boxes": {
            "get": {
                "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer"}}],
                "responses": {
                    "200": {
                        "description": "all",
                        "content": {
                            "application/json": {
                                "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Box"}}
                            }
                        },
                    }
                },
            },
            "post": {
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Box"}}}},
                "responses": {"201": {"description": "made"}},
            },
        }
    },
    "components": {"schemas": {"Box": BOX}},
}
Edit = Callable[[dict[str, Any]], object]


def get(api: dict[str, Any]) -> Any:
    return api["paths"]["/boxes"]["get"]


def post(api: dict[str, Any]) -> Any:
    return api["paths"]["/boxes"]["post"]


def box(api: dict[str, Any]) -> Any:
    return api["components"]["schemas"]["Box"]


CASES: dict[str, tuple[Edit, set[tuple[str, str, bool | None]]]] = {
    "a text": (lambda api: post(api).update(summary="Makes one"), {("POST", "text or examples", False)}),
    "a new operation": (lambda api: api["paths"].update({"/new": {"get": {"responses": {}}}}), set()),
    "a filter gone": (
        lambda api: get(api).pop("parameters"),
        {("GET", "query parameter limit is gone", True)},
    ),
    "a filter that has to be given": (
        lambda api: get(api)["parameters"][0].update(required=True),
        {("GET", "query parameter limit is required now", True)},
    ),
    "a filter more": (
        lambda api: get(api)["parameters"].append({"name": "q", "in": "query", "schema": {}}),
        {("GET", "query parameter q is new", False)},
    ),
    "a body that has to be given": (
        lambda api: post(api)["requestBody"].update(required=True),
        {("POST", "the body is required now", True)},
    ),
    "a reply gone": (
        lambda api: post(api).update(responses={"204": {"description": "made"}}),
        {("POST", "reply 201 is gone", True), ("POST", "reply 204 is new", None)},
    ),
    "a member that has to be there": (
        lambda api: box(api).update(required=["name"]),
        {("GET", "reply 200 promises no less than before", False), ("POST", "the body takes less than before", True)},
    ),
    "a member of any kind": (
        lambda api: box(api)["properties"].update(size={}),
        {("GET", "reply 200 promises less than before", True), ("POST", "the body takes no less than before", False)},
    ),
}


def changed(api: dict[str, Any], edit: Edit) -> dict[str, Any]:
    found = copy.deepcopy(api)
    edit(found)
    return found


def written(folder: Path, name: str, api: dict[str, Any]) -> Path:
    path = folder / name
    path.write_text(json.dumps(api))
    return path


@pytest.mark.parametrize(("edit", "told"), CASES.values(), ids=CASES)
def test_each_change_is_told_with_whether_it_breaks(
    edit: Edit, told: set[tuple[str, str, bool | None]], tmp_path: Path
) -> None:
    old, new = (
        load_api(written(tmp_path, name, api)).api
        for name, api in (("old.json", API), ("new.json", changed(API, edit)))
    )
    found = differences(old, new)
    assert {(each.operation.method, one.what, one.breaks) for each in found for one in each.changes} == told
    assert differences(old, old) == ()


def test_an_operation_that_is_gone_breaks_and_one_that_is_new_does_not(tmp_path: Path) -> None:
    less = changed(API, lambda api: api["paths"]["/boxes"].pop("post"))
    old, new = written(tmp_path, "old.json", API), written(tmp_path, "new.json", less)
    gone, come = (
        CliRunner().invoke(diff_command, [str(a), str(b)], standalone_mode=False) for a, b in ((old, new), (new, old))
    )
    assert (gone.return_value, come.return_value) == (1, 0)
    assert "! removed  POST /boxes" in gone.output
    assert "  added    POST /boxes" in come.output


async def approve(url: str, *names: str) -> None:
    async with open_database(url) as database:
        store = RevisionStore(database)
        for name in names:
            one = await store.get(f"{name}@1")
            await store.decide(one.id, "approve", actor="ann", role="approver", reason="", digest=one.digest)


@pytest.mark.slow
def test_of_the_approved_workflows_those_break_that_use_what_is_gone(tmp_path: Path, capsys: Any) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/db.sqlite"
    spec = ROOT / "specs/hypercore/openapi.yaml"
    data = yaml.load(spec.read_bytes(), yaml.CSafeLoader)
    del data["paths"]["/VirDomain/{virDomainUUID}"]["patch"]
    data["paths"]["/TaskTag/{taskTag}"]["get"]["summary"] = "Otherwise"
    assert main(["compile", str(spec), "--db", url, "--json"]) == 0
    asyncio.run(approve(url, "hypercore_update_vm", "hypercore_start_vm", "hypercore_find_vms"))
    capsys.readouterr()
    profile = str(ROOT / "specs/hypercore/profile.yaml")
    new = str(written(tmp_path, "new.json", data))
    assert main(["diff", str(spec), new, "--profile", profile, "--db", url, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert {each["id"]: each["verdict"] for each in told["workflows"]} == {
        "hypercore_update_vm": "breaks",
        "hypercore_start_vm": "changed",
        "hypercore_find_vms": "same",
    }
    assert "GET /TaskTag/{taskTag} reads otherwise" in next(
        why for each in told["workflows"] if each["verdict"] == "changed" for why in each["why"]
    )
    assert main(["diff", str(spec), str(spec), "--db", url]) == 0
