"""The command `switchgear completion`: prints what a shell needs to complete commands, options and names.

The script asks the command line itself whenever somebody presses the key, so that names of workflows, targets and runs
are those of the database that would be used. All of it is click's. Here never lives what is completed
(`governance.commands.completing`).
"""

import json

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def completion_command(context: click.Context, shell: str, as_json: bool) -> None:
    """Print what makes SHELL complete commands, options, and names of workflows, targets and runs."""
    kind = get_completion_class(shell)
    assert kind is not None, "click knows the shells of the list"
    root = context.find_root().command
    script = kind(root, {}, "switchgear", "_SWITCHGEAR_COMPLETE").source()
    click.echo(json.dumps({"shell": shell, "script": script}) if as_json else script)
