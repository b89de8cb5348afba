"""Sockets that were accepted, until it is their turn: of thousands that come at once those come first that should.

A kernel hands connections over in the order in which they came, so that an admin's would wait behind a flood's. Taking
a socket costs a hundredth of what a request costs: so many are taken in a turn of the event loop, their first bytes are
looked at where they lie (`first_bytes`), and each gets its protocol when its line has its turn (`arrivals`). Silent
ones and handshakes of TLS that are half done count as connections (`connections`) and have a deadline. Here never
lives what a request means. Called by `app`.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

from runtime.admission.first_bytes import LOOKED_AT, STRANGER, Guess, Known, guess, network_of
from runtime.observing import metrics

if TYPE_CHECKING:
    from runtime.admission.connections import Connections

log = logging.getLogger("switchgear.server")
# Taking one costs some 0.03 ms.
ACCEPTED_AT_ONCE = 32
WAITING = 2_048
# A client says something as soon as it is connected; a handshake takes two round trips.
SILENT_S = 10.0
# Of an answer that nobody takes the kernel holds so much twice, where it would hold megabytes; what is more is counted
# here (`connections`).
KERNEL_HOLDS = 64 * 1024
# Where no file is free: others end meanwhile.
REST_S = 0.5


class Accepted:
    """One of which nothing was made yet. It is one of the `Connections` and of the `Arrivals`."""

    is_worked_on = False
    unread = 0

    def __init__(self, acceptor: "Acceptor", taken: socket.socket, address: str) -> None:
        self.has_had_its_chance = False
        self._guess = Guess(STRANGER, network_of(address))
        self._acceptor = acceptor
        self._socket = taken
        self._address = address
        self._loop = asyncio.get_running_loop()
        self._is_watched = False
        self._opening: asyncio.Task[None] | None = None
        self._deadline = self._loop.call_later(SILENT_S, self._end_silent)

    @property
    def owner(self) -> str:
        return self._guess.owner

    @property
    def line(self) -> str:
        return self._guess.line

    @property
    def comes_first(self) -> bool:
        return self._guess.comes_first

    def look(self) -> None:
        """Looks whether something has come, and waits for its turn then."""
        try:
            data = self._socket.recv(LOOKED_AT, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            if not self._is_watched:
                self._loop.add_reader(self._socket, self.look)
                self._is_watched = True
            return
        except OSError:
            data = b""
        if not data:
            self.abort()
            return
        self._leave_off()
        table = self._acceptor.table
        table.remove(self)
        self._guess = guess(data, self._address, self._acceptor.known)
        table.add(self)
        table.arrivals.take(self, b"")

    def read(self, _data: bytes) -> None:
        """It is its turn: from here on it is a connection, or a handshake that becomes one."""
        self.has_had_its_chance = self._acceptor.is_tls  # else its request is here, and is read at once
        self._opening = self._loop.create_task(self._open())
        self._opening.add_done_callback(self._closed)
        self._acceptor.table.make_room()

    async def _open(self) -> None:
        try:
            await self._acceptor.open(self, self._socket)
        except (OSError, TimeoutError):  # ssl.SSLError is one
            metrics.turned_away("connection: no handshake")
        finally:
            self._acceptor.table.remove(self)

    def abort(self) -> None:
        """Closes it, whatever has become of it."""
        self._acceptor.table.remove(self)
        self._acceptor.table.arrivals.forget(self)
        if self._opening is not None:
            self._opening.cancel()
            return
        self._leave_off()
        self._socket.close()

    def _closed(self, opening: "asyncio.Task[None]") -> None:
        if opening.cancelled():  # perhaps before it began
            self._socket.close()

    def _leave_off(self) -> None:
        self._deadline.cancel()
        if self._is_watched:
            self._loop.remove_reader(self._socket)
            self._is_watched = False

    def _end_silent(self) -> None:
        metrics.turned_away("connection: silent")
        self.abort()


class Acceptor:
    """Takes connections from `listener` until it is closed; stands where uvicorn has a server of asyncio's."""

    def __init__(
        self,
        listener: socket.socket,
        table: "Connections",
        make: Callable[[Accepted], asyncio.Protocol],
        known: Known,
        tls: ssl.SSLContext | None,
    ) -> None:
        self.table = table
        self.known = known
        self._make = make
        self._tls = tls
        self._listener = listener
        self._file = listener.fileno()
        self._loop = asyncio.get_running_loop()
        self._resting: asyncio.TimerHandle | None = None
        listener.setblocking(False)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_HOLDS)  # as all have that it accepts
        listener.listen(WAITING)
        self._loop.add_reader(self._file, self._accept)

    @property
    def is_tls(self) -> bool:
        return self._tls is not None

    async def open(self, accepted: Accepted, taken: socket.socket) -> None:
        """Makes a connection of it. Raises OSError for a handshake that fails or is not done in time."""
        timeouts = {} if self._tls is None else {"ssl_handshake_timeout": SILENT_S}
        await self._loop.connect_accepted_socket(lambda: self._make(accepted), taken, ssl=self._tls, **timeouts)

    def close(self) -> None:
        """No more are taken, and those whose turn has not come are closed."""
        if self._resting is not None:
            self._resting.cancel()
        self._loop.remove_reader(self._file)
        for each in self.table.of_kind(Accepted):
            each.abort()

    async def wait_closed(self) -> None:
        """Closing takes no time."""

    def _accept(self) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                taken, address = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._rest(error)
                return
            taken.setblocking(False)
            accepted = Accepted(self, taken, str(address[0]))
            self.table.add(accepted)
            accepted.look()

    def _rest(self, error: OSError) -> None:
        log.error("no connection can be taken: %s", error.strerror)
        self._loop.remove_reader(self._file)
        self._resting = self._loop.call_later(REST_S, self._loop.add_reader, self._file, self._accept)
