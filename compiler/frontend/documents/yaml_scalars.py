"""What a YAML scalar means: the core schema of YAML 1.2 (chapter 10.3), and nothing of YAML 1.1.

Here lives the reading of one scalar; here never lives structure. Called by `yaml_events` alone.
`no`, `off`, `2024-01-31`, `1_000` and `12:30:45` are text: descriptions mean the words, and JSON has no other types.
"""

import re
from typing import Any

from compiler.errors import LimitError, SpecError
from compiler.frontend.documents.limits import ReadLimits

_WORDS = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_OTHER_BASE = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_NO_NUMBER = re.compile(r"([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\Z")
_CORE = "tag:yaml.org,2002:"


class ScalarReader:
    """Remembers what it has read: the same few hundred words make up most of a description."""

    def __init__(self, source: str, limits: ReadLimits) -> None:
        self.source = source
        self.limits = limits
        self._known: dict[str, Any] = {}

    def value(self, event: Any) -> Any:
        """What the scalar means. Raises SpecError for foreign tags and for numbers that JSON lacks, LimitError."""
        text: str = event.value
        if event.tag is not None and event.tag != "!":
            return self._tagged(event.tag, text)
        if not event.implicit[0]:
            return text
        if text in self._known:
            return self._known[text]
        self._known[text] = value = self._plain(text)
        return value

    def _plain(self, text: str) -> Any:
        if text in _WORDS:
            return _WORDS[text]
        if text[0] not in "+-.0123456789":
            return text
        return self._number(text)

    def _number(self, text: str) -> Any:
        if _INTEGER.match(text):
            return int(self._bounded(text))
        if _OTHER_BASE.match(text):
            return int(self._bounded(text), 0)
        if _NO_NUMBER.match(text):
            raise SpecError(f"{text} is not a number in JSON", self.source, remedy="give a number, or null")
        if not _NUMBER.match(text):
            return text
        value = float(self._bounded(text))
        if value in (float("inf"), float("-inf")):
            raise SpecError(f"{text} is beyond every number", self.source, remedy="give a number below 1e308")
        return value

    def _bounded(self, text: str) -> str:
        if len(text) > self.limits.digits:
            raise LimitError(f"a number of {len(text)} digits; at most {self.limits.digits}", self.source)
        return text

    def _tagged(self, tag: str, text: str) -> Any:
        kind = tag.removeprefix(_CORE)
        if kind == "str":
            return text
        value = self._plain(text)
        fits = {"int": int, "float": float, "bool": bool, "null": type(None)}.get(kind)
        if fits is None or type(value) is not fits:
            raise SpecError(f"the tag {tag[:80]!r} on {text[:40]!r} is not read", self.source, remedy="remove the tag")
        return value
