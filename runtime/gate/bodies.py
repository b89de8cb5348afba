"""A request's body as a whole, before anything is begun with it.

What is half sent then takes no place, no thread and no line of the log: whoever goes away in the middle of it has asked
for nothing. How fast it has to come is watched where it arrives (`connections`), how long it may be by the gate, which
calls this (`access`). ASGI 3.
"""

from starlette.types import Message, Receive, Scope

from runtime.observing import metrics


async def whole_body(scope: Scope, receive: Receive) -> Receive | None:
    """A `receive` that has the body of the request whole; None for one that ended before it was."""
    if not any(name == b"content-length" and value != b"0" for name, value in scope["headers"]):
        return receive
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            metrics.turned_away("body: half sent")
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return _after(b"".join(parts), receive)


def _after(body: bytes, receive: Receive) -> Receive:
    """First the body, then whatever comes: that the caller goes away."""
    told: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return told.pop() if told else await receive()

    return next_message
