"""Somebody at the console with a token: opens pages, and sends forms as pages do. Nothing is judged here."""

import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from html import unescape
from typing import Any

import httpx

from runtime.app import build
from runtime.credentials import TOKEN_COOKIE

HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')


class Visit:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.fields: dict[str, str] = {}

    async def get(self, path: str) -> str:
        """The words of a page; its hidden fields are kept."""
        answer = await self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:1500])
        return self.read(answer)

    def read(self, answer: httpx.Response) -> str:
        self.fields = {name: unescape(value) for name, value in HIDDEN.findall(answer.text)}
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())

    async def send(self, path: str, **fields: Any) -> httpx.Response:
        return await self.client.post(path, data={**fields, "csrf": self.fields["csrf"]})

    async def send_file(self, path: str, name: str, data: bytes, **fields: str) -> httpx.Response:
        files = {name: ("a.file", data, "application/octet-stream")}
        return await self.client.post(path, data={**fields, "csrf": self.fields["csrf"]}, files=files)


@contextlib.asynccontextmanager
async def visits(house: Any) -> AsyncIterator[Callable[..., Awaitable[Visit]]]:
    """Makes a visit of somebody with a role."""
    asgi = build(house.service).asgi
    opened: list[httpx.AsyncClient] = []

    async def made(role: str = "admin") -> Visit:
        client = httpx.AsyncClient(transport=httpx.ASGITransport(asgi), base_url="http://127.0.0.1")
        opened.append(client)
        client.cookies.set(TOKEN_COOKIE, await house.token(role, f"{role}-{len(opened)}"))
        return Visit(client)

    try:
        yield made
    finally:
        for each in opened:
            await each.aclose()
