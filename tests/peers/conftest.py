"""Redfish servers that others wrote, started for tests: sushy-tools' emulator with its fake driver.

Everything goes the way of a user: the shipped description is compiled, workflows are stored, approved and called, and
the runtime's own driver speaks HTTP with the server. The profile is the shipped one, unchanged: that the emulator has
no sessions is found out by the driver. The server runs in a process of its own, on a free port, with its state in a
temporary folder, and ends with the tests by its own process.
"""

import contextlib
import http.server
import re
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from compiler.compiled import Compiled
from compiler.submission import submit
from governance.registry.targets import Target, TargetLimits
from runtime.call_options import CallOptions
from runtime.caller import Caller
from runtime.engines.engine import Ended
from runtime.secrets import Vault
from runtime.service import Service, open_service
from tests.needs import SUSHY
from tests.ports import free_port
from tests.shipped import shipped
from tests.waiting import PATIENCE_S

# What the twin takes, so that one target fits all servers.
USER, WORD = "admin", "switchgear"
CALLER = Caller("test", "operator")
# The profile spares a BMC with five requests a second, which no server here needs.
UNHURRIED = TargetLimits(requests_per_s=1000.0)


@dataclass(frozen=True)
class Peer:
    """Calls approved workflows on one target through the runtime, as every front end of it does."""

    service: Service
    target: str

    async def call(self, workflow: str, inputs: Mapping[str, Any]) -> Ended:
        entry = next(e for e in self.service.live.now.entries.values() if e.workflow_id == workflow)
        return await self.service.calls.call(
            entry, inputs, self.target, Caller("test", "operator"), CallOptions(is_confirmed=True)
        )

    async def requests(self) -> list[tuple[str, str]]:
        """Method and path of what the steps of all runs have sent so far; not the login that the driver tries."""
        await self.service.engine.settle()
        rows = await self.service.audit.find(action="request.sending", limit=100_000)
        steps = [row.detail for row in rows if row.detail["step_id"] != "session"]
        return [(step["method"], step["path"]) for step in steps]

    async def logins(self) -> list[int]:
        """What each login was answered with."""
        await self.service.engine.settle()
        rows = await self.service.audit.find(action="request.answered", limit=100_000)
        return [row.detail["status"] for row in rows if row.detail["step_id"] == "session"]


@contextlib.asynccontextmanager
async def peer(compiled: Compiled, workflows: Sequence[str], folder: Path, url: str) -> AsyncIterator[Peer]:
    """A database in `folder` in which `workflows` are approved, and the server at `url` as its only target."""
    wanted = tuple(one for one in compiled.workflows if one.flow.id in workflows)
    assert {one.flow.id for one in wanted} == set(workflows), "a workflow that is to run is no longer made"
    database = f"sqlite+aiosqlite:///{folder / 'switchgear.db'}"
    vault = Vault({"REDFISH_USER": USER, "REDFISH_WORD": WORD})
    await submit(replace(compiled, workflows=wanted), database, "test")
    async with open_service(database, vault) as service:
        api = compiled.api.name
        account = ("env:REDFISH_USER", "env:REDFISH_WORD")
        await service.targets.add(Target("server", api, url, "live", *account, limits=UNHURRIED))
        for revision in await service.revisions.find(api=api, limit=1000):
            await service.revisions.decide(
                revision.id, "approve", actor="test", role="admin", reason="a test", digest=revision.digest
            )
        await service.live.reload()
        yield Peer(service, "server")


@contextlib.contextmanager
def emulator(folder: Path, settings: Mapping[str, Any]) -> Iterator[str]:
    """sushy-tools' emulator with its fake driver while the block runs; gives its address."""
    import bcrypt

    folder.mkdir(parents=True, exist_ok=True)
    digest = bcrypt.hashpw(WORD.encode(), bcrypt.gensalt(4)).decode().replace("$2b$", "$2y$")
    (folder / "users").write_text(f"{USER}:{digest}\n")
    own = {"SUSHY_EMULATOR_STATE_DIR": str(folder / "state"), "SUSHY_EMULATOR_AUTH_FILE": str(folder / "users")}
    lines = [f"{name} = {value!r}" for name, value in {**own, **settings}.items()]
    (folder / "settings.py").write_text("\n".join([*lines, ""]))
    port = free_port()
    command = [sys.executable, "-m", "sushy_tools.emulator.main", "--fake", "-i", "127.0.0.1", "-p", str(port)]
    environment = {"PATH": "/usr/bin:/bin", "TMPDIR": str(folder), "NO_PROXY": "127.0.0.1"}
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            [*command, "--config", str(folder / "settings.py")], cwd=folder, env=environment, stdout=log, stderr=log
        ) as process,
    ):
        try:
            wait_until_ready(process, port, folder / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def wait_until_ready(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    with httpx.Client(trust_env=False) as client:
        while True:
            try:
                client.get(f"http://127.0.0.1:{port}/redfish/v1/")
                return
            except httpx.TransportError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"the emulator did not start: {log.read_text()}") from None
                time.sleep(0.05)


def logged(log: Path) -> list[tuple[str, str]]:
    """The requests that the emulator logged, which it does decoded, without the one that asked whether it is ready."""
    lines = re.findall(r'"(?:\x1b\[[0-9;]*m)?([A-Z]+) ([^ ?"]+)[^"]* HTTP/1\.[01](?:\x1b\[0m)?" \d', log.read_text())
    return [(method, quote(path, safe="/")) for method, path in lines[1:]]


@dataclass(frozen=True)
class Peers:
    witness: Any

    @contextlib.contextmanager
    def emulator(self, folder: Path, settings: Mapping[str, Any]) -> Iterator[str]:
        with emulator(folder, settings) as url:
            self.witness.device(int(url.rpartition(":")[2]), lambda: logged(folder / "log"))
            yield url

    peer = staticmethod(peer)
    free_port = staticmethod(free_port)


@pytest.fixture
def peers(witness: Any) -> Peers:
    """What tests need from here, under one name, because test files import nothing from each other."""
    SUSHY.or_skip()
    return Peers(witness)


@pytest.fixture(scope="session")
def idrac() -> Compiled:
    """The shipped description, compiled with the shipped profile."""
    return shipped("idrac")


@pytest.fixture(scope="session")
def image() -> Iterator[str]:
    """The address of an image that the emulator can fetch."""

    class Image(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "2048")
            self.end_headers()
            self.wfile.write(b"\0" * 2048)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Image) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/tools.iso"
        server.shutdown()
        thread.join()
