"""The behaviours of the library that no workflow notices, because whoever sends meets them: played by a twin over HTTP.

What the driver tells is true, and another thing when its handling is taken out (the others are met by
`tests/compiler/test_behaviour_runs.py`).
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from compiler.frontend import load_api
from compiler.pipeline import CompileRequest, find_profile, understand
from compiler.twin import Twin, server
from compiler.twin.behaviours.library import LIBRARY
from compiler.twin.behaviours.tables import named
from runtime.driver import Driver
from runtime.driver.credentials import admission, login_replies
from runtime.errors import Refused
from runtime.secrets import Vault
from workflow.profiles.profile import Profile
from workflow.requests.events import Event, RequestFailed, ResponseArrived

SPEC = Path(__file__).resolve().parents[2] / "specs" / "hypercore" / "openapi.yaml"


@pytest.fixture(scope="module")
def twin() -> Twin:
    profile = find_profile(CompileRequest(SPEC))
    assert profile is not None
    return Twin(understand(load_api(SPEC, profile=profile).api, profile).api, profile, now=lambda: 0.0)


@pytest.fixture
async def account(notes: Any) -> AsyncIterator[Driver]:
    """A driver with the twin's own credentials, which waits for no session."""
    driver = Driver(Vault({"USER": "admin", "PASS": "switchgear"}))
    yield driver
    await driver.aclose(notes)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for room in ("attempt", "credentials.logins"):
        monkeypatch.setattr(f"runtime.driver.{room}.ADMISSION_PAUSES_S", (0.02,))


async def read(driver: Driver, twin: Twin, name: str, notes: Any, tools: Any) -> Event:
    """What comes of one read of a device that behaves so, and has sessions alone."""
    device = twin.fresh()
    device.behave(*named(LIBRARY, [name]))
    profile: Profile = twin._blueprint.profile
    told = profile.model_copy(update={"auth": profile.auth.model_copy(update={"kinds": ("session",)})})
    async with server.running(device) as url:
        event: Event = await driver.send(
            tools.get("/VirDomain"), tools.endpoint(url, told.model_dump(exclude_unset=True)), tools.soon(), notes
        )
        await driver.aclose(notes)
    assert device.has_misbehaved
    return event


def test_these_are_all_that_no_workflow_notices() -> None:
    assert {each.name for each in LIBRARY if each.by_driver} == {"full sessions", "redirect to a slash"}


async def test_full_sessions_are_told_in_the_devices_words_and_as_a_wrong_password_when_that_is_taken_out(
    account: Driver, twin: Twin, notes: Any, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = next(each for each in LIBRARY if each.name == "full sessions")
    usual = await read(account, twin, "full sessions", notes, tools)
    assert isinstance(usual, RequestFailed)
    assert full.says in usual.message
    assert "check the credentials" not in usual.message

    monkeypatch.setattr(login_replies, "_refusal", lambda *_: Refused("not let in", login_replies.CREDENTIALS))
    careless = await read(account, twin, "full sessions", notes, tools)
    assert isinstance(careless, RequestFailed)
    assert full.says not in careless.message
    assert "check the credentials" in careless.message


async def test_a_redirect_to_a_slash_is_followed_and_is_no_answer_when_that_is_taken_out(
    account: Driver, twin: Twin, notes: Any, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = await read(account, twin, "redirect to a slash", notes, tools)
    assert isinstance(usual, ResponseArrived)
    assert (usual.status, type(usual.body)) == (200, list)

    monkeypatch.setattr(admission, "followed", lambda command, address, send: send(command, address))
    careless = await read(account, twin, "redirect to a slash", notes, tools)
    assert isinstance(careless, ResponseArrived)
    assert careless.status == 308
