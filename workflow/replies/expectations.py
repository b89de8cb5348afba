"""What has to hold after a change: what was asked for, held against what the device shows, and the verdict on it.

A step that reads back says in `x-switchgear.expects` what it is expected to show. Each entry has a `place` (a pointer,
for people), what was `asked` (a value as in a payload), where it is `found` (a value of the reply), how it is compared
(`compare`, see `workflow.replies.comparing`), and a `text`. Without `asked` it is what the step's own criteria show
(the state that was reached, the thing that is gone); without `found` (or not `shown`), what no read shows, and why.
With `before`, a value or several, it is about what has to be new: what is `found` must not be among what was there. One
that is to be `among` a list (`in`), or not (`out`), is looked for there. One
that is `assumed` follows from equal names alone: only another value there is a difference, null and nothing are not
seen; where values stand `against` it, only one of these is. Pure; made ready by `plan`, judged by `interpreter`, shown
to approvers by `governance.approval.dossier`.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from workflow.documents.document import Json
from workflow.documents.expressions import Expression
from workflow.documents.scope import Scope
from workflow.documents.values import Missing, Reference, Value
from workflow.json.pointers import NOTHING
from workflow.replies.comparing import Rule, compared, sameness

# old: it was there before, and was to be new; moving: neither what was asked for nor what stands against it;
# beside: nobody asked for it, and it is not as it was (`unasked`)
Sight = Literal["seen", "form", "differs", "unseen", "old", "moving", "beside"]
Verified = Literal["all", "some", "none"]
Among = Literal["", "in", "out"]
# What devices show in place of a secret.
_MASKED = re.compile(r"[*•●xX]{3,}|[<\[(](hidden|masked|redacted|secret)[>\])]|(redacted|hidden)", re.IGNORECASE)
_SECRET = re.compile(r"passw(or)?d|passphrase", re.IGNORECASE)
MOST_TOLD = 20  # differences of one run that are told; a list of a thousand members says no more
_TEXT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Expectation:
    """See the file's docstring. `is_lenient`: the description does not say that the read shows it. `is_assumed`: nor
    does it say that the value there has anything to do with what was asked for, but for its name.
    """

    place: str
    asked: Value | None = None
    found: Value | None = None
    compare: Rule = ""
    text: str = ""
    is_lenient: bool = False
    is_shown: bool = True
    before: Value | None = None
    is_assumed: bool = False
    against: tuple[Json, ...] = ()
    among: Among = ""

    @property
    def expressions(self) -> tuple[Expression, ...]:
        return tuple(
            each for value in (self.asked, self.found, self.before) if value is not None for each in value.expressions
        )


@dataclass(frozen=True, slots=True)
class ExpectationFinding:
    """One expectation after it was looked at; `asked` and `found` are there where they were compared.

    Of what is otherwise `beside` what was asked for, `asked` is what was there before. `was_so`: it is as it was asked
    for, and was before.
    """

    place: str
    sight: Sight
    text: str = ""
    asked: Json = None
    found: Json = None
    was_so: bool = False

    @property
    def is_otherwise(self) -> bool:
        """Whether it is not as was asked for."""
        return self.sight in ("differs", "old")

    @property
    def is_left_full(self) -> bool:
        """Whether something was sent empty, and is not: whether anything was taken out of it, it does not tell."""
        return self.sight == "unseen" and self.asked == {} and isinstance(self.found, Mapping)

    @property
    def is_of_nothing(self) -> bool:
        """Whether nothing is there at a place, as was asked for: it may have been so before."""
        return self.place != "" and all(value in (None, "", [], {}) for value in (self.asked, self.found))

    @property
    def is_to_come(self) -> bool:
        """Whether it is worth another look."""
        return self.is_otherwise or self.sight == "moving"

    def to_json(self) -> dict[str, Json]:
        return {name: getattr(self, name) for name in ExpectationFinding.__slots__}


def looked_at(expects: Iterable[Expectation], scope: Scope) -> tuple[ExpectationFinding, ...]:
    """What becomes of each expectation with the reply in `scope`; what was not asked for is left out."""
    return tuple(finding for each in expects for finding in _looked_at(each, scope))


def _looked_at(expected: Expectation, scope: Scope) -> list[ExpectationFinding]:
    if expected.before is not None:
        return _unless_new(expected, evaluated(expected.before, scope), scope)
    if expected.asked is None:
        return [ExpectationFinding(expected.place, "seen" if expected.is_shown else "unseen", expected.text)]
    asked = evaluated(expected.asked, scope)
    if asked is NOTHING or (asked == {} and not isinstance(expected.asked, Reference)):
        return []  # of what is written from several inputs none was given
    if expected.found is None:
        return [ExpectationFinding(expected.place, "unseen", expected.text)]
    found = evaluated(expected.found, scope)
    if expected.among:
        return [_among(expected, asked, found)]
    return [
        _finding(expected, each.place, each.asked, each.found, each.sameness)
        for each in compared(asked, found, expected.compare, expected.place)
    ]


def _unless_new(expected: Expectation, before: Json, scope: Scope) -> list[ExpectationFinding]:
    """A finding where all that is found was there before: what is new among it was made; of nothing nobody knows."""
    found = NOTHING if expected.found is None else evaluated(expected.found, scope)
    known, now = _listed(before), _listed(found)
    if not known or not all(any(sameness(each, one) != "differs" for one in known) for each in now):
        return []
    return [ExpectationFinding(expected.place, "old", expected.text, None, found)] if now else []


def _among(expected: Expectation, asked: Json, found: Json) -> ExpectationFinding:
    """Whether it is one of those in the list, or no longer, as it was to be."""
    how = [sameness(asked, each, expected.compare) for each in _listed(found)]
    is_there = any(each != "differs" for each in how)
    if is_there is (expected.among == "in"):
        return ExpectationFinding(expected.place, "seen", expected.text, asked, found if is_there else None)
    wanted = asked if expected.among == "in" else f"without {_short(asked)}"
    return ExpectationFinding(expected.place, "differs", expected.text, wanted, None if found is NOTHING else found)


def _listed(value: Json) -> list[Json]:
    return [] if value is NOTHING or value is None else value if isinstance(value, list) else [value]


def evaluated(value: Value, scope: Scope) -> Json:
    """The value, NOTHING also where what it needs is not there."""
    try:
        return value.evaluate(scope)
    except Missing:
        return NOTHING


def _finding(expected: Expectation, place: str, asked: Json, found: Json, how: str) -> ExpectationFinding:
    against = expected.against
    if how == "differs" and against and all(sameness(one, found) == "differs" for one in against):
        return ExpectationFinding(place, "moving", f"it is shown as {_short(None if found is NOTHING else found)}")
    if how == "open":
        text = "it was sent empty, and is not empty: an update may leave what it does not name"
        return ExpectationFinding(place, "unseen", text, asked, found)
    is_missing = found is NOTHING
    is_optional = expected.is_lenient or expected.is_assumed
    is_optional = is_optional or asked is False or (asked == 0 and not isinstance(asked, str))  # many leave it out
    if how == "differs" and ((is_missing and is_optional) or (found is None and expected.is_assumed)):
        return ExpectationFinding(place, "unseen", "the read does not show it")
    if how == "differs" and _SECRET.search(place.rpartition("/")[2]):
        return ExpectationFinding(place, "unseen", "a secret is not read back")
    if isinstance(found, str) and how == "differs" and _MASKED.fullmatch(found.strip()):
        return ExpectationFinding(place, "unseen", "the device shows it masked")
    sight: Sight = "seen" if how == "same" else "form" if how == "form" else "differs"
    return ExpectationFinding(place, sight, expected.text, asked, None if is_missing else found)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`verified` is "" where nothing was to hold (a read). `differences`: `place`, `asked`, `found` of each.

    `besides`: `place`, `before`, `found` of what nobody asked for and is not as it was; its `asked` is null.
    """

    verified: Verified | Literal[""] = ""
    why: str = ""
    differences: tuple[Mapping[str, Json], ...] = ()
    besides: tuple[Mapping[str, Json], ...] = ()


def verdict_of(findings: Iterable[ExpectationFinding]) -> Verdict:
    """All findings of a run in one word, with its reason."""
    known = tuple(findings)
    otherwise = [each for each in known if each.is_otherwise]
    differing = [each for each in otherwise if each.sight == "differs"]
    seen = [each for each in known if each.sight in ("seen", "form")]
    unseen = [each for each in known if each.sight in ("unseen", "moving")]
    besides = [each for each in known if each.sight == "beside"]
    if not known:
        return Verdict()
    verified: Verified = "none" if not seen else "some" if unseen or otherwise or besides else "all"
    differences = tuple({"place": d.place, "asked": d.asked, "found": d.found} for d in differing[:MOST_TOLD])
    moved = tuple({"place": d.place, "asked": None, "found": d.found, "before": d.asked} for d in besides[:MOST_TOLD])
    return Verdict(verified, _reason(seen, unseen, otherwise, moved), differences, moved)


def _reason(
    seen: list[ExpectationFinding],
    unseen: list[ExpectationFinding],
    differing: list[ExpectationFinding],
    besides: Iterable[Mapping[str, Json]],
) -> str:
    parts = []
    moved = told_moved(besides)
    if moved:
        parts.append(f"not asked for, and not as it was before: {moved}")
    if differing:
        parts.append(f"{len(differing)} of what was asked for is otherwise")
    if unseen:
        whys = dict.fromkeys(each.text for each in unseen if each.text)
        names = ", ".join(each.place or "the change itself" for each in unseen[:MOST_TOLD])
        parts.append(f"not to be seen: {names}" + (f" ({'; '.join(whys)})" if whys else ""))
    parts += [f"{f.place} is shown as {_short(f.found)}" for f in seen if f.sight == "form"][:MOST_TOLD]
    if not parts:
        parts.append("the device shows what was asked for")
    return "; ".join(parts)


def told_beside(findings: Iterable[ExpectationFinding]) -> str:
    """What is not as it was before, in words."""
    return ", ".join(_moved(each.place, each.found, each.asked) for each in findings)


def told_moved(besides: Iterable[Mapping[str, Json]]) -> str:
    """The same of a verdict's `besides`."""
    return ", ".join(_moved(each["place"], each["found"], each["before"]) for each in besides)


def _moved(place: str, found: Json, before: Json) -> str:
    return f"{place.lstrip('/')} is {_or_nothing(found)} (was: {_or_nothing(before)})"


def _short(value: Json) -> str:
    text = str(value)
    return text if len(text) <= _TEXT_LENGTH else f"{text[:_TEXT_LENGTH]}…"


def _or_nothing(found: Json) -> str:
    return "not there" if found is None else "empty" if found in ("", [], {}) else _short(found)


def told(difference: Mapping[str, Json]) -> str:
    """One difference in words."""
    found = _or_nothing(difference["found"])
    asked = "nothing" if difference["asked"] == "" else _short(difference["asked"])
    if found == asked:  # an object, and a text that reads like it
        found, asked = (_short(json.dumps(difference[each], ensure_ascii=False)) for each in ("found", "asked"))
    return f"{difference['place'].lstrip('/') or 'it'} is {found} (asked for: {asked})"
