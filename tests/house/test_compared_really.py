"""Every row of the comparison with other systems, shown: its commands are run in order, its routes are asked.

Against a twin and a server of one's own, in a folder of the test's. What cannot be here (an address of a book, a model,
a package from elsewhere) is replaced by what can, and nothing else is; a row that comes new fails until it is run here.
"""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.forks import search_path
from tests.house.test_compared import CODE, COMMANDS
from tests.house.test_tour import GUIDE
from tests.needs import PRISM, ROOT
from tests.ports import free_port
from tests.waiting import PATIENCE_S

pytestmark = [pytest.mark.long, pytest.mark.unwitnessed("whole commands: the twin is a process of its own")]
NAMED = re.compile(r"(GET|PUT|POST|DELETE) /")
ROUTES = sorted({text.partition("?")[0] for text in CODE if NAMED.match(text)})
RUN = "01a1f9d8-c518-7204-a7b0-4f5198346f10"
TIME_SERVER = """
from fastmcp import FastMCP
mcp = FastMCP("time")
@mcp.tool(annotations={"readOnlyHint": True})
def get_current_time(timezone: str) -> dict[str, str]:
    "The time."
    return {"timezone": timezone, "time": "noon"}
@mcp.tool(annotations={"readOnlyHint": True})
def convert_time(time: str, to: str) -> str:
    "The same time elsewhere."
    return f"{time} in {to}"
mcp.run(show_banner=False)
"""


@dataclass
class Desk:
    """A user's folder and shell. `replaced`: what of a command cannot be here, and what stands in its place."""

    folder: Path
    replaced: dict[str, str]
    left: set[str] = field(default_factory=lambda: set(COMMANDS))
    processes: list["subprocess.Popen[str]"] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        own = {"SWITCHGEAR_DATABASE_URL": f"sqlite+aiosqlite:///{self.folder}/swg.db", "HOME": str(self.folder)}
        own |= {"U": "admin", "P": "switchgear", "SWITCHGEAR_LIBRARY": str(self.folder / "library")}
        return {**os.environ, "PATH": search_path(), **own}

    def words(self, command: str) -> list[str]:
        self.left.discard(command)
        for there, here in self.replaced.items():
            command = command.replace(there, here)
        return shlex.split(command)

    def run(self, command: str, *codes: int, says: str = "") -> str:
        """What it prints; it ends with one of these codes, 0 where none is given."""
        done = subprocess.run(
            self.words(command), cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL, timeout=PATIENCE_S,
        )  # fmt: skip
        told = done.stdout + done.stderr
        assert done.returncode in (codes or (0,)), (command, done.returncode, told)
        assert says in told, (command, told)
        return told

    def start(self, command: str, says: str) -> None:
        """Begins something that goes on; returns when it has said this."""
        process = subprocess.Popen(
            self.words(command), cwd=self.folder, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.processes.append(process)
        assert process.stdout is not None
        lines: list[str] = []
        while not any(says in line for line in lines):
            lines.append(process.stdout.readline())
            assert lines[-1] or process.poll() is None, (command, lines)

    def stop(self) -> None:
        """Ends what was started last."""
        process = self.processes.pop()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    (tmp_path / "time_server.py").write_text(TIME_SERVER)
    (tmp_path / "out").mkdir()
    (profile,) = re.findall(r"```yaml\n(.*?)```", GUIDE, re.S)
    (tmp_path / "out" / "profile.yaml").write_text(profile)
    (tmp_path / "library").mkdir()
    (tmp_path / "mcp.json").write_text(json.dumps({"mcpServers": {"other": {"url": "https://192.0.2.9/mcp"}}}))
    (tmp_path / "policy.yaml").write_text("self_approval: true\ncall_api: [cli, boss]\n")
    twin = str(free_port())
    replaced = {
        "uvx mcp-server-time": f"{sys.executable} {tmp_path}/time_server.py", "https://192.0.2.7": f"http://127.0.0.1:{twin}",
        "9001": twin, "8080": str(free_port()), "docs/rack-pdu": str(ROOT / "docs" / "rack-pdu"),
    }  # fmt: skip
    made = Desk(tmp_path, replaced)
    try:
        yield made
    finally:
        while made.processes:
            made.stop()


def test_every_row_of_the_comparison_is_shown_by_its_commands_and_routes(desk: Desk) -> None:
    compiles(desk)
    acts(desk)
    has_servers_of_others(desk)
    serves(desk)
    assert desk.left == {"switchgear servers add", "switchgear targets add"}, (
        "named as groups, and run with their words"
    )


def compiles(desk: Desk) -> None:
    desk.run("switchgear init")
    desk.run("switchgear compile hypercore", says="pending")
    desk.run("switchgear compile hypercore --ask 'start a vm'", 1, says="nearest: hypercore_start_vm")
    desk.run("switchgear compile hypercore --proposer ollama:qwen3:4b", 0, 1, 4)  # no model is here: said, and no less
    desk.run("switchgear compile docs/rack-pdu/openapi.yaml --profile out/profile.yaml")
    desk.run("switchgear workflows approve hypercore_start_vm@1")
    desk.run("switchgear workflows approve hypercore_find_vms@1")
    desk.run("switchgear workflows show hypercore_start_vm --graph", says="start")


def acts(desk: Desk) -> None:
    desk.start("switchgear mock hypercore --port 9001", "listening")
    added = (
        "switchgear targets add lab --api hypercore --url https://192.0.2.7 --username-ref env:U --password-ref env:P"
    )
    desk.run(added)
    desk.run("switchgear call hypercore_start_vm vm=db-01", says="db-01")
    runs = json.loads(desk.run("switchgear runs list --json"))
    desk.run("switchgear runs list", says="hypercore")
    desk.replaced[RUN] = (runs["runs"] if isinstance(runs, dict) else runs)[0]["id"]
    desk.run(f"switchgear runs show {RUN}", says="GET")
    desk.run(f"switchgear runs resolve {RUN} --look", 1, says="not in doubt")
    desk.run("switchgear api search start vm", says="hypercore_start_vm")
    desk.run("switchgear api describe 'GET /VirDomain'", says="read")
    desk.run("switchgear api call 'GET /VirDomain'", 1, says="may not call single operations")
    desk.run("switchgear policy apply policy.yaml")
    desk.run("switchgear api call 'GET /VirDomain'", says="db-01")
    desk.run("switchgear workflows disable hypercore_start_vm --reason 'not used'")
    desk.run("switchgear call hypercore_start_vm vm=db-01", 1)
    desk.run("switchgear workflows enable hypercore_start_vm")
    desk.run("switchgear mock idrac --behaviours", says="ignored change")
    if PRISM.is_there():
        desk.start("switchgear mock hypercore --prism", "http")
        desk.stop()
    else:
        desk.run("switchgear mock hypercore --prism", 1, 2, 3, 4, says="rism")


def has_servers_of_others(desk: Desk) -> None:
    desk.run("switchgear servers add time uvx mcp-server-time")
    desk.run("switchgear servers test time", says="get_current_time")
    desk.run("switchgear servers sync time")
    desk.run("switchgear servers show time", says="remote_time_convert_time")
    for name in ("get_current_time", "convert_time"):
        desk.run(f"switchgear servers classify time {name} --risk read")
        desk.run(f"switchgear workflows approve remote_time_{name}@2")
    desk.run("switchgear call remote_time_get_current_time timezone=UTC", says="noon")
    desk.run("switchgear servers disable time --tool remote_time_convert_time")
    desk.run("switchgear call remote_time_convert_time time=noon to=UTC", 1)
    desk.run("switchgear servers import mcp.json", says="other")
    desk.run("switchgear servers export --form vscode", says="servers")
    desk.run("switchgear audit list", says="revision")
    desk.run("switchgear audit stats")
    for name in ("claude", "cursor", "openwebui", "vscode"):
        desk.run(f"switchgear client-config {name}", says="switchgear" if name != "openwebui" else "openapi")


def serves(desk: Desk) -> None:
    desk.run("switchgear serve --transport stdio")  # whose client hangs up at once
    desk.run("switchgear tokens create my-agent --role operator")
    desk.run("switchgear tokens create night --role operator --api hypercore --risk read")
    secret = json.loads(desk.run("switchgear tokens create boss --role admin --json"))["token"]
    certificate(desk.folder)
    desk.start("switchgear serve --tls-cert cert.pem --tls-key key.pem --port 0", "https://")
    desk.left.discard("switchgear serve --tls-cert cert.pem --tls-key key.pem")
    desk.stop()
    desk.start("switchgear serve --port 8080", "serves")
    headers = {"authorization": f"Bearer {secret}"}
    address = f"http://127.0.0.1:{desk.replaced['8080']}"
    with httpx.Client(base_url=address, headers=headers, timeout=PATIENCE_S, trust_env=False) as client:
        left = set(ROUTES)
        for route, path, given in asked(desk):
            left.discard(route)
            method = route.partition(" ")[0]
            answer = client.request(method, path, **given)
            assert answer.status_code < 300, (route, answer.status_code, answer.text[:300])
        answer = client.post("/specs/pdu.yaml/build", json={"profile": "pdu.yaml"})
        assert answer.status_code < 300, answer.text
        found = client.get(f"/builds/{answer.json()['id']}?wait=50")
        assert (found.status_code, found.json()["outcome"]) == (200, "succeeded"), found.text
        assert left == {"POST /specs/{name}/build", "GET /builds/{build}"}
        assert "Switchgear" in client.get("/console/login", follow_redirects=True).text


def asked(desk: Desk) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each route of the page, its address and what is sent."""
    plain = (
        "audit",
        "audit/stats",
        "catalog",
        "health",
        "metrics",
        "openapi.json",
        "prompts/list",
        "ready",
        "settings",
    )
    for name in (*plain, "resources/list", "tools/list", "workflows"):
        yield f"GET /{name}", f"/{name}", {}
    call, pdu = {"name": "hypercore_start_vm"}, (ROOT / "docs" / "rack-pdu" / "openapi.yaml").read_bytes()
    lists = "hypercore_find_vms"  # the machine is on by now
    yield "GET /knowledge", "/knowledge?q=start+vm", {}
    yield "GET /knowledge/operation", "/knowledge/operation?key=GET+/VirDomain", {}
    yield "GET /runs/{run_id}", f"/runs/{desk.replaced[RUN]}", {}
    yield "GET /workflows/{ref}/graph", "/workflows/hypercore_start_vm/graph", {}
    yield "POST /reload", "/reload", {}
    server = {"name": "web", "url": "http://127.0.0.1:9/mcp"}
    yield "POST /servers", "/servers", {"json": {**server, "transport": "http"}}
    yield "POST /servers/{name}/test", "/servers/time/test", {}
    yield "POST /tokens", "/tokens", {"json": {"name": "more", "role": "viewer"}}
    yield "POST /tools/call_api", "/tools/call_api", {"json": {"operation": "GET /VirDomain"}}
    yield "POST /tools/describe_workflow", "/tools/describe_workflow", {"json": call}
    yield "POST /tools/search_workflows", "/tools/search_workflows", {"json": {"query": "start a vm"}}
    yield "POST /tools/run_workflow", "/tools/run_workflow", {"json": {"name": lists, "arguments": {}}}
    yield "POST /tools/{name}", f"/tools/{lists}", {"json": {}}
    yield "POST /workflows/{ref}/run", f"/workflows/{lists}/run", {"json": {"inputs": {}}}
    pending = json.loads(desk.run("switchgear workflows show hypercore_stop_vm --json"))
    decision = {"digest": pending["digest"], "reason": ""}
    yield "POST /workflows/{ref}/approve", "/workflows/hypercore_stop_vm@1/approve", {"json": decision}
    yield "PUT /specs/{name}", "/specs/pdu.yaml", {"content": pdu}
    yield "PUT /profiles/{name}", "/profiles/pdu.yaml", {"content": (desk.folder / "out" / "profile.yaml").read_bytes()}
    yield "GET /profiles/{name}", "/profiles/pdu.yaml", {}


def certificate(folder: Path) -> None:
    """One of its own, as the row names its files."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
         "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=localhost"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
