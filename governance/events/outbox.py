"""What others are told of: events, written into the outbox in the same transaction as what they tell.

One row for each endpoint that wants it, with the very bytes that will be sent, and an audit row that seals it, so that
nothing is signed and sent that was written by hand; without an endpoint nothing is written.
Called by the stores inside their own writes, like the audit. What is told are names, ids, digests and outcomes: never
inputs, outputs, texts of people or messages of devices. Sending is the runtime's (`deliveries`).
Here never lives an endpoint's secret. Standard Webhooks, "Payload structure"; docs/EVENTS.md.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, get_args

from sqlalchemy import Connection, insert, select

from governance.audit.log import Event, append_entries
from governance.audit.verification import SEAL, seal_over
from governance.storage.identifiers import Json, from_text, new_id, to_text
from governance.storage.models import DeliveryRow, EndpointRow, RevisionRow, RunRow, table_of
from governance.storage.statements import Statement

Kind = Literal[
    "workflow.pending",
    "workflow.approved",
    "workflow.rejected",
    "workflow.retired",
    "workflow.superseded",
    "workflow.expired",
    "workflow.digest_mismatch",
    "run.finished",
    "run.unknown",
    "call.waiting",
    "call.let_through",
    "call.refused",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
_OF_STATE: Mapping[str, Kind] = MappingProxyType(
    {kind.removeprefix("workflow."): kind for kind in KINDS if kind.startswith("workflow.")}
)

SEALED = ("id", "endpoint", "kind", "body", "made_at")
"""Of a message in the outbox; the other columns say when and how often it is tried."""
QUEUED, SEALS = "event.queued", ("event.queued", "event.sealed", "event.delivered")
"""The actions that say whether a message is to be sent: the last of them."""
_ENDPOINT = table_of(EndpointRow)
_RUN = table_of(RunRow)
_REVISION = table_of(RevisionRow)
_ADD = insert(table_of(DeliveryRow))
_LISTENING = Statement(
    select(_ENDPOINT.c.name, _ENDPOINT.c.kinds, _ENDPOINT.c.apis).where(_ENDPOINT.c.disabled_at.is_(None))
)
_RAN = select(
    _RUN.c.id, _RUN.c.revision_id, _RUN.c.digest, _RUN.c.target, _RUN.c.caller, _RUN.c.started_at,
    _REVISION.c.api, _REVISION.c.workflow_id, _REVISION.c.number, _REVISION.c.risk,
).join_from(_RUN, _REVISION, _REVISION.c.id == _RUN.c.revision_id)  # fmt: skip


def emit(connection: Connection, at: str, kind: Kind, tell: Callable[[], Mapping[str, Json]]) -> None:
    """Writes the event for each endpoint that wants it. `tell` is asked only if somebody may: its `api` chooses."""
    listening = _LISTENING.all(connection, {})
    wanted = [(name, apis) for name, kinds, apis in listening if kind in (from_text(kinds) or KINDS)]
    if not wanted:
        return
    data = tell()
    body = to_text({"type": kind, "timestamp": at, "data": dict(data)})
    rows = [
        {"id": new_id(), "endpoint": name, "kind": kind, "body": body, "made_at": at, "tries": 0, "next_at": at}
        for name, apis in wanted
        if data["api"] is None or data["api"] in (from_text(apis) or (data["api"],))
    ]
    if rows:
        connection.execute(_ADD, rows)
        append_entries(connection, [_queued(at, row) for row in rows])


def _queued(at: str, row: Mapping[str, Json]) -> Event:
    told = {"endpoint": row["endpoint"], "kind": row["kind"], SEAL: seal_over(row, SEALED)}
    return Event(at, "outbox", QUEUED, f"event:{row['id']}", told)


def tell_of_revision(
    connection: Connection,
    at: str,
    values: Mapping[str, Any],
    before: str | None,
    by: str,
    *,
    has_expired: bool = False,
) -> None:
    """A revision, whose columns are `values`, has come from the state `before` into the one that they say."""
    kind = _OF_STATE["expired" if has_expired else values["state"]]
    emit(connection, at, kind, lambda: {**about_revision(values), "from": before, "to": values["state"], "by": by})


def about_revision(values: Mapping[str, Any]) -> dict[str, Json]:
    """What names a revision, its content and its class; of a row, or of the audit's detail about one."""
    return {
        "api": values["api"],
        "workflow": values["workflow_id"],
        "revision": f"{values['workflow_id']}@{values['number']}",
        "digest": values["digest"],
        "risk": values["risk"],
    }


def tell_of_run(connection: Connection, at: str, run_id: str, outcome: str, failure: Json) -> None:
    """A run has ended. Of a failure the code and the step are told."""

    def tell() -> dict[str, Json]:
        row = connection.execute(_RAN.where(_RUN.c.id == run_id)).one()._asdict()
        told = failure or {}
        return {
            **about_revision(row),
            "run": run_id,
            "target": row["target"],
            "caller": row["caller"],
            "outcome": outcome,
            "failed_step": told.get("step_id") or None,
            "failure_code": told.get("code") or None,
            "started_at": row["started_at"],
            "finished_at": at,
        }

    emit(connection, at, "run.unknown" if outcome == "unknown" else "run.finished", tell)


def tell_of_ask(connection: Connection, at: str, kind: Kind, ask: Mapping[str, Json]) -> None:
    """A call waits for a person, was let through or refused (`asks`). `plan` is what the answer names."""

    def tell() -> dict[str, Json]:
        named = ("target", "caller", "people", "votes", "state", "expires_at")
        more = {name: ask[name] for name in named} | {"plan": ask["id"], "run": ask["run_id"], "by": ask["by"]}
        return {**about_revision(ask), **more}

    emit(connection, at, kind, tell)
