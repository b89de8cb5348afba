"""Lists: how a step's reply goes on, the pages put together, and whether what came is the whole.

A step may say in `x-switchgear.pages` where the list in its reply stands and how it continues. The interpreter then
asks for page after page and evaluates criteria and outputs once, on the reply with the whole list, so that a lookup
misses nothing on page two and sees two of one name on different pages. A reply without a list there is none, whatever
its status; a list of which not all came has a `Shortfall` (see `shortfalls` for what follows). Bounded by `most`;
Arazzo has no accumulation, and a tool that does not know this member reads the first page. Pure; `plan` reads the
member, `interpreter` walks.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from workflow.documents.document import Json
from workflow.documents.scope import Reply
from workflow.errors import ExpressionError
from workflow.json.pointers import NOTHING, Parts, parse_pointer, replaced, resolve
from workflow.replies.next_links import NextLink, next_link, query_of, says_it_is_the_last, says_more
from workflow.replies.shortfalls import NO_LIST, Shortfall, named, shortfall_of, told_no_list
from workflow.replies.totals import NO_TOTAL, total_of
from workflow.requests.events import Pairs

MOST_PAGES = 1_000  # more than this is no lookup any more
NEXT_HEADER = "x-next-page"
"""The made-up header of a whole list that was cut: where the next page would have begun."""
INCOMPLETE_HEADER = "x-list-incomplete"
"""The made-up header of a list of which not all came: in what way."""
_WAYS = ("items", "pages", "last", "token", "link", "reply")
_COUNTED = ("items", "pages")  # by how many came: nobody said that there is another page
_NOT_FOUND = 404
_LED = ("link", "reply")  # by addresses in the reply, and not by a parameter
_BARE = "it came without what is described around it, where it would be said whether that is all"


class PageError(Exception):
    """A next page that must not be asked for, or a reply that is no page. The text says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Pages:
    """`by`: what the query `parameter` of the next page holds: the number of `items` or `pages` so far, the member `at`
    of the `last` item, the `token` that stands at `at` in the body; or the address at `at` (`header.link` for a Link
    header) is the whole `link`; or the `reply` alone tells, by an address in a usual place. With `is_in_body` the
    `parameter` is a pointer into the body that is sent. `members`: where the list
    stands; `is_optional`: a reply without that member has an empty one. `id`: what tells its items apart. `total`:
    where the reply says how many there are (None: in a usual place; `none`: nowhere). `first`: number of the first
    page. `most`: pages at most; when there are more the step fails, unless it `is_cut`: then `NEXT_HEADER` tells where
    to go on.
    """

    by: str
    parameter: str
    at: Parts | None
    members: Parts
    first: int
    most: int
    is_cut: bool
    id: Parts | None = None
    total: Parts | str | None = None
    is_optional: bool = False
    is_in_body: bool = False


def read_pages(written: Json, is_safe: bool, report: Callable[[str], None]) -> Pages | None:
    """The typed form of `x-switchgear.pages`; None, with a report, where it is none."""
    if not isinstance(written, Mapping):
        return None
    try:
        pages = _read(written)
    except (ExpressionError, ValueError, TypeError) as error:
        report(f"this does not say how pages go on: {error}")
        return None
    if pages.by not in _WAYS or bool(pages.parameter) == (pages.by in _LED):
        report(f"`by` is one of {', '.join(_WAYS)}, with a `parameter` unless it is {' or '.join(_LED)}")
    elif pages.is_in_body and not pages.parameter.startswith("/"):
        report("within the body, `parameter` is a pointer to what says where the next page begins")
    elif not 1 <= pages.most <= MOST_PAGES:
        report(f"`most` bounds the pages that are read: 1 to {MOST_PAGES}")
    elif not is_safe:
        report("only a step that changes nothing may be sent once a page")
    else:
        return pages
    return None


def _read(written: Mapping[str, Json]) -> Pages:
    at, total = written.get("at", ""), written.get("total")
    return Pages(
        by=str(written.get("by")),
        parameter=str(written.get("parameter", "")),
        at=None if at == "header.link" else parse_pointer(str(at)),
        members=parse_pointer(str(written.get("members", ""))),
        first=int(written.get("first", 1)),
        most=int(written.get("most", 0)),
        is_cut=bool(written.get("cut", False)),
        id=parse_pointer(str(written["id"])) if "id" in written else None,
        total=None if total is None else NO_TOTAL if total == NO_TOTAL else parse_pointer(str(total)),
        is_optional=bool(written.get("optional", False)),
        is_in_body=written.get("within", "query") == "body",
    )


def query_after(so_far: Mapping[str, Json] | None, first: Pairs) -> Pairs:
    """The query of the page that is asked for now; `first`: that of the first one."""
    return first if so_far is None else tuple((str(name), str(value)) for name, value in so_far["query"])


def position_in(pages: Pages | None, query: Pairs, body: Json) -> Pairs:
    """What says where a list begins, in the first request: the query, and the place in the body that is about that."""
    if pages is None or not pages.is_in_body:
        return query
    held = resolve(body, parse_pointer(pages.parameter))
    is_told = isinstance(held, str | int) and not isinstance(held, bool) and held != ""
    return ((pages.parameter, str(held)),) if is_told else ()


def page_asked(pages: Pages | None, so_far: Mapping[str, Json] | None, query: Pairs, body: Json) -> tuple[Pairs, Json]:
    """The query and the body of the page that is asked for now; `query` and `body`: those of the first one."""
    if pages is None or so_far is None or not pages.is_in_body:
        return query_after(so_far, query), body
    position = dict(query_after(so_far, ())).get(pages.parameter, "")
    new: Json = position if pages.by in ("token", "last") else int(position)
    asked = replaced(body if isinstance(body, Mapping) else {}, parse_pointer(pages.parameter), new)
    return query, body if asked is NOTHING else asked


def walked(
    pages: Pages, so_far: Mapping[str, Json] | None, reply: Reply, query: Pairs, path: str, url: str
) -> tuple[dict[str, Json], tuple[Reply, Shortfall | None] | None]:
    """What is known after one more page (see `turned`), and the whole list when no further page is to be asked for.

    Raises PageError as `turned` does, and for a list with more pages than may be read.
    """
    if so_far is not None and is_past_the_end(pages, so_far, reply.status):
        known = {**so_far, "pages": so_far["pages"] + 1, "query": None}
        return known, whole(pages, known, _in_envelope(pages.members, replace(reply, status=200, headers={}, body=[])))
    came, reply = reply, _in_envelope(pages.members, reply)
    known = turned(pages, so_far, reply, query, path, url)
    if reply is not came and known["query"] is None:
        known.setdefault("why_not", _BARE)
    is_last = known["query"] is None
    if is_last or (known["pages"] >= pages.most and pages.is_cut):
        return known, whole(pages, known, reply)
    if known["pages"] >= pages.most:
        told = f"it lists more than {len(known['items'])} items on {pages.most} pages"
        raise PageError("too_many", f"{told}; what lies beyond was not looked at")
    return known, None


def is_past_the_end(pages: Pages | None, so_far: Mapping[str, Json] | None, status: int) -> bool:
    """Whether a page that was only counted to is not there: how some servers say that the one before was the last."""
    return status == _NOT_FOUND and so_far is not None and pages is not None and pages.by in _COUNTED


def told_of_pages(so_far: Mapping[str, Json] | None) -> str:
    """Of a reply that is not the list's first page, where it comes in the list; for one that is, nothing."""
    return f" on page {so_far['pages'] + 1} of a list, after {len(so_far['items'])} items" if so_far else ""


def turned(
    pages: Pages, so_far: Mapping[str, Json] | None, reply: Reply, query: Pairs, path: str, url: str
) -> dict[str, Json]:
    """What is known after one more page: `items`, number of `pages`, `page` (the last), and `query` of the next one.

    `query` is None when there is no next page that may be asked for; `why_not` says then why there should be one.
    `url`: `path` with the API's base. Raises PageError for a reply that is no list, and for a next page at another
    address where the document says that addresses of pages stand.
    """
    before = so_far or _nothing_yet(pages, query)
    page = _page(pages, reply, before["pages"] + 1)
    now = {**before, "pages": before["pages"] + 1, "page": page}
    now["total"] = total_of(reply, pages.members, pages.total, frozenset(value for _, value in query))
    print_ = _print_of(page)
    is_repeated = bool(page) and print_ in before["prints"]
    if is_repeated and pages.by not in _LED and print_ == before["prints"][-1]:
        return {**now, "query": None}  # a device that does not heed the position, or stays on its last page
    now = {**now, **_joined(pages, before, page), "prints": [*before["prints"], print_]}
    if is_repeated:
        return {**now, "query": None, "why_not": f"page {now['pages']} has what an earlier page had"}
    return {**now, **_onward(pages, now, reply, query, path, url)}


def whole(pages: Pages, known: Mapping[str, Json], reply: Reply) -> tuple[Reply, Shortfall | None]:
    """The last reply with the items of all pages in its list, and what is missing, if anything is."""
    headers = dict(reply.headers)
    is_cut = known["query"] is not None
    if is_cut and pages.parameter:
        headers[NEXT_HEADER] = dict(known["query"]).get(pages.parameter, "")
    short = shortfall_of(known, pages.id, is_cut=is_cut)
    if short is not None and short.is_short:
        headers[INCOMPLETE_HEADER] = short.text
    body = reply.body
    if known["pages"] > 1 or known["twice"] or resolve(body, pages.members) is None:
        body = replaced(body, pages.members, known["items"])
    return replace(reply, headers=headers, body=body), short


def _nothing_yet(pages: Pages, query: Pairs) -> dict[str, Json]:
    given = dict(query).get(pages.parameter, "")
    start = int(given) if given.isdigit() else pages.first if pages.by == "pages" else 0
    asked_from = start if pages.by == "items" else None if given else 0  # None: nobody knows how many came before
    return {"items": [], "pages": 0, "start": start, "skipped": asked_from, "prints": [], "twice": 0, "asked": []}


def _page(pages: Pages, reply: Reply, number: int) -> list[Json]:
    """The list in a reply. Raises PageError where there is none."""
    found = resolve(reply.body, pages.members)
    if isinstance(found, list):
        return found
    if found is None and pages.members and total_of(reply, pages.members, pages.total, frozenset()) == 0:
        return []  # how some servers write an empty list
    if found is NOTHING and pages.is_optional and isinstance(reply.body, Mapping) and "error" not in reply.body:
        return []
    raise PageError(NO_LIST, told_no_list(reply, pages.members, number))


def _in_envelope(members: Parts, reply: Reply) -> Reply:
    """A list that came bare, though something is described around it, as it would stand there."""
    body = reply.body
    if not members or not isinstance(body, list) or any(isinstance(resolve(each, members), list) for each in body[:1]):
        return reply
    for name in reversed(members):
        body = {str(name): body}
    return replace(reply, body=body)


def _joined(pages: Pages, before: Mapping[str, Any], page: list[Json]) -> dict[str, Json]:
    """The items with those of one more page; what came before and comes once more is taken as it is now."""
    if pages.id is None:
        return {"items": [*before["items"], *page]}
    if not before["items"]:
        once = _once(pages.id, page)
        return {"items": once, "twice": before["twice"] + len(page) - len(once)}
    places = {_key(item, pages.id): number for number, item in enumerate(before["items"])}
    items, fresh, twice = list(before["items"]), [], before["twice"]
    for item in page:
        key = _key(item, pages.id)
        place = places.get(key) if key else None
        if place is None:
            fresh.append(item)
        else:
            items[place], twice = item, twice + 1
    return {"items": [*items, *fresh], "twice": twice}


def _once(at: Parts, page: list[Json]) -> list[Json]:
    """The items, each once: what is listed a second time just as it was is no second thing."""
    first: dict[str, Json] = {}
    return [
        item
        for item in page
        if not (key := _key(item, at)) or first.setdefault(key, item) is item or first[key] != item
    ]


def _key(item: Json, at: Parts) -> str:
    held = resolve(item, at)
    return "" if held is NOTHING or held is None or isinstance(held, dict | list) else json.dumps(held)


def _print_of(page: list[Json]) -> str:
    return sha256(json.dumps(page, sort_keys=True).encode()).hexdigest()[:32]


def _onward(pages: Pages, now: Mapping[str, Any], reply: Reply, query: Pairs, path: str, url: str) -> dict[str, Json]:
    """`query` of the next page; None at the end, and where it should not be asked for: then `why_not` says why."""
    asked = [*now["asked"], sorted([name, value] for name, value in query)]
    if pages.by in _LED:
        link = next_link(reply, pages.at, pages.members, url, is_told=pages.by == "link")
        if link is None:
            more = says_more(reply, pages.members)
            return {"query": None, **({"why_not": "it is said that there is more, and not where"} if more else {})}
        further = _followed(link, path, url)
        if further is None:
            return {"query": None, "why_not": f"it goes on at {named(link.address)}, which is not the list's address"}
    else:
        further = _by_parameter(pages, now, reply, query)
    if further is not None and sorted(further) in asked:
        return {"query": None, "why_not": f"page {now['pages']} leads to a page that came already"}
    return {"query": further, "asked": asked}


def _followed(link: NextLink, path: str, url: str) -> list[list[str]] | None:
    """The query of the next page's address, which has to be the list's own: a device sends nobody elsewhere."""
    query = query_of(link.address, path, url)
    if query is None and link.is_told:
        raise PageError(
            "page_elsewhere", f"the next page is said to be at {link.address!r}, which is another address than {path}"
        )
    return query


def _by_parameter(pages: Pages, now: Mapping[str, Any], reply: Reply, query: Pairs) -> list[list[str]] | None:
    position: Json = None
    if pages.by == "token":
        position = resolve(reply.body, pages.at or ())
    elif now["page"] and not (pages.by in _COUNTED and says_it_is_the_last(reply, pages.members)):
        position = _counted(pages, now)
    if position is NOTHING or position is None or position == "":
        return None
    rest = [[name, value] for name, value in query if name != pages.parameter]
    return [*rest, [pages.parameter, str(position)]]


def _counted(pages: Pages, now: Mapping[str, Any]) -> Json:
    if pages.by == "last":
        return resolve(now["page"][-1], pages.at or ())
    return int(now["start"]) + (len(now["items"]) + int(now["twice"]) if pages.by == "items" else int(now["pages"]))
