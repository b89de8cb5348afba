"""The member that holds what was asked for, in an API that puts one envelope around all its answers.

`{"type": "sync", "status": "Success", "status_code": 200, "metadata": …}`: what stands beside is in nearly every
answer and is plain; what the one member holds differs from operation to operation. Told by the answers alone, so that
no name has to be known. Used by the resources pass.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from compiler.ir.model import Operation, Schema
from compiler.ir.schemas import SharedSchemas

_ENOUGH = 8  # answers at least
_NEARLY_ALL = 0.9
_KINDS = 4  # of things, in that one member
_MOST_BESIDE = 6
_THINGS = ("object", "array", "")


@dataclass(frozen=True, slots=True)
class AnswerEnvelope:
    """`holder`: the name of that member; `beside`: those that say how it went. Empty where there is no envelope."""

    holder: str = ""
    beside: frozenset[str] = frozenset()


def envelope_of(operations: Iterable[Operation], schemas: SharedSchemas) -> AnswerEnvelope:
    """What the answers to reads have in common."""
    reads = (o.success.schema for o in operations if o.method == "GET" and o.success is not None)
    answers = [schemas.members(schema) for schema in reads if schema is not None]
    if len(answers) < _ENOUGH:
        return AnswerEnvelope()
    counted = Counter(name for members in answers for name in members)
    common = [name for name, count in counted.items() if count >= _NEARLY_ALL * len(answers)]
    around = [members for members in answers if members.keys() <= {*common}]
    holding = [name for name in common if _differs(schemas, [m[name] for m in around if name in m])]
    is_one = len(holding) == 1 and 1 < len(common) <= _MOST_BESIDE and len(around) >= _NEARLY_ALL * len(answers)
    return AnswerEnvelope(holding[0], frozenset(common) - {*holding}) if is_one else AnswerEnvelope()


def _differs(schemas: SharedSchemas, held: list[Schema]) -> bool:
    """Whether it holds many kinds of things: what stands beside it says the same everywhere."""
    shown = {repr((_told(schemas, member), _told(schemas, schemas.element(member)))) for member in held}
    return len(shown) >= _KINDS and all(schemas.kind(member) in _THINGS for member in held)


def _told(schemas: SharedSchemas, schema: Schema | None) -> object:
    return schemas.component(schema) or (schemas.kind(schema), sorted(schemas.members(schema)))
