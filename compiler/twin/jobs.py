"""Jobs that are under way: from queued to complete, by being asked about or by time passing, whichever is first.

What a change does happens when its job is over, not when it is answered, so a workflow that does not wait is found
out. A job that is told to fail does nothing but say why. All views of a job are items of their resources.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from compiler.ir.model import Job, Operation, Resource
from compiler.passes.names.paths import last_parameter, last_word, parent
from compiler.twin.blueprint import Blueprint
from compiler.twin.requests.messages import RefusalError
from compiler.twin.requests.routes import encode, fill, split
from compiler.twin.seeds import SeedPlace, Seeds, address_is_member, member_place
from compiler.twin.store import Store
from compiler.twin.values.pointers import put, without
from workflow.replies.accounts import without_failures

Json = Any
_PHASES = 2  # waiting states shown before the end: enough to see a job move, few enough to prove quickly


@dataclass(slots=True)
class JobRun:
    """One job. `is_held`: it waits for something else (a restart) and does not move by itself.

    `touches`: addresses of the items that it is changing. `shows`: pointer → value of what it says besides when it is
    over; `is_told_failed`: it says that it failed although it did what it should (both of behaviours, see `acting`).
    """

    id: str
    job: Job
    started: float
    effect: Callable[[], None]
    places: tuple[tuple[SeedPlace, Operation], ...]
    failure: str | None = None
    is_held: bool = False
    touches: tuple[str, ...] = ()
    polls: int = 0
    state: str = ""
    shows: Mapping[str, Json] = field(default_factory=dict)
    is_told_failed: bool = False

    @property
    def is_over(self) -> bool:
        return self.state in self.job.succeeded or self.state in self.job.failed


class Jobs:
    """All jobs since the beginning, by the address of each of their views."""

    def __init__(self, blueprint: Blueprint, seeds: Seeds, store: Store, duration_s: float) -> None:
        self._blueprint = blueprint
        self._seeds = seeds
        self._store = store
        self._duration_s = duration_s
        self.runs: list[JobRun] = []
        self._by_address: dict[str, JobRun] = {}

    def start(
        self,
        job: Job,
        now: float,
        effect: Callable[[], None],
        *,
        failure: str | None = None,
        is_held: bool = False,
        touches: tuple[str, ...] = (),
        near: str = "",
    ) -> JobRun:
        """A new job in its first state, readable at once in all its views. `near`: the path of the change."""
        poll = self._blueprint.operations[job.poll]
        first = self._holder(poll, near)
        taken = self._store.ids(*first) if first else ()
        run_id = self._store.new_id(*first) if first else str(len(self.runs) + 1)
        run = JobRun(run_id, job, now, effect, (), failure, is_held, touches)
        run.places = tuple(self._views(job, run_id, near))
        run.state = _first_state(job, is_held=is_held)
        for place, _ in run.places:
            add = self._store.add if place.collection else self._store.put
            add(place, without_failures(self._seeds.shaped(place, len(taken) + 1)))
            self._by_address[place.address] = run
        self.runs.append(run)
        self.show(run)
        return run

    def address(self, run: JobRun) -> str:
        """Where the job is asked about, as the description has it."""
        template = self._blueprint.operations[run.job.poll].path
        return run.places[0][0].address if run.places else fill(template, {run.job.parameter: run.id})

    def poll(self, address: str, now: float) -> None:
        """Somebody looked: the job moves on by one state, if one is at this address."""
        run = self._by_address.get(address)
        if run is not None and not run.is_over and not run.is_held:
            run.polls += 1
            self._move_on(run, now)

    def settle(self, now: float) -> None:
        """Lets end what has had its time."""
        for run in self.runs:
            if not run.is_over and not run.is_held and now - run.started >= self._duration_s:
                self._end(run)

    def release(self, now: float) -> None:
        """What was held (settings that wait for a restart) starts to move."""
        for run in self.runs:
            if run.is_held:
                run.is_held, run.started = False, now

    def addresses(self) -> frozenset[str]:
        """Where all jobs are shown, and the lists that show them."""
        places = [place for run in self.runs for place, _ in run.places]
        return frozenset((*self._by_address, *(place.collection for place in places)))

    def is_busy(self, address: str) -> bool:
        """Whether a job that is under way is changing the item at `address`."""
        return any(address in run.touches for run in self.runs if not run.is_over and not run.is_held)

    def _move_on(self, run: JobRun, now: float) -> None:
        shown = run.job.waiting[:_PHASES]
        if run.polls > len(shown) or now - run.started >= self._duration_s:
            self._end(run)
        elif run.polls > 0:  # a slow one counts from below
            run.state = shown[run.polls - 1]
            self.show(run)

    def _end(self, run: JobRun) -> None:
        if run.failure is None:
            try:
                run.effect()
            except RefusalError as refusal:
                run.failure = refusal.message
        if run.failure is None and run.is_told_failed:
            run.failure = "it was so already"
        ended_badly = run.job.failed or (run.job.succeeded if run.job.state_is_switch else ("failed",))
        run.state = run.job.succeeded[0] if run.failure is None else ended_badly[0]
        self.show(run)

    def show(self, run: JobRun) -> None:
        """Writes the job as it stands into all its views."""
        for place, operation in run.places:
            self._store.put(place, self._written(run, place, operation))

    def _written(self, run: JobRun, place: SeedPlace, operation: Operation) -> Json:
        body = self._store.item(place)
        job = next((j for j in self._blueprint.api.jobs if j.poll == operation.key), None)
        if job is None:
            return self._guessed(run, place, body)
        body = put(body, self._blueprint.in_item(job, job.state), job.shown_state(run.state))
        if job.fault and run.failure is None:
            body = without(body, self._blueprint.in_item(job, job.fault))
        elif job.fault and job.state_is_switch:
            body = put(body, self._blueprint.in_item(job, job.fault), {"message": run.failure})
        if job.message:
            body = put(body, self._blueprint.in_item(job, job.message), run.failure or "")
        for at, _ in job.used:  # what it plays ends by itself
            body = put(body, self._blueprint.in_item(job, at), "task")
        for at, well in job.succeeded_if if run.is_over else ():
            body = put(body, self._blueprint.in_item(job, at), well[0] if run.failure is None else run.failure)
        rule = self._blueprint.job_rule(job)
        if rule is not None and rule.message_parameters is not None:
            body = put(body, self._blueprint.in_item(job, rule.message_parameters), [])
        if rule is not None and rule.progress is not None:
            body = put(body, self._blueprint.in_item(job, rule.progress), self._percent(run))
        for at, value in run.shows.items() if run.is_over else ():
            body = put(body, self._blueprint.in_item(job, at), value)
        return body

    def _guessed(self, run: JobRun, place: SeedPlace, body: Json) -> Json:
        """Another view, whose states nobody described: the member whose values know the end of such a job."""
        members = self._blueprint.schemas.members(self._blueprint.item_schema(place.resource))
        for name, member in members.items():
            values = self._blueprint.schemas.values(member)
            if run.job.succeeded[0] in values:
                waiting = [state for state in run.job.waiting if state in values]
                rest = waiting[0] if waiting and not run.is_over else run.job.succeeded[0]
                return put(body, f"/{name}", run.state if run.state in values else rest)
        return body

    def _percent(self, run: JobRun) -> int:
        return 100 if run.is_over else min(99, run.polls * 100 // (_PHASES + 1))

    def _views(self, job: Job, run_id: str, near: str) -> list[tuple[SeedPlace, Operation]]:
        rule = self._blueprint.job_rule(job)
        keys = dict.fromkeys((job.poll, *(rule.other_views if rule else ())))
        found = []
        for operation in (self._blueprint.operations[k] for k in keys if k in self._blueprint.operations):
            holder = self._holder(operation, near)
            if holder is None:
                continue
            shown, place = self._blueprint.item_at(operation.path), member_place(*holder, run_id)
            if shown is holder[0]:
                found.append((place, operation))
            elif shown is not None:  # the state stands below the job, which may be read as well
                found.append(
                    (SeedPlace(shown, f"{place.address}/{encode(last_word(operation.path))}", "", ""), operation)
                )
                if holder[0].read:
                    found.append((place, self._blueprint.operations[holder[0].read]))
        return found

    def _holder(self, poll: Operation, near: str) -> tuple[Resource, str] | None:
        """The jobs of its kind, and where they stand: of several places that which is nearest to the change."""
        resource = self._blueprint.item_at(poll.path)
        if resource is not None and not address_is_member(resource):
            resource = self._blueprint.item_at(parent(poll.path)) or _unread(poll)
        if resource is None:
            return None
        collections = list(self._store.collections(resource))
        nearest = max(collections, key=lambda each: _shared(each, near), default=None)
        return None if nearest is None else (resource, nearest)


def _shared(one: str, other: str) -> int:
    """How many segments two paths begin with alike."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(split(one), split(other), strict=False)))


def _unread(poll: Operation) -> Resource:
    """The jobs of which nobody reads one, but only the state below it."""
    item = parent(poll.path)
    return Resource(noun=last_word(item), name="", item=item, id_parameter=last_parameter(item))


def _first_state(job: Job, *, is_held: bool) -> str:
    """Where a job starts; one that waits for something else says so where the device has a word for it."""
    named = next((state for state in job.waiting if state.lower().startswith("scheduled")), "") if is_held else ""
    return named or (job.waiting or job.succeeded)[0]
