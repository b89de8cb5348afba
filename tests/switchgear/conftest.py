"""Both halves together: the shipped descriptions compiled, everything approved, in a database for the session."""

import asyncio

import pytest

from compiler.compiled import Compiled
from compiler.submission import submit
from governance.approval.revisions import RevisionStore
from governance.storage.database import open_database
from tests.shipped import APIS, shipped


@pytest.fixture(scope="session", name="shipped")
def both() -> dict[str, Compiled]:
    return {api: shipped(api) for api in APIS}


@pytest.fixture(scope="session")
def approved(shipped: dict[str, Compiled], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a database in which every workflow of both descriptions is approved."""
    url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('approved') / 'switchgear.db'}"
    asyncio.run(_approve_all(url, shipped))
    return url


async def _approve_all(url: str, shipped: dict[str, Compiled]) -> None:
    for compiled in shipped.values():
        await submit(compiled, url, "test")
    async with open_database(url) as database:
        store = RevisionStore(database)
        pending = await store.find("pending")
        await asyncio.gather(
            *(
                store.decide(one.id, "approve", actor="test", role="admin", reason="", digest=one.digest)
                for one in pending
            )
        )
