"""Events stand in the outbox exactly when what they tell is stored, for exactly those who asked; one claims each."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from governance.approval.revisions import Revision, RevisionFault, RevisionStore, Submission
from governance.errors import ConflictError, DigestError, InvalidError, NotFoundError
from governance.events.deliveries import DeliveryStore
from governance.events.endpoints import Endpoint, EndpointStore
from governance.runs.mismatches import MismatchStore
from governance.runs.open_runs import OpenRuns, RunFinding
from governance.runs.runs import RunStore
from governance.storage.database import Database, open_database
from governance.storage.identifiers import moment, new_id
from governance.storage.models import DeliveryRow, table_of

Submit = Callable[..., Awaitable[Submission]]
Approve = Callable[[Revision], Awaitable[Revision]]
DESK = Endpoint("desk", "https://desk.example/hook", "env:DESK_SECRET")
LONG = moment(datetime.now(UTC) + timedelta(days=1))


@pytest.fixture
def endpoints(database: Database) -> EndpointStore:
    return EndpointStore(database)


@pytest.fixture
def deliveries(database: Database) -> DeliveryStore:
    return DeliveryStore(database)


async def waiting(database: Database) -> list[tuple[str, str, Any]]:
    """Endpoint, kind and data of everything in the outbox, in order."""
    table = table_of(DeliveryRow)
    rows = await database.read(lambda c: c.execute(select(table).order_by(table.c.made_at, table.c.id)).all())
    told = [(row.endpoint, json.loads(row.body)) for row in rows]
    return [(name, body["type"], body["data"]) for name, body in told]


async def ran(database: Database, revision: Revision, outcome: Any, failure: Any = None) -> str:
    runs, run_id = RunStore(database), new_id()
    await runs.create(run_id, revision.id, revision.digest, "lab", "ann", {"vm": "canary-input"})
    await runs.finish(run_id, outcome, {"out": "canary-output"}, failure)
    return run_id


async def test_without_an_endpoint_nothing_is_written(database: Database, submit: Submit, approve: Approve) -> None:
    await ran(database, await approve((await submit()).revision), "succeeded")
    assert await waiting(database) == []


async def test_every_move_of_a_revision_is_told_with_its_names_and_its_digest(
    database: Database, endpoints: EndpointStore, store: RevisionStore, submit: Submit, approve: Approve
) -> None:
    await endpoints.add(DESK, actor="boss")
    first = await approve((await submit("one")).revision)
    second = await approve((await submit("two")).revision)
    third = (await submit("three")).revision
    verdict = {"actor": "ann", "role": "approver", "reason": "canary-reason"}
    await store.decide(third.id, "reject", digest=third.digest, **verdict)
    await store.decide(second.id, "retire", digest=second.digest, **verdict)
    told = [(kind, data["revision"], data["from"], data["to"]) for _, kind, data in await waiting(database)]
    assert told == [
        ("workflow.pending", "start_vm@1", None, "pending"),
        ("workflow.approved", "start_vm@1", "pending", "approved"),
        ("workflow.pending", "start_vm@2", None, "pending"),
        ("workflow.superseded", "start_vm@1", "approved", "superseded"),
        ("workflow.approved", "start_vm@2", "pending", "approved"),
        ("workflow.pending", "start_vm@3", None, "pending"),
        ("workflow.rejected", "start_vm@3", "pending", "rejected"),
        ("workflow.retired", "start_vm@2", "approved", "retired"),
    ]
    _, _, approved = (await waiting(database))[1]
    assert approved == {
        "api": "hypercore", "workflow": "start_vm", "revision": "start_vm@1", "digest": first.digest,
        "risk": "disrupt", "from": "pending", "to": "approved", "by": "ann",
    }  # fmt: skip
    assert "canary" not in json.dumps(await waiting(database))


async def test_what_was_not_decided_is_not_told(
    database: Database, endpoints: EndpointStore, store: RevisionStore, submit: Submit
) -> None:
    await endpoints.add(DESK, actor="boss")
    revision = (await submit()).revision
    with pytest.raises(DigestError):
        await store.decide(revision.id, "approve", actor="a", role="admin", reason="", digest="sha256:" + "0" * 64)
    assert [kind for _, kind, _ in await waiting(database)] == ["workflow.pending"]


async def test_the_end_of_a_run_is_told_without_inputs_outputs_or_messages(
    database: Database, endpoints: EndpointStore, submit: Submit, approve: Approve
) -> None:
    revision = await approve((await submit()).revision)
    await endpoints.add(DESK, actor="boss")
    good = await ran(database, revision, "succeeded")
    failure = {"step_id": "change", "code": "unknown_fate", "message": "canary-message", "done": [], "not_done": []}
    bad = await ran(database, revision, "unknown", failure)
    await OpenRuns(database).resolve(bad, RunFinding(has_happened=True, goes_on=False), actor="ann")
    told = await waiting(database)
    assert [(kind, data["run"], data["outcome"]) for _, kind, data in told] == [
        ("run.finished", good, "succeeded"),
        ("run.unknown", bad, "unknown"),
        ("run.finished", bad, "failed"),
    ]
    assert (told[1][2]["failed_step"], told[1][2]["failure_code"]) == ("change", "unknown_fate")
    assert (told[0][2]["target"], told[0][2]["caller"], told[0][2]["digest"]) == ("lab", "ann", revision.digest)
    assert "canary" not in json.dumps(told)


async def test_each_endpoint_hears_of_the_kinds_and_apis_that_it_chose(
    database: Database, endpoints: EndpointStore, submit: Submit, approve: Approve
) -> None:
    await endpoints.add(Endpoint("runs", DESK.url, "env:A", kinds=("run.finished",)), actor="boss")
    await endpoints.add(Endpoint("other", DESK.url, "env:A", apis=("idrac",)), actor="boss")
    await endpoints.add(Endpoint("ours", DESK.url, "env:A", ("workflow.approved",), ("hypercore",)), actor="boss")
    revision = await approve((await submit()).revision)
    await ran(database, revision, "succeeded")
    assert [(name, kind) for name, kind, _ in await waiting(database)] == [
        ("ours", "workflow.approved"),
        ("runs", "run.finished"),
    ]


async def test_of_several_who_claim_at_once_each_message_is_given_to_one(
    url: str, endpoints: EndpointStore, deliveries: DeliveryStore, submit: Submit
) -> None:
    await endpoints.add(DESK, actor="boss")
    for number in range(12):
        await submit(workflow_id=f"w{number}")
    now = LONG
    until = moment(datetime.now(UTC) + timedelta(days=2))
    async with open_database(url) as second:
        stores = (deliveries, DeliveryStore(second))
        claimed = await asyncio.gather(*(store.claim("desk", now, until, 3) for store in stores * 4))
    ids = [each.id for part in claimed for each in part]
    assert len(ids) == len(set(ids)) == 12


async def test_a_claim_that_has_ended_is_somebody_elses_and_its_owner_changes_nothing_any_more(
    endpoints: EndpointStore, deliveries: DeliveryStore, submit: Submit
) -> None:
    await endpoints.add(DESK, actor="boss")
    await submit()
    (first,) = await deliveries.claim("desk", LONG, LONG, 5)
    (second,) = await deliveries.claim("desk", LONG, LONG + "x", 5)
    assert (second.id, second.body, second.tries) == (first.id, first.body, 2)
    await deliveries.delivered(first)
    await deliveries.failed(first, "late", None)
    assert [(each.waiting, each.dead) for each in await deliveries.depths()] == [(1, 0)]
    await deliveries.delivered(second)
    assert [(each.waiting, each.dead) for each in await deliveries.depths()] == [(0, 0)]


async def test_dead_letters_are_listed_sent_again_and_forgotten(
    database: Database, endpoints: EndpointStore, deliveries: DeliveryStore, submit: Submit
) -> None:
    await endpoints.add(DESK, actor="boss")
    await submit()
    (claimed,) = await deliveries.claim("desk", LONG, LONG, 5)
    await deliveries.failed(claimed, "desk answered 500", None)
    (letter,) = await deliveries.dead()
    assert (letter.id, letter.error, letter.tries) == (claimed.id, "desk answered 500", 1)
    assert await deliveries.due(LONG) == ()
    await deliveries.resend(letter.id, actor="ann")
    with pytest.raises(NotFoundError):
        await deliveries.resend(letter.id, actor="ann")
    assert await deliveries.due(LONG) == ("desk",)
    (again,) = await deliveries.claim("desk", LONG, LONG, 5)
    await deliveries.failed(again, "desk answered 500", None)
    assert await deliveries.sweep(waited_since="2", dead_since="2") == (0, 0)
    assert await deliveries.sweep(waited_since=LONG, dead_since=LONG) == (0, 1)
    assert await deliveries.dead() == ()


async def test_what_waits_too_long_is_dead_however_often_it_was_put_off(
    endpoints: EndpointStore, deliveries: DeliveryStore, submit: Submit
) -> None:
    await endpoints.add(DESK, actor="boss")
    await submit()
    assert await deliveries.sweep(waited_since=LONG, dead_since="2") == (1, 0)
    assert [each.error for each in await deliveries.dead()] == ["it waited too long"]


async def test_what_has_gone_hears_nothing_until_it_is_enabled(
    database: Database, endpoints: EndpointStore, deliveries: DeliveryStore, submit: Submit
) -> None:
    await endpoints.add(DESK, actor="boss")
    await submit()
    await submit(workflow_id="other")
    (claimed, *_) = await deliveries.claim("desk", LONG, LONG, 1)
    await deliveries.gone(claimed, "desk answered 410")
    assert (await endpoints.get("desk")).disabled_why == "desk answered 410"
    await submit(workflow_id="third")
    assert len(await deliveries.dead()) == len(await waiting(database)) == 2
    await endpoints.enable("desk", actor="boss")
    await submit(workflow_id="fourth")
    assert len(await waiting(database)) == 3
    await endpoints.remove("desk", actor="boss")
    assert await waiting(database) == []


@pytest.mark.parametrize(
    "url",
    [
        "http://desk.example/x", "http://10.0.0.1/", "ftp://desk.example/", "https://ann:pw@desk.example/",
        "https:///x", "https://desk.example/#x", "https://desk.example:0/", "https://desk .example/",
        "https://desk.example/\r\nx: y", "file:///etc/passwd", "https://[::1", "http://localhost.desk.example/",
    ],
)  # fmt: skip
async def test_an_address_that_is_none_or_in_the_clear_is_refused(sqlite_url: str, url: str) -> None:
    async with open_database(sqlite_url) as database:
        with pytest.raises(InvalidError):
            await EndpointStore(database).add(Endpoint("desk", url, "env:A"), actor="boss")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8/x", "http://[::1]/x", "http://localhost/", "https://desk.example/"]
)
async def test_an_address_here_or_by_https_is_taken(sqlite_url: str, url: str) -> None:
    async with open_database(sqlite_url) as database:
        store = EndpointStore(database)
        assert (await store.add(Endpoint("desk", url, "env:A"), actor="boss")).url == url
        with pytest.raises(ConflictError):
            await store.add(Endpoint("desk", url, "env:A"), actor="boss")
        for wrong in (
            Endpoint("de sk", url, "env:A"),
            Endpoint("b", url, "whsec_x"),
            Endpoint("b", url, "env:A", ("x",)),
        ):
            with pytest.raises(InvalidError):
                await store.add(wrong, actor="boss")


async def test_a_mismatch_is_told_once_as_long_as_it_lasts(
    database: Database, endpoints: EndpointStore, submit: Submit, approve: Approve
) -> None:
    revision = await approve((await submit()).revision)
    await endpoints.add(Endpoint("guard", DESK.url, "env:A", ("workflow.digest_mismatch",)), actor="boss")
    store, fault = MismatchStore(database), RevisionFault(revision.id, "start_vm", "a column was changed")
    for _ in range(3):
        await store.tell([fault])
    ((_, kind, data),) = await waiting(database)
    assert (kind, data["revision"], data["digest"]) == ("workflow.digest_mismatch", "start_vm@1", revision.digest)
    assert data["fault"] == "a column was changed"
    await store.restored([revision.id])
    await store.restored([revision.id])
    await store.tell([fault])
    assert len(await waiting(database)) == 2
    await store.tell([RevisionFault("nobody", "lost", "its row was removed")])
    assert (await waiting(database))[-1][2]["workflow"] == "lost"
