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
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import jsonschema_rs

from governance.apis import ApiStore
from governance.dossier import approval_text
from governance.errors import GovernanceError, TamperedError
from governance.people.scopes import Scope
from governance.revisions import Fault, Revision, RevisionStore, Survey
from governance.run_stats import RunStats
from governance.targets import Target, TargetStore
from runtime.calls.manner import Manner, manner_of
from runtime.driver import Endpoint
from runtime.driver.sessions import References
from runtime.driver.wire import address_of
from runtime.errors import ServingError, UnknownTarget, UnknownWorkflow, Unservable
from runtime.mcp.listing import Budget, Candidate, listing_of
from workflow.budget import tokens_of
from workflow.errors import WorkflowError
from workflow.patterns import LINEAR, enforceable
from workflow.plan import Plan, build_plan
from workflow.profile import Limits, Profile, parse_profile
from workflow.reader import read_document
from workflow.revision import RevisionContent
from workflow.schemas import as_json
from workflow.tool import free_name, hides_inputs, input_names, plan_properties, whole_input_schema

log = logging.getLogger("switchgear.catalog")
Json = Any
# A few new ones are checked before they are served; a whole catalog, at the start, while it is served: 10 ms a round.
CHECKED_AT_ONCE = 20
# Each tool that takes a target would name them all; with more than these the list is longer than the tools.
MOST_TARGETS_NAMED = 8
# Names of the tools by which the rest is reached (`finding`): no workflow may stand in their way.
RESERVED_NAMES = ("search_workflows", "describe_workflow", "run_workflow")
NOTHING: Mapping[str, Any] = MappingProxyType({})


def own_limits(target: Target, profile: Profile) -> Limits | None:
    """The profile's limits with those of the target in their places; None where it has none."""
    told = target.limits.to_json()
    return profile.limits.model_copy(update=told) if told else None


class Prepared:
    """What is made of an approved revision when it is first needed: most of a thousand tools are not called today."""

    def __init__(self, content: RevisionContent, source: str) -> None:
        self.content = content
        self._source = source
        self._plan: Plan | None = None
        self._accepts: Callable[[Json], bool] | None = None
        self._endpoints: dict[Target, Endpoint] = {}
        self.tokens = tokens_of(content.tool, content.document)
        self.hides_inputs = hides_inputs(content.document, content.tool)
        self.input_names = input_names(content.document)

    def whole_input_schema(self) -> dict[str, Json]:
        """What inputs are validated with. Made anew each time: it is asked for rarely."""
        return whole_input_schema(read_document(self.content.document, self._source))

    def plan(self) -> Plan:
        """The plan, made once. Raises Unservable when the document cannot be executed."""
        if self._plan is None:
            self._plan = self._made()
        return self._plan

    def check(self) -> None:
        """Raises Unservable as `plan` does; keeps nothing."""
        if self._plan is None:
            self._made()

    def endpoint(self, target: Target, profile: Profile) -> Endpoint:
        """`target` as the driver sees it, made once. Raises TargetError for an address that is none."""
        made = self._endpoints.get(target)
        if made is None:
            keeps_base_path = target.mode != "prism"  # which serves the paths of the description alone
            made = self._endpoints[target] = Endpoint(
                name=target.name,
                address=address_of(target.base_url, self.plan().base_path, adds_base_path=keeps_base_path),
                tls=target.tls,
                references=References(target.username_ref, target.password_ref, target.token_ref),
                profile=profile,
                own_limits=own_limits(target, profile),
                responses=target.responses,
            )
        return made

    @cached_property
    def output_schema(self) -> bytes:
        """The tool's output schema as JSON."""
        return as_json(self.content.tool.get("outputSchema") or True)

    def accepts_outputs(self, outputs: Json) -> bool:
        """Whether `outputs` are what the tool's output schema promises."""
        if self._accepts is None:
            schema = self.content.tool.get("outputSchema")
            self._accepts = _judge_of(schema) if schema else lambda _outputs: True
        return self._accepts(outputs)

    def _made(self) -> Plan:
        try:
            return build_plan(read_document(self.content.document, self._source))
        except WorkflowError as error:
            raise Unservable(f"{self._source} cannot be executed: {error}", "compile it again") from error


def _judge_of(schema: Json) -> Callable[[Json], bool]:
    return jsonschema_rs.validator_for(enforceable(schema)[0], pattern_options=LINEAR).is_valid


@dataclass(frozen=True, slots=True)
class Entry:
    """One approved workflow, ready to run. `tool` is the approved definition, by MCP's names; `uses`: how often it
    was run, as counted when the server started.

    `target_argument`: the name of the argument that chooses among several targets; empty where there is one or none.
    `approved`: who or what approved it, in words.
    """

    revision_id: str
    workflow_id: str
    number: int
    digest: str
    api: str
    risk: str
    is_core: bool
    rank: float
    intent: str
    resource: str
    uses: int
    prepared: Prepared
    profile: Profile
    tool: Mapping[str, Json]
    targets: tuple[Target, ...]
    target_argument: str
    approved: str = ""

    @property
    def plan(self) -> Plan:
        """Raises Unservable."""
        return self.prepared.plan()

    @property
    def name(self) -> str:
        return str(self.tool["name"])

    @property
    def input_schema(self) -> dict[str, Json]:
        """What a client sees: the approved schema, and what else can be said of a call."""
        return self.with_more(self.tool["inputSchema"])

    def with_plan(self, inputs: Mapping[str, Json]) -> dict[str, Json]:
        """`inputs`, a schema of the workflow, with the arguments by which it is planned and a plan confirmed."""
        more = plan_properties(self.tool, self.prepared.input_names)
        return {**inputs, "properties": {**inputs.get("properties", {}), **more}} if more else dict(inputs)

    def with_more(self, inputs: Mapping[str, Json]) -> dict[str, Json]:
        """`inputs`, a schema of the workflow, with what a client gives besides: a plan, which of several targets."""
        schema = self.with_plan(inputs)
        if self.target_argument:
            schema["properties"] = {**schema.get("properties", {}), self.target_argument: self.target_schema}
            if not any(target.is_default for target in self.targets):
                schema["required"] = [*schema.get("required", []), self.target_argument]
        return schema

    @property
    def output_schema(self) -> dict[str, Json] | None:
        """What a client is promised of results; where a plan may be the result, nothing has to be there."""
        schema = self.tool.get("outputSchema")
        if schema is None or self.risk == "read":
            return schema
        return {name: part for name, part in schema.items() if name not in ("required", "additionalProperties")}

    def taken_apart(self, arguments: Mapping[str, Json]) -> tuple[dict[str, Json], str | None, Manner]:
        """What a client sent: the workflow's inputs, the target, how it wants it. Raises BadInput."""
        inputs, names = dict(arguments), self.prepared.input_names
        target = inputs.pop(self.target_argument, None) if self.target_argument else None
        return inputs, target, manner_of(inputs, free_name("plan", names), free_name("plan_id", names))

    @property
    def target_schema(self) -> dict[str, Json]:
        """How one of several targets is named."""
        default = next((f" Without it: {target.name}." for target in self.targets if target.is_default), "")
        schema: dict[str, Json] = {"type": "string", "description": f"The device to act on.{default}"}
        if len(self.targets) <= MOST_TARGETS_NAMED:
            schema["enum"] = [target.name for target in self.targets]
        return schema

    def target(self, name: str | None) -> Target:
        """The target called `name`, or the one that is meant without a name. Raises UnknownTarget."""
        for target in self.targets:
            if target.name == name or (name is None and (target.is_default or len(self.targets) == 1)):
                return target
        if not self.targets:
            raise UnknownTarget(f"there is no target for the API {self.api}", "add one with `switchgear targets add`")
        known = ", ".join(target.name for target in self.targets)
        if name is None:
            raise UnknownTarget("several targets are possible and none was named", f"name one of {known}")
        raise UnknownTarget(f"there is no target {name} for the API {self.api}", f"name one of {known}")


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
    _by_workflow: Mapping[str, Entry] = field(default_factory=lambda: NOTHING, repr=False)

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
        entry = self._by_workflow.get(ref) or self._by_workflow.get(name) or self.entries.get(ref)
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
    _profiles: dict[str | None, Profile] = field(default_factory=dict)
    # By digest, which is by content: what could not be planned once never can.
    _unservable: dict[str, str] = field(default_factory=dict)
    _checked: set[str] = field(default_factory=set)

    async def load(self, before: Catalog) -> Catalog:
        """The snapshot of now. Raises GovernanceError when the database cannot be read; then the old one stays."""
        if self._uses is None:
            self._uses = await self.run_stats.uses()
        survey = await self.revisions.approved_survey()
        targets = _by_api(await self.targets.list_targets())
        known = {entry.revision_id: entry for entry in before.entries.values()}
        refusals = [_mismatch(fault) for fault in (*survey.faults, *await self._vanished(survey, before))]
        fresh = {revision.id for revision in survey.revisions} - known.keys()
        entries: dict[str, Entry] = {}
        for revision in survey.revisions:
            try:
                entry = await self._entry(revision, targets.get(revision.api, ()), known.get(revision.id))
                if len(fresh) <= CHECKED_AT_ONCE and entry.digest not in self._checked and not self._is_servable(entry):
                    raise Unservable(self._unservable[entry.digest])
            except (GovernanceError, ServingError, WorkflowError, KeyError, ValueError) as error:
                reason = str(error) if not isinstance(error, KeyError) else f"{error} is missing"
                is_mismatch = isinstance(error, TamperedError)
                refusals.append(Refusal(revision.workflow_id, revision.id, reason, is_mismatch))
                continue
            taken = _taken_by(entry.name, entries)
            if taken:
                reason = f"{taken} has a tool of this name already"
                refusals.append(Refusal(entry.workflow_id, entry.revision_id, reason))
                continue
            entries[entry.name] = entry
        for refusal in refusals:
            if refusal not in before.refusals:
                log.error(
                    "%s (revision %s) is not served: %s", refusal.workflow_id, refusal.revision_id, refusal.reason
                )
        return _catalog(entries, tuple(refusals), self.budget)

    async def _vanished(self, survey: Survey, before: Catalog) -> tuple[Fault, ...]:
        """What was served, or refused as altered, and is not among the approved any more without a decision."""
        if not before.version:  # nothing was served before: the audit knows what should be
            return await self.revisions.astray()
        there = {each.id for each in survey.revisions} | {each.revision_id for each in survey.faults}
        served = {entry.revision_id: entry.workflow_id for entry in before.entries.values()}
        served |= {each.revision_id: each.workflow_id for each in before.refusals if each.is_mismatch}
        return await self.revisions.vanished({one: name for one, name in served.items() if one not in there})

    async def _entry(self, revision: Revision, targets: tuple[Target, ...], known: Entry | None) -> Entry:
        if revision.digest in self._unservable:
            raise Unservable(self._unservable[revision.digest])
        if known is not None and known.digest == revision.digest and known.targets == targets:
            return known
        content = revision.content
        tool = content.tool
        is_same = known is not None and known.digest == revision.digest
        prepared = known.prepared if known and is_same else Prepared(content, f"revision {revision.id}")
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
            profile=await self._profile(revision.api, content.profile_digest),
            tool=tool,
            targets=targets,
            target_argument=_target_argument(prepared.input_names, targets),
            approved=approval_text(revision),
        )

    async def check_some(self, catalog: Catalog) -> bool:
        """Checks a few entries that were not checked yet; whether one was found that cannot be executed.

        With many tools this is done bit by bit while they are served already; the next snapshot leaves out what fails.
        """
        found = False
        unchecked = (entry for entry in catalog.entries.values() if entry.digest not in self._checked)
        for entry in itertools.islice(unchecked, CHECKED_AT_ONCE):
            found = not self._is_servable(entry) or found
            await asyncio.sleep(0)
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
        if profile_digest is None:
            return Profile(api=api)
        if profile_digest not in self._profiles:
            profile = parse_profile(await self.apis.get_profile(profile_digest), api)
            self._profiles[profile_digest] = profile
        return self._profiles[profile_digest]


def view_of(catalog: Catalog, scope: Scope, budget: Budget) -> Catalog:
    """The catalog as it is for somebody with `scope`: what they cannot call is not there."""
    entries: dict[str, Entry] = {}
    for name, entry in catalog.entries.items():
        targets = tuple(target for target in entry.targets if scope.admits_target(target))
        if not scope.admits(entry.api, entry.risk, entry.workflow_id) or (scope.limits_targets and not targets):
            continue
        is_same = targets == entry.targets
        argument = _target_argument(entry.prepared.input_names, targets)
        entries[name] = entry if is_same else replace(entry, targets=targets, target_argument=argument)
    return _catalog(entries, (), budget)


def _mismatch(fault: Fault) -> Refusal:
    return Refusal(fault.workflow_id, fault.revision_id, fault.message, is_mismatch=True)


def _target_argument(names: frozenset[str], targets: tuple[Target, ...]) -> str:
    if len(targets) < 2:
        return ""
    return free_name("target", names)


def _by_api(targets: Iterable[Target]) -> dict[str, tuple[Target, ...]]:
    grouped: dict[str, tuple[Target, ...]] = {}
    for target in targets:
        grouped[target.api] = (*grouped.get(target.api, ()), target)
    return grouped


def _taken_by(name: str, entries: Mapping[str, Entry]) -> str:
    """Whose tool has this name already; empty when it is free."""
    if name in RESERVED_NAMES:
        return "the server itself"
    return entries[name].workflow_id if name in entries else ""


def _catalog(entries: dict[str, Entry], refusals: tuple[Refusal, ...], budget: Budget) -> Catalog:
    listing = listing_of((_candidate(entry) for entry in entries.values()), budget)
    listed = tuple(entry for entry in entries.values() if entry.name in listing.names)
    hides_some = len(listed) < len(entries)
    version = hashlib.sha256(f"{hides_some} {listing.searched if hides_some else ''}\n".encode())
    for entry in listed:
        choice = (entry.target_argument, entry.target_schema) if entry.target_argument else ""
        version.update(f"{entry.digest} {entry.number} {choice}\n".encode())
    by_workflow = {entry.workflow_id: entry for entry in entries.values()}
    by_workflow |= {entry.revision_id: entry for entry in entries.values()}
    return Catalog(
        version.hexdigest(),
        MappingProxyType(entries),
        refusals,
        listed,
        listing.searched,
        MappingProxyType(by_workflow),
    )


def _candidate(entry: Entry) -> Candidate:
    thing = entry.profile.vocabulary.get(entry.resource, entry.resource)
    return Candidate(entry.name, entry.api, entry.is_core, entry.rank, entry.prepared.tokens, thing, entry.uses)
