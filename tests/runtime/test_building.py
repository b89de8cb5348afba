"""Descriptions of the library are compiled over REST: of the bytes that were there, with a log, one at a time."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from governance.audit.log import AuditLog
from governance.errors import NotFoundError
from governance.registry.library import Library
from governance.storage.database import Database
from runtime.app import build
from runtime.building import BEGUN, ENDED, Builds
from runtime.compiler_process import Said
from runtime.errors import Unservable
from tests.compiler.proposals.compiled_specs import written
from tests.waiting import until

SPEC = b"openapi: 3.1.0\ninfo: {title: A, version: '1'}\npaths: {}\n"
PROFILE = b"api: toy\n"


class Compiler:
    """In the compiler's place: keeps what it was given to read, and says what it was told to say."""

    def __init__(self, said: Said) -> None:
        self.said = said
        self.read: dict[str, bytes] = {}
        self.words: list[str] = []
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def __call__(self, _address: str, words: Sequence[str]) -> Said:
        self.words = list(words)
        self.read = {file.name: file.read_bytes() for file in Path(words[0]).parent.iterdir()}
        await self.goes_on.wait()
        return self.said


@pytest.fixture
def database(house: Any) -> Database:
    return house.service.database  # type: ignore[no-any-return]


@pytest.fixture
async def library(tmp_path: Path, database: Database) -> Library:
    library = Library(tmp_path / "library", database)
    await library.write("specs", "a.yaml", SPEC, seen=None, actor="ann")
    await library.write("profiles", "a.yaml", PROFILE, seen=None, actor="ann")
    return library


async def test_a_build_reads_the_bytes_that_were_there_and_stands_in_the_audit_with_its_log(
    library: Library, database: Database
) -> None:
    report = {"workflows": [{}], "coverage": {"operations": 3, "left_out": [{}, {}]}, "diagnostics": [{"code": "x"}]}
    compiler = Compiler(Said(0, report, ("1 new pending\x1b[31m", "")))
    builds = Builds(library, database, compiler)
    begun = await builds.begin("a.yaml", "a.yaml", "ann", check=True)
    ended = await builds.get(begun.id, 50)
    assert compiler.read == {"a.yaml": SPEC, ".profile.yaml": PROFILE}
    assert not Path(compiler.words[0]).parent.exists()
    assert {"--check", "--asked-by=ann"} <= set(compiler.words)
    assert (begun.outcome, ended.outcome, ended.by) == ("running", "succeeded", "ann")
    assert ended.log[0].startswith("1 new pending")
    assert "\x1b" not in ended.log[0]
    assert (ended.report["operations"], ended.report["workflows"], ended.report["left_out"]) == (3, 1, 2)
    rows = await AuditLog(database).find(subject=f"build:{begun.id}")
    assert [row.action for row in rows] == [BEGUN, ENDED]
    assert ended.digests["a.yaml"] == (await library.read("specs", "a.yaml"))[0].digest
    assert await builds.list_builds() == (ended,)


ENDS = [
    (Said(1, {}, ("would change: a_b",)), "findings"),
    (Said(3, {"error": {"message": "no OpenAPI", "remedy": "give one"}}, ()), "failed"),
    (Said(None, {}, ()), "timed out"),
]


@pytest.mark.parametrize(("said", "outcome"), ENDS)
async def test_an_end_is_told_as_it_is(library: Library, database: Database, said: Said, outcome: str) -> None:
    builds = Builds(library, database, Compiler(said))
    begun = await builds.begin("a.yaml", None, "ann", check=False)
    ended = await builds.get(begun.id, 50)
    assert ended.outcome == outcome
    assert list(ended.log) == [*said.lines, *said.told.get("error", {}).values()]


async def test_one_is_made_at_a_time_and_one_that_its_server_did_not_end_is_lost(
    library: Library, database: Database
) -> None:
    compiler = Compiler(Said(0, {}, ()))
    compiler.goes_on.clear()
    builds = Builds(library, database, compiler)
    begun = await builds.begin("a.yaml", None, "ann", check=False)
    with pytest.raises(Unservable, match="another build"):
        await builds.begin("a.yaml", None, "bob", check=False)
    assert (await builds.get(begun.id)).outcome == "running"
    assert (await Builds(library, database, compiler).get(begun.id)).outcome == "lost"
    await builds.close()
    assert (await builds.get(begun.id)).outcome == "lost"
    compiler.goes_on.set()
    assert (await builds.begin("a.yaml", None, "bob", check=False)).by == "bob"
    await builds.close()


async def test_what_is_not_in_the_library_is_not_built(library: Library, database: Database) -> None:
    builds = Builds(library, database, Compiler(Said(0, {}, ())))
    for spec, profile in (("b.yaml", None), ("../a.yaml", None), ("a.yaml", "b.yaml")):
        with pytest.raises(NotFoundError):
            await builds.begin(spec, profile, "ann", check=False)
    with pytest.raises(NotFoundError):
        await builds.get("01a1f9d8-c518-7204-a7b0-4f5198346f10")
    assert await builds.list_builds() == ()


@pytest.mark.slow
async def test_over_rest_a_description_is_put_checked_built_and_what_comes_of_it_is_pending(
    lab: Any, tmp_path: Path
) -> None:
    application = build(lab.service, folder=str(tmp_path / "library"))
    async with application.api.router.lifespan_context(application.api):
        transport = httpx.ASGITransport(application.asgi, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as asking:
            put = await asking.put("/specs/machines.json", content=written(tmp_path).read_bytes())
            checked = await built(asking, check=True)
            before = (await asking.get("/workflows/pending")).json()
            made = await built(asking)
            after = (await asking.get("/workflows/pending", params={"api": "machines"})).json()
            listed = (await asking.get("/builds")).json()
    assert put.status_code == 201
    assert (checked["outcome"], before) == ("findings", [])
    assert made["outcome"] == "succeeded", made
    assert len(after) == made["report"]["workflows"] > 0
    assert {each["created_by"] for each in after} == {"local"}
    assert any("new pending" in line for line in made["log"])
    assert [each["id"] for each in listed] == [made["id"], checked["id"]]


async def built(asking: httpx.AsyncClient, **wanted: Any) -> Any:
    begun = await asking.post("/specs/machines.json/build", json=wanted)
    assert begun.status_code == 202, begun.text

    async def looked() -> Any:
        told = (await asking.get(begun.headers["location"], params={"wait": 50})).json()
        return told if told["outcome"] != "running" else None

    return await until(looked, "the build to end")
