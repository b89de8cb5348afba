"""What a value of a description is taken for when it has another shape than the specification says.

Here live the few coercions that every reader of the front end shares; here never lives a diagnostic or a rule about
one object of OpenAPI. Descriptions come from anywhere: readers ask through these, so that no shape can raise.
"""

from collections.abc import Mapping, Sequence
from typing import Any

NOTHING: Mapping[str, Any] = {}


class NotPlain(ValueError):
    """A value that has no canonical form: an integer beyond 2^53."""


MAX_INTEGER = 2**53 - 1


def mapping(value: Any) -> Mapping[str, Any]:
    """`value` if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else NOTHING


def sequence(value: Any) -> Sequence[Any]:
    """`value` if it is a list, else an empty one."""
    return value if isinstance(value, list) else ()


def text(value: Any) -> str:
    """`value` as text: numbers and booleans as JSON writes them, anything else as nothing."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else ""


def plain(value: Any) -> Any:
    """A copy of `value` with sorted keys, so that the order in the file cannot reach the output. Raises NotPlain."""
    if isinstance(value, dict):
        return {key: plain(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, int) and not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise NotPlain(str(value))
    return value
