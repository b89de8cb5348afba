"""The lock file: complete, closed, hashed, and silent about where packages come from.

How it is remade stands in docs/DECISIONS.md. A host in it would tie every install to one registry.
"""

import re
import tomllib
from importlib.metadata import version
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text()
ENTRY = re.compile(
    r"^([A-Za-z0-9][\w.\-]*)==([^\s;\\]+)(?: ; [^\\]+)?((?: \\\n    --hash=sha256:[0-9a-f]{64})*)$", re.M
)


def locked() -> dict[str, tuple[Version, str]]:
    return {canonicalize_name(name): (Version(version), hashes) for name, version, hashes in ENTRY.findall(LOCK)}


def declared() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lists = [project["project"]["dependencies"], *project["project"]["optional-dependencies"].values()]
    return [Requirement(line) for part in [*lists, *project["dependency-groups"].values()] for line in part]


def edge_module(name: str) -> ModuleType:
    """A script of edge/, which is no package."""
    spec = spec_from_file_location(name, ROOT / "edge" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LOCK_PART = edge_module("lock_part")


def test_every_line_of_the_lock_is_a_pinned_package_or_one_of_its_hashes() -> None:
    assert ENTRY.sub("", LOCK).strip() == ""


def test_every_package_in_the_lock_has_hashes() -> None:
    assert [name for name, (_, hashes) in locked().items() if "--hash=sha256:" not in hashes] == []


@pytest.mark.parametrize("forbidden", ["://", "index", "find-links", "www.", ".org", ".com", ".io"])
def test_the_lock_names_no_host(forbidden: str) -> None:
    assert forbidden not in LOCK


@pytest.mark.parametrize("requirement", declared(), ids=str)
def test_every_declared_dependency_is_locked_at_a_version_that_fits(requirement: Requirement) -> None:
    version, _ = locked()[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version)


def test_every_requirement_of_every_locked_package_is_met_by_the_lock() -> None:
    """Extras and markers of this interpreter included; and nothing is locked that nobody requires."""
    assert LOCK_PART.needed(declared(), LOCK) == sorted(LOCK_PART.entries(LOCK))


@pytest.mark.parametrize("removed", ["pydantic-core", "email-validator", "greenlet", "pluggy"])
def test_a_lock_that_lacks_what_only_another_package_requires_is_open(removed: str) -> None:
    part = LOCK.replace(LOCK_PART.entries(LOCK)[removed], "")
    with pytest.raises(LOCK_PART.OpenLockError, match=f"requires {removed}"):
        LOCK_PART.needed(declared(), part)


def test_a_lock_whose_version_does_not_suit_another_package_is_open() -> None:
    older = LOCK.replace(LOCK_PART.entries(LOCK)["pydantic-core"].split(" ")[0], "pydantic-core==0.1")
    with pytest.raises(LOCK_PART.OpenLockError, match=r"pydantic requires pydantic-core.*names 0\.1"):
        LOCK_PART.needed(declared(), older)


def test_what_is_installed_here_is_what_the_lock_names() -> None:
    pins = {name: str(LOCK_PART.pin_of(entry).specifier) for name, entry in LOCK_PART.entries(LOCK).items()}
    assert {name: f"=={version(name)}" for name in pins} == pins
