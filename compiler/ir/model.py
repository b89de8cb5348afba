"""The intermediate representation: one API, as the passes understand it so far.

Frozen values only; a pass returns a new `Api`. No I/O, no parsing, no printing (see `printer.py`), no checking (see
`verifier.py`). Made by `compiler.frontend`, enriched by `compiler.passes`, read by `compiler.arazzo` and the twin.
Schemas are JSON Schema 2020-12 as plain mappings that nobody changes; a shared schema is
`{"$ref": "#/components/schemas/NAME"}` and stands in `Api.schemas`, so recursion is no special case.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from workflow.risks import Risk

Schema = Mapping[str, Any]
_USING = re.compile(r"Using(?:GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS)(?:_\d+)?$")
EMPTY: Mapping[str, Any] = {}
CONNECTION_HEADERS = frozenset({"content-length", "content-type", "accept", "authorization", "cookie", "host"})
"""Header parameters that belong to the connection, in lower case: no business of a caller or a workflow."""


class Effect(StrEnum):
    """What an operation does to the device."""

    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    ACT = "act"
    SESSION = "session"


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `pointer`: `file#/json/pointer`, or an operation's key; `remedy`: what the reader can do."""

    code: str
    severity: Severity
    pointer: str
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class ApiParameter:
    name: str
    location: str  # path, query, header, cookie
    is_required: bool
    schema: Schema
    description: str = ""
    style: str = "simple"
    explode: bool = False
    example: Any = None


@dataclass(frozen=True, slots=True)
class Body:
    """A request body in the media type that the compiler chose (JSON where there is one).

    `parts`: of a multipart body, the media types of members that are not plain text.
    """

    media_type: str
    schema: Schema
    is_required: bool
    example: Any = None
    description: str = ""
    parts: Mapping[str, str] = field(default_factory=lambda: EMPTY)


@dataclass(frozen=True, slots=True)
class Response:
    """`status` as written: `200`, `2XX`, `default`. `headers` in lower case, in the description's order."""

    status: str
    description: str = ""
    media_type: str = ""
    schema: Schema | None = None
    example: Any = None
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ActionPostcondition:
    """What an action leaves behind in the thing that it is done to.

    `shown`: (pointer into the body or name of a query parameter, pointer into the thing). `held`: (pointer into the
    thing, value). `put_in` and `taken_out`: (as in `shown`, pointer to a list of the thing). `is_assumed`: names alone
    say so, nobody promised it; then only values of `against` show that what is held is not so. `is_plain`: they say it
    so plainly that nothing there is a difference, too.
    """

    shown: tuple[tuple[str, str], ...] = ()
    held: tuple[tuple[str, Any], ...] = ()
    is_assumed: bool = False
    against: tuple[Any, ...] = ()
    put_in: tuple[tuple[str, str], ...] = ()
    taken_out: tuple[tuple[str, str], ...] = ()
    is_plain: bool = False

    @property
    def lists(self) -> tuple[tuple[str, str], ...]:
        """All places of what is sent that are in lists, whether it is put in or taken out."""
        return (*self.put_in, *self.taken_out)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path. `digest`: over the operation as read, with all that it refers to.

    `effect`, `risk`, `risk_reason`, `is_idempotent` and `left_out` (a reason) are set by passes, `is_safe` as well: it
    changes nothing by its method, or because the profile says so; so is `leaves`, of an action. `ending`: the format
    (`.json`) that its address has behind `path` where it is sent.
    """

    method: str
    path: str
    pointer: str
    digest: str
    operation_id: str = ""
    summary: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    parameters: tuple[ApiParameter, ...] = ()
    body: Body | None = None
    responses: tuple[Response, ...] = ()
    is_deprecated: bool = False
    effect: Effect | None = None
    risk: Risk | None = None
    risk_reason: str = ""
    is_idempotent: bool = False
    left_out: str = ""
    is_safe: bool = False
    leaves: ActionPostcondition | None = None
    ending: str = ""

    @property
    def written(self) -> str:
        """The path as the description has it, and as it is sent."""
        return self.path + self.ending

    @property
    def key(self) -> str:
        """`METHOD /path/template`: unique in an Api."""
        return f"{self.method} {self.path}"

    @property
    def name(self) -> str:
        """The id without what programs append to it: `reload` of `reload_v3_reload_post` and of `reloadUsingPOST_1`."""
        appended = re.sub(r"\W", "_", self.written) + f"_{self.method.lower()}"
        plain = _USING.sub("", self.operation_id.removesuffix(appended))
        return plain or self.operation_id

    @property
    def success(self) -> Response | None:
        """The first declared 2xx reply with a schema, else the first 2xx, else none."""
        good = [r for r in self.responses if r.status.startswith("2")]
        return next((r for r in good if r.schema is not None), good[0] if good else None)


@dataclass(frozen=True, slots=True)
class Paging:
    """How a collection goes on after its first page (`workflow.replies.pages.Pages`: `by`, `parameter`, `at`, `first`).

    `size` items a page are asked for with `size_parameter`, where there is one. `most`: pages of one lookup.
    `is_in_body`: both are pointers into the body of a list that is asked for by POST.
    """

    by: str
    parameter: str = ""
    at: str = ""
    size_parameter: str = ""
    size: int = 0
    first: int = 1
    most: int = 100
    evidence: str = ""
    is_in_body: bool = False


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of thing. Operations are named by key; an empty string means that there is no such operation.

    `noun`: the path's own word (`VirDomain`); `name`: the operator's (`VM`). `id_parameter`: the path parameter of
    the item. `id_field`: member of an item that holds its id; `natural_keys`: members that people know it by;
    `is_id_told`: that member is described as an identifier, which its own name does not say (`vm`).
    `inner_name`: pointer to the name where no member of the thing itself is one (`/Spec/Name`).
    `known_by`: the member that holds the id of what it belongs to, where people know it by that.
    `members`: pointer from the collection's body to the list; `references`: the list holds only addresses, under
    this member's name. `item_at`: pointer from the reply that shows one to it, where something is around it: a list of
    one (`/0`) or a name (`/server`); `element_at` the same from an element of the list. `single`: the usual only
    member's id.
    `aliases`: keys of operations that do the same as another one here, mapped to it.
    `listed_in`: without a collection of its own, the read of the owner whose item names these, at `members`.
    `paging`: None where only the replies tell whether the list goes on. `total`: where they say how many there are; ""
    for the usual places, `none` where what looks like it is another number. `id_of`: the name of the other thing whose
    id the address has (`/energy-usage/{deviceId}`), "" where it is the thing's own.
    """

    noun: str
    name: str
    collection: str = ""
    item: str = ""
    id_parameter: str = ""
    id_of: str = ""
    id_field: str = ""
    is_id_told: bool = False
    natural_keys: tuple[str, ...] = ()
    inner_name: str = ""
    known_by: str = ""
    list: str = ""
    read: str = ""
    create: str = ""
    update: str = ""
    delete: str = ""
    actions: tuple[str, ...] = ()
    parent: str = ""
    schema: Schema = field(default_factory=lambda: EMPTY)
    members: str = ""
    references: str = ""
    item_at: str = ""
    element_at: str = ""
    single: str | None = None
    synonyms: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    listed_in: str = ""
    paging: Paging | None = None
    total: str = ""

    @property
    def item_in_reply(self) -> str:
        """Where the reply to `read` holds the item, as a runtime expression."""
        return f"$response.body#{self.item_at}" if self.item_at else "$response.body"

    @property
    def item_is_list(self) -> bool:
        """True where reading one answers a list of one."""
        return self.item_at == "/0"

    @property
    def wrapper(self) -> str:
        """Pointer to the item in an answer that has something around it, "" where nothing is."""
        return "" if self.item_is_list else self.item_at

    @property
    def source(self) -> str:
        """The operation that tells which of these there are, "" where none does."""
        return self.list or self.listed_in


@dataclass(frozen=True, slots=True)
class Job:
    """The convention by which a change is waited for; the fields mean what `workflow.profiles.profile.JobRule` says.

    `succeeded_if`: what a job that is over has to show besides its state, pointer → values of which one; what it shows
    otherwise is a failure, and nothing there no end that is known. `fault`: what only a job that failed has, where its
    state does not tell. `evidence`: what says that it is so. `used`: signs of one that goes on until it is used,
    pointer → values.
    """

    name: str
    operations: tuple[str, ...]
    handle_within: str
    handle_at: str
    handle_is_address: bool
    statuses: tuple[int, ...]
    empty_means_done: bool
    poll: str
    parameter: str
    state: str
    waiting: tuple[str, ...]
    succeeded: tuple[str, ...]
    failed: tuple[str, ...]
    message: str = ""
    created_id: str = ""
    result: str | None = None
    result_view: str = ""
    interval_s: float = 1.0
    timeout_s: float = 600.0
    failed_if: tuple[tuple[str, tuple[str, ...]], ...] = ()
    succeeded_if: tuple[tuple[str, tuple[str, ...]], ...] = ()
    fault: str = ""
    evidence: str = ""
    used: tuple[tuple[str, tuple[str, ...]], ...] = ()
    pending: tuple[str, ...] = ()
    pending_s: float = 30.0
    stalled_s: float | None = None
    away_s: float = 300.0
    appears_s: float = 15.0
    progress: str = ""
    elsewhere: "JobView | None" = None

    @property
    def state_is_switch(self) -> bool:
        """Whether its state is a truth value (`done`), which stands here as its word."""
        return {*self.waiting, *self.succeeded, *self.failed} <= {"true", "false"}

    def shown_state(self, state: str) -> str | bool:
        """The state as the job itself shows it."""
        return state == "true" if self.state_is_switch and state in ("true", "false") else state


@dataclass(frozen=True, slots=True)
class JobView:
    """Another operation that shows the same job, with its own member for the state."""

    poll: str
    parameter: str
    state: str
    succeeded: tuple[str, ...]
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A value made by one operation that another one needs.

    `at`: `body#/pointer` (with `*` for any element) or `header.name`; `into`: `path.name`, `query.name` or
    `body#/pointer`. `evidence` says in words why; `score` between 0 and 1.
    """

    source: str
    at: str
    target: str
    into: str
    evidence: str
    score: float


@dataclass(frozen=True, slots=True)
class Api:
    """The whole. Operations are ordered by path, then method; resources by collection path, then item path.

    `around`: members of all answers that say how it went, beside the one that holds what was asked for.
    """

    name: str
    title: str
    version: str
    digest: str
    base_path: str
    operations: tuple[Operation, ...]
    schemas: Mapping[str, Schema] = field(default_factory=lambda: EMPTY)
    security: tuple[str, ...] = ()
    resources: tuple[Resource, ...] = ()
    jobs: tuple[Job, ...] = ()
    links: tuple[Link, ...] = ()
    flows: tuple["Flow", ...] = ()
    around: frozenset[str] = frozenset()


class Role(StrEnum):
    """Why a step is there."""

    LOOKUP = "lookup"
    CHECK = "check"
    CHANGE = "change"
    WAIT = "wait"
    READ_BACK = "read_back"
    GONE = "gone"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Input:
    """Something that the caller gives. `shown`: in the small schema that clients see."""

    name: str
    schema: Schema
    is_required: bool
    description: str
    shown: bool = True


@dataclass(frozen=True, slots=True)
class FlowStep:
    """One request of a flow, in the terms of Arazzo, so that the backend only has to write it down.

    `parameters`: (name, location, value); values and `payload` may hold runtime expressions. `outputs`: name →
    runtime expression, or `{"context","selector","type"}`. `success`: criteria. `failures`: retries and ends in
    order. `branches`: success actions. `transforms`: output name → transform. `message`: what a failed step tells.
    `pages`: how the list in its reply goes on (`workflow.replies.pages`). `replacements`: pointer into the payload →
    value; `omits`: pointers into it that are not sent. `address`: what the device says of where this is to be sent;
    `renamed`: what it says of an action of another name; `moved`: the last name in its address, once it is called as a
    change before wanted it; `placed`: others of its parameters, once it was taken elsewhere. `parts`: how those of a
    multipart body are written.
    `expects`, `decides`: what it has to show of the changes before it, and whether that tells if they were made
    (`workflow.replies.expectations`). `watches`, `stalls_after_s`: a wait in which these stay the same so long is given
    up. `version`: where the reply has the version that a later write names (`workflow.requests.versions`). `allows`:
    what a later write sends, which has to be allowed by what is read here (`workflow.replies.allowed`).
    """

    id: str
    operation: str
    role: Role
    description: str
    parameters: tuple[tuple[str, str, Any], ...] = ()
    payload: Any = None
    content_type: str = ""
    outputs: Mapping[str, Any] = field(default_factory=lambda: EMPTY)
    success: tuple[Mapping[str, Any], ...] = ()
    failures: tuple[Mapping[str, Any], ...] = ()
    branches: tuple[Mapping[str, Any], ...] = ()
    transforms: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    address: str = ""
    renamed: str = ""
    moved: str = ""
    placed: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    pages: Mapping[str, Any] = field(default_factory=lambda: EMPTY)
    replacements: tuple[tuple[str, Any], ...] = ()
    omits: tuple[str, ...] = ()
    parts: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: EMPTY)
    expects: tuple[Mapping[str, Any], ...] = ()
    decides: bool = False
    watches: tuple[str, ...] = ()
    stalls_after_s: float | None = None
    version: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    allows: Mapping[str, Any] = field(default_factory=lambda: EMPTY)


@dataclass(frozen=True, slots=True)
class Flow:
    """An ordered, purposeful subset of the operations with one outcome and one class of risk.

    `links`: (from step number, to step number), 0-based, between which a value flows. `is_core`: in the default
    catalog of its API (`compiler.budget`). `output_schema`: of `outputs`. `why`: how each step and binding came about.
    `conditions`: what holds between the inputs, as JSON Schemas of them all.
    `sample`: values of the inputs with which the proof on the twin runs. `identifies`: the inputs that say what thing
    it is about, each with the expression of what it stands for, or an empty text; None: all of them. `asked_as`:
    sentences by which operators ask for it. `proposed`: by whom, and of which sentence, where a model put it together.
    """

    id: str
    intent: str
    title: str
    description: str
    risk: Risk
    goal: str
    resource: str
    steps: tuple[FlowStep, ...]
    inputs: tuple[Input, ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=lambda: EMPTY)
    output_schema: Schema = field(default_factory=lambda: EMPTY)
    links: tuple[tuple[int, int], ...] = ()
    is_core: bool = False
    rank: float = 0.0
    why: tuple[str, ...] = ()
    sample: Mapping[str, Any] = field(default_factory=lambda: EMPTY)
    conditions: tuple[Mapping[str, Any], ...] = ()
    identifies: Mapping[str, str] | None = None
    asked_as: tuple[str, ...] = ()
    proposed: Mapping[str, str] = field(default_factory=lambda: EMPTY)
