"""What is said of an input: its meaning, its unit, what it goes with, and an example out of the description.

The first sentence says what it is. Of the rest only what decides whether a call is taken is kept: when it is needed,
what it excludes, which values there are. Never a vendor's prose as a whole, since each word is paid for in every list.
Called wherever an input is made.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from compiler.ir.model import Body
from compiler.passes.names import words
from compiler.passes.names.words import first_sentence, split
from workflow.documents.schemas import as_json

_MOST_TEXT = 240  # characters
_MOST_EXAMPLE = 200  # bytes
_CONDITION = re.compile(
    r"\b(required (if|when|for|with|unless)|only (valid|used|allowed|applicable|effective|together|with|if|when)"
    r"|mutually exclusive|in combination with|conflicts? with|ignored (if|when|unless|with)|not (valid|allowed) with"
    r"|(can ?not|must not|may not) be (used|combined|specified|set|given)"
    r"|(must|has to|have to) (also )?be (set|given|specified|provided|present)"
    r"|(either|one of) .* (must|required)|(valid|possible|allowed|accepted|supported) values)",
    re.IGNORECASE,
)
_UNITS = {
    "byte": "bytes", "bytes": "bytes", "kb": "KB", "kib": "KiB", "kilobytes": "KB", "mb": "MB", "mib": "MiB",
    "megabytes": "MB", "mebibytes": "MiB", "gb": "GB", "gib": "GiB", "gigabytes": "GB", "gibibytes": "GiB", "tb": "TB",
    "tib": "TiB", "ms": "milliseconds", "msec": "milliseconds", "millis": "milliseconds",
    "milliseconds": "milliseconds", "microseconds": "microseconds", "nanoseconds": "nanoseconds", "ns": "nanoseconds",
    "sec": "seconds", "secs": "seconds", "seconds": "seconds", "minutes": "minutes", "mins": "minutes",
    "hours": "hours", "days": "days", "weeks": "weeks", "percent": "percent", "percentage": "percent", "mhz": "MHz",
    "ghz": "GHz", "watts": "watts", "celsius": "degrees Celsius", "mbps": "Mbit/s", "gbps": "Gbit/s", "kbps": "kbit/s",
    "iops": "IOPS", "rpm": "RPM", "pages": "pages", "sectors": "sectors", "px": "pixels", "pixels": "pixels",
}  # fmt: skip
_NAMED = "|".join(_UNITS)
_IN_TEXT = re.compile(rf"\b(?:in|of|number of)\s+(?:the\s+)?({_NAMED})\b|[(\[]({_NAMED})[)\]]", re.IGNORECASE)
# What says nothing of what is meant: that the schema says, and since when there is such a thing.
BESIDE = re.compile(
    r"^(?:(?:required|optional|immutable|identifier|input only)\.|(?:was )?added in version [\d.]+\d\.?)(?=\s|$)\s*",
    re.IGNORECASE,
)
_READ_ONLY = re.compile(r"^\W{0,2}(?:output[ -]only|read[ -]?only)\W{0,2}[.\])]", re.IGNORECASE)
_LIST = re.compile(r"([.!?]) [^.!?]{0,60}:$")
SENTENCE = 3  # spaces in a text that says what is meant: the same text means the same value
_SENTENCES = re.compile(r"(?<=[.!?;])\s+|\n\s*\n|\n\s*[-*]\s")


def told(text: str, name: str, schema: Mapping[str, Any]) -> str:
    """What a caller reads of the input `name`; its name in words where nobody described it."""
    text = text or str(schema.get("title") or "")
    text = BESIDE.sub("", text)
    first = _without_list(first_sentence(text))
    if not first or _lists_values(first, schema):
        first = f"{words.spoken(name)[:1].upper()}{words.spoken(name)[1:]}."
    said = [first, *_conditions(text, first)]
    unit = _unit(text, name, schema)
    if unit and not _says(" ".join(said), unit):
        said.append(f"In {unit}.")
    return _joined(said)


def is_read_only(text: str) -> bool:
    """`Output only. The time …`, `[Output Only] …`, `Read-only.`: nothing to send, whatever the schema says."""
    return _READ_ONLY.match(text[:40]) is not None


def _without_list(sentence: str) -> str:
    """Without the beginning of a list that is left out: `… Valid values are:`."""
    return _LIST.sub(r"\1", sentence).strip()


def _lists_values(text: str, schema: Mapping[str, Any]) -> bool:
    """Whether a text is nothing but the values, which the schema has: `active - Active offline - Offline`."""
    values = {word for value in schema.get("enum") or () for word in split(str(value))}
    return bool(values) and set(split(text)) <= values


def _joined(said: list[str]) -> str:
    """As many of the sentences as there is room for, each closed."""
    whole = said[0]
    for sentence in said[1:]:
        closed = whole if whole[-1:] in ".…!?" else f"{whole}."
        if len(closed) + len(sentence) < _MOST_TEXT:
            whole = f"{closed} {sentence}"
    return whole


def _conditions(text: str, first: str) -> Iterator[str]:
    """Sentences behind the first one that say when the input is needed or taken."""
    for sentence in _SENTENCES.split(text)[1:]:
        if _CONDITION.search(sentence):
            plain = first_sentence(sentence)
            if plain and plain not in first:
                yield plain


def _unit(text: str, name: str, schema: Mapping[str, Any]) -> str:
    kinds = schema.get("type")
    if not {"integer", "number"} & set([kinds] if isinstance(kinds, str) else kinds or ()) or "enum" in schema:
        return ""
    named = _UNITS.get((split(name) or ("",))[-1], "")
    found = _IN_TEXT.search(text)
    return _UNITS[(found[1] or found[2]).lower()] if found else named


def _says(said: str, unit: str) -> bool:
    found = {_UNITS.get(word.lower()) for word in re.findall(r"[A-Za-z]+", said)}
    return unit in found or unit in said


def with_example(schema: Mapping[str, Any], *offers: Any) -> dict[str, Any]:
    """The schema with the first of these values that is of its kind, as an example; a password has none."""
    if schema.get("format") == "password" or "const" in schema or schema.get("enum"):
        return dict(schema)
    found = next((one for one in offers if one is not None and _is_fit(schema, one)), None)
    return dict(schema) if found is None else {**schema, "examples": [found]}


def offers_of(*schemas: Mapping[str, Any]) -> Iterator[Any]:
    """The examples that stand in these schemas."""
    for schema in schemas:
        many = schema.get("examples")
        yield from many.values() if isinstance(many, Mapping) else many if isinstance(many, list) else ()
        yield schema.get("example")


_KINDS = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}


def _is_fit(schema: Mapping[str, Any], value: Any) -> bool:
    kinds = schema.get("type")
    kinds = [kinds] if isinstance(kinds, str) else kinds or ()
    is_kind = not kinds or any(isinstance(value, _KINDS.get(kind, ())) for kind in kinds)  # type: ignore[arg-type]
    is_flag = isinstance(value, bool) and "boolean" not in kinds
    return is_kind and not is_flag and value not in ("", [], {}) and len(as_json(value)) <= _MOST_EXAMPLE


def purpose_of(body: Body) -> str:
    """What the description says in a sentence that the body is; "" where it has but its kind or its address."""
    text = first_sentence(body.description)
    is_said = text.count(" ") >= SENTENCE and "/" not in text and not text.lower().startswith("request of ")
    return text if is_said else ""
