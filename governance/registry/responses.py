"""What the replies of operations promise: JSON Schemas (2020-12) by the operation's digest and the status.

The compiler puts them here for the operations that stored workflows use, bundles carry them; the runtime holds replies
against them. An approved revision names the digests of its operations (`RevisionContent.operations`), and such a digest
covers all that the operation refers to: so the schemas are those of the description that was approved, whatever was
compiled since. They only find; nothing that is sent depends on them. The audit has a hash of each: what is not as it
says promises nothing. Here never lives a validator.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from sqlalchemy import Connection, delete, insert, select

from governance.audit.log import Event, append_entry, is_intact
from governance.storage.database import Database
from governance.storage.identifiers import Json, from_text, to_text
from governance.storage.models import AuditEntry, ResponseRow, table_of
from workflow.json.canonical import digest_of_texts

Policy = Literal["report", "refuse", "off"]
POLICIES: tuple[Policy, ...] = ("report", "refuse", "off")
STORED, SUBJECT = "responses.stored", "responses:all"
_RESPONSE = table_of(ResponseRow)
_AUDIT = table_of(AuditEntry)
_log = logging.getLogger("switchgear.governance")


class ResponseStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, schemas: Mapping[str, Mapping[str, Json]], *, actor: str = "compile") -> None:
        """Stores schemas by operation's digest, then by status (`200`, `2XX`), each whole in itself."""
        texts = {digest: to_text(dict(found)) for digest, found in schemas.items()}
        now = self._database.now()
        await self._database.write(lambda c: put_texts(c, now, actor, texts))

    async def get(self, operation: str) -> Mapping[str, Json]:
        """The schemas of one operation by status; empty where none are known, or they are not as the audit says."""
        query = select(_RESPONSE.c.body).where(_RESPONSE.c.operation == operation)

        def work(connection: Connection) -> str | None:
            body = connection.execute(query).scalar()
            if body is None or _told(connection, operation) == print_of(body):
                return body
            _log.error("refused: what replies of %s promise is not as the audit says", operation)
            return None

        body = await self._database.read(work)
        return {} if body is None else dict(from_text(body))


def put_texts(connection: Connection, now: str, actor: str, texts: Mapping[str, str]) -> None:
    """Stores schemas as they are written, in the caller's transaction, with an audit row if that changes something."""
    told = {operation: print_of(body) for operation, body in texts.items()}
    known = told_schemas(connection)
    if (
        any(known.get(operation) != said for operation, said in told.items())
        or stored_texts(connection, texts) != texts
    ):
        connection.execute(delete(_RESPONSE).where(_RESPONSE.c.operation.in_(texts)))
        connection.execute(insert(_RESPONSE), [{"operation": digest, "body": body} for digest, body in texts.items()])
        append_entry(connection, Event(now, actor, STORED, SUBJECT, told))


def print_of(body: str) -> str:
    return digest_of_texts({"body": body})


def told_schemas(connection: Connection) -> dict[str, str]:
    """What the audit says of all operations: the hash of their schemas, by the operation's digest."""
    found: dict[str, str] = {}
    for told in _all_told(connection):
        found = {**told, **found}
    return found


def _told(connection: Connection, operation: str) -> str | None:
    return next((told[operation] for told in _all_told(connection) if operation in told), None)


def _all_told(connection: Connection) -> Iterator[dict[str, str]]:
    """The newest first: few, one for each time that something new was compiled or imported."""
    query = select(_AUDIT).where(_AUDIT.c.subject == SUBJECT).order_by(_AUDIT.c.seq.desc())
    return (from_text(row.detail) for row in connection.execute(query) if is_intact(row._asdict()))


def stored_texts(connection: Connection, operations: Iterable[str]) -> dict[str, str]:
    """What is stored of these operations, as it is written, by digest in order."""
    query = select(_RESPONSE).where(_RESPONSE.c.operation.in_(tuple(operations)))
    found = {row.operation: row.body for row in connection.execute(query)}
    return dict(sorted(found.items()))
