"""Which changes answer the id of a task as bare text, and where the task says how it ended.

Before: changes whose reply is, or holds, a text; one kind of task that can be read by an id. After: the places of
those texts that the description says are such an id, each with the words that say so, never for a text alone. What a
task is, `jobs` decides, which alone calls this. Pure over schemas.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from compiler.ir.model import ApiParameter, Operation, Response, Schema
from compiler.ir.schemas import SharedSchemas
from compiler.passes.names import words
from compiler.passes.names.paths import ends_in_parameter, last_word, parameter_of, parent, segments
from workflow.json.pointers import escape

_IDS = "id|identifier|uuid|guid|handle|reference"
_STATES = frozenset({"status", "state"})
_PLAIN_NAMES = frozenset({"id", "ids", "uuid", "name", "key", "task", "job", "operation", "activity", "request"})
_PLAIN_FORMATS = frozenset({"", "uuid", "date-time", "date", "uri", "password", "byte", "binary", "email", "string"})
_SHORTEST = 3  # letters of a parameter's name that no other word of a description has by chance
_OVER = frozenset({"stopped", "ended", "terminated", "exited", "closed", "finished", "completed", "complete", "done"})
_EXITS = frozenset({"exitstatus", "exitstate", "completionstatus", "resultstatus", "exitcode", "returncode"})
_EXITS_OF_SOME = frozenset({"result", "outcome", "conclusion"})  # a text as well, unless its values are listed
_WELL = ("OK", "success", "succeeded", "successful", "completed", "passed")


@dataclass(frozen=True, slots=True)
class ToldTask:
    """A place of a change's reply that holds a task's id. `evidence`: what says so, in the description's words."""

    operation: str
    at: str
    evidence: str


@dataclass(frozen=True, slots=True)
class TaskEnd:
    """Where a task that is over says how it ended, and the values that mean well. `over`: the states of its end."""

    at: str
    well: tuple[str, ...]
    over: tuple[str, ...]
    is_open: bool


def task_address(poll: Operation) -> str:
    """The address of the task that an operation reads, itself or its state below it; "" where it reads none."""
    if ends_in_parameter(poll.path):
        return poll.path
    return parent(poll.path) if last_word(poll.path).lower() in _STATES and ends_in_parameter(parent(poll.path)) else ""


def parameter_of_task(poll: Operation) -> ApiParameter:
    """The parameter that is the task's id."""
    name = parameter_of(segments(task_address(poll))[-1])
    return next(p for p in poll.parameters if (p.location, p.name) == ("path", name))


def told_tasks(changes: tuple[Operation, ...], poll: Operation, schemas: SharedSchemas) -> tuple[ToldTask, ...]:
    """The changes of which the description says that they answer the id of a task, at most one place of each."""
    parameter = parameter_of_task(poll)
    says_so = _says_so(noun_of_task(poll))
    found = (next(_told(change, parameter, says_so, schemas), None) for change in changes)
    return tuple(each for each in found if each is not None)


def noun_of_task(poll: Operation) -> str:
    """`task` of `/tasks/{id}` and of `/tasks/{id}/status`."""
    return words.singular(last_word(task_address(poll) or poll.path)).lower()


@lru_cache
def _says_so(noun: str) -> re.Pattern[str]:
    noun = re.escape(noun)
    of = rf"\b(?:{_IDS})\s+(?:of|for)\s+(?:[\w-]+\s+){{0,3}}?{noun}\b"
    return re.compile(rf"\b{noun}(?:'s)?[\s_-]?(?:{_IDS})\b|{of}", re.I)


def exit_of(task: Schema | None, state: Schema, schemas: SharedSchemas) -> TaskEnd | None:
    """How a task tells its end besides its state, None where the state alone does."""
    members = schemas.members(task)
    name = next((n for n in members if _tells_exit(words.joined(n), members[n], schemas)), "")
    if not name:
        return None
    values = tuple(str(value) for value in schemas.values(members[name]))
    well = tuple(v for v in values if words.is_about(words.split(v), words.DONE)) if values else _WELL
    states = [str(value) for value in schemas.values(state)]
    over = tuple(value for value in states if value.lower() in _OVER) if states else tuple(sorted(_OVER))
    return TaskEnd(f"/{escape(name)}", well, over, not values) if well and over else None


def _tells_exit(name: str, member: Schema, schemas: SharedSchemas) -> bool:
    return schemas.kind(member) == "string" and (
        name in _EXITS or (name in _EXITS_OF_SOME and bool(schemas.values(member)))
    )


def _told(
    change: Operation, parameter: ApiParameter, says_so: re.Pattern[str], schemas: SharedSchemas
) -> Iterator[ToldTask]:
    for reply in change.responses:
        if reply.status.startswith("2") and reply.schema is not None:
            for at, name, schema in _texts(reply.schema, schemas):
                texts = [str(schemas.flat(schema).get("title") or ""), schemas.text(schema)]
                texts += [reply.description] if _is_all(at, reply, schemas) else []
                if said := _evidence(name, texts, parameter, says_so) or _same_form(
                    schemas.flat(schema), schemas.flat(parameter.schema)
                ):
                    yield ToldTask(change.key, at, said)


def _texts(schema: Schema, schemas: SharedSchemas, at: str = "", depth: int = 0) -> Iterator[tuple[str, str, Schema]]:
    """(pointer, name of the member, its schema) of every text of a reply, as far as two members deep."""
    if schemas.kind(schema) == "string":
        yield at, at.rpartition("/")[2], schema
    for name, member in schemas.members(schema).items() if depth < 2 else ():
        yield from _texts(member, schemas, f"{at}/{escape(name)}", depth + 1)


def _is_all(at: str, reply: Response, schemas: SharedSchemas) -> bool:
    """Whether the text is all that is answered, so that what is said of the reply is said of it."""
    return not at or (at.count("/") == 1 and len(schemas.members(reply.schema)) == 1)


def _evidence(name: str, texts: Sequence[str], parameter: ApiParameter, says_so: re.Pattern[str]) -> str:
    """What says that a text is the task's id: words for one, or the name that the id has in the task's address."""
    for text in texts:
        said = says_so.search(text)
        if said:
            return f"it is described as “{' '.join(said.group().split())}”"
    if says_so.fullmatch(" ".join(words.split(name))):
        return f"it is called {name}"
    about = parameter.name.lower()
    if about in _PLAIN_NAMES or len(about) < _SHORTEST:
        return ""
    if name.lower() == about:
        return f"it is called {parameter.name}, as the task's id is"
    is_named = any(re.search(rf"\b{re.escape(about)}\b", text, re.I) for text in texts)
    return f"it is described as the {parameter.name}, as the task's id is called" if is_named else ""


def _same_form(text: Schema, wanted: Schema) -> str:
    form = str(text.get("format") or "")
    if form.lower() not in _PLAIN_FORMATS and form == wanted.get("format"):
        return f"it has the format {form} of the task's id"
    pattern = text.get("pattern")
    is_same = isinstance(pattern, str) and pattern == wanted.get("pattern") and re.search(r"[A-Za-z]{3}", pattern)
    return "it has the pattern of the task's id" if is_same else ""
