"""Who decides on a command line: the account of the system, never the environment, where the policy lets it at all."""

import os
import pwd
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from governance.accounts import account
from governance.approval.disabling import DisabledStore
from governance.approval.policies import PolicyStore
from governance.approval.policy import policy_of
from governance.approval.revisions import RevisionStore
from governance.commands.options import actor_here
from governance.errors import ForbiddenError
from governance.storage.database import Database

SAID = ("LOGNAME", "USER", "LNAME", "USERNAME", "SUDO_USER", "HOME")
DOOR = {"command_line": False, "self_approval": True}


def test_no_variable_of_the_environment_makes_somebody_else_decide() -> None:
    code = "from governance.commands.options import actor_here; print(actor_here())"
    command = [sys.executable, "-c", code]
    environment = os.environ | dict.fromkeys(SAID, "somebody-else")
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()
    assert told == actor_here()


def test_one_account_is_one_person_and_another_one_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    everybody = {entry.pw_uid for entry in pwd.getpwall()}
    names = set()
    for number in everybody:
        monkeypatch.setattr(os, "getuid", lambda number=number: number)
        names.add(account())
    assert len(names) == len(everybody)


def test_an_account_without_a_name_decides_under_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = next(number for number in range(70_000, 90_000) if number not in {each.pw_uid for each in pwd.getpwall()})
    monkeypatch.setattr(os, "getuid", lambda: nobody)
    assert actor_here() == f"cli:{nobody}"


def test_who_takes_another_number_in_a_namespace_of_their_own_decides_as_who_they_are_outside(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    outside, uid_map = os.getuid(), tmp_path / "uid_map"
    monkeypatch.setattr(os, "getuid", lambda: 70_001)
    uid_map.write_text(f"     70001 {outside:>10} 1\n")
    assert account(uid_map) == pwd.getpwuid(outside).pw_name
    for given in ("0 100000 65536\n", "0 0 4294967295\n", f"0 {outside} 1\n", "nothing of ours"):
        uid_map.write_text(given)
        assert account(uid_map) == "70001"


async def test_where_the_policy_closes_the_command_line_nothing_is_approved_there(
    database: Database, store: RevisionStore, submit: Any
) -> None:
    await PolicyStore(database).apply(policy_of(DOOR), actor="boss")
    revision = (await submit()).revision
    with pytest.raises(ForbiddenError):
        await decided(store, revision, "approve", "cli:ann")
    assert (await store.get(revision.id)).state == "pending"
    assert (await decided(store, revision, "approve", "ann")).state == "approved"


async def test_what_stops_something_is_taken_from_a_closed_command_line_and_what_lets_go_is_not(
    database: Database, store: RevisionStore, submit: Any
) -> None:
    await PolicyStore(database).apply(policy_of(DOOR), actor="boss")
    first, second = (await submit()).revision, (await submit("two", "stop_vm")).revision
    await decided(store, first, "approve", "ann")
    assert (await decided(store, second, "reject", "cli:ann")).state == "rejected"
    disabled = DisabledStore(database)
    await disabled.disable(first.workflow_id, actor="cli:ann", reason="looks wrong")
    with pytest.raises(ForbiddenError):
        await disabled.enable(first.workflow_id, actor="cli:ann")
    assert await disabled.get(first.workflow_id) is not None
    await disabled.enable(first.workflow_id, actor="ann")


async def test_a_closed_command_line_does_not_open_itself(database: Database) -> None:
    policies = PolicyStore(database)
    closed, _ = await policies.apply(policy_of(DOOR), actor="boss")
    with pytest.raises(ForbiddenError):
        await policies.apply(policy_of({}), actor="cli:ann")
    assert (await policies.current()).policy == closed.policy
    await policies.apply(policy_of({}), actor="boss")


async def decided(store: RevisionStore, revision: Any, action: Any, actor: str) -> Any:
    return await store.decide(revision.id, action, actor=actor, role="admin", reason="a test", digest=revision.digest)
