"""A1's comparison itself (`Witness`): it is at peace with what is true, and each kind of gap is found."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import pytest

from runtime.caller import Caller

ME = Caller("me", "operator")
Requests = Sequence[tuple[str, str]]
STRANGE = ("GET", "/api/vms/u-9")
GAPS: dict[str, Callable[[Requests], Requests]] = {
    "one that the audit does not know, at the end": lambda heard: [*heard, STRANGE],
    "one that the audit does not know, between others": lambda heard: [*heard[:2], STRANGE, *heard[2:]],
    "one once more than the audit says": lambda heard: [*heard, heard[-1]],
    "one that was never sent": lambda heard: heard[:-1],
    "nothing at all": lambda heard: [],
    "another method": lambda heard: [("PUT", heard[0][1]), *heard[1:]],
    "another order": lambda heard: heard[::-1],  # two neighbours may have been under way together
}


async def some_runs(house: Any) -> None:
    for tool, inputs in (("toy_find_vm", {"vm": "web-01"}), ("toy_stop_vm", {"uuid": "u-1"})):
        await house.service.calls.call(house.service.live.now.entries[tool], inputs, None, ME)
    await house.service.engine.settle()


@pytest.mark.parametrize("gap", GAPS)
async def test_what_was_heard_and_is_not_what_the_audit_says_is_found(
    lab: Any, device: Any, witness: Any, gap: str
) -> None:
    await some_runs(lab)
    true, other = [heard.request for heard in device.heard], type(witness)()
    other.device(device.port, lambda: GAPS[gap](true))
    (fault,) = other.compare([lab.url])
    assert fault.startswith(f"at {device.port} was heard")
    assert witness.compare([lab.url]) == []


async def test_a_device_that_registers_nowhere_is_found(lab: Any, device: Any, witness: Any) -> None:
    await some_runs(lab)
    (fault,) = type(witness)().compare([lab.url])
    assert f"at {device.port} was asked" in fault


@pytest.mark.unwitnessed("its audit is altered on purpose")
async def test_an_altered_audit_is_found(lab: Any, witness: Any) -> None:
    await some_runs(lab)
    with closing(sqlite3.connect(lab.url.partition("///")[2])) as database, database:
        database.execute("DROP TRIGGER audit_unchanged")
        database.execute("UPDATE audit SET actor = 'nobody' WHERE seq = 5")
    (fault,) = witness.compare([lab.url])
    assert "row 5 was changed" in fault
