"""Inputs with which a workflow can be proved: items that exist, bodies that will be accepted.

Looks at the current state and, for an item that has to be in a certain state first, puts it there. Everything here
is for whoever drives the twin; nothing of it is reached by a request.
"""

from collections.abc import Mapping
from typing import Any

from compiler.ir.model import ApiParameter, Body, Operation, Resource
from compiler.twin.blueprint import Behaviour, Blueprint, TwinKind
from compiler.twin.references import check_references
from compiler.twin.requests.messages import RefusalError, Sample
from compiler.twin.requests.routes import parameters_in
from compiler.twin.seeds import SeedPlace
from compiler.twin.sessions import Credentials, filled
from compiler.twin.states import named_item
from compiler.twin.store import Store
from compiler.twin.values.pointers import MISSING, get, put
from compiler.twin.values.sampler import Want
from compiler.twin.values.validation import SchemaView
from workflow.profiles.profile import StateRule

Json = Any
_NAMING = ("name", "label", "title")  # keys that people choose; an address or a serial number is not theirs to make up


class Samples:
    def __init__(self, blueprint: Blueprint, store: Store, credentials: Credentials) -> None:
        self._credentials = credentials
        self._blueprint = blueprint
        self._store = store

    def sample(self, noun: str, operation: str, when: Mapping[str, Json]) -> Sample | None:
        """See `Twin.sample`."""
        resources = self._resources(noun, operation)
        places = [place for resource in resources for place in self._store.places(resource)]
        if not places:
            return None
        rules = self._blueprint.state_rules(operation) if operation else ()
        fitting = (place for place in places if all(self._is_ready(place, rule, operation, when) for rule in rules))
        place = next(fitting, None) or self._arranged(places[0], rules, operation, when)
        return self._described(place)

    def _resources(self, noun: str, operation: str) -> list[Resource]:
        """Those of this noun or item path; of several, those in the operation's own path first."""
        found = [r for r in self._blueprint.api.resources if noun in (r.noun, r.item)]
        path = operation.partition(" ")[2]
        inside = [resource for resource, _ in self._blueprint.ancestors(path)] if path else []
        return sorted(found, key=lambda resource: resource not in inside)

    def body(self, key: str, *, is_full: bool) -> Json:
        """See `Twin.example_body`. Raises KeyError for an unknown operation."""
        behaviour = self._blueprint.behaviour(self._blueprint.operations[key])
        body = behaviour.operation.body
        if body is None:
            return None
        if behaviour.kind is TwinKind.LOGIN:
            return self._login()
        made = self._made(behaviour, body, is_full=is_full)
        for rule in self._blueprint.state_rules(key):
            meant = named_item(self._blueprint, self._store, rule.resource, made) if key in rule.needs else None
            if meant is not None:
                self._arranged(meant, (rule,), key, {})
        return made

    def parameter(self, key: str, name: str) -> Json:
        """See `Twin.example_parameter`."""
        operation = self._blueprint.operations[key]
        declared = next((p for p in operation.parameters if p.name == name), None)
        if declared is None:
            return None
        held = self._held(operation, declared)
        return self._blueprint.example_of(declared) if held is MISSING else held

    def _held(self, operation: Operation, asked: ApiParameter) -> Json:
        """What the first thing of a list has in the member that the query asks by, so that the list is not empty."""
        behaviour = self._blueprint.behaviour(operation)
        resource = behaviour.resource
        if (
            asked.location != "query"
            or asked.example is not None
            or behaviour.kind is not TwinKind.LIST
            or not resource
        ):
            return MISSING
        place = next(iter(self._store.places(resource)), None)
        item = self._store.item(place) if place is not None else None
        value = item.get(asked.name, MISSING) if isinstance(item, dict) else MISSING
        is_plain = isinstance(value, (str, int)) and not isinstance(value, bool)
        return (
            value if is_plain and self._blueprint.validation.fits(asked.schema, value, SchemaView.REQUEST) else MISSING
        )

    def _login(self) -> Json:
        rule = self._blueprint.profile.auth.session
        return filled(rule.login_body, self._credentials) if rule is not None else {}

    def _belonging(self, behaviour: Behaviour) -> Json:
        """What names a thing that can be put into the list, or one that is in it; MISSING for any other operation."""
        one = self._blueprint.memberships.get(behaviour.operation.key)
        if one is None or behaviour.kind not in (TwinKind.PUT_IN, TwinKind.TAKE_OUT):
            return MISSING
        source = one.home if behaviour.kind is TwinKind.PUT_IN else one.listed
        place = next(iter(self._store.places(source)), None)
        item = self._store.item(place) if place is not None else None
        if not isinstance(item, dict):
            return MISSING
        named = {one.member: item.get(one.listed.id_field)} if one.member else item
        return [named] if one.takes_many else named

    def _made(self, behaviour: Behaviour, body: Body, *, is_full: bool) -> Json:
        belonging = self._belonging(behaviour)
        if belonging is not MISSING:
            return belonging
        if body.example is not None and self._is_accepted(behaviour, body.example):
            return self._renamed(behaviour, body.example)
        if not self._blueprint.schemas.kind(body.schema):
            return {}  # nobody described it: the device takes anything
        want = Want(SchemaView.REQUEST, is_full=is_full)
        made = self._blueprint.sampler.fitting(body.schema, want, behaviour.resource.noun if behaviour.resource else "")
        if made == []:
            made = [self._blueprint.sampler.fitting(self._blueprint.schemas.element(body.schema) or {}, want)]
        return self._renamed(behaviour, self._referring(made, behaviour.resource))

    def _is_accepted(self, behaviour: Behaviour, example: Json) -> bool:
        body = behaviour.operation.body
        if body is None or self._blueprint.validation.fault(body.schema, example, SchemaView.REQUEST):
            return False
        try:
            check_references(self._blueprint, self._store, behaviour.resource, example, schema=body.schema)
        except RefusalError:
            return False
        return True

    def _renamed(self, behaviour: Behaviour, body: Json) -> Json:
        """With a name that nothing has yet, where the operation makes something that people name."""
        resource = behaviour.resource
        if resource is None or resource.create != behaviour.operation.key or behaviour.operation.body is None:
            return body
        members = self._blueprint.schemas.members(
            self._blueprint.schemas.at(behaviour.operation.body.schema, behaviour.body_at)
        )
        for name in resource.natural_keys[:1]:
            plain = f"new-{resource.name or resource.noun}".lower().replace(" ", "-")
            member = members.get(name)
            is_writable = member is not None and not self._blueprint.validation.is_read_only(member)
            is_name = any(word in name.lower() for word in _NAMING)
            if (
                member is not None
                and is_name
                and is_writable
                and self._blueprint.validation.fits(member, plain, SchemaView.REQUEST)
            ):
                body = put(body, f"{behaviour.body_at}/{name}", plain)
        return body

    def _referring(self, body: Json, resource: Resource | None) -> Json:
        """With ids of items that exist in the members that name something."""
        if isinstance(body, list):
            return [self._referring(element, resource) for element in body]
        if not isinstance(body, dict):
            return body
        copy = {}
        for name, value in body.items():
            owners = self._blueprint.named_by(name) if resource is None or name != resource.id_field else ()
            found = next((place for owner in owners for place in self._store.places(owner)), None)
            if found is None:
                copy[name] = self._referring(value, resource)
            else:
                copy[name] = [found.id] if isinstance(value, list) else found.id
        return copy

    def _is_ready(self, place: SeedPlace, rule: StateRule, operation: str, when: Mapping[str, Json]) -> bool:
        meant = self._governed(place, rule)
        if meant is None:
            return True
        allowed = allowed_states(rule, operation, when)
        return not allowed or get(self._store.item(meant), rule.field) in allowed

    def _arranged(
        self, place: SeedPlace, rules: tuple[StateRule, ...], operation: str, when: Mapping[str, Json]
    ) -> SeedPlace:
        for rule in rules:
            meant = self._governed(place, rule)
            allowed = allowed_states(rule, operation, when)
            if meant is not None and allowed and get(self._store.item(meant), rule.field) not in allowed:
                self._store.put(meant, put(self._store.item(meant), rule.field, allowed[0]))
        return place

    def _governed(self, place: SeedPlace, rule: StateRule) -> SeedPlace | None:
        """The item whose state the rule is about: this one, or the one that this one names."""
        if place.resource.noun == rule.resource:
            return place
        return named_item(self._blueprint, self._store, rule.resource, self._store.item(place))

    def _described(self, place: SeedPlace) -> Sample:
        resource = place.resource
        item = self._store.shown(place)
        match = self._blueprint.routes.match(place.address)
        names = parameters_in(resource.item)
        is_own = match is not None and len(names) == len(
            match.values
        )  # not at `/authn-gcp/{account}` for `/{kind}/{account}`
        parameters = dict(zip(names, match.values, strict=True)) if match and is_own else {}
        name = next((n for n in resource.natural_keys if get(item, f"/{n}") is not MISSING), "")
        value = str(item[name]) if name else place.id
        return Sample(resource.noun, place.id, place.address, parameters, name, value, item)


def allowed_states(rule: StateRule, operation: str, when: Mapping[str, Json]) -> tuple[str, ...]:
    """The states in which the operation, with these body members, may be called; empty: any."""
    needed = rule.needs.get(operation, ())
    meant = [
        t
        for t in rule.transitions
        if t.operation == operation and all(t.when.get(at, value) == value for at, value in when.items())
    ]
    moving = tuple(dict.fromkeys(state for t in meant for state in t.from_states))
    return tuple(s for s in moving if s in needed) if needed and moving else needed or moving
