"""The library of behaviours, and the mock that plays them."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from compiler.commands.mock import mock_command
from compiler.pipeline import CompileRequest, find_profile
from compiler.twin import server
from compiler.twin.behaviours.acting import _MECHANISMS
from compiler.twin.behaviours.library import LIBRARY
from compiler.twin.behaviours.tables import UnknownBehaviourError, named

from .conftest import Device

ROOT = Path(__file__).parents[3]


def behaving(device: Device, *names: str) -> Device:
    device.twin.behave(*named(LIBRARY, names))
    return device


def test_there_are_thirty_and_more_each_with_a_name_of_its_own() -> None:
    assert len(LIBRARY) >= 30
    assert len({behaviour.name for behaviour in LIBRARY}) == len(LIBRARY)


def test_every_mechanism_is_used_by_some_behaviour() -> None:
    assert {rule.does for behaviour in LIBRARY for rule in behaviour.rules} == set(_MECHANISMS)


def test_no_vendor_is_named_in_the_library() -> None:
    told = " ".join(f"{behaviour.name} {behaviour.text}" for behaviour in LIBRARY).lower()
    assert not [name for name in ("dell", "idrac", "hypercore", "scale", "redfish") if name in told]


def test_a_name_that_nothing_has_is_an_error_that_tells_the_nearest() -> None:
    with pytest.raises(
        UnknownBehaviourError, match="there is no behaviour 'ignored chnge'; the nearest is 'ignored change'"
    ):
        named(LIBRARY, ("ignored chnge",))


def test_a_profile_that_names_an_unknown_behaviour_is_not_taken(tmp_path: Path) -> None:
    profile = tmp_path / "profile.yaml"
    profile.write_text("api: shop\nbehaviours: [lingers, weak tags]\n")
    with pytest.raises(UnknownBehaviourError, match=r"/behaviours/1.*'weak tags'; the nearest is 'weak tag'"):
        find_profile(CompileRequest(tmp_path / "api.yaml", profile))


def test_the_mock_lists_its_behaviours_with_a_line_each() -> None:
    result = CliRunner().invoke(mock_command, ["--behaviours"])
    assert result.exit_code == 0
    assert len(result.output.splitlines()) == len(LIBRARY)


def test_an_ignored_change_is_answered_well_and_changes_nothing(hypercore: Device) -> None:
    vm = behaving(hypercore, "ignored change").get("/VirDomain").body[0]
    reply = hypercore.patch(f"/VirDomain/{vm['uuid']}", {"description": "another"})
    hypercore.wait()
    assert reply.status == 200
    assert hypercore.get(f"/VirDomain/{vm['uuid']}").body == [vm]


def test_what_is_spoilt_is_the_last_of_the_values_that_were_sent(hypercore: Device) -> None:
    vm = behaving(hypercore, "partial change").get("/VirDomain").body[0]
    hypercore.patch(f"/VirDomain/{vm['uuid']}", {"name": "renamed", "description": "another"})
    hypercore.wait()
    now = hypercore.get(f"/VirDomain/{vm['uuid']}").body[0]
    assert [now["name"] != vm["name"], now["description"] != vm["description"]].count(True) == 1


def test_several_behaviours_are_played_at_once(hypercore: Device) -> None:
    behaving(hypercore, "too many requests", "refused with a reason")
    assert hypercore.get("/VirDomain").status == 429
    assert hypercore.get("/VirDomain").status == 200
    assert hypercore.post("/VirDomain", {"dom": {"name": "x"}}).status == 409


def test_a_reset_begins_with_the_behaviours_anew(hypercore: Device) -> None:
    behaving(hypercore, "too many requests").get("/VirDomain")
    hypercore.twin.reset()
    hypercore.headers = hypercore.twin.authorization()
    assert hypercore.get("/VirDomain").status == 429


def test_full_sessions_refuse_every_login_with_the_reason(hypercore: Device) -> None:
    behaving(hypercore, "full sessions")
    reply = hypercore.post("/login", {"username": "admin", "password": "switchgear", "useOIDC": False})
    assert reply.status == 503
    assert "maximum number of sessions" in str(reply.body)


def test_a_read_is_led_to_the_address_with_a_slash_and_answered_there(hypercore: Device) -> None:
    behaving(hypercore, "redirect to a slash")
    led = hypercore.get("/VirDomain")
    assert (led.status, led.header("location")) == (308, "/rest/v1/VirDomain/")
    assert hypercore.get("/VirDomain/").status == 200


def test_a_renamed_action_is_found_under_its_new_name_alone(idrac: Device) -> None:
    behaving(idrac, "action renamed")
    system = "/redfish/v1/Systems/System.Embedded.1"
    actions = idrac.get(system).body["Actions"]
    assert "#ComputerSystem.Reset" not in actions
    assert idrac.post(f"{system}/Actions/ComputerSystem.Reset", {"ResetType": "ForceOff"}).status == 404
    target = actions["#Other.Reset"]["target"]
    assert idrac.post(target, {"ResetType": "ForceOff"}).status == 204


def test_hardware_addresses_come_back_in_another_form(device_for: Callable[..., Device]) -> None:
    from compiler.twin.behaviours import forms

    shown = forms.reshaped({"mac": "0a:1b:2c:3d:4e:5f", "n": 1}, lambda *_: True, forms.VALUES["mac"])
    assert shown == {"mac": "0A-1B-2C-3D-4E-5F", "n": 1}


async def test_over_http_a_closed_connection_has_no_answer_at_all(hypercore: Device) -> None:
    behaving(hypercore, "dropped read")
    headers = dict(hypercore.headers)
    async with server.running(hypercore.twin) as url, httpx.AsyncClient(base_url=url) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(f"{url}/VirDomain", headers=headers)
        assert (await client.get(f"{url}/VirDomain", headers=headers)).status_code == 200


def test_the_documents_have_each_behaviour_with_what_may_be_right() -> None:
    told = (ROOT / "docs/FAULTS.md").read_text(encoding="utf-8")
    for behaviour in LIBRARY:
        ends = ", ".join(behaviour.ends) if len(behaviour.ends) < 5 else "what is true"
        assert f"| {behaviour.name} | {behaviour.text} | {ends} |" in told
