"""What is served: one frozen snapshot of all that is approved, swapped whole, never changed.

`load` builds a snapshot from the database; what does not fit its digest, has lost its profile, cannot be planned or
takes another's name is left out with a reason, and the rest is served. Entries whose revision did not change are taken
over from the snapshot before, so that one approval among a thousand costs one entry. A snapshot's `version` differs
when, and only when, a client would see another list of tools; `listing` says which are listed. Here never lives a
request or a protocol.
"""

import asyncio
import hashlib
import itertools
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from governance.approval.approved import Approved
from governance.approval.revisions import Revision, RevisionFault, RevisionStore
from governance.errors import GovernanceError, TamperedError
from governance.people.scopes import AccessScope
from governance.registry.apis import ApiStore
from governance.registry.servers import is_of_server
from governance.registry.targets import Target, TargetStore
from governance.runs.run_stats import RunStats
from runtime.catalog.entries import Entry, Prepared
from runtime.catalog.listing import FOR_EXPERTS, ApiPart, Budget, Candidate, listing_of_parts
from runtime.errors import ServingError, UnknownWorkflow, Unservable
from workflow.errors import WorkflowError
from workflow.nearest import did_you_mean
from workflow.profiles.profile import Profile, parse_profile
from workflow.revision import is_raw
from workflow.tool import free_name

log = logging.getLogger("switchgear.catalog")
Json = Any
# A few new ones are checked before they are served; a whole catalog, at the start, while it is served: 10 ms a round.
CHECKED_AT_ONCE = 20
# With more than so many the rest is checked so slowly that nobody sees it: one in ten rounds, 0.2 % of a core.
CHECKED_SOON = 400
ROUNDS_BETWEEN_CHECKS = 10
# Names of the tools by which the rest is reached (`finding`): no workflow may stand in their way.
FINDING_NAMES = ("search_workflows", "describe_workflow", "run_workflow")
RUN_NAME = "get_run"
CANCEL_NAME = "cancel_run"
KNOWING_NAMES = ("search_api", "describe_operation")
FLEET_NAMES = ("select_sites", "satisfy", "dispatch")
PROPOSE = "propose_workflow"
CALL_API = "call_api"
RESERVED_NAMES = (*FINDING_NAMES, RUN_NAME, CANCEL_NAME, *KNOWING_NAMES)
NOTHING: MappingProxyType[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Refusal:
    """An approved revision that is not served, and why. `is_mismatch`: it is not what was approved."""

    workflow_id: str
    revision_id: str
    reason: str
    is_mismatch: bool = False


@dataclass(frozen=True, slots=True)
class Catalog:
    """`entries` by the names of their tools, listed or not; `listed` in the same order; `searched`: what can be
    searched besides, a line for each of several APIs."""

    version: str = ""
    entries: MappingProxyType[str, Entry] = field(default_factory=lambda: NOTHING)
    refusals: tuple[Refusal, ...] = ()
    listed: tuple[Entry, ...] = ()
    searched: str = ""
    by_revision: MappingProxyType[str, Entry] = field(default_factory=lambda: NOTHING, repr=False)
    by_workflow: MappingProxyType[str, Entry] = field(default_factory=lambda: NOTHING, repr=False)
    parts: MappingProxyType[str, ApiPart] = field(default_factory=lambda: NOTHING, repr=False)
    by_api: MappingProxyType[str, dict[str, Entry]] = field(default_factory=lambda: NOTHING, repr=False)

    @property
    def hides_some(self) -> bool:
        """Whether something is approved that is not listed as a tool of its own."""
        return len(self.listed) < len(self.entries)

    def get(self, name: str) -> Entry | None:
        """The entry of the tool called `name`."""
        return self.entries.get(name)

    def find(self, ref: str) -> Entry:
        """The entry that `ref` names: a tool, a workflow, `workflow@number` or a revision's id.

        Raises UnknownWorkflow for everything that is not approved now.
        """
        name, _, number = ref.partition("@")
        entry = self.by_workflow.get(name) or self.by_revision.get(ref) or self.entries.get(ref)
        if entry is None or (number and number != str(entry.number)):
            remedy = "see `switchgear workflows list`, and `switchgear workflows disabled` for what is out of use"
            near = did_you_mean(name, self.by_workflow)
            raise UnknownWorkflow(f"no approved workflow is called {ref}" + ("." + near if near else ""), remedy)
        return entry


@dataclass(slots=True)
class Loader:
    """Builds snapshots, each from the database and the one before. `has_experts`: somebody may call single operations,
    and is listed the tools for that."""

    revisions: RevisionStore
    apis: ApiStore
    targets: TargetStore
    run_stats: RunStats
    budget: Budget = field(default_factory=Budget)
    has_experts: bool = False
    _uses: Mapping[str, int] | None = None
    _profiles: dict[str, Profile] = field(default_factory=dict)
    # By digest, which is by content: what could not be planned once never can.
    _unservable: dict[str, str] = field(default_factory=dict)
    _checked: set[str] = field(default_factory=set)
    _all_checked: Catalog | None = None
    _rounds: int = 0
    _approved: Approved = field(default_factory=Approved)
    _loaded: Catalog | None = None
    _targets: tuple[tuple[Target, ...], Mapping[str, tuple[Target, ...]]] = ((), NOTHING)
    _placed: Mapping[str, tuple[Target, ...]] = field(default_factory=dict)

    @property
    def room(self) -> Budget:
        """For workflows: what is listed to some beside them takes its part."""
        return self.budget.without(*FOR_EXPERTS) if self.has_experts else self.budget

    async def load(self, before: Catalog, listed: tuple[Target, ...]) -> Catalog:
        """The snapshot of now; `listed`: the targets there are.

        Raises GovernanceError when the database cannot be read; then the old one stays.
        """
        if self._uses is None:
            self._uses = await self.run_stats.uses()
        targets = self._grouped(listed)
        approved = await self._follow(before)
        refusals = [_mismatch(fault) for fault in (*approved.faults, *await self._vanished(approved, before))]
        draft = Draft(before)
        for one in approved.gone:
            draft.drop(one)
        refusals += await self._take_in(draft, approved, targets)
        if self._placed is not targets:
            for entry in draft.entries_now():
                draft.put(_at(entry, targets.get(entry.api, ())))
        if self._unservable:
            bad = [each for each in draft.entries_now() if each.digest in self._unservable]
            refusals += [draft.refuse(each, self._unservable[each.digest]) for each in bad]
        refusals += [draft.refuse(each, reason) for each in draft.entries_now() if (reason := _why_away(each))]
        for refusal in refusals:
            if refusal not in before.refusals:
                log.error(
                    "%s (revision %s) is not served: %s", refusal.workflow_id, refusal.revision_id, refusal.reason
                )
        self._approved, self._placed = approved.without_news(), targets
        self._loaded = draft.catalog(tuple(refusals), self.room)
        return self._loaded

    async def has_strayed(self) -> bool:
        """Looks at what changed and at some more, and says whether that is another set than what was loaded last."""
        if self._loaded is None:
            return False
        found = await self._follow(self._loaded, is_again=False)
        is_same = not found.fresh and not found.gone and found.faults == self._approved.faults
        if is_same:
            self._approved = found.without_news()
        return not is_same

    async def _follow(self, before: Catalog, *, is_again: bool = True) -> Approved:
        if before is not self._loaded:
            return await self.revisions.follow(Approved())
        again = {each.revision_id for each in before.refusals} if is_again else ()
        return await self.revisions.follow(self._approved, again)

    def _grouped(self, now: tuple[Target, ...]) -> Mapping[str, tuple[Target, ...]]:
        """By API; those of an API are the same object while none of them changed."""
        if now is not self._targets[0]:
            before = self._targets[1]
            grouped = {api: before[api] if before.get(api) == each else each for api, each in _by_api(now).items()}
            self._targets = now, grouped
        return self._targets[1]

    async def _take_in(
        self, draft: "Draft", approved: Approved, targets: Mapping[str, tuple[Target, ...]]
    ) -> list[Refusal]:
        """Puts in what is new, the first of two that have one name; answers what cannot be served."""
        refused: list[Refusal] = []
        served = (
            whole for whole in approved.fresh if not is_raw(whole.workflow_id)
        )  # which are called by another door
        ordered = sorted(served, key=lambda whole: whole.workflow_id)
        is_little = sum(draft.of(whole.id) is None for whole in ordered) <= CHECKED_AT_ONCE
        for revision in (whole.revision() for whole in ordered):
            known = draft.of(revision.id)
            try:
                entry = await self._entry(revision, targets.get(revision.api, ()), known)
                is_checked_now = known is None and is_little  # the rest is, bit by bit
                if is_checked_now and entry.digest not in self._checked and not self._is_servable(entry):
                    raise Unservable(self._unservable[entry.digest])
            except (GovernanceError, ServingError, WorkflowError, KeyError, ValueError) as error:
                reason = str(error) if not isinstance(error, KeyError) else f"{error} is missing"
                is_mismatch = isinstance(error, TamperedError)
                refused.append(Refusal(revision.workflow_id, revision.id, reason, is_mismatch))
                draft.drop(revision.id)
            else:
                refused += draft.add(entry)
        return refused

    async def _vanished(self, approved: Approved, before: Catalog) -> tuple[RevisionFault, ...]:
        """What was served, or refused as altered, and is not among the approved any more without a decision."""
        if not before.version:  # nothing was served before: the audit knows what should be
            return await self.revisions.astray()
        there = {*approved.known, *(each.revision_id for each in approved.faults)}
        gone = {one: name for one, name in approved.gone.items() if one in before.by_revision}
        gone |= {each.revision_id: each.workflow_id for each in before.refusals if each.is_mismatch}
        return await self.revisions.vanished({one: name for one, name in gone.items() if one not in there})

    async def _entry(self, revision: Revision, targets: tuple[Target, ...], known: Entry | None) -> Entry:
        if revision.digest in self._unservable:
            raise Unservable(self._unservable[revision.digest])
        if known is not None and known.digest == revision.digest and known.targets == targets:
            return known
        is_same = known is not None and known.digest == revision.digest
        prepared = known.prepared if known and is_same else Prepared(revision)
        profile = await self._profile(revision.api, revision.content.profile_digest)
        uses, argument = (
            (self._uses or {}).get(revision.workflow_id, 0),
            _target_argument(prepared.input_names, targets),
        )
        return Entry.of(revision, prepared, profile, targets, uses=uses, target_argument=argument)

    async def check_some(self, catalog: Catalog) -> bool:
        """Checks a few entries that were not checked yet; whether one was found that cannot be executed.

        With many tools this is done bit by bit while they are served already; the next snapshot leaves out what fails.
        """
        if self._all_checked is catalog:
            return False
        self._rounds += 1
        is_slow = len(self._checked) > CHECKED_SOON
        if is_slow and self._rounds % ROUNDS_BETWEEN_CHECKS:
            return False
        found = False
        unchecked = (entry for entry in catalog.entries.values() if entry.digest not in self._checked)
        for entry in itertools.islice(unchecked, 1 if is_slow else CHECKED_AT_ONCE):
            found = not self._is_servable(entry) or found
            await asyncio.sleep(0)
        if next(unchecked, None) is None:
            self._all_checked = catalog
        return found

    def _is_servable(self, entry: Entry) -> bool:
        self._checked.add(entry.digest)
        try:
            entry.prepared.check()
        except Unservable as error:
            self._unservable[entry.digest] = error.message
        return entry.digest not in self._unservable

    async def _profile(self, api: str, profile_digest: str | None) -> Profile:
        """The profile that the revision was approved with; without one, what holds for any API."""
        key = profile_digest or f"none {api}"
        if key not in self._profiles:
            plain = profile_digest is None
            profile = Profile(api=api) if plain else parse_profile(await self.apis.get_profile(key), api)
            self._profiles[key] = profile
        return self._profiles[key]


def _why_away(entry: Entry) -> str:
    """Why the MCP server that an entry is a tool of takes no calls now; empty for everything else."""
    servers = [target.server for target in entry.targets if target.server is not None]
    if any(server.is_enabled for server in servers) or not is_of_server(entry.api):
        return ""
    return "its server is disabled" if servers else "its server was removed"


def view_of(catalog: Catalog, scope: AccessScope, budget: Budget) -> Catalog:
    """The catalog as it is for somebody with `scope`: what they cannot call is not there."""
    draft = Draft(Catalog())
    admitted: dict[int, tuple[Target, ...]] = {}
    for entry in catalog.entries.values():
        if not scope.admits(entry.api, entry.risk, entry.workflow_id):
            continue
        targets = admitted.get(id(entry.targets))
        if targets is None:
            targets = tuple(target for target in entry.targets if scope.admits_target(target))
            targets = admitted[id(entry.targets)] = entry.targets if targets == entry.targets else targets
        if targets or not scope.limits_targets:
            draft.put(entry if targets is entry.targets else _at(entry, targets))
    return draft.catalog((), budget)


def _at(entry: Entry, targets: tuple[Target, ...]) -> Entry:
    """The entry with these targets."""
    if targets is entry.targets or targets == entry.targets:
        return entry
    return replace(entry, targets=targets, target_argument=_target_argument(entry.prepared.input_names, targets))


class Draft:
    """The next snapshot while it is made out of the one before: what did not change is copied, not looked at."""

    def __init__(self, before: Catalog) -> None:
        # `dict(…)` would ask the proxy for each of thousands; it copies the dictionary behind it as a whole.
        self._entries: dict[str, Entry] = before.entries.copy()
        self._by_revision: dict[str, Entry] = before.by_revision.copy()
        self._by_workflow: dict[str, Entry] = before.by_workflow.copy()
        self._by_api: dict[str, dict[str, Entry]] = before.by_api.copy()
        self._parts: dict[str, ApiPart] = before.parts.copy()
        self._touched: set[str] = set()

    def of(self, revision_id: str) -> Entry | None:
        return self._by_revision.get(revision_id)

    def entries_now(self) -> tuple[Entry, ...]:
        return tuple(self._entries.values())

    def add(self, entry: Entry) -> list[Refusal]:
        """Puts it in, unless another one has its name that comes before it; answers who has to do without."""
        if entry.name in (*RESERVED_NAMES, *FLEET_NAMES, PROPOSE, CALL_API):
            return [self.refuse(entry, "the server itself has a tool of this name already")]
        there = self._entries.get(entry.name)
        if there is None or there.revision_id == entry.revision_id:
            self.put(entry)
            return []
        first, second = sorted((there, entry), key=lambda each: each.workflow_id)
        told = self.refuse(second, f"{first.workflow_id} has a tool of this name already")
        self.put(first)
        return [told]

    def put(self, entry: Entry) -> None:
        known = self._by_revision.get(entry.revision_id)
        if known is entry:
            return
        if known is not None:
            self.drop(entry.revision_id)
        self._entries[entry.name] = self._by_revision[entry.revision_id] = self._by_workflow[entry.workflow_id] = entry
        self._of_api(entry.api)[entry.revision_id] = entry

    def drop(self, revision_id: str) -> None:
        entry = self._by_revision.pop(revision_id, None)
        if entry is None:
            return
        del self._entries[entry.name]
        if self._by_workflow.get(entry.workflow_id) is entry:
            del self._by_workflow[entry.workflow_id]
        del self._of_api(entry.api)[revision_id]

    def refuse(self, entry: Entry, reason: str) -> Refusal:
        self.drop(entry.revision_id)
        return Refusal(entry.workflow_id, entry.revision_id, reason)

    def catalog(self, refusals: tuple[Refusal, ...], budget: Budget) -> Catalog:
        for api in self._touched:
            ones = self._by_api[api]
            if ones:
                self._parts[api] = ApiPart(map(_candidate, ones.values()))
            else:
                self._parts.pop(api, None)
                del self._by_api[api]
        listing = listing_of_parts(self._parts, budget)
        listed = sorted((self._entries[name] for name in listing.names), key=lambda entry: entry.workflow_id)
        return Catalog(
            version=_version(listed, listing.searched if len(listed) < len(self._entries) else None),
            entries=MappingProxyType(self._entries),
            refusals=refusals,
            listed=tuple(listed),
            searched=listing.searched,
            by_revision=MappingProxyType(self._by_revision),
            by_workflow=MappingProxyType(self._by_workflow),
            parts=MappingProxyType(self._parts),
            by_api=MappingProxyType(self._by_api),
        )

    def _of_api(self, api: str) -> dict[str, Entry]:
        """The entries of an API, by their revisions, to be changed."""
        if api not in self._touched:
            self._by_api[api] = dict(self._by_api.get(api, {}))
            self._touched.add(api)
        return self._by_api[api]


def _version(listed: Iterable[Entry], searched: str | None) -> str:
    """`searched`: what is told of those that are not listed; None where all are."""
    version = hashlib.sha256(f"{searched is not None} {searched or ''}\n".encode())
    for entry in listed:
        choice = (entry.target_argument, entry.target_schema) if entry.target_argument else ""
        version.update(f"{entry.digest} {entry.number} {choice}\n".encode())
    return version.hexdigest()


def _mismatch(fault: RevisionFault) -> Refusal:
    return Refusal(fault.workflow_id, fault.revision_id, fault.message, is_mismatch=True)


def _target_argument(names: frozenset[str], targets: tuple[Target, ...]) -> str:
    if len(targets) < 2:
        return ""
    return free_name("target", names)


def _by_api(targets: Iterable[Target]) -> dict[str, tuple[Target, ...]]:
    grouped: dict[str, list[Target]] = {}
    for target in targets:
        grouped.setdefault(target.api, []).append(target)
    return {api: tuple(each) for api, each in grouped.items()}


def _candidate(entry: Entry) -> Candidate:
    thing = entry.profile.vocabulary.get(entry.resource, entry.resource)
    return Candidate(entry.name, entry.api, entry.is_core, entry.rank, entry.prepared.tokens, thing, entry.uses)
