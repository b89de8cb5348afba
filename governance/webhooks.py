"""Senders whose signed messages may decide: a name, where the secret is found, what they may decide on.

A secret is a reference (`env:NAME`, `file:/path`), resolved by the runtime when a message comes. A message is used
once: `use` remembers its id before anything is done with it, so that what fails half-way is not done twice either.
A row that is not as its audit row says counts for nothing: a wider scope or another secret's place is not had by
editing the database. Here never lives a secret, a signature or a decision. Standard Webhooks, "webhook-id".
"""

import logging
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.engine import Row

from governance.audit.log import Event, append_entry, last_told
from governance.errors import ConflictError, InvalidError, NotFoundError, TamperedError
from governance.people.scopes import WHOLE, AccessScope
from governance.storage.database import Database
from governance.storage.identifiers import Json, from_text, moment, to_text
from governance.storage.models import WebhookRow, WebhookUseRow, table_of

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:/[^\0]+")
_W = table_of(WebhookRow)
_USE = table_of(WebhookUseRow)
_log = logging.getLogger("switchgear.governance")
REMEMBERED = timedelta(days=30)
"""Much longer than any message is taken after it was signed, should the clock be set back."""


@dataclass(frozen=True, slots=True)
class Webhook:
    name: str
    secret_ref: str
    scope: AccessScope
    created_at: str
    created_by: str

    def to_json(self) -> dict[str, Json]:
        return {**{name: getattr(self, name) for name in self.__slots__}, "scope": self.scope.to_json()}


class WebhookStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, name: str, secret_ref: str, *, scope: AccessScope = WHOLE, actor: str) -> Webhook:
        """Raises InvalidError (the name, or no reference: it is not repeated), ConflictError (the name is taken)."""
        if not _NAME.fullmatch(name):
            raise InvalidError(f"{name!r} is no name for a webhook", "take up to 64 of a-z 0-9 . _ -")
        if not _REFERENCE.fullmatch(secret_ref):
            raise InvalidError("the secret is not a reference", "give env:NAME or file:/path")
        made = Webhook(name, secret_ref, scope, self._database.now(), actor)

        def work(connection: Connection) -> None:
            if connection.execute(select(_W.c.name).where(_W.c.name == name)).first():
                raise ConflictError(f"there is a webhook {name} already", "remove it first, or take another name")
            connection.execute(insert(_W), {**made.to_json(), "scope": to_text(scope.to_json())})
            append_entry(connection, Event(made.created_at, actor, "webhook.added", f"webhook:{name}", made.to_json()))

        await self._database.write(work)
        return made

    async def find(self, name: str) -> Webhook | None:
        """The sender of this name, if its row is as the audit says; else it is logged, and nobody."""
        query = select(_W).where(_W.c.name == name)

        def work(connection: Connection) -> tuple[Row[tuple[Any, ...]] | None, bool]:
            row = connection.execute(query).first()
            return row, row is not None and _is_told(connection, row)

        row, is_told = await self._database.read(work)
        if row is not None and not is_told:
            _log.error("refused: the webhook %s is not as the audit says; see `switchgear webhooks list`", name)
        return _webhook(row) if row is not None and is_told else None

    async def list_webhooks(self) -> tuple[Webhook, ...]:
        """By name."""
        query = select(_W).order_by(_W.c.name)
        return tuple(_webhook(row) for row in await self._database.read(lambda c: c.execute(query).all()))

    async def faults(self) -> tuple[str, ...]:
        """Rows that are not as the audit says: such senders count for nothing until removed and added again."""
        query = select(_W).order_by(_W.c.name)
        untold = await self._database.read(lambda c: [r.name for r in c.execute(query) if not _is_told(c, r)])
        return tuple(f"the webhook {name} is not as the audit says" for name in untold)

    async def remove(self, name: str, *, actor: str) -> None:
        """From now on nothing that it signs counts. Raises NotFoundError."""
        now = self._database.now()

        def work(connection: Connection) -> None:
            if connection.execute(delete(_W).where(_W.c.name == name)).rowcount != 1:
                raise NotFoundError(
                    f"there is no webhook {name}", "see `switchgear webhooks list`", kind="webhook", name=name
                )
            append_entry(connection, Event(now, actor, "webhook.removed", f"webhook:{name}", {}))

        await self._database.write(work)

    async def use(self, name: str, message_id: str) -> None:
        """Remembers the message. Raises ConflictError if it was used before."""
        now = self._database.now()
        old = moment(datetime.fromisoformat(now) - REMEMBERED)
        known = select(_USE.c.at).where(_USE.c.webhook == name, _USE.c.message_id == message_id)
        subject = use_subject(name, message_id)

        def work(connection: Connection) -> None:
            # The audit knows it too, so that a row that is taken away lets nothing be used twice.
            if connection.execute(known).first() or last_told(connection, subject) is not None:
                raise ConflictError(f"the message {message_id} was used before", "sign a new one with an id of its own")
            connection.execute(delete(_USE).where(_USE.c.at < old))
            connection.execute(insert(_USE), {"webhook": name, "message_id": message_id, "at": now})
            append_entry(connection, Event(now, f"webhook:{name}", "webhook.used", subject, {"at": now}))

        await self._database.write(work)


def use_subject(name: str, message_id: str) -> str:
    """What the audit row is about that knows that a message was used."""
    return f"webhook-use:{name}:{message_id}"


def _is_told(connection: Connection, row: Row[tuple[Any, ...]]) -> bool:
    values = {**row._asdict(), "scope": from_text(row.scope)}
    try:
        return bool(last_told(connection, f"webhook:{row.name}") == values)
    except TamperedError:
        return False


def _webhook(row: Row[tuple[Any, ...]]) -> Webhook:
    return Webhook(
        row.name, row.secret_ref, AccessScope.from_json(from_text(row.scope)), row.created_at, row.created_by
    )
