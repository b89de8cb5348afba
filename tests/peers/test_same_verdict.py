"""THREATS.md E3: one workflow, several Redfish servers, one verdict: the twin, sushy-tools' emulator, and Prism.

A verdict is `succeeded` or the code of the failure. Two of the servers were written by others; ids, links and data
differ on all three. Inputs name nothing that only one of them has. Prism keeps no state, so what has to be read back
changed is left to the other two. Figures: docs/REDFISH_PEERS.md.
"""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from compiler.compiled import Compiled
from compiler.twin import Twin, server
from compiler.twin.prism import PrismError, find_prism, running
from tests.needs import PRISM

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]

# Workflow, inputs, verdict; every server is on at the start.
EVERYWHERE: tuple[tuple[str, Mapping[str, Any], str], ...] = (
    ("idrac_get_redfish_service_root", {}, "succeeded"),
    ("idrac_find_servers", {}, "succeeded"),
    ("idrac_describe_server", {}, "succeeded"),
    ("idrac_describe_server", {"server": "no-such-server"}, "not_found"),
    ("idrac_find_idracs", {}, "succeeded"),
    ("idrac_describe_idrac", {}, "succeeded"),
    ("idrac_find_chassis", {}, "succeeded"),
    ("idrac_describe_chassis", {}, "succeeded"),
    ("idrac_describe_chassis", {"chassis": "no-such-chassis"}, "not_found"),
    ("idrac_get_temperatures_and_fans", {}, "succeeded"),
    ("idrac_health_idrac", {}, "succeeded"),
    ("idrac_health_chassis", {}, "succeeded"),
    ("idrac_inventory_idrac", {}, "succeeded"),
    ("idrac_inventory_chassis", {}, "succeeded"),
    ("idrac_find_server_network_interfaces", {}, "succeeded"),
    ("idrac_describe_server_network_interface", {"server_network_interface": "no-such-card"}, "not_found"),
    ("idrac_find_storage_controllers", {}, "succeeded"),
    ("idrac_describe_storage_controller", {"storage_controller": "no-such-controller"}, "not_found"),
    ("idrac_find_server_virtual_media", {}, "succeeded"),
    ("idrac_describe_server_virtual_media", {"server_virtual_media": "no-such-medium"}, "not_found"),
    ("idrac_get_secure_boot", {}, "succeeded"),
    ("idrac_update_secure_boot", {"SecureBootEnable": True}, "pending"),
    ("idrac_get_firmware_update", {}, "succeeded"),
    ("idrac_get_task_service", {}, "succeeded"),
    ("idrac_update_server", {"Boot": {"BootSourceOverrideTarget": "Pxe"}}, "pending"),
    ("idrac_power_on_server", {"ResetType": "On"}, "wrong_state"),
    ("idrac_restart_server", {"ResetType": "ForceRestart"}, "succeeded"),
)
WITH_STATE: tuple[tuple[str, Mapping[str, Any], str], ...] = (
    ("idrac_power_off_server", {"ResetType": "ForceOff"}, "succeeded"),
    ("idrac_power_off_server", {"ResetType": "ForceOff"}, "wrong_state"),
    ("idrac_restart_server", {"ResetType": "ForceRestart"}, "wrong_state"),
    ("idrac_power_on_server", {"ResetType": "On"}, "succeeded"),
)
STORAGE = {"Id": "1", "Name": "Controller", "StorageControllers": [], "Drives": []}
UUID = "27946b59-9e44-4fa7-8e91-f3527a1ef094"
SETTINGS = {
    "SUSHY_EMULATOR_FAKE_SYSTEMS": [
        {"uuid": UUID, "name": "one", "power_state": "On", "nics": [{"mac": "00:5c:52:31:3a:9c", "ip": "172.22.0.100"}]}
    ],
    "SUSHY_EMULATOR_STORAGE": {UUID: [STORAGE]},
}


async def unlike(peers: Any, idrac: Compiled, folder: Path, url: str, cases: Any) -> dict[str, Any]:
    """The cases that ended otherwise than the table says, with what came instead."""
    found = {}
    async with peers.peer(idrac, sorted({workflow for workflow, _, _ in cases}), folder, url) as peer:
        for number, (workflow, inputs, verdict) in enumerate(cases):
            ended = await peer.call(workflow, inputs)
            seen = ended.outcome if ended.failure is None else ended.failure.code
            if seen != verdict:
                found[f"{number} {workflow} {dict(inputs)}"] = (seen, verdict, ended.failure)
    return found


async def test_on_the_twin(peers: Any, idrac: Compiled, tmp_path: Path) -> None:
    assert idrac.profile is not None
    twin = Twin(idrac.api, idrac.profile, now=time.monotonic)
    async with server.running(twin) as url:
        peers.witness.device(urlsplit(url).port, lambda: [(each.method, each.path) for each in twin.requests])
        assert await unlike(peers, idrac, tmp_path, url, EVERYWHERE + WITH_STATE) == {}


async def test_on_the_emulator(peers: Any, idrac: Compiled, tmp_path: Path) -> None:
    with peers.emulator(tmp_path / "emulator", SETTINGS) as url:
        assert await unlike(peers, idrac, tmp_path, url, EVERYWHERE + WITH_STATE) == {}


@pytest.mark.unwitnessed("Prism is another's process, whose log goes with it")
async def test_on_prism(peers: Any, idrac: Compiled, tmp_path: Path) -> None:
    try:
        command = find_prism(os.environ, ROOT)
    except PrismError:
        PRISM.skip()
    with running(command, ROOT / "specs/idrac/openapi.yaml", idrac.api.base_path) as url:
        assert await unlike(peers, idrac, tmp_path, url, EVERYWHERE) == {}
