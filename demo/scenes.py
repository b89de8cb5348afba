"""What is played for each vendor, as data: which workflow is wished for, with which arguments, and what it shows.

The names (`web-01`, `db-01`) are those of the examples in `specs/`, from which the twins make their first state.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from demo.choice import Wish

Expected = Literal["succeeded", "failed", "refused", "unknown"]


@dataclass(frozen=True, slots=True)
class Scene:
    """`shows`: members of what comes back that are printed. `proves`: members and the values that they must have then,
    on a mock that remembers.
    """

    title: str
    wish: Wish
    arguments: Mapping[str, Any]
    shows: tuple[str, ...] = ()
    proves: Mapping[str, Any] = field(default_factory=dict)
    expected: Expected = "succeeded"


@dataclass(frozen=True, slots=True)
class Vendor:
    """`api`: the name of what is shipped, too. `scenes` in order: a read, an action with its job, a change that is read
    back, a refusal.
    """

    api: str
    title: str
    scenes: tuple[Scene, ...]


START = Wish("act", "POST /VirDomain/action", "start")
UPDATE_VM = Wish("update", "PATCH /VirDomain/{virDomainUUID}")
HYPERCORE = Vendor(
    "hypercore",
    "SCALE Computing HyperCore",
    (
        Scene("A read: which VMs are there?", Wish("find", "GET /VirDomain"), {}, ("name", "state", "description")),
        Scene("An action with its job: start db-01", START, {"vm": "db-01"}, ("name", "state"), {"state": "RUNNING"}),
        Scene(
            "A change, read back: say what web-01 is for",
            UPDATE_VM,
            {"vm": "web-01", "description": "Front end of the shop, second floor"},
            ("name", "description"),
            {"description": "Front end of the shop, second floor"},
        ),
        Scene("A refusal: there is no VM db-99", START, {"vm": "db-99"}, expected="failed"),
    ),
)

UPDATE_SERVER = Wish("update", "PATCH /redfish/v1/Systems/{ComputerSystemId}")
SERVER = "System.Embedded.1"
IDRAC = Vendor(
    "idrac",
    "Dell iDRAC (Redfish)",
    (
        Scene(
            "A read: how is the server?",
            Wish("describe", "GET /redfish/v1/Systems/{ComputerSystemId}"),
            {"server": SERVER},
            ("Model", "PowerState", "BiosVersion", "Status"),
        ),
        Scene(
            "An action with its job: export the server configuration profile",
            Wish("act", "POST /redfish/v1/Managers/{ManagerId}/Actions/Oem/EID_674_Manager.ExportSystemConfiguration"),
            {"ExportFormat": "JSON", "Target": "BIOS"},
            ("Id", "JobState", "PercentComplete", "Message"),
        ),
        Scene(
            "A change, read back: give it an asset tag",
            UPDATE_SERVER,
            {"server": SERVER, "AssetTag": "RACK-42-7"},
            ("Model", "AssetTag"),
            {"AssetTag": "RACK-42-7"},
        ),
        Scene(
            "A refusal: there is no server System.Embedded.9",
            UPDATE_SERVER,
            {"server": "System.Embedded.9", "AssetTag": "RACK-42-8"},
            expected="failed",
        ),
    ),
)

VENDORS = (HYPERCORE, IDRAC)
LATER = Scene(
    "The new tool: a snapshot of web-01",
    Wish("create", "POST /VirDomainSnapshot"),
    {"vm": "web-01", "label": "before the upgrade"},
    ("label", "uuid", "domainUUID"),
    {"label": "before the upgrade"},
)

LABEL, LOGIN, JOB = "before the upgrade", "/login", "/TaskTag/"
STARTED, TWICE, NOBODY, NAMELESS, LOST, FOUND = (
    Scene("The agent gives a name, and gets the outcome", START, {"vm": "db-01"}, ("name", "state"),
          {"state": "RUNNING"}),
    Scene("It runs already: start db-01 once more", START, {"vm": "db-01"}, expected="failed"),
    Scene("There is no VM db-99", START, {"vm": "db-99"}, expected="failed"),
    Scene("No VM is named at all", START, {}, expected="refused"),
    Scene("A snapshot of web-01; the device's reply is lost", LATER.wish, {"vm": "web-01", "label": LABEL},
          LATER.shows, {"label": LABEL}),
    Scene("Somebody looks: how many snapshots are there of that label?", Wish("find", "GET /VirDomainSnapshot"), {},
          ("label", "uuid"), {"label": LABEL}),
)  # fmt: skip
# How an operator sees what a device is at, without the reply that named the job.
JOBS, ONE_JOB, JOB_UNDER_WAY = (
    Wish("find", "GET /TaskTag"),
    Wish("describe", "GET /TaskTag/{taskTag}"),
    ("QUEUED", "RUNNING"),
)
SHORT = (replace(HYPERCORE, scenes=(STARTED, TWICE, NOBODY, NAMELESS, LOST, FOUND)),)
