"""What is declared is imported, what is imported is declared, and docs/DECISIONS.md says what each is for.

Declared for a half: by the project itself, or by an extra of that half. What is needed without being imported stands in
`UNIMPORTED`, with the reason. Development's own tools are held against the documents alone: most of them are programs.
"""

import ast
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
BASE = "the project itself"
DECLARED = {
    part: {canonicalize_name(Requirement(line).name) for line in lines}
    for part, lines in {
        BASE: PROJECT["project"]["dependencies"],
        **PROJECT["project"]["optional-dependencies"],
        "development": PROJECT["dependency-groups"]["dev"],
    }.items()
}
# The demonstration is a user who has both halves.
MAY_USE = {
    "workflow": (BASE,),
    "governance": (BASE,),
    "migrations": (BASE,),
    "switchgear": (BASE,),
    "compiler": (BASE, "compiler"),
    "runtime": (BASE, "runtime", "otel", "keyring"),
    "demo": (BASE, "compiler", "runtime"),
}
# Whose code a part's packages must serve; what only the demonstration imports belongs to no extra.
SERVES = {
    BASE: ("workflow", "governance", "migrations", "switchgear"),
    "compiler": ("compiler",),
    "runtime": ("runtime",),
    "otel": ("runtime",),
    "keyring": ("runtime",),
}
UNIMPORTED = {
    "tzdata": "zoneinfo reads it where the operating system brings no time zones",
}
# fastmcp holds no code: it is the name for this one with its server and client.
CODE_OF = {"fastmcp-slim": "fastmcp"}
# No public way does the same (docs/MAINTENANCE.md says what to look for); each is held by a contract test.
PRIVATE = {
    ("runtime/driver/exchange.py", "_pool"),
    ("runtime/driver/remote/streams.py", "_pool"),
    ("runtime/engines/dbos_process.py", "_recover_pending_workflows"),
    ("runtime/mcp/list_changed.py", "_connection"),
    ("runtime/mcp/list_changed.py", "_mcp_server"),
    ("runtime/mcp/list_changed.py", "_request_handlers"),
}


def imports(room: str) -> Iterator[tuple[str, str]]:
    """Modules of others that the room's code imports, with the names taken from them where there are any."""
    for file in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from ((alias.name, "") for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield from ((node.module, alias.name) for alias in node.names)


@cache
def owners() -> dict[str, list[str]]:
    return {root: sorted(set(names)) for root, names in importlib.metadata.packages_distributions().items()}


@cache
def files_of(distribution: str) -> tuple[str, ...]:
    return tuple(map(str, importlib.metadata.files(distribution) or ()))


def distribution_of(module: str, name: str) -> str:
    """Who brings the module; several share the root of a namespace, and then it is whose file it is."""
    found = owners().get(module.split(".")[0], [module])
    for path in (f"{module}.{name}", module):
        places = (path.replace(".", "/") + ".py", path.replace(".", "/") + "/")
        own = (
            [each for each in found if any(file.startswith(places) for file in files_of(each))] if found[1:] else found
        )
        if own:
            return CODE_OF.get(canonicalize_name(own[0]), canonicalize_name(own[0]))
    raise AssertionError(f"nobody brings {module}")


@cache
def used_by(room: str) -> frozenset[str]:
    foreign = {(m, n) for m, n in imports(room) if m.split(".")[0] not in {*sys.stdlib_module_names, *MAY_USE}}
    return frozenset(distribution_of(module, name) for module, name in foreign)


@pytest.mark.parametrize("room", MAY_USE)
def test_everything_that_a_room_imports_is_declared_for_it(room: str) -> None:
    assert used_by(room) - set().union(*(DECLARED[part] for part in MAY_USE[room])) == set()


@pytest.mark.parametrize("part", SERVES)
def test_everything_that_is_declared_is_imported_where_it_serves(part: str) -> None:
    used = set().union(*(used_by(room) for room in SERVES[part]))
    assert DECLARED[part] - used - UNIMPORTED.keys() == set()


@pytest.mark.slow
def test_what_needs_no_import_is_declared_and_is_not_imported() -> None:
    used = set().union(*(used_by(room) for room in MAY_USE))
    assert {name for name in UNIMPORTED if name in used} == set()
    assert UNIMPORTED.keys() <= set().union(*DECLARED.values())


@pytest.mark.parametrize("part", DECLARED)
def test_the_decisions_say_what_each_dependency_is_for(part: str) -> None:
    text = (
        (ROOT / "docs" / "DECISIONS.md").read_text().partition("What each dependency is for\n")[2].partition("\n## ")[0]
    )
    explained = {
        canonicalize_name(name)
        for row in re.findall(r"^\| (`.+?) \|", text, re.M)
        for name in re.findall("`([^`]+)`", row)
    }
    assert DECLARED[part] - explained == set()
    assert explained - set().union(*DECLARED.values()) == set()


# Documented; they begin so in order to stay clear of the fields' names.
OF_NAMED_TUPLES = {"_asdict", "_fields", "_make", "_replace"}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in OF_NAMED_TUPLES


def own_names(tree: ast.Module) -> set[str]:
    """Private names that this file itself gives: functions, classes, variables, attributes."""
    stored = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)}
    variables = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return (
        stored | variables | {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
    )


def private_parts(file: Path) -> Iterator[str]:
    """Private names of others that the file uses: attributes, and modules and names that it imports."""
    tree = ast.parse(file.read_text())
    own = own_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in own:
            yield node.attr
        elif isinstance(node, ast.ImportFrom):
            yield from filter(is_private, [*(node.module or "").split("."), *(alias.name for alias in node.names)])
        elif isinstance(node, ast.Import):
            yield from (part for alias in node.names for part in alias.name.split(".") if is_private(part))


@pytest.mark.slow
def test_private_parts_of_libraries_are_used_in_the_known_places_alone() -> None:
    files = [file for room in MAY_USE for file in (ROOT / room).rglob("*.py")]
    assert {(file.relative_to(ROOT).as_posix(), name) for file in files for name in private_parts(file)} == PRIVATE


def test_a_private_part_is_seen_however_it_is_reached(tmp_path: Path) -> None:
    code = "from a._b import c\nimport d._e\nfrom f import _g\nh._i\nclass J:\n    def _k(self): self._k()\n"
    (tmp_path / "x.py").write_text(code)
    assert sorted(private_parts(tmp_path / "x.py")) == ["_b", "_e", "_g", "_i"]
