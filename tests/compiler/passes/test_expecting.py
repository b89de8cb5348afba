"""What a workflow expects of its changes: what was asked for, and nothing that only came along."""

from pathlib import Path
from typing import Any

import pytest

from compiler import pipeline
from compiler.ir.model import Api, Step

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
    return pipeline.dump(pipeline.Request(tmp_path / "api.yaml"), "flows")


def step(api: Api, flow: str, role: str) -> Step:
    steps = next(each for each in api.flows if each.id == flow).steps
    return next(each for each in steps if each.role.value == role)


def expected(made: Step) -> dict[str, Any]:
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
