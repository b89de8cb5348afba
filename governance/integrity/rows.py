"""Rows held against the audit, table by table: what was changed, added or taken away behind our back, in sentences.

Each check is given a connection and answers the faults of one table; `declared` says which table has which. What a
store asks of one row when it uses it is asked of all rows here, by the same functions. Here never lives what is done
about a fault: the stores refuse such rows whether anybody looked here or not.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.engine import Row

from governance.approval import revision_rows as revisions
from governance.approval.integrity import find_fault
from governance.audit.log import is_intact
from governance.audit.verification import is_about, seal_over, told_about
from governance.errors import TamperedError
from governance.events import endpoints, outbox
from governance.people import principals, sessions, user_rows
from governance.registry import knowledge
from governance.registry.apis import is_whole_profile
from governance.registry.responses import print_of, told_schemas
from governance.registry.targets import CHANGES as TARGET_CHANGES
from governance.registry.targets import fits_told, read_target
from governance.runs import plans, schedules
from governance.storage.identifiers import Json, from_text
from governance.storage.models import (
    ApiRow,
    AuditEntry,
    AuditHead,
    BundleKeyRow,
    BundleRow,
    BundleThresholdRow,
    CatalogChange,
    DeliveryRow,
    DisabledRow,
    EndpointRow,
    KnowledgeRow,
    Model,
    PlanRow,
    PolicyRow,
    PrincipalRow,
    ProfileRow,
    ResponseRow,
    ScheduleRow,
    SessionRow,
    TargetRow,
    UserRow,
    WebhookRow,
    WebhookUseRow,
    table_of,
)

_AUDIT = table_of(AuditEntry)
Said = Mapping[str, Json]
Check = Callable[[Connection], Iterator[str]]


def held(
    noun: str, kind: str, rows: Said, told: Said, fits: Callable[[Json, Json], bool] = lambda a, b: a == b
) -> Iterator[str]:
    """`rows`: what the audit must say of each, by its name; `told`: what it says, by subject, None of what is gone."""
    for name, said in rows.items():
        if not fits(said, told.get(f"{kind}:{name}")):
            yield f"the {noun} {name} is not as the audit says"
    for subject in sorted(told.keys() - {f"{kind}:{name}" for name in rows}):
        if told[subject] is not None:
            yield f"the {noun} {subject.partition(':')[2]} was taken away"


def _all(connection: Connection, model: type[Model]) -> list[Row[Any]]:
    table = table_of(model)
    return list(connection.execute(select(table).order_by(*table.primary_key.columns)))


def _told_seals(connection: Connection, kind: str, actions: tuple[str, ...] = ()) -> dict[str, Json]:
    """Of what was removed or has ended the audit says no seal."""
    return {subject: (said or {}).get("seal") for subject, said in told_about(connection, kind, actions).items()}


def _sealed(columns: tuple[str, ...]) -> Callable[[Row[Any]], Json]:
    return lambda row: seal_over(row._asdict(), columns)


def _readable(read: Callable[[Row[Any]], Json]) -> Callable[[Row[Any]], Json]:
    """`read`, and for a row that we cannot have written, something that no audit row says."""

    def safe(row: Row[Any]) -> Json:
        try:
            return read(row)
        except (TamperedError, TypeError, ValueError, KeyError, AttributeError):
            return "it cannot be read"

    return safe


def tokens(connection: Connection) -> Iterator[str]:
    rows = {row.id: _sealed(principals.SEALED)(row) for row in _all(connection, PrincipalRow)}
    yield from held("token", "principal", rows, _told_seals(connection, "principal"))


def users(connection: Connection) -> Iterator[str]:
    rows = {row.name: _sealed(user_rows.SEALED)(row) for row in _all(connection, UserRow)}
    yield from held("user", "user", rows, _told_seals(connection, "user"))


def logins(connection: Connection) -> Iterator[str]:
    """Of those that are gone nothing is said: idle ones are forgotten without a word."""
    rows = {row.id: _sealed(sessions.SEALED)(row) for row in _all(connection, SessionRow)}
    told = _told_seals(connection, "session")
    yield from held(
        "session", "session", rows, {subject: said for subject, said in told.items() if subject[8:] in rows}
    )


def senders(connection: Connection) -> Iterator[str]:
    read = _readable(lambda row: {**row._asdict(), "scope": from_text(row.scope)})
    rows = {row.name: read(row) for row in _all(connection, WebhookRow)}
    yield from held("webhook", "webhook", rows, _nonempty(told_about(connection, "webhook")))


def uses(connection: Connection) -> Iterator[str]:
    """Of those that are gone nothing is said: the old ones are forgotten, and the audit knows them all."""
    rows = {f"{row.webhook}:{row.message_id}": {"at": row.at} for row in _all(connection, WebhookUseRow)}
    yield from held("used message", "webhook-use", rows, _of_those(rows, told_about(connection, "webhook-use")))


def targets(connection: Connection) -> Iterator[str]:

    read = _readable(lambda row: read_target(row).to_json())
    rows = {row.name: read(row) for row in _all(connection, TargetRow)}
    yield from held("target", "target", rows, _nonempty(told_about(connection, "target", TARGET_CHANGES)), fits_told)


def schedule_rows(connection: Connection) -> Iterator[str]:
    rows = {row.name: _sealed(schedules.SEALED)(row) for row in _all(connection, ScheduleRow)}
    yield from held("schedule", "schedule", rows, _told_seals(connection, "schedule", schedules.CHANGES))


def plan_rows(connection: Connection) -> Iterator[str]:
    """Of those that are gone nothing is said: old ones are forgotten, and nobody can use what is not there."""
    rows = {row.id: _sealed(plans.SEALED)(row) for row in _all(connection, PlanRow)}
    yield from held("plan", "plan", rows, _of_those(rows, _told_seals(connection, "plan", plans.CHANGES)))
    yield from _used_twice(connection)


def _used_twice(connection: Connection) -> Iterator[str]:
    query = select(_AUDIT.c.subject, _AUDIT.c.action).where(is_about("plan")).order_by(_AUDIT.c.seq)
    seen: set[tuple[str, str]] = set()
    for row in connection.execute(query):
        if row.action in ("plan.applied", "plan.confirmed") and (row.subject, row.action) in seen:
            yield f"the plan {row.subject[5:]} was used twice"
        seen.add((row.subject, row.action))


def endpoint_rows(connection: Connection) -> Iterator[str]:
    read = _readable(lambda row: endpoints.read_endpoint(row).to_json())
    rows = {row.name: read(row) for row in _all(connection, EndpointRow)}
    told = told_about(connection, "endpoint")
    yield from held(
        "endpoint", "endpoint", rows, {s: None if "dropped" in (said or {}) else said for s, said in told.items()}
    )


def messages(connection: Connection) -> Iterator[str]:
    rows = {row.id: _sealed(outbox.SEALED)(row) for row in _all(connection, DeliveryRow)}
    yield from held("message", "event", rows, _of_those(rows, _told_seals(connection, "event", outbox.SEALS)))


def disabled(connection: Connection) -> Iterator[str]:
    rows = {row.workflow_id: {"is_disabled": True, **row._asdict()} for row in _all(connection, DisabledRow)}
    told = told_about(connection, "workflow", ("workflow.disabled", "workflow.enabled"))
    off = {subject: said if (said or {}).get("is_disabled") else None for subject, said in told.items()}
    yield from held("disabled workflow", "workflow", rows, off)


def policies(connection: Connection) -> Iterator[str]:
    rows = {str(row.number): row._asdict() for row in _all(connection, PolicyRow)}
    yield from held("policy", "policy", rows, _told_by(connection, "policy", "policy.applied", _policy_told))


def _policy_told(row: Row[Any]) -> tuple[str, Json]:
    said = from_text(row.detail)
    return str(said["number"]), {**said, "applied_at": row.at, "applied_by": row.actor}


def bundles(connection: Connection) -> Iterator[str]:
    rows = {f"{row.name}@{row.version}": row._asdict() for row in _all(connection, BundleRow)}
    yield from held("bundle", "bundle", rows, _told_by(connection, "bundle", "bundle.imported", _bundle_told))


def _bundle_told(row: Row[Any]) -> tuple[str, Json]:
    said = from_text(row.detail)
    return f"{said['name']}@{said['version']}", said


def _told_by(
    connection: Connection, kind: str, action: str, read: Callable[[Row[Any]], tuple[str, Json]]
) -> dict[str, Json]:
    """What each audit row of `action` says, by the name that `read` finds in it, as a subject."""
    query = select(_AUDIT).where(is_about(kind), _AUDIT.c.action == action).order_by(_AUDIT.c.seq)
    found = (read(row) for row in connection.execute(query) if is_intact(row._asdict()))
    return {f"{kind}:{name}": said for name, said in found}


def bundle_keys(connection: Connection) -> Iterator[str]:
    rows = {row.id: row._asdict() for row in _all(connection, BundleKeyRow)}
    yield from held("trusted key", "bundle-key", rows, told_about(connection, "bundle-key"))


def threshold(connection: Connection) -> Iterator[str]:
    rows = {str(row.id): row._asdict() for row in _all(connection, BundleThresholdRow)}
    yield from held("number of signatures", "bundle-threshold", rows, told_about(connection, "bundle-threshold"))


def apis(connection: Connection) -> Iterator[str]:
    rows = {}
    for row in _all(connection, ApiRow):
        rows[row.name] = {name: said for name, said in row._asdict().items() if name != "updated_at"}
    yield from held("API", "api", rows, told_about(connection, "api", ("api.stored",)))


def profiles(connection: Connection) -> Iterator[str]:
    rows = _all(connection, ProfileRow)
    named = {row.profile_digest for row in _all(connection, ApiRow) if row.profile_digest}
    for gone in sorted(named - {row.digest for row in rows}):
        yield f"the profile {gone} was taken away"
    for row in rows:
        if not is_whole_profile(row.digest, row.body):
            yield f"the profile {row.digest} does not have its digest"


def replies(connection: Connection) -> Iterator[str]:
    rows = {row.operation: print_of(row.body) for row in _all(connection, ResponseRow)}
    told = {f"responses:{operation}": said for operation, said in told_schemas(connection).items()}
    yield from held("description of replies", "responses", rows, told)


def known_operations(connection: Connection) -> Iterator[str]:
    rows = {row.api: {"body": knowledge.print_of(row.body)} for row in _all(connection, KnowledgeRow)}
    yield from held("knowledge of the API", knowledge.KIND, rows, told_about(connection, knowledge.KIND))


def revision_rows(connection: Connection) -> Iterator[str]:
    known: set[str] = set()
    for stored in connection.execute(revisions.SELECT.order_by(revisions.TABLE.c.id)):
        values, witness = revisions.split(stored)
        known.add(f"revision:{values['id']}")
        fault = find_fault(values, witness)
        if fault:
            yield f"the revision {values['id']} of {values['workflow_id']}: {fault}"
    told = select(_AUDIT.c.subject).where(is_about("revision")).distinct()
    for subject in sorted(set(connection.execute(told).scalars()) - known):
        yield f"the revision {subject.partition(':')[2]} was taken away"


def head(connection: Connection) -> Iterator[str]:
    """What it says is the chain's to verify."""
    if [row.id for row in _all(connection, AuditHead)] != [1]:
        yield "the end of the audit is not one row"


def counter(connection: Connection) -> Iterator[str]:
    if [row.id for row in _all(connection, CatalogChange)] != [1]:
        yield "the counter of changes is not one row"


def _of_those(rows: Said, told: Said) -> dict[str, Json]:
    """What the audit says of rows that are there: of the others nothing is to be said."""
    return {subject: said for subject, said in told.items() if subject.partition(":")[2] in rows}


def _nonempty(told: Said) -> dict[str, Json]:
    """Of what was removed the audit says nothing more."""
    return {subject: said or None for subject, said in told.items()}
