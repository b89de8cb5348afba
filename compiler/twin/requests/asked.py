"""One request, matched to what it is about: a value that the parts of the twin hand to each other.

Made by `machine.py` once the path has led somewhere, read by `reading.py`, `pending.py` and the changes. Here lives
no rule about requests; those are in `checks.py`, `references.py` and `states.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from compiler.ir.model import Operation, Resource
from compiler.passes.names.paths import parent, shape
from compiler.twin.blueprint import Behaviour, TwinKind
from compiler.twin.requests.messages import RefusalError, TwinRequest
from compiler.twin.requests.routes import Match, canonical
from compiler.twin.seeds import SeedPlace, member_place
from workflow.documents.path_queries import parted


@dataclass(frozen=True, slots=True)
class MatchedRequest:
    """`path`: canonical; `above`: the items that it leads through, outermost first, its own item last."""

    request: TwinRequest
    match: Match
    behaviour: Behaviour
    path: str
    above: tuple[SeedPlace, ...]
    now: float

    @property
    def address(self) -> str:
        """`path` as it is asked for: without what the twin keeps of the query in a described path."""
        return canonical(self.request.path) if parted(self.match.template)[1] else self.path

    @property
    def operation(self) -> Operation:
        return self.behaviour.operation

    @property
    def place(self) -> SeedPlace:
        """The item that the path or the body names; only for operations on items. Raises RefusalError where none is."""
        if not self.above:
            raise RefusalError(400, "the body does not say which one is meant")
        return self.above[-1]

    @property
    def resource(self) -> Resource:
        """Only for operations that belong to a resource."""
        assert self.behaviour.resource is not None, "the behaviour says which resource"
        return self.behaviour.resource


def named_in_body(behaviour: Behaviour, path: str, body: Any) -> Iterator[SeedPlace]:
    """The item that is meant by an update of one that is sent to its collection: the body has its id."""
    resource = behaviour.resource
    is_update = behaviour.kind in (TwinKind.UPDATE, TwinKind.REPLACE)
    if resource is None or not is_update or shape(behaviour.operation.path) != parent(shape(resource.item)):
        return
    if isinstance(body, dict) and resource.id_field in body:
        yield member_place(resource, path, str(body[resource.id_field]))
