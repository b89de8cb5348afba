"""Inputs: judged before anything is sent, with defaults, without fetching, hanging or repeating a value."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.waiting import MOST_CPU_S
from tests.workflow.documents import document, inputs, plan, step, workflow
from workflow.errors import DocumentError, InputError
from workflow.inputs import validate_inputs
from workflow.plan import Plan, build_plan

STEP = step("a", "get", "/a")


def taking(schema: Any, **components: Any) -> Plan:
    return build_plan(document(workflow(STEP, inputs=schema), components={"inputs": components}))


def test_inputs_that_fit_come_back_with_defaults_also_inside_objects() -> None:
    size = {"type": "object", "properties": {"cpu": {"type": "integer", "default": 2}, "mem": {"type": "integer"}}}
    made = taking(inputs("vm", size=size, note={"type": "string", "default": "-"}))
    given_inputs = {"vm": "x", "size": {"mem": 4}}
    assert validate_inputs(made, given_inputs) == {"vm": "x", "size": {"mem": 4, "cpu": 2}, "note": "-"}
    assert given_inputs == {"vm": "x", "size": {"mem": 4}}


@pytest.mark.parametrize(
    ("given_inputs", "pointer"),
    [({}, ""), ({"vm": 5}, "/vm"), ({"vm": "x", "a/b": 1}, "/a~1b"), ({"vm": "x", "list": [1, "2"]}, "/list/1")],
)
def test_inputs_that_do_not_fit_are_refused_where_they_do_not(given_inputs: Any, pointer: str) -> None:
    made = taking(inputs("vm", list={"type": "array", "items": {"type": "integer"}}))
    with pytest.raises(InputError) as caught:
        validate_inputs(made, given_inputs)
    assert caught.value.pointer == pointer


def test_inputs_that_the_schema_does_not_name_are_refused_unless_it_says_otherwise() -> None:
    with pytest.raises(InputError, match="known are vm"):
        validate_inputs(taking(inputs("vm")), {"vm": "x", "VM": "y"})
    with pytest.raises(InputError, match="known are none"):
        validate_inputs(plan(STEP), {"vm": "x"})
    open_schema = {**inputs("vm"), "additionalProperties": True}
    assert validate_inputs(taking(open_schema), {"vm": "x", "more": 1}) == {"vm": "x", "more": 1}


def test_schemas_of_the_components_are_followed() -> None:
    thing = inputs("vm", size={"$ref": "#/components/inputs/size"})
    shared = {"thing": thing, "size": {"type": "integer", "default": 3}}
    made = taking({"$ref": "#/components/inputs/thing"}, **shared)
    assert validate_inputs(made, {"vm": "x"}) == {"vm": "x", "size": 3}
    with pytest.raises(InputError):
        validate_inputs(made, {"vm": "x", "size": "big"})


def test_a_refusal_never_repeats_the_value() -> None:
    made = taking(inputs("password", password={"type": "string", "maxLength": 3}))
    with pytest.raises(InputError) as caught:
        validate_inputs(made, {"password": "hunter2-secret"})
    assert "hunter2" not in str(caught.value)
    assert caught.value.pointer == "/password"


@pytest.mark.parametrize("reference", ["https://example.com/s.json", "file:///etc/passwd", "other.yaml#/x"])
def test_nothing_outside_of_the_document_is_fetched_for_a_schema(reference: str) -> None:
    with pytest.raises(DocumentError, match="input schema"):
        taking({"$ref": reference})


def test_a_pattern_of_a_schema_cannot_hang() -> None:
    made = taking(inputs("vm", vm={"type": "string", "pattern": "^(a+)+$"}))
    started = time.process_time()
    with pytest.raises(InputError):
        validate_inputs(made, {"vm": "a" * 5_000 + "!"})
    assert time.process_time() - started < MOST_CPU_S


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", {1, 2}, b"x"])
def test_what_is_no_json_is_refused(value: Any) -> None:
    with pytest.raises(InputError, match="no JSON"):
        validate_inputs(taking(inputs(vm={})), {"vm": value})


@given(st.dictionaries(st.text(), st.one_of(st.none(), st.text(), st.integers(), st.floats())))
def test_any_inputs_are_taken_or_refused_with_an_input_error(given_inputs: dict[str, Any]) -> None:
    try:
        assert validate_inputs(TAKES_ONE, given_inputs).keys() <= {"vm"}
    except InputError as error:
        assert error.message


TAKES_ONE = taking(inputs(vm={"type": "string"}))
