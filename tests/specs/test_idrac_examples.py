"""The examples of our iDRAC description fit their schemas and each other, so that a workflow runs through on a mock.

A stateless mock answers with the first example: what a collection lists must be what its items say, Location must lead
to something that can be read, the job must be over, and what a change sends has to be what reading back shows.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

OURS = Path(__file__).parents[2] / "specs/idrac/openapi.yaml"
METHODS = ("get", "post", "patch", "delete")
JOB = "JID_706315204711"
UNSEEN = {"UserName", "Password", "LicenseString"}  # written, but not shown again, or not where it was written


@pytest.fixture(scope="module")
def document() -> Any:
    return yaml.load(OURS.read_bytes(), Loader=yaml.CSafeLoader)


def operations(document: Any) -> dict[str, Any]:
    paths = document["paths"].items()
    return {f"{m.upper()} {path}": item[m] for path, item in paths for m in METHODS if m in item}


def values(content: Any) -> list[Any]:
    """All examples of a media type, the one that a mock answers first."""
    return [content["example"]] if "example" in content else [named["value"] for named in content["examples"].values()]


def contents(document: Any) -> Iterator[tuple[str, Any]]:
    """(where, media type object) of every JSON request body and successful reply."""
    for key, operation in operations(document).items():
        holders = {"body": operation.get("requestBody", {})}
        holders |= {code: reply for code, reply in operation["responses"].items() if code.startswith("2")}
        for place, holder in holders.items():
            if "application/json" in holder.get("content", {}):
                yield f"{key} {place}", holder["content"]["application/json"]


def reads(document: Any) -> dict[str, Any]:
    """Path → first example of reading it."""
    return {
        where.split(" ")[1]: values(content)[0]
        for where, content in contents(document)
        if re.fullmatch(r"GET \S+ 200", where)
    }


def problems(document: Any, content: Any, value: Any) -> list[str]:
    schema = content["schema"] | {"components": document["components"]}
    return [error.message for error in jsonschema_rs.Draft202012Validator(schema).iter_errors(value)]


def template_of(address: str, templates: Any) -> str | None:
    """The path template that `address` fits, literal segments before parameters."""
    fitting = [t for t in templates if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", t), address)]
    return min(fitting, key=lambda template: template.count("{"), default=None)


def headers(document: Any, reply: Any) -> dict[str, Any]:
    found = reply.get("headers", {})
    shared = document["components"]["headers"]
    return {n: shared[h["$ref"].rpartition("/")[2]] if "$ref" in h else h for n, h in found.items()}


@pytest.mark.slow
def test_every_json_body_and_reply_has_examples_that_fit_their_schema(document: Any) -> None:
    found = list(contents(document))
    assert len(found) > 200
    for where, content in found:
        for value in values(content):
            assert not problems(document, content, value), where


def test_a_wrong_example_would_be_noticed(document: Any) -> None:
    where = "POST /redfish/v1/Systems/{ComputerSystemId}/Actions/ComputerSystem.Reset body"
    assert problems(document, dict(contents(document))[where], {"ResetType": "Explode"})


def test_every_multipart_body_has_an_example(document: Any) -> None:
    bodies = [operation.get("requestBody", {}).get("content", {}) for operation in operations(document).values()]
    multipart = [content["multipart/form-data"] for content in bodies if "multipart/form-data" in content]
    assert multipart
    assert all(content["example"] for content in multipart)


def test_what_is_read_names_its_own_address_and_an_id_that_is_the_last_segment(document: Any) -> None:
    found = {path: value for path, value in reads(document).items() if "@odata.id" in value}
    assert len(found) > 90
    for path, value in found.items():
        assert template_of(value["@odata.id"], reads(document)) == path
        if "{" in path.rpartition("/")[2]:
            assert value["Id"] == value["@odata.id"].rpartition("/")[2], path


def test_every_member_of_a_collection_is_what_reading_it_answers(document: Any) -> None:
    found = reads(document)
    collections = {path: value["Members"] for path, value in found.items() if "Members" in value}
    assert len(collections) > 30
    for path, members in collections.items():
        assert found[path]["Members@odata.count"] == len(members)
        for member in members:
            template = template_of(member["@odata.id"], found)
            assert template, (path, member)
            assert found[template]["@odata.id"] == member["@odata.id"], path


def test_lists_under_an_id_have_one_member_so_that_a_lookup_by_name_is_not_ambiguous(document: Any) -> None:
    collections = {path: value["Members"] for path, value in reads(document).items() if "Members" in value}
    assert {path for path, members in collections.items() if len(members) != 1} == {
        "/redfish/v1/Managers/{ManagerId}/LogServices"  # three logs, each at a path of its own
    }


def test_location_leads_to_something_that_can_be_read_and_is_that_very_thing(document: Any) -> None:
    found, seen = reads(document), 0
    for key, operation in operations(document).items():
        for code, reply in operation["responses"].items():
            address = headers(document, reply).get("Location", {}).get("example")
            if address:
                seen += 1
                template = template_of(address, found)
                assert template, (key, code)
                is_firmware = "FirmwareInventory" in key  # the pushed image is another than the installed one
                assert found[template]["@odata.id"] == address or is_firmware, key
    assert seen > 25


def test_every_accepted_change_names_the_one_job_which_is_over_in_all_three_views(document: Any) -> None:
    found = reads(document)
    accepted = [(k, o["responses"]["202"]) for k, o in operations(document).items() if "202" in o["responses"]]
    assert len(accepted) > 20
    for key, reply in accepted:
        declared = headers(document, reply)
        assert declared["Location"]["example"].endswith(f"/{JOB}"), key
        assert "Retry-After" in declared
    task = found["/redfish/v1/TaskService/Tasks/{TaskId}"]
    dell = found["/redfish/v1/Managers/{ManagerId}/Oem/Dell/Jobs/{DellJobId}"]
    job = found["/redfish/v1/JobService/Jobs/{JobId}"]
    assert (task["Id"], task["TaskState"], task["TaskStatus"]) == (JOB, "Completed", "OK")
    assert (dell["Id"], dell["JobState"]) == (job["Id"], job["JobState"]) == (JOB, "Completed")


def test_a_read_answers_a_version_and_a_change_takes_it(document: Any) -> None:
    for key, operation in operations(document).items():
        if key.startswith("PATCH "):
            read = operations(document)[key.replace("PATCH", "GET")]
            assert headers(document, read["responses"]["200"])["ETag"]["example"], key
            assert {"$ref": "#/components/parameters/ifMatch"} in operation["parameters"], key


def test_the_login_answers_token_and_address(document: Any) -> None:
    reply = operations(document)["POST /redfish/v1/SessionService/Sessions"]["responses"]["201"]
    assert {"X-Auth-Token", "Location"} <= headers(document, reply).keys()


def test_every_target_of_an_action_is_a_path_and_its_allowed_values_fit_the_body(document: Any) -> None:
    templates, compared = [key.split(" ")[1] for key in operations(document) if key.startswith("POST ")], 0
    bodies = {where.split(" ")[1]: content for where, content in contents(document) if where.endswith(" body")}
    for path, value in reads(document).items():
        actions = value.get("Actions", {})
        for action in [*actions.items(), *actions.get("Oem", {}).items()]:
            target = action[1].get("target", "") if action[0] != "Oem" else ""
            template = template_of(target, templates) if target else None
            assert template or not target or "SecureBootDatabase.ResetKeys" in target, (path, target)
            for member, allowed in action[1].items():
                if template and member.endswith("@Redfish.AllowableValues"):
                    schema = {"schema": bodies[template]["schema"]}
                    first = values(bodies[template])[0]
                    name = member.partition("@")[0]
                    assert not [v for v in allowed if problems(document, schema, first | {name: v})], (path, member)
                    compared += 1
    assert compared >= 10


def test_what_a_change_sends_is_what_reading_shows(document: Any) -> None:
    found, compared = reads(document), 0
    for where, content in contents(document):
        if where.startswith("PATCH ") and where.endswith(" body"):
            path = where.split(" ")[1]
            # Pending settings show after the restart in the resource that they belong to.
            shown = found[path.removesuffix("/Settings") if path.endswith("/Settings") else path]
            compared += 1
            assert_shown(values(content)[0], shown, where)
    assert compared > 15


def assert_shown(sent: Any, shown: Any, where: str) -> None:
    if isinstance(sent, dict):
        for name in sent.keys() - UNSEEN:
            if not name.startswith("@"):
                assert name in shown, (where, name)
                assert_shown(sent[name], shown[name], f"{where}/{name}")
    elif isinstance(sent, list):
        for index, element in enumerate(sent):
            assert_shown(element, shown[index], f"{where}/{index}")
    else:
        assert sent == shown, where
