"""Names of things: which are unsure, what could be their name, and what becomes of a model's choice.

A name is unsure where the API's own words say it in more than one way, or cut short (`VirDomainNetDevice`). The choice
is among names made of structure alone (paths, schemas, abbreviations of the trade), never of prose. Nouns change names,
and through names the ids of flows; that they change nothing besides is shown by planning twice and comparing. Pure but
for the asking. Called by `compiler.proposing` before flows are planned. THREATS.md, B1 and B2.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from compiler.ir.model import Api, Flow, Resource
from compiler.ir.schemas import SharedSchemas
from compiler.passes.flows.context import address
from compiler.passes.names import words
from compiler.passes.names.paths import last_word, parameter_of, segments
from compiler.passes.sameness import are_same_but_for_names, differing
from compiler.proposer.proposer import Asker
from compiler.proposer.question import ModelAnswer, Question, QuestionKind, fault_of, misled, without_information
from compiler.proposer.record import RecordedAnswer
from compiler.proposer.vocabulary import ALIKE, CUT_SHORT, SOOTHING
from compiler.proposer.wording import fault_of_noun, identifiers, path_words, phrase_in, words_of
from workflow.profiles.profile import Profile

MOST_ASKED = 24
_MOST_OPTIONS = 4
_MEMBERS = 6
_ACTIONS = 4
_SHARE = 0.1  # of the deadline; by sentences more is found than by a better name
_ROUNDS = 4  # nouns that change a plan are found in one or two
# What everybody who reads would say, of things that no API has.
KNOWN = (
    Question(QuestionKind.NOUN, "known /LibUsr/{id}", {"path": "/LibUsr/{id}", "members": ["card", "loans"]},
             ("lib usr", "library user", "usr of lib"), "library user"),
    Question(QuestionKind.NOUN, "known /PkgSvc/{id}", {"path": "/PkgSvc/{id}", "members": ["parcels", "driver"]},
             ("package service", "pkg svc", "svc pkg"), "package service"),
)  # fmt: skip
# Words of paths that say nothing about the thing.
_EMPTY_WORDS = frozenset({"id", "uuid", "guid", "name", "key", "api", "rest", "oem", "actions", "links", "v"})
_OF_FORMS = re.compile(r" (?:dto|model|object|item|response|resource|schema|type|entity|collection|view|info|v \d+)$")
_VERBS_ALL = words.READING | words.DESTROYING | words.DISRUPTING | words.MAKING


@dataclass(frozen=True, slots=True)
class JudgedNouns:
    """The API with the names that were accepted, and all answers with their verdicts."""

    api: Api
    entries: tuple[RecordedAnswer, ...]


def about(api: Api, profile: Profile) -> list[Question]:
    """Things of unsure names that no person has named, those with the most operations first."""
    schemas = SharedSchemas(api.schemas)
    taken = {form for r in api.resources for form in _snakes(r.name)}
    free = [r for r in api.resources if address(r) and not is_settled(r, profile)]
    asked = (_question(r, schemas, taken) for r in sorted(free, key=lambda r: (-_size(r), address(r))))
    unsure = [question for question in asked if len(question.options) > 1][:MOST_ASKED]
    return [*KNOWN, *unsure] if unsure else []


def asked(api: Api, profile: Profile, asker: Asker) -> list[ModelAnswer]:
    """The answers; of whoever is wrong about what is known, those alone."""
    questions = about(api, profile)
    known = questions[: len(KNOWN)]
    answers = asker.ask(known)
    return answers if misled(answers, known) else [*answers, *asker.ask(questions[len(known) :], _SHARE)]


def is_settled(resource: Resource, profile: Profile) -> bool:
    """True when a person has chosen the name, or names a workflow by an id in which the name stands."""
    if resource.noun in profile.vocabulary:
        return True
    chosen = profile.overrides
    ids = (*chosen.rename, *chosen.rename.values(), *chosen.exclude, *chosen.pin, *(one.id for one in chosen.compose))
    name = words.snake(resource.name)
    forms = {name, words.snake(words.plural(resource.name)), words.plural(name), words.singular(name)}
    return any(f"_{form}_" in f"_{words.snake(flow_id)}_" for flow_id in ids for form in forms)


def _size(resource: Resource) -> int:
    own = (resource.list, resource.read, resource.create, resource.update, resource.delete)
    return sum(1 for key in own if key) + len(resource.actions)


def _question(resource: Resource, schemas: SharedSchemas, taken: set[str]) -> Question:
    facts = {
        "path": path_words(address(resource)),
        "members": identifiers(schemas.members(resource.schema), _MEMBERS),
        "actions": identifiers((last_word(key.partition(" ")[2]) for key in resource.actions), _ACTIONS),
    }
    fitting = dict.fromkeys(
        name
        for name in names_for(resource, schemas)
        if name == resource.name or not _fault_of_name(resource, name, taken)
    )
    return Question(QuestionKind.NOUN, address(resource), facts, tuple(fitting)[:_MOST_OPTIONS])


def names_for(resource: Resource, schemas: SharedSchemas) -> Iterator[str]:
    """What the thing may be called, the present name first."""
    yield resource.name
    schema = _OF_FORMS.sub("", words.spoken(words.singular(schemas.component(resource.schema) or "")).lower())
    for name in (resource.name, schema):
        whole = " ".join(CUT_SHORT.get(word, word) for word in name.split())
        if name:
            yield from (whole, name)
        if len(whole.split()) > 2:  # `virtual domain network device`: its end may say it all
            yield " ".join(whole.split()[-2:])


def judge(api: Api, profile: Profile, answers: Sequence[ModelAnswer], plan: Callable[[Api], Api]) -> JudgedNouns:
    """Resources renamed where the name is plain, recognisable, free, and changes nothing but names.

    `plan`: the rest of the passes, from an API with resources to one with flows; it is called once for the names as
    they are and at least once for the new ones, unless nothing was proposed.
    """
    by_address = {address(r): r for r in api.resources}
    taken = {form for r in api.resources for form in _snakes(r.name)}
    nothing = misled(answers, KNOWN) or without_information(answers)
    own = [one for one in answers if one.subject in by_address]
    entries = [
        RecordedAnswer(one, nothing or _fault_of_others(one)) for one in answers if one.subject not in by_address
    ]
    places = {place: number for number, place in enumerate(by_address)}  # the order of answers decides nothing
    for one in sorted(own, key=lambda a: places[a.subject]):
        resource = by_address[one.subject]
        fault = nothing or fault_of(one) or _fault_of_choice(resource, profile, one, taken)
        if not fault:
            taken |= _snakes(one.agreed)
        entries.append(RecordedAnswer(one, fault))
    return _without_side_effects(api, entries, plan)


def _fault_of_others(one: ModelAnswer) -> str:
    is_known = any(question.subject == one.subject for question in KNOWN)
    return fault_of(one) if is_known else "nothing of that name was asked about"


def _fault_of_choice(resource: Resource, profile: Profile, one: ModelAnswer, taken: set[str]) -> str:
    if is_settled(resource, profile):
        return "a person has named it"
    return "" if one.agreed == resource.name else _fault_of_name(resource, one.agreed, taken)


def forms_of(name: str) -> tuple[str, ...]:
    return name, words.plural(name), words.singular(name)


def _snakes(name: str) -> set[str]:
    return {words.snake(form) for form in forms_of(name)}


def _fault_of_name(resource: Resource, name: str, taken: set[str]) -> str:
    own = _own_words(resource)
    fault = fault_of_noun(name, frozenset(own))
    if fault:
        return fault
    said = words_of(name)
    verb = next((word for word in said if word in _VERBS_ALL and word not in own), "")
    if verb:
        return f"“{verb}” says what is done, not what it is"
    judging = phrase_in(name, (phrase for phrase in SOOTHING if phrase not in own))
    if judging:
        return f"“{judging}” is a judgement, not a name"
    if _snakes(name) & (taken - _snakes(resource.name)):
        return "another thing is called so"
    is_known = any(_is_alike(word, mine) for word in said for mine in own)
    return "" if is_known else "not recognisable: it shares no word with the API's own"


def _own_words(resource: Resource) -> set[str]:
    """The words of the resource's path, parameter and name: structure, never prose."""
    path = [part for part in segments(address(resource)) if not parameter_of(part)]
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


def _without_side_effects(api: Api, entries: list[RecordedAnswer], plan: Callable[[Api], Api]) -> JudgedNouns:
    """The nouns that leave every flow as it is; what touches a flow that changed is refused, in the end all are."""
    before = plan(api) if any(_renames(api, e) for e in entries) else api
    for _ in range(_ROUNDS):
        renamed = _renamed(api, entries)
        if renamed is api:
            return JudgedNouns(api, tuple(entries))
        after = plan(renamed)
        if are_same_but_for_names(before, after):
            return JudgedNouns(renamed, tuple(entries))
        entries = _without_touching(api, entries, differing(before, after))
    return JudgedNouns(api, tuple(_refuse(entry, "would change a workflow") for entry in entries))


def _renames(api: Api, entry: RecordedAnswer) -> bool:
    names = {address(r): r.name for r in api.resources}
    return entry.is_accepted and names.get(entry.answer.subject, entry.answer.agreed) != entry.answer.agreed


def _renamed(api: Api, entries: Sequence[RecordedAnswer]) -> Api:
    new = {e.answer.subject: e.answer.agreed for e in entries if _renames(api, e)}
    if not new:
        return api
    return replace(api, resources=tuple(replace(r, name=new.get(address(r), r.name)) for r in api.resources))


def _refuse(entry: RecordedAnswer, reason: str) -> RecordedAnswer:
    return replace(entry, reason=entry.reason or reason)


def _without_touching(api: Api, entries: list[RecordedAnswer], odd: tuple[Flow, ...]) -> list[RecordedAnswer]:
    """Without the nouns of resources that the odd flows go through; with none of those, without any."""
    touched = {step.operation for flow in odd for step in flow.steps}
    through = {address(r) for r in api.resources if touched & {r.list, r.read, r.create, r.update, r.delete}}
    through |= {address(r) for r in api.resources if touched & set(r.actions)}
    guilty = [e for e in entries if e.is_accepted and e.answer.subject in through]
    return [_refuse(e, "would change a workflow") if e in guilty or not guilty else e for e in entries]
