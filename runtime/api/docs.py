"""The API's documentation as one self-contained page, from which each operation can be tried; and the documents.

Made on the server from the OpenAPI documents, so that it works on a machine without internet, where FastAPI's own
pages would load from elsewhere: nothing of it comes from another host, and its one script is named by its digest. What
is tried is sent with the token that is typed in, which is kept nowhere, or with the session that the page was opened
in. Here never lives a description of a route: that is the route's docstring.
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from runtime.api.parts.part import CallerPart, problems
from runtime.auth.access import rule_for

Json = Any
router = APIRouter()
SCRIPT = """
addEventListener('click', async event => {
  const form = event.target.dataset.try ? event.target.parentElement : null
  if (!form) return
  const out = form.querySelector('pre'), body = form.querySelector('textarea'), headers = {}
  let path = form.dataset.path
  for (const each of form.querySelectorAll('input'))
    path = path.replace('{' + each.name + '}', encodeURIComponent(each.value))
  const query = form.querySelector('[data-query]')
  if (query && query.value) path += '?' + query.value
  const token = document.getElementById('token').value
  if (token) headers.authorization = 'Bearer ' + token
  else { const open = await fetch('/session'); if (open.ok) headers['x-csrf-token'] = (await open.json()).csrf_token }
  if (body) headers['content-type'] = 'application/json'
  out.textContent = '…'
  const reply = await fetch(path, {method: form.dataset.method, headers, body: body ? body.value : undefined})
  const text = await reply.text()
  let shown = text
  try { shown = JSON.stringify(JSON.parse(text), null, 2) } catch (_) {}
  out.textContent = reply.status + '\\n' + shown
})
"""
_DIGEST = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
# The page is text, its own style and that one script, which asks this server alone: whatever else gets into it does
# nothing.
POLICY = (
    f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_DIGEST}'; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24 }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #d0d7de }
article { margin: 1.5rem 0 } code, pre { font: 14px ui-monospace, monospace; background: #f3f4f6; padding: .1em .3em }
b { display: inline-block; min-width: 3.5rem } i { color: #57606a } td { padding: .2rem 1rem .2rem 0 }
@media (prefers-color-scheme: dark) { body { background: #0d1117; color: #e6edf3 } code, pre { background: #21262d } }
"""


@router.get("/docs", include_in_schema=False, responses=problems())
async def docs(request: Request, caller: CallerPart) -> HTMLResponse:
    """Both documents on one page: what agents call, then what else the caller may."""
    state = request.app.state
    is_expert = state.service.raw.is_for(caller)
    agents, rest = state.agents.document(caller.scope, "", is_expert=is_expert), state.description.document(caller)
    schemas = {**rest["components"]["schemas"], **agents["components"]["schemas"]}
    page = render({**rest, "paths": {**agents["paths"], **rest["paths"]}, "components": {"schemas": schemas}})
    return HTMLResponse(page, headers={"content-security-policy": POLICY, "x-content-type-options": "nosniff"})


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request, caller: CallerPart) -> JSONResponse:
    """What an agent with the caller's rights can call."""
    state, address = request.app.state, str(request.base_url).rstrip("/")
    is_expert = state.service.raw.is_for(caller)
    return JSONResponse(state.agents.document(caller.scope, address, is_expert=is_expert))


@router.get("/admin/openapi.json", include_in_schema=False)
async def administration(request: Request, caller: CallerPart) -> Response:
    """Every route that is open to the caller."""
    return Response(request.app.state.description.written(caller), media_type="application/json")


def render(document: dict[str, Json]) -> str:
    """The page for an OpenAPI document."""
    info = document["info"]
    title, text = escape(info["title"]), escape(info.get("description", ""))
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f"<title>{title}</title><style>{STYLE}</style>",
        f"<h1>{title} <i>{escape(info['version'])}</i></h1><p>{text}</p>",
        "<p>For agents: <a href=/openapi.json>/openapi.json</a>. All routes that are open to you: "
        "<a href=/admin/openapi.json>/admin/openapi.json</a>. MCP clients connect to <code>/mcp</code>.</p>",
        "<p><label>Token to try with <input id=token type=password autocomplete=off></label></p>",
    ]
    subject = None
    for path, method, operation in _operations(document):
        if operation["tags"][0] != subject:
            subject = operation["tags"][0]
            parts.append(f"<h2>{escape(subject)}</h2>")
        parts.append(_article(path, method, operation))
    schemas = document.get("components", {}).get("schemas", {})
    parts += ["<h2>shapes</h2>", *(_shape(name, schema) for name, schema in schemas.items())]
    return "".join([*parts, f"<script>{SCRIPT}</script>"])


def _operations(document: dict[str, Json]) -> Iterator[tuple[str, str, dict[str, Json]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method.upper(), operation


def _article(path: str, method: str, operation: dict[str, Json]) -> str:
    role = rule_for(method, path).role
    rows = [
        _row(f"{p['name']} <i>{p['in']}</i>", p["schema"], p.get("description", ""))
        for p in operation.get("parameters", [])
    ]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    rows += [_row("<i>body</i>", body, "")] if body else []
    success = operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema")
    rows += [_row("<i>answer</i>", success, "")] if success else []
    table = f"<table>{''.join(rows)}</table>" if rows else ""
    told = escape(operation.get("description", ""))
    needs = f"takes the role {role}" if role else "open to everyone"
    tried = _trial(path, method, operation)
    return f"<article><b>{method}</b> <code>{escape(path)}</code> <i>{needs}</i><br>{told}{table}{tried}</article>"


def _trial(path: str, method: str, operation: dict[str, Json]) -> str:
    """What it takes to send one such request from the page."""
    parameters = operation.get("parameters", [])
    fields = [
        f"<input name='{escape(p['name'])}' placeholder='{escape(p['name'])}'>" for p in parameters if p["in"] == "path"
    ]
    fields += ["<input data-query placeholder='query'>"] if any(p["in"] == "query" for p in parameters) else []
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is not None:
        example = json.dumps(content.get("example", {}), ensure_ascii=False)
        fields.append(f"<textarea rows=3 cols=60>{escape(example)}</textarea>")
    at = f"data-method='{method}' data-path='{escape(path)}'"
    button = "<button data-try=1>Try it</button>"
    return f"<details><summary>Try it</summary><div {at}>{''.join(fields)}{button}<pre></pre></div></details>"


def _shape(name: str, schema: dict[str, Json]) -> str:
    rows = [
        _row(escape(key), value, value.get("description", "")) for key, value in schema.get("properties", {}).items()
    ]
    told = escape(schema.get("description", ""))
    return f"<article id='{escape(name)}'><b>{escape(name)}</b><br>{told}<table>{''.join(rows)}</table></article>"


def _row(name: str, schema: dict[str, Json], text: str) -> str:
    return f"<tr><td>{name}<td>{_kind(schema)}<td>{escape(text)}"


def _kind(schema: dict[str, Json]) -> str:
    """A schema in a few words, shared ones as links."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f"<a href='#{name}'>{name}</a>"
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return " | ".join(f"<code>{escape(str(value))}</code>" for value in values)
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return escape(str(schema.get("type", "any JSON")))
