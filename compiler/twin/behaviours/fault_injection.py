"""What happens to a device without the client's doing: a second thing of the same name, a thing in the wrong state.

Arranged by the proof of failure paths before a run, straight in the store; no request reaches it. What happens
between two requests (a session that expires, somebody else's change) are the switches of `machine.Twin`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from compiler.ir.model import Resource
from compiler.twin import offers
from compiler.twin.blueprint import Blueprint
from compiler.twin.requests.routes import canonical
from compiler.twin.seeds import SeedPlace, Seeds, listed_in, member_place
from compiler.twin.store import Store
from compiler.twin.values.pointers import put
from compiler.twin.values.samples import allowed_states
from workflow.json.pointers import escape
from workflow.profiles.profile import StateRule

Json = Any
# A member that no description has: whoever compares what they read finds it.
ALTERED = "alteredMeanwhile"


class FaultInjection:
    def __init__(self, blueprint: Blueprint, seeds: Seeds, store: Store) -> None:
        self._blueprint = blueprint
        self._seeds = seeds
        self._store = store

    def add_namesake(self, listing: str, item_id: str, member: str = "") -> bool:
        """Another item beside the one with this id, equal in all but its id; False where there is no such item.

        `listing`: the path of the list that shows it; `member`: where a listed item shows it inside.
        """
        place = self._shown_by(listing, item_id, member)
        if place is None or not isinstance(self._store.item(place), dict):
            return False
        made = member_place(place.resource, place.collection, self._store.new_id(place.resource, place.collection))
        self._store.add(made, self._seeds.identified(made, self._store.item(place)))
        return True

    def give_little_a_page(self) -> None:
        """Lists that come in pages take three of them from here on, the newest items first."""
        self._store.is_stingy = "newest first"

    def misplace_listed(self, listing: str, item_id: str, operation: str, when: Mapping[str, Json]) -> bool:
        """See `misplace`, for the item with this id in a list."""
        place = self._shown_by(listing, item_id, "")
        return place is not None and self._misplaced(place, operation, when)

    def misplace(self, address: str, operation: str, when: Mapping[str, Json]) -> bool:
        """Puts the item into a state in which `operation` may not be called with the body members `when`.

        False where every state that is known will do, or the operation asks for none of this item.
        """
        match = self._blueprint.routes.match(address)
        places = self._store.places_on(canonical(address), match) if match is not None else ()
        return bool(places) and self._misplaced(places[-1], operation, when)

    def alter(self, address: str) -> bool:
        """Somebody else changes the item at `address`, or adds another one to the list there; False where none is."""
        match = self._blueprint.routes.match(address)
        if match is None:
            return False
        listed = self._blueprint.collection_at(match.template)
        if listed is not None:
            collection = listed_in(listed, canonical(address))
            places = [place for place in self._store.places(listed) if place.collection == collection]
            return bool(places) and self.add_namesake(address, places[0].id)
        found = self._store.places_on(canonical(address), match)
        item = self._store.item(found[-1]) if found else None
        if not isinstance(item, dict):
            return False
        self._store.put(found[-1], {**item, ALTERED: "by somebody else"})
        self._store.touch(canonical(address))
        return True

    def move_action(self, address: str, operation: str) -> bool:
        """The item at `address` offers the action elsewhere, as other firmware does; False where it says nothing."""
        return self._reoffered(address, operation, is_moved=True)

    def narrow_action(self, address: str, operation: str) -> bool:
        """The item at `address` allows no value of the action that is described; False where it says nothing."""
        return self._reoffered(address, operation, is_moved=False)

    def narrow_values(self, address: str, asked: Json, beside: str) -> bool:
        """The item at `address` lists, beside each member of the body `asked` that is a text, other values than this.

        False where no text is asked for.
        """
        match = self._blueprint.routes.match(address)
        places = self._store.places_on(canonical(address), match) if match is not None else ()
        found = list(_beside_texts(asked, beside)) if places else []
        for at in found:
            self._store.put(places[-1], put(self._store.item(places[-1]), at, ["another value"]))
        return bool(found)

    def _reoffered(self, address: str, key: str, *, is_moved: bool) -> bool:
        match = self._blueprint.routes.match(address)
        places = self._store.places_on(canonical(address), match) if match is not None else ()
        operation = self._blueprint.operations[key]
        pointer = offers.place_in(self._blueprint, operation, places[-1].resource) if places else ""
        if not pointer:
            return False
        changed: dict[str, Json] = {pointer: f"{self._blueprint.base_path}{address}/moved"}
        if not is_moved:
            changed = {at: ["another value"] for at, _ in offers.allowed_in(self._blueprint, operation)}
        for at, value in changed.items():
            self._store.put(places[-1], put(self._store.item(places[-1]), at, value))
        return bool(changed)

    def _misplaced(self, place: SeedPlace, operation: str, when: Mapping[str, Json]) -> bool:
        for rule in self._blueprint.state_rules(operation):
            allowed = allowed_states(rule, operation, when) if rule.resource == place.resource.noun else ()
            wrong = next((state for state in self._states(rule, place.resource) if state not in allowed), None)
            if allowed and wrong is not None:
                self._store.put(place, put(self._store.item(place), rule.field, wrong))
                return True
        return False

    def _states(self, rule: StateRule, resource: Resource) -> Iterator[str]:
        """Every state that is known: those of the rule, then those of the schema."""
        for transition in rule.transitions:
            yield from (transition.to, *transition.from_states)
        schema = self._blueprint.schemas.at(self._blueprint.item_schema(resource), rule.field)
        yield from map(str, self._blueprint.schemas.values(schema))

    def _shown_by(self, listing: str, item_id: str, member: str) -> SeedPlace | None:
        match = self._blueprint.routes.match(listing)
        resource = self._blueprint.collection_at(match.template) if match is not None else None
        if resource is None:
            return None
        if member:
            parts = (e.child for e in self._blueprint.embedded(resource) if e.member == member)
            return next((place for child in parts if (place := self._store.find(child, item_id))), None)
        place = member_place(resource, listed_in(resource, canonical(listing)), item_id)
        return place if self._store.exists(place) else None


def _beside_texts(asked: Json, beside: str, at: str = "") -> Iterator[str]:
    for name, value in asked.items() if isinstance(asked, dict) else ():
        if isinstance(value, str):
            yield f"{at}/{escape(beside.replace('{member}', name))}"
        yield from _beside_texts(value, beside, f"{at}/{escape(name)}")
