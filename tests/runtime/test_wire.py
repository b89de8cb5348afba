"""What goes onto the wire is the approved step, whatever the inputs were."""

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runtime.driver.wire import (
    Inflater,
    address_of,
    checked_field,
    checked_path,
    encode_body,
    read_body,
    wire_request,
)
from runtime.errors import BadReply, Refused
from tests.samples import examples
from workflow.requests.events import SendRequest
from workflow.requests.multipart import PartKind

ADDRESS = address_of("http://10.0.0.7", "/api")
HOSTILE = [
    "..",
    ".",
    "%2e%2e",
    "a/../b",
    "..\\x",
    "a;b",
    "a?b",
    "a#b",
    "a\r\nX: y",
    "a\0",
    "．．",
    "／",
    "a b",
    "%0d%0a",
    "\x7f",
    "é",
]


def of(path: str, template: str, **more: object) -> SendRequest:
    return SendRequest("s", 1, "GET", path, template, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_put_raw_into_the_path_is_refused(value: str) -> None:
    with pytest.raises(Refused):
        checked_path(f"/things/{value}/parts", "/things/{id}/parts")


@pytest.mark.parametrize(
    "query",
    [(), (("act", "stop"),), (("act", "start"), ("act", "stop")), (("force", "true"),)],
)
def test_a_request_that_does_not_ask_what_its_approved_path_asks_is_refused(query: Any) -> None:
    with pytest.raises(Refused):
        wire_request(of("/things/1", "/things/{id}?act=start", query=query), ADDRESS)


def test_what_the_approved_path_asks_is_sent_beside_what_the_step_asks() -> None:
    asked = (("act", "start"), ("force", "true"))
    sent = wire_request(of("/things/1", "/things/{id}?act=start#x", query=asked), ADDRESS)
    assert sent.target.decode().endswith("/things/1?act=start&force=true")


@settings(max_examples=examples(500))
@given(st.text(min_size=1))
@example("..")
@example("../../secret")
@example("a\\..\\b")
@example("\r\nHost: evil")
def test_an_encoded_value_stays_in_its_segment_or_is_refused(value: str) -> None:
    encoded = quote(value, safe="", errors="replace")
    try:
        wire = wire_request(of(f"/things/{encoded}/parts", "/things/{id}/parts"), ADDRESS)
    except Refused:
        return
    assert wire.target == b"/api/things/" + encoded.encode() + b"/parts"
    assert wire.target.count(b"/") == 4
    assert not set(b"\r\n ?#\\;") & set(wire.target)


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/things/1/extra", "/things/{id}"),
        ("/other/1", "/things/{id}"),
        ("/things/", "/things/{id}"),
        ("//evil/1", "/things/{id}"),
        ("/things/1/", "/things/{id}"),
        ("http://evil/things/1", "/things/{id}"),
    ],
)
def test_a_path_that_is_not_the_template_filled_is_refused(path: str, template: str) -> None:
    with pytest.raises(Refused, match="approved"):
        checked_path(path, template)


def test_another_name_of_an_action_is_its_last_segment_with_the_same_ending_and_nothing_else() -> None:
    template = "/boxes/{id}/Actions/Oem/Maker7.Go"
    assert wire_request(of("/boxes/1/Actions/Oem/Maker8.Go", template, renamed="Maker8.Go"), ADDRESS).target.endswith(
        b"/boxes/1/Actions/Oem/Maker8.Go"
    )
    for path, renamed in (
        ("/boxes/1/Actions/Oem/Maker8.Go", ""),
        ("/boxes/1/Actions/Oem/Maker8.Stop", "Maker8.Stop"),
        ("/boxes/1/Actions/Maker8.Go", "Maker8.Go"),
        ("/boxes/1/Actions/Oem/x/Maker8.Go", "x/Maker8.Go"),
        ("/boxes/1/Actions/Oem/Maker9.Go", "Maker8.Go"),
    ):
        with pytest.raises(Refused, match="approved"):
            wire_request(of(path, template, renamed=renamed), ADDRESS)


@settings(max_examples=examples(300))
@given(st.text(), st.text())
def test_a_query_value_cannot_start_another_parameter(name: str, value: str) -> None:
    try:
        wire = wire_request(of("/things", "/things", query=((name, value), ("last", "1"))), ADDRESS)
    except UnicodeEncodeError:
        pytest.fail("text that cannot be encoded must be refused")
    except Refused:
        return
    query = wire.target.split(b"?", 1)[1]
    assert query.count(b"&") == 1
    assert not set(b"\r\n #\\;") & set(query)


@settings(max_examples=examples(300))
@given(st.text())
def test_a_header_value_cannot_start_another_header(value: str) -> None:
    try:
        _, kept = checked_field("x-note", value)
    except Refused:
        return
    assert kept == value
    assert not set("\r\n\0") & set(kept)
    kept.encode("latin-1")


@pytest.mark.parametrize(
    "name", ["Host", "content-length", "Transfer-Encoding", "authorization", "x y", "x:y", "", "connection"]
)
def test_a_step_cannot_set_a_header_that_is_ours_or_no_name(name: str) -> None:
    with pytest.raises(Refused):
        checked_field(name, "1")


def test_cookies_of_a_step_and_of_the_session_stand_in_one_field() -> None:
    wire = wire_request(of("/a", "/a", headers=(("cookie", "lang=de"),)), ADDRESS, (("cookie", "sid=1"),))
    assert [value for name, value in wire.headers if name == b"cookie"] == [b"lang=de; sid=1"]


def test_a_step_cannot_replace_the_credential() -> None:
    wire = wire_request(of("/a", "/a", headers=(("x-token", "mine"),)), ADDRESS, (("x-token", "real"),))
    assert [value for name, value in wire.headers if name == b"x-token"] == [b"real"]


@pytest.mark.parametrize(
    ("url", "base", "adds", "origin", "prefix"),
    [
        ("https://h", "/rest/v1", True, "https://h", "/rest/v1"),
        ("https://h/", "/rest/v1", True, "https://h", ""),
        ("http://h:4010", "/rest/v1", False, "http://h:4010", ""),
        ("http://[::1]:80/x/", "/y", True, "http://[::1]", "/x"),
        ("https://h:8443", "", True, "https://h:8443", ""),
    ],
)
def test_the_path_of_an_address_is_taken_as_it_is_else_the_apis(
    url: str, base: str, adds: bool, origin: str, prefix: str
) -> None:
    address = address_of(url, base, adds_base_path=adds)
    assert (address.origin, address.prefix) == (origin, prefix)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "h",
        "ftp://h",
        "http://",
        "http://u:p@h",
        "http://h?x",
        "http://h#f",
        "http://h:99999",
        "http://h/../x",
        "http://ｈ",
    ],
)
def test_what_is_no_plain_address_is_refused(url: str) -> None:
    with pytest.raises(Refused, match=r"address|path"):
        address_of(url, "")


def test_bodies_are_written_in_their_media_type_or_refused() -> None:
    assert encode_body({"a": 1}, "application/merge-patch+json; charset=utf-8") == b'{"a":1}'
    assert encode_body({"a": "b c"}, "application/x-www-form-urlencoded") == b"a=b+c"
    assert encode_body("hello", "text/plain") == b"hello"
    assert encode_body(None, "") == b""
    with pytest.raises(Refused, match="multipart"):
        encode_body({"a": 1}, "multipart/form-data")


def test_a_body_that_neither_is_json_nor_says_so_is_given_as_text() -> None:
    assert read_body(200, "text/html", b"<html>") == "<html>"
    assert read_body(200, "", b"NaN") == "NaN"
    assert read_body(200, "application/octet-stream", b"\xff") == "\ufffd"
    assert read_body(204, "application/json", b"") is None
    assert read_body(200, "", b'{"a":1}') == {"a": 1}


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8", "application/problem+json"])
@pytest.mark.parametrize("body", [b"<html>", b"NaN", b'{"a":', b"\xff\xfe", b"[" * 5000 + b"]" * 5000])
def test_a_success_that_says_json_and_is_none_cannot_be_read(kind: str, body: bytes) -> None:
    with pytest.raises(BadReply, match="cannot be read"):
        read_body(200, kind, body)
    assert read_body(503, kind, body) is None


@pytest.mark.parametrize("piece", [b"{},", b"[],", b'{"a":1},', b"1,", b'"",'])
def test_json_that_would_unfold_to_more_than_memory_allows_cannot_be_read(piece: bytes) -> None:
    with pytest.raises(BadReply, match="memory"):
        read_body(200, "application/json", b"[" + piece * 2_000_000 + b"1]")


def test_an_unknown_compression_is_refused() -> None:
    with pytest.raises(BadReply, match="br"):
        Inflater("br", 10)


def test_a_file_is_sent_as_the_bytes_that_its_base64_stands_for() -> None:
    assert encode_body("AP8QCg==", "application/octet-stream") == b"\x00\xff\x10\n"


@pytest.mark.parametrize("given", ["not base64!", "\u033dAAA", "AAA"])
def test_a_file_that_is_not_base64_is_refused(given: str) -> None:
    with pytest.raises(Refused, match="base64"):
        encode_body(given, "application/octet-stream")


def test_text_is_sent_as_it_is() -> None:
    assert encode_body("Grüße", "text/plain") == "Grüße".encode()


def upload(**more: Any) -> SendRequest:
    body = {"options": {"when": "now"}, "image": "AP8="}
    kinds = (PartKind("options", "application/json"), PartKind("image", "application/octet-stream", "bios.exe"))
    members = {"body": body, "content_type": "multipart/form-data", "parts": kinds, **more}
    return SendRequest("s", 1, "POST", "/up", "/up", **members)


def test_a_multipart_body_is_sent_with_its_boundary_and_length_whatever_a_header_says() -> None:
    wire = wire_request(
        upload(headers=(("content-type", "multipart/form-data; boundary=x"),)), address_of("http://a", "")
    )
    fields = dict(wire.headers)
    boundary = fields[b"content-type"].partition(b"boundary=")[2]
    assert [name for name, _ in wire.headers].count(b"content-type") == 1
    assert fields[b"content-length"] == str(len(wire.body)).encode()
    assert wire.body.startswith(b"--" + boundary + b"\r\n")
    assert wire.body.endswith(b"--" + boundary + b"--\r\n")
    assert b'filename="bios.exe"\r\nContent-Type: application/octet-stream\r\n\r\n\x00\xff\r\n' in wire.body


@pytest.mark.parametrize("name", ['x"; name="options', "a\r\nContent-Type: text/html", "../x"])
def test_a_file_name_that_would_be_more_than_a_name_is_not_sent(name: str) -> None:
    with pytest.raises(Refused, match="name"):
        wire_request(
            upload(body={"image": "AP8="}, parts=(PartKind("image", "image/png", name),)), address_of("http://a", "")
        )


def test_a_mark_of_byte_order_before_json_is_left_out() -> None:
    assert read_body(200, "application/json", b'\xef\xbb\xbf{"a": 1}') == {"a": 1}
    assert read_body(200, "application/json", b"\xef\xbb\xbf") is None
