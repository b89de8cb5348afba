"""The first schema: audit, catalog, runs, principals and targets, and the triggers that guard them.

Triggers, alike on SQLite and PostgreSQL: audit rows are never changed or deleted; revisions are never deleted and
their content columns never changed; any change to a revision or an API raises the catalog's version, so that every
process notices it. They stop mistakes and honest tools; what goes around them is found by seals and hashes.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
GENESIS = "sha256:" + "0" * 64
FIXED = (
    "id, api, workflow_id, number, digest, content, intent, risk, resource, is_core, rank, proof, "
    "created_at, created_by"
)


def upgrade() -> None:
    _make_audit()
    _make_catalog()
    _make_runs()
    _make_access()
    _begin_chain()
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def _make_audit() -> None:
    op.create_table(
        "audit",
        Column("seq", SEQUENCE, autoincrement=False, nullable=False),
        Column("at", Text(), nullable=False),
        Column("actor", Text(), nullable=False),
        Column("action", Text(), nullable=False),
        Column("subject", Text(), nullable=False),
        Column("detail", Text(), nullable=False),
        Column("prev_hash", Text(), nullable=False),
        Column("hash", Text(), nullable=False),
        PrimaryKeyConstraint("seq", name="pk_audit"),
    )
    op.create_index("ix_audit_subject", "audit", ["subject"])
    op.create_table(
        "audit_head",
        Column("id", Integer(), autoincrement=False, nullable=False),
        Column("seq", SEQUENCE, nullable=False),
        Column("hash", Text(), nullable=False),
        PrimaryKeyConstraint("id", name="pk_audit_head"),
    )


def _make_catalog() -> None:
    op.create_table(
        "catalog_change",
        Column("id", Integer(), autoincrement=False, nullable=False),
        Column("version", SEQUENCE, nullable=False),
        PrimaryKeyConstraint("id", name="pk_catalog_change"),
    )
    op.create_table(
        "profiles",
        Column("digest", Text(), nullable=False),
        Column("body", Text(), nullable=False),
        PrimaryKeyConstraint("digest", name="pk_profiles"),
    )
    op.create_table(
        "apis",
        Column("name", Text(), nullable=False),
        Column("title", Text(), nullable=False),
        Column("version", Text(), nullable=False),
        Column("spec_digest", Text(), nullable=False),
        Column("profile_digest", Text(), nullable=True),
        Column("updated_at", Text(), nullable=False),
        ForeignKeyConstraint(["profile_digest"], ["profiles.digest"], name="fk_apis_profile_digest"),
        PrimaryKeyConstraint("name", name="pk_apis"),
    )
    op.create_table(
        "revisions",
        Column("id", Text(), nullable=False),
        Column("api", Text(), nullable=False),
        Column("workflow_id", Text(), nullable=False),
        Column("number", Integer(), nullable=False),
        Column("digest", Text(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("content", Text(), nullable=False),
        Column("intent", Text(), nullable=False),
        Column("risk", Text(), nullable=False),
        Column("resource", Text(), nullable=False),
        Column("is_core", Boolean(), nullable=False),
        Column("rank", Double(), nullable=False),
        Column("proof", Text(), nullable=False),
        Column("created_at", Text(), nullable=False),
        Column("created_by", Text(), nullable=False),
        Column("decided_at", Text(), nullable=True),
        Column("decided_by", Text(), nullable=True),
        Column("reason", Text(), nullable=True),
        Column("seal", Text(), nullable=False),
        CheckConstraint(
            "state IN ('pending', 'approved', 'superseded', 'rejected', 'retired')", name="ck_revisions_state"
        ),
        PrimaryKeyConstraint("id", name="pk_revisions"),
        UniqueConstraint("workflow_id", "number", name="uq_revisions_workflow_id_number"),
    )
    op.create_index("ix_revisions_api", "revisions", ["api"])
    op.create_index("ix_revisions_state", "revisions", ["state"])
    op.create_index(
        "uq_revisions_approved",
        "revisions",
        ["workflow_id"],
        unique=True,
        sqlite_where=text("state = 'approved'"),
        postgresql_where=text("state = 'approved'"),
    )
    op.create_index(
        "uq_revisions_pending",
        "revisions",
        ["workflow_id"],
        unique=True,
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    )


def _make_runs() -> None:
    op.create_table(
        "runs",
        Column("id", Text(), nullable=False),
        Column("revision_id", Text(), nullable=False),
        Column("digest", Text(), nullable=False),
        Column("target", Text(), nullable=False),
        Column("caller", Text(), nullable=False),
        Column("inputs", Text(), nullable=False),
        Column("started_at", Text(), nullable=False),
        Column("finished_at", Text(), nullable=True),
        Column("outcome", Text(), nullable=True),
        Column("outputs", Text(), nullable=True),
        Column("failure", Text(), nullable=True),
        ForeignKeyConstraint(["revision_id"], ["revisions.id"], name="fk_runs_revision_id"),
        PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_index("ix_runs_revision_id", "runs", ["revision_id"])
    op.create_table(
        "run_steps",
        Column("run_id", Text(), nullable=False),
        Column("seq", Integer(), autoincrement=False, nullable=False),
        Column("phase", Text(), nullable=False),
        Column("step_id", Text(), nullable=False),
        Column("method", Text(), nullable=False),
        Column("path", Text(), nullable=False),
        Column("status", Integer(), nullable=True),
        Column("duration_ms", Double(), nullable=True),
        Column("detail", Text(), nullable=False),
        Column("at", Text(), nullable=False),
        ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_steps_run_id"),
        PrimaryKeyConstraint("run_id", "seq", "phase", name="pk_run_steps"),
    )


def _make_access() -> None:
    op.create_table(
        "principals",
        Column("id", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("role", Text(), nullable=False),
        Column("secret_hash", Text(), nullable=False),
        Column("created_at", Text(), nullable=False),
        Column("expires_at", Text(), nullable=True),
        Column("revoked_at", Text(), nullable=True),
        PrimaryKeyConstraint("id", name="pk_principals"),
        UniqueConstraint("secret_hash", name="uq_principals_secret_hash"),
    )
    op.create_index("ix_principals_name", "principals", ["name"])
    op.create_table(
        "targets",
        Column("name", Text(), nullable=False),
        Column("api", Text(), nullable=False),
        Column("base_url", Text(), nullable=False),
        Column("mode", Text(), nullable=False),
        Column("username_ref", Text(), nullable=True),
        Column("password_ref", Text(), nullable=True),
        Column("token_ref", Text(), nullable=True),
        Column("tls", Text(), nullable=False),
        Column("is_default", Boolean(), nullable=False),
        Column("created_at", Text(), nullable=False),
        CheckConstraint("mode IN ('twin', 'prism', 'live')", name="ck_targets_mode"),
        PrimaryKeyConstraint("name", name="pk_targets"),
    )
    op.create_index("ix_targets_api", "targets", ["api"])
    op.create_index(
        "uq_targets_default",
        "targets",
        ["api"],
        unique=True,
        sqlite_where=text("is_default"),
        postgresql_where=text("is_default"),
    )


def _begin_chain() -> None:
    op.execute(text("INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, :hash)").bindparams(hash=GENESIS))
    op.execute("INSERT INTO catalog_change (id, version) VALUES (1, 0)")


def _guard_sqlite() -> None:
    for name, event in (
        ("audit_unchanged", "UPDATE ON audit"),
        ("audit_kept", "DELETE ON audit"),
        ("revisions_kept", "DELETE ON revisions"),
        ("revisions_unchanged", f"UPDATE OF {FIXED} ON revisions"),
    ):
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {event} BEGIN SELECT RAISE(ABORT, 'these rows are never changed'); END"
        )
    for table in ("revisions", "apis"):
        for event in ("INSERT", "UPDATE", "DELETE"):
            notice = "BEGIN UPDATE catalog_change SET version = version + 1 WHERE id = 1; END"
            op.execute(f"CREATE TRIGGER {table}_{event.lower()}_noticed AFTER {event} ON {table} {notice}")


def _guard_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION switchgear_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'these rows are never changed' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    op.execute(
        "CREATE FUNCTION switchgear_notice() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "UPDATE catalog_change SET version = version + 1 WHERE id = 1; RETURN NULL; END $$"
    )
    for name, event in (
        ("audit_unchanged", "UPDATE OR DELETE OR TRUNCATE ON audit"),
        ("revisions_kept", "DELETE OR TRUNCATE ON revisions"),
        ("revisions_unchanged", f"UPDATE OF {FIXED} ON revisions"),
    ):
        op.execute(f"CREATE TRIGGER {name} BEFORE {event} FOR EACH STATEMENT EXECUTE FUNCTION switchgear_refuse()")
    for table in ("revisions", "apis"):
        op.execute(
            f"CREATE TRIGGER {table}_noticed AFTER INSERT OR UPDATE OR DELETE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION switchgear_notice()"
        )
