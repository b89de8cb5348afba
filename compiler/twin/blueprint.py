"""What a twin is made from, worked out once and shared by all its copies: the API read as a device.

Says for every operation what it does (`Behaviour`), which item paths lie above a path, and which members name which
resource. Immutable once built, apart from its memos; holds no item and no session. Effects the IR did not decide
follow from the method (RFC 9110, 9.3).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

from compiler.ir.model import Api, ApiParameter, Effect, Job, Operation, Resource, Response, Schema
from compiler.ir.schemas import SharedSchemas
from compiler.passes.memberships import by_operation
from compiler.passes.names import words
from compiler.passes.names.paths import is_below, path_of, segments, stem
from compiler.twin.requests.paging import LINK_PARAMETER
from compiler.twin.requests.routes import Routes, fill, parameters_in, shape, split
from compiler.twin.requests.styles import DeclaredParameters
from compiler.twin.values.sampler import Sampler, Want
from compiler.twin.values.validation import SchemaView, Validation
from workflow.documents.operations import SAFE_METHODS
from workflow.profiles.profile import Profile, StateRule
from workflow.profiles.profile_speech import JobRule


class TwinKind(StrEnum):
    """What the twin does for an operation. ACT changes nothing by itself; DOCUMENT reads what is no resource.

    PUT_IN and TAKE_OUT are about a list of things that live elsewhere, of which the body names one or several.
    """

    LIST = "list"
    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    ACT = "act"
    DOCUMENT = "document"
    PUT_IN = "put in"
    TAKE_OUT = "take out"
    LOGIN = "login"
    LOGOUT = "logout"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """`resource`: whose item is meant or made. `body_at`: where in the request's body the item's members stand.

    `held_at`: the member in which the item shows the whole body.
    `copies`: what is made starts as a copy of the item in the path (a clone).
    """

    operation: Operation
    kind: TwinKind
    resource: Resource | None = None
    body_at: str = ""
    job: Job | None = None
    copies: bool = False
    held_at: str = ""


@dataclass(frozen=True, slots=True)
class Embedded:
    """A member of an item that shows the children of another resource whose `foreign_key` names the item."""

    member: str
    child: Resource
    foreign_key: str


@dataclass(frozen=True, slots=True)
class ShownChildren:
    """An array in an item (`at`) whose elements hold, in `reference`, the addresses of the items of `child`.

    `child` stands right below the item at `rest` and has no list of its own.
    """

    at: str
    reference: str
    child: Resource
    rest: str


class Blueprint:
    """One understood API with the vendor's profile, ready to be made into twins."""

    def __init__(self, api: Api, profile: Profile) -> None:
        self.api = api
        self.profile = profile
        self.base_path = (profile.base_path or api.base_path).rstrip("/")
        self.schemas = SharedSchemas(api.schemas)
        self.validation = Validation(api.schemas, self.schemas)
        self.sampler = Sampler(self.schemas, self.validation)
        self.operations = {operation.key: operation for operation in api.operations}
        self.routes = Routes(api.operations)
        self._by_item = {shape(r.item): r for r in reversed(api.resources) if r.item}
        read_beside = {shape(path_of(r.read)): r for r in reversed(api.resources) if r.item and r.read}
        self._shown_at = read_beside | self._by_item
        listed_beside = {shape(path_of(r.list)): r for r in reversed(api.resources) if r.list}
        self._by_collection = listed_beside | {shape(r.collection): r for r in reversed(api.resources) if r.collection}
        self._roles = _roles(api.resources)
        self._jobs = {key: job for job in reversed(api.jobs) for key in job.operations}
        self._names = _names(api.resources, profile)
        self.memberships = by_operation(api)
        self._behaviours: dict[str, Behaviour] = {}
        self._declared: dict[str, DeclaredParameters] = {}
        self._ancestors: dict[str, tuple[tuple[Resource, int], ...]] = {}
        self._embedded: dict[str, tuple[Embedded, ...]] = {}
        self._shown: dict[str, tuple[ShownChildren, ...]] | None = None
        self._made_up: dict[tuple[str, str], str] = {}

    def resource(self, noun: str) -> Resource:
        """The resource with this noun. Raises KeyError."""
        for resource in self.api.resources:
            if resource.noun == noun:
                return resource
        raise KeyError(noun)

    def behaviour(self, operation: Operation) -> Behaviour:
        known = self._behaviours.get(operation.key)
        if known is None:
            known = self._behaviours[operation.key] = self._understand(operation)
        return known

    def declared(self, operation: Operation) -> DeclaredParameters:
        """The operation's parameters, as requests are held against them."""
        known = self._declared.get(operation.key)
        if known is None:
            known = self._declared[operation.key] = DeclaredParameters.of(self.schemas, operation.parameters)
        return known

    def item_at(self, template: str) -> Resource | None:
        """The resource whose items stand, or are read, at paths of this shape."""
        return self._shown_at.get(shape(template))

    def collection_at(self, template: str) -> Resource | None:
        """The resource whose collection stands, or is listed, at paths of this shape."""
        return self._by_collection.get(shape(template))

    def ancestors(self, template: str) -> tuple[tuple[Resource, int], ...]:
        """(resource, number of segments) for every item that `template` leads through, outermost first, itself too."""
        known = self._ancestors.get(template)
        if known is None:
            parts = split(shape(template))
            above = [(self._by_item.get("/" + "/".join(parts[:n])), n) for n in range(1, len(parts))]
            itself = (self._by_item.get(at) for at in (stem(shape(template)), shape(template)) if at)
            found = [*above, *((each, len(parts)) for each in itself)] if parts else []
            known = tuple((resource, n) for resource, n in found if resource is not None)
            self._ancestors[template] = known
        return known

    @cached_property
    def position_parameters(self) -> set[str]:
        """Query parameters by which lists are asked for page after page, whether or not the description has them."""
        rules = [r.paging for r in self.api.resources if r.paging is not None]
        told = {name for rule in rules for name in (rule.parameter, rule.size_parameter) if name}
        return told | ({LINK_PARAMETER} if any(rule.by == "link" for rule in rules) else set())

    @cached_property
    def job_views(self) -> frozenset[str]:
        """The operations that show how a job stands."""
        others = (view for rule in self.profile.jobs for view in rule.other_views)
        return frozenset((*(job.poll for job in self.api.jobs), *others))

    def named_by(self, member: str) -> tuple[Resource, ...]:
        """The resources whose id a member (or path parameter) of this name holds."""
        return self._names.get(member) or self._names.get(member.removesuffix("s"), ())

    def example_of(self, declared: ApiParameter, number: int = 1) -> Any:
        """A value of the parameter: the description's example where it fits, a default, else one that is made."""
        schema = declared.schema
        offers = (declared.example, self.schemas.resolve(schema).get("default")) if number == 1 else ()
        for offered in offers:
            if offered is not None and self.validation.fits(schema, offered, SchemaView.REQUEST):
                return offered
        want = Want(SchemaView.REQUEST, number, takes_offers=number == 1)
        least = self.sampler.fitting(schema, replace(want, is_full=False), declared.name)
        # A list or an object without anything in it is not written at all.
        return least if least not in ([], {}) else self.sampler.fitting(schema, want, declared.name)

    def structured_id(self, resource: Resource) -> ApiParameter | None:
        """The parameter of the item's path, where that is a list or an object."""
        if self.parameter_kind(resource) not in ("array", "object"):
            return None
        keys = (resource.read, resource.update, resource.delete, *resource.actions)
        known = [p for key in keys if key in self.operations for p in self.operations[key].parameters]
        return next(p for p in known if (p.location, p.name) == ("path", resource.id_parameter))

    def parameter_kind(self, resource: Resource) -> str:
        """The type that the item's path parameter has, "" where no operation on the item says one."""
        keys = (resource.read, resource.update, resource.delete, *resource.actions)
        known = (self.operations[key] for key in keys if key in self.operations)
        found = (p for one in known for p in one.parameters if (p.location, p.name) == ("path", resource.id_parameter))
        return next((self.schemas.kind(parameter.schema) for parameter in found), "")

    def with_made_up(self, template: str, rest: str) -> str:
        """`rest`, the end of `template`, with a value in the place of each parameter: one that its schema takes."""
        names = parameters_in(rest)
        if not names:
            return rest
        known = self._made_up.get((template, rest))
        if known is None:
            known = self._made_up[template, rest] = self._filled(template, rest, names)
        return known

    def _filled(self, template: str, rest: str, names: tuple[str, ...]) -> str:
        near = [o for o in self.api.operations if shape(o.path).startswith(shape(template))]
        made = {}
        for name in names:
            declared = (p for o in near for p in o.parameters if (p.location, p.name) == ("path", name))
            schema = next((p.schema for p in declared), {"type": "string"})
            made[name] = str(self.sampler.fitting(schema, Want(SchemaView.REQUEST), name))
        return fill(rest, made)

    def listed_elsewhere(self, resource: Resource) -> Resource | None:
        """The resource whose list says the ids of this one, which has no list of its own: the best link's."""
        into = f"path.{resource.id_parameter}"
        known = resource.read or resource.delete
        asked = {known} if known else {*resource.actions, resource.update}  # `POST /relay/promote/{nodeId}` alone
        links = [k for k in self.api.links if k.target in asked and k.into == into]
        for link in sorted(links, key=lambda k: -k.score):
            role = self._roles.get(link.source)
            if role is not None and role[0] is TwinKind.LIST and role[1] is not resource:
                return role[1]
        return None

    def embedded(self, resource: Resource) -> tuple[Embedded, ...]:
        known = self._embedded.get(resource.item)
        if known is None:
            members = self.schemas.members(resource.schema)
            found = (self._embedding(resource, name, member) for name, member in members.items())
            known = self._embedded[resource.item] = tuple(e for e in found if e is not None)
        return known

    def shown_in(self, resource: Resource) -> tuple[ShownChildren, ...]:
        """The children that have no list and whose addresses an item of `resource` holds instead."""
        if self._shown is None:
            self._shown = {}
            for child in self.api.resources:
                owner = self.owner_of(child)
                if owner is not None:
                    rest = "/" + "/".join(split(child.item)[len(split(owner.item)) : -1])
                    shown = ShownChildren(child.members, child.references, child, rest.rstrip("/"))
                    self._shown[owner.item] = (*self._shown.get(owner.item, ()), shown)
        return self._shown.get(resource.item, ())

    def owner_of(self, child: Resource) -> Resource | None:
        """The resource whose items hold the addresses of `child`'s, right above them; None where they are listed."""
        role = self._roles.get(child.listed_in) if child.listed_in and child.references else None
        if role is None or not child.item.startswith(role[1].item + "/"):
            return None
        between = split(child.item)[len(split(role[1].item)) : -1]
        return None if any("{" in segment for segment in between) else role[1]

    def job_rule(self, job: Job) -> JobRule | None:
        """The profile's words on a job, for what the IR does not carry."""
        return next((rule for rule in self.profile.jobs if rule.poll == job.poll), None)

    def state_rules(self, key: str) -> tuple[StateRule, ...]:
        """The rules that the operation moves, or needs a state of."""
        rules = self.profile.states
        return tuple(r for r in rules if key in r.needs or any(t.operation == key for t in r.transitions))

    def in_item(self, job: Job, pointer: str) -> str:
        """A pointer into the body of the poll as one into the item: without the list of one around it."""
        resource = self.item_at(self.operations[job.poll].path) if job.poll in self.operations else None
        return pointer.removeprefix(resource.item_at) if resource is not None else pointer

    def item_schema(self, resource: Resource) -> Schema:
        """The schema of one item: the resource's own, else that of the reply to reading, else to changing it."""
        if resource.schema:
            return resource.schema
        for key in (resource.read, resource.update if not resource.read else ""):
            reply = self.operations[key].success if key else None
            if reply is not None and reply.schema is not None:
                return self.schemas.element(reply.schema) or reply.schema
        return resource.schema

    def looks_like_item(self, schema: Schema | None, resource: Resource) -> bool:
        """Whether a reply with this schema shows the item itself (or a list of one), not a receipt."""
        if schema is None:
            return False
        shown = self.schemas.members(self.schemas.element(schema) or schema)
        known = self.schemas.members(self.item_schema(resource))
        return 2 * len(shown.keys() & known.keys()) > len(shown)

    def _understand(self, operation: Operation) -> Behaviour:
        key, session = operation.key, self.profile.auth.session
        job = self._jobs.get(key)
        if session and key == session.login:
            return Behaviour(operation, TwinKind.LOGIN, self.collection_at(operation.path))
        if session and key == session.logout:
            return Behaviour(operation, TwinKind.LOGOUT, self.item_at(operation.path))
        member = self.memberships.get(key)
        if member is not None and key in member.bodies:
            kind = TwinKind.PUT_IN if key == member.puts_in else TwinKind.TAKE_OUT
            return Behaviour(operation, kind, member.listed, "", job)
        kind, resource = self._role(operation)
        if kind is TwinKind.ACT and self._makes_something(operation, job):
            made = self._made_by(operation)
            if made is not None:
                copies = any(r is made for r, _ in self.ancestors(operation.path))
                return Behaviour(operation, TwinKind.CREATE, made, self._body_at(operation, made), job, copies)
        body_at = self._body_at(operation, resource) if resource is not None else ""
        return Behaviour(operation, kind, resource, body_at, job, held_at=self._held_at(operation, resource, body_at))

    def _role(self, operation: Operation) -> tuple[TwinKind, Resource | None]:
        role = self._roles.get(operation.key)
        if role is not None:
            kind, resource = role
            is_whole = kind is TwinKind.UPDATE and operation.method != "PATCH"
            return (TwinKind.REPLACE if is_whole else kind), resource
        method, item = operation.method, self.item_at(operation.path)
        if method in SAFE_METHODS:  # a GET that says that it acts is an action
            return (TwinKind.ACT if operation.effect is Effect.ACT else TwinKind.DOCUMENT), None
        if item is not None and operation.effect in (None, Effect.UPDATE, Effect.DELETE):
            kind = {"PATCH": TwinKind.UPDATE, "PUT": TwinKind.REPLACE, "DELETE": TwinKind.DELETE}.get(
                method, TwinKind.ACT
            )
            if method == "POST" and self.profile.verbs.post_on_item_updates:
                kind = TwinKind.REPLACE
            return kind, item
        return TwinKind.ACT, None

    def _makes_something(self, operation: Operation, job: Job | None) -> bool:
        """Whether an action leaves something new behind: it answers a created id or a copy, and is called so."""
        if operation.effect is Effect.CREATE:
            return True
        said = words.split(segments(operation.path)[-1] if segments(operation.path) else "")
        if job is None and words.is_about(said[:1], words.COPYING):
            return self._answers_with_copy(operation)
        return job is not None and bool(job.created_id) and words.is_about(said, words.MAKING)

    def _answers_with_copy(self, operation: Operation) -> bool:
        """Whether 201 shows another thing like the one that it was asked of."""
        reply = operation.success
        shown = self.schemas.component(reply.schema) if reply is not None and reply.status == "201" else ""
        return any(
            self.schemas.component(each.schema) == shown != "" for each, _ in self.ancestors(operation.path)[-1:]
        )

    def _made_by(self, operation: Operation) -> Resource | None:
        """What an operation that creates, outside a collection's own POST, makes: as linked, else what its body
        describes, else the nearest above.
        """
        links = sorted((k for k in self.api.links if k.source == operation.key), key=lambda k: -k.score)
        for link in links:
            target = self.operations.get(link.target)
            owner = self.item_at(target.path) if target else None
            if owner is not None and link.into == f"path.{owner.id_parameter}" and "created" in link.at.lower():
                return owner
        described = self._described_in(operation)
        if described is not None:
            return described
        above = self.ancestors(operation.path)
        if above:
            return above[-1][0]
        return next((r for r in self.api.resources if r.collection and is_below(operation.path, r.collection)), None)

    def _described_in(self, operation: Operation) -> Resource | None:
        """The resource that a member of the body shares most with, where it shares most of its own members."""
        parts = self.schemas.members(operation.body.schema).values() if operation.body else ()
        best: tuple[int, Resource | None] = (1, None)  # one shared name says nothing
        for part in parts:
            members = self.schemas.members(part).keys()
            for resource in self.api.resources if members else ():
                shared = len(members & self.schemas.members(self.item_schema(resource)).keys())
                if shared > best[0] and 2 * shared > len(members) and resource.list:
                    best = (shared, resource)
        return best[1]

    def _body_at(self, operation: Operation, resource: Resource) -> str:
        """Where in the body the item stands: the whole body, or the one member that shares most with the item."""
        if operation.body is None:
            return ""
        known = self.schemas.members(self.item_schema(resource)).keys()
        members = self.schemas.members(operation.body.schema)
        if not known or 2 * len(members.keys() & known) > len(members):
            return ""
        shares = {name: len(self.schemas.members(m).keys() & known) for name, m in members.items()}
        best = max(shares, key=lambda name: shares[name], default="")
        return f"/{best}" if best and shares[best] > len(members.keys() & known) else ""

    def _held_at(self, operation: Operation, resource: Resource | None, body_at: str) -> str:
        """Where the item shows what is sent, where all of it stands in one member there, and none of it beside that."""
        if resource is None or operation.body is None or body_at:
            return ""
        shown = self.item_schema(resource)
        is_beside = not self.schemas.members(shown).keys().isdisjoint(self.schemas.members(operation.body.schema))
        return "" if is_beside else self.schemas.holder(operation.body.schema, shown)

    def _embedding(self, resource: Resource, name: str, member: Schema) -> Embedded | None:
        component = self.schemas.component(self.schemas.element(member))
        if not component:
            return None
        for child in self.api.resources:
            if child is not resource and child.list and self.schemas.component(child.schema) == component:
                for key in self.schemas.members(child.schema):
                    if key != child.id_field and resource in self.named_by(key):
                        return Embedded(name, child, key)
        return None


def _roles(resources: tuple[Resource, ...]) -> Mapping[str, tuple[TwinKind, Resource]]:
    """Operation key → what it is to which resource; a resource's own roles before its aliases."""
    roles: dict[str, tuple[TwinKind, Resource]] = {}
    for resource in resources:
        for kind in (TwinKind.LIST, TwinKind.READ, TwinKind.CREATE, TwinKind.UPDATE, TwinKind.DELETE):
            key = getattr(resource, kind.value)
            if key:
                roles.setdefault(key, (kind, resource))
    for resource in resources:
        for alias, key in resource.aliases.items():
            if key in roles and roles[key][0] is not TwinKind.LIST:  # a list of addresses shows no things
                roles.setdefault(alias, roles[key])
    return roles


def _names(resources: tuple[Resource, ...], profile: Profile) -> Mapping[str, tuple[Resource, ...]]:
    """Member name → resources whose id it holds: declared synonyms, and path parameters that say more than `id`."""
    names: dict[str, tuple[Resource, ...]] = {}
    own_ids = {r.id_field for r in resources} | {"id", "Id", "ID", "uuid", "name"}
    for resource in resources:
        declared = (*resource.synonyms, *profile.identity.synonyms.get(resource.noun, ()))
        spoken = (resource.id_parameter,) if resource.id_parameter not in own_ids else ()
        for name in dict.fromkeys((*declared, *spoken)):
            if name and name != resource.id_field:
                names[name] = (*names.get(name, ()), resource)
    return names


def response_for(operation: Operation, status: int) -> Response | None:
    """The declared response for `status`: exact, then its class, then `default` (OpenAPI 3.1, 4.8.16)."""
    declared = {response.status.upper(): response for response in operation.responses}
    return declared.get(str(status)) or declared.get(f"{status // 100}XX") or declared.get("DEFAULT")


def applies(pattern: str | None, operation: Operation) -> bool:
    """Whether a profile's regular expression (None: any) fits `METHOD /path`."""
    return pattern is None or re.search(pattern, operation.key) is not None
