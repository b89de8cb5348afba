"""What may be sent twice: decided by what an operation does, never by its method.

Repeatable are reads, a PUT or PATCH that sets what it says (what is read afterwards is what was sent), and a DELETE of
one thing by its name. A PUT that acts (a power state that is «rebooting», an action, whatever interrupts or destroys)
reboots twice when it is sent twice, whatever RFC 9110 says of its method; nobody's description says which one is
which, so its words decide, and a word too many costs no more than a read in between. The profile has the last word
(`verbs.idempotent`, `verbs.not_idempotent`). Called by `effects`.
"""

from collections.abc import Iterable
from typing import Any

from compiler.ir.model import Effect, Operation
from compiler.ir.schemas import SharedSchemas
from compiler.passes.names import words
from compiler.passes.names.paths import ends_in_parameter, last_parameter, parameter_of, segments
from workflow.profiles.profile import Verbs
from workflow.risks import Risk

_SETTING = ("PUT", "PATCH")
# Words of things that are moved and not set, where they stand in a path or a summary.
_ACTING = frozenset(
    {"power", "state", "states", "action", "actions", "run", "command", "commands", "execute", "invoke"}
)
# Beginnings of words that say that something happens each time: reboot, rebooting, rebooted.
_HAPPENING = (
    "reboot", "restart", "reset", "rotat", "trigger", "refresh", "regenerat", "recycl", "toggle", "increment",
    "decrement", "append", "resync", "rescan", "renew",
)  # fmt: skip
# Members of a body that say what is to be done, and not how something is to be.
_ORDERS = frozenset({"action", "command", "operation", "verb"})
# A patch whose operations add and move does something else the second time (RFC 6902).
_LISTED_STEPS = "json-patch"
# What has moved up is another thing by the time that its place is named again.
_PLACES = frozenset({"index", "position", "offset", "ordinal", "row"})


def is_repeatable(operation: Operation, effect: Effect, risk: Risk, verbs: Verbs, schemas: SharedSchemas) -> bool:
    """Whether sending it twice is as sending it once."""
    if operation.key in verbs.not_idempotent:
        return False
    if operation.key in verbs.idempotent:
        return True
    if effect is Effect.READ:
        return True
    if effect is Effect.DELETE:
        return _deletes_one(operation.path)
    if effect is not Effect.UPDATE or operation.method not in _SETTING or risk in (Risk.DISRUPT, Risk.DESTROY):
        return False
    return not _acts(operation, schemas)


def _deletes_one(path: str) -> bool:
    name = last_parameter(path)
    return bool(name) and not _PLACES & set(words.split(name))


def _acts(operation: Operation, schemas: SharedSchemas) -> bool:
    said = [word for part in segments(operation.path) if not parameter_of(part) for word in words.split(part)]
    said += [*words.split(operation.name), *words.split(operation.summary)]
    if _ACTING.intersection(said) or _happens(said):
        return True
    if operation.body is None:  # who is put under a name is there then; what else says nothing sets nothing
        return operation.method != "PUT" or not ends_in_parameter(operation.path)
    return _LISTED_STEPS in operation.body.media_type or _body_acts(operation.body.schema, schemas)


def _happens(said: Iterable[str]) -> bool:
    return any(word.startswith(_HAPPENING) for word in said)


def _body_acts(schema: Any, schemas: SharedSchemas) -> bool:
    return any(_member_acts(name, member, schemas) for name, member in schemas.members(schema).items())


def _member_acts(name: str, member: Any, schemas: SharedSchemas) -> bool:
    """An order by its name, something that happens when it is true, or one value among several that happens."""
    choices = (word for value in schemas.values(member) if isinstance(value, str) for word in words.split(value))
    is_switch = schemas.kind(member) == "boolean" and _happens(words.split(name))
    return name.lower() in _ORDERS or is_switch or _happens(choices)
