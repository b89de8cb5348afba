"""How many tools and how many tokens a client gets: `python -m bench.catalog`.

Every workflow of a shipped description approved, as the runtime lists them (the default catalog with the tools that
reach the rest, or all), against one tool an operation of the same description (FastMCP's `from_openapi`). Tokens are
bytes of the tools' JSON divided by 4, the measure of the design.
"""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from fastmcp import Client, FastMCP

from bench.figures import ROOT, tell
from bench.installation import installation

SPECS = (ROOT / "specs" / "hypercore" / "openapi.yaml", ROOT / "specs" / "idrac" / "openapi.yaml")
BYTES_PER_TOKEN = 4


async def tools_of(server: str | FastMCP[Any], token: str | None = None) -> Sequence[Any]:
    async with Client(server, auth=token) if token else Client(server) as client:
        tools: Sequence[Any] = await client.list_tools()
    return tools


def row(api: str, name: str, tools: Sequence[Any]) -> dict[str, Any]:
    data = [tool.model_dump(by_alias=True, exclude_none=True, mode="json") for tool in tools]
    size = len(json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode())
    return {
        "api": api,
        "catalog": name,
        "tools": len(tools),
        "KB": round(size / 1000),
        "tokens": size // BYTES_PER_TOKEN,
    }


def ours(spec: Path, catalog: str) -> Sequence[Any]:
    with installation(catalog) as made:
        made.approve(made.compile(spec))
        return asyncio.run(tools_of(f"{made.serve().url}/mcp", made.token))


def theirs(spec: Path) -> Sequence[Any]:
    document = yaml.load(spec.read_bytes(), Loader=yaml.CSafeLoader)
    return asyncio.run(tools_of(FastMCP.from_openapi(document)))


def main() -> None:
    rows = []
    for spec in SPECS:
        api = spec.parent.name
        rows.append(row(api, "one tool an operation", theirs(spec)))
        rows.append(row(api, "all workflows", ours(spec, "all")))
        rows.append(row(api, "default catalog", ours(spec, "default")))
    tell("tools and tokens", rows)


if __name__ == "__main__":
    main()
