"""The APIs that were compiled, and their vendor profiles kept by digest.

The compiler puts an API here when it stores workflows; the runtime takes from here how to log in and how the device
answers. A revision names the digest of the profile it was approved with (`RevisionContent.profile_digest`), so
`get_profile` answers exactly that one, even after the API got a newer profile. Profiles are stored as the canonical
bytes of their digest and checked at each reading. Here never lives a credential.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.engine import Row

from governance.audit.log import Event, append_entry, last_told
from governance.errors import InvalidError, NotFoundError, TamperedError
from governance.storage.database import Database
from governance.storage.identifiers import Json, from_text
from governance.storage.models import ApiRow, ProfileRow, table_of
from workflow.json.canonical import canonical_bytes
from workflow.profiles.profile import parse_profile

TOLD = ("name", "title", "version", "spec_digest", "profile_digest")
_API = table_of(ApiRow)
_PROFILE = table_of(ProfileRow)
_WITH_PROFILE = select(_API, _PROFILE.c.body).outerjoin(_PROFILE, _API.c.profile_digest == _PROFILE.c.digest)


@dataclass(frozen=True, slots=True)
class StoredApi:
    """`profile` is the profile's JSON with its defaults, read with `workflow.profiles.profile.parse_profile`."""

    name: str
    title: str
    version: str
    spec_digest: str
    profile: Json | None
    profile_digest: str | None
    updated_at: str


class ApiStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def put_api(
        self,
        name: str,
        title: str,
        version: str,
        spec_digest: str,
        profile: Json | None,
        profile_digest: str | None,
        *,
        actor: str = "compile",
    ) -> StoredApi:
        """Stores what is known of an API now; the profiles of before remain under their digests.

        Raises InvalidError if the digest is not the profile's, ProfileError if it is no profile.
        """
        body = _checked_body(name, profile, profile_digest)
        profiles = {} if body is None or profile_digest is None else {profile_digest: body}
        now = self._database.now()
        values = {
            "name": name, "title": title, "version": version,
            "spec_digest": spec_digest, "profile_digest": profile_digest,
        }  # fmt: skip
        await self._database.write(lambda c: put(c, now, actor, values, profiles))
        return await self.get_api(name)

    async def get_api(self, name: str) -> StoredApi:
        """Raises NotFoundError, or TamperedError if it is not as the audit says, or the profile not its digest."""
        query = _WITH_PROFILE.where(_API.c.name == name)

        def work(connection: Connection) -> StoredApi | None:
            row = connection.execute(query).first()
            return None if row is None else _api(connection, row)

        found = await self._database.read(work)
        if found is None:
            raise NotFoundError(
                f"there is no API {name}", "compile its description first: `switchgear compile`", kind="api", name=name
            )
        return found

    async def list_apis(self) -> tuple[StoredApi, ...]:
        """All APIs by name. Raises TamperedError as `get_api` does."""
        query = _WITH_PROFILE.order_by(_API.c.name)
        return await self._database.read(lambda c: tuple(_api(c, row) for row in c.execute(query).all()))

    async def get_profile(self, digest: str) -> Json:
        """The profile with this digest. Raises NotFoundError, or TamperedError if it no longer has it."""
        query = select(_PROFILE.c.body).where(_PROFILE.c.digest == digest)
        body = await self._database.read(lambda c: c.execute(query).scalar())
        if body is None:
            raise NotFoundError(f"there is no profile {digest}", "compile the API again with its profile")
        return _profile(body, digest)


def _checked_body(name: str, profile: Json | None, digest: str | None) -> str | None:
    if profile is None and digest is None:
        return None
    body = canonical_bytes(parse_profile(profile, name).model_dump(mode="json"))
    if _hash(body) != digest:
        raise InvalidError(f"the profile of {name} has the digest {_hash(body)}, not {digest}")
    return body.decode()


def put(connection: Connection, now: str, actor: str, values: Mapping[str, Any], profiles: Mapping[str, str]) -> None:
    """Stores an API and these profiles (canonical text by digest), which the caller has checked, with an audit row."""
    before = connection.execute(select(_API).where(_API.c.name == values["name"])).mappings().first()
    for digest, body in profiles.items():
        stored = connection.execute(select(_PROFILE.c.body).where(_PROFILE.c.digest == digest)).scalar()
        if stored is None:
            connection.execute(insert(_PROFILE), {"digest": digest, "body": body})
        elif stored != body:  # it was changed behind our back
            connection.execute(update(_PROFILE).where(_PROFILE.c.digest == digest).values(body=body))
    is_told = last_told(connection, f"api:{values['name']}", ("api.stored",)) == dict(values)
    if is_told and before is not None and {**before, "updated_at": ""} == {**values, "updated_at": ""}:
        return
    connection.execute(delete(_API).where(_API.c.name == values["name"]))
    connection.execute(insert(_API), {**values, "updated_at": now})
    append_entry(connection, Event(now, actor, "api.stored", f"api:{values['name']}", dict(values)))


def _api(connection: Connection, row: Row[tuple[Any, ...]]) -> StoredApi:
    told = {name: getattr(row, name) for name in TOLD}
    if last_told(connection, f"api:{row.name}", ("api.stored",)) != told:
        raise TamperedError(f"the API {row.name} is not as the audit says", "compile it again")
    profile = None if row.profile_digest is None else _profile(row.body, row.profile_digest)
    return StoredApi(row.name, row.title, row.version, row.spec_digest, profile, row.profile_digest, row.updated_at)


def is_whole_profile(digest: str, body: str) -> bool:
    """Whether a stored profile has its digest."""
    return _hash(body.encode()) == digest


def _profile(body: str | None, digest: str) -> Json:
    if body is None or not is_whole_profile(digest, body):
        raise TamperedError(f"the stored profile {digest} was changed", "compile the API again with its profile")
    return from_text(body)


def _hash(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()
