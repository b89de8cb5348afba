"""Work on a whole API that an operation breaks: the operations that do are found and set aside, the rest goes on.

Passes are pure, so they can be tried on parts of the API: half of the operations, then half of that, until what breaks
stands alone. Nothing is tried unless the whole has failed. Called by `pipeline` for each pass and by `verification` for
the twin. Here never lives a pass, nor a guess about what an error means.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Generic, TypeVar

from compiler.containment import Containment, attempt
from compiler.ir.model import Api, Job, Operation, Resource

_MOST_TRIES = 400  # 20 faults among 20,000 operations; whatever is not known by then is set aside as well
Made = TypeVar("Made")


def isolated(api: Api, work: Callable[[Api], Made], contained: Containment) -> Made | None:
    """What `work` makes of the API, or of what is left without the operations that break it; each is a finding.

    None where it fails with no operation at all: then nothing that could be set aside is the reason.
    """
    made, error = attempt(lambda: work(api))
    return made if error is None else _Search(api, work, contained).run(error)


class _Search(Generic[Made]):
    def __init__(self, api: Api, work: Callable[[Api], Made], contained: Containment) -> None:
        self._api = api
        self._work = work
        self._contained = contained
        self._kept: set[str] = set()
        self._best: Made | None = None
        self._tries = 0

    def run(self, error: Exception) -> Made | None:
        if self._fails(()) is not None:
            self._contained.note(self._api.name, error)
            return None
        self._keep([operation.key for operation in self._api.operations], error)
        return self._best

    def _keep(self, keys: list[str], error: Exception) -> None:
        """Adds to what is kept all of `keys` that do not break it; `error` is what they end in together."""
        if len(keys) == 1 or self._tries >= _MOST_TRIES:
            for key in keys:
                self._contained.note(key, error)
            return
        middle = len(keys) // 2
        for half in (keys[:middle], keys[middle:]):
            failure = self._fails(half)
            if failure is not None:
                self._keep(half, failure)

    def _fails(self, more: Collection[str]) -> Exception | None:
        """The error in which what is kept ends together with `more`; where there is none, they are kept as well."""
        self._tries += 1
        keys = {*self._kept, *more}
        made, error = attempt(lambda: self._work(limited(self._api, keys)))
        if error is None:
            self._kept, self._best = keys, made
        return error


def limited(api: Api, keys: Collection[str]) -> Api:
    """The API with these operations alone, and with nothing that names others."""
    resources = tuple(_resource(one, keys) for one in api.resources)
    jobs = (_job(one, keys) for one in api.jobs if one.poll in keys)
    flows = (flow for flow in api.flows if all(step.operation in keys for step in flow.steps) and flow.goal in keys)
    return replace(
        api,
        operations=tuple(operation for operation in api.operations if operation.key in keys),
        resources=resources,
        jobs=tuple(job for job in jobs if job.operations),
        links=tuple(link for link in api.links if link.source in keys and link.target in keys),
        flows=tuple(flows),
    )


def set_aside(before: Api, after: Api, why: str) -> dict[str, Operation]:
    """The operations of `before` that `after` lacks, left out, by key."""
    known = {operation.key for operation in after.operations}
    return {one.key: replace(one, left_out=why) for one in before.operations if one.key not in known}


def with_left_out(api: Api, aside: Mapping[str, Operation]) -> Api:
    """The API with the operations that were set aside back in their places."""
    if not aside:
        return api
    return replace(
        api, operations=tuple(sorted((*api.operations, *aside.values()), key=lambda one: (one.path, one.method)))
    )


def _resource(one: Resource, keys: Collection[str]) -> Resource:
    def kept(key: str) -> str:
        return key if key in keys else ""

    return replace(
        one,
        list=kept(one.list),
        read=kept(one.read),
        create=kept(one.create),
        update=kept(one.update),
        delete=kept(one.delete),
        listed_in=kept(one.listed_in),
        actions=tuple(key for key in one.actions if key in keys),
        aliases={key: other for key, other in one.aliases.items() if key in keys and other in keys},
    )


def _job(one: Job, keys: Collection[str]) -> Job:
    is_elsewhere = one.elsewhere is not None and one.elsewhere.poll in keys
    return replace(
        one,
        operations=tuple(key for key in one.operations if key in keys),
        result_view=one.result_view if one.result_view in keys else "",
        elsewhere=one.elsewhere if is_elsewhere else None,
    )
