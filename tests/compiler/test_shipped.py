"""Descriptions by name: which file a word on the command line means, for every command that takes one."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from compiler import shipped
from switchgear.main import COMMANDS, cli, load

ROOT = Path(__file__).parents[2]
TAKE_DESCRIPTIONS = {"compile": ["specs", "profile"], "lint": ["spec", "profile"], "mock": ["spec", "profile"],
                     "diff": ["old", "new", "profile"]}  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def meant(word: str, kind: shipped.ShippedOrFile = shipped.SPEC) -> Path:
    found = kind.convert(word, None, None)
    assert isinstance(found, Path)
    return found


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words))


def test_what_is_shipped_is_what_lies_in_the_repository() -> None:
    assert shipped.names() == tuple(sorted(path.parent.name for path in (ROOT / "specs").glob("*/openapi.yaml")))
    assert {"hypercore", "idrac"} <= set(shipped.names())


@pytest.mark.parametrize("name", shipped.names())
def test_a_name_means_the_shipped_file_with_its_profile_beside_it(name: str, here: Path) -> None:
    assert meant(name).samefile(ROOT / "specs" / name / "openapi.yaml")
    assert meant(name, shipped.VENDOR_PROFILE).samefile(meant(name).parent / "profile.yaml")


def test_a_file_of_that_name_goes_before_and_a_folder_does_not(here: Path) -> None:
    (here / "hypercore").mkdir()
    assert meant("hypercore").name == "openapi.yaml"
    (here / "hypercore").rmdir()
    (here / "hypercore").write_text("{}")
    assert meant("hypercore") == Path("hypercore")
    assert meant("./hypercore") == Path("hypercore")


@pytest.mark.parametrize("word", ["./idrac", "idrac.yaml", "specs/idrac", "idrac/", "../idrac"])
def test_what_looks_like_a_path_is_one(word: str, here: Path) -> None:
    with pytest.raises(click.BadParameter, match="does not exist"):
        meant(word)


@pytest.mark.parametrize(
    ("word", "near"), [("hypercor", "hypercore"), ("HyperCore", "hypercore"), ("idrca", "idrac"), ("vcenter", "")]
)
def test_a_word_that_means_nothing_is_told_what_there_is_and_what_may_be_meant(
    word: str, near: str, here: Path
) -> None:
    with pytest.raises(click.BadParameter) as refused:
        meant(word)
    said = refused.value.message
    assert "hypercore, idrac" in said
    assert (f"Did you mean {near}?" in said) is bool(near)
    assert ("Did you mean" in said) is bool(near)


def test_a_folder_that_is_not_shipped_is_said_to_be_a_folder(here: Path) -> None:
    (here / "vendor").mkdir()
    with pytest.raises(click.BadParameter, match="is a directory"):
        meant("vendor")


@pytest.mark.parametrize("name", TAKE_DESCRIPTIONS)
def test_every_command_that_takes_a_description_finds_it_by_the_same_rule_and_says_so(name: str) -> None:
    command = load(name, COMMANDS[name])
    by_rule = [each.name for each in command.params if isinstance(each.type, shipped.ShippedOrFile)]
    assert by_rule == TAKE_DESCRIPTIONS[name]
    told = " ".join(run(name, "--help").output.split())
    assert "hypercore, idrac" in told
    assert "goes before" in told


def test_nothing_else_on_the_command_line_takes_a_description() -> None:
    takes = {
        name for name, entry in COMMANDS.items()
        if {"spec", "specs", "old", "new"} & {each.name for each in load(name, entry).params}
    }  # fmt: skip
    assert takes == set(TAKE_DESCRIPTIONS)


def test_a_description_by_name_is_compiled_with_its_profile(here: Path) -> None:
    done = run("compile", "hypercore", "--dump-after", "effects")
    assert done.exit_code == 0, done.output
    assert done.output == run("compile", str(ROOT / "specs/hypercore/openapi.yaml"), "--dump-after", "effects").output
    assert run("compile", "hypercor", "--dump-after", "effects").exit_code == 2
