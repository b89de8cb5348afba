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
from governance.targets import Target
from runtime.access import Caller
from runtime.secrets import Vault
from runtime.service import Service, open_service, watching
from workflow.profile import Profile
from workflow.reader import read_document
from workflow.revision import RevisionContent
from workflow.tool import tool_definition

STEPS, WARM_UP, ROUNDS = 3, 10, 150
TOOL = "three_changes"


def step(number: int) -> dict[str, Any]:
    return {
        "stepId": f"change_{number}",
        "operationPath": f"{{$sourceDescriptions.bench.url}}#/paths/~1things~1{number}/post",
        "requestBody": {"contentType": "application/json", "payload": {"number": number}},
        "x-switchgear": {"role": "change", "effect": "act", "idempotent": False},
    }


def content(profile: Profile) -> RevisionContent:
    """The workflow, as a compiler would have written it."""
    own = {"intent": "act", "risk": "change", "resource": "things", "tool": {"name": TOOL, "title": TOOL, "shown": []}}
    workflow = {
        "workflowId": "three-changes",
        "steps": [step(number) for number in range(STEPS)],
        "x-switchgear": {**own, "tool": {**own["tool"], "description": "Three changes."}},  # type: ignore[dict-item]
    }
    document = {
        "arazzo": "1.1.0",
        "info": {"title": "bench", "version": "1"},
        "sourceDescriptions": [{"name": "bench", "url": "./bench.yaml", "type": "openapi"}],
        "x-switchgear": {"format": 1, "api": "bench", "base_path": "", "operations": {}},
        "workflows": [workflow],
    }
    return RevisionContent(document, tool_definition(read_document(document, "bench")).to_json(), {}, profile.digest)


async def furnish(service: Service, upstream: str) -> None:
    profile = Profile(api="bench")
    plain = profile.model_dump(mode="json")
    await service.apis.put_api("bench", "Bench", "1", "sha256:" + "0" * 64, plain, profile.digest)
    await service.targets.add(Target("bench", "bench", upstream, "twin"))
    about: dict[str, Any] = {"intent": "act", "risk": "change", "resource": "things", "is_core": True, "rank": 1.0}
    submission = await service.revisions.submit(
        "bench", "three-changes", content(profile), proof=None, actor="bench", **about
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
        await furnish(service, upstream)
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
