"""What goes into the twin and what comes out: requests, replies, refusals, and the record of all of them.

Values only. Paths are those of the description: without the server's base path, percent-encoded as on the wire.
Made by the proof (in process) and by `server.py` (over HTTP); read by everything else in this room.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = Any
JSON_MEDIA = "application/json"


@dataclass(frozen=True, slots=True)
class TwinRequest:
    """`headers` with lower-case names; `body`: parsed JSON, raw bytes for other media types, None without a body.

    `has_body` tells a JSON `null` from no body at all.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: Json = None
    has_body: bool = False

    def header(self, name: str) -> str | None:
        """The first value of the header with this lower-case name."""
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True, slots=True)
class TwinReply:
    """`headers` with lower-case names. `body` belongs to the twin: it is read, never changed. None: no body."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: Json = None

    def header(self, name: str) -> str | None:
        """The first value of the header with this lower-case name."""
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request as the device saw it, in the order of arrival. Credentials are not kept."""

    number: int
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    status: int
    body: Json

    def to_json(self) -> dict[str, Json]:
        return {
            "number": self.number,
            "method": self.method,
            "path": self.path,
            "query": [list(pair) for pair in self.query],
            "status": self.status,
            "body": f"{len(self.body)} bytes" if isinstance(self.body, bytes) else self.body,
        }


class RefusalError(Exception):
    """The device says no. Raised anywhere while a request is handled, answered in the vendor's error envelope."""

    def __init__(self, status: int, message: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers


@dataclass(frozen=True, slots=True)
class Sample:
    """An item that exists, as the proof needs it. `parameters`: for every path parameter of its address."""

    noun: str
    id: str
    address: str
    parameters: Mapping[str, str]
    natural_key: str
    natural_value: str
    item: Json
