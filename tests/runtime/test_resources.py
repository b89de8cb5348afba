"""Whole schemas and whole results, read by address: by whom, until when, and that nothing else is there."""

import json
import sqlite3
from collections.abc import AsyncIterator
from typing import Any

import jsonschema_rs
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

from runtime.mcp.cutting import MOST_SHOWN_BYTES

ERAS = pytest.mark.parametrize("era", ["legacy", "2026-07-28"])
MANY = 3000


def client(url: str, era: str, token: str | None = None) -> Client[Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Client(StreamableHttpTransport(url, headers=headers), mode=era)  # type: ignore[arg-type]


async def read(opened: Any, uri: str) -> Any:
    (content,) = await opened.read_resource(uri)
    return json.loads(content.text)


@ERAS
async def test_a_tool_that_shows_a_part_says_where_the_whole_schema_is(server: Any, era: str) -> None:
    async with client(server.mcp, era) as opened:
        tools = {tool.name: tool for tool in await opened.list_tools()}
        uri = tools["toy_stop_vm"].meta["switchgear"]["schema"]
        whole = await read(opened, uri)
        templates = {template.uri_template for template in await opened.list_resource_templates()}
    assert list(tools["toy_stop_vm"].input_schema["properties"]) == ["uuid", "plan", "plan_id"]
    assert uri == "switchgear://workflows/toy_stop_vm/schema"
    assert sorted(whole["properties"]) == ["note", "password", "plan", "plan_id", "uuid"]
    assert jsonschema_rs.validator_for(whole).is_valid({"uuid": "u-1", "note": "for a while"})
    assert "schema" not in tools["toy_find_vm"].meta["switchgear"]
    assert templates == {
        "switchgear://workflows/{name}/schema", "switchgear://runs/{run_id}", "switchgear://runs/{run_id}/outputs"
    }  # fmt: skip


async def test_what_the_whole_schema_takes_the_tool_takes(server: Any, device: Any) -> None:
    async with client(server.mcp, "legacy") as opened:
        await opened.call_tool("toy_stop_vm", {"uuid": "u-1", "note": "for a while"})
    assert json.loads(device.heard[0].body)["note"] == "for a while"


@ERAS
@pytest.mark.parametrize("name", ["toy_list_vms", "nothing", "..%2F..%2Fsecrets", "toy-stop-vm"])
async def test_the_schema_of_what_is_not_approved_is_not_there(server: Any, lab: Any, era: str, name: str) -> None:
    await lab.submit("list")
    async with client(server.mcp, era) as opened:
        with pytest.raises(Exception, match=r"no approved workflow|[Nn]ot found|[Uu]nknown|rejected"):
            await read(opened, f"switchgear://workflows/{name}/schema")


async def test_the_schema_of_what_was_retired_a_moment_ago_is_refused(lab: Any, server: Any) -> None:
    entry = lab.service.live.now.entries["toy_stop_vm"]
    async with client(server.mcp, "legacy") as opened:
        await lab.service.revisions.decide(
            entry.revision_id, "retire", actor="t", role="admin", reason="old", digest=entry.digest
        )
        with pytest.raises(Exception, match=r"not served|no approved"):
            await read(opened, "switchgear://workflows/toy_stop_vm/schema")


@pytest.fixture
async def big(server: Any, lab: Any, device: Any) -> AsyncIterator[Any]:
    """A device with so many machines that the list of them is cut; tokens for two people."""
    device.script.machines = [{"uuid": f"u-{n}", "name": f"vm-{n}", "state": "on"} for n in range(MANY)]
    await lab.approve("list")
    await lab.service.live.reload()
    yield server


@ERAS
async def test_a_big_result_is_cut_and_the_whole_is_a_link_away(big: Any, lab: Any, era: str) -> None:
    async with client(big.mcp, era) as opened:
        result = await opened.call_tool("toy_list_vms", {"select": "*"})
        text, link = result.content
        whole = await read(opened, str(link.uri))
    shown = result.structured_content
    assert 0 < len(shown["vms"]) < MANY
    assert lab.service.live.now.entries["toy_list_vms"].prepared.accepts_outputs(shown)
    assert len(json.dumps(shown)) <= MOST_SHOWN_BYTES * 1.2
    assert f"/vms: {len(shown['vms'])} of {MANY} items" in text.text
    assert str(link.uri) in text.text
    assert len(whole["vms"]) == MANY
    assert result.meta["switchgear"]["whole"] == str(link.uri)
    run = await lab.service.runs.get(result.meta["switchgear"]["run"])
    assert run.outputs == whole


async def test_a_small_result_comes_whole(server: Any) -> None:
    async with client(server.mcp, "legacy") as opened:
        result = await opened.call_tool("toy_find_vm", {"vm": "web-01"})
    assert [part.type for part in result.content] == ["text"]
    assert "whole" not in result.meta["switchgear"]


async def test_only_who_ran_it_reads_the_result(big: Any, lab: Any) -> None:
    mine, others, admin = [await lab.token("operator", "me"), await lab.token("operator", "you"), await lab.token()]
    async with client(big.mcp, "legacy", mine) as opened:
        uri = (await opened.call_tool("toy_list_vms", {})).meta["switchgear"]["whole"]
        assert len((await read(opened, uri))["vms"]) == MANY
    for token in (others, admin):
        async with client(big.mcp, "legacy", token) as opened:
            with pytest.raises(Exception, match="no outputs of a run"):
                await read(opened, uri)


async def test_after_its_time_the_result_is_gone_and_an_unknown_run_is_answered_alike(big: Any, lab: Any) -> None:
    async with client(big.mcp, "legacy") as opened:
        result = await opened.call_tool("toy_list_vms", {})
        run_id, uri = result.meta["switchgear"]["run"], result.meta["switchgear"]["whole"]
        await lab.service.engine.settle()
        with sqlite3.connect(lab.url.removeprefix("sqlite+aiosqlite:///")) as connection:
            connection.execute("UPDATE runs SET finished_at = '2026-01-01T00:00:00.000000Z'")
        connection.close()
        told = []
        for address in (uri, uri.replace(run_id, "no-run")):
            with pytest.raises(Exception, match="no outputs of a run") as refusal:
                await read(opened, address)
            told.append(str(refusal.value).replace(run_id, "-").replace("no-run", "-"))
    assert told[0] == told[1]


async def test_what_failed_has_no_outputs_to_read(server: Any) -> None:
    async with client(server.mcp, "legacy") as opened:
        result = await opened.call_tool("toy_find_vm", {"vm": "nobody"}, raise_on_error=False)
        run_id = result.meta["switchgear"]["run"]
        with pytest.raises(Exception, match="no outputs of a run"):
            await read(opened, f"switchgear://runs/{run_id}/outputs")


async def test_secrets_are_masked_in_the_whole_result_too(big: Any, lab: Any, device: Any) -> None:
    device.script.machines[0]["name"] = "s3cret-word"
    lab.service.vault.resolve("env:WORD")
    async with client(big.mcp, "legacy") as opened:
        uri = (await opened.call_tool("toy_list_vms", {})).meta["switchgear"]["whole"]
        assert "s3cret-word" not in json.dumps(await read(opened, uri))
