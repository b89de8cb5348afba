"""How the server listens (TLS, or a refusal to start) and how often one caller may ask."""

import asyncio
import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from runtime.admission import accepting
from runtime.admission.rates import BURST_S, Rates
from runtime.app import Listening, bound_socket, build, http_server, serve_http
from runtime.errors import StartRefused
from tests.waiting import until

# The beginning of a ClientHello.
HELLO, MOST_HALVES = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 5


def certificate(folder: Path) -> tuple[str, str]:
    """Files with a self-signed certificate of this machine and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "here")])
    today = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    return str(folder / "cert.pem"), str(folder / "key.pem")


@asynccontextmanager
async def over_tls(lab: Any, files: tuple[str, str]) -> AsyncIterator[tuple[Any, int]]:
    """A server that speaks TLS, and its port."""
    server = http_server(build(lab.service), tls=files)
    listener = bound_socket("127.0.0.1", 0)
    port = listener.getsockname()[1]
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.005)
    try:
        yield server, port
    finally:
        server.should_exit = True
        await task


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_caller_gets_a_burst_and_then_a_steady_rate() -> None:
    clock = Clock()
    rates = Rates(2, clock)
    assert [rates.wait_s("ann") for _ in range(2 * BURST_S)] == [0] * 2 * BURST_S
    assert rates.wait_s("ann") == 1
    assert rates.wait_s("bob") == 0
    clock.now = 0.5
    assert [rates.wait_s("ann"), rates.wait_s("ann")] == [0, 1]
    clock.now = 1e9
    assert [rates.wait_s("ann") for _ in range(2 * BURST_S + 1)] == [0] * 2 * BURST_S + [1]


def test_without_a_rate_nobody_waits() -> None:
    rates = Rates(0, Clock())
    assert not any(rates.wait_s("ann") for _ in range(10_000))


async def test_who_asks_too_often_is_told_when_to_ask_again_and_others_are_not_kept(lab: Any) -> None:
    ann, bob = await lab.token("viewer", "ann"), await lab.token("viewer", "bob")
    transport = httpx.ASGITransport(build(lab.service, rate_per_s=1).asgi)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:

        async def ask(secret: str) -> httpx.Response:
            return await client.get("/targets", headers={"authorization": f"Bearer {secret}"})

        statuses = [(await ask(ann)).status_code for _ in range(BURST_S + 1)]
        late, other = await ask(ann), await ask(bob)
    assert statuses.count(200) in (BURST_S, BURST_S + 1)
    assert (late.status_code, late.headers["retry-after"]) == (429, "1")
    assert late.headers["content-type"] == "application/problem+json"
    assert other.status_code == 200


async def test_with_a_certificate_the_server_speaks_tls_and_nothing_else(lab: Any, tmp_path: Path) -> None:
    files = certificate(tmp_path)
    trust = ssl.create_default_context(cafile=files[0])
    async with over_tls(lab, files) as (_, port), httpx.AsyncClient(verify=trust, trust_env=False) as client:
        assert (await client.get(f"https://127.0.0.1:{port}/health")).status_code == 200
        with pytest.raises(httpx.HTTPError):
            await client.get(f"http://127.0.0.1:{port}/health")


async def test_handshakes_that_are_half_done_count_as_connections_and_are_ended(
    lab: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = certificate(tmp_path)
    trust = ssl.create_default_context(cafile=files[0])
    async with over_tls(lab, files) as (server, port):
        monkeypatch.setattr(server.open, "_most_strangers", MOST_HALVES)
        halves = [await asyncio.open_connection("127.0.0.1", port) for _ in range(4 * MOST_HALVES)]
        for _, writer in halves:
            writer.write(HELLO)
        gone = [asyncio.create_task(reader.read()) for reader, _ in halves]
        await until(lambda: sum(each.done() for each in gone) == 3 * MOST_HALVES, "the oldest to make room")
        assert len(server.open) == MOST_HALVES
        async with httpx.AsyncClient(verify=trust, trust_env=False) as client:
            assert (await client.get(f"https://127.0.0.1:{port}/health")).status_code == 200
        monkeypatch.setattr(accepting, "SILENT_S", 0.05)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HELLO)
        assert await reader.read() == b"", "it is ended when its time is over"
        for _, each in (*halves, (reader, writer)):
            each.close()
        await asyncio.gather(*gone, return_exceptions=True)


async def test_a_certificate_that_cannot_be_used_stops_the_start(lab: Any, tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("nothing")
    name = str(tmp_path / "cert.pem")
    with pytest.raises(StartRefused, match="cannot be used"):
        http_server(build(lab.service), tls=(name, name))


@pytest.mark.parametrize("tls", [("", ""), ("cert.pem", "")])
async def test_beyond_loopback_nothing_is_served_in_the_clear_unless_told_so(lab: Any, tls: tuple[str, str]) -> None:
    await lab.token("admin")
    await lab.service.authenticator.look()
    with pytest.raises(StartRefused, match="without TLS"):
        await serve_http(lab.service, Listening("0.0.0.0", 0, tls), lambda _address: None)
