"""Plans that wait for somebody's yes, and those that were used: see `governance/storage/models.py`, PlanRow.

One new table; nothing that is there changes. Inputs stand in no column: a print proves them, the run that made the plan
has them masked.
"""

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NEEDED = (
    "id", "run_id", "revision_id", "digest", "target", "target_print", "inputs_print", "caller", "basis", "changes",
    "made_at", "expires_at",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "plans",
        *(Column(name, Text(), nullable=False) for name in NEEDED),
        Column("used_at", Text(), nullable=True),
        Column("applied_by", Text(), nullable=True),
        PrimaryKeyConstraint("id", name="pk_plans"),
        ForeignKeyConstraint(["revision_id"], ["revisions.id"], name="fk_plans_revision_id"),
    )
    op.create_index("ix_plans_expires_at", "plans", ["expires_at"])
    op.create_index("ix_plans_applied_by", "plans", ["applied_by"])
