"""Runtime expressions: `$inputs.vm`, `$response.body#/0/uuid`, by the grammar of Arazzo 1.1 ("Runtime Expressions").

Here live parsing and evaluation of one expression; text with expressions in it is in `templates`, conditions are in
`conditions`. Evaluation keeps the value's type and gives NOTHING where there is no such value. Names may hold dots: a
name that does not exist as a whole is followed at its dots, as the official examples do.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from workflow.documents.document import Json
from workflow.documents.scope import Scope, Sent
from workflow.errors import ExpressionError
from workflow.json.pointers import NOTHING, Nothing, Parts, parse_pointer, resolve

_STRICT = r"[A-Za-z0-9_\-]+"
_NAME = r"[A-Za-z0-9._\-]+"
_HEADER = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
# All but these: as ranges up to the last character it takes the engine a hundred times as long to be made ready.
_CHARS = r"(?:[^\x00-\x1F\"\\{}]|\\(?:[\"\\/bfnrt]|u[0-9A-Fa-f]{4}))"
_POINTER = r"(?:#(?P<pointer>(?:/(?:[^/{}~]|~[01])*)*))?"
_SOURCE = rf"(?:(?P<header>header)\.(?P<field>{_HEADER})|(?P<place>query|path)\.(?P<parameter>{_CHARS}*)"
_SOURCE += rf"|(?P<body>body|payload){_POINTER})"
_GRAMMAR: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (root, re.compile(rf"\${root}{rest}", re.DOTALL))
    for root, rest in (
        ("inputs", rf"\.(?P<name>{_NAME}){_POINTER}"),
        ("steps", rf"\.(?P<owner>{_STRICT})\.outputs\.(?P<name>{_NAME}){_POINTER}"),
        ("response", rf"\.{_SOURCE}"),
        ("statusCode", ""),
        ("request", rf"\.{_SOURCE}"),
        ("outputs", rf"\.(?P<name>{_NAME}){_POINTER}"),
        ("workflows", rf"\.(?P<owner>{_STRICT})\.(?P<place>inputs|outputs)\.(?P<name>{_NAME}){_POINTER}"),
        ("sourceDescriptions", rf"\.(?P<owner>{_STRICT})\.(?P<name>{_CHARS}+)"),
        ("components", rf"\.(?P<place>parameters|successActions|failureActions)\.(?P<name>{_NAME})"),
        ("message", rf"\.{_SOURCE}"),
        ("method", ""),
        ("url", ""),
        ("self", ""),
    )
)
_LOOKS_LIKE_ONE = re.compile(r"\$(?:" + "|".join(root for root, _ in _GRAMMAR) + r")(?![A-Za-z0-9_])")


@dataclass(frozen=True, slots=True)
class Expression:
    """One parsed expression. `root`: its first word. `owner`: a step, workflow or source. `place`: what part of it.

    `name`: an input, output, header, parameter or component. `pointer`: tokens into the value.
    `splits`: the ways to read a dotted `name`: (name, members to follow), the whole name first.
    """

    text: str
    root: str
    owner: str = ""
    place: str = ""
    name: str = ""
    pointer: Parts = ()
    splits: tuple[tuple[str, Parts], ...] = ()

    def evaluate(self, scope: Scope) -> Json | Nothing:
        """The value in `scope` with its type, or NOTHING."""
        value = _EVALUATE[self.root](self, scope)
        return resolve(value, self.pointer) if self.pointer and value is not NOTHING else value


def looks_like_expression(text: str) -> bool:
    """Whether `text` starts like an expression, so that it is a fault if it is none."""
    return _LOOKS_LIKE_ONE.match(text) is not None


@lru_cache(maxsize=4096)
def parse_expression(text: str) -> Expression:
    """The expression that all of `text` is. Raises ExpressionError if it is none by the grammar."""
    for root, pattern in _GRAMMAR:
        if found := pattern.fullmatch(text):
            return _expression(text, root, found.groupdict())
    raise ExpressionError(f"{text!r} is no runtime expression; see the grammar in Arazzo 1.1, Runtime Expressions")


def _expression(text: str, root: str, found: Mapping[str, str | None]) -> Expression:
    def group(*names: str) -> str:
        return next((value for name in names if (value := found.get(name))), "")

    name = group("name", "parameter") or group("field").lower()
    has_splits = root in ("inputs", "outputs", "steps", "workflows")
    return Expression(
        text=text,
        root=root,
        owner=group("owner"),
        place=group("place", "header", "body"),
        name=name,
        pointer=parse_pointer(group("pointer")),
        splits=_splits(name) if has_splits else (),
    )


def _splits(name: str) -> tuple[tuple[str, Parts], ...]:
    words = name.split(".")
    return tuple((".".join(words[:count]), tuple(words[count:])) for count in range(len(words), 0, -1))


def _named(expression: Expression, values: Mapping[str, Json]) -> Json | Nothing:
    for name, rest in expression.splits:
        if name in values:
            return resolve(values[name], rest)
    return NOTHING


def _of_step(expression: Expression, scope: Scope) -> Json | Nothing:
    return _named(expression, scope.steps.get(expression.owner, {}))


def _of_workflow(expression: Expression, scope: Scope) -> Json | Nothing:
    return _named(expression, scope.workflows.get(expression.owner, {}).get(expression.place, {}))


def _of_response(expression: Expression, scope: Scope) -> Json | Nothing:
    if scope.reply is None or expression.place in ("query", "path"):
        return NOTHING
    if expression.place == "header":
        return scope.reply.headers.get(expression.name, NOTHING)
    return scope.reply.body


def _of_request(expression: Expression, scope: Scope) -> Json | Nothing:
    sent = scope.sent()
    if sent is None:
        return NOTHING
    if expression.place in ("body", "payload"):
        return sent.body
    values: Mapping[str, Json] = getattr(sent, expression.place)
    return values.get(expression.name, NOTHING)


def _of_sent(read: Callable[[Sent], Json]) -> Callable[[Expression, Scope], Json | Nothing]:
    return lambda _, scope: NOTHING if (sent := scope.sent()) is None else read(sent)


def _of_source(expression: Expression, scope: Scope) -> Json | Nothing:
    return scope.sources.get(expression.owner, {}).get(expression.name, NOTHING)


def _never(_expression: Expression, _scope: Scope) -> Nothing:
    """Only references follow components, and AsyncAPI's messages are refused by `checks`."""
    return NOTHING


_EVALUATE: Mapping[str, Callable[[Expression, Scope], Json | Nothing]] = {
    "inputs": lambda expression, scope: _named(expression, scope.inputs),
    "outputs": lambda expression, scope: _named(expression, scope.outputs),
    "steps": _of_step,
    "workflows": _of_workflow,
    "response": _of_response,
    "statusCode": lambda _, scope: NOTHING if scope.reply is None else scope.reply.status,
    "request": _of_request,
    "method": _of_sent(lambda sent: sent.method),
    "url": _of_sent(lambda sent: sent.url),
    "sourceDescriptions": _of_source,
    "self": lambda _, scope: scope.self_uri or NOTHING,
    "components": _never,
    "message": _never,
}
