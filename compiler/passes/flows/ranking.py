"""Rank: how likely it is that an operator wants a workflow, between 0 and 1.

Weights by judgement: what is done daily (power, describe, find) before what is done once; things that many operations
are about, that others name and that have a lifecycle before things with a single read; what keeps the API itself going
(its tokens, certificates, templates, settings) and what is done to whole collections last. At most one workflow that
destroys stands among the first ten. Pins of the profile come first.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from compiler.ir.model import Flow, Resource, Risk, Role
from compiler.passes import words
from compiler.passes.flows.context import Context, address
from compiler.passes.flows.weighing import Weights, tells, weights_of
from compiler.passes.paths import ends_in_parameter, is_pass_through, path_of, segments
from compiler.passes.resources import shape


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_INTENTS = {"act": 0.45, "describe": 0.72, "find": 0.78, "create": 0.76, "update": 0.6, "delete": 0.6, "report": 0.4}
_DAILY_ACT = 0.8
# What is done daily to what has a life, whatever it is called elsewhere in the address.
_DAILY = _set(
    "start stop restart reboot shutdown shut power poweron poweroff snapshot backup restore clone attach mount map "
    "resize expand extend grow scale assign connect exec execute acknowledge evict drain cordon migrate "
    "fail failover pull push tag rebuild apply detach unmap unmount disconnect"
)
# What these do needs something that it is done with: without a body `attach` looks on, and `resize` is of a window.
_WITH_SOMETHING = _set(
    "attach mount map assign connect detach unmap unmount disconnect apply resize expand extend grow scale"
)
_WITH_VERBS = frozenset({"on", "off", "over", "up", "down", "to", "from", "of", "and", "out", "in"})
_TASK_COST = 0.03  # a task of several changes is done less often than the changes themselves
_DEPTH_COST = 0.08  # what belongs to another thing is a step further from daily work
_ALIAS_COST = 0.1  # where the same things stand in two places, the other one is asked
_SIDE_COST = 0.2  # administration of the API itself
_GROUP_COST = 0.1  # what stands among what administers (`/auth/roles`)
_BULK_COST = 0.4  # what is done to several or all at once
_PASSED_ON_COST = 0.4  # what is sent to somebody behind the API
_CROWD_COST = 0.02  # each further workflow of one thing: a catalog of a few things is none of the API
_UNCROWDED = 3
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
        "notification",
    ]
)
_BULK = frozenset({"bulk", "batch", "several"})


def ranked(context: Context, flows: Iterable[Flow]) -> list[Flow]:
    weights = weights_of(context)
    pins = set(context.profile.overrides.pin)
    found = [replace(flow, rank=1.0 if flow.id in pins else _rank(context, flow, weights)) for flow in flows]
    return _destroying_later(_less_crowded(found, pins), pins)


def _less_crowded(flows: Sequence[Flow], pins: set[str]) -> list[Flow]:
    """With the further ones of each thing a little lower, so that the first hundred are of many things."""
    seen: Counter[tuple[str, bool]] = Counter()
    lower: dict[str, float] = {}
    for flow in sorted(flows, key=lambda one: (-one.rank, one.id)):
        if flow.id not in pins:
            kind = (flow.resource, flow.intent == "act")
            lower[flow.id] = round(max(0.0, flow.rank - _CROWD_COST * max(0, seen[kind] - _UNCROWDED)), 4)
            seen[kind] += 1
    return [replace(flow, rank=lower.get(flow.id, flow.rank)) for flow in flows]


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


def _rank(context: Context, flow: Flow, weights: Weights) -> float:
    resource = _resource_of(context, flow)
    place = address(resource) if resource else ""
    changes = sum(1 for step in flow.steps if step.role is Role.CHANGE)
    rarer = _TASK_COST * max(0, changes - 1) + (_ALIAS_COST if context.preferred(path_of(flow.goal)) else 0)
    value = 0.6 * _how_daily(context, flow, resource) + 0.4 * weights.importance.get(place, 0.0)
    value -= _DEPTH_COST * weights.depth.get(place, 1) + rarer + _costs(context, flow)
    return round(min(0.99, max(0.0, value)), 4)


def _how_daily(context: Context, flow: Flow, resource: Resource | None) -> float:
    if flow.intent == "act" and resource is not None and _is_daily(context, flow, resource):
        return _DAILY_ACT
    if flow.intent == "create" and resource is not None and words.singular(resource.noun) in _DAILY:
        return _DAILY_ACT  # `POST /snapshots`
    if flow.intent == "act" and words.split(flow.title)[:1] == ("create",):  # `POST /networks/create`
        return _INTENTS["create"]
    if flow.intent in ("report", "describe") and resource is not None and tells(resource):
        return _INTENTS["find"]
    if flow.intent == "report" and words.split(flow.title)[:1] == ("describe",):  # `GET /containers/{id}/json`
        return _INTENTS["describe"]
    return _INTENTS.get(flow.intent, 0.4)


def _is_daily(context: Context, flow: Flow, resource: Resource) -> bool:
    """`Reboot server` and `Attach server to network`, where there are networks to be made; not `Reset password`."""
    verb, *rest = [words.singular(word) for word in words.split(flow.title)]
    if verb not in _DAILY or (verb in _WITH_SOMETHING and context.operations[flow.goal].body is None):
        return False
    own = {words.singular(word) for word in words.split(resource.name)}
    about = tuple(word for word in rest if word not in own | _WITH_VERBS)
    return not about or any(about == words.split(r.name) for r in context.api.resources if r.create)


def _resource_of(context: Context, flow: Flow) -> Resource | None:
    """What the goal is an operation of; for what belongs to none, or stands deeper, the thing of that noun."""
    same = context.by_noun.get(flow.resource) or _beside(context, path_of(flow.goal))
    return next((r for r in same if _is_about(r, flow)), next(iter(same), None))


def _beside(context: Context, path: str) -> Sequence[Resource]:
    """The things whose items stand beside what is done: `/containers/{id}` beside `/containers/create`."""
    begin = shape(path.rpartition("/")[0])
    return [r for r in context.api.resources if r.id_parameter and shape(r.item).rpartition("/")[0] == begin]


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
    is_list_of_all = flow.intent == "find" and flow.title.startswith("Find all ")
    is_list_of_all = is_list_of_all and sum(1 for r in context.by_noun.get(flow.resource, ()) if r.list) > 1
    passed_on = _PASSED_ON_COST if is_pass_through(path) else 0.0
    of_itself = not ends_in_parameter(path) and ends_in_parameter(path.rpartition("/")[0])  # a container's own log
    cost = passed_on + (_ALIAS_COST if is_list_of_all else 0.0) + (_BULK_COST if is_bulk else 0.0)
    groups = {words.singular(word) for part in segments(path) if "{" not in part for word in words.split(part)}
    if not said & _SIDE and groups & _SIDE:
        cost += _GROUP_COST
    return cost + (_SIDE_COST if said & _SIDE and not (of_itself and flow.risk is Risk.READ) else 0.0)
