"""The first page of a new installation: what it says to do is pasted into a shell as it stands, and does it.

A server of its own on a new database; the commands are taken out of its page, one after the other as it shows them,
until it shows none. What is not a command is done in the console, as the page says.
"""

import contextlib
import html
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from runtime.credentials import TOKEN_COOKIE
from tests.needs import BASH
from tests.ports import free_port
from tests.waiting import PATIENCE_S

pytestmark = [pytest.mark.long, BASH.mark]
COMMANDS = re.compile(r"<pre>(.*?)</pre>", re.S)


@contextlib.contextmanager
def serving(home: Path, environment: dict[str, str]) -> Iterator[str]:
    """A server on an empty database, which whoever pastes knows nothing of."""
    database = f"sqlite+aiosqlite:///{home / 'a place' / 'tour.db'}"
    (home / "a place").mkdir()
    command = [sys.executable, "-m", "switchgear.main", "serve", "--port", "0", "--json", "--db", database]
    with subprocess.Popen(command, env=environment, cwd=home, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_S)


def pasted(text: str, home: Path, environment: dict[str, str]) -> str:
    """What a shell prints; what it leaves behind in the background is ended with the test."""
    place = home / "printed"
    with place.open("w") as output:
        subprocess.run(
            ["bash", "-ec", text], env=environment, cwd=home, stdout=output, stderr=output, check=False, timeout=300
        )
    return place.read_text()


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """A home of its own, and `switchgear` on the PATH: the one that is tested. What it left running ends afterwards."""
    programs = tmp_path / "bin"
    programs.mkdir()
    pids = tmp_path / "pids"
    script = f'#!/bin/sh\necho $$ >> "{pids}"\nexec "{sys.executable}" -m switchgear.main "$@"\n'
    (programs / "switchgear").write_text(script)
    (programs / "switchgear").chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHGEAR_")}
    yield tmp_path, {**kept, "HOME": str(tmp_path), "PATH": f"{programs}:{os.environ['PATH']}"}
    for pid in pids.read_text().split() if pids.exists() else ():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGTERM)


def shown(client: httpx.Client) -> list[str]:
    return [html.unescape(each) for each in COMMANDS.findall(client.get("/").text)]


def test_what_the_first_page_says_is_pasted_and_done(shell: tuple[Path, dict[str, str]], witness: Any) -> None:
    home, environment = shell
    with serving(home, environment) as url, httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE_S) as client:
        which, *commands = shown(client)
        assert which.startswith("export SWITCHGEAR_DATABASE_URL=") and commands[0] == "switchgear init"
        (token,) = re.findall(r"swg_[\w-]+", pasted(f"{which}\n{commands[0]}", home, environment))
        assert client.get("/").status_code == 303, "the first token closes the door"
        client.cookies.set(TOKEN_COOKIE, token)
        port = free_port()
        for _ in range(2):
            which, command, *_ = shown(client)
            assert not command.startswith("switchgear init")
            said = pasted(f"{which}\n{command}".replace("9001", str(port)), home, environment)
            assert command not in shown(client), said
        page = client.get("/").text
        assert '<a href="/console/queue">Approve what agents may do</a>' in page
        pending = client.get("/console/workflows/hypercore_start_vm").text
        csrf, digest = (re.findall(rf'name="{name}" value="([^"]+)"', pending)[0] for name in ("csrf", "digest"))
        form = {"action": "approve", "digest": digest, "csrf": csrf}
        assert client.post("/console/workflows/hypercore_start_vm", data=form).status_code == 303
        which, last = shown(client)
        said = pasted(f"{which}\n{last}", home, environment)
        (agent,) = re.findall(r"swg_[\w-]+", said)
        assert f"{url}/mcp" in said
        headers = {"authorization": f"Bearer {agent}"}
        run = httpx.post(
            f"{url}/workflows/hypercore_start_vm/run", json={"inputs": {"vm": "db-01"}}, headers=headers,
            timeout=PATIENCE_S, trust_env=False,
        )  # fmt: skip
        assert (run.status_code, run.json()["outcome"]) == (200, "succeeded"), run.text
        assert shown(client) == [], "and then nothing more is to be done"
    seen = httpx.get(f"http://127.0.0.1:{port}/_twin/requests", trust_env=False).json()
    witness.device(port, lambda: [(each["method"], each["path"]) for each in seen])
