"""Sentences by which operators ask for a workflow: which count, of those that a model wrote.

Asked first is about those that people's words lead to least: whose name has words that search knows no others for. A
sentence counts when it is a few plain words, asks for what the workflow does, names nothing that is not there, is said
of no other workflow, and when search then finds this workflow with it among the first three and finds no other one
later than before by what that is asked for with (the round trip). Pure but for the asking. Called by
`compiler.proposing` when workflows are proved. THREATS.md, B1.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from compiler.compiled import Compiled, CompiledWorkflow
from compiler.knowledge import operation_words_of
from compiler.passes.names import words
from compiler.proposer.question import ModelAnswer, Question, QuestionKind
from compiler.proposer.record import RecordedAnswer
from compiler.proposer.vocabulary import EVERYDAY
from compiler.proposer.wording import (
    clean,
    fault_of_sentence,
    path_words,
    plain_typography,
    words_of,
)
from workflow.risks import Risk
from workflow.search.findable import Findable, WorkflowFacts, findable, with_words_of_their_things
from workflow.search.index import Index
from workflow.search.question import understood
from workflow.search.stems import WORD, stems_of
from workflow.search.wishes import want_of
from workflow.search.words import EMPTY

FIRST = 3  # places among which a sentence has to find its workflow
_CHANGES = ("create", "update", "delete")
_HARM = words.DESTROYING | words.DISRUPTING


@dataclass(frozen=True, slots=True)
class JudgedSentences:
    """`sentences` by the workflow's id, those that count."""

    sentences: Mapping[str, tuple[str, ...]]
    entries: tuple[RecordedAnswer, ...]


def about(compiled: Compiled) -> list[Question]:
    """One question a workflow, first those whose name has most words that search knows no others for; then by rank."""
    ordered = sorted(compiled.workflows, key=lambda one: (-_unheard(one.flow.title), -one.flow.rank, one.flow.id))
    return [_question(compiled, one) for one in ordered]


def _unheard(title: str) -> int:
    """How many words of it stand alone: whoever says another word for one does not find it."""
    return sum(not (idea.others or idea.is_verb) for idea in understood(title).ideas)


def _question(compiled: Compiled, one: CompiledWorkflow) -> Question:
    flow = one.flow
    method, _, path = flow.goal.partition(" ")
    api = clean(words.spoken(compiled.api.name), 40)
    facts = {"api": api, "title": clean(flow.title, 80), "path": f"{method} {path_words(path)}"}
    return Question(QuestionKind.SENTENCE, flow.id, facts)


def judge(compiled: Compiled, answers: Sequence[ModelAnswer]) -> JudgedSentences:
    """What counts, by the answers in their order: what was taken before is kept as well found as it was."""
    said = Counter(text for one in answers for text in _said(one))
    course = _RoundTrip(compiled)
    found: dict[str, tuple[str, ...]] = {}
    entries: list[RecordedAnswer] = []
    for one in answers:
        faults: list[str] = []
        for text in _said(one):
            fault = "said of several workflows" if said[text] > 1 else course.fault_of(one.subject, text)
            if fault:
                faults.append(fault)
            else:
                found[one.subject] = (*found.get(one.subject, ()), text)
        entries.append(RecordedAnswer(one, "" if one.subject in found else "; ".join(dict.fromkeys(faults))))
    return JudgedSentences(found, tuple(entries))


def _said(answer: ModelAnswer) -> tuple[str, ...]:
    """The sentences of an answer, each once."""
    parts = (part for text in answer.said for part in plain_typography(text).split(";"))
    plain = (" ".join(part.split()).rstrip(".?!, ").lower() for part in parts)
    return tuple(dict.fromkeys(text for text in plain if text))


class _RoundTrip:
    """The index of all workflows, to which sentences are added one by one while nothing gets worse."""

    def __init__(self, compiled: Compiled) -> None:
        self._ones = {one.flow.id: one for one in compiled.workflows}
        self._found = {f.tool: f for f in with_words_of_their_things(findables(compiled))}
        self._index = Index(self._found.values())
        self._asked = [(tool, found.title) for tool, found in self._found.items()]
        self._stems = {tool: _stems(f"{f.title} {f.nouns} {f.inputs}") for tool, f in self._found.items()}
        self._everyday = _stems(" ".join(EVERYDAY))
        self._places: dict[tuple[str, str], int] = {}
        self._named = Counter(stem for f in self._found.values() for stem in _stems(f"{f.title} {f.nouns}"))

    def fault_of(self, flow_id: str, text: str) -> str:
        """Why the sentence does not count for the workflow; where it does, "" and it is in the index from then on."""
        one = self._ones.get(flow_id)
        if one is None:
            return "nothing of that name was asked about"
        own = frozenset(words_of(one.flow.title))
        return fault_of_sentence(text, own) or self._fault_of_meaning(one, text) or self._fault_of_trip(one, text)

    def _fault_of_meaning(self, one: CompiledWorkflow, text: str) -> str:
        wants, is_read = understood(text).wants, one.flow.risk is Risk.READ
        harming = (_HARM if is_read else words.DESTROYING) if one.flow.risk in (Risk.READ, Risk.CHANGE) else frozenset()
        if any(word in harming and word not in words_of(one.flow.title) for word in words_of(text)):
            return "asks for more than it does"
        if is_read and wants in _CHANGES:
            return "asks for a change, and it only reads"
        if not is_read and wants in ("know", "look"):
            return "only asks, and it changes something"
        if wants in _CHANGES and (wants == "delete") is not _removes(one):
            return "asks for something else than it does"
        return self._fault_of_names(one.flow.id, text)

    def _fault_of_names(self, tool: str, text: str) -> str:
        own = self._stems[tool]
        first = next(iter(_stems_in_order(text)), "")
        for idea in understood(text).ideas:
            phrases = (idea.said, *idea.others)
            is_known = idea.is_verb or any(own.issuperset(phrase) for phrase in phrases)
            is_new_verb = idea.said == (first,) and first not in self._named
            is_no_thing = idea.said[0] in self._everyday and idea.said[0] not in self._named
            if not (is_known or is_new_verb or is_no_thing):
                return f"names “{' '.join(idea.said)}”, which is not there"
        return ""

    def _fault_of_trip(self, one: CompiledWorkflow, text: str) -> str:
        tool, old = one.flow.id, self._found[one.flow.id]
        touched = _ideas(text)
        others = [(t, said) for t, said in self._asked if t != tool and touched & _ideas(said)]
        before = [self._place_until_now(each) for each in others]
        new = replace(old, sentences=f"{old.sentences} {text}".strip())
        self._exchange(old, new)
        is_found = self._place(tool, text) < FIRST
        after = [self._place(*each) for each in others] if is_found else before
        worse = next((t for (t, _), was, at in zip(others, before, after, strict=True) if at > was), "")
        if worse or not is_found:
            self._exchange(new, old)
            return (
                f"{worse} would be found later" if worse else "search does not find it with this among the first three"
            )
        self._found[tool] = new
        self._asked.append((tool, text))
        self._places |= zip(others, after, strict=True)
        return ""

    def _place_until_now(self, asked: tuple[str, str]) -> int:
        """Looked up once: only a sentence that is taken changes it."""
        if asked not in self._places:
            self._places[asked] = self._place(*asked)
        return self._places[asked]

    def _exchange(self, old: Findable, new: Findable) -> None:
        self._index.take_out((old,))
        self._index.take_in((new,))

    def _place(self, tool: str, text: str) -> int:
        found, _ = self._index.best(text, most=FIRST)
        return found.index(tool) if tool in found else FIRST


def findables(compiled: Compiled) -> Iterator[Findable]:
    """The workflows as search sees them when they are served."""
    vocabulary = compiled.profile.vocabulary if compiled.profile else {}
    told = operation_words_of(compiled)
    for one in compiled.workflows:
        flow = one.flow
        kind = WorkflowFacts(compiled.api.name, flow.risk.value, flow.intent, flow.resource)
        yield findable(compiled.content_of(one), vocabulary, kind, rank=flow.rank, operations=told)


def _removes(one: CompiledWorkflow) -> bool:
    intent = one.flow.intent
    verb = words.split(one.flow.title)[:1]
    return intent == "delete" or one.flow.risk is Risk.DESTROY or any(want_of(word) == "delete" for word in verb)


def _ideas(text: str) -> frozenset[str]:
    """The stems of all that a question is looked for with."""
    ideas = understood(text).ideas
    return frozenset(stem for idea in ideas for phrase in (idea.said, *idea.others) for stem in phrase)


def _stems(text: str) -> frozenset[str]:
    return frozenset(stems_of(WORD.findall(text.lower())).values())


def _stems_in_order(text: str) -> list[str]:
    said = [word for word in WORD.findall(text.lower()) if word not in EMPTY]
    stems = stems_of(said)
    return [stems[word] for word in said]
