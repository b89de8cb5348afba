"""Values of a document made ready to evaluate: constants, expressions, text with expressions, selectors, and JSON of
all these.

Used for parameters, payloads, replacements and outputs. A whole value that is an expression keeps its type. Where a
value is not there: one that the caller could have given (an input) is left out, with the member or element that it
would have been; one that an earlier step should have made is missing, and no request is built on it. Evaluation
raises `Missing` for the latter; `interpreter` turns it into a failure.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from workflow.documents.document import Json, Selector
from workflow.documents.expressions import Expression, looks_like_expression, parse_expression
from workflow.documents.scope import Scope
from workflow.documents.selectors import CompiledSelector, compile_selector
from workflow.documents.templates import Template, parse_template
from workflow.errors import ExpressionError
from workflow.json.pointers import NOTHING, Nothing

_SELECTOR_MEMBERS = {"context", "selector", "type"}
_BARE_OR_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\{\$[^{}]*\}', re.DOTALL)
_MARK = "\x00"  # cannot stand in JSON text as it is, so no literal is taken for a marked expression


class Missing(Exception):
    """A value that an earlier step should have made is not there. `text`: the expression."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


@dataclass(frozen=True, slots=True)
class Constant:
    value: Json
    expressions: tuple[Expression, ...] = ()

    def evaluate(self, _scope: Scope) -> Json | Nothing:
        return self.value


@dataclass(frozen=True, slots=True)
class Reference:
    """A whole value that is one expression. `is_quoted`: it stood in quotes in JSON text, so that scalars are text."""

    expression: Expression
    is_quoted: bool = False

    @property
    def expressions(self) -> tuple[Expression, ...]:
        return (self.expression,)

    def evaluate(self, scope: Scope) -> Json | Nothing:
        value = self.expression.evaluate(scope)
        if value is NOTHING:
            return _absent(self.expression)
        if self.is_quoted and not isinstance(value, str | dict | list):
            return json.dumps(value)
        return value


@dataclass(frozen=True, slots=True)
class Text:
    """Text with expressions in it. `escape`: what the text's format asks of a value put into it."""

    template: Template
    escape: Callable[[str], str] | None = None

    @property
    def expressions(self) -> tuple[Expression, ...]:
        return self.template.expressions

    def evaluate(self, scope: Scope) -> Json | Nothing:
        text = self.template.fill(scope, self.escape)
        if text is NOTHING:
            return _absent(next(each for each in self.expressions if each.evaluate(scope) is NOTHING))
        return text


@dataclass(frozen=True, slots=True)
class Selected:
    selection: CompiledSelector

    @property
    def expressions(self) -> tuple[Expression, ...]:
        return self.selection.expressions

    def evaluate(self, scope: Scope) -> Json | Nothing:
        found = self.selection.evaluate(scope)
        return _absent(self.selection.context) if found is NOTHING else found


@dataclass(frozen=True, slots=True)
class ObjectValue:
    """An object; members whose value is left out are left out."""

    members: tuple[tuple[str, "Value"], ...]

    @property
    def expressions(self) -> tuple[Expression, ...]:
        return tuple(each for _, value in self.members for each in value.expressions)

    def evaluate(self, scope: Scope) -> Json | Nothing:
        found = ((name, value.evaluate(scope)) for name, value in self.members)
        return {name: value for name, value in found if value is not NOTHING}


@dataclass(frozen=True, slots=True)
class Elements:
    """A list; elements whose value is left out are left out."""

    elements: tuple["Value", ...]

    @property
    def expressions(self) -> tuple[Expression, ...]:
        return tuple(each for value in self.elements for each in value.expressions)

    def evaluate(self, scope: Scope) -> Json | Nothing:
        found = (value.evaluate(scope) for value in self.elements)
        return [value for value in found if value is not NOTHING]


Value = Constant | Reference | Text | Selected | ObjectValue | Elements


def _absent(expression: Expression) -> Nothing:
    """What becomes of a value that is not there: an input is left out, all else is missing."""
    if expression.root != "inputs":
        raise Missing(expression.text)
    return NOTHING


def compile_value(value: Json | Selector, escape: Callable[[str], str] | None = None) -> Value:
    """The value made ready. Raises ExpressionError for what starts like an expression and is none.

    `escape` is applied to values put into text, never to whole values.
    """
    if isinstance(value, Selector):
        return Selected(compile_selector(value))
    if isinstance(value, str):
        return _compile_text(value, escape)
    if isinstance(value, Mapping):
        if value.keys() >= _SELECTOR_MEMBERS and all(name in _SELECTOR_MEMBERS or name[:2] == "x-" for name in value):
            return Selected(compile_selector(_selector(value)))
        members = tuple((name, compile_value(member, escape)) for name, member in value.items())
        return ObjectValue(members) if any(not isinstance(each, Constant) for _, each in members) else Constant(value)
    if isinstance(value, list | tuple):
        elements = tuple(compile_value(element, escape) for element in value)
        return Elements(elements) if any(not isinstance(each, Constant) for each in elements) else Constant(value)
    return Constant(value)


def _selector(value: Mapping[str, Json]) -> Selector:
    """The selector that stands inside a payload, which the reader has not read."""
    kind = value["type"]
    kind = kind.get("type") if isinstance(kind, Mapping) else kind
    if not isinstance(kind, str) or not isinstance(value["context"], str) or not isinstance(value["selector"], str):
        raise ExpressionError("a selector has a context, a selector and a type, all strings; correct it")
    return Selector(value["context"], value["selector"], kind)


def _compile_text(text: str, escape: Callable[[str], str] | None) -> Value:
    if looks_like_expression(text):
        return Reference(parse_expression(text))
    template = parse_template(text)
    return Text(template, escape) if template.expressions else Constant(text)


def compile_json_text(text: str) -> Value:
    """A payload written as JSON text with expressions in it.

    Read as JSON first and filled after, so that no value can leave its place: an expression in quotes becomes text (an
    object or a list stays one), a bare one keeps its type. Raises ExpressionError if it is no JSON.
    """

    def marked(found: re.Match[str]) -> str:
        return found[0] if found[0][0] == '"' else json.dumps(_MARK + found[0])

    try:
        data = json.loads(_BARE_OR_QUOTED.sub(marked, text))
    except (ValueError, RecursionError) as error:
        raise ExpressionError(f"the payload is no JSON: {error}; correct it, or write it as an object") from error
    return _compile_quoted(data)


def _compile_quoted(data: Json) -> Value:
    if isinstance(data, dict):
        return ObjectValue(tuple((name, _compile_quoted(member)) for name, member in data.items()))
    if isinstance(data, list):
        return Elements(tuple(_compile_quoted(element) for element in data))
    if not isinstance(data, str):
        return Constant(data)
    is_bare = data.startswith(_MARK)
    template = parse_template(data.removeprefix(_MARK))
    if len(template.parts) == 1 and template.expressions:
        return Reference(template.expressions[0], is_quoted=not is_bare)
    return Text(template) if template.expressions else Constant(data)
