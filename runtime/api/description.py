"""The OpenAPI document of administration: FastAPI's own, with what the gate asks for, of the routes that a role opens.

Agents have a document of their own (`agents.description`); here are the routes by which people and their programs look,
decide, set up and look up, and the general way to run a workflow, as far as the caller's role and scope go. A route
that is not in it is refused to that caller. OpenAPI 3.1.
"""

from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from governance.transitions import may
from runtime.api.parts.models import ProblemOut
from runtime.api.parts.part import problems
from runtime.auth.access import rule_for
from runtime.caller import LOCAL, Caller
from runtime.credentials import COOKIE, CSRF_HEADER

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
    def __init__(self, api: FastAPI) -> None:
        self._api = api
        self._whole: dict[str, Json] | None = None
        self._written: dict[tuple[str, bool], bytes] = {}

    def written(self, caller: Caller) -> bytes:
        """What `document` says, as JSON; made once for each role."""
        key = caller.role, caller.scope.is_whole
        if key not in self._written:
            self._written[key] = orjson.dumps(self.document(caller))
        return self._written[key]

    def whole(self) -> dict[str, Json]:
        """The document of all routes, made once."""
        self._whole = self._whole or _fixed(self._api)
        return self._whole

    def document(self, caller: Caller = LOCAL) -> dict[str, Json]:
        """The routes that are open to the caller."""
        whole = self.whole()
        paths = {path: _open_to(caller, path, item) for path, item in whole["paths"].items()}
        known = {each["operationId"] for item in paths.values() for each in item.values()}
        linked = {path: {m: _linked(each, known) for m, each in item.items()} for path, item in paths.items() if item}
        return {**whole, "paths": linked}


def _linked(operation: dict[str, Json], known: set[str]) -> dict[str, Json]:
    """`operation` with those links alone that lead to operations of the document."""
    responses = {}
    for status, response in operation["responses"].items():
        kept = {name: each for name, each in response.get("links", {}).items() if each["operationId"] in known}
        plain = {name: part for name, part in response.items() if name != "links"}
        responses[status] = {**plain, "links": kept} if kept else plain
    return {**operation, "responses": responses}


def _open_to(caller: Caller, path: str, item: dict[str, Json]) -> dict[str, Json]:
    rules = ((method, rule_for(method.upper(), path)) for method in item)
    return {
        method: item[method]
        for method, rule in rules
        if rule.role is None or (may(caller.role, rule.role) and (caller.scope.is_whole or not rule.takes_whole))
    }


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
