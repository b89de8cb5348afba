"""What workflows are called in words."""

import pytest

from compiler.passes.flows.wording.texts import doing, opened
from compiler.passes.names.words import first_sentence


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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Sends [Power on](#server-actions-power-on) to it. More.", "Sends Power on to it."),
        ('A name, see [the docs](https://a.b/c_d "Docs") (https://a.b/c_d).', "A name, see the docs."),
        ("![logo](a/b.png) Shows `it`.", "Shows it."),
        ("Of <a href='x'>pods</a> of a node.", "Of pods of a node."),
        ("Filter as `filter[name](string)` or [a](b).", "Filter as filter[name](string) or [a](b)."),
        ("Runs https://a.b/c in a browser.", "Runs https://a.b/c in a browser."),
    ],
)
def test_of_a_link_the_text_alone_is_said_and_of_a_picture_nothing(text: str, said: str) -> None:
    assert first_sentence(text) == said
