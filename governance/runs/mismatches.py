"""What was altered behind our back: noticed once, in the audit and in the outbox, however often it is looked at.

A mismatch is an approved revision that is not as it was approved: content, tool text, digests, any column, its profile,
or the row is gone. As long as it lasts it is told once, whatever number of processes see it; what was put back as it
was is noted too, so that the next alteration is told again. Called by the runtime after each load of the catalog.
Here never lives the comparison itself (`integrity`). THREATS.md, A3.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from governance.approval.integrity import RevisionFault
from governance.audit.log import REVISIONS, Event, append_entry, last_told
from governance.errors import TamperedError
from governance.events.outbox import about_revision, emit
from governance.storage.database import Database
from governance.storage.identifiers import Json
from governance.storage.models import RevisionRow, table_of

_R = table_of(RevisionRow)
_SUBJECT = "mismatch:"
_NAMED = ("api", "workflow_id", "number", "digest", "risk")


class MismatchStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def tell(self, faults: Iterable[RevisionFault]) -> None:
        """Records these and tells of them, those that are not on record as lasting."""
        now, found = self._database.now(), tuple(faults)

        def work(connection: Connection) -> None:
            for fault in found:
                _tell(connection, now, fault)

        await self._database.write(work)

    async def restored(self, revision_ids: Iterable[str]) -> None:
        """Records that these are as they were approved again."""
        now, found = self._database.now(), tuple(revision_ids)

        def work(connection: Connection) -> None:
            for one in found:
                _restored(connection, now, one)

        await self._database.write(work)


def _tell(connection: Connection, now: str, fault: RevisionFault) -> None:
    told = {**_about(connection, fault), "fault": fault.message}
    if _lasting(connection, fault.revision_id) == told:
        return
    append_entry(connection, Event(now, "runtime", "digest.mismatch", f"{_SUBJECT}{fault.revision_id}", told))
    emit(connection, now, "workflow.digest_mismatch", lambda: told)


def _restored(connection: Connection, now: str, revision_id: str) -> None:
    if _lasting(connection, revision_id):
        append_entry(connection, Event(now, "runtime", "digest.restored", f"{_SUBJECT}{revision_id}", {}))


def _lasting(connection: Connection, revision_id: str) -> Json:
    """What was told of it last; nothing if that was its end, or if the row that tells it was changed."""
    try:
        return last_told(connection, f"{_SUBJECT}{revision_id}")
    except TamperedError:
        return None


def _about(connection: Connection, fault: RevisionFault) -> dict[str, Json]:
    """What names the revision as it was approved: by the audit if that can be believed, else by its row, else by us."""
    try:
        known = last_told(connection, f"{REVISIONS}{fault.revision_id}")
    except TamperedError:
        known = None
    if known is None:
        row = connection.execute(select(_R).where(_R.c.id == fault.revision_id)).mappings().first()
        known = row or {**dict.fromkeys(_NAMED), "workflow_id": fault.workflow_id}
    return about_revision(known)
