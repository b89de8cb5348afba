"""Whether two plans of one API are the same but for names: the proof that a proposed noun changed nothing else.

Here lives the form of a flow without what people read: its id, title, texts, the names of its inputs and steps. What
is left, operations, order, bindings, criteria, schemas, class and rank, is compared byte for byte. Pure.
Called by `compiler.proposals.nouns` and its tests. THREATS.md, B1.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from compiler.ir.model import Api, Flow, FlowStep

_INPUT = re.compile(r"\$inputs\.([A-Za-z0-9_-]+)")
_STEP = re.compile(r"\$steps\.([A-Za-z0-9_-]+)")
_Rename = Callable[[str], str]


def essence(flow: Flow) -> str:
    """Canonical text of all that a flow does and may do, inputs and steps by number instead of by name."""
    rename = _renaming(flow)
    parts = {
        "what": [flow.intent, flow.goal, flow.resource, flow.risk.value, flow.rank, flow.is_core, flow.links],
        "steps": [_step(step, rename) for step in flow.steps],
        "inputs": [[given.schema, given.is_required, given.shown] for given in flow.inputs],
        "outputs": _without_names(flow.outputs, rename),
        "schema": flow.output_schema,
        "sample": [[rename(f"$inputs.{key}"), _sample(value, rename)] for key, value in flow.sample.items()],
    }
    return json.dumps(parts, sort_keys=True, default=dict)


def differing(before: Api, after: Api) -> tuple[Flow, ...]:
    """The flows of either plan that have no counterpart in the other; empty when only names differ."""
    old, new = _by_essence(before), _by_essence(after)
    odd = [text for text in {**old, **new} if len(old.get(text, ())) != len(new.get(text, ()))]
    return tuple(flow for text in odd for flow in (*old.get(text, ()), *new.get(text, ())))


def are_same_but_for_names(before: Api, after: Api) -> bool:
    """True when every flow of one plan has its counterpart in the other, and both leave out the same operations."""
    same_flows = Counter(map(essence, before.flows)) == Counter(map(essence, after.flows))
    return same_flows and _reached(before) == _reached(after)


def _reached(api: Api) -> list[tuple[str, bool]]:
    return [(operation.key, bool(operation.left_out)) for operation in api.operations]


def _by_essence(api: Api) -> dict[str, list[Flow]]:
    found: dict[str, list[Flow]] = {}
    for flow in api.flows:
        found.setdefault(essence(flow), []).append(flow)
    return found


def _renaming(flow: Flow) -> _Rename:
    """A function that puts numbers in place of the names of the flow's inputs and steps."""
    inputs = {given.name: number for number, given in enumerate(flow.inputs)}
    steps = {step.id: number for number, step in enumerate(flow.steps)}

    def rename(text: str) -> str:
        text = _INPUT.sub(lambda m: f"$inputs.#{inputs.get(m[1], m[1])}", text)
        return _STEP.sub(lambda m: f"$steps.#{steps.get(m[1], m[1])}", text)

    return rename


def _step(step: FlowStep, rename: _Rename) -> list[Any]:
    bound = [[name, where, _without_names(value, rename)] for name, where, value in step.parameters]
    actions = [_action(action, rename) for action in (*step.failures, *step.branches)]
    moved = [step.moved, dict(step.placed)] if step.placed else step.moved
    rest = _without_names([step.payload, step.content_type, step.outputs, list(step.success), moved], rename)
    return [step.operation, step.role.value, bound, rest, actions, len(step.failures), dict(step.transforms)]


def _action(action: Mapping[str, Any], rename: _Rename) -> Any:
    """An action without its name and its words; the step that it goes to by number."""
    bare: dict[str, Any] = {k: v for k, v in action.items() if k != "name"}
    told = bare.get("x-switchgear")
    if isinstance(told, Mapping):
        bare["x-switchgear"] = {k: v for k, v in told.items() if k != "message"}
    if "stepId" in bare:
        bare["stepId"] = rename(f"$steps.{bare['stepId']}")
    return _without_names(bare, rename)


def _sample(value: Any, rename: _Rename) -> Any:
    """Where the proof takes an input's value from; the holder of a part is named there as people say it."""
    if isinstance(value, Mapping):
        value = {k: _sample(v, rename) for k, v in value.items() if k != "holder"}
    return _without_names(value, rename)


def _without_names(value: Any, rename: _Rename) -> Any:
    if isinstance(value, str):
        return rename(value)
    if isinstance(value, Mapping):
        return {key: _without_names(part, rename) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_names(part, rename) for part in value]
    return value
