"""The commands `switchgear workflows list|approve|reject|retire`: which revisions there are, deciding on them.

Each parses, calls one store, prints and answers its exit code. With `--json` a list is an object with one member named
like the command group. Here never lives a rule or a statement. See `dossiers` for looking at one, `disabling` for what
is out of use for now.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from governance.commands import shown
from governance.commands.options import actor_here, common, with_database
from governance.database import Database
from governance.revisions import Decision, Revision, RevisionStore
from governance.transitions import STATES, State

F = TypeVar("F", bound=Callable[..., Any])

LISTED = ("id", "workflow_id", "number", "state", "risk", "intent", "resource", "is_core")


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
