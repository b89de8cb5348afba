"""From a bundle to the catalog: judged wholly, then activated in one transaction, or refused and nothing changed.

The order is fixed: form of the file, signatures, manifest, contents, then what only this database knows (what was
imported before, what belongs to somebody else). Trust and place are judged once more inside the transaction that
writes, so that a key revoked meanwhile counts for nothing. An API that a bundle brings belongs to the bundle's name:
after an import its approved workflows are the bundle's as far as the policy here lets them be (`standing`): what lacks
approvals is pending, with its origin. Nothing else is touched. Called by `commands`.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, insert, select

from governance.approval import revision_rows as rows
from governance.approval.integrity import find_fault
from governance.approval.policies import in_force
from governance.approval.policy import Policy
from governance.approval.revisions import passes_by_itself, receive, retire
from governance.audit.log import Event, append_entry, last_told
from governance.audit.verification import all_told
from governance.bundles import archive
from governance.bundles.envelope import SignedEnvelope, read_envelope
from governance.bundles.manifest import Contents, Manifest, RevisionLine, read_contents
from governance.bundles.trust import TAMPERED, TrustedKey, read_trust
from governance.errors import BundleError, ForbiddenError, TamperedError
from governance.people.persons import Persons, persons
from governance.registry import apis
from governance.registry.knowledge import put_body
from governance.registry.responses import put_texts
from governance.storage import schema
from governance.storage.database import Database
from governance.storage.identifiers import Json, moment, to_text
from governance.storage.models import ApiRow, BundleRow, table_of
from governance.transitions import Role, State, may

_BUNDLES = table_of(BundleRow)
_API = table_of(ApiRow)
_REVISION = rows.TABLE
CLOCK_S = 86_400
"""A bundle made later than now means that a clock is wrong; a day forgives time zones set as UTC."""
TOLD = ("api", "digest", "content", "intent", "risk", "resource", "is_core", "rank", "proof", "expires_at")


@dataclass(frozen=True, slots=True)
class Opened:
    """A bundle whose signatures, form and contents were found good; its place is for `_judge`."""

    envelope: SignedEnvelope
    manifest: Manifest
    contents: Contents


@dataclass(frozen=True, slots=True)
class ImportVerdict:
    """What importing does, or has done. `is_known`: this very bundle is what was imported last.

    `waiting`: the workflows of `added` that people here have to approve first.
    """

    manifest: Manifest
    signers: tuple[TrustedKey, ...]
    is_known: bool
    added: tuple[RevisionLine, ...]
    kept: int
    retired: tuple[rows.Stored, ...]
    waiting: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        manifest = self.manifest
        told = {name: getattr(manifest, name) for name in ("name", "version", "created_at", "expires_at", "catalog")}
        return {
            **told,
            "digest": manifest.digest,
            "apis": [api.name for api in manifest.apis],
            "signed_by": [{"id": key.id, "name": key.name} for key in self.signers],
            "known": self.is_known,
            "added": len(self.added),
            "kept": self.kept,
            "retired": len(self.retired),
            "pending": len(self.waiting),
        }


class BundleStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def verify(self, path: Path) -> ImportVerdict:
        """What `bring_in` would do now; writes nothing. Raises BundleError, BundleFormError or TamperedError."""
        opened = await self._open(path)
        now = self._database.now()
        return await self._database.read(lambda c: _judge(c, opened, now, ""))

    async def bring_in(self, path: Path, *, actor: str, role: Role) -> ImportVerdict:
        """Makes the bundle at `path` what is approved of its APIs. The bundle that is there already changes nothing.

        Raises ForbiddenError without the role admin, and as `verify`; whatever is raised, nothing was changed.
        """
        if not may(role, "admin"):
            raise ForbiddenError(f"the role {role} may not import bundles", "ask somebody with the role admin")
        opened = await self._open(path)
        now = self._database.now()

        def work(connection: Connection) -> ImportVerdict:
            verdict = _judge(connection, opened, now, actor)
            if not verdict.is_known:
                _activate(connection, opened, verdict, now, actor, role)
            return verdict

        return await self._database.write(work)

    async def list_bundles(self) -> tuple[dict[str, Json], ...]:
        """What was imported, oldest first."""
        query = select(_BUNDLES).order_by(_BUNDLES.c.imported_at, _BUNDLES.c.name, _BUNDLES.c.version)
        found = await self._database.read(lambda c: c.execute(query).mappings().all())
        return tuple(
            {**row, "apis": orjson.loads(row["apis"]), "signed_by": orjson.loads(row["signed_by"])} for row in found
        )

    async def _open(self, path: Path) -> Opened:
        members = await asyncio.to_thread(archive.read_file, path)
        envelope = read_envelope(members[archive.ENVELOPE])
        trust = await self._database.read(read_trust)
        trust.signers(envelope)
        manifest = Manifest.read(envelope.payload, "the manifest")
        contents = await asyncio.to_thread(read_contents, manifest, members)
        return Opened(envelope, manifest, contents)


def _judge(connection: Connection, opened: Opened, now: str, actor: str) -> ImportVerdict:
    manifest = opened.manifest
    signers = read_trust(connection).signers(opened.envelope)
    if not schema.knows(manifest.level):
        raise BundleError(
            f"it comes from a newer Switchgear ({manifest.switchgear}, schema {manifest.level})",
            f"bring this machine up to {manifest.switchgear} first, then `switchgear db upgrade`",
        )
    last = _last(connection, manifest.name)
    is_known = last is not None and _is_last(manifest, last)
    if not is_known:
        _check_time(manifest, now)
    owned = _owned(connection, manifest)
    _check_names(connection, manifest, opened.contents)
    in_use = {row.workflow_id: row for row in _approved(connection) if row.api in owned}
    undecided = {row.workflow_id: row for row in _pending(connection) if row.api in owned}
    lines = {line.workflow_id: line for line in opened.contents.revisions}
    known = {
        name
        for name, line in lines.items()
        if _is_same(in_use.get(name), line) or _waits(undecided.get(name), line, now)
    }
    added = tuple(line for name, line in lines.items() if name not in known)
    policy, person = in_force(connection), persons(connection)
    waiting = [line.workflow_id for line in added if standing(line, policy, actor, person).state == "pending"]
    retired = tuple(row for name, row in in_use.items() if name not in lines)
    if is_known:
        return ImportVerdict(manifest, signers, True, (), len(lines), ())
    return ImportVerdict(manifest, signers, False, added, len(lines) - len(added), retired, tuple(waiting))


@dataclass(frozen=True, slots=True)
class ImportStanding:
    """What the policy here makes of something that was approved elsewhere: its state, and whose approvals count."""

    state: State
    votes: tuple[str, ...]
    by_policy: bool = False


def standing(line: RevisionLine, policy: Policy, actor: str, person: Persons) -> ImportStanding:
    """Approved, where the policy asks for nobody or is content with who has approved; else pending.

    Those who approved it there count where the policy says so. Where it lets people approve what is their own, as it
    does as long as none is applied, importing is the approval of whoever imports.
    """
    if passes_by_itself(policy, line.workflow_id, line.risk, line.content):
        return ImportStanding("approved", (), by_policy=True)
    votes = line.voters if policy.bundle_votes else ()
    votes += (actor,) if policy.self_approval and person(actor) not in map(person, votes) else ()
    is_enough = len({person(each) for each in votes}) >= max(1, policy.rule(line.risk).approvals)
    return ImportStanding("approved" if is_enough else "pending", votes)


def _check_time(manifest: Manifest, now: str) -> None:
    if manifest.expires_at <= now:
        raise BundleError(f"it could be imported until {manifest.expires_at}, now it is {now}", "ask for a new export")
    if manifest.created_at > moment(datetime.fromisoformat(now) + timedelta(seconds=CLOCK_S)):
        raise BundleError(
            f"it was made at {manifest.created_at}, and here it is {now}: one of the clocks is wrong",
            "set the clock of this machine; without it nobody can tell whether a bundle has expired",
        )


def _last(connection: Connection, name: str) -> Mapping[str, Any] | None:
    """The newest bundle of this name that was imported. Raises TamperedError if the audit knows another one."""
    query = select(_BUNDLES).where(_BUNDLES.c.name == name).order_by(_BUNDLES.c.version.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    found = None if row is None else dict(row)
    if last_told(connection, f"bundle:{name}") != found:
        raise TamperedError(f"what was imported as {name} is not what the audit says", TAMPERED)
    return found


def _is_last(manifest: Manifest, last: Mapping[str, Any]) -> bool:
    if manifest.version < last["version"]:
        raise BundleError(
            f"it is version {manifest.version} of {manifest.name}, and version {last['version']} was imported already",
            "to go back, export the older content again with a higher version",
        )
    if manifest.version == last["version"] and manifest.digest != last["digest"]:
        raise BundleError(
            f"another bundle was imported as version {manifest.version} of {manifest.name}",
            "ask for an export with a higher version, and who made two of one version",
        )
    return bool(manifest.version == last["version"])


def _owned(connection: Connection, manifest: Manifest) -> set[str]:
    """The APIs that this bundle's name may change. Raises BundleError for one that belongs to somebody else."""
    owners = {api: name for name, told in _all_told(connection) for api in told}
    local = set(connection.execute(select(_API.c.name)).scalars())
    local |= set(connection.execute(select(_REVISION.c.api).distinct()).scalars())
    for api in manifest.apis:
        owner = owners.get(api.name)
        if owner not in (None, manifest.name):
            raise BundleError(f"its API {api.name} came here with the bundle {owner}", OTHER_NAME)
        if owner is None and api.name in local:
            raise BundleError(f"its API {api.name} was compiled here and belongs to this machine", OTHER_NAME)
    return {api for api, owner in owners.items() if owner == manifest.name} | {api.name for api in manifest.apis}


def _all_told(connection: Connection) -> Iterator[tuple[str, list[str]]]:
    """The names of bundles with the APIs that they brought, as the audit tells of each import.

    Raises TamperedError where the table says otherwise.
    """
    found = {(row["name"], row["version"]): dict(row) for row in connection.execute(select(_BUNDLES)).mappings()}
    told = {(said["name"], said["version"]): said for said in all_told(connection, "bundle", "bundle.imported")}
    if found != told:
        raise TamperedError("what was imported is not what the audit says", TAMPERED)
    return ((name, orjson.loads(said["apis"])) for (name, _), said in sorted(told.items()))


OTHER_NAME = "export it under another API name, or import it into a database of its own"


def _check_names(connection: Connection, manifest: Manifest, contents: Contents) -> None:
    """Raises BundleError where a workflow or a tool of another API has a name that the bundle brings."""
    brought = {api.name for api in manifest.apis}
    lines = {line.workflow_id for line in contents.revisions}
    known = connection.execute(select(_REVISION.c.workflow_id, _REVISION.c.api).distinct()).all()
    for workflow_id, api in known:
        if workflow_id in lines and api not in brought:
            raise BundleError(f"its workflow {workflow_id} has the name of one of the API {api}", OTHER_NAME)
    tools = {orjson.loads(line.content)["tool"]["name"] for line in contents.revisions}
    for row in _approved(connection):
        if row.api not in brought and _tool_of(row) in tools:
            raise BundleError(f"a tool of it has the name of the one of {row.workflow_id} ({row.api})", OTHER_NAME)


def _tool_of(row: rows.Stored) -> str | None:
    """The name of its tool; of a damaged revision, which nothing serves, None."""
    is_whole = not find_fault(*rows.split(row))
    return orjson.loads(row.content)["tool"].get("name") if is_whole else None


def _approved(connection: Connection) -> list[rows.Stored]:
    return list(connection.execute(rows.SELECT.where(_REVISION.c.state == "approved")))


def _pending(connection: Connection) -> list[rows.Stored]:
    return list(connection.execute(rows.SELECT.where(_REVISION.c.state == "pending")))


def _waits(row: rows.Stored | None, line: RevisionLine, now: str) -> bool:
    """Whether what the bundle brings is here already, and people are still to decide on it."""
    if row is None or find_fault(*rows.split(row)) or (row.expires_at is not None and row.expires_at <= now):
        return False
    return all(getattr(row, name) == getattr(line, name) for name in TOLD if name != "expires_at")


def _is_same(row: rows.Stored | None, line: RevisionLine) -> bool:
    """Whether what is in use is whole and what the bundle brings, to the last column that travels."""
    if row is None or find_fault(*rows.split(row)):
        return False
    return all(getattr(row, name) == getattr(line, name) for name in TOLD)


def _activate(connection: Connection, opened: Opened, verdict: ImportVerdict, now: str, actor: str, role: Role) -> None:
    manifest = opened.manifest
    signed_by = ", ".join(key.name for key in verdict.signers)
    profiles = {line.digest: line.body for line in opened.contents.profiles}
    policy = in_force(connection)
    put_texts(connection, now, actor, {line.operation: line.body for line in opened.contents.replies})
    for known in opened.contents.knowledge:
        put_body(connection, now, actor, known.api, known.body)
    for api in manifest.apis:
        apis.put(connection, now, actor, api.model_dump(), profiles)
    person = persons(connection)
    for line in verdict.added:
        found = standing(line, policy, actor, person)
        values = _arrived(line, found, manifest, signed_by, now) | {"expires_at": _ends(line, found, policy, now)}
        receive(connection, now, values, found.state, actor=actor, role=role)
    for row in verdict.retired:
        retire(
            connection, now, row, actor=actor, role=role, reason=f"no longer in {manifest.label}, signed by {signed_by}"
        )
    memory = {
        "name": manifest.name, "version": manifest.version, "digest": manifest.digest, "catalog": manifest.catalog,
        "apis": to_text([api.name for api in manifest.apis]),
        "signed_by": to_text([{"id": key.id, "name": key.name} for key in verdict.signers]),
        "created_at": manifest.created_at, "expires_at": manifest.expires_at,
        "imported_at": now, "imported_by": actor,
    }  # fmt: skip
    connection.execute(insert(_BUNDLES), memory)
    append_entry(connection, Event(now, actor, "bundle.imported", f"bundle:{manifest.name}", memory))


def _arrived(line: RevisionLine, found: ImportStanding, manifest: Manifest, signed_by: str, now: str) -> dict[str, Any]:
    """The columns of what a bundle brings, but for its end. It was made by the bundle, whoever imports it."""
    reason = f"approved by {', '.join(line.voters)} at {line.approved_at}; signed by {signed_by}"
    decided_by = None if found.state == "pending" else "policy" if found.by_policy else manifest.label
    return {
        **{name: getattr(line, name) for name in TOLD}, "workflow_id": line.workflow_id, "reason": reason,
        "decided_at": None if decided_by is None else now, "decided_by": decided_by,
        "votes": to_text(list(found.votes)), "created_at": now, "created_by": manifest.label,
    }  # fmt: skip


def _ends(line: RevisionLine, found: ImportStanding, policy: Policy, now: str) -> str | None:
    """Until when it holds, or waits: not longer than it did where it was made."""
    here = policy.pending_ends(now) if found.state == "pending" else policy.approval_ends(line.risk, now)
    return min((end for end in (line.expires_at, here) if end), default=None)
