"""Rows that give or do something are sealed by the audit: see `governance/audit/verification.py`. No table changes.

What was believed as it stood in its table until now gets an audit row that says how it stands: schedules, plans,
messages to be sent, messages that were used, effects that are taken, keys that runs were asked for under, what replies
promise. What is changed in them from here on is found.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from alembic import op
from sqlalchemy import Boolean, Connection, Text, column, select, table

from governance.audit.log import Event, append_entries
from governance.storage.connections import lock_chain
from governance.storage.identifiers import moment
from workflow.json.canonical import digest, digest_of_texts

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

SCHEDULE = ("name", "workflow_id", "target", "labels", "inputs", "cron", "zone", "created_by", "created_at", "next_at")
PLAN = (
    "id", "run_id", "revision_id", "digest", "target", "target_print", "inputs_print", "caller", "basis", "changes",
    "made_at", "expires_at", "used_at", "applied_by",
)  # fmt: skip
MESSAGE = ("id", "endpoint", "kind", "body", "made_at")


def upgrade() -> None:
    connection = op.get_bind()
    lock_chain(connection)
    now = moment(datetime.now(UTC))
    found = (_schedules, _plans, _messages, _uses, _effects, _keys, _replies)
    events = [Event(now, "migration", *told) for each in found for told in each(connection)]
    if events:
        append_entries(connection, events)


Told = Iterator[tuple[str, str, Any]]


def _rows(connection: Connection, name: str, *columns: str, **typed: Any) -> list[Mapping[str, Any]]:
    wanted = [column(each, typed.get(each, Text())) for each in (*columns, *(set(typed) - set(columns)))]
    return [dict(row) for row in connection.execute(select(*wanted).select_from(table(name, *wanted))).mappings()]


def _schedules(connection: Connection) -> Told:
    for row in _rows(connection, "schedules", *SCHEDULE, is_paused=Boolean()):
        yield "schedule.sealed", f"schedule:{row['name']}", {"seal": digest(row)}


def _plans(connection: Connection) -> Told:
    for row in _rows(connection, "plans", *PLAN):
        yield "plan.sealed", f"plan:{row['id']}", {"seal": digest(row), "expires_at": row["expires_at"]}


def _messages(connection: Connection) -> Told:
    for row in _rows(connection, "event_deliveries", *MESSAGE):
        yield "event.sealed", f"event:{row['id']}", {"endpoint": row["endpoint"], "seal": digest(row)}


def _uses(connection: Connection) -> Told:
    for row in _rows(connection, "webhook_uses", "webhook", "message_id", "at"):
        yield "webhook.used", f"webhook-use:{row['webhook']}:{row['message_id']}", {"at": row["at"]}


def _effects(connection: Connection) -> Told:
    for row in _rows(connection, "run_effects", "effect", "run_id"):
        yield "effect.taken", f"effect:{row['effect']}", {"run": row["run_id"], "has": True}


def _keys(connection: Connection) -> Told:
    for row in _rows(connection, "runs", "id", "asked_key", "asked_print"):
        if row["asked_key"] is not None:
            key = digest_of_texts({"key": row["asked_key"], "print": row["asked_print"] or ""})
            yield "run.sealed", f"run:{row['id']}", {"key": key}


def _replies(connection: Connection) -> Told:
    told = {
        row["operation"]: digest_of_texts({"body": row["body"]})
        for row in _rows(connection, "responses", "operation", "body")
    }
    if told:
        yield "responses.stored", "responses:all", told
