"""The snapshot of what is approved: whole, checked, swapped, and honest about what is left out."""

import asyncio
import sqlite3
from typing import Any

import pytest

from governance.approval.revisions import RevisionStore
from governance.storage.database import Database
from governance.storage.models import RevisionRow
from runtime.catalog import watcher as live
from runtime.catalog.snapshot import CHECKED_AT_ONCE, Catalog, Prepared
from runtime.errors import UnknownTarget, UnknownWorkflow
from tests.waiting import until


def tampered(url: str, column: str, value: object, revision_id: str) -> None:
    """Changes one column behind the product's back, as somebody would who may write the file."""
    guards = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'revisions' AND sql LIKE '%RAISE%'"
    with sqlite3.connect(url.removeprefix("sqlite+aiosqlite:///")) as connection:
        for (name,) in connection.execute(guards).fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(f"UPDATE revisions SET {column} = ? WHERE id = ?", (value, revision_id))
    connection.close()


async def test_only_what_is_approved_is_served(house: Any) -> None:
    await house.submit("find")
    assert dict((await house.service.live.reload()).entries) == {}
    await house.approve("list")
    catalog = await house.service.live.reload()
    assert list(catalog.entries) == ["toy_list_vms"]


async def test_a_snapshot_does_not_change_and_the_next_one_takes_over_what_stayed(house: Any) -> None:
    await house.approve("find")
    before = await house.service.live.reload()
    await house.approve("list")
    after = await house.service.live.reload()
    assert list(before.entries) == ["toy_find_vm"]
    assert after.entries["toy_find_vm"] is before.entries["toy_find_vm"]
    assert after.version != before.version
    with pytest.raises(TypeError):
        after.entries["x"] = before.entries["toy_find_vm"]


@pytest.mark.parametrize(
    "column", sorted(set(RevisionRow.__table__.columns.keys()) - {"id", "audit_seq", "workflow_id", "api", "state"})
)
async def test_a_change_in_any_column_makes_the_tool_disappear_and_says_so(house: Any, column: str) -> None:
    revision = await house.approve("find")
    await house.service.live.reload()
    current = {"number": 7, "is_core": 0, "rank": 0.25}
    tampered(house.url, column, current.get(column, "sha256:0"), revision.id)
    catalog = await house.service.live.reload()
    assert dict(catalog.entries) == {}
    assert [refusal.workflow_id for refusal in catalog.refusals] == ["toy-find-vm"]
    assert catalog.refusals[0].reason


async def test_a_failing_database_leaves_the_last_good_snapshot_in_place(house: Any) -> None:
    await house.approve("find")
    before = await house.service.live.reload()
    await house.service.database.close()
    with pytest.raises(Exception, match="closed"):
        await house.service.live.reload()
    assert house.service.live.now is before
    assert "closed" in house.service.live.trouble


async def test_of_two_tools_with_one_name_one_is_served_and_the_other_named(house: Any, tools: Any) -> None:
    await house.approve("find")
    content = tools.toy_content("list")
    tool = {**content.tool, "name": "toy_find_vm"}
    store = house.service.revisions
    submission = await store.submit(
        "toy", "toy-z", type(content)(content.document, tool, content.operations, content.profile_digest),
        intent="find", risk="read", resource="vms", is_core=True, rank=1.0, proof=None, actor="test",
    )  # fmt: skip
    revision = submission.revision
    await store.decide(revision.id, "approve", actor="t", role="admin", reason="", digest=revision.digest)
    catalog = await house.service.live.reload()
    assert catalog.entries["toy_find_vm"].workflow_id == "toy-find-vm"
    assert [(refusal.workflow_id, "has a tool of this name" in refusal.reason) for refusal in catalog.refusals] == [
        ("toy-z", True)
    ]


async def test_without_a_choice_the_target_is_implied_and_the_schema_is_the_approved_one(lab: Any) -> None:
    entry = lab.service.live.now.entries["toy_find_vm"]
    assert entry.target_argument == ""
    added = {"select", "where"}  # of a read: what of the answer is wanted
    shown = entry.input_schema["properties"]
    approved = {**entry.input_schema, "properties": {name: shown[name] for name in shown if name not in added}}
    assert (approved, shown.keys() & added) == (entry.tool["inputSchema"], added)
    assert entry.target(None).name == "lab"


async def test_with_several_targets_one_can_be_chosen_and_the_default_needs_no_name(lab: Any) -> None:
    await lab.target("http://127.0.0.1:1", "other")
    entry = (await lab.service.live.reload()).entries["toy_find_vm"]
    assert entry.input_schema["properties"]["target"]["enum"] == ["lab", "other"]
    assert entry.target(None).name == "lab"
    assert entry.target("other").name == "other"
    with pytest.raises(UnknownTarget, match="no target nowhere"):
        entry.target("nowhere")


async def test_a_change_of_targets_is_another_version_for_clients(lab: Any) -> None:
    before = lab.service.live.now.version
    await lab.target("http://127.0.0.1:1", "other")
    assert (await lab.service.live.reload()).version != before


@pytest.mark.parametrize("ref", ["toy-find-vm", "toy_find_vm", "toy-find-vm@1"])
async def test_an_entry_is_found_by_workflow_tool_and_number(lab: Any, ref: str) -> None:
    assert lab.service.live.now.find(ref).workflow_id == "toy-find-vm"


@pytest.mark.parametrize("ref", ["toy-find-vm@2", "toy-list-vms", "", "@1", "x" * 500])
async def test_what_is_not_approved_is_unknown(lab: Any, ref: str) -> None:
    with pytest.raises(UnknownWorkflow):
        lab.service.live.now.find(ref)


def test_the_empty_catalog_serves_nothing() -> None:
    assert Catalog().get("x") is None


async def unplannable(house: Any, tools: Any, copy: int) -> None:
    """Approves a workflow that nobody can execute."""
    content = tools.toy_content("find", copy)
    content.document["workflows"][0]["steps"][0]["operationPath"] = "nowhere"
    store = house.service.revisions
    workflow_id = content.document["workflows"][0]["workflowId"]
    submission = await store.submit(
        "toy", workflow_id, content, intent="find", risk="read", resource="vms",
        is_core=True, rank=1.0, proof=None, actor="test",
    )  # fmt: skip
    revision = submission.revision
    await store.decide(revision.id, "approve", actor="t", role="admin", reason="", digest=revision.digest)


async def test_what_cannot_be_executed_is_not_served_and_says_so(house: Any, tools: Any) -> None:
    await house.approve("find")
    await unplannable(house, tools, 7)
    catalog = await house.service.live.reload()
    assert list(catalog.entries) == ["toy_find_vm"]
    assert [refusal.workflow_id for refusal in catalog.refusals] == ["toy-find-vm-7"]
    assert "cannot be executed" in catalog.refusals[0].reason


async def test_among_many_what_cannot_be_executed_is_found_while_the_others_are_served(house: Any, tools: Any) -> None:
    for number in range(25):
        await house.approve("find", number)
    await unplannable(house, tools, 99)
    catalog = await house.service.live.reload()
    assert len(catalog.entries) == 26
    watch = asyncio.create_task(house.service.live.watch())
    await until(lambda: house.service.live.now.refusals)
    watch.cancel()
    assert [refusal.workflow_id for refusal in house.service.live.now.refusals] == ["toy-find-vm-99"]
    assert len(house.service.live.now.entries) == 25


async def test_while_nobody_writes_the_database_is_asked_once_in_twenty_rounds_and_a_write_is_seen_at_the_next(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.approve("find")
    await house.service.live.reload()
    rounds, asked = [], []
    look, ask = Database.stamp, RevisionStore.change_token

    def counted_look(database: Database) -> Any:
        rounds.append(1)
        return look(database)

    async def counted_ask(store: RevisionStore) -> str:
        asked.append(1)
        return await ask(store)

    monkeypatch.setattr(live, "POLL_S", 0.001)
    monkeypatch.setattr(Database, "stamp", counted_look)
    monkeypatch.setattr(RevisionStore, "change_token", counted_ask)
    watch = asyncio.create_task(house.service.live.watch())
    try:
        await until(lambda: len(rounds) > 200)
        assert 8 <= len(asked) <= 40  # of each kind of look the first, and one in twenty
        await house.approve("list")
        await until(lambda: "toy_list_vms" in house.service.live.now.entries)
    finally:
        watch.cancel()


async def test_what_was_not_checked_yet_does_not_hold_up_a_later_change(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(CHECKED_AT_ONCE + 1):
        await house.approve("find", number)
    await house.service.live.reload()
    checked = []
    monkeypatch.setattr(Prepared, "check", lambda prepared: checked.append(prepared))
    await house.approve("list")
    await house.service.live.reload()
    assert len(checked) == 1
