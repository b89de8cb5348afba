"""Child processes of the demonstration: the command line that answers at once, and the servers that stay.

Only processes started here are ever stopped, each by its own handle. Each gets its own session, so that Ctrl-C reaches
the demonstration alone and the children are then stopped in order. Also used by `bench/` to start the same servers.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# By module, since not every way of installing puts the script beside the interpreter; -P: what lies in the folder at
# hand is never taken for a part of the product.
SWITCHGEAR = (sys.executable, "-P", "-m", "switchgear.main")
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # what tells the demonstration to end
# Who fails says so sooner; who takes longer than this on a machine however busy does not come.
PATIENCE_S = 180.0


class CommandFailedError(Exception):
    """A command or a server of ours said no; the message is what it said."""


def answers(url: str) -> bool:
    """Whether `url` answers with a success, asked once."""
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as reply:
            return bool(reply.status < 300)
    except (urllib.error.URLError, OSError):
        return False


@contextlib.contextmanager
def interrupts_held() -> Iterator[None]:
    """Signals that end the demonstration come when this is over, so that no process is begun that nobody knows."""
    if threading.current_thread() is not threading.main_thread():  # where none is told of signals
        yield
        return
    told: list[int] = []
    before = {number: signal.signal(number, lambda number, _: told.append(number)) for number in ENDS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if told:
        signal.raise_signal(told[0])


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, the address that it announced and the seconds until it did."""

    name: str
    process: subprocess.Popen[bytes]
    url: str
    seconds: float


@dataclass
class Children:
    """Runs `switchgear` with one environment, in `folder`, which receives the output of each server.

    Nothing is looked for where the demonstration was started: a file there could be taken for a shipped API.
    """

    folder: Path
    environment: Mapping[str, str]
    switchgear: Sequence[str] = SWITCHGEAR
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def run(self, *words: str, code: int = 0) -> Any:
        """The JSON that `switchgear WORDS --json` prints. Raises CommandFailedError with what it said instead, unless
        it ends with `code`."""
        process = None
        try:
            with interrupts_held():
                command = [*self.switchgear, *words, "--json"]
                process = self._popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            printed, complained = process.communicate()
        finally:  # interrupted, `subprocess.run` would not wait for what it has killed
            if process and process.poll() is None:
                process.kill()
                process.wait()
        if process.returncode != code:
            said = (printed + complained).decode(errors="replace").strip()
            raise CommandFailedError(f"switchgear {' '.join(words)} ended with {process.returncode}:\n{said}")
        return json.loads(printed)

    def serve(self, name: str, *words: str) -> Server:
        """A server of ours, followed until it says where it is; lives until `stop`. Raises CommandFailedError."""
        return self.begin(name, *words).up()

    def begin(self, name: str, *words: str) -> "Begun":
        """A server of ours that is making itself ready; lives until `stop`."""
        begin = time.monotonic()
        return Begun(self, name, self.start(name, [*self.switchgear, *words, "--json"]), begin)

    def start(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Any program, its output in `folder/NAME.log`."""
        with (self.folder / f"{name}.log").open("wb") as log, interrupts_held():
            process = self._popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
            self._processes.append(process)
        return process

    def log(self, name: str) -> str:
        """The end of what a server said."""
        lines = (self.folder / f"{name}.log").read_text(errors="replace").strip().splitlines()
        return "\n".join(lines[-15:])

    def stop(self) -> int:
        """Ends every server, all at once, and waits for them; answers how many there were."""
        count = len(self._processes)
        for process in reversed(self._processes):
            if process.poll() is None:
                process.terminate()
        for process in reversed(self._processes):
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()
        return count

    def _popen(self, command: Sequence[str], **more: Any) -> subprocess.Popen[bytes]:
        environment = self._environment()
        return subprocess.Popen(command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, **more)

    def _environment(self) -> dict[str, str]:
        # Settings of whoever runs the demonstration must not lead it to their own database.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHGEAR_")}
        return {**kept, **self.environment}

    def announced(self, name: str) -> str | None:
        """The address that a server of ours has said, once it has."""
        for line in (self.folder / f"{name}.log").read_text(errors="replace").splitlines():
            with contextlib.suppress(ValueError):  # an error is JSON over several lines
                said = json.loads(line)
                if isinstance(said, dict):
                    return said.get("url")
        return None


@dataclass(frozen=True, slots=True)
class Begun:
    """A server that was started at `begin` (monotonic) and need not be ready yet."""

    children: Children
    name: str
    process: subprocess.Popen[bytes]
    begin: float

    def up(self) -> Server:
        """The server, once it has said where it is. Raises CommandFailedError when it does not."""
        while time.monotonic() - self.begin < PATIENCE_S and self.process.poll() is None:
            url = self.children.announced(self.name)
            if url:
                return Server(self.name, self.process, url, time.monotonic() - self.begin)
            time.sleep(0.02)
        raise CommandFailedError(f"{self.name} did not start; it said:\n{self.children.log(self.name)}")
