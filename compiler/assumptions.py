"""Assumptions: what neither the description nor the profile says, and what was taken for it.

Before: an understood Api. After: the same Api, and notes, each with the profile's field that would settle it. No note
where the profile speaks. Changes nothing and plans nothing: `lint` alone runs it, after the understanding passes.
Jobs that were inferred are told by the jobs pass itself (`job-assumed`).
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from compiler.ir.model import ActionPostcondition, Api, Diagnostic, Effect, Operation, Resource, Schema, Severity
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.context import Context
from compiler.passes.flows.inputs.bodies import enumerations
from compiler.passes.flows.splits import risk_of_value, splits_of
from compiler.passes.identity import MOST_AROUND, says_id
from compiler.passes.names import words
from compiler.passes.names.paths import ends_in_parameter
from compiler.passes.outcome import Options, PassOutcome
from workflow.profiles.profile import Profile, RiskRule
from workflow.risks import Risk

_CHANGES = (Effect.CREATE, Effect.UPDATE, Effect.DELETE, Effect.ACT)
_DANGEROUS = (Risk.DISRUPT, Risk.DESTROY)
_STATE_WORDS = ("state", "status")
_SHOWING = (("power",), ("state",), ("status",), ("runtime",))  # what shows nothing but the state of what it is below
_MOVING = {"start", "stop", "shutdown", "reboot", "restart", "suspend", "resume", "pause", "poweron", "poweroff"}
_GONE_WORDS = {"deleted", "terminated", "removed", "absent", "destroyed", "purged", "gone"}
_KEPT_OTHERWISE = {"certificate", "cert", "pem", "fingerprint", "hash", "checksum", "key", "html", "markdown"}
_FAILURE_WORDS = {"error", "failed", "failure", "fault", "faulted", "crashed", "broken", "stuck"}
_FEW = 3  # operations; what fewer want is no convention


def run(api: Api, options: Options) -> PassOutcome:
    teller = _Teller(api, options.profile)
    return PassOutcome(api, tuple(teller.tell()))


def _note(code: str, pointer: str, message: str, remedy: str) -> Diagnostic:
    return Diagnostic(code, Severity.NOTE, pointer, message, remedy)


def _address(resource: Resource) -> str:
    return resource.item or resource.collection


def _keys(resource: Resource) -> tuple[str, ...]:
    own = (resource.list, resource.read, resource.create, resource.update, resource.delete)
    return (*(key for key in own if key), *resource.actions)


@dataclass(frozen=True, slots=True)
class _Rules:
    """Which operations the profile's rules of risk and of jobs name."""

    profile: Profile

    def for_all(self, operation: Operation) -> RiskRule | None:
        """The rule that classes the operation whatever is sent."""
        return next((rule for rule in self._of(operation) if not rule.when), None)

    def for_value(self, operation: Operation, pointer: str, value: object) -> RiskRule | None:
        return next((rule for rule in self._of(operation) if value in rule.when.get(pointer, ())), None)

    def _of(self, operation: Operation) -> Iterator[RiskRule]:
        for rule in self.profile.risks:
            if rule.operation == operation.key or (rule.pattern and re.search(rule.pattern, operation.key)):
                yield rule

    def starts_no_job(self, operation: Operation) -> bool:
        return any(re.search(pattern, operation.key) for rule in self.profile.jobs for pattern in rule.never)


class _Teller:
    def __init__(self, api: Api, profile: Profile) -> None:
        self.api = api
        self.profile = profile
        self.rules = _Rules(profile)
        self.context = Context.of(api, profile)
        self.schemas = self.context.schemas
        self.operations = tuple(o for o in api.operations if not o.left_out)
        self.actions = tuple(o for o in self.operations if o.effect is Effect.ACT)
        views = {view for rule in self.profile.jobs for view in (rule.poll, *rule.other_views)}
        jobs = {*views, *(job.poll for job in api.jobs)}  # jobs have rules of their own
        self.resources = tuple(r for r in api.resources if _keys(r) and r.read not in jobs)

    def tell(self) -> Iterator[Diagnostic]:
        yield from self.authentication()
        yield from self.constant_headers()
        for resource in self.resources:
            yield from self.identity(resource)
            yield from self.envelope(resource)
            yield from self.around(resource)
            yield from self.updates(resource)
            yield from self.state(resource)
            yield from self.moves(resource)
            yield from self.gone(resource)
            yield from self.rewritten(resource)
        yield from self.unseen_states()
        yield from self.item_posts()
        yield from self.accepted()
        yield from self.versions()
        yield from self.left_behind()
        yield from self.risks()
        yield from self.values()

    def authentication(self) -> Iterator[Diagnostic]:
        if self.api.security and set(self.profile.auth.kinds) == {"none"}:
            ways = ", ".join(self.api.security)
            yield _note(
                "authentication-unknown",
                "#/components/securitySchemes",
                f"the description declares security ({ways}); assumed that no credentials are sent",
                "say it in the profile's `auth`",
            )

    def constant_headers(self) -> Iterator[Diagnostic]:
        """Headers that most operations want, and that are no business of whoever calls one."""
        told = {name.lower() for name in self.profile.protocol.request_headers}
        wanted = Counter(
            p.name for o in self.operations for p in o.parameters
            if p.location == "header" and p.is_required and p.name.lower() not in told
        )  # fmt: skip
        for name, count in wanted.items():
            if count >= max(_FEW, len(self.operations) / 2):
                yield _note(
                    "header-everywhere",
                    "#/paths",
                    f"{count} of {len(self.operations)} operations require the header {name}; assumed that whoever "
                    "calls a workflow gives it each time",
                    "say its value in the profile's `protocol.request_headers`, where it is always the same",
                )

    def identity(self, resource: Resource) -> Iterator[Diagnostic]:
        if not resource.id_parameter or resource.single or resource.collection in self.profile.sole_members:
            return
        known = self.context.referents.find(resource.id_parameter)
        if not resource.source:
            if known is None:
                yield _note(
                    "not-listed",
                    _address(resource),
                    f"no operation lists {words.plural(resource.name)}; {{{resource.id_parameter}}} has to be given",
                    "name the resource whose id it is in the profile's `identity.synonyms`, or the one in `singles`",
                )
            return
        told = {*self.profile.identity.natural_keys}
        has_key = resource.natural_keys or resource.inner_name or (known is not None and known.resource.natural_keys)
        if not has_key and not resource.references and not told & {resource.noun, "*"}:
            yield _note(
                "no-natural-key",
                _address(resource),
                f"no member says what people call one; {words.plural(resource.name)} are looked up by "
                f"{resource.id_field or resource.id_parameter} only",
                "name the members in the profile's `identity.natural_keys`",
            )

    def envelope(self, resource: Resource) -> Iterator[Diagnostic]:
        told = self.profile.envelope
        if resource.item_is_list and told.item != "one_element_list":
            yield _note(
                "one-element-list",
                resource.read,
                f"reading one {resource.name} answers a list; assumed that it has one element",
                "say it in the profile's `envelope.item`",
            )
        if resource.references and not (told.member_is_reference and told.reference_field):
            yield _note(
                "references-only",
                resource.source,
                f"the list holds only addresses; assumed that they stand in “{resource.references}”",
                "say it in the profile's `envelope.member_is_reference` and `envelope.reference_field`",
            )

    def around(self, resource: Resource) -> Iterator[Diagnostic]:
        """Where a reply shows a thing inside something else, or may do so."""
        told = self.profile.envelope
        shown = self.context.operations[resource.list].success if resource.list else None
        element = self.schemas.element(self.schemas.at(shown.schema, resource.members)) if shown else None
        for field, place, schema, where in (
            ("item_at", resource.wrapper, resource.schema if resource.read else None, resource.read),
            ("element_at", resource.element_at, element, resource.list),
        ):
            if {resource.noun, "*"} & getattr(told, field).keys() or resource.references:
                continue
            inner = "" if place else self._inside(schema)
            if place or inner:
                yield _note(
                    "something-around",
                    where,
                    f"assumed that a {resource.name} stands in “{place.lstrip('/')}” alone"
                    if place
                    else f"“{inner}” may be the {resource.name} itself; assumed that it is a part of it",
                    f"say it in the profile's `envelope.{field}`",
                )

    def _inside(self, schema: Schema | None) -> str:
        """The members that have an id, of a reply that has none itself; "" where none has."""
        members = self.schemas.members(schema)
        if len(members) > MOST_AROUND or any(says_id(name) for name in members):
            return ""
        named = [n for n, m in members.items() if any(says_id(inner) for inner in self.schemas.members(m))]
        return "” or “".join(named)

    def updates(self, resource: Resource) -> Iterator[Diagnostic]:
        if resource.aliases and "prefer" not in self.profile.verbs.model_fields_set:
            others = ", ".join(resource.aliases)
            yield _note(
                "update-chosen",
                resource.update,
                f"assumed to be the way to update; {others} counts as its alias",
                "say which is better in the profile's `verbs.prefer`, or what does something else in `verbs.distinct`",
            )

    def state(self, resource: Resource) -> Iterator[Diagnostic]:
        moved = self._moved(resource)
        told = {rule.resource for rule in self.profile.states}
        is_told = told & {resource.noun, moved} or self._moves_known() & set(resource.actions)
        if is_told or not any((resource.update, resource.delete, *resource.actions, moved)):
            return
        members = self.schemas.members(resource.schema)
        inside = ((f"{n}/{i}", each) for n, m in members.items() for i, each in self._parts(m).items())
        found = [*self._states(members.items())] or [*self._states(inside if moved else ())]
        for place, values in found:
            yield _note(
                "state-without-rule",
                _address(resource),
                f"“{place}” looks like a state ({', '.join(map(str, values))}); assumed that it allows every change "
                "and that none has to be waited for",
                "say how it moves in the profile's `states`",
            )

    def _moves_known(self) -> set[str]:
        return {each.operation for rule in self.profile.states for each in rule.transitions}

    def _parts(self, member: Schema) -> Mapping[str, Schema]:
        """Members of a part of the thing; of another thing that is shown with it none."""
        found = self.schemas.members(member)
        return {} if any(says_id(name) for name in found) else found

    def _moved(self, resource: Resource) -> str:
        """The noun of what is started and stopped and shows its state here: the thing itself, or what it is below."""
        above = (r for r in self.resources if r.item and r.item == resource.parent and not resource.id_parameter)
        is_state = words.split(resource.noun)[-1:] in _SHOWING
        owner = next(above, None) if is_state else resource
        moves = owner is not None and any(set(words.split(key.rpartition("/")[2])) & _MOVING for key in owner.actions)
        return owner.noun if owner is not None and moves else ""

    def _states(self, members: Iterable[tuple[str, Schema]]) -> Iterator[tuple[str, tuple[Any, ...]]]:
        for name, member in members:
            values = self.schemas.values(member)
            if values and words.split(name)[-1:] and words.split(name)[-1] in _STATE_WORDS:
                yield name, values

    def moves(self, resource: Resource) -> Iterator[Diagnostic]:
        """What the rule for a thing's state leaves open: how a failure looks, and what shows a restart."""
        for rule in self.profile.states:
            if rule.resource != resource.noun or not resource.read:
                continue
            known = {*rule.failed, *(s for t in rule.transitions for s in (*t.from_states, t.to))}
            values = [
                str(v) for v in self.schemas.values(self.schemas.at(resource.schema, rule.field)) if v not in known
            ]
            bad = [value for value in values if set(words.split(value)) & _FAILURE_WORDS]
            if bad and rule.transitions:
                yield _note(
                    "failing-state",
                    _address(resource),
                    f"“{rule.field}” may be {', '.join(bad)}; assumed that what is waited for may still follow",
                    "name the states that mean failure in the profile's `states.failed`",
                )
            same = [t.operation for t in rule.transitions if t.to in t.from_states and t.changes is None]
            if same:
                yield _note(
                    "restart-not-seen",
                    _address(resource),
                    f"{', '.join(dict.fromkeys(same))} may begin and end in one state; assumed that nothing shows it",
                    "name what has another value afterwards in the profile's `states.transitions.changes`",
                )

    def unseen_states(self) -> Iterator[Diagnostic]:
        """Rules for states that nothing shows where they say."""
        for rule in self.profile.states:
            shown = [r for r in self.api.resources if r.noun == rule.resource and (r.read or r.list)]
            if not any(not r.schema or self.schemas.at(r.schema, rule.field) is not None for r in shown):
                yield _note(
                    "state-not-shown",
                    "#/paths",
                    f"nothing of the noun {rule.resource} shows “{rule.field}”; assumed that devices do"
                    if shown
                    else f"nothing that is read has the noun {rule.resource}; assumed that its state is shown nowhere",
                    "name in the profile's `states.resource` the noun of what shows it (the thing, or what stands "
                    "right below it), and in `states.field` the place there",
                )

    def gone(self, resource: Resource) -> Iterator[Diagnostic]:
        """Things that may be shown after they were deleted, with a state that says so."""
        if not resource.delete or not resource.read:
            return
        if any(re.search(rule.pattern or "", resource.read) for rule in self.profile.gone):
            return
        for name, member in self.schemas.members(resource.schema).items():
            words_of = {str(value): set(words.split(str(value))) for value in self.schemas.values(member)}
            ended = [value for value, said in words_of.items() if said & _GONE_WORDS]
            if ended:
                yield _note(
                    "gone-by-state",
                    resource.read,
                    f"“{name}” may be {', '.join(ended)}; assumed that what was deleted answers 404 or 410",
                    "say what a deleted one looks like in the profile's `gone`",
                )

    def rewritten(self, resource: Resource) -> Iterator[Diagnostic]:
        """Members that are set and shown, and that devices like to keep in a form of their own."""
        if not resource.read or not (resource.update or resource.create):
            return
        told = [rule.member for rule in self.profile.compare]
        for name, member in self.schemas.members(resource.schema).items():
            is_plain = self.schemas.kind(member) == "string" and not self.schemas.resolve(member).get("readOnly")
            is_told = any(f"/{name}".endswith(at) or at.endswith(f"/{name}") for at in told)
            if is_plain and not is_told and words.split(name)[-1:] and words.split(name)[-1] in _KEPT_OTHERWISE:
                yield _note(
                    "shown-as-sent",
                    _address(resource),
                    f"“{name}” is compared with what is read back; assumed that it is shown as it was sent",
                    "say it in the profile's `compare` where the device keeps another form of it (`rewritten`)",
                )

    def item_posts(self) -> Iterator[Diagnostic]:
        if "post_on_item_updates" in self.profile.verbs.model_fields_set:
            return
        for operation in self.actions:
            if operation.method == "POST" and ends_in_parameter(operation.path):
                yield _note(
                    "post-on-item",
                    operation.key,
                    "assumed to be an action, not an update",
                    "say it in the profile's `verbs.post_on_item_updates`",
                )

    def accepted(self) -> Iterator[Diagnostic]:
        """Changes that may go on after the reply, though nothing says how to wait for them."""
        started = {key for job in self.api.jobs for key in job.operations}
        for operation in self.operations:
            may_go_on = any(reply.status == "202" for reply in operation.responses)
            is_known = operation.key in started or self.rules.starts_no_job(operation)
            if may_go_on and operation.effect in _CHANGES and not is_known:
                yield _note(
                    "job-unknown",
                    operation.key,
                    "may answer 202, and no job is known for it; what is answered so is told as pending",
                    "say how it is waited for in the profile's `jobs`, or that it starts none in `jobs.never`",
                )

    def versions(self) -> Iterator[Diagnostic]:
        if self.profile.conditional.methods:
            return
        for operation in self.operations:
            headers = {p.name.lower() for p in operation.parameters if p.location == "header"}
            asks = "if-match" in headers or any(reply.status in ("412", "428") for reply in operation.responses)
            if asks and operation.effect in _CHANGES:
                yield _note(
                    "version-not-sent",
                    operation.key,
                    "seems to take the version that was read before; assumed that it works without",
                    "say it in the profile's `conditional`",
                )

    def left_behind(self) -> Iterator[Diagnostic]:
        """What is taken for the outcome of actions, and those of which nothing shows what they did."""
        moved = self._moves_known()
        told = [rule.pattern for rule in self.profile.postconditions]
        unseen = 0
        for operation in self.actions:
            leaves, owner = operation.leaves, self.context.by_action.get(operation.key)
            if leaves is not None and leaves.is_assumed and owner is not None:
                yield _note(
                    "outcome-assumed",
                    operation.key,
                    _assumed_of(leaves, owner.name),
                    "confirm or correct it in the profile's `postconditions`",
                )
            is_told = operation.key in moved or any(re.search(pattern, operation.key) for pattern in told)
            unseen += leaves is None and not is_told and not operation.is_safe
        if unseen:
            yield _note(
                "outcome-not-seen",
                "#/paths",
                f"no read is known to show what {unseen} of {len(self.actions)} actions did; assumed that a good "
                "answer is all that there is",
                "say what they leave behind in the profile's `postconditions`, or in `states`",
            )

    def risks(self) -> Iterator[Diagnostic]:
        untold = [
            o for o in self.actions if not self.rules.for_all(o) and not splits_of(self.context, o)
        ]  # what is split is told by its values
        if untold:
            yield _note(
                "risk-by-words",
                "#/paths",
                f"{len(untold)} of {len(self.actions)} actions are classed by the words of their names only",
                "class them in the profile's `risks`",
            )
        for operation in untold:
            if operation.risk in _DANGEROUS:
                yield _note(
                    f"{operation.risk.value}-by-words",
                    operation.key,
                    f"classed as {operation.risk.value}: {operation.risk_reason}",
                    "confirm or correct it in the profile's `risks`",
                )

    def values(self) -> Iterator[Diagnostic]:
        for operation in self.actions:
            splits = splits_of(self.context, operation)
            if splits:
                yield from self.split(operation, splits[0].choice.pointer)

    def split(self, operation: Operation, pointer: str) -> Iterator[Diagnostic]:
        values = enumerations(Builder(self.context, operation), operation)[pointer]
        classes: dict[Risk, list[str]] = {}
        for value in values:
            risk = risk_of_value(self.context, operation, pointer, value)
            whole = self.rules.for_all(operation)
            is_told = self.rules.for_value(operation, pointer, value) or (whole and whole.risk == risk.value)
            if not is_told:
                classes.setdefault(risk, []).append(str(value))
        if classes:
            told = "; ".join(f"{risk.value}: {', '.join(classes[risk])}" for risk in Risk if risk in classes)
            yield _note(
                "values-by-words",
                operation.key,
                f"the values of {pointer} are classed by their words only ({told})",
                "class them in the profile's `risks`, with `when`",
            )


def _assumed_of(leaves: ActionPostcondition, name: str) -> str:
    """What an action is assumed to leave behind in the thing of this name."""
    shown, lists = (", ".join(at.lstrip("/") for _, at in places) for places in (leaves.shown, leaves.lists))
    held = ", ".join(f"{place.lstrip('/')} {'of nothing' if value == '' else value}" for place, value in leaves.held)
    if shown:
        return f"the body and the {name} both have {shown}; assumed that it shows afterwards what was sent"
    if held:
        return f"assumed that the {name} shows {held} afterwards"
    put = "has" if leaves.put_in else "no longer has"
    return f"assumed that the {name} {put} among its {lists} what was sent"
