"""Which value an action's own words promise: `POST /machines/{id}/stop` leaves a machine that is stopped.

Read off the action's words and the values that the description lists for a state of the thing; a flag (`enabled`) has
its own verbs. Only a description that knows the value and its opposite says so: what else is shown, a state on the way,
speaks neither for the action nor against it. Pure; called by `postconditions` where no profile says more.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from compiler.ir.model import Schema
from compiler.ir.schemas import SharedSchemas
from compiler.passes.names import words
from compiler.passes.names.listed import lists_in
from workflow.json.pointers import escape

_ON = frozenset({"running", "run", "on", "active", "started", "up", "online", "poweredon", "powered on", "power on"})
_OFF = frozenset(
    {"stopped", "off", "shutoff", "shut off", "shutdown", "shut down", "halted", "down", "offline", "inactive"}
    | {"poweredoff", "powered off", "power off"}
)
_PAUSED = frozenset({"paused", "suspended"})
_FROZEN = frozenset({"frozen"})
_ENABLED = frozenset({"enabled", "active"})
_DISABLED = frozenset({"disabled", "inactive"})
_ATTACHED = frozenset({"attached", "in use", "inuse"})
_DETACHED = frozenset({"detached", "unattached", "available"})
_OPEN = frozenset({"open", "opened"})
_CLOSED = frozenset({"closed"})
_MOUNTED = frozenset({"mounted"})
_UNMOUNTED = frozenset({"unmounted"})
_NEVER_RUN = frozenset({"created", "defined"})  # nothing that is started is so afterwards, or on its way
_ENDED = frozenset({"exited", "finished", "completed", "complete", "succeeded", "done", "dead"})
_STARTING = ("start", "boot", "poweron", "power on", "turn on", "switch on")
_STOPPING = ("stop", "halt", "shutdown", "shut down", "poweroff", "power off", "turn off", "switch off")
# What is said → states in which the thing is afterwards, and states in which it is not.
_STATES = {
    **dict.fromkeys(_STARTING, (_ON, _OFF | _NEVER_RUN)),
    **dict.fromkeys(_STOPPING, (_OFF, _ON)),
    **dict.fromkeys(("pause", "suspend"), (_PAUSED, _ON | _OFF)),  # what stood still before and does now is not paused
    **dict.fromkeys(("unpause", "resume"), (_ON, _PAUSED)),
    "freeze": (_FROZEN, _ON | _OFF),
    **dict.fromkeys(("unfreeze", "thaw"), (_ON, _FROZEN)),
    **dict.fromkeys(("enable", "activate"), (_ENABLED, _DISABLED)),
    **dict.fromkeys(("disable", "deactivate"), (_DISABLED, _ENABLED)),
    "attach": (_ATTACHED, _DETACHED),
    "detach": (_DETACHED, _ATTACHED),
    **dict.fromkeys(("open", "reopen"), (_OPEN, _CLOSED)),
    "close": (_CLOSED, _OPEN),
    "mount": (_MOUNTED, _UNMOUNTED),
    **dict.fromkeys(("unmount", "umount"), (_UNMOUNTED, _MOUNTED)),
}
_STANDING = frozenset().union(*(wanted for wanted, _ in _STATES.values()))
_RUNNING = ("running", "started", "online", "powered on")
# What is said → what a flag is called that tells of it, and its value afterwards.
_Flags = Mapping[str, tuple[tuple[str, ...], bool]]
_FLAGS: _Flags = {
    **dict.fromkeys(_STARTING, (_RUNNING, True)),
    **dict.fromkeys(_STOPPING, (_RUNNING, False)),
    "enable": (("enabled",), True),
    "disable": (("enabled",), False),
    "activate": (("active",), True),
    "deactivate": (("active",), False),
    "lock": (("locked",), True),
    "unlock": (("locked",), False),
    "pause": (("paused",), True),
    "unpause": (("paused",), False),
    "suspend": (("suspended",), True),
    "resume": (("paused", "suspended"), False),
    "archive": (("archived",), True),
    "unarchive": (("archived",), False),
    "attach": (("attached",), True),
    "detach": (("attached",), False),
    "mount": (("mounted",), True),
    **dict.fromkeys(("unmount", "umount"), (("mounted",), False)),
    "publish": (("published",), True),
    "unpublish": (("published",), False),
    "protect": (("protected",), True),
    "unprotect": (("protected",), False),
    "block": (("blocked",), True),
    "unblock": (("blocked",), False),
}
# The same where the flag tells the opposite.
_FLAGS_OFF: _Flags = {
    **dict.fromkeys(_STARTING, (("stopped", "halted"), False)),
    **dict.fromkeys(_STOPPING, (("stopped", "halted"), True)),
    "enable": (("disabled",), False),
    "disable": (("disabled",), True),
}
STATE_WORDS = (("state",), ("status",), ("power",), ("phase",))


@dataclass(frozen=True, slots=True)
class Reached:
    """`place`: pointer into the thing; `value`: what is there afterwards; `against`: what shows that it is not so."""

    place: str
    value: Any
    against: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """`at`: pointer into the thing; `name`: the words of the member's name."""

    at: str
    name: tuple[str, ...]
    schema: Schema


def reached(said: Iterable[str], members: Mapping[str, Schema], schemas: SharedSchemas) -> Reached | None:
    """What the words `said` promise of a thing with these members; None where one would have to guess.

    A flag says nothing but this; one of several states may leave the thing's other states unsaid.
    """
    verb = " ".join(said)
    places = tuple(_places(members, schemas))
    found = [] if _may_have_ended(verb, places, schemas) else [*_flags(_FLAGS, verb, places, schemas)]
    found = found or [*_states(verb, places, schemas)] or [*_flags(_FLAGS_OFF, verb, places, schemas)]
    return found[0] if len(found) == 1 else None


def _places(members: Mapping[str, Schema], schemas: SharedSchemas, above: str = "") -> Iterator[_Place]:
    """The members, and those of an object that is called the thing's state."""
    for name, member in members.items():
        at = f"{above}/{escape(name)}"
        yield _Place(at, words.split(name), member)
        if not above and words.split(name) in STATE_WORDS and schemas.kind(member) == "object":
            yield from _places(schemas.members(member), schemas, at)


def _may_have_ended(verb: str, places: Iterable[_Place], schemas: SharedSchemas) -> bool:
    """Whether what was started may have run to its end, as containers do: then it was started, and does not run."""
    is_started = _FLAGS.get(verb) == (_RUNNING, True)
    return is_started and any(_said(value) in _ENDED for place in places for value in schemas.values(place.schema))


def _flags(table: _Flags, verb: str, places: Iterable[_Place], schemas: SharedSchemas) -> Iterator[Reached]:
    wanted, value = table.get(verb, ((), False))
    for place in places:
        if " ".join(place.name).removeprefix("is ") in wanted and schemas.kind(place.schema) == "boolean":
            yield Reached(place.at, value, (not value,))


def _states(verb: str, places: Iterable[_Place], schemas: SharedSchemas) -> Iterator[Reached]:
    wanted, opposite = _STATES.get(verb, (frozenset(), frozenset()))
    for place in places:
        values = states_of(place.schema, schemas) if wanted and place.name[-1:] in STATE_WORDS else ()
        reached_by = [each for each in values if _said(each) in wanted]
        against = [each for each in values if _said(each) in opposite]
        failed = [each for each in values if words.is_about(words.split(str(each)), words.BROKEN)]
        if len(reached_by) == 1 and against:
            yield Reached(place.at, reached_by[0], (*against, *failed))


def states_of(schema: Schema, schemas: SharedSchemas) -> tuple[Any, ...]:
    """The states that are listed: as an enumeration, else in the text."""
    listed = schemas.values(schema)
    if listed or schemas.kind(schema) != "string":
        return listed
    return next((states for states in lists_in(schemas.text(schema)) if _STANDING & {*map(_said, states)}), ())


def _said(value: Any) -> str:
    return " ".join(words.split(str(value)))
