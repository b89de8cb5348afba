"""A thing that came in an envelope that nobody described, as it would stand without it.

`GET /tag-types/{name}` is described as the tag type and answered with `{version, tagType: {…}}`: what was asked for
would be looked for around it, and be “not there”. Only where nothing of what the step looks for is around it, and the
one object in the answer that is called like the thing (by its address) or like what such envelopes hold has some of it.
Pure; called by `workflow.running.interpreter` for reads.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from workflow.documents.path_queries import address_of
from workflow.documents.scope import Reply
from workflow.documents.values import Reference
from workflow.programs.program import ProgramStep
from workflow.replies.expectations import Expectation

_HOLDERS = frozenset(("data", "item", "result", "object", "entity"))


def as_described(step: ProgramStep, reply: Reply) -> Reply:
    """The reply to a read, its body the thing alone."""
    if not step.is_safe or step.pages is not None:
        return reply
    body = reply.body
    kept = step.keeps.expects if step.keeps is not None and step.keeps.thing is None else ()
    sought = set(_sought((*step.expects, *kept)))
    if not isinstance(body, Mapping) or not 200 <= reply.status < 300 or not sought or not sought.isdisjoint(body):
        return reply
    inner = [(name, value) for name, value in body.items() if isinstance(value, Mapping)]
    if len(inner) != 1 or sought.isdisjoint(inner[0][1]) or not _is_about(inner[0][0], step.path_template):
        return reply
    return replace(reply, body=inner[0][1])


def _sought(expects: Iterable[Expectation]) -> Iterable[str]:
    """The members of the body in which something is looked for."""
    for each in expects:
        shown = each.found.expression if isinstance(each.found, Reference) else None
        if shown is not None and shown.root == "response" and shown.place == "body" and shown.pointer:
            yield shown.pointer[0]


def _is_about(name: str, path: str) -> bool:
    """Whether the member is called like the things at this address: `tagType` of `/tag-types/{name}`."""
    literal = [part for part in address_of(path).split("/") if part and "{" not in part]
    return name.lower() in _HOLDERS or bool(literal and _one(name) == _one(literal[-1]))


def _one(name: str) -> str:
    """The name for one of them, by its letters alone."""
    letters = re.sub("[^a-z0-9]", "", name.lower())
    return re.sub("ies$", "y", letters) if letters.endswith("ies") else letters.removesuffix("s")
