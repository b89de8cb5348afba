"""Tokens: shown once, kept as a hash, valid until they are not."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from governance.audit.log import AuditLog
from governance.errors import ConflictError, InvalidError, NotFoundError
from governance.people.principals import SECRET_PREFIX, PrincipalStore
from governance.storage.database import Database, open_database


@pytest.fixture
def principals(database: Database) -> PrincipalStore:
    return PrincipalStore(database)


async def test_a_token_says_who_it_is(principals: PrincipalStore) -> None:
    assert not await principals.any_tokens()
    principal, secret = await principals.create_token("ann", "approver")
    assert await principals.authenticate(secret) == principal
    assert (principal.name, principal.role) == ("ann", "approver")
    assert await principals.any_tokens()
    assert await principals.list_tokens() == (principal,)


@pytest.mark.parametrize("change", [str.upper, lambda s: s[:-1], lambda s: s + "x", lambda s: "", lambda s: "\ud800\0"])
async def test_anything_but_the_secret_is_nobody(principals: PrincipalStore, change) -> None:  # type: ignore[no-untyped-def]
    _, secret = await principals.create_token("ann", "admin")
    assert await principals.authenticate(change(secret)) is None


async def test_the_secret_is_nowhere_in_the_database(database: Database, principals: PrincipalStore) -> None:
    _, secret = await principals.create_token("ann", "admin")
    assert len(secret.removeprefix(SECRET_PREFIX)) == 43
    rows = await database.read(lambda c: c.execute(text("SELECT * FROM principals")).all())
    told = await AuditLog(database).find()
    assert secret not in repr(rows) + repr(told)


async def test_a_revoked_token_is_nobody_and_its_name_is_free_again(principals: PrincipalStore) -> None:
    _, secret = await principals.create_token("ann", "admin")
    with pytest.raises(ConflictError):
        await principals.create_token("ann", "viewer")
    revoked = await principals.revoke("ann")
    assert revoked.revoked_at is not None
    assert await principals.authenticate(secret) is None
    assert not await principals.any_tokens()
    again, _ = await principals.create_token("ann", "viewer")
    assert (await principals.revoke(again.id)).id == again.id
    with pytest.raises(NotFoundError):
        await principals.revoke("ann")


async def test_a_token_ends_when_its_time_is_over(url: str, database: Database) -> None:
    now = [datetime(2026, 11, 20, tzinfo=UTC)]
    async with open_database(url, clock=lambda: now[0]) as timed:
        store = PrincipalStore(timed)
        principal, secret = await store.create_token("ci", "operator", ttl_s=3600)
        assert principal.expires_at == "2026-11-20T01:00:00.000000Z"
        now[0] += timedelta(seconds=3599)
        assert await store.authenticate(secret) == principal
        now[0] += timedelta(seconds=1)
        assert await store.authenticate(secret) is None


@pytest.mark.parametrize(("name", "role"), [("", "admin"), ("a b", "admin"), ("ann\n", "admin"), ("ann", "root")])
async def test_names_and_roles_are_checked(principals: PrincipalStore, name: str, role: str) -> None:
    with pytest.raises(InvalidError):
        await principals.create_token(name, role)  # type: ignore[arg-type]


async def test_making_and_ending_a_token_is_in_the_audit(database: Database, principals: PrincipalStore) -> None:
    principal, _ = await principals.create_token("ann", "admin", actor="cli:root")
    await principals.revoke("ann", actor="cli:root")
    rows = await AuditLog(database).find(subject=f"principal:{principal.id}")
    assert [(row.action, row.actor) for row in rows] == [("token.created", "cli:root"), ("token.revoked", "cli:root")]
