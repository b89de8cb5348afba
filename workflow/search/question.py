"""What a question asks for: its ideas, word by word, and whether it wants to know, to make, to change or to remove.

An idea is one word, or a phrase and all that mean the same (`trade.ALIKE`), also where its two halves stand apart
("turn the server off"). What only makes a sentence polite or whole is left out, unless nothing else is there. Pure;
ranking is `index`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from workflow.search.meanings import MEANS
from workflow.search.saying import plainly
from workflow.search.stems import WORD, stems_of
from workflow.search.trade import ALIKE
from workflow.search.words import (
    ACTING,
    ASKING,
    BECAUSE,
    BEFORE_A_THING,
    DONE,
    EMPTY,
    GIVING,
    LIGHT,
    LOOKING,
    MORE_OF_THEM,
    NAMED_THINGS,
    NEEDING,
    OF_A_KNOWN_ONE,
    ONLY_DONE,
    OPPOSITES,
    POLITE,
    SENDING,
    SPOKEN,
    STATES,
    SWITCHING,
    TAKING_OUT,
    TRYING,
    UNDOING,
    WANTS,
    WHERE,
    WRITING,
)

Want = Literal["know", "look", "create", "update", "delete", "act", "name"]
"""`know`: a question, which no change answers; `look`: a sentence that begins with a verb of looking; `name`: one word
or phrase, a thing's or an action's."""
# A question is a sentence; what is longer is cut, so that nobody makes the index work for minutes.
MOST_WORDS = 24
# Words that may stand between the halves of a phrase: "take the old virtual CD out".
_MOST_BETWEEN = 4


@dataclass(frozen=True, slots=True)
class Idea:
    """`said`: the phrase as stems; `others`: phrases that mean the same. `is_verb`: it says what is wanted, which a
    workflow's intent tells as well. `share`: how much it counts, 1 for what the sentence is about."""

    said: tuple[str, ...]
    others: tuple[tuple[str, ...], ...] = ()
    is_verb: bool = False
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class SearchQuestion:
    """`wants_all`: everything of a kind is asked for, not one of them. `is_order`: the first word is a verb by what
    comes behind it: "replicate the VM", "boost web01". `asks_many`: of several things. `undoes`: what was put there
    is to be taken out, and nothing new made."""

    ideas: tuple[Idea, ...]
    wants: Want
    wants_all: bool
    is_order: bool = False
    asks_many: bool = False
    undoes: bool = False

    @property
    def is_of_a_trial(self) -> bool:
        """Whether something may be tried only: who wants a thing made, changed or removed has it done."""
        stems = {stem for idea in self.ideas for phrase in (idea.said, *idea.others) for stem in phrase}
        return self.wants not in ("create", "update", "delete") and not stems.isdisjoint(stems_of(TRYING).values())


def understood(text: str) -> SearchQuestion:
    """What `text` asks for; any text is a question."""
    text = plainly(text)
    words = WORD.findall(text)[:MOST_WORDS]
    told, words = _told_before(text, words)
    is_how = tuple(words[:3]) in _HOW
    words = words[3:] if is_how else words
    asks_for_it = tuple(words[:2]) in _ASKS_FOR_IT or is_how
    words = ["show", *words[2:]] if tuple(words[:2]) in _GIVE_ME else words
    lets_it = words[:1] == ["let"] and words[1:2] not in (["me"], ["us"])
    wants_to_see = _TO_SEE.search(" ".join(words)) is not None
    while words and words[0] in POLITE:
        words = words[1:]
    while words and words[-1] in _THANKS:
        words = words[:-1]
    ends = tuple(words[:1]) in _ENDING and words[1:] and words[1].endswith("ing")
    words = words[1:] if ends else words
    stems = stems_of(words)
    said = [stems[word] for word in words]
    wants = "delete" if ends else _wants(words, said)
    if wants == "act" and text.rstrip().endswith("?") and not asks_for_it:
        wants = "know"
    if wants == "act" and wants_to_see:
        wants = "look"
    ideas = list(_ideas(words, said, EMPTY if wants != "know" else EMPTY | LOOKING))
    ideas += [replace(idea, share=idea.share * _WHERE, is_verb=False) for idea in _ideas_told(told)]
    ideas = _said_once(ideas)
    ideas = _of_its_state(ideas) if wants == "know" else ideas
    ideas = [idea for idea in ideas if not all(stem.isdigit() for stem in idea.said)] or ideas
    if not ideas:
        ideas = [Idea((each,)) for each in said]
    if ends:
        first, *undone = ((stem,) for stem in sorted(opposites_of(ideas[0].said[0]), reverse=True))
        ideas[0] = replace(ideas[0], said=first, others=(*undone, ideas[0].said, *ideas[0].others))
    if wants == "create" and words[0] in GIVING:  # "attach another disk"
        ideas[0] = replace(ideas[0], is_verb=True)
    if wants == "act" and len(ideas) == 1 and not lets_it:
        wants = "name"
    is_order = lets_it or (len(words) > 1 and (words[1] in BEFORE_A_THING or any(sign.isdigit() for sign in words[1])))
    is_order = is_order or (len(words) > 1 and words[0] in ONLY_DONE)
    is_order = is_order or (words[:1] != [] and words[0] in ACTING and words[1:2] != [] and words[1] in WHERE - {"of"})
    is_all = bool({"all", "every", "everything"} & set(words))
    undoes = words[:1] != [] and (words[0] in TAKING_OUT or tuple(words[:2]) in _TAKING_OUT)
    return SearchQuestion(tuple(ideas), wants, is_all, is_order, _asks_many(words, stems), undoes)


def _said_once(ideas: Sequence[Idea]) -> list[Idea]:
    """The same, with less of what was said before in another word: "the ISO in the CD drive"."""
    said: set[tuple[str, ...]] = set()
    found = []
    for idea in ideas:
        is_again = not idea.is_verb and (idea.said in said or not said.isdisjoint(idea.others))
        found.append(replace(idea, share=idea.share * _AGAIN) if is_again else idea)
        if not idea.is_verb:
            said.add(idea.said)
    return found


@cache
def _states() -> frozenset[str]:
    return frozenset(stems_of(STATES).values())


def _of_its_state(ideas: Sequence[Idea]) -> list[Idea]:
    """The same where somebody asks how a thing is: that it is healthy is asked, of what only says where."""
    if not any(word in _states() for idea in ideas for word in idea.said):
        return list(ideas)
    return [idea if _states().intersection(idea.said) else replace(idea, share=idea.share * _STATED) for idea in ideas]


def _asks_many(words: Sequence[str], stems: Mapping[str, str]) -> bool:
    """Whether the first thing that is asked for stands in the plural."""
    if list(words[:2]) == ["how", "many"]:
        return True
    first = next((word for word in words if word not in ASKING and word not in LOOKING and word not in EMPTY), "")
    return first.endswith("s") and not first.endswith(("ss", "us", "is")) and stems.get(first, first) != first


@cache
def heard() -> frozenset[str]:
    """The stems of all words that mean something here whatever there is: those of the trade and those of speaking."""
    phrases = [
        phrase for group in (*ALIKE, *(each for pair in MEANS for each in pair), *WANTS.values()) for phrase in group
    ]
    asked = (ASKING, LOOKING, EMPTY, POLITE, WHERE, BECAUSE, BEFORE_A_THING, _COMPARED, _THANKS)
    ordered = (ACTING, LIGHT, DONE, GIVING, MORE_OF_THEM, SENDING, NEEDING)
    words = {word for phrase in phrases for word in phrase.split()}.union(*asked, *ordered)
    return frozenset(stems_of(words).values())


def _told_before(text: str, words: list[str]) -> tuple[list[str], list[str]]:
    """What is told of how things are, before what is wanted: "the disk is full, make it bigger"."""
    parts = [WORD.findall(part) for part in _COMMA.split(text) if part.strip()]
    at = sum(map(len, parts[:-1]))
    if len(parts) < 2 or at + len(parts[-1]) > MOST_WORDS or (parts[0][:1] and parts[0][0] in ASKING | LOOKING):
        return [], words
    stems = stems_of(words)
    before, last = [stems[word] for word in words[:at]], [stems[word] for word in words[at:]]
    is_told = _verb_near_the_beginning(before) is None and not {tuple(before[:1])} & _imperatives()
    is_wanted = bool(last) and (_starts_with(last, _verbs()) or tuple(last[:1]) in _imperatives())
    is_wanted = is_wanted or (len(last) > 1 and parts[-1][1] in BEFORE_A_THING and parts[-1][0] not in _NO_ORDER)
    return (words[:at], words[at:]) if is_told and is_wanted else ([], words)


def _starts_with(said: Sequence[str], phrases: Mapping[tuple[str, ...], Want]) -> bool:
    return any(tuple(said[:length]) in phrases for length in (3, 2, 1))


def _imperatives() -> frozenset[tuple[str, ...]]:
    """First words of what is done, beside those that want a making, a change or a removal."""
    if not _IMPERATIVES:
        _IMPERATIVES.extend(_stemmed(word) for word in (*ACTING, *LIGHT, *GIVING))
    return frozenset(_IMPERATIVES)


def _ideas_told(words: Sequence[str]) -> Iterator[Idea]:
    stems = stems_of(words)
    return _ideas(words, [stems[word] for word in words], EMPTY)


def ended_in(text: str) -> str:
    """The stem of what is to end: that of "blink" in "stop blinking it"; "" where nothing is."""
    words = WORD.findall(text.lower())[:2]
    if len(words) < 2 or (words[0],) not in _ENDING or not words[1].endswith("ing"):
        return ""
    return stems_of(words)[words[1]]


def opposites_of(stem: str) -> frozenset[str]:
    """The stems of verbs that undo one: to unblink is to stop blinking."""
    pairs = (tuple(_stemmed(word)[0] for word in pair) for pair in OPPOSITES)
    named = {other for pair in pairs if stem in pair for other in pair if other != stem}
    return frozenset((*(f"{prefix}{stem}" for prefix in UNDOING), *named))


def of_a_name(idea: Idea) -> Idea | None:
    """What a word may mean that looks like the name of one thing ("web01"), where nobody knows it; else None."""
    word = idea.said[0]
    if len(idea.said) > 1 or word.isalpha() or word.isdigit():
        return None
    return Idea(idea.said, tuple(_stemmed(phrase) for phrase in NAMED_THINGS), share=idea.share * _STATE)


def want_of(verb: str) -> Want:
    """What a single verb wants: `delete` for "remove", `act` for one that names an action of its own."""
    return _verbs().get(_stemmed(verb), "act")


def _wants(words: Sequence[str], said: Sequence[str]) -> Want:
    if words and words[0] in ASKING and tuple(words[:2]) not in _DOING:
        return "know"
    wants = _verb_near_the_beginning(said)
    if len(words) > 1 and words[0] in ("make", "turn") and words[1] in OF_A_KNOWN_ONE and wants == "create":
        return "update"
    if "password" in words and _PASSWORD & set(words):
        return "update"
    if words and words[0] in SENDING and "to" in words and wants is None and not DONE & set(words):
        return "create"
    if words and words[0] in GIVING and DONE & set(words):
        return "act"
    if wants is None and NEEDING & set(words[1:]) and (_COMPARED & set(words) or any(word.isdigit() for word in words)):
        return "update"
    if words and words[0] in GIVING and MORE_OF_THEM & set(words):
        return "create"
    if wants != "delete" and _COMPARED & set(words):
        return "update"
    if words and words[0] in LIGHT and any(word in DONE for word in words[1:_NEAR]):
        return "act"
    if words and words[0] in WRITING and wants is None:
        return "create"
    if words and words[0] == "add" and "to" in words[1:] and _is_known_one(words[1 : words.index("to")]):
        return "act"
    if wants is None and words and words[0] in SWITCHING and {"to", "at"} & set(words) and not {"on", "off"} & set(words):
        return "update"
    if wants is None and _TO_A_NUMBER.search(" ".join(words)):
        return "update"
    return wants or ("look" if words and words[0] in LOOKING else "act")


def _is_known_one(words: Sequence[str]) -> bool:
    """Whether a thing is told that there is: "the web server", "server web01"."""
    return words[:1] != [] and (words[0] in OF_A_KNOWN_ONE or _NAME.search(words[-1]) is not None)


def _verb_near_the_beginning(said: Sequence[str]) -> Want | None:
    verbs = _verbs()
    for at in range(min(len(said), 3)):
        for length in (3, 2, 1):
            found = verbs.get(tuple(said[at : at + length]))
            is_new_one = said[at] == "new" and at > 0 and said[at - 1] in OF_A_KNOWN_ONE  # "mount the new image"
            if found is not None and not is_new_one:
                return found
    return None


def _verbs() -> dict[tuple[str, ...], Want]:
    if not _VERBS:
        for want, phrases in WANTS.items():
            for phrase in phrases:
                _VERBS[_stemmed(phrase)] = want
    return _VERBS


def _groups() -> dict[tuple[str, ...], list[tuple[str, ...]]]:
    if not _GROUPS:
        for group in ALIKE:
            phrases = [_stemmed(phrase) for phrase in group]
            written = [_stemmed(phrase) for phrase in group if SPOKEN.isdisjoint(phrase.split())]
            for phrase in phrases:
                known = _GROUPS.setdefault(phrase, [])
                known += [other for other in written if other != phrase and other not in known]
        for heard, meant in MEANS:
            found = [_stemmed(phrase) for phrase in meant]
            for said in heard:
                known = _GROUPS.setdefault(_stemmed(said), [])
                known += [other for other in found if other not in known]
    return _GROUPS


_VERBS: dict[tuple[str, ...], Want] = {}
_IMPERATIVES: list[tuple[str, ...]] = []
_COMMA = re.compile(r"[,;:.!?](?:\s+|$)| - ")
_GROUPS: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
# With a password, whatever stands between.
_PASSWORD = frozenset(("reset", "forgot", "forgotten", "lost", "change", "new", "set"))
# Of a thing that has to become so: "make the disk bigger", "two more CPUs".
_COMPARED = frozenset(("bigger", "larger", "smaller", "more", "less", "fewer", "faster"))
# Who asks how to do a thing wants it done.
_HOW = frozenset(
    ("how", verb, who) for verb in ("do", "can", "could", "would", "should", "to") for who in ("i", "we", "you")
)
# Who asks whether somebody can do a thing wants it done as well.
_ASKS_FOR_IT = frozenset((verb, who) for verb in ("can", "could", "would", "will") for who in ("i", "we", "you"))
# "Do a reboot" asks nothing.
_DOING = frozenset({("do", "a"), ("do", "an"), ("do", "another"), ("do", "one")})
_GIVE_ME = frozenset({("give", "me"), ("get", "me"), ("give", "us")})
_NAME = re.compile(r"^[a-z]+\d")
_TO_SEE = re.compile(r"\b(?:want|need|like) to (?:see|know|look|check|find out)\b")
# Behind a verb they make another verb of it; what else stands there is what it is done to: "update ... firmware".
_PARTICLES = EMPTY | WHERE | BEFORE_A_THING | {"away", "back", "over"}
_TAKING_OUT = frozenset((verb, "out") for verb in ("take", "pull", "get", "yank"))
_NO_ORDER = EMPTY | ASKING | WHERE | BECAUSE | BEFORE_A_THING
_THANKS = frozenset(("please", "pls", "thanks", "thx", "now"))
_ENDING = frozenset({("stop",), ("quit",), ("cease",)})
_LONGEST = max(len(phrase.split()) for group in (*ALIKE, *(heard for heard, _ in MEANS)) for phrase in group)
# Shares of what only says where something is, why it is asked for, and in which state it is.
_WHERE, _WHY, _STATE = 0.6, 0.3, 0.3
_STATED = 0.5
# And of what was said already.
_AGAIN = 0.3
# "Boost web01 to 8 cores", whatever the verb.
_TO_A_NUMBER = re.compile(r"\bto \d")
# "To get a crash dump": what it is for.
_PURPOSES = tuple([word] for word in (*LOOKING, "have", "let", "make", "save", "free", "avoid", "fix"))
# Words behind a light verb among which what is done stands: "make a full backup".
_NEAR = 5


def _stemmed(phrase: str) -> tuple[str, ...]:
    words = phrase.split()
    stems = stems_of(words)
    return tuple(stems[word] for word in words)


def _ideas(words: Sequence[str], said: Sequence[str], drops: frozenset[str]) -> Iterator[Idea]:
    taken: set[int] = set()
    shares = _shares(words, said, drops)
    for at, word in enumerate(words):
        if at in taken:
            continue
        places = _phrase_at(said, at, taken)
        if places == (0,) and word in LOOKING:  # "read the log" is about no reading
            idea = None if word in drops else Idea((said[0],), is_verb=True)
        else:
            taken |= set(places)
            idea = _idea(words, said, places, drops)
        if idea is not None:
            yield replace(idea, share=shares[at])


def _idea(words: Sequence[str], said: Sequence[str], places: Sequence[int], drops: frozenset[str]) -> Idea | None:
    """The idea of the phrase at these places; None where it is an empty word."""
    at = places[0]
    phrase = tuple(said[place] for place in places)
    alike = _groups().get(phrase)
    if alike is None and words[at] in drops:
        return None
    is_first = drops.issuperset(words[:at])
    is_verb = phrase in _verbs() or (is_first and (len(phrase) == 1 or words[places[-1]] in _PARTICLES) and not _verbs().keys().isdisjoint(alike or ()))
    is_verb = is_verb or (alike is None and words[at] in LOOKING)
    return Idea(phrase, (*(alike or ()), *_joined(words, at, places)), is_verb)


def _shares(words: Sequence[str], said: Sequence[str], drops: frozenset[str]) -> list[float]:
    """How much each word counts: what only says where, when or why counts less than what it says it of."""
    shares: list[float] = []
    share, is_of_a_thing = 1.0, False
    for at, word in enumerate(words):
        if at and (word in BECAUSE or (is_of_a_thing and word == "to" and words[at + 1 : at + 2] in _PURPOSES)):
            share = _WHY
        elif is_of_a_thing and word in WHERE and share > _WHY:
            share = _WHERE
        is_state = at > 0 and word.endswith("ed") and (said[at],) in _groups() and at + 1 < len(words)
        shares.append(min(share, _STATE) if is_state and words[at + 1] not in EMPTY else share)
        is_of_a_thing = is_of_a_thing or (word not in drops and (said[at],) not in _verbs())
    return shares


def _joined(words: Sequence[str], at: int, places: Sequence[int]) -> Iterator[tuple[str, ...]]:
    """This word and the next ones as one, as APIs write it: a config map is a `configmap`."""
    for length in (2, 3):
        parts = words[at : at + length]
        if len(places) == 1 and len(parts) == length and not set(parts) & EMPTY:
            joined = "".join(parts)
            yield (stems_of((joined,))[joined],)


def _phrase_at(said: Sequence[str], at: int, taken: set[int]) -> tuple[int, ...]:
    """The places of the longest known phrase that begins here, its halves side by side or apart."""
    for length in range(min(_LONGEST, len(said) - at), 1, -1):
        if tuple(said[at : at + length]) in _groups():
            return tuple(range(at, at + length))
    for second in range(at + 2, min(at + 2 + _MOST_BETWEEN, len(said))):
        if second not in taken and (said[at], said[second]) in _groups():
            return (at, second)
    return (at,)
