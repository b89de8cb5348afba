"""The rooms' walls: import contracts, the wheel's roots, what each half brings along and what it must not need.

The contracts themselves stand in pyproject.toml; here they are run, and shown to be able to fail.
"""

import importlib.metadata
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
COMPILER_ONLY = ("instructor", "ollama", "openapi_spec_validator")
JUDGES = ("prance", "openapi_core", "schemathesis", "hypothesis", "pytest")
RUNTIME_ONLY = ("fastmcp", "mcp", "fastapi")  # not tenacity: instructor needs it too


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    # It puts the working folder first on the path: in a copy, the copy's packages are read and not the installed ones.
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def copy_of_the_rooms(target: Path) -> Path:
    shutil.copy(ROOT / "pyproject.toml", target)
    for package in PROJECT["tool"]["importlinter"]["root_packages"]:
        shutil.copytree(ROOT / package, target / package, ignore=shutil.ignore_patterns("__pycache__"))
    return target


def test_the_import_contracts_hold() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("runtime/__init__.py", "import compiler.pipeline"),
        ("compiler/__init__.py", "import runtime.app"),
        ("workflow/errors.py", "import governance.storage.database"),
        ("governance/__init__.py", "import runtime.catalog.snapshot"),
        ("compiler/ir/__init__.py", "import compiler.passes"),
    ],
)
def test_a_forbidden_import_breaks_a_contract(file: str, line: str, tmp_path: Path) -> None:
    copy = copy_of_the_rooms(tmp_path)
    with (copy / file).open("a") as source:
        source.write(f"\n{line}\n")
    result = lint_imports(copy)
    assert result.returncode == 1, result.stdout
    assert "BROKEN" in result.stdout


def test_the_roots_of_the_wheel_are_exactly_ours(tmp_path: Path) -> None:
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path))
    roots = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {root for root in roots if not root.endswith(".dist-info")} == set(PACKAGES)
    assert set(PACKAGES) == {"workflow", "governance", "compiler", "runtime", "switchgear", "migrations", "demo"}


def brought_by(extra: str) -> set[str]:
    """Every distribution that `pip install .[extra]` brings, read from the metadata of what is installed."""
    extras = PROJECT["project"]["optional-dependencies"][extra]
    waiting = [(line, frozenset[str]()) for line in PROJECT["project"]["dependencies"] + extras]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        line, wanted = waiting.pop()
        need = Requirement(line)
        if need.marker and not any(need.marker.evaluate({"extra": name}) for name in wanted | {""}):
            continue
        known = (canonicalize_name(need.name), frozenset(need.extras))
        if known in seen:
            continue
        seen.add(known)
        waiting += [(child, known[1]) for child in importlib.metadata.requires(need.name) or ()]
    return {name for name, _ in seen}


def test_the_runtime_brings_no_compiler_and_the_compiler_no_fastmcp() -> None:
    runtime, compiler = brought_by("runtime"), brought_by("compiler")
    assert runtime.isdisjoint({"instructor", "ollama", "openapi-spec-validator"})
    assert compiler.isdisjoint({"fastmcp", "fastapi", "mcp"})
    assert {"fastmcp", "tenacity"} <= runtime
    assert {"instructor", "ollama"} <= compiler


def test_what_judges_the_product_in_tests_is_brought_by_no_part_of_it() -> None:
    brought = set().union(*map(brought_by, PROJECT["project"]["optional-dependencies"]))
    assert brought.isdisjoint({"prance", "openapi-core", "schemathesis", "pytest", "securesystemslib", "kinto"})


def run_without(modules: tuple[str, ...], code: str) -> subprocess.CompletedProcess[str]:
    # None in sys.modules makes `import name` raise ImportError, as if the package were not installed.
    block = f"import sys; sys.modules.update(dict.fromkeys({modules}))"
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"{block}\n{code}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("absent", "code"),
    [
        (COMPILER_ONLY + JUDGES, "import runtime.app, runtime.commands.serving"),
        (RUNTIME_ONLY + JUDGES, "import compiler.pipeline, compiler.commands.compiling"),
        (
            COMPILER_ONLY + RUNTIME_ONLY,
            "import workflow.running.interpreter, governance.commands.workflows, switchgear.main",
        ),
    ],
)
def test_each_half_is_imported_without_the_packages_of_the_other(absent: tuple[str, ...], code: str) -> None:
    result = run_without(absent, code)
    assert result.returncode == 0, result.stderr


def test_the_workflow_language_and_the_entry_point_load_nothing_heavy() -> None:
    code = "import sys, workflow.running.interpreter, switchgear.main; print(*sys.modules)"
    loaded = set(re.split(r"\s+", run_without((), code).stdout))
    assert loaded.isdisjoint({"httpx", "fastmcp", "fastapi", "sqlalchemy", "prance", "instructor"})
