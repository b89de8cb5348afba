"""The command `switchgear targets test NAME`: prints what `diagnosis` finds, and ends with 4 when something is bad.

It stands in the group of governance's target commands (`switchgear.main`), because it asks the device and they do not.
Errors leave as exceptions and are rendered in one place, as for every command.
"""

import json
from typing import Any

import click

from governance.commands.completing import complete
from governance.commands.options import actor_here, existing
from governance.errors import NotFoundError
from governance.names import explained
from runtime.commands.ending import run_to_its_end
from runtime.errors import TargetError

MARKS = {"good": "ok  ", "bad": "BAD ", "left out": "-   "}


@click.command("test")
@click.argument("name", shell_complete=complete("target"))
@click.option("--db", metavar="URL", help="The database; default: SWITCHGEAR_DATABASE_URL.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def test_command(name: str, db: str | None, as_json: bool) -> int:
    """Say step by step whether a target can be used: DNS, TCP, TLS, login, version."""
    found = run_to_its_end(_findings(existing(db), name))
    is_good = all(each["outcome"] != "bad" for each in found)
    if as_json:
        click.echo(json.dumps({"target": name, "is_good": is_good, "findings": found}, indent=2))
    else:
        for each in found:
            remedy = f"\n              → {each['remedy']}" if each["remedy"] else ""
            click.echo(f"{MARKS[each['outcome']]}{each['step']:8}  {each['message']}{remedy}")
    return 0 if is_good else TargetError.exit_code


async def _findings(url: str, name: str) -> list[dict[str, Any]]:
    from runtime.diagnosis import diagnose
    from runtime.service import open_service

    async with open_service(url) as service:
        try:
            return [finding.to_json() for finding in await diagnose(service, name, actor_here())]
        except NotFoundError as error:
            raise await explained(service.database, error) from error
