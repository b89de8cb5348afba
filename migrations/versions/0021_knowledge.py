"""What the compiler understood of each API, a card for every operation, to be searched and told.

One row an API; the audit has the hash of each.
"""

from alembic import op
from sqlalchemy import Column, PrimaryKeyConstraint, Text

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "knowledge",
        Column("api", Text(), nullable=False),
        Column("body", Text(), nullable=False),
        PrimaryKeyConstraint("api", name="pk_knowledge"),
    )
