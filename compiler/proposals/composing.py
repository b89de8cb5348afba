"""Putting workflows together that there are: their changes, in an order, as one workflow that the planner plans anew.

What a piece sends is taken from it: the values that make `Start VM` of an action. The planner finds the data flow, the
title is made of the pieces' own and held against the steps, and the twin judges (`verification`). Here never lives the
choice of the pieces (`tasks`, `asked`), nor a model.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from compiler.compiled import Compiled, CompiledWorkflow
from compiler.ir.model import Api, Diagnostic, Effect, Flow, FlowStep, Role
from compiler.passes.flows.composed import composed
from compiler.passes.flows.context import Context
from compiler.passes.flows.ranking import ranked
from compiler.passes.flows.steps.following import with_next
from compiler.passes.flows.wording import texts
from compiler.passes.flows.wording.fulfilled import operations_of, unfulfilled
from compiler.passes.names import words
from compiler.proofs.sampling import leaves
from compiler.proofs.verifying import Verifier
from workflow.profiles.profile import Compose, Profile
from workflow.risks import GRAVITY

MOST_CHANGES = 5
NOBODY: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class CompositionRefusal:
    """Why pieces make no workflow, in an operator's words; `detail`: what the compiler says of it."""

    why: str
    detail: Diagnostic | None = None


class Composer:
    """Composes within one compiled API; the twin is made when it is first needed."""

    def __init__(self, compiled: Compiled) -> None:
        self.api: Api = compiled.api
        self.profile = compiled.profile or Profile(api=compiled.api.name)
        self.context = Context.of(self.api, self.profile)
        self._given = compiled.profile
        self._taken = frozenset(one.flow.id for one in compiled.workflows)
        self._verifier: Verifier | None = None

    def proved(
        self, pieces: Sequence[Flow], mark: Mapping[str, str] = NOBODY, hint: str = ""
    ) -> CompiledWorkflow | CompositionRefusal:
        """The pieces as one workflow, checked and run on the twin; or why they are none.

        `mark`: who put it together, from which sentence. `hint`: what was said, which chooses among the values that a
        piece offers.
        """
        flow = self.planned(pieces, hint)
        if isinstance(flow, CompositionRefusal):
            return flow
        flow = replace(flow, proposed=mark)
        if self._verifier is None:
            self._verifier = Verifier(self.api, self._given, plays_all=False)
        made = self._verifier.verified(flow)
        return _refused(made, flow, pieces) if isinstance(made, Diagnostic) else made

    def planned(self, pieces: Sequence[Flow], hint: str = "") -> Flow | CompositionRefusal:
        """The same, unproved."""
        operations, values = self._parts(pieces, hint)
        if sum(self.context.operations[key].effect is not Effect.READ for key in operations) > MOST_CHANGES:
            return CompositionRefusal(f"more than {MOST_CHANGES} changes are no one task")
        title = title_of(pieces, self.context)
        wanted = Compose(id=self._free_id(title), title=title, operations=tuple(operations), values=values)
        overrides = self.profile.overrides.model_copy(update={"compose": (wanted,)})
        asking = replace(self.context, profile=self.profile.model_copy(update={"overrides": overrides}))
        flows, _ = composed(asking)
        flow = ranked(self.context, with_next(flows))[0]
        if GRAVITY[flow.risk] > max(GRAVITY[piece.risk] for piece in pieces):
            return CompositionRefusal(f"together they are of the class {flow.risk}, which none of them is")
        fault = self._missing(flow, operations) or self._untrue(flow, pieces)
        return CompositionRefusal(fault) if fault else flow

    def _untrue(self, flow: Flow, pieces: Sequence[Flow]) -> str:
        """What is wrong with the title, in words; each change may be called as its piece is."""
        called = {step.operation: piece.title for piece in pieces for step in piece.steps if step.role is Role.CHANGE}
        return unfulfilled(self.context, flow, flow.title, flow.description, called)

    def _parts(self, pieces: Sequence[Flow], hint: str) -> tuple[list[str], dict[str, Any]]:
        """The operations in order, and what is always sent to each, by its number."""
        operations: list[str] = []
        values: dict[str, Any] = {}
        for piece in pieces:
            changes = [step for step in piece.steps if step.role is Role.CHANGE]
            for step in changes:
                operations.append(step.operation)
                values |= {f"{len(operations)}.{name}": value for name, value in _sent(piece, step, hint)}
            if not changes:
                operations.append(piece.goal)
        return operations, values

    def _free_id(self, title: str) -> str:
        name = texts.flow_id(self.api.name, title.replace(",", ""), "")
        number = 2
        while name in self._taken:
            name, number = f"{name.removesuffix(f'_{number - 1}')[: texts.NAME_LENGTH - 3]}_{number}", number + 1
        return name

    @staticmethod
    def _missing(flow: Flow, operations: Sequence[str]) -> str:
        reached = {step.operation for step in flow.steps}
        gone = next((key for key in operations if key not in reached), "")
        return f"the planner finds no way to {gone} after the others" if gone else ""


def _refused(said: Diagnostic, flow: Flow, pieces: Sequence[Flow]) -> CompositionRefusal:
    """What the compiler says, by the titles of the pieces: a played device refuses one, or else nothing fits."""
    operations = {step.id: step.operation for step in flow.steps if f" {step.id}: " in said.message}
    refused = next(
        (p.title for p in pieces[1:] if not {s.operation for s in p.steps}.isdisjoint(operations.values())), ""
    )
    if refused:
        why = f"played on a simulated device, “{refused}” does not work any more after what comes before it"
    elif said.code == "workflow-not-proved":
        why = "played on a simulated device, together they do not do what they say: run one after the other"
    else:
        why = "what these need does not go together in one workflow: run one after the other"
    return CompositionRefusal(why, said)


def _sent(piece: Flow, step: FlowStep, hint: str) -> Iterator[tuple[str, Any]]:
    """(member, value) of what the piece always sends; of values that it offers, the one that the hint names, or the
    first."""
    offered: Mapping[str, Any] = {
        f"$inputs.{given.name}": given.schema["enum"]
        for given in piece.inputs
        if given.schema.get("enum") and given.is_required
    }
    for pointer, value in leaves(step.payload):
        name = pointer.rpartition("/")[2]
        if str(value) in offered and piece.intent == "act":
            yield name, _chosen(offered[str(value)], hint)
        elif value is not None and not str(value).startswith("$") and "{$" not in str(value) and name:
            yield name, value


def _chosen(values: Sequence[Any], hint: str) -> Any:
    said = set(words.split(hint))
    return max(values, key=lambda value: len(said.intersection(part.lower() for part in words.split(str(value)))))


def title_of(pieces: Sequence[Flow], context: Context) -> str:
    """`Create VM, then start it`: the pieces' own titles; what they are all about is named once."""
    first, *others = [piece.title for piece in pieces]
    names = {name for piece in pieces for name in _names_of(context, piece)}
    thing = next((n for n in sorted(names, key=len, reverse=True) if _ends_in(first, n)), "")
    rest = [_with_it(title, thing) for title in others]
    return ", then ".join([first, *rest])


def _names_of(context: Context, piece: Flow) -> tuple[str, ...]:
    return tuple(r.name for r in context.api.resources if piece.goal in operations_of(r))


def _ends_in(title: str, name: str) -> bool:
    return title.lower().endswith(f" {name.lower()}")


def _with_it(title: str, thing: str) -> str:
    small = title if title[:2].isupper() else f"{title[:1].lower()}{title[1:]}"
    return f"{small[: -len(thing)]}it" if thing and _ends_in(title, thing) else small
