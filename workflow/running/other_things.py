"""Whether a read shows another thing than the one that it asked for, told by the id that the device itself gave.

Devices, and what stands in between, answer a read with another thing now and then: a cache with too short a key, an
address that leads elsewhere. Its values may be as they were asked for, and prove nothing. Of which reads the id is
known, the program says (`workflow.programs.known_ids`). Ids are compared by value, whatever their form; ids of two
kinds (a number and a UUID) are not compared. Pure; called by `interpreter`.
"""

from workflow.documents.document import Json
from workflow.documents.scope import Scope
from workflow.documents.values import Reference
from workflow.json.pointers import NOTHING, resolve
from workflow.programs.program import ProgramStep
from workflow.replies.answers import only_one
from workflow.replies.comparing import is_another_id
from workflow.replies.expectations import evaluated


def told_other(step: ProgramStep, scope: Scope) -> str:
    """What the reply in `scope` shows in place of what was asked for, in words; "" where nothing says so."""
    if step.which is None:
        return ""
    thing = _thing(step, scope, step.which.member)
    shown = thing.get(step.which.member) if isinstance(thing, dict) else None
    asked = step.which.asked.evaluate(scope)
    if asked is NOTHING or not is_another_id(asked, shown):
        return ""
    return f"{step.key} shows another thing: {step.which.member} is {shown}, and {asked} was asked for"


def _thing(step: ProgramStep, scope: Scope, member: str) -> Json:
    """What the step gives out as the thing, or what that is a plain value of; else the whole reply, or its only one."""
    value = next((each.value for each in step.outputs if each.name == "item"), None)
    body = scope.reply.body if scope.reply else None
    item = evaluated(value, scope) if value is not None else only_one(body)
    if isinstance(item, dict) or item is NOTHING or not isinstance(value, Reference):
        return item
    place = value.expression.pointer  # of a report on how a thing is
    around = (resolve(body, place[:n]) for n in range(len(place) - 1, -1, -1))
    return next((each for each in around if isinstance(each, dict) and member in each), None)
