"""What the first bytes of a connection show of whose they are, before anything is made of them: a guess, never a right.

It decides alone in which line a connection waits to be read (`arrivals`) and among whose it counts (`connections`);
who sent a request, and what they may, is found out when it is read (`access`). Whoever shows a credential that is in
use now waits with its holder's others, whoever shows none with those of their address. Called by `accepting`.
"""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address

from runtime.caller import WATCHES, Caller
from runtime.credentials import COOKIE

# As much of a head as is looked at: credentials stand among its first lines, and a JWT has a few hundred bytes.
LOOKED_AT = 4_096
STRANGER = ""
_SHOWN = re.compile(
    rb"\r\n(?:authorization:[ \t]*(bearer|basic)[ \t]+([^\s]+)|cookie:[^\r\n]*?" + COOKIE.encode() + rb"=([^;\s]+))",
    re.IGNORECASE,
)
_WATCHES = tuple(f"GET {path} ".encode() for path in sorted(WATCHES))
Known = Callable[[bytes], Caller | None]


@dataclass(frozen=True, slots=True)
class Guess:
    """`owner`: whose connection it is, `STRANGER` for nobody's that is known. `line`: with which others it waits."""

    owner: str
    line: str
    comes_first: bool = False


def guess(data: bytes, address: str, known: Known) -> Guess:
    """By what `data` begins with. `known`: whose a credential is as far as that is known without asking."""
    shown = _SHOWN.search(data)
    caller = None if shown is None else known(_secret(shown))
    if data.startswith(_WATCHES):  # on a connection that whoever shows a credential may go on with
        return Guess(STRANGER if caller is None else caller.name, f"watch {network_of(address)}", comes_first=True)
    if caller is None:
        return Guess(STRANGER, network_of(address))
    return Guess(caller.name, caller.name, comes_first=caller.role == "admin")


def network_of(address: str) -> str:
    """The line of strangers from there: a network that one of them has for themselves. No name of a caller is one."""
    if ":" not in address:
        return f"from {address}"
    found = IPv6Address(address.partition("%")[0])
    return f"from {found.ipv4_mapped or found.packed[:8].hex()}"


def _secret(shown: re.Match[bytes]) -> bytes:
    kind, value, cookie = shown.groups()
    if cookie is not None:
        return bytes(cookie)
    if kind.lower() == b"bearer":
        return bytes(value)
    try:
        return base64.b64decode(value, validate=True).partition(b":")[2]
    except ValueError:
        return b""
