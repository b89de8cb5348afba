"""Lists in pages: the parameters, the cut, and the header that says where it goes on.

For lists that fit into memory and have an order of their own; the database's own pages are cut by its stores.
The database's pages are numbered (`page`), or begin behind the last one of the page before; the total is told of both.
RFC 8288, `Link` with `rel="next"`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from fastapi import Query, Response

from runtime.problems import Problem

T = TypeVar("T")
Limit = Annotated[int, Query(ge=1, le=1000)]
Number = Annotated[int | None, Query(ge=1, le=1_000_000, description="Which page, from 1; each of `limit`.")]
TOTAL = "x-total-count"
COUNTED = {
    "headers": {"X-Total-Count": {"description": "How many on all pages together.", "schema": {"type": "integer"}}}
}
After = Annotated[str, Query(max_length=300, description="The last one of the page before.")]


def page_of(
    found: Sequence[T],
    key: Callable[[T], str],
    limit: int,
    after: str,
    response: Response,
    chosen: Mapping[str, str | None],
) -> Sequence[T]:
    """What of `found`, which is in the order of `key`, comes behind `after`; `chosen`: what was asked for besides."""
    rest = [each for each in found if key(each) > after]
    if len(rest) > limit:
        kept = {name: value for name, value in chosen.items() if value is not None}
        more = urlencode({**kept, "after": key(rest[limit - 1]), "limit": limit})
        response.headers["link"] = f'<?{more}>; rel="next"'
    return rest[:limit]


def told_page(
    response: Response,
    chosen: Mapping[str, Any],
    *,
    total: int,
    limit: int,
    page: int | None,
    behind: Mapping[str, str],
) -> None:
    """Says how many there are, and where it goes on: at the next page, or, where none is named, `behind` this one.

    `behind` is empty where nothing more is to be expected.
    """
    response.headers[TOTAL] = str(total)
    step: Mapping[str, Any] = behind
    if page is not None:
        step = {"page": page + 1} if page * limit < total else {}
    if step:
        kept = {name: str(value).lower() if isinstance(value, bool) else value for name, value in chosen.items()}
        given = {name: value for name, value in kept.items() if value not in (None, "")}
        response.headers["link"] = f'<?{urlencode({**given, **step, "limit": limit})}>; rel="next"'


def skipped(page: int | None, limit: int, other: str | None) -> int:
    """How many come before the page. Raises Problem where a list is asked to begin at two places."""
    if page is not None and other is not None:
        raise Problem(422, "bad request", "A list begins at a page or behind an id.", "give one of the two")
    return 0 if page is None else (page - 1) * limit
