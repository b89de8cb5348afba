"""Who is at the other end: the system's authorities, one of ours, or one certificate and no other."""

import asyncio
import datetime as dt
import hashlib
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from governance.registry.targets import Target
from runtime.caller import Caller
from runtime.diagnosis import diagnose
from runtime.driver import Driver
from tests.waiting import PATIENCE_S, until
from workflow.requests.events import RequestFailed, ResponseArrived

ME = Caller("me", "operator")
NOW = dt.datetime.now(dt.UTC)


@dataclass
class Box:
    """A device with a certificate of its own; `requests` counts what came through TLS to HTTP."""

    port: int
    pin: str
    file: Path
    requests: list[bytes]
    server: asyncio.Server

    async def stop(self) -> None:
        self.server.close()
        await self.server.wait_closed()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"


def certificate(folder: Path, *, name: str = "127.0.0.1", days: int = 30) -> tuple[Path, str]:
    """A self-signed certificate with its key in one file, and its fingerprint."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "device")])
    alternative = x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - dt.timedelta(days=60))
        .not_valid_after(NOW + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / f"{made.serial_number}.pem"
    file.write_bytes(made.public_bytes(pem) + private)
    return file, hashlib.sha256(made.public_bytes(serialization.Encoding.DER)).hexdigest()


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Box]]]:
    servers: list[asyncio.Server] = []
    writers: list[asyncio.StreamWriter] = []

    async def start(file: Path | None = None, pin: str = "", port: int = 0, **about: Any) -> Box:
        if file is None:
            file, pin = certificate(tmp_path, **about)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        heard: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.append(writer)
            try:
                heard.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
                await writer.drain()
            except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", port, ssl=context)
        servers.append(server)
        return Box(server.sockets[0].getsockname()[1], pin, file, heard, server)

    yield start
    for writer in writers:
        writer.close()
    for server in servers:
        server.close()
        await server.wait_closed()


async def outcome(driver: Driver, notes: Any, tools: Any, url: str, how: str) -> Any:
    return await driver.send(
        tools.get(), tools.endpoint(url, {"auth": {"kinds": ["bearer"]}}, tls=how), tools.soon(), notes
    )


async def test_the_pinned_certificate_is_trusted_whoever_signed_it(
    box: Any, driver: Driver, notes: Any, tools: Any
) -> None:
    device = await box()
    event = await outcome(driver, notes, tools, device.url, f"pin:{device.pin}")
    assert isinstance(event, ResponseArrived), event


@pytest.mark.parametrize("about", [{"days": -1}, {"name": "somebody.else"}])
async def test_only_the_pin_decides_not_the_date_and_not_the_name(
    box: Any, driver: Driver, notes: Any, tools: Any, about: Any
) -> None:
    device = await box(**about)
    event = await outcome(driver, notes, tools, device.url, f"pin:{device.pin}")
    assert isinstance(event, ResponseArrived), event


async def test_another_certificate_than_the_pinned_one_gets_no_byte_of_a_request(
    box: Any, driver: Driver, notes: Any, tools: Any
) -> None:
    device, other = await box(), await box()
    event = await outcome(driver, notes, tools, device.url, f"pin:{other.pin}")
    assert isinstance(event, RequestFailed)
    assert event.reason == "refused"
    assert "pinned" in event.message
    assert device.requests == []
    assert notes.sent == []


async def test_a_certificate_that_changes_while_we_are_connected_stops_us(
    box: Any, driver: Driver, notes: Any, tools: Any, tmp_path: Path
) -> None:
    device = await box()
    assert isinstance(await outcome(driver, notes, tools, device.url, f"pin:{device.pin}"), ResponseArrived)
    # The same address, somebody else behind it.
    other, _ = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(other)
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(100))
        writer.close()

    impostor = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    # The line that carried the first request holds the context that trusts one certificate alone.
    port = impostor.sockets[0].getsockname()[1]
    endpoint = tools.endpoint(f"https://127.0.0.1:{port}", {"auth": {"kinds": ["bearer"]}}, tls=f"pin:{device.pin}")
    (line,) = driver._lines.values()
    driver._lines[endpoint.place] = line
    event = await driver.send(tools.get(), endpoint, tools.soon(), notes)
    impostor.close()
    assert isinstance(event, RequestFailed)
    assert event.reason == "refused"
    assert b"".join(heard) == b""


async def test_a_ca_file_of_ours_is_trusted_and_a_stranger_is_not(
    box: Any, driver: Driver, notes: Any, tools: Any
) -> None:
    device, other = await box(), await box()
    assert isinstance(await outcome(driver, notes, tools, device.url, f"ca:{device.file}"), ResponseArrived)
    event = await outcome(driver, notes, tools, other.url, f"ca:{device.file}")
    assert isinstance(event, RequestFailed)
    assert event.reason == "refused"
    assert other.requests == []


@pytest.mark.parametrize("about", [{"days": -1}, {"name": "somebody.else"}])
async def test_without_a_pin_an_expired_certificate_or_another_name_is_refused(
    box: Any, driver: Driver, notes: Any, tools: Any, about: Any
) -> None:
    device = await box(**about)
    event = await outcome(driver, notes, tools, device.url, f"ca:{device.file}")
    assert isinstance(event, RequestFailed)
    assert (event.reason, device.requests) == ("refused", [])
    assert "somebody must look" in event.message


async def test_by_default_the_systems_authorities_decide(box: Any, driver: Driver, notes: Any, tools: Any) -> None:
    device = await box()
    event = await outcome(driver, notes, tools, device.url, "verify")
    assert isinstance(event, RequestFailed)
    assert event.reason == "refused"
    assert device.requests == []


@pytest.mark.parametrize("how", ["none", "ca:/no/such/file", "", "pin:"])
async def test_what_says_nothing_trusts_nobody(box: Any, driver: Driver, notes: Any, tools: Any, how: str) -> None:
    device = await box()
    event = await outcome(driver, notes, tools, device.url, how)
    assert isinstance(event, RequestFailed)
    assert event.reason == "refused"
    assert device.requests == []


async def test_a_device_that_speaks_no_tls_is_not_sent_anything(
    driver: Driver, notes: Any, tools: Any, recorder: Any, clock: Any
) -> None:
    device = await recorder(tools.said(tools.answer()))
    url = device.url.replace("http:", "https:")
    asking = asyncio.create_task(outcome(driver, notes, tools, url, "pin:" + "0" * 64))
    await until(lambda: device.connections)
    clock.jump(PATIENCE_S)  # it waits for the end of the hello, and the driver for an answer to it
    event = await asking
    assert isinstance(event, RequestFailed)
    assert event.reason in ("not_sent", "refused")
    assert device.heard == []


async def test_a_certificate_that_changes_between_two_runs_stops_all_and_asks_an_operator(
    box: Any, lab: Any, witness: Any
) -> None:
    """Nothing reaches whoever is there now, until somebody has looked and said that it is the device."""
    first = await box()
    boxes = [first]
    witness.device(first.port, lambda: [tuple(r.decode().split(" ")[:2]) for each in boxes for r in each.requests])
    await lab.service.targets.apply([Target("lab", "toy", first.url, "live", tls=f"pin:{first.pin}")], actor="op")
    await lab.service.live.reload()
    assert await how_it_ended(lab, "toy_find_vm", vm="web-01") == "not_found"
    await first.stop()
    second = await box(port=first.port)
    boxes.append(second)
    for tool, inputs in (("toy_find_vm", {"vm": "web-01"}), ("toy_stop_vm", {"uuid": "u-1"})):
        ended = await lab.service.calls.call(lab.service.live.now.entries[tool], inputs, None, ME)
        assert (ended.outcome, ended.failure.code, ended.failure.done) == ("failed", "refused", ())
        assert "somebody must look" in ended.failure.message
    assert second.requests == []
    found = {each.step: each for each in await diagnose(lab.service, "lab", "op")}
    assert (found["tls"].outcome, found["tls"].detail["fingerprint"]) == ("bad", second.pin)
    assert second.requests == []
    await lab.service.targets.apply([Target("lab", "toy", second.url, "live", tls=f"pin:{second.pin}")], actor="op")
    await lab.service.live.reload()
    assert await how_it_ended(lab, "toy_find_vm", vm="web-01") == "not_found"
    assert len(second.requests) == 1


async def how_it_ended(lab: Any, tool: str, **inputs: str) -> str:
    ended = await lab.service.calls.call(lab.service.live.now.entries[tool], inputs, None, ME)
    return ended.failure.code if ended.failure else str(ended.outcome)
