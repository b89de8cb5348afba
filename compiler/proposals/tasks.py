"""Tasks of several changes that the compiler can do and nobody thought of: which there are, and which are one task.

Candidates share a thing: one makes what the others need, or both change the same. The planner connects each, the twin
runs it, within a bound; only then a model is asked whether an operator would do these as one task, and which comes
first where the data does not say so. A task is of one class, `change`, of at most five changes, under a title made of
its steps. Pairs that have nothing to do with each other are asked about as well: whoever says yes to these tells
nothing. Called by `compiler.proposing` when workflows are proved.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice

from compiler.compiled import Compiled, CompiledWorkflow
from compiler.ir.model import Flow, Resource, Role
from compiler.passes.flows.context import Context, address
from compiler.passes.flows.wording.fulfilled import operations_of
from compiler.proposals.composing import Composer, CompositionRefusal
from compiler.proposer.proposer import Asker
from compiler.proposer.question import (
    NO,
    YES,
    ModelAnswer,
    Question,
    QuestionKind,
    fault_of,
    misled,
    without_information,
)
from compiler.proposer.record import RecordedAnswer
from compiler.proposer.wording import clean
from workflow.risks import Risk

MOST_PAIRS, MOST_TRIPLES, MOST_TRIED = 8, 4, 24
_FOILS = 2
_STRANGE = "Water the plants"
_MADE, _SHARED = 2.0, 1.0  # of the score: a thing that one makes for the other ties closer than one that both change


@dataclass(frozen=True, slots=True)
class Task:
    """Pieces in order; `is_forced`: what the later ones need is made by the first, so that no other order works."""

    pieces: tuple[Flow, ...]
    is_forced: bool
    score: float

    @property
    def subject(self) -> str:
        return "|".join(piece.id for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Proposed:
    """Workflows that a model found to be one task each, and all answers with their verdicts."""

    workflows: tuple[CompiledWorkflow, ...]
    entries: tuple[RecordedAnswer, ...]


def proposed(compiled: Compiled, asker: Asker) -> Proposed:
    """What the model said yes to, both times, composed and proved."""
    composer = Composer(compiled)
    tasks = candidates(compiled, composer.context, _Worth(asker, composer))
    if not tasks:
        return Proposed((), ())
    foils = foils_of(compiled)
    answers = asker.ask(foils)
    answers += [] if misled(answers, foils) else asker.ask([question_of(task) for task in tasks])
    nothing = misled(answers, foils) or without_information(answers)
    faults = {one.subject: nothing or fault_of(one) for one in answers}
    wanted = [task for task in tasks if _is_wanted(task, answers, faults)]
    orders, astray = _orders(asker, tasks, wanted)
    said = {} if astray else {one.subject: one for one in orders}
    made, late = _composed(composer, wanted, {one.subject: one for one in answers} | said)
    entries = [RecordedAnswer(one, faults[one.subject] or late.get(one.subject, "")) for one in answers]
    return Proposed(tuple(made), (*entries, *(RecordedAnswer(one, astray or fault_of(one)) for one in orders)))


def _orders(asker: Asker, tasks: Sequence[Task], wanted: Sequence[Task]) -> tuple[list[ModelAnswer], str]:
    """What comes first where the data does not say so, and why that does not count: those orders that the data forces
    are asked for as well."""
    free = [order_of(task) for task in wanted if not task.is_forced]
    if not free:
        return [], ""
    forced = [order_of(task) for task in tasks if task.is_forced and len(task.pieces) == 2][:_FOILS]
    known = [replace(one, expected=one.options[0]) for one in forced]
    answers = asker.ask(known)
    astray = misled(answers, known)
    return [*answers, *([] if astray else asker.ask(free))], astray


@dataclass(frozen=True, slots=True)
class _Worth:
    """Whether a task holds on the twin, or was found to hold when it was asked about."""

    asker: Asker
    composer: Composer

    def __call__(self, task: Task) -> bool:
        if self.asker.has(question_of(task)):
            return True
        return self.asker.is_live and not isinstance(self.composer.proved(task.pieces), CompositionRefusal)


def question_of(task: Task, expected: str = "") -> Question:
    names = ("first", "then", "at_last")
    facts = {name: clean(piece.title, 80) for name, piece in zip(names, task.pieces, strict=False)}
    return Question(QuestionKind.TASK, task.subject, facts, (YES, NO), expected)


def _is_wanted(task: Task, answers: Sequence[ModelAnswer], faults: dict[str, str]) -> bool:
    return any(one.subject == task.subject and one.agreed == YES and not faults[one.subject] for one in answers)


def order_of(task: Task) -> Question:
    options = tuple(clean(piece.title, 80) for piece in task.pieces)
    return Question(QuestionKind.ORDER, task.subject, {}, options)


def _composed(
    composer: Composer, wanted: Sequence[Task], answers: Mapping[str, ModelAnswer]
) -> tuple[list[CompiledWorkflow], dict[str, str]]:
    """The workflows, and by subject why there is none. `answers`: by subject, the last one about each."""
    made: list[CompiledWorkflow] = []
    faults: dict[str, str] = {}
    for task in wanted:
        answer = answers[task.subject]
        pieces = task.pieces if task.is_forced else _ordered(task, answer)
        found = (
            composer.proved(pieces, {"by": answer.model})
            if pieces
            else CompositionRefusal("no order was said both times")
        )
        if isinstance(found, CompositionRefusal):
            faults[task.subject] = found.why
        elif any(other.flow.id == found.flow.id for other in made):
            faults[task.subject] = "the same as another one"
        else:
            made.append(found)
    return made, faults


def _ordered(task: Task, answer: ModelAnswer) -> tuple[Flow, ...]:
    if answer.kind is not QuestionKind.ORDER or not answer.agreed:
        return ()
    return task.pieces if answer.agreed == answer.options[0] else task.pieces[::-1]


def candidates(compiled: Compiled, context: Context, holds: Callable[[Task], bool]) -> list[Task]:
    """Pairs, then triples, the closest tied and most wanted first; none that a workflow does already. `holds`: whether
    the twin can run it, asked of a bounded number."""
    simple = [one.flow for one in compiled.workflows if one.is_verified and _is_simple(one.flow)]
    done = {_changes(one.flow) for one in compiled.workflows}
    pairs = sorted(_pairs(context, simple), key=lambda task: (-task.score, task.subject))
    fresh = [pair for pair in pairs if not any(_goals(pair) <= other for other in done)][:MOST_TRIED]
    kept = list(islice(filter(holds, fresh), MOST_PAIRS))
    triples = sorted(_triples(kept), key=lambda task: (-task.score, task.subject))
    return [*kept, *islice(filter(holds, triples[: 2 * MOST_TRIPLES]), MOST_TRIPLES)]


def _is_simple(flow: Flow) -> bool:
    changes = [step for step in flow.steps if step.role is Role.CHANGE]
    return flow.risk is Risk.CHANGE and len(changes) == 1 and flow.intent in ("create", "update", "act")


def _changes(flow: Flow) -> frozenset[str]:
    return frozenset(step.operation for step in flow.steps if step.role is Role.CHANGE)


def _goals(task: Task) -> frozenset[str]:
    return frozenset(piece.goal for piece in task.pieces)


def _pairs(context: Context, flows: Sequence[Flow]) -> Iterator[Task]:
    needs = _needs(context, flows)
    for one, other in combinations(flows, 2):
        if one.goal == other.goal:
            continue
        rank = (one.rank + other.rank) / 2
        for first, second in ((one, other), (other, one)):
            made = context.by_create.get(first.goal)
            if made is not None and address(made) in needs[second.id]:
                yield Task((first, second), True, _MADE + rank)
        if one.resource == other.resource and "create" not in (one.intent, other.intent):
            yield Task((one, other), False, _SHARED + rank)


def _needs(context: Context, flows: Sequence[Flow]) -> dict[str, set[str]]:
    """By the flow's id, the addresses of the things whose ids its change names."""
    named: dict[str, set[str]] = defaultdict(set)
    for target, into in context.links:
        needed = context.needed_by(target, into)
        if needed is not None:
            named[target].add(address(needed))
    return {flow.id: named[flow.goal] | {address(r) for r in _owners(context, flow)} for flow in flows}


def _owners(context: Context, flow: Flow) -> Iterator[Resource]:
    return (r for r in context.api.resources if flow.goal in operations_of(r) and flow.goal != r.create)


def _triples(pairs: Sequence[Task]) -> Iterator[Task]:
    """What one makes is needed by two others."""
    for one, other in combinations([pair for pair in pairs if pair.is_forced], 2):
        first, second, third = one.pieces[0], one.pieces[1], other.pieces[1]
        if other.pieces[0] is first and second.goal != third.goal:
            yield Task((first, second, third), True, (one.score + other.score) / 2)


def foils_of(compiled: Compiled) -> list[Question]:
    """Changes that have nothing to do with each other: of the API where it has some, and one that no API has."""
    ordered = sorted((one.flow for one in compiled.workflows if _is_simple(one.flow)), key=lambda f: (-f.rank, f.id))
    apart = (pair for pair in combinations(ordered, 2) if pair[0].resource != pair[1].resource)
    alone = [question_of(Task(pair, True, 0.0), NO) for pair in apart if not _is_near(*pair)][-_FOILS:]
    strange = [
        Question(QuestionKind.TASK, _STRANGE, {"first": clean(f.title, 80), "then": _STRANGE}, (YES, NO), NO)
        for f in ordered
    ]
    return [*strange[:1], *alone]


def _is_near(one: Flow, other: Flow) -> bool:
    """Whether their addresses begin alike: what stands below one another may well be done together."""
    begins = [flow.goal.partition(" ")[2].strip("/").split("/")[0] for flow in (one, other)]
    return begins[0] == begins[1] and "{" not in begins[0]
