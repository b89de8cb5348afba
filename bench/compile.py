"""Compile time and peak memory of whole descriptions, each in a process of its own: `python -m bench.compile [SPEC…]`.

Without arguments: the vendors' own two descriptions where they are (tests/needs.py), and the two shipped ones.
Peak memory is the child's maximal resident size as the kernel counted it (wait4), imports included.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.figures import ROOT, tell
from demo.children import SWITCHGEAR
from tests.needs import VENDOR_FOLDER

RAW = VENDOR_FOLDER / "specs"
SPECS = (
    (RAW / "hypercore" / "openapi.json", ROOT / "specs" / "hypercore" / "profile.yaml", None),
    (RAW / "idrac" / "openapi.yaml", ROOT / "specs" / "idrac" / "profile.yaml", RAW / "idrac"),
    (ROOT / "specs" / "hypercore" / "openapi.yaml", ROOT / "specs" / "hypercore" / "profile.yaml", None),
    (ROOT / "specs" / "idrac" / "openapi.yaml", ROOT / "specs" / "idrac" / "profile.yaml", None),
)
REPEATS = 3


def command(spec: Path, profile: Path | None, root: Path | None, database: Path) -> list[str]:
    words = [*SWITCHGEAR, "compile", str(spec), "--json", "--db", f"sqlite+aiosqlite:///{database}"]
    return words + (["--profile", str(profile)] if profile else []) + (["--root", str(root)] if root else [])


@dataclass(frozen=True, slots=True)
class Ran:
    """One process: seconds by the clock and of the processor, peak memory, exit code."""

    seconds: float
    cpu_s: float
    peak_mb: float
    exit_code: int


# A child begins with the peak of whoever starts it; between us and the command stands somebody small, who counts.
_COUNTING = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:], stderr=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as file:
    print(code, used.ru_utime + used.ru_stime, used.ru_maxrss, file=file)
"""


def run_once(
    words: list[str], output: Path, environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> Ran:
    """Runs the command; what it prints goes to `output`. `environment`: other than ours; `folder`: where it runs."""
    begin = time.perf_counter()
    with output.open("wb") as sink, tempfile.NamedTemporaryFile("r") as counted:
        counting = [sys.executable, "-I", "-S", "-c", _COUNTING, counted.name, *words]
        subprocess.run(counting, stdout=sink, check=True, env=environment, cwd=folder)
        code, cpu_s, peak = counted.read().split()
    kib = float(peak) / 1024 if sys.platform == "darwin" else float(peak)
    return Ran(time.perf_counter() - begin, float(cpu_s), kib / 1024, int(code))


def measure(spec: Path, profile: Path | None, root: Path | None) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "out.json"
        runs = [
            run_once(command(spec, profile, root, Path(folder) / f"{number}.db"), output) for number in range(REPEATS)
        ]
        workflows = output.read_text().count('"intent"')
    return {
        "spec": "/".join(spec.parts[-3:]),
        "spec_MB": round(spec.stat().st_size / 1e6, 2),
        "best_s": round(min(run.seconds for run in runs), 2),
        "worst_s": round(max(run.seconds for run in runs), 2),
        "peak_MB": round(max(run.peak_mb for run in runs)),
        "workflows": workflows,
        "exit": runs[-1].exit_code,
    }


def main() -> None:
    given = [(Path(word).resolve(), None, None) for word in sys.argv[1:]]
    tell(f"compile, {REPEATS} runs each", [measure(*which) for which in given or SPECS if which[0].exists()])


if __name__ == "__main__":
    main()
