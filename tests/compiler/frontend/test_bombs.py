"""THREATS.md row B4: whatever the bytes are, a verdict soon and within 512 MB, and a refusal that says why.

The fixtures are made by `bombs.py`; the judge (`judge.py`) loads each in a process of its own with 512 MB of address
space. What a verdict costs is the processor time that the load took there, with a wide reserve: `bench/work.py` tells
the figures, which are to be below 2 s.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import MOST_CPU_S

from .bombs import Bomb, all_bombs

ALLOWED_MB = 512


@pytest.fixture(scope="module")
def judge() -> Iterator["subprocess.Popen[str]"]:
    script = Path(__file__).parent / "judge.py"
    process = subprocess.Popen([sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield process
    process.communicate()
    assert process.returncode == 0


def ask(judge: "subprocess.Popen[str]", path: Path) -> dict[str, Any]:
    assert judge.stdin is not None and judge.stdout is not None
    judge.stdin.write(f"{path}\n")
    judge.stdin.flush()
    answer: dict[str, Any] = json.loads(judge.stdout.readline())
    return answer


@pytest.mark.parametrize("bomb", all_bombs(), ids=lambda bomb: bomb.name)
def test_a_hostile_description_gets_a_verdict(bomb: Bomb, judge: "subprocess.Popen[str]", tmp_path: Path) -> None:
    path = tmp_path / f"bomb{bomb.suffix}"
    path.write_bytes(bomb.make())

    answer = ask(judge, path)
    path.unlink()

    assert "crash" not in answer
    assert answer["cpu_s"] < MOST_CPU_S
    assert answer["megabytes"] < ALLOWED_MB
    if bomb.word:
        assert answer["exit_code"] == 3
        assert bomb.word in answer["message"] and answer["remedy"]
    else:
        assert answer["operations"] >= 1


@pytest.mark.parametrize("path", ["/dev/zero", "/", "/does/not/exist"])
def test_what_is_no_file_is_refused(path: str, judge: "subprocess.Popen[str]") -> None:
    answer = ask(judge, Path(path))

    assert answer["exit_code"] == 3
    assert answer["cpu_s"] < MOST_CPU_S
