"""Reading the members of JSON objects, each with the pointer that an error names.

Here lives what reading any closed JSON format needs: required and optional members by kind, lists without duplicates,
refusal of unknown members. Here never lives what the members mean (see `reader`). Numbers count as JSON Schema counts
them: 1.0 is an integer and equals 1, true is no number.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from workflow.errors import DocumentError
from workflow.json.pointers import child

Json = Any
T = TypeVar("T")
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class MemberPlace:
    """A value and where it stands. `is_1_0`: the document is of Arazzo 1.0, where later members are unknown."""

    value: Json
    source: str
    pointer: str
    is_1_0: bool = False

    def refuse(self, message: str) -> NoReturn:
        raise DocumentError(message, self.source, self.pointer)

    def at(self, name: str | int) -> "MemberPlace":
        """The member or element of this name."""
        return MemberPlace(self.value[name], self.source, child(self.pointer, name), self.is_1_0)


class Members:
    """The members of one object, taken one by one; `close` refuses those that nobody took."""

    __slots__ = ("_place", "_taken")

    def __init__(self, place: MemberPlace, what: str) -> None:
        if not isinstance(place.value, Mapping):
            place.refuse(f"{what} must be an object; write it as one")
        for name in place.value:
            if not isinstance(name, str):
                place.refuse(f"the member name {name!r} is no string; put it in quotes")
        self._place = place
        self._taken: set[str] = set()

    @property
    def place(self) -> MemberPlace:
        return self._place

    def has(self, name: str) -> bool:
        return name in self._place.value

    def take(self, name: str, read: Callable[[MemberPlace], T]) -> T:
        """The required member `name`, read by `read`."""
        if not self.has(name):
            self._place.refuse(f"the member {name} is missing; add it")
        self._taken.add(name)
        return read(self._place.at(name))

    def maybe(self, name: str, read: Callable[[MemberPlace], T], since_1_1: bool = False) -> T | None:
        """The member `name`, or None where it is absent."""
        if not self.has(name):
            return None
        if since_1_1 and self._place.is_1_0:
            self._place.at(name).refuse(f"{name} came with Arazzo 1.1; set `arazzo` to 1.1.0 or leave it out")
        return self.take(name, read)

    def each(
        self, name: str, read: Callable[[MemberPlace], T], at_least: int = 0, since_1_1: bool = False
    ) -> tuple[T, ...]:
        """The elements of the list `name`, no two alike; empty where it is absent."""
        found = self.maybe(name, lambda place: elements(place, read, at_least), since_1_1)
        return found or ()

    def mapping(self, name: str, read: Callable[[MemberPlace], T]) -> dict[str, T]:
        """The object `name` with each member read by `read`; empty where it is absent."""
        return self.maybe(name, lambda place: entries(place, read)) or {}

    def close(self, allow_more: bool = False) -> dict[str, Json]:
        """The members left that start with `x-`; with `allow_more` all that are left. Any other is refused."""
        left = {name: value for name, value in self._place.value.items() if name not in self._taken}
        for name in left:
            if not (allow_more or name.startswith("x-")):
                self._place.at(name).refuse(f"{name} is not known here; correct the name, or prefix it with x-")
        return left


def elements(place: MemberPlace, read: Callable[[MemberPlace], T], at_least: int = 0) -> tuple[T, ...]:
    """The elements of a list in order. Refuses fewer than `at_least`, and two that are equal as JSON."""
    if not isinstance(place.value, list):
        place.refuse("this must be a list; write it as one")
    if len(place.value) < at_least:
        place.refuse("the list is empty; add an element or leave the member out")
    sketches = [_sketch(item) for item in place.value]
    how_many = Counter(sketches)
    seen: set[Any] = set()
    for number, (item, sketch) in enumerate(zip(place.value, sketches, strict=True)):
        key = sketch if how_many[sketch] == 1 else _identity(item)
        if key in seen:
            place.at(number).refuse("this element occurs twice; remove one")
        seen.add(key)
    return tuple(read(place.at(number)) for number in range(len(place.value)))


def entries(place: MemberPlace, read: Callable[[MemberPlace], T]) -> dict[str, T]:
    """The members of an object of free names, in order."""
    members = Members(place, "this")
    return {name: members.take(name, read) for name in place.value}


def text(place: MemberPlace) -> str:
    if not isinstance(place.value, str):
        place.refuse("this must be a string; put it in quotes")
    return place.value


def anything(place: MemberPlace) -> Json:
    return place.value


def whole(place: MemberPlace) -> int:
    """An integer, perhaps written with a zero fraction."""
    value = place.value
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        place.refuse("this must be a whole number")
    return int(value)


def at_least_zero(place: MemberPlace) -> float:
    value = place.value
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        place.refuse("this must be a number, zero or more")
    return value


def one_of(*allowed: str) -> Callable[[MemberPlace], Any]:
    """A reader of one of these strings."""

    def read(place: MemberPlace) -> str:
        if not isinstance(place.value, str) or place.value not in allowed:
            place.refuse(f"this must be one of {', '.join(allowed)}")
        return place.value

    return read


def _sketch(value: Json) -> Any:
    """A cheap key, equal at least for values that are equal as JSON: what differs in it needs no closer look."""
    if isinstance(value, Mapping):
        return ("object", frozenset((name, each if isinstance(each, str) else None) for name, each in value.items()))
    return ("list", len(value)) if isinstance(value, list | tuple) else _identity(value)


def _identity(value: Json) -> Any:
    """A hashable key, equal for values that are equal as JSON."""
    if value.__class__ is dict or isinstance(value, Mapping):
        return ("object", frozenset([(n, m if m.__class__ is str else _identity(m)) for n, m in value.items()]))
    if isinstance(value, list | tuple):
        return ("list", tuple([_identity(item) for item in value]))
    return ("truth", value) if isinstance(value, bool) else value
