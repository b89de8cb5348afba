"""Whose signatures count on this machine, and how many of them a bundle needs.

Stored in the database by an admin, each change with its audit row, which holds the whole stored row: a key that was
slipped in, a revocation taken back or a threshold lowered behind our back does not fit it and is refused (A5).
Revoking is final and ends later imports; what was imported before stays approved until somebody retires it.
Here never lives a private key.
"""

import re
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from governance.audit.log import Event, append_entry, last_told
from governance.bundles.envelope import SignedEnvelope
from governance.bundles.keys import PublicKey
from governance.errors import BundleError, ConflictError, ForbiddenError, InvalidError, NotFoundError, TamperedError
from governance.storage.database import Database
from governance.storage.identifiers import Json
from governance.storage.models import BundleKeyRow, BundleThresholdRow, table_of
from governance.transitions import Role, may

_KEYS = table_of(BundleKeyRow)
_NEEDED = table_of(BundleThresholdRow)
_ALL = select(_KEYS).order_by(_KEYS.c.trusted_at, _KEYS.c.id)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
THRESHOLD = "bundle-threshold:1"
MAX_THRESHOLD = 32
TAMPERED = "do not import: compare with a backup, see `switchgear audit verify`"


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """Moments are UTC text; `revoked_at` is None while the key's signatures count."""

    id: str
    name: str
    public_key: str
    trusted_at: str
    trusted_by: str
    revoked_at: str | None
    revoked_by: str | None

    def to_json(self) -> dict[str, Json]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Trust:
    """`keys` by the time of their trusting, revoked ones among them; `threshold` signatures are needed."""

    keys: tuple[TrustedKey, ...]
    threshold: int

    def signers(self, envelope: SignedEnvelope) -> tuple[TrustedKey, ...]:
        """The trusted keys that signed. Raises BundleError if they are too few, or a signature does not fit."""
        valid = [key for key in self.keys if key.revoked_at is None]
        if len(valid) < self.threshold:
            raise BundleError(
                f"trusted signatures needed: {self.threshold}, keys trusted here: {len(valid)}",
                "an admin trusts keys with `switchgear bundle keys trust`",
            )
        signed = tuple(key for key in valid if envelope.is_signed_by(PublicKey(key.public_key)))
        if len(signed) < self.threshold:
            raise BundleError(*self._too_few(envelope, len(signed)))
        return signed

    def _too_few(self, envelope: SignedEnvelope, found: int) -> tuple[str, str]:
        revoked = [key.name for key in self.keys if key.revoked_at and key.id in envelope.signatures]
        if revoked:
            return f"it is signed with a key that was revoked: {', '.join(revoked)}", "ask for a new export"
        if not found:
            others = ", ".join(sorted(key[:16] for key in envelope.signatures))
            return (
                f"it is signed by nobody who is trusted here, but with the keys {others}",
                "if that is right: get the public key on another way, and `switchgear bundle keys trust` it",
            )
        return (
            f"it has {found} of the {self.threshold} signatures that are needed here",
            "have another holder of a trusted key sign it: `switchgear bundle sign`",
        )


class TrustStore:
    """Every change asks for the role admin and raises ForbiddenError without it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def look(self) -> Trust:
        """What holds now. Raises TamperedError."""
        return await self._database.read(read_trust)

    async def trust(self, key: PublicKey, name: str, *, actor: str, role: Role) -> TrustedKey:
        """From now on a signature of this key counts. Raises InvalidError (name), ConflictError (known or revoked)."""
        _need_admin(role)
        if not _NAME.fullmatch(name):
            raise InvalidError(f"{name!r} is no name for a key", "take up to 64 letters, digits and . _ @ -")
        now = self._database.now()
        made = TrustedKey(key.id, name, key.pem, now, actor, None, None)

        def work(connection: Connection) -> None:
            for known in read_trust(connection).keys:
                _refuse_known(known, made)
            connection.execute(insert(_KEYS), made.to_json())
            _tell(connection, now, actor, "bundle.key_trusted", made)

        await self._database.write(work)
        return made

    async def revoke(self, ref: str, *, actor: str, role: Role) -> TrustedKey:
        """Ends the trust in the key with this id (or its beginning, 8 digits or more) or name. Raises NotFoundError."""
        _need_admin(role)
        now = self._database.now()

        def work(connection: Connection) -> TrustedKey:
            keys = [key for key in read_trust(connection).keys if key.revoked_at is None]
            found = [key for key in keys if key.name == ref or (len(ref) >= 8 and key.id.startswith(ref))]
            if len(found) != 1:
                raise NotFoundError(f"there is no single trusted key {ref}", "see `switchgear bundle keys list`")
            ended = TrustedKey(**{**found[0].to_json(), "revoked_at": now, "revoked_by": actor})
            connection.execute(
                update(_KEYS).where(_KEYS.c.id == ended.id).values(revoked_at=now, revoked_by=actor),
            )
            _tell(connection, now, actor, "bundle.key_revoked", ended)
            return ended

        return await self._database.write(work)

    async def require(self, threshold: int, *, actor: str, role: Role) -> Trust:
        """From now on a bundle needs the signatures of so many trusted keys. Raises InvalidError if there are fewer."""
        _need_admin(role)
        now = self._database.now()

        def work(connection: Connection) -> Trust:
            valid = [key for key in read_trust(connection).keys if key.revoked_at is None]
            if not 1 <= threshold <= min(len(valid), MAX_THRESHOLD):
                raise InvalidError(
                    f"{threshold} signatures cannot be asked for: {len(valid)} keys are trusted",
                    "trust more keys first, or ask for fewer",
                )
            values = {"id": 1, "signatures": threshold}
            connection.execute(delete(_NEEDED))
            connection.execute(insert(_NEEDED), values)
            append_entry(connection, Event(now, actor, "bundle.threshold_set", THRESHOLD, values))
            return read_trust(connection)

        return await self._database.write(work)


def read_trust(connection: Connection) -> Trust:
    """What holds in this transaction. Raises TamperedError where a row is not what the audit says."""
    keys = tuple(TrustedKey(**row) for row in connection.execute(_ALL).mappings())
    for key in keys:
        if last_told(connection, f"bundle-key:{key.id}") != key.to_json():
            raise TamperedError(f"the trust in the bundle key {key.name} is not what the audit says", TAMPERED)
    needed = connection.execute(select(_NEEDED)).mappings().first()
    if last_told(connection, THRESHOLD) != (None if needed is None else dict(needed)):
        raise TamperedError("the number of signatures that a bundle needs is not what the audit says", TAMPERED)
    return Trust(keys, 1 if needed is None else int(needed["signatures"]))


def _refuse_known(known: TrustedKey, made: TrustedKey) -> None:
    if known.id == made.id and known.revoked_at:
        raise ConflictError(f"this key was revoked as {known.name}, and revoking is final", "make a new key")
    if known.id == made.id:
        raise ConflictError(f"this key is trusted already, as {known.name}")
    if known.name == made.name and known.revoked_at is None:
        raise ConflictError(f"another trusted key is called {made.name}", "take another name, or revoke the other")


def _need_admin(role: Role) -> None:
    if not may(role, "admin"):
        raise ForbiddenError(
            f"the role {role} may not decide whose signatures count", "ask somebody with the role admin"
        )


def _tell(connection: Connection, at: str, actor: str, action: str, key: TrustedKey) -> None:
    append_entry(connection, Event(at, actor, action, f"bundle-key:{key.id}", key.to_json()))
