"""Targets get labels, and limits of their own that win over those of the profile.

Both are JSON objects, empty for the targets that are there; which members they have is said in
`governance.registry.targets`.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("labels", "limits"):
        op.add_column("targets", sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("'{}'")))
