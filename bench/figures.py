"""How measurements are told: the machine, percentiles, one JSON document and one small table.

Called by every program in `bench/`; measures nothing itself. `write` puts a table into docs/MEASUREMENTS.md between
the two lines that name its program, so that what stands there is what was measured.
"""

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
"""The checkout: measurements are taken in one."""
MEASUREMENTS = ROOT / "docs" / "MEASUREMENTS.md"


def machine() -> dict[str, Any]:
    """What a reader needs to judge the figures: processor, number of cores, load at the moment, Python."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return {
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "load_1_min": round(load, 2),
        "python": platform.python_version(),
    }


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Percentiles of durations given in seconds, told in milliseconds."""
    ordered = sorted(seconds)
    return {
        "n": len(ordered),
        "p50_ms": round(statistics.median(ordered) * 1000, 3),
        "p95_ms": round(ordered[int(0.95 * (len(ordered) - 1))] * 1000, 3),
        "min_ms": round(ordered[0] * 1000, 3),
    }


def tell(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """JSON for programs on standard output, the same as a table for people on standard error."""
    sys.stdout.write(json.dumps({"measurement": title, "machine": machine(), "rows": rows}, indent=2) + "\n")
    table = Table(*rows[0].keys(), title=title)
    for row in rows:
        table.add_row(*(str(row.get(column, "")) for column in rows[0]))
    Console(stderr=True).print(table)


def write(program: str, note: str, rows: Sequence[Mapping[str, Any]], place: Path = MEASUREMENTS) -> None:
    """Replaces the part of the document that `program` wrote before. `note`: what the figures are, in a sentence."""
    begin, end = f"<!-- python -m {program} -->", f"<!-- end of {program} -->"
    before, _, rest = place.read_text(encoding="utf-8").partition(f"{begin}\n")
    _, found, after = rest.partition(f"{end}\n")
    if not found:
        raise SystemExit(f"{place} has no lines {begin} and {end}")
    place.write_text(f"{before}{begin}\n{_section(program, note, rows)}{end}\n{after}", encoding="utf-8")


def _section(program: str, note: str, rows: Sequence[Mapping[str, Any]]) -> str:
    at = machine()
    where = f"{at['platform']}, {at['cores']} cores, load {at['load_1_min']}, Python {at['python']}"
    cells = [tuple(rows[0]), tuple("---" for _ in rows[0]), *(tuple(map(str, row.values())) for row in rows)]
    table = "".join(f"| {' | '.join(row)} |\n" for row in cells)
    return f"{note} ({time.strftime('%Y-%m-%d', time.gmtime())}; {where}; `python -m {program}`)\n\n{table}"
