"""The official Arazzo cases, where they are at hand; they are data and no part of this repository."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.needs import VENDOR_FOLDER, vendor_files

FOLDER = VENDOR_FOLDER / "arazzo"
OFFICIAL = vendor_files("arazzo")
IS_THERE = OFFICIAL.is_there()
needs_official_cases = OFFICIAL.mark


def cases(kind: str) -> list[Any]:
    """The files of `pass`, `fail` or `examples` (Arazzo documents only), as parameters named by file."""
    files = sorted((FOLDER / kind).glob("*.yaml")) if IS_THERE else []
    chosen = [file for file in files if kind != "examples" or "arazzo" in file.name]
    if not chosen:
        return [pytest.param(None, id="none", marks=needs_official_cases)]
    return [pytest.param(file, id=file.name.removesuffix(".yaml")) for file in chosen]


def load(file: Path) -> Any:
    return yaml.safe_load(file.read_bytes())
