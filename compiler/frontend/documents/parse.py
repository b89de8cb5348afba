"""Bytes to a document: JSON or YAML, strict where two readers could understand two different things.

Here live the choice of the syntax, the encodings, and JSON under limits; YAML is in `yaml_events`. Here never lives
knowledge of OpenAPI. Called by `references` (descriptions) and `overlay`.
RFC 8259 for JSON: NaN, Infinity, duplicate keys and lone surrogates are refused, since the approver and the device
might read them differently. The standard library's reader is taken for its pairs hook: 18 ms for 2.6 MB with every
key checked, against 9 ms for orjson, which silently keeps the last of two equal keys.
"""

import codecs
import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from compiler.errors import LimitError, SpecError
from compiler.frontend.documents.limits import ReadLimits
from compiler.frontend.documents.yaml_events import parse_yaml

Json = Any
# YAML 1.2, 5.1: all but these are printable. They come from text that was pasted out of other encodings; where there
# is NUL, it is no text at all, and is refused.
_UNFIT_IN_YAML = re.compile("[^\0\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A document and what it cost: `nodes` as `ReadLimits` counts them. `repaired`: what was not as it must be."""

    data: Json
    nodes: int
    repaired: str = ""


def parse_document(raw: bytes, source: str, limits: ReadLimits) -> Parsed:
    """The JSON or YAML in `raw`. Raises SpecError for what is neither, LimitError for what is too much."""
    if len(raw) > limits.json_bytes:
        raise LimitError(f"{len(raw)} bytes; at most {limits.json_bytes} are read", source)
    text = decode(raw, source)
    if text.lstrip()[:1] in ("{", "["):
        return _parse_either(text, source, limits)
    return _yaml(text, source, limits)


def decode(raw: bytes, source: str) -> str:
    """`raw` as text: UTF-8 with or without a mark, UTF-16 with one (what PowerShell writes). Raises SpecError."""
    encoding = next((name for mark, name in _ENCODINGS if raw.startswith(mark)), "utf-8")
    if raw.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        encoding = "utf-8"  # UTF-32 begins like UTF-16; nobody writes it, and as UTF-8 it is refused below
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise SpecError(f"not {encoding.upper()} text: {error}", source, remedy="save the file as UTF-8") from error


def _parse_either(text: str, source: str, limits: ReadLimits) -> Parsed:
    """JSON; when it is not, but starts with a bracket, YAML's flow style may be meant (comments, single quotes)."""
    try:
        return _json(text, source, limits)
    except json.JSONDecodeError as error:
        try:
            return _yaml(text, source, limits)
        except SpecError:
            message = f"not JSON: {error.msg} in line {error.lineno}, column {error.colno}"
            raise SpecError(message, source, remedy="correct the syntax of the file") from error


def _yaml(text: str, source: str, limits: ReadLimits) -> Parsed:
    if len(text) > limits.yaml_bytes:
        remedy = "convert the file to JSON, which is read 20 times faster"
        raise LimitError(f"{len(text)} characters of YAML; at most {limits.yaml_bytes}", source, remedy=remedy)
    plain = _UNFIT_IN_YAML.sub(" ", text)
    data, nodes = parse_yaml(plain, source, limits)
    return Parsed(data, nodes, "" if plain == text else _told_of_controls(text))


def _told_of_controls(text: str) -> str:
    found = list(_UNFIT_IN_YAML.finditer(text))
    line = text.count("\n", 0, found[0].start()) + 1
    named = ", ".join(sorted({f"U+{ord(one[0]):04X}" for one in found})[:5])
    return f"{len(found)} characters that no YAML holds ({named}; the first in line {line}) are taken as spaces"


def _json(text: str, source: str, limits: ReadLimits) -> Parsed:
    nodes = text.count("{") + text.count("[") + text.count(",")
    if nodes > limits.json_nodes:
        raise LimitError(f"about {nodes} values; at most {limits.json_nodes} are read", source)
    reader = _JsonReader(source, limits)
    try:
        data = json.loads(
            text,
            object_pairs_hook=reader.members,
            parse_constant=reader.constant,
            parse_int=reader.integer,
            parse_float=reader.number,
        )
    except RecursionError as error:
        raise LimitError(f"nested deeper than {limits.depth} levels", source) from error
    check_depth(data, source, limits)
    if _SURROGATE.search(text):
        _refuse_lone_surrogates(data, source)
    return Parsed(data, nodes)


@dataclass(frozen=True, slots=True)
class _JsonReader:
    source: str
    limits: ReadLimits

    def members(self, pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        found = dict(pairs)
        if len(found) != len(pairs):
            twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
            raise duplicate_key(twice, self.source, "")
        return found

    def constant(self, word: str) -> Json:
        raise SpecError(f"{word} is not JSON", self.source, remedy="give a number, or null")

    def integer(self, digits: str) -> int:
        if len(digits) > self.limits.digits:
            raise LimitError(f"a number of {len(digits)} digits; at most {self.limits.digits}", self.source)
        return int(digits)

    def number(self, digits: str) -> float:
        if len(digits) > 16 * self.limits.digits:
            raise LimitError(f"a number of {len(digits)} characters", self.source)
        return finite(float(digits), digits, self.source)


def finite(value: float, written: str, source: str) -> float:
    """`value`, unless it is beyond what a double holds: then SpecError, because JSON has no word for it."""
    if value in (float("inf"), float("-inf")):
        raise SpecError(f"{written[:40]} is beyond every number", source, remedy="give a number below 1e308")
    return value


def duplicate_key(key: str, source: str, line: str) -> SpecError:
    """The refusal of a mapping that says one thing twice: readers differ in which one they take."""
    return SpecError(f"the key {key[:80]!r} stands twice in one mapping{line}", source, remedy="remove one of the two")


def check_depth(data: Json, source: str, limits: ReadLimits) -> None:
    """Raises LimitError when `data` is nested deeper than allowed; level by level, since recursion would not end."""
    level = [data] if isinstance(data, dict | list) else []
    depth = 0
    while level:
        depth += 1
        if depth > limits.depth:
            raise LimitError(f"nested deeper than {limits.depth} levels", source)
        inner: list[Json] = []
        for node in level:
            inner += [c for c in (node.values() if type(node) is dict else node) if type(c) is dict or type(c) is list]
        level = inner


def _refuse_lone_surrogates(data: Json, source: str) -> None:
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise SpecError("half of a surrogate pair is not text", source, remedy="remove the \\ud… escape") from error
