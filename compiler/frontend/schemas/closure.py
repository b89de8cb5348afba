"""What follows from the graph of shared schemas: digests, gaps counted by operation, references without end.

Here lives graph work on names; here never lives a reading of keywords, but for the ones that apply in place.
Called by `load` after all schemas are named. Schemas that refer to each other in a circle share one digest, made over
all of them (Tarjan's strongly connected components, without recursion): the work grows with the number of references.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from compiler.containment import Containment
from compiler.frontend.schemas.reading import POINTER, Bundle
from compiler.ir.model import Schema
from workflow.json.canonical import digest

CYCLE = "x-switchgear-cycle"
_MOST_GAPS = 1_000  # told apart; the sets are bits of integers, whose length would make the work quadratic
_ONE = ("else", "if", "not", "then")
_LISTS = ("allOf", "anyOf", "oneOf")
Graph = Mapping[str, tuple[str, ...]]


def components(graph: Graph) -> tuple[tuple[str, ...], ...]:
    """The strongly connected components, each sorted; every component after those that it refers to."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    path: list[str] = []
    on_path: set[str] = set()
    found: list[tuple[str, ...]] = []
    for start in sorted(graph):
        if start in index:
            continue
        work: list[tuple[str, Iterator[str]]] = [(start, iter(graph[start]))]
        index[start] = low[start] = len(index)
        path.append(start)
        on_path.add(start)
        while work:
            node, targets = work[-1]
            target = next(targets, None)
            if target is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    found.append(_close(node, path, on_path))
            elif target not in index:
                index[target] = low[target] = len(index)
                path.append(target)
                on_path.add(target)
                work.append((target, iter(graph[target])))
            elif target in on_path:
                low[node] = min(low[node], index[target])
    return tuple(found)


def _close(node: str, path: list[str], on_path: set[str]) -> tuple[str, ...]:
    members = []
    while True:
        member = path.pop()
        on_path.discard(member)
        members.append(member)
        if member == node:
            return tuple(sorted(members))


def schema_digests(bundle: Bundle, parts: Iterable[tuple[str, ...]], contained: Containment) -> Mapping[str, str]:
    """Schema name → digest over it and all that it reaches. `parts`: from `components`.

    What has no canonical form takes any value from here on: it could be approved by nobody.
    """
    digests: dict[str, str] = {}
    for part in parts:
        inside = set(part)
        below = {digests[name] for member in part for name in bundle.inner[member] if name not in inside}
        content = {"schemas": {name: bundle.schemas[name] for name in part}, "uses": sorted(below)}
        made = contained.tried(f"schema {part[0]}", partial(digest, content), "")
        if not made:
            bundle.schemas.update({name: {} for name in part})
            made = digest({"schemas": {name: {} for name in part}, "uses": sorted(below)})
        digests |= dict.fromkeys(part, made)
    return digests


def gaps_by_operation(bundle: Bundle, parts: Iterable[tuple[str, ...]]) -> Mapping[tuple[str, str, str], list[Any]]:
    """(code, file, reason) → [references, operations that reach one of them]; sets are bits of one integer."""
    numbers: dict[tuple[str, str, str], int] = {}
    further = ("file-missing", "further files", "are missing as well")
    references: dict[tuple[str, str, str], set[str]] = {}
    reached: dict[str, int] = {}

    def own(owner: str) -> int:
        bits = 0
        for gap in bundle.gaps[owner]:
            key = (gap.code, gap.file, gap.reason)
            if key not in numbers and len(numbers) >= _MOST_GAPS:
                key = further
            references.setdefault(key, set()).add(gap.ref)
            bits |= 1 << numbers.setdefault(key, len(numbers))
        return bits

    for part in parts:
        bits = 0
        for member in part:
            bits |= own(member)
            for name in bundle.inner[member]:
                bits |= reached.get(name, 0)
        reached |= dict.fromkeys(part, bits)
    counts = dict.fromkeys(range(len(numbers)), 0)
    operations = {key: own(key) for key in bundle.uses}
    for key, names in bundle.uses.items():
        bits = operations[key]
        for name in names:
            bits |= reached[name]
        for number in _bits(bits):
            counts[number] = counts.get(number, 0) + 1
    return {key: [sorted(references[key]), counts.get(number, 0)] for key, number in sorted(numbers.items())}


def _bits(number: int) -> Iterator[int]:
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest


def unwind_unions(schemas: Mapping[str, Schema]) -> None:
    """Lets an alternative that begins with its own union (`Cat: allOf [Pet]`, `Pet: oneOf [Cat]`) take over, in place,
    what the union says besides its alternatives: the same meaning, and no circle.
    """
    for name in sorted(schemas):
        union = schemas[name]
        own = {key: value for key, value in union.items() if key not in ("anyOf", "oneOf", "discriminator")}
        for option in (*union.get("anyOf", ()), *union.get("oneOf", ())):
            target = (
                schemas.get(str(option.get("$ref", "")).removeprefix(POINTER)) if isinstance(option, dict) else None
            )
            for part in (target or {}).get("allOf", ()):
                if isinstance(part, dict) and part.get("$ref") == POINTER + name:
                    del part["$ref"]
                    part.update(own)


def cut_endless(schemas: Mapping[str, Schema]) -> tuple[str, ...]:
    """Replaces, in place, each reference by which a schema applies to the same value again; names where it did.

    `A: {allOf: [{$ref: A}]}` says nothing and lets validators run for ever. Recursion through properties or items is
    not touched. To be called before digests are made.
    """
    done: set[str] = set()
    cut: list[str] = []
    for start in sorted(schemas):
        if start in done:
            continue
        on_way = {start}
        work = [(start, in_place(schemas[start]))]
        while work:
            name, references = work[-1]
            reference = next(references, None)
            if reference is None:
                work.pop()
                on_way.discard(name)
                done.add(name)
                continue
            target = reference["$ref"].removeprefix(POINTER)
            if target in on_way:
                del reference["$ref"]
                reference[CYCLE] = target
                cut.append(name)
            elif target not in done:
                on_way.add(target)
                work.append((target, in_place(schemas[target])))
    return tuple(cut)


def in_place(schema: Any) -> Iterator[dict[str, Any]]:
    """The references in `schema` that apply to the same value as it does, as they stand there."""
    if isinstance(schema, dict) and "$ref" in schema:
        yield schema
    for inner in applied_within(schema):
        yield from in_place(inner)


def applied_within(schema: Any) -> Iterator[Any]:
    """The schemas that stand in `schema` itself and apply to the same value."""
    if not isinstance(schema, dict):
        return
    for keyword in _ONE:
        if keyword in schema:
            yield schema[keyword]
    for keyword in _LISTS:
        yield from schema.get(keyword, ())
    yield from schema.get("dependentSchemas", {}).values()
