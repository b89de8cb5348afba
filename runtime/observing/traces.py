"""Traces: call → run → step → request, as OpenTelemetry spans, inside those of FastMCP and of whoever called.

Off unless `exporting` (or a test) switches them on: until then a span costs a comparison. Attributes are names, ids,
digests, path templates, statuses and outcomes; never an input, a path with values, a header, a message or an exception.
A caller's `traceparent` is taken over; devices are sent one only where `SWITCHGEAR_TRACE_DEVICES` says so.
W3C Trace Context. Here never lives where spans go.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

from opentelemetry import context, trace
from opentelemetry.trace import Span, SpanKind, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

Value = str | int | float | bool
_OFF: AbstractContextManager[Span] = nullcontext(trace.INVALID_SPAN)
# Trace context alone: baggage of a caller is nothing that we know, and nothing that we pass on.
_W3C = TraceContextTextMapPropagator()
_FIELDS = frozenset(field.encode() for field in _W3C.fields)
_NOTHING: AbstractContextManager[None] = nullcontext()


class Tracing:
    """What is on, for the whole process, like the library's own provider."""

    tracer: Tracer | None = None
    reaches_devices = False


def switch(tracer: Tracer | None, *, reaches_devices: bool = False) -> None:
    """From now on spans are made by `tracer`, or with None not at all."""
    Tracing.tracer, Tracing.reaches_devices = tracer, reaches_devices


def span(name: str, kind: SpanKind = SpanKind.INTERNAL, **attributes: Value | None) -> AbstractContextManager[Span]:
    """A span as long as the block runs, current within it. Attributes that are None are left out."""
    tracer = Tracing.tracer
    return _OFF if tracer is None else _started(tracer, name, kind, attributes)


@contextmanager
def _started(tracer: Tracer, name: str, kind: SpanKind, attributes: Mapping[str, Value | None]) -> Iterator[Span]:
    named = {f"switchgear.{key}": value for key, value in attributes.items() if value is not None}
    # What an exception says may be a device's words.
    with tracer.start_as_current_span(
        name, kind=kind, attributes=named, record_exception=False, set_status_on_exception=False
    ) as started:
        yield started


def outcome(of: Span, told: str, *, is_bad: bool) -> None:
    """Notes how it ended."""
    if of.is_recording():
        of.set_attribute("switchgear.outcome", told)
        if is_bad:
            of.set_status(trace.StatusCode.ERROR)


def continued(headers: Iterable[tuple[bytes, bytes]]) -> AbstractContextManager[None]:
    """As long as the block runs, spans belong to the trace that a request's headers name, if they name one."""
    if Tracing.tracer is None:
        return _NOTHING
    named = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers if name in _FIELDS}
    return within(_W3C.extract(named) if named else None)


def here() -> context.Context | None:
    """Where we are, for `within` in another task; None while traces are off."""
    return None if Tracing.tracer is None else context.get_current()


def within(place: context.Context | None) -> AbstractContextManager[None]:
    """As long as the block runs, spans belong to `place`."""
    return _NOTHING if place is None else _attached(place)


@contextmanager
def _attached(place: context.Context) -> Iterator[None]:
    token = context.attach(place)
    try:
        yield
    finally:
        context.detach(token)


def carried() -> tuple[tuple[str, str], ...]:
    """The header fields that tell a device of the trace; none unless that is wanted."""
    if Tracing.tracer is None or not Tracing.reaches_devices:
        return ()
    fields: dict[str, str] = {}
    _W3C.inject(fields)
    return tuple(fields.items())


def current_id() -> str:
    """The trace that we are in, as 32 digits; empty where there is none."""
    if Tracing.tracer is None:
        return ""
    now = trace.get_current_span().get_span_context()
    return trace.format_trace_id(now.trace_id) if now.is_valid else ""
