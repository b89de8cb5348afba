"""The commands `switchgear workflows list|show|diff|approve|reject|retire`: looking at revisions, deciding on them.

Each parses, calls one store, prints and answers its exit code. With `--json` a list is an object with one member named
like the command group. Here never lives a rule or a statement. See `disabling` for what is out of use for now.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from governance.commands import shown
from governance.commands.options import actor_here, common, with_database
from governance.database import Database
from governance.dossier import approval_text, difference, dossier
from governance.identifiers import Json
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
    _show_dossier({**told, "approved": approval_text(revision)})


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
    conditions = [text for each in told["steps"] for text in each["succeeds_only_if"]]
    if told["origin"]:
        click.echo(shown.plain(f"Brought by the bundle {told['origin']}"))
    if told["approval"]:
        click.echo(shown.plain(f"Approved {told['approved']}"))
    if told["unproved"]:
        click.echo(shown.plain(f"Not proved on the twin: {told['unproved']}"))
    if conditions:
        click.echo(shown.plain(f"Succeeds only if: {'; '.join(conditions)}"))
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
