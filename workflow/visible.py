"""Text that shows all that it says: without control, bidi, zero-width, tag and other invisible characters.

What descriptions, documents of strangers and devices say ends in the context of a model and on an approver's screen;
what only one of the two sees must not be there. Words are cleaned. A value that would be sent cannot be: a schema that
is shown leaves it out, and the full one, which calls are checked with, still has it. Called by `tool`, by whoever
tells of failures, and by the compiler's judge of words. THREATS.md, B2.
"""

import unicodedata
from collections.abc import Mapping
from typing import Any

Json = Any
# Unassigned, private, control, format (bidi, zero-width, tags), surrogates, line and paragraph separators.
_INVISIBLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
# Letters and marks that show nothing: Hangul and Khmer fillers, joiners, variation selectors.
_BLANKS = frozenset(map(chr, (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0xFE00, 0xFE10))))
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"'})
_WORDS = ("title", "description", "$comment")
_SENT = ("default", "const", "pattern")
_LISTS = ("enum", "examples")


def is_visible(character: str) -> bool:
    hidden = unicodedata.category(character) in _INVISIBLE or character in _BLANKS
    return not hidden and not 0xE0100 <= ord(character) <= 0xE01EF


def visible(text: str, most: int = 4000) -> str:
    """`text` without what cannot be seen, lines kept, at most `most` characters of it."""
    if text.isascii() and text.isprintable():
        return text[:most]
    lines = text[: 4 * most].split("\n")
    return "\n".join("".join(c if is_visible(c) else " " if c.isspace() else "" for c in line) for line in lines)[:most]


def quotable(text: str, most: int = 4000) -> str:
    """`text` on one line, without what cannot be seen and without quotation marks of its own."""
    return " ".join(visible(text, most).translate(_QUOTES).split())


def hides(value: Json) -> bool:
    """Whether some text in `value`, names included, has more to it than can be seen."""
    if isinstance(value, str):
        return not (value.isascii() and value.isprintable()) and not all(c == "\n" or is_visible(c) for c in value)
    if isinstance(value, Mapping):
        return any(hides(name) or hides(part) for name, part in value.items())
    return isinstance(value, list | tuple) and any(map(hides, value))


def visible_schema(schema: Json) -> Json:
    """A JSON Schema for showing: words cleaned, values and names that hide something left out."""
    if isinstance(schema, list):
        return [visible_schema(part) for part in schema]
    if not isinstance(schema, Mapping):
        return visible(schema) if isinstance(schema, str) else schema
    if not hides(schema):
        return dict(schema)
    return _shown(schema)


def _shown(schema: Mapping[str, Json]) -> dict[str, Json]:
    shown: dict[str, Json] = {}
    for name, part in schema.items():
        if name in _WORDS and isinstance(part, str):
            shown[name] = visible(part)
        elif name in ("properties", "$defs", "patternProperties") and isinstance(part, Mapping):
            shown[name] = {key: visible_schema(one) for key, one in part.items() if not hides(key)}
        elif name in _LISTS and isinstance(part, list):
            shown |= {name: kept} if (kept := [one for one in part if not hides(one)]) else {}
        elif name == "required" and isinstance(part, list):
            shown[name] = [one for one in part if not hides(one)]
        elif hides(name) or (name in _SENT and hides(part)):
            continue
        elif name in ("additionalProperties", "unevaluatedProperties") and part is False:
            continue  # what is left out here may come all the same
        else:
            shown[name] = visible_schema(part)
    return shown
