"""Builds: a description of the library is compiled by whoever may, into pending workflows, and leaves a log.

What is compiled are the bytes that were read when the build was begun, alone in a folder that is gone afterwards: no
reference leads to another file, and a file that changes meanwhile is another build's. One at a time; a build is begun
and ended in the audit, where its log stands. What comes of it waits for a person as always. Called by the routes.
Here never lives the compiler (`compiler_process`) or a file's way in (`governance.registry.library`).
"""

import asyncio
import contextlib
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from governance.audit.log import AuditLog, AuditRow
from governance.audit.search import AuditSearch, AuditWanted
from governance.errors import NotFoundError
from governance.registry.library import Library
from governance.storage.database import Database
from governance.storage.identifiers import new_id
from runtime.compiler_process import Said, compiled
from runtime.errors import Unservable
from workflow.visible import visible

Json = Any
BEGUN, ENDED = "build.begun", "build.ended"
# A log is for a person; the report of a large API is on the command line.
MOST_LINES, MOST_LINE, MOST_FINDINGS = 100, 300, 50
# Of the builds that are listed, the newest.
MOST_LISTED = 100
Compile = Callable[[str, Sequence[str]], Awaitable[Said]]
_OUTCOMES = {0: "succeeded", 1: "findings", None: "timed out"}


@dataclass(frozen=True, slots=True)
class Build:
    """`outcome`: `running`, `succeeded`, `findings` (a check that would change something, or faults that were left
    out), `failed`, `timed out`, or `lost`: its server ended meanwhile."""

    id: str
    spec: str
    profile: str | None
    check: bool
    digests: Mapping[str, str]
    by: str
    begun_at: str
    outcome: str = "running"
    ended_at: str | None = None
    log: tuple[str, ...] = ()
    report: Mapping[str, Json] = field(default_factory=dict)

    def to_json(self) -> dict[str, Json]:
        return {name: getattr(self, name) for name in self.__slots__}


class Builds:
    def __init__(self, library: Library, database: Database, compile: Compile = compiled) -> None:
        self._compile = compile
        self._library = library
        self._address = database.address
        self._audit = AuditLog(database)
        self._search = AuditSearch(database)
        self._running: dict[str, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()

    async def begin(self, spec: str, profile: str | None, actor: str, *, check: bool) -> Build:
        """A build of these files of the library. `check`: nothing is stored, and what would change is told.

        Raises NotFoundError for a file that is not there, Unservable while another build is under way.
        """
        if self._running or self._turn.locked():
            raise Unservable("another build is under way", "wait for its end: see GET /builds")
        async with self._turn:
            files = {spec: await self._library.read("specs", spec)}
            if profile is not None:
                files[f"profile {profile}"] = await self._library.read("profiles", profile)
            id, digests = new_id(), {name: stored.digest for name, (stored, _) in files.items()}
            sources = [data for _, data in files.values()]
            told = {"spec": spec, "profile": profile, "check": check, "digests": digests}
            row = await self._audit.append(actor, BEGUN, f"build:{id}", told)
        self._running[id] = asyncio.create_task(self._build(id, spec, sources, actor, check=check))
        return _begun(row)

    async def get(self, id: str, wait_s: float = 0.0) -> Build:
        """Waits for its end for so long. Raises NotFoundError."""
        task = self._running.get(id)
        if task is not None and wait_s > 0:
            await asyncio.wait((task,), timeout=wait_s)
        begun = await self._audit.find(subject=f"build:{id}", action=BEGUN, limit=1)
        if not begun:
            raise NotFoundError(f"there is no build {id}", "see GET /builds")
        ended = await self._audit.find(subject=f"build:{id}", action=ENDED, limit=1)
        return self._whole(begun[0], ended[0] if ended else None)

    async def list_builds(self) -> tuple[Build, ...]:
        """The newest, the last begun first."""
        begun = await self._search.newest(AuditWanted(action=BEGUN), MOST_LISTED)
        ended = await self._search.newest(AuditWanted(action=ENDED), MOST_LISTED)
        ends = {row.subject: row for row in ended}
        return tuple(self._whole(row, ends.get(row.subject)) for row in reversed(begun))

    async def close(self) -> None:
        """Ends the build that is under way."""
        for task in list(self._running.values()):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _whole(self, begun: AuditRow, ended: AuditRow | None) -> Build:
        build = _begun(begun)
        if ended is None:
            outcome = "running" if build.id in self._running else "lost"
            return Build(**{**build.to_json(), "outcome": outcome})
        more = {**ended.detail, "log": tuple(ended.detail["log"]), "ended_at": ended.at}
        return Build(**{**build.to_json(), **more})

    async def _build(self, id: str, spec: str, sources: list[bytes], actor: str, *, check: bool) -> None:
        told: dict[str, Json] = {"outcome": "lost", "log": ["the server ended before it was done"], "report": {}}
        try:
            with tempfile.TemporaryDirectory(prefix="switchgear-build-") as folder:
                place = Path(folder) / spec
                words = [str(place), f"--root={folder}", f"--asked-by={actor}", *(["--check"] if check else [])]
                await asyncio.to_thread(place.write_bytes, sources[0])
                if len(sources) > 1:
                    profile = Path(folder) / ".profile.yaml"
                    await asyncio.to_thread(profile.write_bytes, sources[1])
                    words.append(f"--profile={profile}")
                said = await self._compile(self._address, words)
                told = _end(said, folder)
        except OSError as error:
            told = {"outcome": "failed", "log": [f"it could not be begun: {error.strerror}"], "report": {}}
        finally:
            self._running.pop(id, None)
            await self._audit.append(actor, ENDED, f"build:{id}", told)


def _begun(row: AuditRow) -> Build:
    return Build(row.subject.partition(":")[2], by=row.actor, begun_at=row.at, **row.detail)


def _end(said: Said, folder: str) -> dict[str, Json]:
    """What the audit says of the end. Where the files lay meanwhile is nobody's business."""
    error = said.told.get("error", {})
    lines = [*said.lines, *(str(error[name]) for name in ("message", "remedy") if error.get(name))]
    log = [visible(line.replace(f"{folder}/", ""), MOST_LINE) for line in lines if line.strip()]
    outcome = _OUTCOMES.get(said.code, "failed")
    return {"outcome": outcome, "log": log[-MOST_LINES:], "report": _report(said.told)}


def _report(told: Mapping[str, Json]) -> dict[str, Json]:
    """What people ask of a report: how many, and what was found wrong."""
    if "workflows" not in told:
        return {}
    coverage = told.get("coverage", {})
    found = told.get("diagnostics", [])
    names = ("code", "severity", "pointer", "message")
    kept = [{name: visible(str(each.get(name, "")), MOST_LINE) for name in names} for each in found[:MOST_FINDINGS]]
    return {
        "api": told.get("api", ""),
        "operations": coverage.get("operations", 0),
        "workflows": len(told["workflows"]),
        "left_out": len(coverage.get("left_out", [])),
        "findings": len(found),
        "first_findings": kept,
    }
