"""What has to hold after a flow's changes, written to the steps that show it (`workflow.replies.expectations`).

Called by the builder when a flow is complete. Each value that a creation or an update sends is looked for at its place
in what is read back; what the description does not show there is named with its reason, as is an action without a
trace. Each such step is read for a while, since devices list late what they have taken. States that are to be reached
are said by `states`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from compiler.ir.model import ActionPostcondition, Effect, FlowStep, Operation, Resource, Role, Schema
from compiler.passes.flows.context import Context, address
from compiler.passes.flows.steps import queries
from compiler.passes.names import words
from compiler.passes.names.paths import last_word, parent, shape
from compiler.passes.risk.values import goes_back
from workflow.json.pointers import escape
from workflow.profiles.profile import Comparison

NOT_THERE = "not_there_yet"  # the retry of a wait whose job the device does not know
SEEN_AFTER_S = 10  # devices list what they have made within seconds; longer, and somebody has to look
ENDED_WELL = {"place": "", "text": "the device says that it ended well"}
_EVERY_S = 1
# What a description says of 200 beside 201, where nothing new was made.
_OLD = re.compile(r"\b(exist|already|unchanged|updat|replac|modif|overwr|not (been )?created)", re.IGNORECASE)
_KEPT_SECRET = re.compile(
    r"\b(stored? as (a )?secret|(not|never) (be )?returned|write[- ]only|only used to _?create)", re.IGNORECASE
)
_ORDERS = (("order",), ("sequence",))
_SENT = (Effect.CREATE, Effect.UPDATE)

Expected = dict[str, Any]


def with_expectations(context: Context, steps: list[FlowStep], has_branches: bool) -> list[FlowStep]:
    """The steps with what each has to show. `has_branches`: not every step is made in every run."""
    writer = _Writer(context, steps, has_branches)
    return [writer.step(number) for number in range(len(steps))]


class _Writer:
    def __init__(self, context: Context, steps: list[FlowStep], has_branches: bool) -> None:
        self.context = context
        self.steps = steps
        self.has_branches = has_branches
        self.shown = {n: shown_by(context, s) for n, s in enumerate(steps) if s.role is Role.READ_BACK}
        branched = (n for n, step in enumerate(steps) if step.branches)
        self.sure = {step.id for step in steps[: next(branched, len(steps))]}  # made in every run that gets on
        self.is_gone_shown = any(step.role is Role.GONE for step in steps)

    def step(self, number: int) -> FlowStep:
        step = self.steps[number]
        if step.role is Role.READ_BACK:
            return self._read_back(number, step)
        if step.role is Role.GONE:
            gone = {"place": "", "text": f"{_opened(step.description)}"}
            return replace(step, expects=(gone,), decides=True)
        if step.role is Role.CHANGE:
            return replace(step, expects=(*step.expects, *self._changed(number, step)))
        return self._wait(number, step) if step.role is Role.WAIT else step

    def _changed(self, number: int, step: FlowStep) -> Iterator[Expected]:
        operation = self.context.operations[step.operation]
        if operation.key in self.context.by_create and _tells_old(operation):
            text = "it was answered with 200, which says here that it was there before (201: that it was made)"
            yield {"place": "", "before": 200, "found": "$statusCode", "text": text}
        if not self._is_shown(number):
            yield from self._answered(operation, step)
            yield _untraced(operation)

    def _wait(self, number: int, step: FlowStep) -> FlowStep:
        """A forgotten job leaves it to what decides later; one whose end is all that there is counts as seen."""
        if not any(action["name"] == NOT_THERE for action in step.failures):
            return step  # finds out where the job is to be seen
        if not self.shown and not self.is_gone_shown and not self._is_checked(number):
            step = replace(step, expects=(ENDED_WELL,))
        following = self.steps[number + 1].role if number + 1 < len(self.steps) else None
        if following is None or following in (Role.WAIT, Role.CHANGE, Role.READ) or not self._is_decided_behind(number):
            return step
        failures = [
            {k: v for k, v in f.items() if f["name"] != NOT_THERE or k != "x-switchgear"} for f in step.failures
        ]
        unknown = next((f["criteria"] for f in failures if f["name"] == NOT_THERE), None)
        if unknown is None:
            return step
        onward = {"name": "job_forgotten", "type": "goto", "stepId": "@next", "criteria": unknown}
        return replace(step, failures=(*failures, onward))

    def _is_decided_behind(self, number: int) -> bool:
        """Whether a step behind it, before any other change, decides by itself if the change was made."""
        for n in range(number + 1, len(self.steps)):
            step = self.steps[n]
            if step.role is Role.CHANGE:
                return False
            if step.role is Role.GONE or (step.role is Role.READ_BACK and self._read_back(n, step).decides):
                return True
        return False

    def _answered(self, operation: Operation, change: FlowStep) -> Iterator[Expected]:
        """What the answer to the change repeats: no proof that it was made, and a sign where it says otherwise."""
        reply = operation.success
        if operation.effect not in _SENT or operation.key in self.context.jobs or reply is None or self.has_branches:
            return
        for pointer, value in sent_by(change):
            place = pointer.removeprefix("/0")
            is_hidden = self._is_secret(operation, pointer) or _is_file(change, pointer)
            is_hidden = is_hidden or self._rule(operation, pointer) is not None
            is_told = self.context.schemas.at(reply.schema, place) is not None and not self._is_around(place)
            if place and not is_hidden and is_told:
                yield {"place": place, "asked": value, "found": f"$response.body#{place}", "lenient": True}

    def _is_around(self, place: str) -> bool:
        """Whether a place in an answer says how it went, as it does in all answers, and nothing of the thing."""
        return place.removeprefix("/").partition("/")[0] in self.context.api.around

    def _is_checked(self, number: int) -> bool:
        """Whether a later step looks at the states of all things that it was done to."""
        return any(each.role is Role.WAIT and each.expects for each in self.steps[number + 1 :])

    def _is_shown(self, number: int) -> bool:
        """Whether a later step shows what this change did."""
        if self._is_checked(number):
            return True
        operation = self.context.operations[self.steps[number].operation]
        if operation.key in self.context.memberships:
            return any(n > number and self.steps[n].expects for n in self.shown)
        if operation.effect is Effect.DELETE:
            return self.is_gone_shown or any(n > number and self.steps[n].expects for n in self.shown)
        later = [(n, resource) for n, resource in self.shown.items() if n > number]
        if operation.effect in _SENT:
            return any(self._is_about(operation, resource) for _, resource in later)
        if any(self._leaves_in(operation, resource) for _, resource in later):
            return True
        return any(self.steps[n].expects or _reads_made(self.steps[n], self.steps[number]) for n, _ in later)

    def _is_about(self, operation: Operation, resource: Resource | None) -> bool:
        """Whether the operation makes or changes what the resource's read shows, or settings of it that wait."""
        own = self.context.by_change.get(operation.key)
        if own is None or resource is None:
            return False
        above = self.context.by_item.get(shape(parent(own.item))) if own.item else None
        return own is resource or (above is resource and self.context.is_pending(operation.key))

    def _leaves_in(self, operation: Operation, resource: Resource | None) -> bool:
        """Whether the action is known to leave something behind in what the resource's read shows."""
        return operation.leaves is not None and resource is self.context.by_action.get(operation.key)

    def _read_back(self, number: int, step: FlowStep) -> FlowStep:
        resource = self.shown[number]
        found: dict[str, Expected] = {}
        is_update, applied_by = False, ""  # what the last change did is all that a read decides
        for change in self.steps[:number]:
            operation = self.context.operations[change.operation]
            if change.role is not Role.CHANGE or resource is None or change.operation in self.context.memberships:
                continue
            is_update = is_update and operation.key == applied_by  # settings are in force by the restart alone
            if self._leaves_in(operation, resource):
                left = operation.leaves
                is_update = left is not None and not left.is_assumed
                # What an action before it left behind may be otherwise now (out with the old, in with the new).
                found = {each["place"]: each for each in self._left(change, operation, resource, step)}
                found = found or {"": _untraced(operation)}
            elif (operation.effect in _SENT and self._is_about(operation, resource)) or _reads_made(step, change):
                is_update, applied_by = operation.effect is Effect.UPDATE, self._applied_by(operation)
                for each in self._expected(change, operation, resource, step):
                    other = found.get(each["place"], each)  # of two branches one runs: what either hides is not judged
                    found[each["place"]] = other if self.has_branches and "found" not in other else each
        if resource is not None and not found and all("before" in each for each in step.expects):
            found[""] = {"place": "", "text": f"the {resource.name} is there"}
        decides = step.decides or (is_update and any("found" in each for each in found.values()))
        return replace(
            step, expects=(*step.expects, *found.values()), decides=decides, failures=(*step.failures, _seen_late(step))
        )

    def _applied_by(self, operation: Operation) -> str:
        """What brings the settings into force that the operation writes, "" where they are at once."""
        rule = self.context.pending_rule(operation.key) if self.context.is_pending(operation.key) else None
        return (rule.applied_by or "") if rule is not None else ""

    def _left(self, change: FlowStep, operation: Operation, resource: Resource, back: FlowStep) -> Iterator[Expected]:
        """What the action leaves behind: what was sent, where the thing shows it, and what it is whatever was sent."""
        item, leaves = back.outputs.get("item"), operation.leaves
        if item is None or leaves is None:
            return
        places = dict(leaves.shown)
        queried = [(name, value) for name, location, value in change.parameters if location == "query"]
        for source, value in (*sent_by(change), *queried):
            place = places.get(source.removeprefix("/0"))
            if place is not None and self._is_known(value):
                left = self._one(operation, resource, item, source, value, place)
                yield {**left, "assumed": True} if leaves.is_assumed and not leaves.is_plain else left
        yield from self._left_in_lists(change, leaves, item)
        if leaves.is_plain:
            yield from ({"place": place, "asked": value, "found": _inside(item, place)} for place, value in leaves.held)
            return
        against = {"assumed": True, "against": list(leaves.against)} if leaves.is_assumed else {}
        for place, value in leaves.held if not self.has_branches else ():
            yield {"place": place, "asked": value, "found": _inside(item, place), **against}

    def _left_in_lists(self, change: FlowStep, leaves: ActionPostcondition, item: Any) -> Iterator[Expected]:
        sent = dict(sent_by(change))
        for among, places in (("in", leaves.put_in), ("out", leaves.taken_out)):
            for source, place in places:
                value = sent.get(source)
                if value is not None and self._is_known(value):
                    yield {"place": place, "asked": value, "found": _inside(item, place), "among": among}

    def _is_known(self, value: Any) -> bool:
        """Whether the value is there whichever way the run takes."""
        used = {*queries.steps_used(value)}
        return not self.has_branches or _is_plain(value) or (bool(used) and used <= self.sure)

    def _expected(
        self, change: FlowStep, operation: Operation, resource: Resource, back: FlowStep
    ) -> Iterator[Expected]:
        item = back.outputs.get("item")
        if item is None:
            return
        # Which thing it is, is repeated in many a body: nobody asked for it, and that it is so speaks for nothing.
        which = [value for _, location, value in change.parameters if location == "path"]
        for pointer, value in sent_by(change):
            if operation.effect is Effect.UPDATE and value in which:
                continue
            if not self._is_known(value):
                if str(value).startswith("$steps."):
                    yield {"place": _short(pointer), "shown": False, "text": "not every run sends it"}
                continue
            if _is_file(change, pointer):
                yield {"place": _short(pointer), "shown": False, "text": "the content of a file is not read back"}
                continue
            yield self._one(operation, resource, item, pointer, value)

    def _one(
        self, operation: Operation, resource: Resource, item: Any, pointer: str, value: Any, told: str | None = None
    ) -> Expected:
        """The expectation of one value; `told`: where it is shown, where that is known otherwise than by its place."""
        place = self._place(operation, resource, pointer) if told is None else told
        shown = place or _short(pointer)
        rule = self._rule(operation, pointer)
        if rule is not None and rule.by == "rewritten":
            return {"place": shown, "asked": value, "text": rule.why}
        if operation.body is not None and "json-patch" in operation.body.media_type:
            return {"place": shown, "asked": value, "text": "operations of JSON Patch are not compared"}
        if self._is_secret(operation, pointer):
            return {"place": shown, "asked": value, "text": "a secret is not read back"}
        if place is not None and self._is_kept_secret(operation, pointer):
            text = "the description has it as a secret, which is not read back"
            return {"place": shown, "asked": value, "text": text}
        if operation.effect is Effect.UPDATE and goes_back(pointer.rpartition("/")[2]):
            return {"place": shown, "asked": value, "text": "it says what is brought back, which no member shows"}
        if place is None:
            return {"place": shown, "asked": value, "text": "the description does not say that it can be read"}
        expected = {"place": shown, "asked": value, "found": _inside(item, place)}
        if rule is not None:
            expected["compare"] = rule.by
        elif self._is_an_order(operation, pointer):
            expected["compare"] = "ordered"
        plain = pointer.removeprefix("/0")
        is_promised = told is not None or place in (plain, f"{self._holder(operation, resource)}{plain}")
        if not is_promised or not self._is_described(resource, place):
            expected["lenient"] = True
        return expected

    def _is_an_order(self, operation: Operation, pointer: str) -> bool:
        """Whether what is sent is a list whose order is its meaning: it is called an order, or is set under one."""
        schema = self.context.schemas.at(operation.body.schema, pointer) if operation.body else None
        if self.context.schemas.kind(schema) != "array":
            return False
        called = (pointer.rpartition("/")[2], last_word(operation.path))
        return any(words.split(name)[-1:] in _ORDERS for name in called)

    def _place(self, operation: Operation, resource: Resource, pointer: str) -> str | None:
        """Where the item shows what is sent at `pointer`: there, without what wraps it in the request, or inside."""
        schemas = self.context.schemas
        plain = pointer.removeprefix("/0")
        inner = plain[plain.find("/", 1) :] if plain.count("/") > 1 else plain
        if not plain or not schemas.members(resource.schema):
            return plain
        ways = (plain, inner, f"{self._holder(operation, resource)}{plain}")
        places = [p for p in dict.fromkeys(ways) if p and schemas.at(resource.schema, p) is not None]
        found = next(iter(places), None) or self._without_new(operation, resource, plain)
        return None if found is None or self._is_hidden(schemas.at(resource.schema, found)) else found

    def _without_new(self, operation: Operation, resource: Resource, plain: str) -> str | None:
        """Where the thing shows as `state` what an update sends as `new_state`, and not beside a `state` of its own."""
        around, _, name = plain.rpartition("/")
        first, *rest = words.split(name) or [""]
        if operation.effect is not Effect.UPDATE or first != "new" or not rest or around:
            return None
        schemas, body = self.context.schemas, operation.body.schema if operation.body is not None else None
        sent = {tuple(words.split(each)) for each in schemas.members(body)}
        shown = [each for each in schemas.members(resource.schema) if words.split(each) == tuple(rest)]
        if tuple(rest) in sent or len(shown) != 1:
            return None
        place = f"/{escape(shown[0])}"
        kinds = {schemas.kind(schemas.at(body, plain)), schemas.kind(schemas.at(resource.schema, place))}
        return place if len(kinds) == 1 else None

    def _holder(self, operation: Operation, resource: Resource) -> str:
        """The only member in which the item has all that the body says, and that the body does not have: `/spec`."""
        body = operation.body.schema if operation.body is not None else None
        return self.context.schemas.holder(body, resource.schema)

    def _is_hidden(self, schema: Schema | None) -> bool:
        return bool(schema and (schema.get("writeOnly") or self.context.schemas.resolve(schema).get("writeOnly")))

    def _is_described(self, resource: Resource, place: str) -> bool:
        """Whether the description promises the member: what it may leave out need not be there."""
        first = place.split("/")[1] if place else ""
        return first in self.context.schemas.members(resource.schema)

    def _is_secret(self, operation: Operation, pointer: str) -> bool:
        names = {part.lower() for part in pointer.split("/")}
        schema = self.context.schemas.at(operation.body.schema, pointer) if operation.body else None
        is_password = bool(schema) and self.context.schemas.resolve(schema).get("format") == "password"
        return is_password or any(name.lower() in names for name in (*self.context.profile.secrets, "password"))

    def _is_kept_secret(self, operation: Operation, pointer: str) -> bool:
        """Whether the description says of what is sent that it is stored as a secret, or not given out again."""
        schema = self.context.schemas.at(operation.body.schema, pointer) if operation.body else None
        return (
            bool(schema)
            and _KEPT_SECRET.search(str(self.context.schemas.resolve(schema).get("description"))) is not None
        )

    def _rule(self, operation: Operation, pointer: str) -> Comparison | None:
        plain = pointer.removeprefix("/0")
        rules = self.context.profile.compare
        return next((r for r in rules if re.search(r.pattern, operation.key) and plain.endswith(r.member)), None)


def _tells_old(operation: Operation) -> bool:
    """Whether the description tells a creation (201) from an answer with what was there (200)."""
    statuses = {reply.status: reply.description for reply in operation.responses}
    return operation.method == "POST" and "201" in statuses and bool(_OLD.search(statuses.get("200", "")))


def shown_by(context: Context, step: FlowStep) -> Resource | None:
    """The resource whose item the step reads."""
    resources = [r for r in context.api.resources if step.operation in (r.read, r.list)]
    return max(resources, key=lambda r: (r.read == step.operation, len(address(r))), default=None)


def _reads_made(step: FlowStep, change: FlowStep) -> bool:
    """Whether the step reads what the change says that it has made (a clone)."""
    made = f"$steps.{change.id}.outputs.created"
    return "created" in change.outputs and made in str((step.outputs, step.parameters))


def sent_by(change: FlowStep) -> Iterator[tuple[str, Any]]:
    """Each value that was asked for, with its pointer; objects that callers give as a whole are one value.

    What a PUT sends back as it was read, so as not to lose it, nobody asked for.
    """
    if not change.replacements:
        yield from _leaves(change.payload, "")
    yield from change.replacements


def _leaves(value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and not {"context", "selector"} <= value.keys():
        for name, member in value.items():
            yield from _leaves(member, f"{pointer}/{escape(name)}")
    elif isinstance(value, list) and len(value) == 1 and isinstance(value[0], Mapping):
        yield from _leaves(value[0], f"{pointer}/0")
    elif value is not None and pointer:
        yield pointer, value
    elif isinstance(value, str) and not value.startswith("$steps."):
        yield "", value  # the whole body is one input


def _is_file(change: FlowStep, pointer: str) -> bool:
    """Whether a file is sent there: what is shown under its name says where it is kept."""
    return "fileName" in change.parts.get(pointer.removeprefix("/0")[1:], {})


def _is_plain(value: Any) -> bool:
    """True for an input as it is, which every way through the flow knows."""
    return isinstance(value, str) and value.startswith("$inputs.")


def _inside(item: Any, place: str) -> Any:
    if isinstance(item, Mapping):
        return {**item, "selector": f"{item['selector']}{queries.from_pointer(place)}"}
    return f"{item}{place}" if "#" in str(item) else f"{item}#{place}" if place else item


def _seen_late(step: FlowStep) -> dict[str, Any]:
    return {
        "name": "not_seen_yet",
        "type": "retry",
        "retryAfter": _EVERY_S,
        "retryLimit": SEEN_AFTER_S // _EVERY_S,
        "x-switchgear": {
            "outcome": "unknown",
            "code": "not_seen",
            "message": f"The change was accepted, but it could not be seen within {SEEN_AFTER_S} s: {step.description}",
        },
    }


def _untraced(operation: Operation) -> Expected:
    what = "what was sent" if operation.effect in _SENT else "what it does"
    return {"place": "", "shown": False, "text": f"no read of this API shows {what}"}


def _short(pointer: str) -> str:
    return pointer.removeprefix("/0") or "/"


def _opened(text: str) -> str:
    return text.removeprefix("Check that ").rstrip(".")
