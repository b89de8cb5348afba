"""A shop whose list is played by hand: compiled workflows, run by the interpreter against what a test answers.

The workflows are those that the compiler makes of a small description; the device is a function from a request's query
to a reply. What changes something is kept, so that a test can see that nothing was.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from compiler.compiled import Compiled
from compiler.pipeline import CompileRequest
from compiler.verification import compile_spec
from workflow.documents.reader import read_document
from workflow.programs.program_making import Program, build_program
from workflow.programs.state import State
from workflow.requests.events import EndRun, ResponseArrived, RunStarted, SendRequest
from workflow.running.interpreter import advance

Query = Mapping[str, str]
Answer = tuple[int, Mapping[str, str], Any]
List = Callable[[Query], Answer]

THING = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "id": {"type": "string", "readOnly": True},
        "name": {"type": "string"},
        "note": {"type": "string"},
    },
}
MOST_REQUESTS = 150


def shop(folder: Path, members: str = "items", paging: Mapping[str, Any] | None = None, **beside: Any) -> Compiled:
    """Things under `/things`, listed at `members` of the reply; `beside`: schemas of what stands beside the list."""
    listed = {"type": "object", "properties": {members: {"type": "array", "items": THING}, **beside}}
    item_id = {"name": "thingId", "in": "path", "required": True, "schema": {"type": "string"}}
    body = {"content": {"application/json": {"schema": THING}}, "required": True}
    paths = {
        "/things": {
            "get": {"operationId": "listThings", "responses": replying(listed if members else listed_whole())},
            "post": {"operationId": "createThing", "requestBody": body, "responses": replying(THING, "201")},
        },
        "/things/{thingId}": {
            "parameters": [item_id],
            "get": {"responses": replying(THING)},
            "patch": {"requestBody": body, "responses": replying(THING)},
            "delete": {"responses": {"204": {"description": "gone"}}},
        },
    }
    spec, told = folder / "api.yaml", folder / "told.yaml"
    spec.write_text(yaml.safe_dump({"openapi": "3.1.0", "info": {"title": "shop", "version": "1"}, "paths": paths}))
    told.write_text(yaml.safe_dump({"api": "shop", **({"paging": [dict(paging)]} if paging else {})}))
    return compile_spec(CompileRequest(spec, told))[0]


def listed_whole() -> dict[str, Any]:
    return {"type": "array", "items": THING}


def replying(schema: Mapping[str, Any], status: str = "200") -> dict[str, Any]:
    return {status: {"description": "ok", "content": {"application/json": {"schema": dict(schema)}}}}


def program_of(compiled: Compiled, intent: str) -> Program:
    one = next(each for each in compiled.workflows if each.flow.intent == intent)
    assert one.is_verified, one.proof
    return build_program(read_document(json.loads(json.dumps(one.document)), "shop"))


@dataclass
class Played:
    """How a run ended, and the requests: `reads` of the list by their queries, `changes` by method."""

    end: EndRun
    reads: list[Query] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)

    @property
    def code(self) -> str:
        return self.end.failure.code if self.end.failure else ""

    @property
    def said(self) -> str:
        """What is told beside the outputs."""
        return f"{self.end.note} {self.end.failure.message if self.end.failure else ''}"


def play(program: Program, device: List, **inputs: Any) -> Played:
    """Runs the plan; items are read, changed and deleted without a fault."""
    reads: list[Query] = []
    changes: list[str] = []
    state, commands = advance(program, State.initial(), RunStarted(inputs))
    while isinstance(command := commands[0], SendRequest):
        assert len(reads) < MOST_REQUESTS, "no end of reading"
        of = command.path.removeprefix("/things").strip("/")
        answer: Answer = (200, {}, {"id": of or "t-0", "name": "made"})
        if command.method != "GET":
            changes.append(command.method)
            answer = (204, {}, None) if command.method == "DELETE" else answer
        elif command.path == "/things":
            reads.append(dict(command.query))
            answer = device(reads[-1])
        elif "DELETE" in changes:
            answer = (404, {}, None)
        state, commands = advance(
            program, State.from_json(json.loads(json.dumps(state.to_json()))), told(command, answer)
        )
    assert isinstance(command, EndRun), command
    return Played(command, reads, changes)


def told(command: SendRequest, answer: Answer) -> ResponseArrived:
    status, headers, body = answer
    return ResponseArrived(command.step_id, status, headers, json.loads(json.dumps(body)))
