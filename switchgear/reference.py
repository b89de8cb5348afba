"""docs/CLI.md, made from the commands: `python -m switchgear.reference > docs/CLI.md`. A test compares the two.

What it says of a command is what its `--help` says, in the order in which `--help` lists them. Here never lives a word
about a command of its own.
"""

import inspect
import sys
from collections.abc import Iterator

import click

from switchgear.examples import EXAMPLES
from switchgear.main import cli

_INTRODUCTION = """# The command line

Made from the commands by `python -m switchgear.reference`; `switchgear COMMAND --help` says the same.

Standard output is data, standard error is for people. `--json` prints JSON, and makes an error JSON as well. `--db`
names the database for this one command; a database that is not there is made by what puts something into it, never by
what looks. What does not fit into the terminal's width (80 columns where there is none) stands one below the other.
Colours are on terminals only, never without a word that says the same, and not where `NO_COLOR` is set.

Exit codes: 0 done, 1 findings or refused, 2 usage, 3 bad input, 4 a device or another server, 5 ours, 130 interrupted.

Names are completed by the shell, with those of the database that would be used: put what `switchgear completion bash`
(or zsh, fish) prints into the shell's start-up file. docs/MISTAKES.md has what is said of the usual mistakes.
"""


def reference() -> str:
    """The whole page."""
    return "\n".join([_INTRODUCTION, *_of_group(cli, "")])


def _of_group(group: click.Group, path: str) -> Iterator[str]:
    context = click.Context(group, info_name=f"switchgear {path}".strip())
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, "a group has the commands that it lists"
        below = f"{path} {name}".strip()
        yield from _of_command(command, below, context)
        if isinstance(command, click.Group):
            yield from _of_group(command, below)


def _of_command(command: click.Command, path: str, parent: click.Context) -> Iterator[str]:
    context = click.Context(command, info_name=path.rpartition(" ")[2], parent=parent)
    mark = "##" if " " not in path else "###"
    yield f"{mark} {path}\n"
    yield f"{_plain(inspect.cleandoc(command.help or ''))}\n"
    if not isinstance(command, click.Group):
        yield f"```text\nswitchgear {path} {' '.join(command.collect_usage_pieces(context))}\n```\n"
        yield from _options(command, context)
    lines = "\n".join(f"switchgear {line}" for line in EXAMPLES.get(path, ()))
    if lines and not isinstance(command, click.Group):
        yield f"```sh\n{lines}\n```\n"


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    records = [each.get_help_record(context) for each in command.get_params(context) if isinstance(each, click.Option)]
    told = [record for record in records if record is not None and "--help" not in record[0]]
    if told:
        yield "\n".join(["| option | what |", "|---|---|", *(_row(*record) for record in told)]) + "\n"


def _row(option: str, text: str) -> str:
    return f"| `{option.replace('|', chr(92) + '|')}` | {_plain(text).replace('|', chr(92) + '|')} |"


def _plain(text: str) -> str:
    """Without what Markdown would take for its own."""
    return text.replace("<", "&lt;").replace("*", "\\*")


if __name__ == "__main__":
    sys.stdout.write(reference())
