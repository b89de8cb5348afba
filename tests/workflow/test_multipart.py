"""Multipart bodies: whatever the values are, two parsers written by others read exactly what was given."""

import base64
from email.parser import BytesParser
from email.policy import compat32
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_multipart.multipart import MultipartParser, parse_options_header

from tests.samples import examples
from tests.workflow.documents import inputs, program, step
from workflow.errors import DocumentError
from workflow.programs.state import State
from workflow.requests.events import EndRun, RunStarted, SendRequest, command_from_json, to_json
from workflow.requests.multipart import MAX_BYTES, PartKind, Unwritable, encoded
from workflow.running.interpreter import advance

FILE = "application/octet-stream"
NASTY = st.sampled_from(
    [
        'a"b',
        "a\r\nX-Evil: 1",
        "a\\",
        "é.bin",
        "a;b",
        "a b",
        " a ",
        "..",
        "a/b",
        "",
        "\u2028",
        "\ud800",
        "x" * 256,
        "%22",
    ]
)
NAMES = st.one_of(st.text(), NASTY)
CONTENTS = st.one_of(
    st.binary(), st.sampled_from([b"--", b"\r\n--part-", b"\r\n\r\n", b"\n", b"\r", b"--part-0--\r\n", b"\x00" * 99])
)


def by_python_multipart(body: bytes, content_type: str) -> list[tuple[dict[str, bytes], bytes]]:
    """Header fields in lower case, and the content, of each part."""
    found: list[tuple[dict[str, bytes], bytes]] = []
    field, value, data = bytearray(), bytearray(), bytearray()
    head: dict[str, bytes] = {}

    def header_end() -> None:
        head[field.decode().lower()] = bytes(value)
        field.clear()
        value.clear()

    def part_end() -> None:
        found.append((dict(head), bytes(data)))
        head.clear()
        data.clear()

    boundary = parse_options_header(content_type)[1][b"boundary"]
    parser = MultipartParser(
        boundary,
        {
            "on_header_field": lambda d, a, b: field.extend(d[a:b]),
            "on_header_value": lambda d, a, b: value.extend(d[a:b]),
            "on_header_end": header_end,
            "on_part_data": lambda d, a, b: data.extend(d[a:b]),
            "on_part_end": part_end,
        },
    )
    parser.write(body)
    parser.finalize()
    return found


def by_mail(body: bytes, content_type: str) -> list[Any]:
    whole = BytesParser(policy=compat32).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    assert not whole.defects
    return whole.get_payload()


@settings(max_examples=examples(600), deadline=None)
@given(st.dictionaries(NAMES, CONTENTS, min_size=1, max_size=4), NAMES)
def test_any_bytes_under_any_names_arrive_as_they_were_or_are_refused(files: dict[str, bytes], file_name: str) -> None:
    values = {name: base64.b64encode(content).decode() for name, content in files.items()}
    kinds = tuple(PartKind(name, FILE, file_name) for name in files)
    try:
        body, content_type = encoded(values, kinds)
    except Unwritable:
        return
    read = by_python_multipart(body, content_type)
    assert [content for _, content in read] == list(files.values())
    assert all(set(head) == {"content-disposition", "content-type"} for head, _ in read)
    told = [parse_options_header(head["content-disposition"])[1] for head, _ in read]
    assert [options[b"name"].decode() for options in told] == list(files)
    assert all(options[b"filename"].decode() == (file_name or name) for options, name in zip(told, files, strict=True))
    mail = by_mail(body, content_type)
    assert [part.get_payload(decode=True) for part in mail] == list(files.values())
    assert all(set(part.keys()) == {"Content-Disposition", "Content-Type"} for part in mail)


@pytest.mark.parametrize("name", ['a"b', "a\r\nX: 1", "a\nb", "a\\", "", "\u2028", "\ud800", "x" * 256, "a\x85b"])
def test_a_name_that_could_leave_its_quotes_is_refused(name: str) -> None:
    with pytest.raises(Unwritable, match="no name"):
        encoded({name: "x"}, ())


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", ".", "..", 'x"; filename="y', "C:\\x"])
def test_a_file_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(Unwritable, match="name"):
        encoded({"f": ""}, (PartKind("f", FILE, name),))


def test_parts_are_json_text_or_files_as_their_kind_says() -> None:
    values = {"p": {"Targets": []}, "note": "é", "n": 5, "f": "AP8=", "many": ["a", "b"], "plain": {"a": 1}}
    body, content_type = encoded(values, (PartKind("p", "application/json"), PartKind("f", FILE, "bios.exe")))
    read = by_python_multipart(body, content_type)
    contents = [content for _, content in read]
    assert contents == [b'{"Targets":[]}', "é".encode(), b"5", b"\x00\xff", b"a", b"b", b'{"a":1}']
    assert [head.get("content-type") for head, _ in read] == [
        b"application/json", None, None, FILE.encode(), None, None, b"application/json",
    ]  # fmt: skip
    assert [b"filename" in head["content-disposition"] for head, _ in read].index(True) == 3


def test_the_boundary_is_the_same_for_the_same_and_occurs_in_no_part() -> None:
    first, content_type = encoded({"a": "x"}, ())
    assert encoded({"a": "x"}, ()) == (first, content_type)
    boundary = content_type.partition("boundary=")[2]
    assert encoded({"a": boundary}, ())[0].count(boundary.encode()) == 1


@pytest.mark.parametrize("value", ["not base64!", "é", "\ud800", 5, {"a": 1}, "AP8"])
def test_a_file_that_is_not_base64_is_refused(value: Any) -> None:
    with pytest.raises(Unwritable, match="f "):
        encoded({"f": value}, (PartKind("f", FILE),))


def test_more_than_the_bound_is_refused() -> None:
    with pytest.raises(Unwritable, match=str(MAX_BYTES)):
        encoded({"a": "x" * MAX_BYTES}, ())


@pytest.mark.parametrize("kind", ["application/json\r\nX: 1", "a", "a/b; c=d", 'a/b"'])
def test_a_media_type_with_more_in_it_is_refused(kind: str) -> None:
    with pytest.raises(Unwritable, match="media type"):
        encoded({"a": "AP8="}, (PartKind("a", kind),))


def upload(parts: Any, content_type: str = "multipart/form-data", payload: Any = None) -> dict[str, Any]:
    body = {"contentType": content_type, "payload": payload or {"file": "$inputs.file"}}
    return step("send", "post", "/files", requestBody=body, **{"x-switchgear": {"parts": parts}})


def test_a_command_says_how_its_parts_are_written_and_survives_being_recorded() -> None:
    parts = {"file": {"contentType": FILE, "fileName": "$inputs.name"}}
    made = program(upload(parts), inputs=inputs("file", name={"type": "string"}) | {"required": ["file"]})
    for given_name, seen in (({"name": "bios.exe"}, "bios.exe"), ({}, "")):
        _, (command,) = advance(made, State.initial(), RunStarted({"file": "AP8=", **given_name}))
        assert isinstance(command, SendRequest)
        assert command.body == {"file": "AP8="}
        assert command.parts == (PartKind("file", FILE, seen),)
        assert command_from_json(to_json(command)) == command
        assert not isinstance(command, EndRun)


@pytest.mark.parametrize(
    "broken",
    [
        upload({"file": {}}),
        upload({"file": {"contentType": "a/b\r\nX: 1"}}),
        upload({"file": {"contentType": FILE}}, content_type="application/json"),
        upload({}, content_type="multipart/byteranges"),
        upload({}, payload="text"),
    ],
)
def test_parts_that_cannot_be_written_are_no_plan(broken: dict[str, Any]) -> None:
    with pytest.raises(DocumentError, match="part"):
        program(broken, inputs=inputs("file"))
