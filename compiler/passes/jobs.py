"""Jobs: which changes go on after they are answered, and how to wait for them.

Before: operations and resources. After: `Api.jobs`, each with the operations that start it. The profile's rules come
first; without any, a job is inferred where a change answers a member that is the path parameter of a readable thing
with a state, or that thing as a member, or where it may answer 202 and there is one kind of thing that looks like a
job, or its reply holds what that thing shows, its address, or a text that is described as its id (`task_ids`). A job
whose states nobody lists is taken to end in the usual words. Where most changes may answer 202, or several with a
Location, any change may: the wait is planned for all, and skipped where none was started.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from compiler.ir.model import EMPTY, Api, Diagnostic, Effect, Job, JobView, Operation, Response, Schema, Severity
from compiler.ir.schemas import SharedSchemas
from compiler.passes.names import words
from compiler.passes.names.listed import lists_in
from compiler.passes.names.paths import (
    ends_in_parameter,
    is_below,
    last_parameter,
    last_word,
    parent,
    shape,
)
from compiler.passes.outcome import Options, PassOutcome
from compiler.passes.task_ids import ToldTask, exit_of, noun_of_task, parameter_of_task, task_address, told_tasks
from compiler.passes.whole_jobs import fault_of, whole_jobs
from workflow.profiles.profile_speech import JobRule

_CHANGES = (Effect.CREATE, Effect.UPDATE, Effect.DELETE, Effect.ACT)
_VERSIONED = re.compile(r"[._]?v\d+([._]\d+)*")
_JOB_NOUNS = frozenset({"task", "job", "operation", "activity", "tasktag", "request"})
_SHOWN_NOUNS = _JOB_NOUNS | {"action"}  # what a change may answer whole, with its id and its state
_LINKS = frozenset({"href", "url", "uri", "link", "location", "address"})
_SEVERAL = 3  # changes that say that they may be accepted: with fewer it is a matter of these alone
_STATE_NAMES = ("state", "status", "State", "Status", "TaskState", "JobState", "taskState", "jobState", "phase")
# What says of a job that it is over, and how that is compared.
_OVER = ("done", "is_done", "isDone", "finished", "completed", "complete", "isFinished", "isCompleted", "isComplete")
_OVER_OR_NOT = (("false",), ("true",), ())
# Of a job whose states nobody lists, compared without letter case; first what the others are usually called.
_USUAL_STATES = (
    ("running", "pending", "queued"),
    ("success", "succeeded", "completed", "complete", "finished", "done", "ok"),
    ("failure", "failed", "error", "aborted", "cancelled", "canceled"),
)
# By what a job says of its kind: one that is open until somebody takes part, or what it made is used.
_KINDS = frozenset({"class", "kind", "type", "category", "mode"})
_USED = frozenset({"websocket", "websockets", "token", "tokens", "stream", "console", "interactive"})
_MESSAGES = ("message", "formattedMessage", "error", "statusMessage", "detail", "Message", "error_message")


def run(api: Api, options: Options) -> PassOutcome:
    seeker = _Seeker(api)
    keys = {o.key for o in api.operations}
    told = tuple(seeker.from_rule(rule) for rule in options.profile.jobs if rule.poll in keys)
    missing = tuple(
        Diagnostic(
            "job-poll-missing",
            Severity.WARNING,
            rule.poll,
            f"the profile's job “{rule.name}” is asked for with {rule.poll}, which this description lacks",
            "correct the profile's `poll`, or add the operation to the description",
        )
        for rule in options.profile.jobs
        if rule.poll not in keys
    )
    if told or options.profile.jobs:
        return PassOutcome(replace(api, jobs=told), missing)
    inferred = seeker.infer()
    notes = tuple(_assumed(job) for job in inferred)
    return PassOutcome(replace(api, jobs=inferred), notes)


def _assumed(job: Job) -> Diagnostic:
    usual = ", whose states are not described: the usual words are taken" if job.waiting == _USUAL_STATES[0] else ""
    why = f": {job.evidence}" if job.evidence else ""
    return Diagnostic(
        "job-assumed",
        Severity.NOTE,
        job.poll,
        f"assumed that changes are waited for with {job.poll}, by {job.handle_within} {job.handle_at}{why}{usual}",
        "say it in the profile's `jobs`, with the states that end it",
    )


class _Seeker:
    def __init__(self, api: Api) -> None:
        self.api = api
        self.schemas = SharedSchemas(api.schemas)
        self.changes = tuple(o for o in api.operations if o.effect in _CHANGES and not o.left_out)
        self.keys = frozenset(o.key for o in api.operations)
        self.polls = tuple(o for o in api.operations if o.method == "GET" and ends_in_parameter(o.path))

    def from_rule(self, rule: JobRule) -> Job:
        told = tuple(key for key in rule.operations if key in self.keys)
        starts = told or tuple(o.key for o in self.changes if self._may_start(o, rule))
        if rule.operations and not told:
            starts = ()
        return Job(
            name=rule.name,
            operations=starts,
            handle_within=rule.handle.within,
            handle_at=rule.handle.at,
            handle_is_address=rule.handle.transform == "last_path_segment",
            statuses=rule.statuses,
            empty_means_done=rule.handle_empty_means_done,
            poll=rule.poll,
            parameter=rule.parameter,
            state=rule.state,
            waiting=rule.waiting,
            succeeded=rule.succeeded,
            failed=rule.failed,
            message=rule.message or "",
            created_id=rule.created_id or "",
            result=rule.result,
            result_view=rule.result_view if rule.result_view and rule.result_view in self.keys else "",
            interval_s=rule.interval_s,
            timeout_s=rule.timeout_s,
            failed_if=tuple((sign.at, sign.values) for sign in rule.failed_if),
            used=tuple((sign.at, sign.values) for sign in rule.used_while_running),
            pending=rule.pending,
            pending_s=rule.pending_s,
            stalled_s=rule.stalled_s,
            away_s=rule.away_s,
            appears_s=rule.appears_s,
            progress=rule.progress or "",
            elsewhere=self._elsewhere(rule),
        )

    def _elsewhere(self, rule: JobRule) -> JobView | None:
        """The first other view that needs nothing but the handle; its states are those that its description lists."""
        views = (poll for poll in self.polls if poll.key in rule.other_views and poll.path.count("{") == 1)
        by_order = sorted(views, key=lambda poll: rule.other_views.index(poll.key))
        found = (self._view(poll, rule) for poll in by_order)
        return next((view for view in found if view is not None), None)

    def _view(self, poll: Operation, rule: JobRule) -> JobView | None:
        members = self.schemas.members(poll.success.schema if poll.success else None)
        for name, member in members.items():
            values = self.schemas.values(member)
            if set(rule.succeeded) & set(values):
                _, succeeded, failed = _sorted_states(values)
                wells = tuple(dict.fromkeys(s for s in (*rule.succeeded, *succeeded) if s in values))
                badly = tuple(dict.fromkeys(s for s in (*rule.failed, *failed) if s in values and s not in wells))
                return JobView(poll.key, last_parameter(poll.path), f"/{name}", wells, badly)
        return None

    def _may_start(self, operation: Operation, rule: JobRule) -> bool:
        if any(re.search(pattern, operation.key) for pattern in rule.never):
            return False
        statuses = {r.status for r in operation.responses}
        is_listed = not rule.statuses or statuses & {*(str(s) for s in rule.statuses), "2XX"}
        if not is_listed and not rule.any_change:
            return False
        if rule.handle.within != "body":
            return True
        # Where the statuses are told the answer with one of them has the handle, whatever else is good.
        told = [r for r in operation.responses if r.status in {str(status) for status in rule.statuses}]
        replies = [r for r in (*told, operation.success) if r is not None and r.status != "204"]  # which has no body
        return any(not r.schema or self.schemas.at(r.schema, rule.handle.at) is not None for r in replies)

    def infer(self) -> tuple[Job, ...]:
        answering = self._answering()
        for poll in self.polls:
            parameter = last_parameter(poll.path)
            # `id` alone would make every creation a job of whatever is read by id.
            starts = tuple(answering.get(parameter, ())) if len(words.split(parameter)) > 1 else ()
            starts = tuple(key for key in starts if not _is_written(key, poll))
            job = self._job(poll, parameter, starts, "body", f"/{parameter}") if starts else None
            if job:
                return (job,)
        return self._infer_whole() or self._infer_shown() or self._infer_held() or self._infer_told_or_accepted()

    def _infer_whole(self) -> tuple[Job, ...]:
        """The jobs that changes answer whole, as reading one shows it."""
        found = []
        for each in whole_jobs(self.polls, self.changes, self.schemas, _JOB_NOUNS - {"request"}):
            parameter = last_parameter(each.poll.path)
            job = self._job(each.poll, parameter, each.starts, "body", f"/{each.named}")
            if job is not None:
                fault = (
                    ""
                    if job.failed
                    else fault_of(each.poll.success.schema if each.poll.success else None, self.schemas)
                )
                evidence = f"{each.starts[0]} answers what is read there; {len(each.starts)} such"
                told = replace(job, evidence=evidence, created_id="", fault=f"/{fault}" if fault else "")
                found.append(replace(told, message="") if job.message == told.fault else told)
        return tuple(found)

    def _infer_told_or_accepted(self) -> tuple[Job, ...]:
        """What answers a job's id as text is waited for by that, the rest by what a 202 says."""
        told = self._infer_told() or self._infer_linked()
        known = {key for job in told for key in job.operations}
        others = ((job, tuple(k for k in job.operations if k not in known)) for job in self._infer_accepted())
        return (*told, *(replace(job, operations=keys) for job, keys in others if keys))

    def _views_of(self, nouns: frozenset[str]) -> Iterator[tuple[Operation, str]]:
        """What reads one thing of such a name that belongs to no other, the shortest address first."""
        for poll in sorted(self.polls, key=lambda o: (o.path.count("{"), o.path)):
            noun = words.singular(last_word(poll.path)).lower()
            if noun in nouns and "{" not in parent(poll.path):
                yield poll, noun

    def _infer_shown(self) -> tuple[Job, ...]:
        """The job that changes answer as a member of their reply, where one and the same is to be read by its id."""
        for poll, noun in self._views_of(_SHOWN_NOUNS):
            parameter = last_parameter(poll.path)
            shown = self.schemas.members(poll.success.schema if poll.success else None).get(noun)
            job = self._job(poll, parameter, (), "body", "", noun) if shown else None
            if job is None:
                continue
            members = self.schemas.members(shown)
            named = next((name for name in (parameter, "id", f"{noun}_id", f"{noun}Id") if name in members), "")
            starts = tuple(o.key for o in self.changes if named and self._answers(o, noun, named, members))
            if starts:
                return (replace(job, operations=starts, handle_at=f"/{noun}/{named}"),)
        return ()

    def _infer_held(self) -> tuple[Job, ...]:
        """The job that an accepted change holds in some member (`metadata`), as the job's own read does."""
        for poll, noun in self._views_of(_JOB_NOUNS):
            for name, member in self.schemas.members(poll.success.schema if poll.success else None).items():
                parameter = last_parameter(poll.path)
                ids = (parameter, "id", f"{noun}_id", f"{noun}Id")
                named = next((one for one in ids if one in self.schemas.members(member)), "")
                kind = self.schemas.component(member)
                held = {o.key: self._holder(o, kind) for o in self.changes if kind and named}
                at = next(filter(None, held.values()), "")
                starts = tuple(key for key, place in held.items() if at and place == at)
                job = self._job(poll, parameter, starts, "body", f"/{at}/{named}", name) if starts else None
                if job:
                    return (replace(job, statuses=(202,)),)
        return ()

    def _infer_told(self) -> tuple[Job, ...]:
        """The job whose id changes answer as text, where the description says of the text that it is that id.

        One job for each place of the id; none where the text may be the id of several kinds of jobs.
        """
        found: dict[str, list[Job]] = {}
        for poll in self.api.operations:
            at = task_address(poll) if poll.method == "GET" and not poll.left_out else ""
            if at and noun_of_task(poll) in _JOB_NOUNS - {"request"}:  # a request's id is there for its trace
                known = found.setdefault(shape(at), [])
                known += [] if known else self._told_by(poll, at)
        kinds = [jobs for jobs in found.values() if jobs]
        return tuple(kinds[0]) if len(kinds) == 1 else ()

    def _infer_linked(self) -> tuple[Job, ...]:
        """The job whose address a 202 has in its body, in a member that is called after it (`task`, `job_url`)."""
        for poll, noun in self._views_of(_JOB_NOUNS - {"request"}):
            linked = {o.key: self._link(o, noun) for o in self.changes}
            at = next(filter(None, linked.values()), "")
            starts = tuple(key for key, place in linked.items() if at and place == at)
            parameter = last_parameter(poll.path)
            job = self._job(poll, parameter, starts, "body", f"/{at}") if starts else None
            if job is not None:
                evidence = f"the 202 of {starts[0]} has its address there; {len(starts)} such"
                return (replace(job, statuses=(202,), handle_is_address=True, evidence=evidence),)
        return ()

    def _link(self, change: Operation, noun: str) -> str:
        """The member of an accepted change's reply that is the address of a thing of this name; "" where none is."""
        accepted = (reply.schema for reply in change.responses if reply.status == "202")
        for name, member in (pair for schema in accepted for pair in self.schemas.members(schema).items()):
            said, schema = words.split(name), self.schemas.flat(member)
            is_called = said[:1] == (noun,) and {*said[1:]} <= _LINKS
            told = schema.get("format") in ("uri", "url", "uri-reference") or {*said[1:]} & _LINKS
            if is_called and self.schemas.kind(member) == "string" and told:
                return name
        return ""

    def _told_by(self, poll: Operation, at: str) -> list[Job]:
        changes = tuple(o for o in self.changes if not is_below(f"{shape(o.path)}/", shape(at)))
        places: dict[str, list[ToldTask]] = {}
        for each in told_tasks(changes, poll, self.schemas):
            places.setdefault(each.at, []).append(each)
        parameter = parameter_of_task(poll).name
        body = poll.success.schema if poll.success else None
        held = (n for n, m in self.schemas.members(body).items() if self.schemas.kind(m) == "object")
        members = ("", *held)
        made = []
        for place, tasks in places.items():
            starts = tuple(each.operation for each in tasks)
            ways = (self._job(poll, parameter, starts, "body", place, member) for member in members)
            job = next((way for way in ways if way is not None), None)
            evidence = f"of {starts[0]} {tasks[0].evidence}" + (f"; {len(starts)} such" if len(starts) > 1 else "")
            made += [replace(job, evidence=evidence)] if job is not None else []
        return made

    def _holder(self, change: Operation, kind: str) -> str:
        """The member of an accepted change's reply that is of this shared schema; "" where there is none."""
        accepted = (reply.schema for reply in change.responses if reply.status == "202")
        members = (pair for schema in accepted for pair in self.schemas.members(schema).items())
        return next((name for name, member in members if self.schemas.component(member) == kind), "")

    def _answers(self, change: Operation, noun: str, named: str, members: Mapping[str, Schema]) -> bool:
        """Whether the reply has under `noun` what `poll` has there, with all that tells how it stands."""
        shown = self.schemas.members(change.success.schema if change.success else None).get(noun)
        mine = self.schemas.members(shown)
        states = {name for name in _STATE_NAMES if name in members}
        return named in mine and bool(states) and states <= set(mine)

    def _answering(self) -> dict[str, list[str]]:
        """The changes whose reply has a member, by the member's name."""
        found: dict[str, list[str]] = {}
        for operation in self.changes:
            for name in self.schemas.members(operation.success.schema if operation.success else None):
                found.setdefault(name, []).append(operation.key)
        return found

    def _infer_accepted(self) -> tuple[Job, ...]:
        accepted = tuple(o for o in self.changes if any(r.status == "202" for r in o.responses))
        starts = tuple(o.key for o in (self.changes if self._any_may_be_accepted(accepted) else accepted))
        # A 202 that shows the job itself says which of several kinds of jobs it is.
        shown = {self._component(r) for o in self.changes for r in o.responses if r.status == "202"} - {""}
        for poll in sorted(self.polls if starts else (), key=lambda o: self._component(o.success) not in shown):
            if words.singular(last_word(poll.path)).lower() in _JOB_NOUNS:
                job = self._job(poll, last_parameter(poll.path), starts, "header", "location")
                if job:
                    return (replace(job, statuses=(202,), handle_is_address=True),)
        return ()

    def _any_may_be_accepted(self, accepted: tuple[Operation, ...]) -> bool:
        """Whether the API is one in which any change may be answered by a job: most say so, or several say where."""
        several = len(accepted) >= _SEVERAL
        located = [o for o in accepted if any(r.status == "202" and "location" in r.headers for r in o.responses)]
        return several and (2 * len(accepted) >= len(self.changes) or len(located) >= _SEVERAL)

    def _component(self, reply: Response | None) -> str:
        """The shared schema of a reply, without its version (`Task_v1_3_0` is a Task)."""
        return _VERSIONED.sub("", self.schemas.component(reply.schema if reply else None))

    def _job(
        self, poll: Operation, parameter: str, starts: tuple[str, ...], within: str, at: str, member: str = ""
    ) -> Job | None:
        """`member`: of the reply to `poll`, which holds the job; "" where the reply is the job or a list of it."""
        body = poll.success.schema if poll.success else None
        element = self.schemas.element(body)
        prefix, schema = ("/0", element) if element is not None else ("", body)
        if member:
            prefix, schema = f"/{member}", self.schemas.members(body).get(member)
        state = next((n for n in _STATE_NAMES if n in self.schemas.members(schema)), "")
        if not state and noun_of_task(poll) in _JOB_NOUNS:
            state = self._says_over(schema)
        if not state:
            return None
        waiting, succeeded, failed = self._states(poll, self.schemas.members(schema)[state])
        # Where a state tells only that it is over, another member tells how.
        ended = exit_of(schema, self.schemas.members(schema)[state], self.schemas)
        is_told = ended is not None and (not succeeded or not ends_in_parameter(poll.path))
        if ended is not None and is_told:
            succeeded = tuple(dict.fromkeys((*succeeded, *ended.over)))
            waiting = tuple(each for each in waiting if each not in succeeded)
        if not succeeded:
            return None
        message = next((n for n in _MESSAGES if n in self.schemas.members(schema)), "")
        used = self._used(schema, prefix)
        if ended is not None and is_told and ended.is_open and not message:
            message = ended.at.removeprefix("/")
        return Job(
            name=noun_of_task(poll),
            operations=starts,
            handle_within=within,
            handle_at=at,
            handle_is_address=False,
            statuses=(),
            empty_means_done=True,
            poll=poll.key,
            parameter=parameter,
            state=f"{prefix}/{state}",
            waiting=waiting,
            succeeded=succeeded,
            failed=failed,
            message=f"{prefix}/{message}" if message else "",
            created_id=self._created_id(starts),
            succeeded_if=((f"{prefix}{ended.at}", ended.well),) if ended is not None and is_told else (),
            used=used,
            result=prefix if used else None,
        )

    def _says_over(self, schema: Schema | None) -> str:
        """The member that says by a truth value whether it is over (`done`); "" where there is none."""
        members = self.schemas.members(schema)
        return next((n for n in _OVER if n in members and self.schemas.kind(members[n]) == "boolean"), "")

    def _used(self, schema: Schema | None, prefix: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The kinds of jobs that go on until they are used, as an enumeration or a text lists them beside others."""
        for name, member in self.schemas.members(schema).items():
            if words.split(name)[-1:] == () or words.split(name)[-1] not in _KINDS:
                continue
            resolved = self.schemas.resolve(member)
            text = str(member.get("description") or resolved.get("description") or "")
            listed = [self.schemas.values(member), *lists_in(text)]
            found = [[str(value) for value in values if str(value).lower() in _USED] for values in listed]
            kinds = next(
                (tuple(some) for some, values in zip(found, listed, strict=True) if 0 < len(some) < len(values)), ()
            )
            if kinds:
                return ((f"{prefix}/{name}", kinds),)
        return ()

    def _states(self, poll: Operation, state: Schema) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        values = self.schemas.values(state)
        is_job = noun_of_task(poll) in _JOB_NOUNS
        if self.schemas.kind(state) == "boolean" and not values:
            return _OVER_OR_NOT
        is_open = not values and is_job and self.schemas.kind(state) == "string"
        return _USUAL_STATES if is_open else _sorted_states(values)

    def _created_id(self, starts: tuple[str, ...]) -> str:
        by_key = {o.key: o for o in self.changes}
        for key in starts:
            reply = by_key[key].success
            for name in self.schemas.members(reply.schema if reply else EMPTY):
                said = words.split(name)
                if said[:1] == ("created",) and said[-1:] in (("uuid",), ("id",)):
                    return f"/{name}"
        return ""


def _is_written(key: str, poll: Operation) -> bool:
    """Whether the change writes to the very thing that `poll` reads, or below it: a note on a job starts none."""
    method, _, path = key.partition(" ")
    return method in ("PUT", "PATCH") and f"{shape(path)}/".startswith(f"{shape(poll.path)}/")


def _sorted_states(values: tuple[object, ...]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """(waiting, succeeded, failed) of an enumeration, by the words in its values; what says nothing waits."""
    waiting, succeeded, failed = [], [], []
    for value in values:
        said = words.split(str(value))
        if words.is_about(said, words.BROKEN) or str(value).lower() in words.BROKEN:
            failed.append(str(value))
        elif words.is_about(said, words.DONE):
            succeeded.append(str(value))
        else:
            waiting.append(str(value))
    return tuple(waiting), tuple(succeeded), tuple(failed)
