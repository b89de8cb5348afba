"""What a lock names is what gets installed, whatever else the index offers and whatever this machine is set to."""

import os
import shutil
import subprocess
import venv
from pathlib import Path

import pytest

from tests.fresh.index import EXACTLY, NEWER, Index, installed
from tests.needs import UV

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def empty_venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with pip alone, to copy: making one costs seconds. Its programs are not used, only its Python."""
    folder = tmp_path_factory.mktemp("empty") / "venv"
    venv.create(folder, with_pip=True, symlinks=True)
    return folder


@pytest.fixture
def python(empty_venv: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(empty_venv, tmp_path / "venv", symlinks=True)) / "bin" / "python"


def install(index: Index, python: Path, *wheels: Path, installer: str = "pip", **more: str) -> tuple[int, str]:
    """How install_lock.sh ends and what it says."""
    lock = index.folder / "the.lock"
    if not lock.exists():
        lock.write_text(index.lock)
    command = [ROOT / "install_lock.sh", python, lock, *wheels]
    environment = index.environment(installer, **more)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_newer_versions_in_the_index_change_nothing(installer: str, index: Index, python: Path) -> None:
    if installer == "uv":
        UV.or_skip()
    code, said = install(index, python, installer=installer)
    assert (code, installed(python)) == (0, EXACTLY), said


def test_the_pip_that_a_lock_names_goes_first_by_its_hash(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nfor last; do :; done\ncat "$last"\necho --\n')
    python.chmod(0o755)
    own = "pip==26.3 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
    lock = tmp_path / "the.lock"
    lock.write_text(f"one==1 \\\n    --hash=sha256:cc\n{own}pipe==2 \\\n    --hash=sha256:dd\n")
    command = [ROOT / "install_lock.sh", python, lock]
    environment = {"PATH": os.environ["PATH"], "SETUP_INSTALLER": "pip"}
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert said == f"{own}--\n{lock.read_text()}--\n"


@pytest.mark.slow
def test_settings_of_the_machine_bring_no_other_version_and_no_other_place(
    index: Index, python: Path, tmp_path: Path
) -> None:
    (tmp_path / "constraints.txt").write_text(f"core=={NEWER}\n")
    (tmp_path / "elsewhere").mkdir()
    shutil.unpack_archive(index.wheel("gate"), tmp_path / "path", "zip")
    settings = {
        "PIP_CONSTRAINT": f"{tmp_path}/constraints.txt",
        "PIP_TARGET": f"{tmp_path}/elsewhere",
        "PIP_USER": "1",
        "PYTHONPATH": f"{tmp_path}/path",
    }
    code, said = install(index, python, **settings)
    assert (code, installed(python)) == (0, EXACTLY), said
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.slow
def test_a_package_that_was_exchanged_in_the_index_is_not_installed(index: Index, python: Path) -> None:
    lock = index.folder / "the.lock"
    lock.write_text(index.lock)
    index.wheel("post").write_bytes(index.wheel("post").read_bytes() + b"\0")
    code, said = install(index, python)
    assert code != 0
    assert "DO NOT MATCH THE HASHES" in said


@pytest.mark.slow
def test_with_a_folder_of_wheels_no_index_is_asked(index: Index, python: Path, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for wheel in index.folder.rglob("*.whl"):
        shutil.copy(wheel, wheels)
    code, said = install(index, python, wheels)
    assert (code, installed(python)) == (0, EXACTLY), said
    assert index.asked == []


@pytest.mark.slow
def test_where_uv_cannot_install_pip_does(index: Index, python: Path, tmp_path: Path) -> None:
    (tmp_path / "uv").write_text("#!/bin/sh\nexit 2\n")
    (tmp_path / "uv").chmod(0o755)
    path = f"{tmp_path}:{index.environment()['PATH']}"
    code, said = install(index, python, installer="uv", PATH=path)
    assert (code, installed(python)) == (0, EXACTLY), said
    assert "uv could not install; trying pip" in said


@pytest.mark.parametrize("script", ["setup.sh", "Dockerfile", "edge/install.sh"])
def test_every_installer_installs_through_the_one_script(script: str) -> None:
    lines = [line for line in (ROOT / script).read_text().splitlines() if not line.startswith("#")]
    assert any("install_lock.sh" in line for line in lines)
    assert [line for line in lines if "--require-hashes" in line and "pip download" not in line] == []
