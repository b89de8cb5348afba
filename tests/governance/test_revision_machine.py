"""Whatever people decide and whoever edits the database: only what was approved, unaltered, is ever served.

The oracle is independent of the store: it remembers what somebody approved and how the row looked then. After every
step the approved set must be exactly the revisions in use whose rows still look so.
"""

import asyncio
import hashlib
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from governance import schema
from governance.audit import AuditLog
from governance.database import Database, open_database
from governance.errors import GovernanceError, RefusedError, TamperedError
from governance.revisions import Revision, RevisionStore
from governance.sealing import seal_of
from governance.transitions import ROLES
from workflow.revision import RevisionContent

WORKFLOWS = st.sampled_from(["start_vm", "stop_vm"])
TEXTS = st.sampled_from(["one", "two", "three"])
COLUMNS: dict[str, Any] = {
    "content": "{}", "digest": "sha256:x", "state": "approved", "risk": "read", "proof": "[]", "rank": 9.0,
    "is_core": 0, "decided_by": "mallory", "reason": "x", "seal": "sha256:y", "intent": "find", "resource": "x",
}  # fmt: skip
COLUMN = st.sampled_from(sorted(COLUMNS))
PAST = {"approve": "approved", "reject": "rejected", "retire": "retired"}
FACTS: dict[str, Any] = {
    "intent": "act", "risk": "disrupt", "resource": "VM", "is_core": True, "rank": 0.5, "proof": {}, "actor": "ci",
}  # fmt: skip
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
        self.edited: set[str] = set()

    async def _opened(self) -> Database:
        return await open_database(f"sqlite:///{self.path}")

    def teardown(self) -> None:
        verdict = self.loop.run(AuditLog(self.database).verify())
        self.loop.run(self.database.close())
        self.loop.close()
        shutil.rmtree(self.folder)
        assert verdict.ok

    @rule(target=revisions, workflow=WORKFLOWS, text=TEXTS)
    def submit(self, workflow: str, text: str) -> Any:
        content = RevisionContent({"text": text}, {"name": workflow}, {}, None)
        made = self.loop.run(self.store.submit("api", workflow, content, **FACTS))
        assert made.revision.content == content
        return made.revision if made.is_new else multiple()

    @rule(target=revisions, workflow=WORKFLOWS, text=TEXTS)
    def submit_and_approve(self, workflow: str, text: str) -> Any:
        made = self.submit(workflow, text)
        if isinstance(made, Revision):
            self.decide(made, "approve", "approver", "", is_right=True)
        return made

    @rule(
        revision=revisions,
        action=st.sampled_from(["approve", "reject", "retire"]),
        role=st.sampled_from([*ROLES, "approver", "admin", "admin"]),
        reason=st.sampled_from(["", "because", "because"]),
        is_right=st.sampled_from([True, True, True, False]),
    )
    def decide(self, revision: Revision, action: Any, role: Any, reason: str, is_right: bool) -> None:
        digest = revision.digest if is_right else "sha256:" + "0" * 64
        asked = self.store.decide(revision.id, action, actor="ann", role=role, reason=reason, digest=digest)
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
        assert decided.state == PAST[action]
        assert decided.content == revision.content
        if action == "approve":
            self.in_use[revision.workflow_id] = (decided, self._row(revision.id))
        elif action == "retire":
            assert self.in_use.pop(revision.workflow_id)[0].id == revision.id

    @rule(workflow=WORKFLOWS)
    def retire(self, workflow: str) -> None:
        if workflow in self.in_use:
            self.decide(self.in_use[workflow][0], "retire", "admin", "because", is_right=True)

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
    def run(self, revision: Revision) -> None:
        """A run is confirmed for what is in use at this moment, and nothing else."""
        known, row = self.in_use.get(revision.workflow_id, (None, None))
        is_whole = known is not None and known.id == revision.id and row == self._row(revision.id)
        try:
            confirmed = self.loop.run(self.store.confirm(revision.id, revision.digest))
        except GovernanceError:
            assert not is_whole
            return
        assert is_whole
        assert confirmed == known

    @invariant()
    def exactly_what_is_in_use_and_unaltered_is_served(self) -> None:
        whole = {known.id: known for known, row in self.in_use.values() if row == self._row(known.id)}
        assert {one.id: one for one in self.loop.run(self.store.approved())} == whole

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


def test_only_what_was_approved_and_is_unaltered_is_served() -> None:
    run_state_machine_as_test(Machine, settings=settings(max_examples=30, stateful_step_count=40, deadline=None))


@pytest.mark.long
def test_only_what_was_approved_and_is_unaltered_is_served_in_two_thousand_histories() -> None:
    run_state_machine_as_test(Machine, settings=settings(max_examples=2000, stateful_step_count=50, deadline=None))
