"""The twin of the shipped iDRAC description, judged by DMTF's own redfish_protocol_validator (DSP0266).

What fails stands in FAILS, what could not be tested in NOT_TESTED, each with its reason. A new failure fails the
test, and what has been mended must leave the table. Figures: docs/REDFISH_PEERS.md.
"""

import asyncio
import csv
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from compiler.compiled import Compiled
from compiler.twin import Twin, server
from tests.waiting import WALK_S
from workflow.profiles.profile import read_profile

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
VALIDATOR = Path(__file__).with_name("protocol_validator.py")

PLAIN = "the twin speaks plain HTTP, on the loopback address"
BY_DESCRIPTION = "the twin judges a body by the description, in which the element of the array is a string"
NO_TYPE = "the shipped description's session has no @odata.type"
ROLES = "the shipped description shows one role, of which the twin makes another"
FAILS: Mapping[str, tuple[int, str]] = {
    "REQ_PATCH_ARRAY_ELEMENT_REMOVE": (1, BY_DESCRIPTION),
    "REQ_PATCH_ARRAY_ELEMENT_UNCHANGED": (1, BY_DESCRIPTION),
    "REQ_POST_CREATE_TO_MEMBERS_PROP": (1, "only the addresses of the description are served"),
    "SEC_BASIC_AUTH_OVER_HTTPS": (1, PLAIN),
    "SEC_PRIV_SUPPORT_PREDEFINED_ROLES": (2, ROLES),
    "SEC_SESSION_CREATE_HTTPS_ONLY": (1, PLAIN),
    "SEC_SESSION_POST_RESPONSE": (1, NO_TYPE),
}

ONE_ACCOUNT = "the validator needs an account of its own to change; an iDRAC has no POST that makes one"
NO_STREAM = "the description has no stream of events"
NO_SEARCH = "SSDP is multicast, and nothing leaves the loopback address"
NOT_TESTED: Mapping[str, tuple[str, ...]] = {
    ONE_ACCOUNT: (
        "PROTO_ETAG_412_WRITE_NOT_APPLIED",
        "PROTO_ETAG_CONDITIONAL_GET",
        "PROTO_ETAG_HEADER_AND_PROPERTY",
        "PROTO_ETAG_IF_MATCH_ENFORCED",
        "PROTO_ETAG_LOST_UPDATE",
        "PROTO_ETAG_ROTATES_ON_WRITE",
        "PROTO_ETAG_STABLE_WITHOUT_MODIFICATION",
        "PROTO_HTTP_SUPPORTED_METHODS",
        "REQ_DATA_MOD_ERRORS",
        "REQ_HEADERS_CONTENT_TYPE",
        "REQ_HEADERS_IF_MATCH",
        "REQ_PATCH_BAD_PROP",
        "REQ_PATCH_MIXED_PROPS",
        "REQ_PATCH_ODATA_PROPS",
        "RESP_STATUS_BAD_REQUEST",
        "SEC_ACCOUNTS_SUPPORT_ETAGS",
        "SEC_PRIV_OPERATION_TO_PRIV_MAPPING",
        "SEC_PWD_CHANGE_REQ_ALLOW_GET_ACCOUNT",
        "SEC_PWD_CHANGE_REQ_ALLOW_PATCH_PASSWORD",
        "SEC_PWD_CHANGE_REQ_ALLOW_SESSION_LOGIN",
        "SEC_PWD_CHANGE_REQ_DISALLOW_ALL_OTHERS",
    ),
    NO_STREAM: (
        "SEC_SESSION_TERMINATION_SIDE_EFFECTS",
        "SERV_SSE_BLANK_LINES_BETWEEN_EVENTS",
        "SERV_SSE_CLOSE_CONNECTION_IF_EVENT_DEST_DELETED",
        "SERV_SSE_CONNECTION_OPEN_UNTIL_CLOSED",
        "SERV_SSE_DATA_FIELD_BASED_ON_PAYLOAD_FORMAT",
        "SERV_SSE_EVENTS_SENT_VIA_OPEN_CONNECTION",
        "SERV_SSE_EVENT_DEST_CONTEXT_OPAQUE_STR",
        "SERV_SSE_EVENT_DEST_DELETED_ON_CLOSE",
        "SERV_SSE_ID_FIELD_UNIQUELY_IDENTIFIES_PAYLOAD",
        "SERV_SSE_JSON_EVENT_MESSAGE_FORMAT",
        "SERV_SSE_JSON_METRIC_REPORT_FORMAT",
        "SERV_SSE_OPEN_CREATES_EVENT_DEST",
        "SERV_SSE_SUCCESSFUL_RESPONSE",
        "SERV_SSE_UNSUCCESSFUL_RESPONSE",
    ),
    NO_SEARCH: (
        "SERV_SSDP_AL_HEADER_POINTS_TO_SERVICE_ROOT",
        "SERV_SSDP_CAN_BE_DISABLED",
        "SERV_SSDP_MSEARCH_RESPONDS_TO_REDFISH_OR_ALL",
        "SERV_SSDP_M_SEARCH_RESPONSE_FORMAT",
        "SERV_SSDP_ST_HEADER_FORMAT",
        "SERV_SSDP_USN_MATCHES_SERVICE_ROOT_UUID",
        "SERV_SSDP_UUID_IN_CANONICAL_FORMAT",
    ),
    PLAIN: ("SEC_CERTS_CONFORM_X509V3", "SEC_DEFAULT_CERT_REPLACE"),
    ROLES: ("SEC_PRIV_PREDEFINED_ROLE_NOT_MODIFIABLE",),
    "the device does not offer the description as openapi.yaml": (
        "REQ_HEADERS_ACCEPT",
        "RESP_HEADERS_CONTENT_TYPE",
    ),
    "neither `only` nor `excerpt` is known here": ("REQ_QUERY_INVALID_VALUES",),
    "nothing is redirected": ("PROTO_REDIRECT_ENFORCES_TARGET_PRIVS",),
    "the twin has no 500 of its own": ("RESP_STATUS_INTERNAL_SERVER_ERROR",),
}


async def judged(url: str, folder: Path) -> tuple[tuple[str, str], ...]:
    """(assertion, result) for everything that the validator looked at."""
    arguments = ["-r", url, "-u", "admin", "-p", "switchgear", "--report-type", "tsv", "--report-dir", str(folder)]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(VALIDATOR),
        *arguments,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "NO_PROXY": "127.0.0.1", "HOME": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), WALK_S)
    return tuple(rows(folder, said.decode()))


def rows(folder: Path, said: str) -> Iterator[tuple[str, str]]:
    reports = tuple(folder.glob("*.tsv"))
    assert len(reports) == 1, said
    with reports[0].open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            yield row["Assertion"], row["Result"]


async def test_what_the_validator_finds_is_what_the_tables_say(idrac: Compiled, tmp_path: Path) -> None:
    profile = read_profile(ROOT / "specs/idrac/profile.yaml")  # with sessions, which the validator opens
    async with server.running(Twin(idrac.api, profile, now=time.monotonic)) as url:
        found = await judged(url, tmp_path)
    failed = Counter(assertion for assertion, result in found if result == "FAIL")
    assert dict(failed) == {name: count for name, (count, _) in FAILS.items()}
    untested = {assertion for assertion, result in found if result == "NOT_TESTED"}
    assert untested == {name for names in NOT_TESTED.values() for name in names}
    assert sum(result == "PASS" for _, result in found) >= 280
