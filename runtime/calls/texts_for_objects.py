"""Outputs of a read that are texts where the tool's schema promises objects: they are told as the texts that they are.

A log, a file, a page of metrics: servers answer them with text, and descriptions have an object there, or the usual
reply. Nothing was changed by a read, so that nothing hangs on it: the output is left out, since a client would refuse
it, and its text stands in the note. Pure; called by `calls` before a run would fail for its outputs.
"""

from collections.abc import Mapping
from dataclasses import replace

from runtime.engines.engine import Ended
from workflow.documents.document import Json
from workflow.visible import visible

MOST_SHOWN = 8_000  # characters of all of them: as much as an answer usually has


def texts_for_objects(schema: Json, ended: Ended) -> Ended | None:
    """`ended` without these outputs, their texts told in its note; None where there are none."""
    promised = schema.get("properties", {}) if isinstance(schema, Mapping) else {}
    texts = {
        name: value
        for name, value in ended.outputs.items()
        if isinstance(value, str) and (promised.get(name) or {}).get("type") in ("object", "array")
    }
    if not texts:
        return None
    rest = {name: value for name, value in ended.outputs.items() if name not in texts}
    told = [f"{name} is a text, though the description has none there:\n{_cut(text)}" for name, text in texts.items()]
    return replace(ended, outputs=rest, note="\n".join(filter(None, (ended.note, *told))))


def _cut(text: str) -> str:
    plain = visible(text, MOST_SHOWN)
    return plain if len(text) <= MOST_SHOWN else f"{plain}…\n({len(text)} characters in all)"
