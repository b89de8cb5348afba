"""Regular expressions that cannot hang: matching takes time linear in the text, whatever pattern and text are.

Python's engine backtracks, so that one hostile text can stall a run for years. The engine here is that of Rust's
`regex`, reached through jsonschema-rs, whose `pattern` keyword searches; it refuses look-around and back-references
and patterns that compile too large, all when the pattern is compiled, which `checks` does. Called by `criteria`, by
the functions match() and search() of `selectors`, and by whoever makes a validator of a schema that others wrote.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jsonschema_rs

from workflow.errors import ExpressionError

# A dot, or what may hold one that is no wildcard: an escape, a character class.
_DOT_OR_OTHER = re.compile(r"\.|\\.|\[(?:\\.|[^\]\\])*\]", re.DOTALL)


LINEAR = jsonschema_rs.RegexOptions()
"""What validators of schemas are made with: their `pattern` and `patternProperties` run on this engine, too."""


class Pattern:
    """A compiled pattern."""

    __slots__ = ("_validator",)

    def __init__(self, pattern: str) -> None:
        try:
            self._validator = jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=LINEAR)
        except (jsonschema_rs.ValidationError, ValueError) as error:
            reason = "it must be without look-around, back-references and very large repetitions"
            raise ExpressionError(f"{pattern!r} is no regular expression that runs in linear time; {reason}") from error

    def is_found_in(self, text: str) -> bool:
        """Whether some part of `text` matches. Text that is no Unicode (lone surrogates) matches nothing."""
        try:
            return self._validator.is_valid(text)
        except UnicodeEncodeError:
            return False


@lru_cache(maxsize=1024)
def compile_pattern(pattern: str) -> Pattern:
    """The pattern, compiled once. Raises ExpressionError."""
    return Pattern(pattern)


def escaped(text: str) -> str:
    """A pattern that matches `text` and nothing else, inside a character class too."""
    return "".join(char if char.isalnum() or ord(char) > 127 else f"\\x{ord(char):02x}" for char in text)


@lru_cache(maxsize=1024)
def compile_i_regexp(pattern: str, is_whole: bool) -> Pattern:
    """An I-Regexp (RFC 9485), to match a whole text or to be found in it. Raises ExpressionError."""
    regular = from_i_regexp(pattern)
    return Pattern(f"^(?:{regular})$" if is_whole else regular)


def from_i_regexp(pattern: str) -> str:
    """An I-Regexp (RFC 9485) in this engine's terms: the dot leaves out carriage returns, too."""
    return _DOT_OR_OTHER.sub(lambda found: "[^\\n\\r]" if found[0] == "." else found[0], pattern)


_DATA = frozenset(("const", "default", "enum", "example", "examples"))


def enforceable(schema: Any) -> tuple[Any, tuple[str, ...]]:
    """A JSON Schema without the patterns that this engine does not have, and these in the order in which they stand.

    Where all of them can be run, that is `schema` itself and nothing.
    """
    dropped: dict[str, None] = {}
    kept = _without(schema, dropped)
    return (kept, tuple(dropped)) if dropped else (schema, ())


def _without(schema: Any, dropped: dict[str, None]) -> Any:
    if isinstance(schema, list | tuple):
        return [_without(each, dropped) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    kept = {key: value if key in _DATA else _without(value, dropped) for key, value in schema.items()}
    own, named = kept.get("pattern"), kept.get("patternProperties")
    if isinstance(own, str) and not _is_run(own, dropped):
        del kept["pattern"]
    if isinstance(named, dict):
        kept["patternProperties"] = {name: inner for name, inner in named.items() if _is_run(name, dropped)}
    return kept


def _is_run(pattern: str, dropped: dict[str, None]) -> bool:
    try:
        compile_pattern(pattern)
    except ExpressionError:
        dropped[pattern] = None
        return False
    return True
