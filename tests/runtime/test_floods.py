"""Who floods the server keeps nobody from it: half-sent requests, streams, sessions, calls (THREATS F1, F2).

Counted, never timed: what is still open, who was refused, and that whoever else asks is answered meanwhile.
"""

import asyncio
import contextlib
import json
import logging
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from runtime.admission import connections, mcp_sessions, openings
from runtime.admission import turns as turns_module
from runtime.admission.bodies import MOST_OF_ONE as ROOM_OF_ONE
from runtime.admission.bodies import SHORT_BYTES, Bodies
from runtime.admission.concurrency import ENSURED, RESERVED, STREAMS_OF_ONE, Concurrency
from runtime.admission.openings import MOST_UNUSED
from runtime.admission.turns import Turns
from runtime.problems import Problem
from tests.waiting import PATIENCE_S, until

FLOOD, CROWD = 150, 2_000
# Of a crowd's requests, while one of somebody else's is worked on: some ten are read on a busy machine, and hundreds
# where each is read as it comes.
MEANWHILE = 40
HALVES = (
    "POST /login HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 50\r\n\r\n{",
    "POST /workflows/a/run HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 50\r\n\r\n{",
    "GET /workflows HTTP/1.1\r\nhost: 127",
)
LISTEN = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "subscriptions/listen",
    "params": {
        "notifications": {"toolsListChanged": True},
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "c", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    },
}
OPEN = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}},
}
RUN, WISH = "/workflows/toy-find-vm/run", {"inputs": {"vm": "web-01"}}
STREAM = {"mcp-protocol-version": "2026-07-28", "mcp-method": "subscriptions/listen"}
JSON = {"content-type": "application/json", "accept": "application/json, text/event-stream"}


def post(port: int, path: str, headers: dict[str, str], body: Any) -> bytes:
    text = json.dumps(body)
    told = {"host": f"127.0.0.1:{port}", **JSON, **headers, "content-length": str(len(text))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n{text}".encode()


class Flood:
    """Connections to one server, each of which has sent something."""

    def __init__(self, url: str) -> None:
        self.port = int(url.rpartition(":")[2])
        self.open: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def send(self, data: bytes) -> asyncio.StreamReader:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        self.open.append((reader, writer))
        return reader

    async def post(self, path: str, headers: dict[str, str], body: Any) -> asyncio.StreamReader:
        return await self.send(post(self.port, path, headers, body))

    async def statuses(self) -> Counter[str]:
        """What each was answered first; "closed" for those that were closed without a word."""
        heads = [await reader.read(12) for reader, _ in self.open]
        return Counter(head[9:].decode() or "closed" for head in heads)


@pytest.fixture
async def flood(server: Any) -> AsyncIterator[Flood]:
    made = Flood(server.url)
    yield made
    for _, writer in made.open:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@pytest.fixture
async def boss(lab: Any, server: Any) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {await lab.token('admin', 'boss')}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, trust_env=False) as client:
        yield client


async def shown(lab: Any, name: str) -> dict[str, str]:
    return {"authorization": f"Bearer {await lab.token('operator', name)}"}


async def test_an_admin_is_answered_while_strangers_hold_all_their_places_with_half_sent_requests(
    lab: Any, server: Any, boss: httpx.AsyncClient, flood: Flood, monkeypatch: Any
) -> None:
    table = server.connections
    monkeypatch.setattr(table, "_most_strangers", 20)
    await lab.token("operator", "bad")
    for number in range(FLOOD):
        await flood.send(HALVES[number % 3].encode())
    assert (await boss.get("/runs")).status_code == 200
    assert (await boss.delete("/tokens/bad")).status_code == 200
    assert (await boss.get("/health")).status_code == 200
    assert len(table) <= 20 + 2, "the oldest made room"


async def test_what_does_not_arrive_in_time_is_ended_also_when_it_drips(
    lab: Any, server: Any, flood: Flood, monkeypatch: Any
) -> None:
    await lab.token("operator", "somebody")
    monkeypatch.setattr(connections, "WINDOW_S", 0.2)
    for half in HALVES:
        await flood.send(half.encode())

    async def drip() -> None:
        while True:
            for _, writer in flood.open:
                writer.write(b"x")
            await asyncio.sleep(0.02)

    dripping = asyncio.create_task(drip())
    said = await flood.statuses()
    await until(lambda: len(server.connections) == 0, "all to be closed")
    dripping.cancel()
    assert said == {"408": 2, "401": 1}


async def test_half_a_body_takes_no_place_and_no_line_of_the_log(
    lab: Any, boss: httpx.AsyncClient, flood: Flood, caplog: Any
) -> None:
    async def half_sent() -> int:
        told = re.search(r'reason="body: half sent"} (\d+)', (await boss.get("/metrics")).text)
        return int(told[1]) if told else 0

    headers, before = await shown(lab, "bad"), await half_sent()
    lines = "".join(f"{name}: {value}\r\n" for name, value in (headers | {"host": "127.0.0.1"}).items())
    for path in ("/login", "/webhooks/x", "/workflows/toy-find-vm/run", "/mcp"):
        await flood.send(f"POST {path} HTTP/1.1\r\n{lines}content-length: 50\r\n\r\n{{".encode())
    assert (await boss.get("/runs")).status_code == 200
    for _, writer in flood.open:
        writer.close()
        await writer.wait_closed()
    assert (await boss.get("/runs")).status_code == 200
    assert await half_sent() == before + 4, "nothing was begun with any of them"
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_one_caller_has_a_share_of_the_streams_and_their_token_can_be_revoked(
    lab: Any, boss: httpx.AsyncClient, flood: Flood
) -> None:
    bad, good = await shown(lab, "bad"), await shown(lab, "good")
    for _ in range(FLOOD):
        await flood.post("/mcp", bad | STREAM, LISTEN)
    assert await flood.statuses() == {"200": STREAMS_OF_ONE, "429": FLOOD - STREAMS_OF_ONE}
    assert (await boss.delete("/tokens/bad")).status_code == 200
    other = Flood(str(boss.base_url).rstrip("/"))
    await other.post("/mcp", good | STREAM, LISTEN)
    assert await other.statuses() == {"200": 1}
    other.open[0][1].close()


async def test_of_many_sessions_of_one_caller_the_one_used_least_lately_is_ended(
    lab: Any, server: Any, boss: httpx.AsyncClient, monkeypatch: Any
) -> None:
    most = 6
    monkeypatch.setattr(mcp_sessions, "MOST_OF_ONE", most)
    monkeypatch.setattr(openings, "PATIENT_S", 0.0)
    headers = await shown(lab, "bad") | JSON

    async def asked(session: str) -> int:
        ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
        more = {"mcp-session-id": session, "mcp-protocol-version": "2025-11-25"}
        return (await boss.post("/mcp", headers=headers | more, json=ping)).status_code

    async def opened(*, is_used: bool = True) -> str:
        session = str((await boss.post("/mcp", headers=headers, json=OPEN)).headers["mcp-session-id"])
        assert not is_used or await asked(session) == 200
        return session

    sessions = [await opened() for _ in range(most)]
    assert await asked(sessions[0]) == 200
    sessions.append(await opened())
    assert [await asked(sessions[number]) for number in (0, 1, 2, -1)] == [200, 404, 200, 200]
    unused = [await opened(is_used=False) for _ in range(MOST_UNUSED + 1)]
    assert [await asked(each) for each in unused] == [404, *[200] * MOST_UNUSED]


def test_a_caller_has_a_share_an_admin_a_reserve_and_whoever_has_few_calls_some_that_are_ensured() -> None:
    limits = Concurrency(40)
    with ExitStack() as inside:
        for number in range(40):
            inside.enter_context(limits.place("call", f"bad{number % 4}"))
        with pytest.raises(Problem) as problem:
            limits.place("call", "bad0").__enter__()
        assert problem.value.status == 429
        for _ in range(ENSURED["call"]):
            inside.enter_context(limits.place("call", "good"))
        with pytest.raises(Problem) as problem:
            limits.place("call", "good").__enter__()
        assert problem.value.status == 503
        for _ in range(RESERVED):
            inside.enter_context(limits.place("admin", "boss"))
    with limits.place("call", "bad0"):
        pass


def test_of_long_bodies_a_caller_has_room_for_a_few_at_a_time_and_for_one_always() -> None:
    bodies, longest = Bodies(), 4 * 1024 * 1024
    with ExitStack() as inside:
        for _ in range(ROOM_OF_ONE // longest):
            inside.enter_context(bodies.room(longest, "bad"))
        inside.enter_context(bodies.room(SHORT_BYTES, "bad"))
        with pytest.raises(Problem) as problem:
            bodies.room(longest, "bad").__enter__()
        assert problem.value.status == 429
        inside.enter_context(bodies.room(2 * ROOM_OF_ONE, "good"))
    with bodies.room(longest, "bad"):
        pass


async def test_of_long_bodies_that_never_come_whole_few_are_waited_for(
    lab: Any, boss: httpx.AsyncClient, flood: Flood
) -> None:
    headers, length = await shown(lab, "bad"), 4 * 1024 * 1024
    lines = "".join(f"{name}: {value}\r\n" for name, value in (headers | {"host": "127.0.0.1"}).items())
    many = 3 * ROOM_OF_ONE // length
    readers = [
        await flood.send(f"POST {RUN} HTTP/1.1\r\n{lines}content-length: {length}\r\n\r\n{{".encode())
        for _ in range(many)
    ]
    answers = [asyncio.create_task(reader.read(12)) for reader in readers]
    refused = many - ROOM_OF_ONE // length
    await until(lambda: sum(each.done() for each in answers) == refused, "the answers to what has no room")
    assert (await boss.post(RUN, headers=await shown(lab, "good"), json=WISH)).status_code == 200
    assert [each.result()[9:] for each in answers if each.done()] == [b"429"] * refused
    for each in answers:
        each.cancel()


async def test_the_next_turn_is_of_whoever_has_the_fewest_calls_open_and_who_has_no_other_need_not_wait(
    monkeypatch: Any,
) -> None:
    monkeypatch.setattr(turns_module, "MOMENT_S", PATIENCE_S)
    turns, begun = Turns(1, ahead=1), []

    async def call(caller: str, is_over: asyncio.Event) -> None:
        async with turns.turn(caller):
            begun.append(caller)
            await is_over.wait()

    over = [asyncio.Event() for _ in range(8)]
    callers = ["bad", "bad", "bad", "bad", "good", "other", "other", "worse"]
    calls = [asyncio.create_task(call(caller, event)) for caller, event in zip(callers, over, strict=True)]
    await asyncio.sleep(0)
    assert begun == ["bad", "good"], "the second one of the same caller waits, whoever has none goes ahead"
    calls[2].cancel()  # whoever goes away while they wait costs nobody a turn
    for each in (4, 0, 7, 5, 6, 1, 3):
        over[each].set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    await asyncio.gather(*calls, return_exceptions=True)
    assert begun == ["bad", "good", "worse", "other", "other", "bad", "bad"]


async def test_beside_a_crowd_a_single_call_keeps_its_turn_through_what_looks_like_a_device(clock: Any) -> None:
    turns, is_over = Turns(1, ahead=0), asyncio.Event()
    begun: list[str] = []

    async def call(caller: str) -> None:
        async with turns.turn(caller):
            begun.append(caller)
            await is_over.wait()

    async def passed(seconds: float) -> None:
        for _ in range(round(seconds / turns_module.MOMENT_S)):
            clock.jump(turns_module.MOMENT_S)
            await asyncio.sleep(0.001)

    calls = [asyncio.create_task(call(caller)) for caller in ("good", "bad", "bad", "bad")]
    await passed(3 * turns_module.MOMENT_S)
    assert begun == ["good"]
    await passed(2 * turns_module.SINGLE_S)
    assert begun[:2] == ["good", "bad"], "a device that takes its time holds up nobody"
    calls.append(asyncio.create_task(call("other")))
    await passed(2 * turns_module.SINGLE_S)
    is_over.set()
    await asyncio.gather(*calls)


async def test_a_credential_that_many_show_at_once_is_looked_up_once(lab: Any, monkeypatch: Any) -> None:
    secret, looked_up = await lab.token("operator", "bad"), []
    found = lab.service.principals.authenticate

    async def counted(shown: str) -> Any:
        looked_up.append(shown)
        return await found(shown)

    monkeypatch.setattr(lab.service.principals, "authenticate", counted)
    keeper = lab.service.authenticator
    callers = await asyncio.gather(*(keeper.caller(secret) for _ in range(50)))
    assert {each.name for each in callers} == {"bad"}
    assert len(looked_up) == 1


async def test_what_was_looked_up_while_a_token_changed_is_not_remembered(lab: Any, monkeypatch: Any) -> None:
    secret, keeper = await lab.token("operator", "bad"), lab.service.authenticator
    found, has_found, goes_on = lab.service.principals.authenticate, asyncio.Event(), asyncio.Event()

    async def slow(shown: str) -> Any:
        principal = await found(shown)
        has_found.set()
        await goes_on.wait()
        return principal

    monkeypatch.setattr(lab.service.principals, "authenticate", slow)
    asking = asyncio.create_task(keeper.caller(secret))
    await has_found.wait()
    await lab.service.principals.revoke("bad")
    keeper.forget()
    goes_on.set()
    assert (await asking) is not None, "it was valid when it was shown"
    assert await keeper.caller(secret) is None


async def test_whoever_waits_for_a_device_keeps_nobody_from_beginning() -> None:
    turns, begun, is_over = Turns(1), [], asyncio.Event()

    async def call(number: int) -> None:
        async with turns.turn("one"):
            begun.append(number)
            await is_over.wait()

    calls = [asyncio.create_task(call(number)) for number in range(3)]
    await until(lambda: len(begun) == 3, "all to begin, though none has ended")
    is_over.set()
    await asyncio.gather(*calls)


def asked(kind: str, port: int, headers: dict[str, str], number: int) -> bytes:
    """What one of a flood of this kind sends."""
    if kind == "half sent":
        return HALVES[number % len(HALVES)].encode()
    path, more, body = "/mcp", {}, OPEN
    if kind.startswith("streams"):
        more, body = STREAM, LISTEN
    elif kind.startswith("calls"):
        path, body = RUN, WISH
    return post(port, path, headers | more, body)


@dataclass
class Reads:
    """How many requests the server has begun to read."""

    count: int = 0

    def noted(self, read: Callable[..., None]) -> Callable[..., None]:
        def counted(*words: Any) -> None:
            self.count += 1
            read(*words)

        return counted


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "callers"),
    [
        ("half sent", 1),
        ("streams of one", 1),
        ("streams of twenty", 20),
        ("sessions of twenty", 20),
        ("calls of one", 1),
        ("calls of twenty", 20),
    ],
)
async def test_of_two_thousand_at_once_few_are_read_while_somebody_elses_call_or_a_revocation_waits(
    lab: Any, server: Any, boss: httpx.AsyncClient, flood: Flood, monkeypatch: Any, kind: str, callers: int
) -> None:
    floods, good = [await shown(lab, f"bad{number}") for number in range(callers)], await shown(lab, "good")
    reads, over = Reads(), asyncio.Event()
    monkeypatch.setattr(connections.HttpConnection, "read", reads.noted(connections.HttpConnection.read))

    async def one(number: int) -> None:
        reader = await flood.send(asked(kind, flood.port, floods[number % callers], number))
        await reader.read(12)

    async def beside(act: Any) -> int:
        before = reads.count
        assert (await act).status_code == 200
        return reads.count - before - 1

    assert (await boss.post(RUN, headers=good, json=WISH)).status_code == 200
    tasks = [asyncio.create_task(one(number)) for number in range(CROWD)]
    calls, others = [], []
    while reads.count < CROWD // 2 and not over.is_set():
        calls.append(await beside(boss.post(RUN, headers=good, json=WISH, timeout=PATIENCE_S)))
        async with httpx.AsyncClient(base_url=server.url, headers=boss.headers, trust_env=False) as fresh:
            others.append(await beside(fresh.get("/health", timeout=PATIENCE_S)))
            if reads.count > CROWD // 4:
                over.set()
                others.append(await beside(fresh.delete("/tokens/bad0", timeout=PATIENCE_S)))
    assert over.is_set(), "there was a crowd"
    assert sorted(calls)[int(0.95 * len(calls))] <= MEANWHILE, sorted(calls)[-20:]
    assert sorted(others)[int(0.95 * len(others))] <= 2 * MEANWHILE, sorted(others)[-20:]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_of_sessions_in_which_nothing_is_ever_said_the_newest_alone_is_waited_for(
    lab: Any, boss: httpx.AsyncClient, monkeypatch: Any
) -> None:
    monkeypatch.setattr(mcp_sessions, "UNUSED_S", 0.05)
    headers = await shown(lab, "bad") | JSON
    opened = [(await boss.post("/mcp", headers=headers, json=OPEN)).headers["mcp-session-id"] for _ in range(3)]

    async def asked(session: str) -> int:
        more = {"mcp-session-id": session, "mcp-protocol-version": "2025-11-25"}
        ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
        return (await boss.post("/mcp", headers=headers | more, json=ping)).status_code

    async def all_but_one_are_gone() -> bool:
        return [await asked(each) for each in opened[:2]] == [404, 404]

    await asyncio.sleep(0.2)  # what is asked something is no longer unused
    await until(all_but_one_are_gone, "the older ones to be ended")
    assert await asked(opened[2]) == 200


async def test_of_a_caller_with_many_connections_one_is_closed_with_each_answer(
    lab: Any, server: Any, flood: Flood, monkeypatch: Any
) -> None:
    monkeypatch.setattr(connections, "MOST_KEPT", 3)
    headers = await shown(lab, "bad")
    for _ in range(8):
        await flood.post(RUN, headers, WISH)
        assert (await flood.open[-1][0].readexactly(12))[9:] == b"200"
    await until(lambda: len(server.connections) == 3, "the others to be closed")
