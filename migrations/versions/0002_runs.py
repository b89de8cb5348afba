"""Runs that can be taken up again: who carries them out, under which key they were asked for, what was found.

Columns on `runs` alone; rows that are there get values that say "by nobody, not to be taken up again".
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Boolean, Column, Integer, Text, text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        Column("executor", Text(), nullable=True),
        Column("is_durable", Boolean(), nullable=False, server_default=sa.false()),
        Column("part", Integer(), nullable=False, server_default=text("0")),
        Column("asked_key", Text(), nullable=True),
        Column("asked_print", Text(), nullable=True),
        Column("cancel_by", Text(), nullable=True),
        Column("resume", Text(), nullable=True),
        Column("resolution", Text(), nullable=True),
    ):
        op.add_column("runs", column)
    is_open, is_keyed = text("outcome IS NULL"), text("asked_key IS NOT NULL")
    op.create_index("ix_runs_open", "runs", ["id"], sqlite_where=is_open, postgresql_where=is_open)
    op.create_index(
        "uq_runs_asked", "runs", ["caller", "asked_key"], unique=True, sqlite_where=is_keyed, postgresql_where=is_keyed
    )
