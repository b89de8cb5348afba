"""How compile time grows with the description: 100, 1,000 and 5,000 operations of one made-up API.

Run as `python -m bench.growth`. Each size is compiled in a process of its own, reading, planning, proving and storing
included. Linear growth means that the time per operation stays about the same; the ratio to the smallest size is told.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SIZES = (100, 1000, 5000)
_PER_RESOURCE = 5


def description(operations: int) -> dict[str, Any]:
    """A plain REST API: resources with list, create, read, update and delete, each with a schema of its own."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for number in range(operations // _PER_RESOURCE):
        name = f"Thing{number:04d}"
        reference = {"$ref": f"#/components/schemas/{name}"}
        schemas[name] = {
            "type": "object",
            "required": ["name"],
            "properties": {
                "id": {"type": "string", "readOnly": True},
                "name": {"type": "string"},
                "size": {"type": "integer"},
                "note": {"type": "string"},
            },
        }
        body = {"required": True, "content": {"application/json": {"schema": reference}}}
        one = {"200": {"description": "ok", "content": {"application/json": {"schema": reference}}}}
        every = {"type": "array", "items": reference}
        listed = {"200": {"description": "ok", "content": {"application/json": {"schema": every}}}}
        identity = [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]
        paths[f"/{name}"] = {"get": {"responses": listed}, "post": {"requestBody": body, "responses": one}}
        paths[f"/{name}/{{id}}"] = {
            "parameters": identity,
            "get": {"responses": one},
            "patch": {"requestBody": body, "responses": one},
            "delete": {"responses": {"204": {"description": "gone"}}},
        }
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Made up {operations}", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def measure(operations: int, folder: Path) -> float:
    """Seconds of one `switchgear compile` of that many operations."""
    spec = folder / f"{operations}.json"
    spec.write_text(json.dumps(description(operations)))
    database = f"sqlite+aiosqlite:///{folder / f'{operations}.db'}"
    command = [sys.executable, "-m", "switchgear.main", "compile", str(spec), "--db", database]
    begin = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    return time.monotonic() - begin


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        seconds = {size: measure(size, Path(folder)) for size in SIZES}
    least = seconds[SIZES[0]] / SIZES[0]
    rows = [
        {
            "operations": n,
            "seconds": round(s, 2),
            "ms_per_operation": round(1000 * s / n, 2),
            "ratio": round(s / n / least, 2),
        }
        for n, s in seconds.items()
    ]
    print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
