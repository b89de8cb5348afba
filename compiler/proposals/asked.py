"""From an operator's sentence to a workflow: what it says, clause by clause, and what becomes of it.

Search finds what fits each clause among the workflows that there are; a model chooses among these in closed questions,
and says what comes first where the sentence leaves it open; the planner finds the data, the checker and the twin judge.
What no word of an API stands for is missing, and is said; nothing that destroys is chosen unless a clause says so. A
choice is a workflow's title, and the title of what comes of it is made of these: a model writes no word of it.
Without a model the nearest workflows are offered. Pure but for the asking. Called by `compiler.proposing`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from compiler.compiled import Compiled, CompiledWorkflow
from compiler.ir.model import Diagnostic, Flow, FlowStep, Role
from compiler.passes.flows.wording.fulfilled import constants
from compiler.passes.names import words
from compiler.proposals.clauses import (
    MEASURES,
    MOST_CLAUSES,
    Clause,
    clauses_of,
    several_of,
    verbs_and_things,
    wants_of,
)
from compiler.proposals.composing import Composer, CompositionRefusal
from compiler.proposals.parting import MOST_CHARACTERS
from compiler.proposals.sentences import findables
from compiler.proposer.proposer import Asker
from compiler.proposer.question import NONE_OF_THESE, ModelAnswer, Question, QuestionKind, fault_of
from compiler.proposer.record import RecordedAnswer
from compiler.proposer.wording import clean
from workflow.risks import Risk
from workflow.search.index import Index
from workflow.search.question import Idea, understood
from workflow.search.stems import WORD, stems_of
from workflow.search.wishes import ended_in, opposites_of, want_of

MOST_OFFERED = 4
_LOOKED_AT = 10
_NEAR = 3  # named where nothing fits
_LIGHT = frozenset({"take", "make", "do", "perform", "run"})  # what is done is said by the next word
# What says that something is lost by it; defaults are what is reset to.
_DESTROYING = frozenset(stems_of((*words.DESTROYING, "defaults")).values())
_SCHEDULE = frozenset(stems_of(("schedule", "job", "plan", "cron")).values())
_FOR_A_SCHEDULE = "is for a schedule to say (`switchgear schedules add`), and no step of a workflow"
_MANY = frozenset(stems_of(("all", "several", "every")).values())
_SWITCHED = frozenset({"on", "off"})  # what is turned, switched or put
_SWITCHING = frozenset(stems_of(("switch", "toggle")).values())
_CHANGES = ("create", "update", "delete")


@dataclass(frozen=True, slots=True)
class Piece:
    """A clause with what it was taken for. `why`: what is wrong where it was taken for nothing."""

    clause: Clause
    offered: tuple[Flow, ...] = ()
    chosen: Flow | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class AskOutcome:
    """What became of a sentence: `workflow` is new and pending; `exists`: the id of one that does it already; else
    `refusal` says why there is none. `could_be`: the title of what would come of the nearest workflows, where nobody
    was there to choose among them. `compiled`: the API that it is of, where it is of one."""

    sentence: str
    pieces: tuple[Piece, ...]
    compiled: Compiled | None = None
    workflow: CompiledWorkflow | None = None
    exists: str = ""
    refusal: str = ""
    could_be: str = ""
    entries: tuple[RecordedAnswer, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What the sentence says that no step of its own does."""
        return tuple(note for piece in self.pieces for note in piece.clause.notes)


class Apis:
    """Several compiled APIs, searched together."""

    def __init__(self, compiled: Sequence[Compiled]) -> None:
        self._of = {one.flow.id: each for each in compiled for one in each.workflows}
        self._flows = {one.flow.id: one.flow for each in compiled for one in each.workflows if one.is_verified}
        found = [found for each in compiled for found in findables(each) if found.tool in self._flows]
        self._index = Index(found)
        self.count = len(compiled)
        # What a reply tells is nothing that is done.
        self._words = {one.tool: _stems(" ".join(replace(one, tells="").fields)) for one in found}
        self._known = frozenset().union(*self._words.values())

    def api_of(self, flow: Flow) -> Compiled:
        return self._of[flow.id]

    def title_of(self, flow: Flow) -> str:
        """As it is offered: with its API where there are several."""
        return clean(flow.title, 80) + (f" ({self.api_of(flow).api.name})" if self.count > 1 else "")

    def read(self, clause: Clause) -> Piece:
        """The clause with what it may mean, the best first; or what is missing."""
        if clause.unmet:
            return Piece(clause, why=clause.unmet)
        found = [self._flows[tool] for tool in self._index.best(clause.text, most=_LOOKED_AT)[0]]
        meant = [flow for flow in found if self._fits(clause, flow)]
        if clause.when:
            meant = [flow for flow in meant if not _SCHEDULE.isdisjoint(_stems(flow.title))]
            if not meant:
                return Piece(clause, why=f"“{clause.when}” {_FOR_A_SCHEDULE}")
        unknown = self._unknown(clause)
        if unknown:
            return Piece(clause, why=f"nothing here has to do with “{'”, “'.join(unknown)}”")
        many, things = several_of(clause)
        fitting = [flow for flow in meant if not many or _is_of_many(flow, things)]
        if meant and not fitting:
            return Piece(clause, why=f"“{f'{many} {things}'.strip()}” is more than any workflow here does at once")
        flows = self._nearest_first(clause, fitting)
        return Piece(clause, flows, why="" if flows else self._nothing(clause, found))

    def _nearest_first(self, clause: Clause, fitting: Sequence[Flow]) -> tuple[Flow, ...]:
        """Those that say all of the clause before the others; what does more only where nothing does just that."""
        fitting = [flow for flow in fitting if len(_changing(flow)) < 2 or not _more(clause, flow)] or fitting
        whole = [flow for flow in fitting if self._has_all(clause, flow.id)]
        whole.sort(key=lambda flow: (not self.is_clear(clause, flow), *_distance(clause, flow)))
        offered: dict[str, Flow] = {}
        for flow in (*whole, *fitting):
            offered.setdefault(self.title_of(flow), flow)
        return tuple(offered.values())[:MOST_OFFERED]

    def _nothing(self, clause: Clause, flows: Sequence[Flow]) -> str:
        """That nothing does it, with what is near it and harms nothing; or what does it and would destroy."""
        _, things = verbs_and_things(clause.text)
        losses = (flow for flow in flows if flow.risk is Risk.DESTROY and _say(things, _stems(flow.title)))
        losing = next((flow for flow in losses if _is_called(clause, flow)), None)
        if losing is not None:
            return f"“{self.title_of(losing)}” destroys something, and nothing here says so: say what is to be deleted"
        near = [self.title_of(flow) for flow in flows if flow.risk is not Risk.DESTROY]
        told = f" (near it: {', '.join(near[:_NEAR])})" if near else ""
        return f"no workflow here does that{told}"

    def _fits(self, clause: Clause, flow: Flow) -> bool:
        """Whether it is the wish's kind, and about one of the things in its name; of what makes and destroys nothing,
        about all of them anywhere in its words."""
        verbs, things = verbs_and_things(clause.text)
        about = _stems(f"{flow.title} {flow.resource} {words.spoken(flow.resource)}")
        is_strict = flow.risk is Risk.DESTROY or flow.intent in ("create", "delete")
        if wants_of(clause.text) == "create":  # what is made is told by its name, not by where it is made
            things, is_strict = [idea for idea in things if idea.share == 1.0] or things, True
        if flow.intent == "create":  # to snapshot a VM is to create a snapshot
            things = [*things, *(idea for idea in verbs if want_of(" ".join(idea.said)) == "act")]
        is_about = not things or _say(things, about) or (not is_strict and self._has_all(clause, flow.id))
        return is_about and _is_meant(clause.text, flow)

    def is_clear(self, clause: Clause, flow: Flow) -> bool:
        """Whether the clause says the title, neither more nor less, in the trade's words."""
        verbs, things = verbs_and_things(clause.text)
        said = [idea for idea in (*verbs, *things) if idea.said[0] not in MEASURES]
        title = _stems(flow.title)
        told = understood(flow.title).ideas
        text = _stems(clause.text)
        is_whole = all(_say([idea], title) or (idea.is_verb and _is_meant(clause.text, flow)) for idea in said)
        return bool(said) and is_whole and all(_say([idea], text) or idea.is_verb for idea in told)

    def _has_all(self, clause: Clause, tool: str) -> bool:
        _, things = verbs_and_things(clause.text)
        return all(_say([idea], self._words[tool]) for idea in things if idea.said[0] not in MEASURES)

    def existing(self, pieces: Sequence[Flow]) -> str:
        """The workflow whose changes are just these in this order, "" where there is none."""
        wanted = [step.operation for piece in pieces for step in _changing(piece)]
        api = self.api_of(pieces[0])
        same = (one for one in api.workflows if [s.operation for s in _changing(one.flow)] == wanted)
        return next((one.flow.id for one in same if wanted and len(pieces) > 1 and one.flow not in pieces), "")

    def _unknown(self, clause: Clause) -> list[str]:
        _, said = verbs_and_things(clause.text)
        strange = [i for i in said if not any(self._known.issuperset(p) for p in (i.said, *i.others))]
        strange = [idea for idea in strange if not (clause.names | MEASURES).issuperset(idea.said)]
        stems = stems_of(clause.text.split())
        return [" ".join(w for w in clause.text.split() if stems[w] in idea.said) for idea in strange]


def _stems(text: str) -> frozenset[str]:
    return frozenset(stems_of(WORD.findall(text.lower())).values())


def _changing(flow: Flow) -> list[FlowStep]:
    return [step for step in flow.steps if step.role is Role.CHANGE]


def _is_meant(text: str, flow: Flow) -> bool:
    """Whether what is done is what the clause wants: a look, or a change by its verb; nothing destroys unless that is
    said."""
    wants = wants_of(text)
    if wants in ("know", "look") or flow.risk is Risk.READ:
        return flow.risk is Risk.READ and wants in ("know", "look", "name")
    verbs, things = verbs_and_things(text)
    light = things if text.split()[0] in _LIGHT and flow.intent in ("create", "act") else []
    # A noun in the name of what is updated is no verb: "snapshot it" updates no snapshot schedule.
    title = flow.title.partition(" ")[0] if flow.intent == "update" else flow.title
    said = _stems(title) | _stems(" ".join(_values(flow)))
    switched = _SWITCHED if _SWITCHING & said else _SWITCHED & said
    says_verb = _say([*verbs, *light], said) or any(idea.said[-1] in switched for idea in verbs)
    kind = flow.intent if flow.intent in _CHANGES else want_of(next(iter(words.split(flow.title)), ""))
    if flow.risk is Risk.DESTROY and _DESTROYING.isdisjoint(_all_said([*verbs, *things])):
        return False
    if flow.risk is Risk.DESTROY or wants == "delete":
        undoes = _undoes(text, flow)
        return undoes or kind == wants == "delete" or (flow.risk is Risk.DESTROY and _say(verbs, said))
    return says_verb or (wants in _CHANGES and kind == wants)


def _undoes(text: str, flow: Flow) -> bool:
    """Whether its name begins with the opposite of what is to end: `stop blinking it`, and a workflow that unblinks."""
    ended = ended_in(text)
    first = next(iter(words.split(flow.title.lower())), "")
    return bool(ended) and flow.risk is not Risk.DESTROY and stems_of((first,))[first] in opposites_of(ended)


def _more(clause: Clause, flow: Flow) -> int:
    """How many things its title tells that the clause does not, its first verb aside."""
    text = _stems(clause.text)
    ideas = understood(flow.title).ideas
    return sum(not _say([idea], text) for at, idea in enumerate(ideas) if at or not idea.is_verb)


def _distance(clause: Clause, flow: Flow) -> tuple[int, bool]:
    """How far its title is from the clause: by what it tells more, then by another verb."""
    return _more(clause, flow), not _is_called(clause, flow)


def _is_called(clause: Clause, flow: Flow) -> bool:
    """Whether the clause says the very verb of its title."""
    title = _stems(flow.title)
    verbs, _ = verbs_and_things(clause.text)
    return bool(verbs) and all(title.issuperset(idea.said) for idea in verbs)


def _is_of_many(flow: Flow, things: str) -> bool:
    """Whether it can be meant where many are: it reads, or is of all of them, or what is counted is no thing of its."""
    title = _stems(flow.title)
    is_counted = not things or not (_stems(things).isdisjoint(title) or things in words.split(flow.title.lower()))
    return flow.risk is Risk.READ or not is_counted or not title.isdisjoint(_MANY)


def _all_said(ideas: Sequence[Idea]) -> frozenset[str]:
    """The stems of what is said, and of single words that mean the same: a "restore point" restores nothing."""
    alike = (phrase[0] for idea in ideas for phrase in idea.others if len(phrase) == 1)
    return frozenset((*(stem for idea in ideas for stem in idea.said), *alike))


def _say(ideas: Sequence[Idea], known: frozenset[str]) -> bool:
    return any(known.issuperset(phrase) for idea in ideas for phrase in (idea.said, *idea.others))


def _values(flow: Flow) -> Iterator[str]:
    """What chooses among actions: the values that are always sent, or that a caller has to choose from."""
    for step in _changing(flow):
        yield from constants(step.payload)
    for given in flow.inputs:
        if given.is_required and flow.intent == "act":
            yield from (str(value) for value in given.schema.get("enum", ()))


def understand_sentence(sentence: str, apis: Apis, asker: Asker) -> AskOutcome:
    """What becomes of the sentence. Nothing is stored."""
    clauses = clauses_of(sentence)
    if not clauses or len(clauses) > MOST_CLAUSES or len(sentence) > MOST_CHARACTERS:
        nothing = "it says nothing that is done"
        return AskOutcome(sentence, (), refusal=f"it wants more than {MOST_CLAUSES} things" if clauses else nothing)
    pieces = [_read(clause, apis) for clause in clauses]
    missing = [piece for piece in pieces if piece.why]
    if missing:
        return AskOutcome(sentence, tuple(pieces), refusal=_told(missing))
    answers = asker.ask([_question(piece, apis) for piece in pieces])
    chosen = [_chosen(piece, answers, apis) for piece in pieces]
    entries = tuple(RecordedAnswer(one, fault_of(one)) for one in answers)
    missing = [piece for piece in chosen if piece.chosen is None]
    if missing:
        offer = "" if answers else _nearest(pieces, apis, sentence)
        return AskOutcome(sentence, tuple(chosen), refusal=_told(missing), could_be=offer, entries=entries)
    ordered, more = _in_order(sentence, chosen, asker, apis)
    return _made(sentence, ordered, (*entries, *more), apis, answers)


def _read(clause: Clause, apis: Apis) -> Piece:
    """What the clause may mean; where nothing does that to what was told last, to what was told before that."""
    tries = [apis.read(clause), *(apis.read(replace(clause, text=text)) for text in clause.otherwise)]
    return next((piece for piece in tries if not piece.why), tries[0])


def _nearest(pieces: Sequence[Piece], apis: Apis, sentence: str) -> str:
    """What the first of what is offered for each clause would be together, where the planner and the twin can do it."""
    flows = [piece.offered[0] for piece in pieces]
    api = apis.api_of(flows[0])
    if len(flows) < 2 or any(apis.api_of(flow) is not api for flow in flows):
        return ""
    made = Composer(api).proved(flows, hint=sentence)
    return "" if isinstance(made, CompositionRefusal) else made.flow.title


def _told(missing: Sequence[Piece]) -> str:
    return "; ".join(f"“{piece.clause.said}”: {piece.why}" for piece in missing)


def _question(piece: Piece, apis: Apis) -> Question:
    options = (*(apis.title_of(flow) for flow in piece.offered), NONE_OF_THESE)
    return Question(QuestionKind.PIECE, piece.clause.text, {"says": piece.clause.text}, options)


def _chosen(piece: Piece, answers: Sequence[ModelAnswer], apis: Apis) -> Piece:
    answer = next((one for one in answers if one.subject == piece.clause.text), None)
    if answer is None:
        return Piece(piece.clause, piece.offered, why="nobody was there to choose")
    if not answer.agreed:
        return Piece(piece.clause, piece.offered, why=f"the model gave {fault_of(answer)}")
    flow = next((one for one in piece.offered if apis.title_of(one) == answer.agreed), None)
    clear = [one for one in piece.offered if apis.is_clear(piece.clause, one)]
    if len(clear) == 1 and flow is not clear[0]:
        why = f"the words say “{apis.title_of(clear[0])}”, and the model says “{answer.agreed}”"
        return Piece(piece.clause, piece.offered, why=why)
    return Piece(piece.clause, piece.offered, flow, "" if flow else "none of what there is does that, the model says")


def _in_order(
    sentence: str, pieces: list[Piece], asker: Asker, apis: Apis
) -> tuple[list[Piece], tuple[RecordedAnswer, ...]]:
    """The pieces as the sentence has them; where it joins two by a bare “and”, as the model says both times."""
    ordered, entries = list(pieces), list[RecordedAnswer]()
    for at in range(1, len(ordered)):
        first, second = ordered[at - 1], ordered[at]
        options = tuple(apis.title_of(piece.chosen) for piece in (first, second) if piece.chosen)
        if second.clause.is_ordered or options[0] == options[1]:
            continue
        subject = f"{first.clause.text}|{second.clause.text}"
        for answer in asker.ask([Question(QuestionKind.ORDER, subject, {"says": clean(sentence, 200)}, options)]):
            entries.append(RecordedAnswer(answer, fault_of(answer)))
            if answer.agreed == options[1]:
                ordered[at - 1], ordered[at] = second, first
    return ordered, tuple(entries)


def _made(
    sentence: str, pieces: list[Piece], entries: tuple[RecordedAnswer, ...], apis: Apis, answers: Sequence[ModelAnswer]
) -> AskOutcome:
    flows = [piece.chosen for piece in pieces if piece.chosen is not None]
    twice = next((flow for flow in flows if flows.count(flow) > 1 and _changing(flow)), None)
    if twice is not None:
        why = f"“{apis.title_of(twice)}” is wanted more than once: run it for each"
        return AskOutcome(sentence, tuple(pieces), refusal=why, entries=entries)
    names = list(dict.fromkeys(apis.api_of(flow).api.name for flow in flows))
    if len(names) > 1:
        why = f"this is of {' and '.join(names)}, and one workflow speaks to one device"
        return AskOutcome(sentence, tuple(pieces), refusal=why, entries=entries)
    api = apis.api_of(flows[0])
    exists = flows[0].id if len(flows) == 1 else apis.existing(flows)
    if exists:
        return AskOutcome(sentence, tuple(pieces), api, exists=exists, entries=entries)
    if not any(_changing(flow) for flow in flows):
        return AskOutcome(
            sentence, tuple(pieces), api, refusal="it changes nothing: run one after the other", entries=entries
        )
    left = "; ".join(note for piece in pieces for note in piece.clause.notes)
    mark = {"by": answers[0].model, "sentence": clean(sentence, 200), **({"left": clean(left, 300)} if left else {})}
    made = Composer(api).proved(flows, mark, sentence)
    if isinstance(made, CompositionRefusal):
        told = (made.detail,) if made.detail is not None else ()
        return AskOutcome(sentence, tuple(pieces), api, refusal=made.why, entries=entries, diagnostics=told)
    return AskOutcome(sentence, tuple(pieces), api, made, entries=entries)
