"""The official Arazzo cases, where the shared folder is there; they are data and no part of this repository."""

from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).parents[3] / "shared" / "arazzo"
IS_THERE = (FOLDER / "schema-1.1.yaml").is_file()
needs_official_cases = pytest.mark.skipif(not IS_THERE, reason=f"the official cases are not at {FOLDER}")


def cases(kind: str) -> list[Any]:
    """The files of `pass`, `fail` or `examples` (Arazzo documents only), as parameters named by file."""
    files = sorted((FOLDER / kind).glob("*.yaml")) if IS_THERE else []
    chosen = [file for file in files if kind != "examples" or "arazzo" in file.name]
    return [pytest.param(file, id=file.name.removesuffix(".yaml")) for file in chosen]


def load(file: Path) -> Any:
    return yaml.safe_load(file.read_bytes())
