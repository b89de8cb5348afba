"""The commands `switchgear servers test|sync|classify`, which ask an MCP server for its tools.

They stand in the group of governance's server commands (`switchgear.main`), because they speak to the server and those
do not. Errors leave as exceptions and are rendered in one place, as for every command. Here never lives a rule.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import click

from governance.commands import shown
from governance.commands.options import actor_here, common, existing
from governance.errors import NotFoundError
from governance.names import explained
from runtime.commands.ending import run_to_its_end
from workflow.risks import RISKS, RiskName

if TYPE_CHECKING:
    from runtime.remotes.syncing import Look
    from runtime.service import Service

Json = Any


@click.command("test")
@click.argument("name")
@common
def test_command(name: str, db: str | None, as_json: bool) -> None:
    """Ask a server for its tools: how long it takes, and which are new, changed, gone or refused. Changes nothing."""

    async def work(service: "Service") -> "Look":
        return await service.remotes.look(await service.remotes.server_of(name))

    _show(run_to_its_end(_with_service(db, work)), as_json=as_json)


@click.command("sync")
@click.argument("name")
@common
def sync_command(name: str, db: str | None, as_json: bool) -> None:
    """Have a server's new tools wait for an approver, and take away those that it changed since they were approved."""

    async def work(service: "Service") -> "Look":
        return await service.remotes.sync(await service.remotes.server_of(name), actor_here())

    _show(run_to_its_end(_with_service(db, work)), as_json=as_json)


@click.command("classify")
@click.argument("name")
@click.argument("tool")
@click.option("--risk", type=click.Choice(RISKS), required=True, help="What it can do at worst.")
@click.option("--idempotent", "is_idempotent", is_flag=True, help="Once more changes no more: it may be sent again.")
@click.option("--closed-world", is_flag=True, help="It reaches nothing beyond its server.")
@common
def classify_command(
    name: str, tool: str, risk: RiskName, is_idempotent: bool, closed_world: bool, db: str | None, as_json: bool
) -> None:
    """Submit TOOL of a server with the class of risk that you give it; it is pending then, and can be approved."""
    from runtime.remotes.contents import Class

    chosen = Class(risk, is_idempotent or risk == "read", not closed_world, actor_here())

    async def work(service: "Service") -> Json:
        remotes = service.remotes
        made = await remotes.classify(await remotes.server_of(name), tool, chosen, actor_here())
        return {"workflow": f"{made.workflow_id}@{made.number}", "state": made.state, "risk": made.risk}

    told = run_to_its_end(_with_service(db, work))
    shown.as_json(told) if as_json else shown.fields(told)


async def _with_service(db: str | None, work: Callable[["Service"], Awaitable[Any]]) -> Any:
    from runtime.service import open_service

    async with open_service(existing(db)) as service:
        try:
            return await work(service)
        except NotFoundError as error:
            raise await explained(service.database, error) from error


def _show(found: "Look", *, as_json: bool) -> None:
    told = found.to_json()
    if as_json:
        shown.as_json(told)
        return
    shown.note(f"{found.server} answered in {told['took_ms']} ms with {len(found.definitions)} tools that can be taken")
    shown.table(told["tools"], ("name", "workflow", "state", "why"))
