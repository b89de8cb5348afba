"""Which optional inputs people use: those that a list of tools shows, judged by what the description itself gives away.

Evidence, best first: the name by which people know a thing; what the description's own example has; what its summary
speaks of; what other operations require; English words that everybody sets; last, the description's order. All others
are accepted as well, and stand in the full schema. Called by `bodies`, and by `changes` for query parameters.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any

from compiler.ir.model import Api, ApiParameter, Operation, Resource
from compiler.ir.schemas import SharedSchemas
from compiler.passes.flows.wording import linter as wording
from compiler.passes.identity import is_server_made, says_id
from compiler.passes.names import words
from compiler.passes.names.words import singular, split

MOST_OPTIONAL = 6  # optional members of a body that the small schema shows; the full one has all
MOST_STRUCTURES = 3  # objects, where a body has hardly anything else to say
MOST_FILTERS = 3  # optional query parameters
_FAMILIAR = (
    frozenset({"value", "password", "path", "email", "size", "type", "temporary"}),
    frozenset({"enabled", "description", "state", "address", "url", "host", "visibility", "protocol"}),
)  # best first; English habits, no API's own words
_SEARCHED = frozenset({"name", "q", "query", "search", "filter", "filters", "status", "state", "label", "tag", "all"})
# Between when, how much and of what: without these a log is given whole, and events never end.
_BOUNDS = frozenset({"since", "until", "tail", "lines", "start", "end", "previous", "container", "severity", "level"})
_ENDLESS = frozenset({"watch", "follow", "stream", "tail"})  # whoever asks so never hears the end
_OF_LISTS = frozenset(
    {"list", "array", "set", "all", "be", "is", "this", "that", "which", "each", "given", "id", "ids"}
)
_HOLDING_ALL = frozenset({"properties", "spec", "attributes"})
_PLAIN_KINDS = frozenset({"string", "integer", "number"})
_TOLD_BY = 2  # words
_FEW = 2  # as much as it costs to say that there are more
_REQUIRED_OFTEN = 2  # other operations
_MANY_BODIES, _NEARLY_ALL = 10, 0.75  # of fewer bodies nobody can tell what all have


def usual_members(
    operation: Operation,
    plain: Iterable[str],
    keys: Iterable[str],
    needed: Counter[str],
    example: Any,
    things: Set[str] = frozenset(),
) -> list[str]:
    """Of the members called so the ones that people set most, best first. `needed`: see `required_names`; `things`:
    what the API has, in singular: a container is made of an image.
    """
    keys = set(keys)
    shown = _in_example(example)
    spoken = _spoken(operation)

    def rank(name: str) -> int:
        if name in keys:
            return 0
        if _is_name(name) or singular(name).lower() in things:
            return 1
        if name in shown or _is_spoken_of(name, spoken):
            return 2
        if needed[name] >= _REQUIRED_OFTEN:
            return 3
        return 4 + familiarity(name)

    return sorted((name for name in plain if not is_server_made(name)), key=rank)[:MOST_OPTIONAL]


def addressed_by(made: Resource | None) -> tuple[str, ...]:
    """`target_iqn`, where what is made will stand at `/targets/{target_iqn}`: what it is called."""
    name = made.id_parameter if made is not None else ""
    return (name,) if name and not says_id(name) else ()


def usual_structures(
    schemas: SharedSchemas, members: Mapping[str, Any], about: str, example: Any, envelope: frozenset[str] = frozenset()
) -> frozenset[str]:
    """The objects that are shown where nearly all of a body stands in objects: `metadata` and `spec`.

    `about`: the last word of the path, which is meant where it is one of them (`…/status`); then come those of the
    description's `example`. `envelope`: members of all bodies, which say nothing of this one.
    """
    settable = {n: m for n, m in members.items() if n not in envelope and not schemas.resolve(m).get("readOnly")}
    plain = [name for name, member in settable.items() if schemas.kind(member) not in ("object", "array")]
    maps = [name for name, member in settable.items() if len(plain) <= _FEW and _is_map(schemas, member)]
    lists = [n for n, m in settable.items() if len(plain) < _FEW and schemas.members(schemas.element(m))]
    known = {*maps, *lists}
    objects = [name for name, member in settable.items() if schemas.members(member) or not plain or name in known]
    if not any(_is_name(name) for name in members):  # what names the new thing stands in one of them
        naming = [n for n in objects if any(inner.lower() == "name" for inner in schemas.members(members[n]))]
    else:
        naming = []
    if len(plain) > _FEW or not objects:
        return frozenset(naming[:1]) | _holding_all(schemas, settable, len(plain))
    shown = _in_example(example)
    told = [name for name in objects if name != "status" or name == about]
    size = {name: len(schemas.members(members[name])) for name in told}
    ordered = sorted(told, key=lambda name: (name != about, name not in naming, name not in shown, -size[name]))
    return frozenset(ordered[:MOST_STRUCTURES])


def _holding_all(schemas: SharedSchemas, settable: Mapping[str, Any], beside: int) -> frozenset[str]:
    """`properties`, `spec`: what holds more of the thing than stands beside it."""
    held = [n for n, m in settable.items() if n.lower() in _HOLDING_ALL and len(schemas.members(m)) > beside]
    return frozenset(held[:1])


def _is_map(schemas: SharedSchemas, member: Any) -> bool:
    return isinstance(schemas.resolve(member).get("additionalProperties"), Mapping)


def usual_filters(operation: Operation) -> frozenset[str]:
    """The optional query parameters that a list of tools shows: all where there are a few only."""
    spoken = _spoken(operation)
    optional = [p for p in operation.parameters if p.location == "query" and not p.is_required]
    if len(optional) <= _FEW:
        return frozenset(p.name for p in optional)
    ranks = {p.name: _rank_of(p, spoken) for p in optional}
    told = sorted((name for name, rank in ranks.items() if rank is not None), key=lambda name: ranks[name] or 0)
    told = told or [p.name for p in optional if _names_a_thing(p)]
    return frozenset(told[:MOST_FILTERS])


def _names_a_thing(parameter: ApiParameter) -> bool:
    """`dataset_id`: whose things are asked for, where a list has no other question that people know."""
    said = split(parameter.name)
    return len(said) > 1 and said[-1] in ("id", "ids", "name") and not parameter.schema.get("deprecated")


def _rank_of(parameter: ApiParameter, spoken: frozenset[str]) -> int | None:
    said = split(parameter.name)
    if parameter.schema.get("deprecated") or (len(said) == 1 and said[0] in _ENDLESS):
        return None
    if said and len(said) == 1 and said[0] in _SEARCHED:
        return 0
    if parameter.example is not None or (said and len(said) <= _FEW and not _BOUNDS.isdisjoint(said)):
        return 1
    return 2 if _is_spoken_of(parameter.name, spoken) else None


def required_names(api: Api, schemas: SharedSchemas) -> Counter[str]:
    """How many operations require a member or a parameter of each name."""
    counted: Counter[str] = Counter()
    for operation in api.operations:
        names = {p.name for p in operation.parameters if p.is_required and p.location != "path"}
        if operation.body is not None:
            element = schemas.element(operation.body.schema)
            names.update(schemas.required(element or operation.body.schema))
        counted.update(names)
    return counted


def envelope_names(api: Api, schemas: SharedSchemas) -> frozenset[str]:
    """The members that nearly all bodies have, whatever they are about: `apiVersion` tells nothing of one.

    What people call and describe things by is none of them.
    """
    bodies = [operation.body.schema for operation in api.operations if operation.body is not None]
    told = [names for names in (schemas.members(schemas.element(body) or body).keys() for body in bodies) if names]
    if len(told) < _MANY_BODIES:
        return frozenset()
    counted = Counter(name for names in told for name in names)
    often = (name for name, count in counted.items() if count >= _NEARLY_ALL * len(told))
    return frozenset(name for name in often if familiarity(name) > len(_FAMILIAR))


def familiarity(name: str) -> int:
    """How far down an English speaker would look for it; names first."""
    if _is_name(name):
        return 0
    said = split(name)
    return next((rank for rank, known in enumerate(_FAMILIAR, 1) if not known.isdisjoint(said)), len(_FAMILIAR) + 1)


def _is_name(name: str) -> bool:
    said = split(name)
    return said[-1:] == ("name",) and len(said) <= 2


def _in_example(example: Any) -> frozenset[str]:
    found = example[0] if isinstance(example, list) and example else example
    return frozenset(found) if isinstance(found, Mapping) else frozenset()


def spoken_of(summary: str, names: Iterable[str]) -> frozenset[str]:
    """Those of the names that a summary has as they are spelled (`Creates or deletes RRsets`), two at most."""
    said = frozenset(re.findall(r"[a-z][a-z0-9_-]*", summary.lower()))
    return frozenset([name for name in names if name.lower() in said][:2])


def lists_meant(schemas: SharedSchemas, operation: Operation, members: Mapping[str, Any]) -> frozenset[str]:
    """The list of plain values that an operation is about: `Command to run` where it says `Run a command`; one at most.

    Its own text says two words of what the operation's summary and description begin with, or more.
    """
    said = _telling(operation.summary) | _telling(operation.description)
    lists = (name for name, member in members.items() if schemas.kind(schemas.element(member)) in _PLAIN_KINDS)
    alike = ((len(said & _telling(schemas.text(members[name]))), name) for name in lists)
    shared, name = max(alike, key=lambda one: one[0], default=(0, ""))
    return frozenset({name} if shared >= _TOLD_BY else ())


def _telling(text: str) -> frozenset[str]:
    found = words.singulars(words.first_sentence(text, 100))
    return frozenset(found) - wording.EMPTY_WORDS - _OF_LISTS


def _spoken(operation: Operation) -> frozenset[str]:
    return frozenset(_words(f"{operation.summary} {operation.description[:2000]}"))


def _words(text: str) -> Iterator[str]:
    for word in re.findall(r"[A-Za-z][\w-]*", text):
        yield word.lower()
        yield from split(word)


def _is_spoken_of(name: str, spoken: frozenset[str]) -> bool:
    """Whether the summary or the description names it, or says all of its words."""
    said = split(name)
    return name.lower() in spoken or (len(said) > 1 and set(said) <= spoken)
