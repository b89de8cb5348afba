"""The tool that a client sees: small, named from a fixed alphabet, marked by its class of risk."""

from typing import Any

import pytest

from tests.workflow.documents import document, inputs, step, workflow
from workflow.errors import DocumentError
from workflow.tool import told_hints, tool_definition

READ = step("a", "get", "/a")


def of(*steps: dict[str, Any], components: Any = None, **members: Any) -> Any:
    return document(workflow(*steps, **members), components=components or {})


def ours(**members: Any) -> dict[str, Any]:
    return {"x-switchgear": members}


def test_the_schema_shown_holds_what_is_shown_or_required_and_nothing_else() -> None:
    schema = inputs("vm", "size", note={"type": "string"}, rare={"type": "string"})
    tool = tool_definition(of(READ, inputs=schema, **ours(tool={"shown": ["vm", "note"]})))
    assert list(tool.input_schema["properties"]) == ["vm", "size", "note"]
    assert tool.input_schema["required"] == ["vm", "size"]
    assert "additionalProperties" not in tool.input_schema  # `rare` is taken, though it is not shown
    whole = tool_definition(of(READ, inputs=schema))
    assert whole.input_schema["additionalProperties"] is False


def test_components_that_the_schema_needs_come_along() -> None:
    components = {"inputs": {"tree": {"properties": {"child": {"$ref": "#/components/inputs/tree"}}}, "other": {}}}
    tool = tool_definition(of(READ, inputs=inputs(t={"$ref": "#/components/inputs/tree"}), components=components))
    assert tool.input_schema["properties"]["t"] == {"$ref": "#/$defs/tree"}
    assert tool.input_schema["$defs"] == {"tree": {"properties": {"child": {"$ref": "#/$defs/tree"}}}}


@pytest.mark.parametrize(
    ("risk", "hints"),
    [("read", (True, False)), ("change", (False, False)), ("disrupt", (False, True)), ("destroy", (False, True))],
)
def test_annotations_follow_the_class_of_risk(risk: str, hints: tuple[bool, bool]) -> None:
    annotations = tool_definition(of(READ, **ours(risk=risk))).annotations
    assert (annotations["readOnlyHint"], annotations["destructiveHint"]) == hints
    assert annotations["openWorldHint"] is False


def test_without_a_class_only_reads_count_as_reads() -> None:
    assert tool_definition(of(READ)).annotations["readOnlyHint"] is True
    write = tool_definition(of(READ, step("b", "post", "/b"))).annotations
    assert (write["readOnlyHint"], write["destructiveHint"], write["idempotentHint"]) == (False, True, False)
    idempotent = step("b", "post", "/b", **ours(idempotent=True))
    assert tool_definition(of(idempotent)).annotations["idempotentHint"] is True


def test_a_list_tells_no_hint_that_means_nothing_or_goes_without_saying() -> None:
    read, change = tool_definition(of(READ)).to_json(), tool_definition(of(READ, **ours(risk="change"))).to_json()
    again = tool_definition(of(step("b", "put", "/b", **ours(idempotent=True)))).to_json()
    assert told_hints(read) == {"readOnlyHint": True, "openWorldHint": False}
    assert told_hints({**change, "annotations": {**change["annotations"], "idempotentHint": False}}) == {
        "readOnlyHint": False,
        "destructiveHint": False,
        "openWorldHint": False,
    }
    assert told_hints(again) == {
        "readOnlyHint": False,
        "destructiveHint": True,
        "idempotentHint": True,
        "openWorldHint": False,
    }


def test_names_and_texts_have_fallbacks_and_a_fixed_alphabet() -> None:
    tool = tool_definition(of(READ, workflow_id="Über alle*Maße " + "x" * 80, summary="Sums up"))
    assert tool.name.isascii()
    assert len(tool.name) == 64
    assert (tool.title, tool.description) == ("Sums up", "Sums up")
    named = tool_definition(of(READ, **ours(tool={"name": "vm_read", "title": "T", "description": "D"})))
    assert (named.name, named.title, named.description) == ("vm_read", "T", "D")


def test_the_json_form_has_the_names_of_the_protocol() -> None:
    data = tool_definition(of(READ, **ours(outputs={"type": "object"}))).to_json()
    assert list(data) == ["name", "title", "description", "inputSchema", "annotations", "outputSchema"]
    assert "outputSchema" not in tool_definition(of(READ)).to_json()


def test_a_workflow_is_chosen_by_its_id() -> None:
    both = document(workflow(READ), workflow(READ, workflow_id="second"))
    assert tool_definition(both).name == "main"
    assert tool_definition(both, "second").name == "second"
    with pytest.raises(DocumentError, match="third"):
        tool_definition(both, "third")
