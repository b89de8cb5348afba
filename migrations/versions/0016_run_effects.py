"""Which effects are taken by runs: see `governance/storage/models.py`, RunEffectRow.

One new table. Runs that were in doubt before hold no effect: what they were about is not on record in this form.
"""

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run_effects",
        Column("effect", Text(), nullable=False),
        Column("run_id", Text(), nullable=False),
        PrimaryKeyConstraint("effect", name="pk_run_effects"),
        ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_effects_run_id"),
    )
    op.create_index("ix_run_effects_run_id", "run_effects", ["run_id"])
