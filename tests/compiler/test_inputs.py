"""Inputs that can be filled: what is shown, what is said of it, what is accepted and what is refused before anything
is sent. Small descriptions for each kind of composition, the shipped ones for what holds of every workflow."""

from pathlib import Path
from typing import Any

import pytest

from compiler.compiled import Compiled, CompiledWorkflow
from tests.compiler.odd import DONE, THING, answers, asked, compiled, only, sent
from workflow.documents.reader import read_document
from workflow.errors import InputError
from workflow.programs.inputs import validate_inputs
from workflow.programs.program_making import build_program
from workflow.tool import whole_input_schema

Json = Any
TEXT = {"type": "string"}
A, B = {"a": TEXT}, {"b": {"type": "integer"}}


def posted(folder: Path, schema: Json, schemas: Json = None, **more: Json) -> CompiledWorkflow:
    """The workflow of `POST /runs` with a body of this schema."""
    operation = {"summary": "Start a run", "requestBody": sent(schema), "responses": answers(THING), **more}
    return only(compiled(folder, {"/runs": {"post": operation}}, "3.1.0", schemas), "POST /runs")


def takes(one: CompiledWorkflow, inputs: Json) -> bool:
    """Whether a call with these inputs gets past the judge, which is asked before anything is sent."""
    try:
        validate_inputs(build_program(read_document(one.document, "test")), inputs)
    except InputError:
        return False
    return True


def body(*required: str, **members: Json) -> Json:
    return {"type": "object", "properties": members, **({"required": list(required)} if required else {})}


COMPOSED: list[tuple[str, Json, list[Json], list[Json], str]] = [
    (
        "one of two members",
        {**body(**A, **B), "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
        [{"a": "x"}, {"b": 1}, {"a": "x", "b": 1}],
        [{}],
        "at least one of: a; b",
    ),
    (
        "exactly one of two members",
        {**body(**A, **B), "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
        [{"a": "x"}, {"b": 1}],
        [{}, {"a": "x", "b": 1}],
        "exactly one of: a; b",
    ),
    (
        "alternatives with members of their own",
        {"oneOf": [body("a", **A, size={"type": "integer"}), body("b", **B)]},
        [{"a": "x"}, {"a": "x", "size": 2}, {"b": 1}],
        [{}, {"size": 2}, {"a": 1}, {"a": "x", "b": 1}],
        "exactly one of: a; b",
    ),
    (
        "alternatives beside each other, none of which says that it excludes the other",
        {"anyOf": [body("a", **A), body("b", **B)]},
        [{"a": "x"}, {"b": 1}, {"a": "x", "b": 2}],
        [{}, {"b": "x"}],
        "at least one of: a; b",
    ),
    (
        "only together",
        {**body(**A, **B), "dependentRequired": {"a": ["b"]}},
        [{}, {"b": 1}, {"a": "x", "b": 1}],
        [{"a": "x"}],
        "a only together with b",
    ),
    (
        "not together",
        {**body(**A, **B), "not": {"required": ["a", "b"]}},
        [{"a": "x"}, {"b": 1}],
        [{"a": "x", "b": 1}],
        "Not a and b together",
    ),
    (
        "needed by a value of another",
        {
            **body("a", a={"enum": ["file", "none"]}, **B),
            "if": {"properties": {"a": {"const": "file"}}, "required": ["a"]},
            "then": {"required": ["b"]},
        },
        [{"a": "none"}, {"a": "file", "b": 1}],
        [{"a": "file"}],
        "",
    ),
    (
        "choices that are joined",
        {
            "allOf": [
                {**body(**A, **B), "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
                {
                    **body(c=TEXT, d=TEXT),
                    "anyOf": [{"required": ["c"]}, {"required": ["d"]}],
                },
            ]
        },
        [{"a": "x", "c": "y"}, {"b": 1, "d": "y"}],
        [{"a": "x"}, {"c": "y"}, {"a": "x", "b": 1}],
        "at least one of: c; d",
    ),
    (
        "never empty",
        {**body(**A, **B), "minProperties": 1},
        [{"a": "x"}, {"b": 1}],
        [{}],
        "at least one of: a; b",
    ),
    (
        "a member whose type depends on the alternative",
        {"oneOf": [body("v", v={"type": "integer"}), body("v", "b", v=TEXT, **B)]},
        [{"v": 1}, {"v": "x", "b": 1}],
        [{"v": "x"}, {"v": True, "b": 1}],
        "",
    ),
    (
        "a required object of alternatives that is opened",
        body("inner", inner={**body(**A, **B), "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}),
        [{"a": "x"}, {"b": 1}],
        [{}, {"a": "x", "b": 1}],
        "exactly one of: a; b",
    ),
]


@pytest.mark.parametrize(("schema", "right", "wrong", "said"), [c[1:] for c in COMPOSED], ids=[c[0] for c in COMPOSED])
def test_what_holds_between_the_members_of_a_body_is_judged_before_anything_is_sent_and_told(
    schema: Json, right: list[Json], wrong: list[Json], said: str, tmp_path: Path
) -> None:
    one = posted(tmp_path, schema)
    assert one.is_verified
    assert [inputs for inputs in right if not takes(one, inputs)] == []
    assert [inputs for inputs in wrong if takes(one, inputs)] == []
    assert said in one.tool["description"]
    named = {name for inputs in right for name in inputs}
    assert named - {"size"} <= asked(one).keys()  # what is chosen among is shown


def test_versions_of_a_body_that_each_say_otherwise_what_it_needs_are_compiled_and_told_apart(tmp_path: Path) -> None:
    first = {"run": {**body("name", name=TEXT, a=TEXT), "additionalProperties": False}}
    second = {"run": {**body("name", "b", name=TEXT, **B), "additionalProperties": False}}
    one = posted(tmp_path, {"oneOf": [body("run", **first), body("run", **second)]})
    assert one.is_verified
    assert takes(one, {"name": "x", "a": "y"})
    assert takes(one, {"name": "x", "b": 1})
    assert not takes(one, {"name": "x", "a": "y", "b": 1})
    assert not takes(one, {"a": "y"})
    assert one.tool["inputSchema"]["required"] == ["name"]


def test_a_discriminator_asks_for_what_its_value_needs(tmp_path: Path) -> None:
    schemas = {
        "Pet": {
            "oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
            "discriminator": {"propertyName": "kind", "mapping": {"cat": "#/components/schemas/Cat"}},
        },
        "Cat": body("kind", "lives", kind=TEXT, lives={"type": "integer"}),
        "Dog": body("kind", "bark", kind=TEXT, bark=TEXT),
    }
    one = posted(tmp_path, {"$ref": "#/components/schemas/Pet"}, schemas)
    assert takes(one, {"kind": "cat", "lives": 9})
    assert takes(one, {"kind": "Dog", "bark": "loud"})
    assert not takes(one, {"kind": "cat", "bark": "loud"})
    assert not takes(one, {"kind": "cow", "lives": 9, "bark": "loud"})
    assert "with kind=cat lives" in one.tool["description"]


@pytest.mark.parametrize(
    ("schema", "right", "wrong"),
    [
        ({"anyOf": [TEXT, {"type": "integer"}, {"type": "null"}]}, ["x", 1, None], [True, [1], {}]),
        ({"oneOf": [body("a", **A), body("b", **B)]}, [{"a": "x"}, {"b": 1}], [{}, {"a": "x", "b": 1}, "x"]),
        ({"anyOf": [TEXT, {"type": "array", "items": TEXT}]}, ["x", ["x"]], [1, [1]]),
        ({"allOf": [{"$ref": "#/components/schemas/Colour"}], "description": "Which one."}, ["red"], ["blue", {}]),
        ({"oneOf": [{"$ref": "#/components/schemas/Colour"}, {"type": "null"}]}, ["red", None], ["blue"]),
        ({**body(**A, **B), "dependentRequired": {"a": ["b"]}}, [{}, {"b": 1}, {"a": "x", "b": 1}], [{"a": "x"}]),
        ({**body(**A), "patternProperties": {"^x-": TEXT}, "additionalProperties": False}, [{"x-y": "z"}], []),
        ({**body(**A), "additionalProperties": False}, [{"a": "x"}], [{"c": "x"}]),
    ],
)
def test_a_composed_member_takes_each_alternative_and_nothing_else(
    schema: Json, right: list[Json], wrong: list[Json], tmp_path: Path
) -> None:
    one = posted(tmp_path, body(given=schema), {"Colour": {"type": "string", "enum": ["red", "green"]}})
    assert [value for value in right if not takes(one, {"given": value})] == []
    assert [value for value in wrong if takes(one, {"given": value})] == []


def test_each_input_says_what_it_is_in_which_unit_when_it_is_needed_and_shows_the_descriptions_example(
    tmp_path: Path,
) -> None:
    schema = body(
        size={"type": "integer", "description": "How large it becomes. The value is given in bytes."},
        timeoutSeconds={"type": "integer"},
        share={"type": "string", "description": "Where it goes. Long talk. Only valid if mode is remote."},
        zone={"type": "string", "example": "eu-1"},
        mode={"type": "string", "enum": ["local", "remote"], "example": "local"},
    )
    shown = asked(posted(tmp_path, schema))
    assert shown["size"]["description"] == "How large it becomes. In bytes."
    assert shown["timeoutSeconds"]["description"] == "Timeout seconds."
    assert shown["share"]["description"] == "Where it goes. Only valid if mode is remote."
    assert shown["zone"]["examples"] == ["eu-1"]
    assert shown["mode"]["enum"] == ["local", "remote"]
    assert "examples" not in shown["mode"]  # its values say more


def test_of_many_optional_inputs_those_are_shown_that_the_description_itself_uses(tmp_path: Path) -> None:
    members = {f"knob{number:02}": TEXT for number in range(20)}
    schema = {**body(**members), "example": {"knob17": "x"}}
    one = posted(tmp_path, schema, description="Starts one. `knob13` says where.")
    assert {"knob13", "knob17"} <= asked(one).keys()
    assert len(asked(one)) <= 6
    assert "additionalProperties" not in one.tool["inputSchema"]
    assert takes(one, {"knob02": "x"})
    assert not takes(one, {"knob99": "x"})


def test_a_search_shows_the_filters_that_people_use(tmp_path: Path) -> None:
    names = ("status", "fields", "as_of", "expand")
    parameters = [{"name": name, "in": "query", "schema": TEXT} for name in names]
    listed = {"get": {"parameters": parameters, "responses": answers({"type": "array", "items": THING})}}
    one = only(compiled(tmp_path, {"/things": listed}), "GET /things")
    assert list(asked(one)) == ["status"]
    assert "additionalProperties" not in one.tool["inputSchema"]


def test_a_value_that_is_chosen_for_the_caller_does_not_choose_among_alternatives(tmp_path: Path) -> None:
    members = {"a": {**TEXT, "default": "x"}, **B}
    one = posted(tmp_path, {**body(**members), "oneOf": [{"required": ["a"]}, {"required": ["b"]}]})
    assert takes(one, {"b": 1})


def test_a_default_that_does_not_fit_is_not_put_in_for_the_caller(tmp_path: Path) -> None:
    """Kubernetes' `default: {}` of an object that requires members: nobody could leave it out."""
    schemas = {"Spec": body("image", image=TEXT)}
    spec = {"allOf": [{"$ref": "#/components/schemas/Spec"}], "default": {}}
    one = posted(tmp_path, body("name", name=TEXT, spec=spec), schemas)
    assert one.is_verified
    assert takes(one, {"name": "x"})
    assert not takes(one, {"name": "x", "spec": {}})


@pytest.mark.parametrize("name", ["hypercore", "idrac"])
def test_every_input_of_what_is_shipped_can_be_filled(name: str, request: pytest.FixtureRequest) -> None:
    made: Compiled = request.getfixturevalue(name)
    faults = [fault for one in made.workflows for fault in _faults(one)]
    assert faults == []


def _faults(one: CompiledWorkflow) -> list[str]:
    """What is wrong with what is published of the inputs of one workflow."""
    document = read_document(one.document, "test")
    whole, shown = whole_input_schema(document), one.tool["inputSchema"]
    hidden = whole["properties"].keys() - shown["properties"].keys()
    found = [f"{name} is required and not shown" for name in whole.get("required", []) if name in hidden]
    found += [f"{name} says nothing" for name, said in whole["properties"].items() if not said.get("description")]
    if hidden and shown.get("additionalProperties") is False:
        found.append(f"forbids {sorted(hidden)}, which are accepted")
    if not hidden and shown.get("additionalProperties") is not False:
        found.append("seems to take what is refused")
    return [f"{one.flow.id}: {fault}" for fault in found]


def test_a_body_without_anything_in_it_needs_nothing(tmp_path: Path) -> None:
    made = compiled(tmp_path, {"/runs": {"post": {"summary": "Start a run", "responses": DONE}}})
    assert only(made, "POST /runs").tool["inputSchema"]["additionalProperties"] is False
