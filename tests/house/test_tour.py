"""The tour in the README and the guide to an API of your own, run: commands succeed or fail and print as shown.

Numbers and identifiers may differ (a compiler that plans one workflow more does not make the tour a lie); `…` stands
for lines that are left out. Ports are replaced by free ones.
"""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.forks import search_path
from tests.ports import free_port
from tests.waiting import WALK_S

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
GUIDE = (ROOT / "docs/BRING_YOUR_OWN_API.md").read_text()
PORTS = ("9001", "8080")
EXPECTED_FAILURES = {
    "switchgear call hypercore_start_vm vm=db-99": 4,
    "switchgear call pdu_power_off_outlet outlet=lamp": 4,
}
VARIES = re.compile(r"sha256:[0-9a-f]+|[0-9a-f]{8}-[0-9a-f-]{27}|\d+")


@dataclass(frozen=True)
class Shown:
    command: str
    lines: tuple[str, ...]


def tour(told: str) -> Iterator[Shown]:
    text = "\n".join(re.findall(r"```console\n(.*?)```", told, re.S)).replace("\\\n", " ")
    for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
        command, *lines = part.strip().splitlines()
        yield Shown(re.sub(r"\s+", " ", command), tuple(lines))


def plain(line: str) -> str:
    return re.sub(r"\s+", " ", VARIES.sub("N", line)).strip()


def script(folder: Path, shown: list[Shown], start: Path) -> str:
    """One shell for all, so that what one command exports the next one has; each one's output in its own file."""
    lines = [f"cd {start}"]
    for number, part in enumerate(shown):
        command = part.command.replace("$PWD/out", str(folder)).replace("-p out", f"-p {folder}")
        command = command.replace(" out/", f" {folder}/")
        output = folder / f"{number}.txt"
        if command.endswith("&"):
            # The tour's reader sees that it is up before going on; so does the script.
            lines += [f"{command[:-1]} >{output} 2>&1 & echo $! >>{folder}/pids"]
            lines += [f"for _ in $(seq 300); do [ -s {output} ] && break; sleep 0.1; done"]
        else:
            code = EXPECTED_FAILURES.get(part.command, 0)
            lines += [f"{command} >{output} 2>&1; [ $? = {code} ] || {{ cat {output}; exit {100 + number}; }}"]
    text = "\n".join(lines)
    for port in PORTS:
        text = re.sub(rf"\b{port}\b", str(free_port()), text)
    return text


@pytest.mark.slow
@pytest.mark.unwitnessed("a reader's own commands: the mock is a process that ends with them")
def test_the_tour_in_the_readme_goes_as_it_is_told(tmp_path: Path) -> None:
    shown = list(tour(README.split("## Five minutes")[1].split("\n## ")[0]))
    assert len(shown) >= 8
    (tmp_path / "any").mkdir()
    walk(shown, tmp_path, tmp_path / "any")


@pytest.mark.slow
@pytest.mark.unwitnessed("a reader's own commands: the mock is a process that ends with them")
def test_the_guide_to_an_api_of_your_own_goes_as_it_is_told(tmp_path: Path) -> None:
    shown = list(tour(GUIDE))
    assert len(shown) >= 10
    (profile,) = re.findall(r"```yaml\n(.*?)```", GUIDE, re.S)
    (tmp_path / "profile.yaml").write_text(profile)
    walk(shown, tmp_path, ROOT)


def walk(shown: list[Shown], tmp_path: Path, start: Path) -> None:
    """Runs all commands in the folder `start` and compares what they print."""
    environment = {**os.environ, "PATH": search_path()}
    try:
        done = subprocess.run(
            ["/bin/bash", "-c", script(tmp_path, shown, start)],
            env=environment, capture_output=True, text=True, check=False, timeout=WALK_S,
        )  # fmt: skip
    finally:
        for process_id in (tmp_path / "pids").read_text().split() if (tmp_path / "pids").exists() else ():
            os.kill(int(process_id), signal.SIGTERM)
    assert done.returncode == 0, done.stdout
    for number, part in enumerate(shown):
        printed = [plain(line) for line in (tmp_path / f"{number}.txt").read_text().splitlines()]
        missing = [line for line in part.lines if line != "…" and plain(line) not in printed]
        assert missing == [], f"$ {part.command}\nprinted:\n" + "\n".join(printed[:40])
