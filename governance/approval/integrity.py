"""Revisions as values, and the checks that stand between a stored row and one of them.

A row becomes a `Revision` only if (1) the stored content hashes to its digest, (2) every other column fits the seal,
and (3) the last audit row about the revision says the same seal and state and is itself intact. So a change
behind our back in any column, or an approval that no audit row knows, is refused by `open_row`.
Content is stored as the canonical bytes that its digest is over (RFC 8785): checking it is one SHA-256, no parsing.
Here never lives SQL.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, cast

import orjson

from governance.audit.log import REVISIONS, AuditRow
from governance.errors import TamperedError
from governance.storage.identifiers import Json, from_text
from governance.transitions import State
from workflow.errors import CanonicalError
from workflow.json.canonical import canonical_bytes, digest_of_row
from workflow.revision import RevisionContent

RESTORE = "do not use it: compare with a backup, or compile the workflow again to get a new revision"

EVENTS: Mapping[State, str] = MappingProxyType(
    {
        "pending": "revision.submitted",
        "approved": "revision.approved",
        "superseded": "revision.superseded",
        "rejected": "revision.rejected",
        "retired": "revision.retired",
    }
)
"""The action of the audit row that a revision in this state was brought there by."""
VOTED = "revision.voted"
"""The action of an approval that was not the last one needed: the revision is pending as before."""

SEALED = (
    "id", "api", "workflow_id", "number", "digest", "state", "intent", "risk", "resource", "is_core", "rank",
    "created_at", "created_by", "decided_at", "decided_by", "reason",
)  # fmt: skip
LATER: Mapping[str, Json] = MappingProxyType({"votes": "[]", "expires_at": None})
"""Columns that came with later versions, and what says nothing in them: sealed where they say something, so that what
was sealed before them still fits."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One version of one workflow. `content` was checked against `digest` when this was read.

    `number` counts the revisions of a workflow from 1. `decided_…` and `reason` tell of the last decision, if any;
    moments are UTC text. `proof` is what the compiler stored to show that it works. `votes`: who has approved it, in
    order. `expires_at`: until when a pending one may be decided, or an approved one is valid.
    """

    id: str
    api: str
    workflow_id: str
    number: int
    digest: str
    state: State
    content: RevisionContent
    intent: str
    risk: str
    resource: str
    is_core: bool
    rank: float
    proof_text: str
    created_at: str
    created_by: str
    decided_at: str | None
    decided_by: str | None
    reason: str | None
    votes: tuple[str, ...] = ()
    expires_at: str | None = None
    content_bytes: bytes = field(default=b"", repr=False)
    """`content` as its digest is over."""

    @property
    def proof(self) -> Json:
        """Read anew each time: a server holds hundreds of revisions, and their proofs are rarely asked for."""
        return from_text(self.proof_text)

    def summary(self) -> dict[str, Json]:
        """Everything but the content and the proof."""
        return {**{name: getattr(self, name) for name in (*SEALED, "expires_at")}, "votes": list(self.votes)}

    def is_valid(self, now: str) -> bool:
        """Whether its state still holds at `now`: what was approved or submitted for a time is not for ever."""
        return self.expires_at is None or now < self.expires_at

    def to_json(self) -> dict[str, Json]:
        return {**self.summary(), "content": self.content.to_json(), "proof": self.proof}


@dataclass(frozen=True, slots=True)
class RevisionFault:
    """A stored revision that was refused, and why."""

    revision_id: str
    workflow_id: str
    message: str

    def to_json(self) -> dict[str, Json]:
        return {"revision_id": self.revision_id, "workflow_id": self.workflow_id, "message": self.message}


def content_text(content: RevisionContent) -> tuple[str, str]:
    """The text to store, and its digest. Raises CanonicalError for values that are not JSON."""
    data = canonical_bytes(content.to_json())
    return data.decode(), "sha256:" + hashlib.sha256(data).hexdigest()


def seal_of(values: Mapping[str, Any]) -> str:
    """The seal of a revision's columns; of the proof its hash is sealed, of the content its digest."""
    sealed = {name: values[name] for name in SEALED}
    sealed |= {name: values[name] for name, nothing in LATER.items() if values.get(name, nothing) != nothing}
    return digest_of_row({**sealed, "proof": hashlib.sha256(values["proof"].encode()).hexdigest()})


def open_row(values: Mapping[str, Any], witness: AuditRow | None) -> Revision:
    """The revision that the row says. Raises TamperedError where row, seal and audit do not agree.

    `values` are the row's columns; `witness` is the last audit row about it, or None if absent or not intact.
    """
    check_row(values, witness)
    return revision_of(values, values["content"].encode())


def revision_of(values: Mapping[str, Any], told: bytes) -> Revision:
    """The revision that a row says which was checked; `told`: the bytes of its content."""
    content = RevisionContent.from_json(orjson.loads(told))
    columns = {name: values[name] for name in (*SEALED, "expires_at")}
    votes = tuple(from_text(values["votes"]))
    return Revision(content=content, proof_text=values["proof"], votes=votes, content_bytes=told, **columns)


def check_row(values: Mapping[str, Any], witness: AuditRow | None) -> None:
    """Raises TamperedError where row, seal and audit do not agree."""
    fault = find_fault(values, witness)
    if fault:
        raise TamperedError(f"revision {values['id']} of {values['workflow_id']}: {fault}", RESTORE)


def find_fault(values: Mapping[str, Any], witness: AuditRow | None) -> str:
    """What is wrong with a stored revision, or ""."""
    if "sha256:" + hashlib.sha256(values["content"].encode()).hexdigest() != values["digest"]:
        return "its content does not have the digest that it is stored with"
    try:
        is_sealed = seal_of(values) == values["seal"]
    except CanonicalError:
        is_sealed = False
    if not is_sealed:
        return "a column was changed after the last decision"
    if witness is None:
        return "the audit row of its last decision is missing or was changed"
    if not _tells(witness, values):
        return f"the audit does not know that it is {values['state']}"
    return ""


def _tells(witness: AuditRow, values: Mapping[str, Any]) -> bool:
    events = {EVENTS[cast(State, values["state"])]} | ({VOTED} if values["state"] == "pending" else set())
    if witness.action not in events or witness.subject != f"{REVISIONS}{values['id']}":
        return False
    return bool(witness.detail.get("seal") == values["seal"])
