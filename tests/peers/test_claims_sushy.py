"""What agents are told of OpenStack's Redfish emulator is so: calls over MCP, and what it shows before and after.

sushy-tools' emulator with its fake driver: power follows a reset after seconds, "Once" is kept as "Continuous", members
that it has not are refused or ignored. The description and the profile are the shipped ones. What the emulator can do
are its own routes; what it has beside the description is in ELSEWHERE. Figures: docs/REAL_SERVERS.md.
"""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from compiler.compiled import Compiled
from tests.peers.agent import Agent, serving
from tests.peers.claims import Call, Picture

SERVER = "27946b59-9e44-4fa7-8e91-f3527a1ef094"
SYSTEM = f"/redfish/v1/Systems/{SERVER}"
CD = f"{SYSTEM}/VirtualMedia/Cd"
DRIVE = "32ADF365C6C1B7BD"
NIC = "00:5c:52:31:3a:9c"
CONTROLLER = {
    "Id": "1",
    "Name": "Controller",
    "StorageControllers": [{"MemberId": "0", "Name": "RAID", "SpeedGbps": 12}],
}
SETTINGS: dict[str, Any] = {
    "SUSHY_EMULATOR_STORAGE": {SERVER: [{**CONTROLLER, "Drives": [DRIVE]}]},
    "SUSHY_EMULATOR_DRIVES": {(SERVER, "1"): [{"Id": DRIVE, "Name": "Drive 0", "CapacityBytes": 899527000000}]},
}
MOST_ADDRESSES = 200

pytestmark = [
    pytest.mark.slow,
    pytest.mark.unwitnessed("the picture of the emulator is taken by requests of our own"),
]


def look(url: str) -> Picture:
    """All that can be reached by links from the root."""
    found: dict[str, Any] = {}
    with httpx.Client(base_url=url, auth=("admin", "switchgear"), trust_env=False) as client:
        left = ["/redfish/v1"]
        while left and len(found) < MOST_ADDRESSES:
            answer = client.get(path := left.pop())
            if answer.is_success and "json" in answer.headers.get("content-type", ""):
                found[path] = bare(answer.json())
                linked = {each.rstrip("/") for each in re.findall(r'"@odata.id": ?"([^"#]+)"', answer.text)}
                left += sorted(linked - set(found) - set(left))
    return found


def bare(body: dict[str, Any]) -> dict[str, Any]:
    """Without the clock, and with passwords as the product gives them out."""
    hidden = {"Password": "[redacted]"} if body.get("Password") is not None else {}
    return {name: value for name, value in body.items() if name != "DateTime"} | hidden


def same(path: str) -> Any:
    return lambda outputs, picture: outputs["item"] == picture[path]


def shows(**members: Any) -> Mapping[str, Any]:
    return {f"/{name.replace('__', '/')}": value for name, value in members.items()}


MEDIUM = {"server_virtual_media": "Cd"}
SAMPLE = (
    Call("idrac_find_servers"),
    Call("idrac_describe_server", reads=same(SYSTEM)),
    # Taken with 204, and kept as "Continuous".
    Call(
        "idrac_update_server",
        {"Boot": {"BootSourceOverrideEnabled": "Once", "BootSourceOverrideTarget": "Pxe"}},
        SYSTEM,
        shows(Boot__BootSourceOverrideEnabled="Once", Boot__BootSourceOverrideTarget="Pxe"),
    ),
    Call("idrac_power_on_server", {"ResetType": "On"}, SYSTEM, shows(PowerState="On")),
    Call("idrac_power_off_server", {"ResetType": "ForceOff"}, SYSTEM, shows(PowerState="Off")),
    Call("idrac_power_off_server", {"ResetType": "ForceOff"}, is_impossible=True),
    Call("idrac_update_server", {"AssetTag": "RACK-7"}, is_impossible=True),
    Call("idrac_update_secure_boot", {"SecureBootEnable": True}, f"{SYSTEM}/SecureBoot", shows(SecureBootEnable=True)),
)
MORE = (
    Call("idrac_get_redfish_service_root"),
    Call("idrac_find_idracs"),
    Call("idrac_describe_idrac"),
    Call("idrac_find_chassis"),
    Call("idrac_describe_chassis"),
    Call("idrac_get_temperatures_and_fans"),
    Call("idrac_health_server"),
    Call("idrac_health_chassis"),
    Call("idrac_health_idrac"),
    Call("idrac_inventory_server"),
    Call("idrac_find_server_network_interfaces"),
    Call("idrac_describe_server_network_interface", {"server_network_interface": NIC}),
    Call("idrac_find_storage_controllers"),
    Call("idrac_describe_storage_controller", {"storage_controller": "1"}, reads=same(f"{SYSTEM}/Storage/1")),
    Call("idrac_find_drives", {"storage_controller": "1"}),
    Call("idrac_describe_drive", {"storage_controller": "1", "drive": DRIVE}),
    Call("idrac_get_secure_boot", reads=same(f"{SYSTEM}/SecureBoot")),
    Call("idrac_get_firmware_update"),
    Call("idrac_get_task_service"),
    Call("idrac_get_certificates"),
    Call("idrac_get_certificate_place"),
    Call("idrac_find_server_virtual_media"),
    Call("idrac_describe_server_virtual_media", MEDIUM, reads=same(CD)),
    Call("idrac_insert_server_virtual_media", {**MEDIUM, "Image": "IMAGE"}, CD, shows(Inserted=True)),
    Call("idrac_replace_server_virtual_media", {**MEDIUM, "Image": "IMAGE"}, CD, shows(Inserted=True)),
    Call("idrac_eject_server_virtual_media", MEDIUM, CD, shows(Inserted=False)),
    Call(
        "idrac_boot_once",
        {"BootSourceOverrideTarget": "Cd"},
        SYSTEM,
        shows(Boot__BootSourceOverrideTarget="Cd", Boot__BootSourceOverrideEnabled="Once"),
    ),
    Call("idrac_update_idrac", {"DateTime": "2026-11-20T12:00:00+00:00", "DateTimeLocalOffset": "+00:00"}),
    Call("idrac_update_idrac", {"DateTimeLocalOffset": "+25:00"}, is_impossible=True),
    Call("idrac_power_on_server", {"ResetType": "On"}, SYSTEM, shows(PowerState="On")),
    Call("idrac_restart_server", {"ResetType": "ForceRestart"}, SYSTEM, shows(PowerState="On")),
    Call(
        "idrac_boot_once_and_restart",
        {"BootSourceOverrideTarget": "Hdd"},
        SYSTEM,
        shows(Boot__BootSourceOverrideTarget="Hdd", PowerState="On"),
    ),
    Call("idrac_power_off_server", {"ResetType": "GracefulShutdown"}, SYSTEM, shows(PowerState="Off")),
    Call("idrac_describe_server", {"server": "another"}, is_impossible=True),
)
# Every route of the emulator that the fake driver stands behind, by the address that is called here. The others are
# 501 or 404 with this driver: processors, BIOS, volumes, certificates of media, chassis (PATCH).
CAN = (
    "GET /redfish/v1",
    "GET /redfish/v1/CertificateService",
    "GET /redfish/v1/CertificateService/CertificateLocations",
    "GET /redfish/v1/Chassis",
    "GET /redfish/v1/Chassis/{}",
    "GET /redfish/v1/Chassis/{}/Thermal",
    "GET /redfish/v1/Managers",
    "GET /redfish/v1/Managers/{}",
    "PATCH /redfish/v1/Managers/{}",
    "GET /redfish/v1/Systems",
    "GET /redfish/v1/Systems/{}",
    "PATCH /redfish/v1/Systems/{}",
    "POST /redfish/v1/Systems/{}/Actions/ComputerSystem.Reset",
    "GET /redfish/v1/Systems/{}/EthernetInterfaces",
    "GET /redfish/v1/Systems/{}/EthernetInterfaces/{}",
    "GET /redfish/v1/Systems/{}/SecureBoot",
    "PATCH /redfish/v1/Systems/{}/SecureBoot",
    "GET /redfish/v1/Systems/{}/Storage",
    "GET /redfish/v1/Systems/{}/Storage/{}",
    "GET /redfish/v1/Systems/{}/Storage/{}/Drives/{}",
    "GET /redfish/v1/Systems/{}/VirtualMedia",
    "GET /redfish/v1/Systems/{}/VirtualMedia/{}",
    "POST /redfish/v1/Systems/{}/VirtualMedia/{}/Actions/VirtualMedia.EjectMedia",
    "POST /redfish/v1/Systems/{}/VirtualMedia/{}/Actions/VirtualMedia.InsertMedia",
    "GET /redfish/v1/TaskService",
    "GET /redfish/v1/UpdateService",
)


@pytest.fixture
async def agent(peers: Any, idrac: Compiled, tmp_path: Path) -> AsyncIterator[Agent]:
    wanted = {call.workflow for call in (*SAMPLE, *MORE)}
    compiled = replace(idrac, workflows=tuple(one for one in idrac.workflows if one.flow.id in wanted))
    with peers.emulator(tmp_path / "emulator", SETTINGS) as url:
        async with serving(compiled, url, lambda: look(url), tmp_path) as agent:
            yield agent


async def test_nothing_that_is_said_of_a_few_calls_of_the_emulator_is_false(agent: Agent) -> None:
    await agent.call_all(SAMPLE)
    assert not agent.false, agent.table()


@pytest.mark.long
async def test_nothing_that_is_said_of_the_emulator_is_false_and_nearly_all_of_it_is_reached(
    agent: Agent, image: str
) -> None:
    for call in (*SAMPLE, *MORE):
        inputs = {name: image if value == "IMAGE" else value for name, value in call.inputs.items()}
        await agent.call(replace(call, inputs=inputs))
    assert not agent.false, agent.table()
    missed = [each for each in CAN if not any(is_route(each, *request) for request in agent.requests)]
    assert len(missed) <= len(CAN) // 20, missed


def is_route(route: str, method: str, path: str) -> bool:
    pattern = "[^/]+".join(map(re.escape, route.split("{}")))
    return re.fullmatch(pattern, f"{method} {path.partition('?')[0].rstrip('/')}") is not None
