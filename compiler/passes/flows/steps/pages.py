"""What a step says of the list in its reply: where it stands, and how it goes on from page to page.

Called by `builder` for each step that reads a list, and by `lookups` and `intents` for lists inside an item. How a list
goes on is decided in `passes.resources` and by the profile, never here.
"""

from dataclasses import replace
from typing import Any

from compiler.ir.model import FlowStep, Paging, Resource
from workflow.json.pointers import child

_AS_TOLD = Paging("reply")  # nobody said how the list goes on: the replies tell
_CUT_AT = 10  # pages of a list that is given out: what lies beyond is asked for with the next call


def paged(step: FlowStep, listed: Resource) -> FlowStep:
    """The step, reading all pages of the list; one that gives out where to go on (`next`) reads the first few."""
    rule = listed.paging or _AS_TOLD
    is_cut = "next" in step.outputs
    pages = pages_of(listed, rule, min(rule.most, _CUT_AT) if is_cut else rule.most)
    pages |= {"cut": True} if is_cut else {}
    bound = {name for name, location, _ in step.parameters if location == "query"}
    asks = rule.size_parameter and not rule.is_in_body and rule.size_parameter not in bound
    size = ((rule.size_parameter, "query", rule.size),) if asks else ()
    return replace(step, pages=pages, parameters=(*step.parameters, *size))


def inside(resource: Resource) -> dict[str, Any]:
    """What a step says of the list of these in the item of their owner; nothing where they have a list of their own."""
    return {} if resource.list else {**pages_of(resource), "optional": True}


def pages_of(listed: Resource, rule: Paging = _AS_TOLD, most: int = _AS_TOLD.most) -> dict[str, Any]:
    """What a step says of the list in its reply (`workflow.replies.pages`)."""
    own = listed.references or listed.id_field
    known = {
        "parameter": rule.parameter,
        "at": rule.at,
        "id": listed.element_at + child("", own) if own else "",
        "total": listed.total,
    }
    pages = {"by": rule.by, "members": listed.members, "most": most}
    pages |= {name: value for name, value in known.items() if value}
    pages |= {"within": "body"} if rule.is_in_body else {}
    return pages | ({"first": rule.first} if rule.by == "pages" else {})
