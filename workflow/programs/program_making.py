"""Making a program: a document's workflow with every expression, query and schema compiled, every reference followed.

Here live workflows and steps; their parameters, bodies, criteria and actions are in `program_parts`, the types in
`program`. Faults go to a `Report`: `build_program` raises the first, `checks` collects all, so that what passes the
checks is what can be run. What is not executed here, AsyncAPI steps and XPath, is refused here by name.
"""

from collections.abc import Mapping
from typing import NoReturn

from workflow.documents.calls import Call, find_call
from workflow.documents.document import ABSENT, Document, Json, Step, Workflow, ours
from workflow.documents.operations import SAFE_METHODS, OperationIndex
from workflow.documents.path_queries import address_of, fixed_query
from workflow.documents.values import Value
from workflow.errors import DocumentError, ExpressionError
from workflow.json.pointers import parse_pointer
from workflow.programs.earlier_reads import with_compared_reads, with_earlier_reads
from workflow.programs.equivalence import Identifies, read_identifies
from workflow.programs.inputs import InputSchema, compile_inputs
from workflow.programs.known_ids import with_known_ids
from workflow.programs.program import DEADLINE_S, Program, ProgramAction, ProgramOutput, ProgramStep, WorkflowProgram
from workflow.programs.program_parts import Parts, Report
from workflow.replies.pages import Pages, read_pages
from workflow.requests.requests import BoundRequest, split_template
from workflow.requests.versions import VersionRule

__all__ = [
    "Program",
    "ProgramAction",
    "ProgramMaker",
    "ProgramOutput",
    "ProgramStep",
    "WorkflowProgram",
    "build_program",
]

_EFFECTS = {"POST": "act", "PUT": "update", "PATCH": "update", "DELETE": "delete"}


def build_program(
    document: Document, workflow_id: str | None = None, operations: OperationIndex | None = None
) -> Program:
    """The program of the workflow named, else of the first.

    `operations` is needed only where steps name operations by id. Raises DocumentError with the pointer of the first
    thing that cannot be executed; `checks.check` finds all of them, and more.
    """
    maker = ProgramMaker(document, operations, _raise)
    main = workflow_id or document.workflows[0].workflow_id
    if document.workflow(main) is None:
        raise DocumentError(f"there is no workflow {main}; name one of the document's", pointer="/workflows")
    return maker.program(main)


def _raise(_code: str, pointer: str, message: str, remedy: str = "") -> NoReturn:
    raise DocumentError(f"{message}; {remedy}" if remedy else message, "document", pointer)


class ProgramMaker:
    """Plans the workflows of one document. `calls`: the operation of each step, by the step's pointer."""

    def __init__(self, document: Document, operations: OperationIndex | None, report: Report) -> None:
        self.document = document
        self.calls: dict[str, Call] = {}
        self._operations = operations
        self._report = report
        self._parts = Parts(document, report)
        self._made: dict[int, WorkflowProgram] = {}

    def program(self, workflow_id: str) -> Program:
        """The program of a workflow that exists, with all the workflows that it calls."""
        made: dict[str, WorkflowProgram] = {}
        wanted = [workflow_id]
        while wanted:
            name = wanted.pop()
            workflow = self.document.workflow(name)
            if name not in made and workflow is not None:
                made[name] = self.workflow(workflow)
                wanted += _called(made[name])
        own = ours(self.document)
        main = made[workflow_id]
        sources = {each.name: {"name": each.name, "url": each.url} for each in self.document.source_descriptions}
        return Program(
            main=main,
            workflows=made,
            api=str(own.get("api") or self.document.source_descriptions[0].name),
            base_path=str(own.get("base_path") or "").rstrip("/"),
            deadline_s=_deadline_s(self.document.workflow(workflow_id)),
            sources=sources,
            self_uri=self.document.self_uri or "",
            identifies=self._identifies(workflow_id, main),
        )

    def _identifies(self, workflow_id: str, main: WorkflowProgram) -> Identifies | None:
        workflow = self.document.workflow(workflow_id)
        written = ours(workflow).get("identifies") if workflow else None
        pointer, remedy = f"{main.pointer}/x-switchgear/identifies", "correct it, or remove it and all inputs count"
        names = main.inputs.schema.get("properties") or {}
        return read_identifies(written, names, lambda message: self._report("bad_identifies", pointer, message, remedy))

    def workflow(self, workflow: Workflow) -> WorkflowProgram:
        """One workflow, wherever it stands in the document; made once, however often it is asked for."""
        known = self._made.get(id(workflow))  # two may have the same name, which is told
        if known is None:
            known = self._made[id(workflow)] = self._workflow(workflow)
        return known

    def _workflow(self, workflow: Workflow) -> WorkflowProgram:
        pointer = f"/workflows/{self.document.workflows.index(workflow)}"
        if workflow.depends_on:
            message = "dependsOn of a workflow is not executed here"
            self._report("depends_on_unsupported", f"{pointer}/dependsOn", message, "call the workflow from a step")
        inputs = self._inputs(workflow, f"{pointer}/inputs")
        steps = [self._step(workflow, step, f"{pointer}/steps/{n}") for n, step in enumerate(workflow.steps)]
        return WorkflowProgram(
            workflow_id=workflow.workflow_id,
            steps=with_compared_reads(with_earlier_reads(with_known_ids(steps), inputs.schema.get("properties"))),
            inputs=inputs,
            outputs=self._parts.outputs(workflow.outputs, {}, f"{pointer}/outputs"),
            pointer=pointer,
        )

    def _inputs(self, workflow: Workflow, pointer: str) -> InputSchema:
        try:
            return compile_inputs(workflow, self.document.components)
        except DocumentError as error:
            self._report("bad_schema", pointer, error.message)
            return compile_inputs(Workflow(workflow.workflow_id, (), inputs=True), self.document.components)

    def _step(self, workflow: Workflow, step: Step, pointer: str) -> ProgramStep:
        own = ours(step)
        call = self._call(step, pointer)
        method = call.method if call else ""
        effect = str(own.get("effect") or ("read" if method in SAFE_METHODS else _EFFECTS.get(method, "")))
        is_safe = effect == "read" and method in (*SAFE_METHODS, "POST")
        # Never by the method: a PUT may reboot a machine. Whoever knows the effect says that it may be sent twice.
        is_idempotent = own.get("idempotent") is True
        return ProgramStep(
            step_id=step.step_id,
            description=step.description or "",
            method=method,
            path_template=call.path if call else "",
            effect=effect,
            role=str(own.get("role") or ""),
            is_safe=is_safe,
            is_idempotent=is_safe or is_idempotent,
            timeout_s=None if step.timeout is None else step.timeout / 1000,
            request=self._request(workflow, step, call, own, pointer) if call else None,
            workflow_id=step.workflow_id or "",
            arguments=self._arguments(workflow, step, pointer),
            success=self._parts.criteria(step.success_criteria, f"{pointer}/successCriteria"),
            on_success=self._parts.actions(workflow, step.on_success, workflow.success_actions, pointer, "onSuccess"),
            on_failure=self._parts.actions(workflow, step.on_failure, workflow.failure_actions, pointer, "onFailure"),
            outputs=self._parts.outputs(step.outputs, own.get("transforms") or {}, f"{pointer}/outputs"),
            message=self._parts.template(own.get("message"), f"{pointer}/x-switchgear/message"),
            pages=self._pages(own.get("pages"), is_safe, f"{pointer}/x-switchgear/pages"),
            expects=self._parts.expects(own.get("expects") or (), f"{pointer}/x-switchgear/expects"),
            decides=own.get("decides") is True,
            watches=self._parts.values(own.get("watches") or (), f"{pointer}/x-switchgear/watches"),
            stalls_after_s=_seconds(own.get("stalls_after_s")),
            version=self._version(own.get("version"), f"{pointer}/x-switchgear/version"),
            allows=self._parts.allows(own.get("allows"), f"{pointer}/x-switchgear/allows"),
            pointer=pointer,
        )

    def _version(self, written: Json, pointer: str) -> VersionRule | None:
        if written is None:
            return None
        header, body = (written.get("header"), written.get("body")) if isinstance(written, dict) else (None, None)
        try:
            if isinstance(header, str) and isinstance(body, str | None):
                return VersionRule(header.lower(), None if body is None else parse_pointer(body))
        except ExpressionError:
            pass  # no pointer: told below
        message = "a version is read at a `header`, else at the pointer `body`"
        self._report("bad_version", pointer, message, "correct it, or remove it and what was refused stays so")
        return None

    def _pages(self, written: Json, is_safe: bool, pointer: str) -> Pages | None:
        remedy = "correct it, or remove it and the first page is all that is read"
        return read_pages(written, is_safe, lambda message: self._report("bad_pages", pointer, message, remedy))

    def _call(self, step: Step, pointer: str) -> Call | None:
        if step.action is not None or step.channel_path is not None:
            message = f"{step.step_id} is an AsyncAPI step, which is not executed here"
            self._report("asyncapi_unsupported", pointer, message, "call an OpenAPI operation instead")
            return None
        if step.workflow_id is not None:
            self._called_workflow(step, pointer)
            return None
        member = "operationPath" if step.operation_path is not None else "operationId"
        try:
            call = find_call(self.document, step, self._operations)
        except DocumentError as error:
            self._report("unknown_operation", f"{pointer}/{member}", error.message)
            return None
        self.calls[pointer] = call
        first = next(iter(self.calls.values()))
        if call.source != first.source:
            message = f"this step is of the source {call.source}, an earlier one of {first.source}"
            self._report("several_sources", f"{pointer}/{member}", message, "keep one API, since a run has one target")
        return call

    def _called_workflow(self, step: Step, pointer: str) -> None:
        name = step.workflow_id or ""
        if name.startswith("$"):
            message = f"{name} is a workflow of another document, which is not executed here"
            self._report("foreign_workflow", f"{pointer}/workflowId", message, "copy the workflow into this document")
        elif self.document.workflow(name) is None:
            self._report(
                "unknown_workflow", f"{pointer}/workflowId", f"there is no workflow {name}", "correct the name"
            )
        if step.request_body is not None:
            message = "a step that calls a workflow has no request body"
            self._report("body_of_workflow", f"{pointer}/requestBody", message, "pass the values as parameters")

    def _request(
        self, workflow: Workflow, step: Step, call: Call, own: Mapping[str, Json], pointer: str
    ) -> BoundRequest:
        path = split_template(address_of(call.path))
        body = step.request_body
        content_type = (body.content_type or "application/json") if body else ""
        payload: Value | None = None
        if body is not None and body.payload is not ABSENT:
            payload = self._parts.payload(body.payload, content_type, f"{pointer}/requestBody/payload")
        return BoundRequest(
            method=call.method,
            path=path,
            parameters=self._parts.parameters(workflow, step, call, path[1::2], pointer),
            payload=payload,
            replacements=self._parts.replacements(body, content_type, f"{pointer}/requestBody/replacements"),
            content_type=content_type,
            omits=tuple(parse_pointer(str(each)) for each in own.get("omits", ())),
            address=self._said_by_device(own, "address", pointer),
            parts=self._parts.body_parts(body, own.get("parts"), pointer),
            renamed=self._said_by_device(own, "renamed", pointer),
            fixed=fixed_query(call.path),
            moved=self._said_by_device(own, "moved", pointer) if path[1::2] else None,
            placed=self._placed(own.get("placed"), pointer),
        )

    def _placed(self, said: Json, pointer: str) -> tuple[tuple[str, Value], ...]:
        """The parameters that say where a thing is, with what they are once it was taken elsewhere."""
        named = said if isinstance(said, Mapping) else {}
        return tuple((name, self._parts.value(v, f"{pointer}/x-switchgear/placed/{name}")) for name, v in named.items())

    def _said_by_device(self, own: Mapping[str, Json], name: str, pointer: str) -> Value | None:
        """What the device says of where a request goes, None where the step does not ask."""
        said = own.get(name)
        return self._parts.value(said, f"{pointer}/x-switchgear/{name}") if said is not None else None

    def _arguments(self, workflow: Workflow, step: Step, pointer: str) -> tuple[tuple[str, Value], ...]:
        if step.workflow_id is None:
            return ()
        everywhere = [each for each in workflow.parameters if self._parts.location(each) is None]
        return self._parts.arguments((*everywhere, *step.parameters), f"{pointer}/parameters", len(everywhere))


def _seconds(given: Json) -> float | None:
    return float(given) if isinstance(given, int | float) and given > 0 else None


def _called(program: WorkflowProgram) -> list[str]:
    actions = (action for step in program.steps for action in (*step.on_success, *step.on_failure))
    names = [*(step.workflow_id for step in program.steps), *(action.workflow_id for action in actions)]
    return [name for name in names if name]


def _deadline_s(workflow: Workflow | None) -> float:
    own: Mapping[str, Json] = ours(workflow) if workflow else {}
    return _seconds(own.get("deadline_s")) or DEADLINE_S
