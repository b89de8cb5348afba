"""What actions leave behind in the thing that they are done to, so that their outcome can be compared with a read.

Before: resources with their actions, and jobs. After: an action has `leaves` where the profile says what
(`postconditions`), or where the description itself makes it plain: a member of its body has the name and the values
of a member of the thing, it joins the thing to another one or parts them (`joined`), or its own words promise a state
that the thing knows (`reached`). Names agree by chance, too:
so nothing is taken from an action that makes, reads or removes something, that is about a part of the thing
(`delete_subnet`), that is in force later, or whose answer shows another thing; nothing from members that say which
thing, what is to be done or how, that servers make or that are secret. What is assumed so is told by `assumptions`.
Called by the pipeline.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from compiler.ir.model import ActionPostcondition, Api, Effect, Operation, Resource, Schema
from compiler.ir.schemas import SharedSchemas
from compiler.passes.flows.joined import Joined, verb_of
from compiler.passes.flows.reached import Reached, reached
from compiler.passes.flows.wording.linter import EMPTY_WORDS, KNOWN_VERBS
from compiler.passes.identity import is_a_name, is_server_made, says_id
from compiler.passes.names import words
from compiler.passes.names.paths import ends_in_parameter, is_below, last_word, shape, stem
from compiler.passes.outcome import Options, PassOutcome
from workflow.json.pointers import escape
from workflow.profiles import profile

_PLAIN = ("string", "integer", "number", "boolean")


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Actions that come out at another thing than the one they are asked of, or at none.
_ELSEWHERE = (
    (words.MAKING - {"attach"})
    | words.READING
    | _set(
        "test run execute schedule migrate move send submit report install register append allocate reserve archive "
        "backup dump sync replicate fork spawn launch deploy provision convert extract sign issue "
        "verify encrypt decrypt"
    )
    | (words.DESTROYING - {"restore", "revert", "format", "detach", "unassign"})
)
# Members that say how or why it is done, and not how something is to be.
_ABOUT_THE_DEED = _set(
    "action command operation verb force forced timeout reason comment comments message note notes description "
    "confirm dry wait async sync kind type mode method options option args arguments nonce otp version"
)
_RELEASED = frozenset(("version",))
_RENEWING = frozenset(("update", "upgrade", "downgrade", "flash"))
_RENAMING = frozenset(("rename", "set", "change", "update", "modify", "edit"))


def run(api: Api, options: Options) -> PassOutcome:
    owners = {key: resource for resource in api.resources for key in resource.actions if resource.read}
    reader = _Reader(SharedSchemas(api.schemas), options.profile, api)
    operations = tuple(reader.with_leaves(o, owners[o.key]) if o.key in owners else o for o in api.operations)
    return PassOutcome(replace(api, operations=operations))


class _Reader:
    def __init__(self, schemas: SharedSchemas, told: profile.Profile, api: Api) -> None:
        self.schemas = schemas
        self.profile = told
        self.jobs = api.jobs
        self.operations = {operation.key: operation for operation in api.operations}

    def with_leaves(self, operation: Operation, owner: Resource) -> Operation:
        # `POST`, “rename”; any other update is held against all that it sends (`steps.expectations`).
        is_change = operation.effect is Effect.UPDATE and operation.method == "POST"
        if not (operation.effect is Effect.ACT or is_change) or operation.is_safe or operation.left_out:
            return operation
        rule = next((r for r in self.profile.postconditions if re.search(r.pattern, operation.key)), None)
        leaves = self._told(rule, owner) if rule is not None else self._assumed(operation, owner)
        return replace(operation, leaves=leaves) if leaves is not None else operation

    def _told(self, rule: profile.Postcondition, owner: Resource) -> ActionPostcondition | None:
        """What the profile says, as far as the description has a place for it."""
        shown = tuple((source, place) for source, place in rule.shows.items() if self._has(owner, place))
        held = tuple((place, value) for place, value in rule.holds.items() if self._has(owner, place))
        return ActionPostcondition(shown, held) if shown or held else None

    def _has(self, owner: Resource, place: str) -> bool:
        return not self.schemas.members(owner.schema) or self.schemas.at(owner.schema, place) is not None

    def _assumed(self, operation: Operation, owner: Resource) -> ActionPostcondition | None:
        if (
            not self._is_done_to_one(operation, owner)
            or self._waits(operation)
            or self._shows_another(operation, owner)
        ):
            return None
        joined = self._joined(operation, owner)
        if joined is not None:
            return joined
        if self._comes_out_elsewhere(operation, owner):
            return None
        shown = self._shown_at(operation, owner, "") or self._shown_at(operation, owner, self._holder(operation, owner))
        state = None if shown else self._reached(operation, owner)
        if state is not None:
            return ActionPostcondition(held=((state.place, state.value),), is_assumed=True, against=state.against)
        return ActionPostcondition(shown, is_assumed=True) if shown else None

    def _joined(self, operation: Operation, owner: Resource) -> ActionPostcondition | None:
        """What joining and parting leave, where the action speaks of the thing and what it is joined to alone."""
        verb = verb_of(_names_of(operation))
        sent = self._sent(operation)
        if not verb or any(not _is_about(operation, owner, name) for name in sent if says_id(name)):
            return None
        others = [self.operations[key] for key in owner.actions if key != operation.key]
        opposites = [(verb_of(_names_of(each)), each) for each in others]
        return Joined(owner, self.schemas).left_by(operation, verb, opposites)

    def _sent(self, operation: Operation) -> Mapping[str, Schema]:
        return self.schemas.members(operation.body.schema) if operation.body is not None else {}

    def _reached(self, operation: Operation, owner: Resource) -> Reached | None:
        """What the action's own words promise, where they speak of nothing but the thing."""
        if any(
            re.search(f"^{re.escape(operation.key)}$", t.operation) for r in self.profile.states for t in r.transitions
        ):
            return None
        sent = self._sent(operation)
        if "detach" in _names_of(operation)[0] and any(says_id(name) for name in sent):
            return None  # from one of several: to the others it stays attached
        about = words.singulars(owner.name) | words.singulars(owner.noun)
        said = [word for word in _names_of(operation)[0] if words.singular(word) not in about | EMPTY_WORDS]
        return reached(said, self.schemas.members(owner.schema), self.schemas)

    def _is_done_to_one(self, operation: Operation, owner: Resource) -> bool:
        """Whether it is done to the thing that its address names, as one object says, and to no part of it."""
        at, own = shape(operation.path), shape(owner.item)
        place = bool(owner.item) and (is_below(f"{at}/", own) or stem(at) == own)
        sent = operation.body.schema if operation.body is not None else None
        is_one = not owner.item_is_list or self.profile.envelope.item == "one_element_list"
        return place and is_one and self.schemas.element(sent) is None

    def _comes_out_elsewhere(self, operation: Operation, owner: Resource) -> bool:
        """By the action's words; those behind its verb that name the thing (`enable_schedule`) say nothing of it."""
        about = words.singulars(owner.name) | words.singulars(owner.noun)
        kept = ((n, word) for said in _names_of(operation) for n, word in enumerate(said))
        return any(word in _ELSEWHERE and (n == 0 or words.singular(word) not in about) for n, word in kept)

    def _waits(self, operation: Operation) -> bool:
        return any(re.search(rule.pattern, operation.key) for rule in self.profile.pending_settings)

    def _shows_another(self, operation: Operation, owner: Resource) -> bool:
        """Whether the answer is a thing with an id, and not the one that it is done to."""
        shown = operation.success.schema if operation.success is not None else None
        is_own = self.schemas.component(shown) == self.schemas.component(owner.schema) != ""
        handles = {job.handle_at.rpartition("/")[2] for job in self.jobs if operation.key in job.operations}
        return not is_own and any(says_id(name) for name in self.schemas.members(shown) if name not in handles)

    def _holder(self, operation: Operation, owner: Resource) -> str:
        """The member in which the thing has all that is sent (`/spec`), where an update sends it."""
        is_set = any(set(said) & _RENAMING for said in _names_of(operation))
        body = operation.body.schema if operation.body is not None and is_set else None
        return self.schemas.holder(body, owner.schema)

    def _shown_at(self, operation: Operation, owner: Resource, at: str) -> tuple[tuple[str, str], ...]:
        """Where the thing, or the member at `at` of it, shows what is sent."""
        part = self.schemas.at(owner.schema, at)
        names = self._alike(operation, owner, self.schemas.members(part))
        return tuple((f"/{escape(name)}", f"{at}/{escape(name)}") for name in names)

    def _alike(self, operation: Operation, owner: Resource, shown: Mapping[str, Schema]) -> Iterator[str]:
        """The members of the body that are shown too, with the same kind of values."""
        sent = self._sent(operation)
        called = {owner.id_field, *owner.natural_keys, *owner.synonyms}
        renames = any(set(said) & _RENAMING for said in (*_names_of(operation), words.split(operation.summary)[:1]))
        for name, member in sent.items():
            is_which = says_id(name) or is_server_made(name) or ((name in called or is_a_name(name)) and not renames)
            about_deed = _ABOUT_THE_DEED - (_RELEASED if self._renews(operation, member) else frozenset())
            is_plain = name in shown and not is_which and not set(words.split(name)) & about_deed
            is_plain = is_plain and _is_about(operation, owner, name)
            if is_plain and self._is_same_kind(member, shown[name]) and not self._is_hidden(name, member, shown[name]):
                yield name

    def _renews(self, operation: Operation, member: Schema) -> bool:
        """Whether it brings in another release, which is a text then: a number is that of a write's own version."""
        return self.schemas.kind(member) == "string" and any(set(s[:1]) & _RENEWING for s in _names_of(operation))

    def _is_same_kind(self, sent: Schema, shown: Schema) -> bool:
        kinds = {self.schemas.kind(sent), self.schemas.kind(shown)}
        choices, seen = self.schemas.values(sent), self.schemas.values(shown)
        return len(kinds) == 1 and kinds <= {*_PLAIN} and bool(choices) == bool(seen) and {*choices} <= {*seen}

    def _is_hidden(self, name: str, sent: Schema, shown: Schema) -> bool:
        secret = name in self.profile.secrets or {"password", "secret", "token"} & {*words.split(name)}
        said = [self.schemas.resolve(each) for each in (sent, shown)]
        return bool(secret) or any(s.get("writeOnly") or s.get("format") == "password" for s in (*said, sent, shown))


def _is_about(operation: Operation, owner: Resource, name: str) -> bool:
    """Whether the action's own words speak of the member, of the thing or of nothing: `change_ip_range`, `resize`."""
    if ends_in_parameter(operation.path):
        return True
    said = {words.singular(word) for word in _names_of(operation)[0]} - KNOWN_VERBS - EMPTY_WORDS
    about = {*words.split(name), *words.split(owner.name), *words.split(owner.noun)}
    return said <= {words.singular(word) for word in about}


def _names_of(operation: Operation) -> tuple[tuple[str, ...], ...]:
    """What the action calls itself: the end of its path, and its id."""
    return (words.split(last_word(operation.path).rpartition(".")[2]), words.split(operation.name))
