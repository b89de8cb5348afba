"""What a command loads: most runs of the product are short commands, and most of their time are imports.

Two rules (docs/ARCHITECTURE.md, "What is loaded when"): a command's file is loaded when the command is asked for, and a
function imports nothing but what stands under LATE, or, if it is a command, its own room's parts. The first tests run
commands and look at what the process has loaded by then; the last one reads the code.
"""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("workflow", "governance", "compiler", "runtime", "switchgear")
LATE = {
    "alembic": "opening a database that is up to date takes one query",
    "cryptography.x509": "doctor reads a certificate",
    "croniter": "few installations have schedules",
    "dbos": "loads psycopg and SQLAlchemy's ORM; started by the first run that changes something",
    "sqlalchemy.orm": "a server needs it whole before its threads ask the database; commands do without",
    "governance.approval.policy": "pydantic; asked when something is decided or begun",
    "keyring": "an extra, and only where a reference names it",
    "opentelemetry": "its exporter is an extra, and only where a setting names an endpoint",
    "mcp.server.auth": "command lines have the gate's callers without any of MCP",
    "compiler.proposer.live": "instructor and openai; only where a model is asked",
    "compiler.commands.progress": "rich; only on a terminal",
    "runtime.driver.remote.session": "FastMCP's client; only where an MCP server of others is spoken to",
    "runtime.sites.shared_hub": "psycopg and cryptography; only where a hub has a PostgreSQL database",
    "runtime.sites.statements": "joserfc and cryptography; only where there are sites",
    "governance.bundles.importing": "cryptography; only where a hub sends a bundle",
    "runtime.auth.jwt_issuers": "joserfc and cryptography; only where a company's logins are taken",
}
"""What functions may import, and why it is not loaded with their file."""

SERVERS = {"fastmcp", "mcp", "mcp_types", "fastapi", "uvicorn", "dbos", "joserfc", "cryptography", "croniter", "openai"}
COMPILERS = {"instructor", "ollama", "openapi_spec_validator", "prance", "openapi_core", "jsonschema", "rich"}
DATABASES = {"sqlalchemy.orm", "sqlalchemy.dialects.postgresql", "psycopg", "alembic", "aiosqlite"}
MEANING = {"pydantic", "jsonpath", "jsonschema_rs", "yaml", "httpx", "compiler", "runtime"}

_ENDING = "json.dump(sorted(sys.modules), sys.stderr)"


def loaded(code: str, url: str) -> set[str]:
    """The modules of a process that ran `code`, in which `do` carries out a command line."""
    words = f"import json, sys\nfrom switchgear.main import main as do\n{code}\n{_ENDING}"
    ran = subprocess.run(
        [sys.executable, "-c", words], capture_output=True, text=True, check=True, cwd=ROOT,
        env={"SWITCHGEAR_DATABASE_URL": url, "HOME": "/nowhere"},
    )  # fmt: skip
    return set(json.loads(ran.stderr.splitlines()[-1]))


def test_help_loads_nothing_but_the_table_of_commands(migrated_url: str) -> None:
    unwanted = SERVERS | COMPILERS | DATABASES | MEANING | {"sqlalchemy", "asyncio", "importlib.metadata"}
    assert loaded("do(['--help'])", migrated_url).isdisjoint(unwanted)


def test_lists_load_a_database_and_nothing_that_understands_documents(migrated_url: str) -> None:
    code = "for each in ('workflows', 'runs', 'targets', 'tokens'): do([each, 'list'])"
    found = loaded(code, migrated_url)
    assert "sqlalchemy" in found
    assert found.isdisjoint(SERVERS | COMPILERS | DATABASES | (MEANING - {"pydantic", "yaml"}))


@pytest.mark.slow
def test_a_compile_loads_no_model_no_server_and_no_terminal(migrated_url: str) -> None:
    found = loaded("do(['compile', 'docs/rack-pdu/openapi.yaml', '--check'])", migrated_url)
    assert "compiler.verification" in found
    assert found.isdisjoint(SERVERS | COMPILERS | DATABASES | {"starlette", "httpx", "runtime"})


@pytest.mark.slow
def test_a_mock_loads_no_database(migrated_url: str) -> None:
    found = loaded("do(['mock', '--behaviours'])", migrated_url)
    assert "compiler.twin.machine" in found
    assert found.isdisjoint((SERVERS | COMPILERS | {"sqlalchemy", "httpx", "runtime"}) - {"uvicorn"})


@pytest.mark.slow
def test_a_call_loads_no_server(migrated_url: str) -> None:
    found = loaded("do(['call', 'nothing'])\nprint(file=sys.stderr)", migrated_url)
    assert "runtime.engines.direct" in found
    assert found.isdisjoint(SERVERS | (COMPILERS - {"rich"}) | DATABASES | {"compiler"})


@pytest.mark.slow
def test_a_server_loads_what_it_may_never_need_only_when_it_does(migrated_url: str) -> None:
    found = loaded("import runtime.app, runtime.commands.serving", migrated_url)
    unwanted = {"dbos", "croniter", "instructor", "compiler"}
    assert found.isdisjoint(unwanted | DATABASES)


def test_the_end_of_a_command_looks_through_nothing_for_garbage() -> None:
    told = (
        "import atexit, gc\natexit.register(lambda: print(gc.get_freeze_count() > 0))"  # the first one is called last
    )
    code = f"{told}\nfrom switchgear.main import main\nmain(['--help'])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout.splitlines()[-1] == "True"


def late_imports(file: Path) -> Iterator[tuple[int, str]]:
    """Line and module of each import inside a function of the file."""
    for function in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for node in ast.walk(function):
                if isinstance(node, ast.ImportFrom) and node.module:
                    names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
                    yield node.lineno, next((name for name in names if _is_late(name)), node.module)
                elif isinstance(node, ast.Import):
                    yield from ((node.lineno, alias.name) for alias in node.names)


def _is_late(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in LATE)


def _is_command(file: Path) -> bool:
    return "commands" in (file.parent.name, file.stem)


@pytest.mark.slow
def test_a_function_imports_only_what_is_listed_or_as_a_command_its_own_room() -> None:
    files = [file for room in ROOMS for file in (ROOT / room).rglob("*.py")]
    found = [
        f"{file.relative_to(ROOT)}:{line} {module}"
        for file in files
        for line, module in late_imports(file)
        if not _is_late(module) and not (_is_command(file) and module.split(".")[0] == file.relative_to(ROOT).parts[0])
    ]
    assert not found


@pytest.mark.slow
def test_what_is_listed_as_late_is_imported_late_somewhere_and_nowhere_at_once() -> None:
    files = [file for room in ROOMS for file in (ROOT / room).rglob("*.py")]
    late = {module for file in files for _, module in late_imports(file)}
    assert not [name for name in LATE if not any(each == name or each.startswith(f"{name}.") for each in late)]
