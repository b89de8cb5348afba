"""The static checks: all that can be known of a document before it is run (DESIGN.md, "Proof").

Here live the findings and the document-wide rules: unique names, bounded loops, no circles of calls. What cannot be
compiled is found by making the program (`program_making`), what is used too early by `uses`, what an operation asks
for by `bindings`. What is not executed here, AsyncAPI steps, XPath and other documents' workflows, is refused by name.
A document without errors can be run. Called by the compiler for every workflow and by whatever imports documents that
were written by hand.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from workflow.checking.bindings import Bindings
from workflow.checking.uses import check_uses
from workflow.documents.document import Criterion, Document, ExpressionType, Parameter, Reusable, Step, Workflow
from workflow.documents.operations import OperationFacts, OperationIndex
from workflow.documents.values import Value
from workflow.programs.control import endless_gotos, reachable, unreachable_steps
from workflow.programs.program_making import Program, ProgramMaker, ProgramStep, WorkflowProgram

LONGEST_RETRY = 10_000  # attempts of one step; a job polled each second for almost three hours


class CheckSeverity(StrEnum):
    """An error keeps a document from being stored; a warning is shown to the approver."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """`pointer` (RFC 6901) leads into the document; `remedy` says what its author can do."""

    code: str
    severity: CheckSeverity
    pointer: str
    message: str
    remedy: str = ""


def check(document: Document, operations: OperationIndex | None = None) -> tuple[Finding, ...]:
    """All findings, errors first, each group in the document's order of reading.

    Without `operations` nothing is said about whether operations exist, are given what they require, or declare what
    outputs take; steps that name operations by id are errors then.
    """
    return checked(document, operations)[0]


def checked(document: Document, operations: OperationIndex | None = None) -> tuple[tuple[Finding, ...], Program | None]:
    """The findings as `check` has them, and the program of the first workflow, None where there are errors."""
    found = _Checks(document, operations)
    found.run()
    unique = sorted(dict.fromkeys(found.findings), key=lambda finding: finding.severity is not CheckSeverity.ERROR)
    is_sound = not any(finding.severity is CheckSeverity.ERROR for finding in unique)
    return tuple(unique), found.program() if is_sound else None


class _Checks:
    def __init__(self, document: Document, operations: OperationIndex | None) -> None:
        self.findings: list[Finding] = []
        self._document = document
        self._operations = operations
        self._maker = ProgramMaker(document, operations, self.error)

    def error(self, code: str, pointer: str, message: str, remedy: str = "") -> None:
        self.findings.append(Finding(code, CheckSeverity.ERROR, pointer, message, remedy))

    def warn(self, code: str, pointer: str, message: str, remedy: str = "") -> None:
        self.findings.append(Finding(code, CheckSeverity.WARNING, pointer, message, remedy))

    def run(self) -> None:
        document = self._document
        self._unique([each.name for each in document.source_descriptions], "/sourceDescriptions", "source")
        self._unique([each.workflow_id for each in document.workflows], "/workflows", "workflow")
        pairs = [(workflow, self._maker.workflow(workflow)) for workflow in document.workflows]
        programs = {program.workflow_id: program for _, program in pairs}
        for workflow, program in pairs:
            self._unique([step.step_id for step in workflow.steps], f"{program.pointer}/steps", "step")
            self._check_parameters(workflow, program)
            self._check_patterns(program)
            self._check_control(program)
            check_uses(workflow, program, programs, self.error)
            self._check_calls(program, programs)
            self._check_versions(workflow, program)
            self._check_bindings(program)
        self._check_circles(programs)

    def program(self) -> Program:
        """The program that was made to be checked."""
        return self._maker.program(self._document.workflows[0].workflow_id)

    def _unique(self, names: list[str], pointer: str, what: str) -> None:
        counts = Counter(names)
        for number, name in enumerate(names):
            if counts[name] > 1 and names.index(name) != number:
                self.error("duplicate_name", f"{pointer}/{number}", f"there are two {what}s {name}", "rename one")

    def _check_parameters(self, workflow: Workflow, program: WorkflowProgram) -> None:
        for step, made in zip(workflow.steps, program.steps, strict=True):
            entries = [each for each in step.parameters if isinstance(each, Parameter)]
            counts = Counter((each.location, _name_on_the_wire(each)) for each in entries)
            for (location, name), count in counts.items():
                if count > 1:
                    message = f"{name} in {location or 'the inputs'} is given {count} times, and the last counts"
                    self.warn("duplicate_parameter", f"{made.pointer}/parameters", message, "keep one")

    def _check_patterns(self, program: WorkflowProgram) -> None:
        for pattern in program.inputs.unenforced:
            message = f"the pattern {pattern[:80]!r} is not enforced: no engine runs it in linear time"
            remedy = "say it without look-around and back-references"
            self.warn("unenforced_pattern", f"{program.pointer}/inputs", message, remedy)

    def _check_control(self, program: WorkflowProgram) -> None:
        for action in endless_gotos(program):
            message = f"{action.name} leads back without a limit"
            remedy = "use a retry with a retryLimit, or give the goto a `limit` in x-switchgear"
            self.error("endless_loop", action.pointer, message, remedy)
        for step in unreachable_steps(program):
            self.warn("unreachable_step", step.pointer, f"nothing leads to {step.step_id}", "remove it or lead to it")
        for step in program.steps:
            self._check_retries(step)

    def _check_retries(self, step: ProgramStep) -> None:
        for action in step.on_failure:
            if action.type != "retry":
                continue
            if action.retry_limit > LONGEST_RETRY:
                message = f"{action.retry_limit} attempts are more than {LONGEST_RETRY}"
                self.error("retry_too_long", action.pointer, message, "lower retryLimit and raise retryAfter")
            if not step.is_idempotent and not action.criteria and step.request is not None:
                message = f"{step.key} is sent again after any failure, though it is not idempotent"
                self.warn("retry_repeats_change", action.pointer, message, "say in criteria which failures are safe")

    def _check_calls(self, program: WorkflowProgram, programs: Mapping[str, WorkflowProgram]) -> None:
        """Whether workflows that are called get the inputs that they require, and no others."""
        for step in program.steps:
            calls = [(step.workflow_id, step.arguments, f"{step.pointer}/parameters")] if step.workflow_id else []
            actions = (*step.on_success, *step.on_failure)
            calls += [(each.workflow_id, each.arguments, each.pointer) for each in actions if each.workflow_id]
            for workflow_id, arguments, pointer in calls:
                if workflow_id in programs:
                    self._check_arguments(programs[workflow_id], dict(arguments), pointer)

    def _check_arguments(self, called: WorkflowProgram, arguments: Mapping[str, Value], pointer: str) -> None:
        schema = called.inputs.schema
        known = schema.get("properties") or {}
        for name in schema.get("required") or ():
            if name not in arguments and "default" not in (known.get(name) or {}):
                message = f"the workflow {called.workflow_id} requires the input {name}"
                self.error("unbound_input", pointer, message, "bind a value to it")
        for name in arguments:
            if name not in known and not called.inputs.is_open:
                message = f"the workflow {called.workflow_id} has no input {name}"
                self.error("unknown_input", pointer, message, "correct the name or remove it")

    def _check_versions(self, workflow: Workflow, program: WorkflowProgram) -> None:
        for step, made in zip(workflow.steps, program.steps, strict=True):
            for number, criterion in enumerate(_criteria_of(step)):
                kind = criterion.type
                version = kind.version if isinstance(kind, ExpressionType) else criterion.version
                if version and version.startswith("draft-"):
                    message = f"{version} is read as RFC 9535 here"
                    self.warn(
                        "old_jsonpath",
                        made.pointer,
                        f"criterion {number}: {message}",
                        "see that it selects the same",
                    )

    def _check_bindings(self, program: WorkflowProgram) -> None:
        if self._operations is None:
            return
        facts: dict[str, OperationFacts] = {}
        for step in program.steps:
            call = self._maker.calls.get(step.pointer)
            if call is not None and call.facts is not None:
                facts[step.step_id] = call.facts
        components = self._document.components.inputs
        Bindings(program, facts, self._operations, components, self.error, self.warn).check()

    def _check_circles(self, programs: Mapping[str, WorkflowProgram]) -> None:
        """A workflow that calls itself, through others or not, need not end."""
        numbers = {name: number for number, name in enumerate(programs)}
        graph = {
            numbers[name]: {numbers[each] for each in _called(program) & numbers.keys()}
            for name, program in programs.items()
        }
        for name, program in programs.items():
            if any(numbers[name] in reachable(graph, target) for target in graph[numbers[name]]):
                message = f"the workflow {name} comes to call itself"
                self.error("endless_calls", program.pointer, message, "break the circle")


def _name_on_the_wire(parameter: Parameter) -> str:
    return parameter.name.lower() if parameter.location == "header" else parameter.name


def _called(program: WorkflowProgram) -> set[str]:
    actions = (action for step in program.steps for action in (*step.on_success, *step.on_failure))
    return {each for each in (*(step.workflow_id for step in program.steps), *(a.workflow_id for a in actions)) if each}


def _criteria_of(step: Step) -> Iterable[Criterion]:
    yield from step.success_criteria
    for action in (*step.on_success, *step.on_failure):
        if not isinstance(action, Reusable):
            yield from action.criteria
