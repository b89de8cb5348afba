"""What tests of the whole compiler share: the shipped APIs and the place of the real ones."""

from pathlib import Path

import pytest

from compiler.compiled import Compiled
from tests.needs import VENDOR_FILES, VENDOR_FOLDER
from tests.shipped import shipped, vendors_own


@pytest.fixture(scope="session")
def shared() -> Path:
    VENDOR_FILES.or_skip()
    return VENDOR_FOLDER


@pytest.fixture(scope="session")
def hypercore() -> Compiled:
    return shipped("hypercore")


@pytest.fixture(scope="session")
def idrac() -> Compiled:
    return shipped("idrac")


@pytest.fixture(scope="session")
def vendors_hypercore(shared: Path) -> Compiled:
    return vendors_own("hypercore")


@pytest.fixture(scope="session")
def vendors_idrac(shared: Path) -> Compiled:
    return vendors_own("idrac")
