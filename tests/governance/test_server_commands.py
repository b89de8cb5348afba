"""`switchgear servers …` as far as it needs the database alone: what is kept, shown, switched, imported and exported.

What asks a server is tested where the runtime is (`tests/runtime/test_remotes.py`).
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from switchgear.main import main

Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def run(sqlite_url: str, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str) -> tuple[int, Any]:
        capsys.readouterr()
        before = words.index("--") if "--" in words else len(words)
        code = main(["servers", *words[:before], "--db", sqlite_url, "--json", *words[before:]])
        return code, json.loads(capsys.readouterr().out)

    return run


def test_a_server_is_added_shown_switched_and_forgotten(run: Run) -> None:
    code, added = run(
        "add", "time", "--env", "KEY=env:TIME_KEY", "--timeout-s", "9", "--", "uvx", "mcp-server-time", "-v"
    )
    assert (code, added["transport"], added["command"]) == (0, "stdio", "uvx")
    assert (added["arguments"], added["env"]) == (["mcp-server-time", "-v"], {"KEY": "env:TIME_KEY"})
    assert added["limits"] == {"total_timeout_s": 9.0}
    assert run("show", "time")[1]["tools"] == []
    assert run("disable", "time")[1]["is_enabled"] is False
    assert [each["is_enabled"] for each in run("list")[1]["servers"]] == [False]
    assert run("enable", "time")[1]["is_enabled"] is True
    assert run("remove", "time") == (0, {"removed": "time"})
    assert run("show", "time")[0] == 3


def test_a_secret_on_the_command_line_is_refused_and_not_repeated(run: Run) -> None:
    assert run("add", "u", "--url", "https://u.test/mcp")[0] == 0
    code, told = run("add", "t", "--url", "https://t.test/mcp", "--header", "Authorization=Bearer pa55word")
    assert (code, "pa55word" in json.dumps(told)) == (3, False)
    assert [each["name"] for each in run("list")[1]["servers"]] == ["u"]


def test_a_list_of_a_client_goes_in_and_comes_out(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "mcp.json"
    file.write_text(json.dumps({"mcpServers": {"Time": {"command": "uvx", "args": ["mcp-server-time"]}}}))
    assert run("import", str(file)) == (0, {"servers": {"time": "added"}, "notes": ["Time is called time here"]})
    assert run("import", str(file))[1]["servers"] == {"time": "unchanged"}
    written = run("export", "--form", "vscode")[1]
    assert written["servers"] == {"time": {"type": "stdio", "command": "uvx", "args": ["mcp-server-time"]}}
