"""From a database to a bundle: what is approved, as it is stored, sealed whole and signed.

The same approvals, order and moment give the same bytes. A stored revision that is not as it was decided stops the
export: nobody signs what was changed behind the approver's back. Called by `commands`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError
from sqlalchemy import Connection, select

from governance.approval import revision_rows as rows
from governance.approval.integrity import find_fault
from governance.audit.log import Event, append_entry
from governance.bundles import archive
from governance.bundles.envelope import SignedEnvelope, read_envelope
from governance.bundles.keys import public_key_of
from governance.bundles.manifest import (
    ApiLine,
    Contents,
    KnowledgeLine,
    L,
    Manifest,
    ProfileLine,
    ReplyLine,
    RevisionLine,
    catalog_digest,
    hash_of,
    read_contents,
)
from governance.bundles.sbom import bill_of_materials, own_version
from governance.errors import InvalidError, NotFoundError, TamperedError
from governance.registry.knowledge import stored_bodies
from governance.registry.responses import stored_texts
from governance.storage import schema
from governance.storage.database import Database
from governance.storage.identifiers import from_text, moment
from governance.storage.models import ApiRow, ProfileRow, table_of
from workflow.revision import is_raw

_API = table_of(ApiRow)
_PROFILE = table_of(ProfileRow)
_APPROVED = rows.SELECT.where(rows.TABLE.c.state == "approved")


@dataclass(frozen=True, slots=True)
class ExportOrder:
    """What to export: `apis` by name, all when empty; `created_at` is UTC text; it can be imported for `days`."""

    name: str
    version: int
    apis: tuple[str, ...]
    created_at: str
    days: int


async def export(
    database: Database, order: ExportOrder, keys: Sequence[Ed25519PrivateKey], path: Path, *, actor: str
) -> Manifest:
    """Writes the bundle to `path`, signed by these keys, and an audit row that it left.

    Raises NotFoundError or InvalidError for an order that cannot be met, TamperedError for a damaged revision.
    """
    now = database.now()
    apis, contents = await database.read(lambda c: _collect(c, order, now))
    members = contents.to_members()
    manifest = _manifest(order, apis, contents, members)
    read_contents(manifest, members)  # what an import would refuse is found here, while somebody can mend it
    envelope = SignedEnvelope(manifest.to_bytes(), {})
    for key in keys:
        envelope = envelope.signed_with(key)
    archive.write_file(path, {archive.ENVELOPE: envelope.to_bytes(), **members})
    told = {"digest": manifest.digest, "catalog": manifest.catalog, "signed_by": sorted(envelope.signatures)}
    event = Event(now, actor, "bundle.exported", f"bundle-export:{manifest.name}@{manifest.version}", told)
    await database.write(lambda c: append_entry(c, event))
    return manifest


def sign(path: Path, key: Ed25519PrivateKey) -> tuple[str, ...]:
    """Adds a signature to the bundle at `path`; the ids of all keys that signed it now.

    Raises BundleFormError or BundleError: nobody should sign what could not be imported.
    """
    members = archive.read_file(path)
    envelope = read_envelope(members[archive.ENVELOPE], is_signed=False)
    read_contents(Manifest.read(envelope.payload, "the manifest"), members)
    if not envelope.is_signed_by(public_key_of(key)):
        envelope = envelope.signed_with(key)
        archive.write_file(path, {**members, archive.ENVELOPE: envelope.to_bytes()})
    return tuple(sorted(envelope.signatures))


def _collect(connection: Connection, order: ExportOrder, now: str) -> tuple[tuple[ApiLine, ...], Contents]:
    named = order.apis
    query = _APPROVED.where(rows.TABLE.c.api.in_(named)) if named else _APPROVED
    stored = sorted(_valid(connection.execute(query), now), key=lambda row: str(row.workflow_id))
    missing = set(named) - {row.api for row in stored}
    if missing or not stored:
        what = ", ".join(sorted(missing)) or "any API"
        raise InvalidError(f"no workflow of {what} is approved", "see `switchgear workflows list --state approved`")
    revisions = tuple(_line(row) for row in stored)
    apis = tuple(_api(connection, name) for name in sorted({line.api for line in revisions}))
    contents = [orjson.loads(line.content) for line in revisions]
    used = {str(api.profile_digest) for api in apis if api.profile_digest}
    used |= {str(content["profile"]) for content in contents if content["profile"]}
    profiles = tuple(_profile(connection, digest) for digest in sorted(used))
    operations = {digest for content in contents for digest in content["operations"].values()}
    replies = tuple(ReplyLine(operation=key, body=body) for key, body in stored_texts(connection, operations).items())
    known = stored_bodies(connection, [api.name for api in apis])
    knowledge = tuple(KnowledgeLine(api=api, body=body) for api, body in known.items())
    return apis, Contents(revisions, profiles, bill_of_materials(order.created_at), replies, knowledge)


def _valid(found: Iterable[rows.Stored], now: str) -> Iterable[rows.Stored]:
    """Those whose approval has not ended, whether that was written down already or not.

    Of single operations only what a person approved: what an expert's reads made pass is made anew where it is wanted.
    """
    lasting = (row for row in found if row.expires_at is None or now < row.expires_at)
    return (row for row in lasting if not (is_raw(row.workflow_id) and row.decided_by == "policy"))


def _line(row: rows.Stored) -> RevisionLine:
    values, witness = rows.split(row)
    fault = find_fault(values, witness)
    if fault:
        raise TamperedError(
            f"revision {row.id} of {row.workflow_id}: {fault}", "nothing was exported: compile and approve it again"
        )
    told = {name: values[name] for name in RevisionLine.model_fields if name in values}
    votes = tuple(from_text(values["votes"]))
    return _made(RevisionLine, {**told, "approved_by": row.decided_by, "approved_at": row.decided_at, "votes": votes})


def _api(connection: Connection, name: str) -> ApiLine:
    row = connection.execute(select(_API).where(_API.c.name == name)).mappings().first()
    if row is None:
        raise NotFoundError(f"there is no API {name}", "compile its description first: `switchgear compile`")
    return _made(ApiLine, {field: row[field] for field in ApiLine.model_fields})


def _profile(connection: Connection, digest: str) -> ProfileLine:
    body = connection.execute(select(_PROFILE.c.body).where(_PROFILE.c.digest == digest)).scalar()
    if body is None or hash_of(body.encode()) != digest:
        raise TamperedError(f"the stored profile {digest} is missing or was changed", "compile the API again")
    return ProfileLine(digest=digest, body=body)


def _manifest(
    order: ExportOrder, apis: Iterable[ApiLine], contents: Contents, members: Mapping[str, bytes]
) -> Manifest:
    expires_at = moment(datetime.fromisoformat(order.created_at) + timedelta(days=order.days))
    values = {
        "format": 1, "name": order.name, "version": order.version, "created_at": order.created_at,
        "expires_at": expires_at, "switchgear": own_version(), "level": schema.HEAD, "apis": tuple(apis),
        "revisions": len(contents.revisions),
        "catalog": catalog_digest((line.workflow_id, line.digest) for line in contents.revisions),
        "members": {name: hash_of(data) for name, data in members.items()},
    }  # fmt: skip
    return _made(Manifest, values)


def _made(kind: type[L], values: Mapping[str, Any]) -> L:
    """Raises InvalidError for a value that no bundle may have: a name, a length."""
    try:
        return kind(**values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise InvalidError(f"a bundle cannot hold this {place}: {first['msg']}") from error
