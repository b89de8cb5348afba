"""Conditional writes on a server that others wrote: Kinto, which keeps versions of its records for real.

Its description (Swagger 2.0) is the one that it serves itself: compiled as it comes, with a profile of three lines.
Whoever writes between our read and our write is not overwritten: Kinto answers 412, since `If-Match` carried what was
read.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from compiler.compiled import Compiled
from compiler.pipeline import CompileRequest
from compiler.verification import compile_spec
from tests.peers import processes
from tests.peers.processes import USER, WORD

pytestmark = [
    pytest.mark.slow,
    pytest.mark.unwitnessed("Kinto is another's process, and what stands before it changes things on purpose"),
]
PROFILE = """\
api: kinto
auth: {kinds: [basic]}
conditional: {methods: [PATCH, DELETE]}
"""
WORKFLOWS = ("kinto_update_collection", "kinto_delete_collection")
LAB = {"bucket_id": "rack", "collection_id": "lab"}
Hook = Callable[[], Awaitable[None]]


@pytest.fixture(scope="module")
def kinto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with processes.kinto(tmp_path_factory.mktemp("kinto")) as url:
        yield url


@pytest.fixture(scope="module")
def compiled(kinto: str, tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    folder = tmp_path_factory.mktemp("description")
    (folder / "openapi.json").write_bytes(httpx.get(f"{kinto}/v1/__api__").content)
    (folder / "profile.yaml").write_text(PROFILE)
    return compile_spec(CompileRequest(folder / "openapi.json"))[0]


@contextlib.asynccontextmanager
async def in_front_of(url: str, first_write: Hook) -> AsyncIterator[str]:
    """Passes all on; before the first PATCH or DELETE reaches the server, `first_write` happens there."""
    hooks = [first_write]

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, watched: bool) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                if watched and hooks and data.startswith((b"PATCH ", b"DELETE ")):
                    await hooks.pop()()
                writer.write(data)
                await writer.drain()
        writer.close()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        await asyncio.gather(pump(reader, there[1], True), pump(there[0], writer, False))

    async with await asyncio.start_server(pass_on, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
async def written(kinto: str) -> AsyncIterator[Callable[[Any], Awaitable[Any]]]:
    """Writes the collection as somebody else; with None it only reads. Answers its data."""
    async with httpx.AsyncClient(base_url=f"{kinto}/v1", auth=(USER, WORD)) as client:
        (await client.put("/buckets/rack")).raise_for_status()

        async def written(data: Any = None) -> Any:
            if data is not None:
                (await client.put("/buckets/rack/collections/lab", json={"data": data})).raise_for_status()
            found = await client.get("/buckets/rack/collections/lab")
            return found.json().get("data") if found.is_success else None

        yield written


async def nothing() -> None:
    pass


async def test_a_change_and_a_deletion_carry_the_version_that_was_read(
    peers: Any, kinto: str, compiled: Compiled, written: Any, tmp_path: Path
) -> None:
    await written({"colour": "red"})
    async with in_front_of(kinto, nothing) as url, peers.peer(compiled, WORKFLOWS, tmp_path, f"{url}/v1") as server:
        changed = await server.call("kinto_update_collection", {**LAB, "data": {"colour": "blue"}})
        assert changed.outcome == "succeeded", changed
        assert (await written())["colour"] == "blue"
        gone = await server.call("kinto_delete_collection", LAB)
        assert gone.outcome == "succeeded", gone
    assert await written() is None


@pytest.mark.parametrize("workflow", WORKFLOWS)
async def test_what_somebody_wrote_meanwhile_is_not_overwritten(
    peers: Any, kinto: str, compiled: Compiled, written: Any, tmp_path: Path, workflow: str
) -> None:
    await written({"colour": "red"})

    async def meanwhile() -> None:
        await written({"colour": "green"})

    inputs = LAB | ({"data": {"colour": "blue"}} if workflow == "kinto_update_collection" else {})
    async with in_front_of(kinto, meanwhile) as url, peers.peer(compiled, WORKFLOWS, tmp_path, f"{url}/v1") as server:
        ended = await server.call(workflow, inputs)
        assert ended.outcome == "failed", ended
        assert ended.failure is not None
        assert (ended.failure.code, ended.failure.status) == ("changed_meanwhile", 412)
    assert (await written())["colour"] == "green"
