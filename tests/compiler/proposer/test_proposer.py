"""Whom `--proposer` and `--lock` mean, how a recording answers, and that every answer is kept as it comes."""

import subprocess
import sys
from pathlib import Path

import pytest

from compiler.errors import LockError, ProposerError
from compiler.ir.model import Diagnostic
from compiler.proposer.prompts import digest_of
from compiler.proposer.proposer import Asker, ProposerOptions, open_asker
from compiler.proposer.question import ModelAnswer, Question, QuestionKind
from compiler.proposer.record import NOT_JUDGED, Record, RecordedAnswer, read_record

SPEC = "sha256:" + "0" * 64
QUESTIONS = [Question(QuestionKind.NOUN, f"/{name}", {"path": f"/{name}"}, ("disk", "drive")) for name in "abc"]


def answer(question: Question, said: str = "disk", model: str = "tiny@1") -> ModelAnswer:
    return ModelAnswer(question.kind, question.subject, question.options, (said, said), digest_of(question), model)


def record(*answers: ModelAnswer) -> Record:
    return Record(SPEC, tuple(RecordedAnswer(one) for one in answers))


class Live:
    """Stands for a model: keeps what it is asked. `dies_after`: so many answers it gives, then none."""

    def __init__(self, dies_after: int = 99, says: str = "drive") -> None:
        self.name, self.is_over, self.told = "tiny", False, list[Diagnostic]()
        self.asked: list[Question] = []
        self.dies_after, self.says = dies_after, says

    def identity(self) -> str:
        return "tiny@2"

    def answer(self, question: Question) -> tuple[str, str] | None:
        if len(self.asked) == self.dies_after:
            self.is_over = True
            return None
        self.asked.append(question)
        return self.says, self.says

    def left_s(self) -> float:
        return 100.0

    def spent_s(self) -> float:
        return 2.0 * len(self.asked)

    def close(self) -> None:
        pass


def test_nobody_answers_nothing_and_is_idle() -> None:
    with open_asker(ProposerOptions(), SPEC) as asker:
        assert asker.is_idle
        assert asker.ask(QUESTIONS) == []


def test_a_recording_answers_what_it_knows_in_the_order_of_the_questions() -> None:
    asker = Asker(record(answer(QUESTIONS[2]), answer(QUESTIONS[0])))
    assert [one.subject for one in asker.ask(QUESTIONS)] == ["/a", "/c"]


def test_a_recording_is_silent_where_something_else_is_asked_now() -> None:
    asker = Asker(record(*map(answer, QUESTIONS)))
    changed = Question(QuestionKind.NOUN, "/b", {"path": "/b", "members": ["new"]}, ("disk", "drive"))
    assert [one.subject for one in asker.ask([QUESTIONS[0], changed])] == ["/a"]


def test_a_model_is_asked_only_for_what_the_recording_lacks() -> None:
    live = Live()
    found = Asker(record(answer(QUESTIONS[1])), live).ask(QUESTIONS)
    assert live.asked == [QUESTIONS[0], QUESTIONS[2]]
    assert [one.agreed for one in found] == ["drive", "disk", "drive"]


def test_answers_of_another_model_are_taken_and_told_and_asked_for_again_only_if_told_so() -> None:
    live = Live()
    asker = Asker(record(answer(QUESTIONS[0])), live)
    assert [one.agreed for one in asker.ask(QUESTIONS[:2])] == ["disk", "drive"]
    (finding,) = asker.diagnostics(record(*asker.given))
    assert finding.code == "proposals-of-another"
    assert "tiny@1" in finding.message
    assert "--model-renew" in finding.remedy
    renewing = Asker(record(answer(QUESTIONS[0]), answer(QUESTIONS[1], model="tiny@2")), live, renews=True)
    assert [one.agreed for one in renewing.ask(QUESTIONS[:2])] == ["drive", "disk"]
    assert renewing.diagnostics(record(*renewing.given)) == ()


def test_each_answer_is_kept_as_it_comes_beside_what_was_there(tmp_path: Path) -> None:
    lock = tmp_path / "lock.json"
    kept: list[Record] = []
    asker = Asker(record(answer(QUESTIONS[2])), Live(dies_after=2), kept.append, spec=SPEC)
    asker.ask(QUESTIONS[:2])
    assert [len(one.entries) for one in kept] == [2, 3]
    assert {entry.reason for entry in kept[-1].entries} == {NOT_JUDGED}
    kept[-1].write(lock)
    again = Asker(read_record(lock), live := Live())
    assert [one.agreed for one in again.ask(QUESTIONS)] == ["drive", "drive", "disk"]
    assert live.asked == []


def test_a_model_that_dies_loses_one_answer_and_is_asked_no_more() -> None:
    live = Live(dies_after=1)
    asker = Asker(None, live)
    assert [one.subject for one in asker.ask(QUESTIONS)] == ["/a"]
    assert asker.ask(QUESTIONS) == []


def test_who_says_the_same_to_everything_is_not_asked_to_the_end() -> None:
    many = [Question(QuestionKind.TASK, str(n), {}, ("yes", "no")) for n in range(50)]
    asker = Asker(None, live := Live(says="yes"))
    assert len(asker.ask(many)) == 8
    assert len(live.asked) == 8


def test_it_is_told_what_is_asked_and_about_how_long_that_takes() -> None:
    told: list[tuple[str, int, int]] = []
    asker = Asker(None, Live(), progress=lambda *each: told.append(each))
    asker.ask(QUESTIONS)
    assert told == [
        ("ask noun /a", 0, 3),
        ("ask noun /b, 2 s each, about 0 min left", 1, 3),
        ("ask noun /c, 2 s each, about 0 min left", 2, 3),
    ]


def lock_in(folder: Path) -> Path:
    path = folder / "lock.json"
    record(answer(QUESTIONS[0])).write(path)
    return path


def test_a_lock_file_answers_first_whoever_is_chosen_and_may_not_be_there_yet(tmp_path: Path) -> None:
    for chosen in ("none", "ollama:tiny", "openai:tiny"):
        with open_asker(ProposerOptions(chosen, tmp_path / "new.json"), SPEC) as asker:
            assert asker.record is None
        with open_asker(ProposerOptions(chosen, lock_in(tmp_path)), SPEC) as asker:
            assert [one.subject for one in asker.ask(QUESTIONS[:1])] == ["/a"]
    with open_asker(ProposerOptions(f"recorded:{lock_in(tmp_path)}"), SPEC) as asker:
        assert [one.subject for one in asker.ask(QUESTIONS)] == ["/a"]


@pytest.mark.parametrize("chosen", ["", "ollama", "ollama:", "recorded:", "recorded", "openai:", "gpt:4", "none:x"])
def test_another_word_is_refused(chosen: str) -> None:
    with pytest.raises(ProposerError):
        open_asker(ProposerOptions(chosen), SPEC)


NO_ADDRESSES = ["", "localhost:11434", "http://", "http://host:notaport", "file:///etc/passwd", "http://[::1"]
ELSEWHERE = ["http://10.0.0.7:11434", "https://api.example.com/v1", "http://localhost.example:1", "http://0.0.0.0:1"]


@pytest.mark.parametrize("url", NO_ADDRESSES + ELSEWHERE)
@pytest.mark.parametrize("kind", ["ollama", "openai"])
def test_an_address_that_is_none_or_beyond_this_machine_is_refused_at_once(kind: str, url: str) -> None:
    with pytest.raises(ProposerError):
        open_asker(ProposerOptions(f"{kind}:tiny", ollama_url=url, openai_url=url), SPEC)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1", "http://127.9.9.9:1"])
def test_this_machine_is_asked_without_being_told_so(url: str) -> None:
    with open_asker(ProposerOptions("ollama:tiny", ollama_url=url), SPEC) as asker:
        assert asker.is_live


def test_another_machine_is_asked_where_that_was_said() -> None:
    with open_asker(ProposerOptions("ollama:tiny", ollama_url=ELSEWHERE[0], may_leave=True), SPEC) as asker:
        assert asker.is_live


def test_a_broken_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(LockError):
        open_asker(ProposerOptions(f"recorded:{tmp_path / 'bad.json'}"), SPEC)
    with pytest.raises(OSError, match="missing"):
        open_asker(ProposerOptions(f"recorded:{tmp_path / 'missing.json'}"), SPEC)


@pytest.mark.slow
def test_a_compile_without_a_model_does_not_load_one() -> None:
    models = "{'ollama', 'instructor', 'openai'}"
    code = f"import sys, compiler.verification; print({models} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert told.stdout.strip() == "set()"
