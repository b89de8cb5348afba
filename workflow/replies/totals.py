"""How many things there are, as far as the reply to a list says so.

Only numbers that mean the whole list are read: OData's and Redfish's counts, members beside the list that are called
a total, the usual headers (X-Total-Count, Content-Range …). `count` and the like may be those of the page, and a limit
that was asked for may be repeated; such a number counts only where it is neither. A step may say where the number
stands, or that none does (`pages.total`). Pure; called by `pages`, and by the twin, which keeps such numbers true.
"""

import re
from collections.abc import Iterator, Mapping

from workflow.documents.document import Json
from workflow.documents.scope import Reply
from workflow.json.pointers import Parts, resolve

NO_TOTAL = "none"
_SURE = re.compile(
    r"total(count|items?|results|elements|size|records|hits|entries|objects|number|rows|matches)?|itemstotal|resultcount"
)
_PERHAPS = ("count", "itemcount", "numberofitems")
_GROUPS = ("meta", "metadata", "_meta", "page", "paging", "pagination", "_metadata", "pageinfo", "page_info")
_HEADERS = ("x-total-count", "x-total", "x-total-items", "total-records", "total-objects", "x-wp-total",
            "x-pagination-total-count")  # fmt: skip
_RANGE = re.compile(r"\s*[\w-]+\s+\S+/(\d{1,18})\s*")


def total_of(reply: Reply, members: Parts, told: Parts | str | None, asked: frozenset[str]) -> int | None:
    """What the reply says that there are; None where it does not. `asked`: values that the query sent."""
    if told == NO_TOTAL:
        return None
    if isinstance(told, tuple):
        return _number(resolve(reply.body, told))
    page = resolve(reply.body, members)
    here = len(page) if isinstance(page, list) else 0
    found = [(is_sure, _number(value)) for _, is_sure, value in places_of_totals(reply.body, members)]
    sure = [number for is_sure, number in (*found, *_in_headers(reply)) if is_sure and number is not None]
    others = [n for is_sure, n in found if not is_sure and n is not None and n > here and str(n) not in asked]
    return max(sure or others, default=None)


def places_of_totals(body: Json, members: Parts) -> Iterator[tuple[Parts, bool, Json]]:
    """Where a body says how many there are: the place, whether it is sure to mean the whole list, what it holds."""
    held = members[-1].lower() if members else ""
    above = members[:-1]
    places = [above, ()] if above else [()]
    for at in places:
        holder = resolve(body, at)
        if not isinstance(holder, Mapping):
            continue
        yield from _counts(holder, at, held)
        for group in _GROUPS:
            inner = holder.get(group)
            if isinstance(inner, Mapping):
                yield from _counts(inner, (*at, group), held)


def _counts(holder: Mapping[str, Json], at: Parts, held: str) -> Iterator[tuple[Parts, bool, Json]]:
    for name, value in holder.items():
        lower = name.lower()
        plain = lower.replace("_", "").replace("-", "")
        if lower in ("@odata.count", "odata.count", f"{held}@odata.count") or _SURE.fullmatch(plain):
            yield (*at, name), True, value
        elif plain in _PERHAPS:
            yield (*at, name), False, value


def _in_headers(reply: Reply) -> Iterator[tuple[bool, int | None]]:
    yield from ((True, _number(reply.headers.get(name))) for name in _HEADERS)
    ranged = _RANGE.fullmatch(reply.headers.get("content-range", ""))
    yield True, int(ranged[1]) if ranged else None


def _number(value: Json) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if value >= 0 else None
    text = value.strip() if isinstance(value, str) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
