"""Multipart at the twin: it reads the parts as a device does, and refuses what is not one of them."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from compiler.twin import Twin
from compiler.twin.server import running
from workflow.requests.multipart import PartKind, encoded

V1 = "/redfish/v1"
UPLOAD = f"{V1}/UpdateService/MultipartUpload"
BASIC = ("admin", "switchgear")
PARAMETERS = (None, '{"Targets": []}', "application/json")
FILE = ("bios.exe", b"\x00\xff\r\n--", "application/octet-stream")


@pytest.fixture
async def client(shipped: Any) -> AsyncIterator[httpx.AsyncClient]:
    twin = Twin(*shipped("idrac"), now=lambda: 0.0)
    async with running(twin) as url, httpx.AsyncClient(base_url=url, auth=BASIC, trust_env=False) as made:
        yield made


async def test_what_an_ordinary_client_writes_is_taken_and_starts_a_job(client: httpx.AsyncClient) -> None:
    reply = await client.post(UPLOAD, files={"UpdateParameters": PARAMETERS, "UpdateFile": FILE})
    assert reply.status_code == 202, reply.text
    assert "/JID_" in reply.headers["location"]


async def test_what_we_write_is_taken(client: httpx.AsyncClient) -> None:
    kinds = (PartKind("UpdateParameters", "application/json"), PartKind("UpdateFile", FILE[2], "bios.exe"))
    body, content_type = encoded({"UpdateParameters": {"Targets": []}, "UpdateFile": "AP8NCi0t"}, kinds)
    reply = await client.post(UPLOAD, content=body, headers={"content-type": content_type})
    assert reply.status_code == 202, reply.text


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"UpdateParameters": PARAMETERS}, "UpdateFile"),
        ({"UpdateFile": FILE}, "UpdateParameters"),
        ({"UpdateParameters": (None, "{", "application/json"), "UpdateFile": FILE}, "cannot be read"),
        ({"UpdateParameters": (None, '{"Targets": 5}', "application/json"), "UpdateFile": FILE}, "Targets"),
        ({"UpdateParameters": (None, "{}", "text/plain"), "UpdateFile": FILE}, "has to be application/json"),
        ({"UpdateParameters": PARAMETERS, "UpdateFile": (None, "text")}, "no filename"),
        ({"UpdateParameters": PARAMETERS, "UpdateFile": FILE, "Extra": (None, "x")}, "Extra"),
        ([("UpdateFile", FILE), ("UpdateFile", FILE), ("UpdateParameters", PARAMETERS)], "twice"),
    ],
)
async def test_a_part_that_is_missing_wrong_or_too_much_is_refused(
    client: httpx.AsyncClient, parts: Any, said: str
) -> None:
    reply = await client.post(UPLOAD, files=parts)
    assert reply.status_code in (400, 415)
    assert said in reply.text


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"{}", "application/json"),
        (b"no parts", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data; boundary=x"),
        (b"--x\r\n\r\nnameless\r\n--x--\r\n", "multipart/form-data; boundary=x"),
        (b"--x\r\nContent-Disposition: form-data; name=UpdateFile\r\n\r\ncut", "multipart/form-data; boundary=x"),
        (b"--x--\r\n", "multipart/form-data"),
    ],
)
async def test_a_body_that_is_no_multipart_is_refused(
    client: httpx.AsyncClient, content: bytes, content_type: str
) -> None:
    reply = await client.post(UPLOAD, content=content, headers={"content-type": content_type})
    assert reply.status_code in (400, 415), reply.text
