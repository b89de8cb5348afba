"""The twin: a device made from a description, that remembers what was done to it.

`Twin.handle` takes a request and gives the reply that the vendor's device would give; nothing else changes the state,
except the switches that tests and operators have (`fail_next_job`, `expire_sessions`, `set_etag_changed`,
`interrupt`, and what `fault_injection` arranges). No I/O, no clock of its own: `now` is passed in. `fresh()` is another
twin in the initial state and costs next to nothing. Actions whose effect nobody described answer a declared success,
start a job where the convention says so, and change nothing. Used by `compiler.proofs.proof` in process and by
`server.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from compiler.ir.model import Api, Operation, Resource
from compiler.passes.risk.values import makes
from compiler.twin.behaviours.acting import Acting, Hands, sort_of
from compiler.twin.behaviours.fault_injection import FaultInjection
from compiler.twin.behaviours.forms import later
from compiler.twin.behaviours.tables import DeviceBehaviour, Sort
from compiler.twin.blueprint import Behaviour, Blueprint, TwinKind
from compiler.twin.changes import Changes, ItemChange
from compiler.twin.jobs import Jobs
from compiler.twin.pending import Pending, Wait
from compiler.twin.references import check_references
from compiler.twin.requests.asked import MatchedRequest, named_in_body
from compiler.twin.requests.checks import (
    check_body,
    check_create_only,
    check_parameters,
    check_understood,
    check_version,
    item_part,
)
from compiler.twin.requests.messages import Recorded, RefusalError, Sample, TwinReply, TwinRequest
from compiler.twin.requests.multipart import with_values
from compiler.twin.requests.reading import Reader
from compiler.twin.requests.replies import Receipt, Replies, allowed
from compiler.twin.requests.routes import Match, canonical, plain_path
from compiler.twin.seeds import SeedPlace, Seeds, address_is_member
from compiler.twin.sessions import Credentials, Sessions
from compiler.twin.states import Move, busy_status, moves
from compiler.twin.store import Overlay, Store
from compiler.twin.values.pointers import MISSING, get, put
from compiler.twin.values.samples import Samples
from workflow.profiles.profile import Profile

Json = Any


@dataclass(frozen=True, slots=True)
class Tempo:
    """How fast the device is, in seconds on the twin's clock. `has_all_jobs`: whatever may start a job does."""

    job_s: float = 10.0
    settle_s: float = 2.0
    session_s: float = 1800.0
    has_all_jobs: bool = False


@dataclass(frozen=True, slots=True)
class Traces:
    """What the device's own store shows of what was done. `effects`: keys of the operations, in order.

    `things`: what is otherwise than in the beginning; `initial`: what there was at an address then.
    """

    things: Overlay
    effects: tuple[str, ...]
    initial: Callable[[str], Json]

    def body(self, address: str) -> Json:
        """What is at the address, as far as anybody looked there."""
        return self.things.bodies.get(address, self.initial(address))


class Twin:
    """A stateful mock of one API. `now` gives seconds; any origin will do."""

    def __init__(
        self,
        api: Api,
        profile: Profile,
        *,
        now: Callable[[], float],
        tempo: Tempo | None = None,
        credentials: Credentials | None = None,
        failing_jobs: bool = False,
    ) -> None:
        blueprint = Blueprint(api, profile)
        made = (Seeds(blueprint), Replies(blueprint))
        self._set_up(blueprint, *made, now, tempo or Tempo(), credentials or Credentials(), failing_jobs)

    def _set_up(
        self,
        blueprint: Blueprint,
        seeds: Seeds,
        replies: Replies,
        now: Callable[[], float],
        tempo: Tempo,
        credentials: Credentials,
        failing_jobs: bool,
    ) -> None:
        self._blueprint = blueprint
        self._seeds = seeds
        self._now = now
        self._tempo = tempo
        self.credentials = credentials
        self._are_jobs_failing = failing_jobs
        self._replies = replies
        self._behaviours: tuple[DeviceBehaviour, ...] = ()
        self.reset()

    def reset(self) -> None:
        """Back to the initial state: items, jobs, sessions, switches and the record of requests."""
        self._store = Store(self._blueprint, self._seeds)
        self._changes = Changes(self._blueprint, self._seeds, self._store)
        self._jobs = Jobs(self._blueprint, self._seeds, self._store, self._tempo.job_s)
        self._sessions = Sessions(self._blueprint.profile, self.credentials, self._tempo.session_s)
        self._samples = Samples(self._blueprint, self._store, self.credentials)
        self._moving: list[tuple[float, Move]] = []
        self._effects: list[str] = []
        self._pending = Pending(self._blueprint, self._seeds, self._store, self._changes)
        self._reader = Reader(self._blueprint, self._seeds, self._store, self._replies)
        self._next_failure: str | None = None
        self._recorded: list[Recorded] = []
        self._interruptions: dict[int, Callable[[], None]] = {}
        self.incidents = FaultInjection(self._blueprint, self._seeds, self._store)
        self.behave(*self._behaviours)

    def behave(self, *behaviours: DeviceBehaviour) -> None:
        """From here on the device does what these say, and nothing else; `reset` begins with them anew."""
        self._behaviours = behaviours
        hands = Hands(
            self._blueprint, self._store, self._jobs, self._sessions, self._pending, self._replies,
            self._moving, self._effects, lambda: self._settle(self._now()),
        )  # fmt: skip
        self._acting = Acting(hands, behaviours) if behaviours else None

    @property
    def has_misbehaved(self) -> bool:
        """Whether one of its behaviours has changed an answer or an effect by now."""
        return self._acting is not None and self._acting.has_acted

    def sort_of(self, request: TwinRequest) -> Sort | None:
        """What kind of request it is, in the words of behaviours; None for what no operation is."""
        return sort_of(self._blueprint, request)

    def traces(self) -> Traces:
        """What is otherwise than in the beginning, jobs left aside, and every change that took effect."""
        self._settle(self._now())
        things = self._store.differences(self._jobs.addresses())
        return Traces(things, tuple(self._effects), self._seeds.known_body)

    def fresh(self, now: Callable[[], float] | None = None, tempo: Tempo | None = None) -> "Twin":
        """A twin of the same device in its initial state; shares everything that never changes."""
        twin = Twin.__new__(Twin)
        twin._set_up(
            self._blueprint,
            self._seeds,
            self._replies,
            now or self._now,
            tempo or self._tempo,
            self.credentials,
            self._are_jobs_failing,
        )
        return twin

    def beside(self) -> "Twin":
        """A fresh twin whose things are as they are here by now. Sessions, switches and the record start anew, and
        jobs that are still under way here do not go on there.
        """
        self._settle(self._now())
        twin = self.fresh()
        twin._store.take_over(self._store)
        return twin

    @property
    def base_path(self) -> str:
        """The server's path, which requests to `handle` do not carry."""
        return self._blueprint.base_path

    def now(self) -> float:
        """The time on the twin's clock, in seconds."""
        return self._now()

    def run_on(self, now: Callable[[], float]) -> None:
        """Another clock from here on; it should not be behind the one before."""
        self._now = now

    @property
    def api(self) -> Api:
        return self._blueprint.api

    @property
    def operations(self) -> Mapping[str, Operation]:
        """Those of the API by key."""
        return self._blueprint.operations

    @property
    def profile(self) -> Profile:
        return self._blueprint.profile

    @property
    def requests(self) -> tuple[Recorded, ...]:
        """Every request since the beginning, in order of arrival."""
        return tuple(self._recorded)

    def fail_next_job(self, message: str = "the device could not do it") -> None:
        """The next job that starts ends in the first failed state and says `message`."""
        self._next_failure = message

    def expire_sessions(self) -> None:
        self._sessions.expire_all()

    def set_etag_changed(self, path: str) -> None:
        """As if somebody else had changed what is at `path`: entity tags read before are stale."""
        match = self._blueprint.routes.match(path)
        places = self._store.places_on(canonical(path), match) if match is not None else ()
        is_item = match is not None and bool(places) and self._blueprint.item_at(match.template) is places[-1].resource
        self._store.touch(places[-1].address if is_item else canonical(path))

    def interrupt(self, after: int, act: Callable[[], None]) -> None:
        """Lets `act` happen right after the reply to the request that is `after` requests from now."""
        self._interruptions[len(self._recorded) + after] = act

    def authorization(self) -> tuple[tuple[str, str], ...]:
        """Headers of a session that is open, or of another kind of credentials that the device takes."""
        return self._sessions.grant(self._now())

    def sample(self, noun: str, *, operation: str = "", when: Mapping[str, Json] | None = None) -> Sample | None:
        """An item that exists of the resource `noun`, in a state in which `operation` may be called on it with the
        body members `when`; None where there is none. Changes the item's state where no seed is in such a one.

        Nouns may repeat: the resources in the operation's own path come first, and an item path names exactly one.
        """
        return self._samples.sample(noun, operation, when or {})

    def example_parameter(self, operation: str, name: str) -> Json:
        """A value that the operation accepts for its parameter of this name; None where it has none."""
        return self._samples.parameter(operation, name)

    def example_body(self, operation: str, *, is_full: bool = False) -> Json:
        """A body that the operation (`METHOD /path`) accepts now: ids in it name items that exist, names are new."""
        return self._samples.body(operation, is_full=is_full)

    def without_format(self, path: str) -> str:
        """The address of what is asked for at the path, which may end in a format (`/groups/5.json`)."""
        return self._blueprint.routes.without_format(path)

    def handle(self, request: TwinRequest) -> TwinReply:
        """The device's reply. Never raises for anything that a client can send."""
        path = self.without_format(request.path)
        request = request if path == request.path else replace(request, path=path)
        reply = self._acting.answer(request, self._answer) if self._acting else self._answer(request)
        number = len(self._recorded) + 1
        body = request.body if request.has_body else None
        self._recorded.append(Recorded(number, request.method, request.path, request.query, reply.status, body))
        act = self._interruptions.pop(number, None)
        if act is not None:
            act()
        return reply

    def _answer(self, request: TwinRequest) -> TwinReply:
        now = self._now()
        operation: Operation | None = None
        match = self._blueprint.routes.of(request)
        try:
            self._settle(now)
            check_understood(self._blueprint, request)
            served = self._replies.document(request.path) if match is None else None
            if served is not None and request.method in ("GET", "HEAD"):
                return self._replies.dressed(served, request, match)
            operation = _operation(match, request.method) if match else None
            self._sessions.admit(request, operation.key if operation else "", now)
            if match is None:
                raise RefusalError(404, f"there is nothing at {request.path}")
            if operation is None:
                headers = (("allow", allowed(match.methods)),)
                raise RefusalError(405, f"{request.method} is not possible here", headers)
            reply = self._respond(request, match, operation, now)
        except RefusalError as refusal:
            reply = self._replies.error(operation, refusal)
        reply = self._replies.dressed(reply, request, match)
        return TwinReply(reply.status, reply.headers) if request.method == "HEAD" else reply

    def _respond(self, request: TwinRequest, match: Match, operation: Operation, now: float) -> TwinReply:
        behaviour = self._blueprint.behaviour(operation)
        request = with_values(request, operation.body, self._blueprint.schemas)
        path = plain_path(match, request.path)
        above = (*self._store.places_on(path, match), *named_in_body(behaviour, path, request.body))
        asked = MatchedRequest(request, match, behaviour, path, above, now)
        check_parameters(self._blueprint, operation, request)
        for place in above:
            if not self._store.exists(place) and not (place is above[-1] and _brings_about(behaviour, place.resource)):
                empty = self._replies.unknown_item(behaviour) if place is above[-1] else None
                if empty is not None:
                    return empty
                raise RefusalError(404, f"there is no {_called(place)}")
        if behaviour.kind in (TwinKind.LIST, TwinKind.READ, TwinKind.DOCUMENT):
            if operation.body is not None:
                check_body(self._blueprint, behaviour, request)
            is_read = behaviour.kind is TwinKind.READ and bool(above)
            self._jobs.poll(asked.place.address if is_read else asked.path, asked.now)
            return self._reader.read(asked)
        check_version(self._blueprint, operation, request, self._store.version(path))
        check_body(self._blueprint, behaviour, request)
        if behaviour.kind in (TwinKind.LOGIN, TwinKind.LOGOUT):
            return self._log_in(asked) if behaviour.kind is TwinKind.LOGIN else self._log_out(asked)
        is_replaced = behaviour.kind is TwinKind.REPLACE and bool(above) and self._store.exists(above[-1])
        current = self._store.item(above[-1]) if is_replaced else None
        schema = operation.body.schema if operation.body else None
        joined = self._blueprint.memberships.get(operation.key)
        elsewhere = joined.member if joined is not None else ""
        check_references(self._blueprint, self._store, behaviour.resource, request.body, current, schema, elsewhere)
        return self._change(asked)

    # Sessions

    def _log_in(self, asked: MatchedRequest) -> TwinReply:
        rule = self._blueprint.profile.auth.session
        assert rule is not None, "there is a login only with a session rule"
        token = self._sessions.open(asked.request.body, asked.now)
        receipt = Receipt()
        if asked.behaviour.resource is not None:
            change = self._changes.create(asked.behaviour, asked.path, asked.request.body, None)
            change.effect()
            receipt = Receipt(item=change.item, location=change.place.address)
            self._sessions.stands_at(token, change.place.address)
        if rule.token.within == "header":
            receipt.headers.append((rule.token.at.lower(), token))
        elif rule.token.within == "cookie":
            receipt.headers.append(("set-cookie", f"{rule.token.at}={token}; Path=/; HttpOnly"))
        reply = self._replies.change(asked.behaviour, receipt)
        at = rule.token.at if rule.token.within == "body" else f"/{rule.token.at}"
        is_shown = rule.token.within == "body" or (isinstance(reply.body, dict) and rule.token.at in reply.body)
        return TwinReply(reply.status, reply.headers, put(reply.body, at, token)) if is_shown else reply

    def _log_out(self, asked: MatchedRequest) -> TwinReply:
        self._sessions.close(asked.request, asked.path)
        if asked.behaviour.resource is not None:
            self._store.remove(asked.place)
        return self._replies.change(asked.behaviour, Receipt())

    # Changing

    def _change(self, asked: MatchedRequest) -> TwinReply:
        body = asked.request.body
        moving = moves(self._blueprint, self._store, asked.operation, asked.above, body)
        touches = tuple(move.place.address for move in moving)
        if asked.behaviour.kind in (TwinKind.UPDATE, TwinKind.REPLACE, TwinKind.DELETE):
            touches = (*touches, asked.place.address)
        if any(self._jobs.is_busy(address) for address in touches):
            raise RefusalError(busy_status(asked.operation), "another change of this is still under way")
        wait = self._pending.wait_of(asked)
        change = (
            None
            if (wait is not None and wait.effect) or self._makes_job(asked.behaviour)
            else self._planned(asked, body)
        )
        effects = [*([change.effect] if change else []), *([wait.effect] if wait and wait.effect else [])]
        receipt = self._receipt(asked, change)

        def happen() -> None:
            for effect in effects:
                effect()
            for move in moving:
                self._apply(move)
            self._effects.append(asked.operation.key)

        if self._starts_job(asked, wait):
            self._start_job(asked, receipt, happen, touches, is_held=wait is not None and wait.is_held)
        else:
            for effect in effects:
                effect()
            settled = asked.now + self._tempo.settle_s
            self._moving += [(min(settled, asked.now + move.settles_s), move) for move in moving]
            self._effects.append(asked.operation.key)
        if any(rule.applied_by == asked.operation.key for rule in self._blueprint.profile.pending_settings):
            self._jobs.release(asked.now)
        return self._replies.change(asked.behaviour, receipt)

    def _planned(self, asked: MatchedRequest, body: Json) -> ItemChange | None:
        kind, behaviour = asked.behaviour.kind, asked.behaviour
        if kind is TwinKind.CREATE and behaviour.resource is not None and not address_is_member(behaviour.resource):
            return self._changes.created_there(behaviour, asked.place, body)
        if kind is TwinKind.CREATE:
            models = [place for place in asked.above if place.resource is behaviour.resource and behaviour.copies]
            return self._changes.create(behaviour, self._collection_for(asked), body, models[-1] if models else None)
        if kind in (TwinKind.PUT_IN, TwinKind.TAKE_OUT):
            return self._changes.belonging(behaviour, asked.path, body, is_in=kind is TwinKind.PUT_IN)
        if kind is TwinKind.DELETE:
            return self._changes.delete(asked.place)
        if asked.above and _adds(asked.operation, asked.place.resource) and not self._store.exists(asked.place):
            return self._changes.put_there(asked.place, item_part(behaviour, body))
        if kind in (TwinKind.UPDATE, TwinKind.REPLACE):
            check_create_only(self._blueprint, behaviour, self._store.item(asked.place), item_part(behaviour, body))
            return getattr(self._changes, kind.value)(behaviour, asked.place, body)  # type: ignore[no-any-return]
        return self._changes.left_behind(asked) if asked.operation.leaves is not None else None

    def _collection_for(self, asked: MatchedRequest) -> str:
        """Where what is made goes: the path's own collection, the copied item's, else the first there is."""
        resource = asked.behaviour.resource
        assert resource is not None, "what is made is a resource's item"
        if self._blueprint.collection_at(asked.match.template) is resource:
            return asked.path
        if asked.above and asked.above[-1].resource is resource:
            return asked.above[-1].collection
        near = [c for c in self._store.collections(resource) if asked.path.startswith(c + "/")]
        return next(iter(near), None) or next(self._store.collections(resource), resource.collection)

    def _receipt(self, asked: MatchedRequest, change: ItemChange | None) -> Receipt:
        if change is None:
            return Receipt()
        if asked.behaviour.kind is not TwinKind.CREATE:
            return Receipt(item=change.item)
        return Receipt(made_id=change.place.id, item=change.item, location=change.place.address)

    def _starts_job(self, asked: MatchedRequest, wait: Wait | None) -> bool:
        """Whether this request starts a job. A handle in the body is always there; where the description merely
        allows a 202 among other successes, the device's word is the profile's list, and `Tempo.has_all_jobs`.
        """
        job = asked.behaviour.job
        if job is None:
            return False
        if wait is not None and not wait.starts_job:
            return False
        if wait is not None or self._makes_job(asked.behaviour):
            return True
        rule = self._blueprint.job_rule(job)
        is_told = rule is not None and asked.operation.key in rule.operations
        if is_told or job.handle_within == "body" or self._tempo.has_all_jobs:
            return True
        declared = {r.status for r in asked.operation.responses if r.status.startswith("2")}
        return not declared & {"200", "201", "204", "2XX"}

    def _start_job(
        self,
        asked: MatchedRequest,
        receipt: Receipt,
        happen: Callable[[], None],
        touches: tuple[str, ...],
        *,
        is_held: bool,
    ) -> None:
        job = asked.behaviour.job
        assert job is not None, "only changes with a job come here"
        failure, self._next_failure = self._next_failure, None
        if failure is None and self._are_jobs_failing:
            failure = "jobs fail on this twin"
        run = self._jobs.start(
            job, asked.now, happen, failure=failure, is_held=is_held, touches=touches, near=asked.path
        )
        receipt.job_id, receipt.job_address = run.id, self._jobs.address(run)
        receipt.job_views = tuple((place.resource, self._store.item(place)) for place, _ in run.places)
        receipt.location = ""

    def _apply(self, move: Move) -> None:
        if self._store.exists(move.place):
            item = put(self._store.item(move.place), move.field, move.to)
            known = get(item, move.changes) if move.changes else MISSING
            self._store.put(move.place, put(item, move.changes, later(known)) if move.changes else item)

    def _settle(self, now: float) -> None:
        self._jobs.settle(now)
        due = [move for at, move in self._moving if at <= now]
        self._moving[:] = [(at, move) for at, move in self._moving if at > now]
        for move in due:
            self._apply(move)

    def _makes_job(self, behaviour: Behaviour) -> bool:
        """Whether what the operation makes is the very job that it starts."""
        job, resource = behaviour.job, behaviour.resource
        if behaviour.kind is not TwinKind.CREATE or job is None or resource is None:
            return False
        rule = self._blueprint.job_rule(job)
        return resource.read in (job.poll, *(rule.other_views if rule else ()))


def _adds(operation: Operation, resource: Resource) -> bool:
    """True for a PUT that makes what is not there, by its text, or has no body: it belongs there from now on."""
    return operation.method == "PUT" and (makes(operation) if operation.body is not None else not resource.read)


def _called(place: SeedPlace) -> str:
    name = place.resource.name or place.resource.noun
    return f"{name} {place.id!r}" if place.collection else name


def _brings_about(behaviour: Behaviour, resource: Resource) -> bool:
    """Whether the thing need not be there before: it is put there, or made as the only one of its kind."""
    is_made = behaviour.kind is TwinKind.CREATE and behaviour.resource is resource and not address_is_member(resource)
    return is_made or _adds(behaviour.operation, resource)


def _operation(match: Match, method: str) -> Operation | None:
    """HEAD is answered wherever GET is (RFC 9110, 9.1)."""
    return match.methods.get(method) or (match.methods.get("GET") if method == "HEAD" else None)
