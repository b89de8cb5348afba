"""Decisions by signed messages: one use, one digest, a few minutes; whatever is forged or said again has no effect."""

import base64
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from governance.people.scopes import AccessScope
from runtime.signatures import sign

KEY = b"a key of thirty-two bytes, no less"
SECRET = "whsec_" + base64.b64encode(KEY).decode()


@dataclass
class Sender:
    """Whoever signs; each part of a message can be another one than it should be."""

    url: str
    revision: Any
    name: str = "desk"
    key: bytes = KEY
    kind: str = "workflow.approve"
    changes: dict[str, Any] = field(default_factory=dict)

    def body(self, **changes: Any) -> bytes:
        data = {"revision": self.revision.id, "digest": self.revision.digest, "by": "ann", "reason": "seen"}
        return json.dumps({"type": self.kind, "data": data | self.changes | changes}).encode()

    def headers(self, body: bytes, message: str = "msg_1", at: float = 0.0) -> dict[str, str]:
        moment = str(int(time.time() + at))
        signature = sign(self.key, message, moment, body)
        return {"webhook-id": message, "webhook-timestamp": moment, "webhook-signature": signature}

    async def post(self, body: bytes, headers: dict[str, str]) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as client:
            return await client.post(f"/webhooks/{self.name}", content=body, headers=headers)

    async def send(self, **headers: Any) -> httpx.Response:
        body = self.body()
        return await self.post(body, self.headers(body, **headers))


@pytest.fixture
async def sender(lab: Any, server: Any, tmp_path: Path) -> Sender:
    (tmp_path / "secret").write_text(SECRET)
    await lab.service.webhooks.add("desk", f"file:{tmp_path / 'secret'}", actor="boss")
    await lab.token("admin")
    return Sender(server.url, await lab.submit("list"))


async def state(lab: Any, sender: Sender) -> str:
    return str((await lab.service.revisions.get(sender.revision.id)).state)


def test_a_signature_is_the_one_that_the_reference_library_makes() -> None:
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    made = sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_a_signed_message_approves_as_its_sender_and_the_audit_says_who_pressed_the_button(
    lab: Any, sender: Sender
) -> None:
    answer = await sender.send()
    assert (answer.status_code, answer.json()["state"]) == (200, "approved")
    (row,) = await lab.service.audit.find(action="revision.approved", subject=f"revision:{sender.revision.id}")
    assert (row.actor, row.detail["reason"]) == ("webhook:desk", "by ann: seen")
    assert sender.revision.content.tool["name"] in lab.service.live.now.entries


async def test_a_signed_message_rejects(lab: Any, sender: Sender) -> None:
    sender.kind = "workflow.reject"
    assert (await sender.send()).json()["state"] == "rejected"


async def test_one_of_several_signatures_is_enough_while_a_secret_is_exchanged(sender: Sender) -> None:
    body = sender.body()
    headers = sender.headers(body)
    headers["webhook-signature"] = f"v1,{'A' * 44} v1a,other {headers['webhook-signature']}"
    assert (await sender.post(body, headers)).status_code == 200


FORGED: dict[str, Any] = {
    "no headers": lambda s, b: {},
    "no signature": lambda s, b: s.headers(b) | {"webhook-signature": ""},
    "another key": lambda s, b: Sender("", s.revision, key=b"x" * 32).headers(b),
    "another body": lambda s, b: s.headers(b + b" "),
    "another id": lambda s, b: s.headers(b) | {"webhook-id": "msg_2"},
    "another moment": lambda s, b: s.headers(b) | {"webhook-timestamp": str(int(time.time()) + 1)},
    "signed too long ago": lambda s, b: s.headers(b, at=-301),
    "signed in the future": lambda s, b: s.headers(b, at=302),
    "a moment in another spelling": lambda s, b: s.headers(b) | {"webhook-timestamp": f"{int(time.time())}.0"},
    "another version": lambda s, b: (
        s.headers(b) | {"webhook-signature": s.headers(b)["webhook-signature"].replace("v1,", "v2,")}
    ),
    "half a signature": lambda s, b: s.headers(b) | {"webhook-signature": s.headers(b)["webhook-signature"][:-8]},
    "not base64": lambda s, b: s.headers(b) | {"webhook-signature": "v1,!!! v1 ,"},
    "signed with the secret as it is written": lambda s, b: Sender("", s.revision, key=SECRET.encode()).headers(b),
    "signed without an id": lambda s, b: s.headers(b, message="") | {"webhook-id": "msg_1"},
    "in hexadecimal": lambda s, b: (
        s.headers(b) | {"webhook-signature": "v1," + base64.b64decode(s.headers(b)["webhook-signature"][3:]).hex()}
    ),
    "an id beyond ASCII": lambda s, b: {**s.headers(b), "webhook-id": b"msg_\xe9"},
    "an endless id": lambda s, b: s.headers(b, message="m" * 129),
}


@pytest.mark.parametrize("how", FORGED)
async def test_what_is_forged_has_no_effect_and_is_answered_like_an_unknown_sender(
    lab: Any, sender: Sender, how: str
) -> None:
    body = sender.body()
    answer = await sender.post(body, FORGED[how](sender, body))
    unknown = await Sender(sender.url, sender.revision, name="nobody").send()
    assert (answer.status_code, answer.text) == (401, unknown.text)
    assert await state(lab, sender) == "pending"


async def test_a_message_that_was_used_is_refused_though_its_signature_fits(lab: Any, sender: Sender) -> None:
    body = sender.body(digest="sha256:" + "0" * 64)
    headers = sender.headers(body)
    assert (await sender.post(body, headers)).status_code == 409
    again = await sender.post(body, headers)
    assert (again.status_code, again.json()["title"]) == (409, "conflict")
    other = sender.body()
    replayed = await sender.post(other, sender.headers(other, message="msg_1"))
    assert replayed.status_code == 409
    assert await state(lab, sender) == "pending"


@pytest.mark.parametrize(
    ("changes", "status", "title"),
    [
        ({"digest": "sha256:" + "0" * 64}, 409, "digest mismatch"),
        ({"expires_at": (datetime.now(UTC) - timedelta(seconds=1)).isoformat()}, 409, "expired"),
        ({"digest": "none"}, 422, "bad request"),
        ({"more": 1}, 422, "bad request"),
        ({"revision": "toy-none"}, 404, "not found"),
    ],
)
async def test_a_decision_counts_for_its_digest_and_until_its_end_only(
    lab: Any, sender: Sender, changes: dict[str, Any], status: int, title: str
) -> None:
    sender.changes = changes
    answer = await sender.send()
    assert (answer.status_code, answer.json()["title"]) == (status, title)
    assert await state(lab, sender) == "pending"


async def test_a_removed_sender_and_one_whose_secret_is_too_short_do_not_count(
    lab: Any, sender: Sender, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("whsec_" + base64.b64encode(b"short").decode())
    sender.key = b"short"
    assert (await sender.send()).status_code == 401
    await lab.service.webhooks.remove("desk", actor="boss")
    assert (await sender.send(message="msg_2")).status_code == 401


async def test_a_sender_decides_within_its_scope_only(lab: Any, sender: Sender, tmp_path: Path) -> None:
    scope = AccessScope(workflows=("other*",))
    await lab.service.webhooks.add("narrow", f"file:{tmp_path / 'secret'}", scope=scope, actor="boss")
    sender.name = "narrow"
    assert (await sender.send()).status_code == 404
    assert await state(lab, sender) == "pending"
