"""Which tests begin first: those that take seconds, so that no worker is left with one of them at the end.

A plugin of pytest, loaded by conftest.py. xdist gives each worker an even part of what was collected, in its order, and
later has those that are done take over the ends of the others' parts. So each part begins with its share of what is
marked `slow`, file by file, since tests of a file share what they have set up.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    count = int(getattr(config, "workerinput", {}).get("workercount", 1))
    slow = [item for item in items if item.get_closest_marker("slow")]
    others = [item for item in items if not item.get_closest_marker("slow")]
    items[:] = [item for part in parts(slow, others, count) for item in part]


def parts(slow: Sequence[pytest.Item], others: Sequence[pytest.Item], count: int) -> Iterator[list[pytest.Item]]:
    """As many parts as xdist makes, and as long."""
    files = [list(group) for _, group in groupby(slow, key=lambda item: item.nodeid.partition("::")[0])]
    left, begun = list(others), 0
    for number in range(count):
        share = [item for file in files[number::count] for item in file]
        size = (len(slow) + len(others) - begun) // (count - number)
        taken = max(0, size - len(share)) if number < count - 1 else len(left)
        yield share + left[:taken]
        left, begun = left[taken:], begun + len(share) + taken
