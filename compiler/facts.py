"""The IR as the workflow language wants to know it: `workflow.documents.operations`, for checks and plans.

The language must not know the IR, so what it needs of an operation is copied over here, by `verification`.
"""

from compiler.ir.model import CONNECTION_HEADERS, EMPTY, Api, ApiParameter, Operation
from workflow.documents.operations import OperationFacts, OperationIndex, ParameterFacts


def operation_index(api: Api) -> OperationIndex:
    """The operations of the API, with its shared schemas."""
    return OperationIndex((facts_of(operation) for operation in api.operations), api.schemas)


def facts_of(operation: Operation) -> OperationFacts:
    given = (p for p in operation.parameters if not _is_of_the_connection(p))
    parameters = (ParameterFacts(p.name, p.location, p.is_required, p.schema, p.style, p.explode) for p in given)
    return OperationFacts(
        method=operation.method,
        path=operation.written,
        operation_id=operation.operation_id,
        parameters=tuple(parameters),
        body_required=operation.body is not None and operation.body.is_required,
        body_schema=operation.body.schema if operation.body else None,
        response_schemas={r.status: r.schema if r.schema is not None else EMPTY for r in operation.responses},
        digest=operation.digest,
    )


def _is_of_the_connection(parameter: ApiParameter) -> bool:
    """The driver sets these; no workflow binds them, whatever the description demands."""
    return parameter.location == "header" and parameter.name.lower() in CONNECTION_HEADERS
