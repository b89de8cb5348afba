"""What an update changed beside what was asked for: what a thing showed before it, held against what it shows.

Some devices take a PATCH for the whole thing, or for the whole of an object in it, and put back what it did not name. A
PUT is for the whole, and descriptions let callers leave out members of it: whoever does so does not mean to lose them.
Only what the update itself could have set and did not send is looked at (`kept`): not what devices count, measure,
date or move by themselves, going by its name, no secret, nothing that was empty, false or 0, of objects only the
members that the inputs describe, and of a map the texts in it. Gone, emptied or another value of the same kind is told
(`besides`), and never a failure: one member may change with another by right (an address with its mode). Pure; called
by `workflow.running.turn`, on the reads that `workflow.programs.earlier_reads` names.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from workflow.documents.document import Json
from workflow.documents.scope import Scope
from workflow.json.pointers import NOTHING, child, parse_pointer, resolve
from workflow.replies.answers import REFUSALS
from workflow.replies.comparing import sameness
from workflow.replies.expectations import Expectation, ExpectationFinding, evaluated

_MOST_KEPT = 2000  # characters of one value: a run's state is stored after each request
_DEEPEST = 4
_MOST_ENTRIES = 50
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_SECRET = re.compile(r"pass|secret|token|credential|private|community|key|auth|pin\b", re.IGNORECASE)


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# By the last word of a name: how a thing is.
_STATES = _set("state status health phase condition conditions power online connected reachable running busy ready")
# What a device keeps count of, measures, dates or moves by itself.
_COUNTED = _set(
    "at time date timestamp count counter total used usage free available remaining version revision generation etag "
    "link links href uri url self progress uptime hash checksum digest fingerprint temperature load expires expiry "
    "delta elapsed duration age lag lateness latency"
)
_ENDS_ALONE = _STATES | _COUNTED
# By any word of it.
_ALONE = _set(
    "volatile current actual last latest next modified changed updated created seen effective observed previous "
    "estimated"
)


def kept(expects: Iterable[Expectation], shown: Mapping[str, Json], schemas: Json, scope: Scope) -> dict[str, Json]:
    """What is kept of a thing until it is read back, by place. `shown`: what it shows, by the expectations' places.

    `schemas`: the schemas of the workflow's inputs, by name.
    """
    found: dict[str, Json] = {}
    for each in expects:
        asked = _asked(each, scope)
        schema = _schema_of(each, schemas)
        found |= dict(_unsent(each.place, shown.get(each.place, NOTHING), asked, schema, _DEEPEST))
    return found


def asked_before(shown: Mapping[str, Json], expects: Iterable[Expectation], scope: Scope) -> dict[str, Json]:
    """What a thing shows of what is asked for now, by place: plain values, and no secrets."""
    places = [each.place for each in expects if _asked(each, scope) is not NOTHING]
    plain = {place: shown[place] for place in places if place in shown and not is_secret(place.rpartition("/")[2])}
    return {place: value for place, value in plain.items() if _is_plain(value)}


def with_before(findings: Iterable[ExpectationFinding], before: Mapping[str, Json]) -> tuple[ExpectationFinding, ...]:
    """The findings, held against what was there `before`, by place: what was so already, and a state that goes on.

    A state that is neither as asked for nor as before was set, maybe, and went on from there; one that speaks of a
    failure did not.
    """
    return tuple(_with_before(each, before[each.place]) if each.place in before else each for each in findings)


def _with_before(one: ExpectationFinding, was: Json) -> ExpectationFinding:
    if one.sight in ("seen", "form"):
        return replace(one, was_so=sameness(one.asked, was) != "differs")
    is_state = _ends_in(one.place.rpartition("/")[2], _STATES)
    texts = [each.lower() for each in (was, one.asked, one.found) if isinstance(each, str)]
    if one.sight != "differs" or not is_state or len(set(texts)) < len(("before", "asked", "found")):
        return one
    if texts[-1] in REFUSALS or "err" in texts[-1]:
        return one
    return replace(one, sight="moving", text=f"it is shown as {one.found}, which it was not before")


def besides(expects: Iterable[Expectation], before: Mapping[str, Json], scope: Scope) -> Iterator[ExpectationFinding]:
    """A finding for each value of `before` (see `kept`) that the reply in `scope` shows otherwise."""
    known = tuple(expects)
    for place, was in before.items():
        for each in known:
            if f"{place}/".startswith(f"{each.place}/") and is_comparable(each):
                assert each.found is not None
                now = resolve(evaluated(each.found, scope), parse_pointer(place.removeprefix(each.place)))
                if _is_otherwise(was, now, each):
                    yield ExpectationFinding(place, "beside", "", was, None if now is NOTHING else now)
                break


def is_comparable(expected: Expectation) -> bool:
    """Whether it is about a value that a caller may give, at a place of the thing that is read back."""
    is_given = expected.asked is not None and [each.root for each in expected.asked.expressions] == ["inputs"]
    return is_given and expected.found is not None and len(expected.place) > 1 and not expected.among


def _asked(expected: Expectation, scope: Scope) -> Json:
    return evaluated(expected.asked, scope) if expected.asked is not None else NOTHING


def _schema_of(expected: Expectation, schemas: Json) -> Json:
    """The schema of the input that is sent there."""
    name = expected.asked.expressions[0].name if expected.asked is not None else ""
    return schemas.get(name) if isinstance(schemas, Mapping) else None


def _unsent(place: str, shown: Json, asked: Json, schema: Json, depth: int) -> Iterator[tuple[str, Json]]:
    """Each value that is there and was not sent, with its place."""
    name = place.rpartition("/")[2]
    if not shown or _is_moved_alone(name) or _SECRET.search(name) or depth == 0:
        return
    if isinstance(shown, Mapping):
        members = schema.get("properties") if isinstance(schema, Mapping) else None
        if asked is not NOTHING and not (isinstance(asked, Mapping) and asked):
            return  # the whole was set, or emptied
        if not members:  # a map: of what stood in it beside what was sent
            given: Mapping[str, Json] = asked if isinstance(asked, Mapping) else {}
            others = [inner for inner, value in shown.items() if inner not in given and isinstance(value, str)]
            members = dict.fromkeys(others[:_MOST_ENTRIES])
        for inner, described in members.items() if isinstance(members, Mapping) else ():
            sent = asked.get(inner, NOTHING) if isinstance(asked, Mapping) else NOTHING
            yield from _unsent(child(place, inner), shown.get(inner, NOTHING), sent, described, depth - 1)
    elif asked is NOTHING and len(json.dumps(shown, default=str)) <= _MOST_KEPT:
        yield place, shown


def _is_otherwise(was: Json, now: Json, expected: Expectation) -> bool:
    """Whether the value is gone, emptied or another one. Of lists of objects only that they are empty counts."""
    if _is_empty(now):
        return True
    if _kind(was) is not _kind(now) or (isinstance(was, list) and any(isinstance(each, Mapping) for each in was)):
        return False
    return sameness(was, now, expected.compare) == "differs"


def _is_empty(value: Json) -> bool:
    return value is NOTHING or value is None or value in ("", [], {})


def _kind(value: Json) -> Any:
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)


def _is_plain(value: Json) -> bool:
    is_short = not isinstance(value, str) or len(value) <= _MOST_KEPT
    return is_short and value is not NOTHING and not isinstance(value, Mapping | list)


def _is_moved_alone(name: str) -> bool:
    return _ends_in(name, _ENDS_ALONE)


def is_counted(name: str) -> bool:
    """Whether a value of this name moves without anybody doing anything, and is no state of the thing."""
    return _ends_in(name, _COUNTED)


def _ends_in(name: str, moving: frozenset[str]) -> bool:
    words = [word.lower() for word in _WORD.findall(name)]
    return words[-1:] != [] and (words[-1] in moving or not _ALONE.isdisjoint(words))


def is_secret(name: str) -> bool:
    """Whether it sounds like what nobody is to be told."""
    return _SECRET.search(name) is not None
