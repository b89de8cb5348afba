"""What costs more than it looks: heads of many lines, bodies in crumbs, requests one behind the other, readers who do
not read, sessions that are opened and left (THREATS F1, F2).

Counted, never timed: how much is taken before it is refused, whose turn it was, and how much is kept.
"""

import asyncio
import contextlib
import json
import socket
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import h11
import httpx
import pytest

from runtime.admission import accepting, connections, mcp_sessions, openings
from runtime.admission.bodies import BURST_BYTES, Bodies
from runtime.admission.concurrency import Concurrency
from runtime.admission.heads import MOST_LINES, BoundedRequests
from runtime.admission.openings import MOST_UNUSED, MOST_WAITING, Openings
from runtime.auth.access import MAX_KEPT_BYTES, MAX_STRANGERS_BYTES, RULES, _kind
from runtime.problems import Problem
from tests.waiting import until

GET = b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
LONG = b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n" + b"a:\r\n" * MOST_LINES + b"\r\n"
CRUMBS = b"POST /login HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 5_000
OPEN = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}},
}
JSON = {"content-type": "application/json", "accept": "application/json, text/event-stream"}


async def said_to(url: str, *parts: bytes) -> bytes:
    """All that is answered until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    answer = b""
    with contextlib.suppress(ConnectionError):
        for part in parts:
            writer.write(part)
            await writer.drain()
        answer = await reader.read()
    writer.close()
    return answer


BIT_BY_BIT = tuple(LONG[at : at + 64] for at in range(0, len(LONG), 64))


async def test_a_head_of_many_lines_is_refused_before_it_is_taken(server: Any, monkeypatch: Any) -> None:
    taken: list[Any] = []
    made = h11.Request.__init__

    def noted(request: Any, **given: Any) -> None:
        taken.append(given["headers"])
        made(request, **given)

    monkeypatch.setattr(h11.Request, "__init__", noted)
    for parts in ((LONG,), (GET + LONG,), BIT_BY_BIT, (LONG.replace(b"\r", b""),)):
        answers = await said_to(server.url, *parts)
        assert b"HTTP/1.1 431 " in answers
        assert answers.count(b"HTTP/1.1 200 ") == parts[0].count(b"GET") - 1
    assert all(len(headers) <= 2 for headers in taken)


def test_as_many_lines_as_any_client_sends_are_taken_whatever_stands_in_the_body() -> None:
    connection, body = BoundedRequests(h11.SERVER), b"\n" * 1_000
    lines = b"a:\r\n" * (MOST_LINES - 4)
    connection.receive_data(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n" + lines + b"\r\n" + body)
    assert type(connection.next_event()) is h11.Request
    assert connection.next_event() == h11.Data(data=bytearray(body))


async def test_a_body_in_chunks_is_refused_with_its_head_and_not_one_is_taken(server: Any, monkeypatch: Any) -> None:
    taken: Counter[type] = Counter()
    next_event = h11.Connection.next_event

    def counted(connection: h11.Connection) -> Any:
        event = next_event(connection)
        taken[type(event)] += 1
        return event

    monkeypatch.setattr(h11.Connection, "next_event", counted)
    answer = await said_to(server.url, CRUMBS)
    assert (taken[h11.Request], taken[h11.Data]) == (1, 0)
    assert answer.startswith(b"HTTP/1.1 411 ") or not answer, "closed while it still sends"


async def test_requests_one_behind_the_other_wait_for_their_turn_each(server: Any, monkeypatch: Any) -> None:
    many, read = 40, connections.HttpConnection.read
    looks: list[bytes] = []

    def noted(connection: Any, data: bytes) -> None:
        looks.append(data)
        read(connection, data)

    monkeypatch.setattr(connections.HttpConnection, "read", noted)
    answers = await said_to(server.url, GET * many + GET.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
    assert answers.count(b"HTTP/1.1 200 ") == many + 1
    assert len(looks) > many, "one for each"


@pytest.fixture(autouse=True)
def small(monkeypatch: Any) -> None:
    """The kernel holds next to nothing of what is not taken: short answers do."""
    monkeypatch.setattr(accepting, "KERNEL_HOLDS", 1_024)


@pytest.fixture
async def unread(lab: Any, server: Any) -> AsyncIterator[Any]:
    """Asks for a description on a connection that takes hardly anything, and does not read."""
    token, sockets = await lab.token("operator", "bad"), list[socket.socket]()
    lines = f"GET /openapi.json HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n\r\n"

    async def ask() -> socket.socket:
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1_024)
        made.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(made, ("127.0.0.1", int(server.url.rpartition(":")[2])))
        await loop.sock_sendall(made, lines.encode())
        sockets.append(made)
        return made

    yield ask
    for each in sockets:
        each.close()


def waiting(server: Any) -> list[int]:
    """How much waits to be taken, by connection."""
    return [each.unread for group in server.connections._of.values() for each in group if each.unread]


async def test_of_answers_that_nobody_takes_a_caller_has_so_much(server: Any, unread: Any, monkeypatch: Any) -> None:
    await unread()
    await until(lambda: waiting(server), "an answer that is not taken")
    (one,) = waiting(server)
    monkeypatch.setattr(connections, "MOST_UNREAD", 3 * one + one // 2)
    for _ in range(5):
        await unread()
    await until(lambda: len(server.connections) == 3, "the oldest to be given up")
    assert sum(waiting(server)) <= 3 * one + one // 2


async def test_whoever_takes_an_answer_slowly_keeps_it_as_long_as_something_is_taken(
    server: Any, unread: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(
        connections, "UNREAD_S", 1.5
    )  # the reader has the same loop, and its turns come late on a busy machine
    monkeypatch.setattr(connections, "BYTES_PER_S", 5)
    slow, gone, loop = await unread(), await unread(), asyncio.get_running_loop()
    await until(lambda: len(waiting(server)) == 2, "two answers that are not taken")

    async def read_on() -> None:
        while True:
            await loop.sock_recv(slow, 256)
            await asyncio.sleep(0.01)

    reading = asyncio.create_task(read_on())
    await until(lambda: len(server.connections) == 1, "the one who reads nothing to be ended")
    reading.cancel()
    assert gone.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), "it was reset"


async def test_a_stranger_at_the_console_sends_no_more_than_a_stranger_elsewhere(lab: Any, server: Any) -> None:
    await lab.token("viewer", "somebody")
    form = {"content-type": "application/x-www-form-urlencoded"}
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
        for length, is_refused in ((MAX_STRANGERS_BYTES, False), (MAX_STRANGERS_BYTES + 1, True)):
            reply = await client.post("/console/login", headers=form, content=b"x" * length)
            assert (reply.status_code == 413) is is_refused


class Own:
    """Sessions of one caller: since when nothing was said in them."""

    def __init__(self) -> None:
        self.unused: list[float] = []
        self.openings = Openings(lambda caller: self.unused if caller == "one" else [])
        self.begun = 0

    async def open(self) -> None:
        async with self.openings.place("one"):
            self.begun += 1
            self.unused.append(asyncio.get_running_loop().time())


async def test_the_next_session_waits_until_one_of_the_last_is_used_or_had_its_time(clock: Any) -> None:
    own = Own()
    tasks = [asyncio.create_task(own.open()) for _ in range(MOST_UNUSED + MOST_WAITING + 1)]
    await until(lambda: tasks[-1].done(), "the one too many to be refused")
    with pytest.raises(Problem) as problem:
        await tasks[-1]
    assert (problem.value.status, own.begun) == (429, MOST_UNUSED)
    own.unused.pop()
    own.openings.note_use("one")
    await until(lambda: own.begun == MOST_UNUSED + 1, "the next one")
    async with own.openings.place("another"):
        pass
    clock.jump(openings.PATIENT_S)
    await until(lambda: own.begun == 2 * MOST_UNUSED + 1, "as many again")
    for each in tasks:
        each.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert not own.openings._lines, "nothing is kept of them"


async def test_clients_that_share_a_token_and_begin_at_once_are_all_let_in(
    lab: Any, server: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(openings, "PATIENT_S", 1e9)
    monkeypatch.setattr(mcp_sessions, "UNUSED_S", 1e9)
    headers = JSON | {"authorization": f"Bearer {await lab.token('operator', 'many')}"}

    async def client() -> int:
        async with httpx.AsyncClient(base_url=server.url, headers=headers, trust_env=False, timeout=None) as http:
            reply = await http.post("/mcp", json=OPEN)
            session = {"mcp-session-id": reply.headers.get("mcp-session-id", "")}
            await http.post("/mcp", headers=session, json={"jsonrpc": "2.0", "method": "notifications/initialized"})
            ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
            return (await http.post("/mcp", headers=session, json=ping)).status_code

    assert set(await asyncio.gather(*(client() for _ in range(MOST_UNUSED + MOST_WAITING)))) == {200}


@pytest.mark.slow
async def test_of_sessions_that_are_opened_and_left_few_are_made(lab: Any, server: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(openings, "PATIENT_S", 1e9)
    headers = JSON | {"authorization": f"Bearer {await lab.token('operator', 'bad')}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, trust_env=False, timeout=None) as http:
        tasks = [asyncio.create_task(http.post("/mcp", content=json.dumps(OPEN))) for _ in range(30)]
        await until(lambda: sum(each.done() for each in tasks) == 30 - MOST_WAITING, "all but those that wait")
        said = Counter(each.result().status_code for each in tasks if each.done())
        assert said == {200: MOST_UNUSED, 429: 30 - MOST_UNUSED - MOST_WAITING}
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_what_is_kept_of_a_session_or_a_stream_is_short(lab: Any, server: Any) -> None:
    headers = JSON | {"authorization": f"Bearer {await lab.token('operator', 'bad')}"}
    long = {**OPEN, "params": {**OPEN["params"], "clientInfo": {"name": "c" * MAX_KEPT_BYTES, "version": "1"}}}  # type: ignore[dict-item]
    listens = {"mcp-protocol-version": "2026-07-28", "mcp-method": "subscriptions/listen"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, trust_env=False) as http:
        said = [(await http.post("/mcp", headers=more, json=long)).status_code for more in ({}, listens)]
    assert said == [413, 413]


async def test_a_body_of_very_many_values_is_refused_before_it_is_read(lab: Any, server: Any) -> None:
    headers = JSON | {"authorization": f"Bearer {await lab.token('operator', 'bad')}"}
    text = json.dumps({"inputs": {"vm": "x," * 100_000}})
    async with httpx.AsyncClient(base_url=server.url, headers=headers, trust_env=False) as http:
        for body in (b"[" * 60_000 + b"{}," * 3_000, b"{}," * 60_000, b"1," * 510_000):
            assert (await http.post("/workflows/toy-find-vm/run", content=body)).status_code == 413
        assert (await http.post("/mcp", content=body)).status_code == 413
        assert (await http.post("/workflows/toy-find-vm/run", content=text)).status_code != 413


def test_of_long_bodies_a_caller_has_so_much_a_second() -> None:
    bodies, longest = Bodies(), 4 * 1024 * 1024
    for _ in range(BURST_BYTES // longest):
        with bodies.room(longest, "bad"):
            pass
    with pytest.raises(Problem) as problem:
        bodies.room(longest, "bad").__enter__()
    assert dict(problem.value.headers)["retry-after"] in ("3", "4")
    with bodies.room(1_000, "bad"), bodies.room(longest, "good"):
        pass


def test_what_goes_through_the_whole_database_has_two_places_and_one_caller_one() -> None:
    surveys = [rule for rule in RULES if rule.is_survey]
    assert {rule.path for rule in surveys} == {"/audit/verify", "/audit/stats", "/policy/preview"}
    assert {_kind({"path": rule.path, "headers": [], "method": rule.method}, rule) for rule in surveys} == {"survey"}
    limits, refused = Concurrency(), []
    with limits.place("survey", "one"), limits.place("call", "one"):
        for callers in (("one",), ("two", "three")):
            with contextlib.ExitStack() as inside:
                for each in callers[:-1]:
                    inside.enter_context(limits.place("survey", each))
                with pytest.raises(Problem) as problem:
                    limits.place("survey", callers[-1]).__enter__()
                refused.append(problem.value.status)
    assert refused == [429, 503]


class Idle:
    """A connection on which nothing happens."""

    is_worked_on, has_had_its_chance, unread = False, False, 0

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def abort(self) -> None:
        """Nothing is held."""


def test_while_very_many_are_open_a_caller_keeps_few(monkeypatch: Any) -> None:
    monkeypatch.setattr(connections, "MANY", 40)
    table = connections.Connections(4_096, lambda _: 0)
    for number in range(2 * connections.FEW_KEPT):
        table.add(Idle("bad" if number % 2 else f"good{number}"))
    table.add(Idle("bad"))
    assert not table.has_many("bad")
    for number in range(40):
        table.add(Idle(f"other{number}"))
    assert table.has_many("bad")
    assert not table.has_many("other1")
