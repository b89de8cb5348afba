"""The vendor profile: everything that a vendor's description does not say, as data.

Here live the typed form of `profile.yaml`, its reader and its JSON Schema. Here never lives a vendor's name or a
rule for one vendor: behaviour that differs by vendor is a field below, and code asks the field.
Read by `compiler` (understanding, planning, the twin) and by `runtime` (sessions, limits, error texts).
All fields are optional: what is absent is inferred by the compiler, which says what it assumed.
Operations are named as in the description: `POST /VirDomain/{virDomainUUID}/clone`. Pointers are RFC 6901.
Every `pattern` is a regular expression, searched in `METHOD /path` (so anchor it); of several rules that match an
operation the first in the profile decides.
"""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from workflow.canonical import digest
from workflow.errors import ProfileError

Json = Any
RiskName = Literal["read", "change", "disrupt", "destroy"]
OperationRef = Annotated[str, StringConstraints(pattern=r"^(GET|HEAD|OPTIONS|POST|PUT|PATCH|DELETE) /\S*$")]
Pointer = Annotated[str, StringConstraints(pattern=r"^(/.*)?$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Place(_Part):
    """Where a value stands in a reply: a pointer into the body, a header's name or a cookie's name."""

    within: Literal["body", "header", "cookie"] = "body"
    at: str
    transform: Literal["last_path_segment"] | None = None


class SessionRule(_Part):
    """How a session is opened, shown, known to be over, and closed.

    In `login_body` the strings `{username}` and `{password}` stand for the target's credentials.
    `expired_statuses`: a reply with one of these to a request that carried a session means: log in again once.
    `address` is where the reply to the login says which URL closes the session (DELETE); `logout` names an operation.
    """

    login: OperationRef
    login_body: dict[str, Json]
    token: Place
    send_as: Place
    expired_statuses: tuple[int, ...] = (401,)
    logout: OperationRef | None = None
    address: Place | None = None


class Auth(_Part):
    """`kinds` in order of preference; `open_operations` need no credentials at all."""

    kinds: tuple[Literal["session", "basic", "bearer", "api_key", "none"], ...] = ("none",)
    session: SessionRule | None = None
    api_key_header: str | None = None
    open_operations: tuple[OperationRef, ...] = ()


class Envelope(_Part):
    """How items and collections are wrapped, and where an error says what is wrong.

    `item`: `one_element_list` when reading one item answers a list of one.
    `members`: pointer from a collection's body to its list ("" when the body is the list).
    `member_is_reference`: members are only `{reference_field: address}`, to be read one by one.
    `error_messages`: pointers tried in order on an error's body.
    `partial_success`: a property whose name ends so, in a successful reply, says that a part was refused.
    `unknown_query_parameters`: what the device does with query parameters that it does not know.
    `query`: query parameters that reads understand though the description is silent: purpose → `name` or `name=value`.
    """

    item: Literal["object", "one_element_list"] = "object"
    members: Pointer | None = None
    member_is_reference: bool = False
    reference_field: str | None = None
    error_messages: tuple[Pointer, ...] = ()
    partial_success: str | None = None
    unknown_item: tuple[Literal["empty_list", "not_found"], ...] = ("not_found",)
    unknown_query_parameters: Literal["ignored", "refused"] = "ignored"
    query: dict[Literal["expand", "select", "filter", "top", "skip"], str] = {}
    unknown_body_properties: Literal["ignored", "refused"] = "ignored"
    media_type: str = "application/json"


class JobRule(_Part):
    """A long-running change: where its handle stands in the reply, how to ask, when it is over.

    `statuses`: only replies with one of these carry a handle (empty: every success may).
    `handle_empty_means_done`: an empty handle says that there is nothing to wait for.
    `operations`: only these start such a job (empty: every change whose reply can carry the handle).
    `never`: patterns of operations that start none, though the description lists a status that would carry a handle.
    `state`, `message`, `progress` are pointers into the body of the poll; `message_parameters` fills `%1`-like marks.
    `created_id` points, in the reply to the change, at the id of what it made.
    `result`: pointer, in the finished job's body, to what it produced ("" for the whole body), where there is one;
    `result_view`: the one of `other_views` that shows it, where it is not the polled one.
    """

    name: str = "job"
    handle: Place
    statuses: tuple[int, ...] = ()
    handle_empty_means_done: bool = True
    operations: tuple[OperationRef, ...] = ()
    never: tuple[str, ...] = ()
    poll: OperationRef
    other_views: tuple[OperationRef, ...] = ()
    parameter: str
    state: Pointer
    waiting: tuple[str, ...]
    succeeded: tuple[str, ...]
    failed: tuple[str, ...]
    message: Pointer | None = None
    message_parameters: Pointer | None = None
    progress: Pointer | None = None
    created_id: Pointer | None = None
    result: Pointer | None = None
    result_view: OperationRef | None = None
    interval_s: float = Field(default=1.0, gt=0)
    timeout_s: float = Field(default=600.0, gt=0)


class Identity(_Part):
    """What identifies a thing. Keys of the mappings are resource names (the path's noun), `*` is the default.

    `id_fields`: members that hold the id. `natural_keys`: what people call it by, best first.
    `synonyms`: resource → other names under which its id appears in paths and bodies.
    `id_is_last_segment`: ids are the last segment of the address in `Envelope.reference_field`.
    """

    id_fields: tuple[str, ...] = ()
    natural_keys: dict[str, tuple[str, ...]] = {}
    synonyms: dict[str, tuple[str, ...]] = {}
    id_is_last_segment: bool = False


class Verbs(_Part):
    """Verbs that do not mean what HTTP says. `post_on_item_updates`: `POST /X/{id}` replaces instead of acting.
    `prefer`: which of several ways to the same effect is taken, best first; the others are its aliases.
    `not_idempotent`: PUTs and DELETEs that have a further effect each time they are sent.
    """

    post_on_item_updates: bool = False
    prefer: tuple[Literal["PATCH", "PUT", "POST"], ...] = ("PATCH", "PUT", "POST")
    idempotent: tuple[OperationRef, ...] = ()
    not_idempotent: tuple[OperationRef, ...] = ()


class Transition(_Part):
    """`operation`, called with `when` (body pointer → value), brings the state to `to`; `from_states` empty: any."""

    operation: OperationRef
    when: dict[Pointer, Json] = {}
    from_states: tuple[str, ...] = ()
    to: str


class StateRule(_Part):
    """A state that a resource has, how it moves, and which operations need which state.

    `resource`: the path's noun; `field`: pointer in the item. `target`: pointer in the body of the transitions that
    says which item is meant, where the path does not. `needs`: operation → states in which it is allowed.
    `settles_s`: how long the state may take to follow.
    """

    resource: str
    field: Pointer
    initial: str | None = None
    target: Pointer | None = None
    transitions: tuple[Transition, ...] = ()
    needs: dict[OperationRef, tuple[str, ...]] = {}
    settles_s: float = 30.0


class RiskRule(_Part):
    """The class of the operations that match: by exact name, or by a regular expression over `METHOD /path`.

    `when`: only for these values of body members (pointer → values); splits an enumeration by class.
    """

    operation: OperationRef | None = None
    pattern: str | None = None
    when: dict[Pointer, tuple[Json, ...]] = {}
    risk: RiskName
    why: str


class Action(_Part):
    """Where an action's address and its allowed values stand in the resource, for APIs in which these are data.

    `address` and `allowed_values` are pointers into the resource; `{action}` stands for the last segment of the
    action's path, `{member}` for the body member whose values are asked for.
    """

    pattern: str
    address: str
    allowed_values: str | None = None


class Conditional(_Part):
    """Writes that need the version read before: which methods, and the header that carries it."""

    methods: tuple[Literal["PATCH", "PUT", "POST", "DELETE"], ...] = ()
    pattern: str | None = None
    read_header: str = "etag"
    send_header: str = "If-Match"


class PendingSettings(_Part):
    """Settings that wait for a job and a restart: the settings resource, what to send, and what applies them.

    `apply_member` of the write gets the value `apply_body`. A write without it needs `job_operation`, called with
    `job_body`, in which `{address}` stands for the path of the settings. `applied_with`: body for `applied_by`.
    With neither, what matches (a write or an action) is in force after `applied_by` alone.
    """

    pattern: str
    apply_member: str | None = None
    apply_body: dict[str, Json] = {}
    job_operation: OperationRef | None = None
    job_body: dict[str, Json] = {}
    applied_by: OperationRef | None = None
    applied_with: dict[str, Json] = {}


class Limits(_Part):
    """What the device stands."""

    connections: int = Field(default=4, ge=1)
    requests_per_s: float | None = None
    total_timeout_s: float = Field(default=60.0, gt=0)
    max_body_bytes: int = Field(default=16 * 1024 * 1024, ge=1024)


class LeaveOut(_Part):
    operation: OperationRef | None = None
    pattern: str | None = None
    why: str


class Fix(_Part):
    """A default that the description gives and operators do not want, or a value that is always sent."""

    operation: OperationRef
    member: Pointer
    value: Json
    why: str


class Compose(_Part):
    """A workflow that a person wants, as an ordered list of operations; the planner finds the data flow."""

    id: str
    title: str
    operations: tuple[OperationRef, ...]
    values: dict[str, Json] = {}


class Overrides(_Part):
    rename: dict[str, str] = {}
    exclude: tuple[str, ...] = ()
    pin: tuple[str, ...] = ()
    compose: tuple[Compose, ...] = ()
    defaults: tuple[Fix, ...] = ()


class Profile(_Part):
    """One vendor API as data. `singles`: collection path → id of the member that is usually the only one.

    `sole_members`: paths of collections that usually have one member too, whose id differs by device: it is listed.
    `marks`: words in a member's description that say how it may be used (create-only, deprecated, internal).
    `secrets`: names of members whose values never appear in results, logs or audit.
    """

    format: Literal["switchgear-profile/1"] = "switchgear-profile/1"
    api: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
    title: str | None = None
    base_path: str | None = None
    vocabulary: dict[str, str] = {}
    auth: Auth = Auth()
    envelope: Envelope = Envelope()
    jobs: tuple[JobRule, ...] = ()
    identity: Identity = Identity()
    verbs: Verbs = Verbs()
    singles: dict[str, str] = {}
    sole_members: tuple[str, ...] = ()
    states: tuple[StateRule, ...] = ()
    risks: tuple[RiskRule, ...] = ()
    actions: tuple[Action, ...] = ()
    conditional: Conditional = Conditional()
    pending_settings: tuple[PendingSettings, ...] = ()
    marks: dict[Literal["create_only", "deprecated", "internal", "read_only"], tuple[str, ...]] = {}
    secrets: tuple[str, ...] = ()
    limits: Limits = Limits()
    leave_out: tuple[LeaveOut, ...] = ()
    overrides: Overrides = Overrides()

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON of all fields, defaults included."""
        return digest(self.model_dump(mode="json"))


def parse_profile(data: Json, source: str) -> Profile:
    """The profile that `data` describes.

    Raises ProfileError, naming `source` and the JSON pointer of the first field that does not fit.
    """
    try:
        return Profile.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        pointer = "".join(f"/{part}" for part in first["loc"])
        raise ProfileError(f"{first['msg']}; correct this field of the profile", source, pointer) from error


def read_profile(path: Path) -> Profile:
    """The profile in the YAML or JSON file `path`. Raises as `parse_profile` does, and OSError for the file."""
    try:
        data = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise ProfileError(f"not YAML: {error}", str(path), "") from error
    return parse_profile(data, str(path))
