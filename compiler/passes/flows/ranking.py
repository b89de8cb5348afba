"""Rank: how likely it is that an operator wants a workflow, between 0 and 1.

Weights by judgement: what is done daily (`daily`: power, describe, find) before what is done once; things that many
operations are about, that others name and that have a lifecycle before things with a single read (`weighing`); what
keeps the API itself going and what is done to whole collections last (`costs`). Of what is done alike to many kinds of
things the first comes first, and at most one workflow that destroys stands among the first ten. Pins come before all.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from compiler.ir.model import Flow, Resource, Role
from compiler.passes.flows.context import Context, address
from compiler.passes.flows.costs import ALIAS_COST, costs
from compiler.passes.flows.daily import how_daily
from compiler.passes.flows.weighing import Weights, is_telling, weights_of
from compiler.passes.names.paths import ends_in_parameter, last_word, path_of, shape
from workflow.documents.path_queries import address_of, parted
from workflow.risks import Risk

_TASK_COST = 0.03  # a task of several changes is done less often than the changes themselves
_DEPTH_COST = 0.08  # what belongs to another thing is a step further from daily work
_CROWD_COST = 0.04  # each further workflow of one thing: a catalog of a few things is none of the API
_UNCROWDED = 3
_AGAIN_COST = 0.1  # what is done likewise to another thing: who knows the one finds the other
_ALIKE = ("describe", "update", "delete")
_FIRST = 10  # how many workflows are looked at as the first


def ranked(context: Context, flows: Iterable[Flow]) -> list[Flow]:
    weights = weights_of(context)
    pins = set(context.profile.overrides.pin)
    found = [replace(flow, rank=1.0 if flow.id in pins else _rank(context, flow, weights)) for flow in flows]
    return _destroying_later(_less_crowded(found, pins), pins)


def _less_crowded(flows: Sequence[Flow], pins: set[str]) -> list[Flow]:
    """With the further ones of each thing a little lower, so that the first hundred are of many things, and what is
    done likewise to another one.
    """
    seen: Counter[tuple[str, bool]] = Counter()
    done: dict[str, str] = {}
    lower: dict[str, float] = {}
    for flow in sorted(flows, key=lambda one: (-one.rank, one.id)):
        if flow.id not in pins:
            kind = (flow.resource, flow.intent == "act")
            cost = _CROWD_COST * max(0, seen[kind] - _UNCROWDED)
            way = _way(flow)
            about = path_of(flow.goal) if is_telling(way) or " " in way else flow.resource
            if way and done.setdefault(way, about) != about:
                cost += _AGAIN_COST
            lower[flow.id] = round(max(0.0, flow.rank - cost), 4)
            seen[kind] += 1
    return [replace(flow, rank=lower.get(flow.id, flow.rank)) for flow in flows]


def _way(flow: Flow) -> str:
    """What is done likewise to several kinds of things: an action, telling how one is, describing, deleting one; and
    listing or making things of one name in a second place (`/{account}/sites` beside `/sites`).
    """
    way = last_word(path_of(flow.goal))
    if flow.intent in ("find", "create") and way == flow.resource:
        return f"{flow.intent} {way}"
    if is_telling(way) or (flow.intent == "act" and way != "create"):
        return way
    return flow.intent if flow.intent in _ALIKE else ""


def is_of_all(goal: str, paths: Iterable[str]) -> bool:
    """Whether an operation deletes a whole collection: what it stands for has items of their own."""
    method, _, path = goal.partition(" ")
    begin = address_of(path).rstrip("/") + "/{"
    return method == "DELETE" and not ends_in_parameter(path) and any(other.startswith(begin) for other in paths)


def _destroying_later(flows: Sequence[Flow], pins: set[str]) -> list[Flow]:
    """With all but the first of those that destroy behind the first ten others."""
    ordered = sorted(flows, key=lambda flow: (-flow.rank, flow.id))
    tamer = [flow.rank for flow in ordered if flow.risk is not Risk.DESTROY]
    most = round(max(0.0, tamer[min(_FIRST, len(tamer)) - 1] - 0.0001), 4) if tamer else 1.0
    later = {flow.id for flow in [one for one in ordered if one.risk is Risk.DESTROY][1:]} - pins
    return [replace(flow, rank=min(flow.rank, most)) if flow.id in later else flow for flow in flows]


def _rank(context: Context, flow: Flow, weights: Weights) -> float:
    resource = _resource_of(context, flow)
    place = address(resource) if resource else ""
    changes = sum(1 for step in flow.steps if step.role is Role.CHANGE)
    rarer = _TASK_COST * max(0, changes - 1) + (ALIAS_COST if context.preferred(path_of(flow.goal)) else 0)
    value = 0.6 * how_daily(context, flow, resource) + 0.4 * weights.importance.get(place, 0.0)
    value -= _DEPTH_COST * weights.depth.get(place, 1) + rarer + costs(context, flow)
    return round(min(0.99, max(0.0, value)), 4)


def _resource_of(context: Context, flow: Flow) -> Resource | None:
    """What the goal is an operation of; for what belongs to none, or stands deeper, the thing of that noun."""
    path = path_of(flow.goal)
    same = context.by_noun.get(flow.resource) or _beside(context, path) or _asked_of(context, path)
    return next((r for r in same if _is_about(r, flow)), next(iter(same), None))


def _beside(context: Context, path: str) -> Sequence[Resource]:
    """The things whose items stand beside what is done: `/containers/{id}` beside `/containers/create`."""
    at, query = parted(path)
    begin = shape(at if query else path.rpartition("/")[0])
    return [r for r in context.api.resources if r.id_parameter and shape(r.item).rpartition("/")[0] == begin]


def _asked_of(context: Context, path: str) -> Sequence[Resource]:
    """The things that `/repos/search` looks for."""
    before = last_word(path.rpartition("/")[0])
    return [r for r in context.by_noun.get(before, ()) if r.id_parameter] if last_word(path) == "search" else ()


def _is_about(resource: Resource, flow: Flow) -> bool:
    own = (resource.list, resource.read, resource.create, resource.update, resource.delete, *resource.actions)
    return flow.goal in own
