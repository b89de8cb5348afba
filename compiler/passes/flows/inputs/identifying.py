"""Which inputs of a flow say what thing it is about: two calls that agree in them have the same effect.

What is changed, deleted or acted upon is identified by what leads to its path, else by what its body looks up; a new
thing by the name that it is given and by what it is made in. Where that says nothing, or an action makes a new thing
each time, all inputs count (None). Beside each input stands where the run finds what it stands for, so that a name and
an id of one thing can be told to be the same (`workflow.programs.equivalence`). Called by `builder`, when a flow is
whole.
"""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from compiler.ir.model import Effect, FlowStep, Operation, Resource
from compiler.passes.flows.steps import queries
from compiler.passes.identity import says_id
from compiler.passes.names import words
from compiler.passes.names.paths import last_word

if TYPE_CHECKING:
    from compiler.passes.flows.builder import Builder

_OUTPUT = re.compile(r"\$steps\.([A-Za-z0-9_-]+)\.outputs\.([A-Za-z0-9_-]+)")
_MAKING = words.MAKING - {"make", "attach", "restore", "import", "upload"}
_ADDRESS = ("path", "query")

Identifies = Mapping[str, str]


def identifies(builder: "Builder", resource: Resource) -> Identifies | None:
    """Each identifying input with the expression of what it stands for, or an empty text; None: all inputs are."""
    thing = _Thing(builder, resource)
    found: dict[str, str] = {}
    for step in builder.steps:
        operation = builder.operation(step.operation)
        if operation.effect is Effect.READ:
            continue
        said = thing.said_by(step, operation)
        if said is None:
            return None
        found |= {name: place for name, place in said.items() if name not in found or place}
    return dict(sorted(found.items()))


class _Thing:
    """Looks from a change back to the inputs that lead to it."""

    def __init__(self, builder: "Builder", resource: Resource) -> None:
        self._builder = builder
        self._resource = resource
        self._steps = {step.id: step for step in builder.steps}

    def said_by(self, step: FlowStep, operation: Operation) -> Identifies | None:
        """The inputs that say what this step changes; None where it may be another thing each time."""
        address = self._led_to([value for _, location, value in step.parameters if location in _ADDRESS])
        body = {name: at for name, at in self._led_to(step.payload).items() if at}
        if operation.effect is Effect.CREATE:
            return self._made(step, operation, {**address, **body})
        if operation.effect is Effect.ACT:
            if _MAKING & set(words.split(last_word(operation.path).rpartition(".")[2])):
                return None
            return address or self._subjects(body) or (None if not self._follows_a_change(step) else {})
        return address

    def _made(self, step: FlowStep, operation: Operation, around: Identifies) -> Identifies | None:
        """A new thing: its name, and what it is made in; a part of what the flow itself has made adds nothing."""
        if self._follows_a_change(step):
            return {}
        resource = self._builder.context.by_create.get(operation.key)
        keys = (*resource.natural_keys, resource.id_field) if resource else ()
        places = {name: self._place_of(name) for name in queries.inputs_used(step.payload)}
        named = {name: at for name, at in places.items() if at and at[-1] in keys}
        depth = min((len(at) for at in named.values()), default=0)
        names = [name for name, at in named.items() if len(at) == depth]
        needed = [name for name in places if self._builder.inputs[name].is_required]
        sure = [name for name in names if name in needed]
        owners = [name for name in needed if places[name] and says_id(places[name][-1])]
        return {**around, **dict.fromkeys((*(sure or names), *owners), "")} if names else None

    def _place_of(self, name: str) -> list[str]:
        """Where in the body the input stands, as the names of members."""
        at = str(self._builder.sample.get(name, {}).get("at", ""))
        return [part for part in at.split("/")[1:] if not part.isdigit()]

    def _subjects(self, found: Identifies) -> Identifies:
        """Of what a body looks up that which the flow is about, where one is."""
        own = self._builder.lookups.get(self._resource.noun)
        return {name: at for name, at in found.items() if own and f".{own}." in at} or found

    def _follows_a_change(self, step: FlowStep) -> bool:
        """Whether the step uses what a change before it has answered."""
        used = _OUTPUT.findall(str([step.payload, [value for _, _, value in step.parameters]]))
        return any(self._is_change(each) for each, _ in used)

    def _is_change(self, step_id: str) -> bool:
        step = self._steps.get(step_id)
        return step is not None and self._builder.operation(step.operation).effect is not Effect.READ

    def _led_to(self, value: Any) -> dict[str, str]:
        """The inputs from which the value comes, directly or by lookups before, and where what they stand for is."""
        found = dict.fromkeys(queries.inputs_used(value), "")
        for text in _texts(value):
            for step_id, output in _OUTPUT.findall(text):
                step = self._steps.get(step_id)
                if step is None or self._is_change(step_id):
                    continue
                found |= {name: _place(step, name) for name in queries.inputs_used(step.outputs.get(output))}
                found |= self._led_to([bound for _, _, bound in step.parameters])
        return found


def _place(step: FlowStep, name: str) -> str:
    """The output of a lookup that is about this input most alone: of a disk in a VM, the VM's for the VM."""
    about = {output: set(queries.inputs_used(value)) for output, value in step.outputs.items()}
    fitting = [output for output, names in about.items() if name in names]
    return f"$steps.{step.id}.outputs.{min(fitting, key=lambda output: len(about[output]))}"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
