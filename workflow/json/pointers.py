"""JSON Pointer (RFC 6901): reading, writing and following it.

Here lives nothing else; queries with conditions are in `selectors`. A pointer is a tuple of unescaped parts.
Called by everything that names a place in a JSON value.
"""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

from workflow.errors import ExpressionError

Json = Any
Parts = tuple[str, ...]
_INDEX = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)  # no list is longer, and int() refuses very long digits
_BAD_ESCAPE = re.compile(r"~(?![01])")


class Nothing(Enum):
    """What an expression or a selector gives when there is no such value; null is a value."""

    NOTHING = "nothing"

    def __bool__(self) -> bool:
        return False


NOTHING = Nothing.NOTHING


def escape(token: str) -> str:
    """`token` as part of a JSON pointer (RFC 6901)."""
    return token.replace("~", "~0").replace("/", "~1")


def child(pointer: str, name: str | int) -> str:
    """`pointer` with one more part, escaped."""
    return f"{pointer}/{escape(str(name))}"


def parse_pointer(text: str) -> Parts:
    """The parts of a pointer. Raises ExpressionError if it neither is empty nor starts with `/`, or misuses `~`."""
    if not text:
        return ()
    if text[0] != "/" or _BAD_ESCAPE.search(text):
        raise ExpressionError(f"{text!r} is no JSON Pointer; start it with / and write ~ as ~0, / as ~1")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text[1:].split("/"))


def resolve(value: Json, parts: Parts) -> Json | Nothing:
    """What `parts` lead to in `value`, or NOTHING."""
    for part in parts:
        if isinstance(value, Mapping):
            value = value.get(part, NOTHING)
        elif isinstance(value, list | tuple) and _INDEX.fullmatch(part) and int(part) < len(value):
            value = value[int(part)]
        else:
            return NOTHING
    return value


def replaced(value: Json, parts: Parts, new: Json) -> Json | Nothing:
    """`value` with `new` where `parts` lead to: a member may be new, an element must exist or be `-` (appended).

    NOTHING if the place's parent does not exist. `value` itself is not changed.
    """
    if not parts:
        return new
    part, rest = parts[0], parts[1:]
    if isinstance(value, Mapping):
        inner = replaced(value[part], rest, new) if part in value else (NOTHING if rest else new)
        return NOTHING if inner is NOTHING else {**value, part: inner}
    if isinstance(value, list):
        return _replaced_element(value, part, rest, new)
    return NOTHING


def without(value: Json, parts: Parts) -> Json:
    """`value` without the member that `parts` lead to; as it is where there is none. `value` itself is not changed."""
    if not parts or not isinstance(value, Mapping) or parts[0] not in value:
        return value
    part, rest = parts[0], parts[1:]
    if not rest:
        return {name: inner for name, inner in value.items() if name != part}
    return {**value, part: without(value[part], rest)}


def _replaced_element(value: list[Json], part: str, rest: Parts, new: Json) -> Json | Nothing:
    if part == "-" and not rest:
        return [*value, new]
    if not _INDEX.fullmatch(part) or int(part) >= len(value):
        return NOTHING
    inner = replaced(value[int(part)], rest, new)
    return NOTHING if inner is NOTHING else [*value[: int(part)], inner, *value[int(part) + 1 :]]
