"""Small descriptions as Python values, for tests of what unusual descriptions become.

Shared by the tests beside it; holds no test. Each description is what a vendor could have written, cut to the point.
"""

import json
from pathlib import Path
from typing import Any

from compiler.compiled import Compiled, CompiledWorkflow
from compiler.pipeline import CompileRequest
from compiler.verification import compile_spec

THING = {
    "type": "object",
    "required": ["id", "name"],
    "properties": {"id": {"type": "string"}, "name": {"type": "string"}, "size": {"type": "integer"}},
}
DONE = {"204": {"description": "done"}}


def answers(schema: Any, status: str = "200", media_type: str = "application/json") -> dict[str, Any]:
    return {status: {"description": "", "content": {media_type: {"schema": schema}}}}


THINGS = answers({"type": "array", "items": THING})


def given(name: str, where: str = "path", schema: Any = None, **more: Any) -> dict[str, Any]:
    return {"name": name, "in": where, "required": True, "schema": schema or {"type": "string"}, **more}


def sent(schema: Any, media_type: str = "application/json") -> dict[str, Any]:
    return {"required": True, "content": {media_type: {"schema": schema}}}


def compiled(folder: Path, paths: Any, version: str = "3.0.3", schemas: Any = None) -> Compiled:
    """The compile of a description with these paths, without a profile."""
    spec = folder / "api.json"
    components = {"components": {"schemas": schemas}} if schemas else {}
    described = {"openapi": version, "info": {"title": "Odd", "version": "1"}, "paths": paths, **components}
    spec.write_text(json.dumps(described, ensure_ascii=False))
    return compile_spec(CompileRequest(spec))[0]


def only(made: Compiled, goal: str) -> CompiledWorkflow:
    """The one workflow that leads to this operation."""
    (found,) = [one for one in made.workflows if one.flow.goal == goal]
    return found


def all_proved(made: Compiled) -> bool:
    """Whether each operation is in a workflow, and each workflow is proved."""
    reached = {step.operation for one in made.workflows for step in one.flow.steps}
    return {o.key for o in made.api.operations} <= reached and all(one.is_verified for one in made.workflows)


def asked(one: CompiledWorkflow) -> dict[str, Any]:
    """The inputs that a client sees."""
    found: dict[str, Any] = one.tool["inputSchema"]["properties"]
    return found
