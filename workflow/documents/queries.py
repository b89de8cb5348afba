"""JSONPath (RFC 9535), run fast: python-jsonpath parses a query and checks its types, this module evaluates the tree.

The library's own evaluation costs some 20 µs for every element that a filter looks at, which a lookup among a thousand
things would feel; here each part becomes a closure and a query on the root inside a filter is evaluated once. A
property test holds the two evaluations together. Values bound from outside are reached through the functions
`switchgear_bound(n)` and, in quotes, `switchgear_bound_text(n)`, and the member name `switchgear_bound:n`, which
`selectors` puts in and refuses in documents.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from jsonpath import JSONPath, JSONPathEnvironment, JSONPathError
from jsonpath import filter as tree
from jsonpath import segments as parts
from jsonpath import selectors as kinds
from jsonpath.function_extensions import ExpressionType, FilterFunction

from workflow.documents.document import Json
from workflow.errors import ExpressionError
from workflow.json.patterns import compile_i_regexp
from workflow.json.pointers import NOTHING

BOUND = "switchgear_bound"
BOUND_TEXT = f"{BOUND}_text"
BOUND_NAME = f"{BOUND}:"


class QueryRun:
    """One evaluation: the root, the values bound, and the results of queries on the root so far."""

    __slots__ = ("cache", "root", "values")

    def __init__(self, root: Json, values: tuple[Json, ...]) -> None:
        self.root = root
        self.values = values
        self.cache: dict[int, list[Json]] = {}


Nodes = list[Json]
Step = Callable[[Nodes, QueryRun], Nodes]
Test = Callable[[Json, QueryRun], bool]
Get = Callable[[Json, QueryRun], Any]


class _Bound(FilterFunction):
    arg_types = [ExpressionType.VALUE]  # noqa: RUF012  the library declares it so
    return_type = ExpressionType.VALUE

    def __call__(self, *_args: Any, **_kwargs: Any) -> Any:
        raise AssertionError("queries are evaluated here, never by the library")


def _environment() -> JSONPathEnvironment:
    environment = JSONPathEnvironment(strict=True)
    environment.function_extensions[BOUND] = _Bound()
    environment.function_extensions[BOUND_TEXT] = _Bound()
    return environment


_ENVIRONMENT = _environment()


class Query:
    """A compiled query."""

    __slots__ = ("_steps", "segments")

    def __init__(self, segments: Iterable[Any]) -> None:
        self.segments = tuple(segments)
        self._steps = [_step(segment) for segment in self.segments]

    def find(self, root: Json, values: tuple[Json, ...] = ()) -> Nodes:
        """All values that the query selects, in order."""
        return self.run([root], QueryRun(root, values))

    def run(self, nodes: Nodes, run: QueryRun) -> Nodes:
        for step in self._steps:
            nodes = step(nodes, run)
        return nodes


@lru_cache(maxsize=2048)
def compile_query(text: str) -> Query:
    """The query, compiled once. Raises ExpressionError."""
    return Query(parse_path(text).segments)


def parse_path(text: str) -> JSONPath:
    """The query as the library's tree. Raises ExpressionError if `text` is not exactly one query by RFC 9535."""
    try:
        path = _ENVIRONMENT.compile(text)
    except (JSONPathError, RecursionError, ValueError) as error:
        reason = error.args[0] if error.args else "it cannot be parsed"  # str() of a JSONPathError may itself raise
        raise ExpressionError(f"{text!r} is no JSONPath query by RFC 9535: {reason}; correct it") from error
    if not isinstance(path, JSONPath):
        raise ExpressionError(f"{text!r} joins several queries, which RFC 9535 does not know; keep one")
    return path


def _step(segment: Any) -> Step:
    selects = [_selector(selector) for selector in segment.selectors]
    if isinstance(segment, parts.JSONPathRecursiveDescentSegment):
        return lambda nodes, run: _select(selects, _descendants(nodes), run)
    if len(selects) == 1:
        return selects[0]
    return lambda nodes, run: _select(selects, nodes, run)


def _select(selects: list[Step], nodes: Nodes, run: QueryRun) -> Nodes:
    return [found for node in nodes for select in selects for found in select([node], run)]


def _descendants(nodes: Nodes) -> Nodes:
    """The nodes and all below them, each before its children."""
    found: Nodes = []
    stack = list(reversed(nodes))
    while stack:
        node = stack.pop()
        found.append(node)
        stack.extend(reversed(_children(node)))
    return found


def _children(node: Json) -> Nodes:
    if isinstance(node, list):
        return node
    return list(node.values()) if isinstance(node, dict) else []


def _selector(selector: Any) -> Step:
    if isinstance(selector, kinds.NameSelector) and selector.name.startswith(BOUND_NAME):
        number = int(selector.name.removeprefix(BOUND_NAME))
        return lambda nodes, run: _bound_child(nodes, run.values[number])
    if isinstance(selector, kinds.NameSelector):
        name = selector.name
        return lambda nodes, _: [node[name] for node in nodes if isinstance(node, dict) and name in node]
    if isinstance(selector, kinds.IndexSelector):
        at = selector.index
        return lambda nodes, _: [node[at] for node in nodes if isinstance(node, list) and -len(node) <= at < len(node)]
    if isinstance(selector, kinds.SliceSelector):
        cut = selector.slice
        if cut.step == 0:
            return lambda _nodes, _run: []
        return lambda nodes, _: [item for node in nodes if isinstance(node, list) for item in node[cut]]
    if isinstance(selector, kinds.WildcardSelector):
        return lambda nodes, _: [item for node in nodes for item in _children(node)]
    assert isinstance(selector, kinds.Filter), selector
    test = _test(selector.expression.expression)
    return lambda nodes, run: [item for node in nodes for item in _children(node) if test(item, run)]


def _bound_child(nodes: Nodes, key: Json) -> Nodes:
    """The member named by a text, the element numbered by an integer; nothing for a key of any other type."""
    if isinstance(key, str):
        return [node[key] for node in nodes if isinstance(node, dict) and key in node]
    if isinstance(key, int) and not isinstance(key, bool):
        return [node[key] for node in nodes if isinstance(node, list) and -len(node) <= key < len(node)]
    return []


def _test(node: Any) -> Test:
    """A logical expression: existence, comparison, connective."""
    if isinstance(node, tree.PrefixExpression):
        inner = _test(node.right)
        return lambda item, run: not inner(item, run)
    if isinstance(node, tree.InfixExpression) and node.operator in ("&&", "||"):
        left, right = _test(node.left), _test(node.right)
        if node.operator == "&&":
            return lambda item, run: left(item, run) and right(item, run)
        return lambda item, run: left(item, run) or right(item, run)
    if isinstance(node, tree.InfixExpression):
        return _comparison(node)
    if isinstance(node, tree.FilterQuery):
        nodes = _nodes(node)
        return lambda item, run: bool(nodes(item, run))
    return _function(node)


def _comparison(node: Any) -> Test:
    get_left, get_right = _value(node.left), _value(node.right)
    compare = _COMPARE[node.operator]
    if node.operator in ("==", "!=") and _is_text(node.left) != _is_text(node.right):
        bound, other = (get_left, get_right) if _is_text(node.left) else (get_right, get_left)
        is_equality = node.operator == "=="
        return lambda item, run: is_given(bound(item, run), other(item, run)) is is_equality
    return lambda item, run: compare(get_left(item, run), get_right(item, run))


def _is_text(node: Any) -> bool:
    """Whether a value stands there that was put into quotes."""
    return isinstance(node, tree.FunctionExtension) and node.name == BOUND_TEXT


def _nodes(query: Any) -> Get:
    """All that a query inside a filter selects."""
    path = Query(query.path.segments)
    if isinstance(query, tree.RelativeFilterQuery):
        return lambda item, run: path.run([item], run)

    def from_root(_item: Json, run: QueryRun) -> Nodes:
        key = id(path)
        if key not in run.cache:
            run.cache[key] = path.run([run.root], run)
        return run.cache[key]

    return from_root


def _value(node: Any) -> Get:
    """A value, or NOTHING where a query selects none."""
    if isinstance(node, tree.FilterQuery):
        nodes = _nodes(node)
        return lambda item, run: _only(nodes(item, run))
    if isinstance(node, tree.FunctionExtension):
        return _function(node)
    constant = getattr(node, "value", None)  # the literal null has no value
    return lambda _item, _run: constant


def _only(nodes: Nodes) -> Any:
    return nodes[0] if len(nodes) == 1 else NOTHING


def _function(node: Any) -> Get:
    name, args = node.name, node.args
    if name in (BOUND, BOUND_TEXT):
        number = args[0].value
        return lambda _item, run: run.values[number]
    if name in ("count", "value"):
        nodes = _nodes(args[0])
        return lambda item, run: len(nodes(item, run)) if name == "count" else _only(nodes(item, run))
    first = _value(args[0])
    if name == "length":
        return lambda item, run: _length(first(item, run))
    second = _value(args[1])
    is_whole = name == "match"
    return lambda item, run: _matches(first(item, run), second(item, run), is_whole)


def _length(value: Any) -> Any:
    return len(value) if isinstance(value, str | list | dict) else NOTHING


def _matches(value: Any, pattern: Any, is_whole: bool) -> bool:
    if not isinstance(value, str) or not isinstance(pattern, str):
        return False
    try:
        return compile_i_regexp(pattern, is_whole).is_found_in(value)
    except ExpressionError:
        return False


def equal(left: Any, right: Any) -> bool:
    """Whether two JSON values are the same: 1 and 1.0 are, 1 and true are not."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(member, right[name]) for name, member in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(equal(a, b) for a, b in zip(left, right, strict=True))
    return bool(left == right)


def is_given(bound: Any, found: Any) -> bool:
    """As `equal`, and a text that is bound is the whole number that is written so: devices type ids either way."""
    if isinstance(bound, str) and isinstance(found, int | float) and not isinstance(found, bool):
        whole = int(found) if isinstance(found, float) and found.is_integer() else found
        return bound == str(whole)
    return equal(bound, found)


def _is_less(left: Any, right: Any) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left < right
    numbers = isinstance(left, int | float) and isinstance(right, int | float)
    return numbers and not isinstance(left, bool) and not isinstance(right, bool) and left < right


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "<": _is_less,
    ">": lambda left, right: _is_less(right, left),
    "<=": lambda left, right: _is_less(left, right) or equal(left, right),
    ">=": lambda left, right: _is_less(right, left) or equal(left, right),
}
