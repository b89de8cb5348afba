"""Prism, a mock that nobody here wrote, serves our iDRAC description: every example is answered and accepted.

Starts the real thing from `.tools` (npm, version 5.14.2) on a free port; skips where Node or Prism is absent.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.specs.served import served
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]
OURS = ROOT / "specs/idrac/openapi.yaml"
V1 = "/redfish/v1"
SYSTEM = f"{V1}/Systems/System.Embedded.1"
IDRAC = f"{V1}/Managers/iDRAC.Embedded.1"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def document() -> Any:
    return yaml.load(OURS.read_bytes(), Loader=yaml.CSafeLoader)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(OURS, tmp_path_factory.mktemp("prism") / "log") as found:
        yield found


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=address, headers={"X-Auth-Token": "example"}, trust_env=False, timeout=PATIENCE_S
    ) as opened:
        yield opened


def filled(document: Any, path: str) -> str:
    examples = {p["name"]: p["example"] for p in document["components"]["parameters"].values()}
    return re.sub(r"\{(\w+)\}", lambda found: examples[found[1]], path)


def bodies(operation: Any) -> list[Any]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    if "examples" in content:
        return [named["value"] for named in content["examples"].values()]
    return [content["example"]] if content else [None]


def test_every_operation_accepts_its_examples_and_answers_its_success_code(client: httpx.Client, document: Any) -> None:
    sent = 0
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method == "parameters" or "multipart/form-data" in operation.get("requestBody", {}).get("content", {}):
                continue
            (expected,) = (int(code) for code in operation["responses"] if code.startswith("2"))
            for body in bodies(operation):
                reply = client.request(method, filled(document, path), json=body)
                assert reply.status_code == expected, (method, path, reply.text)
                assert "sl-violations" not in reply.headers, (method, path)
                sent += 1
    assert sent > 200


def test_a_firmware_file_with_parameters_is_accepted(client: httpx.Client) -> None:
    parts = {
        "UpdateParameters": (None, '{"Targets": []}', "application/json"),
        "UpdateFile": ("bios.exe", b"bytes", "application/octet-stream"),
    }
    assert client.post(f"{V1}/UpdateService/MultipartUpload", files=parts).status_code == 202


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", f"{V1}/SessionService/Sessions", {"UserName": "root"}),
        ("POST", f"{SYSTEM}/Actions/ComputerSystem.Reset", {"ResetType": "Explode"}),
        ("POST", f"{SYSTEM}/Actions/ComputerSystem.Reset", {}),
        ("PATCH", f"{SYSTEM}/Bios/Settings", {"Attributes": "all"}),
        ("PATCH", SYSTEM, {"Boot": {"BootSourceOverrideTarget": "Moon"}}),
        ("POST", f"{SYSTEM}/Storage/RAID.SL.3-1/Volumes", {"RAIDType": "RAID1", "Links": {"Drives": []}}),
        ("POST", f"{IDRAC}/Actions/Oem/EID_674_Manager.ExportSystemConfiguration", {"ExportFormat": "XML"}),
        ("GET", f"{IDRAC}/LogServices/Sel/Entries?$top=many", None),
    ],
)
def test_a_request_that_does_not_fit_is_refused(client: httpx.Client, method: str, path: str, body: Any) -> None:
    # Where the description declares 400 Prism answers it instead of its own 422.
    reply = client.request(method, path, json=body)
    assert reply.status_code in (400, 422)
    assert "sl-violations" in reply.headers


def test_login_gives_a_token_that_opens_and_an_address_that_closes(address: str) -> None:
    with httpx.Client(base_url=address, trust_env=False) as client:
        assert client.get(f"{V1}/Systems").status_code == 401
        assert client.get(V1).status_code == 200
        login = client.post(f"{V1}/SessionService/Sessions", json={"UserName": "root", "Password": "example"})
        assert login.status_code == 201
        token = {"X-Auth-Token": login.headers["x-auth-token"]}
        assert client.get(f"{V1}/Systems", headers=token).status_code == 200
        assert client.get(f"{V1}/Systems", auth=("root", "example")).status_code == 200
        assert client.delete(login.headers["location"], headers=token).status_code == 200


def test_bios_settings_are_changed_restarted_for_and_waited_for(client: httpx.Client) -> None:
    (member,) = client.get(f"{V1}/Systems").json()["Members"]
    system = client.get(member["@odata.id"])
    assert (system.json()["HostName"], system.json()["PowerState"]) == ("web-01", "On")
    bios = client.get(system.json()["Bios"]["@odata.id"]).json()
    settings = bios["@Redfish.Settings"]["SettingsObject"]["@odata.id"]
    sent = {"Attributes": {"LogicalProc": "Enabled"}, "@Redfish.SettingsApplyTime": {"ApplyTime": "OnReset"}}
    change = client.patch(settings, json=sent, headers={"If-Match": client.get(settings).headers["etag"]})
    assert (change.status_code, change.headers["retry-after"]) == (202, "5")
    reset = system.json()["Actions"]["#ComputerSystem.Reset"]
    assert "GracefulRestart" in reset["ResetType@Redfish.AllowableValues"]
    assert client.post(reset["target"], json={"ResetType": "GracefulRestart"}).status_code == 204
    job = change.headers["location"].rpartition("/")[2]
    assert client.get(change.headers["location"]).json()["TaskState"] == "Completed"
    assert client.get(f"{IDRAC}/Oem/Dell/Jobs/{job}").json()["JobState"] == "Completed"
    assert client.get(f"{V1}/JobService/Jobs/{job}").json()["Id"] == job


def test_an_exported_profile_comes_in_the_task(client: httpx.Client) -> None:
    body = {"ExportFormat": "JSON", "ShareParameters": {"ShareType": "LOCAL", "Target": "ALL"}}
    export = client.post(f"{IDRAC}/Actions/Oem/EID_674_Manager.ExportSystemConfiguration", json=body)
    task = client.get(export.headers["location"], headers={"Prefer": "example=exported"})
    assert task.json()["SystemConfiguration"]["ServiceTag"] == "SG42XY1"
