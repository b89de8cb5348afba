"""Resources: the kinds of things an API has, with their operations, identity, keys and owners.

Before: operations with effects. After: `Api.resources`, one per collection (with its items), per single record and
per list without items. Paths that differ only in their parameters' names are one resource. What stands beside an
address (`/things/{id}/json`, `/vm.info`) belongs to the thing there, as `names.siblings` tells; a note says so. An
operation that is no list, read, create, update or delete of a resource is an action of the resource that its path
stands under.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from compiler.ir.model import EMPTY, Api, Effect, Operation, Resource, Schema
from compiler.ir.schemas import SharedSchemas
from compiler.passes.envelopes import envelope_of
from compiler.passes.identity import Identifier, picks_by_query, says_id
from compiler.passes.names import nouns, words
from compiler.passes.names.paths import (
    GROUPING,
    ends_in_parameter,
    is_pass_through,
    last_parameter,
    last_word,
    parameter_of,
    parent,
    prefixes,
    segments,
    shape,
    shows_state,
    stands_for_item,
    stands_for_list,
    stem,
)
from compiler.passes.names.roots import is_root, noun_of_ids, noun_of_root, says_nothing
from compiler.passes.names.several import begins_listing, comes_in_pages, tells_several
from compiler.passes.names.siblings import Siblings, assumed, siblings_of
from compiler.passes.outcome import Options, PassOutcome
from compiler.passes.resource_names import with_unique_names
from compiler.passes.risk import lexicon
from compiler.passes.risk.clauses import head, tokens_of_text
from compiler.passes.risk.values import makes
from compiler.passes.versions import is_version
from workflow.documents.path_queries import parted
from workflow.profiles.profile import Profile

_KNOWN = lexicon.FORMS.keys() | lexicon.PLAIN_FORMS | lexicon.ON
_CHANGING = frozenset(words.split("update modify modifie change edit set replace patch put save configure post alter"))
_OF_IDENTITY = {"id", "uuid", "name"}
_BY_WHAT = 2  # segments: what is listed, by what, and which
_ALL_METHODS = 4  # of what passes on whatever is sent
_ASKING = frozenset({"search"})  # `/repos/search`: no thing, whatever else stands at `/repos`


def run(api: Api, options: Options) -> PassOutcome:
    finder = _Finder(api, options.profile)
    found = finder.resources()
    named = _with_foreign_ids(with_unique_names(found, options.profile, nouns.joined_words(api)))
    notes = tuple(assumed(finder.siblings, options.profile.identity.read_at))
    resources = tuple(sorted(named, key=lambda r: (r.collection, r.item)))
    return PassOutcome(replace(api, resources=resources, around=finder.envelope.beside), notes)


def _with_foreign_ids(resources: Iterable[Resource]) -> list[Resource]:
    """The resources, with what else the address of one has the id of: `/energy-usage/{deviceId}` that of a device."""
    resources = list(resources)
    known = {words.split(words.singular(r.noun)): r for r in reversed(resources)}
    return [_with_foreign_id(resource, known) for resource in resources]


def _with_foreign_id(resource: Resource, known: Mapping[tuple[str, ...], Resource]) -> Resource:
    said, own = words.split(resource.id_parameter), words.split(words.singular(resource.noun))
    is_managed = resource.source or resource.create or resource.delete or resource.actions
    other = known.get(said[:-1]) if len(said) > 1 and says_id(resource.id_parameter) else None
    if is_managed or other is None or own[-1:] == said[-2:-1]:
        return resource
    return replace(resource, id_of=other.name, synonyms=())


@dataclass(frozen=True, slots=True)
class _Place:
    """All operations of one shape, by method; the first template seen of each."""

    path: str
    methods: Mapping[str, Operation]

    def key(self, method: str) -> str:
        operation = self.methods.get(method)
        acts = method == "GET" and operation is not None and operation.effect is Effect.ACT
        return operation.key if operation and not _is_out(operation) and not acts else ""


def only_tells_whether(operation: Operation | None) -> bool:
    """True for a read that answers 204, or a HEAD: it says that there is such a thing, and shows nothing of it."""
    if operation is not None and operation.method == "HEAD":
        return True
    good = [reply for reply in operation.responses if reply.status.startswith("2")] if operation else []
    return bool(good) and all(reply.status in ("204", "205") and reply.schema is None for reply in good)


def orders_in_path(operation: Operation, schemas: SharedSchemas) -> tuple[str, ...]:
    """The orders that the end of an address takes, where all of its values are words for what is done."""
    name = last_parameter(operation.path)
    asked = next((p for p in operation.parameters if p.location == "path" and p.name == name), None)
    values = schemas.values(asked.schema) if asked is not None and operation.effect is Effect.ACT else ()
    said = [words.split(value) if isinstance(value, str) else () for value in values]
    return values if len(values) > 1 and all(_KNOWN.intersection((*each[:1], *each[-1:])) for each in said) else ()


def _is_out(operation: Operation) -> bool:
    return bool(operation.left_out) or operation.effect is Effect.SESSION


class _Finder:
    def __init__(self, api: Api, profile: Profile) -> None:
        self.schemas = SharedSchemas(api.schemas)
        self.profile = profile
        self.envelope = envelope_of(api.operations, self.schemas)
        self.identifier = Identifier(self.schemas, profile, self.envelope.holder)
        self.siblings = siblings_of(api.operations, self.schemas, profile.identity.read_at)
        self.places = _joined(_places(api.operations), self.siblings)
        self.preferred: set[str] = set()  # lists that a query in their key makes fuller than the plain ones

    def resources(self) -> list[Resource]:
        found: dict[str, Resource] = {}
        for place_shape, place in self.places.items():
            if ends_in_parameter(place_shape) and not _goes_through(place):
                if self._lists_what_is_below(place_shape, place) or self._takes_orders(place):
                    continue
                if self._is_list_of_others(place_shape, place):
                    found[place_shape] = _told_by_what(self._without_items(place), place.path)
                else:
                    found[place_shape] = self._with_items(place_shape, place)
        collections = {shape(r.collection) for r in found.values() if r.collection}
        known = {*collections, *self.siblings.borrowed, *self.preferred}
        for place_shape, place in self.places.items():
            if ends_in_parameter(place_shape) or place_shape in known:
                continue
            if place_shape in self.siblings.singles:
                found[place_shape] = self._shown_beside(place_shape, place)
            elif self._is_record(place):
                found[place_shape] = self._without_items(place)
        return self._with_owners(found)

    def _takes_orders(self, place: _Place) -> bool:
        """`/pods/{id}/{action}` is no item: what can stand there is what is done to the pod."""
        acts = [each for each in place.methods.values() if each.effect is Effect.ACT]
        return len(acts) == len(place.methods) and all(orders_in_path(each, self.schemas) for each in acts)

    def _lists_what_is_below(self, place_shape: str, place: _Place) -> bool:
        """`/repositories/{workspace}` lists what stands at `/repositories/{workspace}/{slug}`, and is no repository."""
        below = self.places.get(f"{place_shape}/{{}}")
        if below is None or not (place.key("GET") and below.key("GET")):
            return False
        if self._is_told_to_list(place):
            return True
        reply = self._reply(place, "GET")
        pointer = self.identifier.list_pointer(reply, last_word(place.path)) if reply else None
        element = self.schemas.element(self.schemas.at(reply, pointer)) if pointer is not None else None
        shown = self.schemas.component(element)
        return bool(shown) and shown == self.schemas.component(self._reply(below, "GET"))

    def _is_told_to_list(self, place: _Place) -> bool:
        """Whether a list is answered at an address of which nothing is written, and several are spoken of."""
        read = place.methods.get("GET")
        if read is None or not {"PUT", "PATCH", "DELETE"}.isdisjoint(place.methods):
            return False
        if self.schemas.element(self._reply(place, "GET")) is not None:
            return tells_several(read)
        reply = self._reply(place, "GET")
        is_told = begins_listing(read) or comes_in_pages(read)
        return is_told and self.identifier.list_pointer(reply, last_word(place.path)) is not None

    def _answers_several(self, place: _Place) -> bool:
        """`GET /records/{type}/{name}?offset=…` answers all records of the name, whatever is written there."""
        read = place.methods.get("GET")
        return read is not None and comes_in_pages(read) and self.schemas.element(self._reply(place, "GET")) is not None

    def _is_list_of_others(self, place_shape: str, place: _Place) -> bool:
        """`/users/{id}/role-mappings/clients/{client}` lists roles, which have items elsewhere, and is no client."""
        above = self.places.get(parent(place_shape) or "/")
        if not place.key("GET") or (above is not None and above.key("GET")):
            return False
        if self._is_told_to_list(place):
            return True
        return self.schemas.component(self.schemas.element(self._reply(place, "GET"))) in self.listed_things

    @cached_property
    def listed_things(self) -> frozenset[str]:
        """The shared schemas of what bare lists show that have items, or are made there."""
        lists = (
            place
            for at, place in self.places.items()
            if not ends_in_parameter(at) and place.key("GET") and (f"{at}/{{}}" in self.places or place.key("POST"))
        )
        found = (self.schemas.component(self.schemas.element(self._reply(place, "GET"))) for place in lists)
        return frozenset(found) - {""}

    def _is_record(self, place: _Place) -> bool:
        operation = place.methods.get("GET")
        if operation is None or operation.effect is not Effect.READ:
            return False
        if "." in last_word(place.path) and not is_version(last_word(place.path)):
            return False
        if _goes_through(place) or (stands_for_item(place.path) and parent(shape(place.path)) in self.places):
            return False
        above = parent(shape(place.path))
        is_query = words.is_about(words.split(last_word(place.path))[:1], words.READING | {"filter"})
        asks = last_word(place.path).lower() in _ASKING
        return not (asks or (is_query and (above in self.places or f"{above}/{{}}" in self.places)))

    def _with_items(self, item_shape: str, item: _Place) -> Resource:
        # `/{realm}` stands in the collection `/`.
        collection = self.places.get(parent(item_shape) or "/")
        if collection is None or not (collection.key("GET") or collection.key("POST")):
            collection = self._list_beside(parent(item_shape), item)
        parameter = last_parameter(item.path)
        resource = self._base(collection.path if collection else "", item.path)
        is_shown = not only_tells_whether(item.methods.get("GET")) and not self._answers_several(item)
        read = item.key("GET") if is_shown else ""
        delete = item.key("DELETE") or _key(self.siblings.deleted.get(item_shape))
        resource = replace(resource, id_parameter=parameter, read=read, delete=delete)
        if collection is not None:
            made = collection.methods.get("POST")
            is_made = made is not None and made.effect is Effect.CREATE
            create = collection.key("POST") if is_made else _key(self.siblings.made.get(parent(item_shape)))
            resource = replace(resource, list=collection.key("GET"), create=create)
        resource = self._with_updates(resource, item)
        fuller = self._fuller_list(collection, item)
        if collection is not None and fuller is not None:
            self.preferred.add(shape(fuller.path))
            aliases = {**resource.aliases, collection.key("GET"): fuller.key("GET")}
            resource, collection = replace(resource, list=fuller.key("GET"), aliases=aliases), fuller
        made_of = (self._reply(collection, "GET"), self._reply(item, "GET"))
        post = collection.methods.get("POST") if collection is not None else None
        sent = post.body.schema if post is not None and post.body is not None and resource.create == post.key else None
        resource = self.identifier.identify(resource, *made_of, self._example(collection), sent)
        above = self.places.get(parent(item_shape))
        return self._updated_at_collection(resource, above) if above is not None else resource

    def _updated_at_collection(self, resource: Resource, collection: _Place) -> Resource:
        """With `PUT /roles` as the update of one, where its body has the id and nothing else updates one."""
        if resource.update or not (resource.read or resource.delete) or not resource.id_field:
            return resource
        for method in self.profile.verbs.prefer:
            operation = collection.methods.get(method)
            is_update = collection.key(method) and operation is not None and operation.effect is Effect.UPDATE
            if is_update and operation is not None and self._names_one(operation, resource):
                return replace(resource, update=operation.key)
        return resource

    def _names_one(self, operation: Operation, resource: Resource) -> bool:
        """Whether the body has the id of the thing, and the query has none; and the thing shows what was sent."""
        body = operation.body.schema if operation.body is not None else None
        is_of_one = self.schemas.element(body) is None and resource.id_field in self.schemas.members(body)
        is_id = says_id(resource.id_field) or resource.id_field == resource.id_parameter
        is_shown = bool(resource.read) or self.schemas.component(body) == self.schemas.component(resource.schema) != ""
        return is_of_one and is_id and is_shown and not picks_by_query(operation)

    def _fuller_list(self, collection: _Place | None, item: _Place) -> _Place | None:
        """`/vms?recursion=1` lists the things of which `/vms` lists only the addresses or the names."""
        ways = self.by_query.get(shape(collection.path), ()) if collection is not None else ()
        if collection is None or not ways or not collection.key("GET") or self._shown_in_list(collection):
            return None
        shown = self._shown(item)
        fuller = (way for way in ways if shown and self._shown_in_list(way) == shown)
        return min(fuller, key=lambda way: (len(way.path), way.path), default=None)  # `?recursion=1`, not `?public&…`

    def _shown(self, place: _Place) -> frozenset[str]:
        """The members of what reading there shows."""
        return frozenset(
            self.schemas.members(self.identifier.item_of(self._reply(place, "GET"), last_word(place.path)))
        )

    def _shown_in_list(self, place: _Place) -> frozenset[str]:
        reply = self._reply(place, "GET")
        return frozenset(self.schemas.members(self.identifier.element_of(reply, last_word(place.path))))

    @cached_property
    def by_query(self) -> Mapping[str, tuple[_Place, ...]]:
        """Places whose key has a query, by the shape of the address alone."""
        found: dict[str, tuple[_Place, ...]] = {}
        for place in self.places.values():
            address, query = parted(place.path)
            if query and place.key("GET"):
                found[shape(address)] = (*found.get(shape(address), ()), place)
        return found

    def _shown_beside(self, place_shape: str, place: _Place) -> Resource:
        """The one thing that `/vm.info` shows, and that may be made and deleted at `/vm.create` and `/vm.delete`."""
        made, deleted = (found.get(place_shape) for found in (self.siblings.made, self.siblings.deleted))
        resource = replace(self._base("", place.path), read=place.key("GET"), create=_key(made), delete=_key(deleted))
        return self.identifier.identify(resource, None, self._reply(place, "GET"))

    def _list_beside(self, above: str, item: _Place) -> _Place | None:
        """`/leases` lists what stands at `/lease/{id}`, where both show the same thing."""
        at = f"{parent(above)}/{words.plural(last_word(above))}"
        shown = self.schemas.component(self._reply(item, "GET"))
        listed = self.schemas.component(self.schemas.element(self._reply(self.places.get(at), "GET")))
        return self.places.get(at) if shown and shown == listed and f"{at}/{{}}" not in self.places else None

    def _without_items(self, place: _Place) -> Resource:
        reply = self._reply(place, "GET")
        resource = self._base("", "")
        noun = nouns.noun_of_address("", place.path)
        is_list = self.identifier.list_pointer(reply, noun) is not None
        is_list = is_list and (not place.key("PATCH") or picks_by_query(place.methods["PATCH"]))
        if not self.schemas.kind(reply):  # nobody says what it answers: `/services` lists, `/service` is one record
            is_list = is_list and words.singular(noun) != noun
        if is_list:
            made = place.methods.get("POST")
            create = place.key("POST") if made is not None and made.effect is Effect.CREATE else ""
            resource = replace(self._base(place.path, ""), list=place.key("GET"), create=create)
            return self.identifier.identify(resource, reply, None)
        read = "" if only_tells_whether(place.methods.get("GET")) else place.key("GET")
        resource = replace(self._base("", place.path), read=read, delete=place.key("DELETE"))
        if is_root(place.path):
            resource = replace(resource, noun=noun_of_root(place.methods.values()))
        return self.identifier.identify(self._with_updates(resource, place), None, reply)

    def _base(self, collection: str, item: str) -> Resource:
        if collection and not item and stands_for_list(collection):
            return Resource(noun=last_word(parent(collection)), name="", collection=_address(collection))
        noun = nouns.noun_of_address(collection, item) or _noun_of_parameter(item)
        if item and says_nothing(noun) and ends_in_parameter(item):  # `/v1/{name}`
            said, place = _noun_of_parameter(item), self.places.get(shape(item))
            is_silent = not _OF_IDENTITY.isdisjoint(words.split(said))
            noun = (noun_of_ids(place.methods.values()) if place and is_silent else said) or noun
        return Resource(noun=noun, name="", collection=_address(collection), item=_address(item))

    def _with_updates(self, resource: Resource, item: _Place) -> Resource:
        verbs = self.profile.verbs
        ways = [m for m in verbs.prefer if item.key(m) and item.methods[m].effect is Effect.UPDATE]
        ways = [m for m in ways if item.key(m) not in verbs.distinct]
        # `PUT`, “creates or updates”, beside `PATCH`, “updates”: without the first nothing is ever made.
        ways = [m for m in ways if m != "PUT" or ways == ["PUT"] or resource.create or not makes(item.methods[m])]
        ways = [m for m in ways if m != "POST" or ways == ["POST"] or not self._post_says_other(item, ways)]
        if ways[1:] and ways[0] == "PATCH" and self._is_list_of_steps(item.methods["PATCH"]):
            ways = [*ways[1:], "PATCH"]
        if not ways:
            return resource
        aliases = {item.key(other): item.key(ways[0]) for other in ways[1:]}
        return replace(resource, update=item.key(ways[0]), aliases=aliases)

    def _is_list_of_steps(self, operation: Operation) -> bool:
        """Whether it takes JSON Patch (RFC 6902), however that is described: nobody fills that in as members."""
        body = operation.body
        members = self.schemas.members(self.schemas.element(body.schema)) if body is not None else {}
        return {"op", "path"} <= members.keys()

    def _post_says_other(self, item: _Place, ways: Sequence[str]) -> bool:
        """`POST`, “rename”, with members that `PATCH` does not know, and few of those that it does; or “start”."""
        verb = head(tokens_of_text(item.methods["POST"].summary))
        if verb in _KNOWN and verb.removesuffix("s") not in _CHANGING:
            return True
        said = {way: {*self.schemas.members(body.schema)} for way in ways if (body := item.methods[way].body)}
        own = said.pop("POST", set())
        others = set().union(*said.values())
        return bool(others and own - others) and 2 * len(own & others) < len(others)

    def _example(self, place: _Place | None) -> Any:
        operation = place.methods.get("GET") if place else None
        return operation.success.example if operation and operation.success else None

    def _reply(self, place: _Place | None, method: str) -> Schema | None:
        operation = place.methods.get(method) if place else None
        if operation is None or operation.success is None:
            return None
        return operation.success.schema if operation.success.schema is not None else EMPTY

    def _with_owners(self, found: dict[str, Resource]) -> list[Resource]:
        by_path: dict[str, str] = {}
        for key, resource in found.items():
            by_path[key] = key
            # `/project/{user}/{project}` lists builds, and what else stands below it is a project's.
            if resource.collection and not ends_in_parameter(resource.collection):
                by_path.setdefault(shape(resource.collection), key)
        claimed = {k for r in found.values() for k in (r.list, r.read, r.create, r.update, r.delete, *r.aliases) if k}
        actions: dict[str, set[str]] = {}
        for place_shape, place in self.places.items():
            for operation in place.methods.values():
                if operation.key in claimed or _is_out(operation):
                    continue
                ways = (place_shape, *(p for p in prefixes(place_shape) if not _only_groups(p, operation)))
                ways = (*ways[:1], stem(place_shape), *(p for p in ways[1:] if self._is_owner(p, place_shape)))
                is_order = operation.method != "GET" and operation.effect is Effect.ACT and shows_state(place.path)
                ways = ways[1:] if is_order else ways
                known = (by_path[p] for p in ways if p in by_path and (p == place_shape or not is_root(p)))
                owner = next((key for key in known if _has_root_of(found[key], place.path)), "")
                if owner:  # what is read beside an address stands at two of them
                    actions.setdefault(owner, set()).add(operation.key)
        owned = {
            key: replace(
                resource,
                actions=tuple(sorted(actions.get(key, ()))),
                parent=self._owner_path(key, resource, by_path, found),
            )
            for key, resource in found.items()
        }
        return [self._listed_by_owner(resource, owned) for resource in owned.values()]

    def _is_owner(self, above: str, at: str) -> bool:
        """False for a thing without an address of its own, of what is not right below it: that is of something else."""
        return above not in self.siblings.singles or above in (parent(at), stem(at)) or _groups(parent(at), above)

    def _listed_by_owner(self, resource: Resource, owned: dict[str, Resource]) -> Resource:
        """A resource without a collection whose owner's items name its own, under their noun or under `Links`."""
        owner = owned.get(shape(resource.parent))
        if resource.list or not resource.id_parameter or owner is None or not owner.read or owner.item_is_list:
            return resource
        for pointer in (f"/{resource.noun}", f"/Links/{resource.noun}", f"/links/{resource.noun}"):
            element = self.schemas.element(self.schemas.at(owner.schema, pointer))
            reference = self.identifier.reference_member(element) if element is not None else ""
            if reference:
                return replace(
                    resource, listed_in=owner.read, members=pointer, references=reference, id_field=reference
                )
        return resource

    def _owner_path(self, key: str, resource: Resource, by_path: dict[str, str], found: dict[str, Resource]) -> str:
        for prefix in prefixes(shape(resource.collection or resource.item)):
            owner = "" if is_root(prefix) or prefix in self.siblings.singles else by_path.get(prefix)
            if owner and owner != key:
                return found[owner].item or found[owner].collection
        return ""


def _told_by_what(resource: Resource, path: str) -> Resource:
    """`resource by service` for what `/resources/service/{serviceId}` lists: the last word says by what."""
    parts = segments(path)
    said, by = words.split(parameter_of(parts[-1])), words.split(words.singular(parts[-2])) if parts[1:] else ()
    is_by = said[: len(by)] == by and len(parts) > _BY_WHAT and not parameter_of(parts[-3])
    is_by = is_by and not says_nothing(parts[-3])
    return replace(resource, noun=f"{parts[-3]}-by-{words.singular(parts[-2])}") if is_by else resource


def _has_root_of(resource: Resource, path: str) -> bool:
    """False where both stand in different things at the top: `/{aws_mount}/…` is no part of `/{database_mount}/…`."""
    roots = (segments(resource.item or resource.collection)[:1], segments(path)[:1])
    named = [{*words.split(parameter_of(root[0]))} - _OF_IDENTITY if root else set() for root in roots]
    return named[0] == named[1] or not all(named)


def _only_groups(prefix: str, operation: Operation) -> bool:
    """`/servers/{}/actions` lists what was done; `POST /servers/{}/actions/reboot` is done to the server."""
    return operation.effect is Effect.ACT and prefix.rpartition("/")[2].lower() in GROUPING


def _groups(path: str, above: str) -> bool:
    """Whether a path is but a grouping below another one: `/vm/actions` of `/vm`."""
    return parent(path) == above and path.rpartition("/")[2].lower() in GROUPING


def _key(operation: Operation | None) -> str:
    return operation.key if operation is not None and not _is_out(operation) else ""


def _goes_through(place: _Place) -> bool:
    return is_pass_through(place.path) and len(place.methods) >= _ALL_METHODS


def _address(path: str) -> str:
    """The path as the address of what stands there: a slash at its end belongs to the request alone."""
    return path.rstrip("/") or path


def _noun_of_parameter(item: str) -> str:
    """What `{realm}` or `{realmId}` alone calls its thing."""
    name = last_parameter(item)
    name = name or "".join(item.replace("{", " ").replace("}", " ").split()[:1])
    said = words.split(name)
    return nouns.thing_of(said) if len(said) > 1 and said[-1] in ("id", "uuid", "name") else name


def _places(operations: tuple[Operation, ...]) -> dict[str, _Place]:
    gathered: dict[str, dict[str, Operation]] = {}
    first: dict[str, str] = {}
    for operation in operations:
        key = shape(operation.path)
        # The template that can be read names the place: its parameter is the item's own.
        if key not in first or (operation.method == "GET" and "GET" not in gathered[key]):
            first[key] = operation.path
        gathered.setdefault(key, {}).setdefault(operation.method, operation)
    return {key: _Place(first[key], methods) for key, methods in gathered.items()}


def _joined(places: dict[str, _Place], siblings: Siblings) -> dict[str, _Place]:
    """The places with what is read beside them as if it were read there."""
    found = dict(places)
    for at, read in (*siblings.shown.items(), *siblings.listed.items()):
        own = found[at].methods if at in found else {}
        found[at] = _Place(siblings.addresses[at], {**own, "GET": read})
    return found
