"""Whoever writes the database file gets no rights by it: every column of tokens, users, sessions, senders, targets."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from governance.errors import TamperedError
from governance.people.principals import PrincipalStore
from governance.people.scopes import AccessScope
from governance.people.sessions import SessionStore
from governance.people.users import UserStore
from governance.registry.targets import Target, TargetStore
from governance.storage import schema
from governance.storage.connections import parse_url
from governance.storage.database import Database, open_database
from governance.storage.models import PrincipalRow, SessionRow, TargetRow, UserRow, WebhookRow, table_of
from governance.webhooks import WebhookStore

Behind = Callable[..., None]
WORDS = "seven blue lanterns"
# A value of the column's kind that gives more than the row had.
OTHER = {"role": "admin", "scope": "{}", "also": "[]", "expires_at": "2999-01-01T00:00:00.000000Z"}
OTHER |= {"ends_at": "2999-01-01T00:00:00.000000Z", "created_at": "2000-01-01T00:00:00.000000Z"}

PART = AccessScope(apis=("toy",))
# So that a name can be changed in a table that another one refers to.
WITHOUT_KEYS = {
    "sqlite": "PRAGMA foreign_keys=OFF",
    "postgresql": "ALTER TABLE sessions DROP CONSTRAINT fk_sessions_user_name",
}


def columns(model: Any, *left_out: str) -> list[str]:
    return [column.name for column in table_of(model).columns if column.name not in left_out]


@pytest.mark.parametrize("column", columns(PrincipalRow))
async def test_a_token_whose_row_was_changed_is_nobody_and_is_listed_as_such(
    database: Database, behind: Behind, column: str
) -> None:
    principals = PrincipalStore(database)
    _, secret = await principals.create_token("ann", "viewer", scope=PART, ttl_s=3600)
    assert (await principals.survey()).faults == ()
    behind(f"UPDATE principals SET {column} = :value", value=OTHER.get(column, "x"))
    assert await principals.authenticate(secret) is None
    assert await principals.holder("ann") is None
    assert (await principals.survey()).faults
    assert await principals.any_tokens()


async def test_a_token_that_nobody_made_and_one_that_was_revoked_open_nothing(
    database: Database, behind: Behind
) -> None:
    principals = PrincipalStore(database)
    made, secret = await principals.create_token("ann", "admin")
    await principals.revoke("ann")
    behind("UPDATE principals SET revoked_at = NULL")
    assert await principals.authenticate(secret) is None
    behind("UPDATE principals SET id = 'other', name = 'eve', role = 'admin'")
    assert await principals.authenticate(secret) is None
    assert len((await principals.survey()).faults) == 2
    behind("DELETE FROM principals")
    assert await principals.any_tokens(), "taking all tokens away must not open the server to everybody"
    assert made.id in (await principals.survey()).faults[0]


@pytest.mark.parametrize("column", columns(UserRow))
async def test_a_user_whose_row_was_changed_is_nobody_and_is_listed_as_such(
    database: Database, behind: Behind, column: str
) -> None:
    users, sessions = UserStore(database), SessionStore(database)
    await users.add("ann", "viewer", password=WORDS, scope=PART, also=("jwt:1",), actor="boss")
    _, secret = await sessions.open("ann", address="x")
    assert await sessions.find(secret)
    await users.add("old", "viewer", password=WORDS, actor="boss")
    behind(WITHOUT_KEYS[database.kind])
    behind(f"UPDATE users SET {column} = :value WHERE name = 'ann'", value=OTHER.get(column, "x"))
    assert await users.check("ann", WORDS) is None
    assert await sessions.find(secret) is None
    assert (await users.survey()).faults
    assert [user.name for user in (await users.survey()).users if user.name == "old"] == ["old"]
    assert await users.any_users()


async def test_a_user_that_was_taken_away_or_put_there_is_told_and_may_nothing(
    database: Database, behind: Behind
) -> None:
    users = UserStore(database)
    await users.add("ann", "viewer", password=WORDS, actor="boss")
    behind(
        "INSERT INTO users (name, role, scope, also, password_hash, created_at, created_by) "
        "SELECT 'eve', 'admin', scope, also, password_hash, created_at, created_by FROM users"
    )
    assert await users.check("eve", WORDS) is None
    assert (await users.survey()).faults == ("the user eve is not as the audit says",)
    behind("DELETE FROM users")
    assert (await users.survey()).faults == ("the user ann was taken away",)
    assert await users.any_users()
    await users.add("ann", "viewer", password=WORDS, actor="boss")
    assert await users.check("ann", WORDS)
    assert (await users.survey()).faults == ()


@pytest.mark.parametrize("column", columns(SessionRow, "used_at"))
async def test_a_session_whose_row_was_changed_is_nobodys(database: Database, behind: Behind, column: str) -> None:
    users, sessions = UserStore(database), SessionStore(database)
    await users.add("ann", "viewer", password=WORDS, actor="boss")
    await users.add("eve", "admin", password=WORDS, actor="boss")
    _, secret = await sessions.open("ann", address="x")
    assert await sessions.find(secret)
    value = "eve" if column == "user_name" else OTHER.get(column, "x")
    behind(f"UPDATE sessions SET {column} = :value", value=value)
    assert await sessions.find(secret) is None


async def test_a_session_that_was_ended_is_not_had_again_by_its_row(
    url: str, database: Database, behind: Behind
) -> None:
    users, sessions = UserStore(database), SessionStore(database)
    await users.add("ann", "viewer", password=WORDS, actor="boss")
    session, secret = await sessions.open("ann", address="x")
    engine = create_engine(parse_url(url))
    with engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM sessions")).one()._asdict()
    engine.dispose()
    await sessions.close(session.id, actor="ann", why="logout")
    behind(f"INSERT INTO sessions ({', '.join(row)}) VALUES ({', '.join(':' + name for name in row)})", **row)
    assert await sessions.find(secret) is None


@pytest.mark.parametrize("column", columns(WebhookRow))
async def test_a_sender_whose_row_was_changed_does_not_count(database: Database, behind: Behind, column: str) -> None:
    webhooks = WebhookStore(database)
    await webhooks.add("desk", "env:DESK", actor="boss")
    assert await webhooks.find("desk")
    assert await webhooks.faults() == ()
    value = {"scope": '{"apis":["x"]}', "secret_ref": "env:PATH"}.get(column, "x")
    behind(f"UPDATE webhooks SET {column} = :value", value=value)
    assert await webhooks.find("desk") is None
    assert await webhooks.find("x") is None
    assert len(await webhooks.faults()) == 1


async def test_a_sender_that_was_removed_is_not_had_again_by_its_row(database: Database, behind: Behind) -> None:
    webhooks = WebhookStore(database)
    made = await webhooks.add("desk", "env:DESK", actor="boss")
    await webhooks.remove("desk", actor="boss")
    names = ("name", "secret_ref", "created_at", "created_by")
    behind(
        "INSERT INTO webhooks (name, secret_ref, scope, created_at, created_by) "
        "VALUES (:name, :secret_ref, '{}', :created_at, :created_by)",
        **{name: getattr(made, name) for name in names},
    )
    assert await webhooks.find("desk") is None


async def test_tokens_of_an_older_database_go_on_and_are_sealed_by_the_upgrade(tmp_path: Any) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'old.db'}"
    async with open_database(url) as database:
        _, secret = await PrincipalStore(database).create_token("ann", "viewer")
        await PrincipalStore(database).create_token("gone", "viewer")
        await PrincipalStore(database).revoke("gone")
    engine = create_engine(parse_url(url))
    with engine.begin() as connection:  # as 0013 left it: no tables of users, audit rows without seals
        for table in (
            "run_effects",
            "disabled_workflows",
            "sessions",
            "users",
            "knowledge",
            "sites",
            "site_dispatches",
        ):
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("ALTER TABLE runs DROP COLUMN verdict"))
        connection.execute(text("ALTER TABLE targets DROP COLUMN server"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0013'"))
        connection.execute(text("DROP TRIGGER audit_kept"))
        connection.execute(text("DELETE FROM audit"))
        genesis = "sha256:" + "0" * 64
        connection.execute(text("UPDATE audit_head SET seq = 0, hash = :genesis"), {"genesis": genesis})
    engine.dispose()
    schema.upgrade(url)
    async with open_database(url) as database:
        principals = PrincipalStore(database)
        assert (await principals.survey()).faults == ()
        assert await principals.authenticate(secret)
        assert len((await principals.survey()).principals) == 2


DEVICE = Target("lab", "toy", "https://10.0.0.5", "live", "env:USER", "env:PASSWORD", labels=(("site", "edge"),))
ELSEWHERE: dict[str, Any] = {
    "base_url": "https://10.6.6.6",
    "labels": '{"site": "lab"}',
    "limits": '{"connections": 9}',
}
ELSEWHERE["server"] = '{"transport": "http", "is_enabled": true, "url": "https://10.6.6.6/mcp"}'
ELSEWHERE |= {"tls": "pin:" + "0" * 64, "mode": "twin", "responses": "off", "is_default": True, "name": "other"}


@pytest.mark.parametrize("column", columns(TargetRow, "created_at"))
async def test_a_target_whose_row_was_changed_gets_no_request_until_it_is_made_anew(
    database: Database, behind: Behind, column: str
) -> None:
    targets = TargetStore(database)
    await targets.add(Target("first", "toy", "https://10.0.0.4", "live"))
    await targets.add(DEVICE)
    await targets.list_targets()
    name = "other" if column == "name" else "lab"
    behind("UPDATE targets SET is_default = :no", no=False)
    assert await targets.get("lab") == DEVICE  # to be the default no more leads nothing elsewhere
    behind(f"UPDATE targets SET {column} = :other WHERE name = 'lab'", other=ELSEWHERE.get(column, "env:OTHER"))
    for store in (targets, TargetStore(database)):
        with pytest.raises(TamperedError, match=name):
            await store.get(name)
        with pytest.raises(TamperedError, match=name):
            await store.list_targets()
    if column == "is_default":
        with pytest.raises(TamperedError):
            await targets.default_for("toy")
    await targets.remove(name)
    await targets.add(DEVICE)
    assert (await targets.get("lab")).base_url == DEVICE.base_url
