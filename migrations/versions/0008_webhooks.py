"""Senders whose signed messages may decide, and the messages that were used.

A message's id is unique for its sender: the database itself refuses a second use.
"""

from alembic import op
from sqlalchemy import Column, PrimaryKeyConstraint, Text

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "webhooks",
        Column("name", Text(), nullable=False),
        Column("secret_ref", Text(), nullable=False),
        Column("scope", Text(), nullable=False),
        Column("created_at", Text(), nullable=False),
        Column("created_by", Text(), nullable=False),
        PrimaryKeyConstraint("name", name="pk_webhooks"),
    )
    op.create_table(
        "webhook_uses",
        Column("webhook", Text(), nullable=False),
        Column("message_id", Text(), nullable=False),
        Column("at", Text(), nullable=False),
        PrimaryKeyConstraint("webhook", "message_id", name="pk_webhook_uses"),
    )
