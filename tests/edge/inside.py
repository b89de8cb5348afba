"""The life of an edge machine, from its folder of wheels to an agent's call, inside a namespace without a network.

Started by `test_edge.py` as `inside.py FOLDER WORK` under `unshare -rn`. FOLDER holds what `make_wheelhouse.sh` made,
a bundle and its public key; WORK is empty. The device is the twin, out of the developer's environment: an edge machine
has no compiler. Prints what was seen as one line of JSON; ends with a traceback where a step fails.
"""

import asyncio
import errno
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from fastmcp import Client
from fastmcp.client.transports import StdioTransport

from demo.children import Children
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
SPEC = ROOT / "specs" / "hypercore" / "openapi.yaml"
WORKFLOW = "hypercore_find_vms"
OUTSIDE = ("192.0.2.1", 443)  # RFC 5737: an address for documentation


def bring_loopback_up() -> None:
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", IFF_UP))


def network_error() -> str:
    """How a connection to somewhere else fails."""
    with socket.socket() as outside:
        outside.settimeout(5)
        return errno.errorcode[outside.connect_ex(OUTSIDE)]


class Edge:
    """The installed command line with its own database and nothing of the developer's environment."""

    def __init__(self, home: Path) -> None:
        self.program = home / "bin" / "switchgear"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "SWITCHGEAR_DATABASE_URL": f"sqlite+aiosqlite:///{home}/edge.db",
            "LAB_USER": "admin",
            "LAB_PASSWORD": "switchgear",
        }

    def run(self, *words: str) -> Any:
        command = [self.program, *words, "--json"]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{words} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    async def call_over_stdio(self) -> Any:
        arguments = ["serve", "--transport", "stdio"]
        transport = StdioTransport(str(self.program), arguments, self.environment, keep_alive=False)
        async with Client(transport) as client:
            return (await client.call_tool(WORKFLOW, {})).structured_content

    def call_over_http(self, token: str) -> Any:
        command = [self.program, "serve", "--port", "0", "--json"]
        with subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None
                url = json.loads(server.stdout.readline())["url"]
                request = urllib.request.Request(f"{url}/workflows/{WORKFLOW}/run", b"{}", method="POST")
                request.add_header("Content-Type", "application/json")
                request.add_header("Authorization", f"Bearer {token}")
                with urllib.request.urlopen(request, timeout=PATIENCE_S) as reply:
                    return json.load(reply)
            finally:
                server.terminate()


def main(folder: Path, work: Path) -> dict[str, Any]:
    bring_loopback_up()
    seen: dict[str, Any] = {"interfaces": sorted(name for _, name in socket.if_nameindex()), "outside": network_error()}
    home = work / "switchgear"
    subprocess.run([folder / "install.sh", home], check=True, env={"PATH": os.environ["PATH"]})
    freeze = [home / "bin" / "python", "-m", "pip", "--isolated", "list", "--format", "json"]
    seen["packages"] = [one["name"].lower() for one in json.loads(subprocess.check_output(freeze))]
    edge = Edge(home)
    seen["schema"] = edge.run("db", "upgrade")
    token = edge.run("init")["token"]
    edge.run("bundle", "keys", "trust", str(folder / "ann.pub"), "--name", "ann")
    seen["imported"] = edge.run("bundle", "import", str(folder / "plant.bundle"))
    lab = Children(work, {"LAB_USER": "admin", "LAB_PASSWORD": "switchgear"})
    try:
        twin = lab.serve("twin", "mock", str(SPEC))
        where = ("--url", twin.url.removesuffix("/rest/v1"), "--mode", "twin")
        account = ("--username-ref", "env:LAB_USER", "--password-ref", "env:LAB_PASSWORD")
        edge.run("targets", "add", "lab", "--api", "hypercore", *where, *account)
        seen["stdio"] = asyncio.run(edge.call_over_stdio())
        seen["http"] = edge.call_over_http(token)
    finally:
        lab.stop()
    seen["audit"] = edge.run("audit", "verify")
    return seen


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
