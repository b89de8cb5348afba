"""What agents are told of PowerDNS is so: its own description, calls over MCP, and what it shows before and after.

PowerDNS (Debian's, 4.7) takes some members of a zone and ignores others, writes names with a trailing dot, counts the
serial itself, answers updates with 204, and describes more than it does. Figures: docs/REAL_SERVERS.md.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from compiler.compiled import Compiled
from compiler.pipeline import Request
from compiler.verification import compile_spec
from tests.peers.agent import Agent, serving, written_down
from tests.peers.claims import Call, Picture
from tests.peers.processes import WORD, powerdns

PROFILE = Path(__file__).parent / "profiles/powerdns.yaml"
HEADERS = {"X-API-Key": WORD}
ZONES = "/servers/localhost/zones"
LAB = f"{ZONES}/lab.example."
# What the server counts by itself.
COUNTED = ("serial", "edited_serial", "notified_serial")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.unwitnessed("PowerDNS is another's process and keeps no list of what it was asked"),
]


def look(url: str) -> Picture:
    """All that it keeps: zones with their records, metadata and keys, TSIG keys, autoprimaries."""
    with httpx.Client(base_url=f"{url}/api/v1", headers=HEADERS, trust_env=False) as client:

        def ask(path: str) -> Any:
            return client.get(path).raise_for_status().json()

        found = {path: ask(path) for path in (ZONES, "/servers/localhost/tsigkeys", "/servers/localhost/autoprimaries")}
        for key in found["/servers/localhost/tsigkeys"]:
            found[path] = ask(path := f"/servers/localhost/tsigkeys/{key['id']}")
        for zone in found[ZONES]:
            path = f"{ZONES}/{zone['id']}"
            found[path] = by_name(ask(path))
            found |= {f"{path}/metadata/{each['kind']}": each for each in ask(f"{path}/metadata")}
            found |= {f"{path}/cryptokeys/{each['id']}": each for each in ask(f"{path}/cryptokeys")}
        return found


def by_name(zone: dict[str, Any]) -> dict[str, Any]:
    """The zone with its records also under name and type."""
    return {**zone, "by_name": {f"{each['name']} {each['type']}": each for each in zone["rrsets"]}}


def rrset(name: str, kind: str, *contents: str, **more: Any) -> dict[str, Any]:
    records = [{"content": each, "disabled": False} for each in contents]
    return {"name": name, "type": kind, "ttl": 300, "changetype": "REPLACE", "records": records, **more}


def shown(name: str, kind: str, *contents: str) -> Mapping[str, Any]:
    """How the server shows these records."""
    records = [{"content": each, "disabled": False} for each in contents]
    return {f"/by_name/{name} {kind}/records": records}


def same(path: str, output: str = "item") -> Any:
    """The output is what stands at the address."""
    return lambda outputs, picture: bare(outputs[output]) == bare(picture[path])


def bare(thing: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in thing.items() if name not in ("by_name", *COUNTED)}


def ids(path: str) -> Any:
    """The items are those that stand below the address, by their ids."""
    return lambda outputs, picture: (
        sorted(str(each["id"]) for each in outputs["items"]) == sorted(str(each["id"]) for each in picture[path])
    )


NEW = {"name": "lab.example.", "kind": "Native", "nameservers": ["ns1.lab.example."]}
OF_LAB = {"zone": "lab.example."}
WWW = rrset("www.lab.example.", "A", "192.0.2.1", "192.0.2.2")
CALLS = (
    Call("pdns_create_zone", NEW, LAB, {"/kind": "Native", "/name": "lab.example."}),
    Call("pdns_create_zone", NEW, is_impossible=True),
    Call("pdns_create_zone", {"name": "nodot.example", "kind": "Native"}, is_impossible=True),
    Call("pdns_describe_zone", OF_LAB, reads=same(LAB)),
    Call("pdns_find_zones", reads=ids(ZONES)),
    Call("pdns_update_zone", {**OF_LAB, "kind": "Master"}, LAB, {"/kind": "Master"}, is_impossible=True),
    Call(
        "pdns_update_zone", {**OF_LAB, "rrsets": [WWW]}, LAB, shown("www.lab.example.", "A", "192.0.2.1", "192.0.2.2")
    ),
    Call(
        "pdns_update_zone",
        {**OF_LAB, "rrsets": [rrset("ftp.lab.example.", "A", "192.0.2.9")], "account": "ops"},
        LAB,
        {**shown("ftp.lab.example.", "A", "192.0.2.9"), "/account": "ops"},
    ),
    Call(
        "pdns_replace_zone", {**OF_LAB, "kind": "Master", "account": "ops"}, LAB, {"/kind": "Master", "/account": "ops"}
    ),
    Call("pdns_replace_zone", {**OF_LAB, "kind": "Native", "serial": 77}, LAB, {"/kind": "Native", "/serial": 77}),
    Call("pdns_delete_zone", OF_LAB, LAB, gone=True),
    Call("pdns_delete_zone", OF_LAB, is_impossible=True),
)


@pytest.fixture(scope="module")
def compiled_of() -> Any:
    def compiled(url: str, folder: Path) -> Compiled:
        answer = httpx.get(f"{url}/api/docs", headers={**HEADERS, "Accept": "application/json"}, trust_env=False)
        (folder / "openapi.json").write_bytes(answer.raise_for_status().content)
        return compile_spec(Request(folder / "openapi.json", PROFILE))[0]

    return compiled


@pytest.fixture
async def agent(tmp_path: Path, compiled_of: Any) -> AsyncIterator[Agent]:
    with powerdns(tmp_path) as url:
        compiled = await asyncio.to_thread(compiled_of, url, tmp_path)
        async with serving(compiled, f"{url}/api/v1", lambda: look(url), tmp_path) as agent:
            yield agent


async def test_nothing_that_is_said_of_zones_is_false(agent: Agent, tmp_path: Path) -> None:
    await agent.call_all(CALLS)
    table = written_down(agent, tmp_path)
    print(table)
    assert not agent.false, table
