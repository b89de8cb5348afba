"""One line of JSON for each thing that happens, with what it is about and nothing secret."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from runtime.caller import Caller
from runtime.errors import CallerError, UnknownTarget
from runtime.observing import lines
from runtime.problems import Problem
from runtime.secrets import JsonFormatter, Vault

ME = Caller("me", "operator")
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def told() -> Iterator[Lines]:
    """What was logged as events since the test began, as a collector would read it."""
    stream = io.StringIO()
    vault = Vault({})
    vault.remember("c4nary-word")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter(vault))
    level = lines.log.level
    lines.log.addHandler(handler)
    lines.quiet(is_json=True, level="info")
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    lines.log.removeHandler(handler)
    lines.log.setLevel(level)


def only(found: list[dict[str, Any]], event: str) -> list[dict[str, Any]]:
    return [each for each in found if each["event"] == event]


async def test_a_call_its_run_and_each_request_are_a_line_each_and_name_one_another(
    lab: Any, device: Any, told: Lines
) -> None:
    entry = lab.service.live.now.find("toy-stop-vm")
    ended = await lab.service.calls.call(entry, {"uuid": "u-1"}, None, ME)
    (call,), (run,), requests = (only(told(), event) for event in ("call", "run", "request"))
    common = {"run": ended.run_id, "workflow": "toy-stop-vm@1", "digest": entry.digest, "target": "lab", "caller": "me"}
    for line in (call, run, *requests):
        assert common.items() <= line.items()
        assert line["duration_ms"] >= 0
        assert (line["level"], line["logger"]) == ("info", "switchgear.event")
    assert (call["outcome"], run["outcome"]) == ("succeeded", "succeeded")
    assert [(line["method"], line["status"]) for line in requests] == [
        (heard.method, 202 if heard.method == "POST" else 200) for heard in device.heard
    ]


async def test_a_failure_names_its_code_and_step_and_a_refusal_is_a_line(lab: Any, told: Lines) -> None:
    entry = lab.service.live.now.find("toy-find-vm")
    await lab.service.calls.call(entry, {"vm": "nobody"}, None, ME)
    with pytest.raises(CallerError):
        await lab.service.calls.call(entry, {"vm": "web-01"}, None, Caller("you", "viewer"))
    (run,) = only(told(), "run")
    assert (run["outcome"], run["code"]) == ("failed", "not_found")
    assert [(line["caller"], line["outcome"]) for line in only(told(), "call")] == [
        ("me", "failed"),
        ("you", "refused"),
    ]


async def test_decisions_and_loads_of_the_catalog_are_lines(lab: Any, server: Any, told: Lines) -> None:
    revision = await lab.submit("list")
    body = {"digest": revision.digest, "reason": "c4nary-reason"}
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
        assert (await client.post("/workflows/toy-list-vms/approve", json=body)).status_code == 200
    (line,) = only(told(), "decision")
    assert (line["workflow"], line["action"], line["outcome"], line["caller"]) == (
        "toy-list-vms@1", "approve", "approved", "local",
    )  # fmt: skip
    assert line["digest"] == revision.digest
    assert "reason" not in json.dumps(told())
    reload = only(told(), "reload")[-1]
    assert (reload["outcome"], reload["workflows"]) == ("succeeded", 3)


async def test_a_login_is_a_line_that_names_only_users_who_are_known(lab: Any, told: Lines) -> None:
    await lab.service.users.add("ann", "viewer", password="c4nary seven lanterns", actor="boss")
    await lab.service.login.log_in("ann", "c4nary seven lanterns", "127.0.0.1")
    for name in ("ann", "c4nary-password-in-the-wrong-field"):
        with pytest.raises(Problem):
            await lab.service.login.log_in(name, "c4nary-wrong", "127.0.0.1")
    logins = [(line["caller"], line["outcome"]) for line in only(told(), "login")]
    assert logins == [("ann", "succeeded"), ("ann", "failed"), ("unknown", "failed")]
    assert "c4nary" not in json.dumps(told())


async def test_no_input_and_no_secret_stands_in_a_line(lab: Any, told: Lines) -> None:
    entry = lab.service.live.now.find("toy-find-vm")
    await lab.service.calls.call(entry, {"vm": "c4nary-input"}, None, ME)
    with pytest.raises(UnknownTarget):
        await lab.service.calls.call(entry, {"vm": "web-01"}, "c4nary-target", ME)
    lines.say("call", caller="a c4nary-word b")
    assert "c4nary" not in json.dumps(told())
    assert len(only(told(), "call")) == 3


@pytest.mark.parametrize(("is_json", "level", "count"), [(True, "info", 1), (False, "debug", 1), (False, "info", 0)])
def test_who_reads_text_is_told_these_lines_only_at_debug(told: Lines, is_json: bool, level: str, count: int) -> None:
    lines.quiet(is_json=is_json, level=level)
    lines.say("reload", outcome="succeeded", nothing=None)
    assert len(told()) == count
    assert all(line["message"] == "reload outcome=succeeded" for line in told())
