"""Lists of revisions are filtered and counted in an index: contents, a hundred times as long, are read of a page alone.

An index is added; no row and no column changes. Its columns are short: names, classes, who submitted it.
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

COLUMNS = ["state", "api", "risk", "is_core", "created_by", "workflow_id", "id"]


def upgrade() -> None:
    op.create_index("ix_revisions_listed", "revisions", COLUMNS, if_not_exists=True)
