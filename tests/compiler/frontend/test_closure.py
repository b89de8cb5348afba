"""Graph work on schemas: circles, digests, and references that would never end."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from compiler.containment import Containment
from compiler.frontend.documents.references import MissingReference
from compiler.frontend.schemas.closure import components, cut_endless, gaps_by_operation, schema_digests
from compiler.frontend.schemas.reading import POINTER, Bundle

NAMES = "abcdefgh"
GRAPHS = st.fixed_dictionaries({name: st.lists(st.sampled_from(NAMES), unique=True).map(tuple) for name in NAMES})


def reach(graph: dict[str, tuple[str, ...]], start: str) -> set[str]:
    found: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += graph[name]
    return found


@given(graph=GRAPHS)
def test_components_are_what_reaches_each_other_in_an_order_that_ends_with_users(
    graph: dict[str, tuple[str, ...]],
) -> None:
    parts = components(graph)

    assert sorted(name for part in parts for name in part) == sorted(graph)
    place = {name: number for number, part in enumerate(parts) for name in part}
    for one in graph:
        for other in graph:
            together = one == other or (other in reach(graph, one) and one in reach(graph, other))
            assert (place[one] == place[other]) == together
        assert all(place[target] <= place[one] for target in graph[one])


def bundle(graph: dict[str, tuple[str, ...]], words: dict[str, str]) -> Bundle:
    schemas: dict[str, Any] = {
        name: {"title": words[name], "properties": {t: {"$ref": POINTER + t} for t in sorted(graph[name])}}
        for name in sorted(graph)
    }
    return Bundle(schemas, {}, graph, dict.fromkeys(graph, ()))


@given(graph=GRAPHS, changed=st.sampled_from(NAMES))
def test_a_digest_changes_exactly_for_what_reaches_the_change(graph: dict[str, tuple[str, ...]], changed: str) -> None:
    parts = components(graph)
    words = dict.fromkeys(NAMES, "same")
    before = schema_digests(bundle(graph, words), parts, Containment("a test"))
    after = schema_digests(bundle(graph, {**words, changed: "other"}), parts, Containment("a test"))

    assert {n for n in graph if before[n] != after[n]} == {
        n for n in graph if n == changed or changed in reach(graph, n)
    }


@given(graph=GRAPHS)
def test_after_cutting_no_schema_applies_to_itself_in_place(graph: dict[str, tuple[str, ...]]) -> None:
    schemas: dict[str, Any] = {name: {"allOf": [{"$ref": POINTER + t} for t in graph[name]]} for name in graph}

    cut = cut_endless(schemas)

    left = {
        name: tuple(r["$ref"].removeprefix(POINTER) for r in s["allOf"] if "$ref" in r) for name, s in schemas.items()
    }
    assert all(name not in reach(left, name) for name in left)
    assert bool(cut) == any(name in reach(graph, name) for name in graph)


def test_gaps_are_counted_by_operation_through_circles() -> None:
    gap = MissingReference("file-missing", "Gone.yaml", "Gone.yaml#/x", "is gone")
    own = MissingReference("pointer-dangling", "api.yaml", "#/y", "is nothing")
    found = gaps_by_operation(
        Bundle(
            schemas={"a": {}, "b": {}, "c": {}},
            uses={"GET /1": ("a",), "GET /2": ("b",), "GET /3": ("c",), "GET /4": ()},
            inner={"a": ("b",), "b": ("a", "c"), "c": ()},
            gaps={"a": (), "b": (gap,), "c": (), "GET /1": (own,), "GET /2": (), "GET /3": (gap,), "GET /4": ()},
        ),
        components({"a": ("b",), "b": ("a", "c"), "c": ()}),
    )

    assert found == {
        ("file-missing", "Gone.yaml", "is gone"): [["Gone.yaml#/x"], 3],
        ("pointer-dangling", "api.yaml", "is nothing"): [["#/y"], 1],
    }
