"""The commands `switchgear workflows list|approve|reject|retire`: which revisions there are, deciding on them.

Each parses, calls one store, prints and answers its exit code. With `--json` a list is an object with one member named
like the command group. What is chosen by a pattern or a filter is listed and asked about before it is decided, and what
was listed is what is decided: each by its digest. Here never lives a rule or a statement. See `dossiers` for looking at
one, `disabling` for what is out of use for now.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from governance.approval.revisions import Decision, Revision, RevisionStore, Survey
from governance.commands import shown
from governance.commands.choosing import RevisionChoice, check_named, filters, is_pattern
from governance.commands.completing import complete
from governance.commands.options import actor_here, common, with_database
from governance.errors import GovernanceError, NotFoundError, RefusedError
from governance.storage.database import Database
from governance.storage.identifiers import Json
from governance.transitions import STATES, State
from workflow.nearest import did_you_mean

F = TypeVar("F", bound=Callable[..., Any])

LISTED = ("workflow", "state", "risk")
DECIDED = ("workflow", "state", "digest")
_EVERY = 100_000
# What each decision is about.
_FROM: dict[Decision, State] = {"approve": "pending", "reject": "pending", "retire": "approved"}


@dataclass(frozen=True, slots=True)
class DecisionWish:
    """One decision as it was asked for on the command line."""

    action: Decision
    refs: tuple[str, ...]
    choice: RevisionChoice
    digest: str | None
    reason: str
    is_dry: bool
    is_sure: bool

    @property
    def is_of_many(self) -> bool:
        """Whether it names no revisions but what they have in common."""
        return not self.choice.is_whole or any(map(is_pattern, self.refs))


@click.group("workflows")
def workflows_group() -> None:
    """Look at workflows and decide on them."""


@workflows_group.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only these.")
@filters
@common
def workflows_list(state: State | None, db: str | None, as_json: bool, **chosen: Any) -> int:
    """List revisions; ends with 1 when a stored one is not as it was decided."""
    choice = RevisionChoice(**chosen)
    survey = with_database(db, lambda d: _survey(d, state, choice))
    faults = [fault.to_json() for fault in survey.faults]
    if as_json:
        shown.as_json({"workflows": [revision.summary() for revision in survey.revisions], "faults": faults})
    else:
        shown.table([_row(revision) for revision in survey.revisions], LISTED)
        if not survey.revisions:
            shown.note("nothing fits" if state or not choice.is_whole else "none yet: `switchgear compile` makes some")
        for fault in survey.faults:
            shown.note(f"refused: {fault.message}")
    return 1 if faults else 0


async def _survey(database: Database, state: State | None, choice: RevisionChoice) -> Survey:
    await check_named(database, choice)
    found = await RevisionStore(database).survey(state=state, api=choice.api, limit=_EVERY)
    return Survey(tuple(choice.of(found.revisions)), found.faults)


def _row(revision: Revision) -> dict[str, Json]:
    named = f"{revision.workflow_id}@{revision.number}"
    return {**revision.summary(), "workflow": named}


def _decision_options(command: F) -> F:
    options = (
        click.argument("refs", nargs=-1, metavar="[REF]...", shell_complete=complete("workflow")),
        filters,
        click.option("--dry-run", "is_dry", is_flag=True, help="List what would be decided, and decide nothing."),
        click.option("--yes", "is_sure", is_flag=True, help="Do not ask about what a pattern or a filter chose."),
        click.option("--digest", help="The digest that you looked at; needed where REF names a workflow only."),
        click.option("--reason", default="", help="Why."),
        common,
    )
    for option in reversed(options):
        command = option(command)
    return command


@workflows_group.command("approve")
@_decision_options
def workflows_approve(**given: Any) -> int:
    """Approve revisions: from now on these and nothing else is served. REF may be a pattern."""
    return _decide("approve", **given)


@workflows_group.command("reject")
@_decision_options
def workflows_reject(**given: Any) -> int:
    """Reject pending revisions; --reason says why. REF may be a pattern."""
    return _decide("reject", **given)


@workflows_group.command("retire")
@_decision_options
def workflows_retire(**given: Any) -> int:
    """Take approved revisions out of use; --reason says why. REF may be a pattern."""
    return _decide("retire", **given)


def _decide(
    action: Decision, *, db: str | None, as_json: bool, refs: tuple[str, ...], digest: str | None, reason: str,
    is_dry: bool, is_sure: bool, **chosen: Any,
) -> int:  # fmt: skip
    wish = DecisionWish(action, refs, RevisionChoice(**chosen), digest, reason, is_dry, is_sure)
    if not refs and wish.choice.is_whole:
        raise click.UsageError(f"say what to {action}: WORKFLOW@NUMBER, a pattern such as 'NAME_*', or --api or --risk")
    if digest and (len(refs) > 1 or wish.is_of_many):
        raise click.UsageError("--digest names one content: give one REF with it")
    meant = with_database(db, lambda d: _meant(d, wish))
    if wish.is_dry:
        _show(meant, LISTED, as_json, dry_run=True)
        return 0
    if wish.is_of_many:
        _ask(meant, wish, as_json)
    decided, refused = with_database(db, lambda d: _decided(d, meant, wish))
    more = {"refused": refused} if wish.is_of_many else {}
    _show(decided, DECIDED, as_json, **more)
    for each in () if as_json else refused:
        shown.note(f"not decided: {each['workflow']}: {each['message']}")
    return 1 if refused else 0


def _show(revisions: Sequence[Revision], columns: Sequence[str], as_json: bool, **more: Json) -> None:
    if as_json:
        shown.as_json({"workflows": [revision.summary() for revision in revisions], **more})
    elif len(revisions) == 1 and columns == DECIDED:
        shown.fields({name: _row(revisions[0])[name] for name in DECIDED})
    else:
        shown.table([_row(revision) for revision in revisions], LISTED)


async def _meant(database: Database, wish: DecisionWish) -> list[Revision]:
    """The revisions that are named, or those of the fitting state that are chosen. Raises NotFoundError, UsageError."""
    store = RevisionStore(database)
    if not wish.is_of_many:
        return [_exact(await store.get(ref), ref, wish) for ref in wish.refs]
    await check_named(database, wish.choice)
    state = _FROM[wish.action]
    choice = RevisionChoice(**{**_parts(wish.choice), "patterns": wish.refs})
    there = (await store.survey(state=state, api=choice.api, limit=_EVERY)).revisions
    found = choice.of(there)
    if not found:
        near = "".join(did_you_mean(ref.strip("*?"), (one.workflow_id for one in there)) for ref in wish.refs[:1])
        remedy = f"see `switchgear workflows list --state {state}`"
        raise NotFoundError(f"nothing that is {state} fits." + near, remedy)
    return found


def _parts(choice: RevisionChoice) -> dict[str, Any]:
    return {name: getattr(choice, name) for name in RevisionChoice.__slots__}


def _exact(revision: Revision, ref: str, wish: DecisionWish) -> Revision:
    """A decision is about one content: a name alone does not say which."""
    if wish.digest is None and ref == revision.workflow_id and not wish.is_dry:
        exact = f"{ref}@{revision.number}"
        raise click.UsageError(f"{ref} may get a newer revision meanwhile: name {exact}, or give --digest")
    return revision


def _ask(meant: Sequence[Revision], wish: DecisionWish, as_json: bool) -> None:
    """Lists what was chosen and asks. Raises RefusedError for a no, and where nobody is there to answer."""
    if wish.is_sure:
        return
    if as_json or not sys.stdin.isatty():
        remedy = "look at them with --dry-run, then give --yes"
        raise RefusedError(f"{len(meant)} workflows are chosen, and nobody is there to ask; none was decided", remedy)
    shown.table([_row(revision) for revision in meant], LISTED)
    many = "this one" if len(meant) == 1 else f"these {len(meant)}"
    if not click.confirm(f"{wish.action.capitalize()} {many}?", err=True):
        raise RefusedError("none was decided", "choose others, or say yes")


async def _decided(
    database: Database, meant: Sequence[Revision], wish: DecisionWish
) -> tuple[list[Revision], list[Json]]:
    """What was decided, and of many those that could not be; of named ones the first that cannot ends it."""
    store, decided, refused = RevisionStore(database), list[Revision](), list[Json]()
    for each in meant:
        named = wish.digest or each.digest
        try:
            decided.append(
                await store.decide(
                    each.id, wish.action, actor=actor_here(), role="admin", reason=wish.reason, digest=named
                )
            )
        except GovernanceError as error:
            if not wish.is_of_many:
                raise
            refused.append({"workflow": f"{each.workflow_id}@{each.number}", "message": error.message})
    return decided, refused
