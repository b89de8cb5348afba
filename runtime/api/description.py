"""The OpenAPI document: FastAPI's own, with what the gate asks for, and one operation a listed workflow.

Clients that turn each operation into a tool (Open WebUI) so see what MCP clients see: the workflows that the catalog
lists, each under its own path with its own inputs, without a proxy between. The others are found by `GET /workflows?q=`
and run by the general route, which is the same one; here only its description is made, anew for each list. OpenAPI 3.1.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from governance.people.scopes import WHOLE, Scope
from runtime.api.models import ProblemOut
from runtime.api.part import problems
from runtime.catalog import Catalog
from runtime.entries import Entry
from runtime.gate.access import rule_for
from runtime.gate.credentials import COOKIE, CSRF_HEADER
from runtime.live import LiveCatalog

Json = Any
Needs = list[dict[str, list[str]]]
# A token (or a company's JWT), or the cookie of a session; the latter with its CSRF token where something is changed.
LOOKING: Needs = [{"token": []}, {"session": []}]
CHANGING: Needs = [{"token": []}, {"session": [], "csrf": []}]
SCHEMES = {
    "token": {"type": "http", "scheme": "bearer"},
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
    "csrf": {"type": "apiKey", "in": "header", "name": CSRF_HEADER},
}


class Description:
    def __init__(self, api: FastAPI, live: LiveCatalog) -> None:
        self._api = api
        self._live = live
        self._fixed: dict[str, Json] | None = None
        self._made: dict[str, dict[str, Json]] = {}
        self._made_for: Catalog | None = None

    def document(self, scope: Scope = WHOLE) -> dict[str, Json]:
        """The document for what somebody with `scope` sees of the catalog that is served now."""
        if self._made_for is not self._live.now:
            self._made, self._made_for = {}, self._live.now
        catalog = self._live.seen_by(scope)
        if catalog.version not in self._made:
            self._fixed = self._fixed or _fixed(self._api)
            own = {f"/workflows/{entry.name}/run": {"post": _operation(entry)} for entry in catalog.listed}
            self._made[catalog.version] = {**self._fixed, "paths": {**self._fixed["paths"], **own}}
        return self._made[catalog.version]


def _fixed(api: FastAPI) -> dict[str, Json]:
    """The routes that are always there."""
    document = get_openapi(title=api.title, version=api.version, description=api.description, routes=api.routes)
    schemas = document["components"]["schemas"]
    schemas[ProblemOut.__name__] = ProblemOut.model_json_schema()
    document["components"]["securitySchemes"] = SCHEMES
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if rule_for(method.upper(), path).role is not None:
                operation["security"] = LOOKING if method == "get" else CHANGING
            if "422" in operation["responses"]:
                operation["responses"]["422"] = problems()[401]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return document


def _operation(entry: Entry) -> dict[str, Json]:
    """How one workflow is run. Where there is one target or a default, it need not be named."""
    inputs = entry.tool["inputSchema"]
    properties: dict[str, Json] = {"inputs": inputs}
    if entry.risk != "read":
        properties |= {"plan": {"type": "boolean"}, "plan_id": {"type": "string"}}
    if len(entry.targets) > 1:
        properties["target"] = entry.target_schema
    body = {"type": "object", "properties": properties, "additionalProperties": False}
    if inputs.get("required"):
        body["required"] = ["inputs"]
    result = {
        "type": "object",
        "properties": {
            "run_id": {"type": "string"},
            "outcome": {"enum": ["succeeded", "pending", "planned"]},
            "outputs": entry.output_schema or {"type": "object"},
            "note": {"type": "string"},
            "verified": {"enum": ["", "all", "some", "none"]},
            "verified_why": {"type": "string"},
            "differences": {"type": "array", "items": {"type": "object"}},
            "next": {"type": "string"},
            "done": {"type": "array", "items": {"type": "string"}},
            "plan": {},
        },
        "required": ["run_id", "outcome", "outputs"],
    }
    return {
        "operationId": entry.name,
        "tags": ["approved workflows"],
        "summary": entry.tool.get("title", entry.name),
        "description": entry.tool.get("description", ""),
        "security": CHANGING,
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "200": {
                "description": "It succeeded, or was accepted and takes effect later.",
                "content": {"application/json": {"schema": result}},
            },
            **{str(status): problem for status, problem in problems(404, 409, 422, 428, 502, 504).items()},
        },
    }
