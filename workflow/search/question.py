"""What a question asks for: its ideas, word by word, and whether it wants to know, to make, to change or to remove.

An idea is one word, or a phrase and all that mean the same (`trade.ALIKE`), also where its two halves stand apart
("turn the server off"). What only makes a sentence polite or whole is left out, unless nothing else is there. Pure;
ranking is `index`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import dropwhile, pairwise, takewhile

from workflow.search.meanings import MEANS
from workflow.search.saying import plainly
from workflow.search.stems import WORD, stems_of
from workflow.search.trade import ALIKE
from workflow.search.wishes import (
    Want,
    are_several,
    as_an_order,
    ended,
    is_order,
    opposites_of,
    stemmed,
    takes_out,
    verb_near_the_beginning,
    verbs,
    wish_of,
)
from workflow.search.words import (
    ACTING,
    ASKING,
    BECAUSE,
    BEFORE_A_THING,
    COMPARED,
    DONE,
    EMPTY,
    GIVING,
    LIGHT,
    LOOKING,
    MORE_OF_THEM,
    NAMED_THINGS,
    NEEDING,
    NO_MANNER,
    POLITE,
    READINGS,
    SENDING,
    SPOKEN,
    STATES,
    SWITCHING,
    TAKING_OUT,
    TRYING,
    WANTS,
    WHERE,
    WRITING,
)

# A question is a sentence; what is longer is cut, so that nobody makes the index work for minutes.
MOST_WORDS = 24
# Words that may stand between the halves of a phrase: "take the old virtual CD out".
_MOST_BETWEEN = 4
# Words of which the name of a thing is made: "hot topics".
_MOST_OF_A_NAME = 2


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
    is to be taken out, and nothing new made. `only_tells`: of the past, of a
    summary or of what is read off a thing, which nobody changes. `only_shows`: by its verb, said of nothing that is
    done."""

    ideas: tuple[Idea, ...]
    wants: Want
    wants_all: bool
    is_order: bool = False
    asks_many: bool = False
    undoes: bool = False
    only_tells: bool = False
    only_shows: bool = False

    @property
    def main_name(self) -> tuple[str, ...]:
        """The only thing that it is about, should it be a name; of what is made or removed nothing is guessed."""
        main = [idea.said for idea in self.ideas if not idea.is_verb and idea.share == 1]
        return main[0] if len(main) == 1 and self.wants not in ("create", "delete") else ()

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
    is_given = tuple(words[:2]) in _GIVE_ME
    words = [_wish_given(words), *words[2:]] if is_given else words
    lets_it = words[:1] == ["let"] and words[1:2] not in (["me"], ["us"])
    wants_to_see = _TO_SEE.search(" ".join(words)) is not None
    while words and words[0] in POLITE:
        words = words[1:]
    while words and words[-1] in _THANKS:
        words = words[:-1]
    switched = [] if text.rstrip().endswith("?") else as_an_order(words, _groups())
    words = switched or words
    ends = bool(ended(words))
    words = words[1:] if ends else words
    stems = stems_of(words)
    said = [stems[word] for word in words]
    wants = "delete" if ends else wish_of(words, said)
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
    is_all = bool({"all", "every", "everything"} & set(words))
    asks_many = _asks_many(words)
    undoes = wants == "act" and takes_out(words)
    return SearchQuestion(
        tuple(ideas),
        wants,
        is_all,
        lets_it or bool(switched) or is_order(words),
        asks_many,
        undoes,
        _only_tells(text, words),
        not (is_given or _SHOWING.isdisjoint(words[:1])),
    )


def _only_tells(text: str, words: Sequence[str]) -> bool:
    """Whether it is of what was, or of what is told in short: "fan speeds so far", "mileage summary for May"."""
    tells = not _REPORTS.isdisjoint(words) or not READINGS.isdisjoint(words)
    return _PAST.search(text) is not None or tells or _tells_where(words)


def _tells_where(words: Sequence[str]) -> bool:
    """Whether it only names several things and of what they are: "DNS entries of the zone"."""
    named = pairwise(words[: _MOST_OF_A_NAME + 1])
    return any(then in _OF_WHAT and are_several(word) for word, then in named)


def _wish_given(words: Sequence[str]) -> str:
    """What is done for whom something is given: made, where it is one more of them, but for what only tells."""
    is_one_more = words[2:3] in (["a"], ["an"], ["another"]) and _REPORTS.isdisjoint(words[3:5])
    return "create" if is_one_more else "show"


def _said_once(ideas: Sequence[Idea]) -> list[Idea]:
    """The same, with less of what was said before in another word: "the ISO in the CD drive"."""
    found: list[Idea] = []
    for idea in ideas:
        is_again = not idea.is_verb and any(_means_the_same(idea, other) for other in found)
        found.append(replace(idea, share=idea.share * _AGAIN) if is_again else idea)
    return found


def _means_the_same(idea: Idea, other: Idea) -> bool:
    return not other.is_verb and (idea.said == other.said or (idea.said in other.others and other.said in idea.others))


@cache
def _states() -> frozenset[str]:
    return frozenset(stems_of(STATES).values())


def _of_its_state(ideas: Sequence[Idea]) -> list[Idea]:
    """The same where somebody asks how a thing is: that it is healthy is asked, of what only says where."""
    if not any(word in _states() for idea in ideas for word in idea.said):
        return list(ideas)
    return [idea if _states().intersection(idea.said) else replace(idea, share=idea.share * _STATED) for idea in ideas]


def _asks_many(words: Sequence[str]) -> bool:
    """Whether the thing that is asked for stands in the plural: "the VMs", "traffic flows"."""
    if list(words[:2]) == ["how", "many"]:
        return True
    begun = dropwhile(lambda word: word in ASKING or word in LOOKING or word in EMPTY, words)
    name = [*takewhile(lambda word: word not in EMPTY and word not in WHERE, begun)]
    return any(are_several(word) for word in name[:_MOST_OF_A_NAME])


@cache
def heard() -> frozenset[str]:
    """The stems of all words that mean something here whatever there is: those of the trade and those of speaking."""
    phrases = [
        phrase for group in (*ALIKE, *(each for pair in MEANS for each in pair), *WANTS.values()) for phrase in group
    ]
    asked = (ASKING, LOOKING, EMPTY, POLITE, WHERE, BECAUSE, BEFORE_A_THING, COMPARED, _THANKS)
    ordered = (ACTING, LIGHT, DONE, GIVING, MORE_OF_THEM, SENDING, NEEDING, STATES, SWITCHING, TAKING_OUT, WRITING)
    words = {word for phrase in phrases for word in phrase.split()}.union(*asked, *ordered)
    return frozenset(stems_of(words).values())


def learn_words() -> None:
    """What the first question of a process would wait for: the stems of all that is heard, and what means the same."""
    heard()
    understood("restart it")


def _told_before(text: str, words: list[str]) -> tuple[list[str], list[str]]:
    """What is told of how things are, before what is wanted: "the disk is full, make it bigger"."""
    parts = [WORD.findall(part) for part in _COMMA.split(text) if part.strip()]
    at = sum(map(len, parts[:-1]))
    if len(parts) < 2 or at + len(parts[-1]) > MOST_WORDS or (parts[0][:1] and parts[0][0] in ASKING | LOOKING):
        return [], words
    stems = stems_of(words)
    before, last = [stems[word] for word in words[:at]], [stems[word] for word in words[at:]]
    is_told = verb_near_the_beginning(before) is None and not {tuple(before[:1])} & _imperatives()
    is_wanted = bool(last) and (_starts_with(last, verbs()) or tuple(last[:1]) in _imperatives())
    is_wanted = is_wanted or (len(last) > 1 and parts[-1][1] in BEFORE_A_THING and parts[-1][0] not in _NO_ORDER)
    return (words[:at], words[at:]) if is_told and is_wanted else ([], words)


def _starts_with(said: Sequence[str], phrases: Mapping[tuple[str, ...], Want]) -> bool:
    return any(tuple(said[:length]) in phrases for length in (3, 2, 1))


def _imperatives() -> frozenset[tuple[str, ...]]:
    """First words of what is done, beside those that want a making, a change or a removal."""
    if not _IMPERATIVES:
        _IMPERATIVES.extend(stemmed(word) for word in (*ACTING, *LIGHT, *GIVING))
    return frozenset(_IMPERATIVES)


def _ideas_told(words: Sequence[str]) -> Iterator[Idea]:
    stems = stems_of(words)
    return _ideas(words, [stems[word] for word in words], EMPTY)


def of_a_name(idea: Idea, *, is_main: bool) -> Idea | None:
    """What a word may mean that looks like the name of one thing ("web01"), where nobody knows it; else None.
    `is_main`: the sentence is about it, and about nothing else."""
    word = idea.said[0]
    if len(idea.said) > 1 or word.isalpha() or word.isdigit():
        return None
    return Idea(
        idea.said, tuple(stemmed(phrase) for phrase in NAMED_THINGS), share=idea.share * (1.0 if is_main else _STATE)
    )


def _groups() -> dict[tuple[str, ...], list[tuple[str, ...]]]:
    if not _GROUPS:
        for group in ALIKE:
            phrases = [stemmed(phrase) for phrase in group]
            written = [stemmed(phrase) for phrase in group if SPOKEN.isdisjoint(phrase.split())]
            for phrase in phrases:
                known = _GROUPS.setdefault(phrase, [])
                known += [other for other in written if other != phrase and other not in known]
        for heard, meant in MEANS:
            found = [stemmed(phrase) for phrase in meant]
            for said in heard:
                known = _GROUPS.setdefault(stemmed(said), [])
                known += [other for other in found if other not in known]
    return _GROUPS


_IMPERATIVES: list[tuple[str, ...]] = []
_COMMA = re.compile(r"[,;:.!?](?:\s+|$)| - ")
_GROUPS: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
# Who asks how to do a thing wants it done.
_HOW = frozenset(
    ("how", verb, who) for verb in ("do", "can", "could", "would", "should", "to") for who in ("i", "we", "you")
)
# Who asks whether somebody can do a thing wants it done as well.
_ASKS_FOR_IT = frozenset((verb, who) for verb in ("can", "could", "would", "will") for who in ("i", "we", "you"))
_GIVE_ME = frozenset({("give", "me"), ("get", "me"), ("give", "us")})
_TO_SEE = re.compile(r"\b(?:want|need|like) to (?:see|know|look|check|find out)\b")
# Behind a verb they make another verb of it; what else stands there is what it is done to: "update ... firmware".
_PARTICLES = EMPTY | WHERE | BEFORE_A_THING | {"away", "back", "over"}
_PAST = re.compile(r"\b(?:(?:this|last|past|previous) (?:hour|night|week|month|quarter|year)|yesterday|so far|ago)\b")
_REPORTS = frozenset(("list", "overview", "summary", "report", "look", "count", "view", "table"))
_SHOWING = frozenset(("describe", "display", "examine", "inspect", "list", "look", "see", "show", "view"))
_OF_WHAT = frozenset(("of", "in", "on", "at", "under", "inside", "within"))
_NO_ORDER = EMPTY | ASKING | WHERE | BECAUSE | BEFORE_A_THING
_THANKS = frozenset(("please", "pls", "thanks", "thx", "now"))
_LONGEST = max(len(phrase.split()) for group in (*ALIKE, *(heard for heard, _ in MEANS)) for phrase in group)
# Shares of what only says where something is, why it is asked for, and in which state it is or how it is done.
_WHERE, _WHY, _STATE = 0.6, 0.3, 0.3
# And of a thing whose state is asked, and of what was said already.
_STATED, _AGAIN = 0.5, 0.3
# "To get a crash dump": what it is for.
_PURPOSES = tuple([word] for word in (*LOOKING, "have", "let", "make", "save", "free", "avoid", "fix"))


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
    is_done = is_first and (len(phrase) == 1 or words[places[-1]] in _PARTICLES)
    is_verb = phrase in verbs() or (is_done and not verbs().keys().isdisjoint(alike or ()))
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
        is_how = at > 0 and word.endswith("ly") and word not in NO_MANNER
        shares.append(min(share, _STATE) if is_how or (is_state and words[at + 1] not in EMPTY) else share)
        is_of_a_thing = is_of_a_thing or (word not in drops and (said[at],) not in verbs())
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
