"""DBOS in this process: the only file that knows it. It remembers how far runs are and hands orphans to the living.

There is one DBOS a process, on tables of its own: a SQLite file beside ours, or a schema beside ours in PostgreSQL.
It is imported and launched when it is first needed, on the event loop, since recovered workflows run on the loop that
launched it. What is stored are workflow ids, JSON, and nothing pickled. Two of its private parts are used, because
nobody but its vendor's paid service takes over a dead process's workflows: a contract test holds them.
Here never lives a run's course (`durable`). DBOS 3.4.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import URL, create_engine, text
from sqlalchemy.pool import NullPool

from governance.connections import FOREIGN, is_sqlite, parse_url, translate
from governance.errors import UnavailableError

if TYPE_CHECKING:
    from dbos import DBOS

Json = Any
Carry = Callable[[str, int], Awaitable[None]]
# The version under which runs are stored and found again: of the checkpoint's format, and not of the program, so that
# an upgrade takes up what the older program left.
FORMAT = "1"
THREADS = 16


class DbosProcess:
    """`carry(run_id, part)` carries a run out; it is called again, after a crash, by whoever took the run up."""

    _is_taken: ClassVar[bool] = False

    def __init__(self, address: str, executor: str, carry: Carry) -> None:
        self._url = parse_url(address)
        self._executor = executor
        self._carry = carry
        self._dbos: type[DBOS] | None = None
        self._workflow: Any = None

    async def start(self) -> None:
        """Raises UnavailableError."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, _import)
        from dbos import DBOS

        try:
            self._launch(DBOS)
        except FOREIGN as error:
            raise translate(error) from error
        self._dbos = DBOS

    def _launch(self, dbos: "type[DBOS]") -> None:
        from dbos import DBOSPortableJSONSerializer

        if DbosProcess._is_taken:
            raise UnavailableError("this process carries out another server's runs already", "use one process for each")
        DbosProcess._is_taken = True
        _quieten()
        url, schema = _place(self._url)
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
        try:
            with SetWorkflowID(workflow_id(run_id, part)):
                await self._dbos.start_workflow_async(self._workflow, run_id, part)
        except FOREIGN as error:
            raise translate(error) from error

    async def step(self, body: Callable[[], Awaitable[Json]]) -> Json:
        """What `body` answered when it was first carried out to its end: once for each place in a run, whatever dies.

        `body` raises nothing but asyncio.CancelledError, after which the step counts as not carried out. Raises
        UnavailableError where the answer cannot be remembered.
        """
        assert self._dbos is not None

        async def turn() -> Json:
            return await body()

        try:
            return await self._dbos.run_step_async({"name": "turn"}, turn)
        except FOREIGN as error:
            raise UnavailableError(str(translate(error))) from error

    async def take_over(self, executors: Sequence[str]) -> None:
        """Hands the runs of dead processes to the living ones, this among them."""
        assert self._dbos is not None
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._dbos._recover_pending_workflows, list(executors))

    async def forget(self, ids: Sequence[str]) -> None:
        """Removes what is remembered of runs that are over: workflow ids."""
        assert self._dbos is not None
        await self._dbos.delete_workflows_async(list(ids))

    async def stop(self) -> None:
        """Runs must have ended, or been parked."""
        if self._dbos is None:
            return
        dbos, self._dbos = self._dbos, None
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
    """Where its tables are: an address and a schema, both made ready."""
    if is_sqlite(url):
        path = beside(Path(url.database or ""))
        path.touch(mode=0o600)
        with contextlib.closing(sqlite3.connect(path)) as file:
            file.execute("PRAGMA journal_mode=WAL").close()
        return url.set(drivername="sqlite", database=str(path)).render_as_string(hide_password=False), "dbos"
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        ours = connection.execute(text("SELECT current_schema()")).scalar()
    engine.dispose()
    return url.render_as_string(hide_password=False), f"{ours}_runs"


def beside(path: Path) -> Path:
    """`switchgear-runs.db` for `switchgear.db`."""
    return path.with_name(f"{path.stem}-runs{path.suffix}")
