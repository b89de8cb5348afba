"""Proposers: whoever answers questions about an API. A model, a recording, nobody.

Here live the interface, the two proposers that ask no model, and the one that mixes. Here never lives a connection
(see `ollama`) nor a verdict (see `compiler.passes.proposals`): answers are handed on as they came.
A proposer never stops a compile: what it could not do is a finding in its reply. Called by the pipeline, from
synchronous code.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from compiler.errors import ProposerError
from compiler.proposer.prompts import asked
from compiler.proposer.proposal import Item, Kind, Proposal, Question, Record, Reply, read_record

DEFAULT_URL = "http://127.0.0.1:11434"
DEFAULT_TIMEOUT_S = 600.0  # for all questions of one compile together
DEFAULT_NUM_CTX = 8192
DEFAULT_SEED = 7


class Proposer(Protocol):
    def propose(self, question: Question) -> Reply:
        """Answers to some or all items of the question."""
        ...


class NoProposer:
    """Answers nothing: the compiler's own names, texts and ranks stand."""

    def propose(self, _question: Question) -> Reply:
        return Reply()


class RecordedProposer:
    """Answers from a record, refused answers included, where what was asked then is what is asked now.

    With `otherwise`, that one is asked about the items for which the record has nothing that fits.
    """

    def __init__(self, record: Record, otherwise: Proposer | None = None) -> None:
        self._otherwise = otherwise
        self._known: Mapping[tuple[Kind, str], Proposal] = {
            (e.proposal.kind, e.proposal.subject): e.proposal for e in record.entries
        }

    def propose(self, question: Question) -> Reply:
        found: list[Proposal] = []
        missing: list[Item] = []
        for item in question.items:
            known = self._known.get((question.kind, item.subject))
            if known is not None and known.asked == asked(question.kind, item):
                found.append(known)
            else:
                missing.append(item)
        if self._otherwise is None or not missing:
            return Reply(tuple(found))
        reply = self._otherwise.propose(Question(question.kind, tuple(missing)))
        return Reply((*found, *reply.proposals), reply.diagnostics)


def open_proposer(
    chosen: str, lock: Path | None = None, url: str = DEFAULT_URL, timeout_s: float = DEFAULT_TIMEOUT_S
) -> tuple[Proposer, Record | None]:
    """The proposer that `--proposer none|ollama:MODEL|recorded:FILE` and `--lock F` mean, and the record it reads.

    A lock file that is there answers first; a model is asked only about what is new.
    Raises ProposerError for another word, LockError for a malformed file, OSError for one that can't be read.
    """
    kind, _, rest = chosen.partition(":")
    asked_first = Path(rest) if kind == "recorded" and rest else lock if lock is not None and lock.exists() else None
    record = read_record(asked_first) if asked_first is not None else None
    live = _live(kind, rest, url, timeout_s)
    if record is None:
        return live or NoProposer(), None
    return RecordedProposer(record, live), record


def _live(kind: str, rest: str, url: str, timeout_s: float) -> Proposer | None:
    """The proposer that asks a model, None where none is asked."""
    if kind == "ollama" and rest:
        # Here and not above: instructor and ollama take longer to import than most compiles take.
        from compiler.proposer.ollama import OllamaProposer

        return OllamaProposer(rest, url, timeout_s)
    if (kind == "none" and not rest) or (kind == "recorded" and rest):
        return None
    raise ProposerError(
        f"there is no proposer {':'.join(filter(None, (kind, rest)))!r}", remedy="none, ollama:MODEL or recorded:FILE"
    )
