"""One page of the console for one workflow of each class of each vendor: all that decides about it is on it.

A second revision waits that sends something more than the one in use, so that there is a difference to be seen.
"""

import asyncio
import html
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from compiler.compiled import Compiled, CompiledWorkflow
from compiler.submission import submit
from governance.approval.revisions import Revision, RevisionStore
from governance.storage.database import open_database
from runtime.app import build
from runtime.service import open_service
from tests.shipped import APIS
from workflow.revision import RevisionContent
from workflow.risks import RISKS

pytestmark = pytest.mark.slow  # both descriptions are compiled
MORE = {"name": "x-trace", "in": "header", "value": "nothing that was there before"}


def chosen(compiled: Compiled) -> dict[str, CompiledWorkflow]:
    """Of each class the workflow with the most steps."""
    by_class = {risk: [one for one in compiled.workflows if one.flow.risk.value == risk] for risk in RISKS}
    return {risk: max(found, key=lambda one: (len(one.flow.steps), one.flow.id)) for risk, found in by_class.items()}


@pytest.fixture(scope="module")
def waiting(shipped: dict[str, Compiled], tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[Any, Revision]]:
    """A database with one of each class approved and another revision of it pending; those that are, by API and
    class."""
    url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('console') / 'switchgear.db'}"
    return url, asyncio.run(submitted(url, shipped))


async def submitted(url: str, shipped: dict[str, Compiled]) -> dict[Any, Revision]:
    found: dict[Any, Revision] = {}
    for api, compiled in shipped.items():
        few = chosen(compiled)
        await submit(replace(compiled, workflows=tuple(few.values())), url, "compile:ann")
        async with open_database(url) as database:
            store = RevisionStore(database)
            for risk, one in few.items():
                revision = await store.get(one.flow.id)
                await store.decide(revision.id, "approve", actor="bob", role="admin", reason="", digest=revision.digest)
                found[api, risk] = (await changed(store, revision)).revision
    return found


async def changed(store: RevisionStore, revision: Revision) -> Any:
    document = json.loads(json.dumps(revision.content.document))
    document["workflows"][0]["steps"][-1].setdefault("parameters", []).append(MORE)
    content = RevisionContent(
        document, revision.content.tool, revision.content.operations, revision.content.profile_digest
    )
    return await store.submit(
        revision.api, revision.workflow_id, content, intent=revision.intent, risk=revision.risk,
        resource=revision.resource, is_core=revision.is_core, rank=revision.rank, proof=revision.proof,
        actor="compile:ann",
    )  # fmt: skip


@pytest.fixture
async def pages(waiting: tuple[str, dict[Any, Revision]]) -> AsyncIterator[Any]:
    async with open_service(waiting[0]) as service:
        transport = httpx.ASGITransport(build(service).asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            yield lambda revision: client.get(f"/console/workflows/{revision.id}")


def squeezed(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("risk", RISKS)
@pytest.mark.parametrize("api", APIS)
async def test_all_that_decides_about_a_workflow_is_on_one_page(
    pages: Any, waiting: tuple[str, dict[Any, Revision]], api: str, risk: str
) -> None:
    revision = waiting[1][api, risk]
    answer = await pages(revision)
    assert answer.status_code == 200
    assert len(answer.content) < 100_000
    text = squeezed(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))
    for what, wanted in checklist(revision).items():
        missing = [each for each in wanted if squeezed(each) not in text]
        assert wanted, f"{what}: there is nothing to look for"
        assert missing == [], what


def checklist(revision: Revision) -> dict[str, list[str]]:
    workflow = revision.content.document["workflows"][0]
    steps, proof = workflow["steps"], revision.proof
    ends = [each for step in steps for each in step.get("onFailure", ()) if each["type"] == "end"]
    return {
        "effect": [revision.content.tool["title"], revision.content.tool["description"]],
        "class": [revision.risk],
        "reasons": [each["why"] for each in proof["risk"] if each["risk"] == revision.risk],
        "inputs": [*workflow["inputs"]["properties"], "Example"],
        "requests": [each["operation"] for each in proof["risk"]],
        "what each sends": [each["name"] for step in steps for each in step.get("parameters", ())],
        "guards": [each["x-switchgear"]["message"] for each in ends if each.get("x-switchgear", {}).get("message")]
        or ["the criteria as they are checked"],
        "proof": [run["case"] for run in proof["runs"]],
        "difference": ["What changes against revision 1", "x-trace = nothing that was there before"],
        "votes": ["0 of 1 approvals", "1 more, of approvers", "proposed by compile:ann"],
    }


async def test_a_page_of_proof_has_what_was_said_in_order(waiting: tuple[str, dict[Any, Revision]]) -> None:
    revision = waiting[1]["hypercore", "disrupt"]
    async with open_service(waiting[0]) as service:
        transport = httpx.ASGITransport(build(service).asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            page = await client.get(f"/console/workflows/{revision.id}/proof/1")
    said = revision.proof["runs"][0]["transcript"]
    places = [html.unescape(page.text).find(f"{each['method']} {each['path']}") for each in said]
    assert -1 not in places
    assert len(page.content) < 100_000


@pytest.mark.long
async def test_no_page_of_any_workflow_of_either_vendor_is_longer_than_100_kb(
    shipped: dict[str, Compiled], tmp_path: Path
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'switchgear.db'}"
    for compiled in shipped.values():
        await submit(compiled, url, "compile:ann")
    async with open_service(url) as service:
        transport = httpx.ASGITransport(build(service).asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            found = await service.revisions.find(limit=10_000)
            paths = [f"/console/workflows/{each.id}" for each in found]
            paths += [f"/console/workflows/{each.id}/proof/1" for each in found]
            paths += [f"/console/workflows/{each.id}/try" for each in found]
            ids = [each.id for each in sorted(found, key=lambda each: -len(each.proof_text))]
            paths += ["/console/decide?" + "&".join(f"chosen={each}" for each in ids[:most]) for most in (8, 100)]
            paths += ["/console/decide?all=yes", "/console/queue?limit=75", "/console/workflows"]
            sizes = {path: len((await client.get(path)).content) for path in paths}
    too_long = sorted(((size, path[-60:], len(path)) for path, size in sizes.items() if size >= 100_000), reverse=True)
    assert too_long == [], (len(too_long), too_long[:5])
