"""Who is told of events, and what waits to be told: see `governance/storage/models.py`, EndpointRow and DeliveryRow.

Two new tables, and an index that counts runs in doubt; nothing that is there changes.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, Text

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

NEEDED = ("name", "url", "secret_ref", "kinds", "apis", "tls", "created_at", "created_by")


def upgrade() -> None:
    op.create_table(
        "event_endpoints",
        *(Column(name, Text(), nullable=False) for name in NEEDED),
        *(Column(name, Text(), nullable=True) for name in ("disabled_at", "disabled_why")),
        PrimaryKeyConstraint("name", name="pk_event_endpoints"),
    )
    op.create_table(
        "event_deliveries",
        *(Column(name, Text(), nullable=False) for name in ("id", "endpoint", "kind", "body", "made_at")),
        Column("tries", Integer(), nullable=False),
        *(Column(name, Text(), nullable=True) for name in ("next_at", "error", "error_at")),
        PrimaryKeyConstraint("id", name="pk_event_deliveries"),
        ForeignKeyConstraint(["endpoint"], ["event_endpoints.name"], name="fk_event_deliveries_endpoint"),
    )
    op.create_index("ix_event_deliveries_endpoint", "event_deliveries", ["endpoint"])
    op.create_index("ix_event_deliveries_next_at", "event_deliveries", ["next_at"])
    unknown = sa.text("outcome = 'unknown'")
    op.create_index("ix_runs_unknown", "runs", ["id"], sqlite_where=unknown, postgresql_where=unknown)
