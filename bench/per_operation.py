"""The comparison: FastMCP's own `from_openapi`, one tool an operation, on the same description and the same upstream.

`python -m bench.per_operation PORT SPEC UPSTREAM OPERATION_ID`, which then is the tool `measured`. Started by
`bench/call.py` and `bench/catalog.py`.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

import httpx2
import yaml
from fastmcp import FastMCP


def read(spec: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.load(spec.read_bytes(), Loader=yaml.CSafeLoader)
    return document


async def serve(spec: Path, upstream: str, port: int, operation_id: str) -> None:
    async with httpx2.AsyncClient(base_url=upstream) as client:
        # Its own check of replies is left out: the upstream's body is not what the description promises.
        names = {operation_id: "measured"}
        server = FastMCP.from_openapi(read(spec), client=client, validate_output=False, mcp_names=names)
        await server.run_async(
            "http", host="127.0.0.1", port=port, show_banner=False, log_level="WARNING", json_response=True
        )


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[2]), sys.argv[3], int(sys.argv[1]), sys.argv[4]))
