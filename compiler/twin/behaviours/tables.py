"""Behaviours: what devices do that no description says, as data, and how one is found by its name.

A behaviour is a few rules. Each says at which requests it acts, and which of a small closed set of mechanisms
(`acting`) it plays with which parameters. Beside them stands how a run may end that meets it: what is true then is
judged from the twin's own store (`compiler.proofs.behaviour_runs`), so that no table has to be believed. Here never
stands a vendor's name: profiles name the behaviours that a device is known for. The table itself is `library`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

from compiler.errors import CompilerError

Json = Any
Sort = Literal["login", "poll", "list", "read", "document", "create", "update", "delete", "act"]
Mechanism = Literal[
    "ignore", "spoil", "instead", "afterwards", "reply", "show", "job", "lag", "version", "offer", "page", "expire",
    "redirect", "double", "fail", "repeat", "wipe", "another", "move",
]  # fmt: skip
# What a flow has to be like besides making such requests. `seen`: a read shows all of what it changes. `looked`: it
# has seen what was there before; `kept`: of the thing that it changes in part. `known`: it knows the ids of what it
# reads. `batch`: it sends several requests in one. `moved`: it may call a thing otherwise that its address names.
Shape = Literal[
    "several", "seen", "job", "version", "offered", "pages", "found", "looked", "kept", "known", "batch", "moved"
]
READS: tuple[Sort, ...] = ("list", "read", "document")
CHANGES: tuple[Sort, ...] = ("create", "update", "delete", "act")
EVER = 1_000_000


@dataclass(frozen=True, slots=True)
class BehaviourRule:
    """`at`: sorts of requests; of these it acts on the `first` to the `last`, counted from 1, or from the first change
    on (`after_change`). `form`, `status`, `body` and `headers` are the mechanism's parameters.
    """

    does: Mechanism
    at: tuple[Sort, ...]
    first: int = 1
    last: int = EVER
    after_change: bool = False
    form: str = ""
    status: int = 0
    body: Json = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class DeviceBehaviour:
    """`ends`: outcomes that may be right. `says`: what of the device's words has to be told when it is a failure.

    `needs`: what a flow has to be like for it to matter. `by_driver`: no workflow notices it, whoever sends does.
    `is_long`: a run waits until its patience is over, which may take hundreds of polls. `is_again`: it is met by
    whoever asks for the same once more, so that nothing is done then.
    """

    name: str
    text: str
    rules: tuple[BehaviourRule, ...]
    ends: tuple[str, ...]
    needs: tuple[Shape, ...] = ()
    says: str = ""
    by_driver: bool = False
    is_long: bool = False
    is_again: bool = False


class UnknownBehaviourError(CompilerError):
    """No behaviour has this name. The message tells the nearest."""

    exit_code = 3
    remedy = "`switchgear mock --behaviours` lists them"


def named(
    library: Iterable[DeviceBehaviour], names: Iterable[str], source: str = "", pointer: str = ""
) -> tuple[DeviceBehaviour, ...]:
    """The behaviours of these names, in this order. Raises UnknownBehaviourError; `source` and `pointer` say where
    the names stand.
    """
    known = {behaviour.name: behaviour for behaviour in library}
    wanted = tuple(names)
    for number, name in enumerate(wanted):
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.3)
            nearest = f"; the nearest is {near[0]!r}" if near else ""
            at = f"{pointer}/{number}" if pointer else ""
            raise UnknownBehaviourError(f"there is no behaviour {name!r}{nearest}", source, at)
    return tuple(known[name] for name in wanted)
