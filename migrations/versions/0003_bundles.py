"""Bundles: whose signatures count, how many it takes, and which bundles were imported.

Triggers, alike on SQLite and PostgreSQL: the memory of what was imported is never changed or deleted, since it is what
refuses an older bundle.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column, Integer, PrimaryKeyConstraint, Text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

VERSION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _make_trust()
    _make_memory()
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER bundles_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON bundles "
            "FOR EACH STATEMENT EXECUTE FUNCTION switchgear_refuse()"
        )
        return
    for name, event in (("bundles_unchanged", "UPDATE"), ("bundles_kept", "DELETE")):
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {event} ON bundles "
            "BEGIN SELECT RAISE(ABORT, 'these rows are never changed'); END"
        )


def _make_trust() -> None:
    op.create_table(
        "bundle_keys",
        Column("id", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("public_key", Text(), nullable=False),
        Column("trusted_at", Text(), nullable=False),
        Column("trusted_by", Text(), nullable=False),
        Column("revoked_at", Text(), nullable=True),
        Column("revoked_by", Text(), nullable=True),
        PrimaryKeyConstraint("id", name="pk_bundle_keys"),
    )
    op.create_table(
        "bundle_threshold",
        Column("id", Integer(), autoincrement=False, nullable=False),
        Column("signatures", Integer(), nullable=False),
        PrimaryKeyConstraint("id", name="pk_bundle_threshold"),
    )


def _make_memory() -> None:
    op.create_table(
        "bundles",
        Column("name", Text(), nullable=False),
        Column("version", VERSION, autoincrement=False, nullable=False),
        Column("digest", Text(), nullable=False),
        Column("catalog", Text(), nullable=False),
        Column("apis", Text(), nullable=False),
        Column("signed_by", Text(), nullable=False),
        Column("created_at", Text(), nullable=False),
        Column("expires_at", Text(), nullable=False),
        Column("imported_at", Text(), nullable=False),
        Column("imported_by", Text(), nullable=False),
        PrimaryKeyConstraint("name", "version", name="pk_bundles"),
    )
