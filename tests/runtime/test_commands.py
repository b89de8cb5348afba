"""The commands, as processes: what they print, what they end with, and that they close in order."""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from fastmcp import Client
from fastmcp.client.transports import StdioTransport, StreamableHttpTransport
from sqlalchemy import text

from runtime.commands.calling import fitted
from runtime.commands.client_config import CLIENTS
from runtime.commands.serving import client_config_command, parsed_inputs
from runtime.errors import BadInput
from switchgear.main import main
from tests.forks import program
from tests.waiting import ended_with_their_block

ROOT = Path(__file__).parents[2]


async def start(*words: str) -> asyncio.subprocess.Process:
    pipe = subprocess.PIPE
    return await asyncio.create_subprocess_exec(program(), *words, cwd=ROOT, stdout=pipe, stderr=pipe)


async def switchgear(*words: str) -> tuple[int, str, str]:
    process = await start(*words)
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@pytest.mark.slow
async def test_a_workflow_is_called_from_the_command_line(lab: Any) -> None:
    code, out, err = await switchgear("call", "toy-find-vm", "vm=web-01", "--db", lab.url)
    assert (code, json.loads(out)) == (0, {"uuid": "u-1", "state": "on"}), err


@pytest.mark.slow
async def test_a_call_that_fails_says_so_with_its_exit_code(lab: Any) -> None:
    code, out, err = await switchgear("call", "toy-find-vm", "vm=nobody", "--db", lab.url)
    assert (code, out) == (4, "")
    assert "There is no machine called nobody." in err
    code, out, _ = await switchgear("call", "toy-find-vm", "vm=nobody", "--json", "--db", lab.url)
    assert (code, json.loads(out)["failure"]["code"]) == (4, "not_found")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["toy-nothing"], 1),
        (["toy-find-vm"], 3),
        (["toy-find-vm", "vm"], 3),
        (["toy-find-vm", "vm=web-01", "--target", "nowhere"], 3),
        (["toy-find-vm", "--odd"], 2),
    ],
)
async def test_a_call_ends_with_the_code_of_whose_turn_it_is(lab: Any, words: list[str], code: int) -> None:
    ended, out, err = await switchgear("call", *words, "--db", lab.url)
    assert (ended, out) == (code, ""), err
    assert err


@pytest.mark.slow
async def test_what_destroys_shows_its_plan_and_is_carried_out_by_its_id_or_a_yes_beforehand(
    house: Any, device: Any
) -> None:
    await house.target(device.url)
    await house.approve("retire")
    words = ("call", "toy-retire-vm", "vm=web-01", "--db", house.url)
    code, out, err = await switchgear(*words, "--plan")
    assert (code, err) == (0, "")
    assert "1. POST" in out
    code, out, err = await switchgear(*words)
    assert (code, out) == (1, "")
    assert err.startswith("NOT DONE")
    code, out, _ = await switchgear(*words, "--json")
    assert code == 1
    assert [heard.method for heard in device.heard] == ["GET"] * 3
    code, out, err = await switchgear(*words, "--plan-id", json.loads(out)["plan"]["plan_id"])
    assert code == 0, err
    assert json.loads(out) == {"state": "off"}
    device.script.machines[0]["state"] = "on"
    code, out, err = await switchgear(*words, "--yes")
    assert code == 0, err
    assert json.loads(out) == {"state": "off"}


@pytest.mark.slow
async def test_a_workflow_is_called_on_all_targets_that_have_a_label(house: Any, device: Any) -> None:
    for name in ("one", "two"):
        await house.target(device.url, name, labels=(("site", "edge"),))
    await house.target(device.url, "three")
    await house.approve("find")
    words = ("call", "toy-find-vm", "vm=web-01", "--label", "site=edge", "--db", house.url)
    code, out, err = await switchgear(*words, "--json")
    assert (code, [result["target"] for result in json.loads(out)["results"]]) == (0, ["one", "two"]), err
    code, out, _ = await switchgear(*words, "--parallel", "1", "--stop-on-failure")
    assert (code, [line.partition(" (")[0] for line in out.splitlines()]) == (0, ["one: succeeded", "two: succeeded"])
    code, _, err = await switchgear(*words, "--target", "one")
    assert (code, "give one of the two" in err) == (3, True)


@pytest.mark.slow
async def test_a_free_port_is_taken_and_said_and_the_end_is_clean(lab: Any, device: Any) -> None:
    process = await start("serve", "--port", "0", "--db", lab.url)
    assert process.stderr is not None
    line = (await process.stderr.readline()).decode()
    url = line.split(" on ")[1].split(" ")[0]
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        assert (await client.get("/ready")).json()["tools"] == 2
        assert (await client.post("/workflows/toy-find-vm/run", json={"inputs": {"vm": "web-01"}})).status_code == 200
    process.send_signal(signal.SIGTERM)
    out, err = await process.communicate()
    assert (process.returncode, out) == (0, b""), err
    assert b"Stopped. No run was under way." in err
    assert b"Traceback" not in err


@pytest.mark.slow
async def test_after_ctrl_c_a_call_says_what_became_of_its_run(house: Any, recorder: Any) -> None:
    async def silent(_heard: Any, _writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    device = await recorder(silent)
    await house.target(device.url)
    await house.approve("find")
    process = await start("call", "toy-find-vm", "vm=web-01", "--db", house.url)
    await device.has_heard(1)
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()
    (run,) = await house.service.runs.find(limit=1)
    assert (process.returncode, out) == (130, b""), err
    assert f"The run {run.id} on lab ended as {run.outcome}; `switchgear runs show {run.id}`" in err.decode()
    assert b"Interrupted." in err and b"Traceback" not in err


@pytest.mark.long  # a process of its own, which ends in order
async def test_after_ctrl_c_in_a_change_its_run_stops_between_two_requests_and_is_told_as_it_is(
    lab: Any, device: Any
) -> None:
    device.script.job_state = "running"
    process = await start("call", "toy-stop-vm", "uuid=u-1", "--yes", "--db", lab.url)
    await device.has_heard(3)  # the change, and two looks at its job
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()
    (run,) = await lab.service.runs.find(limit=1)
    assert (process.returncode, out) == (130, b""), err
    assert f"The run {run.id} on lab ended as cancelled; `switchgear runs show {run.id}`" in err.decode()
    assert [heard.method for heard in device.heard].count("POST") == 1
    assert (run.outcome, run.failure["done"]) == ("cancelled", ["change"]), "what was done is not undone, and is said"
    assert b"Traceback" not in err


@pytest.mark.slow
async def test_a_workflow_that_nobody_approved_is_told_to_be_pending(house: Any, device: Any) -> None:
    await house.target(device.url)
    await house.submit("find")
    code, out, err = await switchgear("call", "toy-find-vm", "vm=web-01", "--db", house.url)
    assert (code, out) == (1, "")
    assert "toy-find-vm@1 is pending" in err and "switchgear workflows approve toy-find-vm@1" in err


async def test_what_is_typed_for_a_text_is_the_text_as_it_stands(lab: Any) -> None:
    entry = lab.service.live.now.find("toy-find-vm")
    assert fitted(entry, ("vm=1.10",)) == {"vm": "1.10"}
    assert fitted(entry, ("vm=true", "other=007", "more=7")) == {"vm": "true", "other": "007", "more": 7}
    assert fitted(entry, ("vm=[1]",)) == {"vm": [1]}


@pytest.mark.slow
async def test_without_a_token_only_loopback_is_listened_on(house: Any) -> None:
    code, _, err = await switchgear("serve", "--host", "0.0.0.0", "--port", "0", "--db", house.url)
    assert code == 2
    assert "loopback" in err
    assert "tokens create" in err


@pytest.mark.slow
async def test_a_port_that_is_taken_is_said(house: Any, device: Any) -> None:
    code, _, err = await switchgear("serve", "--port", str(device.port), "--db", house.url)
    assert code == 2
    assert "cannot be listened on" in err


def test_values_may_be_json() -> None:
    assert parsed_inputs(("a=1", "b=x=y", 'c={"d":[true]}', "e=", "f=null")) == {
        "a": 1,
        "b": "x=y",
        "c": {"d": [True]},
        "e": "",
        "f": None,
    }
    with pytest.raises(BadInput):
        parsed_inputs(("=1",))


@pytest.mark.parametrize("client", sorted(CLIENTS))
def test_a_clients_configuration_is_json_and_holds_no_token(client: str) -> None:
    result = CliRunner(env={"SWITCHGEAR_TOKEN": "swg_canary"}).invoke(
        client_config_command, [client, "--url", "http://h:1/"]
    )
    assert result.exit_code == 0
    assert json.loads(result.stdout)
    assert "swg_canary" not in result.stdout
    assert "http://h:1/mcp" in result.stdout or client in ("claude", "openwebui")


@pytest.mark.parametrize("client", sorted({*CLIENTS} - {"openwebui", "generic"}))
def test_what_a_client_is_to_start_is_named_wherever_it_is_and_with_the_settings_in_force(
    client: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = {"SWITCHGEAR_CONFIRM": "none", "SWITCHGEAR_TOKEN": "swg_canary", "SWITCHGEAR_PORT": "9"}
    words = [client, "--stdio", "--db", "sqlite+aiosqlite:///out/my.db"]
    told = json.loads(CliRunner(env=settings).invoke(client_config_command, words).stdout)
    (started,) = (told.get("mcpServers") or told["servers"]).values()
    assert Path(started["command"]).is_absolute() and Path(started["command"]).exists()
    assert started["args"][-1] == f"sqlite+aiosqlite:///{tmp_path}/out/my.db"
    assert started["env"] == {"SWITCHGEAR_CONFIRM": "none"}


@pytest.mark.slow
async def test_what_is_printed_starts_a_server_and_connects_to_one(lab: Any, server: Any, tmp_path: Path) -> None:
    secret = await lab.token("operator")
    words = ["generic", "--url", server.url, "--db", lab.url]
    told = json.loads(CliRunner().invoke(client_config_command, words).stdout)
    stdio = told["stdio"]
    transport = StdioTransport(stdio["command"], stdio["args"], stdio.get("env", {}), str(tmp_path), keep_alive=False)
    async with ended_with_their_block(), Client(transport) as opened:
        assert "toy_find_vm" in {tool.name for tool in await opened.list_tools()}
    headers = {name: text.replace("${SWITCHGEAR_TOKEN}", secret) for name, text in told["http"]["headers"].items()}
    async with Client(StreamableHttpTransport(told["http"]["url"], headers=headers)) as opened:
        assert "toy_find_vm" in {tool.name for tool in await opened.list_tools()}
    async with httpx.AsyncClient(trust_env=False) as asking:
        document = (await asking.get(told["openapi"]["url"], headers=headers)).json()
    assert "/tools/toy_find_vm" in document["paths"]


@pytest.mark.slow
def test_serving_loads_nothing_of_the_compiler() -> None:
    code = "import sys, runtime.app, runtime.commands.serving as _"
    code += "; print([m for m in sys.modules if m.split('.')[0] == 'compiler'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_doctor_finds_that_there_is_no_database_and_makes_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "none.db"
    assert main(["doctor", "--db", f"sqlite+aiosqlite:///{place}"]) == 1
    assert f"there is no database at {place}" in capsys.readouterr().out
    assert not place.exists()


@pytest.mark.slow
async def test_the_doctor_says_who_was_given_rights_behind_our_back(lab: Any) -> None:
    await lab.token("viewer", "ann")
    await lab.service.users.add("bob", "viewer", password=None, actor="boss")
    await lab.service.webhooks.add("desk", "env:DESK", actor="boss")
    for table in ("principals SET role = 'admin'", "users SET role = 'admin'", "webhooks SET secret_ref = 'env:PATH'"):
        await lab.service.database.write(lambda c, table=table: c.execute(text(f"UPDATE {table}")))
    code, out, _ = await switchgear("doctor", "--json", "--db", lab.url)
    found = [each["message"] for each in json.loads(out) if not each["is_good"] and each["subject"] == "credentials"]
    assert (code, len(found)) == (1, 3), found
    assert all("not as the audit says" in each for each in found)


@pytest.mark.slow
async def test_the_doctor_finds_what_is_wrong_and_says_when_nothing_is(lab: Any, device: Any) -> None:
    code, out, err = await switchgear("doctor", "--json", "--db", lab.url)
    assert code == 0, (out, err)
    await lab.target("http://127.0.0.1:1", "gone", password_ref="env:NOT_THERE_AT_ALL")
    code, out, _ = await switchgear("doctor", "--json", "--db", lab.url)
    assert code == 1
    assert [found["subject"] for found in json.loads(out) if not found["is_good"]] == ["gone"]
