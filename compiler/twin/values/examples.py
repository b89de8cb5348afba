"""What a description's own examples say about the initial state: which items there are, and how they look.

Only reads; examples are taken as they are, since they are the nearest thing to the device that there is. Used by
`seeds.py`, which makes up what no example shows.
"""

from collections.abc import Iterator
from typing import Any

from compiler.ir.model import Resource
from compiler.twin.blueprint import Blueprint
from compiler.twin.values.pointers import MISSING, get, listed

Json = Any
_MOST_ELEMENTS = 200  # of one list: a device with thousands of things shows nothing that one with hundreds does not


class Examples:
    """The examples of one Api, by resource."""

    def __init__(self, blueprint: Blueprint) -> None:
        self._blueprint = blueprint
        self._listed: dict[str, tuple[Json, ...]] = {}
        self._mentioned: dict[str, tuple[str, ...]] | None = None

    def id_of(self, resource: Resource, element: Json) -> str:
        """The id that an item, a reference to one, or a bare id says; "" where it says none."""
        if isinstance(element, str) and not resource.references:
            return element
        if not isinstance(element, dict):
            return ""
        for name in (resource.id_field, *self._blueprint.profile.identity.id_fields):
            value = element.get(name) if name else None
            if isinstance(value, (str, int)) and not isinstance(value, bool) and value != "":
                text = str(value)
                return text.rstrip("/").rpartition("/")[2] if text.startswith("/") else text
        address = element.get(resource.references or self._blueprint.profile.envelope.reference_field or "")
        return address.rstrip("/").rpartition("/")[2] if isinstance(address, str) else ""

    def elements(self, resource: Resource) -> tuple[Json, ...]:
        """What the list's example holds: items, references or bare ids; of a long one the first."""
        if resource.list not in self._listed:
            reply = self._blueprint.operations[resource.list].success if resource.list else None
            found = listed(reply.example, resource.members, resource.element_at) if reply else []
            self._listed[resource.list] = tuple(found[:_MOST_ELEMENTS])
        return self._listed[resource.list]

    def item(self, resource: Resource) -> Json:
        """The item that the read's example shows, without what is around it; None where there is none."""
        reply = self._blueprint.operations[resource.read].success if resource.read else None
        example = reply.example if reply else None
        if resource.wrapper:
            inner = get(example, resource.wrapper)
            return None if inner is MISSING else inner
        return example[0] if isinstance(example, list) and example else example

    def ids(self, resource: Resource) -> tuple[str, ...]:
        """The ids that the list's example says, in its order."""
        found = [self.id_of(resource, element) for element in self.elements(resource)]
        return tuple(dict.fromkeys(i for i in found if i))

    def ids_mentioned(self, resource: Resource) -> tuple[str, ...]:
        """The ids that examples of other things use for items of this resource: what is referred to exists."""
        if self._mentioned is None:
            found: dict[str, dict[str, None]] = {}
            for operation in self._blueprint.api.operations:
                shown = [operation.body.example] if operation.body else []
                shown += [response.example for response in operation.responses]
                own = self._blueprint.behaviour(operation).resource
                for name, value in (pair for example in shown for pair in members_of(example)):
                    owners = self._blueprint.named_by(name)
                    if len(owners) == 1 and owners[0] is not own:
                        found.setdefault(owners[0].collection, {}).update(dict.fromkeys(ids_in(value)))
            self._mentioned = {collection: tuple(ids) for collection, ids in found.items()}
        return self._mentioned.get(resource.collection, ())

    def ids_shown_above(self, resource: Resource) -> tuple[str, ...]:
        """The ids at the ends of the addresses that the owner's example holds."""
        owner = self._blueprint.owner_of(resource)
        elements = get(self.item(owner), resource.members) if owner is not None else MISSING
        held = (
            [e.get(resource.references) for e in elements if isinstance(e, dict)] if isinstance(elements, list) else []
        )
        return tuple(dict.fromkeys(a.rstrip("/").rpartition("/")[2] for a in held if isinstance(a, str)))

    def filled(self, resource: Resource) -> tuple[str, ...]:
        """Pointers to arrays that the example fills: what it says is left as it is."""
        example = self.item(resource)
        return tuple(s.at for s in self._blueprint.shown_in(resource) if get(example, s.at) not in (MISSING, [], None))


def ids_in(value: Json) -> Iterator[str]:
    """The ids that a member holds; empty ones name nothing, and objects are looked into on their own."""
    for each in value if isinstance(value, list) else (value,):
        if isinstance(each, (str, int)) and not isinstance(each, bool) and each != "":
            text = str(each)
            yield text.rstrip("/").rpartition("/")[2] if text.startswith("/") else text


def members_of(body: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(body, dict):
        for name, value in body.items():
            yield name, value
            yield from members_of(value)
    elif isinstance(body, list):
        for element in body:
            yield from members_of(element)
