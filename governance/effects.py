"""Which effects are taken: by runs that are under way, and by those whose fate nobody knows yet.

An effect is a hash that says workflow, target and thing (`workflow.sameness`). A run takes its effects in the
transaction that begins it, or that records its first change, and gives them back in the one that ends it; a run that
ends as `unknown` keeps them until it is resolved. One row an effect: of two runs that want the same one, in whatever
process or replica, the second is refused. Here never lives what counts as the same, nor what is told of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from governance.database import Database
from governance.errors import SameEffectError
from governance.models import RunEffectRow, RunRow, table_of

_EFFECT = table_of(RunEffectRow)
_RUN = table_of(RunRow)
_HOLDER = (
    select(_EFFECT.c.run_id, _RUN.c.caller, _RUN.c.outcome)
    .join(_RUN, _RUN.c.id == _EFFECT.c.run_id)
    .order_by(_EFFECT.c.run_id)
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Holder:
    """The run that has an effect; `is_in_doubt`: it has ended, and nobody knows what became of a request."""

    run_id: str
    caller: str
    is_in_doubt: bool


def take(connection: Connection, run_id: str, effects: Iterable[str]) -> None:
    """Gives the effects to the run, in a writing transaction. Raises SameEffectError if another run has one."""
    wanted = sorted(set(effects))
    if not wanted:
        return
    holder = _holder(connection, wanted, but=run_id)
    if holder is not None:
        raise SameEffectError(holder.run_id, holder.caller, is_in_doubt=holder.is_in_doubt)
    own = select(_EFFECT.c.effect).where(_EFFECT.c.run_id == run_id)
    had = set(connection.execute(own).scalars())
    rows = [{"effect": effect, "run_id": run_id} for effect in wanted if effect not in had]
    if rows:
        connection.execute(insert(_EFFECT), rows)


def give_back(connection: Connection, run_ids: Iterable[str]) -> None:
    """The runs have no effects any more."""
    connection.execute(delete(_EFFECT).where(_EFFECT.c.run_id.in_(tuple(run_ids))))


class Effects:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def holder(self, effects: Iterable[str]) -> Holder | None:
        """The run that has one of the effects at this moment."""
        wanted = tuple(effects)
        return await self._database.read(lambda connection: _holder(connection, wanted)) if wanted else None


def _holder(connection: Connection, effects: Iterable[str], but: str = "") -> Holder | None:
    query = _HOLDER.where(_EFFECT.c.effect.in_(tuple(effects)), _EFFECT.c.run_id != but)
    row = connection.execute(query).first()
    return None if row is None else Holder(row.run_id, row.caller, row.outcome is not None)
