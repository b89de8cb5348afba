"""What the operations of a compile promise to answer: the schemas that the runtime holds replies against.

Only successful replies in JSON, of operations that workflows use; each schema carries what it refers to, as a reply
sees it (what is write-only is not asked for); what is further away than a bound takes any value, since schemas that
refer to one another would each carry all the others. Called by `submission`, and by `raw_calls` for one operation
alone. OpenAPI 3.1, 4.8.16 and 4.8.24.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from compiler.compiled import Compiled
from compiler.containment import Containment
from compiler.frontend.media import is_json
from compiler.ir.model import Api, Operation
from compiler.ir.schemas import SharedSchemas
from compiler.twin.values.validation import SchemaView, Validation

Json = Any
_MOST_BYTES = 256 * 1024  # of the shared schemas of one reply; the largest seen of a device has 100 kB
NOTHING: Mapping[str, Json] = {}


def promised_replies(compiled: Compiled, contained: Containment) -> dict[str, Mapping[str, Json]]:
    """By the operation's digest, then by status as declared (`200`, `2XX`)."""
    used = {step.operation for one in compiled.workflows for step in one.flow.steps}
    validation = Validation(compiled.api.schemas, SharedSchemas(compiled.api.schemas))
    found = {
        each.digest: contained.tried(each.key, partial(promised, each, validation, _MOST_BYTES), NOTHING)
        for each in _operations(compiled.api, used)
    }
    return {digest: schemas for digest, schemas in found.items() if schemas}


def _operations(api: Api, used: set[str]) -> tuple[Operation, ...]:
    return tuple(each for each in api.operations if each.key in used)


def promised(operation: Operation, validation: Validation, most_bytes: int) -> Mapping[str, Json]:
    """By status as declared; `most_bytes`: of what each schema refers to."""
    return {
        response.status.upper(): validation.self_contained(response.schema, SchemaView.RESPONSE, most_bytes)
        for response in operation.responses
        if response.schema is not None and response.status.startswith("2") and is_json(response.media_type)
    }
