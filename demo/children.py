"""Child processes of the demonstration: the command line that answers at once, and the servers that stay.

Only processes started here are ever stopped, each by its own handle. Each gets its own session, so that Ctrl-C reaches
the demonstration alone and the children are then stopped in order. Also used by `bench/` to start the same servers.
"""

import json
import os
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
STOP_S = 8.0  # more than a server's own grace for calls under way
READY_S = 60.0  # Prism on a loaded machine


class CommandFailedError(Exception):
    """A command or a server of ours said no; the message is what it said."""


def answers(url: str) -> bool:
    """Whether `url` answers with a success, asked once."""
    try:
        with urllib.request.urlopen(url, timeout=10) as reply:
            return bool(reply.status < 300)
    except (urllib.error.URLError, OSError):
        return False


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, the address that it announced and the seconds until it did."""

    name: str
    process: subprocess.Popen[bytes]
    url: str
    seconds: float


@dataclass
class Children:
    """Runs `switchgear` with one environment. `folder` receives the output of each server."""

    folder: Path
    environment: Mapping[str, str]
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def run(self, *words: str) -> Any:
        """The JSON that `switchgear WORDS --json` prints. Raises CommandFailedError with what it said instead."""
        done = subprocess.run(
            [SWITCHGEAR, *words, "--json"], cwd=ROOT, env=self._environment(), capture_output=True, check=False
        )
        if done.returncode:
            said = (done.stdout + done.stderr).decode(errors="replace").strip()
            raise CommandFailedError(f"switchgear {' '.join(words)} ended with {done.returncode}:\n{said}")
        return json.loads(done.stdout)

    def serve(self, name: str, *words: str) -> Server:
        """A server of ours, started with `--json` and followed until it says where it is; lives until `stop`."""
        begin = time.monotonic()
        process = self.start(name, [str(SWITCHGEAR), *words, "--json"])
        while time.monotonic() - begin < READY_S and process.poll() is None:
            url = self._announced(name)
            if url:
                return Server(name, process, url, time.monotonic() - begin)
            time.sleep(0.02)
        raise CommandFailedError(f"{name} did not start; it said:\n{self.log(name)}")

    def start(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Any program, its output in `folder/NAME.log`."""
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
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
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()
        return count

    def _environment(self) -> dict[str, str]:
        # Settings of whoever runs the demonstration must not lead it to their own database.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHGEAR_")}
        return {**kept, **self.environment}

    def _announced(self, name: str) -> str | None:
        for line in (self.folder / f"{name}.log").read_text(errors="replace").splitlines():
            if line.startswith("{"):
                said = json.loads(line)
                return said.get("url") if isinstance(said, dict) else None
        return None
