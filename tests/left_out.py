"""Tells at the end of a run what was left out, why, and how to have it run: a plugin of pytest, loaded by conftest.py.

Skipped tests are grouped by their reasons (`tests/needs.py`); tests left out by a mark are counted where they were
collected, which with xdist is in each worker. `./test_all.sh` repeats the lines at its very end (`--left-out FILE`).
"""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.needs import JOINT

MARKS = {"long": "./test_all.sh --long", "slow": "./test_all.sh", "": "./test_all.sh"}
WHAT = {"long": "marked long", "slow": "marked slow", "": "more cases of the same tests"}
DESELECTED = pytest.StashKey[Counter[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--left-out", metavar="FILE", help="also writes there what was left out, why, and the remedy")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[DESELECTED] = Counter()
    config.pluginmanager.register(Workers(config), "left-out-workers")


def pytest_deselected(items: list[pytest.Item]) -> None:
    for item in items:
        name = next((name for name in MARKS if item.get_closest_marker(name)), "")
        item.config.stash[DESELECTED][name] += 1


def leave_out(items: list[pytest.Item], left: list[pytest.Item]) -> None:
    """Takes `left` out of what was collected, and says so to pytest."""
    if left:
        gone = set(left)
        items[:] = [item for item in items if item not in gone]
        left[0].config.hook.pytest_deselected(items=left)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["deselected"] = dict(session.config.stash[DESELECTED])


class Workers:
    """Each worker collects everything: the counts of one are the counts of all."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.config.stash[DESELECTED] |= Counter(getattr(node, "workeroutput", {}).get("deselected", {}))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in skipped(terminalreporter))
    lines = told(reasons, config.stash[DESELECTED])
    terminalreporter.section("left out")
    for line in lines:
        terminalreporter.write_line(line)
    if place := config.getoption("--left-out"):
        Path(place).write_text("".join(f"{line}\n" for line in lines))


def skipped(terminalreporter: Any) -> list[Any]:
    return [each for each in terminalreporter.stats.get("skipped", []) if isinstance(each.longrepr, tuple)]


def told(reasons: Counter[str], deselected: Counter[str]) -> list[str]:
    """One line for each reason, the most frequent first."""
    lines = []
    for reason, count in reasons.most_common():
        why, _, remedy = reason.partition(JOINT)
        lines.append(f"{count} skipped: {why}. To run: {remedy or 'nothing is known'}")
    lines += [
        f"{deselected[name]} {WHAT[name]}. To run: {remedy}" for name, remedy in MARKS.items() if deselected[name]
    ]
    return lines or ["nothing"]
