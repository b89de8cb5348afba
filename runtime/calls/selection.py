"""One workflow on all targets that have some labels: a few at a time, a result for each, stopped on failure if wanted.

Each target's run is a call like any other (`calls`), with its own record, its own plan where the workflow asks first,
and its own key. A target whose run was not begun because another one failed says so; one whose call waits for a person
has not failed. Runs that have begun are not
broken off. Called by the REST API and by `switchgear call --label`.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from governance.errors import GovernanceError
from governance.registry.targets import Target
from runtime.call_options import CallOptions
from runtime.caller import Caller
from runtime.calls.calls import Calls
from runtime.calls.messages import told, told_plan
from runtime.catalog.entries import Entry
from runtime.engines.engine import Ended
from runtime.errors import BadInput, ServingError, UnknownTarget, Waiting
from runtime.problems import message_of
from workflow.requests.events import to_json

Json = Any
MOST_AT_ONCE = 64  # each device has its own line; more runs than this only wait in ours


@dataclass(frozen=True, slots=True)
class Selection:
    """`labels` are all to be there. `parallel`: targets at a time. `stops`: none is begun after one that failed."""

    labels: Mapping[str, str]
    parallel: int = 4
    stops: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one target. `ended` is None where no run was begun; `why` says why.

    `waits`: how it stands where a person has to let it through (`asking.told`).
    """

    target: str
    ended: Ended | None
    why: str = ""
    waits: Mapping[str, Json] = field(default_factory=dict)

    @property
    def is_waiting(self) -> bool:
        return self.waits.get("state") == "waiting"

    def is_good(self, options: CallOptions) -> bool:
        ended = self.ended
        return ended is not None and (ended.is_good or (ended.outcome == "planned" and options.is_plan))

    def to_json(self) -> dict[str, Json]:
        if self.ended is None:
            outcome = self.waits.get("outcome", "not begun")
            told_waits = {"plan_id": self.waits["plan_id"]} if self.waits else {}
            run_id = self.waits.get("run_id")
            return {"target": self.target, "outcome": outcome, "run_id": run_id, **told_waits, "told": self.why}
        is_plan = self.ended.outcome == "planned"
        text = told_plan(self.ended, is_wanted=True) if is_plan else told(self.ended)
        return {
            "target": self.target,
            "outcome": self.ended.outcome,
            "run_id": self.ended.run_id,
            "outputs": {} if is_plan else dict(self.ended.outputs),
            "plan": dict(self.ended.outputs) if is_plan else None,
            "failure": to_json(self.ended.failure) if self.ended.failure else None,
            **self.ended.verdict,
            "told": "" if self.ended.outcome == "succeeded" else text,
        }


async def run_on(
    calls: Calls, entry: Entry, inputs: Mapping[str, Json], selection: Selection, caller: Caller, options: CallOptions,
    *, key: str = "",
) -> tuple[Result, ...]:  # fmt: skip
    """A result for each target that has the labels, by name. With a `key` each target has that one and its own name.

    Raises UnknownTarget if there is none, BadInput.
    """
    if options.plan_id:
        raise BadInput("a plan is for one target", "/plan_id", "name that target, or leave the plan out")
    chosen = [target for target in entry.targets if target.has_labels(selection.labels.items())]
    if not chosen:
        labels = ", ".join(f"{name}={value}" for name, value in selection.labels.items())
        raise UnknownTarget(f"no target of {entry.api} has the labels {labels}", "see `switchgear targets list`")
    places, has_failed = asyncio.Semaphore(selection.parallel), asyncio.Event()

    async def on(target: Target) -> Result:
        async with places:
            if selection.stops and has_failed.is_set():
                return Result(target.name, None, "another target failed before")
            result = await _on(calls, entry, inputs, target, caller, options, key and f"{key}:{target.name}")
            if not result.is_good(options) and not result.is_waiting:
                has_failed.set()
            return result

    return tuple(await asyncio.gather(*(on(target) for target in sorted(chosen, key=lambda each: each.name))))


async def _on(
    calls: Calls,
    entry: Entry,
    inputs: Mapping[str, Json],
    target: Target,
    caller: Caller,
    options: CallOptions,
    key: str,
) -> Result:
    try:
        return Result(target.name, await calls.call(entry, inputs, target.name, caller, options, key=key))
    except Waiting as error:
        return Result(target.name, None, message_of(error), error.more)
    except (ServingError, GovernanceError) as error:
        return Result(target.name, None, message_of(error))
