"""What is asked of a model, what it answers, what was made of it, and the lock file that keeps all three.

Here live the frozen values and the lock file's form. Here never lives a judgement (see `compiler.passes.proposals`)
and never a question to a model (see `proposer`, `ollama`).
The lock file (`--lock F`) is sorted, indented, pure ASCII JSON, so that it reads well in a review and what is
invisible in a hostile answer shows as an escape. It holds refused answers too: replaying it gives the same verdicts
and so the same bytes, with no model. An entry counts for as long as `asked` fits: the digest of the instructions and
of what the model was told of this one subject. `prompt` is the digest of the whole prompt it stood in, with others.
DESIGN.md, "The model proposes, the compiler judges".
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from compiler.errors import LockError
from compiler.ir.model import Diagnostic, Severity

FORMAT = "switchgear-proposals/1"
MAX_LOCK_BYTES = 32 * 1024 * 1024  # a thousand entries with full texts are under 1 MB
MAX_TEXT = 1000  # characters of one answer that are kept; 60 words need under 500
_NAMED = 3  # subjects that a finding lists; the file has them all


class Kind(StrEnum):
    """What a question is about. The subjects: addresses of resources for nouns, ids of flows for the others."""

    NOUNS = "nouns"
    TEXTS = "texts"
    RANKS = "ranks"


@dataclass(frozen=True, slots=True)
class Item:
    """One subject of a question, with the facts that the model is told of it."""

    subject: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    kind: Kind
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """One answer, as it came. `value`: a noun's text, `{"title","description"}`, or a rank; of any type if hostile."""

    kind: Kind
    subject: str
    value: Any
    asked: str
    prompt: str
    model: str


@dataclass(frozen=True, slots=True)
class Reply:
    """All that came of one question. What could not be had is a finding, never an error."""

    proposals: tuple[Proposal, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A proposal with its verdict; `reason` says in words why it was refused, "" when it was accepted."""

    proposal: Proposal
    reason: str = ""

    @property
    def is_accepted(self) -> bool:
        return not self.reason


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that was proposed for one description. `spec`: its digest; entries are unique by kind and subject."""

    spec: str
    entries: tuple[Entry, ...] = field(default=())

    def to_text(self) -> str:
        """The lock file's bytes, the same for the same entries in whatever order they came."""
        lists = {
            kind.value: [_entry_json(e) for e in _sorted(self.entries) if e.proposal.kind is kind] for kind in Kind
        }
        data = {"format": FORMAT, "spec": self.spec, **lists}
        return json.dumps(data, indent=2, sort_keys=True, ensure_ascii=True) + "\n"


def _sorted(entries: Sequence[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda e: (e.proposal.kind, e.proposal.subject))


def _entry_json(entry: Entry) -> dict[str, Any]:
    one = entry.proposal
    verdict = {"accepted": entry.is_accepted, "reason": entry.reason}
    told = {"asked": one.asked, "prompt": one.prompt, "model": one.model}
    return {"subject": one.subject, "value": one.value, **told, **verdict}


# The lock file's form, where data from outside comes in.
_Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
_Text = Annotated[str, StringConstraints(max_length=MAX_TEXT)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class _TextsValue(_Part):
    title: _Text
    description: _Text


class _EntryForm(_Part):
    subject: _Text
    asked: _Digest
    prompt: _Digest
    model: _Text
    accepted: bool
    reason: _Text


class _Noun(_EntryForm):
    value: _Text


class _Texts(_EntryForm):
    value: _TextsValue


class _Rank(_EntryForm):
    value: float


class _Lock(_Part):
    format: Literal["switchgear-proposals/1"]
    spec: _Digest
    nouns: list[_Noun]
    texts: list[_Texts]
    ranks: list[_Rank]


def parse_record(text: str, source: str) -> Record:
    """The record that a lock file's `text` holds. Raises LockError with the pointer of the first fault."""
    try:
        lock = _Lock.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise LockError(first["msg"], source, "".join(f"/{part}" for part in first["loc"])) from None
    entries = []
    for kind, forms in ((Kind.NOUNS, lock.nouns), (Kind.TEXTS, lock.texts), (Kind.RANKS, lock.ranks)):
        seen: set[str] = set()
        for number, form in enumerate(forms):
            if form.subject in seen:
                raise LockError(f"a second entry for {form.subject!r}", source, f"/{kind.value}/{number}/subject")
            seen.add(form.subject)
            entries.append(_entry_of(kind, form))
    return Record(lock.spec, tuple(entries))


def _entry_of(kind: Kind, form: Any) -> Entry:
    value = form.value.model_dump() if isinstance(form, _Texts) else form.value
    proposal = Proposal(kind, form.subject, value, form.asked, form.prompt, form.model)
    return Entry(proposal, "" if form.accepted else form.reason or "refused")


def read_record(path: Path) -> Record:
    """The lock file at `path`. Raises LockError when it is no lock file, OSError when it can't be read."""
    if path.stat().st_size > MAX_LOCK_BYTES:
        raise LockError(f"larger than {MAX_LOCK_BYTES} bytes", str(path))
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise LockError(f"not UTF-8: {error.reason} at byte {error.start}", str(path)) from None
    return parse_record(text, str(path))


def stale(recorded: Record, now: Record, source: str) -> tuple[Diagnostic, ...]:
    """What of a lock file was of no use for this description: one finding with the count and some names."""
    used = {(e.proposal.kind, e.proposal.subject, e.proposal.asked) for e in now.entries}
    old = [e.proposal for e in _sorted(recorded.entries)]
    unused = [p for p in old if (p.kind, p.subject, p.asked) not in used]
    if not unused:
        return ()
    names = ", ".join(f"{p.kind.value}: {p.subject}" for p in unused[:_NAMED])
    more = f" and {len(unused) - _NAMED} more" if len(unused) > _NAMED else ""
    other = "" if recorded.spec == now.spec else ", which is for another version of the description"
    message = f"{len(unused)} of {len(old)} recorded proposals fit no longer and were left aside ({names}{more}){other}"
    return (
        Diagnostic(
            "proposals-stale", Severity.WARNING, source, message, "compile with a model and --lock to record anew"
        ),
    )
