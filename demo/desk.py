"""The approver's desk: the REST API of the running server, with one token. A few lines over urllib.

Raises RestError for every answer that is not a success.
"""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from demo.children import PATIENCE_S


class RestError(Exception):
    """`status` and what the server said about it."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"the server answered {status}: {said}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Desk:
    url: str
    token: str

    def get(self, path: str) -> Any:
        return self._ask("GET", path, None)

    def post(self, path: str, body: Any) -> Any:
        return self._ask("POST", path, json.dumps(body).encode())

    def _ask(self, method: str, path: str, body: bytes | None) -> Any:
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as reply:
                return json.loads(reply.read())
        except urllib.error.HTTPError as error:
            said = json.loads(error.read() or b"{}")
            raise RestError(error.code, str(said.get("detail") or said.get("title") or error.reason)) from error
