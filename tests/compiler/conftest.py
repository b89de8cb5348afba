"""What tests of the whole compiler share: the shipped APIs, compiled once a session, and the place of the real ones."""

from pathlib import Path

import pytest

from compiler.compiled import Compiled
from compiler.pipeline import Request
from compiler.verification import compile_spec
from tests.needs import VENDOR_FILES, VENDOR_FOLDER

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def shared() -> Path:
    VENDOR_FILES.or_skip()
    return VENDOR_FOLDER


@pytest.fixture(scope="session")
def hypercore() -> Compiled:
    return compile_spec(Request(ROOT / "specs/hypercore/openapi.yaml"))[0]


@pytest.fixture(scope="session")
def idrac() -> Compiled:
    return compile_spec(Request(ROOT / "specs/idrac/openapi.yaml"))[0]
