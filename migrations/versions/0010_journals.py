"""Journals of runs, for a replay: see `governance/storage/models.py`, RunJournalRow.

One new table; nothing that is there changes. Runs that ended before have no journal.
"""

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, Text

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run_journals",
        Column("run_id", Text(), nullable=False),
        Column("part", Integer(), nullable=False, autoincrement=False),
        Column("body", Text(), nullable=False),
        PrimaryKeyConstraint("run_id", "part", name="pk_run_journals"),
        ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_journals_run_id"),
    )
