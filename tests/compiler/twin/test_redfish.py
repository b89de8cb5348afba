"""Addresses, entity tags, waiting settings and jobs with several views, on the shipped Redfish description."""

from typing import Any

import pytest

from compiler.twin import TwinRequest

ROOT = "/redfish/v1"
SYSTEM = f"{ROOT}/Systems/System.Embedded.1"
MANAGER = f"{ROOT}/Managers/iDRAC.Embedded.1"
RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"
SETTINGS = f"{SYSTEM}/Bios/Settings"
ON_RESET = {"@Redfish.SettingsApplyTime": {"ApplyTime": "OnReset"}}


def tag(device: Any, path: str) -> str:
    return str(device.get(path).header("etag"))


def power(device: Any) -> str:
    return str(device.get(SYSTEM).body["PowerState"])


def state(device: Any, job: str) -> str:
    return str(device.get(job).body["JobState"])


def test_members_are_addresses_that_can_be_read(idrac: Any) -> None:
    for name in ("Systems", "Managers", "Chassis", "AccountService/Accounts"):
        body = idrac.get(f"{ROOT}/{name}").body
        assert body["Members@odata.count"] == len(body["Members"]) > 0
        for member in body["Members"]:
            assert list(member) == ["@odata.id"]
            assert idrac.get(member["@odata.id"]).body["@odata.id"] == member["@odata.id"]


def test_power_follows_a_reset_after_a_moment(idrac: Any) -> None:
    assert idrac.post(RESET, {"ResetType": "ForceOff"}).status == 204
    assert power(idrac) == "On"
    idrac.wait(2.0)
    assert power(idrac) == "Off"


def test_a_reset_in_the_wrong_state_is_a_409_in_the_vendors_envelope(idrac: Any) -> None:
    reply = idrac.post(RESET, {"ResetType": "On"})
    assert reply.status == 409
    assert "Off" in reply.body["error"]["@Message.ExtendedInfo"][0]["Message"]


def test_a_reset_type_that_does_not_exist_is_refused(idrac: Any) -> None:
    assert idrac.post(RESET, {"ResetType": "Explode"}).status == 400


def test_a_change_needs_the_tag_of_what_was_read(idrac: Any) -> None:
    assert idrac.patch(SYSTEM, {"AssetTag": "a"}).status == 428
    assert idrac.patch(SYSTEM, {"AssetTag": "a"}, if_match='"stale"').status == 412
    assert idrac.patch(SYSTEM, {"AssetTag": "a"}, if_match=tag(idrac, SYSTEM)).status == 200
    assert idrac.get(SYSTEM).body["AssetTag"] == "a"


def test_a_change_makes_the_tag_stale(idrac: Any) -> None:
    old = tag(idrac, SYSTEM)
    idrac.patch(SYSTEM, {"AssetTag": "a"}, if_match=old)
    assert idrac.patch(SYSTEM, {"AssetTag": "b"}, if_match=old).status == 412


def test_an_item_that_has_not_changed_is_not_sent_again(idrac: Any) -> None:
    seen = tag(idrac, SYSTEM)
    assert idrac.ask("GET", SYSTEM, if_none_match=seen).status == 304
    idrac.twin.set_etag_changed(SYSTEM)
    assert idrac.ask("GET", SYSTEM, if_none_match=seen).status == 200


def test_somebody_elses_change_makes_the_tag_stale(idrac: Any) -> None:
    old = tag(idrac, SYSTEM)
    idrac.twin.set_etag_changed(SYSTEM)
    assert idrac.patch(SYSTEM, {"AssetTag": "b"}, if_match=old).status == 412


def test_bios_settings_wait_for_the_restart_and_are_in_force_when_the_job_is_over(idrac: Any) -> None:
    body = {"Attributes": {"ProcVirtualization": "Disabled"}, **ON_RESET}
    reply = idrac.patch(SETTINGS, body, if_match=tag(idrac, SETTINGS))
    job = reply.header("location")
    assert (reply.status, reply.header("retry-after")) == (202, "1")
    idrac.wait()
    assert state(idrac, job) == "Scheduled"
    assert idrac.get(f"{SYSTEM}/Bios").body["Attributes"]["ProcVirtualization"] == "Enabled"
    idrac.post(RESET, {"ResetType": "GracefulRestart"})
    idrac.wait()
    assert state(idrac, job) == "Completed"
    assert idrac.get(f"{SYSTEM}/Bios").body["Attributes"]["ProcVirtualization"] == "Disabled"


def test_bios_settings_without_an_apply_time_wait_for_a_job_made_by_hand(idrac: Any) -> None:
    body = {"Attributes": {"ProcVirtualization": "Disabled"}}
    reply = idrac.patch(SETTINGS, body, if_match=tag(idrac, SETTINGS))
    assert reply.header("location") is None
    idrac.post(RESET, {"ResetType": "GracefulRestart"})
    idrac.wait()
    assert idrac.get(f"{SYSTEM}/Bios").body["Attributes"]["ProcVirtualization"] == "Enabled"
    job = idrac.post(f"{MANAGER}/Oem/Dell/Jobs", {"TargetSettingsURI": SETTINGS}).header("location")
    idrac.post(RESET, {"ResetType": "GracefulRestart"})
    idrac.wait()
    assert state(idrac, job) == "Completed"
    assert idrac.get(f"{SYSTEM}/Bios").body["Attributes"]["ProcVirtualization"] == "Disabled"


def test_a_job_is_seen_in_all_its_views_under_one_id(idrac: Any) -> None:
    action = f"{MANAGER}/Actions/Oem/EID_674_Manager.ExportSystemConfiguration"
    key = "POST /redfish/v1/Managers/{ManagerId}/Actions/Oem/EID_674_Manager.ExportSystemConfiguration"
    reply = idrac.post(action, idrac.twin.example_body(key))
    job = reply.header("location").rpartition("/")[2]
    views = [f"{MANAGER}/Oem/Dell/Jobs/{job}", f"{ROOT}/TaskService/Tasks/{job}", f"{ROOT}/JobService/Jobs/{job}"]
    assert [idrac.get(view).status for view in views] == [200, 200, 200]
    idrac.wait()
    assert idrac.get(views[0]).body["JobState"] == "Completed"
    assert idrac.get(views[1]).body["TaskState"] == "Completed"


def test_expand_shows_the_members_and_select_only_what_was_asked_for(idrac: Any) -> None:
    expanded = idrac.get(f"{ROOT}/Systems", _expand="*($levels=1)", _select="PowerState").body["Members"]
    assert expanded == [{"@odata.id": SYSTEM, "Id": "System.Embedded.1", "PowerState": "On"}]


def test_filter_top_and_skip_narrow_a_collection(idrac: Any) -> None:
    path = f"{ROOT}/UpdateService/FirmwareInventory"
    count = len(idrac.get(path).body["Members"])
    assert len(idrac.get(path, _top="1").body["Members"]) == 1
    assert len(idrac.get(path, _skip="1").body["Members"]) == count - 1
    assert idrac.get(path, _filter="Id eq 'nothing'").body["Members"] == []
    first = idrac.get(path).body["Members"][0]["@odata.id"].rpartition("/")[2]
    assert len(idrac.get(path, _filter=f"Id eq '{first}'").body["Members"]) == 1


@pytest.mark.parametrize("text", ["Id", "Id like 'x'", "Id eq"])
def test_a_filter_that_is_not_understood_is_refused(idrac: Any, text: str) -> None:
    assert idrac.get(f"{ROOT}/Systems", _filter=text).status == 400


def test_an_unknown_item_is_404_in_the_vendors_envelope(idrac: Any) -> None:
    reply = idrac.get(f"{ROOT}/Systems/Nobody")
    assert reply.status == 404
    assert "Nobody" in reply.body["error"]["message"]


def test_a_path_that_nobody_describes_is_404_in_the_vendors_envelope(idrac: Any) -> None:
    reply = idrac.get(f"{ROOT}/Kitchen")
    assert (reply.status, "error" in reply.body) == (404, True)


def test_an_address_in_a_body_that_leads_to_nothing_is_refused(idrac: Any) -> None:
    volumes = idrac.get(f"{SYSTEM}/Storage").body["Members"][0]["@odata.id"] + "/Volumes"
    drive = {"@odata.id": volumes.replace("/Volumes", "/Drives/Nobody")}
    body = {"RAIDType": "RAID0", "Links": {"Drives": [drive]}}
    reply = idrac.post(volumes, body)
    assert (reply.status, "leads to nothing" in str(reply.body)) == (400, True)


def test_what_only_a_restart_puts_in_force_is_shown_at_once(idrac: Any) -> None:
    override = {"Boot": {"BootSourceOverrideTarget": "Pxe", "BootSourceOverrideEnabled": "Once"}}
    assert idrac.patch(SYSTEM, override, if_match=tag(idrac, SYSTEM)).status == 200
    assert idrac.get(SYSTEM).body["Boot"]["BootSourceOverrideTarget"] == "Pxe"


def test_every_reply_carries_the_headers_of_the_profile_and_reads_the_methods_that_are_possible(idrac: Any) -> None:
    read, changed = idrac.get(SYSTEM), idrac.post(RESET, {"ResetType": "ForceOff"})
    assert (read.header("odata-version"), changed.header("odata-version")) == ("4.0", "4.0")
    assert read.header("allow") == "GET, HEAD, PATCH"
    assert "describedby" in str(read.header("link"))
    assert changed.header("link") is None


def test_another_version_of_the_protocol_and_an_unknown_query_of_it_are_refused(idrac: Any) -> None:
    assert idrac.ask("GET", SYSTEM, odata_version="4.1").status == 412
    assert idrac.ask("GET", SYSTEM, query={"$unheard-of": ""}).status == 501
    assert idrac.ask("GET", SYSTEM, query={"unheard-of": ""}).status == 200


def test_what_the_profile_says_is_served_besides_the_description_needs_no_credentials(idrac: Any) -> None:
    twin = idrac.twin
    assert twin.handle(TwinRequest("GET", "/redfish")).body == {"v1": "/redfish/v1/"}
    metadata = twin.handle(TwinRequest("GET", "/redfish/v1/$metadata"))
    assert (metadata.status, metadata.header("content-type")) == (200, "application/xml")
    assert twin.handle(TwinRequest("POST", "/redfish")).status == 401


def test_a_virtual_disk_that_may_wait_is_made_by_the_restart(idrac: Any) -> None:
    key = "POST /redfish/v1/Systems/{ComputerSystemId}/Storage/{StorageId}/Volumes"
    volumes = idrac.get(f"{SYSTEM}/Storage").body["Members"][0]["@odata.id"] + "/Volumes"
    before = len(idrac.get(volumes).body["Members"])
    body = {**idrac.twin.example_body(key), "@Redfish.OperationApplyTime": "OnReset"}
    job = idrac.post(volumes, body).header("location")
    idrac.wait()
    assert (state(idrac, job), len(idrac.get(volumes).body["Members"])) == ("Scheduled", before)
    idrac.post(RESET, {"ResetType": "GracefulRestart"})
    idrac.wait()
    assert (state(idrac, job), len(idrac.get(volumes).body["Members"])) == ("Completed", before + 1)
