"""From a method and a concrete path to an operation: literal segments win over parameters (OpenAPI 3.1, 4.8.8.2).

A query or a fragment in a described path is a segment more, which a request passes that asks all of it; of several
that one which says most. Things there are kept apart from those at the address alone.
Knows nothing of resources or state. Called for every request, so it is a tree of segments, not a list of patterns.
"""

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from compiler.ir.model import ApiParameter, Operation
from compiler.twin.requests.messages import TwinRequest
from compiler.twin.requests.styles import segment_pattern
from workflow.documents.path_queries import Pairs, address_of, asked_query, fixed_query, fragment_pairs, parted

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
    asking: list[tuple[str, "_Node"]] = field(default_factory=list)
    template: str = ""
    methods: dict[str, list[Operation]] = field(default_factory=dict)


class Routes:
    """All operations of an Api, ready for matching."""

    def __init__(self, operations: tuple[Operation, ...]) -> None:
        self._root = _Node()
        self._endings = frozenset(operation.ending for operation in operations) - {""}
        for operation in operations:
            node = self._root
            styled = {p.name: p for p in operation.parameters if p.location == "path"}
            address, query = parted(operation.path)
            for segment in split(address):
                node = _child(node, segment, styled)
            node = _asking(node, query) if query else node
            node.template = node.template or operation.path
            node.methods.setdefault(operation.method, []).append(operation)

    def without_format(self, path: str) -> str:
        """The path without the format that the address ends in, where what stands there has one (`/groups/5.json`)."""
        ending = next((each for each in self._endings if path.endswith(each)), "")
        match = self.match(path.removesuffix(ending)) if ending else None
        is_so = match is not None and any(one.ending == ending for one in match.methods.values())
        return path.removesuffix(ending) if is_so else path

    def match(self, path: str) -> Match | None:
        """The most literal template that `path` fits, None when no operation stands there."""
        return self.of(TwinRequest("", path))

    def of(self, request: TwinRequest) -> Match | None:
        """The most literal template that the request's path fits, and of those the one whose query it asks."""
        parts = tuple(unquote(part) for part in split(request.path))
        for node, bound in _walk(self._root, parts, ()):
            chosen = _asked(node, request) if node.asking else node
            if chosen.methods:
                methods = {method: _meant(operations, bound) for method, operations in chosen.methods.items()}
                return Match(chosen.template, methods, bound)
        return None


def split(path: str) -> tuple[str, ...]:
    """The segments between slashes; a trailing slash makes no segment of its own, and a query one."""
    address, query = parted(path)
    parts = tuple(address.strip("/").split("/")) if address.strip("/") else ()
    return (*parts, query) if query else parts


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
    address, query = parted(match.template)
    if styled.isdisjoint(("label", "matrix")):
        return canonical(path + query)
    plain = fill(address, dict(zip(parameters_in(address), match.values, strict=True)))
    return canonical(plain + query) if query else plain


def shape(template: str) -> str:
    """The template without its parameters' names: paths of one shape are one address."""
    return _BRACES.sub("{}", template).rstrip("/")


def parameters_in(template: str) -> tuple[str, ...]:
    return tuple(_BRACES.findall(address_of(template)))


def _meant(operations: list[Operation], values: tuple[str, ...]) -> Operation:
    """Of several operations that no path tells apart that whose parameters have these values as defaults most."""
    return max(operations, key=lambda one: _usual(one, values)) if len(operations) > 1 else operations[0]


def _usual(operation: Operation, values: tuple[str, ...]) -> int:
    defaults = {p.name: p.schema.get("default") for p in operation.parameters if p.location == "path"}
    return sum(defaults.get(name) == value for name, value in zip(parameters_in(operation.path), values, strict=False))


def _asking(node: _Node, query: str) -> _Node:
    """The node of what is asked with this query, or known by this fragment; what says most comes first."""
    known = next((child for said, child in node.asking if said == query), None)
    if known is None:
        known = _Node()
        node.asking.append((query, known))
        node.asking.sort(key=lambda entry: -len(_demands(entry[0])))
    return known


def _asked(node: _Node, request: TwinRequest) -> _Node:
    """The node whose query the request asks, with an operation of its method where there is one; else `node`.

    Where nothing is at the address itself, what has a fragment that nothing tells is taken as meant.
    """
    said = {*request.query, *((name.lower(), value) for name, value in request.headers)}
    names = {name for name, _ in said}
    met = [child for query, child in node.asking if all(_is_met(each, said, names) for each in _demands(query))]
    untold = [child for query, child in node.asking if query.startswith("#")] if not node.methods else []
    found = [*met, node, *untold]
    return next((each for each in found if request.method in each.methods), found[0])


def _demands(query: str) -> Pairs:
    """What has to be asked: names with their values, and names alone."""
    names = tuple((name, "") for name, _ in asked_query(query))
    return (*fixed_query(query), *fragment_pairs(query), *names)


def _is_met(demand: tuple[str, str], said: Set[tuple[str, str]], names: Set[str]) -> bool:
    name, value = demand
    alike = {name, name.lower()}
    return bool(alike & names) if not value else any((each, value) in said for each in alike)


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
        if node.methods or node.asking:
            yield node, bound
        return
    kept = dict(node.asking).get(parts[0]) if len(parts) == 1 else None  # where the twin keeps what stands there
    if kept is not None:
        yield kept, bound
    literal = node.literals.get(parts[0])
    if literal is not None:
        yield from _walk(literal, parts[1:], bound)
    for pattern, child in node.patterns:
        found = pattern.fullmatch(parts[0])
        if found:
            yield from _walk(child, parts[1:], (*bound, *found.groups()))
