"""What the compiler understood of each API, operation by operation: for whoever wants to know, not for what is run.

The compiler puts a card for every operation here, also of those that no workflow uses, with the reason; the runtime
answers questions from them. Nothing that is sent depends on it: what runs is the approved revision alone. The audit has
a hash of each API's cards; what is not as it says is not told. Here never lives a search.
"""

import logging
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, delete, insert, select, update

from governance.audit.log import Event, append_entry, last_told
from governance.errors import TamperedError
from governance.storage.database import Database
from governance.storage.identifiers import Json, from_text, to_text
from governance.storage.models import CatalogChange, KnowledgeRow, table_of
from workflow.json.canonical import digest_of_texts

STORED, KIND = "knowledge.stored", "knowledge"
_KNOWLEDGE = table_of(KnowledgeRow)
_CHANGES = table_of(CatalogChange)
_log = logging.getLogger("switchgear.governance")


class KnowledgeStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, api: str, cards: Sequence[Mapping[str, Json]], *, actor: str = "compile") -> None:
        """Stores the cards of all operations of an API in the place of those before; servers look again then."""
        body, now = to_text([dict(card) for card in cards]), self._database.now()
        await self._database.write(lambda c: put_body(c, now, actor, api, body))

    async def apis(self) -> frozenset[str]:
        """Those of which something is stored, whole or not."""
        return await self._database.read(lambda c: frozenset(c.execute(select(_KNOWLEDGE.c.api)).scalars()))

    async def marks(self) -> Mapping[str, str]:
        """By API, what another one of which its cards are other ones than before."""
        query = select(_KNOWLEDGE.c.api)

        def work(connection: Connection) -> dict[str, str]:
            apis = [row.api for row in connection.execute(query)]
            return {api: _told(connection, api) or "" for api in apis}

        return await self._database.read(work)

    async def get(self, api: str) -> tuple[Mapping[str, Json], ...]:
        """The cards of an API; none where nothing is known of it, or it is not as the audit says."""

        def work(connection: Connection) -> str | None:
            body = connection.execute(select(_KNOWLEDGE.c.body).where(_KNOWLEDGE.c.api == api)).scalar()
            if body is None or _told(connection, api) == print_of(body):
                return body
            _log.error("refused: what is known of the API %s is not as the audit says", api)
            return None

        body = await self._database.read(work)
        return () if body is None else tuple(from_text(body))


def put_body(connection: Connection, now: str, actor: str, api: str, body: str) -> None:
    """Stores the cards of an API as they are written, in the caller's transaction."""
    before = connection.execute(select(_KNOWLEDGE.c.body).where(_KNOWLEDGE.c.api == api)).scalar()
    if before == body and _told(connection, api) == print_of(body):
        return
    connection.execute(delete(_KNOWLEDGE).where(_KNOWLEDGE.c.api == api))
    connection.execute(insert(_KNOWLEDGE), {"api": api, "body": body})
    append_entry(connection, Event(now, actor, STORED, f"{KIND}:{api}", {"body": print_of(body)}))
    connection.execute(update(_CHANGES).values(version=_CHANGES.c.version + 1))


def stored_bodies(connection: Connection, apis: Collection[str]) -> dict[str, str]:
    """The cards of these APIs as they are written, by API in order; only what is as the audit says."""
    found = connection.execute(select(_KNOWLEDGE).where(_KNOWLEDGE.c.api.in_(apis)).order_by(_KNOWLEDGE.c.api)).all()
    return {row.api: row.body for row in found if _told(connection, row.api) == print_of(row.body)}


def print_of(body: str) -> str:
    return digest_of_texts({"body": body})


def _told(connection: Connection, api: str) -> str | None:
    try:
        return (last_told(connection, f"{KIND}:{api}", (STORED,)) or {}).get("body")
    except TamperedError:
        return None
