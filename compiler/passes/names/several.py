"""Whether a read at an address that ends in a parameter is told to answer several things, and not the one there.

`GET /resources/service/{serviceId}`, “Get resources by service”, lists the resources of a service; some devices answer
one thing as a list of one, and nothing in their texts or parameters speaks of more. Pure over one operation. Called by
`resources`.
"""

from compiler.ir.model import Operation
from compiler.passes.names import words

_ASKING = frozenset({"get", "list", "gets", "lists", "find", "fetch", "retrieve", "returns", "return", "show", "read"})
_LISTING = frozenset({"list", "lists", "listing"})
_PAGES = frozenset(
    {"limit", "offset", "page", "cursor", "pagesize", "perpage", "pagenumber", "pageindex", "pagetoken", "nexttoken"}
)
_ENDS = frozenset({"of", "in", "on", "at", "to", "from", "by", "with", "for", "which", "that", "using"})
_OPENING = frozenset({"a", "an", "the", "all", "of", "list"})


def tells_several(operation: Operation) -> bool:
    """By parameters that page, by a verb that lists, or by a plural as what is asked for."""
    return comes_in_pages(operation) or any(_names_several(said) for said in _told(operation))


def comes_in_pages(operation: Operation) -> bool:
    """Whether it can be asked for a page: a limit and an offset, a cursor."""
    return any(words.joined(p.name) in _PAGES for p in operation.parameters if p.location == "query")


def begins_listing(operation: Operation) -> bool:
    """Whether a text or the operation's id begins with that verb alone, which nobody says of one thing."""
    return any(said[:1] and said[0] in _LISTING for said in _told(operation))


def _told(operation: Operation) -> tuple[tuple[str, ...], ...]:
    texts = (words.first_sentence(text) for text in (operation.summary, operation.description))
    return (*(words.split(text) for text in texts), words.split(operation.operation_id))


def _names_several(said: tuple[str, ...]) -> bool:
    if said[:1] and said[0] in _LISTING:
        return True
    if not said[:1] or said[0] not in _ASKING:
        return False
    rest = list(said[1:])
    if rest[:2] == ["list", "of"] or rest[:3] == ["a", "list", "of"] or rest[:3] == ["the", "list", "of"]:
        return True
    while rest and rest[0] in _OPENING:
        rest.pop(0)
    end = next((n for n, word in enumerate(rest) if word in _ENDS), len(rest))
    last = rest[:end][-1:]
    return bool(last) and last[0] not in words.UNCOUNTED and words.singular(last[0]) != last[0]
