"""Simple conditions: `$statusCode == 200 && $response.body#/state != 'down'` (Arazzo 1.1, "Criterion Object").

Here live the grammar of literals, operators and runtime expressions, and its evaluation. Strings compare without
case; a numeric string compared with a number counts as one; null equals only null, and a value that is not there
counts as null. False, null, 0 and the empty string fail when they stand alone. Values never become text of the
condition, so none can change it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

from workflow.documents.expressions import Expression, parse_expression
from workflow.documents.queries import equal
from workflow.documents.scope import Scope
from workflow.documents.templates import parse_template
from workflow.errors import ExpressionError
from workflow.json.pointers import NOTHING, resolve

_TERM = re.compile(
    r"""\s*(?:(?P<operator>==|!=|<=|>=|&&|\|\||[<>!()\[\]])|(?P<string>'(?:[^']|'')*')"""
    r"""|(?P<number>-?[0-9]{1,300}(?:\.[0-9]{1,300})?(?:[eE][+-]?[0-9]{1,4})?)(?![\w.])|(?P<word>true|false|null)(?!\w)"""
    r"""|\{(?P<braced>\$[^{}]*)\}|(?P<expression>\$(?:(?!!=|&&|\|\|)[^\s()<>=\[\]{}])+)"""
    r"""|(?P<member>(?:\.[A-Za-z_@][\w@\-]*)+)|(?P<end>$))""",
    re.DOTALL,
)
_NUMBER = re.compile(r"-?[0-9]{1,300}(?:\.[0-9]{1,300})?(?:[eE][+-]?[0-9]{1,4})?", re.ASCII)
_WORDS = {"true": True, "false": False, "null": None}
_LIMIT = 100  # nested brackets; a condition that people can read has fewer

Get = Callable[[Scope], Any]


@dataclass(frozen=True, slots=True)
class Condition:
    """A parsed condition. `expressions`: all that it reads."""

    text: str
    expressions: tuple[Expression, ...]
    _get: Get

    def holds(self, scope: Scope) -> bool:
        return _is_true(self._get(scope))


@lru_cache(maxsize=4096)  # most conditions stand in most documents
def parse_condition(text: str) -> Condition:
    """The condition. Raises ExpressionError, saying where it stops making sense."""
    parser = _Parser(text)
    get = parser.either()
    parser.expect("end")
    return Condition(text, tuple(parser.expressions), get)


class _Parser:
    """By descent: or, and, comparison, not, operand with its dereferences."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.expressions: list[Expression] = []
        self._depth = 0
        self._at = 0
        self._advance()

    def _advance(self) -> None:
        found = _TERM.match(self.text, self._at)
        if found is None:
            self._fail()
        self._at = found.end()
        self.kind, self.value = found.lastgroup, found[str(found.lastgroup)]

    def _fail(self) -> NoReturn:
        raise ExpressionError(f"the condition {self.text!r} makes no sense at position {self._at}; correct it")

    def expect(self, kind: str, value: str | None = None) -> None:
        if self.kind != kind or (value is not None and self.value != value):
            self._fail()
        if kind != "end":
            self._advance()

    def _takes(self, *operators: str) -> str:
        """The operator that comes next, taken, if it is one of these."""
        if self.kind != "operator" or self.value not in operators:
            return ""
        operator = self.value
        self._advance()
        return operator

    def either(self) -> Get:
        left = self._both()
        while self._takes("||"):
            left = _or(left, self._both())
        return left

    def _both(self) -> Get:
        left = self._comparison()
        while self._takes("&&"):
            left = _and(left, self._comparison())
        return left

    def _comparison(self) -> Get:
        left = self._negation()
        operator = self._takes("==", "!=", "<", "<=", ">", ">=")
        return _compared(operator, left, self._negation()) if operator else left

    def _negation(self) -> Get:
        if not self._takes("!"):
            return self._operand()
        inner = self._nested(self._negation)
        return lambda scope: not _is_true(inner(scope))

    def _nested(self, read: Callable[[], Get]) -> Get:
        self._depth += 1
        if self._depth > _LIMIT:
            raise ExpressionError(f"the condition {self.text!r} nests more than {_LIMIT} deep; simplify it")
        get = read()
        self._depth -= 1
        return get

    def _operand(self) -> Get:
        if self._takes("("):
            get = self._nested(self.either)
            self.expect("operator", ")")
        else:
            get = self._literal() or self._expression()
        return self._dereferenced(get)

    def _literal(self) -> Get | None:
        kind, value = self.kind, self.value
        if kind not in ("string", "number", "word"):
            return None
        self._advance()
        if kind == "string":
            return self._string(value[1:-1].replace("''", "'"))
        literal = _number(value) if kind == "number" else _WORDS[value]
        return lambda _: literal

    def _string(self, text: str) -> Get:
        template = parse_template(text)
        self.expressions.extend(template.expressions)
        return template.fill if template.expressions else lambda _: text

    def _expression(self) -> Get:
        kind, text = self.kind, self.value
        if kind not in ("expression", "braced"):
            self._fail()
        self._advance()
        head, rest = text, ""
        while True:
            try:
                expression = parse_expression(head)
                break
            except ExpressionError:
                head, dot, member = head.rpartition(".")
                if not dot:
                    raise
                rest = f".{member}{rest}"
        self.expressions.append(expression)
        return _followed(expression.evaluate, _members(rest)) if rest else expression.evaluate

    def _dereferenced(self, get: Get) -> Get:
        while True:
            if self.kind == "member":
                get = _followed(get, _members(self.value))
                self._advance()
            elif self._takes("["):
                kind, value = self.kind, self.value
                if kind not in ("number", "string"):
                    self._fail()
                self._advance()
                self.expect("operator", "]")
                get = _followed(get, (value if kind == "number" else value[1:-1].replace("''", "'"),))
            else:
                return get


def _members(text: str) -> tuple[str, ...]:
    return tuple(text.split(".")[1:])


def _followed(get: Get, members: tuple[str, ...]) -> Get:
    return lambda scope: resolve(get(scope), members)


def _or(left: Get, right: Get) -> Get:
    return lambda scope: _is_true(left(scope)) or _is_true(right(scope))


def _and(left: Get, right: Get) -> Get:
    return lambda scope: _is_true(left(scope)) and _is_true(right(scope))


def _compared(operator: str, left: Get, right: Get) -> Get:
    compare = _COMPARE[operator]
    return lambda scope: compare(*_paired(left(scope), right(scope)))


def _is_true(value: Any) -> bool:
    return value not in (None, False, NOTHING, "", 0)


def _number(text: str) -> int | float:
    return int(text) if text.lstrip("-").isdigit() else float(text)


def _paired(left: Any, right: Any) -> tuple[Any, Any]:
    """Both as they are compared: absent as null, strings without case, a numeric string beside a number as one."""
    left, right = (None if value is NOTHING else value for value in (left, right))
    if isinstance(left, str) and isinstance(right, str):
        return left.casefold(), right.casefold()
    if isinstance(left, str) and _is_number(right) and _NUMBER.fullmatch(left):
        return _number(left), right
    if isinstance(right, str) and _is_number(left) and _NUMBER.fullmatch(right):
        return left, _number(right)
    return left, right


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_less(left: Any, right: Any) -> bool:
    same = (isinstance(left, str) and isinstance(right, str)) or (_is_number(left) and _is_number(right))
    return bool(same and left < right)


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "<": _is_less,
    ">": lambda left, right: _is_less(right, left),
    "<=": lambda left, right: _is_less(left, right) or (equal(left, right) and left is not None),
    ">=": lambda left, right: _is_less(right, left) or (equal(left, right) and left is not None),
}
