"""The vendor profile: everything that a vendor's description does not say, as data.

Here live the typed form of `profile.yaml` and its reader; its JSON Schema is made in
`workflow.profiles.profile_schema`. Here never lives a vendor's name or a rule for one vendor: behaviour that differs by
vendor is a field below, and code asks the field. Read by `compiler` (understanding, planning, the twin) and by
`runtime` (sessions, limits, error texts). All fields are optional: what is absent is inferred by the compiler;
`switchgear lint` says what it assumed. Operations are named as in the description: `POST
/VirDomain/{virDomainUUID}/clone`. Pointers are RFC 6901. Every `pattern` is a regular expression, searched in `METHOD
/path` (so anchor it); of several rules that match an operation the first in the profile decides.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import Field, StringConstraints, ValidationError

from workflow.errors import ProfileError
from workflow.json.canonical import digest
from workflow.profiles.profile_speech import (
    Auth,
    Envelope,
    JobRule,
    OperationRef,
    PagingRule,
    Part,
    Place,
    Pointer,
    Protocol,
    Sign,
)
from workflow.risks import RiskName

Json = Any
_UNKNOWN = "extra_forbidden"


class Identity(Part):
    """What identifies a thing. Keys of the mappings are resource names (the path's noun), `*` is the default."""

    id_fields: tuple[str, ...] = Field((), description="Members that hold the id, best first.")
    natural_keys: dict[str, tuple[str, ...]] = Field(
        {}, description="Resource → members that people call it by, best first; `*` for all others."
    )
    synonyms: dict[str, tuple[str, ...]] = Field(
        {}, description="Resource → other names under which its id appears in paths and bodies."
    )
    known_by: dict[str, str] = Field(
        {}, description="Resource → member with the id of what it belongs to, by which people know it."
    )
    same_as: dict[str, str] = Field(
        {}, description="Collection path → another one under which the same things stand, and which is preferred."
    )
    # Left out where nothing is said, so that profiles from before there was such a field keep their digest.
    read_at: dict[str, OperationRef | Literal[""]] = Field(
        {},
        description="Address of a thing → the operation that shows it, where that is elsewhere; empty: none does.",
        exclude_if=lambda told: not told,
    )
    id_is_last_segment: bool = Field(
        False, description="Ids are the last segment of the address in the envelope's `reference_field`."
    )


class Verbs(Part):
    """Verbs that do not mean what HTTP says."""

    post_on_item_updates: bool = Field(False, description="`POST /X/{id}` replaces instead of acting.")
    prefer: tuple[Literal["PATCH", "PUT", "POST"], ...] = Field(
        ("PATCH", "PUT", "POST"),
        description="Which of several ways to the same effect is taken, best first; the others are its aliases.",
    )
    distinct: tuple[OperationRef, ...] = Field(
        (),
        description="Writes to a thing that do something else than the preferred one: each is a workflow of its own.",
    )
    idempotent: tuple[OperationRef, ...] = Field(
        (), description="Changes that may be sent twice, though their words do not say so."
    )
    not_idempotent: tuple[OperationRef, ...] = Field(
        (), description="Changes that have a further effect each time they are sent."
    )


class Transition(Part):
    """`operation`, called with `when` (body pointer → value), brings the state to `to`; `from_states` empty: any."""

    operation: OperationRef = Field(description="What moves the state.")
    when: dict[Pointer, Json] = Field({}, description="Body pointer → value with which it does so; empty: always.")
    from_states: tuple[str, ...] = Field((), description="States from which it is allowed; empty: any.")
    to: str = Field(description="The state that it brings about.")
    changes: Pointer | None = Field(
        None,
        description="Pointer to a member of the item that has another value afterwards, though the state may be the "
        "same (a restart): the time of the last start, say.",
    )


class StateRule(Part):
    """A state that a resource has, how it moves, and which operations need which state."""

    resource: str = Field(description="The path's noun: the thing's, or that of what shows its state right below it.")
    field: Pointer = Field(description="Pointer to the state there.")
    initial: str | None = Field(None, description="The state after creation.")
    target: Pointer | None = Field(
        None,
        description="Pointer, in the body of the transitions, to the id of the item, where the path does not name it.",
    )
    transitions: tuple[Transition, ...] = Field((), description="How the state moves.")
    needs: dict[OperationRef, tuple[str, ...]] = Field({}, description="Operation → states in which it is allowed.")
    settles_s: float = Field(30.0, description="Seconds that the state may take to follow.")
    failed: tuple[str, ...] = Field(
        (), description="States that mean failure: nobody waits on where one follows a change that did not begin in it."
    )


class RiskRule(Part):
    """The class of the operations that match: by exact name, or by a regular expression over `METHOD /path`."""

    operation: OperationRef | None = Field(None, description="The operation by its exact name; else `pattern`.")
    pattern: str | None = Field(None, description="A regular expression over `METHOD /path`.")
    when: dict[Pointer, tuple[Json, ...]] = Field(
        {}, description="Only for these values of body members (pointer → values); splits an enumeration by class."
    )
    risk: RiskName = Field(description="The class.")
    why: str = Field(description="The reason, as a person who approves reads it.")


class Action(Part):
    """Where an action's address and its allowed values stand in the resource, for APIs in which these are data.

    `address` and `allowed_values` are pointers into the resource; `{action}` stands for the last segment of the
    action's path, `{member}` for the body member whose values are asked for.
    """

    pattern: str = Field(description="The actions' `METHOD /path`.")
    address: str = Field(description="Pointer to the address in the resource.")
    by_ending: bool = Field(
        False,
        description="Devices may have the action under another name with the same word behind its last dot: then it is "
        "called at the address that they give, if that stands beside the described one.",
    )
    allowed_values: str | None = Field(None, description="Pointer to the values that a body member may have.")


class Conditional(Part):
    """Writes that need the version read before: which methods, and the header that carries it."""

    methods: tuple[Literal["PATCH", "PUT", "POST", "DELETE"], ...] = Field(
        (), description="Methods that need the version."
    )
    pattern: str | None = Field(None, description="Only writes whose `METHOD /path` matches.")
    read_header: str = Field("etag", description="The header of the read that tells the version.")
    read_body: Pointer | None = Field(
        None, description="Pointer, in the body of the read, to the version, for replies without that header."
    )
    send_header: str = Field("If-Match", description="The header of the write that carries it.")


class Gone(Part):
    """What else than 404 and 410 says that a deleted thing is gone, when it is read."""

    pattern: str | None = Field(None, description="Only reads whose `METHOD /path` matches.")
    statuses: tuple[int, ...] = Field(
        (), description="Statuses that say so: servers that tell nobody what is not there."
    )
    signs: tuple[Sign, ...] = Field((), description="Values in a good answer that say so, each enough by itself.")
    nothing_at: Pointer | None = Field(None, description="Pointer, in a good answer, at which there is nothing then.")


class Comparison(Part):
    """How a value that was sent is compared with what is read back, where the usual rules do not fit.

    `rewritten`: what is read there is no form of what was sent, so that nothing can be compared: the device keeps
    something else (a hash, a longer path), or was told what is to become of the thing. It is never said to be seen.
    """

    pattern: str = Field("", description="The changes' `METHOD /path`; empty: every change.")
    member: Pointer = Field(description="Pointer to the member of the body, or the end of it.")
    by: Literal["exact", "rounded", "unordered", "ordered", "rewritten"] = Field(
        description="`exact`: no other form counts. `rounded`: within a hundredth. `unordered`: a list is a set. "
        "`ordered`: in another order it is another list. "
        "`rewritten`: it cannot be compared."
    )
    why: str = Field("", description="The reason, as a person who approves reads it.")


class Postcondition(Part):
    """What an action leaves behind, as a read of the thing that it is done to shows it afterwards.

    With neither `shows` nor `holds` nothing of it is to be seen, whatever the names in its body are.
    """

    pattern: str = Field(description="The actions' `METHOD /path`.")
    shows: dict[str, Pointer] = Field(
        {},
        description="Pointer into the body, or name of a query parameter → pointer to where the thing shows what was "
        "sent there.",
    )
    holds: dict[Pointer, Json] = Field(
        {}, description="Pointer into the thing → the value that stands there afterwards, whatever was sent."
    )


class PendingSettings(Part):
    """Settings that wait for a job and a restart: the settings resource, what to send, and what applies them.

    A write without `apply_member` needs `job_operation`. With neither, what matches (a write or an action) is in
    force after `applied_by` alone, of a write perhaps some `members` only. What `is_optional` is in force at once
    unless `apply_member` asks to wait.
    """

    pattern: str = Field(description="The writes (or actions) that wait.")
    apply_member: str | None = Field(None, description="Member of the write that asks for the job.")
    apply_body: dict[str, Json] | str = Field({}, description="Its value.")
    job_operation: OperationRef | None = Field(
        None, description="What makes the job, for a write without `apply_member`."
    )
    job_body: dict[str, Json] = Field({}, description="Its body; `{address}` stands for the path of the settings.")
    address: Pointer | None = Field(None, description="Pointer, in what these are the settings of, to their address.")
    applied_by: OperationRef | None = Field(None, description="The operation that brings the settings into force.")
    applied_with: dict[str, Json] = Field({}, description="Its body.")
    members: tuple[str, ...] = Field((), description="The only members of the write that wait for `applied_by`.")
    is_optional: bool = Field(False, description="Only a write that asks for it waits; any other is in force at once.")


class Prerequisite(Part):
    """An operation that has a meaning only after another one, though no description tells so."""

    operation: OperationRef = Field(description="The operation that comes second.")
    first: OperationRef = Field(description="The operation that has to be done before.")
    first_with: dict[str, Json] = Field({}, description="Members of its body that are fixed.")
    hands_on: dict[str, Place] = Field({}, description="Member of the second's body → its value in the first's reply.")
    why: str = Field(description="The reason.")


class Limits(Part):
    """What the device stands."""

    connections: int = Field(default=4, ge=1, description="Connections at a time.")
    requests_per_s: float | None = Field(None, description="Requests in a second.")
    total_timeout_s: float = Field(default=60.0, gt=0, description="Seconds that one request may take.")
    max_body_bytes: int = Field(default=16 * 1024 * 1024, ge=1024, description="The largest reply that is read.")


class Probe(Part):
    """What a test of a target reads to see whether the credentials are right, and which version the device has."""

    read: Annotated[str, StringConstraints(pattern=r"^GET /\S*$")] = Field(
        description="A read that needs credentials, with the path as it is sent."
    )
    version: Pointer | None = Field(None, description="Pointer, in its reply, to the version of the device's software.")
    described: tuple[Annotated[str, StringConstraints(min_length=1)], ...] = Field(
        (), description="Beginnings of the versions that the description is of (`9.4`); empty: any may be."
    )


class LeaveOut(Part):
    """An operation that no workflow uses, with the reason."""

    operation: OperationRef | None = Field(None, description="The operation by its exact name; else `pattern`.")
    pattern: str | None = Field(None, description="A regular expression over `METHOD /path`.")
    why: str = Field(description="The reason, as the report gives it.")


class Fix(Part):
    """A default of the description that operators do not want: another default, or a value that is always sent."""

    operation: OperationRef = Field(description="The operation in whose body it stands.")
    member: Pointer = Field(description="Pointer to the member of the body.")
    value: Json = Field(description="The value.")
    is_fixed: bool = Field(False, description="It is always sent; otherwise a default, which callers may change.")
    why: str = Field(description="The reason.")


class SplitByValue(Part):
    """One workflow for each value of an enumeration."""

    operation: OperationRef = Field(description="The operation in whose body it stands.")
    member: Pointer = Field(description="Pointer to the member of the body.")
    why: str = Field("", description="The reason.")


class KeepTogether(Part):
    """One workflow for all values of an operation, though their classes differ: its class is the highest of them."""

    operation: OperationRef = Field(description="The operation.")
    why: str = Field("", description="The reason.")


class Compose(Part):
    """A workflow that a person wants, as an ordered list of operations; the planner finds the data flow."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")] = Field(description="The workflow's id.")
    title: str = Field(description="Its title.")
    description: str = Field("", description="What it is for, in at most 60 words.")
    operations: Annotated[tuple[OperationRef, ...], Field(min_length=1)] = Field(description="Its operations in order.")
    values: dict[str, Json] = Field(
        {},
        description="Values that are always sent: a body's member or an input → value; "
        "`2.name` means the second operation alone.",
    )


class Overrides(Part):
    """What people want otherwise than the compiler plans it; what matches nothing is warned of."""

    rename: dict[str, str] = Field({}, description="A workflow's id → the one that people want.")
    exclude: tuple[str, ...] = Field((), description="Workflows that are not made.")
    pin: tuple[str, ...] = Field((), description="Workflows that come first in the default catalog, in this order.")
    compose: tuple[Compose, ...] = Field((), description="Workflows given as a list of operations.")
    defaults: tuple[Fix, ...] = Field(
        (), description="Defaults that people want otherwise, and values that are always sent."
    )
    split: tuple[SplitByValue, ...] = Field((), description="Enumerations of which each value is a workflow.")
    merge: tuple[KeepTogether, ...] = Field((), description="Operations whose values stay in one workflow.")


class Profile(Part):
    """One vendor API as data."""

    format: Literal["switchgear-profile/1"] = Field("switchgear-profile/1", description="The version of this format.")
    api: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,31}$")] = Field(
        description="The short name of the API; workflows' ids begin with it."
    )
    title: str | None = Field(None, description="The name that people read.")
    base_path: str | None = Field(
        None, description="What stands before all paths, where the description does not say it."
    )
    vocabulary: dict[str, str] = Field({}, description="The path's noun → the operator's word.")
    auth: Auth = Field(Auth(), description="Credentials and sessions.")
    envelope: Envelope = Field(Envelope(), description="How replies are wrapped.")
    protocol: Protocol = Field(Protocol(), description="What all requests and replies have in common.")
    paging: tuple[PagingRule, ...] = Field((), description="Lists in pages; the first rule that matches decides.")
    jobs: tuple[JobRule, ...] = Field((), description="Changes that go on after they are answered.")
    identity: Identity = Field(Identity(), description="Ids, names and synonyms.")
    verbs: Verbs = Field(Verbs(), description="Methods that do not mean what HTTP says.")
    singles: dict[str, str] = Field({}, description="Collection path → id of the member that is usually the only one.")
    sole_members: tuple[str, ...] = Field(
        (), description="Paths of collections that usually have one member, whose id differs by device: it is listed."
    )
    states: tuple[StateRule, ...] = Field((), description="States of resources.")
    risks: tuple[RiskRule, ...] = Field((), description="Classes of risk; the first rule that matches decides.")
    actions: tuple[Action, ...] = Field((), description="Actions whose addresses stand in the resource.")
    conditional: Conditional = Field(Conditional(), description="Writes with a version.")
    allowed_values: Annotated[str, StringConstraints(pattern=r"\{member\}")] | None = Field(
        None,
        description="The name of what stands beside a member of a thing and lists the values that it may have; "
        "`{member}` stands for the member's own name. An update is held against it before it is sent.",
    )
    gone: tuple[Gone, ...] = Field((), description="How deleted things look that answer neither 404 nor 410.")
    compare: tuple[Comparison, ...] = Field((), description="How values are compared after a change.")
    postconditions: tuple[Postcondition, ...] = Field(
        (), description="What actions leave behind; the first rule that matches decides."
    )
    pending_settings: tuple[PendingSettings, ...] = Field((), description="Settings that wait for a job or a restart.")
    prerequisites: tuple[Prerequisite, ...] = Field((), description="What has to be done before something else.")
    marks: dict[Literal["create_only", "deprecated", "internal", "read_only"], tuple[str, ...]] = Field(
        {}, description="Words in a member's description that say how it may be used."
    )
    secrets: tuple[str, ...] = Field(
        (), description="Names of members whose values never appear in results, logs or audit."
    )
    limits: Limits = Field(Limits(), description="How much may be asked of the device, and for how long.")
    probe: Probe | None = Field(None, description="What a test of a target reads.")
    behaviours: tuple[str, ...] = Field(
        (),
        description="What the device is known for beside its description; `switchgear mock --behaviours` lists them.",
    )
    leave_out: tuple[LeaveOut, ...] = Field((), description="Operations that no workflow uses.")
    overrides: Overrides = Field(Overrides(), description="What people want otherwise.")

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
        found = error.errors()
        first = next((each for each in found if each["type"] == _UNKNOWN), found[0])  # of a misspelt one two are told
        pointer = "".join(f"/{part}" for part in first["loc"])
        names = [part for part in first["loc"] if isinstance(part, str)]
        raise ProfileError(_mended(first["type"], first["msg"], names), source, pointer) from error


def _mended(kind: str, message: str, names: list[str]) -> str:
    """What is wrong with the last of these fields, and what mends it: another field's name, a value."""
    part = _part_at(names[:-1])
    known = part.model_fields if part is not None else {}
    if kind == _UNKNOWN and known:
        near = get_close_matches(names[-1], known, n=1, cutoff=0.5)
        mends = f"`{near[0]}` is the nearest" if near else f"there are {', '.join(known)}"
        return f"there is no field `{names[-1]}` here; {mends}"
    told = (known[names[-1]].description or "").rstrip(".") if names and names[-1] in known else ""
    mends = f"`{names[-1]}` is missing here; say it" if kind == "missing" else f"{message}; correct this field"
    return f"{mends} ({told})" if told else mends


def _part_at(names: list[str]) -> type[Part] | None:
    """The part of a profile that the fields of these names lead to; None where keys are of the profile's own making."""
    part: type[Part] = Profile
    for name in names:
        field = part.model_fields.get(name)
        inner = next(_parts_in(field.annotation), None) if field is not None else None
        if inner is None:
            return None
        part = inner
    return part


def _parts_in(annotation: Any) -> Iterator[type[Part]]:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        yield annotation
    for inner in get_args(annotation):
        yield from _parts_in(inner)


def read_profile(path: Path) -> Profile:
    """The profile in the YAML or JSON file `path`. Raises as `parse_profile` does, and OSError for the file."""
    try:
        data = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise ProfileError(f"not YAML: {error}", str(path), "") from error
    return parse_profile(data, str(path))
