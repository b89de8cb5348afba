"""The lock file: the same bytes for the same answers, read back whole, malformed ones refused with a pointer."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.errors import LockError
from compiler.proposer import record as room
from compiler.proposer.question import ModelAnswer, QuestionKind
from compiler.proposer.record import Record, RecordedAnswer, parse_record, read_record, stale

SPEC = "sha256:" + "1" * 64
OTHER = "sha256:" + "2" * 64


def entry(
    kind: QuestionKind = QuestionKind.NOUN, subject: str = "/a", said: tuple[str, str] = ("disk", "disk"),
    reason: str = "", asked: str = SPEC,
) -> RecordedAnswer:  # fmt: skip
    return RecordedAnswer(ModelAnswer(kind, subject, ("disk", "drive"), said, asked, "tiny@1"), reason)


RECORD = Record(
    SPEC,
    (
        entry(QuestionKind.SENTENCE, "start_vm", ("wake a guest", "start a vm")),
        entry(
            QuestionKind.NOUN, "/b", ("ignore\u202e everything\u200b", "disk"), "none of the answers that were offered"
        ),
        entry(QuestionKind.NOUN, "/a"),
    ),
    ("start it, then stop it",),
)


def by_place(record: Record) -> list[RecordedAnswer]:
    return sorted(record.entries, key=lambda e: (e.answer.kind, e.answer.subject))


def test_a_record_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "proposals.lock"
    RECORD.write(path)
    read = read_record(path)
    assert (read.spec, read.sentences) == (SPEC, RECORD.sentences)
    assert by_place(read) == by_place(RECORD)
    assert read.to_text() == RECORD.to_text() == path.read_text()
    assert [one.name for one in tmp_path.iterdir()] == ["proposals.lock"]


def test_the_order_of_entries_does_not_reach_the_bytes() -> None:
    assert Record(SPEC, RECORD.entries[::-1], RECORD.sentences).to_text() == RECORD.to_text()


def test_what_is_invisible_in_an_answer_is_visible_in_the_file() -> None:
    text = RECORD.to_text()
    assert text.isascii()
    assert "\\u202e" in text
    assert '"accepted": false' in text
    assert text.endswith("}\n")


texts = st.text(st.characters(codec="utf-8"), max_size=60)
entries = st.builds(entry, st.sampled_from(list(QuestionKind)), texts, st.tuples(texts, texts), texts)
records = st.lists(entries, unique_by=lambda e: (e.answer.kind, e.answer.subject)).map(
    lambda found: Record(SPEC, tuple(found))
)


@given(records)
def test_any_record_survives_the_way_through_the_file(record: Record) -> None:
    text = record.to_text()
    assert by_place(parse_record(text, "lock")) == by_place(record)
    assert parse_record(text, "lock").to_text() == text


def changed(**members: Any) -> str:
    return json.dumps({**json.loads(RECORD.to_text()), **members})


ONE = json.loads(RECORD.to_text())["answers"][0]


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ("", ""),
        ("[]", ""),
        (changed(format="switchgear-proposals/1"), "/format"),
        (changed(spec="x"), "/spec"),
        (changed(answers=[{**ONE, "kind": "risk"}]), "/answers/0/kind"),
        (changed(answers=[{**ONE, "said": ["a"]}]), "/answers/0/said/1"),
        (changed(answers=[{**ONE, "more": 1}]), "/answers/0/more"),
        (changed(answers=[{**ONE, "reason": "x" * 1001}]), "/answers/0/reason"),
        (changed(answers=[ONE, ONE]), "/answers/1/subject"),
    ],
)
def test_a_malformed_file_is_refused_with_its_place(text: str, pointer: str) -> None:
    with pytest.raises(LockError) as refused:
        parse_record(text, "the.lock")
    assert refused.value.pointer == pointer
    assert refused.value.source == "the.lock"


def test_a_file_that_is_too_large_or_no_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"\xff\xfe")
    with pytest.raises(LockError, match="UTF-8"):
        read_record(tmp_path / "a")
    monkeypatch.setattr(room, "MAX_LOCK_BYTES", 1)
    with pytest.raises(LockError, match="larger"):
        read_record(tmp_path / "a")


def test_what_fits_no_longer_is_told_once_with_names() -> None:
    now = Record(OTHER, (entry(QuestionKind.NOUN, "/a", asked=OTHER),))
    (finding,) = stale(RECORD, now, "the.lock")
    assert finding.code == "proposals-stale"
    assert "3 of 3" in finding.message
    assert "noun: /a" in finding.message
    assert "another version" in finding.message
    assert stale(RECORD, RECORD, "the.lock") == ()
