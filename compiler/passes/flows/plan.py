"""The pass that plans: every operation that is not left out ends in at least one flow, or says why not.

Before: resources, jobs, links. After: `Api.flows` in order of their ids, which are unique, and `left_out` of every
operation that no flow reaches.
"""

from collections.abc import Sequence
from dataclasses import replace

from compiler.ir.model import Api, Effect, Flow, Operation, Resource
from compiler.passes import words
from compiler.passes.flows import intents, overrides, texts
from compiler.passes.flows.composed import composed
from compiler.passes.flows.compositions.all import compositions
from compiler.passes.flows.context import Context
from compiler.passes.flows.ranking import ranked
from compiler.passes.flows.splits import splits_of
from compiler.passes.outcome import Options, Outcome
from compiler.passes.paths import last_word, path_of


def run(api: Api, options: Options) -> Outcome:
    context = Context.of(api, options.profile)
    flows: list[Flow] = []
    for resource in api.resources:
        flows += intents.all_of(context, resource)
        flows += _actions(context, resource)
        flows += compositions(context, resource)
    flows = [_told_of_its_alias(context, flow) for flow in flows]
    reached = {step.operation for flow in flows for step in flow.steps}
    aliases = {key: other for resource in api.resources for key, other in resource.aliases.items()}
    flows += _strays(context, reached | set(aliases))
    flows = overrides.applied(context, flows)
    wanted, found = composed(context)
    named = [*wanted, *_with_unique_ids(flows, options, {flow.id for flow in wanted})]
    found += overrides.unused(context, [*wanted, *flows], named)
    flows = [flow for flow in named if flow.id not in options.profile.overrides.exclude]
    reached = {step.operation for flow in flows for step in flow.steps}
    operations = tuple(_left_out(o, reached, aliases) for o in api.operations)
    ordered = tuple(sorted(ranked(context, flows), key=lambda flow: flow.id))
    return Outcome(replace(api, operations=operations, flows=ordered), tuple(found))


def _actions(context: Context, resource: Resource) -> Sequence[Flow]:
    made = []
    for key in resource.actions:
        operation = context.operations[key]
        if operation.left_out:
            continue
        if operation.effect is Effect.READ:
            plan = intents.find_unseen if operation.path.rstrip("/") == resource.collection else intents.report
            made.append(plan(context, resource, operation))
            continue
        if context.by_change.get(key) is resource:
            made.append(intents.update_otherwise(context, resource, operation))
            continue
        splits = splits_of(context, operation)
        if splits:
            made += [intents.act(context, resource, operation, split) for split in splits]
        else:
            made.append(intents.act(context, resource, operation, None))
    return made


def _told_of_its_alias(context: Context, flow: Flow) -> Flow:
    """Says which other workflows are about the same things; all stay, since devices differ in where they have them."""
    other = context.preferred(path_of(flow.goal))
    if other is None:
        return flow
    said = f"The same things as {other.name}."
    return replace(flow, description=texts.joined(flow.description, said), why=(*flow.why, f"{said} {other.item}"))


def _strays(context: Context, reached: set[str]) -> list[Flow]:
    """Operations that stand under no resource become one-step flows of their own."""
    made: list[Flow] = []
    for operation in context.api.operations:
        if operation.key in reached or operation.left_out:
            continue
        noun = last_word(operation.path) or context.api.name
        resource = Resource(noun=noun, name=context.profile.vocabulary.get(noun, words.spoken(noun)))
        plan = intents.report if operation.effect is Effect.READ else None
        made.append(plan(context, resource, operation) if plan else intents.act(context, resource, operation, None))
    return made


def _with_unique_ids(flows: list[Flow], options: Options, taken: set[str]) -> list[Flow]:
    """Flows under their final ids: those of shorter addresses keep the plain name, others are numbered."""
    named = []
    for flow in sorted(flows, key=lambda f: (len(f.goal), f.goal, f.id)):
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
    said = words.spoken(flow_id.removeprefix(words.snake(api) + "_"))
    return said[:1].upper() + said[1:]


def _left_out(operation: Operation, reached: set[str], aliases: dict[str, str]) -> Operation:
    if operation.key in reached or operation.left_out:
        return operation if operation.key not in reached else replace(operation, left_out="")
    if operation.key in aliases:
        return replace(operation, left_out=f"alias of {aliases[operation.key]}")
    return replace(operation, left_out="no workflow needs it")
