"""JWTs of a company: one issuer, one audience, asymmetric keys of one file; whatever else is nobody."""

import base64
import hmac
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from joserfc import jws, jwt
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from governance.errors import InvalidError
from governance.people.scopes import AccessScope
from runtime.auth.authenticator import Authenticator
from runtime.auth.jwt_issuers import ALGORITHMS, LEEWAY_S, JwtIssuer, read_trust
from runtime.caller import Caller

# The library warns of the short key that is refused, and of the older name of Ed25519.
pytestmark = pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
ISSUER, AUDIENCE = "https://login.example", "switchgear"
RULES = """
issuer: https://login.example
audience: switchgear
keys: keys.json
roles_claim: realm_access.roles
roles:
  - {value: sg-admins, role: admin}
  - {value: sg-edge, role: operator, scope: {workflows: [toy-find*]}}
"""


@dataclass
class Issuer:
    """A company's login: it has keys, publishes their public halves as a file, and signs."""

    folder: Path
    keys: dict[str, Key] = field(default_factory=dict)

    def publish(self, *kids: str, **others: Any) -> None:
        known = [self.keys[kid].as_dict(private=False) for kid in kids or self.keys]
        file = self.folder / "new.json"
        file.write_text(json.dumps({"keys": [*known, *others.values()]}))
        file.replace(self.folder / "keys.json")

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        told = {"iss": ISSUER, "aud": AUDIENCE, "sub": "4711", "iat": now, "exp": now + 300}
        told |= {"realm_access": {"roles": ["x", "sg-admins"]}} | changes
        return {name: value for name, value in told.items() if value is not None}

    def sign(self, kid: str = "ec", alg: str = "ES256", header: Any = None, **changes: Any) -> str:
        head = {"alg": alg, "kid": kid, **(header or {})}
        return signed({k: v for k, v in head.items() if v is not None}, self.claims(**changes), self.keys[kid])


def signed(header: dict[str, Any], claims: dict[str, Any], key: Key) -> str:
    every = jws.JWSRegistry(algorithms=[*ALGORITHMS, "HS256", "HS512"], strict_check_header=False)
    return jwt.encode(header, claims, key, registry=every)


@pytest.fixture(scope="module")
def made() -> dict[str, Key]:
    """One key of each kind; making them takes a while."""
    kinds = {
        "rsa": RSAKey.import_key(rsa.generate_private_key(65537, 2048)),
        "ec": ECKey.import_key(ec.generate_private_key(ec.SECP256R1())),
        "ec384": ECKey.import_key(ec.generate_private_key(ec.SECP384R1())),
        "ed": OKPKey.import_key(ed25519.Ed25519PrivateKey.generate()),
        "short": RSAKey.import_key(rsa.generate_private_key(65537, 1024)),
    }
    return {kid: type(key).import_key(key.as_dict(private=True, kid=kid)) for kid, key in kinds.items()}


@pytest.fixture
def issuer(tmp_path: Path, made: dict[str, Key]) -> Issuer:
    issuer = Issuer(tmp_path, dict(made))
    issuer.publish("rsa", "ec", "ec384", "ed", "short")
    return issuer


@pytest.fixture
def company(issuer: Issuer) -> JwtIssuer:
    (issuer.folder / "jwt.yaml").write_text(RULES)
    return JwtIssuer(read_trust(issuer.folder / "jwt.yaml"))


@pytest.mark.parametrize(
    ("kid", "alg"),
    [("rsa", "RS256"), ("rsa", "PS512"), ("ec", "ES256"), ("ec384", "ES384"), ("ed", "EdDSA"), ("ed", "Ed25519")],
)
async def test_each_asymmetric_signature_says_who_it_is(issuer: Issuer, company: JwtIssuer, kid: str, alg: str) -> None:
    assert await company.caller(issuer.sign(kid, alg)) == Caller("jwt:4711", "admin")


async def test_the_rules_say_role_and_scope_in_their_order(issuer: Issuer, company: JwtIssuer) -> None:
    edge = issuer.sign(realm_access={"roles": ["sg-edge"]})
    assert await company.caller(edge) == Caller("jwt:4711", "operator", AccessScope(workflows=("toy-find*",)))
    both = issuer.sign(realm_access={"roles": ["sg-edge", "sg-admins"]})
    assert await company.caller(both) == Caller("jwt:4711", "admin")
    assert await company.caller(issuer.sign(realm_access={"roles": "sg-edge"}))
    assert await company.caller(issuer.sign(aud=["other", AUDIENCE]))


def in_base64(*parts: Any) -> str:
    told = (part if isinstance(part, bytes) else json.dumps(part).encode() for part in parts)
    return ".".join(base64.urlsafe_b64encode(each).decode().rstrip("=") for each in told)


def with_secret(issuer: Issuer) -> str:
    """The confusion of old: the public key, which everybody has, as a shared secret. No library signs like this."""
    text = in_base64({"alg": "HS256", "kid": "rsa"}, issuer.claims())
    signature = hmac.new(issuer.keys["rsa"].as_pem(private=False), text.encode(), "sha256").digest()
    return f"{text}.{in_base64(signature)}"


def unsigned(issuer: Issuer, alg: str = "none") -> str:
    return in_base64({"alg": alg, "kid": "ec"}, issuer.claims()) + "."


def altered(issuer: Issuer) -> str:
    head, _, signature = issuer.sign().split(".")
    return f"{head}.{in_base64(issuer.claims(sub='1'))}.{signature}"


def of_stranger(issuer: Issuer) -> str:
    other = ECKey.import_key(ec.generate_private_key(ec.SECP256R1()))
    return signed({"alg": "ES256", "kid": "ec"}, issuer.claims(), other)


def _now() -> int:
    return int(time.time())


def critical(issuer: Issuer) -> str:
    """What no library of good will signs."""
    head = {"alg": "ES256", "kid": "ec", "crit": ["unheard-of"], "unheard-of": True}
    text = in_base64(head, issuer.claims())
    signature = jws.JWSRegistry.algorithms["ES256"].sign(text.encode(), issuer.keys["ec"])
    return f"{text}.{in_base64(signature)}"


BAD: dict[str, Callable[[Issuer], str]] = {
    "not signed": unsigned,
    "not signed, in capitals": lambda i: unsigned(i, "None"),
    "signed with the public key as a secret": with_secret,
    "signed by somebody else under the key's name": of_stranger,
    "altered": altered,
    "without a key's name": lambda i: i.sign(header={"kid": None}),
    "another key of the file": lambda i: signed({"alg": "RS256", "kid": "ec"}, i.claims(), i.keys["rsa"]),
    "a key that is not in the file": lambda i: i.sign(header={"kid": "gone"}),
    "a key that is too short": lambda i: i.sign("short", "RS256"),
    "with a key of its own in the header": lambda i: signed(
        {"alg": "ES256", "kid": "own", "jwk": i.keys["ec"].as_dict(private=False)}, i.claims(), i.keys["ec"]
    ),
    "another issuer": lambda i: i.sign(iss=ISSUER + "/"),
    "without an issuer": lambda i: i.sign(iss=None),
    "another audience": lambda i: i.sign(aud="other"),
    "without an audience": lambda i: i.sign(aud=None),
    "expired": lambda i: i.sign(exp=_now() - LEEWAY_S - 2),
    "without an end": lambda i: i.sign(exp=None),
    "an end that is no number": lambda i: i.sign(exp="never"),
    "valid for too long": lambda i: i.sign(exp=_now() + 25 * 3600),
    "not valid yet": lambda i: i.sign(nbf=_now() + LEEWAY_S + 5),
    "issued in the future": lambda i: i.sign(iat=_now() + LEEWAY_S + 5),
    "without a moment of issue": lambda i: i.sign(iat=None),
    "issued at no number": lambda i: i.sign(iat=[1]),
    "without a subject": lambda i: i.sign(sub=None),
    "a subject that is no name": lambda i: i.sign(sub="two words"),
    "an endless subject": lambda i: i.sign(sub="x" * 200),
    "no role here": lambda i: i.sign(realm_access={"roles": ["others"]}),
    "roles of another form": lambda i: i.sign(realm_access=[{"roles": "sg-admins"}]),
    "without roles": lambda i: i.sign(realm_access=None),
    "a critical header that nobody knows": critical,
    "nothing": lambda i: "..",
    "not base64": lambda i: "a.b.c",
    "endless": lambda i: "a" * 20_000 + ".b.c",
    "no ASCII": lambda i: "é.é.é",
}


@pytest.mark.parametrize("how", BAD)
async def test_whatever_else_is_nobody_and_the_log_says_why(
    issuer: Issuer, company: JwtIssuer, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    token = BAD[how](issuer)
    with caplog.at_level(logging.WARNING, "switchgear.access"):
        assert await company.caller(token) is None
    said = [record.message for record in caplog.records if "a JWT was refused" in record.message]
    assert len(said) == 1
    assert token not in said[0]


async def test_two_clocks_may_differ_a_little(issuer: Issuer, company: JwtIssuer) -> None:
    assert await company.caller(issuer.sign(exp=_now() - LEEWAY_S + 10))
    assert await company.caller(issuer.sign(iat=_now() + LEEWAY_S - 10, nbf=_now() + LEEWAY_S - 10))


async def test_the_keys_are_read_again_when_the_file_changes(issuer: Issuer, company: JwtIssuer) -> None:
    old, new = issuer.sign("ec"), issuer.sign("ed", "Ed25519")
    issuer.publish("ec")
    assert (bool(await company.caller(old)), await company.caller(new)) == (True, None)
    issuer.publish("ed")
    assert (await company.caller(old), bool(await company.caller(new))) == (None, True)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"keys": 1}', "x" * (1024 * 1024 + 1), None])
async def test_while_the_keys_cannot_be_read_nobody_gets_in(
    issuer: Issuer, company: JwtIssuer, content: str | None
) -> None:
    token = issuer.sign()
    assert await company.caller(token)
    file = issuer.folder / "keys.json"
    file.unlink() if content is None else file.write_text(content)
    assert await company.caller(token) is None
    assert await company.caller(token) is None
    issuer.publish("ec")
    assert await company.caller(token)


async def test_keys_that_do_not_belong_there_are_left_out_and_said(
    issuer: Issuer, company: JwtIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    secret = OctKey.generate_key(256).as_dict(private=True) | {"kid": "shared"}
    private = issuer.keys["rsa"].as_dict(private=True)
    other_use = issuer.keys["ec384"].as_dict(private=False) | {"use": "enc"}
    unnamed = {name: value for name, value in issuer.keys["ed"].as_dict(private=False).items() if name != "kid"}
    issuer.publish("ec", a=secret, b=private, c=other_use, d=unnamed, e="nothing", f={"kty": "odd", "kid": "odd"})
    with caplog.at_level(logging.WARNING, "switchgear.access"):
        assert await company.caller(issuer.sign("ec"))
    assert len(caplog.records) == 6
    assert str(private["d"]) not in caplog.text
    for kid, alg in (("rsa", "RS256"), ("ec384", "ES384"), ("ed", "Ed25519")):
        assert await company.caller(issuer.sign(kid, alg)) is None


@pytest.mark.parametrize(
    "change",
    [
        ("issuer: https://login.example\n", ""),
        ("role: admin", "role: root"),
        ("workflows:", "workflow:"),
        ("audience: switchgear", "audience: ''"),
        ("audience: switchgear", "audience: switchgear\nalgorithms: [HS256]"),
        ("roles:\n", "roles: [\n"),
    ],
)
def test_rules_that_mean_nothing_are_refused_at_the_start(tmp_path: Path, change: tuple[str, str]) -> None:
    (tmp_path / "jwt.yaml").write_text(RULES.replace(*change))
    with pytest.raises(InvalidError):
        JwtIssuer(read_trust(tmp_path / "jwt.yaml"))
    with pytest.raises(InvalidError):
        read_trust(tmp_path / "none.yaml")


@pytest.fixture
def door(lab: Any, company: JwtIssuer, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The lab's authenticator, as a server with the setting has it."""
    service = lab.service
    made = Authenticator(service.principals, service.users, service.sessions, company)
    object.__setattr__(service, "authenticator", made)
    return lab


async def test_a_jwt_opens_rest_and_mcp_and_a_bad_one_is_answered_like_a_bad_token(
    door: Any, issuer: Issuer, tools: Any
) -> None:
    async with tools.running(door.service) as run:
        good = {"Authorization": f"Bearer {issuer.sign(realm_access={'roles': ['sg-edge']})}"}
        async with httpx.AsyncClient(base_url=run.url, trust_env=False) as client:
            body = {"inputs": {"vm": "web-01"}}
            assert (await client.post("/workflows/toy-find-vm/run", json=body, headers=good)).status_code == 200
            assert (await client.get("/audit", headers=good)).status_code == 403
            bad = await client.get("/workflows", headers={"Authorization": f"Bearer {issuer.sign(aud='x')}"})
            none = await client.get("/workflows", headers={"Authorization": "Bearer swg_nothing"})
            assert (await client.get("/workflows")).status_code == 401
            assert (bad.status_code, bad.text, bad.headers["www-authenticate"]) == (
                none.status_code,
                none.text,
                none.headers["www-authenticate"],
            )
        async with Client(StreamableHttpTransport(run.mcp, headers=good)) as mcp:
            assert [tool.name for tool in await mcp.list_tools()] == ["get_run", "cancel_run", "toy_find_vm"]
            assert (await mcp.call_tool("toy_find_vm", {"vm": "web-01"})).is_error is False
    assert {run.caller for run in await door.service.runs.find()} == {"jwt:4711"}


async def test_a_subject_that_is_a_disabled_user_is_out(door: Any, issuer: Issuer) -> None:
    users, keeper = door.service.users, door.service.authenticator
    token = issuer.sign()
    assert await keeper.caller(token)
    await users.add("ann", "viewer", password=None, also=("jwt:4711",), actor="boss")
    assert await keeper.caller(token)
    await users.disable("ann", actor="boss")
    assert await keeper.caller(token) is None
