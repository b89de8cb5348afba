"""A card for every operation of an API: what it does, to what, with which fields and values, how grave, what uses it.

Told of each, also of those that no workflow uses, with the reason: whoever wants to know what an API can do finds it
here without the description, which the runtime never sees. Texts are the vendor's, made visible and short. Of calling
an operation alone it tells what `raw_calls` says. Called by `submission`; read through `governance.registry.knowledge`.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from compiler.compiled import Compiled
from compiler.containment import Containment
from compiler.ir.model import Operation, Schema
from compiler.ir.schemas import SharedSchemas
from compiler.raw_calls import callable_of
from compiler.twin.values.validation import Validation
from workflow.documents.path_queries import address_of
from workflow.search.findable import OperationWords, operation_words
from workflow.visible import quotable

Json = Any
# As much as tells what one can set or see; whole schemas stand in the description itself.
MOST_FIELDS, MOST_VALUES, MOST_TEXT = 80, 30, 160


def cards_of(compiled: Compiled, contained: Containment) -> list[Mapping[str, Json]]:
    """A card for each operation, in their order by path."""
    schemas, reached = SharedSchemas(compiled.api.schemas), _reached(compiled)
    vocabulary = compiled.profile.vocabulary if compiled.profile else {}
    validation = Validation(compiled.api.schemas, schemas)

    def made(each: Operation) -> Json:
        card = _card(each, schemas, reached.get(each.key, []), vocabulary)
        return {**card, **callable_of(compiled.api, each, validation, is_used=each.key in reached)}

    ordered = sorted(compiled.api.operations, key=lambda operation: (operation.path, operation.method))
    cards = (contained.tried(each.key, partial(made, each), None) for each in ordered)
    return [card for card in cards if card is not None]


def operation_words_of(compiled: Compiled) -> Mapping[str, OperationWords]:
    """The words of each operation as they are found by, once the cards are stored."""
    schemas = SharedSchemas(compiled.api.schemas)
    told = ((each, {"does": _does(each), "tells": _tells(each, schemas)}) for each in compiled.api.operations)
    return {each.key: operation_words(card) for each, card in told}


def _reached(compiled: Compiled) -> dict[str, list[str]]:
    """The workflows that use each operation, those first of which it is the goal."""
    found: dict[str, list[tuple[bool, str]]] = {}
    for one in compiled.workflows:
        for key in dict.fromkeys(step.operation for step in one.flow.steps):
            found.setdefault(key, []).append((key != one.flow.goal, one.flow.id))
    return {key: [flow for _, flow in sorted(flows)] for key, flows in found.items()}


def _card(operation: Operation, schemas: SharedSchemas, workflows: list[str], vocabulary: Mapping[str, str]) -> Json:
    noun = next((part for part in reversed(address_of(operation.path).split("/")) if part and "{" not in part), "")
    card: dict[str, Json] = {
        "operation": operation.key,
        "does": _does(operation),
        "thing": vocabulary.get(noun, noun),
        "risk": operation.risk.value if operation.risk is not None else "destroy",
        "why": _short(operation.risk_reason),
        "takes": [*_parameters(operation, schemas), *_members(operation, schemas)][:MOST_FIELDS],
        "tells": _tells(operation, schemas),
        "workflows": workflows,
    }
    return card if workflows else {**card, "left_out": _short(operation.left_out or "no workflow needs it")}


def _does(operation: Operation) -> str:
    return _short(operation.summary or operation.description or operation.operation_id)


def _tells(operation: Operation, schemas: SharedSchemas) -> list[Json]:
    """The fields of the reply, or of one of those that it lists."""
    reply = operation.success.schema if operation.success is not None else None
    reply = schemas.element(reply) if schemas.kind(reply) == "array" else reply
    return list(_fields(reply, schemas, is_input=False))[:MOST_FIELDS]


def _parameters(operation: Operation, schemas: SharedSchemas) -> Iterator[Json]:
    for each in operation.parameters:
        card = _field(each.name, each.schema, schemas, each.description)
        yield {**card, "in": each.location, **({"required": True} if each.is_required else {})}


def _members(operation: Operation, schemas: SharedSchemas) -> Iterator[Json]:
    if operation.body is None:
        return
    required = schemas.required(operation.body.schema)
    for card in _fields(operation.body.schema, schemas, is_input=True):
        yield {**card, "in": "body", **({"required": True} if card["name"] in required else {})}


def _fields(schema: Schema | None, schemas: SharedSchemas, *, is_input: bool) -> Iterator[dict[str, Json]]:
    """The members of an object, and by pointer those of objects in it. `is_input`: what can be given."""
    hidden = "readOnly" if is_input else "writeOnly"
    for name, member in schemas.members(schema).items():
        if schemas.resolve(member).get(hidden):
            continue
        yield _field(name, member, schemas)
        if schemas.kind(member) == "object":
            for inner, part in schemas.members(member).items():
                if not schemas.resolve(part).get(hidden):
                    yield _field(f"/{name}/{inner}", part, schemas)


def _field(name: str, schema: Schema, schemas: SharedSchemas, text: str = "") -> dict[str, Json]:
    kind, values = schemas.kind(schema), schemas.values(schema)
    told = _short(text or str(schemas.resolve(schema).get("description", "")))
    card: dict[str, Json] = {"name": _short(name)}
    card |= {"type": kind} if kind else {}
    card |= {"values": [_short(v) if isinstance(v, str) else v for v in values[:MOST_VALUES]]} if values else {}
    return {**card, "text": told} if told else card


def _short(text: str) -> str:
    return quotable(text, 4 * MOST_TEXT)[:MOST_TEXT]
