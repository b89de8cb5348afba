"""The real ./demo.sh on machines that it was not written on, from nothing to its last line. Minutes each.

A machine is a copy of this checkout with an environment, a user and a PATH of its own. Packages come from one folder,
filled once from this machine's index, so that none of them depends on a cache. docs/FRESH_MACHINES.md lists them.
"""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.fresh.users import NOBODY, as_user, give, open_folder, python_for, real_python
from tests.needs import INDEX

ROOT = Path(__file__).parents[2]
TIME_OUT_S = 1800
NOT_IN_A_CLONE = (".venv", ".tools", ".git", ".*_cache", ".hypothesis", ".schemathesis", "__pycache__", "out", "*.db*")
# What scripts of ours and pip call; no git, no Node, no uv, no compiler.
PROGRAMS = ("bash", "sh", "env", "dirname", "cat", "sha256sum", "cut", "grep", "head", "tail", "sed", "id", "rm", "ldd")

pytestmark = pytest.mark.long


@dataclass(frozen=True)
class Machine:
    """`name` of its folder, `variables` beside PATH, the `umask`, and whether it is another user's than root."""

    folder: str = "switchgear"
    variables: dict[str, str] = field(default_factory=dict)
    umask: str = "022"
    is_nobody: bool = False


DEAD_PROXY = dict.fromkeys(("http_proxy", "https_proxy", "HTTPS_PROXY", "HTTP_PROXY"), "http://127.0.0.1:9")
MACHINES = {
    "a path with spaces and ü": Machine("switch gear für alle", {"HOME": "/root"}),
    "no HOME, umask 077, locale C": Machine(variables={"LC_ALL": "C"}, umask="077"),
    "no UTF-8 at all": Machine(variables={"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}),
    "proxies, one of them SOCKS": Machine(variables={**DEAD_PROXY, "ALL_PROXY": "socks5://127.0.0.1:9"}),
    "all at once, not root": Machine(
        "it's ü & 100 %", {"LC_ALL": "C", "TMPDIR": "/does/not/exist", **DEAD_PROXY}, "077", is_nobody=True
    ),
}


@pytest.fixture(scope="module")
def wheels() -> Iterator[Path]:
    with open_folder() as folder:
        done = subprocess.run([ROOT / "setup.sh", "wheels", folder], capture_output=True, text=True, check=False)
        if done.returncode:
            INDEX.skip()
        yield folder


@pytest.mark.parametrize("name", MACHINES)
def test_the_demonstration_runs_on_a_fresh_machine(name: str, place: Path, wheels: Path) -> None:
    machine = MACHINES[name]
    before, python = (as_user(NOBODY), python_for(NOBODY)) if machine.is_nobody else ([], real_python())
    checkout = copied(place / machine.folder)
    if machine.is_nobody:
        give(checkout, NOBODY)
    environment = {"PATH": str(programs(place, python)), "SETUP_WHEELS": str(wheels), **machine.variables}
    command = [*before, "/bin/sh", "-c", f"umask {machine.umask}; exec ./demo.sh"]
    done = subprocess.run(
        command, cwd=checkout, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIME_OUT_S,
        check=False,
    )  # fmt: skip
    told = (done.stdout + done.stderr).decode(errors="replace")
    assert done.returncode == 0, told[-5000:]
    assert "All went as it must." in told


def copied(checkout: Path) -> Path:
    shutil.copytree(ROOT, checkout, ignore=shutil.ignore_patterns(*NOT_IN_A_CLONE), symlinks=True)
    return checkout


def programs(place: Path, python: str) -> Path:
    """The PATH of a machine with little on it, a Python among it."""
    folder = place / "bin"
    folder.mkdir()
    for program in PROGRAMS:
        if found := shutil.which(program):
            (folder / program).symlink_to(found)
    (folder / "python3").symlink_to(python)
    return folder
