"""Schedules of approved workflows: see `governance/storage/models.py`, ScheduleRow.

One new table; nothing that is there changes.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column, PrimaryKeyConstraint, Text

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

NEEDED = ("name", "workflow_id", "labels", "inputs", "cron", "zone", "created_by", "created_at")


def upgrade() -> None:
    op.create_table(
        "schedules",
        *(Column(name, Text(), nullable=False) for name in NEEDED),
        Column("target", Text(), nullable=True),
        Column("is_paused", sa.Boolean(), nullable=False),
        Column("next_at", Text(), nullable=False),
        Column("last", Text(), nullable=False, server_default=sa.text("'{}'")),
        PrimaryKeyConstraint("name", name="pk_schedules"),
    )
    op.create_index("ix_schedules_next_at", "schedules", ["next_at"])
