"""The documents cannot lie: what they name is there, what they run exists, what they promise has a test.

Paths and tests stand in backticks. Commands stand in fenced blocks and begin with `switchgear` or `./`.
"""

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from switchgear.main import cli

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
TEXTS = {document.relative_to(ROOT).as_posix(): document.read_text() for document in DOCUMENTS}
SUFFIXES = r"py|md|sh|yaml|yml|toml|lock|ini|json|txt"
PATH = re.compile(rf"`((?:[\w.\-]+/)+[\w.\-]*|[\w.\-]+\.(?:{SUFFIXES}))`")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
# Names of files that users bring or that formats prescribe; they are not in this repository.
FOREIGN = {
    "profile.yaml",
    "out/profile.yaml",
    "openapi.yaml",
    "openapi.json",
    "package-lock.json",
    "envelope.json",
    "sbom.json",
    "requirements.txt",
    "uv.lock",
    ".venv/",
}


def named_paths() -> Iterator[tuple[str, str]]:
    for document, text in TEXTS.items():
        yield from ((document, path) for path in sorted(set(PATH.findall(text))) if path not in FOREIGN)


def named_tests() -> list[tuple[str, str]]:
    return sorted({pair for text in TEXTS.values() for pair in TEST.findall(text)})


def command_lines(program: str) -> Iterator[tuple[str, list[str]]]:
    for document, text in TEXTS.items():
        for language, block in FENCE.findall(text):
            if language not in {"console", "sh", "bash", ""}:
                continue
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line.removeprefix("$ "), comments=True) if program in line else []
                if words and words[0].endswith(program) and (line.startswith("$ ") or language in {"sh", "bash"}):
                    yield document, words[1:]


def command_named(words: list[str]) -> click.Command | None:
    """The command that `words` reach, or None when a word names none."""
    command: click.Command | None = cli
    context = click.Context(cli)
    for word in words:
        if not isinstance(command, click.Group) or word.startswith("-"):
            break
        command = command.get_command(context, word)
    return command


def all_commands(group: click.Group, before: str = "") -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from all_commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}"


@pytest.mark.parametrize(("document", "path"), list(named_paths()))
def test_every_file_that_a_document_names_is_there(document: str, path: str) -> None:
    places = [ROOT / path, ROOT / "docs" / path]
    assert any(place.exists() for place in places), f"{document} names {path}"


def test_only_one_place_knows_where_the_vendors_own_files_may_be() -> None:
    """They are in no clone: what names their folder is wrong on every machine but one."""
    rooms = ("bench", "compiler", "demo", "docs", "edge", "governance", "runtime", "specs", "switchgear", "tests")
    written = [*ROOT.glob("*.*"), *(file for room in (*rooms, "workflow") for file in (ROOT / room).rglob("*.*"))]
    texts = [file for file in written if file.suffix[1:] in SUFFIXES.split("|") and file != Path(__file__)]
    named = re.compile(r"""\.\./shared|["'/]shared["']? */""")
    found = {file.relative_to(ROOT).as_posix() for file in texts if named.search(file.read_text())}
    assert found == {"tests/needs.py"}


@pytest.mark.parametrize(("file", "name"), named_tests())
def test_every_test_that_a_document_names_is_there(file: str, name: str) -> None:
    assert name in names_in(file)


@cache
def names_in(file: str) -> frozenset[str]:
    return frozenset(node.name for node in ast.walk(ast.parse((ROOT / file).read_text())) if hasattr(node, "name"))


def test_every_setting_that_the_product_reads_is_explained_in_the_example() -> None:
    rooms = ("workflow", "governance", "compiler", "runtime", "switchgear")
    code = "".join(file.read_text() for room in rooms for file in (ROOT / room).rglob("*.py"))
    explained = set(re.findall(r"SWITCHGEAR_[A-Z_]+", (ROOT / ".env.example").read_text()))
    assert set(re.findall(r"\bSWITCHGEAR_[A-Z_]+", code)) <= explained


@pytest.mark.parametrize(("document", "words"), list(command_lines("switchgear")))
def test_every_command_in_the_documents_exists_with_its_options(document: str, words: list[str]) -> None:
    command = command_named(words)
    assert command is not None, f"{document}: switchgear {' '.join(words)}"
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    used = {word.split("=")[0] for word in words if word.startswith("--") and word != "--help"}
    assert used <= known, f"{document}: switchgear {' '.join(words)}"


def test_the_documents_show_commands_at_all() -> None:
    assert len(list(command_lines("switchgear"))) >= 5


def test_the_readme_names_every_command() -> None:
    rows = [line for line in TEXTS["README.md"].splitlines() if line.startswith("| `")]
    named = {command for row in rows for command in commands_in(row)}
    assert [command for command in all_commands(cli) if command not in named] == []


def commands_in(row: str) -> set[str]:
    """The commands that a row of the table begins with: `runs list, show` names `runs list` and `runs show`."""
    first, *rest = row.split("`")[1].split(", ")
    *group, name = first.split()
    return {" ".join([*group, word]) for word in (name, *rest)} | {group[0] if group else name}


@pytest.mark.parametrize(
    ("document", "link"), [(d, x) for d, t in TEXTS.items() for x in re.findall(r"\]\(([^)#]+)", t)]
)
def test_every_link_inside_the_repository_leads_somewhere(document: str, link: str) -> None:
    if "://" not in link:
        assert ((ROOT / document).parent / link).exists()


def test_every_invariant_names_the_test_that_guards_it() -> None:
    section = TEXTS["docs/INVARIANTS.md"].split("## Invariants")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ") and not line.startswith("| what")]
    assert rows
    assert [row for row in rows if not re.search(r"`tests/[\w/]+\.py(::test_\w+)?`", row)] == []


def test_the_scripts_for_people_are_the_scripts_for_ci() -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert [line for line in lines[1:] if line.strip()] == ["exec ./test_all.sh"]


NAMED = re.compile(r"`([\w/]+\.py)`: ((?:`\w+`(?:, )?)+)")


@pytest.mark.parametrize("document", ["docs/WHERE.md"])
def test_what_a_document_names_behind_a_file_is_in_that_file(document: str) -> None:
    named = [(file, name) for file, names in NAMED.findall(TEXTS[document]) for name in re.findall(r"\w+", names)]
    assert len(named) > 10
    begins = r"^(?:class |def |async def )?{}\b"
    assert [(f, n) for f, n in named if not re.search(begins.format(n), (ROOT / f).read_text(), re.M)] == []
