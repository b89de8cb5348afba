"""What a workflow expects of its changes: what was asked for, and nothing that only came along."""

from pathlib import Path
from typing import Any

import pytest

from compiler import pipeline
from compiler.ir.model import Api, FlowStep

API = """\
openapi: 3.1.0
info: {title: Names, version: '1'}
paths:
  /zones:
    post: &create
      requestBody: {required: true, content: {application/json: {schema: &zone {$ref: '#/components/schemas/Zone'}}}}
      responses: {'200': {description: ok, content: {application/json: {schema: *zone}}}}
  /zones/{zone}:
    get: {responses: {'200': {description: ok, content: {application/json: {schema: *zone}}}}}
    put: &set
      requestBody: {required: true, content: {application/json: {schema: *zone}}}
      responses: {'204': {description: ok}}
    patch: *set
components:
  schemas:
    Zone: {type: object, properties: {kind: {type: string}, password: {type: string}}}
"""
PROFILE = "api: dns\nverbs: {prefer: [PUT, PATCH], distinct: ['PATCH /zones/{zone}']}\n"


@pytest.fixture
def api(tmp_path: Path) -> Api:
    (tmp_path / "api.yaml").write_text(API)
    (tmp_path / "profile.yaml").write_text(PROFILE)
    return pipeline.dump(pipeline.CompileRequest(tmp_path / "api.yaml"), "flows")


def step(api: Api, flow: str, role: str) -> FlowStep:
    steps = next(each for each in api.flows if each.id == flow).steps
    return next(each for each in steps if each.role.value == role)


def expected(made: FlowStep) -> dict[str, Any]:
    return {each["place"]: each.get("found") for each in made.expects}


def test_what_a_put_sends_back_as_it_was_read_is_not_asked_for(api: Api) -> None:
    assert expected(step(api, "dns_update_zone", "read_back")) == {
        "/kind": "$response.body#/kind",
        "/password": None,
    }


def test_a_write_that_the_profile_calls_distinct_is_read_back_too(api: Api) -> None:
    assert step(api, "dns_patch_zone", "change").operation == "PATCH /zones/{zone}"
    assert expected(step(api, "dns_patch_zone", "read_back"))["/kind"] == "$response.body#/kind"


def test_a_creation_that_cannot_be_read_back_is_compared_with_its_own_answer(api: Api) -> None:
    made = step(api, "dns_create_zone", "change")
    assert expected(made) == {"/kind": "$response.body#/kind", "": None}
    assert [each.get("shown") for each in made.expects] == [None, False]


LISTED = """\
openapi: 3.1.0
info: {title: Terminals, version: '1'}
paths:
  /terminals:
    get: {responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: &one {$ref: '#/components/schemas/Terminal'}}}}}}}
    post:
      requestBody: {required: true, content: {application/json: {schema: *one}}}
      responses: {'201': {description: made, content: {application/json: {schema: *one}}}, '200': {description: AS_SAID, content: {application/json: {schema: *one}}}}
  /terminals/{id}:
    get: {responses: {'200': {description: ok, content: {application/json: {schema: *one}}}}}
components:
  schemas:
    Terminal: {type: object, properties: {id: {type: string, readOnly: true}, name: {type: string}}}
"""  # noqa: E501


def terminals(folder: Path, said: str, text: str = LISTED) -> Api:
    (folder / "api.yaml").write_text(text.replace("AS_SAID", said))
    (folder / "profile.yaml").write_text("api: lab\n")
    return pipeline.dump(pipeline.CompileRequest(folder / "api.yaml"), "flows")


def test_what_people_name_is_looked_up_before_it_is_created_and_has_to_be_new(tmp_path: Path) -> None:
    made = terminals(tmp_path, "ok")
    look, back = step(made, "lab_create_terminal", "read"), step(made, "lab_create_terminal", "read_back")
    (namesake,) = look.branches
    assert namesake["x-switchgear"]["message"] == (
        "There was a terminal of that name before; now there are several: go by the id."
    )
    assert look.operation == "GET /terminals" and "{$inputs.name}" in look.outputs["before"]["selector"]
    new = {"before": "$steps.look.outputs.before", "found": "$steps.change.outputs.created"}
    assert [{name: each[name] for name in new} for each in back.expects if "before" in each] == [new]
    assert not any("before" in each for each in step(made, "lab_create_terminal", "change").expects)


def test_200_beside_201_says_that_it_was_there_where_the_description_says_so(tmp_path: Path) -> None:
    made = terminals(tmp_path, "it exists already")
    (told,) = step(made, "lab_create_terminal", "change").expects
    assert (told["before"], told["found"]) == (200, "$statusCode")


def test_a_list_that_wants_to_be_asked_with_something_is_not_looked_into_before(tmp_path: Path) -> None:
    asks = "    get: {parameters: [{name: q, in: query, required: true, schema: {type: string}}], responses"
    made = terminals(tmp_path, "ok", LISTED.replace("    get: {responses", asks, 1))
    steps = next(each for each in made.flows if each.id == "lab_create_terminal").steps
    assert steps[0].id == "change"
