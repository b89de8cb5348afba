"""The entry point: lazy, and the one place where errors become text and exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from governance.errors import ConflictError, NotFoundError, UnavailableError
from switchgear.main import COMMANDS, MissingExtraError, describe, load, main, render
from workflow.errors import InputError

ROOT = Path(__file__).parents[2]


class DeviceError(Exception):
    """An error of a room that main does not import: it brings its exit code and remedy along."""

    exit_code = 4

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.remedy = "look at the device"


def _python(program: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), **environment}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=given, cwd=folder, capture_output=True, text=True, check=False)


def test_help_lists_every_command_in_the_order_of_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    lines = capsys.readouterr().out.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
    assert [line.split()[0] for line in lines] == list(COMMANDS)


def test_help_and_the_commands_of_one_room_import_no_other_room() -> None:
    program = (
        "import sys; from switchgear.main import main; main(['--help']); main(['audit', '--help']); "
        "others = {'compiler', 'runtime', 'prance', 'fastmcp', 'httpx'}; "
        "print({name.partition('.')[0] for name in sys.modules} & others)"
    )
    assert _python(program, ROOT).stdout.endswith("set()\n")


def test_help_opens_no_database_driver() -> None:
    program = "import sys; from switchgear.main import main; main(['--help']); print('sqlalchemy' in sys.modules)"
    assert _python(program, ROOT).stdout.endswith("False\n")


@pytest.mark.parametrize("room", ["governance", "compiler", "runtime"])
def test_a_name_in_the_table_is_a_place_in_its_room(room: str) -> None:
    places = [entry.place for entry in COMMANDS.values() if entry.room == room]
    assert places
    assert all(place.startswith(f"{room}.") and place.partition(":")[2] for place in places)


@pytest.mark.parametrize("name", [name for name, entry in COMMANDS.items() if entry.room == "governance"])
def test_every_command_of_governance_loads(name: str) -> None:
    assert isinstance(load(name, COMMANDS[name]), click.Command)


def _room(folder: Path, source: str) -> Path:
    commands = folder / "compiler" / "commands"
    commands.mkdir(parents=True)
    for package in (folder / "compiler", commands):
        (package / "__init__.py").write_text("")
    (commands / "compiling.py").write_text(source)
    for name in ("workflow", "governance", "switchgear"):
        (folder / name).symlink_to(ROOT / name)
    return folder


LATER = """
import click
@click.command()
@click.argument("spec")
def compile_command(spec):
    import prance_is_absent
"""


@pytest.mark.parametrize("source", ["import prance_is_absent.sub", LATER, None])
def test_a_command_whose_extra_is_not_installed_names_it(tmp_path: Path, source: str | None) -> None:
    folder = _room(tmp_path, source or "")
    if source is None:  # the room itself was left out
        (folder / "compiler" / "commands" / "compiling.py").unlink()
        (folder / "compiler" / "__init__.py").write_text("raise ModuleNotFoundError('absent', name='compiler')")
    program = "from switchgear.main import main; raise SystemExit(main(['compile', 'spec.json']))"
    done = _python(program, folder)
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 2
    assert "pip install 'switchgear[compiler]'" in done.stderr


def test_a_module_of_ours_that_is_missing_is_our_fault_and_no_missing_extra(tmp_path: Path) -> None:
    program = "from switchgear.main import main; raise SystemExit(main(['compile', 'spec.json']))"
    done = _python(program, _room(tmp_path, "import governance.nowhere"))
    assert done.returncode == 5
    assert "pip install" not in done.stderr


@pytest.mark.parametrize(
    ("error", "code", "remedy"),
    [
        (ConflictError("taken", "rename it"), 1, "rename it"),
        (NotFoundError("nothing"), 3, ""),
        (UnavailableError("locked"), 4, ""),
        (InputError("not a name", "inputs", "/vm"), 3, ""),
        (DeviceError("no answer"), 4, "look at the device"),
        (MissingExtraError("compile", "compiler", "prance"), 2, "pip install 'switchgear[compiler]'"),
        (click.UsageError("no such option"), 2, "switchgear --help"),
        (FileNotFoundError(2, "No such file or directory", "spec.json"), 3, "name a file that is there"),
        (ZeroDivisionError("division by zero"), 5, "this is our fault; SWITCHGEAR_DEBUG=1 shows where"),
    ],
)
def test_each_kind_of_error_has_its_exit_code_and_remedy(error: Exception, code: int, remedy: str) -> None:
    told = describe(error)
    assert (told["exit_code"], told["remedy"]) == (code, remedy)
    assert told["type"] == type(error).__name__
    assert told["message"]


@pytest.mark.parametrize("as_json", [True, False])
def test_an_error_is_data_with_json_and_text_for_people_without(
    capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    assert render(ConflictError("taken", "rename it"), as_json=as_json) == 1
    printed = capsys.readouterr()
    if as_json:
        told = {"type": "ConflictError", "message": "taken", "remedy": "rename it", "exit_code": 1}
        assert json.loads(printed.out) == {"error": told}
        assert printed.err == ""
    else:
        assert (printed.out, printed.err) == ("", "error: taken\n  → rename it\n")


def test_text_of_a_vendor_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    render(NotFoundError("no \x1b]0;owned\x07 \u202evm"), as_json=False)
    printed = capsys.readouterr().err
    assert "\\x1b]0;owned\\x07 \\u202evm" in printed


COMMAND = """
import sys, types
import click
from switchgear import main as place

@click.command()
@click.pass_context
def command(ctx):
    {body}

module = types.ModuleType("switchgear_test")
module.command = command
sys.modules["switchgear_test"] = module
place.COMMANDS["init"] = place.CommandEntry("switchgear_test:command", "")
raise SystemExit(place.main(["init"]))
"""


@pytest.mark.parametrize("debug", ["", "1"])
def test_a_bug_ends_with_5_and_shows_its_traceback_on_request(debug: str) -> None:
    done = _python(COMMAND.format(body="raise ZeroDivisionError('by zero')"), ROOT, SWITCHGEAR_DEBUG=debug)
    assert done.returncode == 5
    assert "ZeroDivisionError: by zero" in done.stderr
    assert ("Traceback" in done.stderr) == bool(debug)


@pytest.mark.parametrize(
    ("body", "code"),
    [("pass", 0), ("return 1", 1), ("return True", 1), ("ctx.exit(3)", 3), ("sys.exit(4)", 4),
     ("raise KeyboardInterrupt", 130), ("return 'text'", 0)],
)  # fmt: skip
def test_what_a_command_answers_is_the_exit_code(body: str, code: int) -> None:
    done = _python(COMMAND.format(body=body), ROOT)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["frobnicate"]) == 2
    assert "frobnicate" in capsys.readouterr().err


@pytest.mark.slow
def test_a_reader_that_has_seen_enough_gets_no_complaint(migrated_url: str) -> None:
    command = f"'{sys.executable}' -m switchgear.main audit list --db '{migrated_url}' | true"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("switchgear, version ")
