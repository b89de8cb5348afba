"""On whose behalf a request is under way, for those who pass that on: a site is told who asked, and for which run.

Set by `engines.course` around what the driver does for a run; read by `site_connections` alone. Devices are told
nothing of it. Here never lives a secret.
"""

from contextvars import ContextVar
from dataclasses import dataclass

from governance.transitions import Role


@dataclass(frozen=True, slots=True)
class Behalf:
    """`request` names the one request, in whichever process it is made: asking again under it is the same.

    `is_again`: another process may have made it before, so that only the answer says whether it was carried out.
    """

    caller: str
    role: Role
    request: str
    is_again: bool = False


BEHALF: ContextVar[Behalf | None] = ContextVar("behalf", default=None)
