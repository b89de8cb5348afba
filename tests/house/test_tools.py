"""The wheel by the tools that give each program an environment of its own: pipx and uv, as the README shows them.

Both are fetched from this machine's index into a scratch environment, and install the wheel with what its ranges allow
from one folder, which pip filled: so no settings of theirs decide. Left out where the index does not answer.
"""

import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.house.installed import Installed, walk
from tests.needs import INDEX

pytestmark = [pytest.mark.long, pytest.mark.slow]
TOOLS = ("pipx", "uv")


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with both tools in it."""
    folder = tmp_path_factory.mktemp("tools")
    venv.create(folder, with_pip=True)
    if _pip(folder, "install", *TOOLS).returncode:
        INDEX.skip()
    return folder


@pytest.fixture(scope="module")
def packages(scratch: Path, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that the wheel and its extras need."""
    folder = tmp_path_factory.mktemp("packages")
    done = _pip(scratch, "download", "--dest", folder, f"{wheel}[runtime,compiler]")
    assert done.returncode == 0, done.stderr
    return folder


def _pip(environment: Path, *words: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [environment / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--no-input", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def commands(tool: str, wheel: Path, packages: Path) -> tuple[Sequence[str], Sequence[str]]:
    """How the tool installs the wheel, and how it takes it away."""
    what = f"{wheel}[runtime,compiler]"
    if tool == "pipx":
        options = ("--python", sys.executable, "--pip-args", f"--no-index --find-links {packages}")
        return ("install", *options, what), ("uninstall", "switchgear")
    options = ("--no-config", "--python", sys.executable, "--no-index", "--find-links", str(packages))
    return ("tool", "install", *options, what), ("tool", "uninstall", "switchgear")


@pytest.mark.unwitnessed("an installation's own commands: the mock is a process that ends with them")
@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_that_gives_programs_their_own_environment_installs_the_wheel_and_takes_it_away(
    tool: str, scratch: Path, wheel: Path, packages: Path, tmp_path: Path
) -> None:
    homes = {"PIPX_HOME": "pipx", "PIPX_BIN_DIR": "bin", "UV_TOOL_DIR": "uv", "UV_TOOL_BIN_DIR": "bin"}
    homes |= {"UV_CACHE_DIR": "cache", "HOME": "home"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP", "UV_", "SWITCHGEAR_"))}
    environment = kept | {name: str(tmp_path / folder) for name, folder in homes.items()}

    def run(*words: str) -> None:
        command = [scratch / "bin" / tool, *words]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    install, uninstall = commands(tool, wheel, packages)
    run(*install)
    entry = tmp_path / "bin" / "switchgear"
    (tmp_path / "empty").mkdir()
    walk(Installed(entry.resolve().parents[1], tmp_path / "empty"))
    run(*uninstall)
    assert not entry.exists()
