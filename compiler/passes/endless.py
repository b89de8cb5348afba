"""Operations that never end by themselves: they go on answering as long as somebody listens.

A workflow has an end, so these are left out with that as the reason. Told by what the description shows: a reply that
is a stream of events, a connection that is handed over, or a watch (a segment of the path or the operation's id says
so), a terminal or a tunnel under its usual word, a read of content that nobody described and that is told
as a stream of events. Called by `effects`.
"""

import re

from compiler.ir.model import Operation
from compiler.passes.names import words
from compiler.passes.names.paths import segments

_STREAMS = ("text/event-stream", "multipart/x-mixed-replace", "application/vnd.docker.raw-stream")
_WATCH = frozenset({"watch", "watches"})
_HANDED_OVER = frozenset({"exec", "attach", "portforward", "port-forward", "ws", "websocket"})
_TOLD = re.compile(
    r"\b(?:http|event|live|continuous) streams?\b|\bserver[- ]sent events\b"
    r"|\bstreams? (?:of )?(?:\w+ )?(?:events|notifications|changes)\b",
    re.IGNORECASE,
)
_READS = frozenset(("GET", "QUERY"))


def endless(operation: Operation) -> str:
    """Why the operation has no end, "" where it has one. That its vendor gives it up as well is said behind that."""
    why = _why(operation)
    said = f"{operation.summary} {operation.description}".lower()
    is_given_up = operation.is_deprecated or "deprecated" in said
    return f"{why}; deprecated by the vendor as well" if why and is_given_up else why


def _why(operation: Operation) -> str:
    good = [reply for reply in operation.responses if reply.status[:1] in "12"]
    if good and all(reply.status == "101" for reply in good):
        return "endless: it hands the connection over to another protocol"
    if good and all(reply.media_type.lower().startswith(_STREAMS) for reply in good):
        return "endless: it answers with a stream that goes on until the connection is closed"
    last = segments(operation.path)[-1:]
    if operation.method == "GET" and last and last[0].lower() in _HANDED_OVER:
        return "endless: it hands the connection over to another protocol"
    first = words.split(operation.name)[:1]
    is_watch = bool(_WATCH.intersection(first)) or any(part.lower() in _WATCH for part in segments(operation.path)[:-1])
    if is_watch and operation.method in _READS:
        return "endless: it watches, and answers until the connection is closed"
    is_undescribed = bool(good) and all(not reply.schema for reply in good)
    if operation.method == "GET" and is_undescribed and _TOLD.search(f"{operation.summary} {operation.description}"):
        return "endless: it is told as a stream, which goes on until the connection is closed"
    return ""
