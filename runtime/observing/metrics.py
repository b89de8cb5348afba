"""What is counted while it happens, for Prometheus: calls, runs, requests, logins, reloads and how long they took.

Each process counts its own; what can be looked up instead is looked up when somebody asks (`api.metrics`). Labels are
names out of the catalog and the inventory, methods, statuses and outcomes: a name beyond the first thousand of a kind
is counted as `other`, so that no label grows without end. Nothing here comes from a caller or a device's text.
"""

from functools import lru_cache
from typing import Final, TypeVar

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

T = TypeVar("T", Counter, Histogram)
disable_created_metrics()  # type: ignore[no-untyped-call]  # when each was made: nobody asks for these series
REGISTRY: Final = CollectorRegistry(auto_describe=True)
MOST_NAMES = 1_000
OTHER = "other"
# From a read over a loopback to a firmware update of an hour.
CALL_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600)
REQUEST_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

_CALLS = Counter(
    "switchgear_calls", "Calls of workflows, by how they ended.", ["workflow", "outcome"], registry=REGISTRY
)
_CALL_S = Histogram("switchgear_call_seconds", "How long calls took.", ["api"], buckets=CALL_BUCKETS, registry=REGISTRY)
_RUNS = Counter("switchgear_runs", "Runs that this process ended.", ["outcome"], registry=REGISTRY)
_REQUESTS = Counter(
    "switchgear_requests", "Requests to devices, by what came of them.", ["target", "status"], registry=REGISTRY
)
_REQUEST_S = Histogram(
    "switchgear_request_seconds", "How long devices took.", ["target"], buckets=REQUEST_BUCKETS, registry=REGISTRY
)
_WAIT_S = Histogram(
    "switchgear_device_wait_seconds", "How long requests waited for a place at a device.", ["target"],
    buckets=REQUEST_BUCKETS, registry=REGISTRY,
)  # fmt: skip
_LOGINS = Counter("switchgear_device_logins", "Logins on devices.", ["target", "outcome"], registry=REGISTRY)
_RELOADS = Counter("switchgear_catalog_reloads", "Loads of the catalog.", ["outcome"], registry=REGISTRY)
_DELIVERIES = Counter(
    "switchgear_event_deliveries", "Tries to tell of events.", ["endpoint", "outcome"], registry=REGISTRY
)


_TURNED_AWAY = Counter(
    "switchgear_turned_away", "Requests and connections that were refused to keep the server free.", ["reason"],
    registry=REGISTRY,
)  # fmt: skip


@lru_cache(maxsize=16_384)
def _of(metric: T, *labels: str) -> T:
    """The child with these labels: looking it up in the library costs more than counting."""
    return metric.labels(*labels)


class Names:
    """Lets the first names of a kind pass as they are."""

    def __init__(self, most: int = MOST_NAMES) -> None:
        self._most = most
        self._known: set[str] = set()

    def __call__(self, name: str) -> str:
        if name in self._known:
            return name
        if len(self._known) >= self._most:
            return OTHER
        self._known.add(name)
        return name


_WORKFLOWS, _TARGETS, _APIS, _ENDPOINTS = Names(), Names(), Names(), Names()


def called(workflow: str, api: str, outcome: str, seconds: float) -> None:
    _of(_CALLS, _WORKFLOWS(workflow), outcome).inc()
    _of(_CALL_S, _APIS(api)).observe(seconds)


def ran(outcome: str) -> None:
    _of(_RUNS, outcome).inc()


def requested(target: str, status: int | None, reason: str, seconds: float) -> None:
    """`reason`: why there is no status."""
    name = _TARGETS(target)
    _of(_REQUESTS, name, reason if status is None else str(status)).inc()
    _of(_REQUEST_S, name).observe(seconds)


def waited(target: str, seconds: float) -> None:
    _of(_WAIT_S, _TARGETS(target)).observe(seconds)


def logged_in(target: str, outcome: str) -> None:
    _of(_LOGINS, _TARGETS(target), outcome).inc()


def reloaded(outcome: str) -> None:
    _of(_RELOADS, outcome).inc()


def delivered(endpoint: str, outcome: str) -> None:
    _of(_DELIVERIES, _ENDPOINTS(endpoint), outcome).inc()


def turned_away(reason: str) -> None:
    """`reason`: one of ours, never a word of whoever was refused."""
    _of(_TURNED_AWAY, reason).inc()
