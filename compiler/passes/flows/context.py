"""What the planner knows while it plans: the API's tables, made once for all flows.

Read-only, and only what follows from the IR and the profile; decisions are made by those who ask.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from compiler.ir.model import Api, Effect, Job, Link, Operation, Paging, Resource, Schema
from compiler.ir.schemas import SharedSchemas
from compiler.passes.flows.inputs.usual import envelope_names, required_names
from compiler.passes.links import Referents, place_of_ids
from compiler.passes.memberships import ListMembership, by_operation, owners
from compiler.passes.names import words
from compiler.passes.names.paths import shape
from workflow.profiles.profile import PendingSettings, Profile, StateRule


@dataclass(frozen=True, slots=True)
class Context:
    """What the mappings are keyed by:

    `operations` by key; `by_item` by the item path's shape; `links` by (target operation, into); `by_source` by the
    operation that lists a resource and the place of the ids in its reply; `jobs` by the operation that starts one;
    `states` by the resource's noun; `holders` by a resource's address, to the resource that embeds it and the member
    in which it does; `bodies` by operation, to the body places that name something, nearest the top first;
    `by_address`, `by_noun`, `by_create` and `by_action` by what they say, `by_change` by the operations that create or
    update; `paging` and `lists` by the operation that lists; `under` by an
    item's path, to what stands right under it; `naming` by a resource's address, to the others whose items hold its
    id, and the member that does; `required_names` by how many operations require them; `envelope`: members of
    nearly all bodies; `memberships` by the operation that puts a thing into a list or takes one out.
    """

    api: Api
    profile: Profile
    schemas: SharedSchemas
    operations: Mapping[str, Operation]
    by_source: Mapping[tuple[str, str], Resource]
    by_item: Mapping[str, Resource]
    links: Mapping[tuple[str, str], Link]
    jobs: Mapping[str, Job]
    states: Mapping[str, StateRule]
    referents: Referents
    bodies: Mapping[str, tuple[str, ...]]
    by_address: Mapping[str, Resource]
    by_create: Mapping[str, Resource]
    by_change: Mapping[str, Resource]
    paging: Mapping[str, Paging]
    lists: Mapping[str, Resource]
    by_action: Mapping[str, Resource]
    under: Mapping[str, tuple[Resource, ...]]
    naming: Mapping[str, tuple[tuple[Resource, str], ...]]
    by_noun: Mapping[str, tuple[Resource, ...]] = field(default_factory=dict)
    holders: Mapping[str, tuple[Resource, str]] = field(default_factory=dict)
    required_names: Counter[str] = field(default_factory=Counter)
    envelope: frozenset[str] = frozenset()
    memberships: Mapping[str, ListMembership] = field(default_factory=dict)

    @staticmethod
    def of(api: Api, profile: Profile) -> "Context":
        schemas = SharedSchemas(api.schemas)
        jobs: dict[str, Job] = {}
        for job in api.jobs:
            for key in job.operations:
                jobs.setdefault(key, job)
        return Context(
            api=api,
            profile=profile,
            schemas=schemas,
            operations={o.key: o for o in api.operations},
            by_source={(r.source, place_of_ids(r)): r for r in api.resources if r.source},
            by_item={shape(r.item): r for r in api.resources if r.item},
            links={(link.target, link.into): link for link in api.links},
            jobs=jobs,
            states={rule.resource: rule for rule in profile.states},
            referents=Referents(api.resources),
            bodies=_bodies(api),
            by_address={address(r): r for r in api.resources},
            by_create={r.create: r for r in api.resources if r.create},
            paging={r.list: r.paging for r in api.resources if r.paging is not None},
            lists={r.list: r for r in api.resources if r.list},
            by_change=_by_change(api, profile),
            by_action={key: r for r in api.resources for key in r.actions},
            under=_under(api),
            naming=_naming(api, schemas),
            by_noun=_by_noun(api),
            holders=_holders(api, schemas),
            required_names=required_names(api, schemas),
            envelope=envelope_names(api, schemas),
            memberships=by_operation(api),
        )

    def needed_by(self, operation: str, into: str) -> Resource | None:
        """The resource whose id the operation needs at `into` (`path.name`, `body#/pointer`), if one is known."""
        link = self.links.get((operation, into))
        return self.by_source.get((link.source, link.at)) if link else None

    def owners_of(self, key: str) -> list[tuple[str, str]]:
        """(parameter, shape of the item's address) of each thing that the address of the operation names, in order."""
        return owners(key, self.needed_by, self.by_item)

    @property
    def paths(self) -> Iterable[str]:
        """The paths of all operations."""
        return (operation.path for operation in self.api.operations)

    def owner_of(self, resource: Resource) -> Resource | None:
        """What people know the resource by, where that is another thing."""
        named = (r for r in self.api.resources if resource.known_by in r.synonyms and r.source and r is not resource)
        return next(named, None) if resource.known_by else None

    def preferred(self, path: str) -> Resource | None:
        """The resource that shows the same things as what stands at the path, where that is one of several places."""
        places = self.profile.identity.same_as.items()
        other = next((there for here, there in places if path == here or path.startswith(f"{here}/")), "")
        return next((r for r in self.api.resources if other and r.collection == other), None)

    def weight_of(self, source: str) -> int:
        """How much of the API is about what the operation lists: what names it, and what can be done to it."""
        owners = [r for (operation, _), r in self.by_source.items() if operation == source]
        return max((len(self.naming.get(address(r), ())) + len(r.actions) for r in owners), default=0)

    def listed(self, resource: Resource) -> Schema | None:
        """The schema of the thing as its list shows it; None where nobody described that."""
        reply = self.operations[resource.list].success if resource.list else None
        element = self.schemas.element(self.schemas.at(reply.schema, resource.members)) if reply is not None else None
        return self.schemas.at(element, resource.element_at) if element is not None else None

    def is_poll(self, key: str) -> bool:
        return any(job.poll == key for job in self.api.jobs)

    def pending_rule(self, key: str) -> PendingSettings | None:
        """What the profile says of an operation that is not in force at once."""
        return next((rule for rule in self.profile.pending_settings if re.search(rule.pattern, key)), None)

    def is_pending(self, key: str) -> bool:
        """True when the operation's job stays scheduled until a restart."""
        rule = self.pending_rule(key)
        return rule is not None and not rule.is_optional and bool(rule.apply_member or rule.job_operation)

    def is_single(self, resource: Resource) -> bool:
        """True when a device usually has one such thing, so that nobody has to name it."""
        return resource.single is not None or resource.collection in self.profile.sole_members


def address(resource: Resource) -> str:
    """The path that names a resource in tables: the item's, else the collection's."""
    return resource.item or resource.collection


def noun_of(resource: Resource) -> str:
    """The resource's name as a part of identifiers: `network interface` → network_interface."""
    return words.snake(resource.name)


def _bodies(api: Api) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for link in api.links:
        if link.into.startswith("body#"):
            found.setdefault(link.target, []).append(link.into)
    return {key: tuple(sorted(places, key=lambda into: (into.count("/"), into))) for key, places in found.items()}


def _by_noun(api: Api) -> dict[str, tuple[Resource, ...]]:
    found: dict[str, list[Resource]] = {}
    for resource in api.resources:
        found.setdefault(resource.noun, []).append(resource)
    return {noun: tuple(resources) for noun, resources in found.items()}


def _under(api: Api) -> dict[str, tuple[Resource, ...]]:
    found: dict[str, list[Resource]] = {}
    for resource in api.resources:
        found.setdefault(resource.parent, []).append(resource)
    return {path: tuple(resources) for path, resources in found.items()}


def _naming(api: Api, schemas: SharedSchemas) -> dict[str, tuple[tuple[Resource, str], ...]]:
    owners: dict[str, list[Resource]] = {}
    for resource in api.resources:
        for name in resource.synonyms:
            owners.setdefault(name, []).append(resource)
    found: dict[str, dict[str, tuple[Resource, str]]] = {}
    for resource in api.resources:
        for name in schemas.members(resource.schema):
            for owner in owners.get(name, ()):
                if owner is not resource:
                    found.setdefault(address(owner), {}).setdefault(address(resource), (resource, name))
    return {path: tuple(named.values()) for path, named in found.items()}


def _holders(api: Api, schemas: SharedSchemas) -> dict[str, tuple[Resource, str]]:
    """Resources whose items also stand, whole, inside the items of their parent (a VM's disks in the VM)."""
    parts: dict[str, Resource] = {}
    for resource in api.resources:
        component = schemas.component(resource.schema)
        if component and resource.list and resource.id_field and not resource.references:
            parts.setdefault(component, resource)
    found: dict[str, tuple[Resource, str]] = {}
    for holder in api.resources:
        if not holder.list or not holder.natural_keys or holder.references:
            continue
        for name, member in schemas.members(holder.schema).items():
            part = parts.get(schemas.component(schemas.element(member)))
            if part is not None and part is not holder and _names(part, holder, schemas):
                found.setdefault(address(part), (holder, name))
    return found


def _names(part: Resource, holder: Resource, schemas: SharedSchemas) -> bool:
    """True when the part's items say which holder they belong to."""
    return any(name in holder.synonyms for name in schemas.members(part.schema))


def _by_change(api: Api, profile: Profile) -> dict[str, Resource]:
    """By creations, by updates with their aliases, and by other writes that do something else: see `resources`."""
    distinct = profile.verbs.distinct
    writes = {
        o.key: shape(o.path) for o in api.operations if o.method in ("PUT", "PATCH") and o.effect is Effect.UPDATE
    }
    return {
        key: r
        for r in api.resources
        for key in (
            r.create,
            r.update,
            *r.aliases,
            *(a for a in r.actions if a in distinct or writes.get(a) == shape(r.item)),
        )
        if key
    }
