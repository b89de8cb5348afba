"""`--costs FILE`: what each test takes, in seconds: by the clock, of this process's processor, of its children's.

A plugin of pytest, loaded by conftest.py. What a test takes by the clock beyond the other two it waits for, or for its
turn on a busy machine; so the other two are what can be compared. All workers add to one file; docs/MAINTENANCE.md says
how it is read.
"""

import resource
import time
from collections.abc import Generator
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--costs", metavar="FILE", help="adds there what each test takes: clock, processor, children's")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    begun = _spent()
    try:
        return (yield)
    finally:
        if place := item.config.getoption("--costs"):
            took = " ".join(f"{now - before:8.2f}" for before, now in zip(begun, _spent(), strict=True))
            with Path(place).open("a", encoding="utf-8") as file:
                file.write(f"{took} {item.nodeid}\n")


def _spent() -> tuple[float, float, float]:
    mine, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic(), mine.ru_utime + mine.ru_stime, children.ru_utime + children.ru_stime
