"""`--costs FILE`: what each test takes, in seconds: by the clock, of this process's processor, of its children's.

A plugin of pytest, loaded by conftest.py. What a test takes by the clock beyond the other two it waits for, or for its
turn on a busy machine; so the other two are what can be compared. All workers add to one file; docs/MAINTENANCE.md says
how it is read.
"""

import resource
import time
from collections.abc import Generator

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--costs", metavar="FILE", help="adds there what each test takes: clock, processor, children's")


TOLD = [0.0, 0.0, 0.0]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    begun = _spent()
    try:
        return (yield)
    finally:
        took = [now - before for before, now in zip(begun, _spent(), strict=True)]
        TOLD[:] = [before + more for before, more in zip(TOLD, took, strict=True)]
        _write(item.config, took, item.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """What is no test's: imports, finding the tests, and servers that many tests use and that end here."""
    _, mine, childrens = (spent - told for spent, told in zip(_spent(), TOLD, strict=True))
    is_over_workers = session.config.pluginmanager.has_plugin("dsession")  # they tell their own
    _write(session.config, [0.0, mine, 0.0 if is_over_workers else childrens], "(the rest of this process)")


def _write(config: pytest.Config, took: list[float], name: str) -> None:
    if place := config.getoption("--costs"):
        with (config.rootpath / place).open("a", encoding="utf-8") as file:
            file.write(" ".join(f"{seconds:8.2f}" for seconds in took) + f" {name}\n")


def _spent() -> tuple[float, float, float]:
    mine, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic(), mine.ru_utime + mine.ru_stime, children.ru_utime + children.ru_stime
