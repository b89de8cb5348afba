"""A sentence as the things that it wants done, one after the other.

English habits only: a clause without a verb takes the one before it, a clause that names nothing (`start it`) is about
what the one before was about; a condition and a wait are no operations, and are kept as notes. What no step can promise
(`if it is old`, `without its disk`, `or`) is said of the clause, and never left out. Where clauses end is `parting`.
Pure text. Called by `asked`.
"""

import re
from dataclasses import dataclass, replace

from compiler.passes.flows.wording.linter import KNOWN_VERBS
from compiler.proposals.parting import SentencePart, parts_of
from workflow.search.question import Idea, understood
from workflow.search.stems import WORD, stems_of
from workflow.search.wishes import Want, want_of
from workflow.search.words import ASKING, EMPTY, GIVING, LOOKING, POLITE

MOST_CLAUSES = 5
# `once it is off`; not `boot once`. `after` is left where it says a state.
_CONDITION = re.compile(
    r"\b(?:(?:when|if|until|unless|while|after|before|as soon as|as long as|in case|provided)\b"
    r"|once (?:it|they|the|that|this|all)\b|(?:that|which|who) (?:is|are|has|have|was|were)\b"
    r"|(?:older|newer|younger|longer|larger|bigger|smaller) than\b).*$",
    re.IGNORECASE,
)
# What a change checks itself before it is made, or waits for; of what, is the group.
_STATE = re.compile(
    r"^(?:when|once|as soon as|after) (.*?) ?\b(?:(?:is|are|has|have|was|were|gets|becomes|comes) )?(?:been )?"
    r"(?:on|off|up|down|ready|running|stopped|paused|done|over|finished)$",
    re.IGNORECASE,
)
_WAIT = re.compile(r"^(?:wait|make sure|check that|verify that)\b", re.IGNORECASE)
_FIRST = re.compile(
    r"^(?:(?:first|at last|finally|afterwards|also|next|but|please) )?(?:(?:you|we|i) (?:have |had )?)?", re.IGNORECASE
)
_REFUSED = re.compile(r"^(?:do not|don['’]?t|never|not)\b", re.IGNORECASE)
_UNPROMISED = re.compile(r"\b(?:without|except|instead of|not|never)\b.*$", re.IGNORECASE)
_CHOICE = re.compile(r"\b(?:either|or)\b", re.IGNORECASE)
_REPEATED = re.compile(r"\b(?:twice|repeatedly|\w+ times)$", re.IGNORECASE)
_QUOTED = re.compile(r"[“\"'‘]([^”\"'’]{1,60})[”\"'’]")
_CALLED = re.compile(r"\b(?:called|named)\s+(\S+)", re.IGNORECASE)
_NOUN = re.compile(r"(?:tion|ment|ance|ence|ity|ness)s?$")
_PRONOUNS = frozenset(("it", "them", "its", "their", "him", "her", "his"))
# How much of something, which is no thing itself.
_COMPARED = frozenset(("more", "less", "bigger", "larger", "smaller", "fewer", "faster"))
MEASURES = frozenset(stems_of((*_COMPARED, "two", "three", "four", "half", "double", "gb", "mb", "tb")).values())
_SWITCHED = frozenset({"on", "off", "up", "down"})  # `power on`
_ENDING = frozenset({"stop", "quit", "cease"})  # `stop blinking it` is no blinking
_TIME = re.compile(
    r"\b(?:(?:every|each) (?:night|day|hour|week|month|minute|morning|evening|weekend|\w+day|\d+ \w+)"
    r"|nightly|daily|hourly|weekly|monthly|tonight|tomorrow"
    r"|(?:at|by) (?:midnight|noon|\d{1,2}(?::\d\d| ?[ap]m| o.clock))"
    r"|on (?:mon|tues|wednes|thurs|fri|satur|sun)days?|in \d+ (?:seconds|minutes|hours|days|weeks))\b",
    re.IGNORECASE,
)
# Things that are many: `delete every vm`, `create two vms`.
_ALL = frozenset(("all", "every", "each", "both"))
_SEVERAL = re.compile(
    r"^(?:\w+ ){1,2}?(all|every|each|both|several|two|three|four|five|six|seven|eight|nine|ten|\d{1,3}) (?:of )?"
    r"(?:the |my |our |these |new |more |other )*(\w+)",
    re.IGNORECASE,
)
_DETERMINERS = frozenset(("a", "an", "the", "its", "their", "his", "her", "my", "our"))
# "Delete its snapshots" is about all of them; "read its status" is about one.
_ALL_OF_ONE = re.compile(r"^(?:\w+ )?(its|their) (\w+[^\Wsu]s)$")
_SAID_BEFORE = _PRONOUNS | {"that", "this", "they", "all", "both", "of"}
_VERBS = frozenset(stems_of(KNOWN_VERBS).values())
_GLUE = frozenset(
    ("first", "again", "afterwards", "finally", "also", "new", "named", "called", "same", "just", "next", "then")
)


@dataclass(frozen=True, slots=True)
class Clause:
    """`said`: as it was written. `text`: what is looked for. `names`: stems of what names one thing (`web-01`).

    `is_ordered`: whether the sentence says that it comes after the clause before it. `unmet`: what of it no step can
    check or promise, and why, "" where there is none. `about`: the words for what `it` is in the next clause.
    `conditions`: as they were written. `when`: the time at which it is to be done, "" where none is said. `otherwise`:
    what may be looked for instead, where `it` may be of what was told longer ago.
    """

    said: str
    text: str
    names: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    is_ordered: bool = True
    unmet: str = ""
    about: str = ""
    conditions: tuple[str, ...] = ()
    when: str = ""
    otherwise: tuple[str, ...] = ()


def clauses_of(sentence: str) -> list[Clause]:
    """The clauses in the order in which they are to be done, at most one more than a workflow may have."""
    found: list[Clause] = []
    waiting: Clause | None = None  # a condition that stands before what it is of
    turned = False  # whether the clause before is to be done after the next one: `before you X, Y`
    for part in parts_of(sentence):
        switch = _switched(found[-1], part) if found else ""
        if switch:  # "turn it off and on again"
            part = SentencePart(switch, part.joint)
        elif found and _goes_on(found[-1], part):
            part = SentencePart(f"{found[-1].said} and {part.said}", "" if found[-1].is_ordered else "and")
            found.pop()
        clause = _clause(part, found[-1] if found else waiting)
        clause = replace(clause, otherwise=_otherwise(part, clause, found[:-1]))
        if not clause.text:
            waiting = _both(waiting, clause)
            continue
        found.append(_both(clause, waiting))
        waiting = None
        if len(found) > 1 and (turned or part.joint in ("after", "first")):
            found[-2:] = [replace(found[-1], is_ordered=True), replace(found[-2], is_ordered=True)]
        turned = part.joint == "before" and len(found) == 1
        if len(found) > MOST_CLAUSES:
            break
    if found and waiting is not None:
        found[-1] = _both(found[-1], waiting)
    return [_judged(clause, " ".join(each.text for each in found[: at + 1])) for at, clause in enumerate(found)]


def _otherwise(part: SentencePart, clause: Clause, longer_ago: list[Clause]) -> tuple[str, ...]:
    """The same clause about what was told before the last one: "stop the VM, take a snapshot, start it"."""
    told = dict.fromkeys(each.about for each in reversed(longer_ago) if each.about and each.about != clause.about)
    if _PRONOUNS.isdisjoint(clause.text.split()):
        return ()
    return tuple(_clause(part, replace(longer_ago[0], about=about)).text for about in told)


def _switched(before: Clause, part: SentencePart) -> str:
    """The clause before with the other switch, where the part says no more than that; else ""."""
    told = [word for word in WORD.findall(part.said.lower()) if word not in _GLUE and word not in _PRONOUNS]
    switches = [word for word in before.text.split() if word in _SWITCHED]
    if len(told) != 1 or told[0] not in _SWITCHED or len(switches) != 1:
        return ""
    return " ".join(told[0] if word in _SWITCHED else word for word in before.text.split())


def _goes_on(before: Clause, part: SentencePart) -> bool:
    """Whether it tells more of what the clause before makes: `with 4 cores and 8 GB`."""
    if part.joint != "and" or verbs_and_things(" ".join(WORD.findall(part.said.lower())))[0]:
        return False
    return part.said[0].isdigit() or " with " in f" {before.said} "


def _both(clause: Clause | None, other: Clause | None) -> Clause:
    """The clause with what another one that wants nothing done says of it."""
    if clause is None or other is None:
        told = clause or other
        assert told is not None
        return told
    notes, conditions = (*clause.notes, *other.notes), (*clause.conditions, *other.conditions)
    return replace(clause, notes=notes, conditions=conditions, about=clause.about or other.about)


def _judged(clause: Clause, told: str) -> Clause:
    """With what no step can check. `told`: all that is looked for so far."""
    stems = frozenset(stems_of(WORD.findall(told.lower())).values())
    unmet = next((each for each in clause.conditions if not _is_checked(each, stems)), "")
    if clause.unmet or not unmet:
        return clause
    return replace(clause, unmet=f"“{unmet}” is a condition that no step can check")


def _is_checked(condition: str, stems: frozenset[str]) -> bool:
    """Whether it is a state of what is told: nobody looks at another thing."""
    subject = _subject(condition)
    of = understood(subject).ideas if subject else ()
    is_there = all(any(stems.issuperset(phrase) for phrase in (idea.said, *idea.others)) for idea in of)
    return bool(_STATE.search(condition)) and is_there


def _clause(part: SentencePart, before: Clause | None) -> Clause:
    said = _FIRST.sub("", part.said)
    if _WAIT.search(said):
        return Clause(said, "", notes=(f"“{said}” is what the workflow's own waiting and reading back do",))
    if _REFUSED.search(said):
        return Clause(said, "", notes=(f"“{said}” is nothing to be done",))
    condition = _CONDITION.search(said)
    plain = _CONDITION.sub("", said).strip(" ,") if condition else said
    notes = (f"“{condition[0]}” is left to what the steps check themselves",) if condition else ()
    names = _names(plain)
    each = WORD.findall(plain.lower())
    stems = stems_of(each)
    kept = [word for word in each if word not in _GLUE and stems[word] not in names]
    text = " ".join(kept) if not EMPTY.issuperset(kept) else ""
    text, about = _whole(text, names, before)
    conditions = (condition[0],) if condition else ()
    about = about or (_subject(condition[0]) if condition else "")
    when = _TIME.search(plain)
    told = when[0] if when else ""
    return Clause(said, text, names, notes, part.joint != "and", _unpromised(plain), about, conditions, told)


def _unpromised(plain: str) -> str:
    """What the words want that no workflow can promise, and why."""
    for pattern, why in (
        (_UNPROMISED, "is nothing that a step can promise"),
        (_CHOICE, "leaves a choice open"),
        (_REPEATED, "is more than a workflow does, which is once"),
    ):
        found = pattern.search(plain)
        if found and not plain.endswith("on or off"):
            return f"“{found[0]}” {why}"
    return ""


def _subject(condition: str) -> str:
    """What the condition is of, "" where that is a pronoun or cannot be told."""
    found = _STATE.search(condition)
    words = WORD.findall(found[1].lower()) if found else []
    return "" if _SAID_BEFORE.issuperset(words) else " ".join(word for word in words if word not in EMPTY)


def _whole(text: str, names: frozenset[str], before: Clause | None) -> tuple[str, str]:
    """With the verb or the thing of the clause before, where it has none of its own; and what it is about."""
    verbs, things = verbs_and_things(text)
    own = _words_of(text.partition(" with ")[0], things, names)
    if before is None or not (verbs or things):
        return text, own
    if not verbs and before.text and wants_of(text) in ("know", "act", "name"):
        return f"{_verb(before.text)} {text}", own
    made = _made_before(things, before)
    if made and before.about:
        stems = stems_of(text.split())
        return " ".join(word for word in text.split() if stems[word] not in made) + f" {before.about}", before.about
    if not things or not _PRONOUNS.isdisjoint(text.split()):
        return f"{text} {before.about}".strip(), before.about
    return text, own


def _made_before(things: list[Idea], before: Clause) -> frozenset[str]:
    """The words by which a clause is about what the one before makes: `clone the vm and start the clone`."""
    done = {phrase for idea in verbs_and_things(before.text)[0] for phrase in (idea.said, *idea.others)}
    if len(things) != 1 or done.isdisjoint((things[0].said, *things[0].others)):
        return frozenset()
    return frozenset(things[0].said)


def several_of(clause: Clause) -> tuple[str, str]:
    """How the clause says that it is of many things, and what they are called where they are counted: ("all", ""),
    ("two", "vms"); empty where it is of one."""
    found = _SEVERAL.search(clause.said.lower()) or _ALL_OF_ONE.search(clause.said.lower())
    if found is None:
        return "", ""
    return found[1], "" if found[1] in _ALL else found[2]


def verbs_and_things(text: str) -> tuple[list[Idea], list[Idea]]:
    """The ideas of what is done, and those of what it is done to: the first word is a verb where it can be one, and a
    noun that is made of a verb (`configuration`) is none."""
    verbs, things = list[Idea](), list[Idea]()
    nouns = frozenset(stems_of(word for word in text.split() if _NOUN.search(word)).values())
    begins = next(iter(text.split()), "") not in _DETERMINERS  # "its snapshots" are things
    for number, idea in enumerate(understood(text).ideas if text else ()):
        is_phrase = len(idea.said) > 1 and (idea.said[-1] in _SWITCHED or any(p[0] in _VERBS for p in idea.others))
        is_first = begins and number == 0 and (idea.said[0] in _VERBS or is_phrase)
        is_verb = is_first or (idea.is_verb and idea.said[0] not in nouns)
        (verbs if is_verb else things).append(idea)
    return verbs, things


def wants_of(text: str) -> Want:
    """What the clause wants, by its first word where that is a verb."""
    first = next((word for word in text.split() if word not in POLITE), "")
    if first in LOOKING or first in ASKING:
        return understood(text).wants
    words = text.split()
    if len(words) > 1 and words[0] in _ENDING and words[1].endswith("ing"):
        return "delete"
    if first in GIVING:
        return understood(text).wants
    wanted = want_of(first)
    is_verb = wanted != "act" or stems_of((first,))[first] in _VERBS
    return wanted if is_verb and _COMPARED.isdisjoint(text.split()) else understood(text).wants


def _verb(text: str) -> str:
    return next((word for word in text.split() if word not in EMPTY | POLITE), "")


def _words_of(text: str, things: list[Idea], names: frozenset[str]) -> str:
    """The words of the text that name what it is about."""
    told = {stem for idea in things for stem in idea.said} - names
    stems = stems_of(text.split())
    return " ".join(word for word in text.split() if stems[word] in told)


def _names(text: str) -> frozenset[str]:
    """Stems of what is no word but a name: quoted, with a figure, or behind `called`."""
    quoted = [word for found in _QUOTED.findall(text) for word in found.split()]
    figures = [word for word in text.split()[1:] if any(c.isdigit() for c in word)]
    said = [part for word in (*quoted, *figures, *_CALLED.findall(text)) for part in WORD.findall(word.lower())]
    return frozenset(stems_of(said).values())
