"""Rank: how likely it is that an operator wants a workflow, between 0 and 1.

Weights by judgement: what is done daily (power, describe, find) before what is done once; things that many operations
are about before things with a single read. Pins of the profile come first.
"""

from collections.abc import Iterable
from dataclasses import replace

from compiler.ir.model import Flow, Role
from compiler.passes.flows.context import Context
from compiler.passes.paths import path_of

_INTENTS = {"act": 0.8, "describe": 0.75, "find": 0.7, "create": 0.7, "update": 0.6, "delete": 0.5, "report": 0.4}
_TASK_COST = 0.03  # a task of several changes is done less often than the changes themselves
_DEPTH_COST = 0.06  # a step further down the tree of paths is a step further from daily work
_ALIAS_COST = 0.1  # where the same things stand in two places, the other one is asked


def ranked(context: Context, flows: Iterable[Flow]) -> list[Flow]:
    weights = _weights(context)
    pins = set(context.profile.overrides.pin)
    return [replace(flow, rank=1.0 if flow.id in pins else _rank(context, flow, weights)) for flow in flows]


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
    return round(min(0.99, max(0.0, value)), 4)
