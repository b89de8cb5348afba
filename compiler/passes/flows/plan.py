"""The pass that plans: every operation that is not left out ends in at least one flow, or says why not.

Before: resources, jobs, links. After: `Api.flows` in order of their ids, which are unique, and `left_out` of every
operation that no flow reaches. A flow that cannot be planned for a reason of ours is a finding, and its operation is
left out: it would not be planned as an operation of nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import replace
from functools import partial

from compiler.containment import Containment
from compiler.ir.model import Api, Effect, Flow, Operation, Resource
from compiler.passes.flows import intents, memberships, orders, overrides
from compiler.passes.flows.bulk_orders import act_on_all, orders_to_all
from compiler.passes.flows.composed import composed
from compiler.passes.flows.compositions.all import COMPOSITIONS
from compiler.passes.flows.context import Context, address
from compiler.passes.flows.intents import INTENTS
from compiler.passes.flows.ranking import ranked
from compiler.passes.flows.splits import splits_of
from compiler.passes.flows.steps.following import with_next
from compiler.passes.flows.wording import texts
from compiler.passes.flows.wording.naming import worded
from compiler.passes.identity import says_id
from compiler.passes.names import words
from compiler.passes.names.paths import ends_in_parameter, last_word, parameter_of, parent, path_of, stands_for_list
from compiler.passes.outcome import Options, PassOutcome
from workflow.risks import Risk

FlowMaking = Callable[[Context, Resource], Flow | Iterable[Flow] | None]


def run(api: Api, options: Options) -> PassOutcome:
    context = Context.of(api, options.profile)
    planner = _Planner(context)
    flows = [flow for resource in api.resources for flow in planner.of(resource)]
    tried = planner.contained.tried
    flows = [tried(flow.id, partial(memberships.called, context, flow), flow) for flow in flows]
    flows = [tried(flow.id, partial(_told_of_its_alias, context, flow), flow) for flow in flows]
    reached = {step.operation for flow in flows for step in flow.steps}
    aliases = {key: other for resource in api.resources for key, other in resource.aliases.items()}
    flows += planner.strays(reached | set(aliases))
    flows = overrides.applied(context, flows)
    wanted, found = composed(context)
    named = [*wanted, *_with_unique_ids(context, flows, options, {flow.id for flow in wanted})]
    found += overrides.unused(context, [*wanted, *flows], named)
    flows = [flow for flow in named if flow.id not in options.profile.overrides.exclude]
    flows = with_next(flows)
    reached = {step.operation for flow in flows for step in flow.steps}
    operations = tuple(_left_out(o, reached, aliases, planner.lost) for o in api.operations)
    flows = [_promising_no_more(context, flow) for flow in flows]
    ordered = tuple(sorted(ranked(context, flows), key=lambda flow: flow.id))
    return PassOutcome(replace(api, operations=operations, flows=ordered), (*found, *planner.contained.diagnostics))


class _Planner:
    """Plans item by item. `lost`: operations of which a flow could not be planned for a reason of ours."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.contained = Containment("the pass flows")
        self.lost: set[str] = set()

    def of(self, resource: Resource) -> Iterator[Flow]:
        """The flows about one resource: its own operations, its actions, tasks of several changes."""
        for intent in INTENTS:
            yield from self._planned(f"{intent.__name__} {address(resource)}", intent, resource, _own(resource))
        for key in resource.actions:
            yield from self._planned(key, partial(_action, key=key), resource, (key,))
        for task in COMPOSITIONS:
            yield from self._planned(f"{task.__name__} {address(resource)}", task, resource, ())

    def _planned(self, about: str, makes: FlowMaking, resource: Resource, keys: Iterable[str]) -> tuple[Flow, ...]:
        made = self.contained.tried(about, lambda: _flows(makes(self.context, resource)), None)
        if made is None:
            self.lost.update(key for key in keys if key)
            return ()
        return made

    def strays(self, reached: Set[str]) -> Iterator[Flow]:
        """Operations that stand under no resource become one-step flows of their own."""
        for operation in self.context.api.operations:
            if operation.key not in reached and operation.key not in self.lost and not operation.left_out:
                key, makes = operation.key, partial(_stray, operation=operation)
                yield from self._planned(key, makes, Resource(noun="", name=""), (key,))


def _own(resource: Resource) -> tuple[str, ...]:
    return (resource.list, resource.read, resource.create, resource.update, resource.delete)


def _flows(made: Flow | Iterable[Flow] | None) -> tuple[Flow, ...]:
    if made is None:
        return ()
    return (made,) if isinstance(made, Flow) else tuple(made)


def _action(context: Context, resource: Resource, key: str) -> Iterator[Flow]:
    operation = context.operations[key]
    if operation.left_out:
        return
    if key in context.memberships and key in context.memberships[key].bodies:
        yield memberships.changed(context, operation)
    elif operation.effect is Effect.READ:
        path = parent(operation.path) if stands_for_list(operation.path) else operation.path.rstrip("/")
        is_list = operation.method == "GET" and path == resource.collection
        makes = intents.find_unseen if is_list else intents.report
        yield makes(context, resource, operation)
    elif context.by_change.get(key) is resource:
        yield intents.update_otherwise(context, resource, operation)
    else:
        to_all = orders_to_all(context, resource, operation)
        if to_all:
            yield from act_on_all(context, resource, operation, to_all)
            return
        splits = splits_of(context, operation)
        for split in splits or (None,):
            yield intents.act(context, resource, operation, split)


def _told_of_its_alias(context: Context, flow: Flow) -> Flow:
    """Says which other workflows are about the same things; all stay, since devices differ in where they have them."""
    other = context.preferred(path_of(flow.goal))
    if other is None:
        return flow
    said = f"The same things as {other.name}."
    return replace(flow, description=texts.joined(flow.description, said), why=(*flow.why, f"{said} {other.item}"))


def _promising_no_more(context: Context, flow: Flow) -> Flow:
    """Without the promise that nothing changes, where that is inferred of a step and neither its method nor said."""
    if flow.risk is not Risk.READ or all(context.operations[step.operation].is_safe for step in flow.steps):
        return flow
    return replace(flow, description=flow.description.replace(texts.describe((), Risk.READ), "").strip())


def _stray(context: Context, _resource: Resource, operation: Operation) -> Iterator[Flow]:
    noun = last_word(operation.path) or context.api.name
    said = words.singular(noun) if ends_in_parameter(operation.path) else noun
    meant = _done_to(context, operation)
    noun = meant.noun if meant is not None else noun
    name = meant.name if meant is not None else context.profile.vocabulary.get(noun, words.spoken(said))
    resource = Resource(noun=noun, name=name)
    if operation.effect is Effect.READ:
        yield intents.report(context, resource, operation)
        return
    actions = orders.parts_of(context, operation)
    if actions:  # their names say what they are done to
        resource = replace(resource, name="")
    for split in actions or splits_of(context, operation) or (None,):
        yield intents.act(context, resource, operation, split)


def _done_to(context: Context, operation: Operation) -> Resource | None:
    """`/hardware/actions/{deviceId}/remove` is done to a device, which is listed elsewhere, and to no hardware."""
    at, _, last = operation.path.rstrip("/").rpartition("/")
    name = parameter_of(at.rpartition("/")[2])
    meant = context.needed_by(operation.key, f"path.{name}") if name and not parameter_of(last) else None
    said = [word for word in words.split(name) if not says_id(word)]
    is_called_so = meant is not None and bool(said) and words.singulars(meant.name) >= words.singulars(" ".join(said))
    return meant if is_called_so else None


def _with_unique_ids(context: Context, flows: list[Flow], options: Options, taken: set[str]) -> list[Flow]:
    """Flows under their final ids: those of shorter addresses keep the plain name, others are numbered."""
    named = []
    said = options.profile.overrides
    chosen = frozenset({*said.rename, *said.pin, *said.exclude, *taken})
    ordered = sorted(flows, key=lambda f: (len(f.goal), f.goal, f.id))
    for flow in worded(context, ordered, chosen):
        wanted = options.profile.overrides.rename.get(flow.id, flow.id)
        unique = _unused(wanted, taken)
        taken.add(unique)
        title = flow.title if wanted == flow.id else _title(wanted, options.profile.api)
        named.append(replace(flow, id=unique, title=title))
    return named


def _unused(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted[: texts.NAME_LENGTH - 4]}_{number}"
    return name


def _title(flow_id: str, api: str) -> str:
    """The words of an id that a person chose, without the API's name."""
    said = words.spoken(flow_id.removeprefix(words.of_api(api) + "_"))
    return said[:1].upper() + said[1:]


def _left_out(operation: Operation, reached: set[str], aliases: dict[str, str], lost: set[str]) -> Operation:
    if operation.key in reached or operation.left_out:
        return operation if operation.key not in reached else replace(operation, left_out="")
    if operation.key in aliases:
        return replace(operation, left_out=f"alias of {aliases[operation.key]}")
    why = "an error of ours while its workflow was planned" if operation.key in lost else "no workflow needs it"
    return replace(operation, left_out=why)
