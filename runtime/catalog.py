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
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from governance.apis import ApiStore
from governance.approved import Approved
from governance.dossier import approval_text
from governance.errors import GovernanceError, TamperedError
from governance.people.scopes import Scope
from governance.revisions import Fault, Revision, RevisionStore
from governance.run_stats import RunStats
from governance.targets import Target, TargetStore
from runtime.entries import Entry, Prepared
from runtime.errors import ServingError, UnknownWorkflow, Unservable
from runtime.mcp.listing import Budget, Candidate, Part, listing_of_parts
from workflow.errors import WorkflowError
from workflow.profile import Profile, parse_profile
from workflow.tool import free_name

log = logging.getLogger("switchgear.catalog")
Json = Any
# A few new ones are checked before they are served; a whole catalog, at the start, while it is served: 10 ms a round.
CHECKED_AT_ONCE = 20
# Names of the tools by which the rest is reached (`finding`): no workflow may stand in their way.
RESERVED_NAMES = ("search_workflows", "describe_workflow", "run_workflow")
NOTHING: Mapping[str, Any] = MappingProxyType({})


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
    entries: Mapping[str, Entry] = field(default_factory=lambda: NOTHING)
    refusals: tuple[Refusal, ...] = ()
    listed: tuple[Entry, ...] = ()
    searched: str = ""
    by_revision: Mapping[str, Entry] = field(default_factory=lambda: NOTHING, repr=False)
    _by_workflow: Mapping[str, Entry] = field(default_factory=lambda: NOTHING, repr=False)
    parts: Mapping[str, Part] = field(default_factory=lambda: NOTHING, repr=False)

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
        entry = self._by_workflow.get(name) or self.by_revision.get(ref) or self.entries.get(ref)
        if entry is None or (number and number != str(entry.number)):
            remedy = "see `switchgear workflows list`, and `switchgear workflows disabled` for what is out of use"
            raise UnknownWorkflow(f"no approved workflow is called {ref}", remedy)
        return entry


@dataclass(slots=True)
class Loader:
    """Builds snapshots, each from the database and the one before."""

    revisions: RevisionStore
    apis: ApiStore
    targets: TargetStore
    run_stats: RunStats
    budget: Budget = field(default_factory=Budget)
    _uses: Mapping[str, int] | None = None
    _profiles: dict[str, Profile] = field(default_factory=dict)
    # By digest, which is by content: what could not be planned once never can.
    _unservable: dict[str, str] = field(default_factory=dict)
    _checked: set[str] = field(default_factory=set)
    _all_checked: Catalog | None = None
    _approved: Approved = field(default_factory=Approved)
    _loaded: Catalog | None = None
    _targets: tuple[tuple[Target, ...], Mapping[str, tuple[Target, ...]]] = ((), NOTHING)

    async def load(self, before: Catalog) -> Catalog:
        """The snapshot of now. Raises GovernanceError when the database cannot be read; then the old one stays."""
        if self._uses is None:
            self._uses = await self.run_stats.uses()
        targets = await self._targets_now()
        approved = await self._follow(before)
        refusals = [_mismatch(fault) for fault in (*approved.faults, *await self._vanished(approved, before))]
        entries, refused = await self._entries(before, approved, targets)
        fitting, taken = _by_name(entries)
        refusals += (*refused, *taken)
        for refusal in refusals:
            if refusal not in before.refusals:
                log.error(
                    "%s (revision %s) is not served: %s", refusal.workflow_id, refusal.revision_id, refusal.reason
                )
        self._approved = approved.without_news()
        self._loaded = _catalog(fitting, tuple(refusals), self.budget, before)
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

    async def _targets_now(self) -> Mapping[str, tuple[Target, ...]]:
        """By API; those of an API are the same object while none of them changed."""
        now = await self.targets.list_targets()
        if now is not self._targets[0]:
            before = self._targets[1]
            grouped = {api: before[api] if before.get(api) == each else each for api, each in _by_api(now).items()}
            self._targets = now, grouped
        return self._targets[1]

    async def _entries(
        self, before: Catalog, approved: Approved, targets: Mapping[str, tuple[Target, ...]]
    ) -> tuple[list[Entry], list[Refusal]]:
        """What is approved, in the order of its workflows, and what of it cannot be served."""
        made = {one: each for one, each in before.by_revision.items() if one in approved.known}
        refused: list[Refusal] = []
        is_little = sum(whole.id not in made for whole in approved.fresh) <= CHECKED_AT_ONCE
        for revision in (whole.revision() for whole in approved.fresh):
            known = made.pop(revision.id, None)
            try:
                entry = await self._entry(revision, targets.get(revision.api, ()), known)
                is_checked_now = known is None and is_little  # the rest is, bit by bit
                if is_checked_now and entry.digest not in self._checked and not self._is_servable(entry):
                    raise Unservable(self._unservable[entry.digest])
                made[revision.id] = entry
            except (GovernanceError, ServingError, WorkflowError, KeyError, ValueError) as error:
                reason = str(error) if not isinstance(error, KeyError) else f"{error} is missing"
                is_mismatch = isinstance(error, TamperedError)
                refused.append(Refusal(revision.workflow_id, revision.id, reason, is_mismatch))
        for one, entry in made.items():
            if (now := targets.get(entry.api, ())) is not entry.targets:
                made[one] = _at(entry, now)
        if self._unservable:
            bad = [each for each in made.values() if each.digest in self._unservable]
            refused += [Refusal(each.workflow_id, each.revision_id, self._unservable[each.digest]) for each in bad]
            made = {one: each for one, each in made.items() if each.digest not in self._unservable}
        return sorted(made.values(), key=lambda entry: entry.workflow_id), refused

    async def _vanished(self, approved: Approved, before: Catalog) -> tuple[Fault, ...]:
        """What was served, or refused as altered, and is not among the approved any more without a decision."""
        if not before.version:  # nothing was served before: the audit knows what should be
            return await self.revisions.astray()
        there = approved.known.keys() | {each.revision_id for each in approved.faults}
        gone = {one: entry.workflow_id for one, entry in before.by_revision.items() if one not in there}
        gone |= {each.revision_id: each.workflow_id for each in before.refusals if each.is_mismatch}
        return await self.revisions.vanished({one: name for one, name in gone.items() if one not in there})

    async def _entry(self, revision: Revision, targets: tuple[Target, ...], known: Entry | None) -> Entry:
        if revision.digest in self._unservable:
            raise Unservable(self._unservable[revision.digest])
        if known is not None and known.digest == revision.digest and known.targets == targets:
            return known
        is_same = known is not None and known.digest == revision.digest
        prepared = known.prepared if known and is_same else Prepared(revision)
        return Entry(
            revision_id=revision.id,
            workflow_id=revision.workflow_id,
            number=revision.number,
            digest=revision.digest,
            api=revision.api,
            risk=revision.risk,
            is_core=revision.is_core,
            rank=revision.rank,
            intent=revision.intent,
            resource=revision.resource,
            uses=(self._uses or {}).get(revision.workflow_id, 0),
            prepared=prepared,
            profile=await self._profile(revision.api, revision.content.profile_digest),
            targets=targets,
            target_argument=_target_argument(prepared.input_names, targets),
            approved=approval_text(revision),
        )

    async def check_some(self, catalog: Catalog) -> bool:
        """Checks a few entries that were not checked yet; whether one was found that cannot be executed.

        With many tools this is done bit by bit while they are served already; the next snapshot leaves out what fails.
        """
        if self._all_checked is catalog:
            return False
        found = False
        unchecked = (entry for entry in catalog.entries.values() if entry.digest not in self._checked)
        for entry in itertools.islice(unchecked, CHECKED_AT_ONCE):
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


def view_of(catalog: Catalog, scope: Scope, budget: Budget) -> Catalog:
    """The catalog as it is for somebody with `scope`: what they cannot call is not there."""
    entries: dict[str, Entry] = {}
    admitted: dict[tuple[Target, ...], tuple[Target, ...]] = {}
    for name, entry in catalog.entries.items():
        if not scope.admits(entry.api, entry.risk, entry.workflow_id):
            continue
        targets = admitted.get(entry.targets)
        if targets is None:
            targets = tuple(target for target in entry.targets if scope.admits_target(target))
            targets = admitted[entry.targets] = entry.targets if targets == entry.targets else targets
        if targets or not scope.limits_targets:
            entries[name] = entry if targets is entry.targets else _at(entry, targets)
    return _catalog(entries, (), budget, Catalog())


def _at(entry: Entry, targets: tuple[Target, ...]) -> Entry:
    """The entry with these targets."""
    if targets == entry.targets:
        return entry
    return replace(entry, targets=targets, target_argument=_target_argument(entry.prepared.input_names, targets))


def _mismatch(fault: Fault) -> Refusal:
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


def _by_name(entries: Collection[Entry]) -> tuple[dict[str, Entry], list[Refusal]]:
    """The entries by the names of their tools, each of which the first one has, and who does not get theirs."""
    found = {entry.prepared.name: entry for entry in entries}
    if len(found) == len(entries) and found.keys().isdisjoint(RESERVED_NAMES):
        return found, []
    found = {}
    refused: list[Refusal] = []
    for entry in entries:
        taken = _taken_by(entry.name, found)
        if taken:
            reason = f"{taken} has a tool of this name already"
            refused.append(Refusal(entry.workflow_id, entry.revision_id, reason))
        else:
            found[entry.name] = entry
    return found, refused


def _taken_by(name: str, entries: Mapping[str, Entry]) -> str:
    """Whose tool has this name already; empty when it is free."""
    if name in RESERVED_NAMES:
        return "the server itself"
    return entries[name].workflow_id if name in entries else ""


def _catalog(entries: dict[str, Entry], refusals: tuple[Refusal, ...], budget: Budget, before: Catalog) -> Catalog:
    """`before`: the one whose parts are taken over where they are the same."""
    parts = _parts(entries.values(), before)
    listing = listing_of_parts(parts, budget)
    listed = tuple(sorted((entries[name] for name in listing.names), key=lambda entry: entry.workflow_id))
    hides_some = len(listed) < len(entries)
    version = hashlib.sha256(f"{hides_some} {listing.searched if hides_some else ''}\n".encode())
    for entry in listed:
        choice = (entry.target_argument, entry.target_schema) if entry.target_argument else ""
        version.update(f"{entry.digest} {entry.number} {choice}\n".encode())
    return Catalog(
        version.hexdigest(),
        MappingProxyType(entries),
        refusals,
        listed,
        listing.searched,
        MappingProxyType({entry.revision_id: entry for entry in entries.values()}),
        MappingProxyType({entry.workflow_id: entry for entry in entries.values()}),
        MappingProxyType(parts),
    )


def _parts(entries: Iterable[Entry], before: Catalog) -> dict[str, Part]:
    """By API; what is told of one stays where its revisions are the same."""
    by_api: dict[str, list[Entry]] = {}
    for entry in entries:
        by_api.setdefault(entry.api, []).append(entry)
    parts: dict[str, Part] = {}
    for api, ones in by_api.items():
        known = before.parts.get(api)
        prepared = [entry.prepared for entry in ones]
        is_same = known is not None and known.of == prepared
        parts[api] = known if known is not None and is_same else Part(map(_candidate, ones), prepared)
    return parts


def _candidate(entry: Entry) -> Candidate:
    thing = entry.profile.vocabulary.get(entry.resource, entry.resource)
    return Candidate(entry.name, entry.api, entry.is_core, entry.rank, entry.prepared.tokens, thing, entry.uses)
