"""What a question asks for: its ideas, word by word, and whether it wants to know, to make, to change or to remove.

An idea is one word, or a phrase and all that mean the same (`words.ALIKE`), also where its two halves stand apart
("turn the server off"). What only makes a sentence polite or whole is left out, unless nothing else is there. Pure;
ranking is `index`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from workflow.search.stems import WORD, stems_of
from workflow.search.words import ALIKE, ASKING, EMPTY, LOOKING, POLITE, WANTS

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
    workflow's intent tells as well."""

    said: tuple[str, ...]
    others: tuple[tuple[str, ...], ...] = ()
    is_verb: bool = False


@dataclass(frozen=True, slots=True)
class SearchQuestion:
    """`wants_all`: everything of a kind is asked for, not one of them."""

    ideas: tuple[Idea, ...]
    wants: Want
    wants_all: bool


def understood(text: str) -> SearchQuestion:
    """What `text` asks for; any text is a question."""
    words = WORD.findall(text.lower())[:MOST_WORDS]
    words = words[3:] if tuple(words[:3]) in _HOW else words
    while words and words[0] in POLITE:
        words = words[1:]
    stems = stems_of(words)
    said = [stems[word] for word in words]
    wants = _wants(words, said)
    ideas = list(_ideas(words, said, drops=EMPTY if wants != "know" else EMPTY | LOOKING))
    if not ideas:
        ideas = [Idea((each,)) for each in said]
    if wants == "act" and len(ideas) == 1:
        wants = "name"
    return SearchQuestion(tuple(ideas), wants, wants_all=bool({"all", "every", "everything"} & set(words)))


def want_of(verb: str) -> Want:
    """What a single verb wants: `delete` for "remove", `act` for one that names an action of its own."""
    return _verbs().get(_stemmed(verb), "act")


def _wants(words: Sequence[str], said: Sequence[str]) -> Want:
    if words and words[0] in ASKING:
        return "know"
    if _COMPARED & set(words):
        return "update"
    verbs = _verbs()
    for at in range(min(len(said), 3)):
        for length in (3, 2, 1):
            found = verbs.get(tuple(said[at : at + length]))
            if found is not None:
                return found
    return "look" if words and words[0] in LOOKING else "act"


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
            for phrase in phrases:
                known = _GROUPS.setdefault(phrase, [])
                known += [other for other in phrases if other != phrase and other not in known]
    return _GROUPS


_VERBS: dict[tuple[str, ...], Want] = {}
_GROUPS: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
# Of a thing that has to become so: "make the disk bigger", "two more CPUs".
_COMPARED = frozenset(("bigger", "larger", "smaller", "more", "less", "fewer", "faster"))
# Who asks how to do a thing wants it done.
_HOW = frozenset(
    ("how", verb, who) for verb in ("do", "can", "could", "would", "should", "to") for who in ("i", "we", "you")
)
_LONGEST = max(len(phrase.split()) for group in ALIKE for phrase in group)


def _stemmed(phrase: str) -> tuple[str, ...]:
    words = phrase.split()
    stems = stems_of(words)
    return tuple(stems[word] for word in words)


def _ideas(words: Sequence[str], said: Sequence[str], drops: frozenset[str]) -> Iterator[Idea]:
    taken: set[int] = set()
    for at in range(len(said)):
        if at in taken:
            continue
        places = _phrase_at(said, at, taken)
        phrase = tuple(said[place] for place in places)
        is_verb = any(each in _verbs() for each in (phrase, *_groups().get(phrase, ())))
        if phrase in _groups():
            taken |= set(places)
            yield Idea(phrase, (*_groups()[phrase], *_joined(words, at, places)), is_verb)
        elif words[at] not in drops:
            yield Idea((said[at],), tuple(_joined(words, at, places)), is_verb or words[at] in LOOKING)


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
