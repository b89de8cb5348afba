"""Who answers: a recording first, then a model where one is asked, else nobody.

Here live the order of these three, the keeping of every answer as it comes, and the reasons for asking no more. Here
never lives a connection (`live`) nor a verdict (`compiler.proposals`): answers are handed on as they came.
A model never stops a compile: what it could not do is a finding. Called from synchronous code.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from math import inf
from pathlib import Path
from typing import Protocol, Self
from urllib.parse import urlsplit

from compiler.errors import ProposerError
from compiler.ir.model import Diagnostic, Severity
from compiler.proposer.prompts import digest_of
from compiler.proposer.question import ModelAnswer, Question, QuestionKind, without_information
from compiler.proposer.record import NOT_JUDGED, Record, RecordedAnswer, read_record, stale
from compiler.stages import Progress, silent

DEFAULT_DEADLINE_S = 600.0  # for all questions of one compile together
OLLAMA_URL = "http://127.0.0.1:11434"
OPENAI_URL = "http://127.0.0.1:8000/v1"
_LOOKS_AFTER = 8  # answers of a batch, after which it is looked at whether more of them would tell anything


@dataclass(frozen=True, slots=True)
class ProposerOptions:
    """Whom to ask: `none`, `ollama:MODEL`, `openai:MODEL` or `recorded:FILE`; `lock` is read where it is there.

    `deadline_s`: for all questions together. `renews`: answers of another model than this one are asked for again.
    `keeps`: whether the lock is written. `may_leave`: whether questions may go beyond this machine.
    """

    chosen: str = "none"
    lock: Path | None = None
    ollama_url: str = OLLAMA_URL
    openai_url: str = OPENAI_URL
    deadline_s: float = DEFAULT_DEADLINE_S
    renews: bool = False
    keeps: bool = True
    may_leave: bool = False


class LanguageModel(Protocol):
    """A model that is there to be asked. `is_over`: there is no use in asking it more. `told`: what went wrong."""

    is_over: bool
    told: list[Diagnostic]
    name: str

    def identity(self) -> str: ...
    def answer(self, question: Question) -> tuple[str, str] | None: ...
    def left_s(self) -> float: ...
    def spent_s(self) -> float: ...
    def close(self) -> None: ...


@dataclass(slots=True)
class Asker:
    """Answers to questions, from the record or from the model. `given`: all answers that were handed on.

    `is_idle`: neither is there, so that nothing has to be asked at all.
    """

    record: Record | None = None
    model: LanguageModel | None = None
    keep: Callable[[Record], None] | None = None
    renews: bool = False
    progress: Progress = silent
    spec: str = ""
    source: str = ""
    sentences: tuple[str, ...] = ()
    given: list[ModelAnswer] = field(default_factory=list)
    _known: dict[tuple[QuestionKind, str], ModelAnswer] = field(default_factory=dict)
    _count: int = 0

    def __post_init__(self) -> None:
        self._known = {(e.answer.kind, e.answer.subject): e.answer for e in self.record.entries} if self.record else {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.model is not None:
            self.model.close()

    @property
    def is_idle(self) -> bool:
        return self.record is None and self.model is None

    @property
    def is_live(self) -> bool:
        """Whether a model can still be asked."""
        return self.model is not None and not self.model.is_over

    @property
    def asked_now(self) -> int:
        """How many answers came from the model, and not from the record."""
        return self._count

    def has(self, question: Question) -> bool:
        """Whether the record has an answer to just this question."""
        return self._recorded(question, digest_of(question)) is not None

    def diagnostics(self, now: Record) -> tuple[Diagnostic, ...]:
        """What the model could not do, whose recorded answers are another model's, and which fit no longer.

        `now`: what came of all that was asked."""
        old = stale(self.record, now, self.source) if self.record is not None else ()
        return (*(self.model.told if self.model else ()), *self._of_others(), *old)

    def ask(self, questions: Sequence[Question], share: float = 1.0) -> list[ModelAnswer]:
        """Answers to some or all, in the order of the questions, which is that of their worth.

        Asks no further where answers of a kind tell nothing, nor once they took `share` of the time that was left: the
        first questions of the next kind are worth more than the last ones of this.
        """
        found: list[ModelAnswer] = []
        until = self.model.left_s() * (1 - share) if self.model is not None and share < 1 else -inf
        for number, question in enumerate(questions):
            answer = self._answer(question, number, len(questions), until)
            if answer is not None:
                found.append(answer)
            closed = [one for one in found if one.options]
            if len(closed) >= _LOOKS_AFTER and without_information(closed):
                break
        return found

    def _answer(self, question: Question, number: int, total: int, until: float) -> ModelAnswer | None:
        """`until`: seconds that have to be left of the deadline for a model to be asked."""
        asked = digest_of(question)
        answer = self._recorded(question, asked)
        if answer is None and self.model is not None and self.is_live and self.model.left_s() >= until:
            self.progress(self._stage(question, total - number), number, total)
            answer = self._live(self.model, question, asked)
        if answer is not None:
            self.given.append(answer)
        return answer

    def _recorded(self, question: Question, asked: str) -> ModelAnswer | None:
        known = self._known.get((question.kind, question.subject))
        if known is None or known.asked != asked or known.options != question.options:
            return None
        is_foreign = self.renews and self.model is not None and known.model != self.model.identity()
        return None if is_foreign else known

    def _live(self, model: LanguageModel, question: Question, asked: str) -> ModelAnswer | None:
        said = model.answer(question)
        if said is None:
            return None
        self._count += 1
        answer = ModelAnswer(question.kind, question.subject, question.options, said, asked, model.identity())
        if self.keep is not None:
            self.keep(self._so_far(answer))
        return answer

    def _so_far(self, answer: ModelAnswer) -> Record:
        """All that was recorded before and since, so that a compile that is interrupted goes on from here."""
        known = {**self._known, **{(a.kind, a.subject): a for a in (*self.given, answer)}}
        return Record(self.spec, tuple(RecordedAnswer(a, NOT_JUDGED) for a in known.values()), self.sentences)

    def _stage(self, question: Question, left: int) -> str:
        """What is asked, and about how long the rest of its kind takes, once that is known."""
        assert self.model is not None
        each = self.model.spent_s() / self._count if self._count else 0.0
        about, ends = left * each, self.model.left_s()
        pace = f", {each:.0f} s each, about {about / 60:.0f} min left" if each else ""
        late = f", {ends / 60:.0f} min until the deadline" if about > ends else ""
        return f"ask {question.kind.value} {question.subject[:40]}{pace}{late}"

    def _of_others(self) -> Iterator[Diagnostic]:
        """A finding where recorded answers are of another model than the one that is chosen."""
        if self.model is None or self.renews:
            return
        others = {one.model for one in self.given if one.model.partition("@")[0] != self.model.name}
        others |= {one.model for one in self.given if self._count and one.model != self.model.identity()}
        if others:
            said = f"recorded answers are of {', '.join(sorted(others))}, and were taken as they are"
            remedy = "compile with --model-renew to ask this model instead"
            yield Diagnostic("proposals-of-another", Severity.NOTE, self.model.name, said, remedy)


def open_asker(asking: ProposerOptions, spec: str, progress: Progress = silent) -> Asker:
    """What `--proposer`, `--lock` and the settings mean together.

    Raises ProposerError for another word and for an address that is none or beyond this machine, LockError for a
    malformed file, OSError for one that can't be read.
    """
    kind, _, rest = asking.chosen.partition(":")
    is_recording = kind == "recorded" and bool(rest)
    lock = Path(rest) if is_recording else asking.lock
    record = read_record(lock) if lock is not None and (is_recording or lock.exists()) else None
    model = _model(kind, rest, asking)
    keeps = asking.keeps and model is not None and asking.lock is not None
    keep = partial(_write, asking.lock) if keeps and asking.lock is not None else None
    sentences = record.sentences if record else ()
    return Asker(record, model, keep, asking.renews, progress, spec, str(lock or ""), sentences)


def _write(lock: Path, told: Record) -> None:
    told.write(lock)


def _model(kind: str, name: str, asking: ProposerOptions) -> LanguageModel | None:
    """The model that is to be asked, None where none is."""
    if (kind == "none" and not name) or (kind == "recorded" and name):
        return None
    if kind not in ("ollama", "openai"):
        said = ":".join(filter(None, (kind, name)))
        known = "none, ollama:MODEL, openai:MODEL or recorded:FILE"
        raise ProposerError(f"there is no proposer {said!r}", remedy=known)
    if not name:
        raise ProposerError("the model has no name", remedy=f"give it as --proposer {kind}:MODEL")
    url = asking.ollama_url if kind == "ollama" else asking.openai_url
    check_address(url, may_leave=asking.may_leave)
    # Here and not above: instructor and ollama take longer to import than most compiles take.
    from compiler.proposer.live import LiveModel

    return LiveModel(kind, name, url, asking.deadline_s)


def check_address(url: str, *, may_leave: bool) -> None:
    """Raises ProposerError for an address that is none, and for one beyond this machine unless it `may_leave`."""
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise ProposerError(f"{url!r} is no address of a model's server", remedy=f"give one like {OLLAMA_URL}")
    if not may_leave and not _is_here(parts.hostname or ""):
        said = f"{parts.hostname} may be another machine, and questions tell of the API"
        raise ProposerError(said, remedy="SWITCHGEAR_MODEL_MAY_LEAVE=1 allows it, or take a server on this machine")


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
