"""The command `switchgear`: finds the room that a command lives in, runs it, and renders its errors, once for all.

A command's module is imported only when the command is used, so that an installation with one extra works without
the other. Exit codes: 0 done · 1 findings, or refused · 2 usage, or a part is not installed · 3 bad input · 4 the
database, a target or another remote party fails · 5 our fault · 130 interrupted.
Standard output is data, standard error is for people. With `--json` an error is data too, on standard output:
`{"error": {"type", "message", "remedy", "exit_code"}}`. An error class says its own `exit_code` and `remedy`;
no room needs to be imported to render its errors. A command answers its exit code, or None for 0.
"""

import atexit
import gc
import json
import os
import re
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import click

from governance.errors import GovernanceError
from switchgear.examples import shown
from workflow.errors import WorkflowError
from workflow.nearest import MOST, nearest

ROOMS = ("workflow", "governance", "compiler", "runtime", "switchgear", "migrations", "demo")
# Rooms that are no extra of their own.
EXTRAS = {"demo": "compiler,runtime"}
# The pages that remedies name: the wheel carries them inside this package, a checkout beside it.
PAGES = (Path(__file__).parent / "docs", Path(__file__).parents[1] / "docs")
# Objects. What commands make they mostly keep: looking after every 700 takes a tenth of what they cost.
_GARBAGE_AFTER = 10_000
_WHOLE = 1000  # characters of a summary: it is wrapped, and never cut
_PAGE = re.compile(r"\bdocs/(?=[A-Z_]+\.md\b)")


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """`place` is `module:attribute`, its first part the room, which names the extra it may need (`EXTRAS`).

    `interrupted`: what goes on and what does not after Ctrl-C, where that is not plain.
    """

    place: str
    summary: str
    interrupted: str = ""

    @property
    def room(self) -> str:
        return self.place.partition(".")[0]


COMMANDS = {
    "demo": CommandEntry("demo.command:demo_command", "Show the whole way on this machine, on mocks."),
    "init": CommandEntry("governance.commands.database:init_command", "Make the database and the first token."),
    "compile": CommandEntry(
        "compiler.commands.compiling:compile_command",
        "Turn an API's description into pending workflows.",
        "What was compiled is stored as a whole or not at all: `switchgear workflows list` shows which.",
    ),
    "eval": CommandEntry(
        "compiler.commands.evaluating:eval_group", "Measure a local model on questions with known answers."
    ),
    "lint": CommandEntry("compiler.commands.compiling:lint_command", "Say what is wrong with a description."),
    "diff": CommandEntry("compiler.commands.compiling:diff_command", "Say what a newer description breaks."),
    "mock": CommandEntry("compiler.commands.mock:mock_command", "Serve a stateful mock of an API."),
    "workflows": CommandEntry(
        "governance.commands.workflows:workflows_group",
        "Look at workflows and decide on them.",
        "What was decided before stays decided, nothing else was: `switchgear workflows list` shows which.",
    ),
    "policy": CommandEntry(
        "governance.commands.policy:policy_group", "Say who decides on what, until when, at which hours."
    ),
    "targets": CommandEntry("governance.commands.targets:targets_group", "Keep the devices and mocks to run on."),
    "servers": CommandEntry(
        "governance.commands.servers:servers_group", "Keep MCP servers of others, and their tools."
    ),
    "site": CommandEntry("runtime.commands.sites:site_group", "Be a site of a hub, or have sites do what is approved."),
    "serve": CommandEntry(
        "runtime.commands.serving:serve_command", "Serve what is approved as MCP tools and as an API."
    ),
    "call": CommandEntry("runtime.commands.serving:call_command", "Run one workflow."),
    "asks": CommandEntry("governance.commands.asks:asks_group", "Answer calls that wait for a person."),
    "api": CommandEntry("runtime.commands.knowledge:api_group", "Say what the compiled APIs can do."),
    "schedules": CommandEntry("runtime.commands.schedules:schedules_group", "Have workflows run by themselves."),
    "runs": CommandEntry(
        "governance.commands.runs:runs_group",
        "Look at what was run, and end what has not ended.",
        "Only the looking ended: a run that is under way goes on. `switchgear runs cancel RUN` ends it.",
    ),
    "audit": CommandEntry("governance.commands.audit:audit_group", "Look at what happened, in order, and verify it."),
    "bundle": CommandEntry(
        "governance.bundles.commands:bundle_group", "Carry what is approved elsewhere, signed in one file."
    ),
    "webhooks": CommandEntry(
        "governance.commands.webhooks:webhooks_group", "Say whose messages decide, who is told of events."
    ),
    "tokens": CommandEntry("governance.commands.tokens:tokens_group", "Say who may speak to the server."),
    "users": CommandEntry("governance.commands.users:users_group", "Keep people with passwords, and who is who."),
    "client-config": CommandEntry(
        "runtime.commands.serving:client_config_command", "Print what an MCP client needs to connect."
    ),
    "db": CommandEntry("governance.commands.database:db_group", "Bring the database up to date."),
    "doctor": CommandEntry("runtime.commands.serving:doctor_command", "Look for what is wrong with this installation."),
    "completion": CommandEntry("switchgear.completion:completion_command", "Print what makes a shell complete names."),
}
"""In the order in which a newcomer meets them; `--help` keeps it."""

PARTS = {
    "runs": {
        "replay": CommandEntry(
            "governance.commands.replaying:replay_command", "Replay an ended run offline from its journal."
        ),
        "resolve": CommandEntry("runtime.commands.resolving:resolve_command", "Say what became of a run in doubt."),
    },
    "targets": {"test": CommandEntry("runtime.commands.target_test:test_command", "Say whether a target can be used.")},
    "servers": {
        "test": CommandEntry(
            "runtime.commands.servers:test_command", "Ask a server for its tools, and change nothing."
        ),
        "sync": CommandEntry(
            "runtime.commands.servers:sync_command", "Have its new and changed tools wait for an approver."
        ),
        "classify": CommandEntry(
            "runtime.commands.servers:classify_command", "Submit a tool with the class that it has."
        ),
    },
    "webhooks": {
        "endpoints": CommandEntry("governance.commands.endpoints:endpoints_group", "Keep who is told of events."),
        "dead": CommandEntry("governance.commands.endpoints:dead_group", "Look after events that could not be told."),
    },
    "workflows": {
        "show": CommandEntry("governance.commands.dossiers:show_command", "Show a revision, or draw it."),
        "diff": CommandEntry("governance.commands.dossiers:diff_command", "Show what a revision changes."),
        "disable": CommandEntry("governance.commands.disabling:disable_command", "Take a workflow out of use for now."),
        "enable": CommandEntry(
            "governance.commands.disabling:enable_command", "Put a disabled workflow back into use."
        ),
        "disabled": CommandEntry("governance.commands.disabling:disabled_command", "List what is out of use for now."),
    },
}
"""Commands of a group that another room or file has."""


class MissingExtraError(Exception):
    exit_code = 2

    def __init__(self, command: str, extra: str, module: str) -> None:
        super().__init__(f"`switchgear {command}` needs the module {module}, which is not installed")
        self.remedy = f"pip install 'switchgear[{extra}]'"


class GuidedGroup(click.Group):
    """A group whose commands say what is near to a name that there is not, and show their examples."""

    path = ""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise NoSuchCommandError(self, error.command_name, ctx) from None

    def dressed(self, command: click.Command, name: str) -> click.Command:
        """The command with its examples behind its help, and what is in it likewise."""
        path = f"{self.path} {name}".strip()
        parts = PARTS.get(path, {})
        if isinstance(command, click.Group) and not isinstance(command, SharedGroup):
            command = SharedGroup(path, command, parts)
        if "Examples:" not in (command.epilog or ""):
            command.epilog = "\n\n".join(filter(None, (shown(path), command.epilog)))
        return command


class NoSuchCommandError(click.UsageError):
    """Names what may have been meant: a command of this group, or one of this name in another."""

    def __init__(self, group: GuidedGroup, name: str, ctx: click.Context) -> None:
        near = nearest(name, group.list_commands(ctx))
        elsewhere = [f"{word} {name}" for word in _groups_with(name)] if isinstance(group, LazyGroup) else []
        meant = [f"{ctx.command_path} {each}" for each in (elsewhere[:MOST] or near)]
        super().__init__(
            f"there is no command {name!r}." + (f" Did you mean {' or '.join(meant)}?" if meant else ""), ctx
        )


class LazyGroup(GuidedGroup):
    """A group that knows its commands by name, and loads the one that is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  likewise
        entry = COMMANDS.get(cmd_name)
        return None if entry is None else self.dressed(load(cmd_name, entry), cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:  # imported by the command while it runs
            name = ctx.invoked_subcommand or ""
            raise_if_extra(error, name, COMMANDS[name].room)
            raise


class SharedGroup(GuidedGroup):
    """A room's group with commands of other rooms in it, which are loaded when they are asked for."""

    def __init__(self, path: str, own: click.Group, parts: dict[str, CommandEntry]) -> None:
        super().__init__(own.name, dict(own.commands), help=own.help, epilog=own.epilog)
        self.path = path
        self._parts = parts

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted((*super().list_commands(ctx), *self._parts))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self._parts.get(cmd_name)
        found = load(f"{self.path} {cmd_name}", entry) if entry else super().get_command(ctx, cmd_name)
        return found and self.dressed(found, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        own = [(name, self.commands[name].get_short_help_str(_WHOLE)) for name in self.commands]
        with formatter.section("Commands"):
            formatter.write_dl(sorted([*own, *((name, entry.summary) for name, entry in self._parts.items())]))


def _groups_with(name: str) -> list[str]:
    """The groups of the database's room that have a command of this name; others take too long to load for a guess."""
    found = []
    for group, entry in COMMANDS.items():
        if entry.room == "governance" and entry.place.endswith("_group"):
            loaded = load(group, entry)
            own = loaded.commands if isinstance(loaded, click.Group) else {}
            found += [group] if name in {*own, *PARTS.get(group, {})} else []
    return found


def raise_if_extra(error: ModuleNotFoundError, command: str, room: str) -> None:
    """Raises MissingExtraError, unless the module is one of ours inside a room that is there: then it is a mistake."""
    missing = error.name or ""
    if missing.partition(".")[0] not in ROOMS or missing == room:
        raise MissingExtraError(command, EXTRAS.get(room, room), missing) from error


@contextmanager
def uncollected() -> Iterator[None]:
    """No garbage is looked for meanwhile: modules make many objects, all of which stay, and the looking takes a quarter
    of a command's start.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def load(name: str, entry: CommandEntry) -> click.Command:
    """The command at `entry`. Raises MissingExtraError where its room, or a library that the room needs, is absent."""
    module, _, attribute = entry.place.partition(":")
    try:
        with uncollected():
            found = getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise_if_extra(error, name, entry.room)
        raise
    if not isinstance(found, click.Command):
        raise TypeError(f"{entry.place} is not a command")
    return found


# What a process leaves behind goes with it: looking through all of it once more for garbage takes a fifth of a command.
atexit.register(gc.freeze)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]}, epilog=shown(""))
@click.version_option(package_name="switchgear", prog_name="switchgear")
def cli() -> None:
    """Compile vendor OpenAPI documents into approved, deterministic workflows, and serve them to AI agents."""
    gc.set_threshold(_GARBAGE_AFTER)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and answers the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    speak_utf8()
    try:
        answer = cli.main(given, prog_name="switchgear", standalone_mode=False)
    except click.Abort:
        return tell_interrupted(given)
    except click.exceptions.NoArgsIsHelpError as error:  # no mistake yet: somebody looks what there is
        click.echo(error.format_message(), err=True)
        return error.exit_code
    except Exception as error:  # noqa: BLE001  the last place: what nobody expected ends here as exit code 5
        return render(error, as_json="--json" in given)
    return answer if isinstance(answer, int) else 0


def tell_interrupted(given: Sequence[str]) -> int:
    """Says what goes on and what does not, and answers the exit code."""
    entry = COMMANDS.get(next(iter(given), ""))
    click.echo(" ".join(filter(None, ("\nInterrupted.", entry.interrupted if entry else ""))), err=True)
    return 130


def speak_utf8() -> None:
    """Standard output is data, and JSON is UTF-8 (RFC 8259), whatever the locale of the terminal."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")


def render(error: Exception, *, as_json: bool) -> int:
    """Prints the error for a program or for a person, and answers its exit code."""
    told = describe(error)
    if told["exit_code"] == 5 and os.environ.get("SWITCHGEAR_DEBUG"):
        traceback.print_exception(error)
    if as_json:
        click.echo(json.dumps({"error": told}, indent=2))
        return int(told["exit_code"])
    colour = False if os.environ.get("NO_COLOR") else None
    click.secho(f"error: {_printable(told['message'])}", err=True, fg="red", color=colour)
    if told["remedy"]:
        click.echo(f"  → {_printable(_with_place(told['remedy']))}", err=True)
    return int(told["exit_code"])


def describe(error: Exception) -> dict[str, Any]:
    """What to tell of an error: its type, message, remedy and exit code."""
    message, remedy, exit_code = str(error), getattr(error, "remedy", ""), getattr(error, "exit_code", 5)
    match error:
        case click.UsageError():
            path = error.ctx.command_path if error.ctx else "switchgear"
            message, remedy = " ".join(error.format_message().split()), f"{path} --help"
        case click.ClickException():
            message, exit_code = error.format_message(), 3
        case WorkflowError():
            exit_code = 3
        case GovernanceError():
            message = error.message
        case OSError() if error.filename is not None:
            message, exit_code = f"{error.filename}: {error.strerror}", 3
            remedy = "name a file that is there" if isinstance(error, FileNotFoundError) else ""
        case _ if not hasattr(error, "exit_code"):
            message = f"{type(error).__name__}: {error}"
            remedy = "this is our fault; SWITCHGEAR_DEBUG=1 shows where"
    return {"type": type(error).__name__, "message": message, "remedy": remedy, "exit_code": exit_code}


def _with_place(remedy: str) -> str:
    """`docs/NAME.md` as the place where the page lies on this machine."""
    place = next((place for place in PAGES if place.is_dir()), None)
    return remedy if place is None else _PAGE.sub(lambda _: f"{place}{os.sep}", remedy)


def _printable(text: str) -> str:
    """Without characters that steer a terminal: messages may quote a vendor's text."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


if __name__ == "__main__":
    sys.exit(main())
