"""What was verified of what a run was asked for: see `governance/runs/runs.py`, Run.verdict.

One new column, empty for runs that ended before.
"""

from alembic import op
from sqlalchemy import Column, Text

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", Column("verdict", Text(), nullable=True))
