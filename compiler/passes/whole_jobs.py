"""Which changes answer the job itself that they start: the very schema that reading one job shows.

Before: operations with effects. After: for each kind of job the changes that answer one, with the member that its
address takes, and the member that only a job that failed has. `POST /instances/{instance}/restart` answers an
`Operation`, which `GET /operations/{operation}` reads. Pure over schemas; called by `jobs`, which decides what a job
is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from compiler.ir.model import Operation, Schema
from compiler.ir.schemas import SharedSchemas
from compiler.passes.names import words
from compiler.passes.names.paths import (
    is_below,
    item_prefixes,
    last_parameter,
    last_word,
    parent,
    segments,
    shape,
)

_ENOUGH = 3  # changes that answer one: fewer may answer it for a reason of their own
_FAULTS = ("error", "errors", "fault")


@dataclass(frozen=True, slots=True)
class WholeJob:
    """`named`: the member of the answer that the address of the job takes; `starts`: the changes' keys."""

    poll: Operation
    named: str
    starts: tuple[str, ...]


def whole_jobs(
    polls: Sequence[Operation], changes: Sequence[Operation], schemas: SharedSchemas, nouns: frozenset[str]
) -> Iterator[WholeJob]:
    """Each with the changes of which it is the nearest job: of a zone's and a region's that in whose address all stands
    that the change's own address has, too.
    """
    known = [poll for poll in polls if words.singular(last_word(poll.path)).lower() in nouns and _kind(poll, schemas)]
    starts: dict[str, list[str]] = {}
    for change in changes:
        fitting = [poll for poll in known if _may_start(change, poll, schemas)]
        if fitting:
            nearest = max(fitting, key=lambda poll: (_together(poll.path, change.path), -poll.path.count("{")))
            starts.setdefault(nearest.key, []).append(change.key)
    for poll in known:
        named = _id_of(poll, schemas)
        if named and len(starts.get(poll.key, ())) >= _ENOUGH:
            yield WholeJob(poll, named, tuple(starts[poll.key]))


def fault_of(schema: Schema | None, schemas: SharedSchemas) -> str:
    """The member that says what went wrong, with members of its own: a job that went well has none."""
    members = schemas.members(schema)
    found = (name for name in _FAULTS if name in members and schemas.members(members[name]))
    return next(found, "")


def _kind(operation: Operation, schemas: SharedSchemas) -> str:
    return schemas.component(operation.success.schema if operation.success else None)


def _may_start(change: Operation, poll: Operation, schemas: SharedSchemas) -> bool:
    """Not of `POST /jobs`, whose new job is the thing that is wanted; whoever asks for one can say where it stands."""
    is_same = _kind(change, schemas) == _kind(poll, schemas)
    is_own = is_below(f"{shape(change.path)}/", shape(parent(poll.path)))
    given = {name for _, name in item_prefixes(change.path)}
    above = {name for _, name in item_prefixes(parent(poll.path))}
    return is_same and not is_own and above <= given


def _id_of(poll: Operation, schemas: SharedSchemas) -> str:
    parameter = last_parameter(poll.path)
    noun = words.singular(last_word(poll.path)).lower()
    members = schemas.members(poll.success.schema if poll.success else None)
    return next((n for n in (parameter, f"{noun}_id", f"{noun}Id", "id", "uuid", "name") if n in members), "")


def _together(one: str, other: str) -> int:
    """How many segments two addresses begin with alike."""
    pairs = zip(segments(shape(one)), segments(shape(other)), strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(segments(one)), len(segments(other))))
