"""How good a model is at the questions that a compile asks, measured on questions whose answers are known.

They are made from a compiled API with a profile: what a person called its things, pinned and left out of sight, what
belongs together there and in which order, titles in other words. Beside that, whether the default catalog and search
get better or worse by what it says. Pure but for the asking and the clock that is given. Called by
`switchgear eval proposer`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from compiler.compiled import Compiled
from compiler.ir.model import Flow, Role
from compiler.ir.schemas import SharedSchemas
from compiler.passes.flows.context import Context, address
from compiler.passes.flows.ranking import ranked as by_planner
from compiler.passes.names import words
from compiler.proofs.verifying import with_catalog
from compiler.proposals import sentences
from compiler.proposals.ranks import ranked
from compiler.proposals.tasks import Task, foils_of, question_of
from compiler.proposer.proposer import Asker
from compiler.proposer.question import NONE_OF_THESE, YES, Question, QuestionKind, fault_of, without_information
from compiler.proposer.vocabulary import CUT_SHORT
from compiler.proposer.wording import clean, identifiers, path_words
from workflow.profiles.profile import Profile
from workflow.risks import Risk
from workflow.search.findable import Findable, with_words_of_their_things
from workflow.search.index import Index
from workflow.search.trade import ALIKE

FIRST = 5
_NEAREST = 3
_MEMBERS = 6


@dataclass(frozen=True, slots=True)
class Measured:
    """One kind: how many were asked and answered; of these, how many as is known (`right`), and how many alike in both
    orders. `live`: how many were answered now and not before, which took the `seconds`. `refused`: reason → how many.
    `refusal`: why all of them tell nothing, "" where they tell something.
    """

    kind: QuestionKind
    asked: int
    answered: int
    right: int
    consistent: int
    live: int
    seconds: float
    refused: Mapping[str, int] = field(default_factory=dict)
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class CatalogEffect:
    """Of what was to be found, how much was found without and with what the model says. `answers`: how many there were;
    where there are none, nothing is measured by it."""

    what: str
    answers: int
    of: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    api: str
    measured: tuple[Measured, ...]
    effects: tuple[CatalogEffect, ...]


def evaluated(compiled: Compiled, asker: Asker, most: int, clock: Callable[[], float]) -> Evaluation:
    """The model measured on one API, with at most so many questions of a kind."""
    known = {kind: list(make(compiled))[:most] for kind, make in _KNOWN.items()}
    measured = [_measured(kind, questions, asker, clock) for kind, questions in known.items() if questions]
    catalog, search = _catalog(compiled, asker), _search(compiled, asker, most, clock)
    return Evaluation(compiled.api.name, (*measured, search[0]), (catalog, search[1]))


def _measured(kind: QuestionKind, questions: Sequence[Question], asker: Asker, clock: Callable[[], float]) -> Measured:
    began, before = clock(), asker.asked_now
    answers = asker.ask(questions)
    expected = {question.subject: question.expected for question in questions}
    return Measured(
        kind,
        asked=len(questions),
        answered=len(answers),
        right=sum(one.agreed == expected[one.subject] for one in answers),
        consistent=sum(bool(one.agreed) for one in answers),
        live=asker.asked_now - before,
        seconds=clock() - began,
        refused=_counted(fault_of(one) for one in answers),
        refusal=without_information(answers),
    )


def _counted(reasons: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(reason for reason in reasons if reason).items()))


def _nouns(compiled: Compiled) -> Iterator[Question]:
    """What a person called a thing, among the names that its address makes."""
    vocabulary = compiled.profile.vocabulary if compiled.profile else {}
    schemas = SharedSchemas(compiled.api.schemas)
    for resource in compiled.api.resources:
        wanted = vocabulary.get(resource.noun, "")
        plain = words.spoken(words.singular(resource.noun)).lower()
        whole = " ".join(CUT_SHORT.get(word, word) for word in plain.split())
        options = tuple(sorted({wanted, plain, whole}))
        if wanted and len(options) > 1:
            members = identifiers(schemas.members(resource.schema), _MEMBERS)
            facts = {"path": path_words(address(resource)), "members": members}
            yield Question(QuestionKind.NOUN, _subject(compiled, address(resource)), facts, options, wanted)


def _ranks(compiled: Compiled) -> Iterator[Question]:
    """What a person pinned against what is ranked lowest and harms nobody."""
    pins = compiled.profile.overrides.pin if compiled.profile else ()
    flows = {one.flow.id: one.flow for one in compiled.workflows}
    tame = (flow for flow in flows.values() if flow.risk in (Risk.READ, Risk.CHANGE))
    last = sorted(tame, key=lambda flow: (flow.rank, flow.id))
    for pin, low in zip((flows[pin] for pin in pins if pin in flows), last, strict=False):
        options = tuple(sorted((clean(pin.title, 80), clean(low.title, 80))))
        yield Question(QuestionKind.RANK, f"known {pin.id}|{low.id}", {}, options, clean(pin.title, 80))


def _tasks(compiled: Compiled) -> Iterator[Question]:
    """What the planner knows to belong together, and what has nothing to do with each other, in turns."""
    together = [replace(question_of(Task(pair, True, 0.0)), expected=YES) for pair in _pieces_of_tasks(compiled)]
    apart = [replace(one, subject=_subject(compiled, one.subject)) for one in foils_of(compiled)]
    for number in range(max(len(together), len(apart))):
        yield from together[number : number + 1]
        yield from apart[number : number + 1]


def _orders(compiled: Compiled) -> Iterator[Question]:
    for first, second in _pieces_of_tasks(compiled):
        options = tuple(sorted((clean(first.title, 80), clean(second.title, 80))))
        yield Question(QuestionKind.ORDER, f"known {first.id}|{second.id}", {}, options, clean(first.title, 80))


def _pieces_of_tasks(compiled: Compiled) -> list[tuple[Flow, Flow]]:
    """The first two changes of each workflow of several, as the workflows of these changes alone."""
    flows = [one.flow for one in compiled.workflows]
    alone = {changes[0]: flow for flow in flows if len(changes := _changes(flow)) == 1}
    found = (tuple(alone[key] for key in _changes(flow)[:2] if key in alone) for flow in flows)
    pairs = {(pair[0].id, pair[1].id): pair for pair in found if len(pair) == 2 and pair[0] is not pair[1]}
    return [(pair[0], pair[1]) for pair in pairs.values()]


def _changes(flow: Flow) -> list[str]:
    return [step.operation for step in flow.steps if step.role is Role.CHANGE]


def _pieces(compiled: Compiled) -> Iterator[Question]:
    """A title whose verb is another one of the trade, among what search finds near it."""
    index = Index(sentences.findables(compiled))
    flows = {one.flow.id: one.flow for one in compiled.workflows}
    for flow in sorted(flows.values(), key=lambda one: (-one.rank, one.id)):
        verb, _, rest = flow.title.partition(" ")
        group = next((g for g in ALIKE if verb.lower() in g), ())
        other = next((word for word in group if word != verb.lower()), "")
        if other and rest:
            says = clean(f"{other} {rest}".lower(), 80)
            near = [flows[tool] for tool in index.best(says, most=_NEAREST)[0]]
            titles = sorted({clean(one.title, 80) for one in (flow, *near)})
            options, subject = (*titles, NONE_OF_THESE), _subject(compiled, says)
            yield Question(QuestionKind.PIECE, subject, {"says": says}, options, clean(flow.title, 80))


def _subject(compiled: Compiled, what: str) -> str:
    """One that no other API's question has, since a lock holds one answer about a subject."""
    return f"known {compiled.api.name} {what}"


_KNOWN: Mapping[QuestionKind, Callable[[Compiled], Iterator[Question]]] = {
    QuestionKind.NOUN: _nouns,
    QuestionKind.RANK: _ranks,
    QuestionKind.TASK: _tasks,
    QuestionKind.ORDER: _orders,
    QuestionKind.PIECE: _pieces,
}


def _catalog(compiled: Compiled, asker: Asker) -> CatalogEffect:
    """How much of what a person pinned is in the default catalog where nobody pins, before and after asking."""
    profile = compiled.profile or Profile(api=compiled.api.name)
    pins = profile.overrides.pin
    bare = profile.model_copy(update={"overrides": profile.overrides.model_copy(update={"pin": ()})})
    ranks = {flow.id: flow for flow in by_planner(Context.of(compiled.api, bare), compiled.api.flows)}
    ones = with_catalog([replace(one, flow=ranks[one.flow.id]) for one in compiled.workflows], bare)
    before = sum(one.flow.is_core for one in ones if one.flow.id in pins)
    asked = ranked([one.flow for one in ones], (), asker)
    moved = asked.ranks
    told = [replace(one, flow=replace(one.flow, rank=moved.get(one.flow.id, one.flow.rank))) for one in ones]
    after = sum(one.flow.is_core for one in with_catalog(told, bare) if one.flow.id in pins)
    what = "pinned workflows in the catalog without pins"
    return CatalogEffect(what, len(asked.entries), len(pins), before, after)


def _search(compiled: Compiled, asker: Asker, most: int, clock: Callable[[], float]) -> tuple[Measured, CatalogEffect]:
    """Sentences that count, and what the vendor's own words for each operation find among the first five."""
    questions = sentences.about(compiled)[:most]
    began, live = clock(), asker.asked_now
    answers = asker.ask(questions)
    seconds, live = clock() - began, asker.asked_now - live
    judged = sentences.judge(compiled, answers)
    reasons = (reason for entry in judged.entries for reason in entry.reason.split("; "))
    taken = len(judged.sentences)
    alike = sum(told.said[0] == told.said[1] for told in answers)
    measured = Measured(
        QuestionKind.SENTENCE, len(questions), len(answers), taken, alike, live, seconds, _counted(reasons)
    )
    summaries = {operation.key: operation.summary for operation in compiled.api.operations}
    asked = [(one.flow.id, summaries.get(one.flow.goal, "")) for one in compiled.workflows]
    asked = [(tool, said) for tool, said in asked if said]
    before = list(sentences.findables(compiled))
    after = [replace(one, sentences=" ".join(judged.sentences.get(one.tool, ()))) for one in before]
    of_what = "vendor's summaries that find their workflow among five"
    return measured, CatalogEffect(of_what, len(answers), len(asked), _found(before, asked), _found(after, asked))


def _found(findables: Sequence[Findable], asked: Sequence[tuple[str, str]]) -> int:
    index = Index(with_words_of_their_things(findables))
    return sum(tool in index.best(said, most=FIRST)[0] for tool, said in asked)
