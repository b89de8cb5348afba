"""Events reach those who asked, signed so that the official library believes them, at least once, whatever fails."""

import asyncio
import base64
import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, text
from standardwebhooks import Webhook, WebhookVerificationError

from governance.events.endpoints import Endpoint
from governance.storage.connections import parse_url
from runtime.background.delivering import AT_ONCE, CLAIM, TRIES, Deliverer, pause_after
from runtime.caller import Caller
from runtime.driver import Poster
from runtime.errors import NotApproved, UnknownWorkflow
from runtime.secrets import Vault
from runtime.service import open_service
from tests.waiting import PATIENCE_S

SECRET = "whsec_" + base64.b64encode(b"a key of thirty-two bytes, no less").decode()
ROOT = Path(__file__).parents[2]
ME = Caller("me", "operator")
Receiver = Callable[..., Awaitable[Any]]


@dataclass
class Hands:
    """A clock that a test sets."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Post:
    """A deliverer with a clock, and what it sends to."""

    lab: Any
    hands: Hands
    deliverer: Deliverer

    async def round(self, after: timedelta = timedelta()) -> None:
        self.hands.ahead += after
        await self.deliverer.look()
        await self.deliverer.settle()

    async def endpoint(self, url: str, name: str = "desk", kinds: tuple[str, ...] = ()) -> None:
        await self.lab.service.endpoints.add(Endpoint(name, f"{url}/hook", "env:DESK", kinds), actor="boss")


@pytest.fixture(autouse=True)
def receivers_are_no_devices(witness: Any) -> None:
    witness.has_others = True


@pytest.fixture
async def post(lab: Any, request: pytest.FixtureRequest) -> Any:
    """Waits long for each answer; for as many seconds as a test's parameter says, where one does not come."""
    hands, poster = Hands(), Poster(getattr(request, "param", PATIENCE_S))
    deliverer = Deliverer(lab.service.deliveries, Vault({"DESK": SECRET}), hands, lambda: 1.0, poster)
    yield Post(lab, hands, deliverer)
    await deliverer.close()


def read(heard: Any) -> Any:
    """The message, as the official library reads it. Raises WebhookVerificationError."""
    return Webhook(SECRET).verify(heard.body, dict(heard.fields))


async def test_what_happens_arrives_signed_and_the_official_library_believes_it(
    post: Post, recorder: Receiver, tools: Any
) -> None:
    desk = await recorder(tools.said(tools.answer(204, b"")))
    await post.endpoint(desk.url)
    revision = await post.lab.approve("list")
    await post.lab.service.live.reload()
    entry = post.lab.service.live.now.find("toy-list-vms")
    ended = await post.lab.service.calls.call(entry, {}, None, ME)
    await post.lab.service.engine.settle()
    await post.round()
    told = {message["type"]: message["data"] for message in map(read, desk.heard)}
    assert set(told) == {"workflow.pending", "workflow.approved", "run.finished"}
    assert told["workflow.approved"]["digest"] == revision.digest
    assert (told["run.finished"]["run"], told["run.finished"]["outcome"]) == (ended.run_id, "succeeded")
    assert len({heard.field("webhook-id") for heard in desk.heard}) == 3
    assert await post.lab.service.deliveries.due("9") == ()


async def test_a_message_that_was_changed_on_its_way_is_not_believed(
    post: Post, recorder: Receiver, tools: Any
) -> None:
    desk = await recorder(tools.said(tools.answer(204, b"")))
    await post.endpoint(desk.url)
    await post.lab.submit("list")
    await post.round()
    (heard,) = desk.heard
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(heard.body.replace(b"pending", b"approved"), dict(heard.fields))


async def test_what_is_not_heard_is_sent_again_later_with_the_same_id_and_bytes_and_dies_at_last(
    post: Post, recorder: Receiver, tools: Any
) -> None:
    desk = await recorder(
        tools.said(tools.answer(500), tools.answer(302, location="http://127.0.0.1:1/"), tools.answer(404))
    )
    await post.endpoint(desk.url)
    await post.lab.submit("list")
    await post.round()
    await post.round()
    assert len(desk.heard) == 1
    for number in range(1, TRIES + 3):
        await post.round(timedelta(seconds=pause_after(number, 1.0)))
    assert len(desk.heard) == TRIES
    assert len({(heard.body, heard.field("webhook-id")) for heard in desk.heard}) == 1
    (letter,) = await post.lab.service.deliveries.dead()
    assert (letter.tries, letter.error) == (TRIES, "desk answered 404")
    (row,) = await post.lab.service.audit.find(action="event.dead")
    assert (row.subject, row.detail["endpoint"]) == (f"event:{letter.id}", "desk")
    desk.script = tools.said(tools.answer(200))
    await post.lab.service.deliveries.resend(letter.id, actor="boss")
    await post.round()
    assert desk.heard[-1].field("webhook-id") == letter.id
    assert await post.lab.service.deliveries.dead() == ()


def test_pauses_grow_within_a_bound_and_luck_spreads_them() -> None:
    assert [pause_after(tries, 1.0) for tries in (1, 2, 3)] == [5, 20, 80]
    assert pause_after(TRIES, 1.0) == pause_after(50, 1.0) == 21_600
    assert (pause_after(3, 0.0), pause_after(3, 0.5)) == (40, 60)


async def test_a_receiver_that_says_when_is_asked_then(post: Post, recorder: Receiver, tools: Any) -> None:
    desk = await recorder(tools.said(tools.answer(503, retry_after="3600"), tools.answer(200)))
    await post.endpoint(desk.url)
    await post.lab.submit("list")
    await post.round()
    await post.round(timedelta(seconds=3500))
    assert len(desk.heard) == 1
    await post.round(timedelta(seconds=101))
    assert len(desk.heard) == 2


async def test_a_receiver_that_is_gone_is_not_asked_again(post: Post, recorder: Receiver, tools: Any) -> None:
    desk = await recorder(tools.said(tools.answer(410)))
    await post.endpoint(desk.url)
    await post.lab.submit("list")
    await post.round()
    await post.lab.submit("list", 2)
    await post.round(timedelta(days=3))
    assert len(desk.heard) == 1
    (endpoint,) = await post.lab.service.endpoints.list_endpoints()
    assert endpoint.disabled_why == "desk answered 410: it wants no more"
    assert len(await post.lab.service.deliveries.dead()) == 1


@pytest.mark.parametrize("post", [0.5], indirect=True, ids=["half a second"])
async def test_a_receiver_that_never_ends_is_left_at_the_deadline_and_keeps_nobody_waiting(
    post: Post, recorder: Receiver, tools: Any
) -> None:
    async def endless(_heard: Any, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 Said\r\n")
        while True:
            writer.write(b"x-more: and more\r\n")
            await writer.drain()
            await asyncio.sleep(0.01)

    slow, quick = await recorder(endless), await recorder(tools.said(tools.answer(200)))
    await post.endpoint(slow.url, "slow")
    await post.endpoint(quick.url, "quick")
    for copy in range(2 * AT_ONCE):
        await post.lab.submit("list", copy)
    async with asyncio.timeout(PATIENCE_S):
        while len(quick.heard) < 2 * AT_ONCE:
            await post.deliverer.look()
            await asyncio.sleep(0.01)
    assert slow.most_open <= AT_ONCE
    await post.deliverer.settle()
    assert slow.open_now <= AT_ONCE


async def test_a_secret_that_is_none_or_absent_sends_nothing_and_appears_nowhere(
    lab: Any, recorder: Receiver, tools: Any, caplog: pytest.LogCaptureFixture
) -> None:
    desk = await recorder(tools.said(tools.answer(200)))
    for name, word in (("short", "whsec_canaryAA"), ("absent", "")):
        deliverer = Deliverer(lab.service.deliveries, Vault({"DESK": word}), Hands())
        await lab.service.endpoints.add(Endpoint(name, desk.url, "env:DESK"), actor="boss")
        await lab.submit("list", len(name))
        await deliverer.look()
        await deliverer.settle()
        await deliverer.close()
        await lab.service.endpoints.remove(name, actor="boss")
    assert desk.heard == []
    assert "canary" not in caplog.text
    assert "it takes whsec_" in caplog.text


CHILD = """
import asyncio, os, signal, sys
from runtime.secrets import Vault
from runtime.service import open_service
from runtime.background.delivering import Deliverer

async def main():
    url, revision, digest, moment = sys.argv[1:]
    async with open_service(url, Vault({"DESK": os.environ["DESK"]})) as service:
        await service.revisions.decide(revision, "approve", actor="a", role="admin", reason="", digest=digest)
        if moment == "committed":
            os.kill(os.getpid(), signal.SIGKILL)
        await service.deliverer.look()
        await service.deliverer.settle()

asyncio.run(main())
"""


@pytest.mark.parametrize("column", ["url", "secret_ref", "kinds", "apis", "tls", "created_by", "disabled_why"])
async def test_an_endpoint_that_was_altered_behind_our_back_gets_nothing_and_keeps_nobody_waiting(
    post: Post, recorder: Receiver, tools: Any, column: str
) -> None:
    desk, thief = await recorder(tools.said(tools.answer(200))), await recorder(tools.said(tools.answer(200)))
    await post.endpoint(desk.url, "a-desk")
    await post.endpoint(desk.url, "good")
    value = {"url": thief.url, "kinds": '["run.finished","workflow.pending"]', "apis": '["toy"]'}.get(column, "env:X")
    behind(post.lab.url, f"UPDATE event_endpoints SET {column} = :value WHERE name = 'a-desk'", value=value)
    assert len(await post.lab.service.endpoints.faults()) == 1
    await post.lab.submit("list")
    for _ in range(2):
        await post.round()
    assert (len(desk.heard), thief.heard) == (1, [])
    await post.lab.service.endpoints.remove("a-desk", actor="boss")
    assert await post.lab.service.endpoints.faults() == ()


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["committed", "heard"])
async def test_who_is_killed_before_it_told_leaves_it_to_the_next_who_tells_it_under_the_same_id(
    post: Post, recorder: Receiver, tools: Any, moment: str
) -> None:
    child: subprocess.Popen[bytes]

    async def kill(heard: Any, writer: asyncio.StreamWriter) -> None:
        if heard.number == 1 and moment == "heard":
            child.send_signal(signal.SIGKILL)
        writer.write(tools.answer(200))

    desk = await recorder(kill)
    await post.endpoint(desk.url, kinds=("workflow.approved",))
    revision = await post.lab.submit("list")
    command = [sys.executable, "-c", CHILD, post.lab.url, revision.id, revision.digest, moment]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "DESK": SECRET}
    child = subprocess.Popen(command, env=environment, cwd=ROOT)  # noqa: ASYNC220  its id is needed before it ends
    await asyncio.wait_for(asyncio.to_thread(child.wait), PATIENCE_S)
    assert child.returncode == -signal.SIGKILL
    assert len(desk.heard) == (moment == "heard")
    await post.round()
    if moment == "heard":  # the dead one's claim still holds
        assert len(desk.heard) == 1
        await post.round(CLAIM)
    assert len({heard.field("webhook-id") for heard in desk.heard}) == 1
    assert read(desk.heard[-1])["type"] == "workflow.approved"
    assert await post.lab.service.deliveries.due("9") == ()


async def test_two_servers_on_one_database_tell_each_event_once(post: Post, recorder: Receiver, tools: Any) -> None:
    desk = await recorder(tools.said(tools.answer(200)))
    await post.endpoint(desk.url)
    for copy in range(10):
        await post.lab.submit("list", copy)
    async with open_service(post.lab.url, Vault({"DESK": SECRET})) as other:
        for _ in range(6):
            await asyncio.gather(post.deliverer.look(), other.deliverer.look())
            await asyncio.gather(post.deliverer.settle(), other.deliverer.settle())
        await other.deliverer.close()
    assert len(desk.heard) == len({heard.field("webhook-id") for heard in desk.heard}) == 10


@pytest.mark.slow
async def test_a_server_that_serves_tells_by_itself(lab: Any, recorder: Receiver, tools: Any, tmp_path: Path) -> None:
    desk = await recorder(tools.said(tools.answer(200)))
    (tmp_path / "secret").write_text(SECRET)
    token = await lab.token("admin")
    headers = {"authorization": f"Bearer {token}"}
    async with tools.running(lab.service) as run, httpx.AsyncClient(base_url=run.url, headers=headers) as client:
        wish = {"name": "desk", "url": desk.url, "secret_ref": f"file:{tmp_path / 'secret'}"}
        assert (await client.post("/events/endpoints", json=wish)).status_code == 201
        assert (await client.post("/events/endpoints", json=wish)).status_code == 409
        refused = await client.post("/events/endpoints", json={**wish, "name": "b", "url": "http://desk.example/"})
        assert refused.status_code == 422
        assert SECRET not in (await client.get("/events/endpoints")).text
        await lab.submit("list")
        await asyncio.wait_for(desk.has_heard(1), PATIENCE_S)
        assert read(desk.heard[0])["type"] == "workflow.pending"
        assert (await client.get("/events/dead")).json() == []
        assert (await client.post("/events/dead/none/resend")).status_code == 404
        assert (await client.delete("/events/endpoints/desk")).status_code == 204
        assert (await client.post("/events/endpoints/desk/enable")).status_code == 404


# Exactness: what was altered goes, and is told once.


def behind(url: str, statement: str, **values: Any) -> None:
    """As somebody would who has the database and none of our code, and has dropped the triggers."""
    engine = create_engine(parse_url(url))
    with engine.begin() as connection:
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
        for name in names:
            connection.execute(text(f"DROP TRIGGER {name}"))
        connection.execute(text(statement), values)
    engine.dispose()


ALTERATIONS = {
    "tool text": "UPDATE revisions SET content = replace(content, 'toy_find_vm', 'toy_find_vn') WHERE id = :id",
    "risk": "UPDATE revisions SET risk = 'change' WHERE id = :id",
    "digest": "UPDATE revisions SET digest = 'sha256:0' WHERE id = :id",
    "state": "UPDATE revisions SET state = 'rejected' WHERE id = :id",
    "row": "DELETE FROM revisions WHERE id = :id",
    "audit": "UPDATE audit SET actor = 'x' WHERE action = 'revision.approved' AND subject = 'revision:' || :id",
    "profile": "UPDATE profiles SET body = replace(body, 'toy', 'tox') WHERE :id = :id",
}


@pytest.mark.parametrize("what", ALTERATIONS)
async def test_what_was_altered_goes_and_is_told_once_however_often_it_is_loaded(
    post: Post, recorder: Receiver, tools: Any, what: str
) -> None:
    desk = await recorder(tools.said(tools.answer(200)))
    await post.endpoint(desk.url, kinds=("workflow.digest_mismatch",))
    live = post.lab.service.live
    entry = live.now.find("toy-find-vm")
    behind(post.lab.url, ALTERATIONS[what], id=entry.revision_id)
    for _ in range(3):
        if what == "profile":  # it is read once for each process, and held by its digest
            break
        await live.reload()
    async with open_service(post.lab.url, Vault({})) as other:
        await other.live.reload()
        await post.round()
        told = [data for data in map(read, desk.heard) if data["data"]["workflow"] == "toy-find-vm"]
        assert len(told) == 1, [heard.body for heard in desk.heard]
        if what != "audit":
            assert told[0]["data"]["digest"] == entry.digest
        rows = await post.lab.service.audit.find(action="digest.mismatch", subject=f"mismatch:{entry.revision_id}")
        assert len(rows) == 1
        with pytest.raises(UnknownWorkflow):
            other.live.now.find("toy-find-vm")


@pytest.mark.parametrize("what", [each for each in ALTERATIONS if each != "row"])
async def test_what_was_altered_while_nobody_served_is_told_at_the_next_start(
    post: Post, recorder: Receiver, tools: Any, what: str
) -> None:
    desk = await recorder(tools.said(tools.answer(200)))
    await post.endpoint(desk.url, kinds=("workflow.digest_mismatch",))
    entry = post.lab.service.live.now.find("toy-find-vm")
    behind(post.lab.url, ALTERATIONS[what], id=entry.revision_id)
    for _ in range(2):
        async with open_service(post.lab.url, Vault({})) as other:
            assert "toy_find_vm" not in other.live.now.entries
    await post.round()
    assert [data["workflow"] for data in (read(one)["data"] for one in desk.heard)].count("toy-find-vm") == 1


async def test_a_call_that_finds_an_alteration_first_runs_nothing_takes_the_tool_away_and_tells(
    post: Post, recorder: Receiver, tools: Any, device: Any
) -> None:
    desk = await recorder(tools.said(tools.answer(200)))
    await post.endpoint(desk.url, kinds=("workflow.digest_mismatch",))
    live = post.lab.service.live
    entry = live.now.find("toy-find-vm")
    behind(post.lab.url, ALTERATIONS["risk"], id=entry.revision_id)
    with pytest.raises(NotApproved):
        await post.lab.service.calls.call(entry, {"vm": "web-01"}, None, ME)
    assert device.heard == []
    with contextlib.suppress(UnknownWorkflow):
        pytest.fail(live.now.find("toy-find-vm").name)
    await post.round()
    ((data),) = [read(heard)["data"] for heard in desk.heard]
    assert (data["workflow"], data["fault"].split(": ")[-1]) == (
        "toy-find-vm",
        "a column was changed after the last decision",
    )


async def test_what_was_put_back_is_served_again_and_its_next_alteration_is_told_again(
    post: Post, recorder: Receiver, tools: Any
) -> None:
    desk = await recorder(tools.said(tools.answer(200)))
    await post.endpoint(desk.url, kinds=("workflow.digest_mismatch",))
    live = post.lab.service.live
    one = live.now.find("toy-find-vm").revision_id
    for risk, is_served in (("change", False), ("read", True), ("change", False)):
        behind(post.lab.url, f"UPDATE revisions SET risk = '{risk}' WHERE id = :id", id=one)
        await live.reload()
        assert ("toy_find_vm" in live.now.entries) is is_served
    await post.round()
    assert len(desk.heard) == 2
    assert len(await post.lab.service.audit.find(action="digest.restored")) == 1


async def test_what_was_retired_or_replaced_is_no_mismatch(post: Post, recorder: Receiver, tools: Any) -> None:
    live = post.lab.service.live
    entry = live.now.find("toy-find-vm")
    behind(post.lab.url, ALTERATIONS["risk"], id=entry.revision_id)
    await live.reload()
    assert [each.is_mismatch for each in live.now.refusals] == [True]
    await post.lab.approve("find")  # its content is the same, and it is submitted anew since the old one is damaged
    await live.reload()
    assert live.now.refusals == ()
    fresh = live.now.find("toy-find-vm")
    await post.lab.service.revisions.decide(
        fresh.revision_id, "retire", actor="a", role="admin", reason="x", digest=fresh.digest
    )
    await live.reload()
    assert live.now.refusals == ()
    assert len(json.dumps([row.to_json() for row in await post.lab.service.audit.find(action="digest.mismatch")])) > 2
