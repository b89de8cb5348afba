"""What it leaves behind when a thing is joined to another one, and when they are parted: attach, assign, add a tag.

`POST /volumes/{id}/attach` with a `serverId` leaves a volume that shows this `serverId`, its opposite one that shows
none; `POST /servers/{id}/add-tag` with a `tag` leaves it among the server's `tags`. Read off names alone, where the
action is called by one of these verbs, speaks of nothing but the two, and the thing has a place of the same name for
what was sent: then nothing there is as plain a difference as another value. Pure; called by `postconditions`, which
says of which actions this is asked.
"""

from collections.abc import Iterable, Iterator, Mapping

from compiler.ir.model import ActionPostcondition, Operation, Resource, Schema
from compiler.ir.schemas import SharedSchemas
from compiler.passes.identity import says_id
from compiler.passes.names import words
from workflow.json.pointers import escape

_PARTING = {
    "detach": "attach",
    "unassign": "assign",
    "deassign": "assign",
    "disassociate": "associate",
    "dissociate": "associate",
    "unlink": "link",
    "unbind": "bind",
    "disconnect": "connect",
    "remove": "add",
    "revoke": "grant",
}
_MOVING = frozenset({"migrate", "move", "relocate", "transfer"})  # from one that it is joined to, to another one
_JOINING = frozenset(_PARTING.values()) | _MOVING
_INTO_LISTS = frozenset({"add", "grant"})  # what these make shows in a list, if anywhere
_IDS = frozenset({"id", "ids", "uuid", "uuids", "guid", "guids"})
_PLAIN = ("string", "integer")

Verbs = Mapping[str, str]  # of each action that joins or parts, by its key


def verb_of(names: Iterable[tuple[str, ...]]) -> str:
    """The verb by which an action joins or parts, "" for any other; `names`: what it calls itself."""
    first = (said[0] for said in names if said)
    return next((verb for verb in first if verb in _JOINING or verb in _PARTING), "")


class Joined:
    """The places of one thing, held against what its actions send."""

    def __init__(self, owner: Resource, schemas: SharedSchemas) -> None:
        self._owner = owner
        self._schemas = schemas
        self._shown = schemas.members(owner.schema)

    def left_by(
        self, operation: Operation, verb: str, opposites: Iterable[tuple[str, Operation]]
    ) -> ActionPostcondition | None:
        """What the action with this verb leaves; `opposites`: the thing's other actions of such a verb."""
        singles = () if verb in _INTO_LISTS or _PARTING.get(verb) in _INTO_LISTS else tuple(self._singles(operation))
        lists = () if verb in _MOVING else tuple(self._lists(operation))
        if verb in _JOINING:
            is_told = bool(singles or lists)
            return ActionPostcondition(singles, put_in=lists, is_assumed=True, is_plain=True) if is_told else None
        places = [place for _, place in singles]
        if not self._sent(operation):
            joins = (each for name, each in opposites if name == _PARTING[verb])
            places = list(dict.fromkeys(place for each in joins for _, place in self._singles(each)))
        held = tuple((place, "") for place in places if self._may_be_empty(place))
        is_told = len(places) == len(held) == 1 or bool(lists)
        return ActionPostcondition(held=held, taken_out=lists, is_assumed=True, is_plain=True) if is_told else None

    def _sent(self, operation: Operation) -> Mapping[str, Schema]:
        return self._schemas.members(operation.body.schema) if operation.body is not None else {}

    def _singles(self, operation: Operation) -> Iterator[tuple[str, str]]:
        """Ids in the body that the thing shows under the same name, or names of what it is then `attachedTo`."""
        for name, member in self._sent(operation).items():
            is_own = name == self._owner.id_field or name not in self._shown
            is_which = says_id(name) or words.split(name)[-1:] in (("to",), ("by",), ("with",))
            if is_which and not is_own and self._kind(member) == self._kind(self._shown[name]) in _PLAIN:
                yield f"/{escape(name)}", f"/{escape(name)}"

    def _lists(self, operation: Operation) -> Iterator[tuple[str, str]]:
        for name, member in self._sent(operation).items():
            if self._kind(member) not in _PLAIN:
                continue
            found = [place for place, listed in self._shown.items() if self._is_list_of(name, place, listed)]
            if len(found) == 1:
                yield f"/{escape(name)}", f"/{escape(found[0])}"

    def _is_list_of(self, name: str, place: str, listed: Schema) -> bool:
        """Whether the list has the plural of the member's name, and shows of each what is sent: an id where that is."""
        element = self._schemas.element(listed)
        if element is None or not _thing(name) or _thing(name) != _thing(place):
            return False
        if self._kind(element) in _PLAIN:
            return _is_id(name) is _is_id(place)
        return _is_id(name) and any(name in ("id", "uuid") for name in self._schemas.members(element))

    def _kind(self, schema: Schema | None) -> str:
        return self._schemas.kind(schema)

    def _may_be_empty(self, place: str) -> bool:
        name = place[1:]
        return name not in self._schemas.required(self._owner.schema) or self._takes_null(self._shown.get(name))

    def _takes_null(self, schema: Schema | None) -> bool:
        kinds = self._schemas.resolve(schema).get("type", ()) if schema else ()
        return "null" in kinds if isinstance(kinds, list | tuple) else False


def _is_id(name: str) -> bool:
    return bool({*words.split(name)[-1:]} & _IDS)


def _thing(name: str) -> tuple[str, ...]:
    """What a member is about: `volumeId` and `volumes` are about a volume."""
    said = tuple(words.singular(word) for word in words.split(name))
    return tuple(word for word in said if word not in _IDS)
