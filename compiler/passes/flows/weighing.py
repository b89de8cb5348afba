"""How much of an API is about a thing: what `ranking` weighs flows by. Pure counts over the description.

A thing matters by its operations, by how many others name it in their bodies (`device`, `device_id`; where
no body says anything, in their queries), and
by whether it is started and stopped. What nearly everything stands below (`/namespaces/{namespace}/…`) is a scope: it
takes nobody further from daily work.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import log

from compiler.ir.model import Operation, Resource, Risk
from compiler.passes import words
from compiler.passes.flows.context import Context, address
from compiler.passes.paths import parameter_of, prefixes, segments

_OF_IDENTITY = frozenset({"id", "ids", "uuid", "name", "slug", "ref", "key"})
_BY_OPERATIONS, _BY_NAMING, _BY_LIFE = 0.4, 0.4, 0.2
_MOST_ON_PLACE = 0.5  # of all operations: what stands below one place is not deep


@dataclass(frozen=True, slots=True)
class Weights:
    """`importance` by a resource's address, from 0 to 1; `depth` below what nearly everything stands below."""

    importance: Mapping[str, float]
    depth: Mapping[str, int]


def weights_of(context: Context) -> Weights:
    resources = [r for r in context.api.resources if _operations(r)]
    by_size = {address(r): float(len(_operations(r))) for r in resources}
    naming = _naming(context.api.operations)
    named = {address(r): log(1 + naming.get(_key(r.noun), 0)) for r in resources}
    importance = {
        place: _BY_OPERATIONS * by_size[place] / max(by_size.values())
        + _BY_NAMING * (named[place] / (max(named.values()) or 1.0))
        for place in by_size
    }
    for resource in resources:
        if any(context.operations[key].risk is Risk.DISRUPT for key in resource.actions if key in context.operations):
            importance[address(resource)] += _BY_LIFE
    scope = _scope(context.paths)
    return Weights(importance, {address(r): _depth(r, scope) for r in resources})


def _operations(resource: Resource) -> tuple[str, ...]:
    own = (resource.list, resource.read, resource.create, resource.update, resource.delete)
    return (*(key for key in own if key), *resource.actions)


def _naming(operations: Iterable[Operation]) -> Counter[str]:
    """How many operations have a member of the body of a thing's name, by its plain key; else a query parameter."""
    known = tuple(operations)
    bodies = Counter(_key(name) for operation in known for name in _members(operation))
    return bodies or Counter(_key(p.name) for o in known for p in o.parameters if p.location == "query")


def _members(operation: Operation) -> tuple[str, ...]:
    properties = operation.body.schema.get("properties") if operation.body and operation.body.schema else None
    return tuple(properties) if isinstance(properties, Mapping) else ()


def _key(name: str) -> str:
    said = words.split(name)
    while len(said) > 1 and said[-1] in _OF_IDENTITY:
        said = said[:-1]
    return "".join((*said[:-1], words.singular(said[-1]))) if said else ""


def _scope(paths: Iterable[str]) -> str:
    """The longest item that most operations stand below, "" where there is none."""
    known = list(paths)
    below: Counter[str] = Counter(p for path in known for p in prefixes(path) if parameter_of(p.rpartition("/")[2]))
    most = [place for place, count in below.items() if count >= _MOST_ON_PLACE * len(known)]
    return max(most, key=len, default="")


def _depth(resource: Resource, scope: str) -> int:
    """How many things stand above it, the scope not counted."""
    place = resource.collection or resource.item
    rest = place.removeprefix(scope) if place.startswith(f"{scope}/") else place
    own = 0 if resource.collection or not resource.id_parameter else 1
    return max(0, sum(1 for part in segments(rest) if "{" in part) - own)
