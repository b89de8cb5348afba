"""Which sites can do something, and having them do it: chosen by what is declared, ranked by it, explained.

A site can where it is well, has the workflow, the workflow is approved here as the site has it now, is in the caller's
reach, and the labels fit that were asked for: the site's, and those of a device there. The order follows from the
preferences as they were given and from names: the same facts give the same order. What is done on a site is a run of
its workflow like any other (`calls.under_way`): own record, plan, approval. Called by `mcp.fleet` and `api.fleet`.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from governance.errors import GovernanceError
from governance.registry.targets import Target
from runtime.call_options import CallOptions
from runtime.caller import Caller
from runtime.calls.selection import MOST_AT_ONCE, Result
from runtime.calls.under_way import Running, UnderWay, Wanted
from runtime.catalog.entries import Entry
from runtime.catalog.snapshot import Catalog
from runtime.errors import BadInput, ServingError
from runtime.problems import message_of
from runtime.service import Service
from runtime.sites.contents import site_workflow_of
from runtime.sites.presence import SiteState

Json = Any
Labels = Mapping[str, str]
IDLE = "idle"


@dataclass(frozen=True, slots=True)
class SiteSelection:
    """What is wanted: a `workflow` by the sites' own name for it, on sites of these names (none: all) with these
    labels, where a device has `target_labels`. `prefer`: `NAME=VALUE` of a site's labels, or `idle`; first counts most.
    """

    workflow: str
    sites: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    target_labels: tuple[tuple[str, str], ...] = ()
    prefer: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: Mapping[str, Json]) -> "SiteSelection":
        """What the members of that name say. Raises BadInput for a preference that is none."""
        labels, devices = given.get("labels") or {}, given.get("target_labels") or {}
        prefer = tuple(given.get("prefer") or ())
        for number, each in enumerate(prefer):
            if each != IDLE and "=" not in each:
                remedy = f"give NAME=VALUE of a site's label, or {IDLE}"
                raise BadInput(f"{each!r} is no preference", f"/prefer/{number}", remedy)
        return cls(
            given["workflow"], tuple(given.get("sites") or ()), tuple(sorted(labels.items())),
            tuple(sorted(devices.items())), prefer,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class SiteCandidate:
    """`device`: the site's own name for the one that has the labels, where some were asked for."""

    state: SiteState
    entry: Entry
    device: str
    because: tuple[str, ...]

    def to_json(self) -> dict[str, Json]:
        device = {"device": self.device} if self.device else {}
        return {"site": self.state.name, "workflow": self.entry.name, **device, "because": list(self.because)}


@dataclass(frozen=True, slots=True)
class Found:
    """`candidates`: the best first. `left_out`: why, by site."""

    candidates: tuple[SiteCandidate, ...]
    left_out: Mapping[str, str]

    def to_json(self) -> dict[str, Json]:
        left_out = [{"site": name, "why": why} for name, why in sorted(self.left_out.items())]
        return {"sites": [each.to_json() for each in self.candidates], "left_out": left_out}


async def select(service: Service, choice: SiteSelection, caller: Caller) -> Found:
    """Which sites can do it, and why the others cannot; of sites out of the caller's reach nothing is told."""
    catalog, candidates, left_out = service.live.seen_by(caller.scope), [], {}
    for target in await service.targets.list_targets():
        is_site = target.server is not None and target.server.is_site
        if not is_site or not caller.scope.admits_target(target):
            continue
        found = _judged(service, catalog, target, choice)
        if isinstance(found, str):
            left_out[target.name] = found
        else:
            candidates.append(found)
    if unknown := sorted(set(choice.sites) - left_out.keys() - {each.state.name for each in candidates}):
        left_out |= dict.fromkeys(unknown, "there is no such site")
    return Found(tuple(sorted(candidates, key=_rank_by(choice))), left_out)


def _judged(service: Service, catalog: Catalog, target: Target, choice: SiteSelection) -> SiteCandidate | str:
    """The site as a candidate, or why it is none."""
    name, state = target.name, service.hub.state_of(target)
    if choice.sites and name not in choice.sites:
        return "it was not named"
    if not target.has_labels(choice.labels):
        return "it has not the labels that were asked for"
    if state.why:
        return state.why
    pin = state.known.pins.get(choice.workflow)
    if pin is None:
        return f"it has no workflow {choice.workflow}"
    entry = catalog.by_workflow.get(site_workflow_of(name, choice.workflow))
    if entry is None:
        return f"its workflow {choice.workflow} is not approved here, or not for you"
    if pin not in entry.prepared.content.operations.values():
        return f"its workflow {choice.workflow} is another one now than was approved here"
    devices = [each for each in state.known.targets if set(choice.target_labels) <= set(each.get("labels", {}).items())]
    if choice.target_labels and not devices:
        return "no device of it has the labels that were asked for"
    device = min(str(each["name"]) for each in devices) if choice.target_labels else ""
    return SiteCandidate(state, entry, device, _because(state, choice))


def _because(state: SiteState, choice: SiteSelection) -> tuple[str, ...]:
    told = [f"it is well, and has {choice.workflow} as it was approved"]
    told += [f"it has {name}={value}" for name, value in choice.labels]
    told += [f"preferred: {each}" for each in choice.prefer if each != IDLE and _has(state, each)]
    told += [f"it has {state.known.running} under way"] if IDLE in choice.prefer else []
    return tuple(told)


def _has(state: SiteState, preference: str) -> bool:
    name, _, value = preference.partition("=")
    return state.labels.get(name) == value


def _rank_by(choice: SiteSelection) -> Callable[[SiteCandidate], tuple[Json, ...]]:
    def rank(each: SiteCandidate) -> tuple[Json, ...]:
        marks = [
            each.state.known.running if preference == IDLE else int(not _has(each.state, preference))
            for preference in choice.prefer
        ]
        return (*marks, each.state.name)

    return rank


@dataclass(frozen=True, slots=True)
class Doing:
    """How it is done. `parallel`: sites at a time. `stops`: none is begun after one that failed."""

    inputs: Mapping[str, Json]
    parallel: int = 4
    stops: bool = False
    is_plan: bool = False

    @classmethod
    def of(cls, given: Mapping[str, Json]) -> "Doing":
        """What the members of that name say. Raises BadInput."""
        parallel = given.get("parallel", 4)
        if not 1 <= parallel <= MOST_AT_ONCE:
            raise BadInput(f"parallel cannot be {parallel}", "/parallel", f"give 1 to {MOST_AT_ONCE}")
        plan, stops = given.get("plan", False), given.get("stop_on_failure", False)
        return cls(given.get("inputs") or {}, parallel, stops, plan)

    @property
    def options(self) -> CallOptions:
        return CallOptions(self.is_plan)


async def dispatch(service: Service, choice: SiteSelection, doing: Doing, caller: Caller) -> dict[str, Json]:
    """Has every site do it that can; a result for each, and why the others were left out."""
    found = await select(service, choice, caller)
    work = _Work(service.under_way, doing, caller)
    results = await work.on(found.candidates)
    told = found.to_json()
    good = sum(each["is_good"] for each in results)
    return {"succeeded": good, "of": len(results), "results": results, "left_out": told["left_out"]}


async def satisfy(service: Service, choice: SiteSelection, doing: Doing, count: int, caller: Caller) -> dict[str, Json]:
    """Has as many sites do it as are wanted: the best first, and the next for each that surely has not done it.

    One of which nobody knows whether it has is not replaced: what is wanted would perhaps be done once too often.
    """
    found = await select(service, choice, caller)
    work, left = _Work(service.under_way, doing, caller), list(found.candidates)
    results: list[dict[str, Json]] = []
    while left and (missing := count - sum(_counts(each) for each in results)) > 0:
        now, left = left[:missing], left[missing:]
        results += await work.on(now)
        if doing.stops and not all(each["is_good"] for each in results):
            break
    good, open_ones = sum(each["is_good"] for each in results), sum(_counts(each) for each in results)
    why = "" if good >= count else _why_not(count, good, open_ones, found)
    left_out = [*found.to_json()["left_out"], *({"site": e.state.name, "why": "it was not needed"} for e in left)]
    return {"satisfied": good >= count, "wanted": count, "why": why, "results": results, "left_out": left_out}


def _counts(result: Mapping[str, Json]) -> bool:
    """Whether it is done there, or may be."""
    return bool(result["is_good"] or result["may_be_done"])


def _why_not(count: int, good: int, counted: int, found: Found) -> str:
    if counted > good:
        return f"{good} of {count} have done it, {counted - good} may have: look at these before asking again"
    return f"{good} of {count} have done it, of {len(found.candidates)} sites that could"


@dataclass(slots=True)
class _Work:
    under_way: UnderWay
    doing: Doing
    caller: Caller
    has_failed: bool = False

    async def on(self, candidates: Sequence[SiteCandidate]) -> list[dict[str, Json]]:
        """A result for each, in order; what has not begun when a call's time is over is told so."""
        loop, wait_s = asyncio.get_running_loop(), self.under_way.wait_s
        until = loop.time() + wait_s if wait_s else float("inf")
        places = asyncio.Semaphore(self.doing.parallel)

        async def at(each: SiteCandidate) -> dict[str, Json]:
            async with places:
                if self.doing.stops and self.has_failed:
                    return _told(each, Result(each.state.name, None, "another site failed before"))
                if loop.time() >= until:
                    return _told(each, Result(each.state.name, None, "the time of this call was over: ask again"))
                told = await self._one(each)
                self.has_failed = self.has_failed or not (told["is_good"] or told["outcome"] in ("running", "waiting"))
                return told

        return list(await asyncio.gather(*map(at, candidates)))

    async def _one(self, each: SiteCandidate) -> dict[str, Json]:
        inputs, options = dict(self.doing.inputs), self.doing.options
        names = each.entry.prepared.input_names
        argument = next((name for name in ("switchgear_target", "target") if name in names), "")
        if each.device and argument:
            inputs[argument] = each.device
        try:
            ended = await self.under_way.call(Wanted(each.entry, inputs, each.state.name, self.caller, options))
        except (ServingError, GovernanceError) as error:
            return _told(each, Result(each.state.name, None, message_of(error)))
        if isinstance(ended, Running):
            running = {"site": each.state.name, **ended.to_json()}
            goes_on = "a person there has to let it through first" if ended.outcome == "waiting" else "it goes on"
            return {**running, "told": f"{goes_on}: get_run", "is_good": False, "may_be_done": True}
        return _told(each, Result(each.state.name, ended), is_good=Result(each.state.name, ended).is_good(options))


def _told(each: SiteCandidate, result: Result, *, is_good: bool = False) -> dict[str, Json]:
    told = {name: value for name, value in result.to_json().items() if name != "target"}
    outcome = told["outcome"]
    may_be_done = outcome in ("unknown", "partial") and each.entry.risk != "read"
    if outcome in ("failed", "cancelled") and each.entry.risk != "read" and result.ended is not None:
        failure = result.ended.failure  # what failed there may have been done in part, as the site says
        may_be_done = failure is not None and bool(failure.done or failure.may_be_done)
    return {"site": each.state.name, **told, "is_good": is_good, "may_be_done": may_be_done}
