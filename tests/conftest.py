"""What tests of every room may ask for: a PostgreSQL server of their own, and an empty place in it.

The server is the one that Debian's package `postgresql` installs (`test_all.sh` does that where it can). It runs in
a new folder on a free port as an unprivileged user, since it refuses to run as root, and ends with the tests by its
own process id. Where it is not installed, tests that need it are skipped.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
import pytest

START_S = 30.0


@dataclass
class PostgresServer:
    port: int
    _numbers: Iterator[int] = field(default_factory=count)

    def new_database(self) -> str:
        """The address of a new, empty database. Costs a tenth of a second and 8 MB."""
        name = self._make("DATABASE")
        return self.address(name)

    def new_schema(self) -> str:
        """The address of an empty schema in a database that others share: all that most tests need, and cheap."""
        name = self._make("SCHEMA")
        return f"{self.address('postgres')}?options=-csearch_path%3D{name}"

    def _make(self, kind: str) -> str:
        name = f"test_{next(self._numbers)}"
        with psycopg.connect(self.plain_address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE {kind} {name}")
        return name

    def address(self, database: str) -> str:
        return self.plain_address(database).replace("postgresql://", "postgresql+psycopg://")

    def plain_address(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not installed:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    home = Path(tempfile.mkdtemp(prefix="switchgear-postgres-"))
    user = pwd.getpwnam("postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name)
    os.chown(home, user.pw_uid, user.pw_gid)
    try:
        yield from _serve(installed[-1].parent, home, user)
    finally:
        shutil.rmtree(home)


def _serve(programs: Path, home: Path, user: pwd.struct_passwd) -> Iterator[PostgresServer]:
    rights = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
    make = [programs / "initdb", "-D", home / "data", "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8", "--locale=C"]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL, cwd=home, **rights)
    server = PostgresServer(_free_port())
    options = [f"port={server.port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={home}", "fsync=off"]
    command = [programs / "postgres", "-D", home / "data", *(part for option in options for part in ("-c", option))]
    with (home / "log").open("wb") as log, subprocess.Popen(command, stderr=log, cwd=home, **rights) as process:
        try:
            _wait(server, process, home / "log")
            yield server
        finally:
            process.send_signal(signal.SIGQUIT)  # at once: nobody needs the data again
            process.wait(START_S)


def _wait(server: PostgresServer, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            psycopg.connect(server.plain_address("postgres")).close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text()}") from None
            time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    return postgres_server.new_schema()
