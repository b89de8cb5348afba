"""Whatever people decide and whoever edits the database: only what was approved, unaltered, is ever served.

The oracle is independent of the store: it remembers which content somebody approved, which revisions were taken out
of use, and which rows were edited behind our back. After every step the approved set must be exactly what it says.
"""

import asyncio
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from governance import schema
from governance.audit import AuditLog
from governance.database import open_database
from governance.errors import GovernanceError, RefusedError, TamperedError
from governance.revisions import RevisionStore
from governance.transitions import ROLES
from workflow.revision import RevisionContent

WORKFLOWS = st.sampled_from(["start_vm", "stop_vm"])
TEXTS = st.sampled_from(["one", "two", "three"])
PAST = {"approve": "approved", "reject": "rejected", "retire": "retired"}
EDITS: dict[str, Any] = {
    "content": "{}", "digest": "sha256:x", "state": "approved", "risk": "read", "proof": "[]", "rank": 9.0,
    "is_core": 0, "decided_by": "mallory", "reason": "x", "seal": "sha256:y", "intent": "find", "resource": "x",
}  # fmt: skip
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


def _sql(path: Path, statement: str, values: tuple[Any, ...] = ()) -> list[Any]:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


class Machine(RuleBasedStateMachine):
    revisions = Bundle("revisions")
    snapshots = Bundle("snapshots")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="switchgear-machine-"))
        self.path = _new_file(self.folder)
        self.loop = asyncio.Runner()
        self.database = self.loop.run(self._opened())
        self.store = RevisionStore(self.database)
        self.in_use: dict[str, tuple[str, str]] = {}  # workflow → id and text that somebody approved
        self.edited: set[str] = set()

    async def _opened(self) -> Any:
        return await open_database(f"sqlite:///{self.path}")

    def teardown(self) -> None:
        verdict = self.loop.run(AuditLog(self.database).verify())
        self.loop.run(self.database.close())
        self.loop.close()
        shutil.rmtree(self.folder)
        assert verdict.ok

    @rule(target=revisions, workflow=WORKFLOWS, text=TEXTS)
    def submit(self, workflow: str, text: str) -> Any:
        facts = {"intent": "act", "risk": "disrupt", "resource": "VM", "is_core": True, "rank": 0.5, "proof": {}}
        content = RevisionContent({"text": text}, {"name": workflow}, {}, None)
        made = self.loop.run(self.store.submit("api", workflow, content, actor="ci", **facts))
        assert made.revision.content.document == {"text": text}
        return made.revision if made.is_new else multiple()

    @rule(
        revision=revisions,
        action=st.sampled_from(["approve", "approve", "reject", "retire"]),
        role=st.sampled_from([*ROLES, "approver", "admin", "admin"]),
        reason=st.sampled_from(["", "because", "because"]),
        is_right=st.sampled_from([True, True, True, False]),
    )
    def decide(self, revision: Any, action: Any, role: Any, reason: str, is_right: bool) -> None:
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
        if action == "approve":
            self.in_use[revision.workflow_id] = (revision.id, revision.content.document["text"])
        elif action == "retire":
            assert self.in_use.pop(revision.workflow_id)[0] == revision.id

    @rule(revision=revisions, column=st.sampled_from(sorted(EDITS)))
    def edit(self, revision: Any, column: str) -> None:
        before = self._row(revision.id)
        try:
            _sql(self.path, f"UPDATE revisions SET {column} = ? WHERE id = ?", (EDITS[column], revision.id))
        except sqlite3.IntegrityError:  # a second approved one: refused by the index
            return
        if self._row(revision.id) != before:
            self.edited.add(revision.id)

    @rule(target=snapshots, revision=revisions)
    def keep(self, revision: Any) -> Any:
        return self._row(revision.id)

    @rule(row=consumes(snapshots))
    def put_back(self, row: Any) -> None:
        """Somebody restores a row as it was at an earlier time."""
        now = self._row(row["id"])
        names = [name for name in row if name != "id" and row[name] != now[name]]
        if not names:
            return
        sets = ", ".join(f"{name} = ?" for name in names)
        values = tuple(row[name] for name in names)
        try:
            _sql(self.path, f"UPDATE revisions SET {sets} WHERE id = ?", (*values, row["id"]))
        except sqlite3.IntegrityError:
            return
        self.edited.add(row["id"])

    @rule()
    def reload(self) -> None:
        """Another process looks: nothing may depend on what this one remembers."""
        self.store = RevisionStore(self.database)

    @invariant()
    def what_is_served_was_approved_and_is_unaltered(self) -> None:
        served = {
            one.workflow_id: (one.id, one.content.document["text"]) for one in self.loop.run(self.store.approved())
        }
        assert served.items() <= self.in_use.items()
        missing = {known[0] for workflow, known in self.in_use.items() if workflow not in served}
        assert missing <= self.edited

    @rule(revision=revisions)
    def run(self, revision: Any) -> None:
        """A run is confirmed only for what is in use at this moment."""
        try:
            confirmed = self.loop.run(self.store.confirm(revision.id, revision.digest))
        except GovernanceError:
            is_in_use = self.in_use.get(revision.workflow_id, ("",))[0] == revision.id
            assert not is_in_use or revision.id in self.edited
            return
        assert self.in_use[confirmed.workflow_id] == (confirmed.id, confirmed.content.document["text"])

    def _row(self, revision_id: str) -> dict[str, Any]:
        names = [column[1] for column in _sql(self.path, "PRAGMA table_info(revisions)")]
        (values,) = _sql(self.path, "SELECT * FROM revisions WHERE id = ?", (revision_id,))
        return dict(zip(names, values, strict=True))


def test_only_what_was_approved_and_is_unaltered_is_served() -> None:
    run_state_machine_as_test(Machine, settings=settings(max_examples=25, stateful_step_count=30, deadline=None))


@pytest.mark.long
def test_only_what_was_approved_and_is_unaltered_is_served_in_two_thousand_histories() -> None:
    run_state_machine_as_test(Machine, settings=settings(max_examples=2000, stateful_step_count=50, deadline=None))
