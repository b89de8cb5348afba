"""The wheel, and an installation of it: made once, for all tests of this room that are a user's who has no checkout."""

from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from tests.house.installed import Installed, installed_in

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("wheel")))
    return Path(built)


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return installed_in(tmp_path_factory.mktemp("installed") / "home", wheel)
