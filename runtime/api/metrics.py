"""`/metrics` for Prometheus: what this process has counted, and how things stand at this moment.

What stands in the database (open runs, the outbox) is looked up when it is asked for, and is the same from every
replica; a database that does not answer is said and takes nothing else away. A viewer's token is needed, or
`SWITCHGEAR_METRICS_OPEN` lets in whoever is on this machine. docs/OBSERVABILITY.md lists all; exposition format 1.0.0.
"""

import asyncio
from collections.abc import Iterable, Iterator

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from governance.errors import GovernanceError
from runtime.api.parts.part import ServicePart, problems
from runtime.observing.metrics import REGISTRY
from runtime.service import Service

router = APIRouter(tags=["server"])
_TEXT = {"description": "The text format of Prometheus", "content": {"text/plain": {"schema": {"type": "string"}}}}
Sample = tuple[list[str], float]


class _Now(Collector):
    """Families that were made for one answer."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = tuple(families)

    def collect(self) -> Iterator[Metric]:
        yield from self._families


@router.get("/metrics", responses={**problems(), 200: _TEXT}, response_class=Response)
async def metrics(service: ServicePart) -> Response:
    """Counts, durations and states, for Prometheus."""
    registry = CollectorRegistry()
    registry.register(_Now([*_of_catalog(service), *_of_devices(service), *await _of_database(service)]))
    text = await asyncio.to_thread(lambda: generate_latest(REGISTRY) + generate_latest(registry))
    return Response(text, media_type=CONTENT_TYPE_LATEST)


def _gauge(name: str, meaning: str, labels: list[str], samples: Iterable[Sample]) -> Metric:
    family = GaugeMetricFamily(f"switchgear_{name}", meaning, labels=labels)
    for values, number in samples:
        family.add_metric(values, number)
    return family


def _of_catalog(service: Service) -> Iterator[Metric]:
    live = service.live
    counts = {"workflows": live.now.entries, "tools": live.now.listed, "refused": live.now.refusals}
    for name, things in counts.items():
        yield _gauge(f"catalog_{name}", f"{name} in the catalog that is served.", [], [([], len(things))])
    yield _gauge("catalog_is_current", "1 while the catalog follows the database.", [], [([], not live.trouble)])
    yield InfoMetricFamily("switchgear_catalog", "Which list of tools is served.", {"version": live.now.version[:12]})


def _of_devices(service: Service) -> Iterator[Metric]:
    states = service.driver.states()
    labels = ["device"]
    yield _gauge("device_inside", "Requests under way.", labels, [([one.device], one.inside) for one in states])
    yield _gauge("device_waiting", "Requests in line.", labels, [([one.device], one.waiting) for one in states])
    open_now = [([one.device], one.is_resting) for one in states]
    yield _gauge("device_breaker_open", "1 while a device is left in peace after failures.", labels, open_now)


async def _of_database(service: Service) -> list[Metric]:
    try:
        under_way, unknown = await service.open_runs.counts()
        depths = await service.deliveries.depths()
    except GovernanceError:
        return [_gauge("database_up", "1 if the database answers.", [], [([], 0)])]
    labels = ["endpoint"]
    return [
        _gauge("database_up", "1 if the database answers.", [], [([], 1)]),
        _gauge("runs_open", "Runs under way, of all processes.", [], [([], under_way)]),
        _gauge("runs_unknown", "Runs in doubt that nobody has resolved.", [], [([], unknown)]),
        _gauge("outbox_waiting", "Events to be told.", labels, [([one.endpoint], one.waiting) for one in depths]),
        _gauge("outbox_dead", "Events that nobody took.", labels, [([one.endpoint], one.dead) for one in depths]),
    ]
