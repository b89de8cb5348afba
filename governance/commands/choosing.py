"""Which workflows are meant: by class, API, state, thing, words and patterns, for looking and for deciding alike.

A pattern is a workflow's name with `*`, `?` or `[…]` in it. All that is given has to fit. Here never lives a decision
(`workflows`) nor a statement. Pure but for the question whether there is such an API.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, TypeVar

import click

from governance.approval.revisions import Revision
from governance.commands.completing import complete
from governance.errors import NotFoundError
from governance.names import names_of
from governance.storage.database import Database
from workflow.nearest import did_you_mean
from workflow.risks import RISKS

F = TypeVar("F", bound=Callable[..., Any])
_WILD = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class RevisionChoice:
    """What was given; what is empty chooses nothing and leaves all."""

    api: str | None = None
    risks: tuple[str, ...] = ()
    resource: str | None = None
    words: str = ""
    core: bool | None = None
    patterns: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        return self == RevisionChoice()

    def fits(self, revision: Revision) -> bool:
        return (
            self.api in (None, revision.api)
            and (not self.risks or revision.risk in self.risks)
            and self.resource in (None, revision.resource)
            and self.core in (None, revision.is_core)
            and (not self.patterns or any(_is_named(revision, each) for each in self.patterns))
            and _has_words(revision, self.words)
        )

    def of(self, revisions: Iterable[Revision]) -> list[Revision]:
        return [revision for revision in revisions if self.fits(revision)]


def filters(command: F) -> F:
    """The options that choose; a command takes them as `**chosen` for `RevisionChoice`."""
    options = (
        click.option("--api", shell_complete=complete("api"), help="Only this API's."),
        click.option("--risk", "risks", multiple=True, type=click.Choice(RISKS), help="Only this class; repeatable."),
        click.option(
            "--resource",
            shell_complete=complete("resource"),
            help="Only those of this kind of thing, as `workflows show` names it.",
        ),
        click.option("-q", "--query", "words", default="", metavar="WORDS", help="Only those that speak of these."),
        click.option("--core/--no-core", default=None, help="Only those of the default catalog, or only others."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def is_pattern(ref: str) -> bool:
    return not _WILD.isdisjoint(ref)


async def check_named(database: Database, choice: RevisionChoice) -> None:
    """Raises NotFoundError for an API or a kind of thing that there is not, with those that there are."""
    for kind, word, told in (("api", choice.api, "API"), ("resource", choice.resource, "resource")):
        names = await names_of(database, kind) if word is not None else ()
        if word is not None and word not in names:
            known = (
                f"take one of {', '.join(names[:20])}" if names else "nothing was compiled yet: `switchgear compile`"
            )
            more = "…" if len(names) > 20 else ""
            near = did_you_mean(word, names)
            raise NotFoundError(f"there is no {told} {word}" + ("." + near if near else ""), known + more)


def _is_named(revision: Revision, pattern: str) -> bool:
    return fnmatchcase(revision.workflow_id, pattern) or pattern in (
        revision.id, revision.workflow_id, f"{revision.workflow_id}@{revision.number}",
    )  # fmt: skip


def _has_words(revision: Revision, words: str) -> bool:
    wanted: Sequence[str] = words.lower().split()
    if not wanted:
        return True
    tool = revision.content.tool
    told = f"{revision.workflow_id} {revision.resource} {tool.get('title', '')} {tool.get('description', '')}".lower()
    return all(word in told for word in wanted)
