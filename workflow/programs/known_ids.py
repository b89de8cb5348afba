"""Which id the thing has that a step reads, where an earlier step took it out of a list or out of an answer.

Made with the program, from its steps alone: the read's address is that list's with the id at its end, and the id was a
member of a thing in the list, or of the answer to a creation in it. Then the thing that is read has that member, too.
Used by `program_making`; what follows from another id is in `workflow.running.other_things`.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from workflow.documents.expressions import Expression
from workflow.documents.path_queries import address_of
from workflow.documents.selectors import PathQuery
from workflow.documents.values import Reference, Selected
from workflow.programs.program import KnownId, ProgramOutput, ProgramStep

_ONE_MEMBER = re.compile(r"\['((?:[^'\\]|\\.)*)'\]")
_NAME_IN_PATH = re.compile(r"\{[^{}]*\}")


def with_known_ids(steps: Sequence[ProgramStep]) -> tuple[ProgramStep, ...]:
    """The steps, each read of a thing whose id is known with it."""
    return tuple(replace(step, which=_known(steps, step)) if step.is_safe else step for step in steps)


def _known(steps: Sequence[ProgramStep], step: ProgramStep) -> KnownId | None:
    named, made = _named_by(step), finder_of(steps, step)
    member = _member(made[1]) if made is not None else ""
    return KnownId(named, member) if named is not None and member else None


def source_of(steps: Sequence[ProgramStep], step: ProgramStep) -> ProgramOutput | None:
    """The output by which the id of what the step reads is known (`ProgramStep.which`)."""
    made = finder_of(steps, step) if step.which is not None else None
    return made[1] if made is not None else None


def finder_of(steps: Sequence[ProgramStep], step: ProgramStep) -> tuple[int, ProgramOutput] | None:
    """The number of the step that made what the last part of the step's address is, and the output that it is.

    That is by a request to the list above the address.
    """
    named = _named_by(step)
    owner = named.owner if named is not None else None
    number = next((n for n, each in enumerate(steps) if each.step_id == owner), None)
    if number is None or named is None or steps[number] is step:
        return None
    above = address_of(step.path_template).rpartition("/")[0]
    if _shape(address_of(steps[number].path_template)) != _shape(above):
        return None
    output = next((each for each in steps[number].outputs if each.name == named.name), None)
    return (number, output) if output is not None else None


def _named_by(step: ProgramStep) -> Expression | None:
    """The output of an earlier step that the last part of the address is."""
    path = step.request.path if step.request is not None else ()
    if step.request is None or len(path) < 3 or path[-1] or not path[-3].endswith("/"):
        return None
    bound = (each for each in step.request.parameters if each.location == "path")
    value = next((each.value for each in bound if each.name == path[-2]), None)
    is_output = isinstance(value, Reference) and value.expression.root == "steps" and not value.expression.pointer
    return value.expression if is_output and isinstance(value, Reference) else None


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
