"""Every assumption is told once, with the profile's field that settles it; and that field silences it.

One small description in which nothing is said twice; each case is a note and the part of a profile that answers it.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from compiler import assumptions, pipeline
from compiler import lint as linting
from compiler.ir.model import Diagnostic, Severity
from workflow.profiles.profile import Profile

SPEC = """
openapi: 3.1.0
info: {title: Shed, version: '1'}
paths:
  /pumps:
    parameters: &version [{name: X-Version, in: header, required: true, schema: {type: string}}]
    get: &pumps {responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: &pump {$ref: '#/components/schemas/Pump'}}}}}}}
  /pumps/{pumpId}:
    parameters: *version
    get: *pumps
    delete: {responses: {'204': {description: gone}}}
    put: &write
      requestBody: {required: true, content: {application/json: {schema: *pump}}}
      responses: {'200': {description: ok}, '412': {description: changed meanwhile}}
    patch: *write
  /pumps/{pumpId}/wipe:
    parameters: *version
    post: {responses: {'202': {description: accepted}}}
  /pumps/{pumpId}/turn:
    post:
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [mode], properties: {mode: {type: string, enum: [run, halt, erase]}}}}}}
      responses: {'200': {description: ok}}
  /valves:
    get: {responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: {type: object, properties: {href: {type: string}}}}}}}}}
  /valves/{valveId}: {get: &one {responses: {'200': {description: ok, content: {application/json: {schema: {type: object}}}}}}}
  /hatches/{hatchId}: {get: *one, post: {responses: {'200': {description: ok}}}}
components:
  securitySchemes: {b: {type: http, scheme: basic}}
  schemas:
    Pump:
      type: object
      properties:
        pumpId: {type: string, readOnly: true}
        power_state: {type: string, readOnly: true, enum: [running, halted, removed, failed]}
        speed: {type: integer}
        certificate: {type: string}
"""  # noqa: E501 - one line an operation reads best

PUMP = "/pumps/{pumpId}"
TURN = {"operation": f"POST {PUMP}/turn", "risk": "destroy", "why": "can erase"}
TURNS = [
    {**TURN, "when": {"/mode": [value]}, "risk": risk}
    for value, risk in (("run", "change"), ("halt", "disrupt"), ("erase", "destroy"))
]
JOB = {
    "handle": {"within": "header", "at": "Location"}, "statuses": [202], "poll": "GET /hatches/{hatchId}",
    "parameter": "hatchId", "state": "/s", "waiting": ["w"], "succeeded": ["s"], "failed": ["f"],
}  # fmt: skip
CASES: list[tuple[str, str, str, dict[str, Any]]] = [
    ("authentication-unknown", "#/components/securitySchemes", "(basic)", {"auth": {"kinds": ["basic"]}}),
    (
        "header-everywhere", "#/paths", "require the header X-Version",
        {"protocol": {"request_headers": {"x-version": "7"}}},
    ),
    ("gone-by-state", f"GET {PUMP}", "may be removed", {"gone": [{"pattern": "^GET /pumps", "statuses": [403]}]}),
    (
        "shown-as-sent", PUMP, "“certificate”",
        {"compare": [{"member": "/certificate", "by": "rewritten", "why": "a fingerprint is kept"}]},
    ),
    (
        "not-listed", "/hatches/{hatchId}", "{hatchId} has to be given",
        {"identity": {"synonyms": {"pumps": ["hatchId"]}}},
    ),
    ("no-natural-key", PUMP, "pumpId only", {"identity": {"natural_keys": {"pumps": ["speed"]}}}),
    ("one-element-list", f"GET {PUMP}", "one element", {"envelope": {"item": "one_element_list"}}),
    (
        "references-only", "GET /valves", "“href”",
        {"envelope": {"member_is_reference": True, "reference_field": "href"}},
    ),
    ("update-chosen", f"PATCH {PUMP}", f"PUT {PUMP} counts as its alias", {"verbs": {"distinct": [f"PUT {PUMP}"]}}),
    ("update-chosen", f"PATCH {PUMP}", f"PUT {PUMP} counts as its alias", {"verbs": {"prefer": ["PATCH", "PUT"]}}),
    ("state-without-rule", PUMP, "“power_state”", {"states": [{"resource": "pumps", "field": "/0/power_state"}]}),
    ("post-on-item", "POST /hatches/{hatchId}", "not an update", {"verbs": {"post_on_item_updates": False}}),
    (
        "job-unknown", f"POST {PUMP}/wipe", "may answer 202",
        {"jobs": [JOB]},
    ),
    ("version-not-sent", f"PATCH {PUMP}", "read before", {"conditional": {"methods": ["PUT", "PATCH"]}}),
    (
        "destroy-by-words", f"POST {PUMP}/wipe", "says “wipe”",
        {"risks": [{"pattern": "/wipe$", "risk": "destroy", "why": "wipes"}]},
    ),
    ("values-by-words", f"POST {PUMP}/turn", "change: run; disrupt: halt; destroy: erase", {"risks": TURNS}),
]  # fmt: skip


RULE: dict[str, Any] = {
    "resource": "pumps",
    "field": "/power_state",
    "transitions": [{"operation": f"POST {PUMP}/turn", "from_states": ["running"], "to": "running"}],
}


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shed") / "api.yaml"
    path.write_text(SPEC)
    return path


def assumed(spec: Path, profile: dict[str, Any] | None = None) -> tuple[Diagnostic, ...]:
    told = Profile.model_validate({"api": "shed", **profile}) if profile else None
    loaded = pipeline.load_api(spec, root=None, profile=told, overlay=None)
    understood = pipeline.understand(loaded.api, told).api
    outcome = assumptions.run(understood, pipeline.options_for(understood, told))
    assert outcome.api is understood
    return outcome.diagnostics


@pytest.mark.parametrize(("code", "pointer", "says", "profile"), CASES, ids=[case[0] for case in CASES])
def test_what_was_assumed_is_told_until_the_profile_says_it(
    spec: Path, code: str, pointer: str, says: str, profile: dict[str, Any]
) -> None:
    told = [one for one in assumed(spec) if one.code == code and one.pointer == pointer]
    assert len(told) == 1
    assert says in told[0].message
    assert told[0].severity is Severity.NOTE
    assert [one for one in assumed(spec, profile) if one.code == code and one.pointer == pointer] == []


@pytest.mark.slow
def test_every_remedy_names_a_field_that_profiles_have(spec: Path) -> None:
    for one in assumed(spec):
        named = one.remedy.split("`")[1]
        part: Any = Profile.model_json_schema()
        for name in named.split("."):
            assert name in part["properties"], one.remedy
            inner = part["properties"][name].get("$ref") or part["properties"][name].get("items", {}).get("$ref", "")
            part = Profile.model_json_schema()["$defs"].get(inner.rpartition("/")[2], {})


def test_every_kind_of_note_has_its_case(spec: Path) -> None:
    assert {one.code for one in assumed(spec)} == {case[0] for case in CASES} | {"risk-by-words", "outcome-not-seen"}


def test_the_actions_that_no_rule_names_are_counted(spec: Path) -> None:
    counted = next(one for one in assumed(spec) if one.code == "risk-by-words")
    # wipe and the POST on the item; turn is told by its values.
    assert counted.message.startswith("2 of 3 actions")


def test_a_job_that_never_starts_is_no_unknown_job(spec: Path) -> None:
    rule = {**JOB, "never": ["/wipe$"]}
    assert "job-unknown" not in {one.code for one in assumed(spec, {"jobs": [rule]})}


def test_a_rule_for_states_is_asked_what_failure_looks_like_and_what_shows_a_restart(spec: Path) -> None:
    told = {one.code: one for one in assumed(spec, {"states": [RULE]})}
    assert "may be failed;" in told["failing-state"].message
    assert f"POST {PUMP}/turn may begin and end in one state" in told["restart-not-seen"].message
    assert told["failing-state"].remedy.endswith("`states.failed`")
    assert told["restart-not-seen"].remedy.endswith("`states.transitions.changes`")
    moves = [{**RULE["transitions"][0], "changes": "/speed"}]
    silent = {one.code for one in assumed(spec, {"states": [{**RULE, "failed": ["failed"], "transitions": moves}]})}
    assert not silent & {"failing-state", "restart-not-seen"}


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ({"resource": "lids"}, "nothing that is read has the noun lids"),
        ({"field": "/mode"}, "nothing of the noun pumps shows “/mode”"),
    ],
)
def test_a_rule_for_a_state_that_nothing_shows_is_told_with_the_fields_that_say_where(
    spec: Path, where: dict[str, str], says: str
) -> None:
    told = next(one for one in assumed(spec, {"states": [{**RULE, **where}]}) if one.code == "state-not-shown")
    assert told.message.startswith(says)
    assert "`states.resource`" in told.remedy
    assert "`states.field`" in told.remedy
    assert "state-not-shown" not in {one.code for one in assumed(spec, {"states": [RULE]})}


LIVES = """
openapi: 3.1.0
info: {title: Hall, version: '1'}
paths:
  /vms: {get: {responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: &vm {$ref: '#/components/schemas/VM'}}}}}}}}
  /vms/{vmId}: {get: {responses: {'200': {description: ok, content: {application/json: {schema: *vm}}}}}}
  /vms/{vmId}/start: {post: {responses: {'204': {description: ok}}}}
  /vms/{vmId}/power: {get: {responses: {'200': {description: ok, content: {application/json: {schema: {type: object, properties: {state: &state {type: string, enum: ['on', 'off']}}}}}}}}}
components:
  schemas:
    VM:
      type: object
      properties:
        vmId: {type: string}
        run: {type: object, properties: {status: *state}}
        task: {type: object, properties: {taskId: {type: string}, state: *state}}
"""  # noqa: E501


def test_states_in_a_part_of_a_thing_or_right_below_it_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "hall.yaml"
    path.write_text(LIVES)
    told = {one.pointer: one.message for one in assumed(path) if one.code == "state-without-rule"}
    assert told.keys() == {"/vms/{vmId}", "/vms/{vmId}/power"}
    assert "“run/status”" in told["/vms/{vmId}"]
    assert "“state”" in told["/vms/{vmId}/power"]
    moves = [{"operation": "POST /vms/{vmId}/start", "from_states": ["off"], "to": "on"}]
    for resource, field in (("power", "/state"), ("vms", "/run/status")):
        rule = {"resource": resource, "field": field, "transitions": moves}
        assert "state-without-rule" not in {one.code for one in assumed(path, {"states": [rule]})}


def test_a_value_that_no_rule_names_is_still_told(spec: Path) -> None:
    told = next(one for one in assumed(spec, {"risks": TURNS[:2]}) if one.code == "values-by-words")
    assert "erase" in told.message
    assert "halt" not in told.message


def test_a_class_for_the_whole_operation_tells_its_values_too(spec: Path) -> None:
    told = {one.code for one in assumed(spec, {"risks": [TURN]})}
    assert "values-by-words" not in told


def test_nothing_is_assumed_about_what_the_profile_leaves_out(spec: Path) -> None:
    left = {"leave_out": [{"pattern": "/(pumps|valves|hatches)", "why": "not ours"}]}
    assert {one.code for one in assumed(spec, left)} == {"authentication-unknown"}


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=30), st.sampled_from(list(Severity)))
def test_no_finding_is_lost_in_the_text(codes: list[str], severity: Severity) -> None:
    text = linting.as_text([Diagnostic(code, severity, f"p{n}", "m", "r") for n, code in enumerate(codes)])
    counted = [int(line.split("(")[1].split(")")[0]) for line in text.splitlines() if line.startswith(severity.value)]
    assert sum(counted) == len(codes)


def test_the_gravest_kind_comes_first_and_a_remedy_stands_once() -> None:
    note = Diagnostic("small", Severity.NOTE, "/a", "is so", "say it")
    found = [note, Diagnostic("big", Severity.ERROR, "/b", "is wrong"), note]
    assert linting.as_text(found).splitlines() == [
        "error: big (1)", "  /b: is wrong", "note: small (2): say it", "  /a: is so", "  /a: is so",
    ]  # fmt: skip


@pytest.mark.parametrize("api", ["hypercore", "idrac"])
def test_the_shipped_profiles_leave_few_assumptions(api: str) -> None:
    folder = Path(__file__).parents[3] / "specs" / api
    profile = yaml.safe_load((folder / "profile.yaml").read_text())
    assert len(assumed(folder / "openapi.yaml", profile)) <= 9
