"""How much of an API is about a thing: what `ranking` weighs flows by. Pure counts over the description.

A thing matters by its operations, by how many others stand below it or name it in their bodies (`device`, `device_id`;
where no body says anything, in their queries), and by whether it is started and stopped. What nearly everything stands
below (`/namespaces/{namespace}/…`) is a scope: it takes nobody further from daily work. A list and its items that stand
apart are one thing; how a thing is (`stats`) matters nearly as it does.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log

from compiler.ir.model import Operation, Resource
from compiler.ir.schemas import SharedSchemas
from compiler.passes.flows.context import Context, address
from compiler.passes.names import words
from compiler.passes.names.paths import last_word, parameter_of, prefixes, segments, shape, stands_for_list
from workflow.risks import Risk

_OF_IDENTITY = frozenset({"id", "ids", "uuid", "name", "slug", "ref", "key"})
_BY_OPERATIONS, _BY_NAMING, _BY_REFERRING, _BY_LIFE = 0.3, 0.25, 0.25, 0.2
_OF_OWN_RECORDS = 0.8
_TELLING = frozenset(
    ("log", "stat", "metric", "status", "health", "state", "sensor", "usage", "df", "statfs", "capacity", "performance")
)  # how a thing is
_OF_THE_WHOLE = 0.6  # how the whole is, without anything above it, and what is wrong with it
_MOST_OF_THE_WHOLE = 3  # records of how the whole is: further ones are about a part of it
_BY_PLACE, _LESS_EACH = 0.5, 0.1  # of the importance; how much less the next thing counts than the one before
_WRONG = frozenset({"alert", "alarm", "incident", "fault"})
_OF_STATE = frozenset({"status", "state", "phase", "health"})
_MOST_ON_PLACE = 0.5  # of all operations: what stands below one place is not deep
_NEARLY_ALL = 0.75
_DIVIDING = frozenset(
    ("namespace", "realm", "tenant", "project", "organization", "org", "account", "workspace", "customer", "domain")
)  # what divides the things of one from those of another


@dataclass(frozen=True, slots=True)
class Weights:
    """`importance` by a resource's address, from 0 to 1; `depth` below what nearly everything stands below."""

    importance: Mapping[str, float]
    depth: Mapping[str, float]


def weights_of(context: Context) -> Weights:
    resources = [r for r in context.api.resources if _operations(r)]
    shares = _shares(context.paths)
    scope = _scope(shares)
    by_size = _parts({address(r): float(len(_operations(r))) for r in resources})
    named = _parts(_named(context, resources, scope))
    referring = _parts(_referring(context, resources))
    importance = {
        place: _BY_OPERATIONS * by_size[place] + _BY_NAMING * named[place] + _BY_REFERRING * referring[place]
        for place in by_size
    }
    for resource in resources:
        if _lives(context, resource):
            importance[address(resource)] += _BY_LIFE
    importance = _by_place(resources, _shared(resources, importance))
    return Weights(importance, {address(r): _depth(r, shares) for r in resources})


def _by_place(resources: Iterable[Resource], importance: Mapping[str, float]) -> dict[str, float]:
    """Half by how much there is to a thing, half by its place among the things: daily work is about a few of them."""
    nouns = {address(r): r.noun for r in resources}
    ordered = list(dict.fromkeys(nouns[place] for place in sorted(importance, key=lambda p: (-importance[p], p))))
    places = {noun: place for place, noun in enumerate(ordered)}
    parts = _parts(importance)
    return {at: (1 - _BY_PLACE) * part + _BY_PLACE / (1 + _LESS_EACH * places[nouns[at]]) for at, part in parts.items()}


def _parts(counted: Mapping[str, float]) -> dict[str, float]:
    """Each as a part of the most."""
    most = max(counted.values(), default=0.0) or 1.0
    return {place: count / most for place, count in counted.items()}


def _named(context: Context, resources: Iterable[Resource], scope: str) -> dict[str, float]:
    """How many name it in their bodies or stand below it. What is one record has no name, and a scope is in all."""
    naming = _naming(context)
    below = _below(resources)
    return {
        address(r): log(1 + naming.get(_key(r.noun), 0) + below.get(shape(r.item), 0))
        if (r.id_parameter or r.list) and shape(r.item) != shape(scope)
        else 0.0
        for r in resources
    }


def _referring(context: Context, resources: Iterable[Resource]) -> dict[str, float]:
    """How many other things a new one names: what is worked with names much, what only sorts others names little."""
    nouns = {_key(r.noun) for r in resources}
    return {
        address(r): log(
            1 + len((_keys_of_body(context, r.create) | _keys_of_body(context, r.update)) & nouns - {_key(r.noun)})
        )
        for r in resources
    }


def _keys_of_body(context: Context, operation: str) -> set[str]:
    found = context.operations.get(operation)
    return {_key(name) for name in _members(context.schemas, found)} if found is not None else set()


def _lives(context: Context, resource: Resource) -> bool:
    """Whether it is started and stopped, or shows the state that it is in."""
    if not (resource.id_parameter or resource.list):
        return False
    actions = (context.operations[key] for key in resource.actions if key in context.operations)
    if any(action.risk is Risk.DISRUPT for action in actions):
        return True
    members = context.schemas.members(resource.schema) if resource.id_parameter else {}
    return any(words.split(name)[-1:] and words.split(name)[-1] in _OF_STATE for name in members)


def _shared(resources: Sequence[Resource], importance: Mapping[str, float]) -> dict[str, float]:
    """A list and its items that stand apart are one thing; how a thing is matters nearly as it does."""
    whole = [r for r in resources if tells(r) and not r.parent]
    whole = sorted(whole, key=lambda r: (len(segments(r.item or r.collection)), address(r)))[:_MOST_OF_THE_WHOLE]
    by_noun: dict[str, list[Resource]] = {}
    for r in resources:
        by_noun.setdefault(r.noun, []).append(r)
    return {
        address(r): max(
            max(importance[address(o)] for o in by_noun[r.noun] if o is r or _is_part_of(r, o) or _is_same(r, o)),
            _OF_THE_WHOLE if r in whole else _by_telling(r, importance),
        )
        for r in resources
    }


def _by_telling(resource: Resource, importance: Mapping[str, float]) -> float:
    """How a thing is matters nearly as it does; what is wrong with any of them is asked for daily."""
    if resource.list and words.singular(_last_word(resource)) in _WRONG:
        return _OF_THE_WHOLE
    return _OF_OWN_RECORDS * importance.get(resource.parent, 0.0) if tells(resource) else 0.0


def _is_part_of(one: Resource, other: Resource) -> bool:
    """`/pods` and `/containers/json` stand for what `/namespaces/{}/pods/{}` and `/containers/{}` are."""
    said = [part for part in segments(one.collection or one.item) if "{" not in part]
    if stands_for_list(one.collection or one.item):
        said = said[:-1]
    return set(said) <= {part for part in segments(other.collection or other.item) if "{" not in part}


def _is_same(one: Resource, other: Resource) -> bool:
    """`/user/repos` lists, of one schema, what stands at `/repos/{owner}/{repo}`."""
    is_shared = "$ref" in one.schema and one.schema.get("$ref") == other.schema.get("$ref")
    return is_shared and not one.id_parameter and bool(other.id_parameter) and "{" not in one.collection


def tells(resource: Resource) -> bool:
    """Whether it is a record of how something is: `stats`, `seal-status`."""
    return not resource.id_parameter and is_telling(resource.noun)


def is_telling(noun: str) -> bool:
    """Whether what is called so says how something is."""
    return words.singular((words.split(noun) or ("",))[-1]) in _TELLING


def _last_word(resource: Resource) -> str:
    return (words.split(resource.noun) or ("",))[-1]


def _below(resources: Iterable[Resource]) -> Counter[str]:
    """How many collections stand below each item, by its shape."""
    places = [shape(r.collection) for r in resources if r.collection]
    return Counter(
        p for place in places for p in prefixes(place) if parameter_of(p.rpartition("/")[2]) or "{}" in p[-2:]
    )


def _operations(resource: Resource) -> tuple[str, ...]:
    own = (resource.list, resource.read, resource.create, resource.update, resource.delete)
    return (*(key for key in own if key), *resource.actions)


def _naming(context: Context) -> Counter[str]:
    """How many operations have a member of the body of a thing's name, by its plain key; else a query parameter."""
    known = context.api.operations
    bodies = Counter(_key(name) for operation in known for name in _members(context.schemas, operation))
    return bodies or Counter(_key(p.name) for o in known for p in o.parameters if p.location == "query")


def _members(schemas: SharedSchemas, operation: Operation) -> tuple[str, ...]:
    schema = operation.body.schema if operation.body else None
    return tuple(schemas.members(schemas.element(schema) or schema))


def _key(name: str) -> str:
    said = words.split(name)
    while len(said) > 1 and said[-1] in _OF_IDENTITY:
        said = said[:-1]
    return "".join((*said[:-1], words.singular(said[-1]))) if said else ""


def _shares(paths: Iterable[str]) -> Mapping[str, float]:
    """By an item's address, which part of all operations stands below it."""
    known = list(paths)
    below: Counter[str] = Counter(p for path in known for p in prefixes(shape(path)) if p.endswith("{}"))
    return {place: count / len(known) for place, count in below.items()}


def _scope(shares: Mapping[str, float]) -> str:
    """The longest item that nearly all operations stand below, or most and it is called so; "" where there is none."""
    most = [place for place, share in shares.items() if share >= (_MOST_ON_PLACE if _divides(place) else _NEARLY_ALL)]
    return max(most, key=len, default="")


def _divides(place: str) -> bool:
    """Whether an address names what parts the things of one from those of another: a tenant, a namespace."""
    return words.singular(last_word(place)).lower() in _DIVIDING


def _depth(resource: Resource, shares: Mapping[str, float]) -> float:
    """How many things stand above it; how a thing is stands where the thing does. What much of the API stands below
    is a step that everybody takes.
    """
    place = shape(resource.collection or resource.item)
    above = [p for p in prefixes(f"{place}/-") if p.endswith("{}") and not _goes_on(place, p)]
    if (resource.id_parameter and not resource.collection) or tells(resource):
        above = above[1:]
    return sum(1 - min(1.0, shares.get(p, 0.0) / _MOST_ON_PLACE) for p in above)


def _goes_on(place: str, item: str) -> bool:
    """Whether the next segment names the same thing further: `/repos/{owner}` of `/repos/{owner}/{repo}`."""
    return place.startswith(f"{item}/{{}}")
