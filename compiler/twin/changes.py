"""What a create, an update, a replacement or a deletion does to the items, worked out before it is done.

Each function returns what will happen as a value with an `effect` to be run at once or when a job is over. Members
that are write-only or secret are taken and never shown. Merging follows RFC 7396, except that a null stays where the
schema allows one.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from compiler.ir.model import Resource, Schema
from compiler.twin.blueprint import Behaviour, Blueprint
from compiler.twin.requests.asked import MatchedRequest
from compiler.twin.requests.checks import item_part
from compiler.twin.requests.messages import RefusalError
from compiler.twin.seeds import SeedPlace, Seeds, member_place
from compiler.twin.store import Store
from compiler.twin.values.pointers import MISSING, get, put, without

Json = Any


@dataclass(frozen=True, slots=True)
class ItemChange:
    """`item`: as it will be, for replies that show it."""

    place: SeedPlace
    item: Json
    effect: Callable[[], None]


class Changes:
    def __init__(self, blueprint: Blueprint, seeds: Seeds, store: Store) -> None:
        self._blueprint = blueprint
        self._seeds = seeds
        self._store = store

    def create(self, behaviour: Behaviour, collection: str, body: Json, source: SeedPlace | None) -> ItemChange:
        """A new item in the collection at this address, on the model of `source` where it is a copy."""
        resource = _of(behaviour)
        taken = self._store.ids(resource, collection)
        part = item_part(behaviour, body)
        chosen = part.get(resource.id_field) if isinstance(part, dict) else None
        item_id = str(chosen) if isinstance(chosen, (str, int)) and chosen != "" else ""
        if item_id and item_id in taken:
            raise RefusalError(409, f"there is a {resource.name or resource.noun} {item_id!r} already")
        place = member_place(resource, collection, item_id or self._store.new_id(resource, collection))
        item, children = self._made(place, part, source, len(taken) + 1)
        if isinstance(item, dict) and isinstance(part, dict):
            item |= self._given_once(behaviour, resource, part)

        def happen() -> None:
            self._store.add(place, item)
            for child, child_body in children:
                self._store.add(child, child_body)

        return ItemChange(place, item, happen)

    def _given_once(self, behaviour: Behaviour, resource: Resource, part: dict[str, Json]) -> dict[str, Json]:
        """What the thing shows as read-only and its creation takes all the same: given once, and fixed from then on."""
        body = behaviour.operation.body
        validation = self._blueprint.validation
        shown = validation.described(self._blueprint.item_schema(resource))
        taken = validation.described(body.schema) if body and not behaviour.body_at else {}
        return {
            name: value
            for name, value in part.items()
            if name in shown and name in taken and self._is_fixed(shown[name]) and not self._is_fixed(taken[name])
        }

    def put_there(self, place: SeedPlace, given: Json) -> ItemChange:
        """Something stands here from now on, under its own id: what exists elsewhere, or is made with what is given."""
        item = {**self._seeds.fresh(place, 1), **(given if isinstance(given, dict) else {})}
        return ItemChange(place, item, lambda: self._store.add(place, item))

    def created_there(self, behaviour: Behaviour, place: SeedPlace, body: Json) -> ItemChange:
        """The only one of its kind, anew. Raises RefusalError: there is one, and it could have been deleted before."""
        if place.resource.delete and self._store.exists(place):
            raise RefusalError(409, f"there is a {place.resource.name or place.resource.noun} already")
        item, _ = self._made(place, item_part(behaviour, body), None, 1)
        return ItemChange(place, item, lambda: self._store.add(place, item))

    def belonging(self, behaviour: Behaviour, collection: str, body: Json, *, is_in: bool) -> ItemChange:
        """The things that the body names belong to the list from now on, as they are where they live, or no longer do.

        Raises RefusalError: there is no such thing.
        """
        listed = _of(behaviour)
        one = self._blueprint.memberships[behaviour.operation.key]
        home = one.home
        parts = [part for part in (body if isinstance(body, list) else [body]) if isinstance(part, dict)]
        named = one.member or listed.id_field
        places = [member_place(listed, collection, str(part.get(named, ""))) for part in parts]
        known = set(self._store.ids(listed, collection))
        there = {str(get(self._store.item(p), f"/{listed.id_field}")): p for p in self._store.places(home)}
        lives = {place.id: there.get(place.id) for place in places}
        missing = next((p.id for p in places if (lives[p.id] is None if is_in else p.id not in known)), None)
        if missing is not None or not places:
            raise RefusalError(404, f"there is no {home.name or home.noun} {missing!r}")

        def happen() -> None:
            for place in places:
                lives_at = lives[place.id]
                if not is_in:
                    self._store.remove(place)
                elif lives_at is not None and place.id not in known:
                    self._store.add(place, self._store.item(lives_at))

        return ItemChange(places[0], parts[0], happen)

    def update(self, behaviour: Behaviour, place: SeedPlace, body: Json) -> ItemChange:
        """The item with the members that were sent; nested objects are merged, arrays replaced."""
        schema = self._blueprint.item_schema(place.resource)
        part = self._kept(schema, item_part(behaviour, body))
        if isinstance(self._store.item(place), dict) and not isinstance(part, dict):
            part = {}  # nobody described what this is: it is taken, and changes nothing
        merged = self._merged(schema, self._store.item(place), part)
        return ItemChange(
            place, merged, lambda: self._store.put(place, self._merged(schema, self._store.item(place), part))
        )

    def replace(self, behaviour: Behaviour, place: SeedPlace, body: Json) -> ItemChange:
        """The item as it was sent; members that a caller cannot set keep their value."""
        schema = self._blueprint.item_schema(place.resource)
        part = self._kept(schema, item_part(behaviour, body))
        now = self._store.item(place)
        if not isinstance(now, dict) or not isinstance(part, dict):
            return ItemChange(place, part, lambda: self._store.put(place, part))
        members = self._blueprint.validation.described(schema)
        required = self._blueprint.schemas.required(schema)
        fixed = {n: v for n, v in now.items() if n not in members or self._is_fixed(members[n]) or n in required}
        whole = self._seeds.identified(place, {**fixed, **part})
        return ItemChange(place, whole, lambda: self._store.put(place, whole))

    def left_behind(self, asked: MatchedRequest) -> ItemChange | None:
        """What an action leaves in the thing that it is done to, where that is one that there is."""
        key, leaves = asked.operation.key, asked.operation.leaves
        place = next((each for each in reversed(asked.above) if key in each.resource.actions), None)
        if place is None or leaves is None:
            return None
        body = asked.request.body
        body = body[0] if isinstance(body, list) and body else body
        queried = {name: self._typed(place, at, dict(asked.request.query).get(name)) for name, at in leaves.shown}
        sent = [(at, get(body, name) if name.startswith("/") else queried[name]) for name, at in leaves.shown]
        empty = {at for at, value in leaves.held if leaves.is_plain and value == ""}
        values = [(at, value) for at, value in (*sent, *leaves.held) if value is not MISSING and at not in empty]
        listed = [(at, get(body, name), (name, at) in leaves.put_in) for name, at in leaves.lists]

        def happen() -> None:
            item = self._store.item(place)
            for at, value in values:
                item = put(item, at, value)
            for at in empty:
                item = without(item, at)
            for at, value, is_in in listed:
                item = (
                    put(item, at, self._with_or_without(get(item, at), value, is_in)) if value is not MISSING else item
                )
            self._store.put(place, item)

        return ItemChange(place, self._store.item(place), happen)

    @staticmethod
    def _with_or_without(there: Json, value: Json, is_in: bool) -> Json:
        """A list in which the thing is, or is not; one of objects has it by its id."""
        known = there if isinstance(there, list) else []
        left = [each for each in known if value not in (each, each.get("id") if isinstance(each, dict) else None)]
        has_objects = any(isinstance(each, dict) for each in known)
        return [*left, {"id": value} if has_objects else value] if is_in else left

    def _typed(self, place: SeedPlace, at: str, text: str | None) -> Json:
        """What a query says as the thing shows it there: a number, a truth value, else the text."""
        if text is None:
            return MISSING
        schema = self._blueprint.item_schema(place.resource)
        kind = self._blueprint.schemas.kind(self._blueprint.schemas.at(schema, at))
        try:
            return json.loads(text) if kind in ("integer", "number", "boolean") else text
        except ValueError:
            return MISSING

    def delete(self, place: SeedPlace) -> ItemChange:
        return ItemChange(place, self._store.item(place), lambda: self._store.remove(place))

    def _made(
        self, place: SeedPlace, part: Json, source: SeedPlace | None, number: int
    ) -> tuple[Json, list[tuple[SeedPlace, Json]]]:
        schema = self._blueprint.item_schema(place.resource)
        part = part if isinstance(part, dict) else {}  # a file, or something that nobody described
        fresh = self._seeds.fresh(place, number) if source is None else self._store.shown(source)
        if not isinstance(fresh, dict):
            return fresh, []
        children: list[tuple[SeedPlace, Json]] = []
        kept = dict(self._kept(schema, part))
        for embedded in self._blueprint.embedded(place.resource):
            inside = kept.pop(embedded.member, None) or (fresh.get(embedded.member) if source is not None else None)
            named = [{**inner, embedded.foreign_key: place.id} for inner in inside or ()]
            children += [self._child(embedded.child, inner) for inner in named]
        return self._seeds.identified(place, self._merged(schema, fresh, kept)), children

    def _child(self, resource: Resource, part: dict[str, Json]) -> tuple[SeedPlace, Json]:
        """An item that was sent inside another one."""
        number = len(self._store.ids(resource, resource.collection)) + 1
        place = member_place(resource, resource.collection, self._store.new_id(resource, resource.collection))
        return place, self._made(place, part, None, number)[0]

    def _kept(self, schema: Schema, part: Json) -> Json:
        """What of the sent members the device shows again: no secrets, nothing read-only, nothing undescribed."""
        if not isinstance(part, dict):
            return part
        members = self._blueprint.validation.described(schema)
        secrets = self._blueprint.profile.secrets
        return {
            name: value
            for name, value in part.items()
            if not members
            or (
                name in members
                and name not in secrets
                and not self._is_fixed(members[name])
                and not self._blueprint.validation.is_write_only(members[name])
            )
        }

    def _is_fixed(self, member: Schema) -> bool:
        return self._blueprint.validation.is_read_only(member)

    def _merged(self, schema: Schema, now: Json, part: Json) -> Json:
        if not isinstance(part, dict) or not isinstance(now, dict):
            return part
        members = self._blueprint.validation.described(schema)
        merged = dict(now)
        for name, value in part.items():
            if value is None and not self._takes_null(members.get(name)):
                merged.pop(name, None)
            elif isinstance(value, dict):
                merged[name] = self._merged(members.get(name, {}), merged.get(name, {}), value)
            else:
                merged[name] = value
        return merged

    def _takes_null(self, member: Schema | None) -> bool:
        kinds = self._blueprint.schemas.resolve(member).get("type", ())
        return "null" in kinds if isinstance(kinds, (list, tuple)) else kinds == "null"


def _of(behaviour: Behaviour) -> Resource:
    assert behaviour.resource is not None, "changes are made to resources alone"
    return behaviour.resource
