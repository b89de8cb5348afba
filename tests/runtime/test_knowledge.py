"""What an API can do, asked at every door: operations, their fields, which workflow does them and why none does."""

import json
from typing import Any

import httpx
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from sqlalchemy import Connection, update

from governance.errors import NotFoundError
from governance.people.scopes import WHOLE, AccessScope
from governance.registry.knowledge import KnowledgeStore
from governance.storage.models import KnowledgeRow, table_of
from workflow.budget import MOST_TOOLS

ERAS = pytest.mark.parametrize("era", ["legacy", "2026-07-28"])
STOP = "POST /vms/{id}/stop"
CARDS: list[dict[str, Any]] = [
    {
        "operation": "GET /vms",
        "does": "List machines",
        "thing": "machine",
        "risk": "read",
        "why": "reads only",
        "takes": [],
        "tells": [{"name": "state", "type": "string", "values": ["on", "off"]}],
        "workflows": ["toy-find-vm", "toy-list-vms"],
    },
    {
        "operation": STOP,
        "does": "Stop a machine",
        "thing": "machine",
        "risk": "disrupt",
        "why": "interrupts",
        "takes": [{"name": "note", "in": "body", "type": "string"}],
        "tells": [],
        "workflows": ["toy-stop-vm"],
    },
    {
        "operation": "DELETE /vms/{id}",
        "does": "Delete a machine",
        "thing": "machine",
        "risk": "destroy",
        "why": "data is lost",
        "takes": [],
        "tells": [],
        "workflows": [],
        "left_out": "the profile leaves it out",
    },
]


@pytest.fixture
async def known(lab: Any) -> Any:
    await KnowledgeStore(lab.service.database).put("toy", CARDS)
    return lab


async def found(house: Any, words: str, scope: AccessScope = WHOLE, **more: Any) -> dict[str, Any]:
    told = await house.service.knowledge.search(words, scope, **more)
    return {line["operation"]: line for line in told["operations"]}


async def test_what_can_be_done_with_a_thing_is_found_with_what_does_it_or_why_nothing_does(known: Any) -> None:
    lines = await found(known, "delete a machine")
    assert next(iter(lines)) == "DELETE /vms/{id}"
    assert lines["DELETE /vms/{id}"]["none_because"] == "the profile leaves it out"
    assert lines[STOP]["workflows"] == ["toy_stop_vm"]
    assert await found(known, "delete a machine", api="other") == {}
    assert (await known.service.knowledge.search("zzzz", WHOLE))["hint"]


async def test_one_operation_is_told_with_its_fields_and_workflows(known: Any) -> None:
    told = await known.service.knowledge.describe("GET /vms", WHOLE)
    assert told["tells"] == [{"name": "state", "type": "string", "values": ["on", "off"]}]
    assert told["workflows"] == [{"name": "toy_find_vm", "risk": "read"}]
    assert told["not_approved"] == ["toy-list-vms"]
    with pytest.raises(NotFoundError):
        await known.service.knowledge.describe("GET /nothing", WHOLE)


async def test_a_workflow_is_found_by_what_the_replies_of_its_operations_tell(lab: Any) -> None:
    finder = lab.service.finder
    await finder.ready()
    assert finder.find("what is the serial number") == []
    tells = [{"name": "serialNumber", "type": "string", "text": "Where it was made."}]
    await KnowledgeStore(lab.service.database).put("toy", [{**CARDS[0], "tells": tells}])
    await lab.service.live.reload()
    await finder.ready()
    assert [entry.name for entry in finder.find("what is the serial number")] == ["toy_find_vm"]
    await KnowledgeStore(lab.service.database).put("toy", CARDS)
    await lab.service.live.reload()
    await finder.ready()
    assert finder.find("what is the serial number") == []


SEEN = [
    (AccessScope(apis=("other",)), set()),
    (AccessScope(risks=("read",)), {"GET /vms"}),
    (AccessScope(workflows=("toy-stop-*",)), {STOP}),
    (AccessScope(labels=(("stage", "prod"),)), set()),
    (AccessScope(apis=("toy",)), {"GET /vms", STOP, "DELETE /vms/{id}"}),
]


@pytest.mark.parametrize(("scope", "operations"), SEEN)
async def test_what_is_out_of_a_callers_scope_is_not_there(
    known: Any, scope: AccessScope, operations: set[str]
) -> None:
    assert set(await found(known, "machine", scope)) == operations
    for card in CARDS:
        describing = known.service.knowledge.describe(card["operation"], scope)
        if card["operation"] in operations:
            told = await describing
            assert {each["name"] for each in told["workflows"]} <= set(known.service.live.seen_by(scope).entries)
        else:
            with pytest.raises(NotFoundError):
                await describing


async def test_what_is_not_as_the_audit_says_is_not_told_and_the_survey_finds_it(known: Any) -> None:
    from governance.integrity.survey import alterations

    assert await found(known, "machine")
    row = table_of(KnowledgeRow)

    def alter(connection: Connection) -> None:
        body = json.dumps([{**CARDS[0], "workflows": ["evil"]}])
        connection.execute(update(row).values(body=body))

    await known.service.database.write(alter)
    known.service.knowledge._apis.clear()
    assert await found(known, "machine") == {}
    assert any("knowledge" in fault for fault in await alterations(known.service.database))


async def test_what_is_compiled_anew_is_told_anew(known: Any) -> None:
    assert "DELETE /vms/{id}" in await found(known, "machine")
    await KnowledgeStore(known.service.database).put("toy", CARDS[:1])
    assert set(await found(known, "machine")) == {"GET /vms"}


@ERAS
async def test_agents_ask_over_mcp_and_see_the_tools_where_there_is_room(known: Any, server: Any, era: str) -> None:
    async with Client(StreamableHttpTransport(server.mcp), mode=era) as opened:  # type: ignore[arg-type]
        tools = {tool.name: tool for tool in await opened.list_tools()}
        lines = (await opened.call_tool("search_api", {"query": "stop a machine"})).structured_content["operations"]
        told = (await opened.call_tool("describe_operation", {"operation": STOP})).structured_content
        nothing = await opened.call_tool("describe_operation", {"operation": "GET /x"}, raise_on_error=False)
    assert tools["search_api"].annotations.read_only_hint
    assert tools.keys() == {"get_run", "cancel_run", "search_api", "describe_operation", "toy_find_vm", "toy_stop_vm"}
    assert lines[0]["operation"] == STOP
    assert told["takes"][0]["name"] == "note"
    assert nothing.is_error


async def test_where_tools_are_searched_for_search_tells_also_what_nothing_approved_does(
    known: Any, server: Any
) -> None:
    for number in range(MOST_TOOLS):
        await known.approve("find", number, is_core=False)
    await known.service.live.reload()
    async with Client(StreamableHttpTransport(server.mcp)) as opened:
        tools = {tool.name for tool in await opened.list_tools()}
        told = (await opened.call_tool("search_workflows", {"query": "delete", "api": "toy"})).structured_content
        by_name = await opened.call_tool("search_api", {"query": "delete"})
    assert "search_api" not in tools
    assert len(tools) <= MOST_TOOLS
    assert [each["operation"] for each in told["nothing_approved_does"]] == ["DELETE /vms/{id}"]
    assert by_name.structured_content["operations"]


async def test_programs_ask_over_rest(known: Any, server: Any) -> None:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as asking:
        by_query = (await asking.get("/knowledge", params={"q": "stop a machine"})).json()
        by_tool = (await asking.post("/tools/search_api", json={"query": "stop a machine"})).json()
        told = (await asking.get("/knowledge/operation", params={"key": STOP})).json()
        same = (await asking.post("/tools/describe_operation", json={"operation": STOP})).json()
        gone = await asking.get("/knowledge/operation", params={"key": "GET /x"})
    assert by_query == by_tool
    assert told == same
    assert (told["api"], told["risk"], told["why"]) == ("toy", "disrupt", "interrupts")
    assert gone.status_code == 404
