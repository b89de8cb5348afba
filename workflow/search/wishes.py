"""What a sentence wants: to know, to make, to change, to remove or to do, by its verb and what stands around it.

Also whether it is an order, takes something out, or ends what goes on. By words and their stems alone, about no API.
Pure; called by `question`, which knows what a sentence is about.
"""

import re
from collections.abc import Container, Mapping, Sequence
from typing import Literal

from workflow.search.stems import WORD, stems_of
from workflow.search.words import (
    ACTING,
    ASKING,
    BEFORE_A_THING,
    COMPARED,
    DONE,
    GIVING,
    LIGHT,
    LOOKING,
    MORE_OF_THEM,
    NEEDING,
    OF_A_KNOWN_ONE,
    ONLY_DONE,
    OPPOSITES,
    SENDING,
    SWITCHING,
    TAKING_OUT,
    UNDOING,
    WANTS,
    WHERE,
    WRITING,
)

Want = Literal["know", "look", "create", "update", "delete", "set", "act", "name"]
"""`know`: a question, which no change answers; `look`: a sentence that begins with a verb of looking; `name`: one word
or phrase, a thing's or an action's; `set`: a thing and what is to become of it, without a verb."""
_VERBS: dict[tuple[str, ...], Want] = {}
# With a password, whatever stands between.
_NO_THINGS = frozenset((*ACTING, *GIVING, *LIGHT, *LOOKING, *SENDING, *SWITCHING, *TAKING_OUT, *WRITING))
_PASSWORD = frozenset(("reset", "forgot", "forgotten", "lost", "change", "new", "set"))
# "Do a reboot" asks nothing.
_DOING = frozenset({("do", "a"), ("do", "an"), ("do", "another"), ("do", "one")})
_ENDING = frozenset(("stop", "quit", "cease"))
_NAME = re.compile(r"^[a-z]+\d")
# "Boost web01 to 8 cores", whatever the verb.
_TO_A_NUMBER = re.compile(r"\bto \d")
# Said of what is to be removed.
_NO_LONGER = re.compile(
    r"\b(?:(?:has|have|had|needs?|must|can|should) (?:to )?go"
    r"|(?:not|no longer|never) (?:be )?(?:exist|needed|wanted|used)(?: any ?more)?)$"
)
# "The clock should read noon": what is to be so is set.
_SHOULD_BE = re.compile(r"^(?!should\b).+ should (?:be|become|have|read|say|show|last|use)\b")
# What is to become of the thing before it, where no verb says so: "nic into vlan 12", "bios to factory".
_BECOMES = re.compile(
    r"^(?:\w+ ){1,6}(?:to|into|onto) (?:\w+ ){0,2}(?:\w*\d\w*|cidr|factory|defaults?|static|dhcp|auto|mailbox)\b"
)
# Behind a thing in the plural they tell which of them, or how they are: "jobs stuck in the queue", "disks we need".
_TELLING_WHICH = frozenset((
    "i", "we", "nobody", "that", "which", "whose", "without", "stuck", "pending", "failed", "failing", "waiting",
    "running", "missing", "left", "unused", "expired", "expiring", "due",
))  # fmt: skip
_VOWELS, _SHORT_PLURALS = frozenset("aeiouy"), frozenset(("dbs", "lbs", "pvs", "svms", "vds", "vms"))
# Of what is done, what stays when it is done.
_KEPT = frozenset(("backup", "snapshot"))
# What one has too little of.
_FREE = frozenset((
    "ram", "memory", "disk", "storage", "capacity", "cpu", "cores", "slots", "bays", "ports", "units", "ips",
    "addresses",
))  # fmt: skip
_TIMES = frozenset(("hourly", "daily", "nightly", "weekly", "monthly"))
_HOW_MANY = frozenset(("keep", "all", "every"))
_OVER = frozenset(("over", "onto", "into", "across"))
# Words behind a light verb among which what is done stands: "make a full backup".
_NEAR = 5


def want_of(verb: str) -> Want:
    """What a single verb wants: `delete` for "remove", `act` for one that names an action of its own."""
    return verbs().get(stemmed(verb), "act")


def wish_of(words: Sequence[str], said: Sequence[str]) -> Want:
    """What a sentence wants by its words, of which `said` are the stems."""
    if words and words[0] in ASKING and tuple(words[:2]) not in _DOING:
        return "know"
    if _NO_LONGER.search(" ".join(words)):
        return "delete"
    if _tells_of_what(words) or _tells_what_is_free(words):
        return "know"
    wants = verb_near_the_beginning(said)
    if wants is None and _tells_which(words, said):
        return "know"
    if wants is None and _SHOULD_BE.search(" ".join(words)):
        return "update"
    if len(words) > 1 and words[0] in ("make", "turn") and words[1] in OF_A_KNOWN_ONE and wants == "create":
        return "update"
    if "password" in words and _PASSWORD & set(words):
        return "update"
    is_moved = len(words) > 1 and _NAME.search(words[1]) is not None  # "send web01 to the other site"
    if words and words[0] in SENDING and "to" in words and wants is None and not (is_moved or DONE & set(words)):
        return "create"
    if words and words[0] in GIVING and DONE & set(words):
        return "act"
    if wants is None and NEEDING & set(words[1:]) and (COMPARED & set(words) or any(word.isdigit() for word in words)):
        return "update"
    if words and words[0] in GIVING and MORE_OF_THEM & set(words):
        return "create"
    if wants != "delete" and COMPARED & set(words):
        return "update"
    return _wish_by_first(words, wants) or wants or ("look" if words and words[0] in LOOKING else "act")


def _wish_by_first(words: Sequence[str], wants: Want | None) -> Want | None:
    """What it wants by its first word and what else is there, beside its verb, which `wants`; None: nothing."""
    first, rest = words[0] if words else "", set(words[1:])
    if first in LIGHT and not DONE.isdisjoint(words[1:_NEAR]):
        return "create" if first in ("make", "take") and not _KEPT.isdisjoint(words[1:_NEAR]) else "act"
    if wants is None and first == "get" and not _OVER.isdisjoint(words[2:_NEAR]):
        return "act"
    if wants is None and first in _TIMES and not _HOW_MANY.isdisjoint(rest):
        return "create"
    if first == "add" and "to" in rest and _is_known_one(words[1 : words.index("to")]):
        return "act"
    if wants is None and first in WRITING:
        return "create"
    if wants is None and not _begins_with_a_verb(words) and _BECOMES.search(" ".join(words)):
        return "set"
    switches = first in SWITCHING and not rest.isdisjoint(("to", "at")) and rest.isdisjoint(("on", "off"))
    if wants is None and (switches or _TO_A_NUMBER.search(" ".join(words))):
        return "update"
    return None


def _tells_which(words: Sequence[str], said: Sequence[str]) -> bool:
    """Whether it begins with things of which it only says which: "notifications I have not read"."""
    at = 1 if words and words[0] in BEFORE_A_THING else 0
    thing, then = (*words[at : at + 2], "", "")[:2]
    return are_several(thing) and then in _TELLING_WHICH and not _begins_with_a_verb((said[at], *words[at + 1 :]))


def _tells_of_what(words: Sequence[str]) -> bool:
    """Whether it begins with several things and of what they are, be they called like a verb: "labels on issue 5"."""
    return bool(words) and are_several(words[0]) and words[1:2] in (["of"], ["on"], ["in"])


def _tells_what_is_free(words: Sequence[str]) -> bool:
    """Whether what is free is asked, not to be freed: "free memory per node"."""
    return words[:1] == ["free"] and words[1:2] != [] and words[1] in _FREE and not any(map(str.isdigit, words))


def are_several(word: str) -> bool:
    """Whether it is a plural; "rdns" is none."""
    is_word = not _VOWELS.isdisjoint(word) or word in _SHORT_PLURALS
    return word.endswith("s") and is_word and not word.endswith(("ss", "us", "is")) and stems_of((word,))[word] != word


def _begins_with_a_verb(words: Sequence[str]) -> bool:
    """Whether the first word is a verb, and not a thing with its number: "boost web01", but "port 12"."""
    first, second = (*words, "", "")[:2]
    return first in _NO_THINGS or (is_order(words) and not second.isdigit())


def is_order(words: Sequence[str]) -> bool:
    """Whether the first word is a verb, by what comes behind it or because it can be nothing else."""
    first, second = (*words, "", "")[:2]
    is_done = first in ONLY_DONE or (first in ACTING and second in WHERE and second != "of")
    is_done = is_done or (first == "get" and not _OVER.isdisjoint(words[2:_NEAR]))
    return (
        second in BEFORE_A_THING
        or any(sign.isdigit() for sign in second)
        or (is_done and bool(second))
        or takes_out(words)
    )


def takes_out(words: Sequence[str]) -> bool:
    """Whether something is to be taken out from where it is: "eject the CD"."""
    first = words[0] if words else ""
    takes = first in ("take", "pull", "get", "yank", "throw") and not {"out", "off"}.isdisjoint(words[1:_NEAR])
    return first in TAKING_OUT or takes


def as_an_order(words: Sequence[str], phrases: Container[tuple[str, ...]]) -> list[str]:
    """With its verb, where only a thing is told and that it is to be on, off or out: "hyperthreading off", "bob out of
    the team"; else none. `phrases`: those that are known, as stems: "sign bob out" has its verb."""
    at = next((at for at, word in enumerate(words[:_NEAR]) if word in ("on", "off", "out")), 0)
    thing, then = list(words[:at]), list(words[at + 1 :])
    is_bare = at > 0 and WHERE.isdisjoint(thing) and words[0] not in ASKING and not _begins_with_a_verb(thing)
    is_bare = is_bare and verbs().get(stemmed(words[0])) is None and not are_several(words[0])
    is_bare = is_bare and not any(stemmed(f"{word} {words[at]}") in phrases for word in thing)
    if is_bare and words[at] == "out" and then[:1] in ([], ["of"]):
        return ["take", "out", *thing, *then]
    return ["turn", words[at], *thing] if is_bare and words[at] != "out" and not then else []


def _is_known_one(words: Sequence[str]) -> bool:
    """Whether a thing is told that there is: "the web server", "server web01"."""
    return bool(words) and (words[0] in ("the", "that", "this") or _NAME.search(words[-1]) is not None)


def verb_near_the_beginning(said: Sequence[str]) -> Want | None:
    """What the first known verb of the first three stems wants."""
    known = verbs()
    for at in range(min(len(said), 3)):
        for length in (3, 2, 1):
            found = known.get(tuple(said[at : at + length]))
            is_new_one = said[at] == "new" and at > 0 and said[at - 1] in OF_A_KNOWN_ONE  # "mount the new image"
            if found is not None and not is_new_one:
                return found
    return None


def verbs() -> Mapping[tuple[str, ...], Want]:
    """The verbs that want a making, a change or a removal, as stems, each with what it wants."""
    if not _VERBS:
        for want, phrases in WANTS.items():
            for phrase in phrases:
                _VERBS[stemmed(phrase)] = want
    return _VERBS


def ended_in(text: str) -> str:
    """The stem of what is to end: that of "blink" in "stop blinking it"; "" where nothing is."""
    verb = ended(WORD.findall(text.lower())[:2])
    return stems_of((verb,))[verb] if verb else ""


def ended(words: Sequence[str]) -> str:
    """The second of the words where the first one says that it is to end; else ""."""
    return words[1] if len(words) > 1 and words[0] in _ENDING and words[1].endswith("ing") else ""


def opposites_of(stem: str) -> frozenset[str]:
    """The stems of verbs that undo one: to unblink is to stop blinking."""
    pairs = (tuple(stemmed(word)[0] for word in pair) for pair in OPPOSITES)
    named = {other for pair in pairs if stem in pair for other in pair if other != stem}
    return frozenset((*(f"{prefix}{stem}" for prefix in UNDOING), *named))


def stemmed(phrase: str) -> tuple[str, ...]:
    """The stems of its words."""
    words = phrase.split()
    stems = stems_of(words)
    return tuple(stems[word] for word in words)
