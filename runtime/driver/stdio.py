"""An MCP server that is a process of this machine, over its standard input and output, each message within a bound.

The SDK's own way keeps a line until it ends, however long it is; here one that is too long ends the session, like a
body over HTTP. The process is the first of a group of its own, is told to end when its input is closed, and is ended
with all that it started where it does not. What it writes to its standard error is thrown away.
Called by `remote.session`. MCP 2025-11-25, "Transports", stdio.
"""

import contextlib
import logging
import os
import signal
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from subprocess import DEVNULL, PIPE
from typing import Any

import anyio
from anyio.abc import ObjectReceiveStream, ObjectSendStream, Process
from fastmcp.client.transports.base import ClientTransport, TransportOptions
from mcp.client.stdio import get_default_environment
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

log = logging.getLogger("switchgear.remotes")
MOST_MESSAGE_BYTES = 16 * 1024 * 1024
# What a server has to end by itself, and then after SIGTERM.
GRACE_S = 2.0
_GONE = (anyio.ClosedResourceError, anyio.BrokenResourceError, anyio.EndOfStream, OSError)


class BoundedStdio(ClientTransport):
    """As FastMCP's clients want transports. `env`: beside PATH, HOME and the like, all that the process is given."""

    def __init__(
        self, command: str, arguments: Sequence[str], env: Mapping[str, str], most_bytes: int = MOST_MESSAGE_BYTES
    ) -> None:
        self._command = [command, *arguments]
        self._env = get_default_environment() | dict(env)
        self._most_bytes = most_bytes

    @contextlib.asynccontextmanager
    async def connect_session(
        self, *, transport_options: TransportOptions | None = None, **session: Any
    ) -> AsyncIterator[Any]:
        """A session with the process, which ends with it."""
        options = transport_options or TransportOptions()
        async with self._streams() as (heard, said), options.session_class(heard, said, **session) as opened:
            yield opened

    @contextlib.asynccontextmanager
    async def _streams(self) -> AsyncIterator[tuple[Any, Any]]:
        process = await anyio.open_process(
            self._command, env=self._env, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, start_new_session=True
        )
        hearing, heard = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        said, saying = anyio.create_memory_object_stream[SessionMessage](0)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._hear, process, hearing)
            tasks.start_soon(_say, process, saying, hearing)
            try:
                yield heard, said
            finally:
                with anyio.CancelScope(shield=True):
                    heard.close()
                    said.close()
                    await _ended(process)
                tasks.cancel_scope.cancel()

    async def _hear(self, process: Process, hearing: ObjectSendStream[SessionMessage | Exception]) -> None:
        assert process.stdout is not None
        lines = _Lines(self._most_bytes)
        with contextlib.suppress(*_GONE):
            async with hearing:
                async for piece in process.stdout:
                    for line in lines.of(piece):
                        await hearing.send(_message(line))
                    if lines.is_too_long:
                        log.warning("%s says more than %d bytes at once", self._command[0], self._most_bytes)
                        return


class _Lines:
    """Whole lines out of pieces; `is_too_long`: there is one that goes on behind the bound."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._begun = bytearray()

    @property
    def is_too_long(self) -> bool:
        return len(self._begun) > self._most_bytes

    def of(self, piece: bytes) -> Iterator[bytes]:
        *ends, rest = piece.split(b"\n")
        for end in ends:
            self._begun += end
            if self.is_too_long:
                return
            yield bytes(self._begun)
            self._begun = bytearray()
        self._begun += rest


def _message(line: bytes) -> SessionMessage | Exception:
    """What is no message is told to the session, which goes on."""
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValueError as error:
        return error


async def _say(
    process: Process,
    saying: ObjectReceiveStream[SessionMessage],
    hearing: ObjectSendStream[SessionMessage | Exception],
) -> None:
    assert process.stdin is not None
    try:
        async with saying:
            async for one in saying:
                text = one.message.model_dump_json(by_alias=True, exclude_unset=True)
                await process.stdin.send(f"{text}\n".encode())
    except _GONE:
        await hearing.aclose()  # who waits for an answer learns that none comes


async def _ended(process: Process) -> None:
    """Returns when the process, and what it started, is over."""
    if process.stdin is not None:
        with contextlib.suppress(*_GONE):
            await process.stdin.aclose()
    for number in (None, signal.SIGTERM, signal.SIGKILL):
        if number is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
        with anyio.move_on_after(GRACE_S):
            await process.wait()
            break
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # what it left behind
    if process.stdout is not None:
        with contextlib.suppress(*_GONE):
            await process.stdout.aclose()
