"""THREATS.md C2 and C3: requests go to the target list's addresses alone, and credentials to their device alone.

A canary listens where every spelling of an address leads: in arguments, in the target's name, in redirects, next pages,
session addresses and action addresses that a device names, in the environment's proxies. It must not see a connection.
Two devices and a client with words of their own show that none of these words reaches anybody else.
"""

import base64
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastmcp import Client

from runtime.caller import Caller
from runtime.driver import Driver
from runtime.errors import CallerError
from runtime.secrets import Vault
from runtime.service import open_service
from workflow.profiles.profile import Profile
from workflow.requests.events import RequestFailed, ResponseArrived

ME = Caller("me", "operator")
# {p}: the canary's port, {d}: the device's.
SPELLINGS = (
    "http://127.0.0.1:{p}/", "https://127.0.0.1:{p}/", "HTTP://127.0.0.1:{p}/", "//127.0.0.1:{p}/", "///127.0.0.1:{p}/",
    "http:/127.0.0.1:{p}/", "http:127.0.0.1:{p}/", "http:///127.0.0.1:{p}/", "\\\\127.0.0.1:{p}\\", "/\\127.0.0.1:{p}/",
    "http:\\\\127.0.0.1:{p}\\", "http://127.1:{p}/", "http://2130706433:{p}/", "http://0x7f000001:{p}/", "http://0:{p}/",
    "http://0177.0.0.1:{p}/", "http://0x7f.0.0.1:{p}/", "http://127.0.0.1.:{p}/", "http://[::1]:{p}/", "http://[::]:{p}/",
    "http://[::ffff:127.0.0.1]:{p}/", "http://[::ffff:7f00:1]:{p}/", "http://localhost:{p}/", "http://LOCALHOST.:{p}/",
    "http://127.0.0.1:{d}@127.0.0.1:{p}/", "http://user:word@127.0.0.1:{p}/", "http://127.0.0.1:{p}#@127.0.0.1:{d}/",
    "http://127.0.0.1:{p}?@127.0.0.1:{d}/", "http://127.0.0.1:{p}\\@127.0.0.1:{d}/", "@127.0.0.1:{p}/", ":{p}/",
    "http://１２７.０.０.１:{p}/", "http://127。0。0。1:{p}/", "http://ⓛocalhost:{p}/", "http://127.0.0.1:0{p}/",
    "http://127.0.0.1%2f:{p}/", "http://%31%32%37.0.0.1:{p}/", "%2f%2f127.0.0.1:{p}/", "/%09/127.0.0.1:{p}/",
    " http://127.0.0.1:{p}/", "http://127.0.0.1:{p}/..//", "ftp://127.0.0.1:{p}/", "ws://127.0.0.1:{p}/",
)  # fmt: skip
STATUSES = (300, 301, 302, 303, 307, 308)
SESSION = {
    "login": "POST /login",
    "login_body": {"user": "{username}", "word": "{password}"},
    "token": {"within": "header", "at": "X-Token"},
    "send_as": {"within": "header", "at": "X-Token"},
    "expired_statuses": [503],
    "address": {"within": "header", "at": "Location"},
}


@pytest.fixture
async def canary(recorder: Any, tools: Any) -> Any:
    return await recorder(tools.said(tools.answer()))


def spelled(canary: Any, device: Any) -> list[str]:
    return [each.replace("{p}", str(canary.port)).replace("{d}", str(device.port)) for each in SPELLINGS]


def on_the_wire(text: str) -> str:
    """As far as a header field can hold it."""
    return text.encode("utf-8").decode("latin-1").strip()


@pytest.mark.slow
async def test_no_spelling_of_an_address_in_an_argument_leads_elsewhere(lab: Any, device: Any, canary: Any) -> None:
    assert len(SPELLINGS) >= 30
    outcomes = set()
    for text in spelled(canary, device):
        for tool, name in (("toy_find_vm", "vm"), ("toy_stop_vm", "uuid")):
            ended = await lab.service.calls.call(lab.service.live.now.entries[tool], {name: text}, None, ME)
            outcomes.add(ended.outcome)
        with pytest.raises(CallerError):
            await lab.service.calls.call(lab.service.live.now.entries["toy_find_vm"], {"vm": "web-01"}, text, ME)
    assert canary.connections == 0
    assert outcomes == {"failed"}
    assert {heard.field("host") for heard in device.heard} == {f"127.0.0.1:{device.port}"}
    assert all(heard.target.startswith((b"/api/vms", b"/api/tasks/t-1")) for heard in device.heard)


@pytest.mark.parametrize("status", STATUSES)
async def test_no_redirect_is_followed_however_its_address_is_spelled(
    driver: Driver, recorder: Any, notes: Any, tools: Any, canary: Any, status: int
) -> None:
    device = await recorder(tools.said(tools.answer()))
    endpoint = tools.endpoint(device.url, {"auth": {"kinds": ["bearer"]}})
    for number, text in enumerate(spelled(canary, device), 1):
        device.script = tools.said(tools.answer(status, b"", location=on_the_wire(text), refresh="0; url=" + "x"))
        for command in (tools.get(), tools.post()):
            event = await driver.send(command, endpoint, tools.soon(), notes)
            assert isinstance(event, ResponseArrived), (text, event)
            assert event.status == status
        assert len(device.heard) == 2 * number
    assert (canary.connections, canary.raw) == (0, b"")


async def test_no_address_of_a_session_leads_elsewhere(recorder: Any, notes: Any, tools: Any, canary: Any) -> None:
    profile = {"auth": {"kinds": ["session"], "session": SESSION}}
    device = await recorder(tools.said(tools.answer()))
    for text in spelled(canary, device):
        driver = Driver(Vault({"USER": "operator", "PASS": "s3cret-word"}))
        device.script = tools.said(tools.answer(201, x_token="t-1", location=on_the_wire(text)))
        event = await driver.send(tools.get(), tools.endpoint(device.url, profile), tools.soon(), notes)
        await driver.aclose(notes)
        assert isinstance(event, ResponseArrived | RequestFailed)
    assert (canary.connections, canary.raw) == (0, b"")
    assert {heard.field("host") for heard in device.heard} == {f"127.0.0.1:{device.port}"}
    assert sum(note.purpose == "logout" for note in notes.sent) > 0


async def test_no_next_page_leads_elsewhere(lab: Any, device: Any, canary: Any, tools: Any) -> None:
    document = json.loads(json.dumps(tools.toy_content("list").document))
    (step,) = document["workflows"][0]["steps"]
    step["x-switchgear"]["pages"] = {"by": "link", "at": "/next", "members": "/items", "most": 3}
    content = tools.content_of(document)
    about = {"intent": "find", "risk": "read", "resource": "vms", "is_core": True, "rank": 1.0, "proof": None}
    revisions = lab.service.revisions
    made = (await revisions.submit("toy", "toy-list-vms", content, actor="t", **about)).revision
    await revisions.decide(made.id, "approve", actor="t", role="admin", reason="", digest=made.digest)
    await lab.service.live.reload()
    for text in spelled(canary, device):
        for tail in ("", "?page=2"):
            body = json.dumps({"items": [], "next": text + tail}).encode()
            device.script = tools.said(tools.answer(200, body, content_type="application/json"))
            await lab.service.calls.call(lab.service.live.now.entries["toy_list_vms"], {}, None, ME)
    assert (canary.connections, canary.raw) == (0, b"")
    assert {heard.target.partition(b"?")[0] for heard in device.heard} == {b"/api/vms"}
    assert {heard.field("host") for heard in device.heard} == {f"127.0.0.1:{device.port}"}


async def test_proxies_and_machines_of_the_environment_do_not_count(
    recorder: Any, notes: Any, tools: Any, canary: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = await recorder(tools.said(tools.answer()))
    for text in spelled(canary, device)[:12]:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, text)
            monkeypatch.setenv(name.lower(), text)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        fresh = Driver(Vault({}))
        event = await fresh.send(tools.get(), tools.endpoint(device.url), tools.soon(), notes)
        await fresh.aclose(notes)
        assert isinstance(event, ResponseArrived)
    assert canary.connections == 0


# C3: whose words reach whom

WORDS = {"USER": "c4nary-user-1", "PASS": "c4nary-pass-1", "TOKEN": "c4nary-t0ken-2"}
BASIC = base64.b64encode(f"{WORDS['USER']}:{WORDS['PASS']}".encode()).decode()


@pytest.mark.parametrize("way", ["mcp", "rest"])
async def test_no_word_of_one_reaches_another(tmp_path: Any, recorder: Any, tools: Any, way: str) -> None:
    """Two devices with credentials of their own, the first of which repeats to the client whatever it hears."""

    async def parrot(heard: Any, writer: Any) -> None:
        said = json.dumps({"error": [heard.line.decode("latin-1"), *map(list, heard.fields)]}).encode()
        writer.write(tools.answer(500, said, location=other.url, content_type="application/json"))

    device, other = await recorder(parrot), await recorder(parrot)
    url = f"sqlite+aiosqlite:///{tmp_path / 'switchgear.db'}"
    async with open_service(url, Vault(WORDS)) as service:
        house = await with_logins(url, service, tools)
        await house.target(device.url, "one", username_ref="env:USER", password_ref="env:PASS")
        await house.target(other.url, "two", token_ref="env:TOKEN")
        await service.live.reload()
        token = await house.token("operator")
        seen = b""
        async with tools.running(service) as run:
            for name in ("one", "two"):
                seen += await asked(run, way, token, {"vm": "web-01", "target": name})
        told = seen + repr(await service.runs.find()).encode()
    mine, theirs = (WORDS["USER"], WORDS["PASS"], BASIC), (WORDS["TOKEN"],)
    assert BASIC.encode() in device.raw
    assert WORDS["TOKEN"].encode() in other.raw
    assert not [word for word in (*theirs, token) if word.encode() in device.raw]
    assert not [word for word in (*mine, token) if word.encode() in other.raw]
    assert not [word for word in (*mine, *theirs) if word.encode() in told]
    assert len(device.heard) == len(other.heard) > 0


async def with_logins(url: str, service: Any, tools: Any) -> Any:
    """A house with finding approved, on a profile that asks for a token or else for a name and a word."""
    profile = Profile(api="toy", auth={"kinds": ["bearer", "basic"]})
    plain = profile.model_dump(mode="json")
    await service.apis.put_api("toy", "Toy", "1", "sha256:" + "0" * 64, plain, profile.digest)
    content = replace(tools.toy_content("find"), profile_digest=profile.digest)
    about = {"intent": "find", "risk": "read", "resource": "vms", "is_core": True, "rank": 1.0, "proof": None}
    made = (await service.revisions.submit("toy", "toy-find-vm", content, actor="t", **about)).revision
    await service.revisions.decide(made.id, "approve", actor="t", role="admin", reason="", digest=made.digest)
    return tools.House(url, service)


async def asked(run: Any, way: str, token: str, arguments: dict[str, str]) -> bytes:
    """Everything that the client gets to see."""
    if way == "mcp":
        async with Client(run.mcp, auth=token) as client:
            result = await client.call_tool("toy_find_vm", arguments, raise_on_error=False)
            return repr(result).encode()
    fields = {"authorization": f"Bearer {token}"}
    body = {"inputs": {"vm": arguments["vm"]}, "target": arguments["target"]}
    async with httpx.AsyncClient(trust_env=False) as client:
        reply = await client.post(f"{run.url}/workflows/toy-find-vm/run", headers=fields, json=body)
        return reply.content + repr(reply.headers).encode()


async def test_a_session_of_one_account_is_shown_to_no_other_device_and_account(
    driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    logged_in = tools.answer(201, x_token="c4nary-session")
    device, other = await recorder(tools.said(logged_in)), await recorder(tools.said(tools.answer(201, x_token="t-2")))
    profile = {"auth": {"kinds": ["session"], "session": SESSION}}
    first = tools.endpoint(device.url, profile)
    for endpoint in (first, tools.endpoint(other.url, profile), replace(first, tls="ca:/other")):
        await driver.send(tools.get(), endpoint, tools.soon(), notes)
    assert b"c4nary-session" not in other.raw
    assert [heard.line.split(b" ")[1] for heard in device.heard].count(b"/api/login") == 2, (
        "another trust, another session"
    )
