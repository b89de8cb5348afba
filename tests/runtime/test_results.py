"""What is shown of a read: fields and items that were asked for, and what people read where nobody asks."""

import json
from typing import Any

import httpx
import jsonschema_rs
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.errors import BadInput
from runtime.results.brief import MOST_ROWS, usual_fields
from runtime.results.lenient import lenient
from runtime.results.shaping import SMALL_BYTES, Shaped, shaped
from runtime.results.tables import table_of
from runtime.results.view import MOST_FIELDS, READABLE, SELECT_SCHEMA, WHERE_SCHEMA, WHOLE, view_of
from tests.waiting import PATIENCE_S

ERAS = pytest.mark.parametrize("era", ["legacy", "2026-07-28"])
BYTES_A_TOKEN = 4


def client(url: str, era: str = "legacy") -> Client[Any]:
    return Client(StreamableHttpTransport(url), mode=era)  # type: ignore[arg-type]


def machine(number: int) -> dict[str, Any]:
    """As HyperCore tells a VM: many members, lists and objects among them."""
    uuid = f"00000000-0000-4000-8000-{number:012d}"
    disk = {"uuid": uuid, "path": "x" * 60, "capacity": 1 << 40, "readOnly": False, "type": "VIRTIO_DISK"}
    net = {"uuid": uuid, "vlan": number, "ipv4Addresses": [f"10.0.1.{number}"], "connected": True}
    return {
        "uuid": uuid,
        "nodeUUID": f"node-{number % 4}",
        "name": f"vm-{number:03d}",
        "description": "",
        "mem": 4 << 30,
        "numVCPU": 2 + number % 3,
        "state": "SHUTOFF" if number % 20 == 0 else "RUNNING",
        "console": {"type": "VNC", "ip": "10.0.0.1", "port": 5900 + number, "keymap": ""},
        "machineType": "scale-8.10",
        "created": 1700000000 + number,
        "modified": 1700009999,
        "tags": "web" if number % 2 else "db",
        "blockDevs": [disk, disk],
        "netDevs": [net],
        "snapUUIDs": [uuid] * 5,
        "replUUIDs": [],
        "affinityStrategy": {"strictAffinity": False, "preferredNodeUUID": ""},
        "operatingSystem": "os_other",
        "desiredDisposition": "RUNNING",
        "guestAgentState": "UNAVAILABLE",
    }


def machines(count: int) -> dict[str, Any]:
    return {"items": [machine(number) for number in range(count)], "incomplete": ""}


def tokens(told: Any) -> float:
    return len(json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()) / BYTES_A_TOKEN


def whole_of(told: Shaped) -> dict[str, Any]:
    return {**told.outputs, "shown": told.shown}


def test_what_is_small_comes_whole() -> None:
    outputs = machines(3)
    assert shaped(outputs, READABLE) == Shaped(outputs)


@pytest.mark.parametrize("count", [10, MOST_ROWS, MOST_ROWS + 1, 200, 3000])
def test_however_many_there_are_what_people_read_costs_two_thousand_tokens_and_the_counts_are_true(count: int) -> None:
    told = shaped(machines(count), READABLE)
    assert tokens(whole_of(told)) <= 2000
    assert told.shown["items"] == count
    if count <= MOST_ROWS:
        assert len(told.outputs["items"]) == count
        assert {"name", "state"} <= told.outputs["items"][0].keys()
    else:
        assert told.shown["summarised"] == count
        assert sum(told.shown["counts"]["state"].values()) == count
    assert "netDevs" in told.shown["other_fields" if count <= MOST_ROWS else "all_fields"]


def test_of_many_what_differs_is_told() -> None:
    told = shaped(machines(200), READABLE).shown
    assert told["counts"]["state"] == {"SHUTOFF": 10, "RUNNING": 190}
    assert told["counts"]["numVCPU"] == {"2": 67, "3": 67, "4": 66}
    assert told["alike"]["mem"] == 4 << 30
    assert (told["names"]["of"], told["names"]["by"]) == ("name", "state")
    assert told["names"]["are"]["SHUTOFF"] == [f"vm-{number:03d}" for number in range(0, 200, 20)]
    named = sum(len(names) for names in told["names"]["are"].values())
    assert named + told.get("names_left_out", 0) == 200


def test_usual_fields_are_told_by_their_names_and_what_says_nothing_is_none() -> None:
    usual = usual_fields(machines(60)["items"])
    assert usual[:3] == ["name", "uuid", "state"]
    assert not {"description", "netDevs", "nodeUUID"} & set(usual[:4])
    assert "description" not in usual
    server = {
        "@odata.id": "/x/1",
        "Id": "1",
        "Name": "S1",
        "Status": {"Health": "OK", "State": "On"},
        "Links": {"a": []},
    }
    assert usual_fields([server])[:4] == ["Name", "Id", "/Status/Health", "/Status/State"]


SELECTED = [
    ("name, state", {"name", "state"}),
    (["name", "/netDevs/0/vlan"], {"name", "/netDevs/0/vlan"}),
    ("/console/port", {"/console/port"}),
]


@pytest.mark.parametrize(("select", "names"), SELECTED)
def test_fields_are_chosen_by_name_and_by_pointer(select: Any, names: set[str]) -> None:
    told = shaped(machines(70), view_of(select, None))
    assert len(told.outputs["items"]) == 70
    assert all(set(row) == names for row in told.outputs["items"])
    assert told.shown == {"list": "/items", "items": 70}


CHOSEN = [
    ({"state": "shutoff"}, [0, 20, 40, 60]),
    ({"name": {"contains": "VM-01"}}, list(range(10, 20))),
    ({"created": {"greater": 1700000067}}, [68, 69]),
    ({"created": {"greater": "1700000067"}}, [68, 69]),
    ({"name": {"less": "vm-002"}}, [0, 1]),
    ({"tags": "db", "numVCPU": 4, "/netDevs/0/vlan": {"less": 10}}, [2, 8]),
    ({"/netDevs/0/ipv4Addresses": {"contains": "10.0.1.7"}}, [7]),
    ({"/netDevs/0/connected": True, "newest": 2}, [69, 68]),
    ({"newest": {"count": 1, "by": "/netDevs/0/vlan"}}, [69]),
    ({"name": "nobody"}, []),
]


@pytest.mark.parametrize(("where", "numbers"), CHOSEN)
def test_items_are_chosen_by_what_holds_of_them(where: Any, numbers: list[int]) -> None:
    told = shaped(machines(70), view_of("*", where))
    assert [row["name"] for row in told.outputs["items"]] == [f"vm-{n:03d}" for n in numbers]
    assert (told.shown["items"], told.shown["matching"]) == (70, len(told.outputs["items"]))
    assert jsonschema_rs.validator_for(WHERE_SCHEMA).is_valid(where)


def test_what_matches_is_shown_as_people_read_it_where_no_fields_are_named() -> None:
    told = shaped(machines(200), view_of(None, {"state": "SHUTOFF"}))
    assert (told.shown["items"], told.shown["matching"], len(told.outputs["items"])) == (200, 10, 10)
    assert tokens(whole_of(told)) <= 2000


REFUSED = [
    ({"select": "", "where": None}, "/select"),
    ({"select": 5, "where": None}, "/select"),
    ({"select": ",".join(map(str, range(MOST_FIELDS + 1))), "where": None}, "/select"),
    ({"select": "/a~2", "where": None}, "/select"),
    ({"select": None, "where": "state = on"}, "/where"),
    ({"select": None, "where": {"state": {"like": "x"}}}, "/where/state"),
    ({"select": None, "where": {"state": {"equals": 1, "less": 2}}}, "/where/state"),
    ({"select": None, "where": {"state": ["a"]}}, "/where/state"),
    ({"select": None, "where": {"state": {"greater": None}}}, "/where/state"),
    ({"select": None, "where": {"newest": 0}}, "/where/newest"),
    ({"select": None, "where": {"newest": True}}, "/where/newest"),
    ({"select": None, "where": {f"f{n}": 1 for n in range(9)}}, "/where"),
    ({"select": None, "where": {"name": "x" * 201}}, "/where/name"),
]


@pytest.mark.parametrize(("given", "pointer"), REFUSED)
def test_what_is_no_choice_is_refused_at_its_place(given: Any, pointer: str) -> None:
    with pytest.raises(BadInput) as told:
        view_of(**given)
    assert told.value.pointer == pointer
    schemas = {"properties": {"select": SELECT_SCHEMA, "where": WHERE_SCHEMA}}
    shown = {name: value for name, value in given.items() if value is not None}
    if not isinstance(given["select"], str):
        assert not jsonschema_rs.validator_for(schemas).is_valid(shown)


@pytest.mark.parametrize("given", [{"select": "vmname", "where": None}, {"select": None, "where": {"vmname": "a"}}])
def test_a_field_that_no_item_has_is_told_with_those_that_are_there(given: Any) -> None:
    with pytest.raises(BadInput, match="vmname") as told:
        shaped(machines(3), view_of(**given))
    assert "name" in told.value.remedy
    assert shaped({"items": []}, view_of(**given)).outputs == {"items": []}


def test_of_one_thing_fields_are_chosen_and_large_members_are_named_with_their_sizes() -> None:
    thing = {**machine(1), "netDevs": machine(1)["netDevs"] * 90}
    assert shaped({"item": thing}, view_of("name, mem", None)).outputs == {"item": {"name": "vm-001", "mem": 4 << 30}}
    told = shaped({"item": thing}, READABLE)
    assert "netDevs" not in told.outputs["item"]
    assert told.shown["left_out"]["netDevs"].startswith("90 items")
    assert told.outputs["item"]["state"] == "RUNNING"
    with pytest.raises(BadInput, match="no items"):
        shaped({"item": thing}, view_of(None, {"state": "RUNNING"}))


def test_a_list_below_an_envelope_is_the_table() -> None:
    found = table_of({"result": {"Members": [{"a": 1}], "Name": "x"}})
    assert found is not None and found.pointer == "/result/Members"


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(st.dictionaries(st.sampled_from(["name", "state", "a", "b"]), JSON_VALUES), max_size=8))
def test_whatever_the_items_are_counts_are_true_and_nothing_is_shown_that_is_not_there(rows: Any) -> None:
    """Repeated until it is large, so that it is summarised, too."""
    for outputs in ({"items": rows}, {"items": rows * 60}):
        told = shaped(outputs, READABLE)
        if not told.shown:
            assert told.outputs == outputs
            continue
        assert told.shown["items"] == len(outputs["items"])
        for counted in told.shown.get("counts", {}).values():
            assert sum(counted.values()) == told.shown["summarised"]
        for shown, row in zip(told.outputs.get("items", []), outputs["items"], strict=False):
            assert all(row[name] == value for name, value in shown.items() if not name.startswith("/"))


@settings(max_examples=50, deadline=None)
@given(value=st.dictionaries(st.sampled_from("abc"), JSON_VALUES))
def test_a_lenient_schema_accepts_what_the_whole_one_does_and_parts_of_it(value: Any) -> None:
    whole = {
        "type": "object",
        "properties": {
            "a": {"type": ["object", "array"], "required": ["b"], "minItems": 1, "items": {"required": ["c"]}}
        },
        "required": ["a", "b"],
        "additionalProperties": False,
    }
    loose = jsonschema_rs.validator_for(lenient(whole))
    if jsonschema_rs.validator_for(whole).is_valid(value):
        assert loose.is_valid(value)
        assert all(loose.is_valid({name: part for name, part in value.items() if name != left}) for left in value)
    assert not loose.is_valid({"a": 1})


@pytest.fixture
async def many(lab: Any, device: Any) -> Any:
    device.script.machines = machines(200)["items"]
    await lab.approve("list")
    await lab.service.live.reload()
    return lab


@ERAS
async def test_an_agent_that_lists_two_hundred_machines_reads_two_thousand_tokens(
    many: Any, server: Any, era: str
) -> None:
    async with client(server.mcp, era) as opened:
        tools = {tool.name: tool for tool in await opened.list_tools()}
        told = await opened.call_tool("toy_list_vms", {})
        few = await opened.call_tool("toy_list_vms", {"select": "name,state", "where": {"state": "SHUTOFF"}})
        through = await opened.call_tool("run_workflow", {"name": "toy_list_vms", "arguments": {"select": "name"}})
        wrong = await opened.call_tool("toy_list_vms", {"select": "vmname"}, raise_on_error=False)
        (whole,) = await opened.read_resource(told.meta["switchgear"]["whole"])
    text, link = told.content
    assert len(text.text.encode()) / BYTES_A_TOKEN <= 2000
    assert told.structured_content["shown"]["items"] == 200
    assert str(link.uri) == told.meta["switchgear"]["whole"]
    assert len(json.loads(whole.text)["vms"]) == 200
    assert few.structured_content["vms"][0] == {"name": "vm-000", "state": "SHUTOFF"}
    assert few.structured_content["shown"] == {"list": "/vms", "items": 200, "matching": 10}
    assert through.structured_content["vms"][199] == {"name": "vm-199"}
    assert wrong.is_error and "vmname" in wrong.content[0].text and "name" in wrong.content[0].text
    properties = tools["toy_list_vms"].input_schema["properties"]
    assert properties == {"select": {"type": "string"}, "where": {"type": "object"}}
    assert not {"select", "where"} & tools["toy_stop_vm"].input_schema["properties"].keys()


async def test_what_changes_something_takes_no_choice(many: Any, server: Any, device: Any) -> None:
    async with client(server.mcp) as opened:
        told = await opened.call_tool("toy_stop_vm", {"uuid": "u-1", "select": "state"}, raise_on_error=False)
    assert told.is_error
    assert device.heard == []


async def test_over_rest_outputs_come_whole_unless_a_part_is_asked_for(many: Any, server: Any) -> None:
    async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE_S) as asking:
        whole = (await asking.post("/workflows/toy_list_vms/run", json={})).json()
        body = {"select": ["name"], "where": {"newest": 3}}
        part = (await asking.post("/workflows/toy_list_vms/run", json=body)).json()
        wrong = await asking.post("/workflows/toy_list_vms/run", json={"select": ["vmname"]})
        change = await asking.post("/workflows/toy_stop_vm/run", json={"inputs": {"uuid": "u-1"}, "select": ["a"]})
    assert (len(whole["outputs"]["vms"]), whole["shown"]) == (200, {})
    assert part["outputs"]["vms"] == [{"name": f"vm-{n}"} for n in (199, 198, 197)]
    assert part["shown"] == {"list": "/vms", "items": 200, "matching": 3}
    assert (wrong.status_code, wrong.json()["pointer"]) == (422, "/select")
    assert change.status_code == 422
    assert WHOLE.is_whole and SMALL_BYTES == 2000 * BYTES_A_TOKEN
