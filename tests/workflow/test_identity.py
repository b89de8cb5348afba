"""Identity is content: any change in a revision's parts is another digest, key order is none."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.errors import CanonicalError
from workflow.json.canonical import canonical_bytes, digest, digest_of_row, digest_of_texts
from workflow.revision import RevisionContent

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
CONTENT = RevisionContent({"a": 1, "b": [2]}, {"name": "t"}, {"GET /x": "sha256:1", "PUT /x": "sha256:2"}, "sha256:3")


@pytest.mark.parametrize(
    "changed",
    [
        RevisionContent({"a": 1, "b": [3]}, CONTENT.tool, CONTENT.operations, CONTENT.profile_digest),
        RevisionContent(CONTENT.document, {"name": "u"}, CONTENT.operations, CONTENT.profile_digest),
        RevisionContent(CONTENT.document, CONTENT.tool, {"GET /x": "sha256:1"}, CONTENT.profile_digest),
        RevisionContent(CONTENT.document, CONTENT.tool, CONTENT.operations, None),
    ],
)
def test_a_change_in_any_part_is_another_revision(changed: RevisionContent) -> None:
    assert changed.digest != CONTENT.digest


def test_the_same_content_has_the_same_digest_whatever_the_order_of_its_keys() -> None:
    operations = {"PUT /x": "sha256:2", "GET /x": "sha256:1"}
    turned = RevisionContent({"b": [2], "a": 1}, {"name": "t"}, operations, "sha256:3")
    assert turned.digest == CONTENT.digest


@given(JSON, JSON, st.dictionaries(st.text(), st.text(), max_size=2), st.none() | st.text())
def test_content_survives_its_json_form(document: Any, tool: Any, operations: Any, profile: Any) -> None:
    content = RevisionContent(document, tool, operations, profile)
    assert RevisionContent.from_json(content.to_json()) == content
    assert RevisionContent.from_json(content.to_json()).digest == content.digest


def test_canonical_json_is_that_of_rfc_8785() -> None:
    value = {"b": 1.0, "a": "é\u2028", "c": [1e21, None]}
    assert canonical_bytes(value) == '{"a":"é\u2028","b":1,"c":[1e+21,null]}'.encode()
    assert digest({}) == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@pytest.mark.parametrize("value", [float("nan"), 2**53 + 1, {1: 2}, object()])
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(CanonicalError):
        canonical_bytes(value)


@given(st.dictionaries(st.text(st.characters(max_codepoint=127)), st.text() | st.integers(-(2**53) + 1, 2**53 - 1)))
def test_the_fast_digest_of_texts_is_the_digest(values: dict[str, str | int]) -> None:
    assert digest_of_texts(values) == digest(values)


_INTEGERS = st.integers(-(2**53) + 1, 2**53 - 1)
_NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.floats(0, 1) | _INTEGERS


@given(st.dictionaries(st.sampled_from("abcdef"), st.none() | st.booleans() | st.text() | _NUMBERS))
def test_the_fast_digest_of_a_row_is_the_digest(values: dict[str, str | float | bool | None]) -> None:
    assert digest_of_row(values) == digest(values)


@pytest.mark.parametrize("value", ["\ud800", 2**70, float("nan"), float("-inf"), object()])
def test_what_a_row_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(CanonicalError):
        digest_of_row({"a": value})


@pytest.mark.parametrize("value", ["\ud800", 2**70, object()])
def test_what_the_fast_digest_cannot_write_is_refused(value: Any) -> None:
    with pytest.raises(CanonicalError):
        digest_of_texts({"a": value})
