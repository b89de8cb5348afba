"""Prism judges the requests: a sample of each vendor's workflows, run against a mock that nobody here wrote.

Prism is stateless and answers with the description's examples, so workflows that wait for something to be gone or to
change are left to the twin, and files to the driver's own tests; what is judged here is that every request is one
that the description allows, to the last: a run ends well, or with the truth that nothing was taken as it was asked.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from compiler.compiled import Compiled, CompiledWorkflow
from compiler.ir.model import Role
from compiler.twin.prism import PrismError, find_prism, running
from tests.needs import PRISM
from workflow.documents.reader import read_document
from workflow.programs.program_making import Program, build_program
from workflow.programs.state import State
from workflow.requests.events import EndRun, Event, ResponseArrived, RunStarted, SendRequest, StartTimer, TimerFired
from workflow.requests.multipart import encoded, is_multipart
from workflow.running.interpreter import advance

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = 20
ENDS_WELL = {"succeeded", "pending"}
# What it is asked to make it shows before as well.
TRUE_OF_A_STATELESS_MOCK = {"not_taken", "partly_taken", "there_already", "another_thing"}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["hypercore", "idrac"])
def vendor(request: pytest.FixtureRequest) -> Iterator[tuple[Compiled, httpx.Client]]:
    compiled: Compiled = request.getfixturevalue(request.param)
    try:
        command = find_prism(os.environ, ROOT)
    except PrismError:
        PRISM.skip()
    spec = ROOT / "specs" / request.param / "openapi.yaml"
    with (
        running(command, spec, compiled.api.base_path) as url,
        httpx.Client(base_url=url.removesuffix(compiled.api.base_path), auth=("admin", "x"), trust_env=False) as client,
    ):
        yield compiled, client


def sample(compiled: Compiled) -> list[CompiledWorkflow]:
    """Twenty of those that a stateless mock can finish: creations, updates and actions before reads."""
    states = {rule.resource for rule in (compiled.profile.states if compiled.profile else ())}
    fit = [
        one
        for one in compiled.workflows
        if not any(step.role is Role.GONE for step in one.flow.steps)
        and one.flow.intent in ("create", "update", "act", "describe", "find")
        and len([step for step in one.flow.steps if step.role is Role.CHANGE]) <= 1
        and not (one.flow.intent == "act" and one.flow.resource in states)
        and all("json" in step.content_type for step in one.flow.steps if step.payload is not None)
    ]
    order = ["create", "update", "act", "describe", "find"]
    per_intent = [[one for one in fit if one.flow.intent == intent] for intent in order]
    picked = [one for group in per_intent for one in group[:: max(1, len(group) // 4)][:4]]
    return picked[:SAMPLE]


def with_parts(compiled: Compiled) -> list[CompiledWorkflow]:
    """Those that send files and parameters in one body: all of them."""
    found = [one for one in compiled.workflows if any(step.parts for step in one.flow.steps)]
    assert len(found) == {"hypercore": 0, "idrac": 3}[compiled.api.name]
    return found


def run(program: Program, inputs: dict[str, Any], client: httpx.Client) -> tuple[EndRun, list[str]]:
    """The interpreter driven by plain httpx; timers fire at once."""
    state, event, refused = State.initial(), RunStarted(inputs), []
    for _ in range(60):
        state, commands = advance(program, state, event)
        command = commands[-1]
        if isinstance(command, EndRun):
            return command, refused
        event = answer(program, command, client, refused)
    raise AssertionError("the run does not end")


def answer(program: Program, command: Any, client: httpx.Client, refused: list[str]) -> Event:
    if isinstance(command, StartTimer):
        return TimerFired(command.step_id)
    assert isinstance(command, SendRequest)
    is_json = "json" in command.content_type
    content, content_type = (b"" if command.body is None else str(command.body).encode()), command.content_type
    if is_multipart(content_type):
        content, content_type = encoded(command.body, command.parts)
    headers = [*command.headers, *([("content-type", content_type)] if content_type else [])]
    reply = client.request(
        command.method,
        program.base_path + command.path,
        params=list(command.query) or None,
        headers=headers,
        json=command.body if is_json else None,
        content=None if is_json else content or None,
    )
    if "sl-violations" in reply.headers:
        refused.append(f"{command.method} {command.path}: {reply.headers['sl-violations'][:300]}")
    is_reply_json = "json" in reply.headers.get("content-type", "") and reply.content
    body = reply.json() if is_reply_json else reply.text or None
    lowered = {name.lower(): value for name, value in reply.headers.items()}
    return ResponseArrived(command.step_id, reply.status_code, lowered, body)


def test_a_sample_of_workflows_runs_through_on_prism(vendor: tuple[Compiled, httpx.Client]) -> None:
    compiled, client = vendor
    picked = sample(compiled)
    assert len(picked) == SAMPLE
    failed, succeeded = {}, 0
    for one in [*picked, *with_parts(compiled)]:
        program = build_program(read_document(one.document, one.flow.id))
        end, refused = run(program, dict(one.proof["runs"][0]["inputs"]), client)
        is_true = end.failure.code in TRUE_OF_A_STATELESS_MOCK if end.failure else end.outcome in ENDS_WELL
        if not is_true or refused:
            failed[one.flow.id] = (end.failure.message if end.failure else end.outcome, refused)
        succeeded += end.outcome in ENDS_WELL
    assert failed == {}
    assert succeeded > SAMPLE / 2
