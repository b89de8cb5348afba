"""Criteria: whether a reply, or any value, is as a document demands (Arazzo 1.1, "Criterion Object").

Simple conditions are in `conditions`, queries in `selectors`, the regular expressions' engine in `patterns`; here they
become one kind of value that holds or doesn't. A criterion that cannot be evaluated does not hold. Values put into a
regular expression match themselves literally. XPath is refused by name in `checks`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from workflow.documents.conditions import Condition, parse_condition
from workflow.documents.document import Criterion, Json
from workflow.documents.expressions import Expression, parse_expression
from workflow.documents.scope import Scope
from workflow.documents.selectors import PathQuery, compile_path, kind_of
from workflow.documents.templates import Template, parse_template, text_of
from workflow.errors import ExpressionError
from workflow.json.patterns import Pattern, compile_pattern, escaped
from workflow.json.pointers import NOTHING


@dataclass(frozen=True, slots=True)
class RegexCondition:
    """`pattern` is None where values are put in at run time."""

    context: Expression
    template: Template
    pattern: Pattern | None

    @property
    def expressions(self) -> tuple[Expression, ...]:
        return (self.context, *self.template.expressions)

    def holds(self, scope: Scope) -> bool:
        value = self.context.evaluate(scope)
        if value is NOTHING or value is None or isinstance(value, dict | list):
            return False
        pattern = self.pattern or self._filled(scope)
        return pattern is not None and pattern.is_found_in(text_of(value))

    def _filled(self, scope: Scope) -> Pattern | None:
        text = self.template.fill(scope, escaped)
        try:
            return None if text is NOTHING else compile_pattern(str(text))
        except ExpressionError:
            return None


@dataclass(frozen=True, slots=True)
class PathCondition:
    """Holds when the query selects anything."""

    context: Expression
    query: PathQuery

    @property
    def expressions(self) -> tuple[Expression, ...]:
        return (self.context, *self.query.expressions)

    def holds(self, scope: Scope) -> bool:
        root = self.context.evaluate(scope)
        if root is NOTHING or root is None:
            return False
        found = self.query.find(root, scope)
        return found is not NOTHING and bool(found)


CompiledCriterion = Condition | RegexCondition | PathCondition


def compile_criterion(criterion: Criterion) -> CompiledCriterion:
    """The criterion made ready. Raises ExpressionError, for XPath too."""
    kind = kind_of(criterion.type)
    if kind == "simple":
        return parse_condition(criterion.condition)
    context = parse_expression(criterion.context or "")
    if kind == "jsonpath":
        return PathCondition(context, compile_path(criterion.condition))
    if kind == "regex":
        return _regex(context, criterion.condition)
    raise ExpressionError(f"criteria of type {kind} are not executed here; use simple, regex or jsonpath")


def all_hold(criteria: Iterable[CompiledCriterion], scope: Scope) -> bool:
    return all(criterion.holds(scope) for criterion in criteria)


def _regex(context: Expression, condition: str) -> RegexCondition:
    template = parse_template(condition)
    stand_in: Json = "".join(part if isinstance(part, str) else "x" for part in template.parts)
    pattern = compile_pattern(stand_in)
    return RegexCondition(context, template, None if template.expressions else pattern)
