"""What agents are told of Kinto is so: its own description, calls over MCP, and what it shows before and after.

Kinto wraps all in `data`, keeps whatever members it is given, adds its own, answers a creation of what is there with
200 and without a change, what is gone with 404 or 403, and hashes passwords. Figures: docs/REAL_SERVERS.md.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from compiler.compiled import Compiled
from compiler.pipeline import CompileRequest
from compiler.verification import compile_spec
from tests.peers.agent import Agent, serving
from tests.peers.claims import Call, Picture
from tests.peers.processes import USER, WORD, kinto

PROFILE = Path(__file__).parent / "profiles/kinto.yaml"
BUCKET = "/buckets/rack"
LAB = f"{BUCKET}/collections/lab"
TEAM = f"{BUCKET}/groups/team"
OF_RACK = {"bucket_id": "rack"}
OF_LAB = {**OF_RACK, "collection_id": "lab"}
OF_R1 = {**OF_LAB, "collection_record_id": "r1"}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.unwitnessed("Kinto is another's process and keeps no list of what it was asked"),
]


def look(url: str) -> Picture:
    """All that it keeps, each thing at its address."""
    with httpx.Client(base_url=f"{url}/v1", auth=(USER, WORD), trust_env=False) as client:
        found: dict[str, Any] = {}

        def keep(path: str, *below: str) -> None:
            answer = client.get(path)  # 401 once the account itself is gone
            for each in answer.json()["data"] if answer.is_success else ():
                own = f"{path}/{each['id']}"
                found[own] = found[f"{path}/{each.get('title')}"] = masked(client.get(own).raise_for_status().json())
                for name in below:
                    keep(f"{own}/{name}", *(("records",) if name == "collections" else ()))

        for name in (USER, "ann"):  # each sees only itself in the list
            if (account := client.get(f"/accounts/{name}")).is_success:
                found[f"/accounts/{name}"] = masked(account.json())
        keep("/buckets", "collections", "groups")
        return found


def masked(body: Any) -> Any:
    """As the product gives it out: without passwords."""
    return json.loads(re.sub(r'"password": "[^"]*"', '"password": "[redacted]"', json.dumps(body)))


def ids(prefix: str) -> Any:
    """The items are those right below the address, by their ids."""

    def is_so(outputs: Any, picture: Picture) -> bool:
        below = [path for path in picture if path.rpartition("/")[0] == prefix]
        return {each["id"] for each in outputs["items"]} == {picture[path]["data"]["id"] for path in below}

    return is_so


def same(path: str) -> Any:
    def is_same(outputs: Any, picture: Picture) -> bool:
        return outputs["item"] in (picture[path], picture[path]["data"])

    return is_same


def made_by_batch(name: str) -> dict[str, Any]:
    return {"method": "POST", "path": f"/v1{BUCKET}/collections", "body": {"data": {"id": name}}}


R1 = f"{LAB}/records/r1"
MEMBERS = ["account:ann", "account:bob"]
BATCH = {"method": "POST", "path": f"/v1{BUCKET}/collections", "body": {"data": {"id": "by-batch"}}}
UNKNOWN_TO_IT = {"method": "PATCH", "path": "/v1/nowhere", "body": {}}
OF_ANOTHER = {"method": "DELETE", "path": "/v1/buckets/nowhere"}
NEW_RECORD = {"id": "r1", "size": 12, "tags": ["b", "a"], "deep": {"x": 1.5}}
OF_TEAM = {**OF_RACK, "group_id": "team"}
OF_ANN = {"account_id": "ann"}
SAMPLE = (
    Call("kinto_create_bucket", {"data": {"id": "rack", "colour": "red"}}, BUCKET, {"/data/colour": "red"}),
    # Answered with 200 and what is there; nothing is changed.
    Call("kinto_create_bucket", {"data": {"id": "rack", "colour": "blue"}}, is_impossible=True),
    Call("kinto_create_bucket", {"data": {"id": "rack", "colour": "red"}}, is_impossible=True),
    Call("kinto_run_batch", {"requests": [OF_ANOTHER, OF_ANOTHER]}, is_impossible=True),
    Call("kinto_describe_bucket", OF_RACK, reads=same(BUCKET)),
    Call("kinto_update_bucket", {**OF_RACK, "data": {"colour": "green"}}, BUCKET, {"/data/colour": "green"}),
    Call("kinto_update_bucket", {**OF_RACK, "data": {"colour": "green"}}, BUCKET, {"/data/colour": "green"}),
    Call("kinto_update_bucket", {"bucket_id": "nowhere", "data": {"a": 1}}, is_impossible=True),
    Call("kinto_replace_account", {**OF_ANN, "password": "of-ann-1"}, "/accounts/ann", {"/data/id": "ann"}),
    Call("kinto_find_accounts"),
    Call("kinto_delete_bucket", OF_RACK, BUCKET, gone=True),
    Call("kinto_delete_bucket", OF_RACK, is_impossible=True),
)
MORE = (
    Call("kinto_create_bucket", {"data": {"id": "rack"}}, BUCKET, {"/data/id": "rack"}),
    Call("kinto_replace_bucket", {**OF_RACK, "data": {"shelf": 4}}, BUCKET, {"/data/shelf": 4}),
    Call("kinto_replace_bucket", {"bucket_id": "other", "data": {"a": 1}}, "/buckets/other", {"/data/a": 1}),
    Call("kinto_find_buckets", reads=ids("/buckets")),
    Call("kinto_create_collection", {**OF_RACK, "data": {"id": "lab", "note": "a"}}, LAB, {"/data/note": "a"}),
    Call("kinto_describe_collection", OF_LAB, reads=same(LAB)),
    Call("kinto_update_collection", {**OF_LAB, "data": {"note": "b"}}, LAB, {"/data/note": "b"}),
    Call("kinto_replace_collection", {**OF_LAB, "data": {"note": "c"}}, LAB, {"/data/note": "c"}),
    Call(
        "kinto_create_group", {**OF_RACK, "data": {"id": "team", "members": MEMBERS}}, TEAM, {"/data/members": MEMBERS}
    ),
    Call("kinto_update_group", {**OF_TEAM, "data": {"members": MEMBERS[1:]}}, TEAM, {"/data/members": MEMBERS[1:]}),
    Call("kinto_replace_group", {**OF_TEAM, "data": {"members": []}}, TEAM, {"/data/members": []}),
    Call("kinto_describe_group", OF_TEAM, reads=same(TEAM)),
    Call("kinto_create_collection_record", {**OF_LAB, "data": NEW_RECORD}, R1, {"/data/size": 12, "/data/deep/x": 1.5}),
    Call(
        "kinto_create_collection_record",
        {**OF_LAB, "data": {"title": "no id"}},
        f"{LAB}/records/no id",
        {"/data/title": "no id"},
    ),
    Call(
        "kinto_update_collection_record",
        {**OF_R1, "data": {"size": 13, "deep": {"y": 2}}},
        R1,
        {"/data/size": 13, "/data/deep/y": 2},
    ),
    # Taken with 200; versions are the server's own.
    Call("kinto_update_collection_record", {**OF_R1, "data": {"last_modified": 5}}, is_impossible=True),
    Call("kinto_replace_collection_record", {**OF_R1, "data": {"size": 1}}, R1, {"/data/size": 1}),
    Call("kinto_find_collection_records", OF_LAB, reads=ids(f"{LAB}/records")),
    Call("kinto_describe_collection_record", OF_R1, reads=same(R1)),
    Call("kinto_update_account", {**OF_ANN, "data": {"password": "of-ann-2"}}, is_traceless=True),
    Call("kinto_describe_account", OF_ANN, reads=same("/accounts/ann")),
    Call("kinto_run_batch", {"requests": [BATCH]}, f"{BUCKET}/collections/by-batch", {"/data/id": "by-batch"}),
    # Of these some are refused, each in another way; the others are made all the same.
    Call("kinto_run_batch", {"requests": [made_by_batch("second"), OF_ANOTHER]}, is_impossible=True),
    Call("kinto_run_batch", {"requests": [OF_ANOTHER, made_by_batch("third"), UNKNOWN_TO_IT]}, is_impossible=True),
    Call("kinto_run_batch", {"requests": [made_by_batch("no id"), made_by_batch("")]}, is_impossible=True),
    Call("kinto_run_batch", {"requests": [{"method": "BREW", "path": "/v1/"}]}, is_impossible=True),
    # One "makes" what is there, and is answered with it.
    Call("kinto_run_batch", {"requests": [BATCH, OF_ANOTHER]}, is_impossible=True),
    # Siblings: what is no id, what merges, what is the same again, what is in another order.
    Call("kinto_create_collection_record", {**OF_LAB, "data": {"id": "no id"}}, is_impossible=True),
    Call("kinto_update_collection_record", {**OF_R1, "data": {}}, is_traceless=True),
    Call("kinto_update_collection_record", {**OF_R1, "data": {"id": "r2"}}, is_impossible=True),
    Call("kinto_update_group", {**OF_TEAM, "data": {"members": MEMBERS[::-1]}}, TEAM),
    Call("kinto_update_group", {**OF_TEAM, "data": {"members": [*MEMBERS, *MEMBERS]}}, TEAM),
    Call("kinto_find_collections", OF_RACK, reads=ids(f"{BUCKET}/collections")),
    Call("kinto_find_groups", OF_RACK, reads=ids(f"{BUCKET}/groups")),
    Call("kinto_find_permissions"),
    Call("kinto_inventory_bucket", OF_RACK),
    *(
        Call(f"kinto_get_{name}")
        for name in ("api", "heartbeat", "lbheartbeat", "version", "server_info", "contribute_json")
    ),
    Call("kinto_delete_collection_record", OF_R1, R1, gone=True),
    Call("kinto_delete_collection_record", OF_R1, is_impossible=True),
    Call("kinto_remove_all_collection_records", OF_LAB, f"{LAB}/records/no id", gone=True),
    Call("kinto_delete_group", OF_TEAM, TEAM, gone=True),
    Call("kinto_remove_all_groups", OF_RACK),
    Call("kinto_delete_collection", OF_LAB, LAB, gone=True),
    Call("kinto_remove_all_collections", OF_RACK, f"{BUCKET}/collections/by-batch", gone=True),
    Call("kinto_delete_bucket", OF_RACK, BUCKET, gone=True),
    Call("kinto_remove_all_buckets", {}, "/buckets/other", gone=True),
    Call("kinto_delete_account", OF_ANN, "/accounts/ann", gone=True),
    Call("kinto_remove_all_accounts", {}, "/accounts/admin", gone=True),
)
# What the server does for nobody as it is set up here.
BEYOND = ("DELETE /__user_data__/{principal}",)


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[Agent]:
    with kinto(tmp_path) as url:
        compiled = await asyncio.to_thread(compiled_of, url, tmp_path)
        async with serving(compiled, f"{url}/v1", lambda: look(url), tmp_path) as agent:
            yield agent


def compiled_of(url: str, folder: Path) -> Compiled:
    (folder / "openapi.json").write_bytes(httpx.get(f"{url}/v1/__api__", trust_env=False).content)
    return compile_spec(CompileRequest(folder / "openapi.json", PROFILE))[0]


async def test_nothing_that_is_said_of_a_few_calls_of_kinto_is_false(agent: Agent) -> None:
    await agent.call_all(SAMPLE)
    assert not agent.false, agent.table()
    assert not agent.unclear, agent.table()


@pytest.mark.long
async def test_nothing_that_is_said_of_kinto_is_false_and_nearly_all_of_it_is_reached(agent: Agent) -> None:
    await agent.call_all((*SAMPLE, *MORE))
    assert not agent.false, agent.table()
    assert agent.share(BEYOND) >= 0.95, agent.unreached(BEYOND)
