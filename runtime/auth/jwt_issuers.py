"""JWTs of a company's own login (OpenID Connect, or any issuer): verified from a file of keys, without a network.

One issuer and one audience; asymmetric signatures only; a key must be named (`kid`) and be in the file. A claim says,
by rules of the admin's in order, which role and scope somebody has; who fits no rule is nobody. The file of keys is
read again when it changes, and while it cannot be read nobody gets in. Why somebody was refused stands in the server's
log; outside every reason looks alike. docs/ACCESS.md. RFC 7515, 7517, 7519, 8725.
"""

import json
import logging
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from governance.errors import InvalidError
from governance.people.scopes import AccessScope
from governance.transitions import Role
from runtime.admission.rates import Rates
from runtime.caller import Caller

log = logging.getLogger("switchgear.access")
Json = Any
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
# Two clocks that are kept right differ by less.
LEEWAY_S = 30
SHORTEST_RSA_BITS = 2048
MAX_FILE_BYTES = 1024 * 1024
MAX_TOKEN_BYTES = 16 * 1024
_SUBJECT = re.compile(r"[!-~]{1,190}")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RoleRule(_Part):
    """Who has `value` in the claim has this role, limited to `scope` (as for tokens; left out: not limited)."""

    value: Annotated[str, Field(min_length=1)]
    role: Role
    scope: dict[str, Json] = {}


class IssuerTrust(_Part):
    """The whole file. `roles_claim` may be a path: `realm_access.roles`; `longest_hours`: for how long a token may be
    valid, since nobody can revoke it here but by its key, or by disabling the user."""

    issuer: Annotated[str, Field(min_length=1)]
    audience: Annotated[str, Field(min_length=1)]
    keys: Annotated[str, Field(min_length=1)]
    name_claim: Annotated[str, Field(min_length=1)] = "sub"
    roles_claim: Annotated[str, Field(min_length=1)]
    roles: Annotated[tuple[RoleRule, ...], Field(min_length=1)]
    longest_hours: Annotated[int, Field(ge=1, le=744)] = 24


class _RefusedTokenError(Exception):
    """Why a JWT is not taken, for the log."""


class JwtIssuer:
    def __init__(self, trust: IssuerTrust) -> None:
        """Raises InvalidError for a scope that is none."""
        self._trust = trust
        self._rules = tuple((rule.value, rule.role, AccessScope.from_json(rule.scope)) for rule in trust.roles)
        self._file = Path(trust.keys)
        self._mark: tuple[int, ...] = ()
        self._keys: Mapping[str, Key] = {}
        self._told = Rates(1)
        essential = {"essential": True}
        self._claims = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": trust.issuer},
            aud={"essential": True, "value": trust.audience},
            exp=essential,  # type: ignore[arg-type]  # a TypedDict
            iat=essential,  # type: ignore[arg-type]  # likewise
        )

    @staticmethod
    def is_one(secret: str) -> bool:
        """Whether it has the form of a JWT, which no token of ours has."""
        return secret.count(".") == 2

    async def caller(self, secret: str) -> Caller | None:
        """Who the JWT says, with the role that they have by the rules. Whatever is wrong is logged: None."""
        try:
            return self._caller(secret)
        except (JoseError, _RefusedTokenError, ValueError, RecursionError) as error:
            # Whoever sends very many wrong ones does not fill the log.
            if not self._told.wait_s("refused"):
                log.warning("a JWT was refused: %s", _told(error))
            return None

    def _caller(self, secret: str) -> Caller:
        if len(secret) > MAX_TOKEN_BYTES or not secret.isascii():
            raise _RefusedTokenError(f"it is no text of at most {MAX_TOKEN_BYTES} characters")
        key = self._key_of(secret)
        registry = jws.JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        claims = jwt.decode(secret, key, registry=registry).claims
        self._claims.validate(claims)
        if claims["exp"] - claims["iat"] > self._trust.longest_hours * 3600:
            raise _RefusedTokenError(f"it is valid for longer than the {self._trust.longest_hours} hours that it may")
        return self._ruled(claims)

    def _key_of(self, secret: str) -> Key:
        header = jws.extract_compact(secret.encode()).headers()
        kid, algorithm = header.get("kid"), header.get("alg")
        if algorithm not in ALGORITHMS:
            raise _RefusedTokenError(f"its algorithm {str(algorithm)[:20]!r} is none of {', '.join(ALGORITHMS)}")
        if not isinstance(kid, str):
            raise _RefusedTokenError("it names no key (kid)")
        self._read_again()
        if kid not in self._keys:
            raise _RefusedTokenError(f"the key {kid[:80]!r} is not in {self._file}")
        return self._keys[kid]

    def _ruled(self, claims: Mapping[str, Json]) -> Caller:
        name = claims.get(self._trust.name_claim)
        if not isinstance(name, str) or not _SUBJECT.fullmatch(name):
            raise _RefusedTokenError(f"its claim {self._trust.name_claim} is no name")
        has = _values(claims, self._trust.roles_claim)
        for value, role, scope in self._rules:
            if value in has:
                return Caller(f"jwt:{name}", role, scope)
        raise _RefusedTokenError(f"no rule fits what its claim {self._trust.roles_claim} says of {name!r}")

    def _read_again(self) -> None:
        """Reads the keys where the file is another one than before. Raises _RefusedTokenError while it cannot."""
        try:
            found = os.stat(self._file)  # noqa: PTH116  no object is made for each request
            mark = (found.st_mtime_ns, found.st_size, found.st_ino)
            if mark != self._mark:
                self._keys, self._mark = {}, ()
                self._keys, self._mark = _read_keys(self._file), mark
        except OSError as error:
            self._keys, self._mark = {}, ()
            raise _RefusedTokenError(f"the keys {self._file} cannot be read: {error.strerror}") from error


def read_trust(file: Path) -> IssuerTrust:
    """The file that says whose JWTs are taken. Raises InvalidError naming the place that does not fit."""
    try:
        trust = IssuerTrust.model_validate(yaml.load(_bounded(file), Loader=yaml.CSafeLoader))
    except (OSError, yaml.YAMLError, RecursionError) as error:
        raise InvalidError(f"{file} cannot be read: {error}", "see docs/ACCESS.md") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = "/".join(map(str, first["loc"])) or "the file"
        raise InvalidError(f"{file} does not fit at {place}: {first['msg']}", "see docs/ACCESS.md") from error
    return trust.model_copy(update={"keys": str(file.parent / trust.keys)})


def _read_keys(file: Path) -> dict[str, Key]:
    """The keys that may be used, by name. Raises OSError; ValueError for a file that is none."""
    found = json.loads(_bounded(file))
    if not isinstance(found, dict) or not isinstance(found.get("keys"), list):
        raise ValueError(f"{file} is no JWK Set")
    keys: dict[str, Key] = {}
    for data in found["keys"]:
        key = _usable(file, data)
        if key is not None:
            keys[str(data["kid"])] = key
    log.info("%s holds %s keys that are used", file, len(keys))
    return keys


def _usable(file: Path, data: Json) -> Key | None:
    kid = data.get("kid") if isinstance(data, dict) else None
    try:
        key = import_key(data) if isinstance(kid, str) else None
        fault = "it has no kid" if key is None else _fault(key)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        fault = f"it cannot be read ({type(error).__name__})"
    if fault:
        log.warning("a key of %s is not used: %s: %s", file, str(kid)[:80], fault)
        return None
    return key


def _fault(key: Key) -> str:
    if not isinstance(key, RSAKey | ECKey | OKPKey):
        return "it is no public key: whoever knows a shared one can sign as everybody"
    if key.is_private:
        return "it is a private key, and does not belong here"
    if isinstance(key, RSAKey) and key.public_key.key_size < SHORTEST_RSA_BITS:
        return f"it is shorter than {SHORTEST_RSA_BITS} bits"
    return "" if key.get("use") in (None, "sig") else "it is not for signatures"


def _values(claims: Json, path: str) -> frozenset[str]:
    """The texts in the claim at `path`: one, or a list. The name as a whole comes before its parts."""
    found = claims.get(path)
    if found is None:
        found = claims
        for part in path.split("."):
            found = found.get(part) if isinstance(found, dict) else None
    texts = found if isinstance(found, list) else [found]
    return frozenset(text for text in texts if isinstance(text, str))


def _bounded(file: Path) -> bytes:
    with file.open("rb") as opened:
        data = opened.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise OSError(None, f"it has more than {MAX_FILE_BYTES} bytes")
    return data


def _told(error: Exception) -> str:
    """The reason, printable: parts of it come from strangers."""
    return repr(str(error))[1:-1][:500]
