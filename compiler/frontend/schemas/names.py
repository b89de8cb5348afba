"""Names for shared schemas: stable, unique, and the author's own word wherever it can be.

Here lives the choice of the name for a place in a file; here never lives a schema. Called by `schemas` at the end,
when all places are known: a name depends on the set of places, never on the order in which they were met.
Characters as OpenAPI allows for component keys: letters, digits, `.`, `-`, `_`.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import TypeVar

Key = TypeVar("Key")
PlaceName = tuple[str, tuple[str, ...]]  # the file's name, the tokens of the pointer
_FOREIGN = re.compile(r"[^A-Za-z0-9._-]+")
# Words of OpenAPI's own structure say nothing about the schema.
_STRUCTURE = frozenset(
    [
        "$defs",
        "components",
        "content",
        "definitions",
        "items",
        "paths",
        "properties",
        "requestBody",
        "responses",
        "schema",
        "schemas",
    ]
)
_LONGEST = 120


def name_schemas(places: Iterable[tuple[PlaceName, Key]], main: str) -> Mapping[Key, str]:
    """Key → name. Of several equal words the one in the file `main` stays, the others say their file, then a number."""
    ordered = sorted(places, key=lambda one: one[0])
    by_word: dict[str, list[tuple[PlaceName, Key]]] = {}
    for place, key in ordered:
        by_word.setdefault(_word(place), []).append((place, key))
    names: dict[Key, str] = {}
    taken = {word for word, group in by_word.items() if len(group) == 1}
    for word in sorted(by_word):
        group = by_word[word]
        for place, key in group:
            told_apart = word if place[0] == main else _with_file(word, place[0])
            names[key] = word if len(group) == 1 else _free(told_apart, taken)
    return names


def _word(place: PlaceName) -> str:
    file, tokens = place
    telling = [token for token in tokens if token not in _STRUCTURE] or list(tokens)
    word = _FOREIGN.sub("_", "_".join(telling)).strip("_") if tokens else _stem(file)
    if len(word) > _LONGEST:
        word = word[: _LONGEST - 9] + "_" + hashlib.sha256(word.encode()).hexdigest()[:8]
    return word or "schema"


def _stem(file: str) -> str:
    return _FOREIGN.sub("_", PurePosixPath(file).stem.replace(".", "_")).strip("_") or "schema"


def _with_file(word: str, file: str) -> str:
    """`Message` of `Message.v1_0_6.yaml` is `Message_v1_0_6`."""
    stem = _stem(file)
    return stem if stem == word or stem.startswith(f"{word}_") else f"{word}_{stem}"


def _free(name: str, taken: set[str]) -> str:
    number = 1
    candidate = name
    while candidate in taken:
        number += 1
        candidate = f"{name}_{number}"
    taken.add(candidate)
    return candidate
