"""Whatever is submitted, voted, retired, disabled, edited behind our back and loaded, and whatever the clock says: a
run executes a digest that is approved at that moment, whole and in use, or nothing reaches the device. THREATS.md, A2.

The oracle is independent of the store: it counts votes, remembers what was edited, and reads the clock that the test
moves. The device is a real socket, so that a request that should not have been sent is seen.
"""

import itertools
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from governance.approval.policies import PolicyStore
from governance.approval.policy import policy_of
from governance.errors import ConflictError, GovernanceError
from governance.storage.database import open_database
from runtime.caller import Caller
from runtime.engines.journal import AuditOnly
from runtime.errors import NotApproved
from runtime.secrets import Vault
from runtime.service import assemble

NUMBERS = itertools.count()
ME = Caller("me", "operator")
POLICY = {"classes": {"read": {"approvals": 2, "approval_days": 1}}}
DEEDS = ("submit-a", "submit-b", "ann", "bob", "ann", "bob", "retire", "disable", "enable", "edit", "hours", "day",
         "sweep", "reload", "reload", "run", "run", "run-old")  # fmt: skip
EDITS = ("content = replace(content, 'vms', 'VMS')", "risk = 'change'", "decided_by = 'eve'", "rank = 9.5",
         "digest = 'sha256:x'", "expires_at = '2099-01-01T00:00:00.000000Z'", "proof = '[]'")  # fmt: skip


@dataclass
class Moment:
    """One history. `ends`: until when what is in use is approved; `edited`: rows that somebody wrote to."""

    house: Any
    device: Any
    path: Path
    now: datetime = datetime(2026, 11, 20, 8, tzinfo=UTC)
    pending: Any = None
    voters: set[str] = field(default_factory=set)
    in_use: str = ""
    ends: datetime = datetime(2026, 11, 20, tzinfo=UTC)
    edited: set[str] = field(default_factory=set)
    is_disabled: bool = False
    kept: list[Any] = field(default_factory=list)
    ran: int = 0

    @property
    def store(self) -> Any:
        return self.house.service.revisions

    async def do(self, deed: str, number: int) -> None:
        kind, _, about = deed.partition("-")
        match kind:
            case "submit":
                await self.submit(about)
            case "ann" | "bob":
                await self.vote(kind)
            case "retire":
                await self.retire()
            case "disable" | "enable":
                await self.switch(kind == "disable")
            case "edit":
                self.edit(EDITS[number % len(EDITS)])
            case "hours" | "day":
                self.now += timedelta(hours=5 if kind == "hours" else 25)
            case "sweep":
                await self.store.expire()
            case "reload":
                self.kept += (await self.house.service.live.reload()).entries.values()
            case "run":
                await self.run(0 if about == "old" else -1)

    async def submit(self, title: str) -> None:
        revision = await self.house.submit_changed("find", title=title)
        if revision.state != "pending":  # what is in use was said again: nothing waits any more
            self.pending = None
        elif self.pending is None or revision.id != self.pending.id:
            self.pending, self.voters = revision, set()

    async def decide(self, revision: Any, action: str, actor: str) -> Any:
        decided = self.store.decide(
            revision.id, action, actor=actor, role="approver", reason="r", digest=revision.digest
        )
        return await decided

    async def vote(self, voter: str) -> None:
        if self.pending is None:
            return
        try:
            decided = await self.decide(self.pending, "approve", voter)
        except ConflictError:
            assert voter in self.voters
            return
        except GovernanceError:
            assert self.pending.id in self.edited
            return
        assert voter not in self.voters
        self.voters.add(voter)
        assert (decided.state == "approved") is (len(self.voters) == 2)
        if decided.state == "approved":
            self.in_use, self.ends, self.pending = decided.id, self.now + timedelta(days=1), None

    async def retire(self) -> None:
        found = [each for each in await self.store.find("approved") if each.id == self.in_use]
        if found:
            await self.decide(found[0], "retire", "ann")
            self.in_use = ""

    async def switch(self, is_off: bool) -> None:
        disabled = self.house.service.disabled
        try:
            if is_off:
                await disabled.disable("toy-find-vm", actor="ann", reason="r")
            else:
                await disabled.enable("toy-find-vm", actor="ann")
        except GovernanceError:
            return
        self.is_disabled = is_off

    def edit(self, change: str) -> None:
        """Somebody writes to the newest row, or to the one in use."""
        target = self.in_use or (self.pending.id if self.pending else "")
        with sqlite3.connect(self.path, isolation_level=None) as connection:
            before = connection.execute("SELECT * FROM revisions WHERE id = ?", (target,)).fetchall()
            connection.execute(f"UPDATE revisions SET {change} WHERE id = ?", (target,))
            if connection.execute("SELECT * FROM revisions WHERE id = ?", (target,)).fetchall() != before:
                self.edited.add(target)
        connection.close()

    async def run(self, which: int) -> None:
        if not self.kept:
            return
        entry, before = self.kept[which], len(self.device.heard)
        is_whole = entry.revision_id == self.in_use and self.in_use not in self.edited
        may_run = is_whole and not self.is_disabled and self.now < self.ends
        try:
            ended = await self.house.service.calls.call(entry, {"vm": "web-01"}, None, ME)
        except NotApproved:
            assert not may_run
            assert len(self.device.heard) == before
            return
        assert may_run
        assert ended.outcome == "succeeded"
        assert len(self.device.heard) == before + 1
        self.ran += 1


@asynccontextmanager
async def history(folder: Path, device: Any, tools: Any) -> AsyncIterator[Moment]:
    """A new database whose clock the test moves, and on which nothing stops an edit."""
    path = folder / f"{next(NUMBERS)}.db"
    moment = Moment(None, device, path)
    async with open_database(f"sqlite:///{path}", clock=lambda: moment.now) as database:
        service = assemble(database, Vault({}))
        moment.house = await tools.furnished(f"sqlite:///{path}", service)
        with sqlite3.connect(path, isolation_level=None) as connection:
            connection.execute("DROP TRIGGER revisions_unchanged")
        connection.close()
        await PolicyStore(database).apply(policy_of(POLICY), actor="boss")
        await moment.house.target(device.url)
        try:
            yield moment
        finally:
            await service.engine.close()
            await service.driver.aclose(AuditOnly(service.audit))
            await service.locks.close()


async def play(folder: Path, device: Any, tools: Any, deeds: list[str]) -> int:
    before = len(device.heard)
    async with history(folder, device, tools) as moment:
        for number, deed in enumerate(deeds):
            await moment.do(deed, number)
        sent = [row async for row in _requests(moment)]
        assert len(sent) == len(device.heard) - before == moment.ran
        assert (await moment.house.service.audit.verify()).ok
        return moment.ran


async def _requests(moment: Moment) -> AsyncIterator[Any]:
    await moment.house.service.engine.settle()
    for row in await moment.house.service.audit.find(action="request.sending", limit=1000):
        yield row


def machine(examples: int, steps: int) -> Any:
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    how = settings(
        max_examples=examples, deadline=None, suppress_health_check=checks, phases=set(Phase) - {Phase.explain}
    )
    # It begins with something in use, so that a history of any length can run something.
    start = ["submit-a", "ann", "bob", "reload", "run"]
    deeds = st.lists(st.sampled_from(DEEDS), min_size=steps - len(start), max_size=steps - len(start))
    return lambda test: how(given(deeds.map(lambda more: [*start, *more]))(test))


@pytest.mark.slow
@machine(12, 40)
async def test_only_what_is_approved_at_that_moment_runs(
    tmp_path: Path, device: Any, tools: Any, deeds: list[str]
) -> None:
    assert await play(tmp_path, device, tools, deeds) >= 1


@pytest.mark.long
@machine(2000, 50)
async def test_only_what_is_approved_at_that_moment_runs_in_two_thousand_histories(
    tmp_path: Path, device: Any, tools: Any, deeds: list[str]
) -> None:
    assert await play(tmp_path, device, tools, deeds) >= 1
