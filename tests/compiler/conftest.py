"""What tests of the whole compiler share: the shipped APIs, compiled once a session, and the place of the real ones."""

from pathlib import Path

import pytest

from compiler.compiled import Compiled
from compiler.pipeline import Request
from compiler.verification import compile_spec

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    if not (SHARED / "specs").is_dir():
        pytest.skip("the real descriptions are not beside this checkout (../shared/specs)")
    return SHARED


@pytest.fixture(scope="session")
def hypercore() -> Compiled:
    return compile_spec(Request(ROOT / "specs/hypercore/openapi.yaml"))[0]


@pytest.fixture(scope="session")
def idrac() -> Compiled:
    return compile_spec(Request(ROOT / "specs/idrac/openapi.yaml"))[0]
