"""JSON Pointers (RFC 6901) into values that are never changed in place, with `*` for every element of an array.

`put` copies what lies on the way and shares the rest: that is what makes resetting a twin cheap.
"""

from collections.abc import Iterator
from typing import Any

Json = Any


class _Missing:
    def __bool__(self) -> bool:
        return False


MISSING = _Missing()


def tokens(pointer: str) -> tuple[str, ...]:
    """The unescaped reference tokens; `""` has none."""
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


def get(value: Json, pointer: str) -> Json:
    """What `pointer` leads to, MISSING where it leads nowhere."""
    return _walk(value, tokens(pointer))


def listed(body: Json, members: str, element_at: str) -> list[Json]:
    """The things in a list: what stands at `element_at` in each element at `members`; nothing where no list is."""
    elements = get(body, members)
    found = (get(each, element_at) for each in elements) if isinstance(elements, list) else ()
    return [each for each in found if each is not MISSING]


def _walk(value: Json, path: tuple[str, ...]) -> Json:
    for token in path:
        if isinstance(value, dict) and token in value:
            value = value[token]
        elif isinstance(value, list) and token.isdigit() and int(token) < len(value):
            value = value[int(token)]
        else:
            return MISSING
    return value


def put(value: Json, pointer: str, new: Json) -> Json:
    """A copy of `value` in which `new` stands at `pointer`; objects and arrays on the way are made as needed."""
    return _put(value, tokens(pointer), new)


def _put(value: Json, path: tuple[str, ...], new: Json) -> Json:
    if not path:
        return new
    token, rest = path[0], path[1:]
    if isinstance(value, list) or (not isinstance(value, dict) and token.isdigit()):
        elements = list(value) if isinstance(value, list) else []
        index = int(token) if token.isdigit() else len(elements)
        elements += [None] * (index + 1 - len(elements))
        elements[index] = _put(elements[index], rest, new)
        return elements
    members = dict(value) if isinstance(value, dict) else {}
    members[token] = _put(members.get(token), rest, new)
    return members


def without(value: Json, pointer: str) -> Json:
    """A copy of an object without the member that `pointer` leads to, where it is one of its own."""
    path = tokens(pointer)
    if not isinstance(value, dict) or len(path) != 1:
        return value
    return {name: member for name, member in value.items() if name != path[0]}


def each(value: Json, pointer: str) -> Iterator[tuple[tuple[str, ...], Json]]:
    """(what the `*`s stood for, value found) for every place that `pointer` leads to."""
    yield from _each(value, tokens(pointer), ())


def _each(value: Json, path: tuple[str, ...], bound: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Json]]:
    if not path:
        yield bound, value
    elif path[0] == "*" and isinstance(value, list):
        for index, element in enumerate(value):
            yield from _each(element, path[1:], (*bound, str(index)))
    elif path[0] != "*":
        found = _walk(value, path[:1])
        if found is not MISSING:
            yield from _each(found, path[1:], bound)


def bind(pointer: str, bound: tuple[str, ...]) -> str:
    """`pointer` with its `*`s replaced, in order, by `bound`; those that are left over stay."""
    left = list(bound)
    return "/".join(left.pop(0) if part == "*" and left else part for part in pointer.split("/"))
