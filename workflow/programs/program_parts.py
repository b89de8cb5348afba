"""The parts of a program's steps: parameters, payloads, criteria, actions, outputs, messages.

The lower half of `program_making`, which alone calls it. Each function compiles one member of a step and reports what
cannot be compiled or followed, with its pointer; it then goes on with an empty value, so that one run finds all faults.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar
from urllib.parse import quote
from xml.sax.saxutils import escape as escape_xml

from jsonpath import JSONPath

from workflow.documents.calls import Call
from workflow.documents.criteria import CompiledCriterion, compile_criterion
from workflow.documents.document import (
    ABSENT,
    Criterion,
    Document,
    FailureAction,
    Json,
    Outputs,
    Parameter,
    ParameterEntry,
    RequestBody,
    Reusable,
    Selector,
    SelectorType,
    Step,
    SuccessAction,
    Unread,
    Workflow,
    ours,
)
from workflow.documents.operations import ParameterFacts
from workflow.documents.path_queries import fixed_query
from workflow.documents.queries import BOUND, parse_path
from workflow.documents.selectors import kind_of
from workflow.documents.templates import Template, parse_template
from workflow.documents.values import Constant, Value, compile_json_text, compile_value
from workflow.errors import ExpressionError
from workflow.json.pointers import child, parse_pointer
from workflow.programs.program import ENDS, EndsAs, ProgramAction, ProgramOutput
from workflow.programs.transforms import TRANSFORMS
from workflow.replies.allowed import Allowance
from workflow.replies.comparing import RULES
from workflow.replies.expectations import Expectation
from workflow.requests.multipart import KINDS, MEDIA_TYPE, is_multipart
from workflow.requests.requests import STYLES, BoundParameter, BoundPart, BoundReplacement
from workflow.requests.reserved import why_reserved

T = TypeVar("T")
Action = TypeVar("Action", SuccessAction, FailureAction)
Target = tuple[tuple[str, ...], JSONPath | None]
_NO_TARGET: Target = ((), None)
_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_NO_VALUE: Value = Constant(None)
_EXPRESSION_REMEDY = "correct it by the grammar of Arazzo 1.1, Runtime Expressions"


class Report(Protocol):
    """Takes one fault of the document."""

    def __call__(self, code: str, pointer: str, message: str, remedy: str = "", /) -> None: ...


class Parts:
    def __init__(self, document: Document, report: Report) -> None:
        self._document = document
        self._report = report

    def _try(self, pointer: str, compile_it: Callable[[], T], instead: T) -> T:
        try:
            return compile_it()
        except ExpressionError as error:
            self._report("bad_expression", pointer, error.message, _EXPRESSION_REMEDY)
        except RecursionError:
            self._report("too_deep", pointer, "this is nested too deeply", "flatten it")
        return instead

    def _refuses_xpath(self, kind: SelectorType | None, pointer: str) -> bool:
        if kind_of(kind) == "xpath":
            self._report("xpath_unsupported", pointer, "XPath is not executed here", "use jsonpath or jsonpointer")
            return True
        return False

    def value(self, value: Json | Selector, pointer: str, escape: Callable[[str], str] | None = None) -> Value:
        if isinstance(value, Selector) and self._refuses_xpath(value.type, pointer):
            return _NO_VALUE
        if isinstance(value, Unread):
            self._report("bad_value", pointer, "this is neither an expression nor a selector", "correct it")
            return _NO_VALUE
        return self._try(pointer, lambda: compile_value(value, escape), _NO_VALUE)

    def template(self, text: Json, pointer: str) -> Template | None:
        """Text for people; None where there is none."""
        return self._try(pointer, lambda: parse_template(text), None) if isinstance(text, str) else None

    def outputs(self, outputs: Outputs, transforms: Mapping[str, str], pointer: str) -> tuple[ProgramOutput, ...]:
        for name, transform in transforms.items():
            if transform not in TRANSFORMS or name not in outputs:
                message = f"{transform} of {name} is no transform of an output"
                self._report("unknown_transform", pointer, message, f"known are {', '.join(TRANSFORMS)}")
        return tuple(
            ProgramOutput(
                name, self._output(value, child(pointer, name)), transforms.get(name, ""), child(pointer, name)
            )
            for name, value in outputs.items()
        )

    def _output(self, value: str | Selector | Unread, pointer: str) -> Value:
        found = self.value(value, pointer)
        if isinstance(found, Constant) and found is not _NO_VALUE:
            message = f"{value!r} is no runtime expression"
            self._report("bad_expression", pointer, message, "an output takes a value that a run has made")
        return found

    def criteria(self, criteria: Iterable[Criterion], pointer: str) -> tuple[CompiledCriterion, ...]:
        found = (self._criterion(each, f"{pointer}/{number}") for number, each in enumerate(criteria))
        return tuple(each for each in found if each is not None)

    def _criterion(self, criterion: Criterion, pointer: str) -> CompiledCriterion | None:
        if self._refuses_xpath(criterion.type, f"{pointer}/type"):
            return None
        return self._try(f"{pointer}/condition", lambda: compile_criterion(criterion), None)

    def follow(self, entry: Any, pointer: str) -> Any:
        """The object that a reference names; None, with a report, if there is none."""
        if isinstance(entry, Unread):
            self._report("bad_parameter", pointer, "this is no parameter", "give it a name and a value")
            return None
        if not isinstance(entry, Reusable):
            return entry
        components = self._document.components
        kinds = {
            "parameters": components.parameters,
            "successActions": components.success_actions,
            "failureActions": components.failure_actions,
        }
        head, _, rest = entry.reference.partition("components.")
        kind, _, name = rest.partition(".")
        found = kinds.get(kind, {}).get(name) if head == "$" else None
        if found is None:
            message = f"{entry.reference} names nothing among the components"
            self._report("unknown_reference", f"{pointer}/reference", message, "correct the name")
            return None
        if isinstance(found, Parameter) and entry.value is not ABSENT:
            return Parameter(found.name, entry.value, found.location, found.extensions)
        return found

    def location(self, entry: ParameterEntry) -> str | None:
        """Where a parameter goes, followed silently; None for an input of a workflow."""
        if isinstance(entry, Reusable):
            name = entry.reference.removeprefix("$components.parameters.")
            found = self._document.components.parameters.get(name)
            return found.location if found else None
        return entry.location if isinstance(entry, Parameter) else None

    def arguments(
        self, entries: Iterable[ParameterEntry], pointer: str, inherited: int = 0
    ) -> tuple[tuple[str, Value], ...]:
        """Inputs of a workflow that is called; the first `inherited` entries stand elsewhere."""
        found: dict[str, Value] = {}
        for number, entry in enumerate(entries):
            place = f"{pointer}/{max(0, number - inherited)}"
            parameter = self.follow(entry, place)
            if isinstance(parameter, Parameter):
                if parameter.location is not None:
                    message = f"{parameter.name} is an input of a workflow and goes into no {parameter.location}"
                    self._report("bad_parameter", place, message, "remove `in`")
                found[parameter.name] = self.value(parameter.value, f"{place}/value")
        return tuple(found.items())

    def parameters(
        self, workflow: Workflow, step: Step, call: Call, in_path: Sequence[str], pointer: str
    ) -> tuple[BoundParameter, ...]:
        """The step's parameters over the workflow's; of the latter only those that fit an operation and its path."""
        found: dict[tuple[str, str], BoundParameter] = {}
        for entry in workflow.parameters:
            parameter = self.follow(entry, pointer)
            fits = isinstance(parameter, Parameter) and parameter.location is not None
            if fits and (parameter.location != "path" or parameter.name in in_path):
                self._bind(parameter, call, pointer, found)
        for number, each in enumerate(step.parameters):
            place = f"{pointer}/parameters/{number}"
            parameter = self.follow(each, place)
            if isinstance(parameter, Parameter):
                if parameter.location == "path" and parameter.name not in in_path:
                    message = f"{call.path} has no place for {parameter.name}"
                    self._report("unknown_parameter", place, message, "correct the name or remove it")
                self._check_not_fixed(parameter, call, place)
                self._bind(parameter, call, place, found)
        for name in in_path:
            if ("path", name) not in found:
                message = f"the path {call.path} needs {name}"
                self._report("unbound_parameter", pointer, message, "add a parameter for it")
        for name, _ in fixed_query(call.path):
            if why := why_reserved("query", name):
                self._report("reserved_name", pointer, f"query {name} of {call.path}: {why}", "call another operation")
        return tuple(found.values())

    def _check_not_fixed(self, parameter: Parameter, call: Call, pointer: str) -> None:
        if parameter.location in ("query", "querystring") and fixed_query(call.path):
            names = [name for name, _ in fixed_query(call.path)]
            if parameter.location == "querystring" or parameter.name in names:
                message = f"the path {call.path} says {', '.join(names)} itself"
                self._report("fixed_parameter", pointer, message, "remove the parameter")

    def _bind(
        self, parameter: Parameter, call: Call, pointer: str, found: dict[tuple[str, str], BoundParameter]
    ) -> None:
        location = parameter.location or ""
        if location not in STYLES:
            message = f"parameters in {location or 'nothing'} are not executed here"
            self._report("bad_parameter", pointer, message, "use path, query, querystring, header or cookie")
            return
        if location in ("header", "cookie"):
            self._check_field_name(parameter.name, location, pointer)
        why = why_reserved(location, parameter.name)
        if why:
            self._report("reserved_name", pointer, f"{location} {parameter.name}: {why}", "remove it")
        declared = call.facts.parameters if call.facts else ()
        facts = next((each for each in declared if (each.name, each.location) == (parameter.name, location)), None)
        style, explode = self._style(parameter, location, facts, pointer)
        escape = _percent_encoded if location == "querystring" else None
        value = self.value(parameter.value, f"{pointer}/value", escape)
        name = parameter.name.lower() if location == "header" else parameter.name
        found[location, name] = BoundParameter(parameter.name, location, value, style, explode)

    def _check_field_name(self, name: str, location: str, pointer: str) -> None:
        if not _HEADER_NAME.fullmatch(name):
            self._report("bad_parameter", pointer, f"{name!r} is no name of a {location}", "use letters, digits and -")

    def _style(
        self, parameter: Parameter, location: str, facts: ParameterFacts | None, pointer: str
    ) -> tuple[str, bool]:
        own = ours(parameter)
        style = str(own.get("style") or (facts.style if facts else "") or STYLES[location][0])
        if style not in STYLES[location]:
            message = f"the style {style} in {location} is not executed here"
            self._report("bad_parameter", pointer, message, f"use {', '.join(STYLES[location])}")
        declared = own.get("explode", facts.explode if facts else None)
        return style, style == "form" if declared is None else bool(declared)

    def payload(self, payload: Json, content_type: str, pointer: str) -> Value:
        """A payload by its media type: text is a template in which values are escaped as the type asks."""
        kind = content_type.partition(";")[0].strip().lower()
        is_json = kind == "application/json" or kind.endswith("+json")
        if isinstance(payload, str) and is_json and payload.lstrip()[:1] in ("{", "["):
            return self._try(pointer, lambda: compile_json_text(payload), _NO_VALUE)
        escape: Callable[[str], str] | None = None
        if kind == "application/x-www-form-urlencoded":
            escape = _percent_encoded
        elif kind.endswith(("/xml", "+xml")):
            escape = _xml_escaped
        return self.value(payload, pointer, escape if isinstance(payload, str) else None)

    def body_parts(self, body: RequestBody | None, written: Json, pointer: str) -> tuple[BoundPart, ...]:
        """How the parts of a multipart body are written, from `x-switchgear` (docs/ARCHITECTURE.md)."""
        content_type = (body.content_type or "") if body else ""
        if body is not None and content_type.startswith("multipart/"):
            self._check_multipart(body, content_type, pointer)
        elif written is not None:
            message = "only the body of a multipart request has parts"
            self._report("bad_parts", f"{pointer}/x-switchgear/parts", message, "remove them")
        named = written.items() if isinstance(written, Mapping) else ()
        return tuple(self._part(name, part, child(f"{pointer}/x-switchgear/parts", name)) for name, part in named)

    def _check_multipart(self, body: RequestBody, content_type: str, pointer: str) -> None:
        if not is_multipart(content_type):
            message = f"bodies of type {content_type} are not executed here"
            self._report("bad_parts", f"{pointer}/requestBody/contentType", message, f"use {', '.join(KINDS)}")
        if body.payload is not ABSENT and not isinstance(body.payload, Mapping):
            message = "the payload of a multipart body is an object with a member for each part"
            self._report("bad_parts", f"{pointer}/requestBody/payload", message, "write it as one")

    def _part(self, name: str, written: Json, pointer: str) -> BoundPart:
        own = written if isinstance(written, Mapping) else {}
        media_type, file_name = own.get("contentType"), own.get("fileName")
        if not isinstance(media_type, str) or not MEDIA_TYPE.fullmatch(media_type):
            self._report("bad_parts", pointer, f"the part {name} has no contentType", "write one: type/subtype")
        value = self.value(file_name, f"{pointer}/fileName") if file_name is not None else None
        return BoundPart(name, str(media_type or ""), value)

    def replacements(self, body: RequestBody | None, content_type: str, pointer: str) -> tuple[BoundReplacement, ...]:
        found: list[BoundReplacement] = []
        for number, each in enumerate(body.replacements if body else ()):
            place = f"{pointer}/{number}"
            is_xml = "xml" in content_type and each.target_type is None
            if self._refuses_xpath("xpath" if is_xml else each.target_type, f"{place}/target"):
                continue
            value = self.value(each.value, f"{place}/value")
            make = partial(_target, kind_of(each.target_type), each.target)
            pointer_to, query = self._try(f"{place}/target", make, _NO_TARGET)
            found.append(BoundReplacement(pointer_to, query, value))
        return tuple(found)

    def actions(
        self,
        workflow: Workflow,
        own: Sequence[SuccessAction | Reusable] | Sequence[FailureAction | Reusable],
        inherited: Sequence[SuccessAction | Reusable] | Sequence[FailureAction | Reusable],
        pointer: str,
        member: str,
    ) -> tuple[ProgramAction, ...]:
        """The step's own actions, then the workflow's that none of its own replaces by name."""
        found: dict[str, ProgramAction] = {}
        for number, entry in enumerate((*own, *inherited)):
            place = f"{pointer}/{member}/{number}" if number < len(own) else pointer
            action = self.follow(entry, place)
            if isinstance(action, SuccessAction | FailureAction):
                if number < len(own) and action.name in found:
                    self._report("duplicate_action", place, f"{action.name} occurs twice", "rename one")
                found.setdefault(action.name, self._action(workflow, action, place))
        return tuple(found.values())

    def _action(self, workflow: Workflow, action: SuccessAction | FailureAction, pointer: str) -> ProgramAction:
        own = ours(action)
        retry = (action.retry_after, action.retry_limit) if isinstance(action, FailureAction) else (None, None)
        limit = own.get("limit")
        return ProgramAction(
            name=action.name,
            type=action.type,
            criteria=self.criteria(action.criteria, f"{pointer}/criteria"),
            step=self._target_step(workflow, action, pointer),
            workflow_id=self._target_workflow(action, pointer),
            arguments=self.arguments(action.parameters, f"{pointer}/parameters"),
            retry_after_s=float(retry[0] or 0.0),
            retry_limit=1 if retry[1] is None else retry[1],
            code=str(own.get("code") or ""),
            message=self.template(own.get("message"), f"{pointer}/x-switchgear/message"),
            outcome=self._outcome(own.get("outcome"), f"{pointer}/x-switchgear/outcome"),
            next=str(own.get("next") or ""),
            limit=limit if isinstance(limit, int) and limit > 0 else None,
            pointer=pointer,
        )

    def _outcome(self, given: Json, pointer: str) -> EndsAs:
        if given is None:
            return ""
        if given not in ENDS:
            self._report("unknown_outcome", pointer, f"{given!r} is no outcome", f"known are {', '.join(ENDS)}")
            return ""
        return given  # type: ignore[no-any-return]

    def expects(self, written: Json, pointer: str) -> tuple[Expectation, ...]:
        """What a step has to show; see `workflow.replies.expectations`."""
        found = []
        for number, each in enumerate(written if isinstance(written, list | tuple) else ()):
            place = f"{pointer}/{number}"
            if not isinstance(each, Mapping) or str(each.get("compare") or "") not in ("", *RULES):
                self._report("bad_expectation", place, "this is no expectation", f"rules are {', '.join(RULES)}")
                continue
            found.append(
                Expectation(
                    place=str(each.get("place") or ""),
                    asked=self._maybe(each, "asked", place),
                    found=self._maybe(each, "found", place),
                    compare=each.get("compare") or "",
                    text=str(each.get("text") or ""),
                    is_lenient=each.get("lenient") is True,
                    is_shown=each.get("shown") is not False,
                    before=self._maybe(each, "before", place),
                    is_assumed=each.get("assumed") is True,
                    against=tuple(each.get("against") or ()),
                    among=each["among"] if each.get("among") in ("in", "out") else "",
                )
            )
        return tuple(found)

    def allows(self, written: Json, pointer: str) -> Allowance | None:
        """What the thing that is read has to allow; see `workflow.replies.allowed`."""
        if written is None:
            return None
        if not isinstance(written, Mapping) or not {"asked", "item", "beside"} <= written.keys():
            self._report("bad_allowance", pointer, "it takes `asked`, `item` and `beside`", "correct or remove it")
            return None
        asked, item = (self.written(written[name], f"{pointer}/{name}") for name in ("asked", "item"))
        return Allowance(asked, item, str(written["beside"]))

    def _maybe(self, written: Mapping[str, Json], name: str, pointer: str) -> Value | None:
        return self.written(written[name], f"{pointer}/{name}") if name in written else None

    def written(self, value: Json, pointer: str) -> Value:
        """A value in one of our own members: an expression, a selector, or JSON of these."""
        return self._try(pointer, lambda: compile_value(value), _NO_VALUE)

    def values(self, written: Json, pointer: str) -> tuple[Value, ...]:
        return tuple(self.written(each, f"{pointer}/{n}") for n, each in enumerate(written))

    def _target_step(self, workflow: Workflow, action: SuccessAction | FailureAction, pointer: str) -> int | None:
        if action.step_id is None:
            return None
        numbers = [number for number, step in enumerate(workflow.steps) if step.step_id == action.step_id]
        if not numbers:
            self._report("unknown_step", f"{pointer}/stepId", f"there is no step {action.step_id}", "correct the name")
            return None
        return numbers[0]

    def _target_workflow(self, action: SuccessAction | FailureAction, pointer: str) -> str:
        name = action.workflow_id or ""
        if name.startswith("$"):
            message = f"{name} is a workflow of another document, which is not executed here"
            self._report("foreign_workflow", f"{pointer}/workflowId", message, "copy the workflow into this document")
        elif name and self._document.workflow(name) is None:
            self._report(
                "unknown_workflow", f"{pointer}/workflowId", f"there is no workflow {name}", "correct the name"
            )
        return name


def _percent_encoded(text: str) -> str:
    return quote(text, safe="", errors="replace")


def _xml_escaped(text: str) -> str:
    return escape_xml(text, {'"': "&quot;", "'": "&apos;"})


def _target(kind: str, text: str) -> Target:
    """Where a replacement goes: a pointer, or a query."""
    return ((), _query(text)) if kind == "jsonpath" else (parse_pointer(text), None)


def _query(text: str) -> JSONPath:
    """A target's query. It has no expressions in it: which places are set is the document's to say, no caller's."""
    if "{$" in text or BOUND in text:
        raise ExpressionError(f"{text!r} must be a query without expressions in it")
    return parse_path(text)
