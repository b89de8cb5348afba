"""The common tasks of an iDRAC's operator, each as one workflow: its changes in order, its job waited for.

`idrac_tasks.yaml` is written from the work, not from what the compiler makes. The shipped description has fewer
operations than the vendor's own, which is compiled as well where it is at hand.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from compiler.compiled import Compiled

TASKS = yaml.safe_load((Path(__file__).parent / "idrac_tasks.yaml").read_text())


def comes_in(wanted: list[str], steps: list[str]) -> bool:
    """Whether the steps have the wanted ones in order. `wanted`: a method and the end of a path."""
    rest: Iterator[str] = iter(steps)
    return all(any(_is(step, one) for step in rest) for one in wanted)


def _is(step: str, wanted: str) -> bool:
    (method, path), (wanted_method, end) = step.split(" "), wanted.split(" ")
    return method == wanted_method and path.endswith(end.lstrip("/"))


def doers(task: Mapping[str, Any], compiled: Compiled) -> list[str]:
    """The workflows that do the whole task, with at most one change more."""
    found = []
    for workflow in compiled.workflows:
        steps = [step.operation for step in workflow.flow.steps]
        changes = [step for step in steps if not step.startswith("GET ")]
        waits = any(step.role.value == "wait" for step in workflow.flow.steps) or not task.get("waits")
        wanted = task.get("changes", [])
        does = comes_in(wanted, changes) and comes_in(task.get("looks", []), steps) and waits
        if does and len(changes) <= len(wanted) + 1:
            found.append(workflow.flow.id)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("task", [t for t in TASKS if not t.get("raw")], ids=lambda t: t["task"])
def test_a_common_task_is_one_workflow(task: Mapping[str, Any], idrac: Compiled) -> None:
    assert doers(task, idrac)


@pytest.mark.slow
def test_the_vendors_own_description_gives_every_common_task(vendors_idrac: Compiled) -> None:
    wanted = [task for task in TASKS if not task.get("shipped")]
    assert [task["task"] for task in wanted if not doers(task, vendors_idrac)] == []
