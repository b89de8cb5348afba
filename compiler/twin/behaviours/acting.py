"""What plays behaviours: each mechanism of `behaviours`, on the way of a request to the twin and of its answer back.

A mechanism may change the request, leave it to the twin or not, undo or spoil what it did, and answer otherwise; all
of it follows from the request, from what was asked before and from the rule. The twin lends its insides in `Hands`.
Called by `machine.Twin.handle` alone. Forms of values and of answers are functions of `forms`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from compiler.ir.model import Effect
from compiler.twin.behaviours import forms
from compiler.twin.behaviours.job_courses import COURSES, nothing
from compiler.twin.behaviours.tables import CHANGES, BehaviourRule, DeviceBehaviour, Sort
from compiler.twin.blueprint import Blueprint, TwinKind
from compiler.twin.jobs import Jobs
from compiler.twin.offers import address_place, rule_of
from compiler.twin.pending import Pending
from compiler.twin.requests.messages import RefusalError, TwinReply, TwinRequest
from compiler.twin.requests.replies import Replies
from compiler.twin.requests.routes import canonical, plain_path
from compiler.twin.sessions import Sessions
from compiler.twin.states import Move
from compiler.twin.store import Overlay, Store
from compiler.twin.values.pointers import MISSING, get, listed, put

Json = Any
Go = Callable[[TwinRequest], TwinReply]
CLOSED = 0  # the status of an answer that never came: the connection was closed
_NOTHING_HERE = BehaviourRule("instead", (), status=404, form="refusal", body="nothing is here")
_APPENDED = re.compile(r"/(moved)?$")
_SORTS: Mapping[TwinKind, Sort] = {
    TwinKind.LIST: "list", TwinKind.READ: "read", TwinKind.DOCUMENT: "document", TwinKind.CREATE: "create",
    TwinKind.UPDATE: "update", TwinKind.REPLACE: "update", TwinKind.DELETE: "delete", TwinKind.ACT: "act",
    TwinKind.LOGIN: "login", TwinKind.LOGOUT: "document", TwinKind.PUT_IN: "act", TwinKind.TAKE_OUT: "delete",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hands:
    """The twin's insides. `settle` lets happen what is due; `moving`: states that are on their way."""

    blueprint: Blueprint
    store: Store
    jobs: Jobs
    sessions: Sessions
    pending: Pending
    replies: Replies
    moving: list[tuple[float, Move]]
    effects: list[str]
    settle: Callable[[], None]


@dataclass(slots=True)
class _Played:
    """A rule with what it remembers. `met`: requests that it speaks of; `acted`: whether it ever did anything.

    `answered`: bodies of creations, each with its answer. `moved`: addresses that things had, and those that they have.
    """

    rule: BehaviourRule
    met: int = 0
    acted: bool = False
    before: Overlay | None = None
    at_first: tuple[str, ...] = ()
    answered: list[tuple[Json, TwinReply]] = field(default_factory=list)
    moved: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class SentValues:
    """Plain values that a change has sent, by the member's own name."""

    values: list[tuple[str, Json]] = field(default_factory=list)

    def has(self, name: str, value: Json) -> bool:
        return any(name == known and value == given for known, given in self.values)


class Acting:
    """The behaviours of one twin. `hands`: the twin's own."""

    def __init__(self, hands: Hands, behaviours: tuple[DeviceBehaviour, ...]) -> None:
        self._hands = hands
        self._played = [_Played(rule) for behaviour in behaviours for rule in behaviour.rules]
        self._sent = SentValues()
        self._has_changed = False

    @property
    def has_acted(self) -> bool:
        """Whether any rule has changed an answer or an effect."""
        return any(played.acted for played in self._played)

    def answer(self, request: TwinRequest, go: Go) -> TwinReply:
        """What the device answers; `go` is the twin's own answer."""
        blueprint = self._hands.blueprint
        sort = sort_of(blueprint, request) or sort_of(blueprint, _plain(blueprint, request))
        if sort is None:
            return go(request)
        way = go
        for played in reversed(self._played):
            if sort in played.rule.at and self._is_due(played):
                way = partial(_MECHANISMS[played.rule.does], self, played, way)
        if sort in CHANGES:
            self._remember(sort)
            self._sent.values += forms.leaves(request.body)
        reply = way(request)
        self._has_changed = self._has_changed or (sort in CHANGES and not 400 <= reply.status < 500)
        return reply

    def _is_due(self, played: _Played) -> bool:
        if played.rule.after_change and not self._has_changed:
            return False
        if played.rule.does == "lag":
            return True  # it counts what it hides
        played.met += 1
        return played.rule.first <= played.met <= played.rule.last

    # Effects

    def ignore(self, played: _Played, go: Go, request: TwinRequest) -> TwinReply:
        """Answered as if it were done."""
        hands = self._hands
        before, moving, runs = hands.store.overlay(), len(hands.moving), len(hands.jobs.runs)
        effects = len(hands.effects)
        waiting = hands.pending.written()
        reply = go(request)
        if reply.status >= 400:
            return reply
        del hands.moving[moving:], hands.effects[effects:]
        for run in hands.jobs.runs[runs:]:
            run.effect = nothing
        played.acted = True
        hands.pending.put_back(waiting)
        hands.store.put_back(before, kept=hands.jobs.addresses())
        return reply

    def spoil(self, played: _Played, go: Go, request: TwinRequest) -> TwinReply:
        """Done but for the last of the values that were sent; of one alone nothing is spoilt, unless `form` says so."""
        runs = len(self._hands.jobs.runs)
        before = self._hands.store.overlay()
        reply = go(request)
        if self._key(request) in self._hands.blueprint.memberships:
            return reply  # what belongs somewhere from now on has values of its own
        if reply.status < 400:
            self._spoil(played, before)
            for run in self._hands.jobs.runs[runs:]:
                run.effect = partial(self._spoiled, played, run.effect)
        return reply

    def _spoiled(self, played: _Played, effect: Callable[[], None]) -> None:
        before = self._hands.store.overlay()
        effect()
        self._spoil(played, before)

    def _spoil(self, played: _Played, before: Overlay) -> None:
        store, jobs = self._hands.store, self._hands.jobs.addresses()
        for address, body in store.overlay().bodies.items():
            if address in jobs or body is before.bodies.get(address, MISSING):
                continue
            old = store.was(before, address)
            taken = [p for p, name, v in forms.places(body) if self._sent.has(name, v) and get(old, p) != v]
            is_alone = played.rule.form == "also alone"
            if len(taken) > (0 if is_alone else 1) and isinstance(body, dict):
                kept = MISSING if is_alone else get(old, taken[-1])
                spoilt = forms.other(get(body, taken[-1])) if kept is MISSING else kept
                store.put_at(address, put(body, taken[-1], spoilt))
                played.acted = True

    def wipe(self, played: _Played, go: Go, request: TwinRequest) -> TwinReply:
        """Done, and what else a partial update could have set is no longer there."""
        runs = len(self._hands.jobs.runs)
        reply = go(request)
        if reply.status < 400 and request.method == "PATCH":
            self._wipe(played, request)
            for run in self._hands.jobs.runs[runs:]:
                run.effect = partial(self._wiped, played, request, run.effect)
        return reply

    def _wiped(self, played: _Played, request: TwinRequest, effect: Callable[[], None]) -> None:
        effect()
        self._wipe(played, request)

    def _wipe(self, played: _Played, request: TwinRequest) -> None:
        blueprint, store = self._hands.blueprint, self._hands.store
        operation, address = blueprint.operations[self._key(request)], self._address(request)
        resource = blueprint.item_at(operation.path)
        body, sent = store.overlay().bodies.get(address), request.body
        if resource is None or operation.body is None or not isinstance(body, dict) or not isinstance(sent, dict):
            return
        left = forms.left_by(body, {resource.id_field: None, **sent}, operation.body.schema, blueprint.schemas)
        if left != body:
            store.put_at(address, left)
            played.acted = True

    def fail(self, played: _Played, go: Go, request: TwinRequest) -> TwinReply:
        """What moves comes into a state that means failure, where one is known."""
        moving = self._hands.moving
        number = len(moving)
        reply = go(request)
        for at in range(number, len(moving)):
            due, move = moving[at]
            rules = self._hands.blueprint.profile.states
            noun = move.place.resource.noun
            failed = [
                rule.failed[0] for rule in rules if rule.resource == noun and move.field == rule.field and rule.failed
            ]
            if failed:
                moving[at] = (due, replace(move, to=failed[0]))
                played.acted = True
        return reply

    def repeat(self, played: _Played, go: Go, request: TwinRequest) -> TwinReply:
        """What was made of the same body is answered once more, and nothing is made."""
        known = next((reply for body, reply in played.answered if body == request.body), None)
        if known is not None:
            played.acted = True
            return known
        reply = go(request)
        if reply.status < 400:
            played.answered.append((request.body, reply))
        return reply

    # Answers

    def instead(self, played: _Played, go: Go, request: TwinRequest) -> TwinReply:
        """Not done, and answered so."""
        is_main = any(job.poll == self._key(request) for job in self._hands.blueprint.api.jobs)
        if played.rule.form == "main view" and not is_main:
            return go(request)
        played.acted = True
        return self._said(played.rule, request)

    def afterwards(self, played: _Played, go: Go, request: TwinRequest) -> TwinReply:
        """Done, and answered otherwise."""
        reply = go(request)
        if reply.status >= 400:
            return reply
        played.acted = True
        return self._said(played.rule, request)

    def _said(self, rule: BehaviourRule, request: TwinRequest) -> TwinReply:
        if rule.form not in ("refusal", "main view"):
            return TwinReply(rule.status, rule.headers, rule.body)
        match = self._hands.blueprint.routes.of(request)
        operation = match.methods.get(request.method) if match is not None else None
        return self._hands.replies.error(operation, RefusalError(rule.status, str(rule.body), rule.headers))

    def reply(self, played: _Played, go: Go, request: TwinRequest) -> TwinReply:
        """Answered in another form."""
        usual = go(request)
        if not 200 <= usual.status < 300:
            return usual
        made = forms.REPLIES[played.rule.form](usual, request, self._hands.blueprint.profile.conditional.read_header)
        made = TwinReply(played.rule.status or made.status, made.headers, made.body) if made != usual else made
        played.acted = played.acted or made != usual
        return made

    def show(self, played: _Played, go: Go, request: TwinRequest) -> TwinReply:
        """Values that were sent come back in another form."""
        usual = go(request)
        body = forms.reshaped(usual.body, self._sent.has, forms.VALUES[played.rule.form])
        played.acted = played.acted or body != usual.body
        return TwinReply(usual.status, usual.headers, body)

    # Jobs

    def job(self, played: _Played, go: Go, request: TwinRequest) -> TwinReply:
        """A job that the request starts goes on otherwise."""
        runs = len(self._hands.jobs.runs)
        reply = go(request)
        for run in self._hands.jobs.runs[runs:]:
            played.acted = COURSES[played.rule.form](run) or played.acted
            self._hands.jobs.show(run)
        return reply

    # Time

    def lag(self, played: _Played, go: Go, request: TwinRequest) -> TwinReply:
        """Shown as it was before the change, a few times; `form`: the sort of change after which it lags."""
        hands, before = self._hands, played.before
        if before is None or played.met >= played.rule.last:
            return go(request)
        hands.settle()
        now = hands.store.overlay()
        hands.store.put_back(before, kept=hands.jobs.addresses())
        old = go(request)
        hands.store.put_back(now, kept=frozenset())
        new = go(request)
        if old == new:
            return new
        played.met, played.acted = played.met + 1, True
        return old

    def _remember(self, sort: Sort) -> None:
        """Keeps what there is right before a change, for what lags behind it."""
        for played in self._played:
            if played.rule.does == "lag" and played.rule.form == sort and played.before is None:
                played.before = self._hands.store.overlay()

    def expire(self, played: _Played, go: Go, request: TwinRequest) -> TwinReply:
        """All sessions are over after the answer."""
        reply = go(request)
        self._hands.sessions.expire_all()
        played.acted = True
        return reply

    # Versions, actions, lists, addresses

    def version(self, played: _Played, go: Go, request: TwinRequest) -> TwinReply:
        """The version moves right before the change; with `strong only` a weak tag is none."""
        sent = request.header(self._hands.blueprint.profile.conditional.send_header.lower())
        if sent is None:
            return go(request)
        if played.rule.form == "strong only":
            if not sent.startswith("W/"):
                return go(request)
            refused = BehaviourRule("instead", (), status=412, form="refusal", body="the tag does not match")
            return self._said(refused, request)
        self._hands.store.touch(self._address(request))
        played.acted = True
        return go(request)

    def offer(self, played: _Played, go: Go, request: TwinRequest) -> TwinReply:
        """An action is offered at another address (and under another name), and nowhere else."""
        if request.method not in ("GET", "HEAD"):
            described = _plain(self._hands.blueprint, request)
            if described.path != request.path:
                return go(described)
            if self._is_offered(request):
                return self._said(_NOTHING_HERE, request)
            return go(request)
        usual = go(request)
        body = usual.body
        for place, address in self._offers(request, usual.body):
            is_renamed = played.rule.form == "renamed"
            holder, _, name = address.rpartition("/")
            elsewhere = f"{holder}/{forms.other_name(name)}" if is_renamed else f"{address}/moved"
            body = forms.readdressed(body, address, elsewhere)
            body = forms.renamed(body, place.rpartition("/")[0]) if is_renamed else body
        played.acted = played.acted or body is not usual.body
        return TwinReply(usual.status, usual.headers, body)

    def _is_offered(self, request: TwinRequest) -> bool:
        match = self._hands.blueprint.routes.of(request)
        operation = match.methods.get(request.method) if match is not None else None
        return operation is not None and rule_of(self._hands.blueprint, operation) is not None

    def _offers(self, request: TwinRequest, body: Json) -> Iterator[tuple[str, str]]:
        match = self._hands.blueprint.routes.of(request)
        resource = self._hands.blueprint.item_at(match.template) if match is not None else None
        for key in resource.actions if resource is not None else ():
            operation = self._hands.blueprint.operations[key]
            rule = rule_of(self._hands.blueprint, operation)
            place = address_place(rule, operation) if rule is not None else ""
            address = get(body, place) if place else MISSING
            if isinstance(address, str):
                yield place, address

    def page(self, played: _Played, go: Go, request: TwinRequest) -> TwinReply:
        """Lists come in small pages, and what leads to the next one is not what it seems."""
        self._hands.store.is_stingy = "in order"
        match = self._hands.blueprint.routes.of(request)
        resource = self._hands.blueprint.collection_at(match.template) if match is not None else None
        usual = go(request)
        if resource is None or resource.paging is None or usual.status != 200:
            return usual
        address = self._hands.blueprint.base_path + request.path
        query = "&".join(f"{name}={value}" for name, value in request.query)
        made = forms.paged(usual, resource.paging, played.rule.form, f"{address}?{query}" if query else address)
        played.acted = played.acted or made != usual
        return made

    def double(self, played: _Played, go: Go, request: TwinRequest) -> TwinReply:
        """Each thing of a list is there twice, with an id of its own."""
        match = self._hands.blueprint.routes.of(request)
        resource = self._hands.blueprint.collection_at(match.template) if match is not None else None
        usual = go(request)
        items = listed(usual.body, resource.members, resource.element_at) if resource is not None else None
        names = {*resource.natural_keys} - {resource.id_field} if resource is not None else set()
        if resource is None or not items or not names or resource.references:
            return usual
        others = [
            forms.with_other_id(item, resource.id_field)
            for item in items
            if isinstance(item, dict) and names & item.keys()
        ]
        played.acted = played.acted or bool(others)
        wrapped = [put({}, resource.element_at, each) for each in others] if resource.element_at else others
        elements = get(usual.body, resource.members)
        return TwinReply(usual.status, usual.headers, put(usual.body, resource.members, [*elements, *wrapped]))

    def another(self, played: _Played, go: Go, request: TwinRequest) -> TwinReply:
        """Another thing than the one that was asked for: it has another id."""
        usual = go(request)
        match = self._hands.blueprint.routes.of(request)
        resource = self._hands.blueprint.item_at(match.template) if match is not None else None
        item = get(usual.body, resource.item_at) if resource is not None and 200 <= usual.status < 300 else MISSING
        if resource is None or not isinstance(item, dict) or item.get(resource.id_field) is None:
            return usual
        played.acted = True
        other = forms.as_another(item, resource.id_field)
        return TwinReply(usual.status, usual.headers, put(usual.body, resource.item_at, other))

    def move(self, played: _Played, go: Go, request: TwinRequest) -> TwinReply:
        """A thing that is called otherwise is at the address that its new name makes, and no longer at the old one."""
        address = self._address(request)
        if request.method in ("GET", "HEAD"):
            if address in played.moved:
                return self._said(_NOTHING_HERE, request)
            old = next((old for old, new in played.moved.items() if new == address), None)
            return go(request if old is None else TwinRequest(**{**_members(request), "path": old}))
        usual = go(request)
        match = self._hands.blueprint.routes.of(request)
        resource = self._hands.blueprint.item_at(match.template) if match is not None else None
        holder, _, name = request.path.rpartition("/")
        called = get(request.body, f"/{resource.id_field}") if resource is not None else MISSING
        if 200 <= usual.status < 300 and isinstance(called, str) and called not in ("", name):
            new = TwinRequest(**{**_members(request), "path": f"{holder}/{called}"})
            played.acted, played.moved[address] = True, self._address(new)
        return usual

    def redirect(self, played: _Played, go: Go, request: TwinRequest) -> TwinReply:
        """To the same address with a slash at its end, where it is answered."""
        if request.path.endswith("/"):
            return go(TwinRequest(**{**_members(request), "path": request.path.rstrip("/")}))
        played.acted = True
        location = f"{self._hands.blueprint.base_path}{request.path}/"
        return TwinReply(played.rule.status, (("location", location),))

    def _key(self, request: TwinRequest) -> str:
        match = self._hands.blueprint.routes.of(request)
        operation = match.methods.get(request.method) if match is not None else None
        return operation.key if operation is not None else ""

    def _address(self, request: TwinRequest) -> str:
        match = self._hands.blueprint.routes.of(request)
        return canonical(request.path) if match is None else plain_path(match, request.path)


def sort_of(blueprint: Blueprint, request: TwinRequest) -> Sort | None:
    """What kind of request it is; None for what no operation is."""
    match = blueprint.routes.of(request)
    operation = match.methods.get(request.method) if match is not None else None
    if operation is None:
        return None
    if operation.key in blueprint.job_views:
        return "poll"
    kind = blueprint.behaviour(operation).kind
    return "document" if kind is TwinKind.ACT and operation.effect is Effect.READ else _SORTS[kind]


def _plain(blueprint: Blueprint, request: TwinRequest) -> TwinRequest:
    """The request at the address as it is described, without what `offer` and `redirect` make of it."""
    path = _APPENDED.sub("", request.path)
    holder, _, name = path.rpartition("/")
    if name.startswith(forms.OTHER):
        paths = (operation.path for operation in blueprint.operations.values() if operation.method == request.method)
        lasts = (each.rpartition("/")[2] for each in paths)
        known = (f"{holder}/{last}" for last in lasts if last != name and forms.other_name(last) == name)
        path = next((each for each in known if blueprint.routes.match(each) is not None), path)
    return TwinRequest(**{**_members(request), "path": path})


def _members(request: TwinRequest) -> dict[str, Any]:
    return {name: getattr(request, name) for name in TwinRequest.__slots__}


_MECHANISMS: Mapping[str, Callable[[Acting, _Played, Go, TwinRequest], TwinReply]] = {
    "ignore": Acting.ignore, "spoil": Acting.spoil, "instead": Acting.instead, "afterwards": Acting.afterwards,
    "reply": Acting.reply, "show": Acting.show, "job": Acting.job, "lag": Acting.lag, "version": Acting.version,
    "offer": Acting.offer, "page": Acting.page, "expire": Acting.expire, "redirect": Acting.redirect,
    "double": Acting.double, "fail": Acting.fail, "repeat": Acting.repeat, "wipe": Acting.wipe,
    "another": Acting.another, "move": Acting.move,
}  # fmt: skip
