"""setup.sh on machines that it was not written on: each ends with a whole environment, or with a sentence that helps.

The checkout is a small one, the script the real one. docs/FRESH_MACHINES.md lists what is tried and where.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.fresh.index import EXACTLY, Index, installed
from tests.fresh.users import NAMELESS, NOBODY, as_user, give, python_for, real_python

TIME_OUT_S = 300


def started(checkout: Path, environment: dict[str, str], before: Sequence[str] = ()) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*before, "./setup.sh"],
        cwd=checkout,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def set_up(checkout: Path, environment: dict[str, str], before: Sequence[str] = ()) -> tuple[int, str]:
    process = started(checkout, environment, before)
    out, told = process.communicate(timeout=TIME_OUT_S)
    assert out == "", "standard output is for what comes after"
    return process.returncode, told


def assert_ready(checkout: Path, ended: tuple[int, str]) -> None:
    code, told = ended
    assert code == 0, told
    assert installed(checkout / ".venv" / "bin" / "python") == EXACTLY
    assert (
        subprocess.run(
            [checkout / ".venv/bin/python", "-X", "utf8", "-c", "import small, frame"], check=False
        ).returncode
        == 0
    )


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder with all that setup.sh uses except for a Python, git and Node."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for program in ("bash", "env", "dirname", "cat", "sha256sum", "cut", "grep", "head", "tail", "sed", "id", "rm"):
        (folder / program).symlink_to(shutil.which(program) or "/bin/false")
    return folder


ODD_PATHS = ["a folder with ü", 'it\'s $HOME & "100 %" #?']
MACHINES: dict[str, dict[str, str]] = {
    "locale C": {"LC_ALL": "C"},
    "no UTF-8": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "no folder for temporary files": {"TMPDIR": "/does/not/exist"},
    "a proxy that is not there": {
        "http_proxy": "http://127.0.0.1:9",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "ALL_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1",
    },
    "settings for another Python": {"PYTHONHOME": "/does/not/exist", "PYTHONPATH": "/does/not/exist"},
    "pip installs for the user": {"PIP_USER": "1", "PIP_REQUIRE_VIRTUALENV": "1"},
    "CDPATH": {"CDPATH": "/tmp:/"},
    "a home that cannot be written": {"HOME": "/proc"},
}


@pytest.mark.long
@pytest.mark.parametrize("machine", MACHINES)
def test_a_machine_that_is_set_otherwise_is_set_up(machine: str, checkout: Path, index: Index) -> None:
    assert_ready(checkout, set_up(checkout, index.environment(**MACHINES[machine])))


@pytest.mark.long
@pytest.mark.parametrize("name", ODD_PATHS)
def test_a_path_with_odd_characters_is_no_hindrance(name: str, checkout: Path, index: Index) -> None:
    odd = checkout.rename(checkout.with_name(name))
    assert_ready(odd, set_up(odd, index.environment()))


OTHER = "/usr/bin/python3.11"
PYTHONS = [real_python(), *([pytest.param(OTHER, marks=pytest.mark.long)] if Path(OTHER).exists() else [])]


@pytest.mark.slow
@pytest.mark.parametrize("given", PYTHONS)
def test_all_at_once_is_no_hindrance(given: str, checkout: Path, index: Index, tools: Path) -> None:
    """A path with spaces and ü, no HOME, umask 077, locale C, a dead proxy, no TMPDIR, no git, no Node."""
    odd = checkout.rename(checkout.with_name(ODD_PATHS[0]))
    python = tools / "the python"
    python.symlink_to(given)
    together = {name: value for machine in MACHINES.values() for name, value in machine.items()}
    environment = {**index.environment(**together), "PATH": str(tools), "PYTHON": str(python)}
    del environment["HOME"]
    assert_ready(odd, set_up(odd, environment, ["/bin/sh", "-c", 'umask 077; exec "$@"', "sh"]))
    assert set_up(odd, environment) == (0, ""), "Python does not start there"


@pytest.mark.long
@pytest.mark.parametrize("user", [NOBODY, NAMELESS], ids=["nobody", "a user without a name"])
def test_a_user_without_rights_and_without_a_home_is_served(user: int, checkout: Path, index: Index) -> None:
    give(checkout, user)
    assert_ready(checkout, set_up(checkout, index.environment(PYTHON=python_for(user)), as_user(user)))


@pytest.mark.slow
def test_of_two_at_once_one_waits_and_says_so_and_a_third_does_nothing_and_says_nothing(
    checkout: Path, index: Index, tmp_path: Path
) -> None:
    index.held = "core"
    first = started(checkout, index.environment())
    assert index.asked_for_held.wait(TIME_OUT_S)
    second = started(checkout, index.environment())
    assert second.stderr is not None
    assert "another set-up is at work in this folder" in second.stderr.readline()
    index.release.set()
    assert_ready(checkout, (first.wait(TIME_OUT_S), first.communicate()[1]))
    assert second.wait(TIME_OUT_S) == 0
    assert second.communicate()[1] == ""
    assert len([path for path in index.asked if path.endswith(".whl")]) == len(EXACTLY)
    index.asked.clear()
    (tmp_path / "link").symlink_to(checkout)
    assert set_up(tmp_path / "link", index.environment()) == (0, "")
    assert index.asked == []
    assert wheels_from(checkout, index, tmp_path / "w") == {index.wheel(name).name for name in EXACTLY}


def wheels_from(checkout: Path, index: Index, folder: Path) -> set[str]:
    """What `setup.sh wheels` fills the folder with."""
    command = ["./setup.sh", "wheels", folder]
    filled = subprocess.run(command, cwd=checkout, env=index.environment(), capture_output=True, text=True, check=False)
    assert filled.returncode == 0, filled.stderr
    return {path.name for path in folder.iterdir()}


@pytest.mark.slow
def test_a_set_up_that_was_killed_blocks_nobody_and_is_made_good(checkout: Path, index: Index) -> None:
    index.held = "core"
    first = started(checkout, index.environment())
    assert index.asked_for_held.wait(TIME_OUT_S)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    index.release.set()
    assert_ready(checkout, set_up(checkout, index.environment()))


def leave_nothing_but_a_folder(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def leave_a_package_half_copied(folder: Path) -> None:
    (folder / ".switchgear-stamp").unlink()
    for record in folder.rglob("core-*.dist-info/RECORD"):
        record.unlink()
    for module in folder.rglob("frame.py"):
        module.unlink()


def leave_a_python_that_is_gone(folder: Path) -> None:
    (folder / "bin" / "python").unlink()
    (folder / "bin" / "python").symlink_to("/usr/bin/python-that-was-removed")


def leave_another_python(folder: Path) -> None:
    stamp = folder / ".switchgear-stamp"
    stamp.write_text("0" * 64 + "\n" + stamp.read_text().splitlines()[1] + "\n")
    for site in folder.glob("lib/python3*"):
        site.rename(site.with_name("python3.99"))


def leave_a_package_of_an_older_lock(folder: Path) -> None:
    lock = folder.parent / "requirements.lock"
    lock.write_text(lock.read_text() + "\n")
    for site in folder.glob("lib/python3*/site-packages"):
        (site / "gate-1.0.dist-info").mkdir()


LEFT = [
    leave_nothing_but_a_folder,
    leave_a_package_half_copied,
    leave_a_python_that_is_gone,
    leave_another_python,
    leave_a_package_of_an_older_lock,
]


@pytest.mark.long
@pytest.mark.parametrize("leave", LEFT, ids=lambda leave: leave.__name__)
def test_what_an_earlier_set_up_left_is_made_anew(leave: object, checkout: Path, index: Index) -> None:
    assert callable(leave)
    assert_ready(checkout, set_up(checkout, index.environment()))
    leave(checkout / ".venv")
    assert_ready(checkout, set_up(checkout, index.environment()))
    assert not list(checkout.glob(".venv/lib/*/site-packages/gate-1.0.dist-info"))


@pytest.mark.slow
def test_without_an_index_it_says_how_to_do_without(checkout: Path, index: Index, tmp_path: Path) -> None:
    alone = index.environment(PIP_INDEX_URL="http://127.0.0.1:9/simple", HOME=str(tmp_path))
    code, told = set_up(checkout, alone)
    assert code == 1
    assert "run ./setup.sh wheels FOLDER on a like machine" in told.splitlines()[-1]
    (tmp_path / "w").mkdir()
    for name in EXACTLY:
        shutil.copy(index.wheel(name), tmp_path / "w")
    assert_ready(checkout, set_up(checkout, {**alone, "SETUP_WHEELS": str(tmp_path / "w")}))


def test_without_a_python_it_says_what_to_install(checkout: Path, tools: Path) -> None:
    code, told = set_up(checkout, {"PATH": str(tools)})
    assert (code, told.count("\n")) == (1, 1)
    assert "no Python 3.11 or newer was found: install one" in told


def test_a_python_whose_venv_is_packaged_apart_is_named_with_the_package(checkout: Path, tools: Path) -> None:
    script = f'#!/bin/sh\ncase "$*" in *ensurepip*) exit 1 ;; esac\nexec "{real_python()}" "$@"\n'
    (tools / "python3.11").write_text(script)
    (tools / "python3.11").chmod(0o755)
    code, told = set_up(checkout, {"PATH": str(tools)})
    assert (code, told.count("\n")) == (1, 1)
    assert "python3.11 lacks the venv module" in told
    assert "apt-get install python3-venv" in told


def test_a_folder_that_cannot_be_written_is_named(checkout: Path, index: Index) -> None:
    checkout.chmod(0o555)
    before, python = (as_user(NOBODY), python_for(NOBODY)) if os.getuid() == 0 else ([], real_python())
    code, told = set_up(checkout, index.environment(PYTHON=python), before)
    checkout.chmod(0o755)
    assert code == 1
    assert "cannot be made anew: see to it that" in told.splitlines()[-1]
