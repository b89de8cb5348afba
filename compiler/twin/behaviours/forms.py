"""Other forms of values and of answers, as devices send them: what `acting` puts in the place of the usual ones.

Pure functions of JSON values and replies. None of them changes what it is given.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from compiler.ir.model import Paging, Schema
from compiler.ir.schemas import SharedSchemas
from compiler.twin.requests.messages import TwinReply, TwinRequest
from compiler.twin.values.pointers import get, put, without
from workflow.json.pointers import escape
from workflow.replies.answers import ANSWERS, counted, plain_name

Json = Any
OTHER = "Other."  # what stands before the last dot of an action's name on a device that has it renamed
_MAC = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}")
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}")


def leaves(body: Json) -> list[tuple[str, Json]]:
    """Each plain value and each list in a body with the name of its member."""
    return [(name, value) for _, name, value in places(body)]


def places(body: Json, at: str = "", name: str = "") -> Iterator[tuple[str, str, Json]]:
    """(pointer, name of the member, value) of each plain value and each list in a body."""
    if isinstance(body, dict):
        for key, value in body.items():
            yield from places(value, f"{at}/{escape(str(key))}", str(key))
    elif isinstance(body, list):
        if name:
            yield at, name, body
        for number, value in enumerate(body):
            yield from places(value, f"{at}/{number}", "")
    elif name:
        yield at, name, body


def other(value: Json) -> Json:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return f"{value}-other" if isinstance(value, str) else value


def later(value: Json) -> Json:
    """What a counter or a time may show the next time: of the same form, and another value."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return 1
    if isinstance(value, int | float):
        return value + 1
    digit = next((n for n in range(len(value) - 1, -1, -1) if value[n].isdigit()), None)
    if digit is None:
        return f"{value}-2"
    return f"{value[:digit]}{(int(value[digit]) + 1) % 10}{value[digit + 1 :]}"


def reshaped(body: Json, is_meant: Callable[[str, Json], bool], form: Callable[[Json], Json]) -> Json:
    """`body` with each member that is meant in another form."""
    if isinstance(body, list):
        return [reshaped(each, is_meant, form) for each in body]
    if not isinstance(body, dict):
        return body
    return {
        name: form(value) if is_meant(name, value) else reshaped(value, is_meant, form) for name, value in body.items()
    }


def _order(value: Json) -> Json:
    return (
        value[::-1] if isinstance(value, list) and not any(isinstance(each, dict | list) for each in value) else value
    )


def _text(value: Json) -> Json:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


VALUES: Mapping[str, Callable[[Json], Json]] = {
    "case": lambda value: value.upper() if isinstance(value, str) else value,
    "dot": lambda value: f"{value}." if isinstance(value, str) and _HOST.fullmatch(value) else value,
    "text": _text,
    "truth": lambda value: str(value).lower() if isinstance(value, bool) else value,
    "mac": lambda v: v.replace(":", "-").upper() if isinstance(v, str) and _MAC.fullmatch(v) else v,
    "order": _order,
}


def _with_header(reply: TwinReply, name: str, change: Callable[[str], str]) -> TwinReply:
    headers = tuple((key, change(value) if key == name else value) for key, value in reply.headers)
    return TwinReply(reply.status, headers, reply.body)


def _without(reply: TwinReply, name: str) -> TwinReply:
    return TwinReply(reply.status, tuple(pair for pair in reply.headers if pair[0] != name), reply.body)


def _no_handle(reply: TwinReply, _request: TwinRequest, _tag: str) -> TwinReply:
    return TwinReply(reply.status, _without(reply, "location").headers, None)


def _absolute(reply: TwinReply, _request: TwinRequest, _tag: str) -> TwinReply:
    return _with_header(reply, "location", lambda at: f"https://device.example:443{at}")


def _relative(reply: TwinReply, _request: TwinRequest, _tag: str) -> TwinReply:
    return _with_header(reply, "location", lambda at: at.rpartition("/")[2])


def _numbers(reply: TwinReply, _request: TwinRequest, _tag: str) -> TwinReply:
    def is_number(_name: str, value: Json) -> bool:
        return isinstance(value, str) and value.isdigit() and str(int(value)) == value

    return TwinReply(reply.status, reply.headers, reshaped(reply.body, is_number, int))


def _weak(reply: TwinReply, _request: TwinRequest, tag: str) -> TwinReply:
    return _with_header(reply, tag.lower(), lambda value: value if value.startswith("W/") else f"W/{value}")


def _suffixed(reply: TwinReply, _request: TwinRequest, tag: str) -> TwinReply:
    return _with_header(reply, tag.lower(), lambda value: f'{value.removesuffix(chr(34))}-gzip"')


def _in_the_body(reply: TwinReply, _request: TwinRequest, tag: str) -> TwinReply:
    value = reply.header(tag.lower())
    if value is None or not isinstance(reply.body, dict):
        return reply
    bare = _without(reply, tag.lower())
    return TwinReply(bare.status, bare.headers, {**reply.body, "@odata.etag": value})


def _fewer(reply: TwinReply, request: TwinRequest, _tag: str) -> TwinReply:
    """Without the last of the answers to the requests of a batch."""
    number, body = counted(reply.body, request.body), reply.body
    if number is None or not number[1] or number[0] != number[1]:
        return reply
    if isinstance(body, list):
        return TwinReply(reply.status, reply.headers, body[:-1])
    name = next(name for name in body if plain_name(name) in ANSWERS and isinstance(body[name], list))
    return TwinReply(reply.status, reply.headers, {**body, name: body[name][:-1]})


REPLIES: Mapping[str, Callable[[TwinReply, TwinRequest, str], TwinReply]] = {
    "no handle": _no_handle,
    "absolute location": _absolute,
    "relative location": _relative,
    "numbers": _numbers,
    "weak tag": _weak,
    "suffixed tag": _suffixed,
    "tag in the body": _in_the_body,
    "fewer answers": _fewer,
}


def paged(reply: TwinReply, paging: Paging, form: str, address: str) -> TwinReply:
    """A page with another link to the next one. `address`: that of the page itself."""
    if paging.by != "link" or not isinstance(reply.body, dict) or not paging.at.startswith("/"):
        return reply
    led = get(reply.body, paging.at)
    if not isinstance(led, str):
        return reply
    if form == "itself":
        return TwinReply(reply.status, reply.headers, put(reply.body, paging.at, address))
    bare = without(reply.body, paging.at)
    if form == "older":
        return TwinReply(reply.status, reply.headers, {**bare, _older(paging.at): led})
    counts = [v for v in reply.body.values() if isinstance(v, int) and not isinstance(v, bool)]
    lists = [len(v) for v in reply.body.values() if isinstance(v, list)]
    says_more = max(counts, default=0) > max(lists, default=0)  # else nobody could know that there is more
    return TwinReply(reply.status, reply.headers, bare) if says_more else reply


def _older(at: str) -> str:
    """`Members@odata.nextLink` was `@odata.nextLink` before: what stands behind the name of the list."""
    return "@" + at.rpartition("@")[2] if "@" in at else "next"


def with_other_id(item: Mapping[str, Json], id_field: str) -> dict[str, Json]:
    """The item again as another thing."""
    known = item.get(id_field)
    made: Json = known + 100_000 if isinstance(known, int) else f"{known}-2"
    return {**item, id_field: made} if id_field in item else dict(item)


def as_another(item: Mapping[str, Json], id_field: str) -> dict[str, Json]:
    """The item with another id, wherever it says its own: as it is, or at the end of an address."""
    known = str(item[id_field]).rpartition("/")[2]
    return {name: _with_other_end(value, known) for name, value in item.items()}


def _with_other_end(value: Json, end: str) -> Json:
    if not isinstance(value, str):
        return later(value) if isinstance(value, int) and str(value) == end else value
    holder, mark, last = value.rpartition("/")
    return f"{holder}{mark}{later(last)}" if last == end else value


def left_by(
    body: Mapping[str, Json], sent: Mapping[str, Json], schema: Schema, schemas: SharedSchemas
) -> dict[str, Json]:
    """What is left of a thing when all goes that could have been sent and was not, in what was sent too.

    That what was empty is gone is no loss.
    """
    members, left = schemas.members(schema), dict(body)
    for name, member in members.items():
        if name in body and name not in sent and not member.get("readOnly") and body[name] not in (None, "", [], {}):
            del left[name]
        elif isinstance(body.get(name), dict) and isinstance(sent.get(name), dict):
            left[name] = left_by(body[name], sent[name], member, schemas)
    return left


def other_name(name: str) -> str:
    """The same name of an action with something else before its last dot."""
    return OTHER + name.rpartition(".")[2]


def renamed(body: Json, at: str) -> Json:
    """`body` with the member that `at` leads to under the other name of its action."""
    holder, _, key = at.rpartition("/")
    inside = get(body, holder)
    name = key.replace("~1", "/").replace("~0", "~")
    if not isinstance(inside, dict) or name not in inside:
        return body
    new = f"#{other_name(name)}"
    return put(body, holder, {new if known == name else known: value for known, value in inside.items()})


def readdressed(body: Json, address: str, elsewhere: str) -> Json:
    """`body` with another address wherever that one stands."""
    return reshaped(body, lambda _name, value: value == address, lambda _value: elsewhere)
