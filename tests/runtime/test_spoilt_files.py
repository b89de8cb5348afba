"""A database file whose pages were overwritten: what is served stays genuine, and a load that fails changes nothing.

Each case is one page of a good file, overwritten in one of three ways, under a catalog that was loaded from the good
one. Either the load says so and the last good catalog stays, or what it serves is what was approved. THREATS.md, A5.
"""

import random
from pathlib import Path
from typing import Any

import pytest

from governance.approval.revisions import RevisionStore
from governance.errors import GovernanceError
from governance.registry.apis import ApiStore
from governance.registry.targets import TargetStore
from governance.storage.database import open_database
from runtime.catalog.snapshot import Catalog
from runtime.catalog.watcher import LiveCatalog
from runtime.secrets import Vault
from runtime.service import open_service

PAGE = 4096
HOWS = ("zeros", "bits", "another page")


async def _good(path: Path, tools: Any) -> None:
    """A whole database with approved workflows, closed."""
    url = f"sqlite:///{path}"
    async with open_service(url, Vault({})) as service:
        house = await tools.furnished(url, service)
        for name in ("find", "stop", "list"):
            await house.approve(name)
        for number in range(6):
            await house.approve("find", number)
        await house.target("http://127.0.0.1:9")


def _spoil(good: bytes, page: int, how: str, chance: random.Random) -> bytes:
    start = page * PAGE
    before = good[start : start + PAGE]
    if how == "zeros":
        after = bytes(PAGE)
    elif how == "bits":
        changed = bytearray(before)
        for _ in range(16):
            changed[chance.randrange(PAGE)] ^= 1 << chance.randrange(8)
        after = bytes(changed)
    else:
        other = chance.randrange(len(good) // PAGE) * PAGE
        after = good[other : other + PAGE]
    return good[:start] + after + good[start + PAGE :]


def _told(catalog: Catalog) -> set[str]:
    return {repr((e.workflow_id, e.digest, e.tool, e.prepared.content, e.profile)) for e in catalog.entries.values()}


async def _is_refused(path: Path, live: LiveCatalog, good: Catalog) -> bool:
    """Whether a load of the file at `path` was refused; what is served afterwards is genuine in any case."""
    loader = live._loader  # what it loads from is exchanged under it, as a disk does
    try:
        async with open_database(f"sqlite:///{path}") as database:
            loader.revisions, loader.apis = RevisionStore(database), ApiStore(database)
            loader.targets = TargetStore(database)
            fresh = await live.reload()
    except GovernanceError:
        assert live.now is good
        return True
    assert _told(fresh) <= _told(good)
    return False


def _without(folder: Path, name: str) -> None:
    for left in folder.glob(f"{name}*"):
        left.unlink()


@pytest.mark.slow
@pytest.mark.parametrize("cases", [36, pytest.param(200, marks=pytest.mark.long)])
async def test_whatever_page_is_overwritten_nothing_is_served_that_was_not_approved(
    tmp_path: Path, tools: Any, cases: int
) -> None:
    await _good(tmp_path / "good.db", tools)
    data = (tmp_path / "good.db").read_bytes()
    pages = len(data) // PAGE
    chance, refused = random.Random(5), 0
    order = chance.sample(range(3 * pages), min(cases, 3 * pages))
    async with open_service(f"sqlite:///{tmp_path / 'good.db'}", Vault({})) as service:
        good = service.live.now
        assert len(good.entries) == 9
        for case in order:
            (tmp_path / "bad.db").write_bytes(_spoil(data, case % pages, HOWS[case // pages], chance))
            refused += await _is_refused(tmp_path / "bad.db", service.live, good)
            service.live._now = good
            _without(tmp_path, "bad.db")
    assert refused
    assert len(order) == cases
