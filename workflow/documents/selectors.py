"""Selectors: JSONPath (RFC 9535) and JSON Pointer (RFC 6901) over a value, with runtime expressions in them.

A value put into a query can never change the query: the query is compiled once with a slot where the expression
stands, and the value is bound to the slot at run time, in quotes as text, bare with its type (as a selector: a name or
an index), in the pattern of match() and search() as a pattern that matches it literally. XPath is refused by name in
`checks`, so that nothing of it lives here.
Called by `criteria` and `values`.
"""

import json
import re
from dataclasses import dataclass, field
from functools import lru_cache

from workflow.documents.document import ExpressionType, Json, Selector, SelectorType
from workflow.documents.expressions import Expression, parse_expression
from workflow.documents.queries import BOUND, BOUND_NAME, BOUND_TEXT, Query, compile_query
from workflow.documents.scope import Scope
from workflow.documents.templates import Template, parse_template
from workflow.errors import ExpressionError
from workflow.json.patterns import escaped
from workflow.json.pointers import NOTHING, Nothing, escape, parse_pointer, resolve

_PIECE = re.compile(
    r"""(?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<slot>\{\$[^{}]*\})|(?P<name>[a-z][a-z_0-9]*)"""
    r"""|(?P<mark>[\[\](),?])|(?P<other>.)""",
    re.DOTALL,
)
_PATTERN_FUNCTIONS = ("match", "search")


@dataclass(slots=True)
class _Bracket:
    """An open bracket: `[` or the name of the function whose arguments it opens. `commas` seen so far."""

    opener: str
    commas: int = 0
    is_filter: bool = False


@dataclass(frozen=True, slots=True)
class _Slot:
    """Where values go: `template` in quotes or a bare expression. `is_pattern`: escape for a regular expression."""

    template: Template
    is_quoted: bool
    is_pattern: bool

    def value(self, scope: Scope) -> Json | Nothing:
        if self.is_quoted:
            return self.template.fill(scope, escaped if self.is_pattern else None)
        value = self.template.expressions[0].evaluate(scope)
        return escaped(value) if self.is_pattern and isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class PathQuery:
    """A JSONPath with slots, in the order of their numbers."""

    query: Query = field(compare=False)
    slots: tuple[_Slot, ...] = ()

    @property
    def expressions(self) -> tuple[Expression, ...]:
        return tuple(each for slot in self.slots for each in slot.template.expressions)

    def find(self, root: Json, scope: Scope) -> list[Json] | Nothing:
        """All that is selected, in order; NOTHING if a value that the query needs is not there."""
        values = tuple(slot.value(scope) for slot in self.slots)
        return NOTHING if NOTHING in values else self.query.find(root, values)


@dataclass(frozen=True, slots=True)
class PointerQuery:
    """A JSON Pointer with expressions in its tokens."""

    template: Template

    @property
    def expressions(self) -> tuple[Expression, ...]:
        return self.template.expressions

    def find(self, root: Json, scope: Scope) -> list[Json] | Nothing:
        text = self.template.fill(scope, escape)
        found = NOTHING if text is NOTHING else resolve(root, parse_pointer(str(text)))
        return NOTHING if found is NOTHING else [found]


@dataclass(frozen=True, slots=True)
class CompiledSelector:
    """A Selector Object, ready to run."""

    context: Expression
    query: PathQuery | PointerQuery

    @property
    def expressions(self) -> tuple[Expression, ...]:
        return (self.context, *self.query.expressions)

    def evaluate(self, scope: Scope) -> Json | Nothing:
        """The one value selected, the list of several, or NOTHING."""
        root = self.context.evaluate(scope)
        found = NOTHING if root is NOTHING else self.query.find(root, scope)
        if found is NOTHING or not found:
            return NOTHING
        return found[0] if len(found) == 1 else found


def kind_of(kind: SelectorType | None) -> str:
    """The name of a selector's or criterion's type, whichever way it is written; None means simple."""
    return kind.type if isinstance(kind, ExpressionType) else kind or "simple"


def compile_selector(selector: Selector) -> CompiledSelector:
    """The selector made ready. Raises ExpressionError, for XPath too."""
    return CompiledSelector(
        parse_expression(selector.context), compile_selection(kind_of(selector.type), selector.selector)
    )


def compile_selection(kind: str, text: str) -> PathQuery | PointerQuery:
    """A query of the kind `jsonpath` or `jsonpointer`. Raises ExpressionError."""
    if kind == "jsonpath":
        return compile_path(text)
    if kind == "jsonpointer":
        return PointerQuery(_checked_pointer(text))
    raise ExpressionError(f"selectors of type {kind} are not executed here; use jsonpath or jsonpointer")


def _checked_pointer(text: str) -> Template:
    template = parse_template(text)
    parse_pointer("".join(part if isinstance(part, str) else "x" for part in template.parts))
    return template


@lru_cache(maxsize=2048)
def compile_path(text: str) -> PathQuery:
    """A JSONPath in which `{$…}` may stand for values. Raises ExpressionError."""
    if BOUND in text:
        raise ExpressionError(f"{BOUND} is a name of ours and no part of JSONPath; use another one")
    scan = _Scan()
    for found in _PIECE.finditer(text):
        scan.take(found)
    return PathQuery(compile_query(scan.text), tuple(scan.slots))


class _Scan:
    """Goes through a query piece by piece, so as to know where each `{$…}` stands."""

    def __init__(self) -> None:
        self.text = ""
        self.slots: list[_Slot] = []
        self._open: list[_Bracket] = []
        self._last_name = ""

    def take(self, found: re.Match[str]) -> None:
        kind, piece = found.lastgroup, found[0]
        if kind == "slot" or (kind == "quoted" and "{$" in piece):
            self._slot(piece, kind == "quoted")
        else:
            if kind == "mark":
                self._bracket(piece)
            self.text += piece
        self._last_name = piece if kind == "name" else ""

    def _bracket(self, mark: str) -> None:
        if mark in "[(":
            inherits = mark == "(" and bool(self._open) and self._open[-1].is_filter
            self._open.append(_Bracket("[" if mark == "[" else self._last_name, is_filter=inherits))
        elif mark in "])" and self._open:
            self._open.pop()
        elif mark == "?" and self._open:
            self._open[-1].is_filter = True
        elif mark == "," and self._open:
            self._open[-1].commas += 1
            if self._open[-1].opener == "[":
                self._open[-1].is_filter = False

    def _slot(self, piece: str, is_quoted: bool) -> None:
        innermost = self._open[-1] if self._open else _Bracket("")
        is_pattern = innermost.opener in _PATTERN_FUNCTIONS and innermost.commas == 1
        template = parse_template(_unquoted(piece) if is_quoted else piece)
        number = len(self.slots)
        self.slots.append(_Slot(template, is_quoted, is_pattern))
        function = BOUND_TEXT if is_quoted else BOUND
        self.text += f"{function}({number})" if innermost.is_filter else f"'{BOUND_NAME}{number}'"


def _unquoted(literal: str) -> str:
    """The text that a quoted literal of JSONPath stands for (RFC 9535, 2.3.1.1)."""
    inner = literal[1:-1]
    if literal[0] == "'":
        inner = inner.replace("\\'", "'")
        inner = re.sub(r'(?<!\\)((?:\\\\)*)"', r"\1\\\"", inner)
    try:
        return str(json.loads(f'"{inner}"', strict=False))
    except ValueError as error:
        raise ExpressionError(f"{literal} is no string by RFC 9535; correct its escapes") from error
