"""The lock file: complete, hashed, and silent about where packages come from.

How it is remade stands in docs/DECISIONS.md. A host in it would tie every install to one registry.
"""

import re
import tomllib
from pathlib import Path

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
