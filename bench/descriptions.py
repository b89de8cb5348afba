"""What a compile costs, description by description, beside FastMCP's `from_openapi` on the same file in the same run.

`python -m bench.descriptions [SPEC…]`; without arguments the vendors' own descriptions where they are (tests/needs.py),
else the two shipped ones. Each measurement is a process of its own, imports included: seconds of processor time and
peak memory as the kernel counted them (wait4). The first description is the measure for the costs of an operation.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.compile import SPECS, command, run_once
from bench.figures import ROOT, tell
from tests.needs import VENDOR_FOLDER

_LOADS = "import sys; from bench.descriptions import load; load(sys.argv[1])"
_FILES = ("*.json", "*.yaml", "*.yml")


def load(spec: str) -> None:
    """What FastMCP does with the file, up to a server with one tool an operation."""
    import httpx2
    from fastmcp import FastMCP

    from bench.per_operation import read

    path = Path(spec)
    document = json.loads(path.read_bytes()) if path.suffix == ".json" else read(path)
    FastMCP.from_openapi(document, client=httpx2.AsyncClient(base_url="http://127.0.0.1:1"), validate_output=False)


def measure(spec: Path, profile: Path | None, root: Path | None) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "out.json"
        ours = run_once(command(spec, profile, root, Path(folder) / "switchgear.db"), output)
        told = json.loads(output.read_text())
        theirs = run_once([sys.executable, "-c", _LOADS, str(spec)], Path(folder) / "theirs.txt")
    covered = told.get("coverage", {"operations": 0, "in_workflows": 0})
    return {
        "spec": "/".join(spec.parts[-2:]),
        "MB": round(spec.stat().st_size / 1e6, 2),
        "operations": covered["operations"],
        "in_workflows": covered["in_workflows"],
        "exit": ours.exit_code,
        "cpu_s": round(ours.cpu_s, 2),
        "peak_MB": round(ours.peak_mb),
        "fastmcp_cpu_s": round(theirs.cpu_s, 2) if theirs.exit_code == 0 else "fails",
        "fastmcp_peak_MB": round(theirs.peak_mb),
    }


def with_ratios(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each row with what one of its operations costs, in milliseconds and against one of the first row's."""
    costs = [1000 * row["cpu_s"] / (row["operations"] or 1) for row in rows]
    return [
        {**row, "ms_each": round(c, 1), "of_first": round(c / costs[0], 2)} for row, c in zip(rows, costs, strict=True)
    ]


def descriptions() -> list[tuple[Path, Path | None, Path | None]]:
    """The measure first, then the other vendors' files, then the odd ones."""
    odd = VENDOR_FOLDER / "specs" / "odd"
    found = [(path, None, None) for pattern in _FILES for path in sorted(odd.glob(pattern))]
    return [*(which for which in SPECS if which[0].exists() and (not found or ROOT not in which[0].parents)), *found]


def main() -> None:
    given = [(Path(word).resolve(), None, None) for word in sys.argv[1:]]
    measured = given or descriptions()
    tell("descriptions, one run each", with_ratios([measure(*which) for which in measured]))


if __name__ == "__main__":
    main()
