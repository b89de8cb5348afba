"""A sentence as the things that it wants done, one after the other.

English habits only: clauses are parted by commas, `then`, `and`, `before` and `after`; a clause without a verb takes
the one before it, a clause that names nothing (`start it`) is about what the one before was about; a condition and a
wait are no operations, and are kept as notes. Pure text. Called by `asked`.
"""

import re
from dataclasses import dataclass, replace

from compiler.passes.flows.wording.linter import KNOWN_VERBS
from workflow.search.question import Idea, Want, understood, want_of
from workflow.search.stems import WORD, stems_of
from workflow.search.words import ASKING, EMPTY, LOOKING, POLITE

MOST_CLAUSES = 5
_JOINTS = re.compile(
    r"\s*(?:[,;.]\s*(?:and\s+)?then|[,;.]\s*(?:and|finally|afterwards)|[,;.]"
    r"|\band then\b|\bthen\b|\band\b|\bbefore\b|\bafter\b)\s+",
    re.IGNORECASE,
)
# `once it is off`; not `boot once`.
_CONDITION = re.compile(
    r"\b(?:(?:when|if|until|unless|while|as soon as)\b|once (?:it|they|the|that|this|all)\b).*$", re.IGNORECASE
)
# What a change checks itself before it is made, or waits for.
_STATE = re.compile(
    r"^(?:when|once|as soon as)\b.*\b(?:on|off|up|down|ready|running|stopped|paused|done|over|finished)$", re.IGNORECASE
)
_WAIT = re.compile(r"^(?:wait|make sure|check that|verify that)\b", re.IGNORECASE)
_FIRST = re.compile(r"^(?:first|at last|finally|afterwards|also)\s+", re.IGNORECASE)
_QUOTED = re.compile(r"[“\"'‘]([^”\"'’]{1,60})[”\"'’]")
_CALLED = re.compile(r"\b(?:called|named)\s+(\S+)", re.IGNORECASE)
_NOUN = re.compile(r"(?:tion|ment|ance|ence|ity|ness)s?$")
_PRONOUNS = frozenset(("it", "them", "its", "their"))
# How much of something, which is no thing itself.
_COMPARED = frozenset(("more", "less", "bigger", "larger", "smaller", "fewer", "faster"))
MEASURES = frozenset(
    stems_of((*_COMPARED, "two", "three", "four", "twice", "half", "double", "gb", "mb", "tb")).values()
)
_SWITCHED = frozenset({"on", "off", "up", "down"})  # `power on`
_VERBS = frozenset(stems_of(KNOWN_VERBS).values())
_GLUE = frozenset(
    ("first", "again", "afterwards", "finally", "also", "new", "named", "called", "same", "just", "next", "then")
)


@dataclass(frozen=True, slots=True)
class Clause:
    """`said`: as it was written. `text`: what is looked for. `names`: stems of what names one thing (`web-01`).

    `is_ordered`: whether the sentence says that it comes after the clause before it. `unmet`: a condition that no step
    can check, "" where there is none.
    """

    said: str
    text: str
    names: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    is_ordered: bool = True
    unmet: str = ""


def clauses_of(sentence: str) -> list[Clause]:
    """The clauses in the order in which they are to be done, at most five."""
    parts = _parted(" ".join(sentence.split()))
    found: list[Clause] = []
    for joint, part in parts[: 2 * MOST_CLAUSES]:
        clause = _clause(part, found[-1] if found else None, is_ordered=joint != "and")
        if clause.text:
            found.append(clause)
        elif found and clause.notes:
            found[-1] = _with_notes(found[-1], clause.notes)
        if joint == "after" and len(found) > 1:
            found[-2:] = [found[-1], found[-2]]
    return found[:MOST_CLAUSES]


def _parted(sentence: str) -> list[tuple[str, str]]:
    """(what joins it to the part before, the part)."""
    parts, at, joint = list[tuple[str, str]](), 0, ""
    for match in _JOINTS.finditer(sentence):
        parts.append((joint, sentence[at : match.start()]))
        at, joint = match.end(), match[0].strip(" ,;.").lower()
    return [(joint, part) for joint, part in (*parts, (joint, sentence[at:])) if part.strip(" .!?")]


def _clause(part: str, before: Clause | None, *, is_ordered: bool) -> Clause:
    said = _FIRST.sub("", part.strip(" .!?,;"))
    if _WAIT.search(said):
        return Clause(said, "", notes=(f"“{said}” is what the workflow's own waiting and reading back do",))
    condition = _CONDITION.search(said)
    plain = _CONDITION.sub("", said).strip(" ,") if condition else said
    notes = (f"“{condition[0]}” is left to what the steps check themselves",) if condition else ()
    names = _names(plain)
    told = WORD.findall(plain.lower())
    stems = stems_of(told)
    kept = [word for word in told if word not in _GLUE and stems[word] not in names]
    text = " ".join(kept) if not EMPTY.issuperset(kept) else ""
    unmet = condition[0] if condition and not _STATE.search(condition[0]) else ""
    return Clause(said, _whole(text, before), names, notes, is_ordered, unmet)


def _whole(text: str, before: Clause | None) -> str:
    """With the verb or the thing of the clause before, where it has none of its own."""
    verbs, things = verbs_and_things(text)
    if before is None or not (verbs or things):
        return text
    if not verbs and wants_of(text) in ("know", "act", "name"):
        return f"{_verb(before.text)} {text}"
    is_about_it = not things or not _PRONOUNS.isdisjoint(text.split())
    return f"{text} {_things(before)}".strip() if is_about_it else text


def verbs_and_things(text: str) -> tuple[list[Idea], list[Idea]]:
    """The ideas of what is done, and those of what it is done to: the first word is a verb where it can be one, and a
    noun that is made of a verb (`configuration`) is none."""
    verbs, things = list[Idea](), list[Idea]()
    nouns = frozenset(stems_of(word for word in text.split() if _NOUN.search(word)).values())
    for number, idea in enumerate(understood(text).ideas if text else ()):
        is_first = number == 0 and (idea.said[0] in _VERBS or (len(idea.said) > 1 and idea.said[-1] in _SWITCHED))
        is_verb = is_first or (idea.is_verb and idea.said[0] not in nouns)
        (verbs if is_verb else things).append(idea)
    return verbs, things


def wants_of(text: str) -> Want:
    """What the clause wants, by its first word where that is a verb."""
    first = next((word for word in text.split() if word not in POLITE), "")
    if first in LOOKING or first in ASKING:
        return understood(text).wants
    wanted = want_of(first)
    is_verb = wanted != "act" or stems_of((first,))[first] in _VERBS
    return wanted if is_verb and _COMPARED.isdisjoint(text.split()) else understood(text).wants


def _verb(text: str) -> str:
    return next((word for word in text.split() if word not in EMPTY | POLITE), "")


def _things(clause: Clause) -> str:
    """The words of the clause that name what it is about."""
    _, things = verbs_and_things(clause.text)
    told = {stem for idea in things for stem in idea.said} - clause.names
    stems = stems_of(clause.text.split())
    return " ".join(word for word in clause.text.split() if stems[word] in told)


def _names(text: str) -> frozenset[str]:
    """Stems of what is no word but a name: quoted, with a figure, or behind `called`."""
    quoted = [word for found in _QUOTED.findall(text) for word in found.split()]
    figures = [word for word in text.split()[1:] if any(c.isdigit() for c in word)]
    said = [part for word in (*quoted, *figures, *_CALLED.findall(text)) for part in WORD.findall(word.lower())]
    return frozenset(stems_of(said).values())


def _with_notes(clause: Clause, notes: tuple[str, ...]) -> Clause:
    return replace(clause, notes=(*clause.notes, *notes))
