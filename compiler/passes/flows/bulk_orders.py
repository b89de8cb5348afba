"""Orders to all things of a list at once: `PUT /vms` with `{"state": {"action": "stop"}}` stops every VM.

What a rule of states says of an order that is sent to the list itself (`ordered_states`): one workflow for each
value, which reads the list afterwards until all things in it show the state that the value brings about. A server
that says that all went well may have left some as they were. Values that bring about no state are one workflow each,
too, and are not looked at. Used by `plan`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from compiler.ir.model import Flow, FlowStep, Operation, Resource, Role
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.changes import change
from compiler.passes.flows.context import Context, noun_of
from compiler.passes.flows.splits import risk_of_value
from compiler.passes.flows.steps import queries
from compiler.passes.flows.steps.lookups import path_parameters
from compiler.passes.flows.wording import texts
from compiler.passes.names import words
from compiler.passes.names.paths import shape

_EVERY_S, _LOOKS = 1, 30


@dataclass(frozen=True, slots=True)
class BulkOrder:
    """One value of the order: `pointer` into the body, and the `state` that all things show `at` afterwards, if any."""

    pointer: str
    value: str
    at: str = ""
    state: str = ""


def orders_to_all(context: Context, resource: Resource, operation: Operation) -> tuple[BulkOrder, ...]:
    """The orders that the operation may give to all things of the list; empty where it gives none that is known."""
    is_on_list = bool(resource.collection) and shape(operation.path) == shape(resource.collection)
    if not (is_on_list and resource.list and operation.body) or resource.references or not resource.members:
        return ()
    for rule in context.profile.states:
        own = [each for each in rule.transitions if each.operation == operation.key and len(each.when) == 1]
        places = {place for each in own for place in each.when}
        if rule.resource == resource.noun and len(places) == 1:
            (place,) = places
            states = {str(each.when[place]): each.to for each in own}
            values = context.schemas.values(context.schemas.at(operation.body.schema, place))
            return tuple(BulkOrder(place, str(v), rule.field, states.get(str(v), "")) for v in values)
    return ()


def act_on_all(
    context: Context, resource: Resource, operation: Operation, orders: tuple[BulkOrder, ...]
) -> Iterator[Flow]:
    many = words.plural(resource.name)
    for order in orders:
        builder = Builder(context, operation)
        builder.fixed_members = {order.pointer: order.value}
        verb = words.spoken(order.value)
        change(builder, operation, f"{texts.opened(texts.doing(verb, f'all {many}'))}.")
        if order.state:
            _read_all(builder, resource, order)
        risk = risk_of_value(context, operation, order.pointer, order.value)
        name = texts.action_id(context.api.name, f"{words.snake(verb)}_all", words.plural(noun_of(resource)))
        title = texts.opened(texts.doing(verb, f"all {many}"))
        shown = f" Reads the list until all of them are {order.state}." if order.state else ""
        text = texts.describe((f"{title}: every one in the list.{shown}",), risk)
        yield builder.flow(name, "act", title, text, resource, risk)


def _read_all(builder: Builder, resource: Resource, order: BulkOrder) -> None:
    operation = builder.operation(resource.list)
    base, shown = queries.listed(resource), queries.of_listed(resource) + queries.from_pointer(order.at)
    otherwise = f"{base}[?@{shown} != {queries.quoted(order.state)}]"
    all_so = f"$[?count({otherwise}) == 0]"
    message = (
        f"It was accepted, and {_EVERY_S * _LOOKS} s later not all {words.plural(resource.name)} are {order.state}."
    )
    retry = {
        "name": "not_yet",
        "type": "retry",
        "retryAfter": _EVERY_S,
        "retryLimit": _LOOKS,
        "criteria": [queries.OK],
        "x-switchgear": {"code": "not_reached", "message": message},
    }
    step = FlowStep(
        id=builder.free_step_id("check_all"),
        operation=operation.key,
        role=Role.WAIT,
        description=f"Check that all {words.plural(resource.name)} are {order.state}.",
        parameters=tuple(path_parameters(builder, operation)),
        outputs={"otherwise": queries.selector(otherwise + queries.of_listed(resource, resource.id_field))},
        success=(queries.OK, queries.jsonpath(all_so)),
        failures=(retry,),
        expects=({"place": "", "text": f"all {words.plural(resource.name)} are {order.state}"},),
    )
    builder.add_step(step, "a server may say that all went well, and have left some as they were")
