"""The REST API as the pages ask it: within the process, through the same gate, with the visitor's own credential.

So a page shows and does what the visitor could have asked for with curl, and nothing else: roles, scopes, rates and the
audit are those of the API. A refusal comes back as what it was, with its words. Here never lives a right, a store or
a page. ASGI 3.
"""

import asyncio
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlencode

import orjson
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Json = Any
Pairs = tuple[tuple[bytes, bytes], ...]


@dataclass(eq=False)
class ApiRefusal(Exception):
    """What the API answered in the place of a success: a problem document (RFC 9457)."""

    status: int
    title: str
    detail: str
    remedy: str = ""
    more: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    status: int
    headers: Headers
    body: bytes

    @property
    def json(self) -> Json:
        """The value; of what is no JSON the text."""
        if "json" not in self.headers.get("content-type", "json"):
            return self.body.decode()
        return orjson.loads(self.body) if self.body else None

    @property
    def total(self) -> int:
        """How many there are on all pages of a list."""
        return int(self.headers.get("x-total-count", "0"))


def at(*parts: str) -> str:
    """A path out of its parts, each of which stays one."""
    return "/" + "/".join(quote(part, safe="") for part in parts)


class Inside:
    """`shows`: the headers by which the gate knows whose request it is."""

    def __init__(self, gate: ASGIApp, outer: Scope, shows: Pairs = ()) -> None:
        self._gate = gate
        self._outer = outer
        self._shows = shows

    async def get(self, path: str, query: Mapping[str, Json] | None = None) -> Json:
        """What the API answers. Raises ApiRefusal."""
        return (await self.page(path, query)).json

    async def page(self, path: str, query: Mapping[str, Json] | None = None) -> ApiAnswer:
        """The same with its headers: a list says there how many there are."""
        return await self.ask("GET", path, query)

    async def find(self, path: str, query: Mapping[str, Json] | None = None) -> Json:
        """What `get` answers, or None where the visitor may not have it, or there is none."""
        try:
            return await self.get(path, query)
        except ApiRefusal as refusal:
            if refusal.status in (403, 404, 409, 422):
                return None
            raise

    async def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, Json] | None = None,
        body: Json = None,
        headers: Mapping[str, str] | None = None,
    ) -> ApiAnswer:
        """`body`: bytes as they are, all else as JSON. Raises ApiRefusal for every answer that is no success."""
        sent = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        answer = await self._exchange(self._scope(method, path, query or {}, sent, headers or {}), sent)
        if answer.status < 400:
            return answer
        raise _refusal(answer)

    def passed_on(self, path: str, query: Mapping[str, Json], headers: Mapping[str, str]) -> "PassedOn":
        """What the API answers as it comes, under other headers: it may be longer than memory.

        Whether it is going to be a success is asked before: a refusal would be passed on as well.
        """
        scope = {**self._scope("GET", path, query, b"", {}), "asgi": self._outer["asgi"]}
        return PassedOn(self._gate, scope, headers)

    def _scope(
        self, method: str, path: str, query: Mapping[str, Json], sent: bytes, headers: Mapping[str, str]
    ) -> MutableMapping[str, Any]:
        given = {name: value for name, value in query.items() if value not in (None, "")}
        own: list[tuple[bytes, bytes]] = [each for each in self._outer["headers"] if each[0] in (b"host", b"origin")]
        own += [*self._shows, *((name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items())]
        if sent:
            own += [(b"content-type", b"application/json"), (b"content-length", str(len(sent)).encode())]
        return {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1",
            "scheme": self._outer.get("scheme", "http"), "client": self._outer.get("client"),
            "server": self._outer.get("server"), "root_path": "", "state": {},
            "method": method, "path": unquote(path), "raw_path": path.encode(),
            "query_string": urlencode(given).encode(), "headers": own,
        }  # fmt: skip

    async def _exchange(self, scope: MutableMapping[str, Any], sent: bytes) -> ApiAnswer:
        told: list[Message] = [{"type": "http.request", "body": sent, "more_body": False}]
        begun: dict[str, Any] = {"status": 500, "headers": []}
        parts: list[bytes] = []

        async def receive() -> Message:
            if told:
                return told.pop()
            never: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
            return await never

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                begun.update(message)
            else:
                parts.append(message.get("body", b""))

        await self._gate(scope, receive, send)
        return ApiAnswer(begun["status"], Headers(raw=list(begun["headers"])), b"".join(parts))


class PassedOn(Response):
    """An answer of the API on its way to the browser, piece by piece; who goes away ends it."""

    def __init__(self, gate: ASGIApp, inner: MutableMapping[str, Any], headers: Mapping[str, str]) -> None:
        super().__init__(headers=headers)
        self._gate = gate
        self._inner = inner
        del self.headers["content-length"]  # nobody knows it yet

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        told: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

        async def heard() -> Message:
            return told.pop() if told else await receive()

        async def pass_on(message: Message) -> None:
            is_head = message["type"] == "http.response.start"
            await send({**message, "headers": self.raw_headers} if is_head else message)

        await self._gate(self._inner, heard, pass_on)


def _refusal(answer: ApiAnswer) -> ApiRefusal:
    try:
        told = answer.json
    except orjson.JSONDecodeError:
        told = None
    told = dict(told) if isinstance(told, dict) else {}
    title, detail = str(told.pop("title", "request failed")), str(told.pop("detail", ""))
    return ApiRefusal(answer.status, title, detail, str(told.pop("remedy", "")), told)
