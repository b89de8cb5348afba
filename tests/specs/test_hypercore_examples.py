"""The examples of our HyperCore description fit their schemas and each other, so that a workflow runs on a mock.

A stateless mock answers with these examples: a lookup has to find what a later step reads, ids in one reply have to
lead to another, and what a change sends has to be what reading back shows.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

OURS = Path(__file__).parents[2] / "specs/hypercore/openapi.yaml"
# Ids of things on the other cluster, or of sessions: nothing here has them.
FOREIGN = {"targetDomainUUID", "remoteNodeUUIDs", "associatedConnectionUUID", "sessionID", "sourceVirDomainUUID"}
NAMES = ("name", "label", "username", "emailAddress", "host", "serialNumber", "lanIP", "macAddress", "description")


@pytest.fixture(scope="module")
def document() -> Any:
    return yaml.load(OURS.read_bytes(), Loader=yaml.CSafeLoader)


def contents(document: Any) -> Iterator[tuple[str, Any]]:
    """(where, media type object) of every JSON request body and successful reply."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            holders = {"body": operation.get("requestBody", {})}
            holders |= {status: reply for status, reply in operation["responses"].items() if status[0] == "2"}
            for place, holder in holders.items():
                if "application/json" in holder.get("content", {}):
                    yield f"{method.upper()} {path} {place}", holder["content"]["application/json"]


def answers(document: Any) -> dict[str, Any]:
    """Operation key → example of its reply."""
    return {
        where.removesuffix(" 200"): content["example"]
        for where, content in contents(document)
        if where.endswith(" 200")
    }


def collections(document: Any) -> dict[str, list[Any]]:
    """The path's noun → the items that listing it answers."""
    found = answers(document)
    return {key.removeprefix("GET /"): found[key] for key in found if re.fullmatch(r"GET /[A-Z]\w+", key)}


def ids(value: Any, member: str = "") -> Iterator[tuple[str, str]]:
    """(member, id) of everything in `value` that looks like an id of ours."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from ids(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from ids(inner, member)
    elif isinstance(value, str):
        yield from ((member, found) for found in re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", value))


@pytest.mark.slow
def test_every_json_body_and_successful_reply_has_an_example_that_fits(document: Any) -> None:
    found = list(contents(document))
    assert len(found) > 150
    for where, content in found:
        schema = content["schema"] | {"components": document["components"]}
        problems = [
            error.message for error in jsonschema_rs.Draft202012Validator(schema).iter_errors(content["example"])
        ]
        assert not problems, (where, problems)


def test_a_wrong_example_would_be_noticed(document: Any) -> None:
    content = dict(contents(document))["POST /VirDomain/action body"]
    schema = content["schema"] | {"components": document["components"]}
    assert not jsonschema_rs.is_valid(schema, [{"virDomainUUID": "x", "actionType": "FLY"}])


def test_no_request_example_sends_what_is_read_only_or_marked(document: Any) -> None:
    schemas = document["components"]["schemas"]
    for where, content in contents(document):
        name = content["schema"].get("$ref", "").rpartition("/")[2]
        if where.endswith("body") and name:
            sent = {member: schemas[name]["properties"][member] for member in content["example"]}
            assert not [m for m, schema in sent.items() if schema.get("readOnly") or schema.get("deprecated")], where
            assert not [m for m, schema in sent.items() if "Internal" in schema.get("description", "")], where


def test_reading_one_item_answers_a_list_of_an_element_of_the_collection(document: Any) -> None:
    found = answers(document)
    items = {
        key: key.removeprefix("GET /").partition("/")[0] for key in found if re.fullmatch(r"GET /\w+/\{\w+\}", key)
    }
    assert len(items) > 25
    for key, noun in items.items():
        assert found[key] == collections(document)[noun][:1], key


def test_every_list_has_one_or_two_elements_with_names_of_their_own(document: Any) -> None:
    for noun, members in collections(document).items():
        assert 1 <= len(members) <= 2, noun
        for name in NAMES:
            named = [member[name] for member in members if isinstance(member, dict) and name in member]
            assert len(set(named)) == len(named), (noun, name)


def test_there_is_a_running_vm_and_one_that_is_off(document: Any) -> None:
    states = {vm["name"]: vm["state"] for vm in collections(document)["VirDomain"]}
    assert states == {"web-01": "RUNNING", "db-01": "SHUTOFF"}


def test_every_id_leads_to_an_item_of_some_collection(document: Any) -> None:
    known = {item["uuid"] for items in collections(document).values() for item in items if "uuid" in item}
    known |= {rule["uuid"] for plan in collections(document)["VirDomainSnapshotSchedule"] for rule in plan["rrules"]}
    known |= {item["remoteClusterInfo"]["uuid"] for item in collections(document)["RemoteClusterConnection"]}
    for where, content in contents(document):
        astray = {
            (name, found) for name, found in ids(content["example"]) if found not in known and name not in FOREIGN
        }
        assert not astray, (where, astray)


def test_what_belongs_to_a_vm_names_that_vm(document: Any) -> None:
    found = collections(document)
    for vm in found["VirDomain"]:
        assert [d["virDomainUUID"] for d in found["VirDomainBlockDevice"] if d in vm["blockDevs"]] == [vm["uuid"]]
        assert [d["virDomainUUID"] for d in found["VirDomainNetDevice"] if d in vm["netDevs"]] == [vm["uuid"]]
        assert [s["domainUUID"] for s in found["VirDomainSnapshot"] if s["uuid"] in vm["snapUUIDs"]] == [vm["uuid"]]
        assert vm["uuid"] in {stats["uuid"] for stats in found["VirDomainStats"]}


def test_every_change_answers_the_task_that_can_be_polled(document: Any) -> None:
    found = answers(document)
    (task,) = found["GET /TaskTag/{taskTag}"]
    changes = [key for key, answer in found.items() if isinstance(answer, dict) and "taskTag" in answer]
    assert len(changes) > 75
    assert {found[key]["taskTag"] for key in changes} == {task["taskTag"]}
    assert task["state"] == "COMPLETE"
    assert task["objectUUID"] in {vm["uuid"] for vm in collections(document)["VirDomain"]}


def test_what_a_create_says_it_made_is_what_reading_answers(document: Any) -> None:
    found = answers(document)
    creates = [key for key in found if re.fullmatch(r"POST /[A-Z]\w+", key) and f"GET {key.split()[1]}" in found]
    assert len(creates) > 15
    for key in creates:
        first = collections(document)[key.removeprefix("POST /")][0]
        assert found[key]["createdUUID"] == (first["uuid"] if isinstance(first, dict) else first), key


def test_what_a_partial_update_sends_is_what_reading_shows(document: Any) -> None:
    patches = {where: c for where, c in contents(document) if re.fullmatch(r"PATCH .* body", where)}
    patches.pop("PATCH /NucleusKey/{uuid} body")  # what it sends is never shown
    assert len(patches) > 15
    for where, content in patches.items():
        first = collections(document)[where.split("/")[1]][0]
        assert content["example"] == {name: first[name] for name in content["example"]}, where
