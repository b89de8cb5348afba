"""Outputs of a read that are texts where the tool's schema promises objects: they are told as the texts that they are.

A log, a file, a page of metrics: servers answer them with text, and descriptions have an object there, or the usual
reply. Nothing was changed by a read, so that nothing hangs on it: the output is left out, since a client would refuse
it, and its text stands in the note. A page of HTML is what web servers show people in place of a device that is away
or a login that is wanted: it shows nothing of what was asked for. Pure; called by `calls` before a run would fail for
its outputs.
"""

from collections.abc import Mapping
from dataclasses import replace

from runtime.engines.engine import Ended
from workflow.documents.document import Json
from workflow.replies.device_texts import is_page, texts_of_markup
from workflow.replies.failures import after_failure
from workflow.requests.events import Failure
from workflow.visible import quotable, visible

MOST_SHOWN = 8_000  # characters of all of them: as much as an answer usually has
MOST_SAID = 300  # of a sentence of a page


def texts_for_objects(schema: Json, ended: Ended) -> Ended | None:
    """`ended` without these outputs, their texts told in its note, or failed for a page; None where there are none."""
    promised = schema.get("properties", {}) if isinstance(schema, Mapping) else {}
    texts = {
        name: value
        for name, value in ended.outputs.items()
        if isinstance(value, str) and (promised.get(name) or {}).get("type") in ("object", "array")
    }
    if not texts:
        return None
    pages = {name: text for name, text in texts.items() if is_page(text)}
    if pages:
        return replace(ended, outcome="failed", outputs={}, failure=_no_thing(pages))
    rest = {name: value for name, value in ended.outputs.items() if name not in texts}
    told = [f"{name} is a text, though the description has none there:\n{_cut(text)}" for name, text in texts.items()]
    return replace(ended, outputs=rest, note="\n".join(filter(None, (ended.note, *told))))


def _no_thing(pages: Mapping[str, str]) -> Failure:
    """Why a run failed whose outputs, by their names, are pages of HTML."""
    said = tuple(
        dict.fromkeys(
            quotable(text, MOST_SAID) for page in pages.values() for text in texts_of_markup(page, "text/html")
        )
    )
    text = f"the device answered with a page of HTML, which shows nothing of what was asked for ({', '.join(pages)})"
    return Failure("", "nothing_shown", text, said=said, remedy=after_failure((), "nothing_shown"))


def _cut(text: str) -> str:
    plain = visible(text, MOST_SHOWN)
    return plain if len(text) <= MOST_SHOWN else f"{plain}…\n({len(text)} characters in all)"
