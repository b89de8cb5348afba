"""The journals of runs: what happened in each and what was done about it, and replaying that without any network.

A journal has a part for the run, and one for each time that it was gone on with after a doubt. It is written with the
run's end (`runs`), by the runtime, which takes secrets out and bounds it, and is forgotten with the run
(`open_runs.sweep`). It is replayed with the revision as it is stored. Called by the `runs` commands and the API. Here
never lives how a run proceeds (`workflow.running.interpreter`).
"""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from governance.approval.revisions import RevisionStore
from governance.errors import DigestError, InvalidError, TamperedError
from governance.runs.runs import Run, RunStore
from governance.storage.database import Database
from governance.storage.identifiers import Json, from_text
from governance.storage.models import RunJournalRow, table_of
from workflow.documents.reader import read_document
from workflow.errors import WorkflowError
from workflow.programs.program_making import Program, build_program
from workflow.running.replay import ReplayDifference, differences

_JOURNAL = table_of(RunJournalRow)
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Replay:
    """`turns`: how many were replayed."""

    run_id: str
    turns: int
    differences: tuple[ReplayDifference, ...]

    def to_json(self) -> dict[str, Json]:
        return {"run": self.run_id, "turns": self.turns, "differences": [each.to_json() for each in self.differences]}


class Recordings:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, run_id: str) -> tuple[Json, ...]:
        """The turns of a run in order, each {"event", "command"}.

        Raises NotFoundError, or InvalidError that says why there is none, or none that can be replayed.
        """
        return await self._of(await RunStore(self._database).get(run_id))

    async def _of(self, run: Run) -> tuple[Json, ...]:
        if run.outcome is None:
            raise InvalidError(f"the run {run.id} is still under way", "replay it when it has ended")
        parts = await self._database.read(lambda c: _parts(c, run.id))
        if not parts:
            why = "it was closed without the process that carried it out, or by a version that kept none"
            raise InvalidError(f"the run {run.id} has no journal: {why}")
        try:
            return tuple(turn for part in parts for turn in _turns(run.id, from_text(part)))
        except (TamperedError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise InvalidError(f"the journal of the run {run.id} cannot be read: it was changed") from error

    async def replay(self, run_id: str) -> Replay:
        """Replays the run with its revision's stored document. Raises what `get` raises, TamperedError, DigestError."""
        run = await RunStore(self._database).get(run_id)
        turns = await self._of(run)
        found = differences(await self._program(run), turns)
        missing = () if found or _is_whole(run, turns[-1]) else (_cut(run, turns),)
        return Replay(run_id, len(turns), found + missing)

    async def _program(self, run: Run) -> Program:
        revision = await RevisionStore(self._database).get(run.revision_id)
        if revision.digest != run.digest:
            raise DigestError(f"{revision.workflow_id}@{revision.number} is not what the run {run.id} was begun with")
        try:
            return build_program(read_document(revision.content.document, f"revision {revision.id}"))
        except WorkflowError as error:
            raise InvalidError(f"revision {revision.id} cannot be executed any more: {error}") from error


def _parts(connection: Connection, run_id: str) -> tuple[str, ...]:
    query = select(_JOURNAL.c.body).where(_JOURNAL.c.run_id == run_id).order_by(_JOURNAL.c.part)
    return tuple(row.body for row in connection.execute(query))


def _turns(run_id: str, part: Json) -> list[Json]:
    """The turns of a stored part. Raises InvalidError where it says that it has none; ValueError for another form."""
    if part["format"] != FORMAT:
        raise ValueError("another format")
    if part["cannot"]:
        message = f"the run {run_id} cannot be replayed: {part['cannot']}"
        raise InvalidError(message, f"`switchgear runs show {run_id}` tells its requests")
    if not part["turns"] or any(not {"event", "command"} <= turn.keys() for turn in part["turns"]):
        raise ValueError("turns are missing")
    return list(part["turns"])


def _is_whole(run: Run, last: Json) -> bool:
    """Whether the journal goes to the run's end: the interpreter's, or where a plan ended it before a change."""
    held = run.outcome == "planned" or (run.failure or {}).get("code") == "plan_changed"
    return held or last["command"]["type"] == "EndRun"


def _cut(run: Run, turns: tuple[Json, ...]) -> ReplayDifference:
    last = turns[-1]["command"]
    missing = {"missing": f"the journal ends before the run did: {run.outcome}"}
    return ReplayDifference(len(turns) + 1, last.get("step_id", ""), missing, last)
