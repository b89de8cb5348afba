"""Lists that are asked for by POST: `POST /flows/filter` where no GET lists the flows.

Only what was judged to be a read, by the evidence of both kinds that `risk.judging` wants; and only where nothing has
to be given but where in the list to begin and how much of it is wanted, so that whoever looks something up asks for all
of it. Told by the words of addresses and by what else is there. Called by `effects` (what reads) and by `siblings`
(what lists what stands at which address).
"""

from collections.abc import Iterable, Iterator, Mapping

from compiler.ir.model import Effect, Operation, Schema
from compiler.ir.schemas import SharedSchemas
from compiler.passes.names import words
from compiler.passes.names.paths import ends_in_parameter, shape
from compiler.passes.names.roots import is_root
from workflow.json.pointers import escape
from workflow.risks import Risk

ASKING = ("filter", "search", "query", "list", "find", "_search", "_list", "_query")
"""Words below a collection under which it is asked for, the plainest first."""
WHERE = frozenset({"offset", "first", "skip", "start", "from", "page", "pagenumber", "pagenum", "pageindex"})
HOW_MANY = frozenset(
    {"limit", "max", "top", "count", "perpage", "pagesize", "size", "maxresults", "maxitems", "pagelimit"}
)
_AROUND = frozenset({"page", "paging", "pagination", "pages"})


def lists_by_post(operations: Iterable[Operation], schemas: SharedSchemas) -> Mapping[str, Operation]:
    """By the shape of the collection that each lists; of several the plainest word counts."""
    known = [operation for operation in operations if not operation.left_out]
    places = {shape(operation.path): operation for operation in known if operation.method == "POST"}
    at = {(operation.method, shape(operation.path)) for operation in known}
    found: dict[str, Operation] = {}
    for word in ASKING:
        for place, operation in places.items():
            above, _, last = place.rpartition("/")
            if last.lower() == word and above not in found and _lists(operation, above, at, schemas):
                found[above] = operation
    return found


def _lists(operation: Operation, above: str, at: set[tuple[str, str]], schemas: SharedSchemas) -> bool:
    name = above.rpartition("/")[2]
    if operation.risk is not Risk.READ or ends_in_parameter(above) or not name or is_root(above):
        return False
    is_of_things = words.singular(name) != name or ("POST", above) in at or ("GET", f"{above}/{{}}") in at
    is_listed = ("GET", above) in at
    return is_of_things and not is_listed and _answers_a_list(operation, schemas) and _may_be_asked(operation, schemas)


def _answers_a_list(operation: Operation, schemas: SharedSchemas) -> bool:
    reply = operation.success.schema if operation.success else None
    if schemas.element(reply) is not None:
        return True
    lists = [member for member in schemas.members(reply).values() if schemas.element(member) is not None]
    return len(lists) == 1


def _may_be_asked(operation: Operation, schemas: SharedSchemas) -> bool:
    """Whether the whole list can be had: nothing else is required than a position and a size."""
    if any(p.is_required and p.location in ("query", "cookie") for p in operation.parameters):
        return False
    body = operation.body
    if body is None:
        return True
    if "json" not in body.media_type:
        return False
    return all(words.joined(name) in WHERE | HOW_MANY for name in schemas.required(body.schema))


def asked_in_body(operation: Operation, schemas: SharedSchemas) -> dict[str, Schema]:
    """The members of the body by pointer, those of an object that is about pages (`/pagination/limit`) as well."""
    body = operation.body
    if operation.method != "POST" or body is None or "json" not in body.media_type:
        return {}
    return dict(_members("", schemas.members(body.schema), schemas))


def _members(above: str, members: Mapping[str, Schema], schemas: SharedSchemas) -> Iterator[tuple[str, Schema]]:
    for name, member in members.items():
        yield f"{above}/{escape(name)}", member
        if not above and words.joined(name) in _AROUND:
            yield from _members(f"/{escape(name)}", schemas.members(member), schemas)


def is_asked_by_post(operation: Operation) -> bool:
    return operation.method == "POST" and operation.effect is Effect.READ
