"""The commands of this room: init, db, workflows, tokens, runs; others in `target_commands`, `audit_commands`.

Each parses, calls one store, prints and answers its exit code. With `--json` a list is an object with one member
named like the command group. `--db` wins over SWITCHGEAR_DATABASE_URL. Whoever may write the database decides here
as `cli:<user>` with every role: the roles of tokens guard the server. Here never lives a rule or a statement.
"""

import asyncio
import getpass
import os
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, get_args

import click

from governance import schema, shown
from governance.connections import parse_url
from governance.database import Database, open_database
from governance.dossier import difference, dossier
from governance.identifiers import Json
from governance.journals import Journals
from governance.open_runs import Finding, OpenRuns
from governance.policy import RiskName
from governance.principals import PrincipalStore
from governance.revisions import Decision, Revision, RevisionStore
from governance.runs import Outcome, RunStore
from governance.scopes import Scope
from governance.settings import Settings
from governance.transitions import ROLES, STATES, Role, State

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

LISTED = ("id", "workflow_id", "number", "state", "risk", "intent", "resource", "is_core")


def common(command: F) -> F:
    """The options that every command takes."""
    address = click.option("--db", metavar="URL", help="The database; default: SWITCHGEAR_DATABASE_URL.")
    return address(click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command))


def with_database(db: str | None, work: Callable[[Database], Awaitable[T]]) -> T:
    async def opened() -> T:
        async with open_database(_address(db)) as database:
            return await work(database)

    return asyncio.run(opened())


def _address(db: str | None) -> str:
    return db or Settings.read(os.environ).database


def scope_options(command: F) -> F:
    """What limits a token or a user to a part; `scope_of` makes a scope of what was given."""
    options = (
        click.option("--api", "apis", multiple=True, help="Only workflows of this API."),
        click.option("--risk", "risks", multiple=True, type=click.Choice(get_args(RiskName)), help="Only this class."),
        click.option(
            "--workflow", "workflows", multiple=True, help="Only this workflow; START* for all that begin so."
        ),
        click.option("--target", "targets", multiple=True, help="Only on this target."),
        click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="Only on targets with this label."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def scope_of(named: dict[str, Any]) -> Scope:
    """The scope that the options say. Raises InvalidError."""
    pairs = {label.partition("=")[0]: label.partition("=")[2] for label in named["labels"]}
    return Scope.from_json({**named, "labels": pairs})


def actor_here() -> str:
    """Who decides on this command line."""
    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError):  # no such user in this container
        return f"cli:{os.getuid()}"


@click.command("init")
@common
def init_command(db: str | None, as_json: bool) -> None:
    """Make the database ready and give the first token, shown this once."""
    schema.upgrade(_address(db))
    made = with_database(db, _first_token)
    where = parse_url(_address(db)).render_as_string(hide_password=True)
    if as_json:
        shown.as_json({"database": where, "principal": made and made[0], "token": made and made[1]})
        return
    shown.note(f"Database: {where}")
    shown.note(
        "Token of the administrator, shown this once:" if made else "There are tokens already: `switchgear tokens`"
    )
    if made:
        click.echo(made[1])


async def _first_token(database: Database) -> tuple[Json, str] | None:
    store = PrincipalStore(database)
    if await store.any_tokens():
        return None
    principal, secret = await store.create_token("admin", "admin", actor=actor_here())
    return principal.to_json(), secret


@click.group("db")
def db_group() -> None:
    """The database itself."""


@db_group.command("upgrade")
@common
def db_upgrade(db: str | None, as_json: bool) -> None:
    """Bring the database to the schema that this version needs."""
    before = schema.upgrade(_address(db))
    if as_json:
        shown.as_json({"before": before or None, "now": schema.HEAD})
    else:
        click.echo(f"schema {schema.HEAD}, before: {before or 'none'}")


@click.group("workflows")
def workflows_group() -> None:
    """Look at workflows and decide on them."""


@workflows_group.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only these.")
@click.option("--api", help="Only this API's.")
@common
def workflows_list(state: State | None, api: str | None, db: str | None, as_json: bool) -> int:
    """List revisions; ends with 1 when a stored one is not as it was decided."""
    survey = with_database(db, lambda d: RevisionStore(d).survey(state=state, api=api, limit=100_000))
    summaries = [revision.summary() for revision in survey.revisions]
    faults = [fault.to_json() for fault in survey.faults]
    if as_json:
        shown.as_json({"workflows": summaries, "faults": faults})
    else:
        shown.table(summaries, LISTED)
        for fault in survey.faults:
            shown.note(f"refused: {fault.message}")
    return 1 if faults else 0


@workflows_group.command("show")
@click.argument("ref")
@common
def workflows_show(ref: str, db: str | None, as_json: bool) -> None:
    """Show a revision. REF is an id, WORKFLOW@NUMBER, or a WORKFLOW for its newest revision."""
    revision, in_use = with_database(db, lambda d: _with_the_one_in_use(RevisionStore(d), ref))
    told = dossier(revision, in_use)
    if as_json:
        shown.as_json({**revision.to_json(), **told})
        return
    tool = revision.content.tool
    shown.fields({**revision.summary(), "tool": tool.get("name"), "description": tool.get("description")})
    _show_dossier(told)


@workflows_group.command("diff")
@click.argument("ref")
@click.option("--against", metavar="REF", help="Another revision; default: the one of this workflow that is in use.")
@common
def workflows_diff(ref: str, against: str | None, db: str | None, as_json: bool) -> None:
    """Show what a revision changes: requests, document, tool text. REF as for `show`."""
    revision, other = with_database(db, lambda d: _with_the_one_in_use(RevisionStore(d), ref, against))
    told = difference(revision, other)
    if as_json:
        shown.as_json({"id": revision.id, "digest": revision.digest, "difference": told})
    elif told is None:
        shown.note("it is the one in use" if other else "nothing of this workflow is in use: all of it is new")
    else:
        _show_difference(told)


async def _with_the_one_in_use(
    store: RevisionStore, ref: str, against: str | None = None
) -> tuple[Revision, Revision | None]:
    """The revision, and the one named by `against`, without it the one in use."""
    revision = await store.get(ref)
    return revision, await (store.get(against) if against else store.in_use(revision.workflow_id))


def _show_dossier(told: Json) -> None:
    """For people: the steps and why; what a model said, what would change, where there is any of it."""
    steps = [{**each, "step": each["step_id"], "operation": _operation(each)} for each in told["steps"]]
    shown.table(steps, ("step", "operation", "risk", "why"))
    for each in told["proposed"]:
        verdict = "taken" if each["is_accepted"] else f"refused: {each['reason']}"
        click.echo(shown.plain(f"a model ({each['model']}) proposed {each['kind']} {each['value']}: {verdict}"))
    if told["difference"]:
        _show_difference(told["difference"])


def _show_difference(told: Json) -> None:
    """The requests as lines that went and came; of all else where it is, since the values are for programs."""
    click.echo(f"Against revision {told['since']['number']}:")
    for line in told["requests"]:
        click.echo(shown.plain(line))
    for part in ("document", "tool"):
        places = [each if isinstance(each, str) else f"{each['what']} {each['at']}" for each in told[part]]
        for place in places:
            click.echo(shown.plain(f"{part}: {place}"))


def _operation(step: Json) -> str:
    return f"{step['method']} {step['path_template']}".strip() or "another workflow"


def _decision_options(command: F) -> F:
    named = click.option("--digest", help="The digest that you looked at; needed where REF names a workflow only.")
    return named(click.option("--reason", default="", help="Why.")(common(command)))


@workflows_group.command("approve")
@click.argument("refs", nargs=-1, required=True)
@_decision_options
def workflows_approve(refs: tuple[str, ...], digest: str | None, reason: str, db: str | None, as_json: bool) -> None:
    """Approve revisions: from now on these and nothing else is served."""
    _decide(db, refs, "approve", digest, reason, as_json)


@workflows_group.command("reject")
@click.argument("refs", nargs=-1, required=True)
@_decision_options
def workflows_reject(refs: tuple[str, ...], digest: str | None, reason: str, db: str | None, as_json: bool) -> None:
    """Reject pending revisions; --reason says why."""
    _decide(db, refs, "reject", digest, reason, as_json)


@workflows_group.command("retire")
@click.argument("refs", nargs=-1, required=True)
@_decision_options
def workflows_retire(refs: tuple[str, ...], digest: str | None, reason: str, db: str | None, as_json: bool) -> None:
    """Take approved revisions out of use; --reason says why."""
    _decide(db, refs, "retire", digest, reason, as_json)


def _decide(
    db: str | None, refs: tuple[str, ...], action: Decision, digest: str | None, reason: str, as_json: bool
) -> None:
    if digest and len(refs) > 1:
        raise click.UsageError("--digest names one content: give one REF with it")

    async def work(database: Database) -> list[Revision]:
        store = RevisionStore(database)
        return [await _decide_one(store, ref, action, digest, reason) for ref in refs]

    decided = [revision.summary() for revision in with_database(db, work)]
    if as_json:
        shown.as_json({"workflows": decided})
    else:
        shown.table(decided, (*LISTED[1:4], "digest"))


async def _decide_one(store: RevisionStore, ref: str, action: Decision, digest: str | None, reason: str) -> Revision:
    revision = await store.get(ref)
    if digest is None and ref == revision.workflow_id:
        exact = f"{ref}@{revision.number}"
        raise click.UsageError(f"{ref} may get a newer revision meanwhile: name {exact}, or give --digest")
    named = digest or revision.digest
    return await store.decide(revision.id, action, actor=actor_here(), role="admin", reason=reason, digest=named)


@click.group("tokens")
def tokens_group() -> None:
    """Who may speak to the server."""


@tokens_group.command("create")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option("--days", type=click.IntRange(1), help="How long it is valid; default: until revoked.")
@scope_options
@common
def tokens_create(name: str, role: Role, days: int | None, db: str | None, as_json: bool, **named: Any) -> None:
    """Make a token and show it, this once. Options that limit may be given several times."""
    ttl_s, scope = None if days is None else days * 86_400, scope_of(named)
    principal, secret = with_database(
        db, lambda d: PrincipalStore(d).create_token(name, role, scope=scope, ttl_s=ttl_s, actor=actor_here())
    )
    if as_json:
        shown.as_json({"principal": principal.to_json(), "token": secret})
    else:
        shown.note(f"Token of {name} ({role}), shown this once:")
        click.echo(secret)


@tokens_group.command("list")
@common
def tokens_list(db: str | None, as_json: bool) -> int:
    """List whose tokens there are and were; ends with 1 when one is not as the audit says."""
    survey = with_database(db, lambda d: PrincipalStore(d).survey())
    rows = [principal.to_json() for principal in survey.principals]
    columns = ("id", "name", "role", "scope", "created_at", "expires_at", "revoked_at")
    return shown.held("tokens", rows, columns, survey.faults, as_json=as_json)


@tokens_group.command("revoke")
@click.argument("ref")
@common
def tokens_revoke(ref: str, db: str | None, as_json: bool) -> None:
    """End the token with this id or of this name, at once."""
    principal = with_database(db, lambda d: PrincipalStore(d).revoke(ref, actor=actor_here()))
    if as_json:
        shown.as_json(principal.to_json())
    else:
        shown.fields(principal.to_json())


@click.group("runs")
def runs_group() -> None:
    """What was run."""


@runs_group.command("list")
@click.option("--outcome", type=click.Choice(get_args(Outcome)), help="Only these.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@common
def runs_list(outcome: Outcome | None, limit: int, db: str | None, as_json: bool) -> None:
    """List runs, newest first."""
    rows = [run.to_json() for run in with_database(db, lambda d: RunStore(d).find(outcome=outcome, limit=limit))]
    if as_json:
        shown.as_json({"runs": rows})
    else:
        shown.table(rows, ("id", "started_at", "outcome", "target", "caller"))


@runs_group.command("show")
@click.argument("run_id")
@common
def runs_show(run_id: str, db: str | None, as_json: bool) -> None:
    """Show a run and each of its requests."""
    _show_run(with_database(db, lambda d: RunStore(d).get(run_id)).to_json(), as_json)


@runs_group.command("replay")
@click.argument("run_id")
@common
def runs_replay(run_id: str, db: str | None, as_json: bool) -> int:
    """Replay an ended run offline from its journal; ends with 1 when it would go otherwise now."""
    replay = with_database(db, lambda d: Journals(d).replay(run_id))
    if as_json:
        shown.as_json(replay.to_json())
    else:
        found = len(replay.differences)
        click.echo(f"{replay.turns} turns replayed, {found or 'no'} difference{'' if found == 1 else 's'}")
        for each in replay.differences:
            shown.fields({"turn": each.number, "step": each.step_id, "recorded": each.recorded, "now": each.now})
    return 1 if replay.differences else 0


@runs_group.command("cancel")
@click.argument("run_id")
@common
def runs_cancel(run_id: str, db: str | None, as_json: bool) -> None:
    """Ask for the end of a run; whoever carries it out stops between two requests."""
    run = with_database(db, lambda d: _then_shown(d, run_id, OpenRuns(d).ask_cancel(run_id, actor=actor_here())))
    _show_run(run, as_json)


@runs_group.command("resolve")
@click.argument("run_id")
@click.option("--happened/--did-not-happen", default=None, help="What you found when you looked at the device.")
@click.option("--go-on", is_flag=True, help="Go on from there; a server carries the run out.")
@click.option("--note", default="", help="How you know.")
@common
def runs_resolve(run_id: str, happened: bool | None, go_on: bool, note: str, db: str | None, as_json: bool) -> None:
    """Say what became of the request in doubt of an unknown run; it stays ended, or goes on."""
    if happened is None:
        raise click.UsageError("say --happened or --did-not-happen: look at the device first")
    finding = Finding(happened, go_on, note)
    run = with_database(db, lambda d: _then_shown(d, run_id, OpenRuns(d).resolve(run_id, finding, actor=actor_here())))
    _show_run(run, as_json)


async def _then_shown(database: Database, run_id: str, act: Awaitable[None]) -> Json:
    await act
    return (await RunStore(database).get(run_id)).to_json()


def _show_run(run: Json, as_json: bool) -> None:
    if as_json:
        shown.as_json(run)
        return
    steps = run.pop("steps")
    shown.fields(run)
    shown.table(steps, ("seq", "step_id", "phase", "method", "path", "status", "duration_ms"))
