"""Whoever runs the tests learns what was left out, why, and how to have it run."""

import re
from collections import Counter
from pathlib import Path

from tests import left_out, needs

ROOT = Path(__file__).parents[2]
SKIPS = re.compile(r"pytest\.(skip|importorskip)\(|mark\.skip")


def test_reasons_are_counted_and_come_with_their_remedy() -> None:
    reasons = Counter({needs.PRISM.reason: 3, needs.HAPROXY.reason: 4})
    assert left_out.told(reasons, Counter(long=2)) == [
        "4 skipped: HAProxy is not installed. To run: ./setup.sh haproxy",
        "3 skipped: Prism is not here. To run: ./setup.sh prism (needs Node 20 and npm)",
        "2 marked long. To run: ./test_all.sh --long",
    ]


def test_tests_are_left_out_for_what_is_known_to_be_needed_and_for_nothing_else() -> None:
    files = [file for file in (ROOT / "tests").rglob("*.py") if file != Path(__file__)]
    found = [file.relative_to(ROOT).as_posix() for file in files if SKIPS.search(file.read_text())]
    assert found == ["tests/needs.py"]


def test_each_need_has_a_remedy() -> None:
    known = [need for need in vars(needs).values() if isinstance(need, needs.Need)]
    assert len(known) > 8
    assert all(need.why and need.remedy for need in known)
