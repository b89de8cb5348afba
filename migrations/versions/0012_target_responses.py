"""What is done about replies of one target that are not as described; empty: what the setting says.

Targets that are there go on as before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("targets", sa.Column("responses", sa.Text(), nullable=False, server_default=sa.text("''")))
