"""What operators ask of nine APIs: most of it is in a workflow, and a good part in what every client sees at once.

The sentences are ours and stand in `operators_sentences.txt`; the descriptions are their vendors' and may be absent.
"""

from collections import defaultdict
from pathlib import Path

import pytest

from compiler.pipeline import CompileRequest
from compiler.verification import compile_spec

TABLE = Path(__file__).with_name("operators_sentences.txt")
_LEAST_DONE = 0.85
_FIVE = ("docker-1.33.yaml", "hetzner.json", "netbox.yaml", "kubernetes-v1.json", "powerstore-swagger20.json")
_LEAST_OF_FIVE, _LEAST_OF_NINE = 60, 75  # what is in the way of more is told in docs/UNSEEN_SPECS.md


def _asked() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for line in TABLE.read_text().splitlines():
        if not line.startswith("#"):
            name, _, goal = line.split("|")
            found[name].append(goal)
    return found


@pytest.mark.long
def test_what_operators_ask_for_is_done_by_a_workflow_and_often_in_the_default_catalog(shared: Path) -> None:
    done = 0
    at_hand: dict[str, int] = {}
    for name, goals in _asked().items():
        flows = [one.flow for one in compile_spec(CompileRequest(shared / "specs/odd" / name))[0].workflows]
        reached = {flow.goal for flow in flows}
        core = {flow.goal for flow in flows if flow.is_core}
        done += sum(goal in reached for goal in goals)
        at_hand[name] = sum(goal in core for goal in goals)
        print(name, sum(goal in reached for goal in goals), at_hand[name])
    count = sum(map(len, _asked().values()))
    assert count == 148
    assert done >= _LEAST_DONE * count
    assert sum(at_hand[name] for name in _FIVE) >= _LEAST_OF_FIVE
    assert sum(at_hand.values()) >= _LEAST_OF_NINE
