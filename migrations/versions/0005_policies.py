"""Policies; on each revision who voted for it and until when its state holds.

Revisions that are there keep their seals: the new columns are sealed where they say something.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column, Integer, PrimaryKeyConstraint, Text

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("revisions", Column("votes", Text(), server_default=sa.text("'[]'"), nullable=False))
    op.add_column("revisions", Column("expires_at", Text(), nullable=True))
    has_end = sa.text("expires_at IS NOT NULL")
    op.create_index(
        "ix_revisions_expires_at", "revisions", ["expires_at"], sqlite_where=has_end, postgresql_where=has_end
    )
    op.create_table(
        "policies",
        Column("number", Integer(), autoincrement=False, nullable=False),
        Column("digest", Text(), nullable=False),
        Column("body", Text(), nullable=False),
        Column("applied_at", Text(), nullable=False),
        Column("applied_by", Text(), nullable=False),
        PrimaryKeyConstraint("number", name="pk_policies"),
    )
