"""`switchgear doctor` finds what was altered while nothing ran, and what is altered while a server runs."""

import json
import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from demo.children import SWITCHGEAR, Children, answers
from governance.storage.connections import parse_url
from governance.storage.database import open_database
from runtime.commands.doctor import examine
from runtime.service import open_service, watching
from tests.governance.integrity.furnished import furnish

ADMIN = "UPDATE principals SET role = 'admin' WHERE name = 'ann'"
SCHEDULE = (
    "INSERT INTO schedules (name, workflow_id, labels, inputs, cron, zone, created_by, created_at, is_paused, next_at) "
    "VALUES ('evil', 'start', '{}', '{}', '* * * * *', 'UTC', 'cli:ann', '2026-01-01T00:00:00.000000Z', FALSE, "
    "'2999-01-01T00:00:00.000000Z')"
)
MESSAGE = (
    "INSERT INTO event_deliveries (id, endpoint, kind, body, made_at, tries, next_at) "
    "VALUES ('evil', 'hook', 'run.finished', '{}', '2026-01-01', 0, '2999')"
)
GUARDS = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%RAISE%'"
# What was done, and a word of the sentence that tells it.
WHILE_NOTHING_RUNS = (
    (ADMIN, "token"),
    ("UPDATE principals SET expires_at = NULL WHERE name = 'bob'", "token"),
    ("UPDATE principals SET revoked_at = NULL WHERE name = 'gone'", "token"),
    ("UPDATE users SET role = 'admin' WHERE name = 'carl'", "user carl"),
    ("UPDATE users SET also = '[]' WHERE name = 'dora'", "user dora"),
    ("UPDATE sessions SET ends_at = '2999-01-01T00:00:00.000000Z'", "session"),
    ("UPDATE webhooks SET scope = '{}' WHERE name = 'desk'", "webhook desk"),
    ("DELETE FROM webhooks WHERE name = 'bell'", "webhook bell was taken away"),
    (SCHEDULE, "schedule evil"),
    ("UPDATE schedules SET inputs = '{\"vm\":\"other\"}' WHERE name = 'nightly'", "schedule nightly"),
    ("DELETE FROM schedules WHERE name = 'later'", "schedule later was taken away"),
    ("UPDATE plans SET used_at = NULL, applied_by = NULL WHERE id = 'used'", "plan used"),
    ("UPDATE plans SET changes = 'x' WHERE id = 'fresh'", "plan fresh"),
    ("UPDATE targets SET base_url = 'https://127.0.0.1:8' WHERE name = 'lab'", "target lab"),
    ("UPDATE runs SET outcome = NULL WHERE id = 'ended'", "run ended"),
    ("UPDATE runs SET resume = '{}' WHERE id = 'doubt'", "run doubt"),
    ("UPDATE runs SET cancel_by = 'ann' WHERE id = 'open'", "who asked for its end"),
    ("DELETE FROM run_steps WHERE run_id = 'open'", "run open"),
    ("UPDATE run_journals SET body = '{}'", "journal"),
    ("DELETE FROM run_effects WHERE run_id = 'open'", "effect effect-open"),
    (MESSAGE, "message evil"),
    ("UPDATE event_endpoints SET url = 'https://evil.example' WHERE name = 'hook2'", "endpoint hook2"),
    ("UPDATE policies SET body = '{}'", "policy 1"),
    ("DELETE FROM disabled_workflows", "disabled workflow stop was taken away"),
    ("UPDATE bundle_keys SET revoked_at = 'x', revoked_by = 'x' WHERE name = 'ann'", "trusted key"),
    ("UPDATE bundle_threshold SET signatures = 1", "number of signatures"),
    ("UPDATE bundles SET version = 1", "bundle plant@3 was taken away"),
    ("UPDATE apis SET title = 'Other'", "API toy"),
    ("UPDATE knowledge SET body = '[]'", "knowledge of the API"),
    ('UPDATE targets SET server = \'{"transport":"site","is_enabled":true}\' WHERE name = \'lab2\'', "target lab2"),
    ("UPDATE responses SET body = '{}'", "description of replies"),
    ("DELETE FROM webhook_uses; CREATE INDEX more ON webhook_uses (at)", "index more of webhook_uses was added"),
    ("CREATE TRIGGER harm AFTER INSERT ON plans BEGIN UPDATE plans SET used_at = NULL; END", "trigger harm of plans"),
)
WHILE_IT_SERVES = (
    (SCHEDULE, "schedule evil"),
    (MESSAGE, "message evil"),
    (ADMIN, "token"),
    ("UPDATE schedules SET next_at = '2020-01-01T00:00:00.000000Z' WHERE name = 'later'", "schedule later"),
    ("UPDATE plans SET used_at = NULL, applied_by = NULL WHERE id = 'used'", "plan used"),
    ("UPDATE revisions SET votes = '[\"ann\",\"eve\"]' WHERE workflow_id = 'wipe'", "revision"),
    ("UPDATE bundle_threshold SET signatures = 1", "number of signatures"),
    ("UPDATE users SET disabled_at = 'x' WHERE name = 'carl'", "user carl"),
    ("DROP INDEX uq_revisions_approved", "index uq_revisions_approved of revisions is gone"),
    ("CREATE TRIGGER harm AFTER INSERT ON audit BEGIN DELETE FROM runs; END", "trigger harm of audit was added"),
)


@pytest.fixture
async def furnished_url(migrated_url: str, tmp_path: Path) -> AsyncIterator[str]:
    async with open_database(migrated_url) as database:
        await furnish(database, tmp_path)
    yield migrated_url


def alter(url: str, statements: str) -> None:
    engine = create_engine(parse_url(url))
    with engine.begin() as connection:
        for guard in connection.execute(text(GUARDS)).scalars().all():
            connection.execute(text(f"DROP TRIGGER {guard}"))
        for statement in statements.split("; ") if "BEGIN" not in statements else (statements,):
            connection.exec_driver_sql(statement)
    engine.dispose()


async def bad(url: str) -> set[str]:
    return {finding.message for finding in await examine(url) if not finding.is_good}


async def found_one_after_the_other(url: str, alterations: Any) -> None:
    before = await bad(url)
    assert not any("audit says" in each for each in before)
    for statement, word in alterations:
        alter(url, statement)
        now = await bad(url)
        assert any(word in each for each in now - before), statement
        before = now


@pytest.mark.slow
@pytest.mark.unwitnessed("no device is asked; the database is spoilt on purpose")
async def test_doctor_finds_what_was_altered_while_nothing_ran(furnished_url: str) -> None:
    await found_one_after_the_other(furnished_url, WHILE_NOTHING_RUNS[::5])


@pytest.mark.long
@pytest.mark.unwitnessed("no device is asked; the database is spoilt on purpose")
async def test_doctor_finds_each_of_over_thirty_alterations_made_while_nothing_ran(furnished_url: str) -> None:
    assert len(WHILE_NOTHING_RUNS) == 33
    await found_one_after_the_other(furnished_url, WHILE_NOTHING_RUNS)


@pytest.mark.slow
@pytest.mark.unwitnessed("no device is asked; the database is spoilt on purpose")
async def test_doctor_finds_each_of_ten_alterations_that_are_made_while_a_server_runs(furnished_url: str) -> None:
    assert len(WHILE_IT_SERVES) == 10
    async with open_service(furnished_url) as service, watching(service):
        await found_one_after_the_other(furnished_url, WHILE_IT_SERVES)
        assert {run.id for run in await service.runs.find()} == {"ended", "doubt", "open"}, "nothing fired, nothing ran"


def told_by_the_command(url: str) -> set[str]:
    environment = {**os.environ, "SWITCHGEAR_DATABASE_URL": url}
    done = subprocess.run([*SWITCHGEAR, "doctor", "--json"], env=environment, capture_output=True, check=False)
    found = json.loads(done.stdout)
    assert done.returncode == (0 if all(each["is_good"] for each in found) else 1)
    return {each["message"] for each in found if not each["is_good"]}


@pytest.mark.long
@pytest.mark.unwitnessed("no device is asked; the database is spoilt on purpose")
async def test_the_command_finds_each_of_ten_alterations_while_another_process_serves(
    furnished_url: str, tmp_path: Path
) -> None:
    children = Children(tmp_path, {"SWITCHGEAR_DATABASE_URL": furnished_url})
    try:
        server = children.serve("server", "serve", "--port", "0")
        before = told_by_the_command(furnished_url)
        for statement, word in WHILE_IT_SERVES:
            alter(furnished_url, statement)
            now = told_by_the_command(furnished_url)
            assert any(word in each for each in now - before), statement
            before = now
        assert answers(f"{server.url}/health")
    finally:
        children.stop()
