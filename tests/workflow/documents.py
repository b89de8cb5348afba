"""Documents that the tests run: short ways to write workflows."""

from collections.abc import Mapping, Sequence
from typing import Any

from workflow.documents.document import Document
from workflow.documents.reader import read_document
from workflow.programs.program_making import Program, build_program

Json = Any


def step(step_id: str, method: str = "get", path: str = "/things", **members: Json) -> dict[str, Json]:
    """A step that calls `METHOD path` of the source `api`."""
    pointer = path.replace("~", "~0").replace("/", "~1")
    target = f"{{$sourceDescriptions.api.url}}#/paths/{pointer}/{method}"
    return {"stepId": step_id, "operationPath": target, **members}


def parameter(name: str, location: str, value: Json) -> dict[str, Json]:
    return {"name": name, "in": location, "value": value}


def workflow(*steps: Mapping[str, Json], workflow_id: str = "main", **members: Json) -> dict[str, Json]:
    return {"workflowId": workflow_id, "steps": list(steps), **members}


def raw(*workflows: Mapping[str, Json], **members: Json) -> dict[str, Json]:
    return {
        "arazzo": "1.1.0",
        "info": {"title": "test", "version": "1"},
        "sourceDescriptions": [{"name": "api", "url": "./api.yaml", "type": "openapi"}],
        "workflows": list(workflows),
        **members,
    }


def document(*workflows: Mapping[str, Json], **members: Json) -> Document:
    return read_document(raw(*workflows, **members), "test")


def program(*steps: Mapping[str, Json], others: Sequence[Mapping[str, Json]] = (), **members: Json) -> Program:
    """The program of one workflow of these steps; `members` are the workflow's."""
    return build_program(document(workflow(*steps, **members), *others))


def inputs(*required: str, **properties: Json) -> dict[str, Json]:
    """An input schema: the required ones are strings unless `properties` says otherwise."""
    known = {name: properties.get(name, {"type": "string"}) for name in (*required, *properties)}
    return {"type": "object", "properties": known, "required": list(required)}
