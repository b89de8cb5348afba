"""The demonstration, as a person starts it: it plays to its end, leaves nothing, and tells when it cannot go on.

`demo.sh` itself is the set-up and then `switchgear demo`, which is what runs here.
"""

import http.server
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import httpx
import pytest

from demo.children import interrupts_held
from demo.choice import NoSuchWorkflowError, Wish, granted
from demo.line import between
from demo.show import brief, folded
from tests.house.installed import Installed
from tests.waiting import PATIENCE_S, WALK_S

ROOT = Path(__file__).parents[2]
DEMO = [sys.executable, "-m", "switchgear.main", "demo"]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where the demonstration puts its own folder: what is left in it afterwards was left behind."""
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


def started_in(folder: Path, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*DEMO, *options],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def processes_that_know(folder: Path) -> list[str]:
    """Command lines of the processes whose environment names `folder`: the servers are given their database there."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder).encode() in (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:  # ended meanwhile, or somebody else's
            continue
    return found


@pytest.mark.slow
def test_the_demonstration_plays_to_its_end_and_leaves_nothing(folder: Path) -> None:
    played = started_in(folder)
    told, _ = played.communicate(timeout=WALK_S)
    assert played.returncode == 0, told
    assert "All went as it must." in told
    for api in ("hypercore", "idrac"):
        assert re.search(rf"{api} +the twin saw (\d+) requests; the same \1 are recorded", told)
    assert re.search(r"tools/list_changed, \d+ ms", told)
    assert list(folder.iterdir()) == []
    assert processes_that_know(folder) == []


@pytest.mark.slow
@pytest.mark.unwitnessed("the demonstration compares what its own twin heard with what was recorded")
def test_the_short_demonstration_shows_its_four_things_as_they_happened(folder: Path, installed: Installed) -> None:
    """From the wheel, which has what a checkout has; and nothing is taken of what lies where it is started."""
    (installed.folder / "hypercore").write_text("not a description")
    try:
        told = installed.run("demo", "--short", TMPDIR=str(folder)).stdout
    finally:
        (installed.folder / "hypercore").unlink()
    assert "All went as it must." in told
    text = " ".join(told.split())
    assert re.search(r"1 read to find the VM, 1 change, [1-9]\d* looks? at its job", text)
    assert text.count("the device got 1 read, 0 changes") == 2
    assert text.count("the device got 0 reads, 0 changes") == 1
    assert re.search(r"1 change, then [1-9]\d* looks? at what became of it, and no second change", text)
    assert "1 of that label: it was done, once" in text
    assert "hypercore_start_vm is gone" in text
    assert "digest.mismatch" in text
    assert re.search(r"hypercore the twin saw (\d+) requests; the same \1 are recorded", text)
    assert "idrac" not in text
    assert list(folder.iterdir()) == []
    assert processes_that_know(folder) == []


class Device(http.server.BaseHTTPRequestHandler):
    """Counts what reaches it."""

    got: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.got.append(self.rfile.read(int(self.headers["content-length"])).decode())
        self.send_response(200)
        self.send_header("set-cookie", "a=1")
        self.send_header("set-cookie", "b=2")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None: ...


def test_a_line_loses_one_reply_of_what_the_device_got_and_carries_the_rest() -> None:
    Device.got.clear()
    with http.server.HTTPServer(("127.0.0.1", 0), Device) as device:
        threading.Thread(target=device.serve_forever, daemon=True).start()
        with between(f"http://127.0.0.1:{device.server_address[1]}") as line, httpx.Client(trust_env=False) as client:
            first = client.post(line.url + "/a", content="1")
            line.lose_next("POST", "/a")
            with pytest.raises(httpx.RemoteProtocolError):
                client.post(line.url + "/a", content="2")
            third = client.post(line.url + "/a", content="3")
        device.shutdown()
    assert Device.got == ["1", "2", "3"]
    assert (first.text, third.text) == ("ok", "ok")
    assert first.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert line.lost == [("POST", "/a")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sent", "options", "when"),
    [
        (signal.SIGINT, ["--short"], "One description goes in"),
        pytest.param(signal.SIGINT, ["--short"], "workflows are approved", marks=pytest.mark.long),
        pytest.param(signal.SIGINT, [], "up after", marks=pytest.mark.long),
        pytest.param(signal.SIGTERM, [], "up after", marks=pytest.mark.long),
    ],
    ids=["the short one at its start", "the short one", "SIGINT", "SIGTERM"],
)
def test_whoever_interrupts_the_demonstration_finds_nothing_left(
    sent: signal.Signals, options: list[str], when: str, folder: Path
) -> None:
    """By default the short one, whose servers are there before it compiles: what ends it and them is the same."""
    played = started_in(folder, *options)
    assert played.stdout is not None
    while when not in (line := played.stdout.readline()):
        assert line, "it ended before anything was up"
    played.send_signal(sent)
    told, _ = played.communicate(timeout=PATIENCE_S)
    assert played.returncode == 130, told
    assert list(folder.iterdir()) == []
    assert processes_that_know(folder) == []


def test_an_interrupt_while_a_process_begins_comes_once_it_is_known() -> None:
    begun, before = [], signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), interrupts_held():
            signal.raise_signal(signal.SIGTERM)
            begun.append("a process")
        assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGTERM, before)
    assert begun


@pytest.mark.slow
def test_without_node_the_demonstration_on_prism_says_what_is_missing(tmp_path: Path) -> None:
    # A PATH with all that setup.sh uses and no Node; the environment exists already, so nothing is installed.
    for program in ("bash", "env", "dirname", "cat", "sha256sum", "grep", "sed", "mktemp", "id", "timeout"):
        (tmp_path / program).symlink_to(shutil.which(program) or "/bin/true")
    refused = subprocess.run(
        ["/bin/bash", str(ROOT / "setup.sh"), "prism"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    assert "needs Node 20" in refused.stderr


def workflow(name: str, title: str, *steps: str, intent: str = "act", core: bool = True) -> dict[str, object]:
    places = [dict(zip(("method", "path"), step.split(), strict=True)) for step in steps]
    return {"id": name, "intent": intent, "core": core, "steps": places, "tool": {"name": name, "title": title}}


def test_a_wish_is_granted_by_what_a_workflow_does_and_not_by_its_name() -> None:
    made = [
        workflow("b", "Restart VM", "POST /action"),
        workflow("a", "Start VM", "GET /list", "POST /action"),
        workflow("c", "Start VM", "POST /action", intent="ensure"),
    ]
    assert granted(Wish("act", "POST /action", "start"), made)["id"] == "a"
    with pytest.raises(NoSuchWorkflowError):
        granted(Wish("act", "POST /action", "pause"), made)


def test_polls_of_one_job_are_told_in_one_line() -> None:
    poll = {"step_id": "wait", "method": "GET", "path": "/TaskTag/1", "status": 200}
    other = {**poll, "step_id": "read_back"}
    assert folded([poll, poll, poll, other, poll]) == [(poll, 3), (other, 1), (poll, 1)]


def test_an_answer_is_told_by_the_members_that_matter() -> None:
    outputs = {"items": [{"name": f"vm-{n}", "state": "", "x": n} for n in range(6)]}
    assert brief(outputs, ("name", "state")) == ["name: vm-0", "name: vm-1", "name: vm-2", "name: vm-3", "… and 2 more"]
    assert brief({"result": "text"}, ("name",)) == ["outputs: result"]
