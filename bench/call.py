"""A one-step read through MCP against the same request alone: `python -m bench.call`.

In one run, interleaved, on the same upstream and the same operation: bare httpx; FastMCP's `from_openapi` with one
tool an operation; Switchgear with one approved workflow. Both servers are asked by the same client over HTTP.
Only the ratios travel from machine to machine.
"""

import asyncio
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx
import yaml
from fastmcp import Client

from bench.figures import ROOT, spread, tell
from bench.installation import Installation, installation
from demo.children import Children, CommandFailedError
from demo.choice import Wish, granted

SPEC = ROOT / "specs" / "hypercore" / "openapi.yaml"
API, BASE_PATH = "hypercore", "/rest/v1"
WISH = Wish("find", "GET /VirDomain")
WARM_UP, ROUNDS = 50, 500
READY_S = 60.0
Call = Callable[[], Awaitable[object]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(children: Children, name: str, *words: str) -> None:
    """Starts `python -m WORDS` and waits until its port, the word that is a number, accepts connections."""
    port = next(int(word) for word in words if word.isdecimal())
    process = children.start(name, [sys.executable, "-m", *words])
    end = time.monotonic() + READY_S
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise CommandFailedError(f"{name} did not start: {children.log(name)}")


def operation_id() -> str:
    method, path = WISH.goal.split()
    document = yaml.load(SPEC.read_bytes(), Loader=yaml.CSafeLoader)
    found: str = document["paths"][path][method.lower()]["operationId"]
    return found


async def rounds(calls: Mapping[str, Call], warm_up: int = WARM_UP, count: int = ROUNDS) -> dict[str, list[float]]:
    """Durations by name; the calls take turns, so that what else the machine does meets all alike."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(warm_up + count):
        for name, call in calls.items():
            begin = time.perf_counter()
            await call()
            if number >= warm_up:
                taken[name].append(time.perf_counter() - begin)
    return taken


async def measure(upstream: str, per_operation: str, ours: str, token: str, tool: str) -> list[dict[str, Any]]:
    async with (
        httpx.AsyncClient(base_url=upstream, trust_env=False) as bare,
        Client(per_operation) as theirs_client,
        Client(ours, auth=token) as our_client,
    ):
        # call_tool_mcp leaves out what the client itself does with a result.
        for client, name in ((theirs_client, "measured"), (our_client, tool)):
            answer = await client.call_tool_mcp(name, {})
            if answer.is_error:
                raise CommandFailedError(f"{name} failed: {answer.content}")
        taken = await rounds(
            {
                "bare httpx": lambda: bare.get("/VirDomain"),
                "FastMCP from_openapi": lambda: theirs_client.call_tool_mcp("measured", {}),
                "Switchgear": lambda: our_client.call_tool_mcp(tool, {}),
            }
        )
    told = {name: spread(seconds) for name, seconds in taken.items()}
    base = told["bare httpx"]["p50_ms"]
    return [{"call": name, **row, "ratio_p50": round(row["p50_ms"] / base, 2)} for name, row in told.items()]


def prepare(made: Installation) -> tuple[str, str, str, str]:
    """Starts all three servers; their addresses and the tool's name."""
    upstream_port, their_port = free_port(), free_port()
    upstream = f"http://127.0.0.1:{upstream_port}{BASE_PATH}"
    start(made.children, "upstream", "bench.upstream", str(upstream_port))
    start(made.children, "theirs", "bench.per_operation", str(their_port), str(SPEC), upstream, operation_id())
    workflow = granted(WISH, made.compile(SPEC))
    made.approve([workflow])
    made.add_target(API, f"http://127.0.0.1:{upstream_port}")
    return upstream, f"http://127.0.0.1:{their_port}/mcp", f"{made.serve().url}/mcp", workflow["tool"]["name"]


def main() -> None:
    with installation() as made:
        upstream, theirs, ours, tool = prepare(made)
        rows = asyncio.run(measure(upstream, theirs, ours, made.token, tool))
    tell(f"{WISH.goal}, one step, {ROUNDS} calls each, interleaved", rows)


if __name__ == "__main__":
    main()
