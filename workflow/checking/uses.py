"""Where expressions are used, and whether what they name is there by then: the second part of the static checks.

An expression may name only what has been made on every path to it: outputs of earlier steps, the current step's reply
once it is there, inputs that the workflow declares. Called by `checks`; the paths come from `dominators`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from workflow.checking.dominators import Made, made_before
from workflow.documents.document import Workflow
from workflow.documents.expressions import Expression
from workflow.documents.templates import Template
from workflow.programs.program import ProgramAction, ProgramStep, WorkflowProgram
from workflow.programs.program_parts import Report

Moment = Literal["request", "reply", "success", "end"]


@dataclass(frozen=True, slots=True)
class Use:
    """An expression and when it is evaluated: for the request, with the reply, after success, at the workflow's end."""

    expression: Expression
    moment: Moment
    pointer: str


def uses_of(step: ProgramStep) -> Iterator[Use]:
    """All expressions of a step."""
    here = step.pointer
    if step.request is not None:
        for parameter in step.request.parameters:
            yield from _uses(parameter.value.expressions, "request", f"{here}/parameters")
        if step.request.payload is not None:
            yield from _uses(step.request.payload.expressions, "request", f"{here}/requestBody/payload")
        for name in ("address", "renamed", "moved"):
            told = getattr(step.request, name)
            yield from _uses(told.expressions if told is not None else (), "request", f"{here}/x-switchgear/{name}")
        for name, told in step.request.placed:
            yield from _uses(told.expressions, "request", f"{here}/x-switchgear/placed/{name}")
        for part in step.request.parts:
            expressions = part.file_name.expressions if part.file_name is not None else ()
            yield from _uses(expressions, "request", f"{here}/x-switchgear/parts")
        for number, replacement in enumerate(step.request.replacements):
            place = f"{here}/requestBody/replacements/{number}"
            yield from _uses(replacement.value.expressions, "request", place)
    for _, value in step.arguments:
        yield from _uses(value.expressions, "request", f"{here}/parameters")
    for number, criterion in enumerate(step.success):
        yield from _uses(criterion.expressions, "reply", f"{here}/successCriteria/{number}")
    for output in step.outputs:
        yield from _uses(output.value.expressions, "reply", output.pointer)
    for number, expected in enumerate(step.expects):
        yield from _uses(expected.expressions, "reply", f"{here}/x-switchgear/expects/{number}")
    if step.allows is not None:
        yield from _uses(step.allows.expressions, "reply", f"{here}/x-switchgear/allows")
    for watched in step.watches:
        yield from _uses(watched.expressions, "reply", f"{here}/x-switchgear/watches")
    for action in step.on_success:
        yield from _of_action(action, "success")
    for action in step.on_failure:
        yield from _of_action(action, "reply")
    yield from _uses(_of_template(step.message), "reply", here)


def _of_action(action: ProgramAction, moment: Moment) -> Iterator[Use]:
    for number, criterion in enumerate(action.criteria):
        yield from _uses(criterion.expressions, moment, f"{action.pointer}/criteria/{number}")
    for _, value in action.arguments:
        yield from _uses(value.expressions, moment, f"{action.pointer}/parameters")
    yield from _uses(_of_template(action.message), moment, action.pointer)


def _of_template(template: Template | None) -> tuple[Expression, ...]:
    return template.expressions if template else ()


def _uses(expressions: Iterable[Expression], moment: Moment, pointer: str) -> Iterator[Use]:
    return (Use(expression, moment, pointer) for expression in expressions)


def check_uses(
    workflow: Workflow, program: WorkflowProgram, others: Mapping[str, WorkflowProgram], report: Report
) -> None:
    """Reports every expression that names what is not there, or not yet."""
    judge = _Judge(program, others, report)
    for step, made in zip(program.steps, made_before(program), strict=True):
        for use in uses_of(step):
            judge.check(use, step, made)
    for output in program.outputs:
        for use in _uses(output.value.expressions, "end", output.pointer):
            judge.check(use, None, frozenset(step.step_id for step in program.steps))
    for number, (declared, made) in enumerate(zip(workflow.steps, made_before(program), strict=True)):
        for place, name in enumerate(declared.depends_on):
            judge.depends(name, made, f"{program.steps[number].pointer}/dependsOn/{place}")


class _Judge:
    def __init__(self, program: WorkflowProgram, others: Mapping[str, WorkflowProgram], report: Report) -> None:
        self._program = program
        self._others = others
        self._report = report
        self._steps = {step.step_id: step for step in program.steps}

    def check(self, use: Use, step: ProgramStep | None, made: Made) -> None:
        root = use.expression.root
        if root == "steps":
            self._check_step(use, step, made)
        elif root == "inputs":
            self._check_input(use)
        elif root in ("response", "statusCode"):
            self._check_reply(use)
        elif root in ("request", "method", "url"):
            self._check_request(use, step)
        elif root == "outputs":
            self._check_called(use, step)
        elif root == "workflows":
            self._check_workflow(use)
        elif root == "components":
            self._refuse(use, "components_in_value", "components are followed by references only", "use `reference`")
        elif root == "message":
            self._refuse(use, "asyncapi_unsupported", "messages are of AsyncAPI steps, which are not executed here")

    def _refuse(self, use: Use, code: str, message: str, remedy: str = "correct the expression") -> None:
        self._report(code, use.pointer, f"{use.expression.text}: {message}", remedy)

    def _check_step(self, use: Use, step: ProgramStep | None, made: Made) -> None:
        owner = self._steps.get(use.expression.owner)
        if owner is None:
            self._refuse(use, "unknown_step", "there is no such step")
        elif not _names(use.expression, [output.name for output in owner.outputs]):
            self._refuse(use, "unknown_output", f"the step {owner.step_id} has no such output", "declare the output")
        elif owner.step_id not in made and not (use.moment == "success" and owner is step):
            message = f"on some path to here the step {owner.step_id} has not succeeded"
            self._refuse(use, "used_before_made", message, "put the step earlier, or bind another value")

    def _check_input(self, use: Use) -> None:
        inputs = self._program.inputs
        known = inputs.schema.get("properties") or {}
        if not inputs.is_open and not _names(use.expression, list(known)):
            self._refuse(use, "unknown_input", "the workflow declares no such input", "declare it in `inputs`")

    def _check_reply(self, use: Use) -> None:
        if use.expression.place in ("query", "path"):
            self._refuse(use, "bad_expression", "a reply has no query and no path", "use the body or a header")
        elif use.moment in ("request", "end"):
            self._refuse(use, "used_before_made", "there is no reply here", "make it an output of the step first")

    def _check_request(self, use: Use, step: ProgramStep | None) -> None:
        if use.moment in ("request", "end") or step is None or step.workflow_id:
            self._refuse(use, "used_before_made", "there is no request here", "use the value that it is made of")

    def _check_called(self, use: Use, step: ProgramStep | None) -> None:
        called = self._others.get(step.workflow_id) if step is not None else None
        if called is None or use.moment == "request":
            self._refuse(use, "used_before_made", "only a step that has called a workflow sees its outputs")
        elif not _names(use.expression, [output.name for output in called.outputs]):
            self._refuse(use, "unknown_output", f"the workflow {called.workflow_id} has no such output")

    def _check_workflow(self, use: Use) -> None:
        other = self._others.get(use.expression.owner)
        if other is None:
            self._refuse(use, "unknown_workflow", "there is no such workflow")
        elif use.expression.place == "outputs" and not _names(use.expression, [each.name for each in other.outputs]):
            self._refuse(use, "unknown_output", f"the workflow {other.workflow_id} has no such output")

    def depends(self, name: str, made: Made, pointer: str) -> None:
        """A step that `dependsOn` names: of this workflow, and certainly through by then."""
        if name.startswith("$"):
            message = f"{name} is a step of another workflow, which is not waited for here"
            self._report("foreign_step", pointer, message, "call the workflow from a step")
        elif name not in self._steps:
            self._report("unknown_step", pointer, f"there is no step {name}", "correct the name")
        elif name not in made:
            message = f"on some path to here the step {name} has not succeeded"
            self._report("used_before_made", pointer, message, "put the step earlier")


def _names(expression: Expression, known: list[str]) -> bool:
    """Whether one way to read the expression's name is known."""
    return any(name in known for name, _ in expression.splits)
