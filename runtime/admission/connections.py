"""Connections: how many there may be, whose they are, and how fast a request has to arrive on one.

What is half sent never reaches the application, so this stands below it, at the protocol of uvicorn. Whoever has shown
no credential yet is a stranger; of strangers there are so many connections, and of each caller so many, and for one
more the oldest is closed that had its chance to send a request, and whose request is not worked on. A
request that does not arrive, byte for byte at some speed, and an answer that nobody takes end the connection. Here
never lives a place for a request (`concurrency`), nor how a connection is accepted (`accepting`). Called by `app`; the
gate (`access`) says whose a connection is. RFC 9112, RFC 9110 (408).
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from contextvars import Context
from typing import Any, Protocol

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from runtime.admission.accepting import Accepted, Acceptor
from runtime.admission.arrivals import Arrivals
from runtime.admission.concurrency import FILES_OF_OUR_OWN
from runtime.admission.first_bytes import STRANGER, Known
from runtime.admission.heads import BoundedRequests
from runtime.caller import CONNECTION, Caller
from runtime.observing import metrics

# In each of these so many seconds a request that is not whole yet brings so many bytes a second.
WINDOW_S = 10
BYTES_PER_S = 4_096
# Whoever takes an answer more slowly than that for so long is gone. What waits to be taken is held here: so much of one
# caller's answers, or one that is longer.
UNREAD_S = 60
MOST_UNREAD = 32 * 1024 * 1024
# A connection takes about 0.02 MB. A load balancer in front keeps tens open.
MOST_STRANGERS = 256
MOST_OF_ONE = 512
# Of a caller who has more open than clients keep (httpx 20), one is closed with its next answer; than one needs, while
# all have so many.
MOST_KEPT, FEW_KEPT, MANY = 32, 8, 256
CLOSE = (b"connection", b"close")
# Whoever has sent nothing yet makes no room before there are so many: in a burst a client is slow too.
MOST_SILENT = 1_024
FEWEST = 64
# What is not sent yet is thrown away at once. socket(7)
RESET = struct.pack("ii", 1, 0)
LATE = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Connection(Protocol):
    """What is counted: a socket that was accepted, or what became of it."""

    @property
    def owner(self) -> str:
        """Who showed a credential on it last; `STRANGER` for whoever showed none."""

    @property
    def is_worked_on(self) -> bool:
        """Whether a request has arrived as a whole and is not answered yet."""

    @property
    def has_had_its_chance(self) -> bool:
        """Whether something was sent on it, and read."""

    @property
    def unread(self) -> int:
        """How many bytes of answers wait to be taken."""

    def abort(self) -> None:
        """Closes it at once."""


class Connections:
    """All that are open, by whose they are, the oldest first."""

    def __init__(self, files: int, unbegun: Callable[[str], int]) -> None:
        """`files`: how many this process may have open. `unbegun`: how many calls of a caller wait for their turn."""
        spare = max(1, files - FILES_OF_OUR_OWN)
        self._most = max(2 * FEWEST, spare // 2)
        self._most_strangers = max(FEWEST, min(MOST_STRANGERS, spare // 4))
        self._most_silent = min(MOST_SILENT, self._most)
        self._of: dict[str, dict[Connection, None]] = {STRANGER: {}}
        self._count = 0
        self.arrivals = Arrivals(unbegun)

    def __len__(self) -> int:
        return self._count

    def of_kind(self, kind: type[Accepted]) -> list[Accepted]:
        return [each for group in self._of.values() for each in group if isinstance(each, kind)]

    def add(self, connection: Connection, *, has_share: bool = True) -> None:
        """`has_share`: whether its owner's connections are bounded."""
        owner = connection.owner
        self._of.setdefault(owner, {})[connection] = None
        self._count += 1
        own = len(self._of[owner])
        self.make_room()
        if owner != STRANGER and has_share and own > MOST_OF_ONE:
            self._close_oldest(owner, is_pressing=True)
        if self._count > self._most:
            self._close_oldest(max(self._of, key=lambda owner: len(self._of[owner])), is_pressing=True)

    def bound_unread(self, owner: str) -> None:
        """To be called whenever an answer is not taken at once: of too much that waits the oldest is given up."""
        waiting = [each for each in self._of.get(owner, ()) if each.unread]
        while len(waiting) > 1 and sum(each.unread for each in waiting) > MOST_UNREAD:
            metrics.turned_away("answer: room")
            waiting.pop(0).abort()

    def has_many(self, owner: str) -> bool:
        """Whether the owner has more connections than one keeps."""
        return len(self._of.get(owner, ())) > (FEW_KEPT if self._count > MANY else MOST_KEPT)

    def make_room(self) -> None:
        """To be called whenever one more stranger has had its chance."""
        strangers = len(self._of[STRANGER])
        if strangers > self._most_strangers:
            self._close_oldest(STRANGER, is_pressing=strangers > self._most_silent)

    def remove(self, connection: Connection) -> None:
        group = self._of.get(connection.owner, {})
        if connection in group:
            del group[connection]
            self._count -= 1
        if not group and connection.owner != STRANGER:
            self._of.pop(connection.owner, None)

    def _close_oldest(self, owner: str, *, is_pressing: bool) -> None:
        may = (each for each in self._of[owner] if not each.is_worked_on and (is_pressing or each.has_had_its_chance))
        oldest = next(may, None)
        if oldest is not None:
            metrics.turned_away("connection: oldest")
            self.remove(oldest)
            oldest.abort()


class HttpConnection(H11Protocol):
    """One that was accepted, from its first bytes on."""

    # Beside uvicorn's own, which share the keys of one dictionary as long as they are few: half of what each takes.
    __slots__ = (
        "_accepted",
        "_arrivals",
        "_arriving",
        "_bytes",
        "_is_between",
        "_is_heard",
        "_table",
        "_unread",
        "comes_first",
        "line",
        "owner",
    )  # fmt: skip

    def __init__(
        self,
        table: Connections,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        accepted: Accepted,
    ) -> None:
        super().__init__(config, server_state, {**app_state, CONNECTION: self})
        self.owner, self.line, self.comes_first = accepted.owner, accepted.line, accepted.comes_first
        self._accepted: Accepted | None = accepted
        self._table = table
        self._arrivals = table.arrivals
        self._bytes = 0
        self._is_heard = False
        self._is_between = False
        self.conn: BoundedRequests = BoundedRequests(h11.SERVER)
        self._arriving: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=1)  # whatever is not taken at once is noticed, however little
        if self._accepted is not None:
            self._table.remove(self._accepted)
        self._table.add(self)
        self._expect_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._table.remove(self)
        self._arrivals.forget(self)
        for timer in (self._arriving, self._unread):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._bytes += len(data)
        if self._accepted is not None:  # what it waited for its turn with
            self._accepted = None
            self.read(data)
        elif not self._arrivals.take(self, data):
            self.transport.pause_reading()

    def read(self, data: bytes) -> None:
        self._is_heard = True
        if not self.flow.read_paused:
            self.transport.resume_reading()
        if data:
            super().data_received(data)
        else:
            self.handle_events()
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):  # a request is here as a whole
            if self._arriving is not None:
                self._arriving.cancel()
                self._arriving = None
        elif self._arriving is None:
            self._expect_request()

    def on_response_complete(self) -> None:
        """An idle connection keeps nothing of the request before: a crowd's are thousands. What it sets a timer with
        would have all that request's context variables, and so what they hold."""
        self._is_between = True
        Context().run(super().on_response_complete)
        self._is_between = False
        if self.conn.our_state is h11.IDLE and self.cycle.response_complete:
            self.cycle = self.scope = self.headers = None  # type: ignore[assignment]

    def handle_events(self) -> None:
        """What has arrived behind a request that is answered waits for its turn, as if it arrived now."""
        if not self._is_between or not self.conn.trailing_data[0]:
            super().handle_events()
            return
        self._is_between = False
        if not self._arrivals.take(self, b""):
            self.transport.pause_reading()

    def _unsupported_upgrade_warning(self) -> None:
        """Who asks for another protocol goes on with this one: no line of the log is due, and no advice to whoever runs
        the server."""

    def send_400_response(self, msg: str) -> None:
        if not self.conn.refusal:
            super().send_400_response(msg)
            return
        self.transport.write(self.conn.refusal)
        self.transport.close()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._unread is None:
            self._expect_taking()
            self._table.bound_unread(self.owner)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def belongs_to(self, caller: Caller, *, has_share: bool) -> None:
        """Who showed a credential on it. `has_share`: whether this caller's connections are bounded."""
        self.comes_first = caller.role == "admin"
        if self.owner != caller.name:
            self._table.remove(self)
            self.owner = self.line = caller.name
            self._table.add(self, has_share=has_share)
        if has_share and self._table.has_many(self.owner):
            # uvicorn answers what says so with the same. Its scope's list is another one once somebody has read it.
            self.scope["headers"] = [*self.scope["headers"], CLOSE]

    def abort(self) -> None:
        if self.unread:  # else the kernel goes on trying to have it taken
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.transport.abort()

    @property
    def is_worked_on(self) -> bool:
        """Whether a request has arrived as a whole and is not answered yet."""
        return self._arriving is None and self.cycle is not None and not self.cycle.response_complete

    @property
    def has_had_its_chance(self) -> bool:
        """Whether something was sent on it, and read."""
        return self._is_heard

    @property
    def unread(self) -> int:
        """How many bytes of answers wait to be taken."""
        return 0 if self._unread is None else self.transport.get_write_buffer_size()

    def _expect_request(self) -> None:
        self._bytes = 0
        self._arriving = self.loop.call_later(WINDOW_S, self._look_at_arrival)

    def _look_at_arrival(self) -> None:
        if self._bytes >= WINDOW_S * BYTES_PER_S or self._arrivals.waits(self):
            self._expect_request()
            return
        metrics.turned_away("request: late")
        is_answered = self.cycle is not None and self.cycle.response_started and self.conn.their_state != h11.IDLE
        if self._bytes and not is_answered:
            self.transport.write(LATE)
        self.transport.close()

    def _expect_taking(self) -> None:
        self._unread = self.loop.call_later(UNREAD_S, self._look_at_unread, self.transport.get_write_buffer_size())

    def _look_at_unread(self, before: int) -> None:
        if before - self.unread >= UNREAD_S * BYTES_PER_S:
            self._expect_taking()
            return
        metrics.turned_away("answer: unread")
        self.abort()


def listen(
    server: uvicorn.Server, listener: Any, app_state: dict[str, Any], table: Connections, known: Known
) -> Acceptor:
    """Has `server` accept connections on `listener`. `known`: whose a credential is as far as that is known already."""

    def connection(accepted: Accepted) -> HttpConnection:
        return HttpConnection(table, server.config, server.server_state, app_state, accepted)

    return Acceptor(listener, table, connection, known, server.config.ssl)
