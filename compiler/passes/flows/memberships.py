"""Putting a thing that there is into a list, and taking it out again: a role of a user, a group of a client.

The caller names the thing; it is looked up where it lives (or, to be taken out, in the list itself) and sent as the
description wants it: whole, alone or as a list of one. Afterwards the list shows it, or does not. Called by `plan` and
`intents` for the operations of `compiler.passes.memberships`.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from compiler.ir.model import Flow, FlowStep, Operation, Role
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.changes import change, parameters_of
from compiler.passes.flows.context import Context
from compiler.passes.flows.steps import queries
from compiler.passes.flows.steps.lookups import look_up, path_parameters
from compiler.passes.flows.wording import texts
from compiler.passes.memberships import ListMembership
from compiler.passes.names import words
from compiler.passes.names.paths import item_prefixes, last_word, path_of, shape
from workflow.risks import Risk

Bound = tuple[str, str, Any]


def changed(context: Context, operation: Operation) -> Flow:
    """The flow of an operation whose body names the thing."""
    return _Change(context, context.memberships[operation.key], operation).flow()


def called(context: Context, flow: Flow) -> Flow:
    """The flow under what a person calls it, where its operation reads or changes a membership by its address."""
    one = context.memberships.get(flow.goal)
    if one is not None and flow.goal not in one.bodies:
        return _named(context, flow, one, is_out=flow.goal == one.takes_out)
    if flow.intent != "find":
        return flow
    path = path_of(flow.goal)
    for listed in context.memberships.values():
        below = path.removeprefix(f"{listed.listed.collection}/")
        if listed.listed.list == flow.goal or (below != path and _is_of_same(context, flow, listed)):
            which = last_word(below) if below != path else ""
            return _listed(context, flow, listed, words.spoken(words.singular(which)))
    return flow


def _is_of_same(context: Context, flow: Flow, one: ListMembership) -> bool:
    """Whether it lists things of the same kind, below the list: `…/role-mappings/available`."""
    component = context.schemas.component
    listed = context.lists.get(flow.goal)
    return listed is not None and not listed.item and component(listed.schema) == component(one.home.schema)


class _Change:
    def __init__(self, context: Context, one: ListMembership, operation: Operation) -> None:
        self.context = context
        self.one = one
        self.operation = operation
        self.is_out = operation.key == one.takes_out
        self.builder = Builder(context, operation)
        source = one.listed if self.is_out else one.home
        self.thing = replace(source, name=one.home.name, natural_keys=one.home.natural_keys)

    def flow(self) -> Flow:
        """Lookup, change, and a look at the list."""
        bound = parameters_of(self.builder, self.operation, filters=False)
        found = look_up(self.builder, self.thing, self._purpose(), self._where(bound), self.one.listed.id_field)
        item = f"$steps.{found}.outputs.item"
        named = {self.one.member: f"$steps.{found}.outputs.id"} if self.one.member else item
        self.builder.whole_body = [named] if self.one.takes_many else named
        verb = "Take" if self.is_out else "Put"
        change(self.builder, self.operation, f"{verb} the {self.one.home.name} {'out' if self.is_out else 'in'}.")
        self._look(found)
        risk = self.operation.risk or Risk.CHANGE
        flow = self.builder.flow("", "act", "", "", self.one.listed, risk)
        return _named(self.context, flow, self.one, is_out=self.is_out)

    def _purpose(self) -> str:
        """What tells the thing from another of its kind that the address names: `composite` of a role."""
        owners = {shape(prefix) for prefix, _ in item_prefixes(self.operation.path)}
        if shape(self.one.home.item) not in owners:
            return ""
        return words.snake(words.singular(self.one.within)) or "other"

    def _where(self, bound: Sequence[Bound]) -> list[Bound]:
        """The parameters of the list in which the thing is looked up, out of those of the change."""
        if self.is_out:
            return list(path_parameters(self.builder, self.builder.operation(self.one.listed.list)))
        given = {name: value for name, location, value in bound if location == "path"}
        owners = {at: given[name] for name, at in self.context.owners_of(self.one.listed.list) if name in given}
        return [(name, "path", owners[at]) for name, at in self.context.owners_of(self.one.home.list)]

    def _look(self, found: str) -> None:
        listed = self.one.listed
        operation = self.builder.operation(listed.list)
        wanted = f"@{queries.of_listed(listed, listed.id_field)} == '{{$steps.{found}.outputs.known}}'"
        query = f"{queries.listed(listed)}[?{wanted}]"
        shown: dict[str, Any] = {
            "place": "",
            "text": f"the {self.one.home.name} is {'not ' if self.is_out else ''}there",
        }
        gone = {
            "place": "",
            "before": f"$steps.{found}.outputs.known",
            "found": queries.selector(f"{query}{queries.of_listed(listed, listed.id_field)}"),
            "text": f"the {self.one.home.name} is still there",
        }
        step = FlowStep(
            id=self.builder.free_step_id("read_back"),
            operation=operation.key,
            role=Role.READ_BACK,
            description=f"See whether the {self.one.home.name} is {'gone from' if self.is_out else 'in'} the list.",
            parameters=tuple(path_parameters(self.builder, operation)),
            outputs={} if self.is_out else {"item": queries.selector(f"{query}{queries.of_listed(listed)}")},
            success=(queries.OK,) if self.is_out else (queries.OK, queries.jsonpath(query)),
            expects=(gone, shown) if self.is_out else (shown,),
            decides=True,
        )
        step = self.builder.add_step(step, "the list shows what has become of it")
        if not self.is_out:
            self.builder.add_output("item", f"$steps.{step.id}.outputs.item", {"type": "object"})


def _named(context: Context, flow: Flow, one: ListMembership, *, is_out: bool) -> Flow:
    verb, between = ("remove", "from") if is_out else ("add", "to")
    called = _Wording.of(one)
    does = f"{verb.capitalize()}s {texts.an(called.thing)} {between} {called.whose}"
    steps = [(step.role, step.operation) for step in flow.steps]
    stays = f"{does}; the {one.home.name} itself stays." if is_out else f"{does}."
    said = " ".join(part for part in (stays, texts.course(steps)) if part)
    return _titled(context, flow, called.title(verb, called.thing, between), said)


def _listed(context: Context, flow: Flow, one: ListMembership, which: str) -> Flow:
    called = _Wording.of(one)
    things = words.plural(f"{which} {called.thing}".strip())
    text = texts.describe((f"Lists the {things} of {called.whose}.",), Risk.READ)
    is_told = which or one.within or not one.bodies or bool(one.listed.item)
    title = called.title("find", things if is_told else f"assigned {things}", "of")
    return _titled(context, flow, title, text)


def _titled(context: Context, flow: Flow, title: str, description: str) -> Flow:
    name = texts.flow_id(context.api.name, title.replace(" of ", " "), "")
    return replace(flow, id=name, title=texts.opened(title), description=description)


@dataclass(frozen=True, slots=True)
class _Wording:
    """`thing`: what is put in, as people call it there (`default group`); `within` the list, `holder` whose it is."""

    thing: str
    within: str
    holder: str

    @staticmethod
    def of(one: ListMembership) -> "_Wording":
        holder = one.holder.name if one.holder is not None else ""
        plain = words.split(one.home.name)[-1]
        is_same = plain in words.split(f"{holder} {words.singular(one.within)}")
        if is_same and one.within and holder:
            return _Wording(words.spoken(words.singular(one.within)), "", holder)
        return _Wording(one.home.name, one.within if holder else one.within or one.listed.name, holder)

    @property
    def whose(self) -> str:
        holder = texts.an(self.holder) if self.holder else ""
        within = f"the {self.within}" if self.within else ""
        return " of ".join(part for part in (within, holder) if part)

    def title(self, verb: str, thing: str, between: str) -> str:
        """A word that was said is not said again, as long as a noun is left of each: `default scope to client`."""
        said, own = words.singulars(thing), words.singulars(self.holder)
        if not self.within and own <= said:
            return f"{verb} {_without(thing, own)} {between} {self.holder}"
        holder = _without(self.holder, said)
        within = _without(self.within, said | words.singulars(holder))
        return f"{verb} {thing} {between} {' of '.join(part for part in (within, holder) if part)}"


def _without(name: str, said: Set[str]) -> str:
    return " ".join(word for word in name.split(" ") if words.singular(word.lower()) not in said)
