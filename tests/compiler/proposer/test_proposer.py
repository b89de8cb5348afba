"""Which proposer `--proposer` and `--lock` mean, and how a recording answers."""

import subprocess
import sys
from pathlib import Path

import pytest

from compiler.errors import LockError, ProposerError
from compiler.ir.model import Diagnostic, Severity
from compiler.proposer.ollama import OllamaProposer
from compiler.proposer.prompts import asked
from compiler.proposer.proposal import Entry, Item, Kind, Proposal, Question, Record, Reply
from compiler.proposer.proposer import NoProposer, RecordedProposer, open_proposer

SPEC = "sha256:" + "0" * 64
ITEMS = tuple(Item(f"/{name}", {"path": f"/{name}"}) for name in "abc")
QUESTION = Question(Kind.NOUNS, ITEMS)


def answer(item: Item, value: object = "disk") -> Proposal:
    return Proposal(Kind.NOUNS, item.subject, value, asked(Kind.NOUNS, item), SPEC, "tiny")


class Live:
    """Stands for a model: keeps what it is asked."""

    def __init__(self) -> None:
        self.asked: list[Question] = []

    def propose(self, question: Question) -> Reply:
        self.asked.append(question)
        finding = Diagnostic("proposer-answer", Severity.WARNING, "", "")
        return Reply(tuple(answer(item, "live") for item in question.items), (finding,))


def test_nobody_answers_nothing() -> None:
    assert NoProposer().propose(QUESTION) == Reply()


def test_a_recording_answers_what_it_knows_refused_answers_too() -> None:
    record = Record(SPEC, (Entry(answer(ITEMS[0])), Entry(answer(ITEMS[2], "!!"), "other characters")))
    reply = RecordedProposer(record).propose(QUESTION)
    assert [one.value for one in reply.proposals] == ["disk", "!!"]


def test_a_recording_is_silent_where_something_else_is_asked_now() -> None:
    record = Record(SPEC, tuple(Entry(answer(item)) for item in ITEMS))
    changed = Question(Kind.NOUNS, (ITEMS[0], Item("/b", {"path": "/b", "members": ["new"]})))
    assert [one.subject for one in RecordedProposer(record).propose(changed).proposals] == ["/a"]
    assert RecordedProposer(record).propose(Question(Kind.RANKS, ITEMS)).proposals == ()


def test_a_model_is_asked_only_for_what_the_recording_lacks() -> None:
    live = Live()
    reply = RecordedProposer(Record(SPEC, (Entry(answer(ITEMS[1])),)), live).propose(QUESTION)
    assert live.asked == [Question(Kind.NOUNS, (ITEMS[0], ITEMS[2]))]
    assert {one.subject: one.value for one in reply.proposals} == {"/b": "disk", "/a": "live", "/c": "live"}
    assert [one.code for one in reply.diagnostics] == ["proposer-answer"]


def test_a_full_recording_leaves_the_model_alone() -> None:
    live = Live()
    RecordedProposer(Record(SPEC, tuple(Entry(answer(item)) for item in ITEMS)), live).propose(QUESTION)
    assert live.asked == []


def lock(folder: Path) -> Path:
    path = folder / "lock.json"
    path.write_text(Record(SPEC, (Entry(answer(ITEMS[0])),)).to_text())
    return path


def test_the_words_of_the_option_choose_the_proposer(tmp_path: Path) -> None:
    file = lock(tmp_path)
    assert isinstance(open_proposer("none")[0], NoProposer)
    assert isinstance(open_proposer("ollama:qwen3:8b")[0], OllamaProposer)
    recorded, record = open_proposer(f"recorded:{file}")
    assert isinstance(recorded, RecordedProposer)
    assert record is not None
    assert len(recorded.propose(QUESTION).proposals) == 1


def test_a_lock_file_answers_first_whoever_is_chosen_and_may_not_be_there_yet(tmp_path: Path) -> None:
    assert isinstance(open_proposer("none", tmp_path / "new.json")[0], NoProposer)
    assert open_proposer("ollama:tiny", tmp_path / "new.json")[1] is None
    for chosen in ("none", "ollama:tiny"):
        proposer, record = open_proposer(chosen, lock(tmp_path))
        assert isinstance(proposer, RecordedProposer)
        assert record is not None


@pytest.mark.parametrize("chosen", ["", "ollama", "ollama:", "recorded:", "recorded", "openai:gpt", "none:x"])
def test_another_word_is_refused(chosen: str) -> None:
    with pytest.raises(ProposerError):
        open_proposer(chosen)


def test_a_broken_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(LockError):
        open_proposer(f"recorded:{tmp_path / 'bad.json'}")
    with pytest.raises(OSError, match="missing"):
        open_proposer(f"recorded:{tmp_path / 'missing.json'}")


def test_a_compile_without_a_model_does_not_load_one() -> None:
    models = "{'ollama', 'instructor', 'openai'}"
    code = f"import sys, compiler.passes.proposals, compiler.proposer; print({models} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert told.stdout.strip() == "set()"
