"""Big outputs made small enough for a model, still valid against the output schema, and what was cut from them.

Lists are shortened first, then long texts too; where the schema allows neither, whole outputs are left out that are
not required, the largest first. What is nearest to whole and fits is taken. The whole stays in the run's record and
is read as a resource (`resources`). DESIGN.md, "Running": results are small and typed. Called by `tools`. Pure.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from workflow.json.pointers import child

Json = Any
# About 10,000 tokens: what common clients take from one call without a warning, more than twice the default catalog.
MOST_SHOWN_BYTES = 40_000
# Lists are cut to fewer and fewer items, texts to fewer and fewer characters; below these nothing is told any more.
ITEMS = (500, 200, 100, 50, 20, 10, 5, 2, 1)
CHARACTERS = (20_000, 5_000, 1_000, 200)
# As many cuts as help to find one's way; a nested list may have been cut a thousand times.
MOST_CUTS_TOLD = 10


@dataclass(frozen=True, slots=True)
class Shown:
    """`kept`: pointer of each cut → how much of how much is left. `whole_bytes` is 0 where nothing was cut."""

    outputs: dict[str, Json]
    whole_bytes: int = 0
    kept: Mapping[str, str] = field(default_factory=dict)


def cut(outputs: dict[str, Json], accepts: Callable[[Json], bool], most_bytes: int = MOST_SHOWN_BYTES) -> Shown:
    """`outputs`, or the largest part of them that fits into `most_bytes` and that the schema accepts.

    Where no valid part fits, the smallest valid one that was found.
    """
    size = len(orjson.dumps(outputs))
    if size <= most_bytes:
        return Shown(outputs)
    smallest, least = Shown(outputs), size
    for part, kept in _smaller(outputs):
        length = len(orjson.dumps(part))
        if length < least and accepts(part):
            smallest, least = Shown(part, size, kept), length
            if length <= most_bytes:
                break
    return smallest


def told_cuts(shown: Shown, uri: str) -> str:
    """What was cut, for a model: without this line it would take the part for the whole."""
    told = [f"{pointer or 'the outputs'}: {left}" for pointer, left in list(shown.kept.items())[:MOST_CUTS_TOLD]]
    more = len(shown.kept) - len(told)
    cuts = "; ".join(told) + (f"; and {more} more" if more > 0 else "")
    return f"Cut, for the whole has {shown.whole_bytes} bytes. Shown of {cuts}. The whole, for an hour: {uri}"


def _smaller(outputs: dict[str, Json]) -> Iterator[tuple[dict[str, Json], Mapping[str, str]]]:
    """Parts of `outputs`, smaller and smaller, each with what was cut."""
    for items, characters in [(items, 0) for items in ITEMS] + [(ITEMS[-1], length) for length in CHARACTERS]:
        kept: dict[str, str] = {}
        yield _cut(outputs, items, characters, "", kept), kept
    left = dict(outputs)
    gone: dict[str, str] = {}
    for name in sorted(outputs, key=lambda each: len(orjson.dumps(outputs[each])), reverse=True):
        del left[name]
        gone = {**gone, child("", name): "nothing"}
        yield dict(left), gone


def _cut(value: Json, items: int, characters: int, pointer: str, kept: dict[str, str]) -> Json:
    """`value` with lists of at most `items` and texts of at most `characters` (0: as they are); fills `kept`."""
    if isinstance(value, Mapping):
        return {name: _cut(each, items, characters, child(pointer, name), kept) for name, each in value.items()}
    if isinstance(value, list):
        if len(value) > items:
            kept[pointer] = f"{items} of {len(value)} items"
        return [_cut(each, items, characters, child(pointer, at), kept) for at, each in enumerate(value[:items])]
    if isinstance(value, str) and characters and len(value) > characters:
        kept[pointer] = f"{characters} of {len(value)} characters"
        return value[:characters]
    return value
