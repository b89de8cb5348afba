"""What a policy file may say, and what the policy answers: windows by the clock on the wall, ends, counts."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from governance.approval.policy import BUILT_IN, Policy, parse_policy, policy_of, schema_text
from governance.errors import InvalidError
from governance.storage.identifiers import moment

DOCS = Path(__file__).parents[2] / "docs"
PUBLISHED = DOCS / "policy.schema.json"
EXAMPLE = DOCS / "policy.example.yaml"


def bound(**window: Any) -> Policy:
    return policy_of({"classes": {"destroy": {"windows": [window]}}})


def at(text: str) -> str:
    return moment(datetime.fromisoformat(text).replace(tzinfo=UTC))


def test_the_published_schema_is_the_one_of_the_typed_form() -> None:
    assert PUBLISHED.read_text() == schema_text(), "python -m governance.approval.policy > docs/policy.schema.json"


def test_the_example_is_a_policy_by_the_typed_form_and_by_the_schema() -> None:
    policy = parse_policy(EXAMPLE.read_bytes())
    jsonschema_rs.validator_for(json.loads(PUBLISHED.read_text())).validate(yaml.safe_load(EXAMPLE.read_text()))
    assert (policy.rule("read").approvals, policy.rule("destroy").approvals) == (0, 2)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("classes: {reed: {}}", "classes/reed"),
        ("classes: {read: {approvals: -1}}", "classes/read/approvals"),
        ("classes: {destroy: {approvals: 0}}", "classes: .*at least one approval"),
        ("classes: {read: {windows: []}}", "classes/read/windows"),
        ("classes: {disrupt: {windows: [{from: '25:00', to: '03:00', zone: UTC}]}}", "windows/0/from"),
        ("classes: {disrupt: {windows: [{from: '22:00', to: '03:00', zone: Mars/Olympus}]}}", "windows/0/zone"),
        ("classes: {disrupt: {windows: [{from: '22:00', to: '03:00'}]}}", "windows/0/zone"),
        ("pending_days: 0", "pending_days"),
        ("self_aproval: true", "self_aproval"),
        ("[1]", "the file"),
        ("a: [", "not YAML"),
        ("a: &a [*a]", "the policy"),
    ],
)
def test_what_is_no_policy_is_refused_with_its_place(text: str, place: str) -> None:
    with pytest.raises(InvalidError, match=place):
        parse_policy(text.encode())


def test_a_file_that_says_nothing_is_strict_about_ones_own() -> None:
    assert not parse_policy(b"").self_approval
    assert BUILT_IN.self_approval


def test_equal_policies_have_one_digest_however_they_are_written() -> None:
    assert parse_policy(b"self_approval: false").digest == parse_policy(b"{}").digest
    assert parse_policy(b"self_approval: true").digest != parse_policy(b"{}").digest


@pytest.mark.parametrize(
    ("now", "is_open"),
    [
        ("2026-11-20T20:59", False),  # Friday 21:59 in Berlin
        ("2026-11-20T21:00", True),
        ("2026-11-21T03:59", True),  # Saturday: the window that began on Friday
        ("2026-11-21T04:00", False),
        ("2026-11-21T21:30", False),  # none begins on Saturday
        ("2026-07-10T20:00", True),  # in summer the wall there is two hours ahead
        ("2026-07-10T19:59", False),
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins(now: str, is_open: bool) -> None:
    policy = bound(**{"days": ["fri"], "from": "22:00", "to": "05:00", "zone": "Europe/Berlin"})
    assert (policy.closed("destroy", at(now)) == "") is is_open


def test_a_window_within_a_day_begins_with_its_first_minute_and_ends_before_its_last() -> None:
    policy = bound(**{"from": "09:00", "to": "17:00", "zone": "UTC"})
    hours = {
        f"{h:02}:{m:02}"
        for h in range(24)
        for m in (0, 30)
        if not policy.closed("destroy", at(f"2026-11-20T{h:02}:{m:02}"))
    }
    assert (min(hours), max(hours), len(hours)) == ("09:00", "16:30", 16)


def test_other_classes_are_not_bound_by_it_and_one_that_is_not_known_is() -> None:
    policy = bound(**{"from": "09:00", "to": "17:00", "zone": "UTC"})
    night = at("2026-11-20T23:00")
    assert [policy.closed(risk, night) == "" for risk in ("read", "change", "disrupt", "destroy", "what")] == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert "mon,tue,wed,thu,fri,sat,sun 09:00-17:00 UTC" in policy.closed("destroy", night)
