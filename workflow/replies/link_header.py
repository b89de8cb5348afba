"""Link headers, read by their grammar (RFC 8288, section 3): what leads where, by relation.

`<` address `>` and parameters behind it, separated by semicolons; links by commas, and both may stand in quotes and in
addresses. Names of parameters and relations are of any letter case; `rel` may hold several relations, and only the
first `rel` of a link counts. A link with an `anchor` speaks of another thing unless the anchor is the thing itself.
What breaks the grammar ends the reading there: what stood before it counts. Called by `next_links`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TARGET = re.compile(r"[\s,]*<([^<>]*)>")
_PARAMETER = re.compile(
    r"\s*;\s*(?P<name>[^\s;,=<>\"]*)\s*(?:=\s*(?:\"(?P<quoted>(?:[^\"\\]|\\.)*)\"|(?P<token>[^\s;,\"]*)))?", re.DOTALL
)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_END = re.compile(r"\s*(,|$)")


@dataclass(frozen=True, slots=True)
class HeaderLink:
    """`relations` in lower case. `anchor`: None where the link has none."""

    address: str
    relations: frozenset[str]
    anchor: str | None = None


def links_of(header: str) -> Iterator[HeaderLink]:
    """The links of a header, or of several joined by commas, in order."""
    place = 0
    while (target := _TARGET.match(header, place)) is not None:
        parameters: dict[str, str] = {}
        place = target.end()
        while (found := _PARAMETER.match(header, place)) is not None:
            parameters.setdefault(found["name"].lower(), _value(found))
            place = found.end()
        end = _END.match(header, place)
        if end is None:
            return
        relations = frozenset(parameters.get("rel", "").lower().split())
        yield HeaderLink(target[1].strip(), relations, parameters.get("anchor"))
        place = end.end()


def _value(found: re.Match[str]) -> str:
    quoted = found["quoted"]
    return _QUOTED_PAIR.sub(r"\1", quoted) if quoted is not None else found["token"] or ""
