"""What says in a query where a thing is (`project`, `namespace`, `path`) is said to every step that can be asked it.

`DELETE /profiles/{name}?project=lab` deletes another thing than the one that `GET /profiles/{name}` shows. A parameter
of the goal or of a change that a caller gives goes to all other steps whose operations declare one of its name; how
an answer is to look (`fields`), which part of a list it is (`limit`) and how a deed is done (`force`) stay where they
are. Where a body says the same otherwise (`project` of `POST /instances/{name}`, which takes it there), the read-back
asks in the new place where the thing is not in the old one. Called by the builder when all steps are known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from compiler.ir.model import FlowStep, Input, Operation, Resource, Role
from compiler.passes.flows.context import Context
from compiler.passes.flows.steps.expectations import sent_by
from compiler.passes.names import words
from compiler.passes.names.paths import ends_in_parameter, item_prefixes, last_word

_HOW = frozenset(
    words.split(
        "field fields select expand include exclude embed embedded filter filters format pretty view depth detail "
        "details full verbose limit offset page size per cursor marker start end skip top count total sort order by "
        "orderby q query search dry run recursive recursion force timeout wait async watch validate cascade purge "
        "reason revision etag version if match fresh cache refresh max min since until from to tail follow"
    )
)

IN_NEW_PLACE = ", in its new place where it is not in the old one"
_NEW = ("new", "target", "destination", "to")
_CALLED = ("name", "id", "uuid")


def says_where(parameter: str) -> bool:
    """Whether a parameter of a query may say where a thing is, going by its name."""
    return _HOW.isdisjoint(words.split(parameter))


def told_where(context: Context, steps: Sequence[FlowStep], goal: Operation) -> list[FlowStep]:
    """The steps, each with what the others are told of where the thing is."""
    given = {
        name: value
        for step in steps
        if step.operation == goal.key or not context.operations[step.operation].is_safe
        for name, location, value in step.parameters
        if location == "query" and str(value).startswith("$inputs.") and says_where(name)
    }
    return [_with(context, step, given) for step in steps] if given else list(steps)


def _with(context: Context, step: FlowStep, given: dict[str, object]) -> FlowStep:
    bound = {name for name, location, _ in step.parameters if location == "query"}
    declared = [p.name for p in context.operations[step.operation].parameters if p.location == "query"]
    missing = tuple((name, "query", given[name]) for name in declared if name in given and name not in bound)
    return replace(step, parameters=(*step.parameters, *missing)) if missing else step


def taken_elsewhere(
    context: Context, steps: Sequence[FlowStep], resource: Resource, inputs: Mapping[str, Input]
) -> list[FlowStep]:
    """The steps, each read-back with what the changes before it say of the place that its parameters name."""
    found: list[FlowStep] = []
    sent: list[tuple[str, str]] = []
    for step in steps:
        placed = _placed(context, step, sent, inputs) if step.role is Role.READ_BACK and sent else {}
        text = f"{step.description.rstrip('.')}{'' if step.moved else IN_NEW_PLACE}." if placed else step.description
        found.append(replace(step, placed=placed, description=text) if placed else step)
        sent += sent_to(context, step, resource) if step.role is Role.CHANGE else []
    return found


def sent_to(context: Context, step: FlowStep, resource: Resource) -> list[tuple[str, str]]:
    """What the step sends to the thing itself, right in its body: members and the inputs that fill them."""
    operation = context.operations[step.operation]
    owner = context.by_change.get(operation.key) or context.by_action.get(operation.key)
    if owner is not resource or operation.key == resource.create:
        return []
    found = ((pointer.removeprefix("/0")[1:], value) for pointer, value in sent_by(step))
    return [(n, v) for n, v in found if "/" not in n and isinstance(v, str) and v.startswith("$inputs.")]


def _placed(
    context: Context, step: FlowStep, sent: Sequence[tuple[str, str]], inputs: Mapping[str, Input]
) -> dict[str, str]:
    path = context.operations[step.operation].path
    last = list(item_prefixes(path))[-1][1] if ends_in_parameter(path) else ""
    found: dict[str, str] = {}
    for name, location, old in step.parameters:
        is_place = says_where(name) if location == "query" else location == "path" and name != last
        if not is_place or not str(old).startswith("$inputs."):
            continue
        called = _around(path, name) if location == "path" and _place(name) in _CALLED else {_place(name)}
        told = (v for member, v in sent if _place(member) in called and v not in (old, step.moved))
        new = next((value for value in told if _is_plain(context, inputs.get(value.removeprefix("$inputs.")))), "")
        found |= {name: new} if new else {}
    return found


def _place(name: str) -> str:
    """`project` for `new_project`, `target_project_id` and `projectName`."""
    said = [*words.split(name)]
    said = said[1:] if len(said) > 1 and said[0] in _NEW else said
    return " ".join(said[:-1] if len(said) > 1 and said[-1] in _CALLED else said)


def _around(path: str, parameter: str) -> set[str]:
    """What a part of the address is that is only called `name`: `pool` of `/storage-pools/{name}`."""
    before = path.partition(f"/{{{parameter}}}")[0]
    said = [*words.split(last_word(before))]
    said = [*said[:-1], words.singular(said[-1])] if said else []
    return {" ".join(said[n:]) for n in range(len(said))}


def _is_plain(context: Context, given: Input | None) -> bool:
    return given is not None and context.schemas.kind(given.schema) in ("string", "integer")
