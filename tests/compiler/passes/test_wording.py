"""Names and titles: what the linter finds at fault, and that what the planner names passes it."""

import json
from pathlib import Path
from typing import Any

import pytest

from compiler.ir.model import Api, Flow
from compiler.passes.flows.ranking import is_of_all
from compiler.passes.flows.wording.linter import alike, faults, repeated
from compiler.passes.names import words
from compiler.passes.names.told_apart import told_apart
from compiler.pipeline import CompileRequest, dump
from workflow.risks import Risk

_ITEM: Any = {"type": "object", "properties": {"id": {"type": "string"}, "name": {"type": "string"}}}
_ONE: Any = {"200": {"description": "", "content": {"application/json": {"schema": _ITEM}}}}
_MANY: Any = {
    "200": {"description": "", "content": {"application/json": {"schema": {"type": "array", "items": _ITEM}}}}
}
_NONE: Any = {"204": {"description": ""}}


def flow(flow_id: str, title: str, goal: str = "POST /things", intent: str = "act") -> Flow:
    return Flow(flow_id, intent, title, "", Risk.CHANGE, goal, "things", ())


@pytest.mark.parametrize(
    ("flow_id", "title", "said"),
    [
        ("t_prune_thing_2", "Prune thing", "numbered"),
        ("t_describe_tag_tag", "Describe tag", "twice"),
        ("t_describe_tag", "Describe tag of tags", "twice"),
        ("t_prune", "Prune", "what"),
        ("t_get_status", "Status of thing", "verb"),
        ("t_make_thing", "Create or add thing", "two things"),
    ],
)
def test_what_a_person_would_not_accept_is_a_fault(flow_id: str, title: str, said: str) -> None:
    assert any(said in fault for fault in faults(flow(flow_id, title), "t"))


def test_a_number_that_the_address_has_is_no_fault() -> None:
    assert not list(faults(flow("t_get_ip_4", "Get ip 4", "GET /ip/4"), "t"))


def test_titles_that_differ_in_number_or_article_alone_say_the_same() -> None:
    assert alike([flow("a", "Delete a user"), flow("b", "Delete users")])
    assert not alike([flow("a", "Delete user"), flow("b", "Delete user of realm")])


def test_words_are_told_apart_by_what_one_address_alone_has() -> None:
    paths = {"a": "/volumes/prune", "b": "/images/prune", "c": "/networks/{id}/prune"}
    found = told_apart(dict.fromkeys(paths, "prune"), paths)
    assert found == {"a": "volume", "b": "image", "c": "network"}


@pytest.mark.parametrize(
    ("identifier", "spoken"),
    [("RunePSADiagnostics", "run ePSA diagnostics"), ("vFlashCard", "vFlash card"), ("iSCSITarget", "iSCSI target"),
     ("IPv6Address", "IPv6 address"), ("DeviceID", "device ID"), ("l2vpnTermination", "L2VPN termination"),
     ("s3_buckets", "S3 buckets"), ("hosts3", "hosts 3"), ("x509Certificate", "X509 certificate")],
)  # fmt: skip
def test_words_with_capitals_of_their_own_stay_whole(identifier: str, spoken: str) -> None:
    assert words.spoken(identifier) == spoken


def planned(tmp_path: Path, paths: Any) -> Api:
    document = {"openapi": "3.0.3", "info": {"title": "house", "version": "1"}, "paths": paths}
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(document))
    return dump(CompileRequest(path), "flows")


def test_equal_names_of_an_api_are_told_apart_without_a_number(tmp_path: Path) -> None:
    named = [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]
    paths: Any = {f"/{thing}/prune": {"post": {"responses": _NONE}} for thing in ("images", "volumes", "networks")}
    for owner in ("houses", "gardens"):
        paths[f"/{owner}/{{id}}/status"] = {
            "get": {"parameters": named, "responses": _ONE},
            "patch": {"parameters": named, "responses": _ONE},
        }
    api = planned(tmp_path, paths)
    assert [fault for one in api.flows for fault in faults(one, api.name)] == []
    assert alike(api.flows) == {}
    assert repeated([one.id for one in api.flows]) == ""


def test_at_most_one_that_destroys_is_among_the_first_ten_and_whole_collections_come_last(tmp_path: Path) -> None:
    named = [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]
    paths: Any = {}
    for thing in ("servers", "disks", "nets", "hosts"):
        paths[f"/{thing}"] = {"get": {"responses": _MANY}, "delete": {"responses": _NONE}}
        item = {"get": {"parameters": named, "responses": _ONE}, "delete": {"parameters": named, "responses": _NONE}}
        paths[f"/{thing}/{{id}}"] = item
        for verb in ("wipe", "start"):
            paths[f"/{thing}/{{id}}/{verb}"] = {"post": {"parameters": named, "responses": _NONE}}
    ordered = sorted(planned(tmp_path, paths).flows, key=lambda one: (-one.rank, one.id))
    assert sum(one.risk is Risk.DESTROY for one in ordered[:10]) <= 1
    whole = [one.rank for one in ordered if is_of_all(one.goal, paths)]
    assert len(whole) == 4
    assert max(whole) < min(one.rank for one in ordered if one.intent == "find")


@pytest.mark.parametrize(
    ("several", "one"),
    [("aliases", "alias"), ("ipalias", "ipalias"), ("isos", "iso"), ("floating_ips", "floating_ip"), ("hdfs", "hdfs"),
     ("children", "child"), ("caches", "cache"), ("indices", "index"), ("kubernetes", "kubernetes"), ("VMs", "VM")],
)  # fmt: skip
def test_several_things_are_one_by_their_usual_rules_and_names_are_left_alone(several: str, one: str) -> None:
    assert words.singular(several) == one


@pytest.mark.parametrize(
    ("text", "is_fine"),
    [
        ("Config. Changes nothing.", False),
        ("License trial period extension.", False),
        ("Create or update a login.", False),
        ("Shows a catalog catalog.", False),
        ("Partially updates a pod.", True),
        ("Apply firewall to resources.", True),
        ("Power off a server. May interrupt service.", True),
    ],
)
def test_a_description_begins_with_what_is_done(text: str, is_fine: bool) -> None:
    described = Flow("t_show_thing", "act", "Show thing", text, Risk.CHANGE, "POST /things", "things", ())
    assert list(faults(described, "t")) is not is_fine


def _titles(tmp_path: Path, paths: Any) -> dict[str, str]:
    """The titles of a description's flows by their goals."""
    return {one.goal: one.title for one in planned(tmp_path, paths).flows}


def _given(*names: str) -> list[Any]:
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def test_a_post_of_a_noun_is_called_by_the_verb_within_its_id_and_by_what_it_belongs_to(tmp_path: Path) -> None:
    period = {"operationId": "app-role-write-period", "responses": _NONE}
    sign = {"operationId": "keys-sign-with-role", "responses": _NONE}
    titles = _titles(
        tmp_path,
        {
            "/auth/role/{role_name}/period": {"parameters": _given("role_name"), "post": period},
            "/{mount}/sign/{role}": {"parameters": _given("mount", "role"), "post": sign},
        },
    )
    assert titles["POST /auth/role/{role_name}/period"] == "Write period of role"
    assert titles["POST /{mount}/sign/{role}"] == "Sign with role"


def test_how_something_is_sent_is_no_title(tmp_path: Path) -> None:
    body = {"content": {"application/json": {"schema": {"type": "array", "items": _ITEM}}}}
    bulk = {"summary": "Patch a list of roles", "requestBody": body, "responses": _NONE}
    item = {"parameters": _given("id"), "get": {"responses": _ONE}, "patch": {"responses": _ONE}}
    titles = _titles(tmp_path, {"/roles": {"get": {"responses": _MANY}, "patch": bulk}, "/roles/{id}": item})
    assert titles["PATCH /roles"] == "Update several roles"


def test_a_read_that_does_something_is_called_by_that(tmp_path: Path) -> None:
    ping = {"summary": "Ping the gateway to see whether it is there", "responses": _ONE}
    titles = _titles(tmp_path, {"/gateway.ping": {"get": ping}, "/line.noise": {"get": {"responses": _ONE}}})
    assert titles == {"GET /gateway.ping": "Ping gateway", "GET /line.noise": "Get line noise"}


def test_a_capital_too_early_makes_no_word_of_a_letter(tmp_path: Path) -> None:
    changed = {"operationId": "updateBRandingPage", "responses": _NONE}
    titles = _titles(tmp_path, {"/branding": {"get": {"responses": _ONE}, "post": changed}})
    assert titles["GET /branding"] == "Get branding"


def test_a_word_of_the_things_name_is_no_verb(tmp_path: Path) -> None:
    made = {
        "summary": "Create or update a scale set.",
        "requestBody": {"content": {"application/json": {"schema": _ITEM}}},
    }
    of_one = {"parameters": _given("id"), "get": {"responses": _ONE}, "put": {**made, "responses": _ONE}}
    of_one["patch"] = {**made, "summary": "Update a scale set.", "responses": _ONE}
    paths = {
        "/machineScaleSets": {"get": {"responses": _MANY}},
        "/machineScaleSets/{id}": of_one,
        "/machineScaleSets/{id}/manualupgrade": {"parameters": _given("id"), "post": {"responses": _NONE}},
    }
    titles = _titles(tmp_path, paths)
    assert titles["PUT /machineScaleSets/{id}"] == "Make machine scale set"
    assert not titles["POST /machineScaleSets/{id}/manualupgrade"].startswith("Scale")


@pytest.mark.parametrize(
    ("summary", "title"),
    [("Set the tracing of a port", "Set trace"), ("", "Add trace"), ("Create a trace", "Add trace")],
)
def test_what_is_put_and_read_nowhere_is_called_by_the_summarys_verb(summary: str, title: str, tmp_path: Path) -> None:
    put = {"summary": summary, "parameters": _given("value"), "responses": _NONE}
    assert _titles(tmp_path, {"/port/trace/{value}": {"put": put}}) == {"PUT /port/trace/{value}": title}


def test_what_is_done_by_a_put_to_what_nobody_shows_is_called_by_its_verb(tmp_path: Path) -> None:
    put = {"parameters": _given("id"), "put": {"responses": _NONE}}
    assert _titles(tmp_path, {"/lab/agent/{id}/resume": put})["PUT /lab/agent/{id}/resume"] == "Resume agent of lab"


def test_what_stands_under_another_mount_is_not_called_by_its_things(tmp_path: Path) -> None:
    config = {"parameters": _given("db_mount", "name"), "get": {"responses": _ONE}, "delete": {"responses": _NONE}}
    rotate = {"parameters": _given("cloud_mount"), "post": {"responses": _NONE}}
    titles = _titles(tmp_path, {"/{db_mount}/config/{name}": config, "/{cloud_mount}/config/rotate-root": rotate})
    assert "db" not in titles["POST /{cloud_mount}/config/rotate-root"].lower()


@pytest.mark.parametrize(
    ("one", "several"),
    [("variable", "variables"), ("VDI", "VDIs"), ("vdi", "vdis"), ("history", "history"), ("axis", "axises")],
)
def test_one_and_several_are_told_apart(one: str, several: str) -> None:
    assert words.plural(one) == several
    assert several in ("history", "axises") or words.singular(several) == one


def test_several_acronyms_of_a_spelling_of_their_own_are_one_word() -> None:
    assert words.spoken("assignIPv4s") == "assign IPv4s"


_NAMED: dict[str, Any] = {
    "/hooks": {"get": {"responses": _MANY}},
    "/hooks/{id}": {"get": {"responses": _ONE}},
    "/hooks/git": {"get": {"responses": _MANY}},
    "/hooks/git/{id}": {"get": {"responses": _ONE}},
    "/datasets": {"get": {"responses": _MANY}},
    "/datasets/{id}": {"get": {"summary": "Show a dataset of a DAG.", "responses": _ONE}},
    "/datasets/events": {"get": {"responses": _MANY}},
    "/dags": {"get": {"summary": "List the DAGs.", "responses": _MANY}},
    "/dags/{id}": {"get": {"summary": "Show a DAG.", "responses": _ONE}},
    "/dags/{id}/smart_restart": {"post": {"responses": _NONE}},
    "/dags/{id}/cache/flush": {"put": {"responses": _NONE}},
    "/dags/{id}/owners/{owner}": {"delete": {"summary": "Remove an owner from a DAG", "responses": _NONE}},
}


def test_names_say_the_sort_the_kind_the_manner_and_what_is_within(tmp_path: Path) -> None:
    paths = {
        path: item
        | {
            "parameters": [
                {"name": n, "in": "path", "required": True, "schema": {"type": "string"}}
                for n in ("id", "owner")
                if f"{{{n}}}" in path
            ]
        }
        for path, item in _NAMED.items()
    }
    spec = tmp_path / "api.json"
    spec.write_text(json.dumps({"openapi": "3.0.3", "info": {"title": "Vendor's lab", "version": "1"}, "paths": paths}))
    api = dump(CompileRequest(spec), "flows")
    titles = {flow.goal: flow.title for flow in api.flows if flow.title.split(" ")[0] not in ("Inventory", "Ensure")}
    assert api.name == "vendor-lab"
    assert titles["GET /hooks/git"] == "Find git hooks"
    assert titles["GET /datasets/events"] == "Find dataset events"
    assert titles["GET /dags"] == "Find DAGs"
    assert titles["POST /dags/{id}/smart_restart"] == "Smart restart DAG"
    assert titles["PUT /dags/{id}/cache/flush"] == "Flush cache of DAG"
    assert titles["DELETE /dags/{id}/owners/{owner}"] == "Remove an owner from a DAG"
