"""What is known of the APIs, over HTTP: operations by what they do, and each with its fields, class and workflows.

Answered from what the compiler understood (`runtime.knowledge`), within the caller's scope; nothing is sent for it.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from runtime.api.parts import models
from runtime.api.parts.part import CallerPart, ServicePart, problems

Json = Any
router = APIRouter(tags=["knowledge"])
Text = Annotated[str, Query(min_length=1, max_length=500)]
Api = Annotated[str | None, Query(max_length=128)]


@router.get("/knowledge", responses=problems(422))
async def search_knowledge(q: Text, service: ServicePart, caller: CallerPart, api: Api = None) -> dict[str, Json]:
    """The operations that have to do with the words of `q`, the best first: which workflows do them, or why none."""
    return await service.knowledge.search(q, caller.scope, api=api)


@router.get("/knowledge/operation", responses=problems(404, 422))
async def show_operation(key: Text, service: ServicePart, caller: CallerPart, api: Api = None) -> dict[str, Json]:
    """One operation by its `METHOD /path`: fields, values, class, workflows."""
    return await service.knowledge.describe(key, caller.scope, api=api)


@router.post("/tools/search_api", tags=["tools"], responses=problems(422))
async def search_api(body: models.SearchApi, service: ServicePart, caller: CallerPart) -> dict[str, Json]:
    """What an API can do with a thing: operations, the workflows that do them, and why none does."""
    return await service.knowledge.search(body.query, caller.scope, api=body.api)


@router.post("/tools/describe_operation", tags=["tools"], responses=problems(404, 422))
async def describe_operation(body: models.NamedOperation, service: ServicePart, caller: CallerPart) -> dict[str, Json]:
    """One operation: its fields with their values, its risk, its workflows."""
    return await service.knowledge.describe(body.operation, caller.scope, api=body.api)
