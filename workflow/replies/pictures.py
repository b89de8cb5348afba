"""A thing as a read showed it, in short: what is remembered of it, and what a second read shows otherwise.

Made before a change and held against a second read where the device refused the change by a status that does not say
that nothing was begun (`workflow.running.compared`). Left out are secrets, what is empty, and what a device counts,
measures or dates by itself; states count. Lists are compared whatever their order. Bounded, since a run's state is
stored after each request: of a long value only its digest is kept. Pure.
"""

from collections.abc import Iterator, Mapping

import orjson

from workflow.documents.document import Json
from workflow.json.canonical import digest
from workflow.json.pointers import NOTHING, child, parse_pointer, resolve
from workflow.replies.expectations import ExpectationFinding
from workflow.replies.unasked import is_counted, is_secret

_MOST = 300  # values of one thing
_LONGEST = 100  # characters of a value that is kept as it is
_DEEPEST = 6


def picture_of(body: Json) -> dict[str, Json]:
    """What is remembered of what a read shows, by place."""
    found: dict[str, Json] = {}
    for place, value in _leaves("", body, _DEEPEST):
        if len(found) == _MOST:
            break
        found[place] = value
    return found


def told_otherwise(before: Mapping[str, Json], body: Json) -> tuple[ExpectationFinding, ...]:
    """A finding for each value that `body` shows otherwise than the picture; what was cut off tells nothing."""
    now = picture_of(body)
    is_cut = _MOST in (len(before), len(now))
    places = [place for place in before if place in now] if is_cut else [*before, *(now.keys() - before.keys())]
    return tuple(
        ExpectationFinding(place, "beside", "", _told(before.get(place)), _found(body, place))
        for place in sorted(places)
        if before.get(place) != now.get(place)
    )


def _leaves(place: str, value: Json, depth: int) -> Iterator[tuple[str, Json]]:
    if isinstance(value, Mapping) and depth:
        for name, inner in value.items():
            if not is_counted(str(name)) and not is_secret(str(name)):
                yield from _leaves(child(place, str(name)), inner, depth - 1)
    elif isinstance(value, Mapping | list):
        if value:
            yield place, {"digest": digest(_ordered(value))[-16:]}
    elif value is not None and value != "":
        text = value if isinstance(value, str) else ""
        yield place, value if len(text) <= _LONGEST else {"digest": digest(text)[-16:]}


def _ordered(value: Json) -> Json:
    """Without order, and without what moves by itself."""
    if isinstance(value, list):
        return sorted(orjson.dumps(_ordered(each), option=orjson.OPT_SORT_KEYS).decode() for each in value)
    if isinstance(value, Mapping):
        return {name: _ordered(inner) for name, inner in value.items() if not is_counted(str(name))}
    return value


def _told(value: Json) -> Json:
    return "something else" if isinstance(value, Mapping) else value


def _found(body: Json, place: str) -> Json:
    found = resolve(body, parse_pointer(place))
    return None if found is NOTHING else found
