"""The commands as they are shown: docs/CLI.md, help with examples, in one mood, whole, within 80 columns."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from switchgear.examples import EXAMPLES
from switchgear.main import cli, main
from switchgear.reference import reference

ROOT = Path(__file__).parents[2]
# What begins no command's text: it says what a thing is, or what the command does, and not what to do.
NO_WISH = {"a", "all", "from", "it", "nothing", "once", "the", "these", "this", "what", "who", "whose"}


def commands(group: click.Group = cli, path: str = "") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        below = f"{path} {name}".strip()
        yield below, command
        if isinstance(command, click.Group):
            yield from commands(command, below)


ALL = dict(commands())


def test_the_page_of_the_commands_is_what_they_say_now() -> None:
    page = (ROOT / "docs" / "CLI.md").read_text()
    assert page == reference(), "python -m switchgear.reference > docs/CLI.md"


def test_every_command_has_an_example_and_every_example_a_command() -> None:
    assert EXAMPLES.keys() - {""} == ALL.keys()


@pytest.mark.parametrize("path", EXAMPLES)
def test_an_example_is_a_command_line_that_is_understood(path: str) -> None:
    for line in EXAMPLES[path]:
        words = shlex.split(re.sub(r" >>? .*", "", line))
        assert line.startswith(path.split(" ")[0])
        command, context = cli, click.Context(cli)
        while isinstance(command, click.Group):
            name, found, words = command.resolve_command(context, words)
            assert found is not None
            command = found
            context = click.Context(command, info_name=name, parent=context)
        missing = [word for word in words if word.startswith("--") and word.split("=")[0] not in options(command)]
        assert missing == [], line
        given = [word for word in words if not word.startswith("-")]
        if "--behaviours" in words:  # it lists, and serves nothing
            continue
        assert len(given) >= sum(each.required for each in command.params if isinstance(each, click.Argument)), line


def options(command: click.Command) -> set[str]:
    return {name for each in command.params for name in (*each.opts, *each.secondary_opts)} | {"--help"}


@pytest.mark.parametrize("path", ALL)
def test_the_help_of_a_command_is_a_wish_with_examples_and_nothing_in_it_is_cut(
    path: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    first = (ALL[path].help or "").split()[0].lower().strip(",:")
    assert first not in NO_WISH and not re.fullmatch(r".*[^s]s", first), f"{path}: {first}"
    assert all(each.help for each in ALL[path].params if isinstance(each, click.Option)), path
    assert main([*path.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"switchgear {EXAMPLES[path][0]}".split(" --")[0] in shown
    assert not re.search(r"\w\.\.\.$", shown.partition("\n\n")[2], re.M)
    long = [line for line in shown.splitlines() if len(line) > 80 and not line.startswith("    switchgear ")]
    assert [line for line in long if " " in line.strip()] == []
