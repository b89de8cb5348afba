"""Finding the words that act in a sentence or a name: those in a verb's place, and deeds that stand as things.

`Reboot or shutdown a node` has two, `Trigger a failover of the pool` one, `Update the restart policy` none, and `Does
not delete the data` none. A text that begins with no verb that is known (`node power off`) is read as a name whose
every word may act. Pure text; what it means for an operation is decided in `judging`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from compiler.passes.names import words
from compiler.passes.risk import lexicon
from compiler.passes.risk.lexicon import Word
from workflow.risks import GRAVITY, Risk, worst

_TOKEN = re.compile(r"[A-Za-z0-9]+|[,;:./&()]")
_NOT = re.compile(r"n['’]t\b")
_TAG = re.compile(r"<[^<>]{0,200}>|`")
_OBJECT = 5  # words behind a verb in which its object is looked for
_NEGATED = 4  # words before it in which a negation is looked for
_DETERMINERS = frozenset({"a", "an", "the", "its", "another"})
_VERBS = "|".join(sorted(word.base for word in lexicon.WORDS if len(word.base) > 3 and word.base not in lexicon.DEEDS))
_NOUNS = "|".join(sorted(noun for noun in lexicon.NOUNS | lexicon.TOGETHER if len(noun) > 1))
_VERB_AND_NOUN = re.compile(rf"({_VERBS})({_NOUNS})|({_NOUNS}|{'|'.join(sorted(lexicon.BEFORE_TOGETHER))})({_VERBS})")
_RUN_TOGETHER = re.compile(rf"(?!un|pre|de)[a-z]{{2,}}?({'|'.join(sorted(w for w in lexicon.STRONG if len(w) > 4))})")


@dataclass(frozen=True, slots=True)
class Deed:
    """A word that acts, with the class that it has for what it is done to."""

    said: str
    risk: Risk
    why: str


def tokens_of_text(text: str) -> tuple[str, ...]:
    """The lower-case words and marks of prose; `doesn't` is two words."""
    plain = _NOT.sub(" not", _TAG.sub(" ", text))
    found: list[str] = []
    for part in _TOKEN.findall(plain):
        is_name = part.isalpha() and not part.islower() and not part.isupper() and not part.istitle()
        found += words.split(part) if is_name else [part.lower()]
    return _joined(found)


def tokens_of_name(name: str) -> tuple[str, ...]:
    """The words of an identifier or a path's segment; halves of words that are written together fall apart."""
    found: list[str] = []
    for part in words.split(name):
        found += _halves(part)
    return _joined(found)


def _halves(part: str) -> list[str]:
    """`forcedelete`, `disablescheduling` and `remotestop` are two words each."""
    if part in lexicon.FORMS or part in lexicon.NOUNS:
        return [part]
    strong = _RUN_TOGETHER.fullmatch(part)
    if strong:
        return [part[: -len(strong[1])], strong[1]]
    halves = _VERB_AND_NOUN.fullmatch(part)
    return [half for half in halves.groups() if half] if halves else [part]


def _joined(found: list[str]) -> tuple[str, ...]:
    made: list[str] = []
    at = 0
    while at < len(found):
        pair = lexicon.PAIRS.get((found[at], found[at + 1])) if at + 1 < len(found) else None
        made.append(pair or found[at])
        at += 2 if pair else 1
    return tuple(made)


def deeds(
    tokens: tuple[str, ...], forms: Mapping[str, Word] = lexicon.FORMS, about: frozenset[str] = frozenset()
) -> Iterator[Deed]:
    """All that act, in order.

    `forms`: which words are known, by each of their forms. `about`: what it is done to by other texts, where this one
    does not say.
    """
    yield from _Reader(tokens, forms, about).read()


def deeds_of_name(said: tuple[str, ...], about: frozenset[str] = frozenset()) -> Iterator[Deed]:
    """Those of an operation's id. `unlock` locks nothing, and the verb may stand behind what it is about, or within."""
    if said and said[-1] in lexicon.AT_THE_END and head(said) not in lexicon.FORMS.keys() - {said[-1]}:
        said = (said[-1], *said[:-1])
    within = next((n for n, token in enumerate(said) if token in lexicon.WITHIN or token in lexicon.FORMS), 0)
    said = said[within:] if said[within : within + 1] and said[within] in lexicon.WITHIN else said
    yield from (deed for deed in deeds(said, about=about) if f"un{deed.said}" not in said)


def head(tokens: tuple[str, ...]) -> str:
    """The first word that is no adverb, "" where there is none."""
    return next((t for t in tokens if t not in lexicon.ADVERBS), "")


def is_base(word: str) -> bool:
    """Whether the word acts as it stands: `rotate`, not `blocks`, which may be several things."""
    known = lexicon.FORMS.get(word)
    return known is not None and known.base == word and word not in lexicon.THINGS


def is_deed_alone(word: str) -> bool:
    """Whether it acts as it stands and is no noun as well: `clear` and `detach`, not `backup`."""
    return is_base(word) and word not in lexicon.DEEDS | lexicon.STANDING


def is_order(word: str) -> bool:
    """Whether the word is a verb and nothing else, as it stands: `enable` and `detach`, not `backup` or `resets`."""
    return is_deed_alone(word) or word in lexicon.CHANGING or word == "set"


class _Reader:
    """Goes through the words once. `place` says what may stand next: a verb, or what it is done to."""

    def __init__(self, tokens: tuple[str, ...], forms: Mapping[str, Word], about: frozenset[str]) -> None:
        self.tokens = tokens
        self.about = about
        self.forms = forms
        self.place = "verb"
        self.is_deed_allowed = True
        self.is_plain = False

    def read(self) -> Iterator[Deed]:
        for at, token in enumerate(self.tokens):
            word = self.forms.get(token)
            if token in lexicon.JOINTS:
                self.place = "verb"
            elif self.place == "verb" and token in lexicon.ADVERBS and word is None:
                continue
            elif self.place == "verb" and token in _DETERMINERS and self.tokens[max(0, at - 1) : at] == ("to",):
                self.place = "rest"  # `Convert it to a readable format`
            elif self.place == "verb" and token in lexicon.PREPOSITIONS:
                self.place = "rest"
            elif self.place == "verb" and self.is_plain and word is not None and token.endswith("ing"):
                self.place = "rest"  # `Set whether deletion and rebuilding are allowed`
            elif self.place == "verb":
                self.is_plain = self.is_plain or (at == 0 and token in lexicon.PLAIN_FORMS)
                self.place = self._after(token, word)
                if word is not None:
                    yield from self._done(at, word)
            elif token in lexicon.PREPOSITIONS:
                self.place = "verb" if token in ("by", "for", "of") and self._is_gerund(at + 1) else "rest"
            elif word is not None and self._acts_as_noun(at, token):
                yield from self._done(at, word)

    def _after(self, token: str, word: Word | None) -> str:
        if word is not None:
            self.is_deed_allowed = False
            return "object of deed"
        if token in lexicon.LIGHT_FORMS:
            return "deed"
        return "object" if token in lexicon.PLAIN_FORMS or token.isdigit() else "deed"

    def _acts_as_noun(self, at: int, token: str) -> bool:
        if self.place == "deed":
            return not self._stands(at)
        is_last = at + 1 == len(self.tokens) or self.tokens[at + 1] in lexicon.PREPOSITIONS | lexicon.BREAKS
        return self.place == "object" and self.is_deed_allowed and is_last and token in lexicon.DEEDS

    def _stands(self, at: int) -> bool:
        """True for `restart policy`: something that stands for a deed and is none."""
        return at + 1 < len(self.tokens) and self.tokens[at + 1] in lexicon.STANDING

    def _is_gerund(self, at: int) -> bool:
        return at < len(self.tokens) and self.tokens[at].endswith("ing")

    def _done(self, at: int, word: Word) -> Iterator[Deed]:
        before = self.tokens[max(0, at - _NEGATED) : at]
        cut = max((n + 1 for n, t in enumerate(before) if t in lexicon.BREAKS), default=0)
        is_said_of = word.base == "apply" and self.tokens[at + 1 : at + 2] in (
            ("to",),
            ("only",),
        )  # `Applies to all disks`
        if lexicon.BEFORE_NEGATED.isdisjoint(before[cut:]) and not is_said_of:
            risk = self._class(at, word)
            is_graver = bool(word.graver) and GRAVITY[risk] > GRAVITY[word.risk]
            yield Deed(self.tokens[at], risk, word.graver if is_graver else word.why)

    def _class(self, at: int, word: Word) -> Risk:
        """By its object where that decides: the gravest of those that fit; in names the object may stand before."""
        about = _without_or_more(self.tokens[at + 1 : at + 3 + _OBJECT])[:_OBJECT]
        end = next((n for n, t in enumerate(about) if t in lexicon.BREAKS or t in ("and", "or")), len(about))
        near = set(about[:end]) | ({self.tokens[at - 1]} if at else set())
        object_ = next((n for n, t in enumerate(about[:end]) if t in lexicon.PREPOSITIONS), end)
        if set(about[:object_][-1:]) & word.harmless and near.isdisjoint(lexicon.TAGGED_TO_BE_FOUND):
            return Risk.CHANGE
        for said in (near, self.about):
            fits = [risk for risk, nouns in word.about.items() if not nouns.isdisjoint(said)]
            if fits:
                return worst(fits)
        return word.risk


def _without_or_more(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """`one or more alarms` are alarms."""
    at = next((n for n in range(len(tokens) - 1) if tokens[n : n + 2] == ("or", "more")), None)
    return tokens if at is None else (*tokens[:at], *tokens[at + 2 :])
