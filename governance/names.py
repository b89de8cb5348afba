"""Which names there are of each kind of thing: for suggestions, and for a shell that completes them.

For whoever has the database at hand, who may see all of it; the server suggests within a caller's scope and does not
call this. A name is only shown here: nothing is believed of its row. Called by the commands.
"""

from collections.abc import Mapping
from types import MappingProxyType

from sqlalchemy import ColumnElement, Connection, or_, select

from governance.errors import InvalidError, NotFoundError
from governance.registry.servers import API_PREFIX, SITE_PREFIX
from governance.storage.database import Database
from governance.storage.models import (
    ApiRow,
    EndpointRow,
    PrincipalRow,
    RevisionRow,
    RunRow,
    ScheduleRow,
    TargetRow,
    UserRow,
    WebhookRow,
    table_of,
)
from workflow.nearest import did_you_mean

MOST_RUNS = 100
"""The newest ones; whoever means an older one has its id from somewhere."""
_RUN, _TARGET = table_of(RunRow).c, table_of(TargetRow).c
_COLUMNS: Mapping[str, ColumnElement[str]] = MappingProxyType(
    {
        "api": table_of(ApiRow).c.name,
        "endpoint": table_of(EndpointRow).c.name,
        "resource": table_of(RevisionRow).c.resource,
        "schedule": table_of(ScheduleRow).c.name,
        "target": table_of(TargetRow).c.name,
        "token": table_of(PrincipalRow).c.name,
        "user": table_of(UserRow).c.name,
        "webhook": table_of(WebhookRow).c.name,
        "workflow": table_of(RevisionRow).c.workflow_id,
    }
)


async def names_of(database: Database, kind: str) -> tuple[str, ...]:
    """The names of this kind, each once and sorted; runs by their ids, the newest first."""
    return await database.read(lambda connection: read_names(connection, kind))


def read_names(connection: Connection, kind: str) -> tuple[str, ...]:
    if kind == "run":
        query = select(_RUN.id).order_by(_RUN.id.desc()).limit(MOST_RUNS)
    elif kind == "server":
        is_one = or_(_TARGET.api.startswith(API_PREFIX), _TARGET.api.startswith(SITE_PREFIX))
        query = select(_TARGET.name).where(is_one).order_by(_TARGET.name)
    else:
        column = _COLUMNS[kind]
        query = select(column).distinct().order_by(column)
    return tuple(connection.execute(query).scalars())


async def check_api(database: Database, api: str) -> None:
    """Raises InvalidError, with what is near, where no description of an API of this name was compiled or imported."""
    names = await names_of(database, "api")
    if api not in names:
        near = did_you_mean(api, names)
        known = f"take one of {', '.join(names)}, or " if names else ""
        remedy = f"{known}compile its description first: `switchgear compile`"
        raise InvalidError(f"there is no API {api}" + ("." + near if near else ""), remedy)


async def explained(database: Database, error: NotFoundError) -> NotFoundError:
    """The error with the names that are near to the one it is about; itself where it says no name."""
    if not error.kind:
        return error
    names = await names_of(database, error.kind)
    word = error.name.partition("@")[0]
    if error.kind == "run":
        begun = [name for name in names if word and name.startswith(word)]
        more = f" Did you mean {begun[0]}?" if len(begun) == 1 else ""
    elif word in names:  # a number that the workflow does not have
        more = ""
    else:
        more = did_you_mean(word, names)
    return NotFoundError(error.message + ("." + more if more else ""), error.remedy, kind=error.kind, name=error.name)
