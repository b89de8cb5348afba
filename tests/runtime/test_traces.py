"""Spans of call, run, step and request nest in one another and in the caller's trace, and hold nothing secret."""

import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from runtime.caller import Caller
from runtime.errors import StartRefused
from runtime.observing import lines, traces
from runtime.observing.exporting import is_wanted

ME = Caller("me", "operator")
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
ROOT = Path(__file__).parents[2]


def lineage(found: tuple[ReadableSpan, ...], span: ReadableSpan) -> list[str]:
    """The names of the span and of those above it."""
    by_id = {each.context.span_id: each for each in found if each.context}
    names, one = [], span
    while True:
        names.append(one.name)
        if one.parent is None or one.parent.span_id not in by_id:
            return names
        one = by_id[one.parent.span_id]


def told(exporter: InMemorySpanExporter) -> str:
    return " ".join(each.to_json() for each in exporter.get_finished_spans())


async def test_call_run_step_and_request_nest_for_reads_and_for_changes(
    lab: Any, device: Any, spans: InMemorySpanExporter
) -> None:
    for name, inputs in (("toy-find-vm", {"vm": "web-01"}), ("toy-stop-vm", {"uuid": "u-1"})):
        spans.clear()
        ended = await lab.service.calls.call(lab.service.live.now.find(name), inputs, None, ME)
        found = spans.get_finished_spans()
        requests = [each for each in found if each.kind is trace.SpanKind.CLIENT]
        assert requests
        for each in requests:
            path = lineage(found, each)
            assert path[1].startswith("step ")
            assert path[2:] == ["run", "call"]
        (run,) = (each for each in found if each.name == "run")
        assert run.attributes is not None
        assert run.attributes["switchgear.run"] == ended.run_id
        assert len({each.context.trace_id for each in found if each.context}) == 1
    assert "u-1" not in told(spans)
    (changed,) = (each for each in found if each.name.startswith("POST"))
    assert changed.attributes is not None
    assert changed.attributes["http.response.status_code"] == 202


async def test_a_callers_trace_goes_on_here_over_rest_and_over_mcp_inside_fastmcps_spans(
    lab: Any, server: Any, device: Any, spans: InMemorySpanExporter
) -> None:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, headers={"traceparent": PARENT}) as client:
        answered = await client.post("/workflows/toy-find-vm/run", json={"inputs": {"vm": "web-01"}})
    assert answered.status_code == 200
    (call,) = (each for each in spans.get_finished_spans() if each.name == "call")
    assert call.context is not None
    assert f"{call.context.trace_id:032x}" == TRACE
    for mode in ("legacy", "2026-07-28"):
        spans.clear()
        transport = StreamableHttpTransport(server.mcp, headers={"traceparent": PARENT})
        async with Client(transport, mode=mode) as opened:  # type: ignore[arg-type]
            await opened.call_tool("toy_find_vm", {"vm": "web-01"})
        found = spans.get_finished_spans()
        (call,) = (each for each in found if each.name == "call")
        above = lineage(found, call)[1:]
        assert any("toy_find_vm" in name for name in above), (mode, above)
    assert "traceparent" not in {key.lower() for heard in device.heard for key, _ in heard.fields}


async def test_devices_are_told_of_the_trace_only_where_that_is_wanted(
    lab: Any, device: Any, spans: InMemorySpanExporter
) -> None:
    traces.switch(trace.get_tracer("switchgear"), reaches_devices=True)
    await lab.service.calls.call(lab.service.live.now.find("toy-find-vm"), {"vm": "web-01"}, None, ME)
    (request,) = (each for each in spans.get_finished_spans() if each.kind is trace.SpanKind.CLIENT)
    assert request.context is not None
    sent = device.heard[0].field("traceparent")
    assert sent is not None
    assert sent.startswith(f"00-{request.context.trace_id:032x}-{request.context.span_id:016x}-")
    traces.switch(None, reaches_devices=True)
    await lab.service.calls.call(lab.service.live.now.find("toy-find-vm"), {"vm": "web-01"}, None, ME)
    assert device.heard[-1].field("traceparent") is None


async def test_no_input_output_or_secret_stands_in_a_span_whatever_goes_wrong(
    lab: Any, server: Any, device: Any, spans: InMemorySpanExporter
) -> None:
    find = lab.service.live.now.find("toy-find-vm")
    device.script.machines.append({"uuid": "c4nary-uuid", "name": "c4nary-name", "state": "c4nary-state"})
    await lab.service.calls.call(find, {"vm": "c4nary-name"}, None, ME)
    await lab.service.calls.call(find, {"vm": "c4nary-nobody"}, None, ME)
    with pytest.raises(Exception, match="target"):
        await lab.service.calls.call(find, {"vm": "web-01"}, "c4nary-target", ME)
    stop = lab.service.live.now.find("toy-stop-vm")
    await lab.service.calls.call(stop, {"uuid": "c4nary-uuid"}, None, ME)
    device.script.job_state = "c4nary-broken"
    await lab.service.calls.call(stop, {"uuid": "u-1"}, None, ME)
    headers = {"traceparent": PARENT, "baggage": "x=c4nary", "authorization": "Bearer c4nary-token"}
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, headers=headers) as client:
        assert (await client.get("/workflows")).status_code == 401
    assert len(spans.get_finished_spans()) > 10
    assert "c4nary" not in told(spans)


async def test_without_being_switched_on_nothing_is_made_and_nothing_is_carried(lab: Any, device: Any) -> None:
    with traces.span("x", a=1) as span:
        assert not span.is_recording()
    with traces.continued([(b"traceparent", PARENT.encode())]):
        assert traces.current_id() == ""
    assert (traces.here(), traces.carried()) == (None, ())
    assert traces.span("x") is traces.span("y")


async def test_a_log_line_names_the_trace_that_it_belongs_to(
    lab: Any, device: Any, spans: InMemorySpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    level = lines.log.level
    lines.quiet(is_json=True, level="info")
    try:
        with caplog.at_level("INFO", "switchgear.event"):
            await lab.service.calls.call(lab.service.live.now.find("toy-stop-vm"), {"uuid": "u-1"}, None, ME)
    finally:
        lines.log.setLevel(level)
    found = [record.switchgear_event for record in caplog.records if hasattr(record, "switchgear_event")]
    (span,) = (each for each in spans.get_finished_spans() if each.name == "call")
    assert span.context is not None
    of_call = [each for each in found if each["event"] in ("call", "run", "request")]
    assert {each["trace_id"] for each in of_call} == {f"{span.context.trace_id:032x}"}


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, False),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "otlp"}, False),
        ({"OTEL_SERVICE_NAME": "x"}, False),
    ],
)
def test_traces_are_exported_only_where_the_standard_settings_say_so(environment: dict[str, str], wanted: bool) -> None:
    assert is_wanted(environment) is wanted


@pytest.mark.parametrize(
    "environment",
    [{"OTEL_TRACES_EXPORTER": "zipkin"}, {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}],
)
def test_an_exporter_that_there_is_not_is_said_at_the_start(environment: dict[str, str]) -> None:
    with pytest.raises(StartRefused):
        is_wanted(environment)


EXPORTS = """
import os
from runtime.observing import traces
from runtime.observing.exporting import exporting
with exporting(os.environ):
    with traces.span("call", workflow="toy"):
        pass
"""
WITHOUT = "import sys; sys.modules.update({'opentelemetry.sdk': None, 'opentelemetry.exporter': None})\n"


class Collector(BaseHTTPRequestHandler):
    """Keeps the bodies that it was posted."""

    bodies: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.bodies.append((self.path, body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_parts: object) -> None:
        pass


def exported(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code], env=inherited | environment, cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_a_collector_gets_the_spans_and_without_the_extra_it_is_said_what_to_install() -> None:
    handler = type("Kept", (Collector,), {"bodies": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        address = f"http://127.0.0.1:{server.server_address[1]}"
        sent = exported(EXPORTS, OTEL_EXPORTER_OTLP_ENDPOINT=address)
        silent = exported(EXPORTS)
        lacking = exported(WITHOUT + EXPORTS, OTEL_EXPORTER_OTLP_ENDPOINT=address)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert (sent.returncode, silent.returncode) == (0, 0), sent.stderr + silent.stderr
    ((path, body),) = handler.bodies  # type: ignore[attr-defined]
    assert path == "/v1/traces"
    assert b"switchgear.workflow" in body
    assert "StartRefused: traces are to be exported, and opentelemetry" in lacking.stderr
