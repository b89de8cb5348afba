"""An index of five packages, and a small checkout that the real setup.sh sets up from it in seconds."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fresh.index import Index, served
from tests.fresh.users import open_folder

ROOT = Path(__file__).parents[2]
# A project whose build back end is a file of its own, so that nothing else is needed to install it.
PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
BACKEND = """\
import os, zipfile
def build_editable(folder, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(f"{folder}/small-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("small.py", "")
        wheel.writestr("small.pth", os.getcwd())  # as an editable install has one: Python reads it when it starts
        wheel.writestr("small-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: small\\nVersion: 1\\n")
        wheel.writestr("small-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("small-1.dist-info/RECORD", "small.py,,\\nsmall.pth,,\\nsmall-1.dist-info/RECORD,,\\n")
    return "small-1-py3-none-any.whl"
build_wheel = build_editable
"""


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with served(tmp_path / "index") as index:
        yield index


@pytest.fixture
def place() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


@pytest.fixture
def checkout(place: Path, index: Index) -> Path:
    folder = place / "checkout"
    folder.mkdir()
    for script in ("setup.sh", "install_lock.sh"):
        shutil.copy(ROOT / script, folder)
    (folder / "requirements.lock").write_text(index.lock)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "backend.py").write_text(BACKEND)
    return folder
