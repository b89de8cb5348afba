"""The lock file: the same bytes for the same entries, read back whole, malformed ones refused with a pointer."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.errors import LockError
from compiler.proposer import proposal as room
from compiler.proposer.proposal import Entry, Kind, Proposal, Record, parse_record, read_record, stale

SPEC = "sha256:" + "1" * 64
OTHER = "sha256:" + "2" * 64


def entry(
    kind: Kind = Kind.NOUNS, subject: str = "/a", value: Any = "disk", reason: str = "", asked: str = SPEC
) -> Entry:
    return Entry(Proposal(kind, subject, value, asked, OTHER, "tiny@1"), reason)


RECORD = Record(
    SPEC,
    (
        entry(Kind.TEXTS, "start_vm", {"title": "Start VM", "description": "Starts a VM."}),
        entry(Kind.NOUNS, "/b", "ignore\u202e everything\u200b", "speaks to its reader (“ignore”)"),
        entry(Kind.RANKS, "start_vm", 0.75),
        entry(Kind.NOUNS, "/a"),
    ),
)


def by_place(record: Record) -> list[Entry]:
    return sorted(record.entries, key=lambda e: (e.proposal.kind, e.proposal.subject))


def test_a_record_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "proposals.lock"
    path.write_text(RECORD.to_text())
    read = read_record(path)
    assert read.spec == SPEC
    assert by_place(read) == by_place(RECORD)
    assert read.to_text() == RECORD.to_text()


def test_the_order_of_entries_does_not_reach_the_bytes() -> None:
    assert Record(SPEC, RECORD.entries[::-1]).to_text() == RECORD.to_text()


def test_what_is_invisible_in_an_answer_is_visible_in_the_file() -> None:
    text = RECORD.to_text()
    assert text.isascii()
    assert "\\u202e" in text
    assert '"accepted": false' in text
    assert text.endswith("}\n")


texts = st.text(st.characters(codec="utf-8"), max_size=60)
values = {
    Kind.NOUNS: texts,
    Kind.TEXTS: st.fixed_dictionaries({"title": texts, "description": texts}),
    Kind.RANKS: st.floats(allow_nan=False, allow_infinity=False),
}
entries = st.sampled_from(list(Kind)).flatmap(
    lambda kind: st.builds(entry, st.just(kind), texts, values[kind], texts, st.sampled_from([SPEC, OTHER]))
)
records = st.lists(entries, unique_by=lambda e: (e.proposal.kind, e.proposal.subject)).map(
    lambda found: Record(SPEC, tuple(found))
)


@given(records)
def test_any_record_survives_the_way_through_the_file(record: Record) -> None:
    text = record.to_text()
    assert by_place(parse_record(text, "lock")) == by_place(record)
    assert parse_record(text, "lock").to_text() == text


def changed(**members: Any) -> str:
    return json.dumps({**json.loads(RECORD.to_text()), **members})


def with_noun(**members: Any) -> str:
    nouns = json.loads(RECORD.to_text())["nouns"]
    return changed(nouns=[{**nouns[0], **members}])


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ("", ""),
        ("[1]", ""),
        ("{", ""),
        ("[" * 100_000, ""),
        (changed(format="switchgear-proposals/2"), "/format"),
        (changed(spec="sha256:zz"), "/spec"),
        (changed(more=1), "/more"),
        (changed(nouns={}), "/nouns"),
        (with_noun(value=3), "/nouns/0/value"),
        (with_noun(value="x" * 1001), "/nouns/0/value"),
        (with_noun(asked="yes"), "/nouns/0/asked"),
        (with_noun(accepted="true"), "/nouns/0/accepted"),
        (with_noun(extra="x"), "/nouns/0/extra"),
        (changed(ranks=[{**json.loads(RECORD.to_text())["ranks"][0], "value": True}]), "/ranks/0/value"),
        (changed(ranks="x").replace('"x"', "[NaN]"), ""),
        (changed(nouns=json.loads(RECORD.to_text())["nouns"] * 2), "/nouns/2/subject"),
    ],
)
def test_a_malformed_lock_file_is_refused_where_it_is_wrong(text: str, pointer: str) -> None:
    with pytest.raises(LockError) as caught:
        parse_record(text, "proposals.lock")
    assert caught.value.pointer.startswith(pointer)
    assert caught.value.source == "proposals.lock"


def test_a_lock_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_bytes(b'{"format": "\xff"}')
    with pytest.raises(LockError, match="not UTF-8"):
        read_record(path)


def test_a_huge_lock_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with path.open("wb") as file:
        file.truncate(room.MAX_LOCK_BYTES + 1)
    with pytest.raises(LockError, match="larger than"):
        read_record(path)


def test_an_entry_that_fits_no_longer_is_told_in_one_finding() -> None:
    now = Record(OTHER, (entry(Kind.NOUNS, "/a"), entry(Kind.RANKS, "start_vm", 0.75, asked=OTHER)))
    (finding,) = stale(RECORD, now, "proposals.lock")
    assert (finding.code, finding.pointer) == ("proposals-stale", "proposals.lock")
    assert finding.message.startswith("3 of 4 recorded proposals")
    assert "another version of the description" in finding.message


def test_a_lock_file_of_another_version_whose_entries_all_fit_is_no_finding() -> None:
    assert stale(RECORD, Record(OTHER, RECORD.entries), "proposals.lock") == ()
