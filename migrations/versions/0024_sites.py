"""What replicas of a hub tell each other of sites: see `governance/storage/models.py`, SiteRow and SiteDispatchRow.

Two new tables, which a hub of one process on SQLite leaves empty.
"""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, PrimaryKeyConstraint, Text, false, text

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def _text(name: str) -> "Column[str]":
    return Column(name, Text(), nullable=False, server_default=text("''"))


def upgrade() -> None:
    op.create_table(
        "sites",
        Column("name", Text(), nullable=False),
        _text("process"),
        Column("number", BigInteger(), nullable=False, server_default=text("0")),
        _text("poll"),
        Column("polls", Text(), nullable=False, server_default=text("'{}'")),
        _text("seen_at"),
        _text("state"),
        _text("told"),
        PrimaryKeyConstraint("name", name="pk_sites"),
    )
    op.create_table(
        "site_dispatches",
        Column("id", Text(), nullable=False),
        Column("site", Text(), nullable=False),
        Column("made_at", Text(), nullable=False),
        Column("asked", Text(), nullable=False),
        Column("sender", Text(), nullable=False),
        Column("kept_until", Text(), nullable=False),
        Column("is_due", Boolean(create_constraint=False), nullable=False, server_default=false()),
        Column("handed_at", Text(), nullable=True),
        _text("process"),
        _text("waits"),
        _text("unwanted"),
        Column("ended_at", Text(), nullable=True),
        Column("is_left", Boolean(create_constraint=False), nullable=False, server_default=false()),
        Column("answer", Text(), nullable=True),
        PrimaryKeyConstraint("id", name="pk_site_dispatches"),
    )
    op.create_index("ix_site_dispatches_site", "site_dispatches", ["site"])
