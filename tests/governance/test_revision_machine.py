"""Whatever people decide, whoever edits the database, whatever the clock says: only what was approved, unaltered and
for as long as it was approved, is ever served, and runs at its hours only.

The oracle is independent of the store: it remembers who approved what and when, which policy was in force, and how the
row looked then. After every step the approved set must be exactly the revisions in use whose rows still look so.
"""

import asyncio
import hashlib
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from governance.approval.integrity import seal_of
from governance.approval.policies import PolicyStore
from governance.approval.policy import policy_of
from governance.approval.revisions import Revision, RevisionStore
from governance.audit.log import AuditLog
from governance.errors import GovernanceError, RefusedError, TamperedError
from governance.storage import schema
from governance.storage.database import Database, open_database
from governance.transitions import ROLES
from workflow.revision import RevisionContent

RISKS = {"stop_vm": "disrupt", "find_vm": "read"}
WORKFLOWS = st.sampled_from(sorted(RISKS))
TEXTS = st.sampled_from(["one", "two", "three"])
COLUMNS: dict[str, Any] = {
    "content": "{}", "digest": "sha256:x", "state": "approved", "risk": "read", "proof": "[]", "rank": 9.0,
    "is_core": 0, "decided_by": "mallory", "reason": "x", "seal": "sha256:y", "intent": "find", "resource": "x",
    "votes": '["mallory","eve"]', "expires_at": None,
}  # fmt: skip
COLUMN = st.sampled_from(sorted(COLUMNS))
PAST = {"approve": "approved", "reject": "rejected", "retire": "retired"}
FACTS: dict[str, Any] = {
    "intent": "act", "resource": "VM", "is_core": True, "rank": 0.5, "proof": {}, "actor": "ci",
}  # fmt: skip
VOTERS = st.sampled_from(["ann", "bob", "ci"])


@dataclass(frozen=True)
class Rules:
    """A policy as the oracle sees it: what it takes to approve what is not only read, and what may be read."""

    needed: int = 1
    needed_to_read: int = 1
    own: bool = True
    approved_days: int | None = None
    pending_days: int | None = None
    hours: tuple[int, int] | None = None

    def to_json(self) -> dict[str, Any]:
        hours = (
            [{"from": f"{self.hours[0]:02}:00", "to": f"{self.hours[1]:02}:00", "zone": "UTC"}] if self.hours else []
        )
        rule = {"approval_days": self.approved_days}
        classes = {
            "read": {"approvals": self.needed_to_read, **rule},
            "disrupt": {"approvals": self.needed, "windows": hours, **rule},
        }
        return {"classes": classes, "self_approval": self.own, "pending_days": self.pending_days}


POLICIES = st.builds(
    Rules,
    st.sampled_from([1, 2, 2, 3]),
    st.sampled_from([0, 1, 2]),
    st.booleans(),
    st.sampled_from([1, 3, None]),
    st.sampled_from([None, 2]),
    st.sampled_from([None, (9, 17)]),
)
Row = dict[str, Any]
_template: list[Path] = []


def _new_file(folder: Path) -> Path:
    """A migrated file without the triggers that would stop the edits; migrating once is enough."""
    if not _template:
        home = Path(tempfile.mkdtemp(prefix="switchgear-machine-"))
        _template.append(home / "template.db")
        schema.upgrade(f"sqlite:///{_template[0]}")
        _sql(_template[0], "DROP TRIGGER revisions_unchanged")
        _sql(_template[0], "PRAGMA journal_mode=DELETE")
    return Path(shutil.copy(_template[0], folder / "a.db"))


@pytest.fixture(scope="module", autouse=True)
def _no_template_is_left() -> Any:
    yield
    for path in _template:
        shutil.rmtree(path.parent)


def _sql(path: Path, statement: str, values: Any = ()) -> list[Any]:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


class Machine(RuleBasedStateMachine):
    revisions = Bundle("revisions")
    rows = Bundle("rows")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="switchgear-machine-"))
        self.path = _new_file(self.folder)
        self.loop = asyncio.Runner()
        self.database = self.loop.run(self._opened())
        self.store = RevisionStore(self.database)
        self.in_use: dict[str, tuple[Revision, Row]] = {}  # by workflow
        self.ends: dict[str, datetime | None] = {}  # until when it may be decided, or is approved, by revision
        self.voters: dict[str, set[str]] = {}
        self.edited: set[str] = set()
        self.apply_a_policy(Rules(approved_days=2))

    async def _opened(self) -> Database:
        self.now = datetime(2026, 11, 20, 8, tzinfo=UTC)
        return await open_database(f"sqlite:///{self.path}", clock=lambda: self.now)

    def _end(self, days: int | None) -> datetime | None:
        return None if days is None else self.now + timedelta(days=days)

    def _is_over(self, revision_id: str) -> bool:
        end = self.ends[revision_id]
        return end is not None and self.now >= end

    @rule(rules=POLICIES)
    def apply_a_policy(self, rules: Rules) -> None:
        self.loop.run(PolicyStore(self.database).apply(policy_of(rules.to_json()), actor="boss"))
        self.rules = rules

    @rule(hours=st.sampled_from([1, 5, 9, 24, 50]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(workflow=WORKFLOWS, is_over=st.sampled_from([True, True, False]))
    def time_passes_to_the_end_of_an_approval(self, workflow: str, is_over: bool) -> None:
        if workflow in self.in_use and self.ends[self.in_use[workflow][0].id]:
            end = self.ends[self.in_use[workflow][0].id] or self.now
            self.now = max(self.now, end if is_over else end - timedelta(microseconds=1))

    @rule()
    def sweep(self) -> None:
        for gone in self.loop.run(self.store.expire()):
            assert gone.state == "retired"
            assert gone.id in self.edited or self._is_over(gone.id)

    def teardown(self) -> None:
        verdict = self.loop.run(AuditLog(self.database).verify())
        self.loop.run(self.database.close())
        self.loop.close()
        shutil.rmtree(self.folder)
        assert verdict.ok

    @rule(target=revisions, workflow=WORKFLOWS, text=TEXTS)
    def submit(self, workflow: str, text: str) -> Any:
        content = RevisionContent({"text": text}, {"name": workflow}, {}, None)
        made = self.loop.run(self.store.submit("api", workflow, content, risk=RISKS[workflow], **FACTS))
        revision = made.revision
        assert revision.content == content
        if made.is_new:
            self.ends[revision.id] = self._end(self.rules.pending_days)
            self.voters[revision.id] = set()
        if revision.decided_by == "policy" and revision.state == "approved" and not self._is_in_use(revision):
            assert RISKS[workflow] == "read"
            assert self.rules.needed_to_read == 0
            self._use(revision)
        return revision if made.is_new else multiple()

    def _is_in_use(self, revision: Revision) -> bool:
        known, _ = self.in_use.get(revision.workflow_id, (None, None))
        return known is not None and known.id == revision.id

    def _use(self, revision: Revision) -> None:
        self.ends[revision.id] = self._end(self.rules.approved_days)
        self.in_use[revision.workflow_id] = (revision, self._row(revision.id))

    @rule(target=revisions, workflow=WORKFLOWS, text=TEXTS)
    def submit_and_approve(self, workflow: str, text: str) -> Any:
        made = self.submit(workflow, text)
        if isinstance(made, Revision):
            for voter in ("ann", "bob"):
                self.decide(made, "approve", "approver", "", is_right=True, actor=voter)
        return made

    @rule(
        revision=revisions,
        action=st.sampled_from(["approve", "reject", "retire"]),
        role=st.sampled_from([*ROLES, "approver", "admin", "admin"]),
        reason=st.sampled_from(["", "because", "because"]),
        is_right=st.sampled_from([True, True, True, False]),
        actor=VOTERS,
    )
    def decide(self, revision: Revision, action: Any, role: Any, reason: str, is_right: bool, actor: str) -> None:
        digest = revision.digest if is_right else "sha256:" + "0" * 64
        asked = self.store.decide(revision.id, action, actor=actor, role=role, reason=reason, digest=digest)
        try:
            decided = self.loop.run(asked)
        except TamperedError:
            assert revision.id in self.edited
            return
        except RefusedError:
            return
        assert is_right
        assert role in ("approver", "admin")
        assert reason or action == "approve"
        assert decided.content == revision.content
        if action == "approve":
            assert self._vote(revision, actor) is (decided.state == "approved")
            if decided.state == "approved":
                self._use(decided)
            return
        assert decided.state == PAST[action]
        if action == "retire":
            assert self.in_use.pop(revision.workflow_id)[0].id == revision.id

    def _vote(self, revision: Revision, voter: str) -> bool:
        """Counts a vote that the store took; whether it was the last one needed."""
        rules, voters = self.rules, self.voters[revision.id]
        assert not self._is_over(revision.id)
        assert voter not in voters - (set() if rules.own else {"ci"})
        assert rules.own or voter != "ci"
        voters.add(voter)
        needed = rules.needed_to_read if revision.risk == "read" else rules.needed
        return len(voters - (set() if rules.own else {"ci"})) >= needed

    @rule(workflow=WORKFLOWS)
    def retire(self, workflow: str) -> None:
        if workflow in self.in_use:
            self.decide(self.in_use[workflow][0], "retire", "admin", "because", is_right=True, actor="ann")

    @rule(revision=revisions, column=COLUMN, with_seal=st.booleans())
    def edit(self, revision: Revision, column: str, with_seal: bool) -> None:
        """Somebody writes a column, and if clever the seal that fits."""
        row = self._row(revision.id) | {column: COLUMNS[column]}
        if with_seal:
            row["digest"] = "sha256:" + hashlib.sha256(row["content"].encode()).hexdigest()
            row["seal"] = seal_of(row | {"is_core": bool(row["is_core"])})
        self._write(row)

    @rule(workflow=WORKFLOWS, column=COLUMN, with_seal=st.booleans())
    def edit_what_is_in_use(self, workflow: str, column: str, with_seal: bool) -> None:
        if workflow in self.in_use:
            self.edit(self.in_use[workflow][0], column, with_seal)

    @rule(target=rows, workflow=WORKFLOWS)
    def remember_the_row_in_use(self, workflow: str) -> Any:
        return self.in_use[workflow][1] if workflow in self.in_use else multiple()

    @rule(row=rows)
    def put_back(self, row: Row) -> None:
        """Somebody restores a row as it was when it was approved."""
        self._write(row)

    @rule()
    def start_anew(self) -> None:
        """Nothing may depend on what this process remembers."""
        self.store = RevisionStore(self.database)

    @rule(revision=revisions)
    def run_anything(self, revision: Revision) -> None:
        self.run(revision)

    def run(self, revision: Revision) -> None:
        """A run is confirmed for what is in use at this moment, and nothing else."""
        known, row = self.in_use.get(revision.workflow_id, (None, None))
        is_whole = known is not None and known.id == revision.id and row == self._row(revision.id)
        is_whole = is_whole and not self._is_over(revision.id)
        self._begin(revision, is_whole)
        try:
            confirmed = self.loop.run(self.store.confirm(revision.id, revision.digest))
        except GovernanceError:
            assert not is_whole
            return
        assert is_whole
        assert confirmed == known

    def _begin(self, revision: Revision, is_whole: bool) -> None:
        """What opens a run lets it begin exactly where it is in use, and at its hours."""
        hours = self.rules.hours if revision.risk == "disrupt" else None
        may_begin = is_whole and (hours is None or hours[0] <= self.now.hour < hours[1])
        try:
            self.loop.run(self.database.write(self.store.guard(revision.id, revision.digest)))
        except GovernanceError:
            assert not may_begin
            return
        assert may_begin

    @invariant()
    def exactly_what_is_in_use_and_unaltered_is_served(self) -> None:
        in_use = (each for each in self.in_use.values() if not self._is_over(each[0].id))
        whole = {known.id: known for known, row in in_use if row == self._row(known.id)}
        assert {one.id: one for one in self.loop.run(self.store.approved())} == whole
        for known, _ in self.in_use.values():
            self.run(known)

    def _row(self, revision_id: str) -> Row:
        names = [column[1] for column in _sql(self.path, "PRAGMA table_info(revisions)")]
        (values,) = _sql(self.path, "SELECT * FROM revisions WHERE id = ?", (revision_id,))
        return dict(zip(names, values, strict=True))

    def _write(self, row: Row) -> None:
        sets = ", ".join(f"{name} = :{name}" for name in row)
        if row == self._row(row["id"]):
            return
        try:
            _sql(self.path, f"UPDATE revisions SET {sets} WHERE id = :id", row)
        except sqlite3.IntegrityError:  # a second approved or pending one of its workflow: refused by an index
            return
        self.edited.add(row["id"])


@pytest.mark.slow
def test_only_what_was_approved_and_is_unaltered_is_served() -> None:
    run_state_machine_as_test(Machine, settings=settings(max_examples=20, stateful_step_count=40, deadline=None))


@pytest.mark.long
def test_only_what_was_approved_and_is_unaltered_is_served_in_two_thousand_histories() -> None:
    run_state_machine_as_test(Machine, settings=settings(max_examples=2000, stateful_step_count=50, deadline=None))
