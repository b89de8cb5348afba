"""The server about itself: alive, ready, and told to load again.

`/health` and `/ready` are open to everyone and say nothing that is worth hiding: supervisors ask them without a token.
"""

from fastapi import APIRouter, Response

from runtime.api.parts import models
from runtime.api.parts.part import ServicePart, problems

router = APIRouter(tags=["server"])


@router.get("/health")
async def health() -> models.Health:
    """The process answers. Asks nothing of anything else."""
    return models.Health(status="ok")


@router.get("/ready", responses={503: {"model": models.Readiness}})
async def ready(service: ServicePart, response: Response) -> models.Readiness:
    """Whether calls can be served: a catalog is loaded and follows the database, which takes what is written; so does
    the one that remembers how far runs are.

    A clock that is off is told, too: calls are served all the same, and schedules are fired by other servers.
    """
    live = service.live
    trouble = live.trouble or live.set_apart or service.database.trouble or service.engine.trouble
    is_ready = live.is_loaded and not trouble
    response.status_code = 200 if is_ready else 503
    return models.Readiness(
        status="ready" if is_ready else "not ready",
        workflows=len(live.now.entries),
        tools=len(live.now.listed),
        refused=len(live.now.refusals),
        trouble=trouble or service.scheduler.trouble,
    )


@router.post("/reload", responses=problems())
async def reload(service: ServicePart) -> models.Served:
    """Loads the catalog again and tells connected clients if their list of tools changed."""
    catalog = await service.live.reload()
    refused = [
        {"workflow_id": each.workflow_id, "revision_id": each.revision_id, "reason": each.reason}
        for each in catalog.refusals
    ]
    counts = {"workflows": len(catalog.entries), "tools": len(catalog.listed)}
    return models.Served(version=catalog.version, **counts, refused=refused)
