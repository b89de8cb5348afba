"""Three reads in one run against the same three requests alone: `python -m bench.reads [PYTHON]`.

In one run, interleaved, on the same upstream: bare httpx one after the other; our engine called in this process, as
`bench/durable.py` does; and, where PYTHON is an interpreter that has it, arazzo-runner with the same three steps
(`bench/arazzo_peer.py`, asked over a pipe). One read through MCP beside FastMCP's `from_openapi` is in `bench/call.py`.
"""

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import yaml

from bench.call import Call, free_port, rounds, start
from bench.durable import content, furnish
from bench.figures import ROOT, spread, tell
from demo.children import Children
from runtime.caller import Caller
from runtime.secrets import Vault
from runtime.service import open_service
from workflow.revision import RevisionContent

READS, WARM_UP, ROUNDS = 3, 20, 200
TOOL = "three_reads"


def workflow() -> RevisionContent:
    """Three reads, each of whose replies is an output: nothing may be left out."""
    steps = [
        {
            "stepId": f"read_{number}",
            "operationPath": f"{{$sourceDescriptions.bench.url}}#/paths/~1things~1{number}/get",
            "x-switchgear": {"role": "read", "effect": "read", "idempotent": True},
            "outputs": {"body": "$response.body"},
        }
        for number in range(READS)
    ]
    return content(TOOL, "read", steps, outputs())


def outputs() -> dict[str, str]:
    return {f"body_{number}": f"$steps.read_{number}.outputs.body" for number in range(READS)}


def arazzo_files(folder: Path, upstream: str) -> Path:
    """The same as files, for other runners of Arazzo 1.0: the workflow, and the description beside it."""
    replies = {"200": {"description": "so it is"}}
    paths = {f"/things/{n}": {"get": {"operationId": f"read_{n}", "responses": replies}} for n in range(READS)}
    info = {"title": "bench", "version": "1"}
    description = {"openapi": "3.0.3", "info": info, "servers": [{"url": upstream}], "paths": paths}
    (folder / "bench.yaml").write_text(yaml.safe_dump(description))
    check = [{"condition": "$statusCode == 200"}]
    steps = [
        {
            "stepId": f"read_{n}",
            "operationId": f"read_{n}",
            "successCriteria": check,
            "outputs": {"body": "$response.body"},
        }
        for n in range(READS)
    ]
    document = {
        "arazzo": "1.0.1",
        "info": info,
        "sourceDescriptions": [{"name": "bench", "url": "./bench.yaml", "type": "openapi"}],
        "workflows": [{"workflowId": TOOL, "steps": steps, "outputs": outputs()}],
    }
    path = folder / "reads.arazzo.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


@contextlib.asynccontextmanager
async def arazzo_runner(python: str, document: Path) -> AsyncIterator[Call]:
    """One run of `document` by arazzo-runner, in a process that stays."""
    program = str(ROOT / "bench" / "arazzo_peer.py")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(python, program, str(document), TOOL, stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    asking, answers = process.stdin, process.stdout

    async def run() -> None:
        asking.write(b"\n")
        ended = (await answers.readline()).decode().strip()
        if ended != "workflow_complete":
            raise RuntimeError(f"arazzo-runner ended {ended}")

    try:
        yield run
    finally:
        asking.close()
        await process.wait()


async def measure(upstream: str, folder: Path, python: str | None) -> list[dict[str, Any]]:
    database = f"sqlite+aiosqlite:///{folder / 'switchgear.db'}"
    async with contextlib.AsyncExitStack() as stack:
        service = await stack.enter_async_context(open_service(database, Vault({})))
        bare = await stack.enter_async_context(httpx.AsyncClient(base_url=upstream, trust_env=False))
        await furnish(service, upstream, TOOL, "read", workflow())
        entry, caller = service.live.now.entries[TOOL], Caller("bench", "operator")

        async def alone() -> None:
            for number in range(READS):
                (await bare.get(f"/things/{number}")).raise_for_status().json()

        async def engine() -> None:
            ended = await service.calls.call(entry, {}, None, caller)
            if ended.outcome != "succeeded":
                raise RuntimeError(f"a run ended as {ended.outcome}: {ended.failure}")

        calls: dict[str, Call] = {"bare httpx": alone, "Switchgear's engine": engine}
        if python:
            document = arazzo_files(folder, upstream)
            calls["arazzo-runner"] = await stack.enter_async_context(arazzo_runner(python, document))
        taken = await rounds(calls, WARM_UP, ROUNDS)
    told = {name: spread(seconds) for name, seconds in taken.items()}
    base = told["bare httpx"]["p50_ms"]
    return [{"three reads": name, **row, "ratio_p50": round(row["p50_ms"] / base, 2)} for name, row in told.items()]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="switchgear-bench-") as folder:
        children = Children(Path(folder), {})
        try:
            port = free_port()
            start(children, "upstream", "bench.upstream", str(port))
            python = sys.argv[1] if len(sys.argv) > 1 else None
            rows = asyncio.run(measure(f"http://127.0.0.1:{port}", Path(folder), python))
        finally:
            children.stop()
    tell(f"A run of {READS} reads, {ROUNDS} runs", rows)


if __name__ == "__main__":
    main()
