"""Versions of conditional writes: in which form they are sent, and when a refused one is worth another try."""

from typing import Any

import pytest

from tests.workflow.dialogue import Dialogue, ended, retry, sent
from tests.workflow.documents import parameter, program, step
from workflow.documents.scope import Reply
from workflow.requests.versions import VersionRefused, VersionRule, fingerprint, forms_of, version_outputs

RULE = VersionRule("etag", ("@odata.etag",))


def read(etag: str | None, **body: Any) -> Reply:
    return Reply(200, {"etag": etag} if etag is not None else {}, {"a": 1, **body})


@pytest.mark.parametrize(
    ("reply", "forms"),
    [
        (read('"x"'), ('"x"',)),
        (read('W/"x"'), ('W/"x"', '"x"')),
        (read('"x-gzip"'), ('"x-gzip"', '"x"')),
        (read('W/"x--gzip"'), ('W/"x--gzip"', '"x--gzip"', '"x"')),
        (read('"x";br'), ('"x";br', '"x"')),
        (read('"x:zstd"'), ('"x:zstd"', '"x"')),
        (read("x"), ("x", '"x"')),
        (read(None, **{"@odata.etag": 'W/"b"'}), ('W/"b"', '"b"')),
        (read('"h-gzip"', **{"@odata.etag": '"b"'}), ('"h-gzip"', '"h"', '"b"')),
        (read(None, **{"@odata.etag": 7}), ("7", '"7"')),
        (read(None), ()),
    ],
)
def test_a_tag_has_the_forms_in_which_devices_take_it(reply: Reply, forms: tuple[str, ...]) -> None:
    assert forms_of(RULE, reply) == forms
    assert version_outputs(RULE, reply, None).get("version") == (forms[0] if forms else None)


def again(*replies: Reply) -> list[str]:
    """What is sent for each reading, all refused."""
    sent, before = [], None
    for reply in replies:
        before = version_outputs(RULE, reply, before)
        sent.append(str(before["version"]))
    return sent


def test_the_same_tag_is_sent_in_its_next_form() -> None:
    assert again(read('W/"x-gzip"'), read('W/"x-gzip"'), read('W/"x-gzip"')) == ['W/"x-gzip"', '"x-gzip"', '"x"']


def test_a_tag_that_moved_is_sent_as_it_is_once_and_then_in_its_next_form() -> None:
    assert again(read('W/"1"'), read('W/"2"'), read('W/"3"')) == ['W/"1"', 'W/"2"', '"3"']


def test_a_tag_in_the_body_is_no_content_and_anything_else_is() -> None:
    assert again(read(None, **{"@odata.etag": '"1"'}), read(None, **{"@odata.etag": '"2"'})) == ['"1"', '"2"']
    nested = [{"in": {"@odata.etag": tag, "b": [1.5]}} for tag in "12"]
    assert fingerprint(RULE, nested[0]) == fingerprint(RULE, nested[1])
    with pytest.raises(VersionRefused) as error:
        again(read('"1"', b=1), read('"2"', b=2))
    assert error.value.code == "changed_meanwhile"


@pytest.mark.parametrize("reply", [read('"x"'), read(None)])
def test_a_version_that_is_refused_in_every_form_is_not_sent_again(reply: Reply) -> None:
    before = version_outputs(RULE, reply, None)
    with pytest.raises(VersionRefused) as error:
        version_outputs(RULE, reply, before)
    assert error.value.code == "version_refused"
    assert "ETag" in error.value.message


def conditional() -> Dialogue:
    """A write with the version of a read, as the compiler makes them."""
    version = {"version": {"header": "etag", "body": "/@odata.etag"}}
    again = retry(4, 0, "$statusCode == 412 || $statusCode == 428", stepId="read")
    named = parameter("If-Match", "header", "$steps.read.outputs.version")
    read_step = step("read", outputs={"version": "$response.header.etag"}, **{"x-switchgear": version})
    dialogue = Dialogue(program(read_step, step("write", "patch", parameters=[named], onFailure=[again])))
    sent(dialogue.first, "read")
    return dialogue


def test_a_refused_version_is_read_again_and_the_write_sent_with_what_the_device_takes() -> None:
    dialogue = conditional()
    first = sent(dialogue.answer("read", 200, {"a": 1}, etag='W/"x"'), "write")
    sent(dialogue.answer("write", 412), "read")
    second = sent(dialogue.answer("read", 200, {"a": 1}, etag='W/"x"'), "write", attempt=2)
    assert [first.headers, second.headers] == [(("if-match", 'W/"x"'),), (("if-match", '"x"'),)]
    assert ended(dialogue.answer("write", 200), "succeeded").failure is None


def test_a_write_is_not_sent_again_on_what_somebody_has_changed() -> None:
    dialogue = conditional()
    sent(dialogue.answer("read", 200, {"a": 1}, etag='"1"'), "write")
    sent(dialogue.answer("write", 412), "read")
    failure = ended(dialogue.answer("read", 200, {"a": 2}, etag='"2"'), "failed", "changed_meanwhile").failure
    assert failure is not None
    assert (failure.step_id, failure.done, failure.not_done) == ("write", (), ("write",))


def test_a_version_in_the_body_is_sent_where_no_header_tells_it() -> None:
    dialogue = conditional()
    write = sent(dialogue.answer("read", 200, {"@odata.etag": '"b"'}), "write")
    assert write.headers == (("if-match", '"b"'),)


def test_a_device_that_takes_no_form_of_its_own_version_is_told_as_such() -> None:
    dialogue = conditional()
    sent(dialogue.answer("read", 200, {"a": 1}, etag='"x"'), "write")
    sent(dialogue.answer("write", 412), "read")
    ended(dialogue.answer("read", 200, {"a": 1}, etag='"x"'), "failed", "version_refused")
