"""Lists in pages: the parameters, the cut, and the header that says where it goes on.

For lists that fit into memory and have an order of their own; the database's own pages are cut by its stores.
RFC 8288, `Link` with `rel="next"`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, TypeVar
from urllib.parse import urlencode

from fastapi import Query, Response

T = TypeVar("T")
Limit = Annotated[int, Query(ge=1, le=1000)]
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
