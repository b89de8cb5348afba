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
from compiler.pipeline import CompileRequest
from compiler.verification import compile_spec
from tests.peers.agent import Agent, serving
from tests.peers.claims import Call, Picture
from tests.peers.processes import WORD, powerdns
from workflow.json.pointers import NOTHING

PROFILE = Path(__file__).parent / "profiles/powerdns.yaml"
OVERLAY = Path(__file__).parent / "profiles/powerdns.overlay.yaml"
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
OTHER = {"name": "Other.Example.", "kind": "Slave", "masters": ["192.0.2.53"]}
OF_LAB = {"zone": "lab.example."}
WWW = rrset("www.lab.example.", "A", "192.0.2.1", "192.0.2.2")
FTP = rrset("ftp.lab.example.", "A", "192.0.2.9")
NO_WWW = {"name": "www.lab.example.", "type": "A", "ttl": 300, "changetype": "DELETE", "records": []}
WWW_IS_SHOWN = shown("www.lab.example.", "A", "192.0.2.1", "192.0.2.2")
ACL = {**OF_LAB, "metadata_kind": "ALLOW-AXFR-FROM"}
ACL_AT = f"{LAB}/metadata/ALLOW-AXFR-FROM"
KEY = {**OF_LAB, "crypto_key": 1}
KEY_AT = f"{LAB}/cryptokeys/1"
TSIG = "/servers/localhost/tsigkeys"
PRIMARY = {"ip": "192.0.2.7", "nameserver": "ns.example.", "account": "a"}
SAMPLE = (
    Call("pdns_create_zone", NEW, LAB, {"/kind": "Native", "/name": "lab.example."}),
    Call("pdns_create_zone", NEW, is_impossible=True),
    Call("pdns_describe_zone", OF_LAB, reads=same(LAB)),
    Call("pdns_patch_zone", {**OF_LAB, "rrsets": [WWW]}, LAB, WWW_IS_SHOWN),
    # Members of a zone that PATCH ignores beside records, and refuses without them.
    Call("pdns_patch_zone", {**OF_LAB, "kind": "Master"}, is_impossible=True),
    Call("pdns_patch_zone", {**OF_LAB, "rrsets": [FTP], "account": "ops"}, LAB, {"/account": "ops"}),
    Call(
        "pdns_update_zone", {**OF_LAB, "kind": "Master", "account": "ops"}, LAB, {"/kind": "Master", "/account": "ops"}
    ),
    # The serial is the server's own: taken with 204, and ignored.
    Call("pdns_update_zone", {**OF_LAB, "kind": "Native", "serial": 77}, LAB, {"/kind": "Native", "/serial": 77}),
    Call("pdns_update_zone", {**OF_LAB, "serial": 78}, LAB, {"/serial": 78}),
    Call(
        "pdns_create_metadata",
        {**OF_LAB, "kind": "ALLOW-AXFR-FROM", "metadata": ["192.0.2.0/24"]},
        ACL_AT,
        {"/metadata": ["192.0.2.0/24"]},
    ),
    Call("pdns_delete_metadata", ACL, ACL_AT, gone=True),
    Call("pdns_delete_zone", OF_LAB, LAB, gone=True),
    Call("pdns_delete_zone", OF_LAB, is_impossible=True),
)
MORE = (
    Call("pdns_create_zone", {"name": "nodot.example", "kind": "Native"}, is_impossible=True),
    Call("pdns_ensure_zone", NEW, LAB, {"/kind": "Native"}),
    Call("pdns_ensure_zone", {**NEW, "kind": "Master"}, LAB, {"/kind": "Master"}),
    Call("pdns_create_zone", OTHER, f"{ZONES}/other.example.", {"/kind": "Slave", "/masters": ["192.0.2.53"]}),
    Call("pdns_find_zones", reads=ids(ZONES)),
    Call("pdns_patch_zone", {**OF_LAB, "rrsets": [WWW]}, LAB, WWW_IS_SHOWN),
    Call("pdns_patch_zone", {**OF_LAB, "rrsets": [NO_WWW]}, LAB, {"/by_name/www.lab.example. A": NOTHING}),
    Call("pdns_patch_zone", {**OF_LAB, "rrsets": [rrset("no-dot", "A", "192.0.2.1")]}, is_impossible=True),
    Call("pdns_patch_zone", {**OF_LAB, "rrsets": [rrset("x.lab.example.", "A", "not an address")]}, is_impossible=True),
    Call("pdns_update_zone", {**OF_LAB, "dnssec": True}, LAB, {"/dnssec": True}),
    Call(
        "pdns_update_zone",
        {**OF_LAB, "nameservers": ["ns9.lab.example."]},
        LAB,
        shown("lab.example.", "NS", "ns9.lab.example."),
    ),
    Call(
        "pdns_update_zone",
        {**OF_LAB, "soa_edit_api": "EPOCH", "api_rectify": True},
        LAB,
        {"/soa_edit_api": "EPOCH", "/api_rectify": True},
    ),
    Call("pdns_export_zone", OF_LAB),
    Call("pdns_inventory_zone", OF_LAB),
    Call("pdns_rectify_zone", OF_LAB, is_traceless=True),
    Call("pdns_notify_zone", OF_LAB, is_traceless=True),
    Call("pdns_retrieve_axfr_zone", {"zone": "other.example."}, is_traceless=True),
    Call("pdns_retrieve_axfr_zone", OF_LAB, is_impossible=True),
    Call("pdns_flush_cache_server", {"domain": "lab.example."}, is_traceless=True),
    Call("pdns_search_data_server", {"q": "lab*", "max": 10}),
    Call(
        "pdns_create_metadata",
        {**OF_LAB, "kind": "X-own", "metadata": ["b", "a"]},
        f"{LAB}/metadata/X-own",
        {"/metadata": ["b", "a"]},
    ),
    Call(
        "pdns_create_metadata",
        {**OF_LAB, "kind": "ALLOW-AXFR-FROM", "metadata": ["192.0.2.0/24"]},
        ACL_AT,
        {"/metadata": ["192.0.2.0/24"]},
    ),
    Call("pdns_update_metadata", {**ACL, "metadata": ["192.0.2.9"]}, ACL_AT, {"/metadata": ["192.0.2.9"]}),
    Call("pdns_describe_metadata", ACL, reads=same(ACL_AT)),
    Call("pdns_find_metadata", OF_LAB),
    # A key of one kind alone is kept as one of both.
    Call("pdns_create_crypto_key", {**OF_LAB, "keytype": "ksk", "active": False}, KEY_AT, {"/keytype": "ksk"}),
    Call("pdns_create_crypto_key", {**OF_LAB, "keytype": "csk"}, f"{LAB}/cryptokeys/2", {"/keytype": "csk"}),
    Call("pdns_update_crypto_key", {**KEY, "active": True}, KEY_AT, {"/active": True}),
    Call("pdns_update_crypto_key", {**KEY, "bits": 512}, is_impossible=True),
    Call("pdns_describe_crypto_key", KEY),
    Call("pdns_find_crypto_keys", OF_LAB),
    Call("pdns_delete_crypto_key", KEY, KEY_AT, gone=True),
    Call(
        "pdns_create_tsig_key", {"name": "k1", "algorithm": "hmac-sha256"}, f"{TSIG}/k1.", {"/algorithm": "hmac-sha256"}
    ),
    Call("pdns_create_tsig_key", {"name": "k1", "algorithm": "hmac-sha256"}, is_impossible=True),
    Call(
        "pdns_ensure_tsig_key", {"name": "k1", "algorithm": "hmac-sha256"}, f"{TSIG}/k1.", {"/algorithm": "hmac-sha256"}
    ),
    Call("pdns_update_tsig_key", {"tsig_key": "k1", "name": "k2"}, f"{TSIG}/k2.", {"/algorithm": "hmac-sha256"}),
    Call("pdns_describe_tsig_key", {"tsig_key": "k2"}),
    # A second key of the same name comes of it, which the server shows in the list alone.
    Call(
        "pdns_update_tsig_key",
        {"tsig_key": "k2", "algorithm": "hmac-sha512"},
        f"{TSIG}/k2.",
        {"/algorithm": "hmac-sha512"},
    ),
    Call("pdns_find_tsig_keys", reads=ids(TSIG)),
    Call("pdns_delete_tsig_key", {"tsig_key": "k2"}, is_impossible=True),
    Call(
        "pdns_create_tsig_key", {"name": "k3", "algorithm": "hmac-sha256"}, f"{TSIG}/k3.", {"/algorithm": "hmac-sha256"}
    ),
    Call("pdns_update_tsig_key", {"tsig_key": "k3", "key": "c2Vjb25k"}, f"{TSIG}/k3.", {"/key": "c2Vjb25k"}),
    Call("pdns_delete_tsig_key", {"tsig_key": "k3"}, f"{TSIG}/k3.", gone=True),
    Call("pdns_create_server_autoprimary", PRIMARY, "/servers/localhost/autoprimaries", {"/0/ip": "192.0.2.7"}),
    Call("pdns_find_server_autoprimaries"),
    Call("pdns_find_servers"),
    Call("pdns_describe_server"),
    Call("pdns_inventory_server"),
    Call("pdns_find_configs"),
    Call("pdns_find_statistics"),
    Call("pdns_delete_zone", OF_LAB, LAB, gone=True),
)
# The description has them, and the server answers 404 whatever is asked.
BEYOND = ("GET /error", "GET /servers/{server_id}/config/{config_setting_name}")


def compiled_of(url: str, folder: Path) -> Compiled:
    answer = httpx.get(f"{url}/api/docs", headers={**HEADERS, "Accept": "application/json"}, trust_env=False)
    (folder / "openapi.json").write_bytes(answer.raise_for_status().content)
    return compile_spec(CompileRequest(folder / "openapi.json", PROFILE, OVERLAY))[0]


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[Agent]:
    with powerdns(tmp_path) as url:
        compiled = await asyncio.to_thread(compiled_of, url, tmp_path)
        async with serving(compiled, f"{url}/api/v1", lambda: look(url), tmp_path) as agent:
            yield agent


async def test_nothing_that_is_said_of_a_few_calls_of_powerdns_is_false(agent: Agent) -> None:
    await agent.call_all(SAMPLE)
    assert not agent.false, agent.table()
    assert not agent.unclear, agent.table()
    # What is to become of records is no value that a zone shows: said to be done, and never to be seen.
    records = next(each.told for each in agent.verdicts if each.call.inputs.get("rrsets") == [WWW])
    assert (records.outcome, records.verified) == ("succeeded", "none")
    assert "not to be seen: /rrsets (they say what is to become of some records)" in records.text


@pytest.mark.long
async def test_nothing_that_is_said_of_powerdns_is_false_and_nearly_all_of_it_is_reached(agent: Agent) -> None:
    await agent.call_all((*SAMPLE, *MORE))
    assert not agent.false, agent.table()
    assert agent.share(BEYOND) >= 0.95, agent.unreached(BEYOND)
