"""How an MCP server that is a target is reached; `{}` for devices.

Targets that are there go on as before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("targets", sa.Column("server", sa.Text(), nullable=False, server_default=sa.text("'{}'")))
