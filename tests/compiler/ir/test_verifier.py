"""Every invariant of the IR, broken once: the verifier must name it as a fault of ours."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from compiler.errors import CompilerBug
from compiler.ir.model import (
    Api,
    ApiParameter,
    Body,
    Flow,
    FlowStep,
    Input,
    Job,
    Link,
    Operation,
    Resource,
    Response,
    Role,
)
from compiler.ir.verifier import verify
from workflow.risks import Risk

DIGEST = "sha256:" + "0" * 64
THING = {"$ref": "#/components/schemas/Thing"}
ID = ApiParameter("id", "path", is_required=True, schema={"type": "string"})


def operation(method: str, path: str, **more: Any) -> Operation:
    return Operation(method=method, path=path, pointer="", digest=DIGEST, **more)


LIST = operation("GET", "/things", responses=(Response("200", schema={"type": "array", "items": THING}),))
MAKE = operation("POST", "/things", body=Body("application/json", THING, is_required=True))
READ = operation("GET", "/things/{id}", parameters=(ID,), responses=(Response("200", schema=THING),))
JOB = Job("job", ("POST /things",), "body", "/job", False, (), True, "GET /things/{id}", "id", "/s", ("W",), ("D",), ())
LINK = Link("POST /things", "body#/id", "GET /things/{id}", "path.id", "equal names", 0.9)
RESOURCE = Resource(
    "things", "thing", "/things", "/things/{id}", "id", list="GET /things", read="GET /things/{id}", schema=THING
)
STEPS = (
    FlowStep("make", "POST /things", Role.CHANGE, "Make it.", payload={"name": "$inputs.name"}),
    FlowStep(
        "read", "GET /things/{id}", Role.READ_BACK, "Read it.", parameters=(("id", "path", "$steps.make.outputs.id"),)
    ),
)
FLOW = Flow(
    id="make-thing",
    intent="create",
    title="Make a thing",
    description="",
    risk=Risk.CHANGE,
    goal="POST /things",
    resource="things",
    steps=STEPS,
    inputs=(Input("name", {"type": "string"}, True, "What to call it."),),
    links=((0, 1),),
)
GOOD = Api(
    name="things",
    title="Things",
    version="1",
    digest=DIGEST,
    base_path="/api",
    operations=(LIST, MAKE, READ),
    schemas={"Thing": {"properties": {"next": THING, "$ref": {"type": "string"}}, "examples": [{"$ref": "#/nowhere"}]}},
    resources=(RESOURCE,),
    jobs=(JOB,),
    links=(LINK,),
    flows=(FLOW,),
)


def with_read(**change: Any) -> Api:
    return replace(GOOD, operations=(LIST, MAKE, replace(READ, **change)))


def with_resource(**change: Any) -> Api:
    return replace(GOOD, resources=(replace(RESOURCE, **change),))


def with_job(**change: Any) -> Api:
    return replace(GOOD, jobs=(replace(JOB, **change),))


def with_link(**change: Any) -> Api:
    return replace(GOOD, links=(replace(LINK, **change),))


def with_flow(**change: Any) -> Api:
    return replace(GOOD, flows=(replace(FLOW, **change),))


def nested(keyword: str, value: Any) -> Api:
    return replace(GOOD, schemas={**GOOD.schemas, "Other": {keyword: value}})


LOST = {"$ref": "#/components/schemas/Lost"}
BROKEN: dict[str, Callable[[], Api]] = {
    "not ordered": lambda: replace(GOOD, operations=(MAKE, LIST, READ)),
    "stands twice": lambda: replace(GOOD, operations=(LIST, LIST, MAKE, READ)),
    "the API has no digest": lambda: replace(GOOD, digest="sha256:1"),
    "ends with a slash": lambda: replace(GOOD, base_path="/api/"),
    "no digest": lambda: with_read(digest=""),
    "none that is served": lambda: replace(GOOD, operations=(LIST, MAKE, replace(READ, method="NO METHOD"))),
    "start with a slash": lambda: replace(GOOD, operations=(*GOOD.operations, operation("GET", "x"))),
    "parameter path id of": lambda: with_read(parameters=(ID, ID)),
    "is nowhere": lambda: with_read(parameters=(ID, replace(ID, location="body"))),
    "differ from the template": lambda: with_read(parameters=()),
    "is optional": lambda: with_read(parameters=(replace(ID, is_required=False),)),
    "reply 200": lambda: with_read(responses=(Response("200"), Response("200"))),
    "Lost": lambda: with_read(responses=(Response("200", schema={"items": LOST}),)),
    "'#/elsewhere'": lambda: with_read(body=Body("a/b", {"$ref": "#/elsewhere"}, is_required=False)),
    "Other: the reference": lambda: nested("anyOf", [{"type": "null"}, {"not": LOST}]),
    "Other: the reference '#": lambda: nested("patternProperties", {"^a": LOST}),
    "reference 7": lambda: nested("$ref", 7),
    "resource things: there is no operation": lambda: with_resource(delete="DELETE /things"),
    "no parent": lambda: with_resource(parent="lamps"),
    "lacks other": lambda: with_resource(id_parameter="other"),
    "resource things: there is no operation 'PUT": lambda: with_resource(aliases={"PUT /x": "GET /things"}),
    "job job: there is no operation": lambda: with_job(poll="GET /jobs"),
    "has no parameter": lambda: with_job(parameter="job"),
    "no state means success": lambda: with_job(succeeded=()),
    "times are not above zero": lambda: with_job(interval_s=0.0),
    "link: there is no operation": lambda: with_link(source="GET /gone"),
    "is no place": lambda: with_link(into="somewhere"),
    "not between 0 and 1": lambda: with_link(score=1.5),
    "has no query.id": lambda: with_link(into="query.id"),
    "flow make-thing stands twice": lambda: replace(GOOD, flows=(FLOW, FLOW)),
    "no step": lambda: with_flow(steps=(), links=()),
    "no operation 'GET /goal'": lambda: with_flow(goal="GET /goal"),
    "step make of flow": lambda: with_flow(steps=(STEPS[0], STEPS[0])),
    "input name of flow": lambda: with_flow(inputs=FLOW.inputs * 2),
    "no operation 'GET /step'": lambda: with_flow(steps=(replace(STEPS[0], operation="GET /step"), STEPS[1])),
    "binds []": lambda: with_flow(steps=(STEPS[0], replace(STEPS[1], parameters=()))),
    "no value flows from 1 to 0": lambda: with_flow(links=((1, 0),)),
    "from 0 to 2": lambda: with_flow(links=((0, 2),)),
    "input name: the reference": lambda: with_flow(inputs=(replace(FLOW.inputs[0], schema=LOST),)),
}


def test_an_api_that_holds_every_invariant_passes() -> None:
    verify(GOOD)


@pytest.mark.parametrize("says", BROKEN)
def test_a_broken_invariant_is_a_fault_of_ours(says: str) -> None:
    with pytest.raises(CompilerBug) as bug:
        verify(BROKEN[says]())

    assert says.removesuffix(" '#") in str(bug.value)
    assert bug.value.exit_code == 5


@pytest.mark.parametrize("says", BROKEN)
def test_what_was_verified_before_hides_nothing_new(says: str) -> None:
    with pytest.raises(CompilerBug):
        verify(BROKEN[says](), since=GOOD)


def test_data_in_examples_may_hold_anything_that_looks_like_a_reference() -> None:
    verify(nested("examples", [LOST]))
    verify(nested("const", LOST))
