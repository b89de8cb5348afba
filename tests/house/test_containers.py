"""The image and the compose file, read as data: there may be no engine where the tests run.

What is checked: that they name things that exist (settings, commands, files) and expose nothing that they should not.
"""

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from switchgear.main import cli
from tests.forks import search_path

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EXAMPLE = (ROOT / ".env.example").read_text()
OURS = re.compile(r"SWITCHGEAR_[A-Z_]+")


def instructions(word: str) -> list[str]:
    joined = DOCKERFILE.replace("\\\n", " ")
    return [line.removeprefix(word).strip() for line in joined.splitlines() if line.startswith(word + " ")]


def commands_of(service: dict[str, Any]) -> list[list[str]]:
    """The `switchgear` command lines that a service runs, without the program's name."""
    command = service.get("command", [])
    if "entrypoint" not in service:
        return [command]
    lines = [line.strip() for line in command[0].splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("switchgear ")]


def ours() -> list[tuple[str, list[str]]]:
    return [(n, c) for n, s in SERVICES.items() if str(s["image"]).startswith("switchgear") for c in commands_of(s)]


def test_every_service_that_the_product_promises_is_there() -> None:
    assert {"prism-hypercore", "prism-idrac", "ollama", "compile", "runtime", "postgres"} <= set(SERVICES)
    assert SERVICES["postgres"]["profiles"] == ["postgres"]


def test_prism_answers_for_each_vendor_on_its_own_port() -> None:
    assert SERVICES["prism-hypercore"]["ports"][0].endswith("4010}:4010")
    assert SERVICES["prism-idrac"]["ports"][0].endswith("4011}:4011")


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_bound_to_the_loopback_address(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


IMAGES = sorted({s["image"] for s in SERVICES.values()} | {line.split()[0] for line in instructions("FROM")})


@pytest.mark.parametrize("image", IMAGES)
def test_images_are_pinned_to_a_version(image: str) -> None:
    assert re.search(r":v?\d+\.\d+", image), image


@pytest.mark.parametrize("name", SERVICES)
def test_services_wait_for_services_that_exist_and_say_when_they_are_well(name: str) -> None:
    for needed, how in SERVICES[name].get("depends_on", {}).items():
        if how["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[needed] or SERVICES[needed]["image"].startswith("switchgear")
        else:
            assert how["condition"] == "service_completed_successfully"
            assert SERVICES[needed].get("restart", "no") == "no"


@pytest.mark.parametrize("variable", sorted(set(OURS.findall(COMPOSE_TEXT + DOCKERFILE))))
def test_every_setting_used_is_explained_in_the_example(variable: str) -> None:
    assert variable in OURS.findall(EXAMPLE)


def test_every_value_taken_from_the_environment_has_a_default() -> None:
    assert re.findall(r"(?<!\$)\$\{\w+\}", COMPOSE_TEXT) == []


def test_no_secret_is_written_down() -> None:
    for service in SERVICES.values():
        for variable, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|TOKEN|SECRET|KEY", variable):
                is_mock = variable.startswith("MOCK_")  # guards nothing: Prism takes any
                assert re.fullmatch(r"\$\{\w+:-\w+\}" if is_mock else r"\$\{\w+:-\}", value), variable


@pytest.mark.parametrize(("service", "command"), ours())
def test_every_command_that_a_container_runs_exists(service: str, command: list[str]) -> None:
    words = []
    for word in command:
        if not re.fullmatch(r"[a-z][a-z-]*", word):
            break
        words.append(word)
    page = CliRunner().invoke(cli, [*words, "--help"])
    assert page.exit_code == 0, page.output
    for option in (word for word in command if word.startswith("--")):
        assert option in page.output


def test_files_that_containers_read_are_there() -> None:
    for service in SERVICES.values():
        text = " ".join(map(str, service.get("command", []))).replace("$$api", "idrac")
        for path in re.findall(r"/specs/\S+", text):
            assert (ROOT / path.lstrip("/").rstrip('";')).is_file()


def test_the_image_runs_as_an_ordinary_user_and_is_asked_whether_it_is_well() -> None:
    assert instructions("USER")[-1] not in {"root", "0"}
    assert "/health" in instructions("HEALTHCHECK")[0]


def test_the_image_installs_only_what_the_lock_has_checked() -> None:
    fetching, building = instructions("RUN")[:2]
    assert "pip install" not in fetching
    assert re.findall(r"install_lock.sh \S+ (\S+)", fetching) == ["requirements.lock", "part.lock"]
    assert "pip install --no-deps" in building
    assert "PIP_NO_INDEX=1" in instructions("ENV")[1]
    copied = {word for line in instructions("COPY") if "--from" not in line for word in line.split()[:-1]}
    assert all((ROOT / word).exists() for word in copied)


@pytest.mark.slow
@pytest.mark.parametrize("apis", ["hypercore", pytest.param("hypercore idrac", marks=pytest.mark.long)])
def test_the_one_off_compile_does_its_work_twice_without_harm(apis: str, tmp_path: Path) -> None:
    """What the service runs, run here: without Ollama it says so and goes on; a second time nothing is added."""
    script = SERVICES["compile"]["command"][0].replace("$$", "$").replace("/specs/", f"{ROOT}/specs/")
    assert "in hypercore idrac;" in script
    script = script.replace("in hypercore idrac;", f"in {apis};")
    if "idrac" not in apis:  # a target needs the API that it is of
        script = script.partition('case "$known" in *prism-idrac*')[0]
    environment = {
        **os.environ,
        "PATH": search_path(),
        "PROPOSER": "ollama:absent",
        "SWITCHGEAR_OLLAMA_URL": "http://127.0.0.1:9",
        "SWITCHGEAR_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/switchgear.db",
    }
    entry = SERVICES["compile"]["entrypoint"]
    first, second = (
        subprocess.run([*entry, script], env=environment, capture_output=True, text=True, check=False) for _ in range(2)
    )
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert "Ollama is not there" in first.stdout + first.stderr
    assert second.stderr.count("0 new pending") == len(apis.split())
    assert "prism-hypercore" in first.stdout
    assert "prism-hypercore" not in second.stdout
