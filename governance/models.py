"""The tables, as SQLAlchemy models: what stands in the database, column by column.

The migration in `migrations/` makes them (and the triggers, which models cannot say); a test compares the two on
both databases. Rows never leave this room: stores turn them into frozen values. Statements are written over
these models and run on plain connections, since nothing here needs a session's identity map.
Moments are UTC text, JSON is text (`governance.identifiers`).
"""

from typing import Any, ClassVar, cast

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# Named, so that a later migration can name what it changes.
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

# 64 bits in PostgreSQL; in SQLite every INTEGER has them, and only INTEGER makes the key the row's own number.
Sequence = BigInteger().with_variant(Integer, "sqlite")


class Model(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    # Without lengths: SQLite would not keep to them, PostgreSQL would, and nothing is gained by either.
    type_annotation_map: ClassVar[dict[Any, Any]] = {str: Text(), float: Double()}


def table_of(model: type[Model]) -> Table:
    """The plain table: statements over it skip what the ORM would add to each."""
    return cast(Table, model.__table__)


class AuditEntry(Model):
    """One event. `hash` covers every other column and `prev_hash` is the hash of the row before."""

    __tablename__ = "audit"
    seq: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=False)
    at: Mapped[str]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    detail: Mapped[str]
    prev_hash: Mapped[str]
    hash: Mapped[str]


class AuditHead(Model):
    """The end of the chain, in one row: writers lock it, and a chain cut at its end no longer matches it."""

    __tablename__ = "audit_head"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(Sequence)
    hash: Mapped[str]


class CatalogChange(Model):
    """One row whose `version` triggers raise whenever a revision or an API changes, whoever changes it."""

    __tablename__ = "catalog_change"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(Sequence)


class ApiRow(Model):
    __tablename__ = "apis"
    name: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    version: Mapped[str]
    spec_digest: Mapped[str]
    profile_digest: Mapped[str | None] = mapped_column(ForeignKey("profiles.digest"))
    updated_at: Mapped[str]


class ProfileRow(Model):
    """Profiles by their digest: an approved revision keeps the profile that it was approved with."""

    __tablename__ = "profiles"
    digest: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[str]


class ResponseRow(Model):
    """Schemas of an operation's successful replies, by the operation's digest."""

    __tablename__ = "responses"
    operation: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[str]


class RevisionRow(Model):
    """One revision. `digest` is the identity of `content`; `seal` covers every column but itself, and stands in the
    audit row of the last event that moved this revision too."""

    __tablename__ = "revisions"
    __table_args__ = (
        UniqueConstraint("workflow_id", "number"),
        Index("uq_revisions_approved", "workflow_id", unique=True,
              sqlite_where=text("state = 'approved'"), postgresql_where=text("state = 'approved'")),
        Index("uq_revisions_pending", "workflow_id", unique=True,
              sqlite_where=text("state = 'pending'"), postgresql_where=text("state = 'pending'")),
        Index("ix_revisions_expires_at", "expires_at",
              sqlite_where=text("expires_at IS NOT NULL"), postgresql_where=text("expires_at IS NOT NULL")),
        CheckConstraint("state IN ('pending', 'approved', 'superseded', 'rejected', 'retired')", name="state"),
    )  # fmt: skip
    id: Mapped[str] = mapped_column(primary_key=True)
    api: Mapped[str] = mapped_column(index=True)
    workflow_id: Mapped[str]
    number: Mapped[int]
    digest: Mapped[str]
    state: Mapped[str] = mapped_column(index=True)
    content: Mapped[str]
    intent: Mapped[str]
    risk: Mapped[str]
    resource: Mapped[str]
    is_core: Mapped[bool]
    rank: Mapped[float]
    proof: Mapped[str]
    created_at: Mapped[str]
    created_by: Mapped[str]
    decided_at: Mapped[str | None]
    decided_by: Mapped[str | None]
    reason: Mapped[str | None]
    votes: Mapped[str] = mapped_column(server_default=text("'[]'"))
    expires_at: Mapped[str | None]
    seal: Mapped[str]


class DisabledRow(Model):
    """A workflow that is taken out of use for now; the audit's last row about it says so too."""

    __tablename__ = "disabled_workflows"
    workflow_id: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    disabled_at: Mapped[str]
    disabled_by: Mapped[str]


class PolicyRow(Model):
    """Each policy that was applied; the one with the highest number is in force."""

    __tablename__ = "policies"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    digest: Mapped[str]
    body: Mapped[str]
    applied_at: Mapped[str]
    applied_by: Mapped[str]


class RunRow(Model):
    """One run. `executor`: the process that carries it out; `part`: how often it was gone on with after a doubt.

    `asked_key` is unique for each caller and `asked_print` proves that the same was asked; `resume` is where to go on
    from when the outcome is unknown; `verdict` is what was verified of what was asked for; `resolution` is what
    somebody found out about the request in doubt.
    """

    __tablename__ = "runs"
    __table_args__ = (
        Index("ix_runs_open", "id", sqlite_where=text("outcome IS NULL"), postgresql_where=text("outcome IS NULL")),
        Index("ix_runs_unknown", "id",
              sqlite_where=text("outcome = 'unknown'"), postgresql_where=text("outcome = 'unknown'")),
        Index("uq_runs_asked", "caller", "asked_key", unique=True,
              sqlite_where=text("asked_key IS NOT NULL"), postgresql_where=text("asked_key IS NOT NULL")),
    )  # fmt: skip
    id: Mapped[str] = mapped_column(primary_key=True)
    revision_id: Mapped[str] = mapped_column(ForeignKey("revisions.id"), index=True)
    digest: Mapped[str]
    target: Mapped[str]
    caller: Mapped[str]
    inputs: Mapped[str]
    started_at: Mapped[str]
    finished_at: Mapped[str | None]
    outcome: Mapped[str | None]
    outputs: Mapped[str | None]
    failure: Mapped[str | None]
    verdict: Mapped[str | None]
    executor: Mapped[str | None]
    is_durable: Mapped[bool] = mapped_column(server_default=false())
    part: Mapped[int] = mapped_column(server_default=text("0"))
    asked_key: Mapped[str | None]
    asked_print: Mapped[str | None]
    cancel_by: Mapped[str | None]
    resume: Mapped[str | None]
    resolution: Mapped[str | None]


class RunEffectRow(Model):
    """An effect that a run has for itself while it is under way or in doubt, as a hash (`governance/effects.py`)."""

    __tablename__ = "run_effects"
    effect: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), index=True)


class RunStepRow(Model):
    """One thing that happened to one request of a run; `seq` numbers the requests of a run, `phase` what happened."""

    __tablename__ = "run_steps"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    phase: Mapped[str] = mapped_column(primary_key=True)
    step_id: Mapped[str]
    method: Mapped[str]
    path: Mapped[str]
    status: Mapped[int | None]
    duration_ms: Mapped[float | None]
    detail: Mapped[str]
    at: Mapped[str]


class RunJournalRow(Model):
    """What happened in a run and what was done about it, for a replay. `part`: 0, then 1 more each time it went on."""

    __tablename__ = "run_journals"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[str]


class PlanRow(Model):
    """A plan that somebody may confirm. `run_id`: the run that looked, and whose record shows the plan; `applied_by`:
    the run that was started on it. `basis` and `changes` are digests of what was read and of what would be sent;
    `target` is the target's name, and the two prints prove where, and with which inputs, without telling them."""

    __tablename__ = "plans"
    id: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[str]
    revision_id: Mapped[str] = mapped_column(ForeignKey("revisions.id"))
    digest: Mapped[str]
    target: Mapped[str]
    target_print: Mapped[str]
    inputs_print: Mapped[str]
    caller: Mapped[str]
    basis: Mapped[str]
    changes: Mapped[str]
    made_at: Mapped[str]
    expires_at: Mapped[str] = mapped_column(index=True)
    used_at: Mapped[str | None]
    applied_by: Mapped[str | None] = mapped_column(index=True)


class PrincipalRow(Model):
    """Who holds a token. Only the SHA-256 of the secret is kept. Sealed by the audit (`testimony`)."""

    __tablename__ = "principals"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(index=True)
    role: Mapped[str]
    scope: Mapped[str] = mapped_column(server_default=text("'{}'"))
    secret_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[str]
    expires_at: Mapped[str | None]
    revoked_at: Mapped[str | None]


class UserRow(Model):
    """Somebody with a name. `also`: the names under which the same person is known otherwise, as JSON; without a
    `password_hash` (Argon2id, with its parameters) nobody logs in. Sealed by the audit (`testimony`)."""

    __tablename__ = "users"
    name: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    scope: Mapped[str]
    also: Mapped[str]
    password_hash: Mapped[str | None]
    created_at: Mapped[str]
    created_by: Mapped[str]
    disabled_at: Mapped[str | None]


class SessionRow(Model):
    """A login that has not ended. Only the SHA-256 of its secret is kept. All but `used_at` is sealed by the audit."""

    __tablename__ = "sessions"
    id: Mapped[str] = mapped_column(primary_key=True)
    user_name: Mapped[str] = mapped_column(ForeignKey("users.name"), index=True)
    secret_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[str]
    used_at: Mapped[str]
    ends_at: Mapped[str]


class WebhookRow(Model):
    """Whose signed messages may decide, and where its secret is found."""

    __tablename__ = "webhooks"
    name: Mapped[str] = mapped_column(primary_key=True)
    secret_ref: Mapped[str]
    scope: Mapped[str]
    created_at: Mapped[str]
    created_by: Mapped[str]


class WebhookUseRow(Model):
    """A message that was used: no second one of its sender may have this id."""

    __tablename__ = "webhook_uses"
    webhook: Mapped[str] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[str]


class TargetRow(Model):
    __tablename__ = "targets"
    __table_args__ = (
        CheckConstraint("mode IN ('twin', 'prism', 'live')", name="mode"),
        Index("uq_targets_default", "api", unique=True,
              sqlite_where=text("is_default"), postgresql_where=text("is_default")),
    )  # fmt: skip
    name: Mapped[str] = mapped_column(primary_key=True)
    api: Mapped[str] = mapped_column(index=True)
    base_url: Mapped[str]
    mode: Mapped[str]
    username_ref: Mapped[str | None]
    password_ref: Mapped[str | None]
    token_ref: Mapped[str | None]
    tls: Mapped[str]
    is_default: Mapped[bool]
    labels: Mapped[str] = mapped_column(server_default=text("'{}'"))
    limits: Mapped[str] = mapped_column(server_default=text("'{}'"))
    responses: Mapped[str] = mapped_column(server_default=text("''"))
    created_at: Mapped[str]


class BundleKeyRow(Model):
    """Whose signature on a bundle counts. `id` is the fingerprint of `public_key`; revoking is final."""

    __tablename__ = "bundle_keys"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    public_key: Mapped[str]
    trusted_at: Mapped[str]
    trusted_by: Mapped[str]
    revoked_at: Mapped[str | None]
    revoked_by: Mapped[str | None]


class BundleThresholdRow(Model):
    """One row, or none as long as one signature is enough."""

    __tablename__ = "bundle_threshold"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    signatures: Mapped[int]


class BundleRow(Model):
    """Each bundle that was imported: the memory that refuses older ones and knows which APIs came with which name."""

    __tablename__ = "bundles"
    name: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=False)
    digest: Mapped[str]
    catalog: Mapped[str]
    apis: Mapped[str]
    signed_by: Mapped[str]
    created_at: Mapped[str]
    expires_at: Mapped[str]
    imported_at: Mapped[str]
    imported_by: Mapped[str]


class ScheduleRow(Model):
    """When a workflow is to be run by itself, and for whom. `labels`, `inputs` and `last` are JSON; `next_at` is the
    moment that comes next, and what two replicas compare and set; `last` tells what came of the one before."""

    __tablename__ = "schedules"
    name: Mapped[str] = mapped_column(primary_key=True)
    workflow_id: Mapped[str]
    target: Mapped[str | None]
    labels: Mapped[str]
    inputs: Mapped[str]
    cron: Mapped[str]
    zone: Mapped[str]
    created_by: Mapped[str]
    created_at: Mapped[str]
    is_paused: Mapped[bool]
    next_at: Mapped[str] = mapped_column(index=True)
    last: Mapped[str] = mapped_column(server_default=text("'{}'"))


class EndpointRow(Model):
    """Who is told of events. `kinds` and `apis`: JSON lists, empty for all; `secret_ref`: where its secret is found."""

    __tablename__ = "event_endpoints"
    name: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str]
    secret_ref: Mapped[str]
    kinds: Mapped[str]
    apis: Mapped[str]
    tls: Mapped[str]
    created_at: Mapped[str]
    created_by: Mapped[str]
    disabled_at: Mapped[str | None]
    disabled_why: Mapped[str | None]


class DeliveryRow(Model):
    """One message for one endpoint, until it is heard. `next_at`: when it is due, or a claim of it ends; null: dead."""

    __tablename__ = "event_deliveries"
    id: Mapped[str] = mapped_column(primary_key=True)
    endpoint: Mapped[str] = mapped_column(ForeignKey("event_endpoints.name"), index=True)
    kind: Mapped[str]
    body: Mapped[str]
    made_at: Mapped[str]
    tries: Mapped[int]
    next_at: Mapped[str | None] = mapped_column(index=True)
    error: Mapped[str | None]
    error_at: Mapped[str | None]
