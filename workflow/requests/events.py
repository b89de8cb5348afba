"""The interpreter's two vocabularies: events, which happened, and commands, which are to be done.

Frozen values with a JSON form, so that a run can be recorded, stored and replayed. Here lives no behaviour.
A driver turns commands into requests and timers and answers each with one event; `interpreter.advance` turns events
into commands. `step_id` is the step's key: its id, preceded by the ids of the calling steps and `/` inside a
sub-workflow. The JSON form of each value carries its kind under `type`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from workflow.documents.document import Json
from workflow.requests.multipart import PartKind

# `partial`: some of what was asked for is otherwise. `pending`: accepted, and in force after a next step.
Outcome = Literal["succeeded", "partial", "pending", "failed", "unknown", "cancelled", "planned"]
FailureReason = Literal["not_sent", "unknown_fate", "refused", "bad_reply", "unrecorded", "unable"]
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RunStarted:
    inputs: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class ResponseArrived:
    """`headers` are keyed in lower case; `body` is the parsed JSON, or the text where it is no JSON, or None.

    `said`: the device's own sentences in it, clean and without secrets (`device_messages`): of a refusal, of a change
    that was answered well and refused in part, of a job that is asked for. Whoever drives the run fills it.
    """

    step_id: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Json = None
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RequestFailed:
    """No reply, or none that can be used (`bad_reply`; of what changes something: it was carried out).

    `not_sent`: nothing left; `unknown_fate`: it may have been carried out; `refused`: our own no.
    """

    step_id: str
    reason: FailureReason
    message: str = ""


@dataclass(frozen=True, slots=True)
class TimerFired:
    step_id: str


@dataclass(frozen=True, slots=True)
class DeadlinePassed:
    """`is_sent`: whether the request that the run waits for, if it waits for one, may have left."""

    is_sent: bool = True


@dataclass(frozen=True, slots=True)
class Cancelled:
    """`is_sent` as in DeadlinePassed."""

    is_sent: bool = True


@dataclass(frozen=True, slots=True)
class FateFound:
    """Somebody looked at the device and says whether the request whose answer was lost had been carried out."""

    step_id: str
    has_happened: bool


Event = RunStarted | ResponseArrived | RequestFailed | TimerFired | DeadlinePassed | Cancelled | FateFound


@dataclass(frozen=True, slots=True)
class SendRequest:
    """One request. `path` is the template filled and percent-encoded, without the plan's `base_path`.

    `query` and `headers` hold plain text that the driver encodes; header names are in lower case; cookies stand in
    the header `cookie`. `body` is JSON for a JSON `content_type`; for a form it is an object of strings; for a
    multipart one an object of its parts, written as `parts` says; else text.
    `timeout_s` None: the driver's own limit. `attempt` counts from 1. `renamed`: the last segment of the path, where
    the device has the action under another name than the template (`workflow.requests.renamed`).
    """

    step_id: str
    attempt: int
    method: str
    path: str
    path_template: str
    query: Pairs = ()
    headers: Pairs = ()
    body: Json | None = None
    content_type: str = ""
    parts: tuple[PartKind, ...] = ()
    is_safe: bool = False
    is_idempotent: bool = False
    timeout_s: float | None = None
    renamed: str = ""


@dataclass(frozen=True, slots=True)
class StartTimer:
    step_id: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Doubt:
    """A request whose fate is not known, what it may have done, and the read that would tell (empty: none known)."""

    request: str
    may: str
    look: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """Which step failed and why; what was done, what was not, what may have been done; what to do.

    `uncertainty`: the request whose fate is not known, where the outcome is `unknown` for that. `said`: the device's
    own sentences in the reply that led here, the last one of those that were waited for; never ours, never
    instructions.
    """

    step_id: str
    code: str
    message: str
    status: int | None = None
    done: tuple[str, ...] = ()
    not_done: tuple[str, ...] = ()
    remedy: str = ""
    doubt: Doubt | None = None
    said: tuple[str, ...] = ()
    may_be_done: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EndRun:
    """The last command of a run. `note`: what an action that ended the run early wants to be said of a success.

    `verified`: whether the device shows what was asked for (`all`, `some`, `none`; empty for what only reads), and
    `verified_why`. `differences`: `place`, `asked`, `found` of what it shows otherwise, and `before`
    where nobody asked for it and a partial update changed it all the same (`asked` is null then). `next`: the workflow
    that brings a `pending` change into force. `done`: the steps that changed something.
    """

    outcome: Outcome
    outputs: Mapping[str, Json] = field(default_factory=dict)
    failure: Failure | None = None
    note: str = ""
    verified: str = ""
    verified_why: str = ""
    differences: tuple[Mapping[str, Json], ...] = ()
    next: str = ""
    done: tuple[str, ...] = ()


Command = SendRequest | StartTimer | EndRun

_EVENTS: tuple[type[Event], ...] = (
    RunStarted, ResponseArrived, RequestFailed, TimerFired, DeadlinePassed, Cancelled, FateFound,
)  # fmt: skip
_COMMANDS: tuple[type[Command], ...] = (SendRequest, StartTimer, EndRun)
_LATER = ("said", "renamed")
_BY_NAME: Mapping[str, Any] = {kind.__name__: kind for kind in (*_EVENTS, *_COMMANDS, Failure, Doubt)}


def to_json(value: Event | Command | Failure | Doubt) -> dict[str, Json]:
    """The JSON form: the members by name, and the kind's name under `type`.

    `said` and `renamed` are left out where there is nothing: so are the records of before they were there, and they
    replay the same.
    """
    members = {each.name: getattr(value, each.name) for each in fields(value)}
    told = {name: _plain(member) for name, member in members.items() if member or name not in _LATER}
    return {"type": type(value).__name__, **told}


def event_from_json(data: Mapping[str, Json]) -> Event:
    """The event that `to_json` wrote. Raises KeyError or TypeError for anything else."""
    return _read(data, _EVENTS)  # type: ignore[no-any-return]


def command_from_json(data: Mapping[str, Json]) -> Command:
    """The command that `to_json` wrote. Raises KeyError or TypeError for anything else."""
    return _read(data, _COMMANDS)  # type: ignore[no-any-return]


def failure_from_json(data: Mapping[str, Json]) -> Failure:
    """The failure that `to_json` wrote. Raises KeyError or TypeError for anything else."""
    return _read(data, (Failure,))  # type: ignore[no-any-return]


def _plain(value: Any) -> Json:
    if isinstance(value, Failure | Doubt):
        return to_json(value)
    if isinstance(value, PartKind):
        return [value.name, value.media_type, value.file_name]
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _read(data: Mapping[str, Json], allowed: tuple[type, ...]) -> Any:
    kind = _BY_NAME[data["type"]]
    if kind not in allowed:
        raise TypeError(f"{data['type']} does not belong here")
    return kind(**{name: _member(name, member) for name, member in data.items() if name != "type"})


def _member(name: str, value: Json) -> Any:
    if name in ("query", "headers") and isinstance(value, list):
        return tuple((key, text) for key, text in value)
    if name == "parts":
        return tuple(PartKind(*kind) for kind in value)
    if name in ("done", "not_done", "may_be_done", "differences", "said"):
        return tuple(value)
    if name == "failure" and value is not None:
        return failure_from_json(value)
    if name == "doubt" and value is not None:
        return _read(value, (Doubt,))
    return value
