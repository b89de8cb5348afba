"""The policy: what is decided without a person, how many people the rest takes, until when, and at which hours it runs.

Here live the typed form of the policy file, its reader, its JSON Schema (`docs/policy.schema.json`, printed by
`python -m governance.approval.policy`) and the questions that the stores ask it. Here never lives a database, nor a
clock: the moment is always given. Called by `revisions` (submitting, deciding, confirming) and by the `policy`
commands. docs/POLICY.md explains the file by example.
"""

import json
from datetime import datetime, time, timedelta
from functools import cached_property
from typing import Annotated, Any, Literal, Self, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from governance.accounts import COMMAND_LINE
from governance.errors import ForbiddenError, InvalidError
from governance.storage.identifiers import Json, moment
from workflow.json.canonical import digest
from workflow.risks import RISKS

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = get_args(Day)
Hour = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Days = Annotated[int, Field(ge=1, le=3650)]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
MAX_BYTES = 64 * 1024
"""A policy is a page; what is longer is another file."""


class _Part(BaseModel):
    # Strict, so that what is taken is exactly what the schema says; lists become tuples all the same.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone of the IANA database") from error
    return name


class Window(_Part):
    """Hours of a week. Where `to` is not later than `from`, the window ends on the day after."""

    days: tuple[Day, ...] = Field(
        DAYS, min_length=1, strict=False, description="The days on which it begins; default: every day."
    )
    start: Hour = Field(alias="from", description="Its first minute, HH:MM.")
    end: Hour = Field(alias="to", description="The minute at which it is over, HH:MM.")
    zone: Annotated[str, AfterValidator(_known_zone)] = Field(
        description="The time zone of days and hours, such as Europe/Berlin or UTC."
    )

    def is_open(self, now: datetime) -> bool:
        """Whether `now`, a moment with a time zone, is in it: by the clock on the wall there."""
        local = now.astimezone(ZoneInfo(self.zone))
        today, yesterday = DAYS[local.weekday()], DAYS[local.weekday() - 1]
        at, start, end = local.time(), time.fromisoformat(self.start), time.fromisoformat(self.end)
        if start < end:
            return today in self.days and start <= at < end
        return (today in self.days and at >= start) or (yesterday in self.days and at < end)

    def __str__(self) -> str:
        return f"{','.join(self.days)} {self.start}-{self.end} {self.zone}"


class ClassRule(_Part):
    """What holds for the workflows of one class of risk."""

    approvals: int = Field(
        1,
        ge=0,
        le=5,
        description="How many different people must approve; 0: approved when submitted, where all that it sends is of "
        "methods that are safe (RFC 9110); else one.",
    )
    approval_days: Days | None = Field(
        None, description="How long an approval is valid; absent: until it is retired or superseded."
    )


class InterruptingRule(ClassRule):
    """The same for a class that interrupts or destroys: it may be bound to hours."""

    windows: tuple[Window, ...] = Field(
        (), strict=False, description="When runs may begin: in any of these. Empty: at any time. Checked at every call."
    )


class Classes(_Part):
    """Each class of risk; what is not named takes one approval, without an end."""

    read: ClassRule = Field(ClassRule(), description="Changes nothing.")
    change: ClassRule = Field(ClassRule(), description="Changes what can be changed back.")
    disrupt: InterruptingRule = Field(InterruptingRule(), description="Interrupts a service.")
    destroy: InterruptingRule = Field(InterruptingRule(), description="Data or access is lost.")

    @model_validator(mode="after")
    def _nothing_grave_passes_by_itself(self) -> Self:
        for name in ("disrupt", "destroy"):
            if getattr(self, name).approvals == 0:
                raise ValueError(f"workflows that {name} need at least one approval")
        return self


class AskRule(_Part):
    """Calls that a person lets through before anything is changed: those that all of this is true of."""

    classes: tuple[Literal["change", "disrupt", "destroy"], ...] = Field(
        (), strict=False, description="Of these classes; empty: of all that change something."
    )
    workflows: tuple[str, ...] = Field(
        (), strict=False, description="Of these workflows; a name may end in `*`. Empty: of all."
    )
    targets: tuple[str, ...] = Field((), strict=False, description="On these targets; empty: on all.")
    labels: dict[str, str] = Field({}, description="On targets that have all of these labels.")
    people: int = Field(1, ge=1, le=2, description="How many different people let it through; never the caller.")
    minutes: int = Field(60, ge=1, le=1440, description="How long it waits, and holds once it was let through.")

    def fits(self, risk: str, workflow_id: str, target: str, labels: tuple[tuple[str, str], ...]) -> bool:
        named = not self.workflows or any(_is_named(workflow_id, each) for each in self.workflows)
        is_there = (not self.targets or target in self.targets) and set(self.labels.items()) <= set(labels)
        return (not self.classes or risk in self.classes) and named and is_there


def _is_named(workflow_id: str, name: str) -> bool:
    return workflow_id.startswith(name[:-1]) if name.endswith("*") else workflow_id == name


class Policy(_Part):
    """The whole file."""

    format: Literal[1] = Field(1, description="The version of this format.")
    classes: Classes = Field(Classes(), description="By class of risk.")
    self_approval: bool = Field(
        False, description="Whether whoever submitted a revision may approve it. Absent: they may not."
    )
    command_line: bool = Field(
        True,
        description="Whether a command line at the database may approve, enable and apply policies; else only who "
        "comes to the server, by login or token.",
    )
    bundle_votes: bool = Field(
        False,
        description="Whether the approvals that a bundle brings from where it was made count here, for as many people "
        "as gave them there; else people here decide on what it brings.",
    )
    pending_days: Days | None = Field(
        None, description="How long a submission waits for its decision; after that it has to be submitted again."
    )

    ask: tuple[AskRule, ...] = Field(
        (), strict=False, description="Calls that a person lets through: those that any of these rules fits."
    )
    call_api: tuple[Annotated[str, Field(min_length=1, max_length=128)], ...] = Field(
        (),
        strict=False,
        description="Who may call single operations without a workflow: names of callers, as runs tell them. GETs that "
        "only read then need no approval of their own. Empty: nobody.",
    )

    @cached_property
    def digest(self) -> str:
        """The identity of what the policy says, however it was written."""
        return digest(self.to_json())

    def to_json(self) -> dict[str, Json]:
        told = self.model_dump(mode="json", by_alias=True)
        # Left out where it says nothing: a policy that was applied before there were such rules is the same policy.
        return {name: value for name, value in told.items() if value or name not in ("ask", "call_api")}

    def asks(self, risk: str, workflow_id: str, target: str, labels: tuple[tuple[str, str], ...]) -> AskRule | None:
        """What is wanted of such a call: of the rules that fit the one that takes most people, for the shortest time.

        What only reads asks nobody.
        """
        fitting = [rule for rule in self.ask if risk != "read" and rule.fits(risk, workflow_id, target, labels)]
        return min(fitting, key=lambda rule: (-rule.people, rule.minutes), default=None)

    def check_door(self, actor: str) -> None:
        """Raises ForbiddenError where `actor` came by a door through which nothing is decided."""
        if actor.startswith(COMMAND_LINE) and not self.command_line:
            raise ForbiddenError(
                "the policy lets nobody decide this on a command line", "log in to the server, and decide it there"
            )

    def rule(self, risk: str) -> ClassRule:
        """For a class that is not known, the one for the gravest."""
        return getattr(self.classes, risk, self.classes.destroy) if risk in RISKS else self.classes.destroy

    def approval_ends(self, risk: str, now: str) -> str | None:
        """Until when what is approved at `now` is valid."""
        return _later(now, self.rule(risk).approval_days)

    def pending_ends(self, now: str) -> str | None:
        """Until when what is submitted at `now` may be decided."""
        return _later(now, self.pending_days)

    def closed(self, risk: str, now: str) -> str:
        """Why a run of this class may not begin at `now`; empty if it may."""
        rule = self.rule(risk)
        windows = rule.windows if isinstance(rule, InterruptingRule) else ()
        if not windows or any(window.is_open(datetime.fromisoformat(now)) for window in windows):
            return ""
        return f"the policy lets workflows that {risk} begin only at {' or '.join(map(str, windows))}; it is {now} now"


BUILT_IN = Policy(self_approval=True)
"""As long as no policy is applied: one approval each, whose ever, at any time. One person alone can so begin."""


def parse_policy(text: bytes) -> Policy:
    """The policy in a YAML file. Raises InvalidError naming the place that does not fit."""
    if len(text) > MAX_BYTES:
        raise InvalidError(f"the policy has more than {MAX_BYTES} bytes", "give the policy file")
    try:
        data = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise InvalidError(f"the policy is not YAML: {error}", "see docs/POLICY.md") from error
    return policy_of({} if data is None else data)


def policy_of(data: Json) -> Policy:
    """The policy that `data` says. Raises InvalidError."""
    try:
        return Policy.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = "/".join(map(str, first["loc"])) or "the file"
        raise InvalidError(f"the policy does not fit at {place}: {first['msg']}", "see docs/POLICY.md") from error


def schema_text() -> str:
    """The published JSON Schema."""
    schema = {"$schema": DIALECT, **Policy.model_json_schema(by_alias=True), "title": "Switchgear policy"}
    return json.dumps(_without_titles(schema, keeps=True), indent=2, ensure_ascii=False) + "\n"


def _without_titles(node: Any, *, keeps: bool = False) -> Any:
    if isinstance(node, dict):
        return {k: _without_titles(v) for k, v in node.items() if keeps or k != "title"}
    return [_without_titles(one) for one in node] if isinstance(node, list) else node


def _later(now: str, days: int | None) -> str | None:
    return None if days is None else moment(datetime.fromisoformat(now) + timedelta(days=days))


if __name__ == "__main__":
    print(schema_text(), end="")
