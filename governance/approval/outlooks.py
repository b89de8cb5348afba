"""What a pending revision still takes, and whether somebody who looks at it may approve it: told before they try.

The answer is the store's own: the same ballot, the same table of transitions, asked without deciding. So what is told
here and what `revisions.decide` does cannot differ, but for what others do in between. Here never lives a rule
(`transitions`, `policy`). Called by the REST API.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from governance.approval.integrity import Revision
from governance.approval.policies import in_force
from governance.approval.policy import Policy
from governance.approval.revisions import ballot_of
from governance.errors import GovernanceError
from governance.people.persons import Persons, persons
from governance.storage.database import Database
from governance.transitions import Role, decide, person_of


@dataclass(frozen=True, slots=True)
class Outlook:
    """`needed`: how many different people it takes; `counted`: how many of them it has.

    `refusal`: why the one who asks may not approve it, empty where they may. `not_of`: whose vote is not to be had any
    more, or never.
    """

    needed: int
    counted: int
    refusal: str
    not_of: tuple[str, ...]


class Outlooks:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, revisions: Iterable[Revision], *, actor: str, role: Role) -> Mapping[str, Outlook]:
        """By id, of those that are pending. Raises TamperedError where the policy is not as the audit says."""
        pending = [each for each in revisions if each.state == "pending"]
        now = self._database.now()

        def work(connection: Connection) -> Mapping[str, Outlook]:
            policy, person = in_force(connection), persons(connection)
            return {each.id: _outlook(each, actor, role, policy, now, person) for each in pending}

        return await self._database.read(work) if pending else {}


def _outlook(revision: Revision, actor: str, role: Role, policy: Policy, now: str, person: Persons) -> Outlook:
    ballot = ballot_of(revision, actor, policy, now, person)
    counted = {person_of(each) for each in ballot.votes}
    if not ballot.may_approve_own:
        counted.discard(person_of(ballot.submitter))
    refusal = ""
    try:
        policy.check_door(actor)
        decide(revision.state, "approve", role=role, reason="", ballot=ballot)
    except GovernanceError as error:
        refusal = error.message
    own = () if ballot.may_approve_own else (revision.created_by,)
    return Outlook(max(1, ballot.needed), len(counted), refusal, (*own, *revision.votes))
