"""THREATS.md row B3: whatever a reference says, nothing outside the root is opened and no socket is made.

Every case is a hostile address, put where a schema, a parameter, a path item, a reply or a body may refer to, and into
a file that is itself referred to. The witness is a process that reports what it opened (`watch.py`), a web server that
counts visits, and, where it is installed, strace.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.needs import STRACE
from tests.waiting import PATIENCE_S

SECRET = "LEAKED-6f1d"

# PORT stands for the port of the web server that must not be visited.
ADDRESSES = (
    "../secret.yaml",
    "./../secret.yaml",
    "sub/../../secret.yaml",
    "sub/.././../secret.yaml",
    "../root/../secret.yaml",
    "../root-twin/secret.yaml",
    "../../../../../../../../../../etc/passwd",
    "/etc/passwd",
    "//etc/passwd",
    "///etc/passwd",
    "/proc/self/environ",
    "/dev/zero",
    "file:///etc/passwd",
    "file:/etc/passwd",
    "FILE:///etc/passwd",
    "file://localhost/etc/passwd",
    "file:../secret.yaml",
    "%2e%2e/secret.yaml",
    "%2e%2e%2fsecret.yaml",
    "..%2fsecret.yaml",
    "..%5csecret.yaml",
    "..\\secret.yaml",
    "....//secret.yaml",
    "sub/%2e%2e/%2e%2e/secret.yaml",
    "secret.yaml%00.yaml",
    "%00",
    "link.yaml",
    "chain.yaml",
    "linked/secret.yaml",
    "loop.yaml",
    "pipe.yaml",
    "zero.yaml",
    "sub",
    ".",
    "..",
    "~/secret.yaml",
    "$HOME/secret.yaml",
    "http://127.0.0.1:PORT/secret.yaml",
    "HTTP://127.0.0.1:PORT/../secret.yaml",
    "https://127.0.0.1:PORT/%2e%2e/%2e%2e/secret.yaml",
    "http://user:word@127.0.0.1:PORT/secret.yaml",
    "http://[::1]:PORT/secret.yaml",
    "http:secret.yaml",
    "http://127.0.0.1:PORT",
    "//127.0.0.1:PORT/secret.yaml",
    "ftp://127.0.0.1:PORT/secret.yaml",
    "gopher://127.0.0.1:PORT/secret.yaml",
    "data:application/json,{}",
    "jar:http://127.0.0.1:PORT/a.jar!/secret.yaml",
    "unix:/run/secret.yaml",
    "C:\\Windows\\win.ini",
    "c:/Windows/win.ini",
    "\\\\127.0.0.1\\share\\secret.yaml",
    "smb://127.0.0.1/share/secret.yaml",
    "a" * 5000 + ".yaml",
    "a/" * 500 + "secret.yaml",
)


@dataclass(frozen=True)
class Place:
    """The folder with the description, and beside it what must not be read."""

    root: Path
    port: int

    def write(self, name: str, data: Any) -> Path:
        path = self.root / name
        path.write_text(json.dumps(data))
        return path


class Canary(BaseHTTPRequestHandler):
    visits = 0

    def do_GET(self) -> None:
        type(self).visits += 1
        self.send_error(404)

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    outside = tmp_path_factory.mktemp("outside")
    root = outside / "root"
    (root / "sub").mkdir(parents=True)
    (outside / "root-twin").mkdir()
    secret = json.dumps({"Secret": {"type": "string", "const": SECRET}})
    for folder in (outside, outside / "root-twin"):
        (folder / "secret.yaml").write_text(secret)
    (root / "link.yaml").symlink_to(outside / "secret.yaml")
    (root / "chain.yaml").symlink_to(root / "link.yaml")
    (root / "linked").symlink_to(outside)
    (root / "loop.yaml").symlink_to(root / "loop.yaml")
    (root / "zero.yaml").symlink_to("/dev/zero")
    os.mkfifo(root / "pipe.yaml")
    server = HTTPServer(("127.0.0.1", 0), Canary)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Place(root, server.server_port)
    server.shutdown()
    server.server_close()
    thread.join()


class Watcher:
    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def load(self, spec: Path, root: Path) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps([str(spec), str(root)]) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@pytest.fixture(scope="module")
def watcher() -> Iterator[Watcher]:
    script = Path(__file__).parent / "watch.py"
    command = [sys.executable, str(script), "--validator"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield Watcher(process)
    process.communicate()
    assert process.returncode == 0


def description(schema: str, *, parameter: str = "", item: str = "", reply: str = "", body: str = "") -> Any:
    reply_place = {"$ref": reply} if reply else {"description": "ok"}
    schema_place = {"description": "ok", "content": {"application/json": {"schema": {"$ref": schema}}}}
    operation: dict[str, Any] = {"responses": {"200": schema_place, "400": reply_place}}
    if parameter:
        operation["parameters"] = [{"$ref": parameter}]
    if body:
        operation["requestBody"] = {"$ref": body}
    paths: dict[str, Any] = {"/kept": {"post": operation}}
    if item:
        paths["/other"] = {"$ref": item}
    return {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}


def check(answer: dict[str, Any], place: Place, spec: Path) -> None:
    root = str(place.root)
    opened = [path for path in answer["touched"] if path != str(spec) and not f"{path}/".startswith(f"{root}/")]
    assert opened == []
    assert answer["sockets"] == []
    assert Canary.visits == 0
    assert "operation POST /kept" in answer["ir"]
    assert SECRET not in answer["ir"] + answer["diagnostics"]


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda address: address[:40])
def test_a_hostile_address_opens_nothing_outside_and_the_operation_is_kept(
    address: str, place: Place, watcher: Watcher
) -> None:
    ref = address.replace("PORT", str(place.port)) + "#/Secret"
    data = description(ref, parameter=ref, item=ref, reply=ref, body=ref)
    spec = place.write("api.json", data)

    answer = watcher.load(spec, place.root)

    check(answer, place, spec)
    assert '"x-switchgear-missing"' in answer["ir"]
    assert any(word in answer["diagnostics"] for word in ("ref-", "file-missing", "file-unreadable"))


@pytest.mark.parametrize("address", ADDRESSES[:20], ids=lambda address: address[:40])
def test_a_file_that_is_referred_to_has_no_more_rights_than_the_description(
    address: str, place: Place, watcher: Watcher
) -> None:
    inner = place.root / "sub" / "inner.json"
    inner.write_text(json.dumps({"Inner": {"properties": {"x": {"$ref": address + "#/Secret"}}}}))
    spec = place.write("api.json", description("sub/inner.json#/Inner"))

    answer = watcher.load(spec, place.root)

    if address not in ("./../secret.yaml", "../secret.yaml"):  # these stay inside, one folder further down
        check(answer, place, spec)
    assert SECRET not in answer["ir"]
    assert "x-switchgear-missing" in answer["ir"]


def test_a_description_outside_the_root_reads_only_inside_the_root(place: Place, watcher: Watcher) -> None:
    spec = place.root.parent / "api.json"
    spec.write_text(json.dumps(description("secret.yaml#/Secret", parameter="./secret.yaml#/Secret")))

    check(watcher.load(spec, place.root), place, spec)


def test_references_inside_the_root_are_followed(place: Place, watcher: Watcher) -> None:
    (place.root / "sub" / "good.json").write_text(json.dumps({"Good": {"const": "inside"}}))
    (place.root / "inside.json").symlink_to(place.root / "sub" / "good.json")
    for address in (
        "sub/good.json",
        "good.json",
        "https://x.test/v1/sub/good.json",
        "inside.json",
        "./sub/../sub/good.json",
    ):
        spec = place.write("api.json", description(address + "#/Good"))
        answer = watcher.load(spec, place.root)
        check(answer, place, spec)
        assert "inside" in answer["ir"] and "missing" not in answer["ir"]


@pytest.mark.slow
@STRACE.mark
def test_strace_sees_no_socket_and_no_secret(place: Place, tmp_path: Path) -> None:
    refs = {str(number): {"$ref": address.replace("PORT", str(place.port))} for number, address in enumerate(ADDRESSES)}
    data = description("#/Held")
    data["Held"] = {"properties": refs}
    spec = place.write("traced.json", data)
    log = tmp_path / "trace"
    command = [sys.executable, str(Path(__file__).parent / "watch.py")]

    subprocess.run(
        ["strace", "-f", "-qq", "-e", "trace=%network,openat,open", "-o", log, *command],
        input=json.dumps([str(spec), str(place.root)]) + "\n",
        text=True,
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=PATIENCE_S,
    )

    calls = log.read_text().splitlines()
    assert any("traced.json" in call for call in calls)
    assert [call for call in calls if "socket(" in call or "connect(" in call] == []
    assert [call for call in calls if "secret.yaml" in call or ("/etc/passwd" in call and "ENOENT" not in call)] == []
