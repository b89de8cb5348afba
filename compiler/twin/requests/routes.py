"""From a method and a concrete path to an operation: literal segments win over parameters (OpenAPI 3.1, 4.8.8.2).

Knows nothing of resources or state. Called for every request, so it is a tree of segments, not a list of patterns.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from compiler.ir.model import ApiParameter, Operation
from compiler.twin.requests.styles import segment_pattern

_SAFE = "-._~!$&'()*+,;=:@"
_BRACES = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Match:
    """`template`: the first described path of this shape. `values`: those of its parameters, decoded, in order."""

    template: str
    methods: Mapping[str, Operation]
    values: tuple[str, ...]


@dataclass(slots=True)
class _Node:
    literals: dict[str, "_Node"] = field(default_factory=dict)
    patterns: list[tuple[re.Pattern[str], "_Node"]] = field(default_factory=list)
    template: str = ""
    methods: dict[str, list[Operation]] = field(default_factory=dict)


class Routes:
    """All operations of an Api, ready for matching."""

    def __init__(self, operations: tuple[Operation, ...]) -> None:
        self._root = _Node()
        for operation in operations:
            node = self._root
            styled = {p.name: p for p in operation.parameters if p.location == "path"}
            for segment in split(operation.path):
                node = _child(node, segment, styled)
            node.template = node.template or operation.path
            node.methods.setdefault(operation.method, []).append(operation)

    def match(self, path: str) -> Match | None:
        """The most literal template that `path` fits, None when no operation stands there."""
        parts = tuple(unquote(part) for part in split(path))
        for node, bound in _walk(self._root, parts, ()):
            methods = {method: _meant(operations, bound) for method, operations in node.methods.items()}
            return Match(node.template, methods, bound)
        return None


def split(path: str) -> tuple[str, ...]:
    """The segments between slashes; a trailing slash makes no segment of its own."""
    return tuple(path.strip("/").split("/")) if path.strip("/") else ()


def encode(segment: str) -> str:
    """One path segment, percent-encoded (RFC 3986, 3.3)."""
    return quote(segment, safe=_SAFE)


def canonical(path: str) -> str:
    """The one form of a concrete path under which the twin keeps things."""
    return "/" + "/".join(encode(unquote(part)) for part in split(path))


def fill(template: str, parameters: Mapping[str, str]) -> str:
    """The concrete path; a parameter that is not given stays in braces."""
    return _BRACES.sub(lambda found: encode(parameters[found[1]]) if found[1] in parameters else found[0], template)


def plain_path(match: Match, path: str) -> str:
    """The canonical path, its parameters without what their styles put before them (`.1`, `;id=1`)."""
    styled = {p.style for one in match.methods.values() for p in one.parameters if p.location == "path"}
    if styled.isdisjoint(("label", "matrix")):
        return canonical(path)
    return fill(match.template, dict(zip(parameters_in(match.template), match.values, strict=True)))


def shape(template: str) -> str:
    """The template without its parameters' names: paths of one shape are one address."""
    return _BRACES.sub("{}", template).rstrip("/")


def parameters_in(template: str) -> tuple[str, ...]:
    return tuple(_BRACES.findall(template))


def _meant(operations: list[Operation], values: tuple[str, ...]) -> Operation:
    """Of several operations that no path tells apart that whose parameters have these values as defaults most."""
    return max(operations, key=lambda one: _usual(one, values)) if len(operations) > 1 else operations[0]


def _usual(operation: Operation, values: tuple[str, ...]) -> int:
    defaults = {p.name: p.schema.get("default") for p in operation.parameters if p.location == "path"}
    return sum(defaults.get(name) == value for name, value in zip(parameters_in(operation.path), values, strict=False))


def _child(node: _Node, segment: str, styled: Mapping[str, ApiParameter]) -> _Node:
    if not _BRACES.search(segment):
        return node.literals.setdefault(unquote(segment), _Node())
    pattern = re.compile(_pattern(segment, styled), re.DOTALL)
    for known, child in node.patterns:
        if known.pattern == pattern.pattern:
            return child
    child = _Node()
    node.patterns.append((pattern, child))
    node.patterns.sort(key=lambda entry: -len(entry[0].pattern))  # more literal text first
    return child


def _pattern(segment: str, styled: Mapping[str, ApiParameter]) -> str:
    parts = enumerate(_BRACES.split(segment))
    return "".join(segment_pattern(styled.get(part)) if number % 2 else re.escape(part) for number, part in parts)


def _walk(node: _Node, parts: tuple[str, ...], bound: tuple[str, ...]) -> Iterator[tuple[_Node, tuple[str, ...]]]:
    if not parts:
        if node.methods:
            yield node, bound
        return
    literal = node.literals.get(parts[0])
    if literal is not None:
        yield from _walk(literal, parts[1:], bound)
    for pattern, child in node.patterns:
        found = pattern.fullmatch(parts[0])
        if found:
            yield from _walk(child, parts[1:], (*bound, *found.groups()))
