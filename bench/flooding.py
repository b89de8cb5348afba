"""Who floods, in a process of their own: a caller (`python -m bench.flooding KIND COUNT PORT`), or a device.

The caller reads tokens from the first line of its input, sends COUNT requests at once, each on a connection that it
keeps, says "quiet" when nothing more is answered, and what each was answered first when its input ends. A device
(`python -m bench.flooding REPLY PORT`) begins a reply that is mostly framing, or never ends. For `bench.floods`.
"""

import asyncio
import contextlib
import json
import resource
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

QUIET_S = 2.0
# Whoever connects faster does not get to send before the server has too many who are silent.
WAVE, WAVE_S = 100, 0.02
FLOODERS = 20
RUN = "/workflows/one-read/run"
# Of how many tokens each kind is.
CALLERS = {
    "half sent": 0,
    "streams of one": 1,
    "streams of twenty": FLOODERS,
    "sessions of one": 1,
    "sessions of twenty": FLOODERS,
    "calls of one": 1,
    "calls of twenty": FLOODERS,
}
HALVES = (
    "POST /login HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 50\r\n\r\n{",
    "POST /workflows/a/run HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 50\r\n\r\n{",
    "GET /workflows HTTP/1.1\r\nhost: 127",
)
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "c", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
LISTEN = {"notifications": {"toolsListChanged": True}, "_meta": META}
OPEN = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}
# What a device says first, and then without end.
CHUNKED = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
REPLIES = {
    "chunks of one byte": (CHUNKED + b'1\r\n"\r\n', b"1\r\nx\r\n" * 8_000),
    "chunks of one byte with extensions": (CHUNKED, b"1;a=b\r\n \r\n" * 6_000),
    "informational replies": (b"", b"HTTP/1.1 103 Early\r\n\r\n" * 2_500),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 9_000),
    "blank lines": (b"", b"\r\n" * 30_000),
    "one body without end": (b"HTTP/1.1 200 OK\r\n\r\n[", b"1," * 30_000),
}


def request(kind: str, number: int, tokens: Sequence[str]) -> bytes:
    """What the flooder sends on its connection `number`."""
    if kind == "half sent":
        return HALVES[number % len(HALVES)].encode()
    path, more, body = "/mcp", "", {}
    if kind.startswith("streams"):
        more = "mcp-protocol-version: 2026-07-28\r\nmcp-method: subscriptions/listen\r\n"
        body = {"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": LISTEN}
    elif kind.startswith("sessions"):
        body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": OPEN}
    else:
        path = RUN
    text = json.dumps(body)
    lines = (
        f"POST {path} HTTP/1.1",
        "host: 127.0.0.1",
        f"authorization: Bearer {tokens[number % CALLERS[kind]]}",
        "content-type: application/json",
        "accept: application/json, text/event-stream",
        f"content-length: {len(text)}",
    )
    return ("\r\n".join(lines) + f"\r\n{more}\r\n{text}").encode()


class Flood:
    def __init__(self, port: int) -> None:
        self.said: Counter[str] = Counter()
        self._port = port

    async def one(self, data: bytes) -> None:
        """One connection, kept until it is cancelled; its first answer counted."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            self.said["no connection"] += 1
            return
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            writer.write(data)
            try:
                self.said[(await reader.readexactly(12))[9:].decode()] += 1
                await asyncio.Event().wait()
            finally:
                writer.close()

    async def quiet(self) -> None:
        """Returns when for a while nothing was answered."""
        before = -1
        while self.said.total() != before:
            before = self.said.total()
            await asyncio.sleep(QUIET_S)


async def call(kind: str, count: int, port: int) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    tokens = json.loads(await asyncio.to_thread(sys.stdin.readline))
    made = Flood(port)
    tasks = []
    for number in range(count):
        tasks.append(asyncio.create_task(made.one(request(kind, number, tokens))))
        if number % WAVE == WAVE - 1:
            await asyncio.sleep(WAVE_S)
    await made.quiet()
    print("quiet", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    print(json.dumps({**made.said, "nothing": count - made.said.total()}), flush=True)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def answer(reply: str, port: int) -> None:
    first, more = REPLIES[reply]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Any:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(first)
            while True:
                writer.write(more)
                await writer.drain()

    async with await asyncio.start_server(serve, "127.0.0.1", port) as server:
        await server.serve_forever()


def main() -> None:
    words = sys.argv[1:]
    asyncio.run(
        answer(words[0], int(words[1])) if words[0] in REPLIES else call(words[0], int(words[1]), int(words[2]))
    )


if __name__ == "__main__":
    main()
