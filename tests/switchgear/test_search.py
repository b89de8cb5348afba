"""An operator's question finds the workflow that answers it among the first five, in the shipped descriptions."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from compiler.compiled import Compiled
from runtime.catalog.search import Finder
from runtime.service import open_service
from workflow.search.words import ASKING

pytestmark = pytest.mark.slow  # both descriptions are compiled, stored and approved

FIRST = 5
# What is asked, and the workflows any of which answers it.
HYPERCORE = {
    "turn off a virtual machine": "power_off_vm",
    "shut down the VM": "power_off_vm",
    "start a guest": "start_vm",
    "reboot VirDomain": "restart_vm",
    "VirDomain": "find_vms describe_vm",
    "list all virtual machines": "find_vms",
    "copy a VM": "clone_vm",
    "take a snapshot of a vm": "create_snapshot",
    "add a disk to a virtual machine": "create_disk",
    "add a network card": "create_network_interface",
    "who can log in: list users": "find_users",
    "change the DNS servers": "update_dns_settings",
    "upload an ISO": "upload_iso_image",
    "move a VM to another node": "live_migrate_vm",
    "set the NTP server": "update_time_server",
    "shut the whole cluster down": "shutdown_cluster",
    "which alarms are there": "find_conditions",
    "back up a vm to an SMB share": "export_vm",
    "install software update": "apply_software_update",
    "send a test mail": "test_alert_email_recipient",
    "replicate a VM to the other site": "create_replication",
    "what did the task do": "describe_task",
    "configure single sign-on": "set_single_sign_on_settings",
    "snapshot schedule for a VM": "assign_snapshot_schedule_to_vm",
    "give the vm more memory": "update_vm",
    "VirDomainSnapshotSchedule": "find_snapshot_schedules describe_snapshot_schedule",
    "remove a NIC from a vm": "delete_network_interface",
    "invite a new admin account": "create_user",
    "restore a vm from an export": "import_vm",
    "suspend a guest": "pause_vm",
}
IDRAC = {
    "boot once from PXE": "boot_once boot_once_and_restart",
    "export server configuration": "export_configuration_profile",
    "who is logged in": "find_sessions",
    "turn off the server": "power_off_server",
    "power on the machine": "power_on_server",
    "reboot the server": "restart_server",
    "restart iDRAC": "reset_idrac",
    "mount an ISO image as virtual media": "insert_virtual_media",
    "eject the CD": "eject_virtual_media",
    "update firmware": "update_firmware",
    "is the server healthy": "health_server",
    "how hot is it": "get_temperatures_and_fans",
    "fan speed": "find_fans",
    "show the system event log": "find_system_event_log_entries",
    "clear SEL": "clear_system_event_log",
    "create a RAID volume": "create_virtual_disk",
    "change a BIOS setting": "change_bios_settings",
    "change a user's password": "update_idrac_user",
    "export the license": "export_license_idrac",
    "hardware inventory": "inventory_server",
    "delete all jobs in the queue": "delete_job_queue",
    "wipe the drives": "secure_erase_drive",
    "make a hot spare": "assign_hot_spare",
    "which memory modules are installed": "find_memory_modules",
    "set the asset tag": "update_server",
    "collect a tech support report": "export_tech_support_report_lifecycle_controller",
    "change the IP address of the iDRAC": "update_idrac_network_interface",
    "subscribe to events": "create_event_subscription",
    "certificate signing request": "generate_csr_certificates",
    "screenshot of the console": "export_server_screen_shot_lifecycle_controller",
    "how much power does it draw": "get_power",
    "ManagerAccount": "find_idrac_users describe_idrac_user",
    "factory reset of the controller": "reset_to_defaults_idrac",
    "network ports of the adapter": "find_ports",
}
QUESTIONS = [("hypercore", *each) for each in HYPERCORE.items()] + [("idrac", *each) for each in IDRAC.items()]


SENTENCES = yaml.safe_load(Path(__file__).with_name("sentences.yaml").read_text())
IN_A_CHAT = yaml.safe_load(Path(__file__).with_name("sentences_in_a_chat.yaml").read_text())
# At least: the workflow that answers stands first, among the first five. Of what was kept apart only figures were
# taken, the sentences that miss were never looked at.
FLOORS = {
    ("hypercore", "tuned"): (0.78, 0.95),
    ("hypercore", "kept"): (0.78, 0.94),
    ("hypercore", "untouched"): (0.7, 0.95),
    ("idrac", "tuned"): (0.77, 0.94),
    ("idrac", "kept"): (0.76, 0.92),
    ("idrac", "untouched"): (0.62, 0.92),
}


# Of both APIs together: among the first three, and among the first five.
FLOORS_IN_A_CHAT = {"tuned": (0.9, 0.95), "untouched": (0.7, 0.8)}

AT_FIRST_SIGHT = yaml.safe_load(Path(__file__).with_name("sentences_at_first_sight.yaml").read_text())
# Of both APIs together: first, and among the first five.
FLOORS_AT_FIRST_SIGHT = {"tuned": (0.79, 0.95), "untouched": (0.55, 0.95)}


@pytest.fixture
async def finder(approved: str) -> AsyncIterator[Finder]:
    async with open_service(approved) as service:
        await service.finder.ready()
        yield service.finder


async def test_what_an_operator_asks_for_is_among_the_first_five(finder: Finder) -> None:
    missed = []
    for api, question, answers in QUESTIONS:
        found = [entry.name for entry in finder.find(question, api=api)][:FIRST]
        if not {f"{api}_{answer}" for answer in answers.split()} <= set(found):
            missed.append((question, found))
    assert missed == []


@pytest.mark.parametrize(("api", "half"), FLOORS)
async def test_of_what_operators_say_a_known_share_finds_its_workflow(finder: Finder, api: str, half: str) -> None:
    firsts = fives = 0
    for said, answers in SENTENCES[api][half]:
        found = [entry.name.removeprefix(f"{api}_") for entry in finder.find(said, api=api)]
        firsts += bool(set(found[:1]) & set(answers.split()))
        fives += bool(set(found[:FIRST]) & set(answers.split()))
    count = len(SENTENCES[api][half])
    assert (firsts / count, fives / count) >= FLOORS[api, half], f"first {firsts}, among five {fives} of {count}"
    assert fives / count >= FLOORS[api, half][1], f"among five {fives} of {count}"


def places_of(sentences: Mapping[str, Any], half: str, finder: Finder) -> list[int]:
    """Where among what is found the first right answer stands, from 0, of each sentence of one half."""
    places = []
    for api, halves in sentences.items():
        for said, answers in halves[half]:
            found = [entry.name.removeprefix(f"{api}_") for entry in finder.find(said, api=api)]
            places.append(min((found.index(each) for each in answers.split() if each in found), default=999))
    return places


@pytest.mark.parametrize("half", FLOORS_IN_A_CHAT)
async def test_so_does_one_of_sentences_that_are_clipped_as_in_a_chat(finder: Finder, half: str) -> None:
    places = places_of(IN_A_CHAT, half, finder)
    three, five = (sum(at < most for at in places) / len(places) for most in (3, FIRST))
    assert three >= FLOORS_IN_A_CHAT[half][0], three
    assert five >= FLOORS_IN_A_CHAT[half][1], five


@pytest.mark.parametrize("half", FLOORS_AT_FIRST_SIGHT)
async def test_so_does_one_of_sentences_that_nothing_was_mended_for(finder: Finder, half: str) -> None:
    places = places_of(AT_FIRST_SIGHT, half, finder)
    first, five = (sum(at < most for at in places) / len(places) for most in (1, FIRST))
    assert first >= FLOORS_AT_FIRST_SIGHT[half][0], first
    assert five >= FLOORS_AT_FIRST_SIGHT[half][1], five


def test_every_answer_in_the_sentences_is_a_workflow_that_there_is(shipped: dict[str, Compiled]) -> None:
    for api, halves in SENTENCES.items():
        known = {each.flow.id.removeprefix(f"{api}_") for each in shipped[api].workflows}
        answers = {answer for half in halves.values() for _, each in half for answer in each.split()}
        assert answers <= known, answers - known


async def test_a_question_that_only_asks_is_answered_by_no_change(finder: Finder) -> None:
    reads = ("find_", "describe_", "get_", "health_", "inventory_", "filter_")
    for api, halves in SENTENCES.items():
        for said, answers in (each for half in halves.values() for each in half):
            if said.split()[0] in ASKING and all(answer.startswith(reads) for answer in answers.split()):
                found = finder.find(said, api=api)[:3]
                assert {entry.risk for entry in found} <= {"read"}, said


async def test_a_question_that_names_no_api_is_answered_from_both(finder: Finder) -> None:
    found = [entry.name for entry in finder.find("turn it off")]
    assert {"hypercore_power_off_vm", "idrac_power_off_server"} <= set(found[:FIRST])


async def test_a_class_of_risk_and_an_api_are_kept_to(finder: Finder) -> None:
    found = finder.find("disk", api="hypercore", risk="destroy")
    assert found
    assert {(entry.api, entry.risk) for entry in found} == {("hypercore", "destroy")}


@pytest.mark.parametrize(
    "question", ["", "  ", "the of", '"', "NEAR(", "a OR * ^", "zzzzqqq", "x" * 500, "ß – 漢字", "'; --"]
)
async def test_any_words_are_a_question_and_never_an_expression(finder: Finder, question: str) -> None:
    assert isinstance(finder.find(question), list)


async def test_words_that_match_nothing_find_nothing(finder: Finder) -> None:
    assert finder.find("zzzzqqq") == []
