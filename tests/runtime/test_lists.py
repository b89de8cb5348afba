"""Lists over REST: pages with totals, filters that all count, and no parameter that is ignored."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from governance.approval.policies import PolicyStore
from governance.approval.policy import policy_of
from governance.people.scopes import AccessScope
from runtime.app import build


@pytest.fixture
async def api(lab: Any) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(build(lab.service).asgi)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


@pytest.mark.parametrize(
    ("path", "remedy"),
    [
        ("/workflows?state=pending&rsik=read", "did you mean risk?"),
        ("/workflows?stat=pending", "did you mean state?"),
        ("/runs?workflows=x", "did you mean workflow?"), ("/audit?actr=x", "did you mean actor?"),
        ("/workflows/toy-find-vm?full=1", "it takes none"),
        ("/health?x=1", "it takes none"), ("/targets?q=x", "it takes"),
    ],
)  # fmt: skip
async def test_a_parameter_that_a_route_does_not_know_is_refused_with_the_one_that_is_meant(
    api: httpx.AsyncClient, path: str, remedy: str
) -> None:
    refused = await api.get(path)
    assert (refused.status_code, refused.json()["title"]) == (422, "bad request")
    assert refused.json()["remedy"].startswith(remedy)


async def test_one_given_twice_is_refused_also_where_a_route_shares_it_with_others(api: httpx.AsyncClient) -> None:
    assert (await api.get("/audit?actor=a&actor=b")).status_code == 422


async def test_pages_have_a_total_and_lead_on_to_the_last(api: httpx.AsyncClient, lab: Any) -> None:
    for copy in range(5):
        await lab.submit("list", copy)
    found: list[str] = []
    path: str | None = "/workflows/pending?page=1&limit=2"
    while path:
        answer = await api.get(path)
        assert answer.headers["x-total-count"] == "5"
        found += [each["workflow_id"] for each in answer.json()]
        link = answer.headers.get("link", "")
        path = "/workflows/pending" + link.partition("<")[2].partition(">")[0] if link else None
    assert found == [f"toy-list-vms-{copy}" for copy in range(5)]
    assert (await api.get("/workflows?page=99")).json() == []
    assert (await api.get("/workflows?page=2&after=x")).status_code == 422


async def test_filters_all_count_and_are_counted(api: httpx.AsyncClient, lab: Any) -> None:
    await lab.submit("stop", 1, actor="ann")
    await lab.submit("find", 1, actor="ann")
    await lab.submit("find", 2, actor="bob")

    async def names(query: str) -> list[str]:
        return [each["workflow_id"] for each in (await api.get(f"/workflows?state=pending&{query}")).json()]

    assert await names("risk=disrupt") == ["toy-stop-vm-1"]
    assert await names("by=ann&risk=read") == ["toy-find-vm-1"]
    assert await names("q=FIND+2") == ["toy-find-vm-2"]
    assert await names("q=100%25") == await names("q=to_-") == []
    assert await names("workflow=toy-find-vm-2") == ["toy-find-vm-2"]
    assert await names("resource=vms&core=true&api=toy") == ["toy-stop-vm-1", "toy-find-vm-1", "toy-find-vm-2"]
    counts = (await api.get("/workflows/counts?state=pending&by=ann")).json()
    assert counts["risk"] == {"disrupt": 1, "read": 1}
    assert counts["created_by"] == {"ann": 2, "bob": 1}, "as if the filter of its own were not given"
    assert (counts["state"], counts["api"]) == ({"pending": 2}, {"toy": 2})


async def test_runs_name_their_workflow_and_are_found_by_it(api: httpx.AsyncClient) -> None:
    for vm in ("web-01", "none"):
        await api.post("/workflows/toy-find-vm/run", json={"inputs": {"vm": vm}})
    await api.post("/workflows/toy-stop-vm/run", json={"inputs": {"uuid": "u-1"}})

    async def found(query: str) -> list[tuple[str, int, str]]:
        answer = await api.get(f"/runs?{query}")
        assert answer.headers["x-total-count"] == str(len(answer.json()))
        return [(each["workflow_id"], each["number"], each["outcome"]) for each in answer.json()]

    assert await found("workflow=toy-stop-vm") == [("toy-stop-vm", 1, "succeeded")]
    assert await found("workflow=toy-find-vm&outcome=failed&target=lab&caller=local") == [("toy-find-vm", 1, "failed")]
    assert await found("target=other") == await found("caller=x") == await found("outcome=under+way") == []
    assert await found("since=2999-01-01T00:00:00Z") == []
    refused = [(await api.get(f"/runs?until={each}")).status_code for each in ("0", "1e10", "-1", "2999", "no")]
    assert refused == [422] * 5, "a moment, as the document says, and no number"
    assert (await api.get("/runs?limit=1&page=3")).json()[0]["workflow_id"] == "toy-find-vm"
    one = (await api.get("/runs?limit=1")).json()[0]
    assert (await api.get(f"/runs/{one['id']}")).json()["workflow_id"] == "toy-stop-vm"


async def test_what_is_pending_tells_what_it_takes_and_whose_it_is_not(api: httpx.AsyncClient, lab: Any) -> None:
    policy = {"classes": {"disrupt": {"approvals": 2}}}
    await PolicyStore(lab.service.database).apply(policy_of(policy), actor="boss")
    stop = await lab.submit("stop", 1, actor="local")
    other = await lab.submit("find", 1)
    told = {each["workflow_id"]: each for each in (await api.get("/workflows/pending")).json()}
    assert told["toy-stop-vm-1"]["votes_needed"] == 2
    assert told["toy-stop-vm-1"]["not_yours"] == "local submitted it and may not approve it"
    assert (told["toy-find-vm-1"]["votes_needed"], told["toy-find-vm-1"]["not_yours"]) == (1, "")
    refused = await api.post(f"/workflows/{stop.id}/approve", json={"digest": stop.digest})
    assert refused.json()["detail"] == told["toy-stop-vm-1"]["not_yours"], "what is told before is what is said then"
    assert (await api.post(f"/workflows/{other.id}/approve", json={"digest": other.digest})).status_code == 200
    (approved,) = (await api.get("/workflows?workflow=toy-find-vm-1")).json()
    assert approved["votes_needed"] is None


async def test_a_policy_is_tried_on_what_is_pending(api: httpx.AsyncClient, lab: Any) -> None:
    for name in ("find", "stop"):
        await lab.submit(name, 1)
    wanted = {"classes": {"read": {"approvals": 0}, "disrupt": {"approvals": 2}}}
    told = (await api.post("/policy/preview", json=wanted)).json()
    assert [(each["workflow_id"], each["would"], each["needed"]) for each in told] == [
        ("toy-find-vm-1", "approve itself", 0), ("toy-stop-vm-1", "wait", 2)
    ]  # fmt: skip
    assert (await api.get("/policy")).json()["number"] == 0
    assert [each["state"] for each in (await api.get("/workflows/pending")).json()] == ["pending", "pending"]


async def test_the_catalog_is_seen_with_the_eyes_of_a_token_by_admins_alone(lab: Any, api: httpx.AsyncClient) -> None:
    _, agent = await lab.service.principals.create_token("agent", "operator", scope=AccessScope(risks=("read",)))
    admin = await lab.token("admin")
    bearer = {name: {"authorization": f"Bearer {secret}"} for name, secret in (("agent", agent), ("admin", admin))}
    own = (await api.get("/catalog", headers=bearer["agent"])).json()
    seen = (await api.get("/catalog?as=agent", headers=bearer["admin"])).json()
    assert own == seen
    assert [tool["name"] for tool in own["tools"]] == ["toy_find_vm"]
    assert own["tokens"] == own["tokens_of_all"] > 0
    assert (await api.get("/catalog?as=admin", headers=bearer["agent"])).status_code == 403
    assert (await api.get("/catalog?as=nobody", headers=bearer["admin"])).status_code == 404
    whole = (await api.get("/catalog", headers=bearer["admin"])).json()
    assert {tool["name"] for tool in whole["tools"]} == {"toy_find_vm", "toy_stop_vm"}


async def test_devices_and_the_audit_tell_how_they_stand(api: httpx.AsyncClient, device: Any) -> None:
    assert (await api.get("/devices")).json() == []
    await api.post("/workflows/toy-find-vm/run", json={"inputs": {"vm": "web-01"}})
    (state,) = (await api.get("/devices")).json()
    assert (state["target"], state["device"], state["is_resting"]) == ("lab", f"127.0.0.1:{device.port}", False)
    verdict = (await api.get("/audit/verify")).json()
    assert (verdict["ok"], verdict["altered"]) == (True, [])
    newest = (await api.get("/audit?newest=true&limit=1")).json()
    assert newest[0]["seq"] == verdict["rows"]


async def test_revisions_are_found_by_how_they_came_about(api: httpx.AsyncClient, lab: Any) -> None:
    actors = ("compile:ann", "profile:ann", "model:agent", "import:ann", "bundle:site@3", "profile")
    for copy, actor in enumerate(actors):
        await lab.submit("find", copy, actor=actor)
    listed = (await api.get("/workflows/pending")).json()
    assert [each["how"] for each in listed] == ["compiled", "profile", "model", "import", "bundle", "compiled"]
    for how, number in (("compiled", 2), ("profile", 1), ("model", 1), ("import", 1), ("bundle", 1), ("server", 0)):
        found = await api.get(f"/workflows/pending?how={how}")
        assert found.headers["x-total-count"] == str(number), how
        assert {each["how"] for each in found.json()} <= {how}
    counts = (await api.get("/workflows/counts?state=pending&how=model")).json()
    assert counts["how"] == {"bundle": 1, "compiled": 2, "import": 1, "model": 1, "profile": 1}
    assert counts["created_by"] == {"model:agent": 1}
    assert (await api.get("/workflows/pending?how=guessed")).status_code == 422


async def test_what_is_pending_tells_on_demand_what_it_sends_and_why_its_class(
    api: httpx.AsyncClient, lab: Any
) -> None:
    one, _, other = [await lab.submit("stop", copy) for copy in range(3)]
    found = (await api.get(f"/workflows/pending?requests=true&id={one.id},{other.id},none")).json()
    assert [each["id"] for each in found] == [one.id, other.id]
    assert found[0]["requests"] == ["POST /vms/{id}/stop", "GET /tasks/{task}", "GET /vms/{id}"]
    assert (await api.get("/workflows/pending")).json()[0]["requests"] is None
