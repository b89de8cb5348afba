"""Effects and risk: what each operation does to the device, and how bad that can be.

Before: operations as read. After: every operation has `effect`, `risk`, `risk_reason`, `is_idempotent`, and those
that no workflow may contain have `left_out`. Decided from the profile, then method, path and words; never from the
method alone, because resets and erases are plain POSTs (`risk.judging`). What may be sent twice is in `repeating`.
Follows RFC 9110 for safety.
"""

import re
from dataclasses import replace

from compiler.ir.model import Api, Body, Effect, Operation
from compiler.ir.schemas import SharedSchemas
from compiler.passes.endless import endless
from compiler.passes.identity import says_id
from compiler.passes.names import words
from compiler.passes.names.paths import ends_in_parameter, last_word, parameter_of, parent
from compiler.passes.names.post_lists import lists_by_post
from compiler.passes.names.siblings import siblings_of
from compiler.passes.outcome import Options, PassOutcome
from compiler.passes.repeating import is_repeatable
from compiler.passes.risk.asked_by_post import asks_by_post
from compiler.passes.risk.clauses import head, is_order, tokens_of_text
from compiler.passes.risk.judging import Judgement, judged, judged_safe
from compiler.passes.risk.texts import own_words
from compiler.passes.risk.values import is_named_as_order
from compiler.passes.versions import spoken_for, with_dated_version
from workflow.documents.operations import SAFE_METHODS
from workflow.profiles.profile import Profile, RiskRule
from workflow.requests.multipart import is_multipart
from workflow.risks import Risk

_WRITING = frozenset({"write", "set", "update", "put", "save", "modify", "change", "overwrite", "replace"})
_UPDATING = frozenset({"update", "updates", "modify", "modifies", "edit", "edits"})
_SESSION_WORDS = frozenset({"login", "logout", "logoff", "signin", "signout", "authenticate"})


def run(api: Api, options: Options) -> PassOutcome:
    api, notes = with_dated_version(api)
    verbs = _Verbs(options.profile, api.operations, SharedSchemas(api.schemas))
    known = _with_lists([verbs.judge(o) for o in api.operations], verbs.schemas)
    better = spoken_for(o for o in known if not o.left_out)
    told = tuple(
        replace(o, left_out=f"another version of {better[o.key]}, which is preferred") if o.key in better else o
        for o in known
    )
    return PassOutcome(replace(api, operations=told), notes)


def _with_lists(operations: list[Operation], schemas: SharedSchemas) -> list[Operation]:
    """The operations; what lists things by POST reads as a GET does, and may be sent once a page."""
    lists = {operation.key for operation in lists_by_post(operations, schemas).values()}
    return [replace(o, effect=Effect.READ, is_idempotent=True) if o.key in lists else o for o in operations]


class _Verbs:
    def __init__(self, profile: Profile, operations: tuple[Operation, ...], schemas: SharedSchemas) -> None:
        self.profile = profile
        self.schemas = schemas
        self.paths = {operation.path for operation in operations}
        self.keys = {operation.key for operation in operations}
        self.all_by_post = asks_by_post(operations)
        self.reads = {operation.path: operation for operation in operations if operation.method == "GET"}
        self.read_items = {
            parent(at): parameter_of(at.rpartition("/")[2]) for at in self.reads if ends_in_parameter(at)
        }
        self.siblings = siblings_of(operations, schemas, profile.identity.read_at)
        session = profile.auth.session
        self.session_keys = {session.login, session.logout} if session else set()
        self.rules = tuple((rule, re.compile(rule.pattern) if rule.pattern else None) for rule in profile.risks)
        self.leave_out = tuple((r, re.compile(r.pattern) if r.pattern else None) for r in profile.leave_out)

    def judge(self, operation: Operation) -> Operation:
        effect = self.effect(operation)
        told = self._told(operation)
        known = told or self.risk(operation, effect)
        risk = known.risk
        if risk is Risk.READ and operation.method == "POST" and effect in (Effect.CREATE, Effect.UPDATE) and not told:
            effect = Effect.ACT  # `POST /insights`, which lists them, makes none
        return replace(
            operation,
            effect=effect,
            risk=risk,
            risk_reason=known.why,
            is_safe=risk is Risk.READ and (told is not None or operation.method in SAFE_METHODS),
            is_idempotent=is_repeatable(operation, effect, risk, self.profile.verbs, self.schemas),
            left_out=self.left_out(operation, effect),
        )

    def effect(self, operation: Operation) -> Effect:
        method, path = operation.method, operation.path
        # `POST /users/{id}/logout` ends somebody else's session: an action like any other.
        is_own = method != "GET" and not ends_in_parameter(parent(path)) and last_word(path).lower() in _SESSION_WORDS
        if operation.key in self.session_keys or is_own:
            return Effect.SESSION
        if method in SAFE_METHODS:
            return Effect.ACT if method == "GET" and self._acts(operation) else Effect.READ
        if method == "DELETE" or self.siblings.deletes(operation.key):
            return Effect.DELETE
        if self.siblings.makes(operation.key):
            return Effect.CREATE
        if method in ("PUT", "PATCH"):
            is_item = ends_in_parameter(path) and not self._is_done_with(path)
            is_state = self._is_read(path) and (ends_in_parameter(path) or not self._orders(operation))
            return Effect.UPDATE if is_state or is_item or self._names_item(operation) else Effect.ACT
        return self._effect_of_post(operation)

    def _effect_of_post(self, operation: Operation) -> Effect:
        path = operation.path
        if ends_in_parameter(path):
            updates = self.profile.verbs.post_on_item_updates or f"PATCH {path}" in self.keys
            updates = updates or (self._is_read(path) and f"PUT {path}" not in self.keys and _says_update(operation))
            return Effect.UPDATE if updates else Effect.ACT
        if "." in last_word(path) or words.is_about(words.split(last_word(path))[:1], words.READING):
            return Effect.ACT
        if self._is_read(path) and head(own_words(operation)) in _WRITING:
            return Effect.ACT  # `writeTable` makes no table
        return Effect.CREATE if self._has_items(path) or self._is_read(path) else Effect.ACT

    def _has_items(self, path: str) -> bool:
        """Whether things stand below it, one each; a slash at its end belongs to the request alone."""
        below = path.rstrip("/") + "/{"
        return any(each.startswith(below) for each in self.paths)

    def _is_done_with(self, path: str) -> bool:
        """`/ports/enable/{port}`: what is in the address is what something is done to, and no item of a collection."""
        said = words.split(last_word(path))
        is_collection = self._is_read(parent(path)) or f"POST {parent(path)}" in self.keys
        return len(said) == 1 and is_order(said[0]) and not is_collection

    def _names_item(self, operation: Operation) -> bool:
        """`PUT /pets` with the pet's id in its body, which `GET /pets/{petId}` reads: a pet is updated by it."""
        name = self.read_items.get(operation.path, "")
        members = self.schemas.members(operation.body.schema if operation.body else None)
        is_named = bool(name) and (name in members or (says_id(name) and "id" in members))
        return is_named and not self._orders(operation)

    def _orders(self, operation: Operation) -> bool:
        """`PUT /vms/{id}/state` with `{action: stop}`: what is read there shows what came of it, and no order."""
        members = self.schemas.members(operation.body.schema if operation.body else None)
        ordered = {name for name in members if is_named_as_order(name) and self.schemas.values(members[name])}
        return bool(ordered) and ordered.isdisjoint(self._shown(operation.path))

    def _shown(self, path: str) -> set[str]:
        """The members that reading there shows, those right inside objects included."""
        reply = self.reads[path].success if path in self.reads else None
        members = self.schemas.members(reply.schema if reply else None)
        return {*members, *(name for member in members.values() for name in self.schemas.members(member))}

    def _is_read(self, path: str) -> bool:
        return path in self.reads

    def _acts(self, operation: Operation) -> bool:
        """Whether a GET does something: by its own words, unless the profile says that it reads."""
        told = self._told(operation)
        return told.risk is not Risk.READ if told else judged_safe(operation, self.schemas).risk is not Risk.READ

    def _told(self, operation: Operation) -> Judgement | None:
        """What the profile says of the operation whatever is sent."""
        rule = next((r for r, pattern in self.rules if not r.when and _matches(r, pattern, operation.key)), None)
        return Judgement(Risk(rule.risk), rule.why) if rule else None

    def risk(self, operation: Operation, effect: Effect) -> Judgement:
        if effect is Effect.SESSION:
            is_told = operation.key in self.session_keys
            return Judgement(Risk.READ if is_told else Risk.CHANGE, "opens or closes a session")
        if effect is Effect.UPDATE and operation.method == "POST" and f"PATCH {operation.path}" not in self.keys:
            effect = Effect.ACT  # an order that is called an update is no milder for it
        is_readable = self._is_read(operation.path) or self._has_items(operation.path)
        alone = not self._has_items(operation.path)
        readable = {"is_readable": is_readable, "all_by_post": self.all_by_post, "stands_alone": alone}
        return judged(operation, effect, self.schemas, **readable)

    def left_out(self, operation: Operation, effect: Effect) -> str:
        for rule, pattern in self.leave_out:
            if rule.operation == operation.key or (pattern and pattern.search(operation.key)):
                return rule.why
        if effect is Effect.SESSION:
            return "session: the runtime opens and closes sessions itself"
        never_ends = endless(operation)
        if operation.is_deprecated and not never_ends:
            return "deprecated by the vendor"
        if operation.body is not None and operation.body.media_type.startswith("multipart/"):
            unsent = _unsent(operation.body)
            if unsent:
                return unsent
        return self._said_elsewhere(operation) or never_ends

    def _said_elsewhere(self, operation: Operation) -> str:
        """Why an operation tells nothing of its own: headers of another one, or the same path with a slash more."""
        if operation.method == "HEAD" and f"GET {operation.path}" in self.keys:
            return f"alias of GET {operation.path}"
        if operation.method == "OPTIONS":
            return "asks only for headers"
        body, other = operation.body, self.reads.get(operation.path)
        is_untold = body is not None and "json" not in body.media_type and not self.schemas.members(body.schema)
        is_same = other is not None and own_words(other) == own_words(operation) != ()
        if operation.method == "POST" and is_untold and is_same:  # `GET_DeleteStack`, `POST_DeleteStack`
            return f"alias of GET {operation.path}"
        plain = f"{operation.method} {operation.path.rstrip('/')}"
        if operation.path != "/" and operation.path.endswith("/") and plain in self.keys:
            return f"alias of {plain}"
        return ""


def _says_update(operation: Operation) -> bool:
    """Whether name and text, or the one that there is, begin so: `POST /fleets/{id}`, “Update a fleet”."""
    told = tokens_of_text(operation.summary or operation.description)
    said = {head(own_words(operation)), head(told)} - {""}
    return bool(said) and said <= _UPDATING


def _unsent(body: Body) -> str:
    if not is_multipart(body.media_type):
        return f"a {body.media_type} body: of multipart ones only form-data, mixed and related are sent"
    return "" if body.schema.get("properties") else "a multipart body whose parts the description does not name"


def _matches(rule: RiskRule, pattern: re.Pattern[str] | None, key: str) -> bool:
    return rule.operation == key or (pattern is not None and pattern.search(key) is not None)
