"""How the lock is made anew: what it says of changes, what it refuses, and that a machine's settings do not reach it.

The index itself is asked by no test. That the lock is the one that pyproject.toml asks for is `test_lock`'s; that the
scopes are the right ones is judged here by what the installed packages themselves say they need.
"""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from tests.house.test_rooms import brought_by
from tests.needs import SCOPED_MACHINE

ROOT = Path(__file__).parents[2]
HASH = "0" * 64


@pytest.fixture(scope="module")
def refresh() -> ModuleType:
    spec = importlib.util.spec_from_file_location("refresh_lock", ROOT / "refresh_lock.py")
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = made  # where dataclasses look for it
    spec.loader.exec_module(made)
    return made


def lock(*pins: str) -> str:
    return "".join(f"{pin} \\\n    --hash=sha256:{HASH}\n" for pin in pins)


def test_changes_are_told_by_name_as_moved_new_and_gone(refresh: Any) -> None:
    old, new = lock("a==1", "b==1", "c==1"), lock("a==1", "b==2", "d==3 ; sys_platform == 'win32'")
    assert list(refresh.Changes.between(old, new).lines()) == ["  b 1 -> 2", "  d 3 is new", "  c 1 is gone"]


def test_what_the_bounds_hold_back_is_told(refresh: Any) -> None:
    assert refresh.held_back(lock("a==1", "b==1"), "a==2\nb==1\nc==9\n") == ["  a 1 (2 is out)"]


def test_the_lock_that_is_there_has_the_right_form(refresh: Any) -> None:
    assert refresh.faults((ROOT / "requirements.lock").read_text()) == ""


@pytest.mark.parametrize(
    "line",
    [
        "--extra-index-url https://mirror.example/simple",
        "--find-links /opt/wheels",
        "a @ file:///opt/wheels/a-1-py3-none-any.whl",
        "-e .",
        "unhashed==1",
    ],
)
def test_a_lock_that_names_a_place_or_lacks_a_hash_is_refused(refresh: Any, line: str) -> None:
    assert refresh.faults(f"{lock('a==1')}{line}\n{lock('z==1')}") == line


def test_a_version_that_only_this_machine_has_is_refused(refresh: Any) -> None:
    assert refresh.faults(lock("torch==2.14.1+cpu")) == "torch==2.14.1+cpu"


def test_the_settings_of_a_machine_do_not_reach_the_resolver(
    refresh: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program in uv's place says what it was given."""
    (tmp_path / "uv").write_text('#!/bin/sh\necho "$@"\nenv\n')
    (tmp_path / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_EXTRA_INDEX_URL", "UV_CONSTRAINT"):
        monkeypatch.setenv(name, "of-this-machine")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "a-mirror")
    told = refresh.Resolver(tmp_path).compiled(Path("x.in"), "--upgrade")
    assert told.splitlines()[0] == "pip compile --no-config x.in --upgrade"
    assert "of-this-machine" not in told
    assert "UV_DEFAULT_INDEX=a-mirror" in told


def test_a_resolution_that_fails_tells_in_the_resolvers_words(
    refresh: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "uv").write_text("#!/bin/sh\necho 'no version of a fits' >&2\nexit 1\n")
    (tmp_path / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(refresh.RefreshError, match="no version of a fits"):
        refresh.Resolver(tmp_path).compiled(Path("x.in"))


def test_everything_declared_is_asked_for_without_its_bounds(refresh: Any) -> None:
    project = """
[project]
dependencies = ["a>=1,<2", "b[x]==3"]
[project.optional-dependencies]
one = ["c>=1; python_version < '3.14'"]
[dependency-groups]
dev = ["d"]
"""
    assert refresh.names_alone(project) == "a \nb[x] \nc ; python_version < '3.14'\nd \n"


@SCOPED_MACHINE.mark
def test_the_scopes_are_what_the_installed_packages_say_they_need(refresh: Any) -> None:
    scopes = json.loads(refresh.SCOPES.read_text())
    required = brought_by("runtime")
    whole = required.union(*map(brought_by, refresh.CHOICES))
    assert (set(scopes["required"]), set(scopes["optional"])) == (required, whole - required)


def test_the_scopes_name_what_is_locked_and_no_tool_of_development(refresh: Any) -> None:
    scopes = json.loads(refresh.SCOPES.read_text())
    named = {*scopes["required"], *scopes["optional"]}
    assert named <= {canonicalize_name(name) for name in refresh.versions((ROOT / "requirements.lock").read_text())}
    assert named.isdisjoint({"pytest", "hypothesis", "schemathesis", "mypy", "ruff", "kinto", "sushy-tools", "prance"})
