"""Figures of the runs that are kept: how many, how they ended, how long they took, by workflow, target and caller.

And what the catalog saves a model: the tokens of the tools that are listed, beside one tool for each workflow and one
for every operation.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.responses import Response

from runtime.console.desk import Desk
from runtime.console.plots import bars

# Of the newest so many the times are told: half of them, and 95 of 100, move little with more.
SAMPLE = 1000
Json = Any
SPANS = {"day": 1, "week": 7, "month": 30, "all": 0}


async def show(desk: Desk) -> Response:
    span = desk.asked("span") if desk.asked("span") in SPANS else "day"
    since = (datetime.now(UTC) - timedelta(days=SPANS[span])).strftime("%Y-%m-%dT%H:%M:%SZ") if SPANS[span] else ""
    stats = await desk.api.get("/audit/stats", {"since": since, "sample": SAMPLE})
    catalog = await desk.api.get("/catalog", {"limit": 1})
    by_workflow = sorted(stats["by_workflow"].items(), key=lambda each: -each[1]["runs"])[:25]
    slowest = sorted(
        (each for each in stats["by_workflow"].items() if each[1]["p95_ms"]), key=lambda each: -each[1]["p95_ms"]
    )[:25]
    return desk.page(
        "statistics.html", stats=stats, catalog=catalog, span=span, spans=SPANS,
        outcomes=bars([(name, count) for name, count in stats["all"]["outcomes"].items()]),
        calls=bars([(name, told["runs"]) for name, told in by_workflow]),
        latency=bars([(name, told["p95_ms"]) for name, told in slowest]), tokens=bars(_tokens(catalog)),
    )  # fmt: skip


def _tokens(catalog: Json) -> list[tuple[str, float]]:
    """What a model's context takes, as it is listed and otherwise. Of operations only where they are known."""
    told = [("tools as they are listed", catalog["tokens"]), ("one tool for each workflow", catalog["tokens_of_all"])]
    operations = catalog["tokens_of_operations"]
    return [*told, ("one for each operation, at least", operations)] if operations else told
