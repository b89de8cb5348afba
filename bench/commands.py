"""Processor time of short commands, from start to end: `python -m bench.commands [--peer FOLDER] [--write]`.

Interleaved, user and system time together, medians; `start` is what a bare `python -c pass` takes. `--peer`: another
checkout, with a .venv of its own, whose commands take turns with ours: the last column is our part of its time. All
bytecode is made before, in folders of its own, so that neither compiles. `--write` puts the table into the documents.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.compile import run_once
from bench.figures import ROOT, tell, write

ROUNDS = 9
SMALL = str(ROOT / "docs" / "rack-pdu" / "openapi.yaml")
COMMANDS: Mapping[str, Sequence[str]] = {
    "--help": ("--help",),
    "workflows list": ("workflows", "list"),
    "runs list": ("runs", "list"),
    "compile a small API": ("compile", SMALL, "--check"),
    "mock, until it would serve": ("mock", "--behaviours"),
    "call, refused": ("call", "nothing"),
    "serve --help": ("serve", "--help"),
}
NOTE = "Processor time of commands, medians of interleaved runs, bytecode there"


def environment(folder: Path) -> dict[str, str]:
    """Of the commands of both: a database and bytecode that nobody else uses."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH")}
    return {
        **kept,
        "SWITCHGEAR_DATABASE_URL": f"sqlite+aiosqlite:///{folder}/switchgear.db",
        "PYTHONPYCACHEPREFIX": f"{folder}/bytecode",
    }


class Checkout:
    """A checkout whose commands are measured, with a database of its own."""

    def __init__(self, place: Path, folder: Path) -> None:
        self.python = str(place / ".venv" / "bin" / "python")
        self._place, self._folder = place, folder
        folder.mkdir()
        subprocess.run(self._words(("init",)), env=environment(folder), check=True, capture_output=True, cwd=place)

    def _words(self, words: Sequence[str]) -> list[str]:
        return [self.python, "-m", "switchgear.main", *words]

    def cpu_ms(self, words: Sequence[str]) -> float:
        return run_once(self._words(words), self._folder / "said", environment(self._folder), self._place).cpu_s * 1000


def medians(checkouts: Sequence[Checkout], rounds: int) -> dict[str, list[float]]:
    """Of each command the median of each checkout. The first round makes bytecode and does not count."""
    taken = {name: [[checkout.cpu_ms(words) for checkout in checkouts] for _ in range(rounds + 1)][1:]
             for name, words in COMMANDS.items()}  # fmt: skip
    return {name: [statistics.median(column) for column in zip(*rows, strict=True)] for name, rows in taken.items()}


def start_ms(folder: Path, rounds: int) -> float:
    words = [sys.executable, "-c", "pass"]
    return statistics.median(run_once(words, folder / "said", environment(folder)).cpu_s for _ in range(rounds)) * 1000


def rows_of(found: Mapping[str, Sequence[float]], start: float) -> list[dict[str, Any]]:
    return [
        {
            "command": name,
            "ms": round(times[0]),
            "times a start": round(times[0] / start, 1),
            "of the peer": round(times[0] / times[1], 2) if len(times) > 1 else "",
        }
        for name, times in found.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="switchgear-bench-") as name:
        folder = Path(name)
        places = [ROOT, *([given.peer.resolve()] if given.peer else [])]
        checkouts = [Checkout(place, folder / str(number)) for number, place in enumerate(places)]
        rows = rows_of(medians(checkouts, given.rounds), start_ms(folder, given.rounds * 3))
    tell(NOTE, rows)
    if given.write:
        write("bench.commands", NOTE, rows)


if __name__ == "__main__":
    main()
