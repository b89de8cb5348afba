"""What a token may reach at most; tokens that are there stay unlimited.

Scopes are JSON text (`governance.people.scopes`): one column, since a scope is read and written as a whole.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column, Text

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("principals", Column("scope", Text(), server_default=sa.text("'{}'"), nullable=False))
