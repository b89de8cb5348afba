"""The tutorial, run as it stands: its blocks are one shell script, and each prints what the page says.

Numbers may differ. The script runs beside a link to `specs`, in a folder of its own, on free ports; it ends what it
started.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.forks import search_path
from tests.ports import free_port
from tests.waiting import WALK_S

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/TUTORIAL.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```(?:\n```output\n(.*?)```)?", PAGE, re.S)
PORTS = ("8080", "8081", "9001")
START = "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null; wait' EXIT"


def script(folder: Path) -> str:
    """All blocks in one shell, each with its output in a file of its own."""
    parts = [START]
    for number, (block, _) in enumerate(BLOCKS):
        parts.append(f"{{\n{block}\n}} >{folder}/{number}.txt")
    text = "\n".join(parts)
    for port in PORTS:
        text = re.sub(rf"\b{port}\b", f"PORT-{free_port()}", text)
    return text.replace("PORT-", "")


def plain(text: str) -> list[str]:
    return [re.sub(r"\s+", " ", re.sub(r"\d+", "N", line)).strip() for line in text.splitlines()]


def test_the_tutorial_shows_what_most_of_its_blocks_print() -> None:
    assert len(BLOCKS) >= 9
    assert sum(bool(output) for _, output in BLOCKS) >= 7


@pytest.mark.slow
@pytest.mark.unwitnessed("a reader's own commands: the mock is a process that ends with them")
def test_the_tutorial_goes_as_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "specs").symlink_to(ROOT / "specs")
    known = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHGEAR_")}
    environment = {**known, "PATH": search_path(), "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        ["/bin/bash", "-c", script(tmp_path)], cwd=tmp_path, env=environment,
        capture_output=True, text=True, check=False, timeout=WALK_S,
    )  # fmt: skip
    printed = {number: (tmp_path / f"{number}.txt") for number in range(len(BLOCKS))}
    told = "\n".join(file.read_text() for file in printed.values() if file.exists())
    assert done.returncode == 0, f"{told}\n{done.stderr}"
    for number, (block, output) in enumerate(BLOCKS):
        shown = plain(printed[number].read_text())
        missing = [line for line in plain(output) if line not in shown]
        assert missing == [], f"{block}\nprinted:\n" + "\n".join(shown[:40])
