"""Whether a step's request is what its operation asks for: the third part of the static checks.

Every required parameter and member is bound, to a value that is always there; types fit where the schemas say enough;
outputs exist in the declared replies. Where a schema says nothing, nothing is reported. Called by `checks`.
"""

from collections.abc import Iterator, Mapping

from workflow.documents.document import Json
from workflow.documents.expressions import Expression
from workflow.documents.operations import OperationFacts, OperationIndex, Schema
from workflow.documents.schemas import UNKNOWN, Places, Schemas, fits, type_of
from workflow.documents.selectors import PathQuery
from workflow.documents.values import Constant, Elements, ObjectValue, Reference, Selected, Text, Value
from workflow.json.pointers import child
from workflow.programs.program import ProgramOutput, ProgramStep, WorkflowProgram
from workflow.programs.program_parts import Report
from workflow.requests.requests import BoundParameter

Types = frozenset[str] | None
_SCALARS = frozenset(("string", "integer", "number", "boolean", "null"))
_CUT = 5  # names listed in a message; the rest is a number


class Bindings:
    """Judges the steps of one workflow. `facts`: what is known of each step's operation, by step id."""

    def __init__(
        self,
        program: WorkflowProgram,
        facts: Mapping[str, OperationFacts],
        index: OperationIndex,
        components: Mapping[str, Json],
        report: Report,
        warn: Report,
    ) -> None:
        self._program = program
        # What a device may tell of an operation's address is looked for whether or not its description says so.
        self._addresses = {
            (expression.owner, expression.name)
            for step in program.steps
            if step.request is not None
            for told in (step.request.address, step.request.renamed)
            for expression in (told.expressions if told is not None else ())
        }
        self._facts = facts
        self._schemas = Schemas({**components, **index.schemas})
        self._inputs = Schemas(components)
        self._report = report
        self._warn = warn
        self._steps = {step.step_id: step for step in program.steps}

    def check(self) -> None:
        for step in self._program.steps:
            facts = self._facts.get(step.step_id)
            if facts is None or step.request is None:
                continue
            self._check_parameters(step, facts)
            self._check_body(step, facts)
            for output in step.outputs:
                if (step.step_id, output.name) not in self._addresses:
                    self._check_output(output, facts)

    # Parameters

    def _check_parameters(self, step: ProgramStep, facts: OperationFacts) -> None:
        bound = {_slot(each.location, each.name): each for each in step.request.parameters} if step.request else {}
        has_querystring = any(each.location == "querystring" for each in bound.values())
        for declared in facts.parameters:
            parameter = bound.get(_slot(declared.location, declared.name))
            if parameter is None:
                if declared.is_required and not (has_querystring and declared.location == "query"):
                    message = f"{facts.key} requires the {declared.location} parameter {declared.name}"
                    self._report("unbound_parameter", step.pointer, message, "bind a value to it")
                continue
            if declared.is_required and (name := self._optional_input(parameter.value)):
                message = f"{declared.name} is required, and the input {name} may be absent"
                self._report("optional_for_required", step.pointer, message, "require the input or give it a default")
            self._check_parameter_type(parameter, declared.schema, step.pointer)
        known = {_slot(each.location, each.name) for each in facts.parameters}
        for slot, parameter in bound.items():
            if parameter.location == "query" and slot not in known:
                message = f"{facts.key} declares no query parameter {parameter.name}"
                self._warn("undeclared_parameter", step.pointer, message, "see whether the API takes it")

    def _check_parameter_type(self, parameter: BoundParameter, schema: Schema, pointer: str) -> None:
        """All scalars travel as text: only lists and objects where none is expected are faults, the rest is a hint."""
        wanted, given = self._schemas.types((schema,)), self._types_of(parameter.value)
        if fits(given, wanted) or wanted is None or given is None:
            return
        is_fault = not given & _SCALARS and wanted <= _SCALARS
        message = f"{parameter.name} takes {_listed(wanted)} and is given {_listed(given)}"
        (self._report if is_fault else self._warn)("type_mismatch", pointer, message, "bind a value of that type")

    # Bodies

    def _check_body(self, step: ProgramStep, facts: OperationFacts) -> None:
        request = step.request
        if request is None:
            return
        pointer = f"{step.pointer}/requestBody"
        if facts.body_required and request.payload is None and not request.replacements:
            self._report("unbound_body", step.pointer, f"{facts.key} requires a body", "add a requestBody")
        if request.payload is None or facts.body_schema is None:
            return
        if facts.body_required and (name := self._optional_input(request.payload)):
            message = f"the body is required, and the input {name} may be absent"
            self._report("optional_for_required", pointer, message, "require the input or give it a default")
        is_partial = facts.method == "PATCH" or bool(request.replacements)
        self._check_value(request.payload, facts.body_schema, f"{pointer}/payload", is_partial)

    def _check_value(self, value: Value, schema: Schema, pointer: str, is_partial: bool) -> None:
        wanted, given = self._schemas.types((schema,)), self._types_of(value)
        if not fits(given, wanted) and wanted is not None and given is not None:
            message = f"{_listed(wanted)} is expected here, and {_listed(given)} is given"
            self._report("type_mismatch", pointer, message, "bind a value of that type")
        elif isinstance(value, ObjectValue):
            self._check_members(dict(value.members), schema, pointer, is_partial)
        elif isinstance(value, Constant) and isinstance(value.value, Mapping):
            members = {name: Constant(member) for name, member in value.value.items()}
            self._check_members(members, schema, pointer, is_partial)
        elif isinstance(value, Elements):
            for number, element in enumerate(value.elements):
                for place in self._known(self._schemas.follow(schema, (str(number),))):
                    self._check_value(element, place, child(pointer, number), is_partial)
        elif isinstance(value, Constant):
            self._check_enum(value.value, schema, pointer)

    def _check_members(self, members: Mapping[str, Value], schema: Schema, pointer: str, is_partial: bool) -> None:
        declared = self._schemas.properties(schema)
        for name in () if is_partial else self._schemas.required(schema):
            if name not in members and self._is_read_only(declared.get(name)):
                continue  # what is required of it is so for replies (OpenAPI 3.0.4, Fixed Fields of a Schema Object)
            if name not in members:
                self._report("unbound_member", pointer, f"the member {name} is required", "bind a value to it")
            elif found := self._optional_input(members[name]):
                message = f"the member {name} is required, and the input {found} may be absent"
                self._report("optional_for_required", child(pointer, name), message, "require the input")
        for name, member in members.items():
            if name in declared:
                self._check_value(member, declared[name], child(pointer, name), is_partial)
            elif self._schemas.is_closed(schema):
                self._report("undeclared_member", child(pointer, name), f"{name} is not taken here", "remove it")
            elif declared and self._schemas.follow(schema, (name,)) == ():
                self._warn(
                    "undeclared_member", child(pointer, name), f"{name} is not declared", "see whether it is taken"
                )

    def _is_read_only(self, member: Schema | None) -> bool:
        return member is not None and bool(member.get("readOnly") or self._schemas.resolve(member).get("readOnly"))

    def _check_enum(self, value: Json, schema: Schema, pointer: str) -> None:
        allowed = self._schemas.resolve(schema).get("enum")
        if isinstance(allowed, list) and value not in allowed:
            text = ", ".join(str(each) for each in allowed[:_CUT])
            self._report("not_in_enum", pointer, f"{value!r} is not allowed here: {text}", "use one of these")

    def _optional_input(self, value: Value) -> str:
        """The name of the optional input on which a whole value depends; empty if it is always there."""
        if not isinstance(value, Reference | Text):
            return ""
        schema = self._program.inputs.schema
        required, properties = schema.get("required") or (), schema.get("properties") or {}
        for expression in value.expressions:
            name = next((each for each, _ in expression.splits if each in properties), None)
            if expression.root != "inputs" or name is None or name in required:
                continue
            if "default" not in self._inputs.resolve(properties[name]):
                return name
        return ""

    # Replies and types

    def _check_output(self, output: ProgramOutput, facts: OperationFacts) -> None:
        for expression in output.value.expressions[:1]:
            if expression.root == "response" and expression.place == "body":
                places = self._in_reply(facts, expression)
                if isinstance(output.value, Selected):
                    places = self._selected(places, output.value)
                if places == ():
                    message = f"no declared reply of {facts.key} has what {output.name} takes"
                    self._report("undeclared_output", output.pointer, message, "take what the description declares")

    def _in_reply(self, facts: OperationFacts, expression: Expression) -> Places:
        """The schemas of the place in any of the successful replies."""
        replies = [schema for status, schema in facts.response_schemas.items() if status[:1] == "2"]
        replies = replies or [schema for status, schema in facts.response_schemas.items() if status == "default"]
        if not replies or not all(replies):
            return UNKNOWN
        found = [self._schemas.follow(schema, expression.pointer) for schema in replies]
        if any(each is UNKNOWN for each in found):
            return UNKNOWN
        return tuple(place for places in found for place in self._known(places))

    def _selected(self, places: Places, value: Selected) -> Places:
        query = value.selection.query
        if places is UNKNOWN or not isinstance(query, PathQuery):
            return UNKNOWN
        found = [self._schemas.query(place, query.query.segments) for place in places]
        if any(each is UNKNOWN for each in found):
            return UNKNOWN
        return tuple(place for each in found for place in self._known(each))

    def _known(self, places: Places) -> Iterator[Schema]:
        return iter(()) if places is UNKNOWN else iter(places)

    def _types_of(self, value: Value) -> Types:
        """The JSON types that a value may have; None where that is not known."""
        if isinstance(value, Constant):
            return frozenset((type_of(value.value),))
        if isinstance(value, Text):
            return frozenset(("string",))
        if isinstance(value, ObjectValue):
            return frozenset(("object",))
        if isinstance(value, Elements):
            return frozenset(("array",))
        return self._types_of_expression(value.expression) if isinstance(value, Reference) else None

    def _types_of_expression(self, expression: Expression) -> Types:
        if expression.root == "statusCode":
            return frozenset(("integer",))
        if expression.root == "inputs":
            return self._types_of_input(expression)
        if expression.root != "steps" or expression.owner not in self._facts:
            return None
        step, facts = self._steps[expression.owner], self._facts[expression.owner]
        output = next((each for each in step.outputs if each.name == expression.name), None)
        if output is None or output.transform or not isinstance(output.value, Reference):
            return None
        made = output.value.expression
        if made.root != "response" or made.place != "body":
            return None
        places = self._in_reply(facts, made)
        if places is UNKNOWN:
            return None
        ends = [self._schemas.follow(place, expression.pointer) for place in places]
        known = [place for each in ends for place in self._known(each)]
        return None if any(each is UNKNOWN for each in ends) else self._schemas.types(tuple(known))

    def _types_of_input(self, expression: Expression) -> Types:
        for name, rest in expression.splits:
            declared = (self._program.inputs.schema.get("properties") or {}).get(name)
            if declared is not None:
                return self._inputs.types(self._inputs.follow(declared, (*rest, *expression.pointer)))
        return None


def _slot(location: str, name: str) -> tuple[str, str]:
    return (location, name.lower() if location == "header" else name)


def _listed(types: frozenset[str]) -> str:
    return " or ".join(sorted(types))
