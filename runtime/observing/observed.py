"""What is seen of each thing that happens: its span, its count and its log line, put together in one place.

Those who do something enter or call what fits here, once, where it happens: `calls` a call, the engines a run and its
steps, the driver requests and logins, the API decisions, `watcher` each load of the catalog. Only names, ids, digests,
templates, numbers and outcomes are handed on: what a caller or a device says stays out of all three.
Here never lives a decision; nothing that happens depends on what is seen of it.
"""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opentelemetry.trace import Span, SpanKind

from runtime.errors import UnknownTarget
from runtime.observing import lines, metrics, traces

if TYPE_CHECKING:
    from governance.approval.revisions import Revision
    from governance.runs.runs import Run
    from runtime.catalog.entries import Entry
    from runtime.catalog.snapshot import Catalog
    from runtime.driver import DeviceEndpoint
    from runtime.driver.witness import Answered, Sending
    from runtime.engines.engine import Ended, Order
    from workflow.requests.events import SendRequest

GOOD = frozenset({"succeeded", "pending", "planned"})


@dataclass(slots=True)
class Observation:
    """How it ended; until that is said, it was refused before anything was done."""

    outcome: str = "refused"
    run_id: str | None = None

    def ended(self, ended: "Ended") -> "Ended":
        """Notes the end, and answers it."""
        self.outcome, self.run_id = ended.outcome, ended.run_id
        return ended


@contextmanager
def call(entry: "Entry", target: str | None, caller: str) -> Iterator[Observation]:
    """One call of a workflow, whatever comes of it. A target is named only if it is one of the inventory."""
    begun, seen, workflow = time.monotonic(), Observation(), f"{entry.workflow_id}@{entry.number}"
    named = _known_target(entry, target)
    with traces.span("call", workflow=workflow, digest=entry.digest, target=named, caller=caller) as span:
        try:
            yield seen
        finally:
            took_s = time.monotonic() - begun
            traces.outcome(span, seen.outcome, is_bad=seen.outcome not in GOOD)
            metrics.called(entry.workflow_id, entry.api, seen.outcome, took_s)
            lines.say(
                "call", run=seen.run_id, workflow=workflow, digest=entry.digest, target=named, caller=caller,
                outcome=seen.outcome, duration_ms=lines.ms(took_s),
            )  # fmt: skip


def _known_target(entry: "Entry", target: str | None) -> str | None:
    try:
        return entry.target(target).name
    except UnknownTarget:
        return None


@contextmanager
def run(order: "Order") -> Iterator[Observation]:
    """One run that a call waits for."""
    seen = Observation()
    target = order.endpoint.name
    with traces.span("run", run=order.run_id, digest=order.digest, target=target, is_plan=order.is_plan) as span:
        try:
            yield seen
        finally:
            traces.outcome(span, seen.outcome, is_bad=seen.outcome not in GOOD)


def run_ended(order: "Order", ended: "Ended", took_s: float) -> None:
    """A run that this process has carried out, or taken up, has come to its end."""
    metrics.ran(ended.outcome)
    failure = ended.failure
    lines.say(
        "run", run=order.run_id, workflow=order.workflow, digest=order.digest, target=order.endpoint.name,
        caller=order.caller, outcome=ended.outcome, code=failure.code if failure else None,
        step=failure.step_id if failure else None, duration_ms=lines.ms(took_s),
    )  # fmt: skip


def run_given_up(run: "Run", outcome: str) -> None:
    """A run that a dead process left was closed."""
    metrics.ran(outcome)
    lines.say("run", run=run.id, digest=run.digest, target=run.target, caller=run.caller, outcome=outcome)


def step(order: "Order", command: "SendRequest") -> AbstractContextManager[Span]:
    """One step of a run with all its requests."""
    return traces.span(
        f"step {command.step_id}", run=order.run_id, step=command.step_id, attempt=command.attempt,
        changes=not command.is_safe,
    )  # fmt: skip


@contextmanager
def request(endpoint: "DeviceEndpoint", note: "Sending", template: str) -> Iterator["RequestSeen"]:
    """One request to a device. `template`: the approved path, without the values in it."""
    with traces.span(
        f"{note.method} {template}", SpanKind.CLIENT, target=endpoint.name, purpose=note.purpose, step=note.step_id,
        attempt=note.attempt,
    ) as span:  # fmt: skip
        yield RequestSeen(endpoint.name, span)


@dataclass(slots=True)
class RequestSeen:
    target: str
    span: Span

    def answered(self, status: int | None, reason: str, took_s: float) -> None:
        """What came of it; `reason`: why there is no status."""
        metrics.requested(self.target, status, reason, took_s)
        if self.span.is_recording() and status is not None:
            self.span.set_attribute("http.response.status_code", status)
        traces.outcome(self.span, reason or "answered", is_bad=status is None)


def request_line(order: "Order", note: "Answered") -> None:
    """What came of a request of a run."""
    sent = note.sending
    lines.say(
        "request", run=order.run_id, workflow=order.workflow, digest=order.digest, target=order.endpoint.name,
        caller=order.caller, step=sent.step_id, purpose=sent.purpose, method=sent.method, attempt=sent.attempt,
        status=note.status, outcome=note.reason or "answered", duration_ms=round(note.duration_ms, 3),
    )  # fmt: skip


@contextmanager
def login(target: str) -> Iterator[None]:
    """A login on a device."""
    begun, outcome = time.monotonic(), "failed"
    try:
        yield
        outcome = "succeeded"
    finally:
        metrics.logged_in(target, outcome)
        lines.say("login", target=target, outcome=outcome, duration_ms=lines.ms(time.monotonic() - begun))


def decision(revision: "Revision", action: str, caller: str) -> None:
    """Somebody has decided. Their reason stands in the audit."""
    workflow = f"{revision.workflow_id}@{revision.number}"
    lines.say(
        "decision", workflow=workflow, digest=revision.digest, caller=caller, action=action, outcome=revision.state
    )


def reloaded(catalog: "Catalog", took_s: float) -> None:
    """Another catalog is served."""
    metrics.reloaded("succeeded")
    count, refused = len(catalog.entries), len(catalog.refusals)
    named = {"version": catalog.version[:12], "workflows": count, "refused": refused}
    lines.say("reload", outcome="succeeded", duration_ms=lines.ms(took_s), **named)


def not_reloaded(took_s: float) -> None:
    """The last good catalog stays."""
    metrics.reloaded("failed")
    lines.say("reload", outcome="failed", duration_ms=lines.ms(took_s))
