"""What is counted, where it happens; who may read it; and that no label grows without end or holds a secret."""

import asyncio
import re
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from governance.errors import UnavailableError
from governance.events.endpoints import Endpoint
from runtime.app import build
from runtime.auth.access import _is_here
from runtime.caller import Caller
from runtime.errors import BadInput, UnknownTarget
from runtime.observing.metrics import OTHER, Names

ME = Caller("me", "operator")
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def scraped(url: str, headers: dict[str, str] | None = None) -> Samples:
    """Every sample, as the official parser reads it, by name and labels."""
    async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as client:
        response = await client.get("/metrics")
    assert response.status_code == 200, response.text
    families = text_string_to_metric_families(response.text)
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def of(samples: Samples, name: str, **labels: str) -> float:
    return float(samples.get((f"switchgear_{name}", frozenset(labels.items())), 0))


async def test_calls_requests_and_their_durations_are_counted_by_what_came_of_them(
    lab: Any, server: Any, device: Any
) -> None:
    before = await scraped(server.url)
    find = lab.service.live.now.find("toy-find-vm")
    await lab.service.calls.call(find, {"vm": "web-01"}, None, ME)
    await lab.service.calls.call(find, {"vm": "nobody"}, None, ME)
    await lab.service.calls.call(lab.service.live.now.find("toy-stop-vm"), {"uuid": "u-1"}, None, ME)
    after = await scraped(server.url)

    def grown(name: str, **labels: str) -> float:
        return of(after, name, **labels) - of(before, name, **labels)

    assert grown("calls_total", workflow="toy-find-vm", outcome="succeeded") == 1
    assert grown("calls_total", workflow="toy-find-vm", outcome="failed") == 1
    assert grown("calls_total", workflow="toy-stop-vm", outcome="succeeded") == 1
    assert grown("call_seconds_count", api="toy") == 3
    assert (grown("runs_total", outcome="succeeded"), grown("runs_total", outcome="failed")) == (2, 1)
    said = [grown("requests_total", target="lab", status=status) for status in ("200", "202", "204")]
    assert sum(said) == grown("request_seconds_count", target="lab") == len(device.heard)
    assert grown("device_wait_seconds_count", target="lab") == len(device.heard)


@pytest.mark.slow
async def test_a_call_that_is_refused_is_counted_and_a_device_that_is_away_is_told_by_its_reason(
    lab: Any, server: Any
) -> None:
    before = await scraped(server.url)
    find = lab.service.live.now.find("toy-find-vm")
    for inputs in ({}, {"vm": 7}):
        with pytest.raises(BadInput):
            await lab.service.calls.call(find, inputs, None, ME)
    await lab.target("http://127.0.0.1:9", "away")
    await lab.service.live.reload()
    await lab.service.calls.call(lab.service.live.now.find("toy-find-vm"), {"vm": "web-01"}, "away", ME)
    after = await scraped(server.url)
    refused = {"workflow": "toy-find-vm", "outcome": "refused"}
    assert of(after, "calls_total", **refused) - of(before, "calls_total", **refused) == 2
    assert of(after, "requests_total", target="away", status="not_sent") >= 1
    assert of(after, "device_waiting", device="127.0.0.1:9") == 0
    assert ("switchgear_device_breaker_open", frozenset({("device", "127.0.0.1:9")})) in after


async def test_the_state_of_the_catalog_the_runs_and_the_outbox_is_told(lab: Any, server: Any, device: Any) -> None:
    await lab.service.endpoints.add(Endpoint("desk", "http://127.0.0.1:9/x", "env:NONE"), actor="boss")

    async def lost(writer: asyncio.StreamWriter) -> bool:
        writer.transport.abort()
        return False

    device.script.before_stop = lost
    ended = await lab.service.calls.call(lab.service.live.now.find("toy-stop-vm"), {"uuid": "u-1"}, None, ME)
    assert ended.outcome == "unknown"
    samples = await scraped(server.url)
    assert (of(samples, "catalog_workflows"), of(samples, "catalog_refused")) == (2, 0)
    assert of(samples, "catalog_info", version=lab.service.live.now.version[:12]) == 1
    assert (of(samples, "runs_open"), of(samples, "runs_unknown"), of(samples, "database_up")) == (0, 1, 1)
    assert (of(samples, "outbox_waiting", endpoint="desk"), of(samples, "outbox_dead", endpoint="desk")) == (1, 0)


async def test_a_database_that_does_not_answer_is_said_and_takes_nothing_else_away(
    lab: Any, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken() -> Any:
        raise UnavailableError("the database is away")

    monkeypatch.setattr(type(lab.service.open_runs), "counts", lambda _self: broken())
    samples = await scraped(server.url)
    assert of(samples, "database_up") == 0
    assert of(samples, "catalog_workflows") == 2
    assert ("switchgear_runs_open", frozenset()) not in samples


async def test_only_a_viewer_of_everything_reads_them_unless_they_are_open_to_this_machine(
    lab: Any, tools: Any
) -> None:
    viewer = {"authorization": f"Bearer {await lab.token('viewer')}"}
    async with tools.running(lab.service) as run:
        assert await scraped(run.url, viewer)
        async with httpx.AsyncClient(base_url=run.url, trust_env=False) as client:
            assert (await client.get("/metrics")).status_code == 401
    gate = build(lab.service, metrics_open=True).asgi

    async def status(host: str, **headers: str) -> int:
        transport = httpx.ASGITransport(gate, client=(host, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as client:
            assert (await client.get("/workflows")).status_code == 401
            return (await client.get("/metrics")).status_code

    assert await status("127.0.0.1") == 200
    assert await status("192.0.2.7") == 401
    for name in ("forwarded", "x-forwarded-for", "x-real-ip", "via"):  # a proxy on this machine speaks for others
        assert await status("127.0.0.1", **{name: "192.0.2.7"}) == 401
    assert _is_here({"type": "http", "headers": []}, httpx.Headers()) is False  # type: ignore[arg-type]


async def test_no_input_and_no_secret_stands_in_them(lab: Any, server: Any, device: Any) -> None:
    lab.service.vault.remember("c4nary-word")
    find = lab.service.live.now.find("toy-find-vm")
    await lab.service.calls.call(find, {"vm": "c4nary-word"}, None, ME)
    with pytest.raises(UnknownTarget):
        await lab.service.calls.call(find, {"vm": "web-01"}, "c4nary-target", ME)
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
        text = (await client.get("/metrics")).text
    assert "c4nary" not in text
    assert "nary" not in re.sub(r"switchgear_\w+", "", text)


def test_names_beyond_the_bound_are_counted_as_others() -> None:
    names = Names(2)
    assert [names(each) for each in ("a", "b", "c", "a", "d", "b")] == ["a", "b", OTHER, "a", OTHER, "b"]
