"""A line between the runtime and a device, on which a reply can get lost. HTTP/1.1 on a free loopback port.

What is asked goes to the device as it came, and what the device answers comes back, but for the one reply that is to
be lost: then the device has done its work, and whoever asked finds the connection closed. It answers for nobody else.
"""

import contextlib
import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from demo.children import PATIENCE_S

# Headers of one connection (RFC 9110, 7.6.1) and the length, which is said anew.
OWN = {"connection", "content-length", "keep-alive", "server", "transfer-encoding"}


class Line(ThreadingHTTPServer):
    """`lost`: the methods and paths whose replies were lost, in order."""

    daemon_threads = True

    def __init__(self, device: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.device = urlsplit(device).netloc
        self.lost: list[tuple[str, str]] = []
        self._loses = ("", "")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def lose_next(self, method: str, end: str) -> None:
        """The reply to the next request of this method whose path ends like this is lost, and no other."""
        self._loses = (method, end)

    def is_lost(self, method: str, path: str) -> bool:
        """Whether this reply is the one to lose; it is, once."""
        if method != self._loses[0] or not path.endswith(self._loses[1]):
            return False
        self._loses = ("", "")
        self.lost.append((method, path))
        return True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Line

    def carry(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            reply, answered = self._ask(body)
        except OSError:  # the device is not there any more
            self.close_connection = True
            return
        if self.server.is_lost(self.command, self.path):
            self.close_connection = True
            return
        self.send_response_only(reply.status, reply.reason)
        for name, value in reply.getheaders():
            if name.lower() not in OWN:
                self.send_header(name, value)
        self.send_header("content-length", str(len(answered)))
        self.end_headers()
        self.wfile.write(answered)

    def _ask(self, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        with contextlib.closing(http.client.HTTPConnection(self.server.device, timeout=PATIENCE_S)) as device:
            device.request(self.command, self.path, body or None, dict(self.headers.items()))
            reply = device.getresponse()
            return reply, reply.read()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = carry


@contextlib.contextmanager
def between(device: str) -> Iterator[Line]:
    """A line to the device at the address `device`, up while the block runs."""
    with Line(device) as line:
        carrying = threading.Thread(target=line.serve_forever, kwargs={"poll_interval": 0.05})
        carrying.start()
        try:
            yield line
        finally:
            line.shutdown()
            carrying.join()
