"""Devices that remember every request on the disk before they answer, and that can kill whoever asks.

`python device.py FOLDER [N]` prints its port, or N ports: as many devices. The first segment of a path is the name of a
case: its requests go to FOLDER/case.log, a line each, with the port and how many requests are under way there.
FOLDER/case.kill holds `received N` or `answered N`: at the case's Nth request the process whose id stands in
FOLDER/case.pid gets SIGKILL, before or after the answer is written. They stop machines by a job that takes two looks.
Standard library only: nothing of ours.
"""

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FOLDER = Path(sys.argv[1])
TURN = threading.Lock()
SEEN: Counter[str] = Counter()
LOOKS: Counter[str] = Counter()
INSIDE: Counter[int] = Counter()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", "0")))
        self._serve()

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # whoever asked is dead
            super().handle()

    def log_message(self, *_parts: object) -> None:
        pass

    def _serve(self) -> None:
        case, _, path = self.path.removeprefix("/").partition("/")
        port = self.server.server_address[1]
        with TURN:
            INSIDE[port] += 1
            number = self._remember(case, f"{self.command} /{path} {port} {INSIDE[port]}")
            status, body = _answer(case, self.command, f"/{path}")
        try:
            wait_s = _slowness(case)
            if wait_s:
                time.sleep(wait_s)
            if _is_due(case, "received", number):
                _kill(case)
                self.close_connection = True
                return
            self._say(status, json.dumps(body).encode())
            if _is_due(case, "answered", number):
                _kill(case)
        finally:
            with TURN:
                INSIDE[port] -= 1

    def _remember(self, case: str, line: str) -> int:
        SEEN[case] += 1
        with (FOLDER / f"{case}.log").open("a") as log:
            log.write(line + "\n")
            log.flush()
            os.fsync(log.fileno())
        return SEEN[case]

    def _say(self, status: int, body: bytes) -> None:
        head = f"HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + body)
        self.wfile.flush()


def _answer(case: str, method: str, path: str) -> tuple[int, object]:
    parts = path.strip("/").split("/")
    match (method, parts):
        case ("POST", ["api", "vms", uuid, "stop"]):
            return 202, {"task": f"t-{uuid}"}
        case ("GET", ["api", "tasks", task]):
            LOOKS[f"{case} {task}"] += 1
            return 200, {"state": "done" if LOOKS[f"{case} {task}"] > 1 else "running"}
        case ("GET", ["api", "vms", uuid]):
            return 200, {"uuid": uuid, "name": uuid, "state": "off"}
        case ("GET", ["api", "vms"]):
            return 200, [{"uuid": "u-1", "name": "web-01", "state": "on"}]
    return 404, {}


def _slowness(case: str) -> float:
    path = FOLDER / f"{case}.slow"
    return float(path.read_text()) if path.exists() else 0.0


def _is_due(case: str, moment: str, number: int) -> bool:
    path = FOLDER / f"{case}.kill"
    return path.exists() and path.read_text() == f"{moment} {number}"


def _kill(case: str) -> None:
    (FOLDER / f"{case}.kill").unlink()
    os.kill(int((FOLDER / f"{case}.pid").read_text()), signal.SIGKILL)


if __name__ == "__main__":
    wanted = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in range(wanted)]
    for each in servers:
        threading.Thread(target=each.serve_forever, daemon=True).start()
    print(*(each.server_address[1] for each in servers), flush=True)
    threading.Event().wait()
