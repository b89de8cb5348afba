"""An empty, migrated database of each kind for the contract that both must keep, and ways into it for the tests."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from governance.approval.revisions import Revision, RevisionStore, Submission
from governance.storage.connections import parse_url
from governance.storage.database import Database, open_database
from workflow.revision import RevisionContent

GUARDS = {
    "sqlite": ("audit_unchanged", "audit_kept", "revisions_kept", "revisions_unchanged"),
    "postgresql": ("audit_unchanged ON audit", "revisions_kept ON revisions", "revisions_unchanged ON revisions"),
}
Submit = Callable[..., Awaitable[Submission]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Here no device is asked: what is recorded is written by hand, and some of it is spoilt on purpose."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.unwitnessed("no device is asked in this room"))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return str(request.getfixturevalue("migrated_url"))
    return str(request.getfixturevalue("postgres_server").migrated_schema())


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with open_database(url) as opened:
        yield opened


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'switchgear.db'}"


@pytest.fixture
def store(database: Database) -> RevisionStore:
    return RevisionStore(database)


@pytest.fixture
def submit(store: RevisionStore) -> Submit:
    """Submits a revision whose content is told apart by `text`; `promises`: that nothing changes."""

    async def submit(
        text: str = "one", workflow_id: str = "start_vm", *, promises: bool = False, **changes: Any
    ) -> Submission:
        tool = {"name": workflow_id} | ({"annotations": {"readOnlyHint": True}} if promises else {})
        step = {"operationPath": "{$sourceDescriptions.api.url}#/paths/~1x/" + ("get" if promises else "post")}
        document = {"arazzo": "1.1.0", "text": text, "workflows": [{"steps": [step]}]}
        content = RevisionContent(document, tool, {"GET /x": "sha256:1"}, None)
        facts = {"intent": "act", "risk": "disrupt", "resource": "VirDomain", "is_core": True, "rank": 0.5}
        facts |= {"proof": {"outcome": "succeeded"}, "actor": "compile", "api": "hypercore"} | changes
        return await store.submit(workflow_id=workflow_id, content=content, **facts)

    return submit


@pytest.fixture
def approve(store: RevisionStore) -> Callable[[Revision], Awaitable[Revision]]:
    async def approve(revision: Revision) -> Revision:
        return await store.decide(
            revision.id, "approve", actor="ann", role="approver", reason="", digest=revision.digest
        )

    return approve


@pytest.fixture
def behind(url: str, database: Database) -> Callable[..., None]:
    """Runs SQL as somebody would who has the database and none of our code, and has dropped the triggers."""

    def run(statement: str, **values: Any) -> None:
        engine = create_engine(parse_url(url))
        with engine.begin() as connection:
            for guard in GUARDS[connection.dialect.name]:
                connection.execute(text(f"DROP TRIGGER IF EXISTS {guard}"))
            connection.execute(text(statement), values)
        engine.dispose()

    return run


@pytest.fixture
def python_environment() -> dict[str, str]:
    """For child processes of tests: the rooms importable, no settings of the developer."""
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])}
