"""Workflows that are taken out of use for now: see `governance/storage/models.py`, DisabledRow.

One new table. Whatever changes it raises the catalog's version, so that every process notices.
"""

from alembic import op
from sqlalchemy import Column, PrimaryKeyConstraint, Text

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "disabled_workflows",
        Column("workflow_id", Text(), nullable=False),
        Column("reason", Text(), nullable=False),
        Column("disabled_at", Text(), nullable=False),
        Column("disabled_by", Text(), nullable=False),
        PrimaryKeyConstraint("workflow_id", name="pk_disabled_workflows"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER disabled_workflows_noticed AFTER INSERT OR UPDATE OR DELETE ON disabled_workflows "
            "FOR EACH STATEMENT EXECUTE FUNCTION switchgear_notice()"
        )
        return
    for event in ("INSERT", "UPDATE", "DELETE"):
        notice = "BEGIN UPDATE catalog_change SET version = version + 1 WHERE id = 1; END"
        name = f"disabled_workflows_{event.lower()}_noticed"
        op.execute(f"CREATE TRIGGER {name} AFTER {event} ON disabled_workflows {notice}")
