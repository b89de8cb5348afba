"""The tables, as SQLAlchemy models: what stands in the database, column by column.

The migration in `migrations/` makes them (and the triggers, which models cannot say); a test compares the two on
both databases. Rows never leave this room: stores turn them into frozen values. Statements are written over
their tables and run on plain connections: SQLAlchemy's ORM is not even imported, since nothing here needs a session.
Moments are UTC text, JSON is text (`governance.storage.identifiers`).
"""

from typing import ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Named,
    String,
    Table,
    Text,
    TypedColumns,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.schema import SchemaItem

# The condition of an index is said for SQLite; the migration gives PostgreSQL the same. Said here, it would import its
# dialect into every command.

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


METADATA = MetaData(naming_convention=NAMES)


class Model(TypedColumns):
    """The columns of one table, by name. Each subclass makes its table, from which statements are written."""

    __tablename__: ClassVar[str]
    __table_args__: ClassVar[tuple[SchemaItem, ...]] = ()
    __table__: ClassVar[Table]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.__table__ = Table(cls.__tablename__, METADATA, cls, *cls.__table_args__)
        for column in cls.__table__.columns:
            if type(column.type) is String:
                # Without lengths: SQLite would not keep to them, PostgreSQL would, and nothing is gained by either.
                column.type = Text()


def table_of(model: type[Model]) -> Table:
    return model.__table__


class AuditEntry(Model):
    """One event. `hash` covers every other column and `prev_hash` is the hash of the row before."""

    __tablename__ = "audit"
    seq: Named[int] = Column(Sequence, primary_key=True, autoincrement=False)
    at: Named[str]
    actor: Named[str]
    action: Named[str]
    subject: Named[str] = Column(index=True)
    detail: Named[str]
    prev_hash: Named[str]
    hash: Named[str]


class AuditHead(Model):
    """The end of the chain, in one row: writers lock it, and a chain cut at its end no longer matches it."""

    __tablename__ = "audit_head"
    id: Named[int] = Column(primary_key=True, autoincrement=False)
    seq: Named[int] = Column(Sequence)
    hash: Named[str]


class CatalogChange(Model):
    """One row whose `version` triggers raise whenever a revision or an API changes, whoever changes it."""

    __tablename__ = "catalog_change"
    id: Named[int] = Column(primary_key=True, autoincrement=False)
    version: Named[int] = Column(Sequence)


class ApiRow(Model):
    __tablename__ = "apis"
    name: Named[str] = Column(primary_key=True)
    title: Named[str]
    version: Named[str]
    spec_digest: Named[str]
    profile_digest: Named[str | None] = Column(ForeignKey("profiles.digest"))
    updated_at: Named[str]


class ProfileRow(Model):
    """Profiles by their digest: an approved revision keeps the profile that it was approved with."""

    __tablename__ = "profiles"
    digest: Named[str] = Column(primary_key=True)
    body: Named[str]


class ResponseRow(Model):
    """Schemas of an operation's successful replies, by the operation's digest."""

    __tablename__ = "responses"
    operation: Named[str] = Column(primary_key=True)
    body: Named[str]


class KnowledgeRow(Model):
    """What is known of an API's operations: a card for each."""

    __tablename__ = "knowledge"
    api: Named[str] = Column(primary_key=True)
    body: Named[str]


class RevisionRow(Model):
    """One revision. `digest` is the identity of `content`; `seal` covers every column but itself, and stands in the
    audit row of the last event that moved this revision too."""

    __tablename__ = "revisions"
    __table_args__ = (
        UniqueConstraint("workflow_id", "number"),
        Index("uq_revisions_approved", "workflow_id", unique=True,
              sqlite_where=text("state = 'approved'")),
        Index("uq_revisions_pending", "workflow_id", unique=True,
              sqlite_where=text("state = 'pending'")),
        Index("ix_revisions_state_id", "state", "id"),
        Index("ix_revisions_listed", "state", "api", "risk", "is_core", "created_by", "workflow_id", "id"),
        Index("ix_revisions_expires_at", "expires_at",
              sqlite_where=text("expires_at IS NOT NULL")),
        CheckConstraint("state IN ('pending', 'approved', 'superseded', 'rejected', 'retired')", name="state"),
    )  # fmt: skip
    id: Named[str] = Column(primary_key=True)
    api: Named[str] = Column(index=True)
    workflow_id: Named[str]
    number: Named[int]
    digest: Named[str]
    state: Named[str]
    content: Named[str]
    intent: Named[str]
    risk: Named[str]
    resource: Named[str]
    is_core: Named[bool]
    rank: Named[float]
    proof: Named[str]
    created_at: Named[str]
    created_by: Named[str]
    decided_at: Named[str | None]
    decided_by: Named[str | None]
    reason: Named[str | None]
    votes: Named[str] = Column(server_default=text("'[]'"))
    expires_at: Named[str | None]
    seal: Named[str]


class DisabledRow(Model):
    """A workflow that is taken out of use for now; the audit's last row about it says so too."""

    __tablename__ = "disabled_workflows"
    workflow_id: Named[str] = Column(primary_key=True)
    reason: Named[str]
    disabled_at: Named[str]
    disabled_by: Named[str]


class PolicyRow(Model):
    """Each policy that was applied; the one with the highest number is in force."""

    __tablename__ = "policies"
    number: Named[int] = Column(primary_key=True, autoincrement=False)
    digest: Named[str]
    body: Named[str]
    applied_at: Named[str]
    applied_by: Named[str]


class RunRow(Model):
    """One run. `executor`: the process that carries it out; `part`: how often it was gone on with after a doubt.

    `asked_key` is unique for each caller and `asked_print` proves that the same was asked; `resume` is where to go on
    from when the outcome is unknown; `verdict` is what was verified of what was asked for; `resolution` is what
    somebody found out about the request in doubt.
    """

    __tablename__ = "runs"
    __table_args__ = (
        Index("ix_runs_counted", "revision_id", "caller", "target", "outcome", "started_at"),
        Index("ix_runs_open", "id", sqlite_where=text("outcome IS NULL")),
        Index("ix_runs_unknown", "id",
              sqlite_where=text("outcome = 'unknown'")),
        Index("uq_runs_asked", "caller", "asked_key", unique=True,
              sqlite_where=text("asked_key IS NOT NULL")),
    )  # fmt: skip
    id: Named[str] = Column(primary_key=True)
    revision_id: Named[str] = Column(ForeignKey("revisions.id"))
    digest: Named[str]
    target: Named[str]
    caller: Named[str]
    inputs: Named[str]
    started_at: Named[str]
    finished_at: Named[str | None]
    outcome: Named[str | None]
    outputs: Named[str | None]
    failure: Named[str | None]
    verdict: Named[str | None]
    executor: Named[str | None]
    is_durable: Named[bool] = Column(server_default=false())
    part: Named[int] = Column(server_default=text("0"))
    asked_key: Named[str | None]
    asked_print: Named[str | None]
    cancel_by: Named[str | None]
    resume: Named[str | None]
    resolution: Named[str | None]


class RunEffectRow(Model):
    """An effect that a run has for itself while under way or in doubt, as a hash (`governance/runs/effects.py`)."""

    __tablename__ = "run_effects"
    effect: Named[str] = Column(primary_key=True)
    run_id: Named[str] = Column(ForeignKey("runs.id"), index=True)


class RunStepRow(Model):
    """One thing that happened to one request of a run; `seq` numbers the requests of a run, `phase` what happened."""

    __tablename__ = "run_steps"
    run_id: Named[str] = Column(ForeignKey("runs.id"), primary_key=True)
    seq: Named[int] = Column(primary_key=True, autoincrement=False)
    phase: Named[str] = Column(primary_key=True)
    step_id: Named[str]
    method: Named[str]
    path: Named[str]
    status: Named[int | None]
    duration_ms: Named[float | None]
    detail: Named[str]
    at: Named[str]


class RunJournalRow(Model):
    """What happened in a run and what was done about it, for a replay. `part`: 0, then 1 more each time it went on."""

    __tablename__ = "run_journals"
    run_id: Named[str] = Column(ForeignKey("runs.id"), primary_key=True)
    part: Named[int] = Column(primary_key=True, autoincrement=False)
    body: Named[str]


class PlanRow(Model):
    """A plan that somebody may confirm. `run_id`: the run that looked, and whose record shows the plan; `applied_by`:
    the run that was started on it. `basis` and `changes` are digests of what was read and of what would be sent;
    `target` is the target's name, and the two prints prove where, and with which inputs, without telling them."""

    __tablename__ = "plans"
    id: Named[str] = Column(primary_key=True)
    run_id: Named[str]
    revision_id: Named[str] = Column(ForeignKey("revisions.id"))
    digest: Named[str]
    target: Named[str]
    target_print: Named[str]
    inputs_print: Named[str]
    caller: Named[str]
    basis: Named[str]
    changes: Named[str]
    made_at: Named[str]
    expires_at: Named[str] = Column(index=True)
    used_at: Named[str | None]
    applied_by: Named[str | None] = Column(index=True)


class PrincipalRow(Model):
    """Who holds a token. Only the SHA-256 of the secret is kept. Sealed by the audit (`verification`)."""

    __tablename__ = "principals"
    id: Named[str] = Column(primary_key=True)
    name: Named[str] = Column(index=True)
    role: Named[str]
    scope: Named[str] = Column(server_default=text("'{}'"))
    secret_hash: Named[str] = Column(unique=True)
    created_at: Named[str]
    expires_at: Named[str | None]
    revoked_at: Named[str | None]


class UserRow(Model):
    """Somebody with a name. `also`: the names under which the same person is known otherwise, as JSON; without a
    `password_hash` (Argon2id, with its parameters) nobody logs in. Sealed by the audit (`verification`)."""

    __tablename__ = "users"
    name: Named[str] = Column(primary_key=True)
    role: Named[str]
    scope: Named[str]
    also: Named[str]
    password_hash: Named[str | None]
    created_at: Named[str]
    created_by: Named[str]
    disabled_at: Named[str | None]


class SessionRow(Model):
    """A login that has not ended. Only the SHA-256 of its secret is kept. All but `used_at` is sealed by the audit."""

    __tablename__ = "sessions"
    id: Named[str] = Column(primary_key=True)
    user_name: Named[str] = Column(ForeignKey("users.name"), index=True)
    secret_hash: Named[str] = Column(unique=True)
    created_at: Named[str]
    used_at: Named[str]
    ends_at: Named[str]


class WebhookRow(Model):
    """Whose signed messages may decide, and where its secret is found."""

    __tablename__ = "webhooks"
    name: Named[str] = Column(primary_key=True)
    secret_ref: Named[str]
    scope: Named[str]
    created_at: Named[str]
    created_by: Named[str]


class WebhookUseRow(Model):
    """A message that was used: no second one of its sender may have this id."""

    __tablename__ = "webhook_uses"
    webhook: Named[str] = Column(primary_key=True)
    message_id: Named[str] = Column(primary_key=True)
    at: Named[str]


class TargetRow(Model):
    __tablename__ = "targets"
    __table_args__ = (
        CheckConstraint("mode IN ('twin', 'prism', 'live')", name="mode"),
        Index("uq_targets_default", "api", unique=True,
              sqlite_where=text("is_default")),
    )  # fmt: skip
    name: Named[str] = Column(primary_key=True)
    api: Named[str] = Column(index=True)
    base_url: Named[str]
    mode: Named[str]
    username_ref: Named[str | None]
    password_ref: Named[str | None]
    token_ref: Named[str | None]
    tls: Named[str]
    is_default: Named[bool]
    labels: Named[str] = Column(server_default=text("'{}'"))
    limits: Named[str] = Column(server_default=text("'{}'"))
    responses: Named[str] = Column(server_default=text("''"))
    server: Named[str] = Column(server_default=text("'{}'"))
    created_at: Named[str]


class BundleKeyRow(Model):
    """Whose signature on a bundle counts. `id` is the fingerprint of `public_key`; revoking is final."""

    __tablename__ = "bundle_keys"
    id: Named[str] = Column(primary_key=True)
    name: Named[str]
    public_key: Named[str]
    trusted_at: Named[str]
    trusted_by: Named[str]
    revoked_at: Named[str | None]
    revoked_by: Named[str | None]


class BundleThresholdRow(Model):
    """One row, or none as long as one signature is enough."""

    __tablename__ = "bundle_threshold"
    id: Named[int] = Column(primary_key=True, autoincrement=False)
    signatures: Named[int]


class BundleRow(Model):
    """Each bundle that was imported: the memory that refuses older ones and knows which APIs came with which name."""

    __tablename__ = "bundles"
    name: Named[str] = Column(primary_key=True)
    version: Named[int] = Column(Sequence, primary_key=True, autoincrement=False)
    digest: Named[str]
    catalog: Named[str]
    apis: Named[str]
    signed_by: Named[str]
    created_at: Named[str]
    expires_at: Named[str]
    imported_at: Named[str]
    imported_by: Named[str]


class ScheduleRow(Model):
    """When a workflow is to be run by itself, and for whom. `labels`, `inputs` and `last` are JSON; `next_at` is the
    moment that comes next, and what two replicas compare and set; `last` tells what came of the one before."""

    __tablename__ = "schedules"
    name: Named[str] = Column(primary_key=True)
    workflow_id: Named[str]
    target: Named[str | None]
    labels: Named[str]
    inputs: Named[str]
    cron: Named[str]
    zone: Named[str]
    created_by: Named[str]
    created_at: Named[str]
    is_paused: Named[bool]
    next_at: Named[str] = Column(index=True)
    last: Named[str] = Column(server_default=text("'{}'"))


class EndpointRow(Model):
    """Who is told of events. `kinds` and `apis`: JSON lists, empty for all; `secret_ref`: where its secret is found."""

    __tablename__ = "event_endpoints"
    name: Named[str] = Column(primary_key=True)
    url: Named[str]
    secret_ref: Named[str]
    kinds: Named[str]
    apis: Named[str]
    tls: Named[str]
    created_at: Named[str]
    created_by: Named[str]
    disabled_at: Named[str | None]
    disabled_why: Named[str | None]


class DeliveryRow(Model):
    """One message for one endpoint, until it is heard. `next_at`: when it is due, or a claim of it ends; null: dead."""

    __tablename__ = "event_deliveries"
    id: Named[str] = Column(primary_key=True)
    endpoint: Named[str] = Column(ForeignKey("event_endpoints.name"), index=True)
    kind: Named[str]
    body: Named[str]
    made_at: Named[str]
    tries: Named[int]
    next_at: Named[str | None] = Column(index=True)
    error: Named[str | None]
    error_at: Named[str | None]


class SiteRow(Model):
    """What a hub of several processes knows of a site. `process`, `number`: of its newest message; `poll`: which of its
    questions for work is answered; `polls`: JSON, the last number of each of its processes. `state` and `told` are
    sealed by the hub's key: how it is, and what it has."""

    __tablename__ = "sites"
    name: Named[str] = Column(primary_key=True)
    process: Named[str] = Column(server_default=text("''"))
    number: Named[int] = Column(BigInteger, server_default=text("0"))
    poll: Named[str] = Column(server_default=text("''"))
    polls: Named[str] = Column(server_default=text("'{}'"))
    seen_at: Named[str] = Column(server_default=text("''"))
    state: Named[str] = Column(server_default=text("''"))
    told: Named[str] = Column(server_default=text("''"))


class SiteDispatchRow(Model):
    """A dispatch of a hub of several processes. `sender`: the process whose run waits for it, as it says anew until
    `kept_until`; `handed_at`: last, null where it never was; `process`: the site's, which took it. `is_due`: to be
    handed over; `is_left`: nobody waits for it. `asked`, `waits`, `unwanted`, `answer` are sealed by the hub's key."""

    __tablename__ = "site_dispatches"
    id: Named[str] = Column(primary_key=True)
    site: Named[str] = Column(index=True)
    made_at: Named[str]
    asked: Named[str]
    sender: Named[str]
    kept_until: Named[str]
    is_due: Named[bool] = Column(server_default=false())
    handed_at: Named[str | None]
    process: Named[str] = Column(server_default=text("''"))
    waits: Named[str] = Column(server_default=text("''"))
    unwanted: Named[str] = Column(server_default=text("''"))
    ended_at: Named[str | None]
    is_left: Named[bool] = Column(server_default=false())
    answer: Named[str | None]
