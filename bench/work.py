"""Processor time of what tests only bound with a wide reserve: `python -m bench.work`.

Hostile descriptions to their verdict (THREATS.md B4: below 2 s, 512 MB), whole descriptions through the front end, and
a twin made, set back and asked. Other work on the machine counts little, another processor counts: compare ratios.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.compile import SPECS
from bench.figures import ROOT, tell
from compiler.commands.mock import understood
from compiler.frontend import load_api
from compiler.proofs.proof import VirtualClock
from compiler.twin import Twin, TwinRequest
from tests.compiler.frontend.bombs import all_bombs
from tests.compiler.frontend.judge import judge

ROUNDS = 300
WORST = 10
SYSTEM = "/redfish/v1/Systems/System.Embedded.1"
Row = dict[str, Any]


def cpu_ms(work: Callable[[], object], rounds: int = 1) -> float:
    """Of one round, in milliseconds."""
    began = time.process_time()
    for _ in range(rounds):
        work()
    return round((time.process_time() - began) / rounds * 1000, 3)


def bombs() -> list[Row]:
    """The worst of them."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for bomb in all_bombs():
            path = Path(folder) / f"bomb{bomb.suffix}"
            path.write_bytes(bomb.make())
            answer = judge(path)
            found.append({"what": f"bomb: {bomb.name}", "cpu_ms": round(answer["cpu_s"] * 1000, 3)})
    return sorted(found, key=lambda row: -row["cpu_ms"])[:WORST]


def descriptions() -> list[Row]:
    there = [(spec, root) for spec, _, root in SPECS if spec.exists()]
    return [
        {"what": f"load: {'/'.join(spec.parts[-3:])}", "cpu_ms": cpu_ms(lambda s=spec, r=root: load_api(s, root=r))}  # type: ignore[misc]
        for spec, root in there
    ]


def twin() -> list[Row]:
    api, profile = understood(ROOT / "specs" / "idrac" / "openapi.yaml", None, None)
    made = Twin(api, profile, now=VirtualClock())
    request = TwinRequest("GET", SYSTEM, (), made.authorization())
    made.handle(request)  # what is made once for all twins is made here
    return [
        {"what": "twin: made", "cpu_ms": cpu_ms(lambda: Twin(api, profile, now=VirtualClock()))},
        {"what": "twin: set back", "cpu_ms": cpu_ms(made.fresh, ROUNDS)},
        {"what": "twin: a read", "cpu_ms": cpu_ms(lambda: made.handle(request), ROUNDS)},
    ]


def main() -> None:
    tell("processor time", [*bombs(), *descriptions(), *twin()])


if __name__ == "__main__":
    main()
