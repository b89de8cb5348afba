"""The comparison with other systems names commands, routes and tools that there are, or says why there is none."""

import re
import shlex
from pathlib import Path

import click
import pytest

from runtime.auth.access import RULES
from runtime.catalog.snapshot import CALL_API, CANCEL_NAME, FINDING_NAMES, KNOWING_NAMES, PROPOSE, RUN_NAME
from switchgear.main import cli

PAGE = (Path(__file__).parents[2] / "docs" / "COMPARED.md").read_text()
CODE = re.findall(r"`([^`]+)`", PAGE)
COMMANDS = sorted({text for text in CODE if text.startswith("switchgear ")})
ROUTES = {(rule.method, rule.path) for rule in RULES}
LINES = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")]


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_comparison_is_one(line: str) -> None:
    words = shlex.split(line)[1:]
    command: click.Command = cli
    context = click.Context(cli)
    while isinstance(command, click.Group):
        _, found, words = command.resolve_command(context, words)
        assert found is not None
        command, context = found, click.Context(found, parent=context)
    known = {option for each in command.params for option in each.opts}
    assert {word.split("=")[0] for word in words if word.startswith("--")} <= known


def test_each_route_of_the_comparison_is_there() -> None:
    named = {tuple(text.partition("?")[0].split(" ", 1)) for text in CODE if re.match(r"(GET|PUT|POST|DELETE) /", text)}
    assert len(named) > 20
    assert named - ROUTES == set()


def test_each_tool_of_the_comparison_is_there() -> None:
    named = set(re.findall(r"the tool `(\w+)`", PAGE))
    assert named <= {*FINDING_NAMES, *KNOWING_NAMES, RUN_NAME, CANCEL_NAME, PROPOSE, CALL_API}


def test_each_line_names_a_system_and_says_what_shows_it_or_why_it_is_not_here() -> None:
    rows = [row for row in LINES if row[0] != "feature"]
    assert len(rows) > 40
    for feature, systems, shown in rows:
        assert set(systems.split(", ")) <= set("ABCDE"), feature
        assert len(shown) > 20, feature
