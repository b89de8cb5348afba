"""Whether a title is true: what it promises is done by a step, and what the steps do is told.

A composition is only as true as its title, whoever wrote it: each word of the title that says something has to be of
some step (its operation's names, its thing, the values that it sends, or what the trade says for these), and each
change has to be in the title or the description. Pure text over a flow. Called for what a person composed (`composed`)
and for what a model proposed (`compiler.proposals`).
"""

from collections.abc import Iterable, Iterator, Mapping

from compiler.ir.model import Effect, Flow, FlowStep, Operation, Resource, Role
from compiler.passes.flows.context import Context
from compiler.passes.flows.wording import texts
from compiler.passes.names import words
from compiler.passes.names.paths import parameter_of, segments
from workflow.search.question import Idea, understood
from workflow.search.stems import stems_of

_NOTHING: Mapping[str, str] = {}
_OF_EFFECTS = {Effect.CREATE: "create", Effect.UPDATE: "update", Effect.DELETE: "delete"}
_OF_ROLES = {Role.READ: "find show describe", Role.WAIT: "wait job", Role.LOOKUP: "find", Role.CHECK: "check"}
# Words that join, and those by which the planner tells classes of one action apart.
_JOINING = frozenset(
    stems_of(
        ("then", "and", "it", "them", "first", "again", "after", "before", "several", "disrupt", "interrupt", "destroy")
    ).values()
)


def unfulfilled(
    context: Context, flow: Flow, title: str, description: str = "", called: Mapping[str, str] = _NOTHING
) -> str:
    """The first promise that no step keeps, or change that is not told, in words; "" where the title is true.

    `called`: what the planner calls an operation's change (`Assign disk to VM`), where that is known.
    """
    told = [[*_said_of(context, step), called.get(step.operation, "")] for step in flow.steps]
    known = frozenset().union(*(_stems(said) for said in told))
    for idea in understood(title).ideas:
        if not _JOINING.issuperset(idea.said) and not any(known.issuperset(each) for each in _phrases(idea)):
            return f"“{' '.join(idea.said)}” is promised, and no step does it"
    promised = [idea for text in (title, description) for idea in understood(text).ideas]
    named = [idea for idea in promised if not idea.is_verb]
    for step, said in zip(flow.steps, told, strict=True):
        is_told = _say(promised, _stems([*_verbs(context, step), called.get(step.operation, "")]))
        is_about = "it" in words.split(title) or _say(named, _stems(said))
        if step.role is Role.CHANGE and not (is_told and is_about):
            return f"{step.operation} is done, and the title does not tell it"
    return ""


def _say(ideas: Iterable[Idea], known: frozenset[str]) -> bool:
    return any(known.issuperset(each) for idea in ideas for each in _phrases(idea))


def _phrases(idea: Idea) -> Iterator[tuple[str, ...]]:
    yield idea.said
    yield from idea.others


def _said_of(context: Context, step: FlowStep) -> list[str]:
    operation = context.operations[step.operation]
    places = [part for part in segments(operation.path) if not parameter_of(part)]
    owners = [r for r in context.api.resources if step.operation in operations_of(r)]
    names = [r.name for r in owners] + [context.profile.vocabulary.get(part, "") for part in places]
    said = [*places, *names, operation.name, *members(step.payload), _OF_ROLES.get(step.role, "")]
    return [*said, *_verbs(context, step)]


def _verbs(context: Context, step: FlowStep) -> list[str]:
    """What a step does, as its operation, its effect and the values that it sends say it."""
    operation = context.operations[step.operation]
    effect = _OF_EFFECTS.get(operation.effect, "") if operation.effect else ""
    return [texts.verb_of(operation), effect, _first(operation), *constants(step.payload)]


def _first(operation: Operation) -> str:
    return " ".join(words.split(operation.name or "")[:1])


def operations_of(resource: Resource) -> tuple[str, ...]:
    """The operations that are of the resource."""
    own = (resource.list, resource.read, resource.create, resource.update, resource.delete)
    return (*own, *resource.actions)


def members(payload: object) -> Iterator[str]:
    """The names of all that is sent, however deep."""
    if isinstance(payload, dict):
        yield from payload
    for value in (
        payload.values() if isinstance(payload, dict) else payload if isinstance(payload, (list, tuple)) else ()
    ):
        yield from members(value)


def constants(payload: object) -> Iterator[str]:
    """The texts that are always sent, however deep."""
    if isinstance(payload, str) and not payload.startswith("$") and "{$" not in payload:
        yield payload
    elif isinstance(payload, dict):
        for value in payload.values():
            yield from constants(value)
    elif isinstance(payload, (list, tuple)):
        for value in payload:
            yield from constants(value)


def _stems(texts_: Iterable[str]) -> frozenset[str]:
    said = [part for text in texts_ for part in words.split(text or "")]
    return frozenset(stems_of(part.lower() for part in said).values())
