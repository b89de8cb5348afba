"""Verbs of an operation that its address has as part of a thing: `Export packages` for `Find export packages`.

Pure text; what `naming` does with a title that is returned here, it decides alone.
"""

from dataclasses import replace

from compiler.ir.model import Flow, Operation
from compiler.passes.flows.wording import linter as wording
from compiler.passes.flows.wording import texts
from compiler.passes.flows.wording.ids import GENERAL, MOST_TITLE_WORDS
from compiler.passes.flows.wording.summaries import base_of
from compiler.passes.names import words
from compiler.passes.names.paths import last_word, segments

_ASKING = GENERAL | {"find", "describe", "list", "show"}
_READS = ("find", "describe", "report")


def beginning(flow: Flow, title: str) -> str:
    """The description with the title as its first sentence."""
    rest = flow.description[len(wording.first_of(flow.description)) :].lstrip(".").strip()
    return f"{title}. {rest}".strip()


def with_own_verb(flow: Flow, operation: Operation) -> Flow:
    """The flow under the verb that the operation's id or its text begins with; itself where it has that already."""
    title = texts.opened(_title(flow, operation))
    is_read = flow.intent in _READS  # what an action does its own text tells
    return (
        replace(flow, title=title, description=beginning(flow, title) if is_read else flow.description)
        if title
        else flow
    )


def _title(flow: Flow, operation: Operation) -> str:
    verb, *rest = flow.title.split(" ")
    named = words.split(operation.operation_id)
    named = named[1:] if named[:1] == (operation.method.lower(),) else named
    told = words.split(words.first_sentence(operation.summary or operation.description, 100))
    own = next((base for said in (named, told) if said and (base := base_of(said[0]))), "")
    is_within = (
        bool(own) and flow.intent in _READS and verb.lower() in _ASKING and len(rest) > 1 and rest[0].lower() == own
    )
    # `/snapshot-schedules` are no deed, and `/export/packages` is one.
    is_noun = own in wording.AS_NOUNS - _ASKING and own not in [part.lower() for part in segments(operation.path)]
    if is_within and not is_noun:
        return " ".join(rest)
    if not own or own in _ASKING:
        return ""
    # `ReportTestCaseResult` at `/testCaseResult`, where `test` is no verb.
    things = words.split(flow.title)
    is_thing = flow.intent == "act" and things == words.split(last_word(operation.path)) and verb.lower() != own
    is_thing = is_thing and verb.lower() in wording.AS_NOUNS and named[1:] == things
    return f"{own} {words.spoken(last_word(operation.path))}" if is_thing and len(named) <= MOST_TITLE_WORDS else ""
