"""What workflows are called in words."""

import pytest

from compiler.passes.flows.wording.texts import doing, opened


@pytest.mark.parametrize(
    ("verb", "name", "said"),
    [
        ("start", "VM", "start VM"),
        ("power off", "the server", "power off the server"),
        ("secureErase", "drive", "secure erase drive"),
        ("ResetToDefaults", "an iDRAC", "reset an iDRAC to defaults"),
        ("BlinkTarget", "a RAID controller", "blink target of a RAID controller"),
        ("GetUpdateStatus", "server", "get update status of server"),
        ("ReplaceCertificate", "certificates", "replace certificate"),
        ("stop and delete", "VM", "stop and delete VM"),
    ],
)
def test_what_is_done_to_what_is_said_as_people_say_it(verb: str, name: str, said: str) -> None:
    assert doing(verb, name) == said


def test_a_sentence_opens_with_a_capital_and_keeps_how_names_are_spelled() -> None:
    assert [opened(text) for text in ("reset SSL keys", "iDRAC jobs", "DNS")] == ["Reset SSL keys", "iDRAC jobs", "DNS"]
