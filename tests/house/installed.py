"""The wheel in an environment of its own, which sees the locked packages by a path file and nothing of this checkout.

Used by tests of this room, each command in one empty folder; `walk` is the whole way of a user.
"""

import json
import os
import re
import subprocess
import sys
import sysconfig
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import PATIENCE_S, WALK_S

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Installed:
    """An installation, and the empty folder that it is used in."""

    home: Path
    folder: Path

    @property
    def python(self) -> Path:
        return self.home / "bin" / "python"

    def environment(self) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items() if not re.match("SWITCHGEAR_|PYTHON|VIRTUAL_ENV", name)
        }
        own = {"HOME": str(self.folder / "home"), "LAB_USER": "admin", "LAB_PASSWORD": "switchgear"}
        return {**kept, **own, "PATH": f"{self.home}/bin", "TMPDIR": str(self.folder)}

    def run(self, *words: str, code: int = 0, **more: str) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [self.home / "bin" / "switchgear", *words], cwd=self.folder,
            env=self.environment() | more, capture_output=True, text=True, check=False, timeout=WALK_S,
        )  # fmt: skip
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json").stdout)

    @contextmanager
    def server(self, *words: str) -> Iterator[str]:
        """A server while the block runs; the address that it announced, on whichever stream."""
        with subprocess.Popen(
            [self.home / "bin" / "switchgear", *words, "--port", "0", "--json"], cwd=self.folder,
            env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        ) as process:  # fmt: skip
            try:
                assert process.stdout is not None
                said = ""
                for line in process.stdout:
                    said += line
                    if line.startswith('{"') and "url" in json.loads(line):
                        yield json.loads(line)["url"]
                        break
                else:
                    pytest.fail(f"{words}: {said}")
            finally:
                process.terminate()


def installed_in(home: Path, wheel: Path) -> Installed:
    """The wheel in an environment that has the packages of ours, but not the way to this checkout."""
    venv.create(home, with_pip=False)
    command = [sys.executable, "-m", "pip", "--python", home / "bin" / "python", "install", "--quiet"]
    subprocess.run([*command, "--no-deps", "--no-index", wheel], check=True)
    (packages,) = home.glob("lib/python*/site-packages")
    # A path file found on a path that a path file names is not read: the editable checkout stays out of sight.
    (packages / "locked.pth").write_text(sysconfig.get_path("purelib") + "\n")
    folder = home.parent / "empty"
    folder.mkdir()
    return Installed(home, folder)


def walk(there: Installed) -> None:
    """From `init` to an answered call, by name, in the installation's own folder."""
    database = f"sqlite+aiosqlite:///{there.folder}/own.db"
    at = ("--db", database)
    token = there.json("init", *at)["token"]
    assert there.json("compile", "hypercore", *at)["workflows"]
    there.run("workflows", "approve", "hypercore_start_vm@1", *at)
    with there.server("mock", "hypercore") as device, there.server("serve", *at) as server:
        account = ("--username-ref", "env:LAB_USER", "--password-ref", "env:LAB_PASSWORD")
        there.run("targets", "add", "lab", "--api", "hypercore", "--url", device, "--mode", "twin", *account, *at)
        assert there.json("call", "hypercore_start_vm", "vm=db-01", *at)["outputs"]["state"] == "RUNNING"
        answer = asked(f"{server}/workflows/hypercore_start_vm/run", token, {"inputs": {"vm": "db-99"}})
        assert answer["failure"]["code"] == "not_found"
    assert there.json("audit", "verify", *at)["ok"]
    there.run("bundle", "keys", "generate", "ann.key")  # and with it the bill of materials, out of the lock
    there.run("bundle", "export", "all.bundle", "--name", "all", "--version", "1", "--key", "ann.key", *at)


def asked(url: str, token: str, body: Mapping[str, Any]) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), method="POST")
    request.add_header("Content-Type", "application/json")
    request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as reply:
            return json.load(reply)
    except urllib.error.HTTPError as refused:  # a run that failed is told with its status
        return json.load(refused)
