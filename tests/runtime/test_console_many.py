"""What the console does to many at once, and once more: labels, plans, a run made again, a kept test, bundles."""

import contextlib
import re
import shutil
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.approval.policies import PolicyStore
from governance.approval.policy import policy_of
from governance.bundles import archive
from governance.bundles.envelope import read_envelope
from governance.bundles.keys import public_key_of
from governance.bundles.trust import TrustStore
from runtime.engines.dbos_process import beside
from runtime.secrets import Vault
from runtime.service import open_service
from tests.runtime.visits import visits

ITEM = re.compile(r'name="item" value="([^"]*)"( disabled)?')


@pytest.fixture
async def visit(lab: Any) -> AsyncIterator[Any]:
    async with visits(lab) as made:
        yield made


async def test_a_row_of_the_queue_says_what_is_missing_by_whom_until_when_and_how_old_it_is(
    lab: Any, visit: Any
) -> None:
    policy = {"classes": {"read": {"approvals": 2}}, "pending_days": 3}
    await PolicyStore(lab.service.database).apply(policy_of(policy), actor="boss")
    await lab.submit("list", actor="ann")
    bob = await visit("approver")
    queue = await bob.get("/console/queue")
    assert "0 of 2 approvals 2 more, of approvers other than ann in 2 d" in queue
    assert "toy-list-vms@1" not in await bob.get("/console/queue?older=1h"), "it has not waited for so long"
    refused = await bob.client.get("/workflows/pending?until=2026-13-01")
    assert refused.status_code in (401, 422)


async def test_on_all_that_have_the_labels_it_is_planned_and_what_was_chosen_is_applied_until_one_fails(
    lab: Any, visit: Any, device: Any
) -> None:
    for name in ("rack-1", "rack-2"):
        await lab.target(device.url, name, labels=(("site", "oslo"),))
    await lab.service.live.reload()
    operator = await visit("operator")
    path = "/console/workflows/toy-stop-vm/try"
    assert "there are site=oslo" in await operator.get(path)
    planned = await operator.send(path, **{"in.uuid": "u-1", "labels": "site=oslo", "parallel": "1", "stop": "yes"})
    assert planned.status_code == 200, planned.text
    words, items = operator.read(planned), [unescape(each) for each, _ in ITEM.findall(planned.text)]
    assert "toy-stop-vm: planned on 2 of 2" in words and words.count("/api/vms/u-1/stop") == 2
    assert [each.split(" ")[1] for each in items] == ["rack-1", "rack-2"]
    assert [heard for heard in device.heard if heard.method == "POST"] == [], "nothing was changed yet"
    chosen = {"action": "apply these", "item": items[1:], "inputs": operator.fields["inputs"], "parallel": "1"}
    done = await operator.send(path, **chosen)
    assert "toy-stop-vm: done on 1 of 1" in operator.read(done) and "rack-2 succeeded" in operator.read(done), done.text
    assert len([heard for heard in device.heard if heard.method == "POST"]) == 1
    again = operator.read(await operator.send(path, **chosen))
    assert "done on 0 of 1" in again and "refused" in again, "a plan is good once"
    items = [f"toy-stop-vm lab plan-{number} run-{number}" for number in range(3)]
    told = await operator.send(path, action="apply these", item=items, inputs="{}", parallel="1", stop="yes")
    words = operator.read(told)
    assert (words.count("refused"), words.count("not begun another one failed before")) == (1, 2), words
    nobody = await operator.send(path, **{"in.uuid": "u-1", "labels": "site=rome"})
    assert (nobody.status_code, "has the labels site=rome" in nobody.text) == (422, True)


async def test_a_run_is_planned_again_by_one_click_and_what_was_secret_in_it_is_asked_for(
    lab: Any, visit: Any, device: Any, monkeypatch: Any
) -> None:
    operator = await visit("operator")
    path = "/console/workflows/toy-stop-vm/try"
    await operator.get(path)
    plan = await operator.send(path, **{"in.uuid": "u-1", "target": "lab"})
    operator.read(plan)
    done = await operator.send(path, **{name: operator.fields[name] for name in ("plan_id", "inputs", "target")})
    page = await operator.client.get(done.headers["location"])
    operator.read(page)
    assert f'action="{path}"' in page.text and "Again, as a plan" in page.text
    again = await operator.send(path, run=operator.fields["run"])
    assert "The plan: nothing was changed yet" in operator.read(again)
    assert operator.fields["inputs"] == '{"uuid":"u-1"}' and "/api/vms/u-1/stop" in again.text
    assert len([heard for heard in device.heard if heard.method == "POST"]) == 1
    run_id = done.headers["location"].rpartition("/")[2]
    other = await visit("operator")
    await other.get(path)
    assert (await other.send(path, run=run_id)).status_code == 404, "not their run"
    monkeypatch.setattr("runtime.console.pages.calls.MASK", "u-1")
    assert "What was secret in that run is not kept" in operator.read(await operator.send(path, run=run_id))


async def test_the_last_test_of_a_target_stays_on_its_page_for_whoever_looks(lab: Any, visit: Any) -> None:
    operator, viewer = await visit("operator"), await visit("viewer")
    assert "Tested by" not in await viewer.get("/console/targets/lab")
    await operator.get("/console/targets/lab")
    assert (await operator.send("/console/targets/lab", action="test")).status_code == 303
    page = await viewer.get("/console/targets/lab")
    assert "It can be used Tested by operator-1" in page and "tcp good port" in page
    assert (await lab.service.targets.get("lab")).name == "lab", "the target is as its own rows of the audit say"


@contextlib.asynccontextmanager
async def another(migrated: Path, place: Path, tools: Any) -> AsyncIterator[Any]:
    """A second installation, with nothing in it."""
    for made, wanted in ((migrated, place), (beside(migrated), beside(place))):
        wanted.touch(mode=0o600)
        shutil.copyfile(made, wanted)
    url = f"sqlite+aiosqlite:///{place}"
    async with open_service(url, Vault({})) as service:
        yield tools.House(url, service)


async def test_a_bundle_is_made_here_signed_elsewhere_judged_and_brought(
    lab: Any, visit: Any, tools: Any, migrated: Path, tmp_path: Path
) -> None:
    admin = await visit()
    await admin.get("/console/bundles")
    made = await admin.send("/console/bundles", action="export", name="plant", version="7", api=["toy"])
    assert made.headers["content-disposition"] == 'attachment; filename="plant-7.bundle"', made.text
    unsigned = await admin.send_file("/console/bundles", "bundle", made.content, action="import")
    assert (unsigned.status_code, "nobody signed it" in unsigned.text) == (409, True)
    key, members = Ed25519PrivateKey.generate(), archive.unpack(made.content)
    envelope = read_envelope(members[archive.ENVELOPE], is_signed=False).signed_with(key)
    signed = archive.pack({**members, archive.ENVELOPE: envelope.to_bytes()})
    stranger = await admin.send_file("/console/bundles", "bundle", signed, action="verify")
    assert stranger.status_code == 409, "nobody here trusts its key"
    await TrustStore(lab.service.database).trust(public_key_of(key), "ann", actor="boss", role="admin")
    own = await admin.send_file("/console/bundles", "bundle", signed, action="verify")
    assert (own.status_code, "was compiled here" in own.text) == (409, True), "judged by what belongs to whom"
    for data in (b"", b"no bundle", signed[:-512]):
        assert (await admin.send_file("/console/bundles", "bundle", data, action="import")).status_code == 422
    approver = await visit("approver")
    page = await approver.get("/console/bundles")
    assert "Import it" not in page and "Would it be taken" in page
    assert (await approver.send_file("/console/bundles", "bundle", signed, action="import")).status_code == 403
    assert (await lab.service.audit.find(limit=1000))[-1].action != "bundle.imported"
    async with another(migrated, tmp_path / "edge.db", tools) as edge, visits(edge) as there:
        await TrustStore(edge.service.database).trust(public_key_of(key), "ann", actor="boss", role="admin")
        boss = await there()
        await boss.get("/console/bundles")
        judged = boss.read(await boss.send_file("/console/bundles", "bundle", signed, action="verify"))
        assert "plant 7 would be taken" in judged and "2 new or changed, 0 as they are, 0 retired" in judged
        assert len(edge.service.live.now.entries) == 0
        brought = boss.read(await boss.send_file("/console/bundles", "bundle", signed, action="import"))
        assert "plant 7 is here" in brought and "Signed by ann" in brought
        assert len(edge.service.live.now.entries) == 2, "served at once"
        assert "plant" in await boss.get("/console/bundles")
