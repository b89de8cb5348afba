"""The lock file (`--lock F`): what was asked, what a model said, what was made of it.

It is sorted, indented, pure ASCII JSON, so that it reads well in a review and what is invisible in a hostile answer
shows as an escape. It holds refused answers too: replaying it gives the same verdicts and so the same bytes, with no
model. An entry counts for as long as `asked` fits. It is written anew after every answer, so that an interrupt or a
server that dies loses one. `sentences`: what operators asked for with `--ask`, planned again at every compile.
Here never lives a judgement (`compiler.proposals`).
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from compiler.errors import LockError
from compiler.ir.model import Diagnostic, Severity
from compiler.proposer.question import ModelAnswer, QuestionKind

FORMAT = "switchgear-proposals/2"
MAX_LOCK_BYTES = 32 * 1024 * 1024  # a thousand answers are under 1 MB
NOT_JUDGED = "not judged yet"
_MOST_TEXT = 1000
_NAMED = 3  # subjects that a finding lists; the file has them all


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """An answer with its verdict; `reason` says in words why it was refused, "" when it was accepted."""

    answer: ModelAnswer
    reason: str = ""

    @property
    def is_accepted(self) -> bool:
        return not self.reason


@dataclass(frozen=True, slots=True)
class Record:
    """All that was said about one description. `spec`: its digest; entries are unique by kind and subject."""

    spec: str
    entries: tuple[RecordedAnswer, ...] = ()
    sentences: tuple[str, ...] = ()

    def to_text(self) -> str:
        """The lock file's bytes, the same for the same entries in whatever order they came."""
        data = {"format": FORMAT, "spec": self.spec, "sentences": sorted(self.sentences)}
        return json.dumps({**data, "answers": [_entry_json(e) for e in _sorted(self.entries)]}, indent=2) + "\n"

    def write(self, path: Path) -> None:
        """Beside its place first, then into it in one move: whoever is interrupted leaves a whole file."""
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        beside.write_text(self.to_text(), encoding="utf-8")
        beside.replace(path)


def _sorted(entries: Sequence[RecordedAnswer]) -> list[RecordedAnswer]:
    return sorted(entries, key=lambda e: (e.answer.kind, e.answer.subject))


def _entry_json(entry: RecordedAnswer) -> dict[str, Any]:
    one = entry.answer
    told = {"kind": one.kind.value, "subject": one.subject, "options": list(one.options), "said": list(one.said)}
    return {**told, "asked": one.asked, "model": one.model, "accepted": entry.is_accepted, "reason": entry.reason}


# The lock file's form, where data from outside comes in.
_Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
_Text = Annotated[str, StringConstraints(max_length=_MOST_TEXT)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _AnswerForm(_Part):
    kind: QuestionKind
    subject: _Text
    options: tuple[_Text, ...]
    said: tuple[_Text, _Text]
    asked: _Digest
    model: _Text
    accepted: bool
    reason: _Text


class _Lock(_Part):
    format: Literal["switchgear-proposals/2"]
    spec: _Digest
    sentences: tuple[_Text, ...]
    answers: tuple[_AnswerForm, ...]


def parse_record(text: str, source: str) -> Record:
    """The record that a lock file's `text` holds. Raises LockError with the pointer of the first fault."""
    try:
        lock = _Lock.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise LockError(first["msg"], source, "".join(f"/{part}" for part in first["loc"])) from None
    seen: set[tuple[QuestionKind, str]] = set()
    for number, one in enumerate(lock.answers):
        if (one.kind, one.subject) in seen:
            raise LockError(f"a second answer about {one.subject!r}", source, f"/answers/{number}/subject")
        seen.add((one.kind, one.subject))
    return Record(lock.spec, tuple(_entry_of(one) for one in lock.answers), lock.sentences)


def _entry_of(one: _AnswerForm) -> RecordedAnswer:
    answer = ModelAnswer(one.kind, one.subject, one.options, one.said, one.asked, one.model)
    return RecordedAnswer(answer, "" if one.accepted else one.reason or "refused")


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
    used = {(e.answer.kind, e.answer.subject, e.answer.asked) for e in now.entries}
    # What a sentence was taken for is asked again with the sentence alone.
    old = [e.answer for e in _sorted(recorded.entries) if e.answer.kind is not QuestionKind.PIECE]
    unused = [a for a in old if (a.kind, a.subject, a.asked) not in used]
    if not unused:
        return ()
    names = ", ".join(f"{a.kind.value}: {a.subject}" for a in unused[:_NAMED])
    more = f" and {len(unused) - _NAMED} more" if len(unused) > _NAMED else ""
    other = "" if recorded.spec == now.spec else ", which is for another version of the description"
    message = f"{len(unused)} of {len(old)} recorded answers fit no longer and were left aside ({names}{more}){other}"
    remedy = "compile with a model and --lock to record anew"
    return (Diagnostic("proposals-stale", Severity.WARNING, source, message, remedy),)
