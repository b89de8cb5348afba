"""Where spans go: to an OTLP collector, by the standard `OTEL_…` settings, and nowhere without them.

The SDK and the exporter are the extra `otel` and are imported only here, when a server starts that is told to export.
What the SDK reads itself from the environment (sampler, resource, batches, headers, certificates) is its own affair.
Called by `commands` before a server serves. OpenTelemetry, "Environment Variable Specification".
"""

import logging
from collections.abc import Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING

from opentelemetry import trace

from runtime.errors import StartRefused
from runtime.observing import traces

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger("switchgear.server")
ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether the settings ask for traces: an exporter is named, or an endpoint and no other exporter.

    Raises StartRefused for an exporter or a protocol that we do not have.
    """
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip()
    names_endpoint = any(environment.get(name) for name in ENDPOINTS)
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true" or exporter == "none":
        return False
    if exporter not in ("", "otlp"):
        raise StartRefused(f"OTEL_TRACES_EXPORTER is {exporter!r}", "take otlp or none")
    protocol = next((environment[name] for name in PROTOCOLS if environment.get(name)), "http/protobuf")
    if (exporter or names_endpoint) and protocol != "http/protobuf":
        raise StartRefused(f"traces are not exported by {protocol!r}", "set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf")
    return bool(exporter or names_endpoint)


@contextmanager
def exporting(environment: Mapping[str, str], *, reaches_devices: bool = False) -> "Iterator[None]":
    """As long as it is entered, spans are exported, if the settings say so. Raises StartRefused."""
    if not is_wanted(environment):
        yield
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError as error:
        remedy = "pip install 'switchgear[otel]', or unset OTEL_TRACES_EXPORTER and OTEL_EXPORTER_OTLP_ENDPOINT"
        raise StartRefused(f"traces are to be exported, and {error.name} is not installed", remedy) from error
    named = environment.get("OTEL_SERVICE_NAME") or "service.name=" in environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    resource = Resource.create({} if named else {"service.name": "switchgear"})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)  # FastMCP's spans come from here too
    traces.switch(provider.get_tracer("switchgear", version("switchgear")), reaches_devices=reaches_devices)
    log.info("traces are exported")
    try:
        yield
    finally:
        traces.switch(None)
        provider.shutdown()
