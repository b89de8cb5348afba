"""Ids that sort by time, moments that sort as text."""

import time
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.storage.identifiers import earliest_id, moment, new_id


def test_ids_are_uuids_of_version_7_made_of_the_present_time() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid.UUID(new_id())
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000


def test_ids_made_one_after_the_other_sort_so() -> None:
    ids = []
    for _ in range(500):
        ids.append(new_id())
        until = time.time_ns() + 1000
        while time.time_ns() < until:
            pass
    assert ids == sorted(ids)
    assert len(set(ids)) == 500


MOMENTS = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-7))]), min_value=datetime(1990, 1, 1))


@given(one=MOMENTS, other=MOMENTS)
def test_moments_sort_as_text_as_they_do_in_time(one: datetime, other: datetime) -> None:
    assert (moment(one) < moment(other)) == (one < other)
    assert len(moment(one)) == 27
    assert datetime.fromisoformat(moment(one)) == one


@pytest.mark.parametrize("year", [1, 182, 1969, 2026, 9999])
def test_a_moment_of_any_year_has_one_length_and_an_id_before_it(year: int) -> None:
    told = moment(datetime(year, 2, 3, 4, 5, tzinfo=UTC))
    assert (len(told), told[:4]) == (27, f"{year:04}")
    assert earliest_id(told) <= earliest_id("9999-12-31T00:00:00.000000Z")
    assert len(earliest_id(told)) == 13
