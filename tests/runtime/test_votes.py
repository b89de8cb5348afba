"""A4 over HTTP: self-approval, a second vote, a stale and a late decision, with every kind of credential.

Ann has a token, a user's session, a company's login and a name at the command line; an admin has said that these are
one person. Whatever she shows first and second, she has one vote.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from governance.approval.policies import PolicyStore
from governance.approval.policy import policy_of
from governance.storage.identifiers import utc_now

# The credential, and the name that it goes by.
ANNS = {"token": "ann-laptop", "session": "ann", "jwt": "4711"}
TWO = {"approvals": 2}
RULES = {"classes": dict.fromkeys(("read", "change", "disrupt", "destroy"), TWO), "pending_days": 1}
Headers = dict[str, str]


@pytest.fixture
async def anns(lab: Any, credentials: Any) -> dict[str, Headers]:
    shown = {kind: await credentials.of(kind, name, "approver") for kind, name in ANNS.items()}
    await lab.service.users.change("ann", also=("ann-laptop", "jwt:4711"), actor="boss")
    await PolicyStore(lab.service.database).apply(policy_of(RULES), actor="boss")
    return shown


@pytest.fixture
async def client(server: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
        yield client


async def approve(client: httpx.AsyncClient, revision: Any, headers: Headers, digest: str = "") -> tuple[int, str]:
    body = {"digest": digest or revision.digest, "reason": "seen"}
    answer = await client.post(f"/workflows/{revision.id}/approve", json=body, headers=headers)
    return answer.status_code, answer.json().get("title", "") if answer.status_code != 200 else answer.json()["state"]


@pytest.mark.parametrize("second", ANNS)
@pytest.mark.parametrize("first", ANNS)
async def test_whatever_somebody_shows_they_have_one_vote(
    lab: Any, credentials: Any, anns: Any, client: httpx.AsyncClient, first: str, second: str
) -> None:
    revision = await lab.submit("list")
    assert await approve(client, revision, anns[first]) == (200, "pending")
    assert await approve(client, revision, anns[second]) == (409, "conflict")
    bobs = await credentials.of(second, "bob", "approver")
    assert (await approve(client, revision, bobs))[0] == 200
    assert (await lab.service.revisions.get(revision.id)).state == "approved"


@pytest.mark.parametrize("kind", ANNS)
async def test_nobody_approves_what_they_submitted_whatever_they_show(
    lab: Any, anns: Any, client: httpx.AsyncClient, kind: str
) -> None:
    for copy, submitter in enumerate(("cli:ann", "ann-laptop", "jwt:4711")):
        revision = await lab.submit("list", copy, actor=submitter)
        assert await approve(client, revision, anns[kind]) == (403, "not allowed")
        assert (await lab.service.revisions.get(revision.id)).votes == ()


@pytest.mark.parametrize("kind", ANNS)
async def test_a_stale_decision_and_a_late_one_are_refused(
    lab: Any, credentials: Any, anns: Any, client: httpx.AsyncClient, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    revision = await lab.submit("list")
    other = "sha256:" + "0" * 64
    assert await approve(client, revision, anns[kind], other) == (409, "digest mismatch")
    monkeypatch.setattr(lab.service.database, "_clock", lambda: utc_now() + timedelta(days=1))
    headers = await credentials.of(kind, "late", "approver")
    status, title = await approve(client, revision, headers)
    assert (status, title) == (409, "wrong state")
    assert (await lab.service.revisions.get(revision.id)).votes == ()


@pytest.mark.parametrize("kind", ANNS)
async def test_a_vote_of_somebody_who_is_disabled_is_none(
    lab: Any, anns: Any, client: httpx.AsyncClient, kind: str
) -> None:
    revision = await lab.submit("list")
    await lab.service.users.disable("ann", actor="boss")
    lab.service.authenticator.forget()
    assert (await approve(client, revision, anns[kind]))[0] == 401
    assert (await lab.service.revisions.get(revision.id)).votes == ()
