"""The tables, as SQLAlchemy models: what stands in the database, column by column.

The migration in `migrations/` makes them (and the triggers, which models cannot say); a test compares the two on
both databases. Rows never leave this room: stores turn them into frozen values. Statements are written over
these models and run on plain connections, since nothing here needs a session's identity map.
Moments are UTC text, JSON is text (`governance.identifiers`).
"""

from sqlalchemy import CheckConstraint, ForeignKey, Index, MetaData, String, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# Named, so that a later migration can name what it changes.
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

Id = String(36)
Digest = String(71)
Moment = String(27)
Name = String(128)


class Model(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)


class AuditEntry(Model):
    """One event. `hash` covers every other column and `prev_hash` is the hash of the row before."""

    __tablename__ = "audit"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(Moment)
    actor: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Name, index=True)
    subject: Mapped[str] = mapped_column(Text, index=True)
    detail: Mapped[str] = mapped_column(Text)
    prev_hash: Mapped[str] = mapped_column(Digest)
    hash: Mapped[str] = mapped_column(Digest)


class AuditHead(Model):
    """The end of the chain, in one row: writers lock it, and a chain cut at its end no longer matches it."""

    __tablename__ = "audit_head"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int]
    hash: Mapped[str] = mapped_column(Digest)


class CatalogChange(Model):
    """One row whose `version` triggers raise whenever a revision or an API changes, whoever changes it."""

    __tablename__ = "catalog_change"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]


class ApiRow(Model):
    __tablename__ = "apis"
    name: Mapped[str] = mapped_column(Name, primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    version: Mapped[str] = mapped_column(Text)
    spec_digest: Mapped[str] = mapped_column(Digest)
    profile_digest: Mapped[str | None] = mapped_column(ForeignKey("profiles.digest"))
    updated_at: Mapped[str] = mapped_column(Moment)


class ProfileRow(Model):
    """Profiles by their digest: an approved revision keeps the profile that it was approved with."""

    __tablename__ = "profiles"
    digest: Mapped[str] = mapped_column(Digest, primary_key=True)
    body: Mapped[str] = mapped_column(Text)


class RevisionRow(Model):
    """One revision. `digest` is the identity of `content`; `seal` covers every column but itself and `audit_seq`,
    and stands in the audit row `audit_seq` too, which is the last event that moved this revision."""

    __tablename__ = "revisions"
    __table_args__ = (
        UniqueConstraint("workflow_id", "number"),
        Index("uq_revisions_approved", "workflow_id", unique=True,
              sqlite_where=text("state = 'approved'"), postgresql_where=text("state = 'approved'")),
        Index("uq_revisions_pending", "workflow_id", unique=True,
              sqlite_where=text("state = 'pending'"), postgresql_where=text("state = 'pending'")),
        CheckConstraint("state IN ('pending', 'approved', 'superseded', 'rejected', 'retired')", name="state"),
    )  # fmt: skip
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    api: Mapped[str] = mapped_column(Name, index=True)
    workflow_id: Mapped[str] = mapped_column(Name)
    number: Mapped[int]
    digest: Mapped[str] = mapped_column(Digest)
    state: Mapped[str] = mapped_column(String(16), index=True)
    content: Mapped[str] = mapped_column(Text)
    intent: Mapped[str] = mapped_column(Name)
    risk: Mapped[str] = mapped_column(String(16))
    resource: Mapped[str] = mapped_column(Name)
    is_core: Mapped[bool]
    rank: Mapped[float]
    proof: Mapped[str] = mapped_column(Text)
    created_at: Mapped[str] = mapped_column(Moment)
    created_by: Mapped[str] = mapped_column(Text)
    decided_at: Mapped[str | None] = mapped_column(Moment)
    decided_by: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    seal: Mapped[str] = mapped_column(Digest)
    audit_seq: Mapped[int] = mapped_column(ForeignKey("audit.seq"))


class RunRow(Model):
    __tablename__ = "runs"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    revision_id: Mapped[str] = mapped_column(ForeignKey("revisions.id"), index=True)
    digest: Mapped[str] = mapped_column(Digest)
    target: Mapped[str] = mapped_column(Name)
    caller: Mapped[str] = mapped_column(Text)
    inputs: Mapped[str] = mapped_column(Text)
    started_at: Mapped[str] = mapped_column(Moment)
    finished_at: Mapped[str | None] = mapped_column(Moment)
    outcome: Mapped[str | None] = mapped_column(String(16))
    outputs: Mapped[str | None] = mapped_column(Text)
    failure: Mapped[str | None] = mapped_column(Text)


class RunStepRow(Model):
    """One thing that happened to one request of a run; `seq` numbers the requests of a run, `phase` what happened."""

    __tablename__ = "run_steps"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    phase: Mapped[str] = mapped_column(String(16), primary_key=True)
    step_id: Mapped[str] = mapped_column(Text)
    method: Mapped[str] = mapped_column(String(16))
    path: Mapped[str] = mapped_column(Text)
    status: Mapped[int | None]
    duration_ms: Mapped[float | None]
    detail: Mapped[str] = mapped_column(Text)
    at: Mapped[str] = mapped_column(Moment)


class PrincipalRow(Model):
    """Who holds a token. Only the SHA-256 of the secret is kept."""

    __tablename__ = "principals"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(Name, index=True)
    role: Mapped[str] = mapped_column(String(16))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[str] = mapped_column(Moment)
    expires_at: Mapped[str | None] = mapped_column(Moment)
    revoked_at: Mapped[str | None] = mapped_column(Moment)


class TargetRow(Model):
    __tablename__ = "targets"
    __table_args__ = (
        CheckConstraint("mode IN ('twin', 'prism', 'live')", name="mode"),
        Index("uq_targets_default", "api", unique=True,
              sqlite_where=text("is_default"), postgresql_where=text("is_default")),
    )  # fmt: skip
    name: Mapped[str] = mapped_column(Name, primary_key=True)
    api: Mapped[str] = mapped_column(Name, index=True)
    base_url: Mapped[str] = mapped_column(Text)
    mode: Mapped[str] = mapped_column(String(16))
    username_ref: Mapped[str | None] = mapped_column(Text)
    password_ref: Mapped[str | None] = mapped_column(Text)
    token_ref: Mapped[str | None] = mapped_column(Text)
    tls: Mapped[str] = mapped_column(Text)
    is_default: Mapped[bool]
    created_at: Mapped[str] = mapped_column(Moment)
