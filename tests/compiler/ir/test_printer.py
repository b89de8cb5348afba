"""The printed form of the IR: one line a thing, equal text for equal values."""

from dataclasses import replace

from compiler.ir.model import ApiParameter, Diagnostic, Effect, Severity
from compiler.ir.printer import print_api, print_diagnostics, schema_text
from workflow.risks import Risk

from .test_verifier import FLOW, GOOD, JOB, READ, RESOURCE, STEPS

PRINTED = """\
api things "Things" version=1 base=/api
operation GET /things -> 200 {"items":{"$ref":"#/components/schemas/Thing"},"type":"array"}
operation POST /things body* application/json Thing
operation GET /things/{id} (path id*: {"type":"string"}) -> 200 Thing
schema Thing {"examples":[{"$ref":"#/nowhere"}],"properties":{"$ref":{"type":"string"},"next":{"$ref":"#/components/schemas/Thing"}}}
resource things "thing" collection=/things item=/things/{id} id_parameter=id list=GET /things read=GET /things/{id} schema=Thing
job job handle=body:/job empty-means-done poll=GET /things/{id} parameter=id state=/s waiting=W succeeded=D every=1s within=600s operations=POST /things
link POST /things body#/id => GET /things/{id} path.id score=0.90 "equal names"
flow make-thing intent=create risk=change goal=POST /things resource=things rank=0 "Make a thing"
  input name*: {"type":"string"}
  step 0 make change POST /things payload={"name":"$inputs.name"}
  step 1 read read_back GET /things/{id} path.id="$steps.make.outputs.id"
  links 0->1
"""  # noqa: E501


def test_an_api_is_printed_a_line_for_each_thing() -> None:
    assert print_api(GOOD) == PRINTED


def test_what_passes_find_out_stands_in_the_operation_line() -> None:
    found = replace(
        READ,
        effect=Effect.READ,
        risk=Risk.READ,
        risk_reason="GET",
        is_idempotent=True,
        is_deprecated=True,
        left_out="by the profile",
        operation_id="readThing",
        tags=("a", "b"),
        summary='Says "read"',
        parameters=(
            *READ.parameters,
            ApiParameter("q", "query", False, {"type": "array"}, style="pipeDelimited", explode=True, example=[1]),
            ApiParameter("f", "query", False, {"type": "array"}, style="form", explode=False),
        ),
    )

    line = print_api(replace(GOOD, operations=(found,))).splitlines()[1]

    assert line == (
        'operation GET /things/{id} effect=read risk=read because="GET" idempotent deprecated '
        'left-out="by the profile" id=readThing tags=a,b "Says \\"read\\"" (path id*: {"type":"string"}, '
        'query q: {"type":"array"} pipeDelimited exploded example=[1], query f: {"type":"array"} joined) -> 200 Thing'
    )


def test_all_that_a_flow_says_is_printed() -> None:
    step = replace(
        STEPS[0],
        outputs={"id": "$response.body#/id"},
        success=({"condition": "$statusCode == 200"},),
        failures=({"name": "f", "type": "end"},),
        branches=({"name": "b", "type": "goto"},),
        transforms={"id": "last_path_segment"},
    )
    flow = replace(FLOW, steps=(step,), links=(), is_core=True, outputs={"id": "$steps.make.outputs.id"}, why=("so",))
    flow = replace(flow, identifies={"name": ""})
    printed = print_api(replace(GOOD, flows=(flow,)))

    assert 'outputs={"id":"$response.body#/id"}' in printed
    assert 'success=[{"condition":"$statusCode == 200"}]' in printed
    assert 'branches=[{"name":"b","type":"goto"}]' in printed
    assert 'failures=[{"name":"f","type":"end"}]' in printed
    assert 'transforms={"id":"last_path_segment"}' in printed
    assert '  identifies {"name":""}\n' in printed
    assert '  output id = "$steps.make.outputs.id"\n  why so\n' in printed


def test_jobs_and_resources_print_their_rarer_parts() -> None:
    job = replace(JOB, handle_is_address=True, statuses=(202,), failed=("E",), message="/m", created_id="/i", result="")
    resource = replace(
        RESOURCE, natural_keys=("name",), members="/Members", references="@id", item_at="/0", single="1",
        synonyms=("thingId",), actions=("POST /things",), aliases={"POST /things": "GET /things"}, parent="things",
    )  # fmt: skip
    printed = print_api(replace(GOOD, jobs=(job,), resources=(resource,)))

    assert "address statuses=202" in printed and "failed=E message=/m created=/i" in printed
    assert "parent=things keys=name actions=POST /things members=/Members references=@id item-is-list" in printed
    assert "single=1 synonyms=thingId aliases=POST /things=GET /things schema=Thing" in printed


def test_a_reference_with_notes_is_printed_in_full() -> None:
    assert schema_text({"$ref": "#/components/schemas/A", "title": "t"}) == (
        '{"$ref":"#/components/schemas/A","title":"t"}'
    )


def test_diagnostics_are_printed_a_line_each() -> None:
    one = Diagnostic("file-missing", Severity.WARNING, "Gone.yaml", "is gone", "bring it")

    assert print_diagnostics((one, one)) == "warning file-missing Gone.yaml: is gone\n" * 2
