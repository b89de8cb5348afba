"""The errors of the runtime room, drawn as a tree. Each says whose fault it is, and what to do about it.

    ServingError                 ours, unless a branch says otherwise
    ├── CallerError              the caller: asked for what is not there, or not in this way
    │   ├── UnknownWorkflow      no approved workflow has this name
    │   ├── BadInput             inputs do not fit the workflow's schema
    │   └── UnknownTarget        no such target, or one must be named
    ├── SameEffect               the caller: the same was asked for before, and is under way or in doubt
    ├── Waiting                  the caller: a person has to let the call through, and has not yet, or has refused
    ├── NotApproved              whoever governs: what was looked up is not what is approved now
    ├── Unservable               the workflow's author: approved, but it cannot be executed here
    ├── Interrupted              the operator: the server stops before the run has ended; it is taken up later
    ├── StartRefused             the operator: the server must not start like this
    ├── Unjudged                 the caller or the device: a value that takes too long to judge (`large_values`)
    └── TargetError              the device, its network, or how it is set up here; the tree's leaves say what became
        ├── NotSent              of the request: not a byte of it left
        │   ├── Resting          the device failed too often in a row and is not asked for a while
        │   ├── Unable           this machine has no file, port or memory left for a connection: not the device's fault
        │   └── NotAdmitted      the device opens no session now, for a reason other than the credentials
        ├── FateUnknown          bytes may have left, and no answer came
        ├── BadReply             an answer came, and it cannot be read
        └── Refused              we, or the device's door, refused: trying again does not help

Every error carries `exit_code` (see docs/ARCHITECTURE.md) and `remedy`, which both are rendered by whoever shows it.
"""

from collections.abc import Mapping
from typing import Any


class ServingError(Exception):
    exit_code = 5

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class CallerError(ServingError):
    exit_code = 3


class UnknownWorkflow(CallerError):
    exit_code = 1


class BadInput(CallerError):
    """`pointer` (RFC 6901) names the input that does not fit."""

    def __init__(self, message: str, pointer: str = "", remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.pointer = pointer


class UnknownTarget(CallerError):
    pass


class NotApproved(ServingError):
    exit_code = 1


class SameEffect(ServingError):
    """`code` says what is in the way; `more` holds it, and what the caller may know of the run that is."""

    exit_code = 1

    def __init__(self, code: str, message: str, remedy: str, more: Mapping[str, Any] | None = None) -> None:
        super().__init__(message, remedy)
        self.code = code
        self.more = {"code": code, **(more or {})}


class Waiting(ServingError):
    """`more`: the plan that waits, the run that shows it, until when, and how it stands."""

    exit_code = 1

    def __init__(self, message: str, remedy: str, more: Mapping[str, Any]) -> None:
        super().__init__(message, remedy)
        self.more = dict(more)


class Unservable(ServingError):
    exit_code = 1


class Interrupted(ServingError):
    exit_code = 4


class StartRefused(ServingError):
    exit_code = 2


class TargetError(ServingError):
    exit_code = 4
    reason = "refused"


class NotSent(TargetError):
    reason = "not_sent"


class Resting(NotSent):
    pass


class Unable(NotSent):
    reason = "unable"


class NotAdmitted(NotSent):
    """`wait_s`: what the device asks us to wait. `is_final`: waiting and other ways to be let in were tried."""

    def __init__(self, message: str, remedy: str = "", wait_s: float = 0.0, *, is_final: bool = False) -> None:
        super().__init__(message, remedy)
        self.wait_s = wait_s
        self.is_final = is_final


class FateUnknown(TargetError):
    reason = "unknown_fate"


class BadReply(TargetError):
    """The device's fault: too large, of another encoding or type than it says, or not what was described."""

    reason = "bad_reply"


class Refused(TargetError):
    reason = "refused"
