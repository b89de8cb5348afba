"""No test is judged by the clock on the wall: it would fail on a machine that is busy, and say nothing of the code.

What is refused here is what such tests look like: an assertion with an upper bound on seconds, a limit of a few
seconds on something awaited, a loop that looks so many times and no more. The ways that hold on any machine are in
`tests/waiting.py`: `until`, limits of `PATIENCE_S`, and `MOST_CPU_S` of processor time where work is to be bounded.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]
FILES = sorted(  # the demonstration is played on machines as busy as those of tests
    path for folder in ("tests", "demo") for path in (ROOT / folder).rglob("*.py") if path != Path(__file__)
)
JUDGED = re.compile(r"assert .*(elapsed|took|seconds|duration|perf_counter|monotonic)[^=]*<=? *[0-9]")
LIMITS = {"wait_for": 1, "timeout": 0}  # which argument is the limit


def faults(text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        if JUDGED.search(line):
            yield f"{number}: judged by the clock"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and any(is_short(limit) for limit in limits_of(node)):
            yield f"{node.lineno}: a limit of a few seconds"
        if isinstance(node, ast.For) and is_so_many_looks(node):
            yield f"{node.lineno}: looks so many times and no more"


def limits_of(call: ast.Call) -> Iterator[ast.expr]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in LIMITS and len(call.args) > LIMITS[name]:
        yield call.args[LIMITS[name]]
    if name in ("run", "communicate", "wait", "AsyncClient", "Client", "get", "post", "urlopen", "settimeout"):
        yield from (each.value for each in call.keywords if each.arg == "timeout")


def is_short(limit: ast.expr) -> bool:
    return isinstance(limit, ast.Constant) and isinstance(limit.value, int | float) and limit.value < PATIENCE_S


def is_so_many_looks(loop: ast.For) -> bool:
    """Whether the loop counts, sleeps and can be left early."""
    is_counted = isinstance(loop.iter, ast.Call) and getattr(loop.iter.func, "id", "") == "range"
    inside = [node for part in loop.body for node in ast.walk(part)]
    sleeps = any(isinstance(node, ast.Attribute) and node.attr == "sleep" for node in inside)
    return is_counted and sleeps and any(isinstance(node, ast.Break | ast.Return) for node in inside)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_no_test_is_judged_by_the_clock_on_the_wall(file: Path) -> None:
    assert list(faults(file.read_text())) == []


@pytest.mark.parametrize(
    "line",
    [
        "assert time.monotonic() - start < 1",
        "assert took_s <= 1.1 * LIMIT",
        "await asyncio.wait_for(heard, 2)",
        "async with asyncio.timeout(10):\n  pass",
        "for _ in range(100):\n  if ready: break\n  time.sleep(0.1)",
        "subprocess.run(command, timeout=30)",
    ],
)
def test_what_a_clock_would_judge_is_found(line: str) -> None:
    inside = "\n".join(f"  {each}" for each in line.splitlines())
    assert list(faults(f"async def test() -> None:\n{inside}"))


@pytest.mark.parametrize(
    "line",
    [
        "assert time.process_time() - began < MOST_CPU_S",
        "assert time.monotonic() - start >= 1",
        "await asyncio.wait_for(heard, PATIENCE_S)",
        "for _ in range(3):\n  await asyncio.sleep(0)",
    ],
)
def test_what_holds_on_any_machine_is_let_be(line: str) -> None:
    inside = "\n".join(f"  {each}" for each in line.splitlines())
    assert not list(faults(f"async def test() -> None:\n{inside}"))
