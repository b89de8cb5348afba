"""Workflows that are taken out of use for now, without retiring what was approved: disable, enable, look.

It is the workflow that is disabled, not one revision: what is approved meanwhile waits as well. The table keeps it out
of the catalog (`revisions.approved_survey`); whether it may run is asked of the audit's last word about it, so that a
row that was removed behind our back enables nothing. Runs under way go on, as they do when a revision is superseded.
Here never lives who may ask (`runtime.auth.access`).
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.engine import Row

from governance.approval import revision_rows as rows
from governance.approval.policies import in_force
from governance.audit.log import Event, append_entry, last_told
from governance.errors import ConflictError, InvalidError, ReasonError
from governance.storage.database import Database
from governance.storage.identifiers import Json
from governance.storage.models import DisabledRow, table_of

_D = table_of(DisabledRow)
NAMES = select(_D.c.workflow_id)
"""The statement that other statements leave these out with."""
WORKFLOWS = "workflow:"
"""Subjects of the audit that begin so tell that a workflow was disabled or enabled."""
MAX_REASON = 2000


@dataclass(frozen=True, slots=True)
class Disabled:
    """`disabled_at` is a moment as UTC text."""

    workflow_id: str
    reason: str
    disabled_at: str
    disabled_by: str

    def to_json(self) -> dict[str, Json]:
        return {name: getattr(self, name) for name in self.__slots__}


class DisabledStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def disable(self, ref: str, *, actor: str, reason: str) -> Disabled:
        """Takes the workflow that `ref` names out of use until it is enabled.

        Raises NotFoundError, ReasonError, InvalidError (too long), or ConflictError if it is disabled already.
        """
        if not reason.strip():
            raise ReasonError("to disable needs a reason", "say why with --reason")
        if len(reason) > MAX_REASON:
            raise InvalidError(f"the reason is longer than {MAX_REASON} characters", "say it shorter")
        now = self._database.now()

        def work(connection: Connection) -> Disabled:
            disabled = Disabled(rows.resolve(connection, ref).workflow_id, reason.strip(), now, actor)
            if _found(connection, disabled.workflow_id) is not None:
                raise ConflictError(f"{disabled.workflow_id} is disabled already", "enable it, or leave it so")
            connection.execute(insert(_D), disabled.to_json())
            told = {"is_disabled": True, **disabled.to_json()}
            append_entry(connection, Event(now, actor, "workflow.disabled", _subject(disabled.workflow_id), told))
            return disabled

        return await self._database.write(work)

    async def enable(self, ref: str, *, actor: str) -> str:
        """Puts it back into use and answers its id.

        Raises NotFoundError, ConflictError if it is in use, or ForbiddenError where the policy lets nobody do so there.
        """
        now = self._database.now()

        def work(connection: Connection) -> str:
            in_force(connection).check_door(actor)
            workflow_id = str(rows.resolve(connection, ref).workflow_id)
            is_there = connection.execute(delete(_D).where(_D.c.workflow_id == workflow_id)).rowcount
            if not is_there and not why_disabled(connection, workflow_id):
                raise ConflictError(f"{workflow_id} is not disabled", "see `switchgear workflows disabled`")
            told = {"is_disabled": False, "workflow_id": workflow_id}
            append_entry(connection, Event(now, actor, "workflow.enabled", _subject(workflow_id), told))
            return workflow_id

        return await self._database.write(work)

    async def get(self, workflow_id: str) -> Disabled | None:
        return await self._database.read(lambda c: _found(c, workflow_id))

    async def list_disabled(self) -> tuple[Disabled, ...]:
        """By workflow."""
        query = select(_D).order_by(_D.c.workflow_id)
        return tuple(_disabled(row) for row in await self._database.read(lambda c: c.execute(query).all()))


def why_disabled(connection: Connection, workflow_id: str) -> str:
    """Why runs of it may not begin now; empty if they may. Raises TamperedError."""
    told = last_told(connection, _subject(workflow_id))
    if not told or not told["is_disabled"]:
        return ""
    return f"{workflow_id} is disabled since {told['disabled_at']}: {told['reason']}"


def _subject(workflow_id: str) -> str:
    return f"{WORKFLOWS}{workflow_id}"


def _found(connection: Connection, workflow_id: str) -> Disabled | None:
    row = connection.execute(select(_D).where(_D.c.workflow_id == workflow_id)).first()
    return None if row is None else _disabled(row)


def _disabled(row: Row[tuple[Any, ...]]) -> Disabled:
    return Disabled(row.workflow_id, row.reason, row.disabled_at, row.disabled_by)
