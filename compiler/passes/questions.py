"""What a model is asked about an API: which subjects, and the facts it is told of each.

For nouns and ranks only structure is told (paths, names of members, classes), so that no sentence of a description
can reach names and order. For texts the description's own short words are told too, cleaned and cut. Pure and in a
fixed order; nothing is asked that a person has decided in the profile. Called by the pipeline before it asks a
proposer; the answers are judged in `proposals`.
"""

from collections.abc import Iterable

from compiler.ir.model import Api, Flow, Operation, Resource, Risk
from compiler.ir.schemas import Schemas
from compiler.passes import words
from compiler.passes.paths import last_word
from compiler.proposer.proposal import Item, Kind, Question
from compiler.proposer.wording import clean, identifiers, path_words
from workflow.profile import Profile

# A local model answers thirty items in about a minute: what is asked has to fit into ten.
MOST_NOUNS = 120
MOST_RANKS = 120  # four times what the default catalog takes
MOST_TEXTS = 60  # twice what the default catalog takes
_MEMBERS = 8
_ACTIONS = 6
_STEPS = 8
_WORDS = 200  # characters of a description's own words


def address_of(resource: Resource) -> str:
    """The path that names a resource: the item's, else the collection's."""
    return resource.item or resource.collection


def is_settled(resource: Resource, profile: Profile) -> bool:
    """True when a person has chosen the name, or names a workflow by an id in which the name stands."""
    if resource.noun in profile.vocabulary:
        return True
    chosen = profile.overrides
    ids = (*chosen.rename, *chosen.rename.values(), *chosen.exclude, *chosen.pin, *(one.id for one in chosen.compose))
    name = words.snake(resource.name)
    forms = {name, words.snake(words.plural(resource.name)), words.plural(name), words.singular(name)}
    return any(f"_{form}_" in f"_{words.snake(flow_id)}_" for flow_id in ids for form in forms)


def about_nouns(api: Api, profile: Profile) -> Question:
    """All resources that nobody has named, those with the most operations when there are too many."""
    free = [r for r in api.resources if address_of(r) and not is_settled(r, profile)]
    kept = {address_of(r) for r in sorted(free, key=lambda r: (-_size(r), address_of(r)))[:MOST_NOUNS]}
    schemas = Schemas(api.schemas)
    return Question(Kind.NOUNS, tuple(_noun_item(r, schemas) for r in free if address_of(r) in kept))


def _size(resource: Resource) -> int:
    own = (resource.list, resource.read, resource.create, resource.update, resource.delete)
    return sum(1 for key in own if key) + len(resource.actions)


def _noun_item(resource: Resource, schemas: Schemas) -> Item:
    members = identifiers(schemas.members(resource.schema), _MEMBERS)
    actions = identifiers((last_word(key.partition(" ")[2]) for key in resource.actions), _ACTIONS)
    facts = {"path": path_words(address_of(resource)), "present": clean(resource.name, 40), "members": members}
    return Item(address_of(resource), {**facts, "actions": actions})


def about_ranks(api: Api, profile: Profile) -> Question:
    """The flows that the planner ranks highest; pins are a person's word and are not asked about."""
    pins = set(profile.overrides.pin)
    asked = _highest((flow for flow in api.flows if flow.id not in pins), MOST_RANKS)
    return Question(Kind.RANKS, tuple(Item(flow.id, _structure(flow)) for flow in asked))


def about_texts(api: Api) -> Question:
    """The flows that the planner ranks highest, with the description's own words for what they do."""
    operations = {operation.key: operation for operation in api.operations}
    asked = _highest(api.flows, MOST_TEXTS)
    return Question(Kind.TEXTS, tuple(Item(flow.id, _text_facts(api, flow, operations[flow.goal])) for flow in asked))


def _highest(flows: Iterable[Flow], most: int) -> list[Flow]:
    """The `most` highest, in the order of their ids: a rank that moves a little changes no batch."""
    return sorted(sorted(flows, key=lambda f: (-f.rank, f.id))[:most], key=lambda f: f.id)


def _structure(flow: Flow) -> dict[str, str]:
    return {"title": clean(flow.title, 80), "intent": flow.intent, "class": flow.risk.value}


def _text_facts(api: Api, flow: Flow, goal: Operation) -> dict[str, object]:
    steps = [f"{step.role.value} {_shown_key(step.operation)}" for step in flow.steps[:_STEPS]]
    inputs = identifiers((given.name for given in flow.inputs if given.shown), _MEMBERS)
    facts: dict[str, object] = {**_structure(flow), "nouns": sorted(names_of(api, flow)), "steps": steps}
    own = {"summary": clean(goal.summary, _WORDS), "description": clean(goal.description, _WORDS)}
    present = clean(flow.description, 2 * _WORDS)
    return {**facts, "inputs": inputs, "present": present, "from_vendor": own}


def _shown_key(key: str) -> str:
    method, _, path = key.partition(" ")
    return f"{method} {path_words(path)}"


def names_of(api: Api, flow: Flow) -> set[str]:
    """What the flow's thing is called: the names of the resources of its noun that stand in its title, else of all."""
    names = {r.name for r in api.resources if r.noun == flow.resource} or {words.spoken(flow.resource)}
    said = f" {words.snake(flow.title)} ".replace("_", " ")
    told = {n for n in names if any(f" {words.snake(form).replace('_', ' ')} " in said for form in forms_of(n))}
    return told or names


def forms_of(name: str) -> tuple[str, ...]:
    return name, words.plural(name), words.singular(name)


def is_dangerous(flow: Flow) -> bool:
    return flow.risk in (Risk.DISRUPT, Risk.DESTROY)
