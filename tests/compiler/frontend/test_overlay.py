"""Overlay 1.0: what an action changes, and how a wrong one is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from compiler.errors import LimitError, OverlayError
from compiler.frontend.documents.limits import DEFAULT_LIMITS
from compiler.frontend.documents.overlay import apply_overlay
from compiler.frontend.findings import Findings


def patched(data: Any, actions: Any, folder: Path, *, overlay: str = "1.0.0") -> tuple[Any, list[str]]:
    path = folder / "overlay.json"
    path.write_text(json.dumps({"overlay": overlay, "info": {}, "actions": actions}))
    findings = Findings()
    result = apply_overlay(data, path, findings, DEFAULT_LIMITS)
    return result, [one.code for one in findings.sorted()]


@pytest.mark.parametrize(
    ("data", "action", "expected"),
    [
        ({"a": 1}, {"target": "$", "update": {"b": 2}}, {"a": 1, "b": 2}),
        ({"a": {"b": {"c": 1}}}, {"target": "$.a", "update": {"b": {"d": 2}}}, {"a": {"b": {"c": 1, "d": 2}}}),
        ({"a": [1]}, {"target": "$.a", "update": 2}, {"a": [1, 2]}),
        ({"a": [1]}, {"target": "$", "update": {"a": [2, 3]}}, {"a": [1, 2, 3]}),
        ({"a": [1, 2, 3, 4]}, {"target": "$.a[?@ > 1]", "remove": True}, {"a": [1]}),
        ({"a": {"x": 1, "y": 2}}, {"target": "$.a.*", "remove": True}, {"a": {}}),
        ({"a": {"a": {"a": 1}}}, {"target": "$..a", "remove": True}, {}),
        ({"a": 1}, {"target": "$.a", "remove": True, "update": {"b": 1}}, {}),
        ({"a": 1}, {"target": "$.a", "description": "nothing to do"}, {"a": 1}),
    ],
)
def test_an_action_changes_what_its_target_selects(data: Any, action: Any, expected: Any, tmp_path: Path) -> None:
    assert patched(data, [action], tmp_path) == (expected, [])


def test_actions_see_what_earlier_ones_did(tmp_path: Path) -> None:
    actions = [{"target": "$", "update": {"new": {"x": 1}}}, {"target": "$.new", "update": {"y": 2}}]

    assert patched({}, actions, tmp_path)[0] == {"new": {"x": 1, "y": 2}}


def test_the_description_that_was_given_is_not_touched(tmp_path: Path) -> None:
    shared = {"x": 1}
    data = {"a": shared, "b": shared}

    changed, _ = patched(data, [{"target": "$.a", "update": {"y": 2}}], tmp_path)

    assert changed == {"a": {"x": 1, "y": 2}, "b": {"x": 1}}
    assert data == {"a": {"x": 1}, "b": {"x": 1}}


def test_a_target_that_selects_nothing_is_reported(tmp_path: Path) -> None:
    assert patched({}, [{"target": "$.gone", "remove": True}], tmp_path) == ({}, ["overlay-idle"])


@pytest.mark.parametrize(
    ("action", "says"),
    [
        ({"target": "$[", "remove": True}, "not a JSONPath"),
        ({"target": "", "remove": True}, "not a JSONPath"),
        ({"remove": True}, "not a JSONPath"),
        ("text", "not a JSONPath"),
        ({"target": "$", "remove": True}, "cannot be removed"),
        ({"target": "$.a", "update": 1}, "neither a mapping nor a list"),
        ({"target": "$.a", "copy": "$.b"}, "copy"),
    ],
)
def test_a_wrong_action_is_refused_with_its_place(action: Any, says: str, tmp_path: Path) -> None:
    with pytest.raises(OverlayError, match=says) as refusal:
        patched({"a": 1}, [action], tmp_path)

    assert (refusal.value.exit_code, refusal.value.pointer) == (3, "/actions/0")


@pytest.mark.parametrize(("overlay", "actions"), [("2.0.0", []), ("", []), ("1.0.0", {})])
def test_what_is_no_overlay_is_refused(overlay: str, actions: Any, tmp_path: Path) -> None:
    with pytest.raises(OverlayError):
        patched({}, actions, tmp_path, overlay=overlay)


@pytest.mark.slow
def test_a_target_that_multiplies_is_bounded(tmp_path: Path) -> None:
    data: Any = {}
    for _ in range(40):
        data = {"x": data}

    with pytest.raises(LimitError):
        patched(data, [{"target": "$..*..*..*..*..*..*", "update": {}}], tmp_path)
