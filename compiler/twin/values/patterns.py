"""A string that fits a regular expression, for the simple expressions that descriptions use (ECMA-262 syntax).

Understood: literals, escapes, classes, groups, alternatives, `* + ? {m,n}`, anchors. Not understood, and then None is
returned: look-around, back-references, conditionals. The shortest fitting string is made; `number` tells several
strings for one expression apart where a class or a repetition leaves room.
"""

import re
import string
from dataclasses import dataclass

from workflow.errors import ExpressionError
from workflow.json.patterns import compile_pattern

_CLASSES = {
    "d": string.digits,
    "w": string.ascii_letters + string.digits + "_",
    "s": " ",
    "D": string.ascii_lowercase,
    "W": "-",
    "S": string.ascii_lowercase + string.digits,
}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
_PRINTABLE = string.ascii_lowercase + string.digits + string.ascii_uppercase + "-_.:/ ,;@#+=~!$%&*()[]{}<>?'\"|^`\\"
_MOST_MADE = 100_000  # characters
_MAX_REPEAT = 1000  # no sensible member is longer; guards against {1000000}


class _NotSimpleError(Exception):
    """The expression uses something that this file does not understand."""


@dataclass(slots=True)
class _Reader:
    text: str
    number: int = 1
    at: int = 0

    def peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def take(self) -> str:
        char = self.peek()
        if not char:
            raise _NotSimpleError
        self.at += 1
        return char

    def skip(self, prefix: str) -> bool:
        if self.text.startswith(prefix, self.at):
            self.at += len(prefix)
            return True
        return False


def string_for(pattern: str, length: int = 0, number: int = 1) -> str | None:
    """A string of at least `length` characters (where the pattern can repeat) that fits; None for what is not simple.

    The result has been tried against the pattern.
    """
    for wanted in sorted({0, length}):
        try:
            reader = _Reader(pattern, number)
            made = _alternatives(reader, wanted)
        except _NotSimpleError:
            return None
        if reader.peek() or not _fits(pattern, made):
            return None
        if len(made) >= length:
            return made
    return None


def _fits(pattern: str, made: str) -> bool:
    try:
        return compile_pattern(pattern).is_found_in(made)
    except ExpressionError:
        return False


def _alternatives(reader: _Reader, wanted: int) -> str:
    options = [_sequence(reader, wanted)]
    while reader.skip("|"):
        options.append(_sequence(reader, wanted))
    return next((option for option in options if option), "")


def _sequence(reader: _Reader, wanted: int) -> str:
    made = ""
    while reader.peek() not in ("", "|", ")"):
        atom = _atom(reader, wanted)
        low, high = _repeats(reader)
        times = max(low, min(high, wanted)) if wanted else low
        times = min(times, _MAX_REPEAT)
        if len(made) + len(atom) * times > _MOST_MADE:
            raise _NotSimpleError  # repeats of repeats
        made += atom * times
    return made


def _atom(reader: _Reader, wanted: int) -> str:
    char = reader.take()
    if char in "^$":
        return ""
    if char == ".":
        return "a"
    if char == "(":
        return _group(reader, wanted)
    if char == "[":
        return _one_of(reader)
    if char == "\\":
        return _pick(_escaped(reader), reader.number)
    return char


def _group(reader: _Reader, wanted: int) -> str:
    if reader.skip("?") and not reader.skip(":"):
        if not reader.skip("<") or reader.peek() in ("=", "!"):
            raise _NotSimpleError
        while reader.take() != ">":
            pass
    made = _alternatives(reader, wanted)
    if reader.take() != ")":
        raise _NotSimpleError
    return made


def _escaped(reader: _Reader) -> str:
    char = reader.take()
    if char in _CLASSES:
        return _CLASSES[char]
    if char in ("x", "u"):
        digits = "".join(reader.take() for _ in range(2 if char == "x" else 4))
        return chr(int(digits, 16))
    if char in "bB" or char.isdigit() or char in "pPk":
        raise _NotSimpleError
    return _CONTROLS.get(char, char)


def _one_of(reader: _Reader) -> str:
    is_negated = reader.skip("^")
    chars = ""
    while reader.peek() != "]":
        first = _escaped(reader) if reader.skip("\\") else reader.take()
        if reader.peek() == "-" and reader.text[reader.at + 1 : reader.at + 2] not in ("]", ""):
            reader.take()
            last = _escaped(reader) if reader.skip("\\") else reader.take()
            chars += "".join(chr(code) for code in range(ord(first[0]), ord(last[0]) + 1))
        else:
            chars += first
    reader.take()
    allowed = [c for c in _PRINTABLE if c not in chars] if is_negated else list(chars)
    if not allowed:
        raise _NotSimpleError
    return _pick("".join(allowed), reader.number)


def _pick(allowed: str, number: int) -> str:
    """One of the characters, a letter or a digit other than 0 where there is one."""
    plain = [c for c in allowed if c.isalnum() and c != "0"] or list(allowed)
    return plain[(number - 1) % len(plain)]


def _repeats(reader: _Reader) -> tuple[int, int]:
    """(least, most) times; lazy and possessive marks make no difference here."""
    found = re.compile(r"\{(\d+)(,?)(\d*)\}").match(reader.text, reader.at)
    if reader.skip("*"):
        bounds = (0, _MAX_REPEAT)
    elif reader.skip("+"):
        bounds = (1, _MAX_REPEAT)
    elif reader.skip("?"):
        bounds = (0, 1)
    elif found:
        reader.at = found.end()
        low = int(found[1])
        bounds = (low, int(found[3]) if found[3] else (_MAX_REPEAT if found[2] else low))
    else:
        return 1, 1
    if bounds != (1, 1) and reader.peek() in ("?", "+"):
        reader.take()
    return bounds
