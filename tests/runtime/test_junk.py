"""Whatever is sent instead of a request is refused in a line at most, without a traceback, as no error of ours."""

import json
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest

from tests.waiting import PATIENCE_S

DEEP = b'{"a":' * 50_000
NEW = {"io.modelcontextprotocol/protocolVersion": "2026-07-28",
       "io.modelcontextprotocol/clientInfo": {"name": "c", "version": "1"},
       "io.modelcontextprotocol/clientCapabilities": {}}  # fmt: skip
JSON = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
ERAS: Mapping[str, dict[str, str]] = {"old": {}, "new": {"mcp-protocol-version": "2026-07-28"}}


def asked(method: Any, params: Any = None, **more: Any) -> bytes:
    told = {"_meta": NEW, **params} if isinstance(params, dict) else params
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": told, **more}).encode()


BODIES: Mapping[str, bytes] = {
    "nothing": b"",
    "half": b'{"jsonrpc": "2.0", "id": 1, "method": "tools/',
    "no UTF-8": b'{"jsonrpc": "2.0", "id": 1, "method": "\xff\xfe"}',
    "half a character": b'{"jsonrpc": "2.0", "id": 1, "method": "\\ud800"}',
    "UTF-16": '{"jsonrpc": "2.0", "id": 1, "method": "ping"}'.encode("utf-16"),
    "a list": b"[]",
    "a list of lists": b"[[], [[]], 1]",
    "a text": b'"ping"',
    "null": b"null",
    "no number": b'{"jsonrpc": "2.0", "id": NaN, "method": "ping"}',
    "a number without end": b'{"jsonrpc": "2.0", "id": 1' + b"0" * 5_000 + b', "method": "ping"}',
    "nested without end": DEEP,
    "lists without end": b"[" * 100_000,
    "a name twice": b'{"jsonrpc": "2.0", "id": 1, "id": [], "method": "ping", "method": {}}',
}
REQUESTS: Mapping[str, bytes] = {
    "no method": b'{"jsonrpc": "2.0", "id": 1}',
    "another protocol": b'{"jsonrpc": "1.0", "id": 1, "method": "ping"}',
    "a method that is none": asked("tools/destroy", {}),
    "a method that is no text": asked(5, {}),
    "a method without end": asked("x" * 50_000, {}),
    "parameters that are a list": asked("tools/call", []),
    "a call of nothing": asked("tools/call", {}),
    "a call of a number": asked("tools/call", {"name": 5, "arguments": {}}),
    "a call of what is not there": asked("tools/call", {"name": "nothing", "arguments": {}}),
    "a call with a text": asked("tools/call", {"name": "toy_find_vm", "arguments": "web-01"}),
    "a call with what nests": asked("tools/call", {"name": "toy_find_vm", "arguments": {"vm": [[[[{}]]]]}}),
    "a call with a key that is no text": asked(
        "tools/call", {"name": "toy_find_vm", "arguments": {}, "_meta": {**NEW, "switchgear/idempotency-key": [1]}}
    ),
    "a prompt that is not there": asked("prompts/get", {"name": "nothing"}),
    "a prompt with numbers": asked("prompts/get", {"name": "nothing", "arguments": {"a": 1}}),
    "a completion of nothing": asked("completion/complete", {"ref": {"type": "ref/nothing"}, "argument": {}}),
    "a completion of what is not there": asked(
        "completion/complete",
        {"ref": {"type": "ref/prompt", "name": "nothing"}, "argument": {"name": "a", "value": "b"}},
    ),
    "a resource without address": asked("resources/read", {}),
    "a resource elsewhere": asked("resources/read", {"uri": "file:///etc/passwd"}),
    "a resource that is no address": asked("resources/read", {"uri": "\x00 %zz"}),
    "a subscription to nothing": asked("resources/subscribe", {"uri": "switchgear://nothing"}),
    "a level that is none": asked("logging/setLevel", {"level": "shouting"}),
    "a cursor that is none": asked("tools/list", {"cursor": "~~~"}),
    "a task that is not there": asked("tasks/get", {"taskId": "none"}),
    "an answer to nobody": b'{"jsonrpc": "2.0", "id": 77, "result": {}}',
    "an error for nobody": b'{"jsonrpc": "2.0", "id": 77, "error": {"code": 1, "message": "m"}}',
    "the end of what was not asked": asked("notifications/cancelled", {"requestId": 9}),
    "a beginning that is none": asked("initialize", {"protocolVersion": 7}),
    "a beginning of another time": asked(
        "initialize", {"protocolVersion": "1999-01-01", "capabilities": [], "clientInfo": {}}
    ),
    "an answer that asks": asked("tools/list", {}, result={}),
}
HEADERS: Mapping[str, dict[str, Any]] = {
    "a session of nobody": {"mcp-session-id": "nobodys"},
    "a session that is no text": {"mcp-session-id": b"\x7f\xff"},
    "a version that is none": {"mcp-protocol-version": "1999"},
    "another type": {"content-type": "text/plain"},
    "a type that is none": {"content-type": ";;;"},
    "nothing is accepted": {"accept": "image/png"},
    "what is accepted is none": {"accept": ",;q=x"},
    "an event of nobody": {"last-event-id": "nobodys"},
    "another method": {"mcp-method": "tools/list"},
    "another name": {"mcp-method": "ping", "mcp-name": "=?base64?!!?="},
    "an encoding": {"content-encoding": "gzip"},
    "another protocol": {"connection": "upgrade", "upgrade": "h2c"},
}
ROUTES = ("/workflows/toy-find-vm/run", "/tools/search_workflows", "/tools/toy_find_vm", "/login", "/webhooks/nobody",
          "/policy/preview", "/schedules", "/tokens")  # fmt: skip


@pytest.fixture
async def client(lab: Any, server: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, headers=JSON, trust_env=False, timeout=PATIENCE_S) as opened:
        yield opened


def fault(reply: httpx.Response, caplog: pytest.LogCaptureFixture) -> str:
    """What it cost that it should not have; empty for what was refused, or answered with an error."""
    warned = [each.getMessage()[:200] for each in caplog.records if each.levelno >= logging.WARNING]
    traced = [each for each in caplog.records if each.exc_info]
    caplog.clear()
    if reply.status_code >= 500 or len(reply.text) > 20_000:
        return f"{reply.status_code}: {reply.text[:200]}"
    return f"{warned}" if traced or len(warned) > 1 else ""


@pytest.mark.parametrize("era", ERAS)
async def test_what_is_no_request_of_mcp_is_refused(
    client: httpx.AsyncClient, device: Any, era: str, caplog: pytest.LogCaptureFixture
) -> None:
    found = {}
    for what, body in {**BODIES, **REQUESTS}.items():
        found[what] = fault(await client.post("/mcp", content=body, headers=ERAS[era]), caplog)
    assert {what: each for what, each in found.items() if each} == {}
    assert device.heard == []


@pytest.mark.parametrize("era", ERAS)
async def test_what_is_said_beside_a_request_of_mcp_and_makes_no_sense_is_refused(
    client: httpx.AsyncClient, era: str, caplog: pytest.LogCaptureFixture
) -> None:
    found = {}
    for what, headers in HEADERS.items():
        for method in ("ping", "tools/list"):
            reply = await client.post("/mcp", content=asked(method, {}), headers={**ERAS[era], **headers})
            found[what, method] = fault(reply, caplog)
    assert {what: each for what, each in found.items() if each} == {}


async def test_what_is_no_body_of_a_route_is_refused(
    client: httpx.AsyncClient, device: Any, caplog: pytest.LogCaptureFixture
) -> None:
    found = {}
    for what, body in BODIES.items():
        for route in ROUTES:
            reply = await client.post(route, content=body)
            found[what, route] = fault(reply, caplog) or ("taken" if reply.status_code < 400 else "")
    assert {what: each for what, each in found.items() if each} == {}
    assert device.heard == []
