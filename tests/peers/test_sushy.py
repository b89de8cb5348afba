"""Redfish workflows of the shipped iDRAC profile on a server that others wrote: sushy-tools' emulator, fake driver.

What the emulator has must reach its outcome. What it lacks must end with a typed failure that carries the emulator's
status; each such workflow stands in LACKS with the reason. Power follows a reset after one to eleven seconds there,
so the checks of the state before and the reads after are real ones. Figures: docs/REDFISH_PEERS.md.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from compiler.compiled import Compiled

pytestmark = pytest.mark.slow
Outputs = Mapping[str, Any]

SERVER = "27946b59-9e44-4fa7-8e91-f3527a1ef094"
NIC = "00:5c:52:31:3a:9c"
DRIVE = "32ADF365C6C1B7BD"
# The emulator has storage only as far as its settings say; these are a controller, a drive, a volume.
CONTROLLER = {
    "Id": "1",
    "Name": "Controller",
    "StorageControllers": [{"MemberId": "0", "Name": "RAID", "SpeedGbps": 12}],
}
PLATE = {"Id": DRIVE, "Name": "Drive 0", "CapacityBytes": 899527000000, "Protocol": "SAS"}
VOLUME = {"libvirtVolName": "data", "Id": "1", "Name": "Data", "VolumeType": "Mirrored", "CapacityBytes": 23748}
SETTINGS: dict[str, Any] = {
    "SUSHY_EMULATOR_STORAGE": {SERVER: [{**CONTROLLER, "Drives": [DRIVE]}]},
    "SUSHY_EMULATOR_DRIVES": {(SERVER, "1"): [PLATE]},
    "SUSHY_EMULATOR_VOLUMES": {(SERVER, "1"): [VOLUME]},
}


@dataclass(frozen=True)
class Can:
    """A workflow that must reach its outcome, and what its outputs must show."""

    workflow: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    shows: Callable[[Outputs], bool] = bool
    otherwise: tuple[str, ...] = ()  # places that the emulator keeps otherwise than asked, so that it is done in part
    outcome: str = "succeeded"

    def __str__(self) -> str:
        return f"{self.workflow} {dict(self.inputs)}"


def lists(last_segment: str) -> Callable[[Outputs], bool]:
    """The outputs list an item whose address ends so."""
    return lambda outputs: any(one["@odata.id"].endswith(f"/{last_segment}") for one in outputs.get("items", ()))


def has(**members: Any) -> Callable[[Outputs], bool]:
    """The item that was read has these members."""
    return lambda outputs: {name: outputs.get("item", {}).get(name) for name in members} == members


def is_address(found: Any) -> bool:
    """The emulator does not expand lists: a report says so by the bare address of what it could not look into."""
    return list(found) == ["@odata.id"]


def done(_: Outputs) -> bool:
    return True


MEDIUM = {"server_virtual_media": "Cd"}
READS = (
    Can("idrac_get_redfish_service_root", shows=has(RedfishVersion="1.5.0")),
    Can("idrac_find_servers", shows=lists(SERVER)),
    Can("idrac_describe_server", shows=has(Id=SERVER, Name="fake", PowerState="Off")),
    Can("idrac_describe_server", {"server": SERVER}, lambda o: o["item"]["Status"]["Health"] == "OK"),
    Can("idrac_find_idracs", shows=lists(SERVER)),
    Can("idrac_describe_idrac", shows=has(ManagerType="BMC")),
    Can("idrac_find_chassis", shows=lambda o: len(o["items"]) == 1),
    Can("idrac_describe_chassis", shows=has(ChassisType="Enclosure")),
    Can("idrac_get_temperatures_and_fans", shows=lambda o: len(o["item"]["Fans"]) == 2),
    Can("idrac_health_idrac", shows=lambda o: o["idrac"] == "OK"),
    Can("idrac_health_chassis", shows=lambda o: o["chassis"] == "OK"),
    Can("idrac_inventory_chassis", shows=lambda o: o["chassis"]["SerialNumber"] == "437XR1138R2"),
    Can("idrac_inventory_idrac", shows=lambda o: o["idrac"]["Id"] == SERVER),
    Can("idrac_health_server", shows=lambda o: o["server"] == "OK" and is_address(o["storage_controllers"])),
    Can("idrac_inventory_server", shows=lambda o: o["server"]["Id"] == SERVER and "processors" not in o),
    Can("idrac_find_server_network_interfaces", shows=lists(NIC)),
    Can("idrac_describe_server_network_interface", {"server_network_interface": NIC}, has(MACAddress=NIC)),
    Can("idrac_find_storage_controllers", shows=lists("1")),
    Can("idrac_describe_storage_controller", {"storage_controller": "1"}, has(Id="1")),
    Can("idrac_find_drives", {"storage_controller": "1"}, lists(DRIVE)),
    Can("idrac_describe_drive", {"storage_controller": "1", "drive": DRIVE}, has(Id=DRIVE, Protocol="SAS")),
    Can("idrac_get_secure_boot", shows=has(SecureBootEnable=False)),
    Can("idrac_get_firmware_update", shows=has(Id="UpdateService")),
    Can("idrac_get_task_service", shows=has(Id="TaskService")),
    Can("idrac_get_certificates", shows=has(Id="CertificateService")),
    Can("idrac_get_certificate_place", shows=has(Id="CertificateLocations")),
    Can("idrac_find_server_virtual_media", shows=lists("Cd")),
    Can("idrac_describe_server_virtual_media", MEDIUM, has(Inserted=False)),
)
INSERT = {**MEDIUM, "Image": "IMAGE"}
ONCE = {"BootSourceOverrideEnabled": "Once", "BootSourceOverrideTarget": "Pxe"}
CHANGES = (
    Can("idrac_insert_server_virtual_media", INSERT, done),
    Can("idrac_describe_server_virtual_media", MEDIUM, lambda o: o["item"]["Inserted"] and o["item"]["Image"] != ""),
    Can("idrac_replace_server_virtual_media", INSERT, done),
    Can("idrac_describe_server_virtual_media", MEDIUM, has(Inserted=True)),
    Can("idrac_eject_server_virtual_media", MEDIUM, done),
    Can("idrac_describe_server_virtual_media", MEDIUM, has(Inserted=False, Image="")),
    Can("idrac_update_server", {"Boot": ONCE}, otherwise=("/Boot/BootSourceOverrideEnabled",)),
    Can("idrac_describe_server", shows=lambda o: o["item"]["Boot"]["BootSourceOverrideTarget"] == "Pxe"),
    Can("idrac_boot_once", {"BootSourceOverrideTarget": "Cd"}, otherwise=("/Boot/BootSourceOverrideEnabled",)),
    Can("idrac_describe_server", shows=lambda o: o["item"]["Boot"]["BootSourceOverrideTarget"] == "Cd"),
    Can("idrac_update_secure_boot", {"SecureBootEnable": True}, has(SecureBootEnable=True), outcome="pending"),
    Can("idrac_get_secure_boot", shows=has(SecureBootEnable=True)),
    Can(
        "idrac_update_idrac",
        {"DateTime": "2026-11-20T12:00:00+00:00", "DateTimeLocalOffset": "+00:00"},
        has(DateTime="2026-11-20T12:00:00+00:00"),
    ),
)
POWER = (
    Can("idrac_power_on_server", {"ResetType": "On"}, lambda o: o["state"] == "On"),
    Can("idrac_describe_server", shows=has(PowerState="On")),
    Can("idrac_restart_server", {"ResetType": "ForceRestart"}, lambda o: o["state"] == "On"),
    Can("idrac_describe_server", shows=has(PowerState="On")),
    Can(
        "idrac_boot_once_and_restart",
        {"BootSourceOverrideTarget": "Hdd"},
        lambda o: (o["item"]["PowerState"], o["item"]["Boot"]["BootSourceOverrideTarget"]) == ("On", "Hdd"),
    ),
    Can("idrac_power_off_server", {"ResetType": "GracefulShutdown"}, lambda o: o["state"] == "Off"),
    Can("idrac_describe_server", shows=has(PowerState="Off")),
)

NO_SUCH = "the emulator has no such resource"
NO_DRIVER = "the fake driver does not offer it, though the emulator has the address"
LACKS: Mapping[str, tuple[Mapping[str, Any], int, str]] = {
    "idrac_find_processors": ({}, 501, NO_DRIVER),
    "idrac_describe_processor": ({"processor": "CPU0"}, 501, NO_DRIVER),
    "idrac_find_memory_modules": ({}, 404, "the server links its memory, but nothing is there"),
    "idrac_describe_memory_module": ({"memory_module": "DIMM0"}, 404, "the server links its memory, nothing is there"),
    "idrac_find_storage_adapters": ({"storage_controller": "1"}, 404, "controllers stand inside the storage resource"),
    "idrac_find_virtual_disks": ({"storage_controller": "1"}, 501, NO_DRIVER),
    "idrac_get_bios": ({}, 404, "it is spelled BIOS there, and the fake driver does not offer it"),
    "idrac_get_bios_pending_settings": ({}, 404, "as the BIOS"),
    "idrac_change_bios_settings": ({"Attributes": {"BootMode": "Uefi"}}, 404, "as the BIOS"),
    "idrac_find_boot_options": ({}, 404, NO_SUCH),
    "idrac_find_firmware": ({}, 404, "the update service has no inventory"),
    "idrac_get_power": ({}, 404, "the chassis has temperatures and fans, no power"),
    "idrac_get_power_subsystem": ({}, 404, "only the older form, Thermal, is there"),
    "idrac_get_cooling": ({}, 404, "only the older form, Thermal, is there"),
    "idrac_find_sensors": ({}, 404, NO_SUCH),
    "idrac_find_network_adapters": ({}, 404, NO_SUCH),
    "idrac_find_logs": ({}, 404, "there are no logs"),
    "idrac_find_system_event_log_entries": ({}, 404, "there are no logs"),
    "idrac_find_lifecycle_log_entries": ({}, 404, "there are no logs"),
    "idrac_clear_system_event_log": ({}, 404, "there are no logs"),
    "idrac_find_idrac_virtual_media": ({}, 404, "virtual media stand below the server"),
    "idrac_find_idrac_network_interfaces": ({}, 404, NO_SUCH),
    "idrac_get_network_services": ({}, 404, NO_SUCH),
    "idrac_find_idrac_users": ({}, 404, "there is no account service; users are in a file"),
    "idrac_find_sessions": ({}, 404, "there are no sessions, only HTTP Basic"),
    "idrac_find_tasks": ({}, 404, "the task service has one fixed task and no list"),
    "idrac_find_idrac_jobs": ({}, 404, "Dell's own"),
    "idrac_get_job_queue": ({}, 404, "Dell's own"),
    "idrac_get_lifecycle_controller": ({}, 404, "Dell's own"),
    "idrac_find_licenses": ({}, 404, NO_SUCH),
    "idrac_find_event_subscriptions": ({}, 404, NO_SUCH),
    "idrac_get_telemetry": ({}, 404, NO_SUCH),
    "idrac_reset_chassis": ({"ResetType": "ForceOff"}, 404, "a chassis cannot be reset"),
    "idrac_reset_idrac": ({"ResetType": "GracefulRestart"}, 404, "a manager cannot be reset"),
    "idrac_export_configuration_profile": ({"ExportFormat": "XML"}, 404, "Dell's own"),
}


@pytest.fixture
def emulator(peers: Any, tmp_path: Path) -> Iterator[str]:
    with peers.emulator(tmp_path / "emulator", SETTINGS) as url:
        yield url


@pytest.fixture
async def server(
    request: pytest.FixtureRequest, peers: Any, idrac: Compiled, emulator: str, tmp_path: Path
) -> AsyncIterator[Any]:
    workflows = getattr(request, "param", {case.workflow for case in (*READS, *CHANGES, *POWER)} | set(LACKS))
    async with peers.peer(idrac, sorted(workflows), tmp_path, emulator) as peer:
        yield peer


# To submit and approve all of them takes longer than what some tests do with one or two.
FEW = ("idrac_power_off_server", "idrac_power_on_server", "idrac_restart_server", "idrac_describe_server")
few = pytest.mark.parametrize("server", [(*FEW, "idrac_update_server")], indirect=True, ids=["few"])


async def missed(server: Any, cases: tuple[Can, ...], image: str = "") -> dict[str, Any]:
    """The cases that did not reach their outcome, with what came instead."""
    found: dict[str, Any] = {}
    for case in cases:
        inputs = {name: image if value == "IMAGE" else value for name, value in case.inputs.items()}
        ended = await server.call(case.workflow, inputs)
        is_shown = bool(case.otherwise) or case.shows(ended.outputs)
        wanted = "partial" if case.otherwise else case.outcome
        found_otherwise = tuple(each["place"] for each in ended.differences)
        if ended.outcome != wanted or found_otherwise != case.otherwise or not is_shown:
            found[str(case)] = ended.failure or dict(ended.outputs)
    return found


async def test_what_the_emulator_has_is_found_described_and_reported_on(server: Any) -> None:
    assert await missed(server, READS) == {}
    assert {method for method, _ in await server.requests()} == {"GET"}


async def test_media_boot_once_and_settings_are_changed_and_read_back(server: Any, image: str) -> None:
    assert await missed(server, CHANGES, image) == {}


async def test_power_is_switched_with_the_state_checked_before_and_read_back_after(server: Any) -> None:
    assert await missed(server, POWER) == {}
    sent = [method for method, _ in await server.requests() if method != "GET"]
    assert sent == ["POST", "POST", "PATCH", "POST", "POST"]


@few
async def test_a_server_that_is_off_is_not_switched_off_again(server: Any) -> None:
    ended = await server.call("idrac_power_off_server", {"ResetType": "ForceOff"})
    assert (ended.failure.code, ended.failure.step_id, ended.failure.done) == ("wrong_state", "check_state", ())
    assert {method for method, _ in await server.requests()} == {"GET"}


@few
async def test_a_value_that_the_device_does_not_allow_is_refused_before_anything_is_sent(server: Any) -> None:
    await server.call("idrac_power_on_server", {"ResetType": "On"})
    ended = await server.call("idrac_restart_server", {"ResetType": "PowerCycle"})
    assert (ended.failure.code, ended.failure.step_id, ended.failure.done) == ("not_allowed", "check_state", ())
    assert '"ForceOff"' in ended.failure.message and "not PowerCycle" in ended.failure.message
    assert len([path for method, path in await server.requests() if method == "POST"]) == 1


@few
async def test_a_server_that_is_not_there_is_not_found(server: Any) -> None:
    ended = await server.call("idrac_describe_server", {"server": "another"})
    assert ended.failure.code == "not_found"


@few
async def test_without_sessions_one_login_is_tried_and_basic_used_for_all_that_follows(server: Any) -> None:
    for _ in range(3):
        assert (await server.call("idrac_describe_server", {})).outcome == "succeeded"
    assert await server.logins() == [401]


async def test_what_the_emulator_lacks_ends_with_its_status_at_the_step_that_needs_it(server: Any) -> None:
    ends = {name: await server.call(name, inputs) for name, (inputs, _, _) in LACKS.items()}
    seen = {name: (end.outcome, end.failure and (end.failure.code, end.failure.status)) for name, end in ends.items()}
    assert seen == {name: ("failed", ("unexpected_status", status)) for name, (_, status, _) in LACKS.items()}
    assert [name for name, end in ends.items() if end.failure.done] == []


@few
async def test_a_change_that_the_emulator_refuses_is_a_failure_that_says_so(server: Any) -> None:
    ended = await server.call("idrac_update_server", {"AssetTag": "RACK-7-U12"})
    assert (ended.failure.step_id, ended.failure.status, ended.failure.done) == ("change", 400, ())


async def test_of_two_servers_one_has_to_be_named(peers: Any, idrac: Compiled, tmp_path: Path) -> None:
    other = SERVER.replace("27946b59", "17946b59")
    fakes = [{"uuid": uuid, "name": uuid[:8], "power_state": "On", "nics": []} for uuid in (SERVER, other)]
    with peers.emulator(tmp_path / "emulator", {"SUSHY_EMULATOR_FAKE_SYSTEMS": fakes}) as url:
        async with peers.peer(
            idrac, ["idrac_power_off_server", "idrac_describe_server"], tmp_path / "own", url
        ) as peer:
            unnamed = await peer.call("idrac_power_off_server", {"ResetType": "ForceOff"})
            named = await peer.call("idrac_power_off_server", {"ResetType": "ForceOff", "server": other})
            untouched = await peer.call("idrac_describe_server", {"server": SERVER})
    assert unnamed.failure.code == "ambiguous"
    assert named.outcome == "succeeded", named
    assert named.outputs["state"] == "Off"
    assert untouched.outputs["item"]["PowerState"] == "On"
