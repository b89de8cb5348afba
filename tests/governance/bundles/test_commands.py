"""The commands and their exit codes, and the files that private keys live in."""

import asyncio
import json
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from governance.bundles.commands import bundle_group, keys_group
from governance.bundles.keys import generate, read_private_key
from governance.errors import InvalidError, RefusedError
from switchgear.main import main
from tests.forks import program

BEGIN = "-----BEGIN PUBLIC KEY-----"
Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """The exit code and the JSON of `switchgear bundle …`."""

    def run(*words: str | Path) -> tuple[int, Any]:
        capsys.readouterr()
        code = main(["bundle", *map(str, words), "--json"])
        return code, json.loads(capsys.readouterr().out or "null")

    return run


@pytest.fixture
def key(tmp_path: Path, run: Run) -> Path:
    assert run("keys", "generate", tmp_path / "ann")[0] == 0
    return tmp_path / "ann"


@pytest.mark.parametrize(
    "command", [*bundle_group.commands.values(), *keys_group.commands.values()], ids=lambda c: c.name
)
def test_every_command_takes_json_and_says_what_it_does(command: click.Command) -> None:
    options = {option for parameter in command.params for option in parameter.opts}
    assert isinstance(command, click.Group) or "--json" in options
    assert command.help


@pytest.mark.slow
async def test_the_way_from_one_machine_to_another_by_commands(
    factory: Any, sqlite_url: str, key: Path, tmp_path: Path
) -> None:
    bundle, there, here = tmp_path / "a.bundle", ("--db", factory.database.address), ("--db", sqlite_url)

    async def say(*words: str | Path) -> tuple[int, Any]:
        command = [program(), "bundle", *map(str, words), "--json"]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
        return done.returncode, json.loads(done.stdout)

    code, exported = await say("export", bundle, "--name", "plant", "--version", "1", "--key", key, *there)
    assert (code, exported["revisions"]) == (0, 2)
    code, refused = await say("import", bundle, *here)
    assert (code, refused["error"]["type"]) == (1, "BundleError")
    assert (await say("keys", "trust", f"{key}.pub", "--name", "ann", *here))[0] == 0
    assert (await say("verify", bundle, *here))[1]["added"] == 2
    code, imported = await say("import", bundle, *here)
    assert (code, imported["catalog"], imported["known"]) == (0, exported["catalog"], False)
    assert (await say("import", bundle, *here))[1]["known"] is True
    code, listed = await say("list", *here)
    assert [(found["name"], found["version"]) for found in listed["bundles"]] == [("plant", 1)]
    assert (await say("keys", "require", "2", *here))[0] == 3
    assert (await say("keys", "revoke", "ann", *here))[1]["revoked_by"].startswith("cli:")
    code, keys = await say("keys", "list", *here)
    assert (code, keys["threshold"], keys["keys"][0]["name"]) == (0, 1, "ann")


def test_what_is_no_bundle_ends_with_3_and_wrong_usage_with_2(run: Run, sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    assert run("verify", tmp_path / "text", "--db", sqlite_url)[0] == 3
    assert run("verify", tmp_path / "absent", "--db", sqlite_url)[0] == 3
    assert run("import", "--db", sqlite_url)[0] == 2
    assert run("export", tmp_path / "x", "--name", "a", "--version", "0", "--key", "k", "--db", sqlite_url)[0] == 2


def test_a_moment_that_is_none_and_a_name_that_is_none_are_bad_input(
    run: Run, key: Path, sqlite_url: str, tmp_path: Path
) -> None:
    order = ("export", tmp_path / "x", "--version", "1", "--key", key, "--db", sqlite_url)
    assert run(*order, "--name", "a", "--at", "soon")[0] == 3
    assert run(*order, "--name", "a")[0] == 3  # nothing is approved


def test_a_private_key_is_for_its_owner_alone_and_never_overwritten(key: Path, run: Run) -> None:
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    text = key.read_text()
    assert run("keys", "generate", key)[0] == 3
    assert key.read_text() == text


def test_a_private_key_that_others_may_read_is_not_used(key: Path) -> None:
    key.chmod(0o640)
    with pytest.raises(RefusedError, match="others may read"):
        read_private_key(key, "")


def test_a_passphrase_protects_the_key_and_is_asked_for(tmp_path: Path) -> None:
    generate(tmp_path / "k", "correct horse")
    assert "ENCRYPTED" in (tmp_path / "k").read_text()
    read_private_key(tmp_path / "k", "correct horse")
    with pytest.raises(InvalidError, match="is encrypted"):
        read_private_key(tmp_path / "k", "")
    with pytest.raises(InvalidError, match="not its own") as refused:
        read_private_key(tmp_path / "k", "battery staple")
    assert "staple" not in str(refused.value)


def test_the_passphrase_comes_from_a_file_or_from_the_environment(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pass").write_text("correct horse\n")
    assert run("keys", "generate", tmp_path / "k", "--passphrase-file", tmp_path / "pass")[0] == 0
    read_private_key(tmp_path / "k", "correct horse")
    monkeypatch.setenv("SWITCHGEAR_BUNDLE_PASSPHRASE", "from outside")
    assert run("keys", "generate", tmp_path / "e")[0] == 0
    read_private_key(tmp_path / "e", "from outside")


@pytest.mark.parametrize(
    "text", ["", "hello", f"{BEGIN}\nAAAA\n{BEGIN.replace('BEGIN', 'END')}\n", "é" * 9, "x" * 99_999]
)
def test_what_is_no_key_is_bad_input(text: str, run: Run, sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "k").write_text(text)
    assert run("keys", "trust", tmp_path / "k", "--name", "x", "--db", sqlite_url)[0] == 3
    (tmp_path / "k").chmod(0o600)
    with pytest.raises(InvalidError):
        read_private_key(tmp_path / "k", "")


def test_a_private_key_is_not_trusted_in_place_of_the_public_one(run: Run, key: Path, sqlite_url: str) -> None:
    code, told = run("keys", "trust", key, "--name", "x", "--db", sqlite_url)
    assert (code, "PRIVATE" in json.dumps(told)) == (3, False)
