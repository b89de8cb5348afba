"""Lists of MCP servers of Claude, VS Code, Cursor and our own: read without a secret, written with references."""

import json
from typing import Any

import pytest

from governance.errors import InvalidError
from governance.registry.server_files import FORMS, read_servers, server_target, written_servers
from governance.registry.servers import Server, check_server
from governance.registry.targets import TargetLimits, TargetStore
from governance.storage.database import Database

TIME: dict[str, Any] = {"command": "uvx", "args": ["mcp-server-time"]}
SECRET = "Bearer ghp_secret"
ASKED = "Bearer ${input:tickets-token}"
CLAUDE = {
    "mcpServers": {
        "My Time": {**TIME, "env": {"API_KEY": "sk-very-secret", "ZONE": "${TZ:-UTC}"}},
        "tickets": {"type": "http", "url": "https://tickets.test/mcp", "headers": {"Authorization": SECRET}},
        "old": {"type": "sse", "url": "https://old.test/sse", "disabled": True, "timeout": 5000},
    }
}
VSCODE = {
    "inputs": [{"id": "tickets-token", "type": "promptString", "password": True}],
    "servers": {
        "tickets": {"type": "http", "url": "https://t.test/mcp", "headers": {"Authorization": ASKED}},
        "time": {"type": "stdio", **TIME, "env": {"A": "${env:A_KEY}"}, "cwd": "/x"},
    },
}
CURSOR = {"mcpServers": {"t": {"url": "https://t.test/mcp", "headers": {"X-Key": "${env:KEY}"}}}}


def test_of_claudes_file_no_secret_is_kept_and_each_is_said() -> None:
    reading = read_servers(json.dumps(CLAUDE))
    servers = {target.name: target.server for target in reading.targets}
    assert servers["my-time"] == Server(
        "stdio", "uvx", ("mcp-server-time",), (("API_KEY", "env:MY_TIME_API_KEY"), ("ZONE", "env:TZ"))
    )
    assert servers["tickets"] is not None
    assert servers["tickets"].headers == (("Authorization", "Bearer env:TICKETS_AUTHORIZATION"),)
    assert servers["old"] is not None
    assert (servers["old"].transport, servers["old"].is_enabled) == ("sse", False)
    assert [each.limits.total_timeout_s for each in reading.targets] == [None, None, 5.0]
    assert "secret" not in repr(reading)
    assert any("put it into the variable MY_TIME_API_KEY" in note for note in reading.notes)
    assert "My Time is called my-time here" in reading.notes


def test_of_vs_codes_and_cursors_files_the_references_become_ours() -> None:
    reading = read_servers(json.dumps(VSCODE))
    told = {target.name: target.server for target in reading.targets}
    assert told["tickets"] and told["tickets"].headers == (("Authorization", "Bearer env:TICKETS_TOKEN"),)
    assert told["time"] and told["time"].env == (("A", "env:A_KEY"),)
    assert "time: cwd is not taken over" in reading.notes
    (target,) = read_servers(json.dumps(CURSOR)).targets
    assert target.server and target.server.headers == (("X-Key", "env:KEY"),)


@pytest.mark.parametrize("form", FORMS)
def test_what_is_written_is_read_back_as_it_was(form: Any) -> None:
    servers = [
        server_target("time", Server("stdio", "uvx", ("mcp-server-time",), (("KEY", "env:TIME_KEY"),))),
        server_target("tickets", Server("http", url="https://t.test/mcp", headers=(("A", "Bearer env:TOKEN"),))),
    ]
    read = read_servers(json.dumps(written_servers(servers, form))).targets
    assert [each.server for each in read] == [each.server for each in servers]


def test_our_own_form_says_all_that_is_known() -> None:
    server = Server("sse", url="https://t.test/sse", headers=(("A", "file:/run/secrets/a"),), is_enabled=False)
    target = server_target("t", server, tls="pin:" + "0" * 64, limits=TargetLimits(2, total_timeout_s=9.0))
    assert read_servers(json.dumps(written_servers([target], "switchgear"))).targets == [target]


@pytest.mark.parametrize(
    "file",
    [
        "[]", "{}", "no", '{"mcpServers": 1}', '{"mcpServers": {"a": 1}}', '{"servers": [{"command": "x"}]}',
        '{"mcpServers": {"a": {"args": []}}}', '{"mcpServers": {"a": {"command": "sh", "args": ["${KEY}"]}}}',
        '{"mcpServers": {"A": {"command": "x"}, "a": {"command": "y"}}}', "[" * 100_000,
        '{"mcpServers": {"a": {"command": "x", "limits": {"speed": 1}}}}',
    ],
)  # fmt: skip
def test_what_is_no_such_file_is_refused(file: str) -> None:
    with pytest.raises(InvalidError):
        read_servers(file)


@pytest.mark.parametrize(
    ("name", "server"),
    [
        ("A", Server("stdio", "x")),
        ("a_b", Server("stdio", "x")),
        ("a" * 25, Server("stdio", "x")),
        ("a", Server("carrier", "x")),  # type: ignore[arg-type]
        ("a", Server("stdio")),
        ("a", Server("stdio", "x", ("a\x1b[2J",))),
        ("a", Server("stdio", "x", ("a",) * 200)),
        ("a", Server("stdio", "x", env=(("KEY", "pa55word"),))),
        ("a", Server("stdio", "x", env=(("A=B", "env:KEY"),))),
        ("a", Server("stdio", "x", ("--api-key", "pa55word"))),
        ("a", Server("stdio", "x", ("--github-token=pa55word",))),
        ("a", Server("stdio", "x", ("TOKEN=pa55word",))),
        ("a", Server("stdio", "x", ("postgresql://ann:pa55word@db/x",))),
        ("a", Server("stdio", "x", ("https://t.test/sse", "--header", "Authorization: Bearer pa55word"))),
        ("a", Server("stdio", "x", ("--header", "X-Api-Key:pa55word"))),
        ("a", Server("stdio", "x", ("ghp_pa55wordpa55word",))),
        ("a", Server("stdio", "x", url="https://t.test")),
        ("a", Server("http", url="http://t.test/mcp")),
        ("a", Server("http", url="https://ann:pa55word@t.test/mcp")),
        ("a", Server("http", url="https://t.test/mcp?key=pa55word")),
        ("a", Server("http", url="ftp://t.test")),
        ("a", Server("http", url="https://t.test/mcp", headers=(("A", "Bearer pa55word"),))),
        ("a", Server("http", url="https://t.test/mcp", headers=(("A: B", "env:KEY"),))),
    ],
)
def test_a_server_that_is_none_is_refused_and_no_secret_is_repeated(name: str, server: Server) -> None:
    with pytest.raises(InvalidError) as refused:
        check_server(name, server)
    assert "pa55word" not in f"{refused.value} {refused.value.remedy}"


@pytest.mark.parametrize(
    "arguments",
    [("--token-file", "/run/token"), ("-y", "@scope/token-server", "/srv"), ("--port", "8080", "https://t.test/sse"),
     ("--max-tokens", "500"), ("--password-env=WORD",), ("mcp-remote", "http://127.0.0.1:8080/mcp", "--debug")],
)  # fmt: skip
def test_an_argument_that_only_says_where_a_secret_is_or_is_none_is_taken(arguments: tuple[str, ...]) -> None:
    check_server("a", Server("stdio", "npx", arguments))


async def test_a_server_is_a_target_that_an_inventory_neither_names_nor_prunes(database: Database) -> None:
    targets = TargetStore(database)
    stored = await targets.add(server_target("time", Server("stdio", "uvx", ("mcp-server-time",))))
    assert (stored.api, stored.base_url, stored.is_default) == ("remote-time", "mcp://time", True)
    assert await targets.apply((), prune=True) == {}
    assert await targets.get("time") == stored
