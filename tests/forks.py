"""`switchgear` as a process that begins where the imports end: a fork of one that has made them. A plugin of pytest.

Starting the command line costs a second or more of imports, and tests start it hundreds of times. `program()` is a
program with the same words, streams, environment, exit codes and signals as the installed one; limits and umask of
whoever starts it do not reach it. That the imports themselves are enough for each command, the tests in `house/` and
`edge/` show, which start the installed one.

Run as a script it is the process that forks: `forks.py SOCKET`, until its standard input ends.
"""

import contextlib
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
MODULES = (
    "switchgear.main", "dbos", "runtime.app", "runtime.commands.serving", "runtime.commands.schedules",
    "compiler.commands.compiling", "compiler.commands.mock", "compiler.verification", "governance.bundles.commands",
)  # fmt: skip
# Hands its own streams over, passes signals on and ends as the command does.
CLIENT = """\
#!{python} -IS
import json, os, signal, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
told = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(server, [b"%10d" % len(told)], [0, 1, 2])
server.sendall(told)
answers = server.makefile()
process = int(answers.readline())
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, lambda given, _: os.kill(process, given))
code = int(answers.readline() or 70)
if code < 0:
    signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
sys.exit(code)
"""
_running: "list[tuple[subprocess.Popen[bytes], str]]" = []


@cache
def program() -> Path:
    """The program; whoever asks first in this process waits for the imports."""
    folder = tempfile.mkdtemp(prefix="switchgear-forks-", dir="/tmp")  # a socket's path may have 107 characters
    address = f"{folder}/socket"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    process = subprocess.Popen(
        [sys.executable, __file__, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    )
    _running.append((process, folder))
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    place = Path(folder) / "switchgear"
    place.write_text(CLIENT.format(python=sys.executable, address=address))
    place.chmod(0o755)
    return place


def search_path() -> str:
    """A PATH on which this program is the first."""
    return f"{program().parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"


def pytest_sessionfinish() -> None:
    for process, folder in _running:
        process.communicate()
        shutil.rmtree(folder)
    _running.clear()


class Forker:
    """Forks for whoever connects, and says the process's id and, at its end, its exit code."""

    def __init__(self, address: str) -> None:
        self._selector = selectors.DefaultSelector()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(address)
        self._listener.listen(100)
        self._open: dict[int, tuple[socket.socket, int]] = {}  # by process: who started it, and its descriptor
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._selector.register(sys.stdin.buffer, selectors.EVENT_READ, self._end)

    def serve(self) -> list[str]:
        """Comes back in each command's process, with its words; in the forking one it ends the process."""
        while True:
            for key, _ in self._selector.select():
                act: Callable[[], list[str] | None] = key.data
                if (words := act()) is not None:
                    return words

    def _accept(self) -> list[str] | None:
        client, _ = self._listener.accept()
        size, streams, _, _ = socket.recv_fds(client, 10, 3)
        told = _received(client, int(size or 0))
        process = os.fork() if told else None
        if process == 0:
            client.close()
            return self._begin(streams, *json.loads(told))
        for stream in streams:
            os.close(stream)
        if process is None:
            client.close()
        else:
            self._follow(process, client)
        return None

    def _follow(self, process: int, client: socket.socket) -> None:
        ended = os.pidfd_open(process)
        self._open[process] = client, ended
        self._selector.register(ended, selectors.EVENT_READ, lambda: self._tell(process))
        self._selector.register(client, selectors.EVENT_READ, lambda: self._abandon(process))
        client.sendall(b"%d\n" % process)

    def _tell(self, process: int) -> None:
        client, ended = self._open.pop(process)
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        for each in (client, ended):
            if each in self._selector.get_map():
                self._selector.unregister(each)
        os.close(ended)
        with contextlib.suppress(BrokenPipeError):  # it was killed
            client.sendall(b"%d\n" % code)
        client.close()

    def _abandon(self, process: int) -> None:
        """Whoever stood for the process was killed, and so it is."""
        self._selector.unregister(self._open[process][0])
        os.kill(process, signal.SIGKILL)

    def _end(self) -> None:
        for process in self._open:
            os.kill(process, signal.SIGKILL)
        for process in self._open:
            os.waitpid(process, 0)
        os._exit(0)

    def _begin(self, streams: list[int], words: list[str], folder: str, environment: dict[str, str]) -> list[str]:
        self._selector.close()
        self._listener.close()
        for client, ended in self._open.values():
            client.close()
            os.close(ended)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        tempfile.tempdir = None
        return words


def _received(client: socket.socket, size: int) -> bytes:
    """So many bytes; none where whoever sends them ends before."""
    told = b""
    while len(told) < size:
        if not (part := client.recv(1 << 16)):
            return b""
        told += part
    return told


def _main() -> int:
    for module in MODULES:
        import_module(module)
    main: Callable[[list[str]], int] = import_module("switchgear.main").main
    sys.path[0] = ""
    import gc

    gc.collect()
    gc.freeze()
    forker: Any = Forker(sys.argv[1])
    print("ready", flush=True)
    words = forker.serve()
    sys.argv = ["switchgear", *words]
    return main(words)


if __name__ == "__main__":
    sys.exit(_main())
