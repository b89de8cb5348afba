"""Which effects are taken: by runs that are under way, and by those whose fate nobody knows yet.

An effect is a hash that says workflow, target and thing (`workflow.programs.equivalence`). A run takes its effects in
the transaction that begins it, or that records its first change, and gives them back in the one that ends it; a run
that ends as `unknown` keeps them until it is resolved. Who has one is what the audit last said of it, so that taking
rows away frees nothing: of two runs that want the same one, in whatever process or replica, the second is refused. Here
never lives what counts as the same, nor what is told of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, insert, select

from governance.audit.log import Event, append_entries, last_told
from governance.errors import SameEffectError
from governance.storage.database import Database
from governance.storage.models import RunEffectRow, RunRow, table_of
from governance.storage.statements import Statement

_EFFECT = table_of(RunEffectRow)
_RUN = table_of(RunRow)
TAKEN, RETURNED = "effect.taken", "effect.returned"

# Asked at the end of each run; made once, since making it costs as much as asking.
_HAD = Statement(select(_EFFECT.c.effect).where(_EFFECT.c.run_id == bindparam("holder")))


@dataclass(frozen=True, slots=True)
class Holder:
    """The run that has an effect; `is_in_doubt`: it has ended, and nobody knows what became of a request."""

    run_id: str
    caller: str
    is_in_doubt: bool


def take(connection: Connection, now: str, run_id: str, effects: Iterable[str]) -> None:
    """Gives the effects to the run, in a writing transaction. Raises SameEffectError if another run has one.

    Raises TamperedError where nobody can tell.
    """
    if fresh := check(connection, run_id, effects):
        connection.execute(delete(_EFFECT).where(_EFFECT.c.effect.in_(fresh)))
        connection.execute(insert(_EFFECT), [{"effect": effect, "run_id": run_id} for effect in fresh])
        _tell(connection, now, TAKEN, [(effect, run_id) for effect in fresh])


def check(connection: Connection, run_id: str, effects: Iterable[str]) -> list[str]:
    """Those of the effects that nobody has. Raises as `take`."""
    fresh: list[str] = []
    for effect in sorted(set(effects)):
        has = _run_that_has(connection, effect)
        if has and has != run_id:
            holder = _holder(connection, has)
            raise SameEffectError(holder.run_id, holder.caller, is_in_doubt=holder.is_in_doubt)
        fresh += [] if has else [effect]
    return fresh


def give_back(connection: Connection, now: str, run_ids: Iterable[str]) -> None:
    """The runs have no effects any more."""
    ids = tuple(run_ids)
    had = [(effect, one) for one in ids for (effect,) in _HAD.all(connection, {"holder": one})]
    if had:
        connection.execute(delete(_EFFECT).where(_EFFECT.c.run_id.in_(ids)))
        _tell(connection, now, RETURNED, had)


class Effects:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def holder(self, effects: Iterable[str]) -> Holder | None:
        """The run that has one of the effects at this moment. Raises TamperedError."""
        wanted = sorted(set(effects))

        def work(connection: Connection) -> Holder | None:
            has = [run_id for run_id in (_run_that_has(connection, effect) for effect in wanted) if run_id]
            return _holder(connection, min(has)) if has else None

        return await self._database.read(work) if wanted else None


def _run_that_has(connection: Connection, effect: str) -> str:
    """What the audit says, or where it says nothing, the row; empty where it is nobody's."""
    told = last_told(connection, f"effect:{effect}")
    if told is not None:
        return str(told["run"]) if told["has"] else ""
    return str(connection.execute(select(_EFFECT.c.run_id).where(_EFFECT.c.effect == effect)).scalar() or "")


def _holder(connection: Connection, run_id: str) -> Holder:
    row = connection.execute(select(_RUN.c.caller, _RUN.c.outcome).where(_RUN.c.id == run_id)).first()
    return Holder(run_id, "", True) if row is None else Holder(run_id, row.caller, row.outcome is not None)


def _tell(connection: Connection, now: str, action: str, pairs: Iterable[tuple[str, str]]) -> None:
    events = [
        Event(now, "runtime", action, f"effect:{effect}", {"run": run_id, "has": action == TAKEN})
        for effect, run_id in pairs
    ]
    append_entries(connection, events)
