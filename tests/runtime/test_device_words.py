"""The device's own sentences reach whoever asks, through every door, as the device's; events keep to names."""

import asyncio
import json
import sqlite3
from typing import Any

import httpx
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

from governance.events.endpoints import Endpoint
from runtime.caller import Caller
from runtime.calls.messages import told
from switchgear.main import main
from workflow.requests.events import failure_from_json

SENTENCE = "The image is already connected. (VRM0012, Critical) Eject it."
QUOTED = f"The device said: “{SENTENCE}”"
MESSAGE = {
    "MessageId": "VRM0012", "Message": "The image is already %1.", "MessageArgs": ["connected"],
    "Severity": "Critical", "Resolution": "Eject it.",
}  # fmt: skip
REFUSED = {"error": {"message": "A general error. See ExtendedInfo.", "@Message.ExtendedInfo": [MESSAGE]}}
INPUTS = {"uuid": "u-1"}


@pytest.fixture
def refusing(device: Any, tools: Any) -> Any:
    """The device refuses every change, and says why."""

    async def refuse(writer: asyncio.StreamWriter) -> bool:
        writer.write(tools.answer(409, json.dumps(REFUSED).encode(), content_type="application/json"))
        return False

    device.script.before_stop = refuse
    return device


async def stopped(lab: Any, **inputs: Any) -> Any:
    entry = lab.service.live.now.entries["toy_stop_vm"]
    ended = await lab.service.calls.call(entry, {**INPUTS, **inputs}, None, Caller("me", "operator"))
    await lab.service.engine.settle()
    return ended


async def test_a_refusal_is_told_in_the_devices_words_over_rest(server: Any, refusing: Any) -> None:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as api:
        problem = (await api.post("/workflows/toy_stop_vm/run", json={"inputs": INPUTS})).json()
        assert problem["failure"]["said"] == [SENTENCE]
        assert QUOTED in problem["detail"]
        run = (await api.get(f"/runs/{problem['run_id']}")).json()
        assert run["failure"]["said"] == [SENTENCE]
        journal = (await api.get(f"/runs/{problem['run_id']}/journal")).json()
    assert [turn["event"].get("said") for turn in journal["turns"]] == [None, [SENTENCE]]
    assert "VRM0012" not in json.dumps(problem["failure"]["message"])


async def test_a_refusal_is_told_in_the_devices_words_to_a_model(server: Any, refusing: Any) -> None:
    async with Client(StreamableHttpTransport(server.mcp)) as client:
        result = await client.call_tool("toy_stop_vm", INPUTS, raise_on_error=False)
    assert result.is_error
    assert QUOTED in result.content[0].text.split("\n")
    assert result.meta["switchgear"]["failure"]["said"] == [SENTENCE]


async def test_a_refusal_is_told_in_the_devices_words_on_the_command_line(
    lab: Any, refusing: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCHGEAR_CONFIRM", "none")
    assert await asyncio.to_thread(main, ["call", "toy_stop_vm", "uuid=u-1", "--db", lab.url]) == 4
    heard = capsys.readouterr()
    assert QUOTED in (heard.out + heard.err).split("\n")
    (run,) = await lab.service.runs.find()
    assert await asyncio.to_thread(main, ["runs", "show", run.id, "--db", lab.url]) == 0
    assert SENTENCE in " ".join(capsys.readouterr().out.split())  # as wide as the terminal


async def test_events_keep_to_names_and_outcomes(lab: Any, refusing: Any) -> None:
    await lab.service.endpoints.add(Endpoint("desk", "http://127.0.0.1:9/", "env:DESK", ()), actor="boss")
    await stopped(lab)
    database = sqlite3.connect(lab.url.partition(":///")[2])
    told = repr(database.execute("SELECT * FROM event_deliveries").fetchall())
    database.close()
    assert "toy-stop-vm" in told
    assert "connected" not in told


async def test_a_run_whose_device_spoke_replays_without_a_difference(lab: Any, refusing: Any) -> None:
    ended = await stopped(lab)
    assert ended.failure.said == (SENTENCE,)
    assert (await lab.service.journals.replay(ended.run_id)).differences == ()


async def test_what_the_caller_gave_as_a_secret_is_not_repeated_in_the_devices_words(
    lab: Any, device: Any, tools: Any
) -> None:
    async def parrot(writer: asyncio.StreamWriter) -> bool:
        body = {"error": "The password hidden-word is too short.", "password": "other-word", "detail": "not other-word"}
        writer.write(tools.answer(400, json.dumps(body).encode(), content_type="application/json"))
        return False

    device.script.before_stop = parrot
    ended = await stopped(lab, password="hidden-word")
    assert "[redacted]" in told(ended)
    assert "hidden-word" not in told(ended)
    assert "other-word" not in told(ended)


def test_failures_of_before_the_device_could_speak_are_still_read() -> None:
    old = {"type": "Failure", "step_id": "change", "code": "refused", "message": "no", "done": [], "not_done": []}
    assert failure_from_json(old).said == ()
