"""Users and their sessions: passwords are hashed, sessions end, and whatever is wrong is answered alike."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from argon2.profiles import RFC_9106_LOW_MEMORY
from sqlalchemy import text

from governance.audit.log import AuditLog
from governance.errors import ConflictError, InvalidError, NotFoundError, RefusedError
from governance.people import passwords
from governance.people.passwords import LONGEST, nobodys_hash
from governance.people.principals import PrincipalStore
from governance.people.scopes import AccessScope
from governance.people.sessions import IDLE, MOST, NOTICED, SessionStore
from governance.people.sessions import LONGEST as LONGEST_SESSION
from governance.people.users import UserStore
from governance.storage.database import Database, open_database

WORDS = "seven blue lanterns"


@pytest.fixture
def users(database: Database) -> UserStore:
    return UserStore(database)


@pytest.fixture
def sessions(database: Database) -> SessionStore:
    return SessionStore(database)


async def added(users: UserStore, name: str = "ann", **more: Any) -> Any:
    return await users.add(
        name, more.pop("role", "approver"), password=more.pop("password", WORDS), actor="boss", **more
    )


@pytest.mark.slow
@pytest.mark.usefixtures("costly_passwords")
async def test_a_user_is_known_by_their_password_and_by_nothing_else(users: UserStore) -> None:
    assert not await users.any_users()
    ann = await added(users)
    assert await users.check("ann", WORDS) == ann
    assert await users.any_users()
    for wrong in (WORDS.upper(), WORDS[:-1], WORDS + " ", "", "\ud800\0", WORDS * 100):
        assert await users.check("ann", wrong) is None
    assert await users.check("bob", WORDS) is None


async def test_the_password_stands_nowhere_in_the_database(database: Database, users: UserStore) -> None:
    await added(users)
    rows = await database.read(lambda c: c.execute(text("SELECT * FROM users")).all())
    told = repr(await AuditLog(database).find())
    assert WORDS not in repr(rows) + told
    assert rows[0].password_hash.startswith("$argon2id$")
    assert rows[0].password_hash not in told


@pytest.mark.slow
@pytest.mark.usefixtures("costly_passwords")
async def test_a_name_that_nobody_has_is_checked_against_a_hash_of_the_same_cost(
    users: UserStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Measured by what is computed and not by a clock: the same function, the same parameters, for each of them."""
    await added(users)
    await added(users, "gone")
    await users.disable("gone", actor="boss")
    await added(users, "tokens-only", password=None)
    checked: list[str] = []
    real = passwords.PasswordHasher.verify

    def verify(self: Any, stored: str, password: bytes) -> bool:
        checked.append(stored.rpartition("$")[0].rpartition("$")[0])
        return real(self, stored, password)

    monkeypatch.setattr(passwords.PasswordHasher, "verify", verify)
    for name in ("ann", "nobody", "gone", "tokens-only"):
        assert await users.check(name, "wrong words entirely") is None
    assert checked == [checked[0]] * 4
    of = RFC_9106_LOW_MEMORY
    assert checked[0] == f"$argon2id$v=19$m={of.memory_cost},t={of.time_cost},p={of.parallelism}"
    assert len(nobodys_hash()) == len(await users._passwords.hash(WORDS, "x"))


@pytest.mark.usefixtures("costly_passwords")
async def test_the_event_loop_goes_on_while_a_password_is_checked(users: UserStore) -> None:
    await added(users)
    rounds = 0

    async def turn() -> None:
        nonlocal rounds
        while True:
            await asyncio.sleep(0)
            rounds += 1

    turning = asyncio.create_task(turn())
    assert await users.check("ann", WORDS)
    turning.cancel()
    assert rounds > 10


@pytest.mark.parametrize("password", ["", "short", "x" * (LONGEST + 1), "Ann-of-Green-1"])
async def test_what_is_no_password_is_refused_and_not_repeated(users: UserStore, password: str) -> None:
    with pytest.raises(InvalidError) as refused:
        await users.add("ann-of-green", "viewer", password=password, actor="boss")
    assert not password or password not in refused.value.message + refused.value.remedy
    assert (await users.survey()).users == ()


@pytest.mark.parametrize(("name", "role"), [("", "admin"), ("a b", "admin"), ("cli:ann", "admin"), ("ann", "root")])
async def test_names_and_roles_are_checked(users: UserStore, name: str, role: Any) -> None:
    with pytest.raises(InvalidError):
        await added(users, name, role=role)


async def test_a_name_stands_for_one_person(users: UserStore) -> None:
    await added(users, also=("cli:a.smith", "jwt:4711"))
    with pytest.raises(ConflictError):
        await added(users)
    with pytest.raises(ConflictError, match="jwt:4711"):
        await added(users, "bob", also=("jwt:4711",))
    with pytest.raises(ConflictError, match="ann"):
        await added(users, "bob", also=("ann",))
    await added(users, "bob")
    with pytest.raises(ConflictError):
        await users.change("bob", also=("cli:a.smith",), actor="boss")
    assert (await users.get("bob")).also == ()
    with pytest.raises(InvalidError):
        await users.change("bob", also=("two words",), actor="boss")


async def test_every_change_of_a_user_is_in_the_audit(database: Database, users: UserStore) -> None:
    await added(users)
    await users.change("ann", role="admin", scope=AccessScope(apis=("toy",)), actor="boss")
    await users.set_password("ann", "another five words here", actor="ann")
    await users.disable("ann", actor="boss")
    await users.enable("ann", actor="boss")
    rows = await AuditLog(database).find(subject="user:ann")
    assert [(row.action, row.actor) for row in rows] == [
        ("user.added", "boss"),
        ("user.changed", "boss"),
        ("user.password", "ann"),
        ("user.disabled", "boss"),
        ("user.enabled", "boss"),
    ]
    assert (rows[1].detail["role"], rows[1].detail["scope"]) == ("admin", {"apis": ["toy"]})
    with pytest.raises(NotFoundError):
        await users.disable("nobody", actor="boss")


async def test_a_session_is_known_by_its_secret_and_ends_at_logout(
    database: Database, users: UserStore, sessions: SessionStore
) -> None:
    ann = await added(users)
    session, secret = await sessions.open("ann", address="127.0.0.1")
    found = await sessions.find(secret)
    assert found is not None
    assert (found.id, found.user) == (session.id, ann)
    assert await sessions.find(secret + "x") is None
    rows = await database.read(lambda c: c.execute(text("SELECT * FROM sessions")).all())
    assert secret not in repr(rows) + repr(await AuditLog(database).find())
    await sessions.close(session.id, actor="ann", why="logout")
    assert await sessions.find(secret) is None
    told = await AuditLog(database).find(subject=f"session:{session.id}")
    assert [row.action for row in told] == ["session.opened", "session.ended"]


async def test_a_new_password_and_disabling_end_every_session(users: UserStore, sessions: SessionStore) -> None:
    await added(users)
    await added(users, "bob")
    first, others = [await sessions.open("ann", address="x") for _ in range(2)], await sessions.open("bob", address="x")
    await users.set_password("ann", "another five words here", actor="ann")
    assert [await sessions.find(secret) for _, secret in first] == [None, None]
    assert await users.check("ann", WORDS) is None
    _, again = await sessions.open("ann", address="x")
    await users.disable("ann", actor="boss")
    assert await sessions.find(again) is None
    assert await users.check("ann", "another five words here") is None
    with pytest.raises(RefusedError):
        await sessions.open("ann", address="x")
    await users.enable("ann", actor="boss")
    assert await sessions.find(again) is None
    assert await users.check("ann", "another five words here")
    assert await sessions.find(others[1])


async def test_a_session_ends_unused_after_a_while_and_used_at_its_end(url: str, database: Database) -> None:
    now = [datetime(2026, 11, 20, tzinfo=UTC)]
    async with open_database(url, clock=lambda: now[0]) as timed:
        await added(UserStore(timed))
        sessions = SessionStore(timed)
        _, idle = await sessions.open("ann", address="x")
        _, used = await sessions.open("ann", address="x")
        now[0] += IDLE - timedelta(seconds=1)
        assert await sessions.find(used)
        now[0] += timedelta(seconds=1)
        assert await sessions.find(idle) is None
        begun = datetime(2026, 11, 20, tzinfo=UTC)
        while now[0] + IDLE < begun + LONGEST_SESSION:
            now[0] += IDLE - NOTICED
            assert await sessions.find(used)
        now[0] = begun + LONGEST_SESSION
        assert await sessions.find(used) is None


async def test_of_very_many_sessions_the_oldest_end(users: UserStore, sessions: SessionStore) -> None:
    await added(users)
    opened = [(await sessions.open("ann", address="x"))[1] for _ in range(MOST + 2)]
    assert [secret for secret in opened if await sessions.find(secret) is None] == opened[:2]


async def test_another_role_counts_in_an_open_session(users: UserStore, sessions: SessionStore) -> None:
    await added(users, role="admin")
    _, secret = await sessions.open("ann", address="x")
    await users.change("ann", role="viewer", actor="boss")
    found = await sessions.find(secret)
    assert found is not None
    assert found.user.role == "viewer"


async def test_whoever_is_disabled_is_out_under_every_name(database: Database, users: UserStore) -> None:
    await PrincipalStore(database).create_token("ann-laptop", "admin")
    await added(users, also=("ann-laptop", "jwt:4711"))
    names = ("ann", "cli:ann", "jwt:ann", "ann-laptop", "jwt:4711")
    assert [await users.is_out(name) for name in names] == [False] * 5
    await users.disable("ann", actor="boss")
    assert [await users.is_out(name) for name in names] == [True] * 5
    assert not await users.is_out("bob")
    await users.enable("ann", actor="boss")
    assert not await users.is_out("jwt:4711")
