"""How many examples a property is tried on: the whole with `--long`, a third by default, a tenth with `--quick`.

What an example shows is the same however many there are, and by far the most of the time of these tests is their
number. What stands in docs/THREATS.md with a count has that count by default. Nothing here is a fixture.
"""

import pytest

_share = 1


def take_share(config: pytest.Config) -> None:
    """Before any test is imported: what the run is told to run decides."""
    global _share
    is_whole = "long" not in config.option.markexpr
    _share = 1 if is_whole else 10 if config.getoption("--quick") else 3


def examples(whole: int) -> int:
    return max(1, whole // _share)
