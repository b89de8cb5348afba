"""One page of a list, as the vendor's device gives it, and what leads to the next one.

Where the description (or the profile) says that a collection comes in pages, the twin really pages: it heeds the asked
size and position, and `Store.is_stingy` makes it as stingy as a proof wants, so that a lookup that reads one page
only is found out. Called by `reading`.
"""

from dataclasses import dataclass
from typing import Any

from compiler.ir.model import Paging
from compiler.twin.requests.messages import RefusalError, TwinRequest
from compiler.twin.values.pointers import MISSING, get

Json = Any
LINK_PARAMETER = "$skiptoken"
_MARK = "page-after-"


@dataclass(frozen=True, slots=True)
class TwinPage:
    """`start`: number of the first item on it. `next_start`: that of the next page's, None on the last page."""

    items: list[Json]
    next_start: int | None

    def token(self) -> str:
        return f"{_MARK}{self.next_start}" if self.next_start is not None else ""


def asked_of(paging: Paging, request: TwinRequest) -> tuple[tuple[str, str], ...]:
    """What a request says of the page that it wants, in its query or in its body, by the paging's own names."""
    if not paging.is_in_body:
        return request.query
    held = {name: get(request.body, name) for name in (paging.parameter, paging.size_parameter) if name}
    return tuple((name, str(value)) for name, value in held.items() if value is not MISSING and value is not None)


def page_of(paging: Paging, items: list[Json], query: tuple[tuple[str, str], ...], most: int | None) -> TwinPage:
    """The page that the query asks for, with at most `most` items. Raises RefusalError for a position that is none."""
    given = dict(query)
    sizes = [most, _number(given[paging.size_parameter]) if paging.size_parameter in given else None]
    size = min((each for each in sizes if each is not None), default=len(items)) or 1
    start = _start(paging, items, given, size)
    end = start + size
    return TwinPage(items[start:end], end if end < len(items) else None)


def _start(paging: Paging, items: list[Json], given: dict[str, str], size: int) -> int:
    position = given.get(LINK_PARAMETER if paging.by == "link" else paging.parameter)
    if position is None:
        return 0
    if paging.by == "last":
        marks = [str(get(item, paging.at)) for item in items]
        if position not in marks:
            raise RefusalError(400, f"there is nothing called {position!r} to go on after")
        return marks.index(position) + 1
    if paging.by == "token":
        return _number(position.removeprefix(_MARK))
    number = _number(position)
    return (number - paging.first) * size if paging.by == "pages" else number


def _number(text: str) -> int:
    if not text.isdigit():
        raise RefusalError(400, f"{text!r} is not a number of items")
    return int(text)
