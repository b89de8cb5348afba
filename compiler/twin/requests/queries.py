"""What reads can be asked to do: expand, select, filter, cut, and keep only what a declared parameter says.

Which parameter does what is the profile's `envelope.query`; the filter's grammar is the part of OData's that Redfish
requires (DSP0266, 7.3.4) without functions. A filter that is not understood is refused with 400, as a device does.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from compiler.twin.blueprint import Blueprint
from compiler.twin.requests.messages import RefusalError
from compiler.twin.values.pointers import MISSING, get, put

Json = Any
_COMPARISON = re.compile(r"^\(?\s*([\w/@.]+)\s+(eq|ne|gt|ge|lt|le)\s+('(?:[^']|'')*'|[\w.+-]+)\s*\)?$")
_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
}
_WORDS: Mapping[str, Json] = {"true": True, "false": False, "null": None}


def asked(blueprint: Blueprint, query: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Purpose → value, for the query parameters that the profile explains."""
    names = {word.partition("=")[0]: purpose for purpose, word in blueprint.profile.envelope.query.items()}
    return {names[name]: value for name, value in query if name in names}


def narrowed(items: list[Json], wanted: Mapping[str, str]) -> list[Json]:
    """The items that the filter keeps, without those before `skip` and after `top`."""
    if "filter" in wanted:
        items = [item for item in items if _passes(item, wanted["filter"])]
    skipped = items[_count(wanted["skip"]) :] if "skip" in wanted else items
    return skipped[: _count(wanted["top"])] if "top" in wanted else skipped


def selected(body: Json, wanted: Mapping[str, str], keep: tuple[str, ...]) -> Json:
    """Only the members asked for, and those that say what the thing is (`keep`)."""
    if "select" not in wanted or not isinstance(body, dict):
        return body
    small: Json = {name: body[name] for name in keep if name in body}
    for path in wanted["select"].split(","):
        value = get(body, "/" + path.strip().strip("/"))
        if value is not MISSING:
            small = put(small, "/" + path.strip().strip("/"), value)
    return small


def _count(text: str) -> int:
    if not text.isdigit():
        raise RefusalError(400, f"{text!r} is not a number of items")
    return int(text)


def _passes(item: Json, text: str) -> bool:
    return any(all(_holds(item, part) for part in re.split(r"\s+and\s+", one)) for one in re.split(r"\s+or\s+", text))


def _holds(item: Json, text: str) -> bool:
    found = _COMPARISON.match(text.strip())
    if found is None:
        raise RefusalError(400, f"the filter {text!r} is not understood")
    value, wanted = get(item, "/" + found[1]), _literal(found[3])
    if value is MISSING:
        return False
    try:
        return _TESTS[found[2]](value, wanted)
    except TypeError:
        return False


def _literal(text: str) -> Json:
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    if text in _WORDS:
        return _WORDS[text]
    try:
        return int(text) if text.lstrip("+-").isdigit() else float(text)
    except ValueError:
        return text
