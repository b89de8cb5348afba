"""The static checks, each by a document that breaks it and one that does not."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import MOST_CPU_S
from tests.workflow.documents import document, inputs, parameter, step, workflow
from tests.workflow.official import cases, load
from workflow.checking.checks import CheckSeverity, check
from workflow.documents.document import Document
from workflow.documents.operations import OperationFacts, OperationIndex
from workflow.documents.reader import read_document
from workflow.errors import DocumentError
from workflow.programs.program_making import build_program


def found(checked: Document, severity: str = "error") -> dict[str, str]:
    """The codes of the findings, with their pointers."""
    return {each.code: each.pointer for each in check(checked) if each.severity == severity}


def of(*steps: dict[str, Any], others: tuple[dict[str, Any], ...] = (), **members: Any) -> Document:
    return document(workflow(*steps, **members), *others)


GOOD = step("a", "get", "/a", outputs={"id": "$response.body#/id"})
USES = step("b", "get", "/b/{id}", parameters=[parameter("id", "path", "$steps.a.outputs.id")])


def test_a_sound_document_has_no_findings() -> None:
    checked = of(GOOD, USES, inputs=inputs("vm"), outputs={"id": "$steps.a.outputs.id"})
    assert check(checked) == ()


@pytest.mark.parametrize("file", cases("pass") + cases("examples"))
def test_what_is_not_executed_is_refused_by_name_and_what_passes_can_be_planned(file: Path) -> None:
    data = load(file)
    operations = [OperationFacts("GET", f"/{name}", name) for name in _operation_ids(data)]
    checked = read_document(data, file.name)
    index = OperationIndex(operations)
    errors = {each.code for each in check(checked, index) if each.severity is CheckSeverity.ERROR}
    text = str(data)
    assert ("asyncapi_unsupported" in errors) is ("'action': " in text)
    assert ("xpath_unsupported" in errors) is ("'xpath'" in text)
    for each in checked.workflows:
        if not errors:
            assert build_program(checked, each.workflow_id, index).steps


def _operation_ids(data: Any) -> set[str]:
    steps = (each for flow in data["workflows"] for each in flow["steps"])
    return {each["operationId"].rpartition(".")[2] for each in steps if "operationId" in each}


def test_every_finding_says_what_to_do_and_points_into_the_document() -> None:
    findings = check(of(USES, step("b", "get", "/c/{x}")))
    assert findings
    assert all(each.pointer.startswith("/workflows/0") and each.message and each.remedy for each in findings)


BACK = {"name": "back", "type": "goto", "stepId": "a"}
SUB = workflow(step("x", "get", "/x"), workflow_id="sub", inputs=inputs("n"), outputs={"o": "$inputs.n"})


def a(**members: Any) -> Document:
    """A workflow of one step, GET /a, with these members."""
    return of({**GOOD, **members})


def get(path: str, *parameters: dict[str, Any]) -> Document:
    return of(step("b", "get", path, parameters=list(parameters)))


def body(**members: Any) -> Document:
    return of(step("p", "post", "/p", requestBody=members))


def judged(condition: str, kind: str) -> Document:
    return a(successCriteria=[{"context": "$response.body", "condition": condition, "type": kind}])


def calling(workflow_id: str, *parameters: Any) -> Document:
    called = {"stepId": "c", "workflowId": workflow_id, "parameters": list(parameters)}
    return of(called, others=(SUB,))


NAMES = [
    (of(GOOD, {**USES, "stepId": "a"}), "duplicate_name", "/steps/1"),
    (of(USES), "unknown_step", "/steps/0/parameters"),
    (of(GOOD | {"outputs": {}}, USES), "unknown_output", "/steps/1/parameters"),
    (of(GOOD, outputs={"x": "$steps.a.outputs.none"}), "unknown_output", "/outputs/x"),
    (of(GOOD, outputs={"x": "$inputs.none"}), "unknown_input", "/outputs/x"),
    (a(onSuccess=[BACK | {"stepId": "z"}]), "unknown_step", "/steps/0/onSuccess/0/stepId"),
    (get("/b", {"reference": "$components.parameters.no"}), "unknown_reference", "/steps/0/parameters/0/reference"),
    (a(**{"x-switchgear": {"transforms": {"id": "upper"}}}), "unknown_transform", "/steps/0/outputs"),
]
ORDER = [
    (of(USES, GOOD), "used_before_made", "/steps/0/parameters"),
    (body(payload={"x": "$response.body"}), "used_before_made", "/steps/0/requestBody/payload"),
    (of(GOOD, outputs={"x": "$response.body"}), "used_before_made", "/outputs/x"),
    (a(outputs={"x": "$outputs.y"}), "used_before_made", "/steps/0/outputs/x"),
    (of(GOOD | {"dependsOn": ["b"]}, step("b", "get", "/b")), "used_before_made", "/steps/0/dependsOn/0"),
    (of(GOOD | {"dependsOn": ["z"]}), "unknown_step", "/steps/0/dependsOn/0"),
]
LOOPS = [
    (of(GOOD, {**USES, "onSuccess": [BACK]}), "endless_loop", "/steps/1/onSuccess/0"),
    (of(GOOD, {**USES, "onFailure": [BACK]}), "endless_loop", "/steps/1/onFailure/0"),
    (a(onSuccess=[BACK]), "endless_loop", "/steps/0/onSuccess/0"),
    (a(onFailure=[{"name": "r", "type": "retry", "retryLimit": 20_000}]), "retry_too_long", "/steps/0/onFailure/0"),
    (of({"stepId": "c", "workflowId": "main"}), "endless_calls", ""),
]
OPERATIONS = [
    (a(operationPath="/a"), "unknown_operation", "/steps/0/operationPath"),
    (a(operationPath="$sourceDescriptions.no#/paths/~1a/get"), "unknown_operation", "/steps/0/operationPath"),
    (a(operationPath="$sourceDescriptions.api#/paths/~1a"), "unknown_operation", "/steps/0/operationPath"),
    (of({"stepId": "a", "operationId": "getA"}), "unknown_operation", "/steps/0/operationId"),
    (get("/b/{id}"), "unbound_parameter", "/steps/0"),
    (get("/b", parameter("id", "path", 1)), "unknown_parameter", "/steps/0/parameters/0"),
    (get("/b", parameter("Host", "header", "x")), "reserved_name", "/steps/0/parameters/0"),
    (get("/b?x=1", parameter("x", "query", 2)), "fixed_parameter", "/steps/0/parameters/0"),
    (get("/b?x=1", parameter("all", "querystring", "x=2")), "fixed_parameter", "/steps/0/parameters/0"),
    (get("/b?_method=DELETE"), "reserved_name", "/steps/0"),
    (get("/b", parameter("a b", "header", "x")), "bad_parameter", "/steps/0/parameters/0"),
    (get("/b", parameter("x", "channel", "x")), "bad_parameter", "/steps/0/parameters/0"),
]
EXPRESSIONS = [
    (a(successCriteria=[{"condition": "$statusCode ="}]), "bad_expression", "/steps/0/successCriteria/0/condition"),
    (judged("$[", "jsonpath"), "bad_expression", "/steps/0/successCriteria/0/condition"),
    (judged("(?=a)", "regex"), "bad_expression", "/steps/0/successCriteria/0/condition"),
    (judged("/a", "xpath"), "xpath_unsupported", "/steps/0/successCriteria/0/type"),
    (a(outputs={"x": "constant"}), "bad_expression", "/steps/0/outputs/x"),
    (a(outputs={"x": "$response.body.id"}), "bad_expression", "/steps/0/outputs/x"),
    (a(outputs={"x": "$message.payload"}), "asyncapi_unsupported", "/steps/0/outputs/x"),
    (a(outputs={"a b": "$response.body"}), "bad_value", "/steps/0/outputs/a b"),
    (get("/b", parameter("q", "query", "$inputs")), "bad_expression", "/steps/0/parameters/0/value"),
    (body(payload='{"a": }'), "bad_expression", "/steps/0/requestBody/payload"),
    (body(payload={"a": ["{$nope}"]}), "bad_expression", "/steps/0/requestBody/payload"),
    (
        body(replacements=[{"target": "x", "value": "1"}]),
        "bad_expression",
        "/steps/0/requestBody/replacements/0/target",
    ),
    (
        body(contentType="text/xml", payload="<a/>", replacements=[{"target": "/a", "value": "1"}]),
        "xpath_unsupported",
        "/steps/0/requestBody/replacements/0/target",
    ),
    (of(GOOD, inputs={"$ref": "https://example.com/schema.json"}), "bad_schema", "/inputs"),
]
WORKFLOWS = [
    (calling("no"), "unknown_workflow", "/steps/0/workflowId"),
    (calling("$sourceDescriptions.x.w"), "foreign_workflow", "/steps/0/workflowId"),
    (calling("sub"), "unbound_input", "/steps/0/parameters"),
    (calling("sub", {"name": "n", "value": 1}, {"name": "m", "value": 1}), "unknown_input", "/steps/0/parameters"),
    (calling("sub", parameter("n", "query", 1)), "bad_parameter", "/steps/0/parameters/0"),
    (of(GOOD, dependsOn=["sub"], others=(SUB,)), "depends_on_unsupported", "/dependsOn"),
    (of(GOOD | {"dependsOn": ["$workflows.sub.steps.x"]}, others=(SUB,)), "foreign_step", "/steps/0/dependsOn/0"),
    (
        of(
            GOOD | {"onSuccess": [{"name": "g", "type": "goto", "workflowId": "sub", "parameters": [3]}]},
            others=(SUB,),
        ),
        "bad_parameter",
        "/steps/0/onSuccess/0/parameters/0",
    ),
]


@pytest.mark.parametrize(
    ("checked", "code", "pointer"),
    [*NAMES, *ORDER, *LOOPS, *OPERATIONS, *EXPRESSIONS, *WORKFLOWS],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_fault_is_found_where_it_stands(checked: Document, code: str, pointer: str) -> None:
    assert found(checked).get(code) == f"/workflows/0{pointer}"


def test_a_workflow_id_that_occurs_twice_is_found() -> None:
    assert found(document(workflow(GOOD), workflow(GOOD, USES))) == {"duplicate_name": "/workflows/1"}


def test_a_step_of_a_second_source_is_refused_since_a_run_has_one_target() -> None:
    other = {**GOOD, "stepId": "z", "operationPath": "{$sourceDescriptions.other.url}#/paths/~1a/get"}
    sources = [{"name": "api", "url": "a"}, {"name": "other", "url": "b"}]
    assert "several_sources" in found(document(workflow(GOOD, other), sourceDescriptions=sources))


def test_a_value_made_on_one_path_only_is_used_too_early() -> None:
    skip = {"name": "skip", "type": "goto", "stepId": "b", "criteria": [{"condition": "$statusCode == 404"}]}
    checked = of({**GOOD, "onFailure": [skip]}, USES)
    assert found(checked) == {"used_before_made": "/workflows/0/steps/1/parameters"}
    elsewhere = {**skip, "stepId": "c"}
    assert found(of({**GOOD, "onFailure": [elsewhere]}, USES, step("c", "get", "/c"))) == {}


def test_a_second_branch_on_the_same_condition_follows_the_first() -> None:
    """Either the change names its job or one is made; later each is waited for where it exists."""
    has_job = [{"condition": "$steps.change.outputs.job != null"}]
    change = step(
        "change",
        "post",
        "/x",
        outputs={"job": "$response.body#/job"},
        onSuccess=[{"name": "named", "type": "goto", "stepId": "restart", "criteria": has_job}],
    )
    make = step("make", "post", "/jobs", outputs={"job": "$response.body#/job"})
    branch = {"name": "own", "type": "goto", "stepId": "wait_own", "criteria": has_job}
    done = {"name": "done", "type": "goto", "stepId": "after"}
    made = parameter("id", "path", "$steps.make.outputs.job")
    wait = step("wait", "get", "/j/{id}", parameters=[made], onSuccess=[done])
    own = step("wait_own", "get", "/j/{id}", parameters=[parameter("id", "path", "$steps.change.outputs.job")])
    after = step("after", "get", "/x")
    restart = step("restart", "post", "/r", onSuccess=[branch])
    assert found(of(change, make, restart, wait, own, after)) == {}
    unsure = step("restart", "post", "/r", onSuccess=[{**branch, "criteria": [{"condition": "$statusCode == 200"}]}])
    assert "used_before_made" in found(of(change, make, unsure, wait, own, after))


def test_many_branches_are_judged_in_reasonable_time() -> None:
    steps = [step("s0", "get", "/x", outputs={"o": "$response.body"}), step("s1", "get", "/x")]
    for number in range(2, 60):
        skip = {"name": "skip", "type": "goto", "stepId": f"s{min(number + 2, 59)}"}
        judged = {**skip, "criteria": [{"condition": f"$inputs.n == {number}"}]}
        bound = [parameter("q", "query", "$steps.s0.outputs.o")]
        steps.append(step(f"s{number}", "get", "/x", parameters=bound, onSuccess=[judged] if number < 58 else []))
    started = time.process_time()
    assert found(of(*steps, inputs=inputs("n"))) == {}
    assert time.process_time() - started < MOST_CPU_S
    late = [parameter("q", "query", "$steps.s7.outputs.o")]
    steps[7]["outputs"] = {"o": "$response.body"}
    steps[59]["parameters"] = late
    assert found(of(*steps, inputs=inputs("n"))) == {"used_before_made": "/workflows/0/steps/59/parameters"}


def test_a_step_sees_its_own_outputs_after_its_success_only() -> None:
    own = [{"condition": "$steps.a.outputs.id == 1"}]
    stop = {"name": "stop", "type": "end", "criteria": own}
    assert found(of({**GOOD, "onSuccess": [stop]})) == {}
    assert "used_before_made" in found(of({**GOOD, "onFailure": [stop]}))
    assert "used_before_made" in found(of({**GOOD, "successCriteria": own}))


def test_a_goto_back_with_a_limit_is_bounded_and_so_is_a_retry_through_another_step() -> None:
    limited = {**BACK, "x-switchgear": {"limit": 3}}
    assert found(of(GOOD, {**USES, "onSuccess": [limited]})) == {}
    through = {"name": "again", "type": "retry", "stepId": "a", "criteria": [{"condition": "$statusCode == 401"}]}
    assert found(of(GOOD, {**USES, "onFailure": [through]})) == {}


def test_a_goto_back_that_cannot_come_round_again_is_no_loop() -> None:
    to_end = {"name": "skip", "type": "goto", "stepId": "c"}
    stop = {"name": "stop", "type": "end"}
    back = {"name": "back", "type": "goto", "stepId": "b"}
    steps = (
        {**GOOD, "onSuccess": [to_end]},
        step("b", "get", "/b", onSuccess=[stop]),
        step("c", "get", "/c", onSuccess=[back]),
    )
    assert found(of(*steps)) == {}


def test_a_parameter_that_is_given_twice_is_a_warning_and_the_last_counts() -> None:
    checked = get("/a", parameter("If-Match", "header", "1"), parameter("if-match", "header", "2"))
    assert found(checked, "warning") == {"duplicate_parameter": "/workflows/0/steps/0/parameters"}
    assert found(get("/a", parameter("q", "query", "1"), parameter("Q", "query", "2")), "warning") == {}


def test_a_pattern_that_is_not_enforced_is_a_warning() -> None:
    schema = {"type": "object", "properties": {"name": {"type": "string", "pattern": "(?=a)b"}}}
    checked = document(workflow(step("a", "get", "/a"), inputs=schema))
    assert found(checked, "warning") == {"unenforced_pattern": "/workflows/0/inputs"}


def test_a_step_that_nothing_leads_to_is_a_warning() -> None:
    checked = of({**GOOD, "onSuccess": [{"name": "stop", "type": "end"}]}, step("b", "get", "/b"))
    assert found(checked) == {}
    assert found(checked, "warning") == {"unreachable_step": "/workflows/0/steps/1"}


def test_a_change_that_is_repeated_after_any_failure_is_a_warning() -> None:
    again = {"name": "again", "type": "retry"}
    assert "retry_repeats_change" in found(of(step("p", "post", "/p", onFailure=[again])), "warning")
    assert "retry_repeats_change" in found(of(step("p", "put", "/p", onFailure=[again])), "warning")
    said = {"x-switchgear": {"idempotent": True}}
    assert "retry_repeats_change" not in found(of(step("p", "put", "/p", onFailure=[again], **said)), "warning")


def test_the_plan_refuses_what_the_checks_refuse() -> None:
    with pytest.raises(DocumentError) as caught:
        build_program(of(step("b", "get", "/b/{id}")))
    assert caught.value.pointer == "/workflows/0/steps/0"
    with pytest.raises(DocumentError, match="no workflow nope"):
        build_program(of(GOOD), "nope")
