"""THREATS.md C1: whatever stands in an argument, what a raw socket hears is the approved step, and nothing beside it.

From the inputs through the interpreter and the driver to the bytes: mock transports hide line breaks, a socket does
not. Each location has its own hostile values, made of the marks that servers, proxies and parsers read as something.
"""

import itertools
import json
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest

from runtime.driver import Driver
from workflow.documents.reader import read_document
from workflow.programs.program_making import build_program
from workflow.programs.state import State
from workflow.requests.events import EndRun, RequestFailed, ResponseArrived, RunStarted, SendRequest
from workflow.running.interpreter import advance

MARKS = (
    "..", ".", "/", "//", "\\", ";", "?", "#", "%", "&", "=", "+", ":", "@", ",", "*", "'", '"', "`", "{", "}",
    "[", "]", "%2e", "%2E%2e", "%2f", "%5c", "%3b", "%3f", "%23", "%00", "%0d%0a", "%25%32%65", "%c0%ae", "%u002e",
    "\r\n", "\r", "\n", "\0", "\t", " ", "\x0b", "\x1f", "\x7f", "\x85", "\xa0", "\u2028", "\u202e", "\u200b", "\ufeff",
    "．", "／", "＼", "；", "？", "＃", "％", "：", "＠", "。", "é", "ß", "\ud800", "\U000e0041",
    "Host: evil.example", "X-Injected: 1", "Transfer-Encoding: chunked", "Content-Length: 0", "GET /evil HTTP/1.1",
    "http://evil.example/", "../../admin", "a", "0", "$(id)", "${x}", "{id}", "{$inputs.id}", "$inputs.q", "<x>",
)  # fmt: skip
LOCATIONS = ("path", "query", "header", "cookie", "body", "form")
FORM = "application/x-www-form-urlencoded"
NAMES = {"path": "id", "query": "q", "header": "note", "cookie": "c", "body": "b", "form": "b"}
PLAIN = {"id": "1", "q": "2", "note": "3", "c": "4", "b": "5"}


def hostile(count: int, location: str) -> Iterator[str]:
    """Each mark alone, then as many as are wanted of several together; the same ones each time."""
    chosen = random.Random(location)
    made = ("".join(chosen.choices(MARKS, k=chosen.randint(2, 5))) for _ in itertools.count())
    return itertools.islice(itertools.chain(MARKS, made), count)


def program_of(content_type: str) -> Any:
    operation = "{$sourceDescriptions.toy.url}#/paths/~1things~1{id}~1parts/post"
    places = {"id": "path", "q": "query", "X-Note": "header", "c": "cookie"}
    values = {"X-Note": "note"}
    parameters = [{"name": n, "in": at, "value": f"$inputs.{values.get(n, n)}"} for n, at in places.items()]
    body = {"contentType": content_type, "payload": {"b": "$inputs.b", "last": "1"}}
    step = {"stepId": "s", "operationPath": operation, "parameters": parameters, "requestBody": body}
    properties = {name: {"type": "string"} for name in PLAIN}
    document = {
        "arazzo": "1.1.0",
        "info": {"title": "t", "version": "1"},
        "sourceDescriptions": [{"name": "toy", "url": "./toy.yaml", "type": "openapi"}],
        "workflows": [{"workflowId": "w", "inputs": {"type": "object", "properties": properties}, "steps": [step]}],
    }
    return build_program(read_document(document, "test"))


def first_command(program: Any, inputs: dict[str, str]) -> Any:
    _, (command,) = advance(program, State.initial(), RunStarted(inputs))
    return command


def expected(heard: Any, location: str, value: str, port: int) -> bool:
    """Whether `heard` is the approved step with `value` in its place."""
    told = {**PLAIN, NAMES[location]: value}
    path, _, query = heard.target.partition(b"?")
    before, segment, after = path.rsplit(b"/", 2)[0], path.split(b"/")[3], path.rsplit(b"/", 1)[1]
    fields = dict(heard.fields)
    shape = FORM if location == "form" else "application/json"
    names = ["host", "accept", "accept-encoding", "x-note", "cookie", "content-length", "content-type"]
    if location == "form":
        body = dict(pair.split("=", 1) for pair in heard.body.decode("ascii").split("&"))
        kept = {name: unquote(text.replace("+", " ")) for name, text in body.items()}
    else:
        kept = json.loads(heard.body)
    return (
        heard.line == b"POST %s?%s HTTP/1.1" % (path, query)
        and (before, after, path.count(b"/")) == (b"/api/things", b"parts", 4)
        and unquote(segment.decode("ascii"), errors="strict") == told["id"]
        and unquote(query.decode("ascii").removeprefix("q="), errors="strict") == told["q"]
        and query.startswith(b"q=")
        and not set(b"\r\n\0 &#;\\?") & set(query)
        and not set(b"\r\n\0 &#;\\?") & set(segment if location == "path" else b"")
        and sorted(name for name, _ in heard.fields) == sorted(n for n in names if n != "x-note" or told["note"])
        and fields["host"] == f"127.0.0.1:{port}"
        and fields.get("x-note", "").encode("latin-1") == told["note"].encode("latin-1", "replace")
        and unquote(fields["cookie"].removeprefix("c=")) == told["c"]
        and fields["content-type"] == shape
        and kept == {"b": told["b"], "last": "1"}
    )


@pytest.mark.parametrize("location", LOCATIONS)
@pytest.mark.parametrize("count", [150, pytest.param(5_000, marks=pytest.mark.long)])
async def test_a_value_stays_in_its_place_on_the_wire_or_is_refused(
    location: str, count: int, driver: Driver, recorder: Any, notes: Any, tools: Any
) -> None:
    device = await recorder(tools.said(tools.answer()))
    program, endpoint = program_of(FORM if location == "form" else "application/json"), tools.endpoint(device.url)
    sent, refused, wrong = 0, 0, []
    for value in hostile(count, location):
        command = first_command(program, {**PLAIN, NAMES[location]: value})
        event = await driver.send(command, endpoint, tools.soon(), notes) if isinstance(command, SendRequest) else None
        if isinstance(event, ResponseArrived):
            sent += 1
            if len(device.heard) != sent or not expected(device.heard[-1], location, value, device.port):
                wrong.append((value, [(heard.line, heard.fields, heard.body) for heard in device.heard[sent - 1 :]]))
        else:
            refused += 1
            said = event if isinstance(event, RequestFailed) else command
            assert isinstance(said, EndRun) or said.reason == "refused", (value, said)
    assert wrong == []
    assert len(device.heard) == sent, "refused is never sent, and one request is one"
    assert sent + refused == count
    assert sent > count // 10
    assert refused > 0
