"""Who asks: the value that the gate makes and everything below it reads, and where in a request it stands.

Here never lives what a caller may do (`runtime.auth.access`).
"""

from dataclasses import dataclass

from governance.people.scopes import WHOLE
from governance.people.scopes import AccessScope as Reach
from governance.transitions import Role

CALLER = "switchgear.caller"

# Where the connection stands in the state of a request that came by one of ours.
CONNECTION = "switchgear.connection"

# Where the session stands that a request came with, if it came with one, and its secret.
SESSION = "switchgear.session"

METRICS_PATH = "/metrics"

# Whoever looks after the server has to be told how it is, however many others ask.
WATCHES = frozenset({"/health", "/ready", METRICS_PATH})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `name` is what runs and audit rows say; `scope` is what is there for them at all."""

    name: str
    role: Role
    scope: Reach = WHOLE


# Without any token in the database only this machine can connect, and whoever can do that could read the database.
LOCAL = Caller("local", "admin")
