"""What the replies of operations promise: JSON Schemas (2020-12) by the operation's digest and the status.

The compiler puts them here for the operations that stored workflows use; the runtime holds replies against them. An
approved revision names the digests of its operations (`RevisionContent.operations`), and such a digest covers all that
the operation refers to: so the schemas are those of the description that was approved, whatever was compiled since.
They only find; nothing that is sent depends on them. Here never lives a validator.
"""

from collections.abc import Mapping

from sqlalchemy import Connection, delete, insert, select

from governance.database import Database
from governance.identifiers import Json, from_text, to_text
from governance.models import ResponseRow, table_of

_RESPONSE = table_of(ResponseRow)


class ResponseStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, schemas: Mapping[str, Mapping[str, Json]]) -> None:
        """Stores schemas by operation's digest, then by status (`200`, `2XX`), each whole in itself."""
        rows = [{"operation": digest, "body": to_text(dict(found))} for digest, found in schemas.items()]

        def work(connection: Connection) -> None:
            connection.execute(delete(_RESPONSE).where(_RESPONSE.c.operation.in_(schemas)))
            connection.execute(insert(_RESPONSE), rows)

        if rows:
            await self._database.write(work)

    async def get(self, operation: str) -> Mapping[str, Json]:
        """The schemas of one operation by status; empty where none are known, as after a bundle was imported."""
        query = select(_RESPONSE.c.body).where(_RESPONSE.c.operation == operation)
        body = await self._database.read(lambda c: c.execute(query).scalar())
        return {} if body is None else dict(from_text(body))
