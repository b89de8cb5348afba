"""Pairs of actions on one thing that people use one after the other, told by their names.

A dry run before the real thing (`ImportPreview`, `Import`); out with the old before in with the new (`EjectMedia`,
`InsertMedia`); the result fetched after the run (`RunDiagnostics`, `ExportDiagnosticsResult`). Each pair shares the
inputs that both take; a failed first half ends the run before the second.
"""

from collections.abc import Iterator

from compiler.ir.model import Effect, Flow, FlowStep, Operation, Resource, Role
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.changes import change, read_back
from compiler.passes.flows.context import Context, noun_of
from compiler.passes.flows.inputs.bodies import BodyInputs
from compiler.passes.flows.steps import queries
from compiler.passes.flows.steps.lookups import path_parameters
from compiler.passes.flows.steps.waiting import poll_parameters
from compiler.passes.flows.wording import texts
from compiler.passes.names import words
from workflow.risks import Risk, worst

_DRY = (("preview",), ("dry", "run"), ("validate",), ("check",))
_OPPOSITES = {"insert": "eject", "attach": "detach", "connect": "disconnect", "mount": "unmount", "assign": "unassign"}
_RUNS = frozenset({"run", "start", "execute", "collect"})
_FETCHES = frozenset({"export", "get", "fetch", "download"})


def pairs(context: Context, resource: Resource) -> Iterator[Flow]:
    """All pairs among the resource's actions."""
    acts = [context.operations[key] for key in resource.actions]
    acts = [o for o in acts if o.effect is Effect.ACT and not o.left_out]
    said = {o.key: words.split(texts.verb_of(o)) for o in acts}
    for first in acts:
        for second in acts:
            if first is not second:
                kind = _kind(said[first.key], said[second.key])
                if kind:
                    yield _composed(context, resource, first, second, kind)


def _kind(first: tuple[str, ...], second: tuple[str, ...]) -> str:
    """How the two belong together in this order: `preview`, `replace`, `fetch`, or "" when they don't."""
    if any(first == (*second, *mark) or first == (*mark, *second) for mark in _DRY):
        return "preview"
    if first[1:] == second[1:] and second and _OPPOSITES.get(second[0]) == first[0]:
        return "replace"
    run, fetch = _apart(first, _RUNS), _apart(second, _FETCHES)
    is_run = run[:1] and run[0] in _RUNS and fetch[:1] and fetch[0] in _FETCHES
    is_fetched = is_run and len(run) > 1 and fetch[1 : len(run)] == run[1:]
    return "fetch" if is_fetched or _is_last_of(first, second) else ""


def _is_last_of(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    """`support assist collection`, `support assist export last collection`: the second hands out what is made."""
    shared = next((n for n, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), len(first))
    made, told = first[shared:], second[shared:]
    is_told = len(told) > 2 and told[0] in _FETCHES and told[1] == "last"
    return is_told and bool(made) and told[2:] == made


def _apart(said: tuple[str, ...], verbs: frozenset[str]) -> tuple[str, ...]:
    """`rune psa` as `run e psa`: a capital that belongs to the next word hides where the verb ends."""
    verb = next((v for v in sorted(verbs) if said[:1] and said[0].startswith(v) and said[0] != v), "")
    return (verb, said[0].removeprefix(verb), *said[1:]) if verb else said


def _composed(context: Context, resource: Resource, first: Operation, second: Operation, kind: str) -> Flow:
    builder = Builder(context, second)
    builder.shares_body_inputs = True
    path_parameters(builder, second)
    for job in dict.fromkeys(context.jobs[o.key] for o in (first, second) if o.key in context.jobs):
        poll_parameters(builder, job)  # above all branches
    if context.bodies.get(second.key):
        BodyInputs(builder, second).payload()  # what it names is found before anything is changed
    if kind == "replace":
        _skip_when_empty(builder, resource, second)
    names = {"preview": ("preview", "change"), "replace": ("remove_old", "change"), "fetch": ("change", "fetch")}[kind]
    change(builder, first, f"{texts.opened(texts.verb_of(first))}.", name=names[0])
    builder.label("second")
    change(builder, second, f"{texts.opened(texts.verb_of(second))}.", name=names[1])
    if kind == "replace" and second.leaves is not None and resource is context.by_action.get(second.key):
        read_back(builder, resource)
    return _named(context, builder, resource, first, second, kind)


def _skip_when_empty(builder: Builder, resource: Resource, second: Operation) -> None:
    """Where the thing says whether something is in it (`Inserted`), the removal is left out when nothing is."""
    verb = words.split(texts.verb_of(second))[0]
    members = builder.context.schemas.members(resource.schema)
    schemas = builder.context.schemas
    told = next((n for n in members if n.lower().startswith(verb) and schemas.kind(members[n]) == "boolean"), "")
    if not told or not resource.read:
        return
    operation = builder.operation(resource.read)
    place = f"$response.body#{resource.item_at}/{told}"
    empty = {"name": "empty", "stepId": "@second", "criteria": [queries.simple(f"{place} != true")]}
    step = FlowStep(
        id="look",
        operation=operation.key,
        role=Role.CHECK,
        description=f"See whether there is something in the {resource.name}.",
        parameters=tuple(path_parameters(builder, operation)),
        success=(queries.OK,),
        branches=(empty,),
    )
    builder.add_step(step, f"{told} says whether there is something to remove")


def _members(context: Context, operation: Operation) -> set[str]:
    return set(context.schemas.members(operation.body.schema)) if operation.body is not None else set()


def _named(
    context: Context, builder: Builder, resource: Resource, first: Operation, second: Operation, kind: str
) -> Flow:
    verb, before = texts.verb_of(second), texts.verb_of(first)
    thing = " ".join(verb.split(" ")[1:])
    other = f"replace {thing}" if thing else f"{before} and {verb}"
    told = {"preview": f"preview and {verb}", "replace": other, "fetch": f"{before} and fetch"}[kind]
    together = _members(context, first) & _members(context, second)
    out = f"Takes out what is in the {resource.name} ({before}), then: {verb}."
    text = {
        "preview": f"Tries it first ({before}) on the {resource.name}, then does it: {verb}.",
        "replace": f"First {before}, then {verb}, both as the inputs say." if together else out,
        "fetch": f"Does it ({before}) with the {resource.name}, waits, then fetches the result ({verb}).",
    }[kind]
    risk = worst(o.risk or Risk.CHANGE for o in (first, second))
    name = texts.action_id(context.api.name, told, noun_of(resource))
    title = texts.opened(texts.doing(told, resource.name))
    described = texts.describe((text,), risk)
    return builder.flow(name, "act", title, described, resource, risk)
