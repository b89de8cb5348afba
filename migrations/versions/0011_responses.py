"""What replies promise: the schemas of an operation's successful replies.

By the digest of the operation, which approved revisions name.
"""

from alembic import op
from sqlalchemy import Column, PrimaryKeyConstraint, Text

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "responses",
        Column("operation", Text(), nullable=False),
        Column("body", Text(), nullable=False),
        PrimaryKeyConstraint("operation", name="pk_responses"),
    )
