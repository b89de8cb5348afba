"""What the replies of operations promise: JSON Schemas (2020-12) by the operation's digest and the status.

The compiler puts them here for the operations that stored workflows use, bundles carry them; the runtime holds replies
against them. An approved revision names the digests of its operations (`RevisionContent.operations`), and such a digest
covers all that the operation refers to: so the schemas are those of the description that was approved, whatever was
compiled since. They only find; nothing that is sent depends on them. Here never lives a validator.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from sqlalchemy import Connection, delete, insert, select

from governance.database import Database
from governance.identifiers import Json, from_text, to_text
from governance.models import ResponseRow, table_of

Policy = Literal["report", "refuse", "off"]
POLICIES: tuple[Policy, ...] = ("report", "refuse", "off")
_RESPONSE = table_of(ResponseRow)


class ResponseStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, schemas: Mapping[str, Mapping[str, Json]]) -> None:
        """Stores schemas by operation's digest, then by status (`200`, `2XX`), each whole in itself."""
        texts = {digest: to_text(dict(found)) for digest, found in schemas.items()}
        await self._database.write(lambda c: put_texts(c, texts))

    async def get(self, operation: str) -> Mapping[str, Json]:
        """The schemas of one operation by status; empty where none are known."""
        query = select(_RESPONSE.c.body).where(_RESPONSE.c.operation == operation)
        body = await self._database.read(lambda c: c.execute(query).scalar())
        return {} if body is None else dict(from_text(body))


def put_texts(connection: Connection, texts: Mapping[str, str]) -> None:
    """Stores schemas as they are written, in the caller's transaction."""
    if texts:
        connection.execute(delete(_RESPONSE).where(_RESPONSE.c.operation.in_(texts)))
        connection.execute(insert(_RESPONSE), [{"operation": digest, "body": body} for digest, body in texts.items()])


def stored_texts(connection: Connection, operations: Iterable[str]) -> dict[str, str]:
    """What is stored of these operations, as it is written, by digest in order."""
    query = select(_RESPONSE).where(_RESPONSE.c.operation.in_(tuple(operations)))
    found = {row.operation: row.body for row in connection.execute(query)}
    return dict(sorted(found.items()))
