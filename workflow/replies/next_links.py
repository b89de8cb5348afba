"""Where a reply says that its list goes on: the address of the next page, in each of the usual forms.

A step may name the place (`pages.at`). Where nothing stands there, and for lists of which nobody said how they go on,
the usual places are looked at: a Link header (RFC 8288), OData and Redfish (`Members@odata.nextLink`, the older
`@odata.nextLink`), HAL (`_links.next.href`), JSON:API (`links.next`), links as a list of relations, and members called
`next` that hold an address. An address leads to another page of the same list or nowhere: only its query is used.
Pure; called by `pages`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from workflow.documents.document import Json
from workflow.documents.scope import Reply
from workflow.json.pointers import NOTHING, Parts, resolve
from workflow.replies.link_header import links_of

_ORIGIN = "http://device"  # stands in for the device, whose address nothing here needs to know
_SURE = ("@odata.nextlink", "odata.nextlink", "nextlink", "nextpageurl", "nextpagelink", "nexturl", "nexthref")
_LOOSE = ("next", "nextpage")  # a member of this name may be an address, or a token, a number, a date
_GROUPS = ("_links", "links", "paging", "pagination", "page", "meta", "metadata")
# What says that there is more, and not where: marks that are true, tokens that are there, numbers of what is left.
_MARKS = ("hasmore", "hasnext", "hasnextpage", "truncated", "istruncated", "incomplete", "incompleteresults",
          "moreavailable", "more", "moreresults")  # fmt: skip
_TOKENS = ("continue", "nexttoken", "nextpagetoken", "nextcursor", "nextmarker", "continuationtoken",
           "nextcontinuationtoken")  # fmt: skip
_LEFT = ("remainingitemcount", "remaining", "remainingitems")
_PARTIAL = 206  # RFC 9110, 15.3.7


@dataclass(frozen=True, slots=True)
class NextLink:
    """`is_told`: it stands where the document says that such addresses stand."""

    address: str
    is_told: bool = False


def next_link(reply: Reply, at: Parts | None, members: Parts, url: str, *, is_told: bool) -> NextLink | None:
    """The address of the next page, if the reply has one. `url`: the list's own path, with the API's base.

    `is_told`: `at` says where addresses stand, None meaning a Link header; what is there and empty says that it ends.
    """
    if is_told and at is not None:
        held = _address(resolve(reply.body, at))
        if held is not None:
            return NextLink(held, True) if held else None
    header = _in_header(reply, url)
    if header:
        return NextLink(header, is_told and at is None)
    found = next((address for _, address in links_in(reply.body, members)), "")
    return NextLink(found) if found else None


def says_more(reply: Reply, members: Parts) -> bool:
    """Whether a reply that leads to no next page says that there is one."""
    holders = [resolve(reply.body, at) for at in dict.fromkeys((members[:-1], ()))]
    groups = [holder.get(name) for holder in holders if isinstance(holder, Mapping) for name in _GROUPS]
    return reply.status == _PARTIAL or any(_marks_more(each) for each in (*holders, *groups))


def says_it_is_the_last(reply: Reply, members: Parts) -> bool:
    """Whether the member for the next page's address is there and null, and nothing says that there is more."""
    holders = [resolve(reply.body, at) for at in dict.fromkeys((members[:-1], ()))]
    named = (pair for holder in holders if isinstance(holder, Mapping) for pair in holder.items())
    empty = any(value is None and _plain(name) in (*_LOOSE, *_SURE) for name, value in named)
    return empty and not says_more(reply, members)


def _marks_more(holder: Json) -> bool:
    for name, value in holder.items() if isinstance(holder, Mapping) else ():
        plain = _plain(name)
        is_mark = plain in _MARKS and value is True
        is_token = plain in _TOKENS and isinstance(value, str) and bool(value)
        is_left = plain in _LEFT and isinstance(value, int) and not isinstance(value, bool) and value > 0
        if is_mark or is_token or is_left:
            return True
    return False


def query_of(address: str, path: str, url: str) -> list[list[str]] | None:
    """The query of the next page's address; None when it is not the list's own address, or no address at all."""
    try:
        parts = urlsplit(urljoin(_ORIGIN + url, address))
        pairs = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return None
    if not unquote(parts.path).rstrip("/").endswith(unquote(path).rstrip("/")):
        return None
    return [[name, value] for name, value in pairs]


def _in_header(reply: Reply, url: str) -> str:
    for link in links_of(reply.headers.get("link", "")):
        if "next" in link.relations and (link.anchor is None or _is_same(link.anchor, url)):
            return link.address
    return ""


def _is_same(anchor: str, url: str) -> bool:
    try:
        return unquote(urlsplit(urljoin(_ORIGIN + url, anchor)).path).rstrip("/") == unquote(url).rstrip("/")
    except ValueError:
        return False


def links_in(body: Json, members: Parts) -> Iterator[tuple[Parts, str]]:
    """Addresses of a next page in the usual places of a body, with the place: beside the list, then at the top."""
    own = f"{_plain(members[-1])}@odata.nextlink" if members else ""
    for at in (members[:-1], ()) if len(members) > 1 else ((),):
        place = resolve(body, at)
        if not isinstance(place, Mapping):
            continue
        yield from _named(place, at, own, is_links=False)
        for group in _GROUPS:
            inner = place.get(group)
            if isinstance(inner, Mapping):
                yield from _named(inner, (*at, group), "", is_links="links" in group)
            elif isinstance(inner, list):
                yield from _by_relation(inner, (*at, group))


def _named(place: Mapping[str, Any], at: Parts, own: str, *, is_links: bool) -> Iterator[tuple[Parts, str]]:
    """Of members whose name says so; one that is merely called `next` has to look like an address, but in links."""
    for name, value in place.items():
        plain = _plain(name)
        is_sure = plain in _SURE or (bool(own) and plain == own)
        address = _address(value) if is_sure or plain in _LOOSE else None
        if address and (is_sure or is_links or _looks_like_one(address)):
            yield (*at, name), address


def _by_relation(links: list[Json], at: Parts) -> Iterator[tuple[Parts, str]]:
    """`links: [{rel: next, href: …}]`."""
    for number, link in enumerate(links):
        if isinstance(link, Mapping) and str(link.get("rel", "")).lower() == "next":
            address = _address(link)
            if address:
                yield (*at, str(number)), address


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _address(value: Any) -> str | None:
    """The address that a member holds, as text or as an object with `href`; "" for null, None where none is."""
    if isinstance(value, Mapping):
        value = next((value[name] for name in ("href", "url", "@odata.id") if name in value), NOTHING)
    if value is NOTHING:
        return None
    return value.strip() if isinstance(value, str) else ""


def _looks_like_one(text: str) -> bool:
    """Whether a text may be an address: one that a name alone does not make."""
    return text.startswith(("/", "?", "http://", "https://")) or "?" in text
