"""The texts of selectors and criteria: JSONPath (RFC 9535) and Arazzo's simple conditions.

Only text is made here; where a list and its things stand is asked of the resource. Values of inputs
are embedded as `{$inputs.x}`; the workflow language escapes them by where
they stand, so that an input cannot change the query.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from compiler.ir.model import Resource

_PLAIN = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
_INPUT = re.compile(r"\$inputs\.([A-Za-z0-9_-]+)")
_EXPRESSION = re.compile(r"\$steps\.([A-Za-z0-9_-]+)\.")


def quoted(text: str) -> str:
    """A single-quoted literal, valid in JSONPath."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def simple_quoted(text: str) -> str:
    """A literal of a simple condition: quotes inside are doubled."""
    return "'" + text.replace("'", "''") + "'"


def child(name: str) -> str:
    return f".{name}" if _PLAIN.match(name) else f"[{quoted(name)}]"


def from_pointer(pointer: str) -> str:
    """`/Members` → `.Members`; a JSON pointer as JSONPath segments."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    return "".join(f"[{part}]" if part.isdigit() else child(part) for part in parts)


def listed(resource: Resource) -> str:
    """The query of the list in the reply of the resource's source."""
    return "$" + from_pointer(resource.members)


def of_listed(resource: Resource, name: str = "") -> str:
    """What follows an element of that list: the thing itself, or its member `name`."""
    return from_pointer(resource.element_at) + (child(name) if name else "")


def any_of(conditions: Iterable[str]) -> str:
    return " || ".join(conditions)


def all_of(conditions: Sequence[str]) -> str:
    return " && ".join(f"({c})" for c in conditions) if len(conditions) > 1 else conditions[0]


def counted(base: str, query: str, comparison: str) -> str:
    """A query that selects something iff the number of nodes that `query` selects compares so; `base` is not empty."""
    return f"{base}[?count({query}) {comparison}]"


def jsonpath(condition: str) -> dict[str, Any]:
    """A criterion that holds when `condition` selects something in the reply's body."""
    return {"context": "$response.body", "condition": condition, "type": "jsonpath"}


def simple(condition: str) -> dict[str, Any]:
    return {"condition": condition}


IS_GOOD = "$statusCode == 200"
OK = simple(IS_GOOD)
# A list that is refused tells nothing, and is no reason not to make or put in anything.
ANSWERED = simple("$statusCode != null")


def selector(query: str) -> dict[str, Any]:
    """A Selector Object on the reply's body."""
    return {"context": "$response.body", "selector": query, "type": "jsonpath"}


def one_of_states(place: str, states: Sequence[str]) -> str:
    """A simple condition: the value at `place` is one of `states`; a truth value is written as its word."""
    switches = (state for state in states if state in ("true", "false"))
    return any_of([*(f"{place} == {simple_quoted(state)}" for state in states), *(f"{place} == {s}" for s in switches)])


def inputs_used(value: Any) -> list[str]:
    """The names of the inputs that the value (an expression, a template, or a structure of them) uses."""
    return _found(_INPUT, value)


def steps_used(value: Any) -> list[str]:
    """The ids of the steps whose outputs the value uses."""
    return _found(_EXPRESSION, value)


def _found(names: re.Pattern[str], value: Any) -> list[str]:
    if isinstance(value, str):
        return names.findall(value)
    if isinstance(value, Mapping):
        return [name for part in value.values() for name in _found(names, part)]
    if isinstance(value, (list, tuple)):
        return [name for part in value for name in _found(names, part)]
    return []
