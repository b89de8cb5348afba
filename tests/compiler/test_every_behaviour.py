"""Every behaviour that applies, played to every workflow of the shipped profiles: what a run says is true then, too.

`compile --all-behaviours` as a test: a workflow that says what is not so is not stored, and told here. The usual proof
plays one behaviour for each flow. Minutes of processor time, so with `--long` only; the counts are the last columns of
docs/FAULTS.md, which has to say the same.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from compiler.compiled import Compiled
from compiler.ir.model import Diagnostic
from compiler.pipeline import CompileRequest
from compiler.twin.behaviours.library import LIBRARY
from compiler.verification import compile_spec

ROOT = Path(__file__).resolve().parents[2]
ORDER = ("succeeded", "partial", "pending", "failed", "unknown")
# Neither description or profile has what these need: values of hardware addresses, states that mean failure, batches.
NOWHERE = {"another MAC form", "failed state", "answers missing", "renamed, and elsewhere"}


def ends_of(compiled: Compiled) -> dict[str, Counter[str]]:
    """Behaviour → outcome → in how many runs."""
    ends: dict[str, Counter[str]] = {}
    for one in compiled.workflows:
        for run in one.proof["runs"]:
            if "told" in run:
                ends.setdefault(run["case"], Counter())[run["outcome"]] += 1
    return ends


def cell(seen: Counter[str] | None) -> str:
    return ", ".join(f"{seen[each]} {each}" for each in ORDER if seen[each]) if seen else "–"


def is_false(told: Diagnostic) -> bool:
    """Whether a workflow was refused for what it says of a behaviour."""
    return told.code == "workflow-not-proved" and any(f"outcome: {b.name}: " in told.message for b in LIBRARY)


def column_of(number: int) -> dict[str, str]:
    """Behaviour → what docs/FAULTS.md says of it in this column, counted from the end."""
    rows = (line.strip("| \n").split(" | ") for line in (ROOT / "docs/FAULTS.md").read_text().splitlines())
    names = {behaviour.name for behaviour in LIBRARY if not behaviour.by_driver}
    return {row[0]: row[number] for row in rows if row[0] in names}


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize(
    ("api", "is_whole", "column"),
    [
        pytest.param("hypercore", False, -2, id="hypercore"),
        pytest.param("idrac", False, 0, id="idrac"),
        pytest.param("idrac", True, -1, id="idrac-whole"),  # the vendor's whole description, of which ours is a part
    ],
)
def test_whatever_a_device_does_no_workflow_says_what_is_not_so(
    api: str, is_whole: bool, column: int, request: pytest.FixtureRequest, capsys: Any
) -> None:
    spec, profile = ROOT / "specs" / api / "openapi.yaml", ROOT / "specs" / api / "profile.yaml"
    if is_whole:
        spec = request.getfixturevalue("shared") / "specs" / api / "openapi.yaml"
    compiled = compile_spec(CompileRequest(spec, profile, plays_all=True))[0]
    ends = ends_of(compiled)
    with capsys.disabled():
        print(f"\n{spec}: {len(compiled.workflows)} workflows, {sum(each.total() for each in ends.values())} runs")
        print("\n".join(f"| {b.name} | {cell(ends.get(b.name))} |" for b in LIBRARY if not b.by_driver))
    assert [each for each in compiled.diagnostics if is_false(each)] == []
    if column:
        assert {name: cell(ends.get(name)) for name in column_of(column)} == column_of(column)


def test_over_both_every_behaviour_is_in_the_table_with_an_end() -> None:
    tables = column_of(-2), column_of(-1)
    assert tables[0].keys() == {behaviour.name for behaviour in LIBRARY if not behaviour.by_driver}
    nowhere = {name for name in tables[0] if all(table[name] == "–" for table in tables)}
    assert nowhere == NOWHERE
