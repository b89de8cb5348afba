"""Lists that come in pages: how a step's reply goes on, and the pages put together.

A step may say in `x-switchgear.pages` how the list in its reply continues. The interpreter then asks for page after
page and evaluates criteria and outputs once, on the reply with the whole list, so that a lookup misses nothing on page
two and sees two of one name on different pages. Bounded by `most`; Arazzo has no accumulation, and a tool that does not
know this member reads the first page. Pure; `plan` reads the member, `interpreter` walks. RFC 8288 for Link headers.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from workflow.document import Json
from workflow.errors import ExpressionError
from workflow.events import Pairs
from workflow.pointers import NOTHING, Parts, parse_pointer, replaced, resolve
from workflow.scope import Reply

MOST_PAGES = 1_000  # more than this is no lookup any more
NEXT_HEADER = "x-next-page"
"""The made-up header of a whole list that was cut: where the next page would have begun."""
_WAYS = ("items", "pages", "last", "token", "link")
_NEXT_LINK = re.compile(r'<([^<>]*)>\s*;[^,]*\brel="?next"?')


class PageError(Exception):
    """A next page that must not be asked for. The text says why."""


@dataclass(frozen=True, slots=True)
class Pages:
    """`by`: what the query `parameter` of the next page holds: the number of `items` or `pages` so far, the member `at`
    of the `last` item, the `token` that stands at `at` in the body; or the address at `at` (`header.link` for a Link
    header) is the whole `link`. `members`: where the list stands. `first`: number of the first page. `most`: pages at
    most; when there are more the step fails, unless it `is_cut`: then `NEXT_HEADER` tells where to go on.
    """

    by: str
    parameter: str
    at: Parts | None
    members: Parts
    first: int
    most: int
    is_cut: bool


def read_pages(written: Json, is_safe: bool, report: Callable[[str], None]) -> Pages | None:
    """The typed form of `x-switchgear.pages`; None, with a report, where it is none."""
    if not isinstance(written, Mapping):
        return None
    try:
        at = written.get("at", "")
        is_header = at == "header.link"
        pages = Pages(
            by=str(written.get("by")),
            parameter=str(written.get("parameter", "")),
            at=None if is_header else parse_pointer(str(at)),
            members=parse_pointer(str(written.get("members", ""))),
            first=int(written.get("first", 1)),
            most=int(written.get("most", 0)),
            is_cut=bool(written.get("cut", False)),
        )
    except (ExpressionError, ValueError, TypeError) as error:
        report(f"this does not say how pages go on: {error}")
        return None
    if pages.by not in _WAYS or bool(pages.parameter) == (pages.by == "link"):
        report(f"`by` is one of {', '.join(_WAYS)}, with a `parameter` unless it is link")
    elif not 1 <= pages.most <= MOST_PAGES:
        report(f"`most` bounds the pages that are read: 1 to {MOST_PAGES}")
    elif not is_safe:
        report("only a step that changes nothing may be sent once a page")
    else:
        return pages
    return None


def turned(pages: Pages, so_far: Mapping[str, Json] | None, reply: Reply, query: Pairs, path: str) -> dict[str, Json]:
    """What is known after one more page: `items`, number of `pages`, `page` (the last), and `query` of the next one.

    `query` is None when there is no next page. Raises PageError for a next page at another address.
    """
    page = resolve(reply.body, pages.members)
    before = so_far or {"items": [], "pages": 0, "page": None, "start": _start(pages, query)}
    if not isinstance(page, list) or (page and page == before["page"]):
        return {**before, "query": None, "pages": before["pages"] + 1}  # no list, or a device that does not page
    now = {**before, "items": [*before["items"], *page], "pages": before["pages"] + 1, "page": page}
    return {**now, "query": _next(pages, now, reply, query, path)}


def whole(pages: Pages, known: Mapping[str, Json], reply: Reply) -> Reply:
    """The last reply with the items of all pages in its list."""
    headers = dict(reply.headers)
    if known["query"] is not None and pages.parameter:
        headers[NEXT_HEADER] = dict(known["query"]).get(pages.parameter, "")
    if known["pages"] == 1:
        return Reply(reply.status, headers, reply.body)
    return Reply(reply.status, headers, replaced(reply.body, pages.members, known["items"]))


def _start(pages: Pages, query: Pairs) -> int:
    given = dict(query).get(pages.parameter, "")
    return int(given) if given.isdigit() else pages.first if pages.by == "pages" else 0


def _next(pages: Pages, now: Mapping[str, Any], reply: Reply, query: Pairs, path: str) -> list[list[str]] | None:
    if pages.by == "link":
        address = _address(pages, reply)
        return [[k, v] for k, v in _query_of(address, path)] if address else None
    position: Json = None
    if pages.by == "token":
        position = resolve(reply.body, pages.at or ())
    elif now["page"]:
        position = _counted(pages, now)
    if position is NOTHING or position is None or position == "":
        return None
    rest = [[name, value] for name, value in query if name != pages.parameter]
    return [*rest, [pages.parameter, str(position)]]


def _counted(pages: Pages, now: Mapping[str, Any]) -> Json:
    if pages.by == "last":
        return resolve(now["page"][-1], pages.at or ())
    return int(now["start"]) + (len(now["items"]) if pages.by == "items" else int(now["pages"]))


def _address(pages: Pages, reply: Reply) -> str:
    if pages.at is None:
        found = _NEXT_LINK.search(reply.headers.get("link", ""))
        return found[1] if found else ""
    address = resolve(reply.body, pages.at)
    return address if isinstance(address, str) else ""


def _query_of(address: str, path: str) -> list[tuple[str, str]]:
    """The query of the next page's address, which has to be the list's own: a device sends nobody elsewhere."""
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise PageError(f"the address of the next page, {address!r}, is none: {error}") from error
    if parts.path and not parts.path.rstrip("/").endswith(path.rstrip("/")):
        raise PageError(f"the next page is said to be at {address!r}, which is another address than {path}")
    return parse_qsl(parts.query, keep_blank_values=True)
