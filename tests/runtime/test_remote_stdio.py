"""A process of others over stdio: what it says at once is bounded, and nothing of it is left when its session ends."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client

from runtime.driver.stdio import BoundedStdio
from tests.waiting import PATIENCE_S, until

SERVER = """
import json, os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(sys.argv[1], "w").write(f"{os.getpid()} {child.pid}")
for line in sys.stdin:
    asked = json.loads(line)
    if "id" not in asked:
        continue
    answer = {"jsonrpc": "2.0", "id": asked["id"]}
    if asked["method"] == "initialize":
        about = {"name": "theirs", "version": "1"}
        version = asked["params"]["protocolVersion"]
        answer["result"] = {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": about}
    elif asked["method"] == "tools/list":
        answer["result"] = {"tools": [{"name": "any", "inputSchema": {"type": "object"}}]}
    elif asked["method"] == "tools/call":
        print("no message at all", flush=True)
        text = "x" * asked["params"]["arguments"]["size"]
        answer["result"] = {"content": [{"type": "text", "text": text}]}
    else:
        answer["error"] = {"code": -32601, "message": "no such method"}
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture
def transport(tmp_path: Path) -> BoundedStdio:
    (tmp_path / "server.py").write_text(SERVER)
    return BoundedStdio(sys.executable, [str(tmp_path / "server.py"), str(tmp_path / "pids")], {}, most_bytes=100_000)


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def client(transport: BoundedStdio) -> Client[Any]:
    return Client(transport, mode="legacy", timeout=PATIENCE_S)


async def test_what_is_said_within_the_bound_arrives_and_what_is_longer_ends_the_session(
    transport: BoundedStdio, tmp_path: Path
) -> None:
    async with client(transport) as opened:
        told = await opened.call_tool_mcp("any", {"size": 90_000})
        assert len(told.content[0].text) == 90_000
        with pytest.raises(Exception, match=r"[Cc]onnection"):
            await opened.call_tool_mcp("any", {"size": 200_000})
    own, child = map(int, (tmp_path / "pids").read_text().split())
    await until(lambda: not is_there(own) and not is_there(child))


async def test_a_command_that_there_is_not_is_told() -> None:
    with pytest.raises(Exception, match="no-such-command"):
        async with client(BoundedStdio("/no-such-command", [], {})):
            pass
