"""Revisions in a state are found in the order of their ids: a page costs what is on it, however many there are.

One index takes the place of another; no row and no column changes.
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_revisions_state_id", "revisions", ["state", "id"], if_not_exists=True)
    op.drop_index("ix_revisions_state", "revisions", if_exists=True)
