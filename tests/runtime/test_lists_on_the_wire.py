"""Lists over a real connection: Link headers in several lines, pages of HTML, empty answers, counts that say more.

What the interpreter makes of each form is tabled in `tests/compiler/test_list_faults.py`; here is what only the wire
shows, through the service, with what a caller is told.
"""

import asyncio
import json
from typing import Any

import pytest

from runtime.caller import Caller
from runtime.engines.engine import Ended
from tests.runtime.conftest import TOY, Heard, House, Recorder, Script, content_of

VMS = [{"uuid": f"u-{number}", "name": f"vm-{number}", "state": "on"} for number in range(6)]


def finding() -> dict[str, Any]:
    """The toy's lookup, with what a compiled one says of its list."""
    document: dict[str, Any] = json.loads(json.dumps(TOY["find"]))
    step = document["workflows"][0]["steps"][0]
    step["x-switchgear"]["pages"] = {"by": "reply", "members": "", "id": "/uuid", "most": 10}
    return document


def listing(body: bytes, *lines: str, status: str = "200 OK") -> bytes:
    head = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *lines]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


def said_in_turn(*answers: bytes) -> Script:
    async def script(heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(answers[min(heard.number, len(answers)) - 1])

    return script


async def found(house: House, device: Recorder, vm: str) -> Ended:
    """How the lookup ends on this device."""
    submitted = await house._submit(content_of(finding()))
    await house.service.revisions.decide(
        submitted.id, "approve", actor="test", role="admin", reason="", digest=submitted.digest
    )
    await house.target(device.url)
    await house.service.live.reload()
    entry = house.service.live.now.find("toy-find-vm")
    return await house.service.calls.call(entry, {"vm": vm}, None, Caller("me", "operator"))


JSON = "content-type: application/json"
CASES = {
    "HTML": (listing(b"<html><title>Log in</title></html>", "content-type: text/html"), "not_a_list", "HTML page"),
    "nothing": (listing(b"", status="204 No Content"), "not_a_list", "204"),
    "null": (listing(b"null", JSON), "not_a_list", "null"),
    "an error": (listing(b'{"error": "busy"}', JSON), "not_a_list", "object with error"),
    "a count": (listing(json.dumps(VMS).encode(), JSON, "X-Total-Count: 9"), "list_incomplete", "6 of 9"),
    "a circle": (listing(json.dumps(VMS).encode(), JSON, 'Link: </api/vms>; rel="next"'), "page_loop", "came already"),
    "nobody": (listing(b"[]", JSON), "not_found", "There is no machine"),
}


@pytest.mark.parametrize("case", CASES)
async def test_what_a_list_does_not_say_is_told_as_such(house: House, recorder: Any, case: str) -> None:
    answer, code, says = CASES[case]
    ended = await found(house, await recorder(said_in_turn(answer)), "vm-77")
    assert ended.outcome == "failed" and ended.failure is not None
    assert (ended.failure.code, says in ended.failure.message) == (code, True), ended.failure.message
    assert ended.failure.remedy


async def test_a_next_page_is_found_in_the_second_of_two_link_headers(house: House, recorder: Any) -> None:
    first = listing(
        json.dumps(VMS[:3]).encode(), JSON, 'Link: </schemas>; rel="describedby"', "LINK: </api/vms?from=3>; REL=Next"
    )
    device = await recorder(said_in_turn(first, listing(json.dumps(VMS[3:]).encode(), JSON)))
    ended = await found(house, device, "vm-5")
    assert (ended.outcome, ended.outputs) == ("succeeded", {"uuid": "u-5", "state": "on"})
    assert [heard.target for heard in device.heard] == [b"/api/vms", b"/api/vms?from=3"]


async def test_a_success_from_a_list_that_is_not_whole_says_so(house: House, recorder: Any) -> None:
    device = await recorder(said_in_turn(listing(json.dumps(VMS).encode(), JSON, "X-Total-Count: 9")))
    ended = await found(house, device, "vm-5")
    assert ended.outcome == "succeeded" and "6 of 9" in ended.note
