"""All that a server follows besides revisions, seen in one go: who may speak to it and call single operations, its
targets, what has run out.

Asked several times a second while something is written, so that it is one transaction and one hand-over between
threads, not one for each store. Here never lives what follows of it (`runtime.catalog.watcher`).
"""

from dataclasses import dataclass

from sqlalchemy import Connection

from governance.approval.policies import in_force
from governance.approval.revisions import RevisionStore
from governance.errors import TamperedError
from governance.people import user_rows
from governance.people.principals import TokenSurvey, held
from governance.people.user_rows import UserSurvey
from governance.registry.targets import Target, TargetStore
from governance.storage.database import Database


@dataclass(frozen=True, slots=True)
class Glance:
    """`is_some_due`: whether `RevisionStore.expire` has something to do. `experts`: whom the policy lets `call_api`."""

    tokens: TokenSurvey
    users: UserSurvey
    targets: tuple[Target, ...]
    is_some_due: bool
    experts: frozenset[str]


class Glances:
    def __init__(self, database: Database, revisions: RevisionStore, targets: TargetStore) -> None:
        self._database = database
        self._revisions = revisions
        self._targets = targets

    async def look(self) -> Glance:
        """Raises TamperedError as `TargetStore.list_targets` does."""
        return await self._database.read(self._look)

    def _look(self, connection: Connection) -> Glance:
        tokens, users = held(connection), user_rows.survey(connection)
        is_some_due = self._revisions.is_some_due(connection)
        return Glance(tokens, users, self._targets.listed(connection), is_some_due, _experts(connection))

    async def experts(self) -> frozenset[str]:
        """As `Glance.experts`."""
        return await self._database.read(_experts)


def _experts(connection: Connection) -> frozenset[str]:
    try:
        return frozenset(in_force(connection).call_api)
    except TamperedError:  # a policy that cannot be believed names nobody
        return frozenset()
