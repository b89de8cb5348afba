"""An edge machine: installed from wheels with hashes, fed by a bundle, called by an agent; no network at any time (E2).

Making the folder needs packages from an index, and the namespace needs the right to make one; without either the tests
say so and are skipped. All share one folder, which costs half a minute.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from governance.bundles.sbom import bill_of_materials
from tests.forks import program
from tests.needs import INDEX, NAMESPACES

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow
NO_NETWORK = ["unshare", "--map-root-user", "--net"]
CANNOT_FETCH = 4


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is carried to the edge: wheels, a bundle with one read workflow, and the signer's public key."""
    work = tmp_path_factory.mktemp("factory")
    house = work / "house"
    bundle = exported(work)
    done = subprocess.run(
        [ROOT / "edge" / "make_wheelhouse.sh", house, bundle], capture_output=True, text=True, check=False
    )
    if done.returncode == CANNOT_FETCH:
        INDEX.skip()
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == hashlib.sha256((house / "requirements.txt").read_bytes()).hexdigest()
    shutil.copy(work / "ann.pub", house)
    return house


def exported(work: Path) -> Path:
    environment = {**os.environ, "SWITCHGEAR_DATABASE_URL": f"sqlite+aiosqlite:///{work}/factory.db"}
    bundle, key = work / "plant.bundle", work / "ann"
    for words in (
        ("compile", ROOT / "specs" / "hypercore" / "openapi.yaml"),
        ("workflows", "approve", "hypercore_find_vms@1"),
        ("bundle", "keys", "generate", key),
        ("bundle", "export", bundle, "--name", "plant", "--version", "1", "--key", key),
    ):
        subprocess.run([program(), *words], env=environment, capture_output=True, check=True)
    return bundle


@pytest.fixture(scope="session")
def seen(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `inside.py` saw."""
    if subprocess.run([*NO_NETWORK, "true"], capture_output=True, check=False).returncode:
        NAMESPACES.skip()
    command = [
        *NO_NETWORK,
        sys.executable,
        Path(__file__).with_name("inside.py"),
        folder,
        tmp_path_factory.mktemp("edge"),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_the_machine_really_has_no_network(seen: dict[str, Any]) -> None:
    assert seen["interfaces"] == ["lo"]
    assert seen["outside"] == "ENETUNREACH"


def test_the_runtime_alone_is_installed(seen: dict[str, Any]) -> None:
    assert {"switchgear", "fastmcp", "httpx", "cryptography"} <= set(seen["packages"])
    assert {"prance", "instructor", "ollama", "openapi-core", "pytest"}.isdisjoint(seen["packages"])


def test_the_bill_of_materials_requires_exactly_what_is_installed(seen: dict[str, Any]) -> None:
    installed = {canonicalize_name(name) for name in seen["packages"]} - {"switchgear", "pip", "setuptools"}
    parts = json.loads(bill_of_materials("2026-11-28T10:00:00.000000Z"))["components"]
    assert {part["name"] for part in parts if part["scope"] == "required"} == installed


def test_the_bundle_is_imported_and_a_read_is_called_over_stdio_and_http(seen: dict[str, Any]) -> None:
    assert (seen["imported"]["added"], seen["imported"]["signed_by"][0]["name"]) == (1, "ann")
    assert "db-01" in json.dumps(seen["stdio"])
    assert "db-01" in json.dumps(seen["http"])
    assert seen["audit"]["ok"]


def test_every_wheel_is_one_that_the_lock_knows_and_no_list_names_a_host(folder: Path) -> None:
    lock = (ROOT / "requirements.lock").read_text()
    wanted = dict(
        re.findall(r"^([\w.-]+)==\S+ --hash=sha256:([0-9a-f]{64})$", (folder / "requirements.txt").read_text(), re.M)
    )
    assert len(wanted) == len(list((folder / "wheels").iterdir())) > 50
    assert [name for name, digest in wanted.items() if digest not in lock] == ["switchgear"]
    assert "://" not in (folder / "requirements.txt").read_text()


def test_an_altered_wheel_is_not_installed(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    (wheel,) = (copy / "wheels").glob("click-*.whl")
    wheel.write_bytes(wheel.read_bytes() + b"\0")
    done = subprocess.run([copy / "install.sh", tmp_path / "venv"], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr


@pytest.mark.long
def test_an_installation_that_is_killed_half_way_is_made_again_by_the_same_command(
    folder: Path, tmp_path: Path
) -> None:
    place = tmp_path / "app"
    command = ["bash", folder / "install.sh", place]
    with subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL) as first:
        while not (place / "install.log").exists():
            assert first.poll() is None
            time.sleep(0.01)
        os.killpg(first.pid, signal.SIGKILL)
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert "was interrupted" in again.stderr
    assert subprocess.run([place / "bin" / "switchgear", "--version"], check=False).returncode == 0
    third = subprocess.run(command, capture_output=True, text=True, check=False)
    assert third.returncode == 2, "what is whole is left alone"


def test_another_kind_of_machine_is_told_so(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "made_for.txt").write_text("3.11 sparc64\n")
    done = subprocess.run([copy / "install.sh", tmp_path / "venv"], capture_output=True, text=True, check=False)
    assert (done.returncode, "3.11 sparc64" in done.stderr) == (3, True)
    assert not (tmp_path / "venv").exists()
