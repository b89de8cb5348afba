"""A revision as a picture over HTTP: SVG for pages, Mermaid for wikis, lines of text for whoever cannot see either.

Whoever may look at the revision may look at its picture. An SVG that is opened alone does nothing: it has no script,
and its headers would not let one run. Here never lives how it is drawn (`workflow.graph`).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from fastapi import APIRouter, Query, Response

from governance.approval.dossier import picture
from runtime.api.parts.part import CallerPart, ServicePart, problems
from runtime.visibility import revision_of
from workflow.graph.drawing import Form

router = APIRouter(prefix="/workflows", tags=["workflows"])
TYPES: Mapping[Form, str] = MappingProxyType(
    {"svg": "image/svg+xml", "mermaid": "text/vnd.mermaid", "text": "text/plain"}
)
_POLICY = "default-src 'none'; frame-ancestors 'self'; sandbox"
_SHOWN = {
    "description": "The picture in the form asked for",
    "content": {kind: {"schema": {"type": "string"}} for kind in TYPES.values()},
}
Asked = Annotated[Form, Query(description="`svg`, `mermaid` or `text`; all three show the same.")]


@router.get("/{ref}/graph", responses={200: _SHOWN, **problems(404, 409, 422)}, response_class=Response)
async def draw_workflow(ref: str, service: ServicePart, caller: CallerPart, form: Asked = "svg") -> Response:
    """The steps of a revision, what each sends, what has to hold and how it goes on. `ref` as for the revision."""
    drawn = picture(await revision_of(service, caller, ref), form)
    headers = {"content-security-policy": _POLICY, "x-content-type-options": "nosniff"}
    return Response(drawn, media_type=TYPES[form], headers=headers)
