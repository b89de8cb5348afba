"""The version that a change has to name in its query: `POST /configs/{id}/update?version=7`.

A server that refuses writes on what somebody else has changed meanwhile asks for the version that was read (optimistic
concurrency without RFC 9110's conditional headers). No caller knows it by heart, so the thing is read right before, and
its version is bound. Called by `changes` for the goal of a flow.
"""

from compiler.ir.model import ApiParameter, Effect, FlowStep, Operation, Resource, Role
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.steps import queries
from compiler.passes.flows.steps.lookups import path_parameters
from compiler.passes.names import words
from workflow.json.pointers import escape

_VERSIONS = frozenset({"version", "resource_version", "revision", "generation"})
_COUNTERS = frozenset({"index", "number", "value"})  # within an object that is the version
_PLAIN = ("integer", "string", "number")


def read_version(builder: Builder, operation: Operation, parameter: ApiParameter) -> str | None:
    """The expression of the version of what is changed, after a step that reads it; None where a caller has to say."""
    owner = builder.context.by_action.get(operation.key) or builder.context.by_change.get(operation.key)
    is_asked = parameter.location == "query" and parameter.is_required and words.snake(parameter.name) in _VERSIONS
    if not is_asked or operation.effect in (Effect.READ, Effect.CREATE) or owner is None or not owner.read:
        return None
    place = _place(builder, owner, words.snake(parameter.name))
    if not place or owner.item_is_list:
        return None
    read = builder.operation(owner.read)
    step = FlowStep(
        id=builder.free_step_id("read_version"),
        operation=read.key,
        role=Role.CHECK,
        description=f"Read the {owner.name}'s version.",
        parameters=tuple(path_parameters(builder, read)),
        outputs={"version": f"$response.body#{owner.item_at}{place}"},
        success=(queries.OK,),
    )
    step = builder.add_step(step, "the change is refused unless it names the version that was read")
    return f"$steps.{step.id}.outputs.version"


def _place(builder: Builder, owner: Resource, asked: str) -> str:
    """Where the thing shows its version, "" where it does not."""
    schemas = builder.context.schemas
    for name, member in schemas.members(owner.schema).items():
        if words.snake(name) != asked:
            continue
        if schemas.kind(member) in _PLAIN:
            return f"/{escape(name)}"
        inner = next((one for one in schemas.members(member) if words.snake(one) in _COUNTERS), "")
        return f"/{escape(name)}/{escape(inner)}" if inner else ""
    return ""
