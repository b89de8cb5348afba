"""What exists now: the changes since the beginning, laid over the initial state.

A new store is empty and looks through to the seeds, so a twin is set back by throwing its store away. Bodies are
shared with the seeds and never changed in place. Knows addresses and items; nothing of requests, jobs or sessions.
"""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any, Literal

from compiler.ir.model import Resource
from compiler.twin.blueprint import Blueprint
from compiler.twin.requests.routes import Match, parameters_in, split
from compiler.twin.seeds import SeedPlace, Seeds, address_is_member, collection_template, member_place, place_in
from compiler.twin.values.pointers import MISSING

Json = Any


@dataclass(frozen=True, slots=True)
class Overlay:
    """Everything that differs from the beginning: bodies by address, ids by collection, addresses that are gone."""

    bodies: Mapping[str, Json]
    ids: Mapping[str, tuple[str, ...]]
    gone: frozenset[str]


class Store:
    """Items by concrete address, ids by the concrete address of their collection.

    `is_stingy`: lists that come in pages give a third at a time, whatever is asked for, in order or the newest first.
    """

    def __init__(self, blueprint: Blueprint, seeds: Seeds) -> None:
        self._blueprint = blueprint
        self._seeds = seeds
        self._bodies: dict[str, Json] = {}
        self._ids: dict[str, tuple[str, ...]] = {}
        self._gone: set[str] = set()
        self._given: dict[str, tuple[str, ...]] = {}
        self._versions: dict[str, int] = {}
        self.is_stingy: Literal["", "in order", "newest first"] = ""

    def take_over(self, other: "Store") -> None:
        """Everything as it is in `other` now; from here on each goes its own way."""
        self._bodies, self._ids, self._gone = dict(other._bodies), dict(other._ids), set(other._gone)
        self._given, self._versions = dict(other._given), dict(other._versions)

    def overlay(self) -> Overlay:
        """Everything as it is now, to be put back."""
        return Overlay(dict(self._bodies), dict(self._ids), frozenset(self._gone))

    def differences(self, without: Set[str]) -> Overlay:
        """What is otherwise than in the beginning, but for the addresses `without`."""
        was = self._seeds.known_body
        bodies = {a: body for a, body in self._bodies.items() if a not in without and body != was(a)}
        ids = {a: known for a, known in self._ids.items() if a not in without}
        return Overlay(bodies, ids, frozenset(self._gone - without))

    def put_back(self, overlay: Overlay, kept: Set[str]) -> None:
        """Everything as it was, but for the addresses `kept`."""
        now = self.overlay()
        self._bodies = {**overlay.bodies, **{a: body for a, body in now.bodies.items() if a in kept}}
        self._ids = {**overlay.ids, **{a: ids for a, ids in now.ids.items() if a in kept}}
        self._gone = {*(overlay.gone - kept), *(now.gone & kept)}

    def put_at(self, address: str, body: Json) -> None:
        """Another body at an address that has one."""
        self._bodies[address] = body
        self.touch(address)

    def was(self, overlay: Overlay, address: str) -> Json:
        """What stood at the address then, MISSING where nothing did."""
        return overlay.bodies.get(address, self._seeds.known_body(address))

    def ids(self, resource: Resource, collection: str) -> tuple[str, ...]:
        """The ids in one collection now, oldest first."""
        known = self._ids.get(collection)
        if known is not None:
            return known
        shadowed = self._seeds.shadowed(resource)
        if shadowed is None:
            return self._seeds.ids(resource, collection)
        return tuple(dict.fromkeys(i for c in self.collections(shadowed) for i in self.ids(shadowed, c)))

    def new_id(self, resource: Resource, collection: str) -> str:
        """An id that nothing in the collection has, had, or has been promised."""
        known = (*self._seeds.ids(resource, collection), *self.ids(resource, collection))
        made = self._seeds.next_id(resource, collection, (*dict.fromkeys(known), *self._given.get(collection, ())))
        self._given[collection] = (*self._given.get(collection, ()), made)
        return made

    def exists(self, place: SeedPlace) -> bool:
        """Whether the item is there, given that what its path leads through is."""
        if not place.collection:
            return place.address not in self._gone
        return place.id in self.ids(place.resource, place.collection)

    def item(self, place: SeedPlace) -> Json:
        """The item as it is stored."""
        body = self._bodies.get(place.address, MISSING)
        return self._seeds.body(place) if body is MISSING else body

    def shown(self, place: SeedPlace) -> Json:
        """The item with the children that it shows inside."""
        body = self.item(place)
        for embedded in self._blueprint.embedded(place.resource):
            if isinstance(body, dict) and embedded.member in body:
                body = {**body, embedded.member: self._children(place, embedded.child, embedded.foreign_key)}
        return body

    def add(self, place: SeedPlace, body: Json) -> None:
        if place.collection:
            self._ids[place.collection] = (*self.ids(place.resource, place.collection), place.id)
            self.touch(place.collection)
        self._gone.discard(place.address)
        self.put(place, body)

    def put(self, place: SeedPlace, body: Json) -> None:
        self._bodies[place.address] = body
        self.touch(place.address)

    def remove(self, place: SeedPlace) -> None:
        """The item is gone, and with it the children that it showed inside."""
        for embedded in self._blueprint.embedded(place.resource):
            for child in list(self.places(embedded.child)):
                if self._names(child, embedded.foreign_key, place.id):
                    self.remove(child)
        if place.collection:
            left = tuple(i for i in self.ids(place.resource, place.collection) if i != place.id)
            self._ids[place.collection] = left
            self.touch(place.collection)
        self._gone.add(place.address)
        self._bodies.pop(place.address, None)
        self.touch(place.address)

    def version(self, address: str) -> str:
        """The entity tag of what is at `address` (RFC 9110, 8.8.3): another one after every change."""
        return f'"{self._versions.get(address, 0) + 1}"'

    def touch(self, address: str) -> None:
        self._versions[address] = self._versions.get(address, 0) + 1

    def places(self, resource: Resource) -> Iterator[SeedPlace]:
        """Every item of a resource, wherever its collections are."""
        if not address_is_member(resource):
            for address in self._addresses(resource.item):
                place = SeedPlace(resource, address, "", "")
                if self.exists(place):
                    yield place
            return
        for collection in self.collections(resource):
            for item_id in self.ids(resource, collection):
                yield member_place(resource, collection, item_id)

    def find(self, resource: Resource, item_id: str) -> SeedPlace | None:
        """The item with this id, in whichever collection of its resource."""
        if not parameters_in(resource.collection) and resource.collection:
            place = member_place(resource, resource.collection, item_id)
            return place if self.exists(place) else None
        return next((place for place in self.places(resource) if place.id == item_id), None)

    def places_on(self, path: str, match: Match) -> tuple[SeedPlace, ...]:
        """All items that a concrete path leads through, outermost first."""
        found = self._blueprint.ancestors(match.template)
        return tuple(place_in(resource, path, length, match.values) for resource, length in found)

    def collections(self, resource: Resource) -> Iterator[str]:
        """The concrete addresses of all collections of a resource."""
        yield from self._addresses(collection_template(resource))

    def _addresses(self, template: str) -> Iterator[str]:
        """The concrete forms of a template, one for every item above; what is nobody's id has a made-up value."""
        if not parameters_in(template):
            yield template
            return
        parts = split(template)
        found = self._blueprint.ancestors(template)
        above = [(r, length) for r, length in found if length < len(parts) or address_is_member(r)]
        behind = parts[above[-1][1] :] if above else parts
        rest = "".join(f"/{part}" for part in behind)
        rest = self._blueprint.with_made_up(template, rest)
        if not above:
            yield rest
            return
        for place in self.places(above[-1][0]):
            yield place.address + rest

    def _children(self, place: SeedPlace, child: Resource, foreign_key: str) -> list[Json]:
        return [self.item(each) for each in self.places(child) if self._names(each, foreign_key, place.id)]

    def _names(self, child: SeedPlace, foreign_key: str, item_id: str) -> bool:
        body = self.item(child)
        return isinstance(body, dict) and body.get(foreign_key) == item_id
