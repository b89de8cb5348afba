"""Flows are compared without their names: every change of meaning shows, no change of a name does."""

from dataclasses import replace
from typing import Any

import pytest

from compiler.ir.model import Flow, FlowStep, Input, Role
from compiler.passes.sameness import are_same_but_for_names, differing, essence
from tests.compiler.proposals.proposal_specs import known_plan
from workflow.risks import Risk

END = {"name": "no_vm", "type": "end", "x-switchgear": {"code": "not_found", "message": "There is no VM."}}
FIND = FlowStep(
    id="find_vm",
    operation="GET /vms",
    role=Role.LOOKUP,
    description="Find the VM.",
    outputs={"id": {"context": "$response.body", "selector": "$[?@.name == '{$inputs.vm}'].id", "type": "jsonpath"}},
    success=({"condition": "$statusCode == 200"},),
    failures=(END,),
)
CHANGE = FlowStep(
    id="change",
    operation="POST /vms/{id}/start",
    role=Role.CHANGE,
    description="Start the VM.",
    parameters=(("id", "path", "$steps.find_vm.outputs.id"),),
    payload={"holder": "$inputs.holder", "vms": ["{$inputs.vm}"]},
    content_type="application/json",
    branches=({"name": "over", "type": "goto", "stepId": "find_vm"},),
    transforms={"job": "last_path_segment"},
)
INPUTS = (Input("vm", {"type": "string"}, True, "Name of the VM."), Input("holder", {"type": "string"}, False, ""))
FLOW = Flow(
    id="api_start_vm",
    intent="act",
    title="Start VM",
    description="Starts a VM.",
    risk=Risk.CHANGE,
    goal="POST /vms/{id}/start",
    resource="vms",
    steps=(FIND, CHANGE),
    inputs=INPUTS,
    outputs={"item": "$steps.change.outputs.item"},
    links=((0, 1),),
    rank=0.5,
    sample={"vm": {"list": "GET /vms", "holder": "vm"}, "holder": {"body": "x", "at": "/holder"}},
)


def renamed(text: Any) -> Any:
    """`vm` as `machine`, wherever it is a name."""
    if isinstance(text, str):
        text = text.replace("$inputs.vm", "$inputs.machine").replace("find_vm", "find_machine")
        return text.replace("no_vm", "no_machine").replace("There is no VM", "There is no machine")
    if isinstance(text, dict):
        return {key: renamed(part) for key, part in text.items()}
    return type(text)(renamed(part) for part in text) if isinstance(text, list | tuple) else text


def test_another_name_of_the_thing_is_no_difference() -> None:
    steps = tuple(
        replace(
            step,
            id=renamed(step.id),
            description="Other words.",
            parameters=renamed(step.parameters),
            payload=renamed(step.payload),
            outputs=renamed(dict(step.outputs)),
            failures=renamed(step.failures),
            branches=renamed(step.branches),
        )
        for step in FLOW.steps
    )
    other = replace(
        FLOW,
        id="api_start_machine",
        title="Start machine",
        description="Starts a machine.",
        steps=steps,
        inputs=(replace(INPUTS[0], name="machine", description="Its name."), INPUTS[1]),
        sample={"machine": {"list": "GET /vms", "holder": "machine"}, "holder": FLOW.sample["holder"]},
        why=("other",),
    )
    assert other != FLOW
    assert essence(other) == essence(FLOW)


def with_step(number: int, **members: Any) -> Flow:
    steps = [replace(step, **members) if n == number else step for n, step in enumerate(FLOW.steps)]
    return replace(FLOW, steps=tuple(steps))


CHANGES = {
    "risk": replace(FLOW, risk=Risk.DESTROY),
    "intent": replace(FLOW, intent="create"),
    "goal": replace(FLOW, goal="POST /vms"),
    "rank": replace(FLOW, rank=0.6),
    "core": replace(FLOW, is_core=True),
    "links": replace(FLOW, links=()),
    "outputs": replace(FLOW, outputs={"item": "$steps.find_vm.outputs.item"}),
    "output schema": replace(FLOW, output_schema={"type": "object"}),
    "sample": replace(FLOW, sample={**FLOW.sample, "vm": {"list": "GET /hosts", "holder": "vm"}}),
    "a step less": replace(FLOW, steps=(FIND,)),
    "order": replace(FLOW, steps=(CHANGE, FIND)),
    "joined inputs": with_step(1, payload={"holder": "$inputs.vm", "vms": ["{$inputs.vm}"]}),
    "swapped inputs": with_step(1, payload={"holder": "$inputs.vm", "vms": ["{$inputs.holder}"]}),
    "a member less": with_step(1, payload={"vms": ["{$inputs.vm}"]}),
    "input's schema": replace(FLOW, inputs=(replace(INPUTS[0], schema={"type": "integer"}), INPUTS[1])),
    "input's need": replace(FLOW, inputs=(replace(INPUTS[0], is_required=False), INPUTS[1])),
    "input's showing": replace(FLOW, inputs=(replace(INPUTS[0], shown=False), INPUTS[1])),
    "operation": with_step(0, operation="GET /hosts"),
    "role": with_step(0, role=Role.CHECK),
    "selector": with_step(0, outputs={"id": {**FIND.outputs["id"], "selector": "$[0].id"}}),
    "criterion": with_step(0, success=()),
    "failure's code": with_step(0, failures=({**END, "x-switchgear": {"code": "ambiguous"}},)),
    "failure's kind": with_step(0, failures=({**END, "type": "retry"},)),
    "failure as branch": with_step(0, failures=(), branches=(END,)),
    "binding": with_step(1, parameters=(("id", "path", "$inputs.vm"),)),
    "parameter's place": with_step(1, parameters=(("id", "query", "$steps.find_vm.outputs.id"),)),
    "content type": with_step(1, content_type="text/plain"),
    "branch": with_step(1, branches=({"name": "over", "type": "goto", "stepId": "change"},)),
    "transform": with_step(1, transforms={}),
}


@pytest.mark.parametrize("what", CHANGES)
def test_every_change_of_meaning_is_a_difference(what: str) -> None:
    assert essence(CHANGES[what]) != essence(FLOW)


def test_plans_are_compared_flow_by_flow_in_any_order() -> None:
    api = known_plan("machines")
    assert are_same_but_for_names(api, replace(api, flows=api.flows[::-1]))
    fewer = replace(api, flows=api.flows[1:])
    assert not are_same_but_for_names(api, fewer)
    assert differing(api, fewer) == (api.flows[0],)
    twice = replace(api, flows=(*api.flows, api.flows[0]))
    assert not are_same_but_for_names(api, twice)


def test_an_operation_left_out_is_a_difference() -> None:
    api = known_plan("machines")
    first, *others = api.operations
    assert not are_same_but_for_names(api, replace(api, operations=(replace(first, left_out="why"), *others)))
