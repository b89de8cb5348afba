"""Users and their sessions: see `governance/storage/models.py`, UserRow; and tokens that are there are sealed.

Until now the audit knew that a token was made, not how its row looks. Each gets an audit row with the seal over the
row as it is now, so that what is changed in it from here on is found.
"""

from datetime import UTC, datetime

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint, text

from governance.audit.log import Event, append_entries
from governance.storage.connections import lock_chain
from governance.storage.identifiers import moment
from workflow.json.canonical import digest

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

NEEDED = ("name", "role", "scope", "also", "created_at", "created_by")
SESSION = ("id", "user_name", "secret_hash", "created_at", "used_at", "ends_at")
SEALED = ("id", "name", "role", "scope", "secret_hash", "created_at", "expires_at", "revoked_at")


def upgrade() -> None:
    op.create_table(
        "users",
        *(Column(name, Text(), nullable=False) for name in NEEDED),
        *(Column(name, Text(), nullable=True) for name in ("password_hash", "disabled_at")),
        PrimaryKeyConstraint("name", name="pk_users"),
    )
    op.create_table(
        "sessions",
        *(Column(name, Text(), nullable=False) for name in SESSION),
        PrimaryKeyConstraint("id", name="pk_sessions"),
        UniqueConstraint("secret_hash", name="uq_sessions_secret_hash"),
        ForeignKeyConstraint(["user_name"], ["users.name"], name="fk_sessions_user_name"),
    )
    op.create_index("ix_sessions_user_name", "sessions", ["user_name"])
    _seal_tokens()


def _seal_tokens() -> None:
    connection = op.get_bind()
    lock_chain(connection)
    now = moment(datetime.now(UTC))
    rows = connection.execute(text(f"SELECT {', '.join(SEALED)} FROM principals ORDER BY id")).all()  # noqa: S608  names of ours
    events = [
        Event(
            now, "migration", "token.sealed", f"principal:{row.id}", {"name": row.name, "seal": digest(row._asdict())}
        )
        for row in rows
    ]
    if events:
        append_entries(connection, events)
