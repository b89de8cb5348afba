"""What a reply shows of why a step is not fulfilled: the state found, which things fit, which names come nearest.

Read off the step itself: the values that its conditions compare, the things among which its queries select. So any
document tells it, whoever wrote it. Bounded; each value is one visible line. Members that sound like secrets are not
told. Pure; called by `interpreter`, which puts it behind a failure's message.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches

from workflow.documents.conditions import Condition
from workflow.documents.criteria import CompiledCriterion, PathCondition
from workflow.documents.document import Json
from workflow.documents.expressions import Expression
from workflow.documents.queries import Query
from workflow.documents.scope import Scope
from workflow.documents.selectors import PathQuery
from workflow.documents.templates import text_of
from workflow.documents.values import Selected
from workflow.json.pointers import NOTHING, resolve
from workflow.programs.program import ProgramStep
from workflow.replies.device_texts import one_line
from workflow.requests.events import Failure

_MEMBER = re.compile(r"\['((?:[^'\\]|\\.)*)'\]")
_MOST_THINGS = 5
_MOST_NAMES = 3
_MOST_LOOKED_AT = 1000  # names that are compared with the one asked for; each costs some 50 µs
_MOST_TELLING = 3  # members beside the id that tell things of one name apart
_MOST_CHARACTERS = 80  # of a value
_FEW = 5  # names that are told even where none comes near
_NEAR = 0.6
_SECRET = re.compile(r"pass|secret|token|credential|private|community|key|auth|pin", re.IGNORECASE)


def explained(failure: Failure, step: ProgramStep, scope: Scope, last: Json) -> Failure:
    """`failure` with a sentence on what the reply shows of why, else with what was seen `last`."""
    found = finding(step, scope, failure.code)
    if not found:
        return with_last(failure, last)
    return replace(failure, message=f"{failure.message.rstrip('.')}. {found}")


def with_last(failure: Failure, last: Json) -> Failure:
    """`failure` with what the step saw before the attempt that was due (`Frame.last`), where it waits for something."""
    known = last or {}
    message = f"{failure.message}; seen last: {known['found']}" if known.get("found") else failure.message
    return replace(failure, message=message, said=failure.said or tuple(known.get("said", ())))


def seen_now(step: ProgramStep, scope: Scope) -> Json:
    """What is kept of a reply until the next attempt: the state that was found, and what the device said."""
    assert scope.reply is not None
    return {"found": state_found(step, scope), "said": list(scope.reply.said)}


def finding(step: ProgramStep, scope: Scope, code: str) -> str:
    """A sentence on what was found where a failure has this code; empty where nothing tells."""
    if step.request is None or scope.reply is None or not 200 <= scope.reply.status < 300:
        return ""
    if code == "ambiguous":
        return _candidates(step, scope)
    if code == "not_found":
        return _nearest(step, scope)
    state = state_found(step, scope)
    return f"Found: {state}." if state else ""


def state_found(step: ProgramStep, scope: Scope) -> str:
    """The values that the step's conditions compare: `PowerState Off`; empty where none is there."""
    told: dict[str, str] = {}
    for expression in _compared(step.success):
        name = expression.pointer[-1] if expression.pointer else ""
        value = expression.evaluate(scope)
        if name and _is_plain(value):
            told[name] = _shown(value)
    for name, value in _conditions_of_things(step, scope):
        told.setdefault(name, _shown(value))
    return ", ".join(f"{name} {value}" for name, value in told.items() if not _SECRET.search(name))


def _compared(criteria: tuple[CompiledCriterion, ...]) -> Iterator[Expression]:
    for criterion in criteria:
        if isinstance(criterion, Condition):
            yield from (each for each in criterion.expressions if each.root == "response" and each.place == "body")


def _conditions_of_things(step: ProgramStep, scope: Scope) -> Iterator[tuple[str, Json]]:
    """Members that the step's conditions ask for beside what selects the thing, of the one thing selected."""
    lookups = list(_lookups(step))
    selecting = {name for lookup in lookups for name in (*lookup.names, *lookup.path)}
    asked = {
        name
        for criterion in step.success
        if isinstance(criterion, PathCondition)
        for segment in criterion.query.query.segments
        for name in _MEMBER.findall(str(segment))
    }
    for lookup in lookups:
        things = lookup.things(scope)
        if len(things) == 1:
            yield from ((name, things[0][name]) for name in sorted(asked - selecting) if _is_plain(things[0].get(name)))


# Things in a list


class _Lookup:
    """An output that selects a member (`id`) of one of several things by a filter."""

    def __init__(self, query: PathQuery) -> None:
        segments = query.query.segments
        self._query = query
        self._segments = segments
        self._filter = _filter_of(segments)
        self._around = _members(segments[self._filter + 1 : -1])  # what is around a thing in its list
        self.names = tuple(n for n in _members(segments[self._filter : self._filter + 1]) if n not in self._around)
        self.path = (*_members(segments[: self._filter]), *self._around)
        self.id = next(iter(_members(segments[-1:])), "")

    def things(self, scope: Scope) -> list[Mapping[str, Json]]:
        """Those that fit."""
        return self._found(self._segments[: self._filter + 1], scope)

    def all(self, scope: Scope) -> list[Mapping[str, Json]]:
        """Those among which it selects."""
        return self._found(self._segments[: self._filter], scope, is_whole=True)

    def asked(self, scope: Scope) -> list[str]:
        """The texts that it compares with, as the caller gave them."""
        texts = (slot.template.fill(scope) for slot in self._query.slots)
        return [text for text in dict.fromkeys(texts) if isinstance(text, str) and text]

    def _found(self, segments: tuple[Json, ...], scope: Scope, *, is_whole: bool = False) -> list[Mapping[str, Json]]:
        assert scope.reply is not None
        found = PathQuery(Query(segments), self._query.slots).find(scope.reply.body, scope)
        listed: list[Json] = [] if found is NOTHING else list(found)
        if is_whole:
            listed = [each for one in listed for each in (one if isinstance(one, list) else [one])]
        return [each for one in listed if isinstance(each := resolve(one, self._around), Mapping)]


def _members(segments: Iterable[Json]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for segment in segments for name in _MEMBER.findall(str(segment))))


def _filter_of(segments: tuple[Json, ...]) -> int:
    """The number of the last segment that is a filter with members behind it; -1 where none is."""
    return next((n for n in range(len(segments) - 2, -1, -1) if "?" in str(segments[n])), -1)


def _lookups(step: ProgramStep) -> Iterator[_Lookup]:
    for output in step.outputs:
        if not isinstance(output.value, Selected) or output.value.selection.context.text != "$response.body":
            continue
        query = output.value.selection.query
        if isinstance(query, PathQuery) and _filter_of(query.query.segments) >= 0:
            yield _Lookup(query)


def _candidates(step: ProgramStep, scope: Scope) -> str:
    """The things that fit, each by its id and by what tells it from the others."""
    for lookup in _lookups(step):
        things = lookup.things(scope)
        if len(things) > 1:
            telling = _telling_apart(things, lookup.id)
            shown = [_thing(each, lookup.id, telling) for each in things[:_MOST_THINGS]]
            more = len(things) - len(shown)
            return f"They are: {'; '.join(shown)}{f'; and {more} more' if more else ''}."
    return ""


def _telling_apart(things: list[Mapping[str, Json]], identity: str) -> list[str]:
    names = dict.fromkeys(name for thing in things for name in thing if name != identity and not _SECRET.search(name))
    differing = (name for name in names if len({_key(thing, name) for thing in things}) > 1)
    return [name for name in differing if all(_is_plain(each.get(name, "")) for each in things)][:_MOST_TELLING]


def _key(thing: Mapping[str, Json], name: str) -> str:
    return text_of(thing.get(name))


def _thing(thing: Mapping[str, Json], identity: str, telling: Iterable[str]) -> str:
    apart = ", ".join(f"{name} {_shown(thing[name])}" for name in telling if thing.get(name) not in (None, ""))
    return f"{identity} {_shown(thing.get(identity))}" + (f" ({apart})" if apart else "")


def _nearest(step: ProgramStep, scope: Scope) -> str:
    """The names that are there and come nearest to the one asked for; of a few things all."""
    for lookup in _lookups(step):
        if lookup.things(scope):
            continue
        names = list(dict.fromkeys(_names(lookup.all(scope), lookup.names, lookup.id)))[:_MOST_LOOKED_AT]
        near = _near(lookup.asked(scope), names)
        if near:
            return f"The nearest: {', '.join(near)}."
        return f"There is: {', '.join(map(_shown, names))}." if 0 < len(names) <= _FEW else ""
    return ""


def _names(things: list[Mapping[str, Json]], members: tuple[str, ...], identity: str) -> Iterator[str]:
    """What people call the things: the members that the query compares, but for the id where there is another."""
    called = [name for name in members if name != identity] or [identity]
    for thing in things:
        for name in called:
            value = thing.get(name)
            if isinstance(value, str) and value and not _SECRET.search(name):
                yield value.rstrip("/").rpartition("/")[2] if value.startswith("/") else value


def _near(asked: list[str], names: list[str]) -> list[str]:
    plain: dict[str, str] = {}
    for name in names:
        plain.setdefault(name.lower(), name)
    for text in asked:
        found = get_close_matches(text.lower()[:200], plain, _MOST_NAMES, _NEAR)
        if found:
            return [_shown(plain[each]) for each in found]
    return []


def _is_plain(value: Json) -> bool:
    return value is not NOTHING and value is not None and not isinstance(value, Mapping | list)


def _shown(value: Json) -> str:
    text = one_line(text_of(value), _as_is)
    return text if len(text) <= _MOST_CHARACTERS else text[: _MOST_CHARACTERS - 1] + "…"


_as_is: Callable[[str], str] = str
