"""On whose behalf a request is under way, for those who pass that on: a site is told who asked, and for which run.

Set by `engines.run_loop` around what the driver does for a run; read by `site_connections` and the hub alone. Devices
are told nothing of it. Here never lives a secret.
"""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field

from governance.transitions import Role


@dataclass(frozen=True, slots=True)
class Behalf:
    """`request` names the one request, in whichever process it is made: asking again under it is the same.

    `is_again`: another process may have made it before, so that only the answer says whether it was carried out.
    `cancelled`: set when the run is to end. `note`: takes why the request waits for a person there, empty: no more.
    """

    caller: str
    role: Role
    request: str
    is_again: bool = False
    cancelled: asyncio.Event = field(default_factory=asyncio.Event, compare=False)
    note: Callable[[str], None] = field(default=lambda _why: None, compare=False)


BEHALF: ContextVar[Behalf | None] = ContextVar("behalf", default=None)
