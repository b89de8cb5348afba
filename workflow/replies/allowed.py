"""Allowed values: what a change is going to send, held against what the thing itself says that its members may be.

A read before a change says so in `x-switchgear.allows`: `asked` (the body, as it will be sent), `item` (the thing in
the reply) and `beside` (the name of the member that lists the values, `{member}@Redfish.AllowableValues`), which stands
beside the member itself. A thing that lists nothing there allows all. Pure; made ready by `plan`, judged by
`interpreter` before anything is sent.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from workflow.documents.document import Json
from workflow.documents.expressions import Expression
from workflow.documents.scope import Scope
from workflow.documents.templates import text_of
from workflow.documents.values import Value
from workflow.json.pointers import escape
from workflow.replies.expectations import evaluated
from workflow.replies.failures import VALUE_LENGTH

_MOST_LEVELS = 8
MEMBER = "{member}"


@dataclass(frozen=True, slots=True)
class Allowance:
    """See the file's docstring."""

    asked: Value
    item: Value
    beside: str

    @property
    def expressions(self) -> tuple[Expression, ...]:
        return (*self.asked.expressions, *self.item.expressions)


def refusal(allowance: Allowance | None, scope: Scope) -> str:
    """Which value the thing in the reply does not allow, and which it does; empty where all may be sent."""
    if allowance is None:
        return ""
    asked, item = evaluated(allowance.asked, scope), evaluated(allowance.item, scope)
    refused = list(_refused(asked, item, allowance.beside, "", 0))
    return "; ".join(refused)


def _refused(asked: Json, item: Json, beside: str, place: str, level: int) -> Iterator[str]:
    if not isinstance(asked, Mapping) or not isinstance(item, Mapping) or level > _MOST_LEVELS:
        return
    for name, value in asked.items():
        here = f"{place}/{escape(name)}"
        allowed = item.get(beside.replace(MEMBER, name))
        given = value if isinstance(value, list) else [value]
        if isinstance(allowed, list) and allowed:
            wrong = [each for each in given if not isinstance(each, Mapping | list) and each not in allowed]
            yield from (f"{here} may be {_told(allowed)} here, not {_told([each])}" for each in wrong)
        yield from _refused(value, item.get(name), beside, here, level + 1)


def _told(values: list[Json]) -> str:
    text = ", ".join(text_of(value) for value in values)
    return text if len(text) <= VALUE_LENGTH else f"{text[:VALUE_LENGTH]}…"
