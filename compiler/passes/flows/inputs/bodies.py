"""Request bodies: which members the caller gives, which are looked up, which are left out.

The payload is a template with the body's own structure; required objects are opened so that callers give plain
members. Members that are read-only, internal or deprecated are not offered; those fixed at creation are not offered
for updates. An optional member that is not given is left out of the request.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from compiler.ir.model import Body, Effect, Input, Operation, Resource, Schema
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.context import address
from compiler.passes.flows.inputs.conditions import Conditions, in_all, inputs_in
from compiler.passes.flows.inputs.inlining import Room, inline
from compiler.passes.flows.inputs.input_texts import SENTENCE, is_read_only, offers_of, purpose_of, told, with_example
from compiler.passes.flows.inputs.own_ids import is_named_in_body, known_already
from compiler.passes.flows.inputs.usual import (
    MOST_OPTIONAL,
    addressed_by,
    lists_meant,
    spoken_of,
    usual_members,
    usual_structures,
)
from compiler.passes.flows.steps.lookups import identify
from compiler.passes.flows.wording import linter as wording
from compiler.passes.identity import is_server_made
from compiler.passes.names import words
from compiler.passes.names.paths import is_below, last_word
from compiler.passes.names.words import first_sentence, split
from workflow.json.pointers import NOTHING, escape, parse_pointer, resolve
from workflow.profiles.profile import Fix
from workflow.requests.multipart import FILE_NAME, PartKind, is_textual

_OPEN_DEPTH = 3  # objects nested deeper are given as a whole
_WHOLE = 0.7  # of what is shown of a thing
_DESCRIBING = frozenset({"description", "comment", "comments", "note", "notes"})
_JSON_PATCH = "What is changed, as JSON Patch (RFC 6902): a list of steps, each with op, path and value."
_SAMPLE_FILE = "c3dpdGNoZ2Vhcg=="


@dataclass(frozen=True, slots=True)
class Choice:
    """A member of the body restricted to some of its values; `as_input` when the caller still chooses."""

    pointer: str
    values: tuple[Any, ...]

    @property
    def as_input(self) -> bool:
        return len(self.values) > 1


@dataclass(frozen=True, slots=True)
class _Member:
    """A member on the way down: its pointer and name, whether every object above it is there, how deep it is."""

    pointer: str
    name: str
    schema: Schema
    is_required: bool
    depth: int


class BodyInputs:
    """Builds the payload of one operation within one flow."""

    def __init__(self, builder: Builder, operation: Operation, choices: Mapping[str, Choice] | None = None) -> None:
        self.builder = builder
        self.operation = operation
        self.choices = choices or {}
        self.schemas = builder.context.schemas
        self.shown = 0
        self.room = Room()
        self.resource = builder.context.by_change.get(operation.key)
        self.common = self._common()
        self.top = frozenset(self._start())
        self.structures = self._structures()
        marks = builder.context.profile.marks
        hidden = (*marks.get("internal", ()), *marks.get("deprecated", ()), *marks.get("read_only", ()))
        self.hidden = hidden or ("INTERNAL", "DEPRECATED", "Deprecated")
        self.fixed = marks.get("create_only", ("CREATE-ONLY",))
        self.reports = _job_components(builder)
        self.settable = self._settable()
        self.fixes = {fix.member: fix for fix in _fixes(builder, operation)}
        self.said = (*self.fixes, *builder.fixed_members)
        self.body_parts = operation.body.parts if operation.body else {}
        self.parts: dict[str, dict[str, str]] = {}
        told = (first_sentence(p.description) for p in operation.parameters if p.location == "path")
        self.addressed = frozenset(one for one in told if one.count(" ") >= SENTENCE)
        self.alike: set[str] = set()  # objects within the body that describe a thing of their own, as the body does
        self.defaulted: set[str] = set()  # inputs whose default a person chose

    def _start(self) -> Mapping[str, Schema]:
        """The members at the top of the body, or of its elements."""
        body = self.operation.body
        return self.schemas.offered(self.schemas.element(body.schema) or body.schema)[0] if body else {}

    def _common(self) -> frozenset[str]:
        """The optional members that people set most, where not all can be shown (`usual`)."""
        body = self.operation.body
        start = self.schemas.element(body.schema) or body.schema if body else None
        members = self.schemas.members(start)
        plain = [n for n, m in members.items() if self.schemas.kind(m) not in ("object", "array")]
        plain = [name for name in plain if name not in self.builder.context.envelope]
        if len(plain) <= MOST_OPTIONAL:
            return frozenset()
        required = self.schemas.required(start)
        wanted = [name for name in plain if name not in required]
        made = self.builder.context.by_create.get(self.operation.key)
        keys = (*(self.resource.natural_keys if self.resource else ()), *addressed_by(made))
        example = next((e for e in (body and body.example, *offers_of(self.schemas.flat(start))) if e), None)
        needed = self.builder.context.required_names
        things = {words.singular(r.noun).lower() for r in self.builder.context.api.resources if r.list}
        return frozenset(usual_members(self.operation, wanted, keys, needed, example, things))

    def _structures(self) -> frozenset[str]:
        body = self.operation.body
        offers = (body.example, *offers_of(self.schemas.flat(body.schema))) if body else ()
        example = next((one for one in offers if one), None)
        usual = usual_structures(
            self.schemas, self._start(), last_word(self.operation.path), example, self.builder.context.envelope
        )
        large = [name for name, member in self._start().items() if self.schemas.kind(member) in ("object", "array")]
        meant = spoken_of(self.operation.summary, large) | lists_meant(self.schemas, self.operation, self._start())
        return usual | meant

    def _settable(self) -> frozenset[str]:
        """The members that can be changed later; empty where the resource can't be updated or names none."""
        resource = self.builder.context.by_create.get(self.operation.key)
        update = self.builder.context.operations.get(resource.update) if resource else None
        if resource is None or not self._sends_whole(resource):
            return frozenset()  # what a body of its own asks for is there to be given
        return frozenset(self.schemas.members(update.body.schema)) if update and update.body else frozenset()

    def _sends_whole(self, resource: Resource) -> bool:
        """Whether a creation takes the thing as it is shown, with its states and all, at the top or in a member."""
        body = self.operation.body
        start = self.schemas.element(body.schema) or body.schema if body else None
        shown = self.schemas.members(resource.schema).keys()
        sent = [self.schemas.members(each) for each in (start, *self.schemas.members(start).values())]
        return bool(shown) and any(len(shown & each.keys()) >= _WHOLE * len(shown) for each in sent)

    def payload(self) -> Any:
        """The template of the request body, None where the operation has none; `parts` is filled on the way."""
        body = self.operation.body
        if body is None:
            return None
        if self.builder.whole_body is not None and self.operation.key == self.builder.goal.key:
            return self.builder.whole_body
        if body.media_type.startswith("multipart/"):
            return self._multipart(body)
        if "json" not in body.media_type:
            is_upload = self.operation.method == "PUT"  # without a content there is nothing to put
            return self._content(body.media_type, body.schema, body.is_required or is_upload)
        template = self._json(body)
        self._add_conditions(body, template)
        return template

    def _json(self, body: Body) -> Any:
        # Once a body is sent it has to be whole, so its required members are required whether or not the body is.
        root = _Member("", "body", body.schema, True, 0)
        element = self.schemas.element(body.schema)
        if element is not None and self.schemas.members(element):
            if self._is_about_one():
                return [self._object(_Member("/0", "body", element, True, 0))]
            listed = _Member("", "items", body.schema, body.is_required, 0)
            noun = words.spoken(words.singular(last_word(self.operation.path)))
            things = words.plural(noun) if noun and words.split(noun)[0] not in wording.KNOWN_VERBS else "things"
            plain = (
                _JSON_PATCH if {"op", "path"} <= self.schemas.members(element).keys() else f"The {things}, as a list."
            )
            return self._given(listed, first_sentence(self.schemas.text(body.schema)) or plain)
        if self.schemas.members(body.schema):
            return self._object(root)
        is_write = self.operation.method in ("PUT", "PATCH")  # an empty one would empty what is there
        more = self.schemas.resolve(body.schema).get("additionalProperties", is_write)
        is_empty = self.schemas.kind(body.schema) == "object" and more is False
        if is_empty and self.operation.effect is Effect.ACT:
            return {}  # an action without anything to say still wants its empty object
        text = purpose_of(body) or "The request's body, as the API describes it."
        is_text = self.schemas.kind(body.schema) == "string"
        is_needed = body.is_required
        is_update = self.operation.effect is Effect.UPDATE and not is_text
        if is_update and self.resource is not None and self.resource.read:
            text = f"What is set of the {self.resource.name}: members as it shows them when it is read."
            is_needed = True  # there is nothing else to say
        made = self.builder.context.by_create.get(self.operation.key)
        if made is not None and (made.read or made.list) and not is_text:
            text = f"What the new {made.name} has: members as one shows them when it is read."
            is_needed = True
        elif self.schemas.kind(element) == "string":
            text = f"What is sent of the {self._thing()}, as a list."
        elif is_text and not purpose_of(body):
            noun = words.spoken(words.singular(last_word(self.operation.path)))
            said = "" if {*words.split(noun)[:1]} & wording.KNOWN_VERBS else f"The {noun}."
            text = first_sentence(self.schemas.text(body.schema)) or said or text
        return self._given(replace(root, is_required=is_needed), text)

    def _thing(self) -> str:
        owner = self.builder.context.by_action.get(self.operation.key)
        return owner.name if owner is not None else words.spoken(words.singular(last_word(self.operation.path)))

    def _add_conditions(self, body: Body, template: Any) -> None:
        """What the body says of its members together holds of the inputs that fill them, if it is sent as a whole."""
        builder = self.builder
        is_partial = bool(builder.only_member or builder.skipped_members or builder.body_prefix)
        if is_partial or builder.shares_body_inputs or self.operation.key != builder.goal.key or builder.conditions:
            return
        element = self.schemas.element(body.schema) if isinstance(template, list) else None
        inner, schema = (template[0], element) if element is not None else (template, body.schema)
        if not isinstance(inner, Mapping):
            return
        found = list(Conditions(self.schemas, inner, self.schemas.offered(schema)[0], self.room).of(schema))
        builder.conditions.extend(one for number, one in enumerate(found) if one not in found[:number])
        for number, name in enumerate(dict.fromkeys(name for one in found for name in inputs_in(one))):
            given = builder.inputs[name]
            # What is put in for the caller would choose for them; what has to be chosen is shown.
            plain = {key: value for key, value in given.schema.items() if key != "default" or name in self.defaulted}
            builder.inputs[name] = replace(given, schema=plain, shown=given.shown or number < MOST_OPTIONAL)
        for name in (name for one in found for name in in_all(one)):
            builder.inputs[name] = replace(builder.inputs[name], is_required=True, shown=True)

    def _is_about_one(self) -> bool:
        """Whether a body that is a list is for one thing at a time: it names something that is looked up, a choice is
        made or a value set in it, or it holds one at most."""
        resolved = self.schemas.resolve(self.operation.body.schema if self.operation.body else None)
        places = self.builder.context.bodies.get(self.operation.key, ())
        is_led = bool(self.choices or self.said or self.builder.only_member or resolved.get("maxItems") == 1)
        return is_led or any(into.startswith("body#/0/") for into in places)

    def _multipart(self, body: Body) -> dict[str, Any]:
        """The parts by name; how each is written goes to `parts`, with a file's name, which callers may choose."""
        template = self._object(_Member("", "body", body.schema, True, 0))
        for name in template:
            media_type = body.parts.get(name)
            if media_type is None:
                continue
            self.parts[name] = {"contentType": media_type}
            is_single = self.schemas.kind(body.schema["properties"][name]) == "string"
            if is_single and PartKind(name, media_type).is_file:
                self.parts[name]["fileName"] = self._file_name(name)
        return template

    def _file_name(self, part: str) -> str:
        given = {"type": "string", "maxLength": 255, "pattern": FILE_NAME}
        plain = words.identifier(part)
        text = f"The file's name, as the device is to see it; without one it is {part}."
        name = self.builder.free_input_name(f"{plain}_name" if plain else "file_name")
        return self.builder.add_input(Input(name, given, False, text, False), {"value": "switchgear.bin"})

    def _content(self, media_type: str, schema: Schema, is_required: bool) -> Any:
        if "form" in media_type and self.schemas.members(schema):
            return self._object(_Member("", "body", schema, True, 0))
        text = f"The file's content ({media_type}), in base64."
        given = {"type": "string", "contentEncoding": "base64"}
        if is_textual(media_type):
            text, given = f"The request's body as text ({media_type}).", {"type": "string"}
        name = self.builder.free_input_name("content")
        return self.builder.add_input(Input(name, given, is_required, text), {"content": media_type})

    def _object(self, at: _Member) -> dict[str, Any]:
        members, required = self.schemas.offered(at.schema)
        if at.depth and not self.top.isdisjoint(members):
            self.alike.add(at.pointer)
        template: dict[str, Any] = {}
        for name, schema in members.items():
            needed = name in required
            if not needed and self._is_left_out(f"{at.pointer}/{escape(name)}", name):
                continue
            member = _Member(f"{at.pointer}/{escape(name)}", name, schema, needed and at.is_required, at.depth + 1)
            is_needed = needed and not self._is_read_only(schema)
            if is_needed or self._is_offered(schema) or self._is_said(member.pointer):
                value = self._member(member, needed)
                if value is not None:
                    template[name] = value
        return template

    def _is_left_out(self, pointer: str, name: str) -> bool:
        """True for a member that this body has no use for: another step sees to it, or only one member is sent."""
        only = self.builder.only_member
        if any(fix.is_fixed and _leads_to(pointer, place) for place, fix in self.fixes.items()):
            return False
        is_on_the_way = only == pointer or only.startswith(f"{pointer}/")
        return name in self.builder.skipped_members or (bool(only) and not is_on_the_way)

    def _is_said(self, pointer: str) -> bool:
        """True when a person or the planner has said what stands there or below."""
        return any(_leads_to(pointer, place) for place in self.said)

    def _is_offered(self, schema: Schema) -> bool:
        if self._is_read_only(schema) or schema.get("deprecated") or self.schemas.resolve(schema).get("deprecated"):
            return False
        text = str(schema.get("description", ""))
        if any(mark in text for mark in self.hidden) or self.schemas.component(schema) in self.reports:
            return False
        return not (self.operation.effect is Effect.UPDATE and self._is_fixed(schema))

    def _is_read_only(self, schema: Schema) -> bool:
        return self.schemas.is_read_only(schema) or is_read_only(self.schemas.text(schema))

    def _is_fixed(self, schema: Schema) -> bool:
        return any(mark in str(schema.get("description", "")) for mark in self.fixed)

    def _member(self, member: _Member, needed: bool) -> Any:
        fixed = self.builder.fixed_members.get(member.pointer)
        if fixed is not None:
            return fixed
        known = known_already(self.builder, self.operation, member.name) if member.depth == 1 else ""
        if known:
            return known if needed or is_named_in_body(self.operation, self.resource) else None
        choice = self.choices.get(member.pointer)
        if choice is not None and not choice.as_input:
            return choice.values[0]
        fix = self.fixes.get(member.pointer) if choice is None else None
        if fix is not None:
            self.builder.tell(reason_of(fix))
            return fix.value if fix.is_fixed else self._given(member, self._text(member.schema, member.name))
        resource = self.builder.context.needed_by(self.operation.key, f"body#{member.pointer}")
        slot = (f"{self.operation.key}#{member.pointer}", "")  # a pair of changes may ask before both
        if choice is None and slot in self.builder.known:
            return self.builder.known[slot]
        if choice is None and resource is not None and self._is_named_thing(member, needed, resource):
            self.builder.known[slot] = identify(self.builder, resource, self._purpose(address(resource)))
            return self.builder.known[slot]
        is_on_the_way = self.builder.only_member.startswith(f"{member.pointer}/") and not self.schemas.element(
            member.schema
        )
        is_on_the_way = is_on_the_way or (member.pointer not in self.said and self._is_said(member.pointer))
        if (needed or is_on_the_way) and member.depth < _OPEN_DEPTH and self.schemas.members(member.schema):
            return self._object(member)
        return self._given(member, self._text(member.schema, member.name))

    def _is_named_thing(self, member: _Member, needed: bool, resource: Resource) -> bool:
        """True when the request makes no sense without the other thing that the member names."""
        if self.builder.context.is_poll(resource.read):
            return False
        is_subject = self._is_subject(resource.collection) and not self._is_in_path(address(resource))
        return (needed and member.is_required) or self._is_fixed(member.schema) or is_subject

    def _is_subject(self, collection: str) -> bool:
        """True when the operation stands under the very collection whose items the member names."""
        return self.operation.effect is Effect.ACT and is_below(self.operation.path, collection)

    def _purpose(self, resource_address: str) -> str:
        """A thing of this kind that was found for the path is not the one that the body names."""
        return "target" if self._is_in_path(resource_address) else ""

    def _is_in_path(self, resource_address: str) -> bool:
        """Whether one of this kind was found for the path: an optional id in the body need not be that of another."""
        return (resource_address, "") in self.builder.known and "{" in self.operation.path

    def _given(self, member: _Member, text: str) -> str:
        schema = inline(self.schemas, member.schema, 0, self.room)
        choice = self.choices.get(member.pointer)
        if choice is not None:
            schema = {"type": "string", "enum": list(choice.values)}
        source: dict[str, Any] = {"body": self.operation.key, "at": member.pointer}
        fix = self.fixes.get(member.pointer) if choice is None else None
        if fix is not None:
            schema = {**schema, "default": fix.value}
            source["value"] = fix.value
        else:
            schema = with_example(schema, *self._examples(member))
        part = PartKind(member.name, self.body_parts.get(member.name, "") if member.depth == 1 else "")
        if part.is_file:
            source = {"value": [_SAMPLE_FILE] if schema.get("type") == "array" else _SAMPLE_FILE}
            text = text or f"The file's content ({part.media_type}), in base64."
        name = self._input_name(member)
        text = self._of_its_holder(member, name, text)
        is_required = (member.is_required and fix is None) or choice is not None
        is_status = bool(self.settable) and member.name not in self.settable and not self._is_fixed(member.schema)
        is_uncommon = member.depth == 1 and bool(self.common) and member.name not in self.common
        is_uncommon = is_uncommon or member.name in self.builder.context.envelope
        shown = (
            is_required
            or not member.pointer
            or (
                not (is_status or is_uncommon or self._is_twice(member, name) or self._is_of_another(member))
                and text not in self.addressed
                and self._may_show(schema, member.name)
            )
            or (member.depth == 1 and member.name in self.structures)
            or self._names_what_is_needed(member)
        )
        if self.builder.shares_body_inputs and name in self.builder.inputs:
            return f"$inputs.{name}"
        name = self.builder.input_name(Input(name, schema, is_required, text, shown), source)
        if fix is not None:
            self.defaulted.add(name)
        return f"$inputs.{name}"

    def _names_what_is_needed(self, member: _Member) -> bool:
        """The `name` of an object within the body that has to be there: without it nobody knows which is meant."""
        is_plain = self.schemas.kind(member.schema) == "string"
        return 1 < member.depth <= _OPEN_DEPTH and member.name.lower() == "name" and is_plain and bool(self.resource)

    def _of_its_holder(self, member: _Member, name: str, text: str) -> str:
        """`Name of the device.` for a `Name.` that stands in an object of the body and is called so."""
        plain = words.spoken(member.name)
        if name == words.identifier(member.name) or text.rstrip(".").lower() != plain.lower() or member.depth == 1:
            return text
        return f"{plain[:1].upper()}{plain[1:]} of the {words.spoken(parse_pointer(member.pointer)[-2])}."

    def _is_of_another(self, member: _Member) -> bool:
        """Whether it describes a thing within the body, as the body does its own: the device's type, say."""
        return member.depth > 1 and member.name in self.top and member.name.lower() in _DESCRIBING

    def _is_twice(self, member: _Member, name: str) -> bool:
        """Whether the same can be said in the query, under its own name."""
        plain = words.identifier(member.name)
        return name != plain and self.builder.sample.get(plain, {}).get("parameter") == self.operation.key

    def _text(self, schema: Schema, name: str) -> str:
        return told(self.schemas.text(schema), name, self.schemas.flat(schema))

    def _examples(self, member: _Member) -> Iterator[Any]:
        """What the description shows as a value of the member: its own example, else the one in the body's."""
        yield from offers_of(member.schema, self.schemas.flat(member.schema))
        example = self.operation.body.example if self.operation.body else None
        shown = resolve(example, parse_pointer(member.pointer))
        yield None if shown is NOTHING else shown

    def _may_show(self, schema: Mapping[str, Any], name: str) -> bool:
        is_big = schema.get("type") in ("object", "array")
        if is_big or self.shown >= MOST_OPTIONAL or is_server_made(name):
            return False
        self.shown += 1
        return True

    def _name_within(self, member: _Member) -> str:
        """`device_name`, or with as many of the words around it as tell it from others: `interface_b_device_name`."""
        parts = [part for part in parse_pointer(member.pointer) if not part.isdigit()]
        names = [words.identifier("_".join(parts[-length:])) for length in range(2, len(parts) + 1)]
        return next((name for name in names if name not in self.builder.inputs), names[0] if names else "")

    def _input_name(self, member: _Member) -> str:
        builder = self.builder
        plain = words.identifier(member.name) or "value"
        is_of_another = member.pointer.rpartition("/")[0] in self.alike
        if member.depth > 1 and (is_of_another or (plain in builder.inputs and not builder.shares_body_inputs)):
            # The `name` of a `device` inside the body is no name of what the body is about.
            plain = self._name_within(member) or plain
        plain = f"{builder.body_prefix}_{plain}" if builder.body_prefix else plain
        if plain not in builder.inputs:
            return plain
        if builder.shares_body_inputs and "body" in builder.sample.get(plain, {}):
            return plain
        told_apart = f"new_{plain}" if self.operation.effect is Effect.UPDATE else f"{plain}_value"
        return builder.free_input_name(told_apart)


def _leads_to(pointer: str, place: str) -> bool:
    return place == pointer or place.startswith(f"{pointer}/")


def _fixes(builder: Builder, operation: Operation) -> list[Fix]:
    return [fix for fix in builder.context.profile.overrides.defaults if fix.operation == operation.key]


def reason_of(fix: Fix) -> str:
    """How a workflow says that the profile has set a value in it."""
    kind = "always" if fix.is_fixed else "by default"
    return f"{fix.operation}: {fix.member} is {kind} {json.dumps(fix.value)}: {fix.why}"


def _job_components(builder: Builder) -> frozenset[str]:
    """The shared schemas of jobs: a member that holds one is the device's report, not something to send."""
    schemas = builder.context.schemas
    found = set()
    for job in builder.context.api.jobs:
        reply = builder.operation(job.poll).success
        schema = reply.schema if reply else None
        found.add(schemas.component(schemas.element(schema) or schema))
    return frozenset(found - {""})


def enumerations(builder: Builder, operation: Operation) -> dict[str, tuple[Any, ...]]:
    """Pointer → values of the members of the body that are enumerations, those inside required objects included."""
    body = operation.body
    if body is None:
        return {}
    schemas = builder.context.schemas
    element = schemas.element(body.schema)
    start, prefix = (element, "/0") if element is not None else (body.schema, "")
    return {
        f"{prefix}/{name}": schemas.values(member)
        for name, member in schemas.members(start).items()
        if schemas.values(member) and not schemas.is_read_only(member)
    }


def is_action_word(pointer: str) -> bool:
    """True for members such as `ResetType` or `action`: their value decides what happens."""
    said = split(pointer.rpartition("/")[2])
    return bool(said) and said[-1] in ("type", "action", "operation", "command", "state", "mode", "option")
