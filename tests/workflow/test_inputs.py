"""Inputs: judged before anything is sent, with defaults, without fetching, hanging or repeating a value."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.waiting import MOST_CPU_S
from tests.workflow.documents import document, inputs, program, step, workflow
from workflow.errors import DocumentError, InputError
from workflow.programs.inputs import validate_inputs
from workflow.programs.program_making import Program, build_program

STEP = step("a", "get", "/a")


def taking(schema: Any, **components: Any) -> Program:
    return build_program(document(workflow(STEP, inputs=schema), components={"inputs": components}))


def test_inputs_that_fit_come_back_with_defaults_also_inside_objects() -> None:
    size = {"type": "object", "properties": {"cpu": {"type": "integer", "default": 2}, "mem": {"type": "integer"}}}
    made = taking(inputs("vm", size=size, note={"type": "string", "default": "-"}))
    given_inputs = {"vm": "x", "size": {"mem": 4}}
    assert validate_inputs(made, given_inputs) == {"vm": "x", "size": {"mem": 4, "cpu": 2}, "note": "-"}
    assert given_inputs == {"vm": "x", "size": {"mem": 4}}


@pytest.mark.parametrize(
    ("given_inputs", "pointer"),
    [({}, "/vm"), ({"vm": 5}, "/vm"), ({"vm": "x", "a/b": 1}, "/a~1b"), ({"vm": "x", "list": [1, "2"]}, "/list/1")],
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
        validate_inputs(program(STEP), {"vm": "x"})
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


@pytest.mark.parametrize("pattern", ["(?=.*y$)^x+$", r"^(x+)+\1y$", "^(?!y)(x|xx)+z$"])
def test_a_pattern_that_nothing_runs_in_linear_time_is_told_and_not_enforced(pattern: str) -> None:
    made = taking(inputs("note", note={"type": "string", "maxLength": 50_000, "pattern": pattern}))
    assert made.main.inputs.unenforced == (pattern,)
    started = time.process_time()
    assert validate_inputs(made, {"note": "x" * 40_000})
    assert time.process_time() - started < MOST_CPU_S
    with pytest.raises(InputError):
        validate_inputs(made, {"note": "x" * 60_000})


def test_patterns_in_names_data_and_members_called_so_are_told_apart() -> None:
    odd = "(?=a)"
    named = {"type": "object", "patternProperties": {odd: {"type": "integer"}, "^b": {"type": "integer"}}}
    member = {"type": "object", "properties": {"pattern": {"type": "string", "enum": [odd]}}}
    made = taking(inputs(named=named, member=member, said={"const": {"pattern": odd}}))
    assert made.main.inputs.unenforced == (odd,)
    assert validate_inputs(made, {"named": {"a": "x", "b": 1}, "member": {"pattern": odd}, "said": {"pattern": odd}})
    with pytest.raises(InputError):
        validate_inputs(made, {"named": {"b": "x"}})
    with pytest.raises(InputError):
        validate_inputs(made, {"said": {}})


def test_what_was_judged_elsewhere_is_not_judged_again() -> None:
    made = taking(inputs("vm", vm={"type": "string", "maxLength": 3}, size={"type": "integer", "default": 1}))
    with pytest.raises(InputError):
        validate_inputs(made, {"vm": "long-one"})
    made.main.inputs.vouch(made.main.inputs.completed({"vm": "long-one"}))
    assert validate_inputs(made, {"vm": "long-one"}) == {"vm": "long-one", "size": 1}
    with pytest.raises(InputError):
        validate_inputs(made, {"vm": "another"})


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
