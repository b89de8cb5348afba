"""Whose site this installation is: one file, written by `site join`, which says what the hub may have done here.

It holds where the hub is and its public key, this site's own private key, and the most that anybody who comes by the
hub may do here (`role`, `scope`): the site's own word, which no statement of the hub's can widen. Only its owner may
read it. Here never lives a message (`statements`) or a run. Called by `serve` and `site join`.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from governance.errors import InvalidError, RefusedError
from governance.people.scopes import AccessScope
from governance.transitions import ROLES, Role, may

Json = Any
MAX_BYTES = 64 * 1024
AGAIN = "join once more: `switchgear site join`"
# Of a statement: `operator` runs; nobody decides here by way of a hub.
MOST: Role = "operator"


@dataclass(frozen=True, slots=True)
class Membership:
    """`key`: this site's private one. `tls`: how the hub proves who it is, as a target does.

    `takes_bundles`: what the hub sends may be imported, by the keys and the policy here.
    """

    hub: str
    hub_key: str
    tls: str
    site: str
    key: str
    role: Role
    scope: AccessScope
    takes_bundles: bool = False

    def role_of(self, claimed: str) -> Role:
        """What somebody may do here whom the hub says to have a role: the least of the two."""
        theirs = next((role for role in ROLES if role == claimed), ROLES[0])
        return theirs if may(self.role, theirs) else self.role

    def write(self, path: Path) -> None:
        """Raises InvalidError if there is a file already: a key is never overwritten."""
        told = {name: getattr(self, name) for name in self.__slots__}
        text = json.dumps({**told, "scope": self.scope.to_json()}, indent=2) + "\n"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise InvalidError(f"there is a file {path} already", "take another name, or remove it") from error
        with os.fdopen(descriptor, "w") as file:
            file.write(text)


def read_membership(path: Path) -> Membership:
    """Raises RefusedError if others may read it, InvalidError for what is none."""
    try:
        if path.stat().st_mode & 0o077:
            raise RefusedError(f"others may read the key in {path}", f"chmod 600 {path}; better, {AGAIN}")
        told = json.loads(path.read_bytes()[:MAX_BYTES])
        scope = AccessScope.from_json(told.pop("scope"))
        membership = Membership(**told, scope=scope)
    except OSError as error:
        raise InvalidError(f"{path} cannot be read: {error.strerror}", AGAIN) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InvalidError(f"{path} is no file of `site join`", AGAIN) from error
    if membership.role not in ROLES or not may(MOST, membership.role):
        raise InvalidError(f"the role in {path} is none that a hub's callers can have", f"take {MOST} or viewer")
    return membership
