"""The wheel alone: what it carries, and the whole way of a user who has it and no checkout.

The wheel is installed into an environment that sees the locked packages by a path file and nothing of this repository;
with `--long` once more with the newest packages that its own ranges allow. All is run in an empty folder.
"""

import json
import re
import shutil
import subprocess
import venv
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from tests.house.installed import Installed, walk
from tests.needs import INDEX

ROOT = Path(__file__).parents[2]
ROOMS = ("workflow", "governance", "compiler", "runtime", "switchgear", "migrations", "demo")
CARRIED = {
    "specs": "compiler/specs",
    "docs": "switchgear/docs",
    "requirements.lock": "governance/requirements.lock",
    ".env.example": "switchgear/docs/.env.example",
}


def test_the_wheel_carries_every_file_that_is_read_outside_a_checkout_as_it_is(wheel: Path) -> None:
    carried = zipfile.ZipFile(wheel)
    for here, there in CARRIED.items():
        files = (
            [ROOT / here] if (ROOT / here).is_file() else [each for each in (ROOT / here).rglob("*") if each.is_file()]
        )
        assert files
        for file in files:
            name = there if file == ROOT / here else f"{there}/{file.relative_to(ROOT / here).as_posix()}"
            assert carried.read(name) == file.read_bytes(), name


def test_the_wheel_has_no_tests_and_nothing_that_was_left_by_a_tool(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert [name for name in names if re.search(r"__pycache__|\.pyc$|(^|/)tests/|^bench/|\.db$", name)] == []


def test_an_image_is_built_from_a_wheel_that_is_the_same(wheel: Path, tmp_path: Path) -> None:
    """What the Dockerfile copies, as far as .dockerignore lets it, is all that the wheel is made from."""
    copies = re.findall(r"^COPY ((?!--from).*) \S+$", (ROOT / "Dockerfile").read_text(), re.M)
    admitted = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for word in " ".join(copies).split():
        assert word in admitted, word
        (tmp_path / word).parent.mkdir(exist_ok=True)
        if (ROOT / word).is_dir():
            shutil.copytree(
                ROOT / word, tmp_path / word, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True
            )
        else:
            shutil.copy(ROOT / word, tmp_path / word)
    (built,) = WheelBuilder(str(tmp_path)).build(directory=str(tmp_path / "dist"))
    assert sorted(zipfile.ZipFile(built).namelist()) == sorted(zipfile.ZipFile(wheel).namelist())


def test_the_installation_sees_nothing_of_this_checkout(installed: Installed) -> None:
    program = (
        "import importlib.util as u, json, sys; "
        f"print(json.dumps([getattr(u.find_spec(n), 'origin', None) for n in {[*ROOMS, 'bench', 'tests']}]))"
    )
    found = subprocess.check_output(
        [installed.python, "-c", program], cwd=installed.folder, env=installed.environment(), text=True
    )
    *rooms, bench, tests = json.loads(found)
    assert all(Path(origin).is_relative_to(installed.home) for origin in rooms), rooms
    assert (bench, tests) == (None, None)


@pytest.mark.slow
@pytest.mark.unwitnessed("an installation's own commands: the mock is a process that ends with them")
def test_the_whole_way_goes_with_the_wheel_in_an_empty_folder(installed: Installed) -> None:
    walk(installed)


@pytest.mark.slow
def test_every_command_takes_what_is_shipped_by_name(installed: Installed) -> None:
    """The whole way compiles it and serves its mock."""
    assert "hypercore, idrac" in " ".join(installed.run("compile", "--help").stdout.split())
    assert installed.json("lint", "idrac")["diagnostics"]
    by_path = str(ROOT / "specs/hypercore/openapi.yaml")
    assert installed.json("diff", "hypercore", by_path)["operations"] == []
    misspelt = installed.run("compile", "hypercor", code=2).stderr
    assert "hypercore, idrac" in misspelt
    assert "Did you mean hypercore?" in misspelt


def test_a_remedy_names_a_page_that_is_there(installed: Installed) -> None:
    (installed.folder / "policy.yaml").write_text("classes: 7\n")
    told = installed.run("policy", "check", "policy.yaml", code=3).stderr
    (page,) = re.findall(r"see (\S+POLICY\.md)", told)
    assert Path(page).is_relative_to(installed.home)
    assert Path(page).is_file()


def test_without_prism_the_demonstration_says_how_to_get_it(installed: Installed) -> None:
    told = installed.run("demo", "--prism", code=1).stdout
    assert "npm install" in told
    assert "Node" in told


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.unwitnessed("an installation's own commands: the mock is a process that ends with them")
def test_the_whole_way_goes_with_the_newest_packages_that_the_ranges_allow(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    venv.create(home, with_pip=True)
    pip = [home / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--no-input"]
    if subprocess.run([*pip, "download", "--quiet", "--no-deps", "click"], cwd=tmp_path, check=False).returncode:
        INDEX.skip()
    subprocess.run([*pip, "install", "--quiet", f"{wheel}[runtime,compiler]"], cwd=tmp_path, check=True)
    subprocess.run([*pip, "check"], check=True)
    (tmp_path / "empty").mkdir()
    walk(Installed(home, tmp_path / "empty"))
