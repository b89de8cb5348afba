"""What every router needs of a request: the service, and who is asking.

The gate (`access`) has admitted the request already and has written the caller into its scope. Also here: what every
route may answer besides its success, for the OpenAPI document. No route lives here. All that routes depend on is
`async`, though it waits for nothing: FastAPI hands what is not to another thread, and waits for that.
"""

from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from runtime.api.parts.models import ProblemOut
from runtime.caller import CALLER, Caller
from runtime.problems import MEDIA_TYPE, Problem
from runtime.service import Service
from workflow.nearest import nearest
from workflow.visible import visible

Json = Any


async def service_of(request: Request) -> Service:
    service = request.app.state.service
    assert isinstance(service, Service)
    return service


async def caller_of(request: Request) -> Caller:
    caller = request.scope[CALLER]
    assert isinstance(caller, Caller)
    return caller


ServicePart = Annotated[Service, Depends(service_of)]
CallerPart = Annotated[Caller, Depends(caller_of)]


async def check_query(request: Request) -> None:
    """Each parameter of a query is one that the route knows, given once: what is ignored in silence misleads.

    Raises Problem.
    """
    route = request.scope["route"]
    if not isinstance(route, APIRoute):
        return
    given = [name for name, _ in request.query_params.multi_items()]
    known = sorted(_parameters(route.dependant)) if given else []
    for name in given:
        pointer = {"pointer": f"/query/{name}"}
        if name not in known:
            near = nearest(name, known)
            remedy = f"did you mean {near[0]}?" if near else f"it takes {', '.join(known) or 'none'}"
            raise Problem(422, "bad request", f"There is no parameter {visible(name)[:80]} here.", remedy, (), pointer)
        if given.count(name) > 1:
            raise Problem(422, "bad request", f"{name} is given more than once.", "give it once", (), pointer)


def _parameters(dependant: Dependant) -> set[str]:
    """The parameters of a route and of all that it depends on."""
    own = {field.alias for field in dependant.query_params}
    return own.union(*map(_parameters, dependant.dependencies))


def problems(*statuses: int) -> dict[int | str, dict[str, Json]]:
    """What a route may answer besides its success, for the OpenAPI document."""
    schema = {"$ref": f"#/components/schemas/{ProblemOut.__name__}"}
    one = {"description": "A problem (RFC 9457)", "content": {MEDIA_TYPE: {"schema": schema}}}
    return dict.fromkeys((401, 403, 421, 429, 503, *statuses), one)
