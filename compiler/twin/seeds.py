"""The initial state: what exists before anyone changes anything, worked out when it is first looked at.

From the description's examples where there are any, else from the schemas: two items a collection, ids as their
format demands, distinct natural keys, foreign keys that point at items that exist. The same whatever is asked first.
Never changed after it was made: `store.py` lays changes over it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote
from uuid import uuid5

from compiler.ir.model import Operation, Resource, Schema
from compiler.passes.names.paths import path_of
from compiler.twin.blueprint import Blueprint
from compiler.twin.offers import offering
from compiler.twin.requests.routes import encode, fill, parameters_in, shape, split
from compiler.twin.requests.styles import segment_text
from compiler.twin.values.examples import Examples
from compiler.twin.values.pointers import MISSING, get, put, without
from compiler.twin.values.sampler import NAMESPACE, Want
from compiler.twin.values.validation import SchemaView

Json = Any
_OTHERS = 101  # the number of the first thing in a list into which others are put
_ONE_PARAMETER = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, slots=True)
class SeedPlace:
    """One item: its concrete address, the collection it stands in ("" for a document of its own), and its id."""

    resource: Resource
    address: str
    collection: str
    id: str


class Seeds:
    """The initial items of every resource, keyed by the concrete address of their collection."""

    def __init__(self, blueprint: Blueprint) -> None:
        self._blueprint = blueprint
        self._ids: dict[str, tuple[str, ...]] = {}
        self._bodies: dict[str, Json] = {}
        self._documents: dict[str, Json] = {}
        self._shadows: dict[str, Resource | None] = {}
        self.examples = Examples(blueprint)

    def ids(self, resource: Resource, collection: str) -> tuple[str, ...]:
        """The ids in one collection, in order. Two, where nothing says more: with one, taking the first looks right."""
        known = self._ids.get(collection)
        if known is None:
            self._ids[collection] = ()  # a resource named by its own shadow must not come round again
            known = self._ids[collection] = self._first_ids(resource, collection)
        return known

    def body(self, place: SeedPlace) -> Json:
        """The item as it is at the beginning."""
        known = self._bodies.get(place.address, MISSING)
        if known is MISSING:
            known = self._bodies[place.address] = self._first_body(place)
        return known

    def known_body(self, address: str) -> Json:
        """The item at this address as it is at the beginning, MISSING where nobody looked at one there."""
        return self._bodies.get(address, MISSING)

    def document(self, operation: Operation, address: str) -> Json:
        """What a read that shows no item answers: its example, else a value of the reply's schema."""
        key = f"{operation.method} {address}"
        if key not in self._documents:
            reply = operation.success
            value = reply.example if reply else None
            if value is None and reply and reply.schema is not None:
                value = self._blueprint.sampler.fitting(reply.schema, Want(SchemaView.RESPONSE), "value")
            self._documents[key] = value
        return self._documents[key]

    def shadowed(self, resource: Resource) -> Resource | None:
        """The other resource whose ids this one uses as its own (statistics of a machine, say).

        Always one that creates items or stands earlier in the API, so that no two shadow each other.
        """
        if resource.item not in self._shadows:
            self._shadows[resource.item] = self._find_shadowed(resource)
        return self._shadows[resource.item]

    def _takes_others(self, resource: Resource) -> bool:
        """Whether things of another collection are put into this one: those that are there first are other ones."""
        return any(one.listed is resource for one in self._blueprint.memberships.values() if one.bodies)

    def _find_shadowed(self, resource: Resource) -> Resource | None:
        is_made = bool(resource.create) and bool(resource.list or resource.read)  # else it belongs there from then on
        if is_made or not resource.id_parameter or self.examples.ids(resource):
            return None
        if self._takes_others(resource):
            return None
        if not resource.list:
            return self._blueprint.listed_elsewhere(resource)
        order = self._blueprint.api.resources
        for name in (resource.id_field, resource.id_parameter):
            for owner in self._blueprint.named_by(name) if name else ():
                is_before = bool(owner.create) or order.index(owner) < order.index(resource)
                if owner is not resource and owner.list and not parameters_in(owner.collection) and is_before:
                    return owner
        return None

    def shaped(self, place: SeedPlace, number: int) -> Json:
        """An item as the description shows one: its example moved to `place`, else a full value of its schema."""
        example = self.examples.item(place.resource)
        if isinstance(example, dict):
            adapted = offering(self._blueprint, place.resource, place.address, self._adapted(place, example))
            return self._showing(place, adapted)
        if isinstance(example, str):
            return place.id
        schema = self._blueprint.item_schema(place.resource)
        made = self._blueprint.sampler.fitting(schema, Want(SchemaView.RESPONSE, number), place.resource.noun)
        return self._showing(place, self.dressed(place, made, number))

    def next_id(self, resource: Resource, collection: str, taken: tuple[str, ...]) -> str:
        """An id of the kind that the collection has, not `taken`."""
        number = len(taken) + 1
        made = self.new_id(resource, collection, number) if not taken else _sibling(taken[-1])
        while made in taken:
            number += 1
            made = _sibling(made)
        return made

    def fresh(self, place: SeedPlace, number: int) -> Json:
        """A new item with nothing but what it must have: required members, lists still empty, declared defaults."""
        blueprint = self._blueprint
        schema = blueprint.item_schema(place.resource)
        body = blueprint.sampler.value(schema, Want(SchemaView.RESPONSE, number, is_full=False), place.resource.noun)
        if not isinstance(body, dict):
            return place.id if isinstance(body, str) else body
        for name, member in blueprint.schemas.members(schema).items():
            found = blueprint.schemas.resolve(member)
            if name not in body and found.get("default") is not None:
                body[name] = found["default"]
            elif name not in body and blueprint.schemas.kind(member) == "array" and not found.get("minItems"):
                body[name] = []
        return self.dressed(place, body, number, is_new=True)

    def dressed(self, place: SeedPlace, body: Json, number: int, *, is_new: bool = False) -> Json:
        """`body` with the identity, state, names and references that the item at `place` has."""
        if not isinstance(body, dict):
            return place.id if isinstance(body, str) else body
        members = self._blueprint.schemas.members(self._blueprint.item_schema(place.resource))
        body = self._referring(body, place, number, is_new=is_new)
        body = offering(self._blueprint, place.resource, place.address, self.identified(place, body, members))
        for name in place.resource.natural_keys if not is_new else ():
            plain = f"{_slug(place.resource.name or place.resource.noun)}-{number}"
            if name in members and name != place.resource.id_field and self._fits(members[name], plain):
                body[name] = plain
        body = self._named_inside(place.resource, body, number, is_new=is_new)
        for rule in self._blueprint.profile.states:
            if rule.resource == place.resource.noun and rule.initial is not None:
                body = put(body, rule.field, rule.initial)
        return body

    def _named_inside(self, resource: Resource, body: dict[str, Json], number: int, *, is_new: bool) -> dict[str, Json]:
        """With a name of its own where a member holds it; a new thing has the one that it is given."""
        at = resource.inner_name
        holder = get(body, at.rpartition("/")[0]) if at and not is_new else MISSING
        plain = f"{_slug(resource.name or resource.noun)}-{number}"
        schema = self._blueprint.schemas.at(self._blueprint.item_schema(resource), at) if at else None
        fits = isinstance(holder, dict) and schema is not None and self._fits(schema, plain)
        named: dict[str, Json] = put(body, at, plain) if fits else body
        return named

    def identified(
        self, place: SeedPlace, body: dict[str, Json], members: Mapping[str, Schema] | None = None
    ) -> dict[str, Json]:
        """A copy of `body` with the id and address of `place` in the members that hold them."""
        profile = self._blueprint.profile
        if members is None:
            members = self._blueprint.schemas.members(self._blueprint.item_schema(place.resource))
        copy = dict(body)
        reference = profile.envelope.reference_field or place.resource.references
        if reference and (reference in members or reference in copy):
            copy[reference] = self._blueprint.base_path + place.address
        # Where no list shows the id (or it shows other things), the thing itself may under its path's own name for it.
        called = place.resource.id_parameter if place.resource.id_parameter in members else ""
        own = place.resource.id_field or called
        for name in dict.fromkeys((own, *profile.identity.id_fields)):
            if name and name != reference and place.id and (name in copy or name == own):
                copy[name] = self._typed(members.get(name), place.id)
        return copy

    def new_id(self, resource: Resource, collection: str, number: int) -> str:
        """The id of the `number`-th item of a collection: of the kind that the id member's schema asks for."""
        structured = self._blueprint.structured_id(resource)
        if structured is not None:
            return segment_text(structured, self._blueprint.example_of(structured, number))
        schema = self._id_schema(resource)
        name = resource.id_field or resource.id_parameter or "id"
        kind, form = self._blueprint.schemas.kind(schema), self._blueprint.schemas.resolve(schema).get("format")
        if "integer" in (kind, self._blueprint.parameter_kind(resource)) or kind == "number":
            return str(number)
        if form == "uuid" or "uuid" in name.lower() or "uuid" in resource.id_parameter.lower():
            return str(uuid5(NAMESPACE, f"{collection}/{number}"))
        plain = f"{_slug(resource.noun)}-{number}"
        if schema is None or self._fits(schema, plain):
            return plain
        return str(self._blueprint.sampler.value(schema, Want(SchemaView.RESPONSE, number), name))

    def _mentioned(self, resource: Resource) -> tuple[str, ...]:
        """Further ids that examples refer to, where the collection may have further members."""
        is_one = resource.single or resource.collection in self._blueprint.profile.sole_members
        return () if is_one or parameters_in(resource.collection) else self.examples.ids_mentioned(resource)

    def _first_ids(self, resource: Resource, collection: str) -> tuple[str, ...]:
        above = self._same_parameter_above(resource, collection)
        if above:
            return (above,)
        listed = self.examples.ids(resource)
        if listed:
            return tuple(dict.fromkeys((*listed, *self._mentioned(resource))))
        if resource.single:
            return (resource.single,)
        shown_above = self.examples.ids_shown_above(resource)
        if shown_above:
            return shown_above
        is_sole = resource.collection in self._blueprint.profile.sole_members
        shown = self.examples.id_of(resource, self.examples.item(resource))
        first = _OTHERS if self._takes_others(resource) else 1
        made = (
            (shown, _sibling(shown)) if shown else tuple(self.new_id(resource, collection, first + n) for n in (0, 1))
        )
        if len({*made}) == 1:  # the description shows one id, and nothing else makes one
            made = (made[0], _another(made[0]))
        return made[:1] if is_sole else made

    def _same_parameter_above(self, resource: Resource, collection: str) -> str:
        """The value of an earlier parameter of the item's path with the same name: they are one thing's id."""
        names = parameters_in(item_template(resource))
        parts = split(item_template(resource).rpartition("/")[0])
        if not names or names[-1] not in names[:-1]:
            return ""
        return unquote(split(collection)[parts.index("{" + names[-1] + "}")])

    def _showing(self, place: SeedPlace, body: Json) -> Json:
        """With the addresses of the children that are found through this item and nowhere else."""
        for shown in self._blueprint.shown_in(place.resource) if isinstance(body, dict) else ():
            if shown.at not in self.examples.filled(place.resource):
                collection = place.address + shown.rest
                places = [member_place(shown.child, collection, i) for i in self.ids(shown.child, collection)]
                held = [{shown.reference: self._blueprint.base_path + child.address} for child in places]
                body = put(body, shown.at, held)
        return body

    def _listed_body(self, place: SeedPlace, number: int) -> Json:
        """The element of the list's example that shows this item; by its position where elements say no id."""
        resource = place.resource
        elements = self.examples.elements(resource) if not resource.references else ()
        for element in elements:
            if isinstance(element, dict) and self.examples.id_of(resource, element) == place.id:
                return self._told_apart(resource, self.identified(place, element), element)
        nameless = [e for e in elements if isinstance(e, dict) and not self.examples.id_of(resource, e)]
        return nameless[(number - 1) % len(nameless)] if nameless else MISSING

    def _told_apart(self, resource: Resource, body: dict[str, Json], element: Json) -> dict[str, Json]:
        """The item with other names than the items before it: examples are copied, and people find things by names."""
        elements = [each for each in self.examples.elements(resource) if isinstance(each, dict)]
        before = elements[: next((n for n, each in enumerate(elements) if each is element), 0)]
        for name in resource.natural_keys:
            same = sum(each.get(name) == body.get(name) for each in before)
            if same and name != resource.id_field and isinstance(body.get(name), str):
                body = {**body, name: f"{body[name]}-{same + 1}"}
        inner = get(body, resource.inner_name) if resource.inner_name else MISSING
        same = sum(get(each, resource.inner_name) == inner for each in before) if isinstance(inner, str) else 0
        told: dict[str, Json] = put(body, resource.inner_name, f"{inner}-{same + 1}") if same else body
        return told

    def _first_body(self, place: SeedPlace) -> Json:
        match = self._blueprint.routes.match(place.address)
        owner = self._blueprint.item_at(match.template) if match else None
        if owner is not None and owner is not place.resource and not address_is_member(owner):
            return self._first_body(SeedPlace(owner, place.address, "", ""))  # a member that has a path of its own
        number = self._number(place)
        listed = self._listed_body(place, number)
        return listed if listed is not MISSING else self._finished_job(place, self.shaped(place, number))

    def _finished_job(self, place: SeedPlace, body: Json) -> Json:
        """A job from before is over, unless an example says otherwise."""
        if not isinstance(body, dict) or self.examples.item(place.resource) is not None:
            return body
        for job in self._blueprint.api.jobs:
            if job.poll == place.resource.read and job.succeeded:
                body = put(body, self._blueprint.in_item(job, job.state), job.shown_state(job.succeeded[0]))
                body = without(body, self._blueprint.in_item(job, job.fault)) if job.fault else body
                for at, well in job.succeeded_if:
                    body = put(body, self._blueprint.in_item(job, at), well[0])
        return body

    def _adapted(self, place: SeedPlace, example: dict[str, Json]) -> Json:
        """The example item as it is, or, for another item than it shows, moved to that one's address and names."""
        shown = self.examples.id_of(place.resource, example)
        reference = self._blueprint.profile.envelope.reference_field or place.resource.references
        old = example.get(reference) if reference else None
        body = _moved(example, old.rstrip("/"), self._blueprint.base_path + place.address) if old else example
        if shown in ("", place.id) or not place.collection:
            return self.identified(place, body) if place.collection else body
        body = self.identified(place, body)
        for name in place.resource.natural_keys:
            if isinstance(body.get(name), str) and name != place.resource.id_field:
                body[name] = place.id if body[name] == shown else _sibling(body[name])
        inner = get(body, place.resource.inner_name) if place.resource.inner_name else MISSING
        return put(body, place.resource.inner_name, _sibling(inner)) if isinstance(inner, str) else body

    def _number(self, place: SeedPlace) -> int:
        owner = self.shadowed(place.resource) if place.collection else None
        if owner is not None and not parameters_in(owner.collection):
            ids = self.ids(owner, owner.collection)
        else:
            ids = self.ids(place.resource, place.collection) if place.collection else ()
        return ids.index(place.id) + 1 if place.id in ids else 1

    def _id_schema(self, resource: Resource) -> Schema | None:
        members = self._blueprint.schemas.members(self._blueprint.item_schema(resource))
        for name in (resource.id_field, *self._blueprint.profile.identity.id_fields):
            if name in members and name != resource.references:
                return members[name]
        keys = (resource.read, resource.update, resource.delete)
        for operation in (self._blueprint.operations[key] for key in keys if key):
            for parameter in operation.parameters:
                if parameter.name == resource.id_parameter:
                    return parameter.schema
        return None

    def _fits(self, schema: Schema, value: Json) -> bool:
        return self._blueprint.validation.fits(schema, value, SchemaView.RESPONSE)

    def _typed(self, schema: Schema | None, text: str) -> Json:
        kind = self._blueprint.schemas.kind(schema)
        return int(text) if kind in ("integer", "number") and text.lstrip("-").isdigit() else text

    def _referring(self, body: Json, place: SeedPlace, number: int, *, is_new: bool) -> Json:
        """A copy in which members that name another resource hold the id of one of its first items."""
        if isinstance(body, list):
            return [self._referring(element, place, number, is_new=is_new) for element in body]
        if not isinstance(body, dict):
            return body
        shown = {e.member for e in self._blueprint.embedded(place.resource)}
        members = self._blueprint.schemas.members(self._blueprint.item_schema(place.resource))
        copy: dict[str, Json] = {}
        for name, value in body.items():
            target = self._target(name, members.get(name))
            if name in shown:
                copy[name] = []
            elif target and isinstance(value, str):
                copy[name] = target[(number - 1) % len(target)]
            elif target and isinstance(value, list) and all(isinstance(v, str) for v in value) and not is_new:
                copy[name] = list(target[:1])
            else:
                copy[name] = self._referring(value, place, number, is_new=is_new)
        return copy

    def _target(self, name: str, schema: Schema | None) -> tuple[str, ...]:
        """The ids that a member of this name may hold, for resources at the top of the API."""
        element = self._blueprint.schemas.element(schema) or schema
        for resource in self._blueprint.named_by(name):
            if resource.collection and not parameters_in(resource.collection):
                ids = self.ids(resource, resource.collection)
                if element is None or all(self._fits(element, each) for each in ids):
                    return ids
        return ()


def place_in(resource: Resource, path: str, length: int, values: tuple[str, ...]) -> SeedPlace:
    """The item at the first `length` segments of a concrete path, given the values of all the path's parameters."""
    address = "/" + "/".join(path.strip("/").split("/")[:length])
    if not address_is_member(resource):
        own = resource.item.rpartition("/")[2]  # `/vm`, of which `/vm.boot` says what is done to it
        above, _, last = address.rpartition("/")
        return SeedPlace(resource, f"{above}/{own}" if last.startswith(f"{own}.") else address, "", "")
    above, template = address.rpartition("/")[0], collection_template(resource)
    collection = f"{above.rpartition('/')[0]}/{template.rpartition('/')[2]}" if _stands_beside(resource) else above
    return SeedPlace(resource, address, collection, values[len(parameters_in(resource.item)) - 1])


def listed_in(resource: Resource, path: str) -> str:
    """The concrete collection that the list at this path shows: at `/things/json` that of `/things`."""
    below = len(split(path_of(resource.list))) - len(split(resource.collection))
    return f"/{'/'.join(split(path)[:-below])}" if resource.list and below > 0 else path


def collection_template(resource: Resource) -> str:
    """Where the list of the items stands: above them, or beside that under another word (`/leases`, `/lease/{id}`)."""
    return resource.collection if _stands_beside(resource) else item_template(resource).rpartition("/")[0]


def _stands_beside(resource: Resource) -> bool:
    above = resource.item.rpartition("/")[0]
    return bool(above and resource.collection) and shape(above) != shape(resource.collection)


def item_template(resource: Resource) -> str:
    """Where items stand; one is made up for collections whose items have no path of their own."""
    return resource.item or f"{resource.collection}/{{id}}"


def address_is_member(resource: Resource) -> bool:
    """Whether the item is one of a collection, not a document of its own under a fixed name."""
    last = resource.item.rpartition("/")[2]
    return not resource.item or _ONE_PARAMETER.fullmatch(last) is not None


def member_place(resource: Resource, collection: str, item_id: str) -> SeedPlace:
    """The item with this id in a concrete collection."""
    template = item_template(resource).rpartition("/")[2]
    names = parameters_in(template)
    segment = fill(template, {names[-1]: item_id}) if names else encode(item_id)
    above = collection
    if _stands_beside(resource):
        above = f"{collection.rpartition('/')[0]}/{resource.item.rpartition('/')[0].rpartition('/')[2]}"
    return SeedPlace(resource, f"{above}/{segment}", collection, item_id)


def _moved(value: Json, old: str, new: str) -> Json:
    """`value` with every address at or below `old` moved to `new`."""
    if isinstance(value, dict):
        return {key: _moved(member, old, new) for key, member in value.items()}
    if isinstance(value, list):
        return [_moved(element, old, new) for element in value]
    if isinstance(value, str) and (value == old or value.startswith((old + "/", old + "#"))):
        return new + value[len(old) :]
    return value


def _sibling(text: str) -> str:
    """A different name of the same make: `System.Embedded.1` → `System.Embedded.2`, a UUID → another UUID."""
    head = text.rstrip("0123456789")
    tail = text[len(head) :]
    if len(text) == 36 and text.count("-") == 4:
        return str(uuid5(NAMESPACE, text))
    return f"{head}{int(tail) + 1:0{len(tail)}d}" if tail else f"{text}-2"


def _another(text: str) -> str:
    """A different text of the same length and the same characters, whatever its form is."""
    turned = text[-1:] + text[:-1]
    return turned if turned != text else _sibling(text)


def _slug(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name.lower()).strip("-") or "item"
