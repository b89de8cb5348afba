"""What every router needs of a request: the service, and who is asking.

The gate (`access`) has admitted the request already and has written the caller into its scope. Also here: what every
route may answer besides its success, for the OpenAPI document. No route lives here.
"""

from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.routing import APIRoute

from runtime.api.models import ProblemOut
from runtime.gate.access import CALLER, Caller
from runtime.problems import MEDIA_TYPE, Problem
from runtime.service import Service

Json = Any


def service_of(request: Request) -> Service:
    service = request.app.state.service
    assert isinstance(service, Service)
    return service


def caller_of(request: Request) -> Caller:
    caller = request.scope[CALLER]
    assert isinstance(caller, Caller)
    return caller


ServicePart = Annotated[Service, Depends(service_of)]
CallerPart = Annotated[Caller, Depends(caller_of)]


def refuse_repeated(request: Request) -> None:
    """No parameter of a query has several values: of two, one would be ignored in silence. Raises Problem."""
    route = request.scope["route"]
    given = [name for name, _ in request.query_params.multi_items()]
    for field in route.dependant.query_params if isinstance(route, APIRoute) else ():
        if given.count(field.alias) > 1:
            pointer = {"pointer": f"/query/{field.alias}"}
            raise Problem(422, "bad request", f"{field.alias} is given more than once.", "give it once", (), pointer)


def problems(*statuses: int) -> dict[int | str, dict[str, Json]]:
    """What a route may answer besides its success, for the OpenAPI document."""
    schema = {"$ref": f"#/components/schemas/{ProblemOut.__name__}"}
    one = {"description": "A problem (RFC 9457)", "content": {MEDIA_TYPE: {"schema": schema}}}
    return dict.fromkeys((401, 403, 421, 429, 503, *statuses), one)
