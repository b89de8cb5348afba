"""What is refused costs a bounded number of lines of the log, and never a traceback (THREATS F1, F12)."""

import base64
import io
import json
import logging
import os
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

from runtime.auth.jwt_issuers import IssuerTrust, JwtIssuer, RoleRule
from runtime.observing.summing import MOST_KINDS, MOST_LINES, SummedHandler
from runtime.observing.unblocked import Unblocked
from tests.waiting import until


def logger_of(handler: logging.Handler, name: str) -> logging.Logger:
    logger = logging.Logger(name)
    logger.addHandler(handler)
    return logger


def test_of_what_comes_often_so_many_lines_are_told_and_then_how_many_more() -> None:
    told, now = io.StringIO(), 0.0
    handler = SummedHandler(told, lambda: now)
    logger = logger_of(handler, "flooded")
    for number in range(1_000):
        logger.warning("no place for %s", number)
        logger.info("an event")
    assert told.getvalue().count("no place for") == MOST_LINES
    assert told.getvalue().count("an event") == 1_000
    logger.error("another matter")
    now = 61.0
    logger.warning("no place for %s", "the last")
    assert f"{1_000 - MOST_LINES} more in a minute: no place for %s\nno place for the last" in told.getvalue()
    assert told.getvalue().count("another matter") == 1
    handler.close()


def test_endless_kinds_are_one_kind() -> None:
    told = io.StringIO()
    handler = SummedHandler(told)
    for number in range(10_000):
        logger_of(handler, "library").warning(f"value {number}")
    handler.close()
    assert len(told.getvalue().splitlines()) == MOST_KINDS + MOST_LINES + 1
    assert f"{10_000 - MOST_KINDS - MOST_LINES} more" in told.getvalue()


async def test_the_sum_is_told_when_nothing_more_comes() -> None:
    told = io.StringIO()
    handler = SummedHandler(told, minute_s=0.05)
    for _ in range(MOST_LINES + 5):
        logger_of(handler, "flooded").warning("again")
    await until(lambda: "5 more in a minute: again" in told.getvalue(), "the sum")
    handler.close()


def test_a_pipe_that_nobody_reads_holds_up_nobody_and_what_was_lost_is_told_when_somebody_does() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream, os.fdopen(reading, "rb", buffering=0) as reader:
        os.set_blocking(reading, False)
        logger = logger_of(SummedHandler(Unblocked(stream)), "unread")
        for _ in range(200):
            logger.info("x" * 5_000)
        text = reader.read(1 << 20)
        assert len(text) < 200 * 5_000
        logger.info("the last line")
        more = reader.read(1 << 20).decode()
    told = re.fullmatch(r"\n?(\d+) lines were lost, since nobody read them\nthe last line\n", more)
    assert told
    assert text.count(b"\n") + int(told[1]) == 200


async def test_refused_reads_of_resources_are_a_line_each_without_a_traceback(server: Any, caplog: Any) -> None:
    async with Client(StreamableHttpTransport(server.mcp)) as opened:
        for uri in ("switchgear://runs/nobodys/outputs", "switchgear://workflows/nothing/schema"):
            with pytest.raises(Exception, match="no"):
                await opened.read_resource(uri)
    warned = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(warned) == 2
    assert not [record for record in warned if record.exc_info]


@pytest.mark.parametrize("where", ["the file of keys", "the header of a JWT"])
async def test_what_is_nested_without_end_is_a_refusal_and_no_error_of_ours(
    where: str, tmp_path: Path, house: Any, tools: Any, caplog: Any
) -> None:
    deep = "[" * 9_000
    (tmp_path / "keys.json").write_text(deep if where == "the file of keys" else '{"keys": []}')
    rules = (RoleRule(value="x", role="admin"),)
    trust = IssuerTrust(
        issuer="https://i", audience="s", keys=str(tmp_path / "keys.json"), roles_claim="g", roles=rules
    )
    house.service.authenticator._company = JwtIssuer(trust)
    shown = json.dumps({"alg": "ES256", "kid": "k"}) if where == "the file of keys" else deep
    secret = base64.urlsafe_b64encode(shown.encode()).decode().rstrip("=") + ".e30.AAAA"
    async with tools.running(house.service) as run, httpx.AsyncClient(base_url=run.url, trust_env=False) as client:
        reply = await client.get("/runs", headers={"authorization": f"Bearer {secret}"})
    assert reply.status_code == 401
    assert not [record for record in caplog.records if record.exc_info]
