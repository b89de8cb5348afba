"""What a policy that is not in force would do with what is pending: tried without deciding anything.

For each pending revision: whether it would have been approved when it was submitted, whether the votes it has would do,
or what it would still take. The questions are the store's own (`revisions`), so that the preview cannot differ from
what the policy then does. Reads alone. Called by the REST API.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from governance.approval import revision_rows as rows
from governance.approval.policy import Policy
from governance.approval.revisions import passes_by_itself
from governance.people.persons import Persons, persons
from governance.people.scopes import WHOLE, AccessScope
from governance.storage.database import Database
from governance.storage.identifiers import Json, from_text
from governance.transitions import person_of

MOST = 10_000
"""More than any installation has pending; the answer names each."""


@dataclass(frozen=True, slots=True)
class PreviewedDecision:
    """`would`: `approve itself`, `suffice` (the votes it has), or `wait`. `needed` and `counted`: people."""

    id: str
    workflow_id: str
    number: int
    api: str
    risk: str
    would: str
    needed: int
    counted: int

    def to_json(self) -> dict[str, Json]:
        return {name: getattr(self, name) for name in self.__slots__}


async def foreseen(database: Database, policy: Policy, scope: AccessScope = WHOLE) -> tuple[PreviewedDecision, ...]:
    """All that is pending in `scope`, in the order of its submission."""
    query = rows.SELECT.where(rows.TABLE.c.state == "pending").order_by(rows.TABLE.c.id).limit(MOST)
    query = query if scope.is_whole else query.where(rows.within(scope))

    def work(connection: Connection) -> tuple[PreviewedDecision, ...]:
        person = persons(connection)
        return tuple(_each(policy, connection.execute(query), person))

    return await database.read(work)


def _each(policy: Policy, stored: "Iterator[rows.Stored]", person: Persons) -> Iterator[PreviewedDecision]:
    for row in stored:
        voters = {person_of(person(each)) for each in from_text(row.votes)}
        if not policy.self_approval:
            voters.discard(person_of(person(row.created_by)))
        needed = max(1, policy.rule(row.risk).approvals)
        would = "suffice" if len(voters) >= needed else "wait"
        if passes_by_itself(policy, row.workflow_id, row.risk, row.content):
            would, needed = "approve itself", 0
        yield PreviewedDecision(row.id, row.workflow_id, row.number, row.api, row.risk, would, needed, len(voters))
