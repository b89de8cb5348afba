"""Parameters, bodies and values as vendors write them: every style and media type, and samples that always fit."""

from pathlib import Path
from typing import Any

import pytest

from compiler.frontend.load import load_api
from compiler.passes.names import words
from tests.compiler.odd import DONE, THING, THINGS, all_proved, answers, asked, compiled, given, only, sent
from workflow.tool import hides_inputs

INTEGERS = {"type": "array", "items": {"type": "integer"}, "minItems": 2}
AN_OBJECT = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}}


@pytest.mark.parametrize(
    "parameter",
    [
        given("id", style="label"),
        given("id", style="matrix"),
        given("deep", "query", AN_OBJECT, style="deepObject", explode=True),
        given("form", "query", AN_OBJECT),
        given("list", "query", INTEGERS, explode=False),
        given("pipe", "query", INTEGERS, style="pipeDelimited", explode=False),
        given("space", "query", INTEGERS, style="spaceDelimited", explode=False),
        given("filter[name]", "query"),
        given("X-Thing", "header", AN_OBJECT, explode=True),
        given("X-List", "header", INTEGERS),
        given("From", "header", {"type": "string", "format": "email"}),
        given("flavour", "cookie"),
        given("flavour", "cookie", INTEGERS, explode=False),
    ],
    ids=lambda p: f"{p['in']}-{p['name']}-{p.get('style', '')}",
)
def test_a_required_parameter_of_any_style_is_sent_as_the_twin_reads_it(
    parameter: dict[str, Any], tmp_path: Path
) -> None:
    path = "/things/{id}" if parameter["in"] == "path" else "/things"
    made = compiled(tmp_path, {path: {"get": {"parameters": [parameter], "responses": answers(THING)}}})
    assert all_proved(made)
    assert len(only(made, f"GET {path}").tool["inputSchema"]["required"]) == 1


def test_what_a_lookup_requires_in_its_query_is_given_once_for_all_steps(tmp_path: Path) -> None:
    version = given("api-version", "query")
    item = {"parameters": [given("id"), version], "delete": {"responses": DONE}, "get": {"responses": answers(THING)}}
    listed = {"get": {"parameters": [version], "responses": THINGS}}
    made = compiled(tmp_path, {"/things": listed, "/things/{id}": item})
    assert all_proved(made)
    assert sorted(asked(only(made, "DELETE /things/{id}"))) == ["api_version", "thing"]


@pytest.mark.parametrize(
    ("media_type", "schema", "content_type", "kind"),
    [
        ("text/plain", {"type": "string"}, "text/plain", "text"),
        ("application/xml", THING, "application/xml", "text"),
        ("application/yaml", THING, "application/yaml", "text"),
        ("application/octet-stream", {}, "application/octet-stream", "file"),
        ("*/*", THING, "application/json", "members"),
        ("application/vnd.acme.v2+json", THING, "application/vnd.acme.v2+json", "members"),
        ("application/x-www-form-urlencoded", THING, "application/x-www-form-urlencoded", "members"),
    ],
)
def test_a_body_of_any_media_type_is_given_as_what_it_is(
    media_type: str, schema: Any, content_type: str, kind: str, tmp_path: Path
) -> None:
    made = compiled(tmp_path, {"/do": {"post": {"requestBody": sent(schema, media_type), "responses": DONE}}})
    assert all_proved(made)
    one = only(made, "POST /do")
    assert one.flow.steps[0].content_type == content_type
    is_file = "contentEncoding" in str(asked(one))
    assert {"text": not is_file, "file": is_file, "members": "name" in asked(one)}[kind]


def test_of_several_patches_the_one_that_names_members_is_taken(tmp_path: Path) -> None:
    kinds = ("application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml")
    body = {"content": {kind: {"schema": THING} for kind in kinds}}
    item = {"parameters": [given("id")], "patch": {"requestBody": body, "responses": answers(THING)}}
    made = compiled(tmp_path, {"/things/{id}": item})
    assert only(made, "PATCH /things/{id}").flow.steps[0].content_type == "application/merge-patch+json"


def test_a_list_as_a_body_is_given_as_a_list(tmp_path: Path) -> None:
    bulk = {"requestBody": sent({"type": "array", "items": THING}), "responses": DONE}
    made = compiled(tmp_path, {"/bulk": {"post": bulk}})
    assert all_proved(made)
    shown = asked(only(made, "POST /bulk"))
    assert list(shown) == ["items"]
    assert shown["items"]["items"]["required"] == ["id", "name"]


def test_alternatives_that_begin_with_their_own_union_are_told_apart_by_the_discriminator(tmp_path: Path) -> None:
    refer = {name: {"$ref": f"#/components/schemas/{name}"} for name in ("Pet", "Cat", "Dog")}
    kind = {"kind": {"type": "string"}, "name": {"type": "string"}}
    schemas = {
        "Pet": {
            "type": "object",
            "required": ["kind", "name"],
            "properties": kind,
            "discriminator": {"propertyName": "kind", "mapping": {"cat": "Cat", "dog": "#/components/schemas/Dog"}},
            "oneOf": [refer["Cat"], refer["Dog"]],
        },
        "Cat": {"allOf": [refer["Pet"], {"required": ["claws"], "properties": {"claws": {"type": "boolean"}}}]},
        "Dog": {"allOf": [refer["Pet"], {"properties": {"bark": {"type": "string"}}}]},
    }
    post = {"requestBody": sent(refer["Pet"]), "responses": answers(refer["Pet"], "201")}
    made = compiled(tmp_path, {"/pets": {"post": post}}, schemas=schemas)
    assert all_proved(made)
    assert not any(d.code == "schema-endless" for d in made.diagnostics)
    assert {"bark", "claws", "kind", "name"} == set(asked(only(made, "POST /pets")))


@pytest.mark.parametrize(
    ("member", "becomes"),
    [
        ({"type": "integer", "default": "10"}, {"type": "integer", "default": 10}),
        ({"type": "string", "default": 259200}, {"type": "string", "default": "259200"}),
        ({"type": "boolean", "default": "true"}, {"type": "boolean", "default": True}),
        ({"type": "integer", "default": "ten"}, {"type": "integer"}),
        ({"type": "integer", "minimum": 5, "default": 1}, {"type": "integer", "minimum": 5}),
        ({"type": "string", "format": "duration", "default": "24h"}, {"type": "string", "default": "24h"}),
        ({"type": "string", "enum": [8, 16]}, {"type": "string", "enum": ["8", "16"]}),
        ({"type": "integer", "enum": ["1", 2]}, {"type": "integer", "enum": [1, 2]}),
        ({"type": "string", "enum": ["a"], "default": "b"}, {"type": "string", "enum": ["a"]}),
        ({"type": "integer", "example": "abc"}, {"type": "integer"}),
        ({"type": "string", "default": None}, {"type": "string"}),
        (
            {"type": "array", "items": {"type": "string"}, "enum": ["a", "b"]},
            {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
        ),
    ],
)
def test_a_value_of_another_type_is_brought_to_it_or_left_out(
    member: dict[str, Any], becomes: dict[str, Any], tmp_path: Path
) -> None:
    body = {"type": "object", "properties": {"v": member, "x": {"type": "string"}}}
    made = compiled(tmp_path, {"/do": {"post": {"requestBody": sent(body), "responses": DONE}}})
    assert all_proved(made)
    operation = made.api.operations[0]
    assert operation.body is not None
    assert operation.body.schema["properties"]["v"] == becomes


def test_an_example_that_is_json_in_a_text_ends_nothing(tmp_path: Path) -> None:
    content = {"application/json": {"schema": THING, "example": '{"id": "1", "name": "a"}'}}
    listed = {"200": {"description": "", "content": {"application/json": {"schema": THINGS, "example": "[]"}}}}
    post = {"requestBody": {"content": content}, "responses": DONE}
    assert all_proved(compiled(tmp_path, {"/things": {"get": {"responses": listed}, "post": post}}))


def test_things_that_an_example_calls_alike_are_told_apart_by_the_twin(tmp_path: Path) -> None:
    example = [{"id": "1", "name": "same"}, {"id": "2", "name": "same"}]
    shown = {"schema": {"type": "array", "items": THING}, "example": example}
    listed = {"get": {"responses": {"200": {"description": "", "content": {"application/json": shown}}}}}
    item = {"parameters": [given("id")], "delete": {"responses": DONE}, "get": {"responses": answers(THING)}}
    assert all_proved(compiled(tmp_path, {"/things": listed, "/things/{id}": item}))


def test_a_job_that_names_no_state_of_failure_is_waited_for(tmp_path: Path) -> None:
    state = {"type": "string", "enum": ["queued", "done"]}
    task = {"type": "object", "properties": {"taskId": {"type": "string"}, "state": state}}
    handle = {"type": "object", "properties": {"taskId": {"type": "string"}}}
    poll = {"parameters": [given("taskId")], "get": {"responses": answers(task)}}
    made = compiled(tmp_path, {"/tasks/{taskId}": poll, "/do": {"post": {"responses": answers(handle, "202")}}})
    assert all_proved(made)
    assert len(only(made, "POST /do").flow.steps) == 2


def test_what_only_lacks_a_sample_is_kept_and_that_is_said(tmp_path: Path) -> None:
    never = {"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "not": {"type": "string"}}}}
    made = compiled(tmp_path, {"/do": {"post": {"requestBody": sent(never), "responses": DONE}}})
    one = only(made, "POST /do")
    assert not one.is_verified
    assert one.proof["verified"] is False
    assert one.proof["reason"]
    assert not one.flow.is_core
    assert [d.severity for d in made.diagnostics if d.code == "workflow-unproved"] == ["warning"]


def test_a_tool_that_hides_inputs_does_not_forbid_them(tmp_path: Path) -> None:
    many = {f"member_{number}": {"type": "string"} for number in range(20)}
    bodies = ({"type": "object", "properties": many}, THING)
    paths = {f"/do{n}": {"post": {"requestBody": sent(body), "responses": DONE}} for n, body in enumerate(bodies)}
    made = compiled(tmp_path, paths)
    assert "additionalProperties" not in only(made, "POST /do0").tool["inputSchema"]
    assert only(made, "POST /do1").tool["inputSchema"]["additionalProperties"] is False


def test_control_characters_in_yaml_are_repaired_and_an_error_names_its_line(tmp_path: Path) -> None:
    spec = tmp_path / "api.yaml"
    spec.write_text('openapi: 3.0.3\ninfo:\n  title: "a\x9db"\n  version: "1"\npaths: {/x: {get: {responses: {}}}}\n')
    loaded = load_api(spec)
    assert loaded.api.title == "a b"
    assert any("U+009D" in d.message and "line 3" in d.message for d in loaded.diagnostics)
    spec.write_text("openapi: 3.0.3\ninfo:\n  title: a\n version: b\n")
    with pytest.raises(Exception, match="line 4"):
        load_api(spec)


@pytest.mark.parametrize("explode", [False, True])
@pytest.mark.parametrize("style", ["simple", "label", "matrix"])
@pytest.mark.parametrize("schema", [INTEGERS, AN_OBJECT], ids=["list", "object"])
def test_a_list_or_an_object_in_a_path_is_proved_in_each_style(
    schema: Any, style: str, explode: bool, tmp_path: Path
) -> None:
    parameter = given("id", schema=schema, style=style, explode=explode)
    made = compiled(tmp_path, {"/things/{id}": {"get": {"parameters": [parameter], "responses": answers(THING)}}})
    assert all_proved(made)


@pytest.mark.parametrize("media_type", ["multipart/mixed", "multipart/related", "multipart/form-data"])
def test_an_object_is_sent_as_the_parts_of_any_multipart_body(media_type: str, tmp_path: Path) -> None:
    file = {"type": "string", "format": "binary"}
    schema = {"type": "object", "required": ["meta", "file"], "properties": {"meta": AN_OBJECT, "file": file}}
    operation = {"requestBody": sent(schema, media_type), "responses": answers(THING)}
    made = compiled(tmp_path, {"/uploads": {"post": operation}})
    assert all_proved(made)
    (step,) = only(made, "POST /uploads").document["workflows"][0]["steps"]
    assert step["requestBody"]["contentType"] == media_type


def test_a_form_changes_what_is_there_and_is_read_back(tmp_path: Path) -> None:
    form = sent(THING, "application/x-www-form-urlencoded")
    item = {"parameters": [given("id")], "get": {"responses": answers(THING)}}
    patch = {"patch": {"requestBody": form, "responses": answers(THING)}}
    made = compiled(tmp_path, {"/things": {"get": {"responses": THINGS}}, "/things/{id}": {**item, **patch}})
    assert all_proved(made)
    assert any(step.expects for step in only(made, "PATCH /things/{id}").flow.steps)


def test_a_member_of_which_nothing_is_said_but_that_it_may_be_there_is_given(tmp_path: Path) -> None:
    schema = {"type": "object", "required": ["a"], "properties": {"a": True, "b": False}}
    made = compiled(tmp_path, {"/t": {"post": {"requestBody": sent(schema), "responses": DONE}}}, "3.1.0")
    assert all_proved(made)
    assert list(asked(only(made, "POST /t"))) == ["a"]


def test_a_reply_that_says_of_itself_that_it_worked_says_so_on_the_twin(tmp_path: Path) -> None:
    worked = {"type": "object", "properties": {"success": {"type": "boolean"}}}
    item = {"parameters": [given("id")], "get": {"responses": answers(THING)}, "delete": {"responses": answers(worked)}}
    made = compiled(tmp_path, {"/things": {"get": {"responses": THINGS}}, "/things/{id}": item})
    assert all_proved(made)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "minLength": 2_000_000_000},
        {"type": "array", "items": {"type": "string"}, "minItems": 1_000_000_000},
        {
            "type": "array",
            "minItems": 5_000,
            "items": {"type": "array", "minItems": 5_000, "items": {"type": "string"}},
        },
        {"type": "object", "minProperties": 1_000_000_000},
    ],
)
def test_a_sample_is_bounded_whatever_length_is_asked_for(schema: Any, tmp_path: Path) -> None:
    """Unbounded, each of these takes gigabytes: this ends, and what cannot be shown is kept with that said."""
    needed = {"type": "object", "required": ["a"], "properties": {"a": schema}}
    made = compiled(tmp_path, {"/t": {"post": {"requestBody": sent(needed), "responses": DONE}}})
    assert [one.is_verified for one in made.workflows] == [False]
    assert any(found.code == "workflow-unproved" for found in made.diagnostics)


def test_a_parameter_that_takes_one_value_alone_is_sent_and_not_asked_for(tmp_path: Path) -> None:
    """Vaults list by `GET /roles/?list=true`."""
    told = given("list", "query", {"type": "string", "enum": ["true"]})
    one = only(compiled(tmp_path, {"/roles/": {"get": {"parameters": [told], "responses": THINGS}}}), "GET /roles/")
    assert asked(one) == {}
    assert one.document["workflows"][0]["steps"][0]["parameters"] == [{"name": "list", "in": "query", "value": "true"}]
    assert one.is_verified


def test_a_member_of_a_member_is_told_apart_by_its_owners_word(tmp_path: Path) -> None:
    """The `name` of a port, and that of the device that it is in."""
    device = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
    port = {
        "type": "object",
        "required": ["device", "name"],
        "properties": {"device": device, "name": {"type": "string"}},
    }
    made = compiled(tmp_path, {"/ports": {"post": {"requestBody": sent(port), "responses": DONE}}})
    (one,) = made.workflows
    assert list(asked(one)) == ["device_name", "name"]
    body = one.document["workflows"][0]["steps"][0]["requestBody"]["payload"]
    assert body == {"device": {"name": "$inputs.device_name"}, "name": "$inputs.name"}


def test_what_has_no_name_is_found_by_the_member_that_is_called_like_it(tmp_path: Path) -> None:
    """An IP address is known by its address."""
    held = {"type": "object", "properties": {"id": {"type": "integer"}, "address": {"type": "string"}}}
    read = {"parameters": [given("id")], "get": {"responses": answers(held)}}
    listed = {"get": {"responses": answers({"type": "array", "items": held})}}
    one = only(compiled(tmp_path, {"/ip-addresses": listed, "/ip-addresses/{id}": read}), "GET /ip-addresses/{id}")
    assert asked(one)["ip_address"]["description"] == "Address or id of the IP address."


def test_a_body_of_little_but_objects_shows_them_in_outline(tmp_path: Path) -> None:
    """`metadata` and `spec`: what they hold stands in the whole schema, to which the tool leads."""
    wide = {"type": "object", "properties": {f"member_{n}": {"type": "string"} for n in range(30)}}
    pod = {"type": "object", "properties": {"kind": {"type": "string"}, "spec": wide, "status": wide}}
    one = compiled(tmp_path, {"/pods": {"post": {"requestBody": sent(pod), "responses": DONE}}}).workflows[0]
    assert asked(one)["spec"] == {"type": "object", "description": "Spec."}
    assert "status" not in asked(one)
    assert hides_inputs(one.document, one.tool)


def test_an_inventory_has_nothing_of_others(tmp_path: Path) -> None:
    """`/servers/log` is about all servers, `/servers/{id}/log` about one."""
    below = {
        f"/servers/{{id}}/{noun}": {"parameters": [given("id")], "get": {"responses": THINGS}}
        for noun in ("disks", "nics")
    }
    paths = {
        "/servers": {"get": {"responses": THINGS}},
        "/servers/events": {"get": {"responses": THINGS}},
        "/servers/{id}": {"parameters": [given("id")], "get": {"responses": answers(THING)}},
    }
    made = compiled(tmp_path, {**paths, **below})
    (told,) = [one.flow for one in made.workflows if one.flow.title.startswith("Inventory")]
    assert "GET /servers/events" not in {step.operation for step in told.steps}


def test_a_schema_that_can_be_read_is_called_one_and_acronyms_keep_their_plural(tmp_path: Path) -> None:
    thing = answers({"type": "object", "properties": {"properties": {"type": "object"}}})
    made = compiled(tmp_path, {"/schemas/image": {"get": {"responses": thing}}})
    assert made.workflows[0].flow.title == "Get image schema"
    assert words.split("LDAPs") == ("ldaps",) and words.spoken("LDAPs") == "LDAPs"
