"""The judge of proposals: every answer of a model is hostile until it has passed here.

A proposal can change a noun, a title, a description, a rank: nothing else is read from it. Nouns change names, and
through names the ids of flows; that they change nothing besides is shown by planning twice and comparing. Pure:
`run`-like in what it takes and gives, with answers beside the API; every answer comes back as an entry with its
verdict, for the lock file. Called by the pipeline: nouns before jobs, links and flows; ranks and texts after flows.
THREATS.md, B1 and B2; the words it judges with are data in `compiler.proposer.vocabulary`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from compiler.ir.model import Api, Flow, Resource, Risk
from compiler.passes import words
from compiler.passes.flows import texts
from compiler.passes.paths import parameter_of, segments
from compiler.passes.questions import address_of, forms_of, is_dangerous, is_settled, names_of
from compiler.passes.sameness import are_same_but_for_names, differing
from compiler.proposer.proposal import Entry, Kind, Proposal
from compiler.proposer.vocabulary import ALIKE, SOOTHING, SOOTHING_DANGER, VERBS
from compiler.proposer.wording import (
    MAX_DESCRIPTION_WORDS,
    fault_of_description,
    fault_of_noun,
    fault_of_title,
    phrase_in,
    plain_typography,
    words_of,
)
from workflow.profile import Profile

HIGHEST = 0.99  # only a person's pin is 1
# Words of paths that say nothing about the thing.
_EMPTY_WORDS = frozenset({"id", "uuid", "guid", "name", "key", "api", "rest", "oem", "actions", "links", "v"})
_VERBS_ALL = words.READING | words.DESTROYING | words.DISRUPTING | words.MAKING
_DESTROYING_FORMS = words.DESTROYING | {f"{verb}s" for verb in words.DESTROYING}
_SOOTHING_ALL = (*SOOTHING, *SOOTHING_DANGER)
_NO_SUBJECT = "nothing of that name was asked about"
_ROUNDS = 4  # nouns that change a plan are found in one or two


@dataclass(frozen=True, slots=True)
class Judgement:
    """The API with what was accepted, and all answers with their verdicts, in the API's order."""

    api: Api
    entries: tuple[Entry, ...]

    @property
    def accepted(self) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.is_accepted)

    @property
    def rejected(self) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if not entry.is_accepted)


def _in_order(
    proposals: Iterable[Proposal], kind: Kind, subjects: Sequence[str]
) -> tuple[list[Proposal], tuple[Entry, ...]]:
    """One proposal a known subject, in the subjects' order; the others refused. The order of answers decides nothing:
    of two answers about one subject none counts."""
    given: dict[str, list[Proposal]] = {}
    for one in proposals:
        given.setdefault(one.subject if one.kind is kind else "", []).append(one)
    known = set(subjects)
    single = [given[s][0] for s in dict.fromkeys(subjects) if len(given.get(s, ())) == 1]
    twice = [Entry(given[s][0], "several answers about one subject") for s in known & set(given) if len(given[s]) > 1]
    others = [Entry(given[s][0], _NO_SUBJECT) for s in sorted(set(given) - known) if s]
    return single, (*sorted(twice, key=lambda e: e.proposal.subject), *others)


# Nouns


def judge_nouns(api: Api, profile: Profile, proposals: Iterable[Proposal], plan: Callable[[Api], Api]) -> Judgement:
    """Resources renamed where the name is plain, recognisable, free, and changes nothing but names.

    `plan`: the rest of the passes, from an API with resources to one with flows; it is called once for the names as
    they are and at least once for the new ones, unless nothing was proposed.
    """
    by_address = {address_of(r): r for r in api.resources}
    ordered, refused = _in_order(proposals, Kind.NOUNS, list(by_address))
    taken = {form for r in api.resources for form in _snakes(r.name)}
    entries: list[Entry] = []
    for one in ordered:
        entry = Entry(one, _fault_of_name(by_address[one.subject], profile, one.value, taken))
        if entry.is_accepted:
            taken |= set(_snakes(one.value))
        entries.append(entry)
    return _without_side_effects(api, entries, refused, plan)


def _snakes(name: str) -> set[str]:
    return {words.snake(form) for form in forms_of(name)}


def _fault_of_name(resource: Resource, profile: Profile, name: Any, taken: set[str]) -> str:
    if not isinstance(name, str):
        return "no text"
    if is_settled(resource, profile):
        return "a person has named it"
    own = _own_words(resource)
    fault = fault_of_noun(name, frozenset(own))
    if fault:
        return fault
    said = words_of(name)
    verb = next((word for word in said if word in _VERBS_ALL and word not in own), "")
    if verb:
        return f"“{verb}” says what is done, not what it is"
    judging = phrase_in(name, (phrase for phrase in _SOOTHING_ALL if phrase not in own))
    if judging:
        return f"“{judging}” is a judgement, not a name"
    if _snakes(name) & (taken - _snakes(resource.name)):
        return "another thing is called so"
    is_known = any(_is_alike(word, mine) for word in said for mine in own)
    return "" if is_known else "not recognisable: it shares no word with the API's own"


def _own_words(resource: Resource) -> set[str]:
    """The words of the resource's path, parameter and name: structure, never prose."""
    path = [part for part in segments(address_of(resource)) if not parameter_of(part)]
    said = [word for part in (*path, resource.id_parameter, resource.name) for word in words.split(part)]
    telling = [word for word in said if word.isalpha() and word not in _EMPTY_WORDS]
    return {*telling, *(words.singular(word) for word in telling)}


def _is_alike(word: str, own: str) -> bool:
    """Equal, one the start of the other, or used for one another in the trade."""
    short, long = sorted((word, own), key=len)
    if word == own or (len(short) >= 3 and long.startswith(short)):
        return True
    forms = {word, words.singular(word)}
    return any(own in group and forms & group for group in ALIKE)


def _without_side_effects(
    api: Api, entries: list[Entry], refused: tuple[Entry, ...], plan: Callable[[Api], Api]
) -> Judgement:
    """The nouns that leave every flow as it is; what touches a flow that changed is refused, in the end all are."""
    before = plan(api) if any(_renames(api, e) for e in entries) else api
    for _ in range(_ROUNDS):
        renamed = _renamed(api, entries)
        if renamed is api:
            return Judgement(api, (*entries, *refused))
        after = plan(renamed)
        if are_same_but_for_names(before, after):
            return Judgement(renamed, (*entries, *refused))
        entries = _without_touching(api, entries, differing(before, after))
    return Judgement(api, (*[_refuse(entry, "would change a workflow") for entry in entries], *refused))


def _renames(api: Api, entry: Entry) -> bool:
    names = {address_of(r): r.name for r in api.resources}
    return entry.is_accepted and names.get(entry.proposal.subject) != entry.proposal.value


def _renamed(api: Api, entries: Sequence[Entry]) -> Api:
    new = {e.proposal.subject: e.proposal.value for e in entries if _renames(api, e)}
    if not new:
        return api
    return replace(api, resources=tuple(replace(r, name=new.get(address_of(r), r.name)) for r in api.resources))


def _refuse(entry: Entry, reason: str) -> Entry:
    return replace(entry, reason=entry.reason or reason)


def _without_touching(api: Api, entries: list[Entry], odd: tuple[Flow, ...]) -> list[Entry]:
    """Without the nouns of resources that the odd flows go through; with none of those, without any."""
    touched = {step.operation for flow in odd for step in flow.steps}
    through = {address_of(r) for r in api.resources if touched & {r.list, r.read, r.create, r.update, r.delete}}
    through |= {address_of(r) for r in api.resources if touched & set(r.actions)}
    guilty = [e for e in entries if e.is_accepted and e.proposal.subject in through]
    return [_refuse(e, "would change a workflow") if e in guilty or not guilty else e for e in entries]


# Ranks


def judge_ranks(api: Api, profile: Profile, proposals: Iterable[Proposal]) -> Judgement:
    """Flows ranked anew; a pin stays what a person made it, and what destroys never rises."""
    flows = {flow.id: flow for flow in api.flows}
    ordered, refused = _in_order(proposals, Kind.RANKS, list(flows))
    pins = frozenset(profile.overrides.pin)
    entries = [Entry(one, _fault_of_rank(flows[one.subject], pins, one.value)) for one in ordered]
    new = {e.proposal.subject: _rank(flows[e.proposal.subject], e.proposal.value) for e in entries if e.is_accepted}
    ranked = tuple(replace(flow, rank=new.get(flow.id, flow.rank)) for flow in api.flows)
    return Judgement(replace(api, flows=ranked), (*entries, *refused))


def _fault_of_rank(flow: Flow, pins: frozenset[str], value: Any) -> str:
    if flow.id in pins:
        return "a person has pinned it"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "no number"
    return "" if 0 <= value <= 1 else "not between 0 and 1"


def _rank(flow: Flow, value: float) -> float:
    highest = min(HIGHEST, flow.rank) if flow.risk is Risk.DESTROY else HIGHEST
    return round(min(highest, float(value)), 4)


# Texts


def judge_texts(api: Api, proposals: Iterable[Proposal]) -> Judgement:
    """Flows with new titles and descriptions, where these are plain, about the flow's thing, and true to its class."""
    flows = {flow.id: flow for flow in api.flows}
    ordered, refused = _in_order(proposals, Kind.TEXTS, list(flows))
    entries = [
        Entry(one, _fault_of_texts(flows[one.subject], names_of(api, flows[one.subject]), one)) for one in ordered
    ]
    new = {e.proposal.subject: e.proposal.value for e in entries if e.is_accepted}
    told = tuple(_with_texts(flow, new[flow.id]) if flow.id in new else flow for flow in api.flows)
    return Judgement(replace(api, flows=told), (*entries, *refused))


def _fault_of_texts(flow: Flow, names: set[str], one: Proposal) -> str:
    value = one.value
    if not isinstance(value, Mapping) or not all(isinstance(value.get(key), str) for key in ("title", "description")):
        return "no title and description"
    title, description = plain_typography(value["title"]), plain_typography(value["description"])
    # The planner's title is made of the API's own words; “skip” may be said of an action called so.
    own = frozenset(word for told in (*names, flow.title) for word in words_of(told))
    most = MAX_DESCRIPTION_WORDS - len(risk_sentence(flow).split())
    return (
        fault_of_title(title, own)
        or fault_of_description(description, most, own)
        or _fault_of_subject(flow, names, title, description)
        or _fault_of_class(flow, own, f"{title}. {description}")
    )


def _fault_of_subject(flow: Flow, names: set[str], title: str, description: str) -> str:
    """Both name the thing, and say the planner's verb first: what is done is not the model's to choose."""
    for what, text in (("title", title), ("description", description)):
        if not any(phrase_in(text, (" ".join(words_of(form)),)) for name in names for form in forms_of(name)):
            return f"the {what} does not name the thing"
        start = words_of(text)[:1]
        if not any(_is_form_of(word, verb) for word in start for verb in _verbs(flow)):
            return f"the {what} does not start with what is done"
    return ""


def _verbs(flow: Flow) -> tuple[str, ...]:
    """The verb of the planner's title, and for the usual intents the words that mean the same.

    Never one of the planner's description, which may quote the vendor's prose.
    """
    return (*words_of(flow.title)[:1], *VERBS.get(flow.intent, ()))


def _is_form_of(word: str, verb: str) -> bool:
    """`deletes`, `deleting`, `stopped`: the verb, or it with an ending."""
    stem = verb[:-1] if len(verb) > 3 and verb[-1] in "ey" else verb
    return word == verb or (word.startswith(stem) and len(word) - len(stem) <= 4)


def _fault_of_class(flow: Flow, own: frozenset[str], text: str) -> str:
    if flow.risk is Risk.READ:
        planned = frozenset(words_of(flow.title))
        forbidden: Iterable[str] = _DESTROYING_FORMS - planned
    else:
        forbidden = _SOOTHING_ALL if is_dangerous(flow) else SOOTHING
    found = phrase_in(text, (phrase for phrase in sorted(forbidden) if phrase not in own))
    return f"“{found}” contradicts the class {flow.risk.value}" if found else ""


def risk_sentence(flow: Flow) -> str:
    """The planner's sentence for the flow's class, "" where the class has none."""
    said = texts.describe((), flow.risk)
    return said if flow.risk is not Risk.READ or said in flow.description else ""


def _with_texts(flow: Flow, value: Mapping[str, str]) -> Flow:
    description = plain_typography(value["description"])
    if not description.endswith("."):
        description = description.rstrip(" ,;:") + "."
    sentence = risk_sentence(flow)
    # Only a sentence of its own at the end counts: inside another one it may be denied.
    if sentence and not description.endswith(f". {sentence}"):
        description = f"{description} {sentence}"
    return replace(flow, title=plain_typography(value["title"]), description=description)
