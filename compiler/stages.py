"""What a long compile tells while it works: the stage, how far it is, of how much.

A type and the silence alone; what shows it on a terminal is `progress`. Used by whatever takes long.
"""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with the name of the stage, how many of its parts are done, and how many there are."""


def silent(_stage: str, _done: int, _total: int) -> None:
    """No progress shown: for pipes and tests."""
