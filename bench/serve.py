"""From starting `switchgear serve` until it is ready, and its memory then: `python -m bench.serve`.

With no workflow, and with every workflow of each shipped description approved. Time counts from the start of the
process to the first success of `/ready`, imports included. Memory is the resident size that /proc tells (Linux).
"""

import json
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.figures import ROOT, tell
from bench.installation import Installation, installation
from demo.children import answers

REPEATS = 5
SPECS = (ROOT / "specs" / "hypercore" / "openapi.yaml", ROOT / "specs" / "idrac" / "openapi.yaml")


def resident_mb(process_id: int) -> float:
    status = Path(f"/proc/{process_id}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def start_once(made: Installation) -> tuple[float, float, int]:
    """Seconds until ready, MB then, and how many workflows it says that it serves."""
    begin = time.perf_counter()
    server = made.serve()
    while not answers(f"{server.url}/ready"):
        time.sleep(0.005)
    seconds = time.perf_counter() - begin
    with urllib.request.urlopen(f"{server.url}/ready") as reply:
        workflows = json.loads(reply.read())["workflows"]
    memory = resident_mb(server.process.pid)
    made.children.stop()
    return seconds, memory, workflows


def measure(name: str, specs: Sequence[Path]) -> Mapping[str, Any]:
    with installation() as made:
        for spec in specs:
            made.approve(made.compile(spec))
        runs = [start_once(made) for _ in range(REPEATS)]
    return {
        "approved": name,
        "workflows": runs[0][2],
        "ready_best_s": round(min(seconds for seconds, _, _ in runs), 2),
        "ready_worst_s": round(max(seconds for seconds, _, _ in runs), 2),
        "resident_MB": round(max(memory for _, memory, _ in runs)),
    }


def main() -> None:
    rows = [measure("nothing", ()), *(measure(spec.parent.name, (spec,)) for spec in SPECS), measure("both", SPECS)]
    tell(f"switchgear serve until ready, {REPEATS} starts each", rows)


if __name__ == "__main__":
    main()
