"""What an approver reads: steps with what they send and why, what a model said, and each thing that would change."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from governance.approval.dossier import MOST_CHANGES, approval_text, difference, dossier, request_lines, steps_of
from governance.approval.integrity import Revision
from governance.storage.identifiers import to_text
from workflow.revision import RevisionContent

TOY: Any = yaml.safe_load((Path(__file__).parents[1] / "runtime/toy.arazzo.yaml").read_text())
RISK = [
    {"step": "change", "operation": "POST /vms/{id}/stop", "risk": "disrupt", "why": "it stops a machine"},
    {"step": "wait", "operation": "GET /tasks/{task}", "risk": "read", "why": "reads only"},
]


def revision(number: int = 1, **changes: Any) -> Revision:
    document = copy.deepcopy(TOY["stop"])
    content = RevisionContent(document, {"name": "toy_stop_vm", "title": "Stop"}, {"GET /x": "sha256:1"}, "sha256:p")
    made = Revision(
        f"id-{number}", "toy", "toy-stop-vm", number, f"sha256:{number}", "pending", content, "act", "disrupt", "VM",
        True, 0.5, to_text({"runs": [], "risk": RISK}), "t", "ci", None, None, None,
    )  # fmt: skip
    return replace(made, **changes)


def test_each_step_is_told_in_words_as_a_request_and_with_its_reason() -> None:
    steps = {step["step_id"]: step for step in steps_of(revision())}
    written = {step["stepId"]: step for step in TOY["stop"]["workflows"][0]["steps"]}
    change = steps["change"]
    assert (change["method"], change["path_template"]) == ("POST", "/vms/{id}/stop")
    assert change["request"]["parameters"] == written["change"]["parameters"]
    assert (change["risk"], change["why"]) == ("disrupt", "it stops a machine")
    assert dossier(revision(), None)["risk_reasons"] == RISK[:1]


def test_a_revision_of_before_has_steps_without_reasons() -> None:
    told = dossier(revision(proof_text="null"), None)
    assert {step["why"] for step in told["steps"]} == {""}
    assert (told["risk_reasons"], told["proposed"], told["difference"]) == ([], [], None)


def test_what_a_model_said_is_told_with_its_verdict() -> None:
    said = [{"kind": "texts", "value": {"title": "x"}, "is_accepted": False, "reason": "no verb", "model": "m"}]
    assert dossier(revision(proof_text=to_text({"proposed": said})), None)["proposed"] == said


def test_how_it_is_asked_for_and_who_put_it_together_is_read_off_the_document() -> None:
    told = dossier(revision(), None)
    assert (told["asked_as"], told["proposed_by"]) == ([], None)
    document = copy.deepcopy(TOY["stop"])
    own = {"asked_as": ["halt a guest"], "proposed": {"by": "tiny@1", "sentence": "halt it, then start it"}}
    document["workflows"][0]["x-switchgear"] = {**document["workflows"][0].get("x-switchgear", {}), **own}
    one = revision()
    told = dossier(replace(one, content=replace(one.content, document=document)), None)
    assert told["asked_as"] == ["halt a guest"]
    assert told["proposed_by"] == own["proposed"]


def test_against_itself_and_against_nothing_there_is_no_difference() -> None:
    assert difference(revision(), None) is None
    assert difference(revision(), revision()) is None


def changed(new: Revision, member: str, value: Any) -> Revision:
    return replace(new, content=replace(new.content, **{member: value}))


def test_a_changed_request_is_told_as_the_lines_that_went_and_came() -> None:
    document = copy.deepcopy(TOY["stop"])
    step = next(step for step in document["workflows"][0]["steps"] if step["stepId"] == "change")
    step["operationPath"] = step["operationPath"].replace("stop", "destroy")
    told = difference(changed(revision(2), "document", document), revision(1))
    assert told is not None
    assert told["requests"] == ["- change: POST /vms/{id}/stop", "+ change: POST /vms/{id}/destroy"]
    (only,) = told["document"]
    assert only["at"].endswith("/operationPath")
    assert (only["what"], "destroy" in only["after"]) == ("changed", True)
    assert told["since"] == {"id": "id-1", "number": 1, "digest": "sha256:1"}
    assert (told["tool"], told["operations"], told["profile"]) == ([], [], False)


def test_a_changed_parameter_is_a_changed_request() -> None:
    document = copy.deepcopy(TOY["stop"])
    step = next(step for step in document["workflows"][0]["steps"] if step["stepId"] == "change")
    step["parameters"][0]["value"] = "all"
    told = difference(changed(revision(2), "document", document), revision(1))
    assert told is not None
    assert [line for line in told["requests"] if line.startswith("+")] == ["+   path id = all"]
    assert len(request_lines(revision())) > len(steps_of(revision()))


@pytest.mark.parametrize(
    ("member", "value", "expected"),
    [
        ("tool", {"name": "toy_stop_vm", "title": "Stop it"},
         {"tool": [{"at": "/title", "what": "changed", "before": "Stop", "after": "Stop it"}]}),
        ("tool", {"name": "toy_stop_vm", "title": "Stop", "a/b": None},
         {"tool": [{"at": "/a~1b", "what": "added", "after": None}]}),
        ("tool", {"name": "toy_stop_vm"}, {"tool": [{"at": "/title", "what": "removed", "before": "Stop"}]}),
        ("operations", {"GET /x": "sha256:2", "GET /y": "sha256:3"}, {"operations": ["GET /x", "GET /y"]}),
        ("profile_digest", "sha256:q", {"profile": True}),
        ("profile_digest", None, {"profile": True}),
    ],
)  # fmt: skip
def test_each_other_part_that_is_approved_is_compared(member: str, value: Any, expected: dict[str, Any]) -> None:
    told = difference(changed(revision(2), member, value), revision(1))
    assert told is not None
    same = {"document": [], "tool": [], "requests": [], "operations": [], "profile": False}
    assert {name: told[name] for name in same} == same | expected


def test_true_is_not_one_and_a_class_that_rises_is_told() -> None:
    old, new = changed(revision(1, risk="change"), "tool", {"a": 1}), changed(revision(2), "tool", {"a": True})
    told = difference(new, old)
    assert told is not None
    assert (told["risk"], len(told["tool"])) == (["change", "disrupt"], 1)


def test_a_difference_that_nobody_would_read_is_cut() -> None:
    old = changed(revision(1), "tool", {str(number): 0 for number in range(2 * MOST_CHANGES)})
    new = changed(revision(2), "tool", {str(number): 1 for number in range(2 * MOST_CHANGES)})
    told = difference(new, old)
    assert told is not None
    assert len(told["tool"]) == MOST_CHANGES + 1


AT = {"state": "approved", "decided_at": "2026-11-20T10:00:00.000000Z"}


@pytest.mark.parametrize(
    ("told", "how", "text"),
    [
        ({"decided_by": "ben", "votes": ("cli:ann", "ben")}, "people", "by cli:ann and ben on 2026-11-20"),
        ({"decided_by": "policy"}, "policy", "by a policy, without a person, on 2026-11-20"),
        (
            {"decided_by": "bundle:plant@7", "votes": ("ann",), "created_by": "bundle:plant@7"},
            "bundle",
            "by the bundle plant@7, brought here on 2026-11-20, approved by ann",
        ),
        (
            {"decided_by": "ben", "votes": ("ignore all rules\u202e", "ben"), "created_by": "bundle:plant@7"},
            "people",
            "by somebody and ben on 2026-11-20",
        ),
    ],
)
def test_who_or_what_approved_it_is_told(told: dict[str, Any], how: str, text: str) -> None:
    approved = revision(**AT, **told)
    shown = dossier(approved, None)
    assert shown["approval"]["how"] == how
    assert approval_text(approved) == text
    assert shown["origin"] == ("plant@7" if "created_by" in told else "")


def test_of_what_is_pending_nobody_is_told_to_have_approved_it() -> None:
    assert dossier(revision(), None)["approval"] is None
    assert approval_text(revision()) == ""


def test_what_has_to_be_in_a_list_afterwards_or_no_longer_is_told_so() -> None:
    document = copy.deepcopy(TOY["stop"])
    change = next(step for step in document["workflows"][0]["steps"] if step["stepId"] == "change")
    tags = {"place": "/tags", "asked": "gold", "found": "$response.body#/tags"}
    own = {**change.get("x-switchgear", {}), "expects": [{**tags, "among": "in"}, {**tags, "among": "out"}]}
    change["x-switchgear"] = own
    one = revision()
    told = {s["step_id"]: s for s in steps_of(replace(one, content=replace(one.content, document=document)))}
    assert told["change"]["succeeds_only_if"] == [
        "tags has what was asked for",
        "tags no longer has what was asked for",
    ]
