"""What a client's configuration needs to reach this server, as JSON to paste that works as it is printed.

Two ways: the client starts the server itself and speaks over standard input and output, with an absolute command and
the settings that are in force here; or it connects to one that serves, over HTTP. No token ever stands in what is
printed: each client has a way to read it from the environment or to ask for it. Called by `switchgear client-config`.
"""

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from governance.settings import Settings, variable

Json = Any
TOKEN_VARIABLE = "SWITCHGEAR_TOKEN"  # noqa: S105  a variable's name
_SQLITE = "sqlite+aiosqlite:///"


@dataclass(frozen=True, slots=True)
class ServerPlace:
    """`url` of a server that serves; `command` with its `arguments` and `environment`, by which a client starts one."""

    url: str
    command: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def started(self) -> dict[str, Json]:
        told: dict[str, Json] = {"command": self.command, "args": list(self.arguments)}
        return {**told, "env": dict(self.environment)} if self.environment else told

    def connected(self, token: str) -> dict[str, Json]:
        return {"url": f"{self.url}/mcp", "headers": {"Authorization": f"Bearer {token}"}}


def place_here(url: str, database: str, environment: Mapping[str, str]) -> ServerPlace:
    """How this installation is reached and started, wherever the client's own folder and PATH are.

    A setting goes along where it was set and is no secret; what servers listen on is nothing for standard input.
    """
    arguments = ("serve", "--transport", "stdio", "--db", absolute(database))
    command = shutil.which(sys.argv[0]) or shutil.which("switchgear")
    left_out = {"database_url", "host", "port", "tls_cert", "tls_key", "library", "jwt"}
    names = [variable(one) for one in fields(Settings) if not one.metadata["is_secret"] and one.name not in left_out]
    own = {name: environment[name] for name in names if environment.get(name)}
    if command is None or Path(command).name != "switchgear":
        return ServerPlace(url, sys.executable, ("-m", "switchgear.main", *arguments), own)
    return ServerPlace(url, str(Path(command).absolute()), arguments, own)


def absolute(database: str) -> str:
    """The URL of a SQLite file with the file's whole path; any other as it is, without a password."""
    if not database.startswith(_SQLITE):
        return database
    return _SQLITE + str(Path(database.removeprefix(_SQLITE)).absolute())


def claude(here: ServerPlace, *, is_started: bool) -> dict[str, Json]:  # noqa: ARG001  one way only
    """Claude Desktop starts the server itself and speaks to it over standard input and output."""
    return {"mcpServers": {"switchgear": here.started}}


def claude_code(here: ServerPlace, *, is_started: bool) -> dict[str, Json]:
    """`.mcp.json` of a project."""
    connected = {"type": "http", **here.connected(f"${{{TOKEN_VARIABLE}}}")}
    return {"mcpServers": {"switchgear": {"type": "stdio", **here.started} if is_started else connected}}


def cursor(here: ServerPlace, *, is_started: bool) -> dict[str, Json]:
    connected = here.connected(f"${{env:{TOKEN_VARIABLE}}}")
    return {"mcpServers": {"switchgear": here.started if is_started else connected}}


def vscode(here: ServerPlace, *, is_started: bool) -> dict[str, Json]:
    if is_started:
        return {"servers": {"switchgear": {"type": "stdio", **here.started}}}
    asked = {"type": "promptString", "id": "switchgear-token", "description": "Token for Switchgear", "password": True}
    return {
        "inputs": [asked],
        "servers": {"switchgear": {"type": "http", **here.connected("${input:switchgear-token}")}},
    }


def windsurf(here: ServerPlace, *, is_started: bool) -> dict[str, Json]:
    connected = here.connected(f"${{env:{TOKEN_VARIABLE}}}")
    told = {"serverUrl": connected["url"], "headers": connected["headers"]}
    return {"mcpServers": {"switchgear": here.started if is_started else told}}


def openwebui(here: ServerPlace, *, is_started: bool) -> dict[str, Json]:  # noqa: ARG001  one way only
    """Open WebUI takes the document for agents as a tool server; the token is entered in its own settings."""
    return {"type": "openapi", "url": here.url, "path": "openapi.json", "auth_type": "bearer", "key": ""}


def generic(here: ServerPlace, *, is_started: bool) -> dict[str, Json]:  # noqa: ARG001  all ways
    """For any other client: each way by itself."""
    return {
        "stdio": here.started,
        "http": here.connected(f"${{{TOKEN_VARIABLE}}}"),
        "openapi": {"url": f"{here.url}/openapi.json", "auth": f"Bearer ${{{TOKEN_VARIABLE}}}"},
    }


CLIENTS: Mapping[str, Callable[..., dict[str, Json]]] = MappingProxyType(
    {
        "claude": claude,
        "claude-code": claude_code,
        "cursor": cursor,
        "vscode": vscode,
        "windsurf": windsurf,
        "openwebui": openwebui,
        "generic": generic,
    }
)


def printed_for(client: str, url: str, database: str, *, is_started: bool) -> dict[str, Json]:
    """What the client called so needs. `is_started`: it is to start the server itself, where it has the choice."""
    return CLIENTS[client](place_here(url.rstrip("/"), database, os.environ), is_started=is_started)
