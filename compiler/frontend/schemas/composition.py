"""How many schemas apply to one value through allOf, anyOf, oneOf, if and not: bounded, whatever refers to what.

`L0: {allOf: [L1, L1]}, L1: {allOf: [L2, L2]}, …` is 25 lines that say 16 million things, and every reader of schemas,
ours and others', would go through all of them. So what stands twice in one list is taken once, and a reference beyond
`MOST_APPLIED` is cut: any value is taken there. References through properties and items multiply nothing that is
walked to the end, and are not touched. Called by `load` after endless references are cut, before digests are made.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from compiler.frontend.schemas.closure import CYCLE, applied_within, in_place
from compiler.frontend.schemas.reading import POINTER
from compiler.ir.model import Schema

# An honest schema applies a few dozen: versions of a resource, alternatives of a payment method.
MOST_APPLIED = 2_000
_IDEMPOTENT = ("allOf", "anyOf")


def bound_composition(schemas: Mapping[str, Schema], others: Mapping[str, tuple[Schema, ...]]) -> tuple[str, ...]:
    """Cuts, in place, what multiplies; names the schemas and the owners of `others` where something was cut.

    `schemas`: the shared ones, without circles in place. `others`: schemas without a name, by what they belong to.
    """
    weights: dict[str, int] = {}
    cut: list[str] = []
    for name in _inner_first(schemas):
        weights[name], is_cut = _weighed(schemas[name], weights)
        cut += [f"schema {name}"] if is_cut else []
    for owner, own in others.items():
        are_cut = [_weighed(schema, weights)[1] for schema in own]
        cut += [owner] if any(are_cut) else []
    return tuple(cut)


def _weighed(schema: Schema, weights: Mapping[str, int]) -> tuple[int, bool]:
    """How many schemas apply with this one, and whether references had to be cut for that."""
    _merge_equal(schema)
    weight, is_first, is_cut = _own_weight(schema), True, False
    for reference in tuple(in_place(schema)):
        name = reference["$ref"].removeprefix(POINTER)
        added = weights.get(name, 1)
        if not is_first and weight + added > MOST_APPLIED:
            del reference["$ref"]
            reference[CYCLE] = name
            is_cut = True
        else:
            weight += added
        is_first = False
    return weight, is_cut


def _own_weight(schema: Any) -> int:
    """How many schemas stand in this one and apply with it, references not followed."""
    return 1 + sum(_own_weight(inner) for inner in applied_within(schema))


def _merge_equal(schema: Any) -> None:
    """Leaves each bare reference of one allOf or anyOf standing once: twice says the same."""
    for keyword in _IDEMPOTENT:
        parts = schema.get(keyword) if isinstance(schema, dict) else None
        if isinstance(parts, list):
            seen: set[str] = set()
            schema[keyword] = [one for one in parts if not _is_seen(one, seen)]
            for one in schema[keyword]:
                _merge_equal(one)


def _is_seen(schema: Any, seen: set[str]) -> bool:
    name = schema.get("$ref") if isinstance(schema, dict) and len(schema) == 1 else None
    if not isinstance(name, str):
        return False
    if name in seen:
        return True
    seen.add(name)
    return False


def _inner_first(schemas: Mapping[str, Schema]) -> Iterator[str]:
    """The names, each after those that it applies in place; without recursion, since chains can be long."""
    done: set[str] = set()
    for start in sorted(schemas):
        work = [start]
        while work:
            name = work[-1]
            if name in done:
                work.pop()
                continue
            waiting = [other for other in _applied(schemas[name]) if other in schemas and other not in done]
            if waiting:
                work += waiting
            else:
                done.add(name)
                work.pop()
                yield name


def _applied(schema: Schema) -> list[str]:
    return [reference["$ref"].removeprefix(POINTER) for reference in in_place(schema)]
