"""Whether requests fit their operations and outputs exist in the declared replies."""

from typing import Any

import pytest

from tests.workflow.documents import document, inputs, parameter, step, workflow
from workflow.checking.checks import check
from workflow.documents.operations import OperationFacts, OperationIndex, ParameterFacts

STRING, INTEGER = {"type": "string"}, {"type": "integer"}
VM = {
    "type": "object",
    "properties": {
        "uuid": STRING,
        "mem": INTEGER,
        "tags": {"type": "array", "items": STRING},
        "parent": {"$ref": "#/components/schemas/VM"},
        "any": {},
        "state": {"type": "string", "enum": ["ON", "OFF"]},
    },
}
NEW = {
    "allOf": [{"$ref": "#/components/schemas/VM"}, {"required": ["uuid"]}],
    "properties": {"extra": {"type": "object", "properties": {"a": INTEGER}, "additionalProperties": False}},
    "required": ["mem"],
}
INDEX = OperationIndex(
    [
        OperationFacts(
            "GET",
            "/vms",
            "listVms",
            parameters=(
                ParameterFacts("size", "query", True, INTEGER),
                ParameterFacts("X-Tenant", "header", True, STRING),
                ParameterFacts("ids", "query", False, {"type": "array", "items": STRING}),
            ),
            response_schemas={"200": {"type": "array", "items": {"$ref": "#/components/schemas/VM"}}, "404": STRING},
        ),
        OperationFacts(
            "POST",
            "/vms",
            "makeVm",
            body_required=True,
            body_schema={"$ref": "#/components/schemas/New"},
            response_schemas={"201": {}},
        ),
        OperationFacts("PATCH", "/vms", "patchVm", body_schema={"$ref": "#/components/schemas/New"}),
    ],
    {"VM": VM, "New": NEW},
)
GIVEN = [parameter("size", "query", 5), parameter("x-tenant", "header", "t")]


def found(*steps: dict[str, Any], severity: str = "error", **members: Any) -> dict[str, str]:
    findings = check(document(workflow(*steps, **members)), INDEX)
    return {each.code: each.pointer for each in findings if each.severity == severity}


def listed(**members: Any) -> dict[str, Any]:
    return step("list", "get", "/vms", **{"parameters": GIVEN, **members})


def made(payload: Any, method: str = "post") -> dict[str, Any]:
    return step("make", method, "/vms", requestBody={"payload": payload})


def test_a_request_that_gives_all_that_is_required_has_no_findings() -> None:
    outputs = {
        "id": "$response.body#/0/uuid",
        "up": "$response.body#/0/parent/parent/mem",
        "any": "$response.body#/0/any/x",
    }
    outputs |= {"tag": {"context": "$response.body", "selector": "$[?@.uuid == 'a'].tags[0]", "type": "jsonpath"}}
    assert (
        check(document(workflow(listed(outputs=outputs), made({"uuid": "$steps.list.outputs.id", "mem": 4}))), INDEX)
        == ()
    )


@pytest.mark.parametrize("left", [0, 1])
def test_a_required_parameter_that_is_not_bound_is_found(left: int) -> None:
    assert found(listed(parameters=GIVEN[left : left + 1])) == {"unbound_parameter": "/workflows/0/steps/0"}


def test_a_required_value_bound_to_an_optional_input_is_found_unless_it_has_a_default() -> None:
    bound = [parameter("size", "query", "$inputs.n"), GIVEN[1]]
    assert found(listed(parameters=bound), inputs=inputs(n=INTEGER)) == {
        "optional_for_required": "/workflows/0/steps/0"
    }
    assert found(listed(parameters=bound), inputs=inputs(n={**INTEGER, "default": 3})) == {}
    assert found(listed(parameters=bound), inputs=inputs("n", n=INTEGER)) == {}
    body = made({"uuid": "$inputs.n", "mem": 1})
    assert "optional_for_required" in found(body, inputs=inputs(n=STRING))
    assert "optional_for_required" in found(made("$inputs.n"), inputs=inputs(n={"type": "object"}))


def test_an_undeclared_query_parameter_is_a_warning() -> None:
    bound = [*GIVEN, parameter("expand", "query", "."), parameter("If-Match", "header", "x")]
    assert found(listed(parameters=bound)) == {}
    assert found(listed(parameters=bound), severity="warning") == {"undeclared_parameter": "/workflows/0/steps/0"}


def test_a_parameter_of_another_type_is_a_warning_and_an_object_for_a_scalar_a_fault() -> None:
    text = [parameter("size", "query", "$inputs.n"), GIVEN[1]]
    assert found(listed(parameters=text), inputs=inputs("n"), severity="warning") == {
        "type_mismatch": "/workflows/0/steps/0"
    }
    assert "type_mismatch" in found(listed(parameters=text), inputs=inputs("n", n={"type": "array"}))


@pytest.mark.parametrize(
    ("payload", "code", "pointer"),
    [
        ({"mem": 4}, "unbound_member", ""),
        ({"uuid": "u"}, "unbound_member", ""),
        ({"uuid": 4, "mem": 4}, "type_mismatch", "/uuid"),
        ({"uuid": "$inputs.n", "mem": 4}, "type_mismatch", "/uuid"),
        ({"uuid": "u", "mem": "{$inputs.n}"}, "type_mismatch", "/mem"),
        ({"uuid": "u", "mem": "$steps.list.outputs.id"}, "type_mismatch", "/mem"),
        ({"uuid": "u", "mem": 4, "tags": ["$inputs.n"]}, "type_mismatch", "/tags/0"),
        ({"uuid": "u", "mem": 4, "tags": {}}, "type_mismatch", "/tags"),
        ({"uuid": "u", "mem": 4, "state": "HALF"}, "not_in_enum", "/state"),
        ({"uuid": "u", "mem": 4, "extra": {"b": "$inputs.n"}}, "undeclared_member", "/extra/b"),
        ({"uuid": "u", "mem": 4, "extra": {"b": 1}}, "undeclared_member", "/extra/b"),
        (["u"], "type_mismatch", ""),
    ],
)
def test_a_body_that_does_not_fit_is_found_where_it_does_not(payload: Any, code: str, pointer: str) -> None:
    schema = {"allOf": [{"type": "object"}, {"$ref": "#/components/schemas/New"}], **NEW, "type": "object"}
    index = OperationIndex(
        [INDEX.by_key("GET /vms"), OperationFacts("POST", "/vms", body_schema=schema)],  # type: ignore[list-item]
        INDEX.schemas,
    )
    steps = listed(outputs={"id": "$response.body#/0/uuid"}), made(payload)
    findings = check(document(workflow(*steps, inputs=inputs("n", n=INTEGER))), index)
    errors = {each.code: each.pointer for each in findings if each.severity == "error"}
    assert errors.get(code) == f"/workflows/0/steps/1/requestBody/payload{pointer}"


def test_an_undeclared_member_of_an_open_object_is_a_warning() -> None:
    body = made({"uuid": "u", "mem": 4, "colour": "red"})
    assert found(body) == {}
    assert list(found(body, severity="warning")) == ["undeclared_member"]


def test_what_is_required_and_only_shown_need_not_be_sent() -> None:
    shown = {"type": "string", "readOnly": True}
    schema = {"type": "object", "required": ["id", "name"], "properties": {"id": shown, "name": STRING}}
    index = OperationIndex([OperationFacts("POST", "/vms", body_schema=schema)], INDEX.schemas)
    for payload, codes in (({"name": "web"}, []), ({"id": "1"}, ["unbound_member"])):
        findings = check(document(workflow(made(payload))), index)
        assert [each.code for each in findings if each.severity == "error"] == codes


def test_a_patch_need_not_give_all_members() -> None:
    assert found(made({"mem": 4}, "patch")) == {}


def test_a_required_body_must_be_there() -> None:
    assert found(step("make", "post", "/vms")) == {"unbound_body": "/workflows/0/steps/0"}


@pytest.mark.parametrize(
    ("output", "is_declared"),
    [
        ("$response.body", True),
        ("$response.body#/0/uuid", True),
        ("$response.body#/0/nope", False),
        ("$response.body#/uuid", False),
        ("$response.body#/0/tags/0/x", False),
        ("$response.header.X-Any", True),
        ({"context": "$response.body", "selector": "$[0].uuid", "type": "jsonpath"}, True),
        ({"context": "$response.body", "selector": "$[*].nope", "type": "jsonpath"}, False),
        ({"context": "$response.body", "selector": "$..nope", "type": "jsonpath"}, True),
        ({"context": "$response.body", "selector": "$[0]['{$inputs.n}']", "type": "jsonpath"}, True),
    ],
)
def test_an_output_must_exist_in_the_declared_reply(output: Any, is_declared: bool) -> None:
    errors = found(listed(outputs={"x": output}), inputs=inputs("n"))
    assert errors == ({} if is_declared else {"undeclared_output": "/workflows/0/steps/0/outputs/x"})


def test_a_reply_of_which_nothing_is_declared_may_hold_anything() -> None:
    body = {**made({"uuid": "u", "mem": 4}), "outputs": {"x": "$response.body#/a/b"}}
    assert found(body) == {}


def test_an_operation_that_the_api_does_not_have_is_found() -> None:
    assert found(step("x", "get", "/nope")) == {"unknown_operation": "/workflows/0/steps/0/operationPath"}
    assert found({"stepId": "x", "operationId": "nope"}) == {"unknown_operation": "/workflows/0/steps/0/operationId"}
    assert found({"stepId": "x", "operationId": "$sourceDescriptions.api.listVms", "parameters": GIVEN}) == {}
