"""Rank: how likely it is that an operator wants a workflow, between 0 and 1.

Weights by judgement: what is done daily (power, describe, find) before what is done once; things that many operations
are about, that others name and that have a lifecycle before things with a single read; what keeps the API itself going
(its tokens, certificates, templates, settings) and what is done to whole collections last. At most one workflow that
destroys stands among the first ten. Pins of the profile come first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from compiler.ir.model import Flow, Resource, Risk, Role
from compiler.passes import words
from compiler.passes.flows.context import Context, address
from compiler.passes.paths import ends_in_parameter, path_of

_INTENTS = {"act": 0.8, "describe": 0.75, "find": 0.7, "create": 0.7, "update": 0.6, "delete": 0.5, "report": 0.4}
_TASK_COST = 0.03  # a task of several changes is done less often than the changes themselves
_DEPTH_COST = 0.06  # a step further down the tree of paths is a step further from daily work
_ALIAS_COST = 0.1  # where the same things stand in two places, the other one is asked
_SIDE_COST = 0.2  # administration of the API itself
_BULK_COST = 0.4  # what is done to several or all at once
_NAMED_GAIN = 0.1  # for what others name most
_LIFE_GAIN = 0.08  # for what is started and stopped
_FIRST = 10  # how many workflows are looked at as the first
_SIDE = frozenset(
    [
        "certificate",
        "template",
        "token",
        "license",
        "schema",
        "version",
        "config",
        "setting",
        "log",
        "audit",
        "webhook",
        "plugin",
        "permission",
        "policy",
        "session",
        "login",
        "auth",
        "oauth",
        "ssh",
        "key",
        "mount",
        "lease",
        "quota",
        "tenant",
        "cert",
        "csr",
        "acl",
        "journal",
        "bookmark",
        "dashboard",
        "widget",
        "subscription",
        "tag",
        "metadata",
        "event",
        "notification",
    ]
)
_BULK = frozenset({"bulk", "batch", "several"})


def ranked(context: Context, flows: Iterable[Flow]) -> list[Flow]:
    weights = _weights(context)
    pins = set(context.profile.overrides.pin)
    found = [replace(flow, rank=1.0 if flow.id in pins else _rank(context, flow, weights)) for flow in flows]
    return _destroying_later(found, pins)


def is_of_all(goal: str, paths: Iterable[str]) -> bool:
    """Whether an operation deletes a whole collection: what it stands for has items of their own."""
    method, _, path = goal.partition(" ")
    begin = path.rstrip("/") + "/{"
    return method == "DELETE" and not ends_in_parameter(path) and any(other.startswith(begin) for other in paths)


def _destroying_later(flows: Sequence[Flow], pins: set[str]) -> list[Flow]:
    """With all but the first of those that destroy behind the first ten others."""
    ordered = sorted(flows, key=lambda flow: (-flow.rank, flow.id))
    tamer = [flow.rank for flow in ordered if flow.risk is not Risk.DESTROY]
    most = round(max(0.0, tamer[min(_FIRST, len(tamer)) - 1] - 0.0001), 4) if tamer else 1.0
    later = {flow.id for flow in [one for one in ordered if one.risk is Risk.DESTROY][1:]} - pins
    return [replace(flow, rank=min(flow.rank, most)) if flow.id in later else flow for flow in flows]


def _weights(context: Context) -> dict[str, float]:
    """Per noun, the share of operations about it: 1 for the noun with the most."""
    counts: dict[str, int] = {}
    for r in context.api.resources:
        size = sum(1 for key in (r.list, r.read, r.create, r.update, r.delete) if key) + len(r.actions)
        counts[r.noun] = max(counts.get(r.noun, 0), size)
    most = max(counts.values(), default=1)
    return {noun: size / most for noun, size in counts.items()}


def _rank(context: Context, flow: Flow, weights: dict[str, float]) -> float:
    depth = max(0, flow.goal.count("/") - 2)
    changes = sum(1 for step in flow.steps if step.role is Role.CHANGE)
    rarer = _TASK_COST * max(0, changes - 1) + (_ALIAS_COST if context.preferred(path_of(flow.goal)) else 0)
    value = 0.6 * _INTENTS.get(flow.intent, 0.4) + 0.4 * weights.get(flow.resource, 0.0) - _DEPTH_COST * depth - rarer
    value += _gains(context, flow) - _costs(context, flow)
    return round(min(0.99, max(0.0, value)), 4)


def _gains(context: Context, flow: Flow) -> float:
    """For what other things name, and for what has a lifecycle."""
    mine = next((r for r in context.api.resources if r.noun == flow.resource and _is_about(r, flow)), None)
    if mine is None:
        return 0.0
    most = max((len(named) for named in context.naming.values()), default=0)
    named = len(context.naming.get(address(mine), ())) / most if most else 0.0
    lives = any(context.operations[key].risk is Risk.DISRUPT for key in mine.actions)
    return _NAMED_GAIN * named + (_LIFE_GAIN if lives else 0.0)


def _is_about(resource: Resource, flow: Flow) -> bool:
    own = (resource.list, resource.read, resource.create, resource.update, resource.delete, *resource.actions)
    return flow.goal in own


def _costs(context: Context, flow: Flow) -> float:
    """For what serves the API itself, and for what is done to many at once."""
    said = {words.singular(word) for word in words.split(flow.resource)}
    path = path_of(flow.goal)
    is_bulk = not ends_in_parameter(path) and flow.goal.split(" ")[0] in ("PATCH", "PUT", "DELETE")
    is_bulk = is_bulk and any(other.startswith(path.rstrip("/") + "/{") for other in context.paths)
    is_bulk = is_bulk or not _BULK.isdisjoint(words.split(flow.title))
    return (_SIDE_COST if said & _SIDE else 0.0) + (_BULK_COST if is_bulk else 0.0)
