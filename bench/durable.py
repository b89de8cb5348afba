"""What a durable step costs above the bare request: `python -m bench.durable`.

A workflow of three changes that may not be repeated, each on record before it leaves and checkpointed after it, on
SQLite in WAL with `synchronous=FULL`; beside it the same three requests by httpx alone, in turns, on the same upstream.
The engine is called in this process: what MCP and HTTP cost before it is in `bench/call.py`.
"""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import httpx

from bench.call import free_port, rounds, start
from bench.figures import spread, tell
from demo.children import Children
from governance.registry.targets import Target
from runtime.caller import Caller
from runtime.secrets import Vault
from runtime.service import Service, open_service, watching
from workflow.documents.reader import read_document
from workflow.profiles.profile import Profile
from workflow.revision import RevisionContent
from workflow.tool import tool_definition

STEPS, WARM_UP, ROUNDS = 3, 10, 150
TOOL = "three_changes"
PROFILE = Profile(api="bench")


def step(number: int) -> dict[str, Any]:
    return {
        "stepId": f"change_{number}",
        "operationPath": f"{{$sourceDescriptions.bench.url}}#/paths/~1things~1{number}/post",
        "requestBody": {"contentType": "application/json", "payload": {"number": number}},
        "x-switchgear": {"role": "change", "effect": "act", "idempotent": False},
    }


def content(tool: str, risk: str, steps: list[dict[str, Any]], outputs: dict[str, str]) -> RevisionContent:
    """The workflow of these steps, as a compiler would have written it."""
    intent = "find" if risk == "read" else "act"
    about = {"name": tool, "title": tool, "shown": [], "description": tool}
    document = {
        "arazzo": "1.1.0",
        "info": {"title": "bench", "version": "1"},
        "sourceDescriptions": [{"name": "bench", "url": "./bench.yaml", "type": "openapi"}],
        "x-switchgear": {"format": 1, "api": "bench", "base_path": "", "operations": {}},
        "workflows": [
            {
                "workflowId": tool.replace("_", "-"),
                "steps": steps,
                "outputs": outputs,
                "x-switchgear": {"intent": intent, "risk": risk, "resource": "things", "tool": about},
            }
        ],
    }
    shown = tool_definition(read_document(document, "bench")).to_json()
    return RevisionContent(document, shown, {}, PROFILE.digest)


async def furnish(service: Service, upstream: str, tool: str, risk: str, made: RevisionContent) -> None:
    """The workflow approved, the upstream its one target."""
    plain = PROFILE.model_dump(mode="json")
    await service.apis.put_api("bench", "Bench", "1", "sha256:" + "0" * 64, plain, PROFILE.digest)
    await service.targets.add(Target("bench", "bench", upstream, "twin"))
    about: dict[str, Any] = {"intent": "act", "risk": risk, "resource": "things", "is_core": True, "rank": 1.0}
    submission = await service.revisions.submit(
        "bench", tool.replace("_", "-"), made, proof=None, actor="bench", **about
    )
    revision = submission.revision
    await service.revisions.decide(
        revision.id, "approve", actor="bench", role="admin", reason="", digest=revision.digest
    )
    await service.live.reload()


async def measure(upstream: str, folder: Path) -> list[dict[str, Any]]:
    url = f"sqlite+aiosqlite:///{folder / 'switchgear.db'}"
    async with (
        open_service(url, Vault({})) as service,
        watching(service),
        httpx.AsyncClient(base_url=upstream, trust_env=False) as bare,
    ):
        made = content(TOOL, "change", [step(number) for number in range(STEPS)], {})
        await furnish(service, upstream, TOOL, "change", made)
        entry, caller = service.live.now.entries[TOOL], Caller("bench", "operator")

        async def alone() -> None:
            for number in range(STEPS):
                (await bare.post(f"/things/{number}", json={"number": number})).raise_for_status()

        async def durably() -> None:
            ended = await service.calls.call(entry, {}, None, caller)
            if ended.outcome != "succeeded":
                raise RuntimeError(f"a run ended as {ended.outcome}: {ended.failure}")

        runs = await rounds({"bare httpx": alone, "durable": durably}, WARM_UP, ROUNDS)
        taken = {name: [seconds / STEPS for seconds in each] for name, each in runs.items()}
    told = {name: spread(seconds) for name, seconds in taken.items()}
    base = told["bare httpx"]["p50_ms"]
    return [{"step": name, **row, "above_bare_ms": round(row["p50_ms"] - base, 2)} for name, row in told.items()]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="switchgear-bench-") as folder:
        children = Children(Path(folder), {})
        try:
            port = free_port()
            start(children, "upstream", "bench.upstream", str(port))
            rows = asyncio.run(measure(f"http://127.0.0.1:{port}", Path(folder)))
        finally:
            children.stop()
    tell(f"One step of a run of {STEPS} changes, the run's own cost shared among them, {ROUNDS} runs", rows)


if __name__ == "__main__":
    main()
