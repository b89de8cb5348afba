"""Testing a target: each step finds what is wrong there, and no credential is shown before it is due."""

import asyncio
import datetime as dt
import hashlib
import json
import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from governance.registry.targets import Target
from runtime.diagnosis import diagnose
from workflow.profiles.profile import Profile

PROFILE = Profile(
    api="toy",
    base_path="/api",
    auth={"kinds": ["basic"]},  # type: ignore[arg-type]
    probe={"read": "GET /about", "version": "/0/version"},  # type: ignore[arg-type]
)


@pytest.fixture
async def service(house: Any) -> Any:
    body = PROFILE.model_dump(mode="json")
    await house.service.apis.put_api("toy", "Toy", "1", "sha256:" + "0" * 64, body, PROFILE.digest)
    return house.service


async def outcomes(service: Any, target: Target) -> dict[str, Any]:
    await service.targets.apply([target])
    return {finding.step: finding for finding in await diagnose(service, target.name, "tester")}


def said(found: dict[str, Any]) -> list[str]:
    return [found[step].outcome for step in ("address", "dns", "tcp", "tls", "login", "version")]


def lab(url: str, **more: Any) -> Target:
    return replace(Target("lab", "toy", url, "live", "env:WORD", "env:WORD"), **more)


async def test_a_good_target_is_good_in_every_step_and_tells_its_version(
    service: Any, recorder: Any, tools: Any
) -> None:
    device = await recorder(tools.said(tools.answer(200, b'[{"version": "9.4.2"}]')))
    found = await outcomes(service, lab(device.url))
    assert said(found) == ["good", "good", "good", "left out", "good", "good"]
    assert found["version"].detail == {"version": "9.4.2"}
    assert device.heard[-1].line == b"GET /api/about HTTP/1.1"
    rows = await service.audit.find(action="request.sending")
    assert [(row.subject, row.actor, row.detail["path"]) for row in rows] == [("target:lab", "tester", "/about")]


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_credentials_are_found_at_the_login(service: Any, recorder: Any, tools: Any, status: int) -> None:
    device = await recorder(tools.said(tools.answer(status)))
    found = await outcomes(service, lab(device.url))
    assert said(found)[4:] == ["bad", "left out"]
    assert "s3cret-word" not in json.dumps([each.to_json() for each in found.values()])


@pytest.mark.parametrize("status", [302, 404, 405, 410, 429, 500, 503])
async def test_what_is_not_the_probes_answer_is_no_login(service: Any, recorder: Any, tools: Any, status: int) -> None:
    device = await recorder(tools.said(tools.answer(status, b"", location="https://elsewhere.example/login")))
    found = await outcomes(service, lab(device.url))
    assert said(found)[4:] == ["bad", "left out"]
    assert str(status) in found["login"].message
    assert not found["login"].remedy.startswith("check the credentials")
    assert status != 302 or "https://elsewhere.example/login" in found["login"].message


async def test_a_page_for_people_is_no_login(service: Any, recorder: Any, tools: Any) -> None:
    device = await recorder(tools.said(tools.answer(200, b"<html>Welcome</html>", content_type="text/html")))
    found = await outcomes(service, lab(device.url))
    assert said(found)[4:] == ["bad", "left out"]


async def stored(service: Any, profile: Profile) -> None:
    body = profile.model_dump(mode="json")
    await service.apis.put_api("toy", "Toy", "1", "sha256:" + "0" * 64, body, profile.digest)


@pytest.mark.parametrize(
    ("version", "outcome"), [("9.4.2", "good"), ("9.4", "good"), ("9.40.1", "bad"), ("10.0", "bad"), ("8.9", "bad")]
)
async def test_a_device_of_another_version_than_the_described_ones_is_told(
    service: Any, recorder: Any, tools: Any, version: str, outcome: str
) -> None:
    probe = PROFILE.probe.model_copy(update={"described": ("9.3", "9.4")})  # type: ignore[union-attr]
    await stored(service, Profile.model_validate({**PROFILE.model_dump(), "probe": probe.model_dump()}))
    device = await recorder(tools.said(tools.answer(200, json.dumps([{"version": version}]).encode())))
    found = await outcomes(service, lab(device.url))
    assert (found["version"].outcome, found["version"].detail) == (outcome, {"version": version})
    assert "9.3, 9.4" in found["version"].message


async def test_the_base_path_is_that_of_the_compiled_description_where_the_profile_has_none(
    service: Any, recorder: Any, tools: Any
) -> None:
    await stored(service, Profile.model_validate(PROFILE.model_dump(exclude={"base_path"})))
    document = json.loads(json.dumps(tools.toy_content("list").document))
    document["x-switchgear"]["base_path"] = "/described/v2"
    about = {"intent": "find", "risk": "read", "resource": "vms", "is_core": True, "rank": 1.0, "proof": None}
    await service.revisions.submit("toy", "toy-list-vms", tools.content_of(document), actor="t", **about)
    device = await recorder(tools.said(tools.answer(200, b'[{"version": "9.4.2"}]')))
    await outcomes(service, lab(device.url))
    assert device.heard[-1].line == b"GET /described/v2/about HTTP/1.1"


async def test_a_reference_that_leads_nowhere_is_found_before_anything_is_asked(
    service: Any, recorder: Any, tools: Any
) -> None:
    device = await recorder(tools.said(tools.answer()))
    found = await outcomes(service, lab(device.url, password_ref="env:NOT_SET"))
    assert said(found) == ["bad", *["left out"] * 5]
    assert "env:NOT_SET" in found["address"].message
    assert device.connections == 0


async def test_a_port_that_is_closed_and_a_name_that_is_unknown_are_found(
    service: Any, recorder: Any, tools: Any
) -> None:
    device = await recorder(tools.said(tools.answer()))
    url = device.url
    await device.stop()
    closed = await outcomes(service, lab(url))
    await device.start()
    unknown = await outcomes(service, lab("https://no-such-host.invalid"))
    assert said(closed)[:3] == ["good", "good", "bad"]
    assert said(unknown)[:2] == ["good", "bad"]


async def test_an_untrusted_certificate_is_told_with_its_fingerprint_and_no_credential_is_shown(
    service: Any, tmp_path: Path, witness: Any
) -> None:
    file, pin = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(4096))
        if heard[-1]:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n[]")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    url = f"https://127.0.0.1:{port}"
    witness.device(port, lambda: [tuple(each.decode().split(" ")[:2]) for each in heard if each])
    untrusted = await outcomes(service, lab(url))
    assert said(untrusted)[3:] == ["bad", "left out", "left out"]
    assert (untrusted["tls"].detail["fingerprint"], b"".join(heard)) == (pin, b"")
    assert f"pin:{pin}" in untrusted["tls"].remedy
    pinned = await outcomes(service, lab(url, tls=f"pin:{pin}"))
    assert said(pinned)[3:5] == ["good", "good"]
    tomorrow = (dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).date().isoformat()
    for each in (untrusted, pinned):
        detail = each["tls"].detail
        assert (detail["subject"], detail["issuer"], detail["expires"]) == ("CN=device", "CN=device", tomorrow)
    assert pinned["tls"].message.endswith(f"CN=device, until {tomorrow}")
    wrong = await outcomes(service, lab(url, tls="pin:" + "0" * 64))
    assert said(wrong)[3] == "bad"
    server.close()
    await server.wait_closed()


@pytest.mark.slow
async def test_a_port_without_tls_is_said_to_be_none(
    service: Any, recorder: Any, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.diagnosis.STEP_S", 1.0)
    device = await recorder(tools.said(tools.answer()))
    found = await outcomes(service, lab(device.url.replace("http:", "https:")))
    assert found["tls"].outcome == "bad"
    assert device.heard == []


def certificate(folder: Path) -> tuple[Path, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "device")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - dt.timedelta(days=1))
    made = builder.not_valid_after(now + dt.timedelta(days=1)).sign(key, hashes.SHA256())
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    file = folder / "device.pem"
    file.write_bytes(made.public_bytes(pem) + private)
    return file, hashlib.sha256(made.public_bytes(serialization.Encoding.DER)).hexdigest()
