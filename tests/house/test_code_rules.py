"""Rules of the code that would rot if only prose said them. Each is read from the syntax tree of every product file.

Why each rule exists stands in docs/INVARIANTS.md.
"""

import ast
import re
import statistics
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("workflow", "governance", "compiler", "runtime")
PRODUCT = (*ROOMS, "switchgear", "migrations", "demo")
FILES = sorted(path.relative_to(ROOT) for room in PRODUCT for path in (ROOT / room).rglob("*.py"))
ALL_FILES = [*FILES, *(path.relative_to(ROOT) for room in ("tests", "bench") for path in (ROOT / room).rglob("*.py"))]
# The CLI's main and the tool-call boundary: what passes them would be a traceback in a person's or a model's hands.
BROAD_EXCEPTS = {"switchgear/main.py", "runtime/mcp/tools.py", "compiler/containment.py"}
# One file each, and both in the driver: nothing else can reach a device, or reach it twice.
HTTP_CLIENTS = {"httpx": "runtime/driver/exchange.py", "tenacity": "runtime/driver/retry.py"}
VENDOR = re.compile(r"(?i:hypercore|idrac|redfish|scale.?computing)|(?<![A-Za-z])(dell|Dell|DELL)(?![a-z])")


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse((ROOT / file).read_text(), filename=str(file))


def docstrings(tree: ast.Module) -> set[ast.AST]:
    """The constants that stand as documentation: a string that is a statement by itself."""
    return {n.value for n in ast.walk(tree) if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)}


def imported_roots(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def broad_handlers(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and not is_passed_on(node):
            names = (
                {"BaseException"}
                if node.type is None
                else {n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)}
            )
            if names & {"Exception", "BaseException"}:
                yield node.lineno


def is_passed_on(handler: ast.ExceptHandler) -> bool:
    """Whether the handler only cleans up: it ends with raising what it caught."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def vendor_words(tree: ast.Module) -> Iterator[str]:
    prose = docstrings(tree)
    for node in ast.walk(tree):
        text = node.id if isinstance(node, ast.Name) else getattr(node, "name", None) or getattr(node, "attr", None)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in prose:
            text = node.value
        if isinstance(text, str) and VENDOR.search(text):
            yield f"{getattr(node, 'lineno', 0)}: {text}"


def function_lengths() -> list[int]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = (node for file in FILES for node in ast.walk(tree_of(file)))
    return sorted((node.end_lineno or 0) - node.lineno + 1 for node in nodes if isinstance(node, kinds))


def test_no_file_is_longer_than_500_lines() -> None:
    assert [str(file) for file in ALL_FILES if len((ROOT / file).read_text().splitlines()) > 500] == []


def test_every_module_says_what_lives_in_it() -> None:
    silent = {str(file): ast.get_docstring(tree_of(file)) for file in FILES if not is_introduced(file)}
    assert silent == {}


def is_introduced(file: Path) -> bool:
    """Three lines to a dozen; a package may say less, and a file of errors draws its tree there."""
    lines = (ast.get_docstring(tree_of(file)) or "").splitlines()
    return (1 if file.name == "__init__.py" else 3) <= len(lines) <= (25 if file.name == "errors.py" else 14)


def test_everything_is_caught_in_three_places_only() -> None:
    found = {file.as_posix(): list(broad_handlers(tree_of(file))) for file in FILES}
    assert {name: lines for name, lines in found.items() if lines and name not in BROAD_EXCEPTS} == {}


@pytest.mark.parametrize("library", HTTP_CLIENTS)
def test_only_the_driver_speaks_http(library: str) -> None:
    users = {file.as_posix() for file in FILES if library in imported_roots(tree_of(file))}
    assert users == {HTTP_CLIENTS[library]}


def test_no_room_knows_a_vendor() -> None:
    found = {str(file): list(vendor_words(tree_of(file))) for file in FILES if file.parts[0] in ROOMS}
    assert {name: words for name, words in found.items() if words} == {}


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('"""About Redfish."""\nX = 1', []),
        ('if api == "hypercore":\n    pass', ["1: hypercore"]),
        ("def poll_dell_job() -> None: ...", ["1: poll_dell_job"]),
    ],
)
def test_the_search_for_vendors_reads_code_and_not_docstrings(code: str, found: list[str]) -> None:
    assert list(vendor_words(ast.parse(code))) == found


def test_the_search_for_broad_excepts_sees_every_form() -> None:
    # What cleans up and raises again is no broad except.
    assert list(broad_handlers(ast.parse("try: pass\nexcept BaseException:\n  clean()\n  raise"))) == []
    handlers = "except:", "except Exception:", "except (OSError, BaseException) as e:", "except OSError:"
    code = "\n".join(f"try: pass\n{handler} pass" for handler in handlers)
    assert list(broad_handlers(ast.parse(code))) == [2, 4, 6]


def test_functions_are_short() -> None:
    lengths = function_lengths()
    assert statistics.median(lengths) <= 10
    assert lengths[int(0.95 * len(lengths))] <= 50


def test_no_file_is_a_drawer_for_everything() -> None:
    drawers = {"utils.py", "helpers.py", "common.py", "base.py", "manager.py"}
    assert [str(file) for file in FILES if file.name in drawers] == []
