"""The errors of the governance room, drawn as a tree. Each says whose fault it is.

    GovernanceError
    ├── RefusedError        the caller: the rules do not allow what was asked            exit 1
    │   ├── ForbiddenError      the role may not do this
    │   ├── TransitionError     the revision's state does not allow it
    │   ├── ReasonError         a reason is needed and none was given
    │   ├── DigestError         the digest named is not the digest stored
    │   ├── PlanError           the plan is not yours, used, expired, or of something else
    │   ├── ConflictError       another writer was faster, or the name is taken
    │   │   ├── StaleError          what there is is not what the caller had seen
    │   │   ├── NotOursError        the run is in other hands, or has ended
    │   │   ├── SameEffectError     another run with the same effect is under way, or in doubt
    │   │   └── StopAskedError      somebody asked for the run to be cancelled
    │   └── BundleError         the bundle: nobody trusted signed this, or it does not belong here
    ├── TamperedError       whoever changed the database behind our back                 exit 1
    ├── NotFoundError       the caller: there is no such thing                           exit 3
    ├── InvalidError        the caller: a value that cannot be stored or used            exit 3
    │   └── BundleFormError     the file is no bundle: another form, damaged, too large
    ├── OutdatedError       the operator: the schema is not the one this version needs   exit 3
    └── UnavailableError    the database: locked, full, read-only or unreachable         exit 4

`exit_code` is what the command line ends with; `remedy` says what to do, and is shown on its own line.
"""

from typing import ClassVar


class GovernanceError(Exception):
    exit_code: ClassVar[int] = 5

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class RefusedError(GovernanceError):
    exit_code = 1


class ForbiddenError(RefusedError):
    pass


class TransitionError(RefusedError):
    pass


class ReasonError(RefusedError):
    pass


class DigestError(RefusedError):
    pass


class PlanError(RefusedError):
    pass


class ConflictError(RefusedError):
    pass


class StaleError(ConflictError):
    pass


class NotOursError(ConflictError):
    pass


class SameEffectError(ConflictError):
    """`run_id` and `caller`: of the run that stands in the way; who may be told of them, others decide."""

    def __init__(self, run_id: str, caller: str, *, is_in_doubt: bool) -> None:
        state = "in doubt" if is_in_doubt else "under way"
        super().__init__(f"another run with the same effect is {state}")
        self.run_id = run_id
        self.caller = caller
        self.is_in_doubt = is_in_doubt


class StopAskedError(ConflictError):
    pass


class BundleError(RefusedError):
    pass


class TamperedError(GovernanceError):
    exit_code = 1


class NotFoundError(GovernanceError):
    """`kind` and `name`, where they are given: what was looked for, so that a command line can say what is near."""

    exit_code = 3

    def __init__(self, message: str, remedy: str = "", *, kind: str = "", name: str = "") -> None:
        super().__init__(message, remedy)
        self.kind = kind
        self.name = name


class InvalidError(GovernanceError):
    exit_code = 3


class BundleFormError(InvalidError):
    pass


class OutdatedError(GovernanceError):
    exit_code = 3


class UnavailableError(GovernanceError):
    exit_code = 4
