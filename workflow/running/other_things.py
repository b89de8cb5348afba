"""Whether a read shows another thing than the one that it asked for, told by the id that the device itself gave.

Devices, and what stands in between, answer a read with another thing now and then: a cache with too short a key, an
address that leads elsewhere. Its values may be as they were asked for, and prove nothing. A thing's id is known where
an earlier step took it out of the member of a list, or of the answer to a creation, and the read's address is that
list's with the id at its end: then the thing has that member, too. Ids are compared by value, whatever their form; ids
of two kinds (a number and a UUID) are not compared. Pure; called by `interpreter`.
"""

import re

from workflow.documents.document import Json
from workflow.documents.expressions import Expression
from workflow.documents.scope import Scope
from workflow.documents.selectors import PathQuery
from workflow.documents.values import Reference, Selected, Value
from workflow.json.pointers import NOTHING
from workflow.programs.program import ProgramOutput, ProgramStep, WorkflowProgram
from workflow.replies.comparing import is_another_id
from workflow.replies.expectations import evaluated

_ONE_MEMBER = re.compile(r"\['((?:[^'\\]|\\.)*)'\]")
_NAME_IN_PATH = re.compile(r"\{[^{}]*\}")


def told_other(flow: WorkflowProgram, step: ProgramStep, scope: Scope) -> str:
    """What the reply in `scope` shows in place of what was asked for, in words; "" where nothing says so."""
    named = _named_by(step)
    source = named and _source(flow, step, named)
    if not named or not source:
        return ""
    member = _member(source)
    thing = _thing(step, scope)
    shown = thing.get(member) if member and isinstance(thing, dict) else None
    asked = named.evaluate(scope)
    if asked is NOTHING or not is_another_id(asked, shown):
        return ""
    return f"{step.key} shows another thing: {member} is {shown}, and {asked} was asked for"


def _named_by(step: ProgramStep) -> Expression | None:
    """The output of an earlier step that the last part of the address is."""
    path = step.request.path if step.request is not None else ()
    if len(path) < 3 or path[-1] or not path[-3].endswith("/"):
        return None
    bound = (each for each in step.request.parameters if each.location == "path") if step.request else ()
    value = next((each.value for each in bound if each.name == path[-2]), None)
    is_output = isinstance(value, Reference) and value.expression.root == "steps" and not value.expression.pointer
    return value.expression if is_output and isinstance(value, Reference) else None


def _source(flow: WorkflowProgram, step: ProgramStep, named: Expression) -> ProgramOutput | None:
    """The output as it is made, where that is by a request to the list above the address."""
    maker = next((each for each in flow.steps if each.step_id == named.owner), None)
    above = step.path_template.rpartition("/")[0]
    if maker is None or maker is step or _shape(maker.path_template) != _shape(above):
        return None
    return next((each for each in maker.outputs if each.name == named.name), None)


def _shape(path: str) -> str:
    return _NAME_IN_PATH.sub("{}", path.rstrip("/"))


def _member(output: ProgramOutput) -> str:
    """The member of a thing that the output is, "" where it is none."""
    value = output.value
    if isinstance(value, Reference):
        is_body = value.expression.root == "response" and value.expression.place == "body"
        return value.expression.pointer[-1] if is_body and value.expression.pointer else ""
    if isinstance(value, Selected) and isinstance(value.selection.query, PathQuery):
        last = _ONE_MEMBER.fullmatch(str(value.selection.query.query.segments[-1]))
        return last[1] if last else ""
    return ""


def _thing(step: ProgramStep, scope: Scope) -> Json:
    """What the step gives out as the thing, else the whole reply."""
    value: Value | None = next((each.value for each in step.outputs if each.name == "item"), None)
    return evaluated(value, scope) if value is not None else scope.reply.body if scope.reply else None
