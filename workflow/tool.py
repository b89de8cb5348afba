"""The tool that a client sees for a workflow, made from the document alone.

Here lives the cut of the input schema to what is shown and the annotations by class of risk (MCP, `ToolAnnotations`).
Here never lives serving (see `runtime`). Text comes from `x-switchgear.tool`; a document written by people falls back
on its own summary. Validation of a call never uses this schema but the workflow's full one (see `inputs`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from workflow.brief import brief, shows_less
from workflow.documents.document import Document, Json, Step, Workflow, ours
from workflow.documents.operations import SAFE_METHODS
from workflow.errors import DocumentError
from workflow.programs.inputs import followed
from workflow.visible import visible, visible_schema

NAME_LENGTH = 64  # what MCP clients accept for a tool's name
_BETWEEN = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas")
MOST_TITLE = 200  # characters; it is a line in a list
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")
_SAFE_METHODS = tuple(f"/{method.lower()}" for method in SAFE_METHODS)  # as operationPath ends in them


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """`annotations` holds readOnlyHint, destructiveHint, idempotentHint and openWorldHint."""

    name: str
    title: str
    description: str
    input_schema: Mapping[str, Json]
    output_schema: Mapping[str, Json] | None
    annotations: Mapping[str, bool]

    def to_json(self) -> dict[str, Json]:
        """The members by MCP's names; `outputSchema` is left out where there is none."""
        data: dict[str, Json] = {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": dict(self.input_schema),
            "annotations": dict(self.annotations),
        }
        if self.output_schema is not None:
            data["outputSchema"] = dict(self.output_schema)
        return data


def tool_definition(document: Document, workflow_id: str | None = None) -> ToolDefinition:
    """The tool of the first workflow, or of the one named. Raises DocumentError if there is no such workflow."""
    workflow = document.workflow(workflow_id) if workflow_id else document.workflows[0]
    if workflow is None:
        raise DocumentError(f"there is no workflow {workflow_id}; name one of the document's", pointer="/workflows")
    tool = ours(workflow).get("tool") or {}
    name = _NOT_IN_NAMES.sub("_", tool.get("name") or workflow.workflow_id)[:NAME_LENGTH]
    title = tool.get("title") or workflow.summary or workflow.workflow_id
    return ToolDefinition(
        name=name,
        title=visible(str(title), MOST_TITLE),
        description=visible(str(tool.get("description") or workflow.description or title)),
        input_schema=_shown_inputs(document, workflow, tool.get("shown")),
        output_schema=_shown_outputs(ours(workflow).get("outputs")),
        annotations=_annotations(workflow),
    )


def whole_input_schema(document: Document, workflow_id: str | None = None) -> dict[str, Json]:
    """What calls are validated with, in the form in which a tool shows a part of it.

    Raises DocumentError if there is no such workflow.
    """
    workflow = document.workflow(workflow_id) if workflow_id else document.workflows[0]
    if workflow is None:
        raise DocumentError(f"there is no workflow {workflow_id}; name one of the document's", pointer="/workflows")
    return _shown_inputs(document, workflow, None)


def input_names(document: Json) -> frozenset[str]:
    """What the first workflow of `document` takes, also what its tool does not show."""
    return frozenset(_taken(document))


def _taken(document: Json) -> Mapping[str, Json]:
    declared = document["workflows"][0].get("inputs")
    components = document.get("components", {}).get("inputs", {})
    schema = followed(declared, components) if isinstance(declared, Mapping) else {}
    return schema.get("properties") or {}


def hides_inputs(document: Json, tool: Mapping[str, Json]) -> bool:
    """Whether the first workflow of `document` takes inputs, or members of them, that its tool does not show."""
    shown, taken = tool["inputSchema"].get("properties") or {}, _taken(document)
    return len(taken) > len(shown) or any(shows_less(one, taken.get(name, {})) for name, one in shown.items())


def told_hints(tool: Mapping[str, Json]) -> dict[str, bool]:
    """Of a tool's annotations what a list has to tell: not what means nothing, or is taken for granted without it.

    Whether a tool destroys or may be repeated means something only of one that changes (MCP, `ToolAnnotations`).
    """
    hints = dict(tool.get("annotations") or {})
    if hints.get("readOnlyHint"):
        hints.pop("destructiveHint", None)
    if hints.get("readOnlyHint") or not hints.get("idempotentHint"):
        hints.pop("idempotentHint", None)
    return hints


def call_properties(tool: Mapping[str, Json], names: frozenset[str]) -> dict[str, Json]:
    """What a tool takes besides its inputs, which are called `names`: of a read what is to be shown of it, of others
    that they are planned and confirmed.

    Each costs some tokens in every list, so they have no text (the server's instructions have it), and only one that
    asks by default shows how a plan is confirmed.
    """
    hints = tool.get("annotations", {})
    if hints.get("readOnlyHint"):
        return {free_name("select", names): {"type": "string"}, free_name("where", names): {"type": "object"}}
    shown: dict[str, Json] = {free_name("plan", names): {"type": "boolean"}}
    if hints.get("destructiveHint"):
        shown[free_name("plan_id", names)] = {"type": "string"}
    return shown


def free_name(name: str, taken: frozenset[str]) -> str:
    """`name`, or another one where a workflow's own input is called so."""
    return f"switchgear_{name}" if name in taken else name


def _shown_inputs(document: Document, workflow: Workflow, shown: Json) -> dict[str, Json]:
    """Only what is shown or required; the components that remain referenced come along under `$defs`."""
    declared = workflow.inputs if isinstance(workflow.inputs, Mapping) else {}
    schema = followed(declared, document.components.inputs)
    properties = schema.get("properties") or {}
    required = [name for name in schema.get("required") or [] if name in properties]
    names = [name for name in properties if shown is None or name in shown or name in required]
    written = {
        name: properties[name] if shown is None else brief(properties[name], is_required=name in required)
        for name in names
    }
    cut: dict[str, Json] = {"type": "object", "properties": written}
    if required:
        cut["required"] = required
    if len(names) == len(properties):  # else more is accepted than is shown
        cut["additionalProperties"] = False
    if shown is None:  # a tool's own text says it, since clients refuse schemas that choose at the top
        cut |= {word: schema[word] for word in _BETWEEN if word in schema}
    return dict(visible_schema(_with_definitions(cut, document.components.inputs)))


def _shown_outputs(declared: Json) -> Mapping[str, Json] | None:
    """The schema of what is given out, None where nothing is: it would only cost tokens."""
    if isinstance(declared, Mapping) and declared.keys() == {"type", "properties"} and not declared["properties"]:
        return None
    shown: Mapping[str, Json] | None = visible_schema(declared)
    return shown


def _with_definitions(schema: dict[str, Json], components: Mapping[str, Json]) -> dict[str, Json]:
    used: dict[str, Json] = {}
    moved: dict[str, Json] = _moved(schema, components, used)
    return {**moved, "$defs": {name: used[name] for name in sorted(used)}} if used else moved


def _moved(value: Json, components: Mapping[str, Json], used: dict[str, Json]) -> Json:
    """`value` with references to components pointing into `$defs`; fills `used` with what they name."""
    if isinstance(value, list):
        return [_moved(item, components, used) for item in value]
    if not isinstance(value, Mapping):
        return value
    name = str(value.get("$ref", "")).removeprefix("#/components/inputs/")
    if name in components and name not in used:
        used[name] = {}
        used[name] = _moved(components[name], components, used)
    if name in components:
        return {**value, "$ref": f"#/$defs/{name}"}
    return {key: _moved(item, components, used) for key, item in value.items()}


def _annotations(workflow: Workflow) -> dict[str, bool]:
    """Without a declared class only a workflow of nothing but GET, HEAD, OPTIONS and QUERY counts as a read.

    That nothing changes is promised where each step is safe by its method, or by what the profile says of it, alone.
    """
    all_read = all(_is_read(step) for step in workflow.steps)
    risk = ours(workflow).get("risk") or ("read" if all_read else "destroy")
    return {
        "readOnlyHint": risk == "read" and all(_is_safe(step) for step in workflow.steps),
        "destructiveHint": risk in ("disrupt", "destroy"),
        "idempotentHint": all(_is_read(step) or ours(step).get("idempotent") is True for step in workflow.steps),
        "openWorldHint": False,
    }


def _is_read(step: Step) -> bool:
    effect = ours(step).get("effect")
    return effect == "read" if effect else _has_safe_method(step)


def _is_safe(step: Step) -> bool:
    return ours(step).get("safe") is True or (_is_read(step) and (not step.operation_path or _has_safe_method(step)))


def _has_safe_method(step: Step) -> bool:
    return bool(step.operation_path and step.operation_path.endswith(_SAFE_METHODS))
