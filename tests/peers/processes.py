"""Servers of others in processes of their own, for tests: each on a free port, its state in a temporary folder.

`started` runs one until the block ends; `powerdns` and `kinto` know how these two are set up. Whoever needs one that
is not installed is skipped, with how it is installed.
"""

import contextlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx

from tests import needs
from tests.ports import free_port
from tests.waiting import PATIENCE_S

USER, WORD = "admin", "switchgear"
POWERDNS_SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
POWERDNS = """\
launch=gsqlite3
gsqlite3-database={folder}/pdns.sqlite3
gsqlite3-dnssec=yes
local-address=127.0.0.1
local-port={dns_port}
webserver=yes
webserver-address=127.0.0.1
webserver-port={port}
api=yes
api-key={word}
socket-dir={sockets}
disable-syslog=yes
security-poll-suffix=
zone-cache-refresh-interval=0
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
"""


@contextlib.contextmanager
def started(command: Sequence[str], folder: Path, asked: str) -> Iterator[None]:
    """The server while the block runs, from when it answers at the address `asked`."""
    with (folder / "log").open("wb") as log, subprocess.Popen(command, cwd=folder, stdout=log, stderr=log) as process:
        try:
            _wait(process, asked, folder / "log")
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def _wait(process: "subprocess.Popen[bytes]", asked: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(asked, trust_env=False)
            return
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


@contextlib.contextmanager
def powerdns(folder: Path) -> Iterator[str]:
    """PowerDNS's authoritative server with an empty SQLite database; gives its address."""
    program = shutil.which("pdns_server", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None or not POWERDNS_SCHEMA.exists():
        needs.POWERDNS.skip()
    with contextlib.closing(sqlite3.connect(folder / "pdns.sqlite3")) as database:
        database.executescript(POWERDNS_SCHEMA.read_text())
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(dir="/tmp") as sockets:  # a socket's path may have 107 characters
        settings = POWERDNS.format(folder=folder, sockets=sockets, dns_port=free_port(), port=port, word=WORD)
        (folder / "pdns.conf").write_text(settings)
        with started([program, f"--config-dir={folder}", "--daemon=no", "--guardian=no"], folder, url):
            yield url


@contextlib.contextmanager
def kinto(folder: Path) -> Iterator[str]:
    """Kinto with all of its state in memory and one account; gives its address."""
    port, program = free_port(), str(Path(sys.executable).with_name("kinto"))
    made = ["init", "--ini", "kinto.ini", "--backend", "memory", "--cache-backend", "memory", "--host", "127.0.0.1"]
    subprocess.run([program, *made], cwd=folder, check=True, capture_output=True)
    (folder / "version.json").write_text('{"name": "kinto", "version": "26.5.0"}')  # which it gives out
    url = f"http://127.0.0.1:{port}"
    with started([program, "start", "--ini", "kinto.ini", "--port", str(port)], folder, f"{url}/v1/"):
        httpx.put(f"{url}/v1/accounts/{USER}", json={"data": {"password": WORD}}, trust_env=False).raise_for_status()
        yield url
