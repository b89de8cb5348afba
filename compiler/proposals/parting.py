"""Where one wish of a sentence ends and the next begins, and which of them comes first.

English habits: commas, semicolons, lines, numbered lists and arrows part; so do `then`, `and`, `before`, `after` and
what means the same. `before you X, Y` and `X, but first Y` are Y and then X. Here never lives what a wish means. Pure
text. Called by `clauses`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_BULLET = re.compile(r"^[ \t]*[-*•][ \t]+", re.MULTILINE)
_NUMBER = re.compile(r"(?:(?<=\s)|^)(?:step )?\(?(\d{1,2})[.):] (?=\D)", re.IGNORECASE)
_STOPS = re.compile(r"[,;.:\n](?: ?[,;.:\n])+ ?")
_ARROW = re.compile(r"->|=>|→|⇒")
_SHORT = re.compile(r"\b(it|that|this|he|she|what|there)['’]s\b", re.IGNORECASE)
_NEGATED = re.compile(r"\b(do|does|did|is|are|wo|ca|must|should)n['’]t\b", re.IGNORECASE)
# What says "then", wherever it stands, and what says it only where a wish begins: "the next boot" does not.
_THEN = r"then|followed by|afterwards|thereafter|subsequently|after (?:that|this|which)"
_THEN_AT_FIRST = (
    r"next|finally|lastly|at (?:last|the end)|in the end|(?:when|once|as soon as|after) "
    r"(?:(?:it|that|this) (?:is|has)(?: been)? )?(?:done|finished|completed?|over)"
)
_FIRST = r"but (?:first|before(?: that)?)|before (?:that|this|which)|beforehand|prior to (?:that|this)"
_AND = r"and also|as well as|along with|together with|plus|and|but(?= (?:do not|never)\b)|&"
# `after it is off` says a state, not a wish.
_NO_STATE = r"(?:(?= (?:you|we|i)\b)|(?![^,;.\n]{0,80}\b(?:is|are|was|were|has|have)\b))"
_STOP = r"[,;.:\n] ?"  # of many in a row one is left, of blanks as well
_JOINTS = re.compile(
    rf" ?(?:{_STOP})?(?:\b(?:and|but) )?(?:(?P<first>\b(?:{_FIRST})\b)|(?P<then>\b(?:{_THEN})\b)"
    rf"|(?P<before>\b(?:before|prior to)\b{_NO_STATE})|(?P<after>\bafter\b{_NO_STATE}))[,:]? "
    rf"| ?(?:{_STOP}(?:(?:and|but) )?|\b(?:and|but) |^)(?P<next>{_THEN_AT_FIRST})\b[,:]? "
    rf"| ?(?P<comma>[,;.\n]) ?(?:and )?| ?(?<!\w)(?P<and>{_AND})(?!\w) ",
    re.IGNORECASE,
)
_AROUND = " .!?,;:\n\t"
_NAMES = {"comma": "", "next": "then"}
_LEFT = re.compile(r" (?:and|but|then)$", re.IGNORECASE)
# A sentence is read so far.
MOST_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class SentencePart:
    """`said`: the words of one wish. `joint`: what joins it to the part before: "", "then", "and", "before", "after",
    or "first", where it comes before that one."""

    said: str
    joint: str


def parts_of(sentence: str) -> list[SentencePart]:
    """The parts as they stand; none is empty."""
    plain = _plain(sentence[:MOST_CHARACTERS])
    parts, at, joint = list[SentencePart](), 0, ""
    for match in _JOINTS.finditer(plain):
        if match.lastgroup == "comma" and _is_in_a_word(plain, match):
            continue
        parts.append(SentencePart(plain[at : match.start()], joint))
        at, joint = match.end(), _name(match)
    return list(_joined([*parts, SentencePart(plain[at:], joint)]))


def _name(match: re.Match[str]) -> str:
    name = match.lastgroup or ""
    return _NAMES.get(name, name)


def _is_in_a_word(text: str, match: re.Match[str]) -> bool:
    """`10.0.0.5`, `v1.2` and `web-01.lab` are not parted."""
    return match[0] in (".", ",") and match.end() < len(text)


def _joined(parts: list[SentencePart]) -> Iterator[SentencePart]:
    """Without empty parts, each of which leaves its joint to the next one."""
    joint = ""
    for part in parts:
        joint = part.joint or joint
        said = _LEFT.sub("", part.said.strip(_AROUND)).strip(_AROUND)
        if said:
            yield SentencePart(said, joint)
            joint = ""


def _plain(sentence: str) -> str:
    """Lists and arrows as sentences: one line, or one stop, between its items; single blanks."""
    text = _NEGATED.sub(r"\1 not", _SHORT.sub(r"\1 is", sentence))
    text = _ARROW.sub("; then ", _BULLET.sub("\n", text))
    text = "\n".join(" ".join(line.split()) for line in text.splitlines() if line.strip())
    text = _STOPS.sub("; ", text)
    numbers = [int(match[1]) for match in _NUMBER.finditer(text)]
    if len(numbers) > 1 and numbers == [*range(1, len(numbers) + 1)]:
        text = _NUMBER.sub("; ", text)
    return text.strip()
