"""DBOS in this process: the only file that knows it. It remembers how far runs are and hands orphans to the living.

There is one DBOS a process, on tables of its own: a SQLite file beside ours, or a schema beside ours in PostgreSQL.
It is imported and launched when it is first needed, on the event loop, since recovered workflows run on the loop that
launched it. What is stored are workflow ids, JSON, and nothing pickled. Two of its private parts are used, because
nobody but its vendor's paid service takes over a dead process's workflows: a contract test holds them.
It waits without a word for a database that is locked or away, so that somebody else has to look (`probe`): what it
cannot write is told by `/ready`. Here never lives a run's course (`durable`). DBOS 3.4.
"""

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import URL, create_engine, text
from sqlalchemy.pool import NullPool

from governance.errors import GovernanceError, UnavailableError
from governance.outage import Outage
from governance.storage.connections import FOREIGN, is_sqlite, parse_url, touch, translate, write_ahead

if TYPE_CHECKING:
    from dbos import DBOS

log = logging.getLogger("switchgear.runs")
Json = Any
Carry = Callable[[str, int], Awaitable[None]]
# The version under which runs are stored and found again: of the checkpoint's format, and not of the program, so that
# an upgrade takes up what the older program left.
FORMAT = "1"
THREADS = 16
# What it takes longer to write down is looked into: it waits up to half a minute for a lock before it tries again.
SLOW_S = 2.0
# A lock that is held so long is somebody else's; DBOS's own are held for milliseconds.
PROBE_WAIT_S = 2


class DbosProcess:
    """`carry(run_id, part)` carries a run out; it is called again, after a crash, by whoever took the run up."""

    _is_taken: ClassVar[bool] = False

    def __init__(self, address: str, executor: str, carry: Carry) -> None:
        self._url = parse_url(address)
        self._executor = executor
        self._carry = carry
        self._dbos: type[DBOS] | None = None
        self._workflow: Any = None
        self._asked: dict[object, float] = {}  # since when what is asked of it now
        self.outage = Outage(log, "the database that remembers how far runs are")

    async def start(self) -> None:
        """Raises UnavailableError."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, _import)
        from dbos import DBOS

        if DbosProcess._is_taken:
            raise UnavailableError("this process carries out another server's runs already", "use one process for each")
        DbosProcess._is_taken = True
        try:
            with self._asking():
                # Launching holds up the loop: what is locked is found out aside.
                self._launch(DBOS, *await loop.run_in_executor(None, _place, self._url))
        except BaseException:
            await _let_go(DBOS)
            raise
        self._dbos = DBOS

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        """Around all that is asked of it: its database's errors as ours, and noted."""
        asked, refusals = object(), self.outage.refusals
        self._asked[asked] = time.monotonic()
        try:
            yield
        except (*FOREIGN, UnavailableError) as error:
            failed = translate(error)
            self.outage.begin(failed)
            if failed is error:
                raise
            raise failed from error
        else:
            self.outage.end(refusals)
        finally:
            del self._asked[asked]

    @property
    def is_doubtful(self) -> bool:
        """Whether it is to be probed: its database refused something, or lets something wait."""
        return bool(self.outage.why) or any(time.monotonic() - since > SLOW_S for since in self._asked.values())

    async def probe(self) -> None:
        """Tries whether its database takes writes. What comes of it: `outage`."""
        refusals = self.outage.refusals
        with ThreadPoolExecutor(1) as aside:  # the loop's own threads may all be waiting for it
            failed = await asyncio.get_running_loop().run_in_executor(aside, _fault, self._url)
        if failed is None:
            self.outage.end(refusals)
        else:
            self.outage.begin(failed)

    def _launch(self, dbos: "type[DBOS]", url: str, schema: str) -> None:
        from dbos import DBOSPortableJSONSerializer

        _quieten()
        dbos(
            config={
                "name": "switchgear",
                "system_database_url": url,
                "dbos_system_schema": schema,
                "sys_db_pool_size": THREADS,
                "application_version": FORMAT,
                "executor_id": self._executor,
                "serializer": DBOSPortableJSONSerializer(),
                "max_executor_threads": THREADS,
                "notification_listener_polling_interval_sec": 0.1,  # asks nothing; its end is waited for at the stop
                "enable_otlp": False,
                "log_level": "CRITICAL",
            }
        )

        async def carry(run_id: str, part: int) -> None:
            await self._carry(run_id, part)

        self._workflow = dbos.workflow(name="switchgear.run", max_recovery_attempts=None)(carry)
        dbos.launch()

    async def begin(self, run_id: str, part: int) -> None:
        """Has the run carried out, here or, if somebody began it already, there. It is on the disk when this returns.

        Not to be broken off in the middle: shield it. Raises UnavailableError.
        """
        from dbos import SetWorkflowID

        assert self._dbos is not None
        with self._asking(), SetWorkflowID(workflow_id(run_id, part)):
            await self._dbos.start_workflow_async(self._workflow, run_id, part)

    async def step(self, body: Callable[[], Awaitable[Json]]) -> Json:
        """What `body` answered when it was first carried out to its end: once for each place in a run, whatever dies.

        `body` raises nothing but asyncio.CancelledError, after which the step counts as not carried out. Raises
        UnavailableError where the answer cannot be remembered.
        """
        assert self._dbos is not None

        async def turn() -> Json:
            return await body()

        try:
            with self._asking():
                return await self._dbos.run_step_async({"name": "turn"}, turn)
        except GovernanceError as error:
            raise UnavailableError(error.message) from error

    async def take_over(self, executors: Sequence[str]) -> None:
        """Hands the runs of dead processes to the living ones, this among them. Raises UnavailableError."""
        assert self._dbos is not None
        loop = asyncio.get_running_loop()
        with self._asking():
            await loop.run_in_executor(None, self._dbos._recover_pending_workflows, list(executors))

    async def forget(self, ids: Sequence[str]) -> None:
        """Removes what is remembered of runs that are over: workflow ids. Raises UnavailableError."""
        assert self._dbos is not None
        with self._asking():
            await self._dbos.delete_workflows_async(list(ids))

    async def stop(self) -> None:
        """Runs must have ended, or been parked."""
        if self._dbos is None:
            return
        dbos, self._dbos = self._dbos, None
        await _let_go(dbos)


async def _let_go(dbos: "type[DBOS]") -> None:
    """Ends it, also one that was launched half; then another may begin."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1) as aside:
        await loop.run_in_executor(aside, lambda: dbos.destroy(destroy_registry=True))
    DbosProcess._is_taken = False
    # It had made its own threads the loop's.
    loop.set_default_executor(ThreadPoolExecutor(thread_name_prefix="switchgear"))


def workflow_id(run_id: str, part: int) -> str:
    """The run's own id; behind it, how often it was gone on with."""
    return f"{run_id}.{part}" if part else run_id


def _import() -> None:
    import dbos  # noqa: F401


def _quieten() -> None:
    """Its log goes where ours goes, with secrets taken out, and tells of nothing that we tell ourselves."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())  # or it adds one of its own to standard error


def _place(url: URL) -> tuple[str, str]:
    """Where its tables are: an address and a schema, both made ready. Raises UnavailableError, and what is foreign."""
    if is_sqlite(url):
        path = beside(Path(url.database or ""))
        try:
            path.touch(mode=0o600)
        except OSError as error:
            raise UnavailableError(f"{path} cannot be made: {error.strerror}") from error
        with contextlib.closing(sqlite3.connect(path, PROBE_WAIT_S)) as file:
            write_ahead(file)
            number = file.execute("PRAGMA user_version").fetchone()[0]
            file.execute(f"PRAGMA user_version = {number}").close()
        return url.set(drivername="sqlite", database=str(path)).render_as_string(hide_password=False), "dbos"
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        ours = connection.execute(text("SELECT current_schema()")).scalar()
    engine.dispose()
    return url.render_as_string(hide_password=False), f"{ours}_runs"


def _fault(url: URL) -> Exception | None:
    """Why what is beside ours takes no writes, tried by one that changes nothing; None where it does."""
    if is_sqlite(url):
        url = url.set(drivername="sqlite", database=str(beside(Path(url.database or ""))))
    timeout = {"timeout" if is_sqlite(url) else "connect_timeout": PROBE_WAIT_S}
    engine = create_engine(url, poolclass=NullPool, connect_args=timeout)
    try:
        with engine.connect() as connection:
            touch(connection)
    except FOREIGN as error:
        return translate(error)
    return None


def file_fault(address: str) -> str:
    """What is wrong with the file that remembers how far runs are, where there is one; it is only read."""
    url = parse_url(address)
    path = beside(Path(url.database or ""))
    if not is_sqlite(url) or not path.exists():
        return ""
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", PROBE_WAIT_S, uri=True)) as file:
            found = str(file.execute("PRAGMA quick_check(1)").fetchone()[0])
    except FOREIGN as error:
        return f"{path} cannot be read: {translate(error)}"
    return "" if found == "ok" else f"{path} is damaged: {found}"


def beside(path: Path) -> Path:
    """`switchgear-runs.db` for `switchgear.db`."""
    return path.with_name(f"{path.stem}-runs{path.suffix}")
