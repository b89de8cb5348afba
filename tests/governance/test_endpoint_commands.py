"""`switchgear webhooks endpoints …` and `dead …`: what they print, what they refuse, and where a secret goes."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from standardwebhooks import Webhook

from switchgear.main import cli

Run = Callable[..., Result]


@pytest.fixture
def run(sqlite_url: str) -> Run:
    def run(*words: str) -> Result:
        return CliRunner().invoke(cli, ["webhooks", *words, "--db", sqlite_url])

    return run


def test_a_new_secret_is_shown_once_and_lies_in_a_file_that_only_its_owner_reads(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "desk.secret"
    added = ("endpoints", "add", "desk", "https://desk.example/in", "--new-secret", str(file), "--json")
    made: dict[str, Any] = json.loads(run(*added).output)
    assert file.read_text().strip() == made["secret"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Webhook(made["secret"])
    assert made["secret_ref"] == f"file:{file}"
    listed = run("endpoints", "list", "--json")
    assert (listed.exit_code, made["secret"] in listed.output) == (0, False)
    assert json.loads(listed.output)["endpoints"][0]["name"] == "desk"


def test_what_is_refused_leaves_no_secret_behind(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "desk.secret"
    refused = run("endpoints", "add", "desk", "http://desk.example/in", "--new-secret", str(file))
    assert refused.exception is not None
    assert not file.exists()
    file.write_text("mine")
    taken = run("endpoints", "add", "desk", "https://desk.example/in", "--new-secret", str(file))
    assert taken.exception is not None
    assert file.read_text() == "mine"
    assert run("endpoints", "add", "desk", "https://desk.example/in").exception is not None


def test_endpoints_are_enabled_and_removed_and_dead_letters_listed(run: Run) -> None:
    wish = ("endpoints", "add", "desk", "http://desk.example/in", "--secret-ref", "env:DESK", "--allow-http")
    assert run(*wish, "--event", "run.unknown", "--api", "toy").exit_code == 0
    assert json.loads(run("endpoints", "enable", "desk", "--json").output)["kinds"] == ["run.unknown"]
    assert json.loads(run("dead", "list", "--json").output) == {"dead": []}
    assert run("dead", "resend", "none").exception is not None
    assert json.loads(run("endpoints", "remove", "desk", "--json").output) == {"removed": "desk"}
    assert run("endpoints", "remove", "desk").exception is not None
