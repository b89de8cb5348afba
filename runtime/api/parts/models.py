"""What the REST API takes and gives, as pydantic models: the border where JSON of strangers comes in.

They exist for checking and for `/openapi.json`; inside, the rooms' own frozen values are used. Members that a model
does not know are refused. Here never lives behaviour.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from governance.origins import Origin
from governance.runs.runs import Outcome
from runtime.calls.selection import MOST_AT_ONCE
from workflow.risks import RiskName

Json = Any
State = Literal["pending", "approved", "superseded", "rejected", "retired"]
RoleName = Literal["viewer", "operator", "approver", "admin"]
Names = list[Annotated[str, Field(min_length=1, max_length=200)]]
Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$", description="SHA-256 over the canonical content")]


class Taken(BaseModel):
    """What comes in is taken exactly as the document says: a text that looks like a number is a text."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Decision(Taken):
    """A decision names the content that it is about: what was looked at, and nothing that came since."""

    digest: Digest
    reason: Annotated[str, Field(max_length=2000)] = ""


class RunRequest(Taken):
    inputs: dict[str, Json] = {}
    target: Annotated[str | None, Field(description="Which device; may be left out where one is the default.")] = None
    plan: Annotated[bool, Field(description="Change nothing, and show the requests that would be sent.")] = False
    plan_id: Annotated[str, Field(max_length=64, description="Carry out this plan, given the same inputs.")] = ""
    select: Annotated[Json, Field(description="Of a read: the fields to show, by name or JSON Pointer.")] = None
    where: Annotated[Json, Field(description="Of a read: the items to show, {field: value or comparison}.")] = None


class Search(Taken):
    """What is to be done, to what: “add a disk to a VM”."""

    query: Annotated[str, Field(min_length=1, max_length=500)]
    api: Annotated[str | None, Field(max_length=128)] = None
    risk: RiskName | None = None


class Named(Taken):
    """A workflow, by the name that search answers."""

    name: Annotated[str, Field(min_length=1, max_length=500)]


class SearchApi(Taken):
    """What is to be done, to what."""

    query: Annotated[str, Field(min_length=1, max_length=500)]
    api: Annotated[str | None, Field(max_length=500)] = None


class NamedOperation(Taken):
    operation: Annotated[str, Field(min_length=1, max_length=500, description="METHOD /path")]
    api: Annotated[str | None, Field(max_length=500)] = None


class RawCall(NamedOperation):
    """One operation of an API, called alone."""

    arguments: Annotated[dict[str, Json], Field(description="Parameters by name.")] = {}
    body: Json = None
    target: Annotated[str | None, Field(max_length=500, description="The device, where there are several.")] = None
    plan: Annotated[bool, Field(description="Change nothing, and show the request that would be sent.")] = False
    plan_id: Annotated[str, Field(max_length=64, description="Carry out this plan, given the same inputs.")] = ""
    select: Annotated[Json, Field(description="Of a read: the fields to show, by name or JSON Pointer.")] = None
    where: Annotated[Json, Field(description="Of a read: the items to show, {field: value or comparison}.")] = None


class RunByName(Named):
    arguments: Annotated[dict[str, Json], Field(description="The inputs that describe_workflow told.")] = {}
    target: Annotated[str | None, Field(max_length=500, description="The device, where there are several.")] = None


class RunId(Taken):
    run: Annotated[str, Field(min_length=1, max_length=64, description="The run's id.")]


class SelectionRequest(Taken):
    """One workflow on all targets that have all of the labels."""

    inputs: dict[str, Json] = {}
    labels: Annotated[dict[str, str], Field(min_length=1)]
    parallel: Annotated[int, Field(ge=1, le=MOST_AT_ONCE, description="How many targets at a time.")] = 4
    stop_on_failure: Annotated[bool, Field(description="Begin on no further target after a failure.")] = False
    plan: Annotated[bool, Field(description="Change nothing, and show the requests that would be sent.")] = False


class SelectionResult(BaseModel):
    """What came of each target, by name. `succeeded`: how many did what was asked for."""

    succeeded: int
    results: list[dict[str, Json]]


class ScheduleRequest(Taken):
    """One approved workflow, on one target or on all that have the labels, at the moments of a cron expression."""

    name: Annotated[str, Field(max_length=64)]
    workflow: Annotated[str, Field(max_length=256)]
    inputs: dict[str, Json] = {}
    target: Annotated[str | None, Field(description="Which device; may be left out where one is the default.")] = None
    labels: dict[str, str] = {}
    cron: Annotated[str, Field(max_length=200, description="Minute hour day month weekday.")]
    zone: Annotated[str, Field(max_length=64, description="IANA name of the time zone.")] = "UTC"


class Schedule(BaseModel):
    """`last`: when the firing before was due, its outcome, why, and the ids of its runs; empty at first."""

    name: str
    workflow_id: str
    target: str | None
    labels: dict[str, str]
    inputs: Json
    cron: str
    zone: str
    created_by: str
    created_at: str
    is_paused: bool
    next_at: str
    last: Json


class Finding(Taken):
    """What somebody found out about the request in doubt, and whether the run is to go on; or `look`: find it out."""

    has_happened: bool | None = None
    look: Annotated[bool, Field(description="Make the reads that tell, and resolve the run where they do.")] = False
    goes_on: bool = False
    note: Annotated[str, Field(max_length=2000)] = ""


class Workflow(BaseModel):
    """One revision of a workflow, without its content."""

    id: str
    api: str
    workflow_id: str
    number: int
    digest: str
    state: State
    intent: str
    risk: str
    resource: str
    is_core: bool
    rank: float
    created_at: str
    created_by: str
    decided_at: str | None
    decided_by: str | None
    reason: str | None
    votes: Annotated[list[str], Field(description="Who has approved it; it may take more than one.")]
    expires_at: Annotated[
        str | None, Field(description="Until when it may be decided, or its approval is valid; null: without an end.")
    ]
    votes_needed: Annotated[int | None, Field(description="How many people it takes; null: it is not pending.")] = None
    votes_counted: Annotated[int, Field(description="How many of them it has.")] = 0
    votes_not_of: Annotated[list[str], Field(description="Whose vote it is not to have: of whoever submitted it.")] = []
    not_yours: Annotated[str, Field(description="Why whoever asks may not approve it; empty where they may.")] = ""
    how: Annotated[Origin, Field(description="How it came about.")]
    title: str
    description: str
    requests: Annotated[list[str] | None, Field(description="What it sends, by operation; where asked for.")] = None
    reasons: Annotated[list[str] | None, Field(description="Why it has its class; where asked for.")] = None


class WorkflowCounts(BaseModel):
    """How many revisions fit, by each value."""

    state: dict[str, int]
    api: dict[str, int]
    risk: dict[str, int]
    created_by: dict[str, int]
    how: dict[str, int]


class ShownStep(BaseModel):
    """One step: what it is for, in words; what it sends, as the document says it; why it has its class of risk."""

    step_id: str
    method: str
    path_template: str
    effect: str
    role: str
    description: str
    is_safe: bool
    is_idempotent: bool
    request: Annotated[Json, Field(description="Parameters and body, with expressions where a run puts values.")]
    risk: str
    why: str
    succeeds_only_if: Annotated[list[str], Field(description="What it has to show; what cannot be seen, and why.")]


class Difference(BaseModel):
    """What approving would change, against the revision in use. `requests`: lines that went (-) and came (+)."""

    since: Annotated[Json, Field(description="The revision in use: id, number, digest.")]
    risk: list[str]
    document: list[Json]
    tool: list[Json]
    requests: list[str]
    operations: Annotated[list[str], Field(description="Operations that the vendor describes otherwise now.")]
    profile: Annotated[bool, Field(description="Whether the profile is another one.")]


class WorkflowDetail(Workflow):
    """With all that an approver looks at: the document, the tool, the steps, the proof, the difference.

    `risk_reasons`: why the gravest steps have the workflow's class. `proposed`: what a model said of it, with the
    compiler's verdict. `asked_as`: sentences by which operators ask for it. `proposed_by`: `by` which model it was put
    together, and from which `sentence`; null where people did that. `unproved`: why no run on the twin proves it, empty
    where one does. `origin`: the bundle that it came with, NAME@VERSION, or empty. `approval`: who or what approved it;
    `how` is `people`, `policy` or `bundle`; null while it is not approved. `difference` is null where nothing is in
    use; `disabled`, where it is in use.
    """

    content: dict[str, Json]
    proof: Json
    steps: list[ShownStep]
    risk_reasons: list[dict[str, Json]]
    proposed: list[dict[str, Json]]
    asked_as: list[str]
    proposed_by: dict[str, str] | None
    unproved: str
    origin: str
    approval: dict[str, Json] | None
    difference: Difference | None
    disabled: dict[str, Json] | None


class RunResult(BaseModel):
    """A run that has succeeded, was accepted, or was cancelled by whoever asks, or the plan that was asked for; every
    other end is a problem document.

    `pending`: accepted; in force after `next`, a workflow, or what `note` says. `verified`: whether the device shows
    what was asked for (`all`, `some`, `none`; empty for what only reads), with its reason; `differences`: `place`,
    `asked`, `found` of what it shows otherwise, and `before` where nobody asked for it (`asked` is null then). `done`:
    the steps that changed something. `outputs` is empty beside a plan. `misfits`: in how many places replies were not
    as described; the run names them.
    """

    run_id: str
    outcome: Literal["succeeded", "pending", "planned", "running", "waiting", "cancelled"]
    outputs: dict[str, Json]
    note: str = ""
    verified: Literal["", "all", "some", "none"] = ""
    verified_why: str = ""
    differences: list[dict[str, Json]] = []
    next: str = ""
    done: list[str] = []
    misfits: int = 0
    shown: Annotated[dict[str, Json], Field(description="How much of how much `outputs` are; empty: the whole.")] = {}
    plan: Annotated[Json, Field(description="What would be sent, what follows, and the plan_id.")] = None


class Run(BaseModel):
    """`workflow_id` and `number` say which revision it was a run of."""

    id: str
    workflow_id: str
    number: int
    revision_id: str
    digest: str
    target: str
    caller: str
    inputs: Json
    started_at: str
    finished_at: str | None
    outcome: Outcome | None
    outputs: Json
    failure: Annotated[Json, Field(description="Which step, why, what was done. `said`: the device's own sentences.")]
    verdict: Annotated[Json, Field(description="What was verified of what was asked for, and what is next.")]
    cancel_by: str | None
    progress: Annotated[Json, Field(description="Where it is; null where it has ended, and in lists.")]
    resolution: Json
    steps: list[dict[str, Json]]


class RunJournal(BaseModel):
    """`turns`: in order, each an `event` and the `command` that followed, in the interpreter's JSON forms."""

    run: str
    turns: list[dict[str, Json]]


class AuditEntry(BaseModel):
    seq: int
    at: str
    actor: str
    action: str
    subject: str
    detail: Json
    prev_hash: str
    hash: str


class Figures(BaseModel):
    """`outcomes`: how many ended how. The times are of runs that have ended; null where none has."""

    runs: int
    outcomes: dict[str, int]
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class Stats(BaseModel):
    """Of all runs together, and of each workflow, caller, target and outcome by its name."""

    all: Figures
    by_workflow: dict[str, Figures]
    by_caller: dict[str, Figures]
    by_target: dict[str, Figures]
    by_outcome: dict[str, Figures]


class TokenScope(Taken):
    """What a token is limited to; what is left out is not limited."""

    apis: Names = []
    risks: list[RiskName] = []
    workflows: Names = []
    targets: Names = []
    labels: dict[str, str] = {}


class TokenRequest(Taken):
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")]
    role: RoleName
    scope: TokenScope = TokenScope()
    days: Annotated[int | None, Field(ge=1, le=36_500, description="How long it is valid; null: until revoked.")] = None


class Token(BaseModel):
    """Whose it is; never the secret."""

    id: str
    name: str
    role: RoleName
    scope: dict[str, Json]
    created_at: str
    expires_at: str | None
    revoked_at: str | None


class NewToken(BaseModel):
    principal: Token
    token: Annotated[str, Field(description="The secret; it cannot be had again.")]


class Setting(BaseModel):
    """One setting by its variable. `value` is null where it is a secret."""

    name: str
    value: str | int | bool | None
    source: Literal["default", "environment", "command line"]
    is_secret: bool
    meaning: str


class TargetFinding(BaseModel):
    """One step of a test: `detail` holds what was seen (addresses, fingerprint, version)."""

    step: Literal["address", "dns", "tcp", "tls", "login", "version"]
    outcome: Literal["good", "bad", "left out"]
    message: str
    remedy: str
    detail: dict[str, Json]


class TargetTest(BaseModel):
    """`at`, `by`: of one that is looked up, when it was and who asked for it."""

    target: str
    is_good: bool
    findings: list[TargetFinding]
    at: str | None = None
    by: str | None = None


class Served(BaseModel):
    """What is served now, and what is approved but refused, with the reason.

    `tools`: how many of the workflows are listed to MCP clients as tools of their own.
    """

    version: str
    workflows: int
    tools: int
    refused: list[dict[str, str]]


class Health(BaseModel):
    status: Literal["ok"]


class Readiness(BaseModel):
    status: Literal["ready", "not ready"]
    workflows: int
    tools: int
    refused: int
    trouble: str


class ProblemOut(BaseModel):
    """RFC 9457."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    remedy: str = ""
