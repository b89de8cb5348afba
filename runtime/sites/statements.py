"""What a hub and its sites say to each other, signed: short-lived JWTs over Ed25519, each for one listener.

A site signs each of its messages (`body` is the hash of what is sent), the hub each dispatch (`inputs` likewise). Who
listens checks the signature with the one key that it knows, then for whom it is, from whom, and whether it is of now:
a clock that differs is told as that (`OtherClock`), since everything else is in order. A message counts once (`Seen`).
Here never lives a right, a connection or a database. Loaded only where there are sites. RFC 7515, 7519, 8037, 8725.
"""

import base64
import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.jws import JWSRegistry

from governance.bundles.keys import generate, read_private_key
from workflow.json.canonical import canonical_bytes

Json = Any
ALGORITHM = "Ed25519"
LASTS_S = 60
# Two clocks that are kept right differ by less.
LEEWAY_S = 30
MAX_BYTES = 16 * 1024
_REGISTRY = JWSRegistry(algorithms=[ALGORITHM], strict_check_header=False)


class UntrueStatement(Exception):
    """Why it is not taken, for the log and, of one that is a site's own, for the site."""


class OtherClock(UntrueStatement):
    """Right in all but its moment. `off_s`: by how much the signer's clock is ahead of ours."""

    def __init__(self, off_s: float) -> None:
        super().__init__(f"it was signed by a clock that differs from this one by {off_s:+.0f} s")
        self.off_s = off_s


class Signer:
    """Whoever has this private key. `clock`: seconds since 1970."""

    def __init__(self, key: OKPKey, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._clock = clock
        self.public = public_of(key)
        self.name = fingerprint(self.public)

    @classmethod
    def of_file(cls, path: Path, clock: Callable[[], float] = time.time) -> "Signer":
        """Raises InvalidError, RefusedError or OSError for a file that cannot be used."""
        return cls(OKPKey.import_key(_pem(path)), clock)

    @classmethod
    def made_at(cls, path: Path) -> "Signer":
        """The one of this file, which is made where it is not there."""
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            generate(path, "")
        return cls.of_file(path)

    @classmethod
    def of_text(cls, private: str, clock: Callable[[], float] = time.time) -> "Signer":
        """What `private_text` wrote."""
        return cls(OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": "", **_split(private)}), clock)

    @classmethod
    def new(cls) -> "Signer":
        return cls(OKPKey.generate_key("Ed25519"))

    def private_text(self) -> str:
        told = self._key.as_dict(private=True)
        return f"{told['x']}.{told['d']}"

    def derived(self, purpose: str, length: int) -> bytes:
        """A key that follows from this one, for `purpose` alone; whoever has it has not this one."""
        secret = base64.urlsafe_b64decode(str(self._key.as_dict(private=True)["d"]) + "==")
        return HKDF(SHA256(), length, None, purpose.encode()).derive(secret)

    def sign(self, audience: str, claims: Mapping[str, Json], kid: str = "") -> str:
        now = int(self._clock())
        told = {"iss": kid or self.name, "aud": audience, "iat": now, "exp": now + LASTS_S, **claims}
        told.setdefault("jti", secrets.token_urlsafe(16))
        return jwt.encode({"alg": ALGORITHM, "kid": kid or self.name}, told, self._key, registry=_REGISTRY)


def public_of(key: OKPKey) -> str:
    return str(key.as_dict(private=False)["x"])


def fingerprint(public: str) -> str:
    """How a public key is named: what an invitation holds of the hub's."""
    return hashlib.sha256(public.encode()).hexdigest()[:32]


def is_public(text: str) -> bool:
    try:
        return public_of(_public(text)) == text
    except (JoseError, ValueError, TypeError):
        return False


def signer_in(statement: str) -> str:
    """Whose it says it is, before anything is checked. Raises UntrueStatement."""
    if len(statement) > MAX_BYTES or not statement.isascii():
        raise UntrueStatement("it is too long, or no text")
    try:
        kid = jws.extract_compact(statement.encode()).headers().get("kid")
    except (JoseError, ValueError, RecursionError):
        raise UntrueStatement("it cannot be read") from None
    if not isinstance(kid, str):
        raise UntrueStatement("it names nobody")
    return kid


def checked(
    statement: str, public: str, *, issuer: str, audience: str, clock: Callable[[], float] = time.time
) -> dict[str, Json]:
    """The claims. Raises UntrueStatement, OtherClock."""
    try:
        claims = jwt.decode(statement, _public(public), registry=_REGISTRY).claims
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise UntrueStatement("its signature is not of the key that is known") from error
    if claims.get("iss") != issuer or claims.get("aud") != audience:
        raise UntrueStatement("it is from, or for, somebody else")
    made, ends = claims.get("iat"), claims.get("exp")
    if not isinstance(made, int) or not isinstance(ends, int) or not 0 < ends - made <= LASTS_S:
        raise UntrueStatement("it does not say until when it counts, or for too long")
    now = clock()
    if now > ends + LEEWAY_S or made > now + LEEWAY_S:
        raise OtherClock(made - now)
    return dict(claims)


def hash_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def hash_of_inputs(inputs: Mapping[str, Json]) -> str:
    return hash_of(canonical_bytes(dict(inputs)))


class Seen:
    """Messages that were taken: none counts twice as long as it could."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}

    def take(self, claims: Mapping[str, Json]) -> None:
        """Raises UntrueStatement for one that was taken before."""
        now, mark = self._clock(), f"{claims['iss']} {claims.get('jti')}"
        if mark in self._until:
            raise UntrueStatement("it was used before")
        for old in [each for each, until in self._until.items() if until < now]:
            del self._until[old]
        self._until[mark] = claims["exp"] + LEEWAY_S


def _public(text: str) -> OKPKey:
    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": text})


def _split(private: str) -> dict[str, str]:
    public, _, secret = private.partition(".")
    return {"x": public, "d": secret}


def _pem(path: Path) -> bytes:
    return read_private_key(path, "").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
