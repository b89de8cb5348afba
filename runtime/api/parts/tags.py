"""Changing only what one has seen: entity tags on answers, `If-Match` on requests.

A tag is the digest of what is stored, alike for all callers. A change without one is 428, one with an old tag 412; `*`
takes whatever is there. The store compares once more in its own transaction, so that of two who saw the same one wins.
RFC 9110, sections 8.8.3 and 13.1; RFC 6585, section 3.
"""

import re
from typing import Annotated, Any

from fastapi import Header, Response

from runtime.problems import Problem
from workflow.json.canonical import digest

Json = Any
ANY = "*"
SEEN = "The ETag of what you have seen; `*` for whatever is there."
IfMatch = Annotated[str | None, Header(alias="If-Match", description=SEEN, max_length=1000)]
_TAGS = re.compile(r'(W/)?("[^"]*")')
SHOWS_TAG = {"headers": {"ETag": {"description": "Names what is shown, for If-Match.", "schema": {"type": "string"}}}}


def tag_of(value: Json) -> str:
    return f'"{digest(value)}"'


def show_tag(response: Response, value: Json) -> None:
    response.headers["etag"] = tag_of(value)


def check_tag(given: str | None, current: str) -> None:
    """Raises Problem where `given`, an If-Match, does not name what has the tag `current`."""
    if given is None:
        detail = "A change names what it is about."
        raise Problem(428, "precondition required", detail, "GET it, and send its ETag as If-Match")
    strong = {tag for weak, tag in _TAGS.findall(given) if not weak}
    if given.strip() != ANY and current not in strong:
        raise Problem(412, "stale", "It is not what the If-Match names.", "GET it again, then decide again")
