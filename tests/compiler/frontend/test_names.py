"""Names of shared schemas: unique, of allowed characters, and independent of the order in which places are met."""

import re

from hypothesis import given
from hypothesis import strategies as st

from compiler.frontend.schemas.names import name_schemas

TOKENS = st.text(max_size=8) | st.sampled_from(["components", "schemas", "Thing", "Thing ", "properties", "a/b", "ä"])
FILES = st.sampled_from(["api.yaml", "Thing.yaml", "Thing.v1_2.yaml", "a/Thing.yaml", "b/Thing.yaml", "«».json"])
PLACES = st.lists(st.tuples(FILES, st.lists(TOKENS, max_size=4).map(tuple)), unique=True, max_size=20)


@given(places=PLACES)
def test_every_place_has_a_name_of_its_own_with_allowed_characters(places: list[tuple[str, tuple[str, ...]]]) -> None:
    names = name_schemas([(place, place) for place in places], "api.yaml")

    assert sorted(names) == sorted(places)
    assert len(set(names.values())) == len(places)
    assert all(re.fullmatch(r"[A-Za-z0-9._-]{1,200}", name) for name in names.values())


@given(places=PLACES)
def test_the_order_of_places_changes_no_name(places: list[tuple[str, tuple[str, ...]]]) -> None:
    forwards = name_schemas([(place, place) for place in places], "api.yaml")

    assert name_schemas([(place, place) for place in reversed(places)], "api.yaml") == forwards


def test_a_name_too_long_is_cut_and_stays_its_own() -> None:
    places = [("api.yaml", ("components", "schemas", "x" * 500 + ending)) for ending in "ab"]

    first, second = name_schemas([(place, place) for place in places], "api.yaml").values()
    assert first != second
    assert len(first) == len(second) == 120
