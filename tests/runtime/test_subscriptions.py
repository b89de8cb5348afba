"""Whoever subscribes to a run or a workflow hears that it is another one, in both eras, and of nothing else."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from mcp.client.subscriptions import ResourceUpdated, listen
from mcp.server.subscriptions import InMemorySubscriptionBus

from governance.people.scopes import AccessScope
from runtime.caller import Caller
from runtime.mcp import subscriptions
from runtime.mcp.subscriptions import MOST_ASKED, MOST_LOOKED_AT, Subscriptions
from runtime.secrets import Vault
from runtime.service import ServiceOptions, open_service
from tests.waiting import PATIENCE_S

# The SDK warns of what its newest version has no more; the older ones are served as well.
pytestmark = pytest.mark.filterwarnings("ignore:resources/(un)?subscribe is removed")
STOP, APIS = {"uuid": "u-1"}, "switchgear://apis"
SCHEMA = "switchgear://workflows/toy_stop_vm/schema"


def client(url: str, era: str, token: str, **more: Any) -> Client[Any]:
    headers = {"Authorization": f"Bearer {token}"}
    return Client(StreamableHttpTransport(url, headers=headers), mode=era, **more)  # type: ignore[arg-type]


@pytest.fixture
async def slow(migrated_url: str, device: Any, tools: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """A house whose calls wait a moment, a device whose job goes on, and looks that come soon."""
    monkeypatch.setattr(subscriptions, "POLL_S", 0.05)
    device.script.job_state = "running"
    async with open_service(
        migrated_url, Vault({}), ServiceOptions(confirmation=tools.ASKS_NOBODY, call_wait_s=0.2)
    ) as service:
        house = await tools.furnished(migrated_url, service)
        await house.target(device.url)
        await house.approve("stop")
        await service.live.reload()
        async with tools.running(service) as run:
            house.mcp = run.mcp
            house.mine, house.yours = await house.token("operator", "me"), await house.token("operator", "you")
            yield house


class Heard:
    """What a handshake client is told of."""

    def __init__(self) -> None:
        self.uris: asyncio.Queue[str] = asyncio.Queue()

    async def __call__(self, message: Any) -> None:
        if getattr(message, "method", "") == "notifications/resources/updated":
            self.uris.put_nowait(str(message.params.uri))

    async def of(self, uri: str) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while await self.uris.get() != uri:
                pass


async def begun(opened: Any) -> str:
    told = await opened.call_tool("toy_stop_vm", STOP)
    return f"switchgear://runs/{told.structured_content['running']['run_id']}"


async def test_a_handshake_client_hears_of_its_run_and_of_a_workflow_that_is_approved_anew(
    slow: Any, device: Any
) -> None:
    heard = Heard()
    async with client(slow.mcp, "legacy", slow.mine, message_handler=heard) as opened:
        run = await begun(opened)
        for uri in (run, SCHEMA, APIS):
            await opened.session.subscribe_resource(uri)
        device.script.job_state = "done"
        await heard.of(run)
        revision = await slow.submit_changed("stop", title="Another title")
        await slow.service.revisions.decide(
            revision.id, "approve", actor="test", role="admin", reason="", digest=revision.digest
        )
        await slow.service.live.reload()
        await heard.of(SCHEMA)
        await opened.session.unsubscribe_resource(run)


async def test_a_client_of_the_newest_version_hears_of_its_run(slow: Any, device: Any) -> None:
    async with client(slow.mcp, "2026-07-28", slow.mine) as opened:
        run = await begun(opened)
        async with listen(opened.session, resource_subscriptions=[run]) as stream:
            device.script.job_state = "done"
            async with asyncio.timeout(PATIENCE_S):
                async for event in stream:
                    assert event == ResourceUpdated(run)
                    break


async def test_nobody_hears_of_what_is_not_theirs(slow: Any, device: Any) -> None:
    reader = (await slow.service.principals.create_token("reader", "operator", scope=AccessScope(risks=("read",))))[1]
    async with client(slow.mcp, "legacy", slow.mine) as opened:
        run = await begun(opened)
    for token in (slow.yours, reader):
        async with client(slow.mcp, "legacy", token) as opened:
            wanted = [
                run,
                "switchgear://runs/no-such",
                "switchgear://elsewhere",
                *([SCHEMA] if token == reader else []),
            ]
            for uri in wanted:
                with pytest.raises(Exception, match="no such resource"):
                    await opened.session.subscribe_resource(uri)
        async with (
            client(slow.mcp, "2026-07-28", token) as opened,
            listen(opened.session, resource_subscriptions=[run, APIS]) as stream,
        ):
            assert stream.honored.resource_subscriptions == [APIS]
    device.script.job_state = "done"


def followers(**uris: list[str]) -> Subscriptions:
    """Streams of callers, each of which follows these."""
    made = Subscriptions(None, lambda: Caller("x", "operator"), InMemorySubscriptionBus(), lambda _: None)  # type: ignore[arg-type,return-value]
    for caller, each in uris.items():
        made._streams[caller].update(each)
    return made


def test_in_a_round_so_many_are_looked_at_as_many_of_each_callers_and_all_in_their_turn() -> None:
    many, few = [f"switchgear://runs/{number:04}" for number in range(1_000)], ["switchgear://runs/one"]
    made, seen = followers(bad=many, good=few), set[str]()
    for _ in range(2 * len(many) // MOST_LOOKED_AT + 1):
        due = list(made._due(made._followed()))
        assert len(due) <= MOST_LOOKED_AT
        assert due.count(few[0]) == 1, "others are looked at in each round"
        seen.update(due)
    assert seen == {*many, *few}


async def test_of_very_many_that_are_asked_for_few_are_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    made, asked = followers(), list[str]()

    async def noted(_self: Any, uri: str, _caller: Any) -> bool:
        asked.append(uri)
        return len(asked) % 8 == 0

    monkeypatch.setattr(Subscriptions, "_is_readable", noted)
    found = await made.readable(f"switchgear://runs/{number}" for number in range(100_000))
    assert (len(found), len(asked)) == (MOST_ASKED // 8, MOST_ASKED)


async def test_a_client_that_does_not_listen_keeps_nobody_from_hearing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Deaf:
        async def send_resource_updated(self, _uri: str) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr(subscriptions, "TELL_TIMEOUT_S", 0.01)
    made, deaf = followers(), Deaf()
    made._sessions[deaf] = ("bad", {APIS})  # type: ignore[index]
    await made._tell(APIS)
    assert not made._sessions
