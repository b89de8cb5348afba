"""What tests of every room may ask for: a PostgreSQL server of their own; and what holds for all: A1 of THREATS.md.

After every test, what its devices heard is held against what the audits of its databases say (`Witness`).

The server is the one that Debian's package `postgresql` installs (`test_all.sh` does that where it can). It runs in
a new folder on a free port as an unprivileged user, since it refuses to run as root, and ends with the tests by its
own process id. Where it is not installed, tests that need it are skipped.
"""

import asyncio
import gc
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import count, groupby
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx
import httpx2
import psycopg
import pytest
from argon2.profiles import CHEAPEST
from hypothesis import HealthCheck, settings
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text

from governance.audit.log import verify_chain
from governance.storage import schema
from governance.storage.connections import parse_url
from runtime.engines.dbos_process import DbosProcess, beside
from runtime.observing import traces
from tests import once, samples
from tests.needs import POSTGRESQL
from tests.ports import free_port
from tests.waiting import PATIENCE_S


def _one_for_all(make: Callable[..., Any], usual: Callable[[], Any], verify: Any = True, **more: Any) -> Any:
    """The context that a client uses which is given none."""
    return usual() if verify is True and not more.get("cert") else make(verify, **more)


# What is begun in the background by a shell ignores it, and so would all programs that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Until all tests are found nearly all that is made stays, and looking for garbage among it is in vain.
gc.disable()


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_configure(config: pytest.Config) -> None:
    samples.take_share(config)
    if hasattr(config, "workerinput"):
        once.share_in(Path(config.option.basetemp).parent)


pytest_plugins = ["tests.left_out", "tests.quick", "tests.order", "tests.costs", "tests.forks", "tests.browser"]
# httpx gives up after 5 s where nothing is said, and has no public way to say it once.
for way in ("connect", "read", "write", "pool"):
    setattr(httpx._config.DEFAULT_TIMEOUT_CONFIG, way, PATIENCE_S)
# Both libraries read all certificate authorities for each client, which takes it longer than a request. One for all.
for _library in (httpx, httpx2):
    _make = _library._transports.default.create_ssl_context
    _usual = cache(partial(_make, trust_env=False))
    _library._transports.default.create_ssl_context = partial(_one_for_all, _make, _usual)
# Hypothesis judges by the clock of a machine that does nothing else; how much work is done is bounded by the examples.
settings.register_profile("uncounted", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("uncounted")
# Everything that tests speak to is on loopback, where no proxy of this machine leads. One test asks a package index.
for _proxy in [_name for _name in os.environ if _name.lower().endswith("_proxy")]:
    if _proxy.lower() == "https_proxy":
        os.environ.setdefault("PIP_PROXY", os.environ[_proxy])
    del os.environ[_proxy]
# The databases that the test under way was given here.
GIVEN: list[str] = []


@dataclass
class PostgresServer:
    port: int
    _numbers: Iterator[int] = field(default_factory=count)
    _migrations: list[tuple[str, Any]] = field(default_factory=list)

    def new_database(self) -> str:
        """The address of a new, empty database. Costs a tenth of a second and 8 MB."""
        GIVEN.append(self.address(self._make("DATABASE")))
        return GIVEN[-1]

    def new_schema(self) -> str:
        """The address of an empty schema in a database that others share: all that most tests need, and cheap."""
        return self._given(self._make("SCHEMA"))

    def migrated_schema(self) -> str:
        """The address of a schema at HEAD: migrated the first time, then made by the statements that this took."""
        if not self._migrations:
            url = self.new_schema()
            self._migrations = joined(statements_of(lambda: schema.upgrade(url)))
            return url
        name = f"test_{next(self._numbers)}"
        with psycopg.connect(self.plain_address("postgres")) as connection:
            connection.execute(f"CREATE SCHEMA {name}; SET search_path TO {name}")  # type: ignore[arg-type]
            for statement, parameters in self._migrations:
                connection.execute(statement, parameters)  # type: ignore[arg-type]
        return self._given(name)

    def _given(self, name: str) -> str:
        GIVEN.append(f"{self.address('postgres')}?options=-csearch_path%3D{name}")
        return GIVEN[-1]

    def _make(self, kind: str) -> str:
        name = f"test_{next(self._numbers)}"
        with psycopg.connect(self.plain_address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE {kind} {name}")
        return name

    def address(self, database: str) -> str:
        return self.plain_address(database).replace("postgresql://", "postgresql+psycopg://")

    def plain_address(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"


def statements_of(work: Callable[[], object]) -> list[tuple[str, Any]]:
    """What `work` executes in any database, but for its questions."""
    found: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if statement.split(None, 1)[0].upper() not in ("SELECT", "SHOW"):
            found.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    return found


def joined(statements: Sequence[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The same in fewer ways to the server: those without parameters that follow each other are one text."""
    found: list[tuple[str, Any]] = []
    for has_parameters, group in groupby(statements, key=lambda one: bool(one[1])):
        alike = list(group)
        found += alike if has_parameters else [(";\n".join(statement for statement, _ in alike), None)]
    return found


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database at HEAD, to be copied: the migrations take four times as long. Beside it DBOS's own."""
    place = tmp_path_factory.mktemp("migrated") / "switchgear.db"
    schema.upgrade(url := f"sqlite+aiosqlite:///{place}")
    asyncio.run(_started_once(DbosProcess(url, "template", _never)))
    return place


async def _started_once(dbos: DbosProcess) -> None:
    await dbos.start()
    await dbos.stop()


async def _never(_run_id: str, _part: int) -> None:
    raise AssertionError("nothing was begun")


@pytest.fixture
def migrated_url(tmp_path: Path, migrated: Path) -> str:
    """The address of an SQLite database at HEAD."""
    place = tmp_path / "switchgear.db"
    for made, wanted in ((migrated, place), (beside(migrated), beside(place))):
        wanted.touch(mode=0o600)
        shutil.copyfile(made, wanted)
    return f"sqlite+aiosqlite:///{place}"


@pytest.fixture(autouse=True)
def cheap_passwords(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password costs half a second. Tests of that cost ask for `costly_passwords`; the others only use some."""
    if "costly_passwords" not in request.fixturenames:
        monkeypatch.setattr("governance.people.passwords.RFC_9106_LOW_MEMORY", CHEAPEST)


@pytest.fixture
def costly_passwords() -> None:
    """Passwords cost what they cost a user."""


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not installed:
        POSTGRESQL.skip()
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
    server = PostgresServer(free_port())
    options = [f"port={server.port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={home}", "fsync=off"]
    command = [programs / "postgres", "-D", home / "data", *(part for option in options for part in ("-c", option))]
    with (home / "log").open("wb") as log, subprocess.Popen(command, stderr=log, cwd=home, **rights) as process:
        try:
            _wait(server, process, home / "log")
            yield server
        finally:
            process.send_signal(signal.SIGQUIT)  # at once: nobody needs the data again
            process.wait(PATIENCE_S)


def _wait(server: PostgresServer, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            psycopg.connect(server.plain_address("postgres")).close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text()}") from None
            time.sleep(0.05)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    return postgres_server.new_schema()


@pytest.fixture(scope="session")
def spans_of_all() -> InMemorySpanExporter:
    """A process has one provider, which FastMCP's spans come from too."""
    provider, exporter = TracerProvider(shutdown_on_exit=False), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


@pytest.fixture
def spans(spans_of_all: InMemorySpanExporter) -> Iterator[InMemorySpanExporter]:
    spans_of_all.clear()
    traces.switch(trace.get_tracer("switchgear"))
    yield spans_of_all
    traces.switch(None)


# A1: what the devices of a test heard is what the audits of its databases say

MASK = "[redacted]"
Requests = Sequence[tuple[str, str]]


@dataclass
class Witness:
    """Devices register what they hear: `heard` gives (method, path without query) of each request, in order.
    `has_others`: ports that no audit names are let be: they are no devices, or the driver alone is tested, with notes.
    """

    has_others: bool = False
    _devices: dict[int, list[Callable[[], Requests]]] = field(default_factory=lambda: defaultdict(list))

    def device(self, port: int, heard: Callable[[], Requests]) -> None:
        self._devices[port].append(heard)

    def compare(self, urls: Sequence[str]) -> list[str]:
        """What does not hold, by the audits of these databases."""
        return self._faults([read_audit(url) for url in urls])

    def _faults(self, audits: "Sequence[Audit]") -> list[str]:
        found = [f"{audit.name}: {audit.fault}" for audit in audits if audit.fault and audit.sent]
        for port in sorted({*self._devices, *(each.port for audit in audits for each in audit.sent)}):
            of_port = [[each for each in audit.sent if each.port == port] for audit in audits]
            if self.has_others and not any(of_port):
                continue
            windows = [one for sent in of_port for one in _windows(sent)]
            if sum(map(bool, of_port)) > 1:  # nobody has the order of two audits
                windows = [[each for window in windows for each in window]]
            heard = [each for device in self._devices.get(port, ()) for each in device()]
            if port not in self._devices and any(each.fate == "heard" for window in windows for each in window):
                found.append(f"what listens at {port} was asked and says nobody what: register it with `witness`")
            elif port in self._devices and not _is_told(windows, heard):
                sent = [each.to_text() for window in windows for each in window]
                found.append("\n".join([f"at {port} was heard:", *map(str, heard), "the audit says:", *sent]))
        return found


@dataclass
class Sent:
    """A request in an audit. `fate`: what the audit says of it; `maybe`: it does not know."""

    port: int
    method: str
    path: str
    began: int
    ended: float = float("inf")
    fate: Literal["heard", "maybe", "not sent"] = "maybe"

    def to_text(self) -> str:
        return f"{self.method} {self.path} ({self.fate})"


@dataclass
class Audit:
    """What the audit of one database says of requests. `fault`: what is wrong with its chain."""

    name: str
    sent: list[Sent]
    fault: str


def read_audit(url: str) -> Audit:
    engine = create_engine(parse_url(url))
    try:
        with engine.connect() as connection:
            if "audit" not in inspect(connection).get_table_names():
                return Audit(url, [], "")
            sent = _sent(connection)
            return Audit(url, sent, verify_chain(connection).reason if sent else "")
    finally:
        engine.dispose()


def _sent(connection: Connection) -> list[Sent]:
    """The requests in their order. Where a target was at the time is what the audit says of it, at last its row."""
    rows = connection.execute(text("SELECT name, base_url FROM targets"))
    stored = {f"target:{name}": _port(base_url) for name, base_url in rows}
    last = text("SELECT max(seq) FROM audit WHERE action LIKE 'target.%' GROUP BY subject")
    newest, ports = set(connection.execute(last).scalars()), dict(stored)
    target_of: dict[str, str] = {}
    begun: dict[tuple[Any, ...], list[Sent]] = defaultdict(list)
    found: list[Sent] = []
    for seq, action, subject, stored_detail in connection.execute(
        text("SELECT seq, action, subject, detail FROM audit ORDER BY seq")
    ):
        detail = json.loads(stored_detail)
        if action in ("target.added", "target.changed"):
            ports[subject] = (stored if seq in newest else {}).get(subject, _port(detail["base_url"]))
        elif action == "run.started":
            target_of[subject] = f"target:{detail['target']}"
        elif action.startswith("request."):
            key = (subject, detail.get("seq"), detail["method"], detail["path"])
            if action == "request.sending":
                port = ports[target_of.get(subject, subject)]
                begun[key].append(Sent(port, detail["method"], detail["path"], seq))
                found.append(begun[key][-1])
            else:
                one = begun[key].pop(0)
                one.ended, one.fate = seq, _fate(detail)
    return found


def _port(base_url: str) -> int:
    parts = urlsplit(base_url)
    return parts.port or {"http": 80, "https": 443, "mcp": 0}[parts.scheme]


def _fate(detail: dict[str, Any]) -> Literal["heard", "maybe", "not sent"]:
    reason = detail.get("reason") or (detail.get("detail") or {}).get("reason") or ""
    if detail["status"] is not None or reason == "bad_reply":
        return "heard"
    return "not sent" if reason in ("not_sent", "refused") else "maybe"


def _windows(sent: list[Sent]) -> list[list[Sent]]:
    """Requests in their order; those that were under way together are one window, in no order."""
    windows: list[list[Sent]] = []
    until = -1.0
    for each in sent:
        if each.fate == "not sent":
            continue
        if each.began > until:
            windows.append([])
        windows[-1].append(each)
        until = max(until, each.ended)
    return windows


def _is_told(windows: list[list[Sent]], heard: list[tuple[str, str]]) -> bool:
    """Whether what was heard is what the audit says, from one window to the next, under one leading path."""
    paths = {path for _, path in heard} if heard else {""}
    ends = {each.path for window in windows for each in window} or {""}
    leading = {path[: len(path) - len(end)] for path in paths for end in ends if path.endswith(end)} | {""}
    return any(_fits(windows, [(method, path.removeprefix(one)) for method, path in heard]) for one in leading)


def _fits(windows: list[list[Sent]], heard: list[tuple[str, str]]) -> bool:
    reached = {0}
    for window in windows:
        least = sum(each.fate == "heard" for each in window)
        reached = {
            at + many
            for at in reached
            for many in range(least, len(window) + 1)
            if _is_window(window, heard[at : at + many], many)
        }
    return len(heard) in reached


def _is_window(window: list[Sent], heard: list[tuple[str, str]], many: int) -> bool:
    left = Counter(heard)
    if left.total() != many:
        return False
    for each in sorted(window, key=lambda one: (one.fate, MASK in one.path)):  # "heard" before "maybe"
        same: tuple[str, str] | None = (each.method, each.path)
        if MASK in each.path:
            pattern = re.compile(".*".join(map(re.escape, each.path.split(MASK))))
            same = next((one for one in +left if one[0] == each.method and pattern.fullmatch(one[1])), None)
        if same is not None and left[same]:
            left[same] -= 1
        elif each.fate == "heard":
            return False
    return not left.total()


@pytest.fixture(autouse=True)
def witness(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Witness]:
    """Compares when the test and its devices, services and databases are closed. `unwitnessed` leaves out, with why."""
    made = Witness()
    GIVEN.clear()
    yield made
    left_out = request.node.get_closest_marker("unwitnessed")
    if left_out is not None:
        assert left_out.args, "`unwitnessed` says why"
        return
    files = [f"sqlite+aiosqlite:///{path}" for path in tmp_path.rglob("*.db")]
    faults = made.compare([*files, *GIVEN])
    assert not faults, "\n".join(faults)
