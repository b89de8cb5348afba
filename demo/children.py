"""Child processes of the demonstration: the command line that answers at once, and the servers that stay.

Only processes started here are ever stopped, each by its own handle. Each gets its own session, so that Ctrl-C reaches
the demonstration alone and the children are then stopped in order. Also used by `bench/` to start the same servers.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SWITCHGEAR = Path(sys.executable).with_name("switchgear")
STOP_S = 5.0  # a server that has not ended by then will not


class CommandFailedError(Exception):
    """A command of ours said no; the message is what it said."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(url: str) -> bool:
    """Whether `url` answers with a success, asked once."""
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:
            return bool(reply.status < 300)
    except (urllib.error.URLError, OSError):
        return False


def listens(port: int) -> bool:
    """Whether anything accepts connections there, asked once."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class Children:
    """Runs `switchgear` with one environment. `folder` receives a log of each server."""

    folder: Path
    environment: Mapping[str, str]
    _servers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def run(self, *words: str) -> Any:
        """The JSON that `switchgear WORDS --json` prints. Raises CommandFailedError with its error text."""
        done = subprocess.run(
            [SWITCHGEAR, *words, "--json"],
            cwd=ROOT,
            env={**os.environ, **self.environment},
            capture_output=True,
            check=False,
        )
        if done.returncode not in (0, 1) or not done.stdout.strip():
            said = (done.stderr or done.stdout).decode(errors="replace").strip()
            raise CommandFailedError(f"switchgear {' '.join(words)} ended with {done.returncode}: {said}")
        return json.loads(done.stdout)

    def start(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        """A server that lives until `stop`; its output goes to `folder/name.log`."""
        return self.start_program(name, [str(SWITCHGEAR), *words])

    def start_program(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("wb") as log:
            server = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._servers.append(server)
        return server

    def wait_until(
        self, name: str, server: subprocess.Popen[bytes], url_or_port: str | int, seconds: float = 30
    ) -> float:
        """How long it took until the server answered. Raises CommandFailedError with the end of its log."""
        begin = time.monotonic()
        while time.monotonic() - begin < seconds and server.poll() is None:
            if answers(url_or_port) if isinstance(url_or_port, str) else listens(url_or_port):
                return time.monotonic() - begin
            time.sleep(0.02)
        log = (self.folder / f"{name}.log").read_text(errors="replace").strip().splitlines()[-15:]
        raise CommandFailedError("\n".join([f"{name} did not answer on {url_or_port}; the end of its log:", *log]))

    def stop(self) -> None:
        """Ends every server, the last one first."""
        for server in reversed(self._servers):
            if server.poll() is None:
                server.terminate()
        for server in reversed(self._servers):
            try:
                server.wait(STOP_S)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
        self._servers.clear()
