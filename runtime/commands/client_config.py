"""The lines that a client's configuration needs to reach this server, as JSON to paste.

The token never stands in what is printed: each client has a way to read it from the environment or to ask for it.
Called by `switchgear client-config`. Pure.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

Json = Any
TOKEN_VARIABLE = "SWITCHGEAR_TOKEN"  # noqa: S105  a variable's name


def claude(_url: str, database: str | None) -> dict[str, Json]:
    """Claude Desktop starts the server itself and speaks to it over standard input and output."""
    arguments = ["serve", "--transport", "stdio", *(["--db", database] if database else [])]
    return {"mcpServers": {"switchgear": {"command": "switchgear", "args": arguments}}}


def cursor(url: str, _database: str | None) -> dict[str, Json]:
    header = {"Authorization": f"Bearer ${{env:{TOKEN_VARIABLE}}}"}
    return {"mcpServers": {"switchgear": {"url": f"{url}/mcp", "headers": header}}}


def vscode(url: str, _database: str | None) -> dict[str, Json]:
    asked = {"type": "promptString", "id": "switchgear-token", "description": "Token for Switchgear", "password": True}
    header = {"Authorization": "Bearer ${input:switchgear-token}"}
    return {"inputs": [asked], "servers": {"switchgear": {"type": "http", "url": f"{url}/mcp", "headers": header}}}


def openwebui(url: str, _database: str | None) -> dict[str, Json]:
    """Open WebUI takes the REST API as a tool server; the token is entered in its own settings."""
    return {"type": "openapi", "url": url, "path": "openapi.json", "auth_type": "bearer", "key": ""}


CLIENTS: Mapping[str, Callable[[str, str | None], dict[str, Json]]] = MappingProxyType(
    {"claude": claude, "cursor": cursor, "vscode": vscode, "openwebui": openwebui}
)
