"""Whether two values are the same, the same in another form, or different."""

import json
from typing import Any

import pytest

from workflow.json.pointers import NOTHING
from workflow.replies.comparing import compared, sameness

SAME = [(1, 1), (1, 1.0), ("a", "a"), (None, None), (None, NOTHING), ({"a": 1}, {"a": 1}), ([1, 2], [1, 2])]
FORMS = [
    (8, "8"),
    ("8", 8.0),
    (True, "true"),
    ("Web-01", "web-01"),
    (" web", "web"),
    ("aGkK", "hi\n"),
    ("00-1B-44-11-3A-B7", "00:1b:44:11:3a:b7"),
    ("001b.4411.3ab7", "00:1B:44:11:3A:B7"),
    ("example.org", "example.org."),
    ("2001:db8::1", "2001:0db8:0:0:0:0:0:1"),
    ("2026-01-01T10:00:00Z", "2026-01-01T11:00:00+01:00"),
    ("2 GiB", 2147483648),
    ("2048Mi", "2Gi"),
    ("1h30m", 5400),
    ("90s", "1m30s"),
    ("http://h/a/", "http://h/a"),
    ([1, 2], [2, 1]),
    ("x", ["x"]),
    ("42", {"@odata.id": "/redfish/v1/Things/42"}),
    ("active", {"value": "active", "label": "Active"}),
    (4, {"value": 4, "label": "IPv4"}),
    ([{"a": 1}], [{"a": 1, "id": 7}]),
    ("", NOTHING),
    ([], None),
    (True, "Yes"),
    (True, 1),
    (False, 0),
    ("enabled", True),
    (False, "Disabled"),
    ("2GB", "2048MB"),
    ("10.0.0.9", "10.0.0.9/24"),
    ("2001:db8::9", "2001:db8::9/64"),
    (["10.0.0.1", "10.0.0.2"], "10.0.0.1, 10.0.0.2"),
    ("10.0.0.1, 10.0.0.2", "10.0.0.1,10.0.0.2"),
    ("a;b", ["a", "b"]),
    (["10.0.0.7"], ["10.0.0.7", "", None]),
    (["10.0.0.7"], ["10.0.0.7", "0.0.0.0"]),
    ("Bücherei", "Bu\u0308cherei"),  # a letter with its dots, and the letter and the dots
]
DIFFERENT = [
    ("Active", {"value": "planned", "label": "Active"}),
    ("active", {"value": "active", "since": 3}),
    ("aGkK", "hi"),
    ("no base64!", "nobase64"),
    ("10.0.0.1, 10.0.0.2", "10.0.0.2,10.0.0.1"),
    ("well, and good", "well,and good"),
    ("", "x"),
    (8, 9),
    (8, NOTHING),
    (0, NOTHING),
    (False, NOTHING),
    (True, 0),
    (True, 2),
    (1, True),
    (True, "no"),
    (True, "active"),
    ("yes", "on"),
    ("2GB", "2000MiB"),
    ("2G", "2"),
    ("10.0.0.0", "10.0.0.0/8"),
    ("10.0.0.9/24", "10.0.0.9"),
    ("10.0.0.9", "10.0.0.8/24"),
    (["a", "b"], "b,a"),
    (["a", "b"], "a,b,c"),
    (["a,b", "c"], "a,b,c"),
    (["7"], ["7", "0.0.0.0"]),
    (["a"], ["a", "b"]),
    (True, False),
    ("web-01", "web-02"),
    ("a.b", "a.c"),
    ("10.0.0.1/24", "10.0.0.2/24"),
    ("1000", "1024"),
    ("1 GB", "1 GiB"),
    ("1h", 60),
    ("1h", "1h1s"),
    ([1, 2], [1]),
    ([1], [1, 2]),
    ({"a": 1}, "a"),
    ("00:1b:44:11:3a:b7", "00:1b:44:11:3a:b8"),
    (2147483648, 2147483000),
]


@pytest.mark.parametrize(("asked", "found"), SAME)
def test_the_same_is_the_same(asked: Any, found: Any) -> None:
    assert sameness(asked, found) == "same"


@pytest.mark.parametrize(("asked", "found"), FORMS)
def test_another_form_is_told_as_such_and_is_no_difference(asked: Any, found: Any) -> None:
    assert sameness(asked, found) == "form"


@pytest.mark.parametrize(("asked", "found"), DIFFERENT)
def test_whatever_else_differs_is_a_difference(asked: Any, found: Any) -> None:
    assert sameness(asked, found) == "differs"


def test_by_rule_no_other_form_counts_or_numbers_may_be_rounded() -> None:
    assert sameness("Web", "web", "exact") == "differs"
    assert sameness(1000, 1005, "rounded") == "form"
    assert sameness(1000, 1020, "rounded") == "differs"


def test_members_are_compared_at_their_places_and_further_ones_do_not_count() -> None:
    asked = {"a": 1, "b": {"c/d": "x"}, "e": [1]}
    found = {"a": 1, "b": {"c/d": "y", "z": 0}, "f": 3}
    told = {each.place: each.sameness for each in compared(asked, found)}
    assert told == {"/a": "same", "/b/c~1d": "differs", "/e": "differs"}


def test_a_list_whose_order_is_its_meaning_is_another_in_another_order() -> None:
    assert sameness(["net", "disk"], ["disk", "net"]) == "form"
    assert sameness(["net", "disk"], ["disk", "net"], "ordered") == "differs"
    assert sameness(["net", "disk"], ["NET", "disk", ""], "ordered") == "form"


def test_bits_are_no_bytes_and_a_time_of_day_needs_no_seconds() -> None:
    assert sameness("20Mbps", "20MBps") == "differs"
    assert sameness("20Mbps", "20mbps") == "form"
    assert sameness("04:00", "04:00:00") == "form"
    assert sameness("04:00", "02:00") == "differs"


def test_json_in_a_text_that_has_a_member_twice_is_another_text() -> None:
    twice = '{"k": 1, "k": 2}'
    assert [each.sameness for each in compared(twice, '{"k": 2}')] == ["differs"]
    assert [each.sameness for each in compared('{"in": [{"k": 1, "k": 2}]}', '{"in": [{"k": 2}]}')] == ["differs"]
    assert [each.sameness for each in compared(twice, twice)] == ["same"]
    assert [each.sameness for each in compared('{"k":2}', '{"k": 2}')] == ["same"]


def test_a_text_that_is_shown_as_the_json_of_it_is_another_form_and_of_another_text_is_none() -> None:
    asked = 'new "one"'
    assert [each.sameness for each in compared(asked, json.dumps(asked))] == ["form"]
    assert [each.sameness for each in compared("new", '"old"')] == ["differs"]
    assert [each.sameness for each in compared("new", '"new')] == ["differs"]
    assert [each.sameness for each in compared(asked, json.dumps(asked), "exact")] == ["differs"]
