"""The table of labelled actions (`labelled_actions.txt`), as operations with the class that each should have."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compiler.ir.model import Api, ApiParameter, Body, Operation, Response
from compiler.passes import effects
from compiler.passes.outcome import Options
from workflow.profiles.profile import Profile
from workflow.risks import Risk

TABLE = Path(__file__).with_name("labelled_actions.txt")
_REPLY: Any = {"type": "object", "properties": {"items": {"type": "array", "items": {"type": "object"}}}}


@dataclass(frozen=True, slots=True)
class Labelled:
    half: str
    risk: Risk
    operation: Operation


def labelled() -> Iterator[Labelled]:
    for line in TABLE.read_text().splitlines():
        if not line.startswith("#"):
            half, risk, key, named, summary, description, members = (*line.split("|"), *[""] * 6)[:7]
            yield Labelled(half, Risk(risk), operation(key, named, summary, description, members))


def _member(said: str) -> Any:
    if said.startswith(":"):
        return {"type": said[1:]}
    return {"type": "string", **({"enum": said.split(",")} if said else {})}


def operation(key: str, named: str = "", summary: str = "", description: str = "", members: str = "") -> Operation:
    """`members`: `action=stop,start;force=;prune=:boolean` makes an enumeration, a plain string and a switch."""
    method, _, path = key.partition(" ")
    path, _, query = path.partition("?")
    name, _, value = query.partition("=")
    asked: Any = {"type": "string", "enum": [value]} if value else {"type": "boolean"}
    told = dict(part.split("=") for part in members.split(";")) if members else {}
    properties = {name: _member(said) for name, said in told.items()}
    body = Body("application/json", {"type": "object", "properties": properties}, is_required=True) if told else None
    return Operation(
        method=method,
        path=path,
        pointer="",
        digest="",
        operation_id=named,
        summary=summary,
        description=description,
        parameters=(ApiParameter(name, "query", is_required=False, schema=asked),) if name else (),
        body=body,
        responses=(Response("200", media_type="application/json", schema=_REPLY),),
    )


def classed(one: Operation, *others: Operation) -> Operation:
    """The operation as the pass leaves it, in an API with these others."""
    api = Api("t", "t", "1", "", "", (one, *others))
    return effects.run(api, Options(Profile(api="t"))).api.operations[0]
