"""A place that makes bundles, a machine that takes them, and everything that stands in its database."""

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, select

from governance.approval.revisions import RevisionStore
from governance.bundles import archive
from governance.bundles.envelope import SignedEnvelope, read_envelope
from governance.bundles.exporting import ExportOrder, export
from governance.bundles.importing import BundleStore, ImportVerdict
from governance.bundles.keys import public_key_of
from governance.bundles.manifest import catalog_digest, hash_of
from governance.bundles.trust import TrustStore
from governance.registry.apis import ApiStore
from governance.registry.responses import ResponseStore
from governance.storage.database import Database, open_database
from governance.storage.identifiers import moment
from governance.storage.models import METADATA
from workflow.json.canonical import canonical_bytes
from workflow.profiles.profile import Profile
from workflow.revision import RevisionContent

START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
STEP = {
    "stepId": "read",
    "operationPath": "{$sourceDescriptions.api.url}#/paths/~1things/get",
    "successCriteria": [{"condition": "$statusCode == 200"}],
}


@dataclass
class Clock:
    at: datetime = START

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **span: float) -> None:
        self.at += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def content_of(workflow: str, text: str, tool: str, profile: str | None) -> RevisionContent:
    document = {
        "arazzo": "1.1.0",
        "info": {"title": text, "version": "1"},
        "sourceDescriptions": [{"name": "api", "url": "./api.json", "type": "openapi"}],
        "workflows": [{"workflowId": workflow, "steps": [STEP]}],
    }
    definition = {"name": tool, "description": text, "inputSchema": {"type": "object", "properties": {}}}
    return RevisionContent(document, definition, {"GET /things": "sha256:1"}, profile)


@dataclass
class Machine:
    """A database with what the tests do to it, whichever end of a bundle it is."""

    database: Database
    folder: Path
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    async def compile(self, api: str, workflows: Iterable[str], text: str = "one", tool: str = "", **told: Any) -> None:
        """Submits workflows of `api`, which gets a profile of its own, and approves them as ann."""
        profile = Profile(api=api)
        body = profile.model_dump(mode="json")
        await ApiStore(self.database).put_api(api, api.title(), "1", "sha256:spec", body, profile.digest)
        store = RevisionStore(self.database)
        facts: dict[str, Any] = {"intent": "find", "risk": "read", "resource": "thing", "is_core": True, "rank": 0.5}
        facts |= {"proof": {"ran": text}, "actor": "compile"} | told
        for workflow in workflows:
            content = content_of(workflow, text, tool or workflow, profile.digest)
            made = (await store.submit(api, workflow, content, **facts)).revision
            if made.state == "pending":
                await store.decide(made.id, "approve", actor="ann", role="admin", reason="", digest=made.digest)

    async def promise(self, **schemas: Any) -> None:
        """What the one operation of all workflows here answers, by status."""
        found = {status.removeprefix("s"): schema for status, schema in schemas.items()}
        await ResponseStore(self.database).put({"sha256:1": found})

    async def retire(self, workflow: str) -> None:
        store = RevisionStore(self.database)
        found = {revision.workflow_id: revision for revision in await store.approved()}[workflow]
        await store.decide(found.id, "retire", actor="ann", role="admin", reason="old", digest=found.digest)

    async def export(
        self, version: int = 1, *, name: str = "plant", apis: tuple[str, ...] = (), at: str = "", days: int = 30,
        keys: tuple[Ed25519PrivateKey, ...] = (),
    ) -> Path:  # fmt: skip
        path = self.folder / f"{name}-{version}.bundle"
        order = ExportOrder(name, version, apis, at or self.database.now(), days)
        await export(self.database, order, keys or (self.key,), path, actor="ann")
        return path

    async def trust(self, key: Ed25519PrivateKey, name: str) -> None:
        await TrustStore(self.database).trust(public_key_of(key), name, actor="olga", role="admin")

    async def require(self, signatures: int) -> None:
        await TrustStore(self.database).require(signatures, actor="olga", role="admin")

    async def revoke(self, name: str) -> None:
        await TrustStore(self.database).revoke(name, actor="olga", role="admin")

    async def bring_in(self, path: Path) -> ImportVerdict:
        return await BundleStore(self.database).bring_in(path, actor="olga", role="admin")

    async def catalog(self) -> str:
        """The digest of all that is approved here, from the checked revisions themselves."""
        approved = await RevisionStore(self.database).approved()
        return catalog_digest((revision.workflow_id, revision.content.digest) for revision in approved)

    async def everything(self) -> dict[str, list[Any]]:
        """Each row of each table."""

        def rows(connection: Connection) -> dict[str, list[Any]]:
            tables = METADATA.sorted_tables
            return {table.name: sorted(map(str, connection.execute(select(table)))) for table in tables}

        return await self.database.read(rows)


@pytest.fixture
async def factory(tmp_path: Path, clock: Clock) -> AsyncIterator[Machine]:
    """Where bundles are made: two workflows of the API `pump` are approved."""
    folder = tmp_path / "factory"
    async with open_database(f"sqlite+aiosqlite:///{folder / 'switchgear.db'}", clock) as database:
        machine = Machine(database, folder)
        await machine.compile("pump", ("pump_find", "pump_list"))
        yield machine


@pytest.fixture
async def edge(url: str, factory: Machine, clock: Clock, tmp_path: Path) -> AsyncIterator[Machine]:
    """Where bundles are taken, on each kind of database: the factory's key is trusted."""
    async with open_database(url, clock) as database:
        machine = Machine(database, tmp_path)
        await machine.trust(factory.key, "factory")
        yield machine


Change = Callable[[dict[str, Any]], None]


@dataclass
class Forger:
    """Changes bundles, with or without the right key to sign the change."""

    key: Ed25519PrivateKey

    def signed(self, members: dict[str, bytes], change: Change = lambda manifest: None) -> bytes:
        """The bundle of these members with a manifest that fits them but for `change`, signed by the right key."""
        manifest = orjson.loads(read_envelope(members[archive.ENVELOPE]).payload)
        manifest["members"] = {name: hash_of(members[name]) for name in archive.SIGNED if name in members}
        lines = [orjson.loads(line) for line in members[archive.REVISIONS].splitlines()]
        manifest["catalog"] = catalog_digest((line["workflow_id"], line["digest"]) for line in lines)
        manifest["revisions"] = len(lines)
        change(manifest)
        return self.around(members, canonical_bytes(manifest))

    def around(self, members: dict[str, bytes], payload: bytes) -> bytes:
        envelope = SignedEnvelope(payload, {}).signed_with(self.key)
        return archive.pack({**members, archive.ENVELOPE: envelope.to_bytes()})

    def with_line(self, members: dict[str, bytes], change: Change, name: str = archive.REVISIONS) -> dict[str, bytes]:
        """The members with the first line of one of them changed."""
        first, *rest = members[name].splitlines(keepends=True)
        line = orjson.loads(first)
        change(line)
        return {**members, name: b"".join([canonical_bytes(line) + b"\n", *rest])}


@pytest.fixture
def forger(factory: Machine) -> Forger:
    return Forger(factory.key)


def later(days: float) -> str:
    return moment(START + timedelta(days=days))
