"""How a flow shows that a thing is gone after its deletion: by its own read, or by the list where it has none.

Used by `changes` and the compositions behind a deletion. What a read answers then is 404 or 410, nothing, a state that
says so, or what the profile knows; a thing that is only out of force afterwards is told as that.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from compiler.ir.model import FlowStep, Operation, Resource, Role
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.context import address
from compiler.passes.flows.reached import reached
from compiler.passes.flows.steps import queries
from compiler.passes.flows.steps.lookups import path_parameters
from compiler.passes.names import words
from compiler.passes.names.paths import is_by_another_key
from workflow.documents.templates import text_of
from workflow.json.pointers import escape
from workflow.profiles.profile import Gone

_TRIES = 10  # a device may list what it deletes for a moment longer
_WAIT_S = 1
_FEW = 8  # members that one condition asks for
_DELETED = (("deleted",), ("destroyed",), ("terminated",), ("removed",), ("purged",))  # how states of what is kept end
# What a thing may be without anybody having deleted it, and what a deletion makes of it where nothing is thrown away.
_OUT_OF_FORCE = (("expired",), ("revoked",), ("archived",), ("inactive",), ("retired",))
# What a deletion may do to a thing that stays, and what leaves none.
_ENDING = {
    "stop": "stopped", "halt": "halted", "shutdown": "shut down", "cancel": "cancelled", "abort": "aborted",
    "pause": "paused", "suspend": "suspended", "disable": "disabled", "deactivate": "deactivated",
}  # fmt: skip
_THROWING_AWAY = frozenset({"delete", "remove", "destroy", "deletes", "removes", "destroys", "permanently", "purge"})
# A thing that is a list, and what stands beside it there.
_LISTS = ("items", "members", "results", "data", "value", "values", "entries")
_OF_PAGES = frozenset(
    {"pagination", "paging", "page", "pages", "total", "count", "next", "previous", "prev", "first", "last", "limit",
     "offset", "size", "meta", "links", "cursor", "token", "has", "more"}
)  # fmt: skip
_STATE_NAMES = (("state",), ("status",), ("phase",))


def gone(builder: Builder, resource: Resource) -> FlowStep | None:
    """Shows that the item is gone: its read answers 404, 410, nothing with its id, or what the profile says.

    What is found in a list and has no read of its own is no longer in the list.
    """
    if not resource.read:
        return _gone_from_list(builder, resource)
    if is_by_another_key(builder.goal.path, resource.read):
        return None
    operation, verb = builder.operation(resource.read), only_ends(builder.goal)
    signs, is_there = missing_signs(builder, resource, operation), _still_there(resource)
    if verb:
        over = [*_over(builder, resource, verb)]
        signs, is_there = [*signs, *over], _still_kept(resource, verb, has_state=bool(over))
    step = FlowStep(
        id=builder.free_step_id("check_gone"),
        operation=operation.key,
        role=Role.GONE,
        description=f"Check that the {resource.name} is {f'{_ENDING[verb]} or ' if verb else ''}gone.",
        parameters=tuple(path_parameters(builder, operation)),
        success=(queries.simple(queries.any_of(signs)),),
        failures=(*_kept(builder, resource, operation), is_there, _not_to_be_seen(resource)),
    )
    return builder.add_step(step, "a deletion is over when the thing can't be read any more")


def _gone_from_list(builder: Builder, resource: Resource) -> FlowStep | None:
    """Shows that the list no longer has the id under which it was found there; None where it was not found there."""
    known = builder.known.get((address(resource), ""), "")
    if not resource.list or resource.references or not resource.id_field or not known.startswith("$steps."):
        return None
    operation = builder.operation(resource.list)
    ids = queries.selector(f"{queries.listed(resource)}[*]{queries.of_listed(resource, resource.id_field)}")
    is_gone = {"place": f"/{escape(resource.id_field)}", "asked": known, "found": ids, "among": "out"}
    step = FlowStep(
        id=builder.free_step_id("check_gone"),
        operation=operation.key,
        role=Role.READ_BACK,
        description=f"See whether the {resource.name} is gone from the list.",
        parameters=tuple(path_parameters(builder, operation)),
        success=(queries.OK,),
        expects=(is_gone,),
        decides=True,
    )
    return builder.add_step(step, "what has no read of its own is gone when the list no longer has it")


def missing_signs(builder: Builder, resource: Resource, read: Operation) -> list[str]:
    signs = _signs_of_absence(builder, read) or [*_deleted_states(builder, resource), *_emptied(builder, resource)]
    missing = ["$statusCode == 404", "$statusCode == 410", *signs]
    if not resource.item_at and (held := _held_list(builder, resource)):
        empty = (queries.IS_GOOD, f"$response.body#/{held} != null", f"$response.body#/{held}/0 == null")
        missing.append(f"({queries.all_of(empty)})")
    nothing = f"({queries.all_of((queries.IS_GOOD, f'$response.body#{resource.item_at} == null'))})"
    return [*missing, nothing] if resource.item_at else missing


def _held_list(builder: Builder, resource: Resource) -> str:
    """The list that the thing is (`/shares/{server}`: `{items, pagination}`): it is gone when that is empty."""
    members = builder.context.schemas.members(resource.schema)
    lists = [n for n, member in members.items() if builder.context.schemas.kind(member) == "array"]
    others = {word for name in members if name not in lists for word in words.split(name)}
    is_list = len(lists) == 1 and (lists[0].lower() in _LISTS or _is_read_as_list(builder, resource))
    return escape(lists[0]) if is_list and others <= _OF_PAGES else ""


def _is_read_as_list(builder: Builder, resource: Resource) -> bool:
    """Whether one is read as all of them are: `/keys/{name}` answers with the keys of that name."""
    shown = (builder.operation(key).success for key in (resource.read, resource.list) if key)
    kinds = [builder.context.schemas.component(reply.schema if reply else None) for reply in shown]
    return len(kinds) > 1 and bool(kinds[0]) and kinds[0] == kinds[1]


def _emptied(builder: Builder, resource: Resource) -> list[str]:
    """Of settings of which there is one a deletion leaves the place: they are gone when no member has anything."""
    schemas, operation = builder.context.schemas, builder.operation(resource.read)
    members = schemas.members(resource.schema)
    if "{" in operation.path or not 0 < len(members) <= _FEW or not all(map(schemas.may_be_null, members.values())):
        return []
    nothing = (f"$response.body#{resource.item_at}/{escape(name)} == null" for name in members)
    return [f"({queries.all_of((queries.IS_GOOD, *nothing))})"]


def _deleted_states(builder: Builder, resource: Resource) -> list[str]:
    """What is kept for a while after its deletion, and says so: by a state that the description lists, or a flag."""
    schemas, found = builder.context.schemas, []
    for at, values in _states(builder, resource):
        states = [each for each in values if words.split(each)[-1:] in _DELETED]
        found += [queries.one_of_states(at, tuple(states))] if states else []
    for name, member in schemas.members(resource.schema).items():
        if name.lower().replace("_", "").removeprefix("is") == "deleted" and schemas.kind(member) == "boolean":
            found.append(f"$response.body#{resource.item_at}/{escape(name)} == true")
    return [f"({queries.all_of((queries.IS_GOOD, each))})" for each in found]


def _states(builder: Builder, resource: Resource) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Where the item shows a state whose values are listed, itself or inside (`/status/state`), and these values."""
    schemas = builder.context.schemas
    for name, member in schemas.members(resource.schema).items():
        if words.split(name)[-1:] not in _STATE_NAMES:
            continue
        at = f"$response.body#{resource.item_at}/{escape(name)}"
        inner = {n: m for n, m in schemas.members(member).items() if words.split(n)[-1:] in _STATE_NAMES}
        for place, schema in ((at, member), *((f"{at}/{escape(n)}", m) for n, m in inner.items())):
            values = tuple(map(str, schemas.values(schema)))
            if values:
                yield place, values


def _kept(builder: Builder, resource: Resource, read: Operation) -> Iterator[dict[str, Any]]:
    """The end of a deletion after which the thing is shown as out of force: nobody says whether that is all of it."""
    if _signs_of_absence(builder, read):
        return
    for at, values in _states(builder, resource):
        states = tuple(each for each in values if words.split(each)[-1:] in _OUT_OF_FORCE)
        if states:
            text = f"The deletion was accepted, and the {resource.name} is shown as “{{{at}}}” now, not as gone: "
            text += "whether that is what a deletion does here, or it was so before, the description does not say."
            says = {"outcome": "unknown", "code": "not_seen", "message": text}
            shown = queries.simple(queries.all_of((queries.IS_GOOD, queries.one_of_states(at, states))))
            yield {**_looked_for("kept", says), "criteria": [shown]}


def is_shown_when_gone(builder: Builder, read: Operation) -> bool:
    """Whether the profile says that a good answer may show a thing that is gone: then lists may have it, too."""
    rule = _rule(builder, read)
    return rule is not None and (bool(rule.signs) or rule.nothing_at is not None)


def _rule(builder: Builder, read: Operation) -> Gone | None:
    rules = builder.context.profile.gone
    return next((r for r in rules if r.pattern is None or re.search(r.pattern, read.key)), None)


def _signs_of_absence(builder: Builder, read: Operation) -> list[str]:
    rule = _rule(builder, read)
    if rule is None:
        return []
    shown = [queries.one_of_states(f"$response.body#{sign.at}", sign.values) for sign in rule.signs]
    if rule.nothing_at is not None:
        shown.append(f"$response.body#{rule.nothing_at} == null")
    good = [queries.all_of((queries.IS_GOOD, each)) for each in shown]
    return [*(f"$statusCode == {status}" for status in rule.statuses), *(f"({each})" for each in good)]


def _still_there(resource: Resource) -> dict[str, Any]:
    text = f"The deletion was accepted, but {_TRIES} s later the {resource.name} is there."
    return {**_looked_for("still_there", {"code": "still_there", "message": text}), "criteria": [queries.OK]}


def only_ends(operation: Operation) -> str:
    """What a deletion calls itself that says to stop the thing, and not to throw it away; "" for any other."""
    said = words.split(operation.summary)
    own = said[:1] or words.split(operation.name)[:1]
    is_more = any(word in _THROWING_AWAY for word in said)
    return own[0] if own and own[0] in _ENDING and not is_more else ""


def _over(builder: Builder, resource: Resource, verb: str) -> Iterator[str]:
    """The sign of a thing that is kept and over, where the description knows such a state."""
    schemas = builder.context.schemas
    state = reached([verb], schemas.members(resource.schema), schemas)
    if state is not None:
        shown = queries.one_of_states(f"$response.body#{resource.item_at}{state.place}", (text_of(state.value),))
        yield f"({queries.all_of((queries.IS_GOOD, shown))})"


def _still_kept(resource: Resource, verb: str, *, has_state: bool) -> dict[str, Any]:
    """A thing that is there after it was stopped says nothing against that; its state alone may say it is so."""
    text = f"The {resource.name} is there: it was asked to {verb}, and "
    if has_state:
        text += f"{_TRIES} s later it does not show that it is {_ENDING[verb]}."
    else:
        text += "nothing that is described tells whether it is."
    says = {"outcome": "unknown", "code": "not_seen", "message": text}
    return {**_looked_for("still_kept", says), "criteria": [queries.OK]}


def _not_to_be_seen(resource: Resource) -> dict[str, Any]:
    """A refusal or an error is no sight of the thing."""
    text = f"The deletion was accepted, but whether the {resource.name} is gone could not be seen."
    return _looked_for("not_to_be_seen", {"outcome": "unknown", "code": "not_seen", "message": text})


def _looked_for(name: str, says: Mapping[str, str]) -> dict[str, Any]:
    """A look for what was deleted is made again for a while; what it `says` in the end."""
    again = {"type": "retry", "retryAfter": _WAIT_S, "retryLimit": _TRIES}
    return {"name": name, **again, "x-switchgear": dict(says)}
